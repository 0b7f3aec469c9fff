from __future__ import annotations

import pytest

from pytest_wsgi.loading import source

MODULE = """\
import os
from a import b as application
from c import *
import package.inner
if os.name:
    application = 1
else:
    other: int = 2
    declared: int
try:
    in_try = 1
except ValueError:
    in_handler = 1
finally:
    in_finally, (deep, *rest) = 1, (2, 3)
class Site:
    wsgi_app = 1
    def method(self):
        local = 1
app = 1
app.wsgi_app = app
"""


@pytest.mark.parametrize(
    ("names", "line"),
    [
        (("application",), 6),
        (("other",), 8),
        (("declared",), None),
        (("in_try",), 11),
        (("in_handler",), 13),
        (("rest",), 15),
        (("package",), 4),
        (("Site",), 16),
        (("Site", "wsgi_app"), 17),
        (("Site", "method"), 18),
        (("Site", "absent"), 16),
        (("local",), None),
        (("app",), 20),
        (("app", "wsgi_app"), 20),
        ((), None),
    ],
)
def test_the_line_that_binds_a_name(project, names, line):
    assert source.binding_line(project.write_file("m.py", MODULE), names) == line


@pytest.mark.parametrize("content", [b"def", b"\xff\xfe", b"# coding: none\n", b"a = 1\0", None])
def test_what_cannot_be_read_says_nothing(tmp_path, content):
    file = tmp_path / "m.py"
    if content is not None:
        file.write_bytes(content)
    assert source.binding_line(file, ("a",)) is None
    assert source.binding_line(None, ("a",)) is None


def test_an_invalid_escape_is_no_warning_of_ours(project, recwarn):
    assert source.binds(project.write_file("m.py", "a = '\\\\d'\n"), "a")
    assert not recwarn.list


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('os.environ.setdefault("DJANGO_SETTINGS_MODULE", "a.settings")', "a.settings"),
        ('os.environ["DJANGO_SETTINGS_MODULE"] = "b.settings"', "b.settings"),
        ('os.environ.setdefault("OTHER", "a")\nos.environ["OTHER"] = "b"', ""),
        ('os.environ.setdefault("DJANGO_SETTINGS_MODULE", name)', ""),
    ],
)
def test_the_settings_that_a_file_names(project, text, found):
    assert source.settings_literal(project.write_file("manage.py", text)) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("A = 'x'\nA = 'y'", (True, "y")),
        ("A: str = 'x'", (True, "x")),
        ("A = 'x'\nA = f()", (True, None)),
        ("def A(): pass", (False, None)),
        ("", (False, None)),
    ],
)
def test_the_literal_that_a_module_assigns(project, text, found):
    assert source.assigned_literal(project.write_file("m.py", text), "A") == found


def test_star_imports_are_told(project):
    text = "from .base import *\nfrom x.y import *\nfrom . import *\nfrom z import a\n"
    found = source.star_imports(project.write_file("m.py", text))
    assert found == [(1, "base"), (0, "x.y"), (1, "")]


@pytest.mark.parametrize(
    ("text", "may"),
    [
        ("a = 1", True),
        ("from x import *", True),
        ("def __getattr__(name): ...", True),
        ("b = 1", False),
    ],
)
def test_a_module_may_bind_what_cannot_be_seen(project, text, may):
    assert source.may_bind(project.write_file("m.py", text), "a") is may
