"""The recorder over hostile and unlawful applications: it raises nothing and touches nothing."""

from __future__ import annotations

import functools
import inspect
import io
import sys
import tempfile
import types
import weakref
from collections.abc import Callable
from wsgiref.util import FileWrapper

import pytest

import hostile
from pytest_wsgi import recorder as recorder_module
from pytest_wsgi.catalogue import CATALOGUE
from pytest_wsgi.drivers.application import Terms, drive
from pytest_wsgi.drivers.gateway import Gateway, StrictErrors, StrictInput
from pytest_wsgi.environ import Site, build_environ
from pytest_wsgi.exchange import (
    Exchange,
    Foreign,
    Stopped,
)
from pytest_wsgi.judge import judge
from pytest_wsgi.probes import Request
from pytest_wsgi.probes.application import METHODS, READINGS
from pytest_wsgi.recorder import Interruption, Recorder, Recording
from pytest_wsgi.rules import load_rules

HEADERS = [("Content-Type", "text/plain")]


def build(body=b"", **more):
    environ = build_environ(Request(method="POST", body=body), Site())
    streams = {
        "wsgi.input": StrictInput(body),
        "wsgi.errors": StrictErrors(),
        "wsgi.file_wrapper": FileWrapper,
    }
    return {**environ, **streams, **more}


def record(application, body=b"", gateway=None, **more):
    """Serve one request; return the exchange and what left the application."""
    recording = Recording(application)
    gateway = gateway or Gateway()
    error = result = None
    try:
        result = recording(build(body, **more), gateway.start_response)
        for block in result:
            gateway.write(block)
    except BaseException as raised:
        error = raised
    try:
        close = getattr(result, "close", None)
        if close is not None:
            close()
    except Exception as raised:
        error = raised
    return recording.finish(probe="test", request="POST /"), error


def start_with(*args, **keywords):
    def application(environ, start_response):
        start_response(*args(), **keywords) if callable(args) else start_response(*args)
        return [b"x"]

    return application


class Endless(list):
    """Says that it has no end, and has none."""

    def __iter__(self):
        while True:
            yield b""


def hostile_values():
    return [
        hostile.Hostile(),
        hostile.HostileStr("200 OK"),
        hostile.HostileBytes(b"200 OK"),
        hostile.HostileBytearray(b"200 OK"),
        hostile.HostileInt(200),
        hostile.HostileError(),
        hostile.Hostile,
        Endless(),
        None,
        5,
        memoryview(b"x"),
    ]


PLACES = {
    "status": lambda value, start: start(value, HEADERS),
    "headers": lambda value, start: start("200 OK", value),
    "header": lambda value, start: start("200 OK", [value, ("A", "b")]),
    "header name": lambda value, start: start("200 OK", [(value, "b")]),
    "header value": lambda value, start: start("200 OK", [("A", value), ["A", value]]),
    "keyword": lambda value, start: start("200 OK", headers=value),
    "exc_info": lambda value, start: start("200 OK", HEADERS, value),
    "exc_info items": lambda value, start: start("200 OK", HEADERS, (value, value, value)),
    "write": lambda value, start: start("200 OK", HEADERS)(value),
    "write keyword": lambda value, start: start("200 OK", HEADERS)(data=value),
}


class Lenient:
    """A server that takes anything without looking at it."""

    def start_response(self, *_args, **_keywords):
        return lambda *_args, **_keywords: None

    def write(self, block):
        pass


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("number", range(len(hostile_values())))
def test_arguments_are_not_touched(place, number):
    value = hostile_values()[number]

    def application(environ, start_response):
        PLACES[place](value, start_response)
        return []

    exchange, error = record(application, gateway=Lenient())
    assert error is None
    assert exchange.complete
    repr(list(exchange.events))


@pytest.mark.parametrize("number", range(len(hostile_values())))
def test_blocks_are_not_touched(number):
    value = hostile_values()[number]
    exchange, error = record(lambda _environ, _start: [value], gateway=Lenient())
    assert error is None
    assert exchange.block_count == 1
    assert exchange.complete
    repr(exchange.events)


@pytest.mark.parametrize("number", range(len(hostile_values())))
def test_environ_values_are_not_touched(number):
    value = hostile_values()[number]

    def application(environ, start_response):
        environ["app.value"] = environ["wsgi.input"] = value
        hostile.put(environ, "app.key", value)
        hostile.put(environ, "wsgi.errors.", value)
        return []

    exchange, error = record(application)
    assert error is None
    assert exchange.environ_after["app.key"] == exchange.environ_after["app.value"]
    assert exchange.environ_after["wsgi.input"] == exchange.environ_after["app.value"]


@pytest.mark.parametrize("number", range(len(hostile_values())))
def test_result_is_not_touched(number):
    value = hostile_values()[number]
    recording = Recording(lambda _environ, _start: value)
    recording(build(), lambda *_args: None)
    exchange = recording.finish(probe="test", request="GET /")
    assert exchange.returned is not None
    assert exchange.stopped is None
    assert exchange.raised == ()


@pytest.mark.parametrize("number", range(len(hostile_values())))
def test_use_of_streams_does_not_touch_arguments(number):
    value = hostile_values()[number]
    taken = []

    class Stream:
        def read(self, *args, **keywords):
            taken.append(args)
            return value

        def write(self, *args, **keywords):
            taken.append(args)

        writelines = write

    def application(environ, start_response):
        environ["wsgi.input"].read(value)
        environ["wsgi.errors"].write(value)
        environ["wsgi.errors"].writelines([value])
        environ["wsgi.errors"].writelines(value)
        environ["wsgi.file_wrapper"](value, value)
        return []

    streams = {"wsgi.input": Stream(), "wsgi.errors": Stream()}
    wrapper = {"wsgi.file_wrapper": lambda *args: taken.append(args)}
    exchange, error = record(application, **streams, **wrapper)
    assert error is None
    assert len(taken) == 5
    assert len(exchange.errors_used) == 3
    assert [used.returned for used in exchange.input_used] == [6 if number == 2 else None]
    repr(exchange.events)


class Shouting(Exception):
    def __str__(self):
        raise SystemExit("from __str__()")


class StrLikeMessage(Exception):
    def __str__(self):
        return hostile.HostileStr("a message")


def recurse():
    recurse()


def fail_with(make):
    def application(environ, start_response):
        raise make()

    return application


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ValueError("plain"), "plain"),
        (lambda: KeyError("key"), "'key'"),
        (lambda: ValueError(5, "plain"), "(5, 'plain')"),
        (lambda: OSError(2, "absent", "file"), "[Errno 2] absent: 'file'"),
        (lambda: ValueError(hostile.Hostile()), "<hostile.Hostile object>"),
        (lambda: KeyError(hostile.HostileStr("key")), "key"),
        (lambda: ValueError(1, hostile.Hostile()), "(1, <hostile.Hostile object>)"),
        (lambda: hostile.OwnError(), "<its message cannot be shown>"),
        (Shouting, "<its message cannot be shown>"),
        (StrLikeMessage, "a message"),
        (lambda: ValueError("x" * 10_000), "x" * 500),
        (SystemExit, ""),
        (GeneratorExit, ""),
        (KeyboardInterrupt, ""),
    ],
)
def test_exceptions_are_described_and_pass(make, message):
    exchange, error = record(fail_with(make))
    (raised,) = exchange.raised
    assert raised.message == message
    assert type(raised.message) is str
    assert raised.place == "call"
    assert raised.origin[0] == __file__
    assert not raised.by_server
    assert error is not None


def test_recursion_error_is_described():
    exchange, error = record(lambda _environ, _start: recurse())
    assert type(error) is RecursionError
    assert exchange.raised[0].type_name == "RecursionError"
    assert exchange.raised[0].traceback.count("recurse()") <= 20


@pytest.mark.skipif(sys.version_info < (3, 11), reason="exception groups came with 3.11")
def test_exception_group_is_described():
    group = __builtins__["ExceptionGroup"]  # not a name that Python 3.10 knows
    exchange, _ = record(fail_with(lambda: group("several", [ValueError("a"), OSError("b")])))
    assert exchange.raised[0].message == "several (2 sub-exceptions)"
    assert "Exception" in exchange.raised[0].bases


def test_source_that_cannot_be_shown_is_left_out():
    class Loader:
        def get_source(self, _name):
            raise RuntimeError("no source")

    names = {"__name__": "secret", "__loader__": Loader()}
    exec(compile("def application(environ, start_response):\n  1/0\n", "secret.py", "exec"), names)
    exchange, _ = record(names["application"])
    assert exchange.raised[0].traceback == ""
    assert exchange.raised[0].origin == ("secret.py", 2)


def test_start_response_from_code_without_a_caller_of_its_own():
    exchange, error = record(lambda environ, start_response: start_response("200 OK", []) and [])
    assert error is None
    assert exchange.start_responses[0].origin[0] == __file__


def test_application_may_clear_its_environ():
    environ = build()
    recording = Recording(lambda environ, _start: environ.clear() or [])
    recording(environ, lambda *_args: None)
    exchange = recording.finish(probe="test", request="GET /")
    assert exchange.environ_after == environ == {}
    assert exchange.environ["REQUEST_METHOD"] == exchange.method == "POST"


def test_application_may_replace_its_input_and_put_keys_that_bite():
    mine = io.BytesIO()

    def application(environ, start_response):
        environ["wsgi.input"] = mine
        del environ["wsgi.errors"]
        hostile.put(environ, "odd", None)
        return []

    environ = build()
    recording = Recording(application)
    recording(environ, lambda *_args: None)
    exchange = recording.finish(probe="test", request="GET /")
    assert environ["wsgi.input"] is mine
    assert "wsgi.errors" not in environ
    assert environ["wsgi.file_wrapper"] is FileWrapper
    assert exchange.environ_after["wsgi.input"] == Foreign("_io.BytesIO")
    assert exchange.environ_after["odd"] is None


def test_environ_without_streams_is_recorded():
    recording = Recording(lambda environ, _start: [])
    recording({}, lambda *_args: None)
    exchange = recording.finish(probe="test", request="GET /")
    assert exchange.environ == {}
    assert exchange.method == ""


def test_recording_that_was_never_called_can_be_finished():
    exchange = Recording(None).finish(probe="test", request="GET /")
    assert exchange.events == ()
    assert exchange.response is None


def test_what_comes_after_the_end_goes_to_the_server_unrecorded():
    kept = {}
    calls = []

    def start_response(*args, **keywords):
        calls.append((args, keywords))
        return lambda *args: calls.append(args)

    def application(environ, start_response):
        kept.update(environ, start=start_response, write=start_response("200 OK", []))
        return [b"x"]

    recording = Recording(application)
    result = recording(build(b"abc"), start_response)
    exchange = recording.finish(probe="test", request="GET /")
    kept["write"](b"late")
    kept["start"]("500 Late", [])(b"later")
    assert kept["wsgi.input"].read(1) == b"a"
    assert list(result) == [b"x"]
    assert calls == [
        (("200 OK", []), {}),
        (b"late",),
        (("500 Late", []), {}),
        (b"later",),
    ]
    assert [type(event).__name__ for event in exchange.events] == [
        "Called",
        "StartResponse",
        "Returned",
    ]


def test_write_knows_whether_the_response_was_over():
    class Body(list):
        def close(self):
            self.write(b"closing")

    body = Body([b"x"])
    late = []

    def application(environ, start_response):
        late.append(start_response("200 OK", []))
        body.write = late[0]
        body.write(b"first")
        return body

    recording = Recording(application)
    result = recording(build(), Gateway().start_response)
    next(iter(result))
    result.close()
    late[0](b"late")
    exchange = recording.finish(probe="test", request="GET /")
    assert [write.after_end for write in exchange.writes] == [False, False, True]
    assert [write.place for write in exchange.writes] == ["call", "close", "outside"]
    assert exchange.body_length == len(b"firstxclosinglate")


def test_headers_changed_after_the_call_are_noted():
    kept = list(HEADERS)
    item = hostile.Hostile()
    same = [*HEADERS, item]

    def application(environ, start_response):
        start_response("200 OK", kept)
        start_response("200 OK", same)
        kept[0] = ("Content-Type", "text/html")
        same[0] = ("Content-" + "Type", "text/plain")
        return []

    exchange, _ = record(application, gateway=Lenient())
    changed, unchanged = exchange.start_responses
    assert changed.headers == tuple(HEADERS)
    assert changed.headers_after == (("Content-Type", "text/html"),)
    assert unchanged.headers_after is None
    assert unchanged.malformed == (Foreign("hostile.Hostile"),)
    assert unchanged.fields == tuple(HEADERS)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("200 OK", 200),
        ("200", 200),
        ("20 OK", None),
        ("²00 OK", None),
        ("", None),
        (b"200 OK", None),
        (None, None),
    ],
)
def test_code_is_read_from_the_status(status, code):
    def application(environ, start_response):
        start_response(status, [])
        return []

    assert record(application)[0].code == code


def test_response_is_the_call_that_took_effect():
    def application(environ, start_response):
        start_response("200 OK", [])
        try:
            start_response("500 Error", [])
        except AssertionError:
            return [b"x"]

    exchange, _ = record(application)
    assert exchange.response.status == "200 OK"
    assert [start.raised for start in exchange.start_responses] == [None, "AssertionError"]

    def fail(*_args):
        raise ValueError

    exchange, _ = record(application, gateway=type("", (), {"start_response": fail})())
    assert exchange.response is None
    assert exchange.raised[0].by_server


def test_errors_of_the_server_are_told_from_those_of_the_application():
    def application(environ, start_response):
        try:
            environ["wsgi.errors"].write(b"no text")
        except TypeError:
            pass
        raise TypeError("own")

    exchange, _ = record(application)
    assert [raised.by_server for raised in exchange.raised] == [False]

    def passing(environ, start_response):
        environ["wsgi.errors"].write(b"no text")

    exchange, _ = record(passing)
    assert [raised.by_server for raised in exchange.raised] == [True]
    assert exchange.errors_used[0].raised == "TypeError"


def test_errors_stream_is_heard():
    def application(environ, start_response):
        errors = environ["wsgi.errors"]
        errors.write("one")
        errors.writelines(["two", "three"])
        errors.writelines(str(number) for number in range(1000))
        errors.flush()
        assert not hasattr(errors, "fileno")
        try:
            errors.writelines(5)
        except TypeError:
            return []

    exchange, error = record(application)
    assert error is None
    assert [used.text[:8] for used in exchange.errors_used] == [
        "one",
        "twothree",
        "01234567",
        "",
        "",
        "",
    ]
    assert [used.found for used in exchange.errors_used] == [True] * 4 + [False, True]


def test_input_is_measured():
    def application(environ, start_response):
        stream = environ["wsgi.input"]
        return [
            stream.read(2),
            *stream.readlines(),
            b"".join(stream),
            stream.read(),
            stream.read(0),
        ]

    exchange, _ = record(application, b"ab\ncd\n")
    shown = [(used.method, used.size, used.returned, used.past_end) for used in exchange.input_used]
    assert shown == [
        ("read", 2, 2, False),
        ("readlines", None, 4, False),
        ("read", None, 0, True),
        ("read", 0, 0, False),
    ]


@pytest.mark.parametrize(
    ("more", "past_end"),
    [
        ({"CONTENT_LENGTH": "3"}, False),
        ({"CONTENT_LENGTH": "9" * 10_000}, False),
        ({"CONTENT_LENGTH": "-3"}, True),
        ({"CONTENT_LENGTH": "²"}, True),
        ({"CONTENT_LENGTH": None}, True),
        ({"CONTENT_LENGTH": "", "wsgi.input_terminated": True}, False),
    ],
)
def test_end_of_input_is_known_from_the_environ(more, past_end):
    exchange, _ = record(lambda environ, _start: [environ["wsgi.input"].read()], b"abc", **more)
    assert [used.past_end for used in exchange.input_used] == [past_end]


@pytest.mark.parametrize(
    ("make", "attributes"),
    [
        (lambda: io.BytesIO(b"x"), {"read", "close", "fileno", "seek", "tell"}),
        (
            lambda: tempfile.NamedTemporaryFile(),
            {"read", "close", "fileno", "seek", "tell", "mode", "name"},
        ),
        (
            lambda: type(
                "Own", (), {"read": None, "__init__": lambda self: setattr(self, "name", 1)}
            )(),
            {"name"},
        ),
        (lambda: type("Bad", (), {"__getattr__": lambda self, name: 1 / 0})(), set()),
        (lambda: hostile.Hostile(), set()),
    ],
)
def test_attributes_of_a_wrapped_file_are_found(make, attributes):
    def application(environ, start_response):
        environ["wsgi.file_wrapper"](make())
        return []

    exchange, _ = record(application, **{"wsgi.file_wrapper": lambda _file: None})
    assert exchange.file_wraps[0].attributes == attributes


def test_what_the_file_wrapper_made_is_known_again():
    def application(environ, start_response):
        return environ["wsgi.file_wrapper"](io.BytesIO(b"abc"), 2)

    exchange, _ = record(application, gateway=Lenient())
    assert exchange.returned.is_file_wrapper
    assert exchange.file_wraps[0].block_size == 2
    assert exchange.body_length == 3

    def failing(environ, start_response):
        return environ["wsgi.file_wrapper"]()

    exchange, error = record(failing)
    assert type(error) is TypeError
    assert exchange.file_wraps[0].raised == "TypeError"


class Sequence:
    """The old protocol: items by number until one is missing."""

    ends = IndexError

    def __getitem__(self, index):
        if index < 2:
            return b"x"
        raise self.ends


class Derived(IndexError):
    pass


@pytest.mark.parametrize("ends", [IndexError, StopIteration, Derived])
def test_old_sequences_are_iterated_over(ends):
    sequence = Sequence()
    sequence.ends = ends
    exchange, error = record(lambda _environ, _start: sequence, gateway=Lenient())
    assert error is None
    assert exchange.complete
    assert exchange.block_count == 2
    sequence.ends = KeyError
    exchange, error = record(lambda _environ, _start: sequence, gateway=Lenient())
    assert not exchange.complete
    assert exchange.raised[0].type_name == "KeyError"


class Body:
    """An iterable of which everything may fail, as asked."""

    def __init__(self, **failing):
        self.__dict__.update(failing)

    def __iter__(self):
        self.fail("iter")
        return self

    def __next__(self):
        self.fail("next")
        raise StopIteration

    def __len__(self):
        self.fail("len")
        return 0

    def fail(self, name):
        if name in self.__dict__:
            raise self.__dict__[name]


@pytest.mark.parametrize(("part", "place"), [("iter", "iteration"), ("next", "iteration")])
def test_errors_of_the_iterable_are_recorded(part, place):
    exchange, error = record(lambda _environ, _start: Body(**{part: LookupError("x")}))
    assert type(error) is LookupError
    assert [(raised.message, raised.place) for raised in exchange.raised] == [("x", place)]


def test_length_is_recorded():
    recording = Recording(lambda _environ, _start: Body(len=ValueError("x")))
    result = recording(build(), lambda *_args: None)
    with pytest.raises(ValueError, match="x"):
        len(result)
    exchange = recording.finish(probe="test", request="GET /")
    assert (exchange.measured.length, exchange.measured.raised) == (None, "ValueError")


class PropertyClose:
    @property
    def close(self):
        raise LookupError("no close today")

    def __iter__(self):
        return iter([])


def test_close_that_cannot_be_got_is_recorded():
    exchange, error = record(lambda _environ, _start: PropertyClose())
    assert type(error) is LookupError
    assert exchange.raised[0].place == "close"
    assert exchange.closes == ()


def test_close_that_cannot_be_called_is_handed_on():
    result = Recorder(lambda _environ, _start: Body(close=None))({}, lambda *_args: None)
    assert result.close is None
    assert result.fail


def test_iterator_is_closed_by_itself():
    class Lines:
        def __iter__(self):
            yield b"x"

    recording = Recording(lambda _environ, _start: Lines())
    blocks = iter(recording({}, lambda *_args: None))
    assert blocks.gi_frame
    blocks.close()
    exchange = recording.finish(probe="test", request="GET /")
    assert [close.on for close in exchange.closes] == ["iterator"]


def test_events_are_numbered_and_their_number_is_bounded(monkeypatch):
    monkeypatch.setattr(recorder_module, "KEPT_BLOCKS", 3)
    monkeypatch.setattr(recorder_module, "KEPT_EVENTS", 10)

    def application(environ, start_response):
        for _ in range(20):
            start_response("200 OK", [])
        for _ in range(50):
            environ["wsgi.input"].read()
            environ["wsgi.errors"].write("x")
        yield b"x"
        yield 5
        yield from [b"x"] * 50
        raise OSError

    exchange, _ = record(application, gateway=Lenient())
    assert exchange.block_count == 52
    assert len(exchange.blocks) == 3
    assert len(exchange.events) < 20
    assert exchange.raised
    assert [event.number for event in exchange.events] == list(range(1, len(exchange.events) + 1))


def test_blocks_that_are_no_bytes_are_kept_beyond_the_first(monkeypatch):
    monkeypatch.setattr(recorder_module, "KEPT_BLOCKS", 3)
    exchange, _ = record(lambda _environ, _start: [b"x"] * 10 + ["text"], gateway=Lenient())
    assert [block.type_name for block in exchange.blocks] == ["bytes"] * 3 + ["str"]
    assert exchange.blocks[-1].length == 4


def test_interruption_is_noted_once():
    stop = Interruption("hang", "no end")

    def application(environ, start_response):
        yield b"x"
        raise stop

    exchange, error = record(application, gateway=Lenient())
    assert error is stop
    assert [event.reason for event in exchange.events if isinstance(event, Stopped)] == ["endless"]
    assert exchange.stopped.origin[0] == __file__
    recording = Recording(None)
    recording.note_error(stop)
    assert not recording.log


def test_hang_in_close_is_no_endless_body():
    class Closing(list):
        def close(self):
            raise Interruption("hang", "no end")

    recording = Recording(lambda _environ, _start: Closing([b"x"]))
    result = recording({}, lambda *_args: None)
    list(result)
    with pytest.raises(Interruption):
        result.close()
    assert recording.finish(probe="test", request="GET /").stopped.reason == "hang"


def test_request_is_named_without_what_cannot_be_printed():
    recording = Recording(lambda _environ, _start: [])
    recording({"REQUEST_METHOD": "GET", "PATH_INFO": "/caf\xe9\ud800"}, lambda *_args: None)
    assert recording.name_request() == "GET /caf\\xe9\\ud800"
    recording = Recording(lambda _environ, _start: [])
    recording({"REQUEST_METHOD": 5}, lambda *_args: None)
    assert recording.name_request() == ""


def test_keywords_are_recorded_by_name():
    class Word(str):
        __slots__ = ()

    def application(environ, start_response):
        start_response(**{Word("status"): "200 OK", "headers": HEADERS, "exc_info": None})
        return []

    exchange, _ = record(application, gateway=Lenient())
    (start,) = exchange.start_responses
    assert (start.status, start.fields, start.keywords, start.argument_count) == (
        "200 OK",
        tuple(HEADERS),
        ("status", "headers", "exc_info"),
        3,
    )
    assert all(type(name) is str for name in start.keywords)


def test_start_response_that_returns_nothing_callable_is_handed_on():
    def application(environ, start_response):
        assert start_response("200 OK", []) is None
        return []

    recording = Recording(application)
    recording({}, lambda *_args: None)
    assert recording.finish(probe="test", request="GET /").response


def test_exchange_is_shown_without_its_contents():
    exchange, _ = record(lambda _environ, _start: [], HTTP_COOKIE="secret")
    assert repr(exchange) == "<Exchange 0 test: POST />"


def hostile_application(environ, start_response):
    for number, place in enumerate(PLACES.values()):
        try:
            place(hostile_values()[number], start_response)
        except BaseException:
            continue
    return hostile_values()


def test_hostile_application_is_driven_and_judged():
    load_rules()
    battery = drive(hostile_application, [METHODS[0], *READINGS], Terms())
    exchanges = [exchange for talk in battery.conversations for exchange in talk.exchanges]
    verdicts = judge(CATALOGUE.values(), [*exchanges, *battery.conversations])
    assert [verdict for verdict in verdicts if verdict.outcome == "harness error"] == []
    assert {type(exchange) for exchange in exchanges} == {Exchange}


def test_writes_that_fail_are_recorded():
    def application(environ, start_response):
        start_response("200 OK", [])(b"one")
        start_response("200 OK", [], ())(data=b"two")

    exchange, error = record(application, gateway=Gateway(fails_after=1))
    assert type(error) is AssertionError

    def lost(environ, start_response):
        write = start_response("200 OK", [])
        write(b"one")
        write(b"two")

    exchange, error = record(lost, gateway=Gateway(fails_after=1))
    assert type(error) is BrokenPipeError
    assert [write.raised for write in exchange.writes] == [None, "BrokenPipeError"]
    assert exchange.raised[0].by_server
    assert exchange.body_length == 3


def test_lines_are_taken_one_by_one():
    def application(environ, start_response):
        stream = environ["wsgi.input"]
        lines = iter(stream)
        assert iter(lines) is lines
        assert list(lines) == [b"a"]
        assert next(stream, "the end") == "the end"
        return []

    exchange, error = record(application, **{"wsgi.input": io.BytesIO(b"a")})
    assert error is None
    assert [used.method for used in exchange.input_used] == ["__iter__"]


def test_calls_without_arguments_fail_as_those_of_the_originals():
    def application(environ, start_response):
        for call in (environ["wsgi.errors"].writelines, environ["wsgi.errors"].write):
            with pytest.raises(TypeError):
                call()
        assert repr(environ["wsgi.file_wrapper"]) == repr(FileWrapper)
        return []

    exchange, error = record(application)
    assert error is None
    assert [used.raised for used in exchange.errors_used] == ["TypeError"] * 2


def watch(look):
    """Serve one request whose start_response is watched while `look` is called with it.

    Return what `look` returned, and the names that it was seen to ask for.
    """
    found = []

    def application(environ, start_response):
        found.append(look(start_response))
        return start_with("200 OK", HEADERS)(environ, start_response)

    gateway = Gateway()
    recording = Recording(application, watches_start=True)
    list(recording(build(), gateway.start_response))
    exchange = recording.finish(probe="test", request="test")
    assert exchange.response.status == "200 OK"
    return found[0], [event.name for event in exchange.start_examined], gateway


def mark(start):
    with pytest.raises(AttributeError):
        start.seen = 1


@pytest.mark.parametrize(
    ("look", "names"),
    [
        (lambda start: start.__self__, ["__self__"]),
        (lambda start: start.__code__.co_name, ["__code__"]),
        (lambda start: hasattr(start, "sent"), ["sent"]),
        (lambda start: getattr(start, "environ", None), ["environ"]),
        (lambda start: start == print, ["__eq__"]),
        (lambda start: start != print, ["__eq__"]),
        (lambda start: start in [print, repr], ["__eq__"]),
        (inspect.signature, ["__func__"]),
        (mark, ["seen"]),
    ],
)
def test_look_into_start_response_is_noted_where_it_is_watched(look, names):
    assert watch(look)[1][: len(names)] == names


@pytest.mark.parametrize(
    "look",
    [
        callable,
        repr,
        str,
        hash,
        bool,
        weakref.ref,
        functools.partial,
        lambda start: functools.wraps(start)(lambda *args: start(*args)),
        lambda start: functools.update_wrapper(functools.partial(start), start),
        lambda start: isinstance(start, Callable),
        lambda start: start.__call__,
        lambda start: {start: 1}[start],
        lambda start: [start].index(start),
    ],
)
def test_what_is_no_look_into_start_response_is_not_noted(look):
    assert watch(look)[1] == []


def test_watched_start_response_looks_like_the_server_s_own():
    looks = [
        repr,
        hash,
        lambda start: start.__name__,
        lambda start: start.__doc__,
        lambda start: start.__self__,
        lambda start: isinstance(start, types.MethodType),
        lambda start: inspect.signature(start),
    ]
    for look in looks:
        found, _, gateway = watch(look)
        assert found == look(gateway.start_response)


def test_watched_start_response_is_equal_to_the_server_s_own():
    equal = []

    def application(environ, start_response):
        equal.append(start_response == gateway.start_response)
        return start_response.__call__("200 OK", HEADERS) and []

    gateway = Gateway()
    recording = Recording(application, watches_start=True)
    list(recording(build(), gateway.start_response))
    exchange = recording.finish(probe="test", request="test")
    assert equal == [True]
    assert [event.name for event in exchange.start_examined] == ["__eq__"]
    assert len(exchange.start_responses) == 1
    (look,) = exchange.start_examined
    assert look.origin == (__file__, application.__code__.co_firstlineno + 1)
