"""Which files are the user's own code, and which of their lines importing runs."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import pytest_wsgi
from pytest_wsgi.own_code import OwnCode, list_imported

SOURCE = '''\
"""A module."""
import os

@staticmethod
def first(
    a=1,
):
    """Say it."""
    return a

class Kept:
    value = 2

    async def second(self):
        @staticmethod
        def inner(): return 1
        return inner

def third(): return 3
'''


@pytest.mark.parametrize(
    ("name", "is_own"),
    [
        ("mysite/views.py", True),
        ("latest.py", True),
        ("test_views.py", False),
        ("mysite/conftest.py", False),
        ("mysite/tests/helpers.py", False),
        ("test/helpers.py", False),
        ("mysite/checks/check_views.py", False),
        ("spec/helpers.py", False),
        ("vendor/site-packages/flask/app.py", False),
        ("../elsewhere.py", False),
    ],
)
def test_own_code(tmp_path, name, is_own):
    root = tmp_path / "project"
    own = OwnCode(
        root=root, patterns=("test_*.py", "checks/check_*.py"), testpaths=(root / "spec",)
    )
    assert own.holds(root / name if ".." not in name else tmp_path / name[3:]) is is_own


def test_the_environment_within_the_project_is_not_own(tmp_path, monkeypatch):
    own = OwnCode(root=tmp_path)
    file = tmp_path / ".venv/src/other/a.py"
    assert own.holds(file)
    monkeypatch.setattr(sys, "prefix", str(tmp_path / ".venv"))
    assert not own.holds(file)
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    assert own.holds(file)


def test_the_harness_is_not_own():
    own = OwnCode(root=Path(pytest_wsgi.__file__).parents[1])
    assert not own.holds(own.root / "pytest_wsgi/reach.py")


def test_lines_outside_of_functions(tmp_path):
    file = tmp_path / "a.py"
    file.write_text(SOURCE)
    code = {
        number
        for number, line in enumerate(SOURCE.splitlines(), start=1)
        if number in list_imported(file) and line
    }
    assert code == {1, 2, 4, 5, 6, 7, 11, 12, 14, 19}


def test_nothing_is_known_of_what_is_no_python(tmp_path):
    file = tmp_path / "a.py"
    assert list_imported(file) == frozenset()
    file.write_text("{% if x %}")
    assert list_imported(file) == frozenset()
