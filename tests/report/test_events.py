from __future__ import annotations

import dataclasses
import typing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_wsgi import exchange
from pytest_wsgi.exchange import (
    Block,
    Called,
    Closed,
    ErrorsUsed,
    Event,
    ExcInfo,
    Exhausted,
    FileWrapped,
    Foreign,
    InputUsed,
    Measured,
    Raised,
    Returned,
    StartExamined,
    StartResponse,
    Stopped,
    Write,
)
from pytest_wsgi.report.events import LONGEST_LINE, describe_event, describe_value
from sample_reports import PATIENT

TEXT_PLAIN = (("Content-Type", "text/plain"),)


def make_start(status="200 OK", headers=TEXT_PLAIN, **changes):
    values = {
        "number": 2,
        "thread": 1,
        "status": status,
        "headers_type": "list",
        "headers": headers,
        "fields": (),
        "malformed": (),
        "exc_info": None,
        "argument_count": 2,
        "keywords": (),
        "place": "call",
        "handling": False,
        "raised": None,
        "origin": None,
    }
    return StartResponse(**{**values, **changes})


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (Called(1, 1), "1  application(environ, start_response)"),
        (
            make_start(b"200 OK"),
            "2  start_response(b'200 OK', [('Content-Type', 'text/plain')])",
        ),
        (make_start(headers=(), headers_type="tuple"), "2  start_response('200 OK', ())"),
        (make_start(headers=(), headers_type="dict"), "2  start_response('200 OK', <dict>)"),
        (make_start(argument_count=1), "2  start_response('200 OK')"),
        (
            make_start(headers=(), argument_count=5),
            "2  start_response('200 OK', [], None, ...)",
        ),
        (
            make_start(headers=(), argument_count=3, keywords=("headers", "charset")),
            "2  start_response('200 OK', headers=[], charset=...)",
        ),
        (
            make_start(headers=(), argument_count=3, exc_info=ExcInfo("int")),
            "2  start_response('200 OK', [], <int>)",
        ),
        (
            make_start(
                headers=(),
                argument_count=3,
                exc_info=ExcInfo("tuple", 3, ("class", "instance", "traceback"), matches=True),
                place="iteration",
                raised="ValueError",
            ),
            (
                "2  start_response('200 OK', [], (<class>, <instance>, <traceback>)), "
                "while a block was asked for raised ValueError"
            ),
        ),
        (
            Write(3, 1, "bytes", 5, "call", after_end=False, raised=None, origin=None),
            "3  write(<bytes of length 5>)",
        ),
        (
            Write(3, 1, "int", None, "outside", after_end=True, raised="TypeError", origin=None),
            "3  write(<int>), after the last block, outside of any call raised TypeError",
        ),
        (
            FileWrapped(3, 1, "io.BytesIO", frozenset({"read"}), None, None),
            "3  wsgi.file_wrapper(<io.BytesIO>)",
        ),
        (
            FileWrapped(3, 1, "int", frozenset(), 8192, "TypeError"),
            "3  wsgi.file_wrapper(<int>, 8192) raised TypeError",
        ),
        (
            Returned(
                3,
                1,
                "list",
                "list",
                iterable=True,
                is_iterator=False,
                has_close=False,
                is_file_wrapper=False,
                is_file=False,
            ),
            "3  the application returned <list>",
        ),
        (
            Returned(
                3,
                1,
                "FileWrapper",
                "",
                iterable=False,
                is_iterator=False,
                has_close=False,
                is_file_wrapper=True,
                is_file=False,
            ),
            (
                "3  the application returned <FileWrapper> made by wsgi.file_wrapper, "
                "which is not iterable"
            ),
        ),
        (StartExamined(4, 1, "__self__", None), "4  start_response.__self__ was looked at"),
        (StartExamined(4, 1, "__eq__", None), "4  start_response was compared"),
        (Measured(4, 1, 1, None), "4  len() of the iterable is 1"),
        (Measured(4, 1, None, "TypeError"), "4  len() of the iterable raised TypeError"),
        (Block(4, 1, "bytes", "bytes", 5, b"hello"), "4  yielded b'hello' (5 bytes)"),
        (
            Block(4, 1, "bytes", "bytes", 4096, b"a" * 64),
            f"4  yielded b'{'a' * 40}'... (4096 bytes)",
        ),
        (Block(4, 1, "str", "str", 5, b""), "4  yielded <str of length 5>"),
        (Exhausted(5, 1), "5  the iterable ended"),
        (Closed(6, 1, "iterable", None), "6  close() of the iterable"),
        (Closed(6, 1, "iterator", "OSError"), "6  close() of the iterator raised OSError"),
        (
            InputUsed(
                2,
                1,
                "fileno",
                found=False,
                called=False,
                size=None,
                argument_count=0,
                returned=None,
                past_end=False,
                place="call",
                raised="AttributeError",
                origin=None,
            ),
            "2  wsgi.input.fileno was looked for and is not there",
        ),
        (
            InputUsed(
                2,
                1,
                "closed",
                found=True,
                called=False,
                size=None,
                argument_count=0,
                returned=None,
                past_end=False,
                place="call",
                raised=None,
                origin=None,
            ),
            "2  wsgi.input.closed was looked at",
        ),
        (
            InputUsed(
                2,
                1,
                "read",
                found=True,
                called=True,
                size=10,
                argument_count=1,
                returned=0,
                past_end=True,
                place="close",
                raised=None,
                origin=None,
            ),
            "2  wsgi.input.read(10) returned 0 bytes, after the end, in close()",
        ),
        (
            InputUsed(
                2,
                1,
                "read",
                found=True,
                called=True,
                size=None,
                argument_count=0,
                returned=None,
                past_end=False,
                place="call",
                raised="OSError",
                origin=None,
            ),
            "2  wsgi.input.read() raised OSError",
        ),
        (
            ErrorsUsed(2, 1, "closed", True, False, (), "", None, None),  # noqa: FBT003 # positional
            "2  wsgi.errors.closed was looked at",
        ),
        (
            ErrorsUsed(2, 1, "fileno", False, False, (), "", None, None),  # noqa: FBT003 # positional
            "2  wsgi.errors.fileno was looked for and is not there",
        ),
        (
            ErrorsUsed(2, 1, "write", True, True, ("str",), "a\n", None, None),  # noqa: FBT003 # positional
            r"2  wsgi.errors.write('a\n')",
        ),
        (
            ErrorsUsed(2, 1, "write", True, True, ("bytes",), "", "TypeError", None),  # noqa: FBT003 # positional
            "2  wsgi.errors.write(<bytes>) raised TypeError",
        ),
        (
            Raised(3, 1, "KeyError", ("KeyError",), "'a\nb'", "", None, "call", by_server=False),
            r"3  raised KeyError: 'a\nb'",
        ),
        (
            Raised(3, 1, "OSError", ("OSError",), "", "", None, "iteration", by_server=True),
            "3  raised OSError, while a block was asked for, raised by the server",
        ),
        (Stopped(3, 1, "hang", "no end within 1 s"), "3  no answer in time: no end within 1 s"),
        (Stopped(3, 1, "left", ""), "3  the server went away"),
        (Event(7, 1), "7  Event"),
    ],
)
def test_line_of_an_event(event, line):
    assert describe_event(event) == line


def test_headers_are_left_out_in_every_shape():
    secret = "hunter2"  # noqa: S105 # what must not be shown
    mark = "<redacted: length 7>"
    headers = (
        ("Set-Cookie", secret),
        ("authorization", secret.encode()),
        (b"Cookie", secret),
        ["X-Page", secret],
        ("Date", secret, secret),
    )
    shown = describe_event(make_start(headers=headers))
    assert shown == (
        f"2  start_response('200 OK', [('Set-Cookie', {mark}), "
        f"('authorization', <redacted: bytes, length 7>), (b'Cookie', {mark}), "
        f"['X-Page', {mark}], ('Date', '{secret}', '{secret}')])"
    )
    others = (
        f"Set-Cookie: {secret}",
        f"x-page :{secret}".encode(),
        Foreign("my.Text", "str", f"Cookie: {secret}"),
        (Foreign("my.Text", "str", "X-Page"), secret),
        (Foreign("my.Bytes", "bytes", "b'Cookie'"), secret),
    )
    shown = describe_event(make_start(headers=others))
    assert secret not in shown
    assert shown.startswith(f"2  start_response('200 OK', ['Set-Cookie: ' {mark}, b'x-page :' <re")


def test_secrets_are_left_out_of_any_value():
    secret = "hunter2"  # noqa: S105 # what must not be shown
    assert describe_value(("Set-Cookie", secret)) == "('Set-Cookie', <redacted>)"
    assert describe_value([("Set-Cookie", secret)]) == "[('Set-Cookie', <redacted>)]"
    assert describe_value((f"Cookie: {secret}",)) == "('Cookie: ' <redacted: length 7>,)"
    assert describe_value(("class", "instance")) == "('class', 'instance')"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("200", "'200'"),
        ((), "()"),
        ((1,), "(1,)"),
        ([1, None], "[1, None]"),
        (tuple(range(9)), "(0, 1, 2, 3, 4, 5, ...)"),
        (Foreign("http.HTTPStatus", "int", "200"), "<http.HTTPStatus 200>"),
        (Foreign("my.Text", "str", "a\x1b[2J\ud800"), r"<my.Text a\x1b[2J\ud800>"),
        ("Content-Type: text/plain", "'Content-Type: text/plain'"),
    ],
)
def test_text_of_a_value(value, text):
    assert describe_value(value) == text


def test_text_of_an_integer_that_python_refuses_to_write():
    value = 10**5000
    try:
        expected = f"{str(value)[:117]}..."
    except ValueError:
        expected = "<int too long to show>"
    assert describe_value(value) == expected
    assert describe_value([value]) == f"[{expected}]"


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=()))
    | st.binary()
    | st.builds(Foreign),
    lambda items: st.lists(items) | st.lists(items).map(tuple),
    max_leaves=8,
)
EVENTS = [
    kind
    for kind in vars(exchange).values()
    if isinstance(kind, type) and issubclass(kind, Event) and kind is not Event
]


@st.composite
def any_event(draw):
    kind = draw(st.sampled_from(EVENTS))
    special = {"headers": st.lists(values).map(tuple), "malformed": st.just(())}
    return kind(
        **{
            name: draw(values if hint is object else special.get(name, st.from_type(hint)))
            for name, hint in typing.get_type_hints(kind).items()
            if name in {field.name for field in dataclasses.fields(kind)} - {"headers_after"}
        }
    )


@PATIENT
@given(any_event())
def test_every_event_has_one_printable_line(event):
    line = describe_event(event)
    assert line.isprintable()
    assert len(line) <= LONGEST_LINE
    assert line.startswith(f"{event.number}  "[:LONGEST_LINE])


@PATIENT
@given(values)
def test_every_value_has_one_printable_text(value):
    assert describe_value(value).isprintable()
