from __future__ import annotations

import ast
from dataclasses import replace

import pytest
from hypothesis import given

from exchanges import exchanges
from pytest_wsgi.catalogue import Finding
from pytest_wsgi.exchange import (
    Block,
    Called,
    Closed,
    ErrorsUsed,
    Exchange,
    Exhausted,
    Foreign,
    Raised,
    StartResponse,
)
from pytest_wsgi.report import Excerpt
from pytest_wsgi.report.evidence import (
    LONGEST_SOURCE_LINE,
    LONGEST_TEXT,
    MOST_EVENTS,
    MOST_WITHHELD,
    choose_events,
    find_passage,
    keep_stimulus,
    keep_timeline,
    read_excerpt,
)
from pytest_wsgi.report.verdicts import report_finding
from sample_reports import PATIENT

SECRET = "canary-secret"  # noqa: S105 # none is one


def make_start(**changes):
    values = {
        "number": 2,
        "thread": 1,
        "status": "200 OK",
        "headers_type": "list",
        "headers": (("X-Internal", SECRET),),
        "fields": (("X-Internal", SECRET),),
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


def make_exchange(*events, environ=None, **changes):
    return Exchange(
        probe="get",
        request="GET /",
        method="GET",
        environ=environ or {},
        environ_after={},
        events=events,
        **changes,
    )


def write_source(directory, text):
    path = directory / "app.py"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_excerpt_has_the_lines_around(tmp_path):
    file = write_source(tmp_path, "".join(f"line {n}\n" for n in range(1, 20)))
    assert read_excerpt((file, 10)) == Excerpt(
        first=7, lines=tuple(f"line {n}" for n in range(7, 14))
    )
    assert read_excerpt((file, 1)).lines == ("line 1", "line 2", "line 3", "line 4")
    assert read_excerpt((file, 19)).first == 16


def test_excerpt_is_printable_and_bounded(tmp_path):
    file = write_source(tmp_path, f"\tx = '\x1b[2J'\n{'y' * 999}\n")
    first, second = read_excerpt((file, 1)).lines
    assert first == r"    x = '\x1b[2J'"
    assert len(second) == LONGEST_SOURCE_LINE


@pytest.mark.parametrize("line", [0, -1, 3])
def test_line_that_the_file_does_not_have(tmp_path, line):
    assert read_excerpt((write_source(tmp_path, "one\ntwo\n"), line)) is None


@pytest.mark.parametrize("file", ["absent.py", "\x00.py", "\ud800.py", "<string>"])
def test_source_that_cannot_be_read(file):
    assert read_excerpt((file, 1)) is None
    assert read_excerpt(None) is None


def test_source_that_is_no_text(tmp_path):
    path = tmp_path / "app.py"
    path.write_bytes(b"\xff\xfe\x00")
    assert read_excerpt((str(path), 1)) is None


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        (f'API_KEY = "{SECRET}"', 'API_KEY = "<redacted>"'),
        (f"headers = [('Set-Cookie', 'a={SECRET}')]", "headers = [('<redacted>', '<redacted>')]"),
        (f"password = '{SECRET}\\'{SECRET}'", "password = '<redacted>'"),
        (f'token = "{SECRET}', 'token = "<redacted>"'),
        ("status = '200 OK'", "status = '200 OK'"),
    ],
)
def test_texts_beside_the_name_of_a_secret_are_left_out(tmp_path, source, shown):
    assert read_excerpt((write_source(tmp_path, f"{source}\n"), 1)).lines == (shown,)


def test_texts_below_the_name_of_a_secret_are_left_out(tmp_path):
    source = f'x = 1\nSECRET_KEY = (\n    "{SECRET}"\n)\na = 1\nb = 2\nc = 3\nd = 4\n'
    file = write_source(tmp_path, source)
    for line in range(1, 9):
        assert SECRET not in "".join(read_excerpt((file, line)).lines)


def test_timeline_tells_who_did_what():
    offending = make_start()
    events = (
        Called(1, 1),
        offending,
        Block(3, 1, "bytes", "bytes", 5, b"hello"),
        Exhausted(4, 1),
        Closed(5, 1, "iterable", None),
    )
    timeline = keep_timeline(find_passage(make_exchange(*events), offending))
    assert [(e.number, e.source, e.target, e.offending, e.skipped) for e in timeline] == [
        (1, "server", "application", False, 0),
        (2, "application", "server", True, 0),
        (3, "application", "server", False, 0),
        (4, "application", "server", False, 0),
        (5, "server", "application", False, 0),
    ]
    assert [e.text for e in timeline] == [
        "application(environ, start_response)",
        "start_response('200 OK', [('X-Internal', <redacted: length 13>)])",
        "yielded <bytes of length 5>",
        "the iterable ended",
        "close() of the iterable",
    ]


def test_timeline_behind_a_middleware():
    timeline = keep_timeline(find_passage(make_exchange(Called(1, 1), boundary="inner"), None))
    assert [(e.source, e.target, e.offending) for e in timeline] == [
        ("middleware", "inner application", False)
    ]


def test_timeline_tells_no_content_but_that_of_the_event_that_offends():
    events = (
        make_start(raised="ValueError"),
        make_start(headers=()),
        Block(3, 1, "bytes", "bytes", len(SECRET), SECRET.encode()),
        Block(3, 1, "int", "int", None, b""),
        ErrorsUsed(4, 1, "write", True, True, ("str",), SECRET, None, None),  # noqa: FBT003 # positional
        Raised(5, 1, "KeyError", ("KeyError",), SECRET, "", None, "call", by_server=False),
    )
    assert [e.text for e in keep_timeline(find_passage(make_exchange(*events), None))] == [
        "start_response('200 OK', 1 header) raised ValueError",
        "start_response('200 OK', 0 headers)",
        "yielded <bytes of length 13>",
        "yielded <int>",
        "wsgi.errors.write was used",
        "raised KeyError",
    ]


def test_long_timeline_keeps_its_ends_and_what_is_around_the_event():
    events = tuple(Block(n, 1, "bytes", "bytes", n, b"") for n in range(100))
    timeline = keep_timeline(find_passage(make_exchange(*events), events[50]))
    assert len(timeline) == MOST_EVENTS
    assert [e.number for e in timeline] == [0, *range(41, 59), 99]
    assert [e.skipped for e in timeline if e.skipped] == [40, 40]
    assert [e.number for e in timeline if e.offending] == [50]


@pytest.mark.parametrize("offending", [None, 0, 1, 12, 50, 98, 99])
def test_events_are_chosen_once_and_in_order(offending):
    chosen = choose_events(100, offending)
    assert chosen == sorted(set(chosen))
    assert len(chosen) == MOST_EVENTS
    assert chosen[0] == 0
    assert chosen[-1] == 99
    assert offending is None or offending in chosen


def test_event_that_is_not_of_the_exchange_marks_none():
    timeline = keep_timeline(find_passage(make_exchange(Called(1, 1)), Called(7, 1)))
    assert not any(event.offending for event in timeline)


def test_stimulus_has_what_may_be_shown():
    stimulus = keep_stimulus(
        make_exchange(
            environ={
                "REQUEST_METHOD": "GET",
                "PATH_INFO": "/\xff\x00",
                "QUERY_STRING": f"token={SECRET}",
                "HTTP_AUTHORIZATION": SECRET,
                "HTTP_COOKIE": SECRET,
                "HTTP_HOST": Foreign("app.Host", "str", SECRET),
                "HTTP_RANGE": "x" * 999,
                "SECRET_KEY": SECRET,
                "wsgi.version": (1, 0),
                "wsgi.input": Foreign("io.BytesIO"),
                "wsgi.multithread": False,
            },
            request_body_length=3,
            reading="first block",
            under_validator=True,
        )
    )
    assert stimulus.environ == {
        "REQUEST_METHOD": "'GET'",
        "PATH_INFO": r"'/ÿ\x00'",
        "wsgi.version": "(1, 0)",
        "wsgi.multithread": "False",
    }
    assert stimulus.withheld == (
        "QUERY_STRING",
        "HTTP_AUTHORIZATION",
        "HTTP_COOKIE",
        "HTTP_HOST",
        "HTTP_RANGE",
    )
    assert (stimulus.body_length, stimulus.reading) == (3, "first block")
    assert stimulus.under_validator


@pytest.mark.parametrize(
    ("probe", "query", "withheld"),
    [
        ("test", "q=1", ("QUERY_STRING",)),
        ("test", "", ()),
        ("query", "q=1", ()),
        ("query", "q=1&token=1", ("QUERY_STRING",)),
    ],
)
def test_queries_of_tests_and_secrets_are_withheld(probe, query, withheld):
    exchange = make_exchange(environ={"QUERY_STRING": query})
    assert keep_stimulus(replace(exchange, probe=probe)).withheld == withheld


def test_names_of_what_is_withheld_are_bounded():
    environ = {f"HTTP_X_{n}": "" for n in range(99)} | {"wsgi.version": (1, "x")}
    assert len(keep_stimulus(make_exchange(environ=environ)).withheld) == MOST_WITHHELD


def test_finding_carries_its_evidence(tmp_path):
    file = write_source(tmp_path, "def application():\n    pass\n")
    event = make_start(origin=(file, 2))
    exchange = make_exchange(Called(1, 1), event)
    finding = Finding(expected="x", observed=1, at=event, exchange=exchange)
    report = report_finding(finding, str(tmp_path))
    assert report.excerpt == Excerpt(first=1, lines=("def application():", "    pass"))
    assert [event.offending for event in report.timeline] == [False, True]
    assert report.stimulus is not None
    elsewhere = report_finding(finding, str(tmp_path / "elsewhere"))
    assert elsewhere.excerpt is None
    alone = report_finding(Finding(expected="x", observed=1), str(tmp_path))
    assert (alone.timeline, alone.stimulus, alone.excerpt) == ((), None, None)


@PATIENT
@given(exchanges())
def test_whatever_crossed_can_be_kept(exchange):
    for at in (None, *exchange.events[:2]):
        timeline = keep_timeline(find_passage(exchange, at))
        assert all(e.text.isprintable() and len(e.text) <= LONGEST_TEXT for e in timeline)
        assert sum(e.skipped for e in timeline) + len(timeline) == len(exchange.events)
    stimulus = keep_stimulus(exchange)
    for name, text in stimulus.environ.items():
        assert text.isprintable()
        assert ast.literal_eval(text) == exchange.environ[name]
    for event in exchange.events:
        read_excerpt(getattr(event, "origin", None))
