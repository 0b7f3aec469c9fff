"""A small project with an application and tests of its own, and pytest run over it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pytest_wsgi.examination import Examination
from pytest_wsgi.loading import django
from runs import BROKEN, GOOD, ISOLATED, OWN, UNLAUNCHED, Run, write

OF_GITHUB = ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE", "CI_PROJECT_DIR")
"""Under these a run says more."""


ASIDE = Path(__file__).with_name("aside")


@pytest.fixture
def launches():
    """Let a run start fresh processes, which few tests are about and which cost more than it."""


@pytest.fixture(autouse=True)
def no_launches(request, monkeypatch):
    """Start no fresh process in a run, unless a test asks for `launches`.

    Returns the options by which `run_apart` says so to a process of its own.
    """
    if "launches" in request.fixturenames:
        return ()
    monkeypatch.setattr(
        Examination, "start_launches", lambda self, **_: self.stop_launches(UNLAUNCHED)
    )
    monkeypatch.setenv("PYTHONPATH", str(ASIDE), prepend=os.pathsep)
    return ("-p", "unlaunched")


@pytest.fixture
def project(pytester, monkeypatch):
    """Return the directory of a project with a good and a broken application and three tests."""
    # In CI pytest shows every failure twice, once more in its short summary.
    for name in ("PYTEST_WSGI_APP", "CI", "BUILD_NUMBER", *OF_GITHUB):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(django, "_owners", [])  # what this process has of earlier runs in it
    write(pytester.path, {"pytest.ini": "[pytest]\n", "mysite/__init__.py": "", **OWN})
    write(pytester.path, {"mysite/wsgi.py": GOOD, "mysite/bad.py": BROKEN})
    return pytester.path


@pytest.fixture
def run(pytester, project):
    """Return what runs pytest over the project in this process."""
    assert pytester.path == project

    def run_pytest(*args):
        return Run(pytester.runpytest_inprocess(*ISOLATED, *map(str, args)))

    return run_pytest


@pytest.fixture
def run_apart(pytester, no_launches):
    """Return what runs pytest in a process of its own; there are no outcomes, only output."""

    def run_pytest(*args, isolated=True):
        words = (*(ISOLATED if isolated else ()), *no_launches, *map(str, args))
        return pytester.runpytest_subprocess(*words, timeout=60)

    return run_pytest


@pytest.fixture
def add(project):
    """Return what writes files into the project."""
    return lambda files: write(project, files)
