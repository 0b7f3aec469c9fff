from __future__ import annotations

import pytest

from pytest_wsgi.exchange import Foreign
from pytest_wsgi.showing import (
    SHOWN,
    hide,
    is_secret,
    show,
    show_field,
    show_item,
    show_name,
    show_value,
)


def test_values_are_shown_short():
    assert show("x") == "'x'"
    assert len(show("x" * 1000)) == SHOWN
    assert show("x" * 1000).endswith("...")
    assert show(Foreign("app.Odd")) == "<app.Odd object>"
    assert len(show(1 << 20_000)) <= SHOWN


@pytest.mark.parametrize("name", ["Set-Cookie", "authorization", " Cookie ", "x_csrftoken "])
def test_names_of_what_is_surely_secret(name):
    assert is_secret(name)
    assert show_field(name, "hunter2") == f"({name!r}, <redacted: length 7>)"


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("Content-Type", "text/plain", "('Content-Type', 'text/plain')"),
        ("content-LENGTH ", 5, "('content-LENGTH ', 5)"),
        (b"ETag", "abc", "(b'ETag', 'abc')"),
        (Foreign("my.Text", "str", "Date"), "now", "(<my.Text Date>, 'now')"),
        ("X-Page", "home", "('X-Page', <redacted: length 4>)"),
        (b"X-Page", b"home", "(b'X-Page', <redacted: bytes, length 4>)"),
        (5, None, "(5, None)"),
        (5, "home", "(5, <redacted: length 4>)"),
        ("Location", "/login?token=hunter2", "('Location', '/login?' <redacted: length 13>)"),
        ("Location", "/page#hunter2\n", r"('Location', '/page#' <redacted: length 8, \n at 7>)"),
        ("Location", b"/page?x", "('Location', b'/page?x')"),
        ("Location", "/page", "('Location', '/page')"),
        ("Vary", "a?b", "('Vary', 'a?b')"),
    ],
)
def test_only_the_values_of_headers_on_the_list_are_shown(name, value, shown):
    assert show_field(name, value) == shown
    assert show_field(name, value) == f"({show_name(name)}, {show_value(name, value)})"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("X-Page", "'X-Page'"),
        ("X-Page:", "'X-Page:'"),
        ("X-Page\n", r"'X-Page\n'"),
        ("Page Name", "'Page Name'"),
        ("Content-Type: text/plain", "'Content-Type: text/plain'"),
        ("X-Token: hunter2", "'X-Token: ' <redacted: length 7>"),
        ("session=hunter2\r", r"'session=' <redacted: length 8, \r at 7>"),
        ("X-Page\r\nX-Token: hunter2", r"'X-Page\r\n' <redacted: length 16>"),
        (b"X-Token: hunter2", "b'X-Token: ' <redacted: length 7>"),
        (Foreign("my.Text", "str", "X-Token: hunter2"), "<redacted: my.Text>"),
        (Foreign("my.Odd", "int", "5"), "<my.Odd 5>"),
        (None, "None"),
    ],
)
def test_a_value_in_a_name_is_not_shown(name, shown):
    assert show_name(name) == shown


@pytest.mark.parametrize(
    ("item", "shown"),
    [
        (("X-Page", "home"), "('X-Page', <redacted: length 4>)"),
        (["Set-Cookie", "hunter2"], "['Set-Cookie', <redacted: length 7>]"),
        (("Vary", "a", "b"), "('Vary', 'a', 'b')"),
        (("X-Page",), "('X-Page',)"),
        ((), "()"),
        ([], "[]"),
        ("Content-Type: text/plain", "'Content-Type: text/plain'"),
        ("Cookie: hunter2", "'Cookie: ' <redacted: length 7>"),
        ("Content-Type", "'Content-Type'"),
        ("hunter2", "<redacted: length 7>"),
        (b"hunter2", "<redacted: bytes, length 7>"),
        ("", "''"),
        (5, "5"),
        (Foreign("app.Odd"), "<app.Odd object>"),
    ],
)
def test_items_of_a_list_of_headers(item, shown):
    assert show_item(item) == shown


@pytest.mark.parametrize(
    ("value", "mark"),
    [
        ("", "''"),
        (b"", "b''"),
        (None, "None"),
        (True, "True"),
        (5, "<redacted: int>"),
        (("a", "b"), "<redacted: tuple, length 2>"),
        (Foreign("my.Text", "str", "hunter2"), "<redacted: my.Text>"),
        (" a ", "<redacted: length 3, space at 0, space at 2>"),
        ("a\tb\u2603\x00", r"<redacted: length 5, \t at 1, \u2603 at 3, \x00 at 4>"),
        ("\x00\x01\x02\x03\x04", r"<redacted: length 5, \x00 at 0, \x01 at 1, \x02 at 2, 2 more>"),
    ],
)
def test_marks_tell_the_shape_of_a_value(value, mark):
    assert hide(value) == mark
