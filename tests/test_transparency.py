"""The same bytes, calls, lengths, closes and exceptions with and without the recorder."""

from __future__ import annotations

import gc
import importlib
import io
import operator
import os
import queue
import re
import sys
import threading
import time
import weakref
from pathlib import Path
from wsgiref.util import FileWrapper

import pytest

from pytest_wsgi.drivers.gateway import StrictErrors, StrictInput
from pytest_wsgi.environ import Site, build_environ
from pytest_wsgi.probes import Request
from pytest_wsgi.proof import load_programs
from pytest_wsgi.recorder import Recorder

PROGRAMS = {**load_programs().mutants, **load_programs().controls}
READINGS = ("complete", "first block", "no block", "dropped")
MOST_BLOCKS = 50
BODY = b"name=value\nmore\n"
APPLICATION = re.compile(r"^(def create_app|(def |class |)application\b)", re.MULTILINE)
EXAMPLES = [
    path
    for path in sorted(Path(__file__).parent.parent.joinpath("fixtures", "apps").glob("*.py"))
    if APPLICATION.search(path.read_text("utf-8"))
    and "mysite" not in path.read_text("utf-8")  # a project of its own
]


class Stopped(BaseException):
    """Stands for what would end or hold up the process."""


class Server:
    """A plain server that writes down all that it sees of an application."""

    def __init__(self, application, method="GET", *, strict=True):
        body = BODY if method == "POST" else b""
        self.application = application
        self.seen = []
        self.sent = False
        self.environ = build_environ(Request(method=method, body=body), Site())
        self.streams = {
            "wsgi.input": StrictInput(body) if strict else io.BytesIO(body),
            "wsgi.errors": StrictErrors() if strict else io.StringIO(),
            "wsgi.file_wrapper": FileWrapper,
        }
        self.environ.update(self.streams)

    def see(self, *what):
        self.seen.append(re.sub(r" at 0x[0-9a-f]+", "", repr(what)))

    def attempt(self, name, act, *args):
        """Return what came of an act, and whether anything did."""
        try:
            outcome = act(*args)
        except BaseException as error:
            self.see(name, "raised", type(error), str(error))
            return None, False
        plain = isinstance(outcome, (int, bytes, str, type(None)))
        self.see(name, outcome if plain else outcome.__class__)
        return outcome, True

    def start_response(self, *args, **keywords):
        self.see("start_response", args, keywords)
        try:
            if len(args) > 2 and args[2] and self.sent:
                raise args[2][1].with_traceback(args[2][2])
        finally:
            del args  # a cycle, by way of the traceback
        return self.write

    def write(self, *args, **keywords):
        self.see("write", args, keywords)
        self.sent = True

    def serve(self, reading="complete"):
        """Serve one request and return all that was seen."""
        result, answered = self.attempt("call", self.application, self.environ, self.start_response)
        if answered:
            self.see("file wrapper", isinstance(result, FileWrapper))
            wrapper = self.environ.get("wsgi.file_wrapper", FileWrapper)
            self.attempt("file wrapper in environ", isinstance, result, wrapper)
            self.see("has length", hasattr(type(result), "__len__"))
            if hasattr(type(result), "__len__"):
                self.attempt("length", len, result)
            self.attempt("truth", bool, result)
            if reading != "no block":
                self.iterate(result, 1 if reading == "first block" else MOST_BLOCKS)
            self.see("has close", hasattr(result, "close"))
            if reading != "dropped" and getattr(result, "close", None) is not None:
                self.attempt("close", result.close)
        del result
        self.see("afterwards")
        return self.seen

    def iterate(self, result, most):
        blocks, iterable = self.attempt("iterable", iter, result)
        while iterable and most:
            most -= 1
            block, iterable = self.attempt("block", next, blocks)
            self.sent = self.sent or bool(block)

    def look_at_streams(self):
        """Return what became of the streams."""
        kept = [self.environ.get(key) is stream for key, stream in self.streams.items()]
        errors, stream = self.streams["wsgi.errors"], self.streams["wsgi.input"]
        text = errors.getvalue() if isinstance(errors, io.StringIO) else ""
        closed = getattr(stream, "closed", False)
        return kept, text, closed or stream.read()


@pytest.fixture
def no_standstill(monkeypatch):
    def stop(*_args, **_keywords):
        raise Stopped

    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now)  # responses have a date, to the second
    monkeypatch.setattr(time, "sleep", stop)
    monkeypatch.setattr(os, "_exit", stop)
    monkeypatch.setattr(queue.Queue, "get", stop)
    monkeypatch.setattr(threading.Event, "wait", stop)
    monkeypatch.setattr(threading.Barrier, "wait", stop)


def serve_bare(application, method, reading, *, strict):
    server = Server(application, method, strict=strict)
    return server.serve(reading), server.look_at_streams()


def serve_recorded(application, method, reading, *, strict):
    recorder = Recorder(application)
    server = Server(recorder, method, strict=strict)
    seen = server.serve(reading)
    recorder.recordings[0].finish(probe="test", request="test")
    return seen, server.look_at_streams()


def compare(make):
    """Serve in every way, bare and recorded; each time by a new application."""
    for method in ("GET", "HEAD", "POST"):
        for strict in (True, False):
            for reading in READINGS:
                bare = serve_bare(make(), method, reading, strict=strict)
                assert serve_recorded(make(), method, reading, strict=strict) == bare


@pytest.mark.usefixtures("no_standstill")
@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # not closed, left open
@pytest.mark.parametrize("program", PROGRAMS.values(), ids=lambda program: program.name)
def test_recorder_changes_nothing_for_a_small_program(program):
    compare(program.make)


@pytest.mark.usefixtures("no_standstill")
@pytest.mark.filterwarnings("ignore")  # what frameworks use is theirs
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_recorder_changes_nothing_for_an_example(path):
    try:
        module = importlib.import_module(f"apps.{path.stem}")
    except ModuleNotFoundError as error:
        pytest.skip(str(error))
    application = getattr(module, "application", None) or module.create_app()
    compare(lambda: application)


class Kept:
    """Something that an application may hold, to be waited for by weak references."""


def start(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])


def make_generator(events):
    def application(environ, start_response):
        start(environ, start_response)
        try:
            yield b"one"
            yield b"two"
        finally:
            events.append("finalised")

    return application


def drop_unread(result, events):
    del result


def drop_half_read(result, events):
    next(iter(result))
    events.append("read")


def drop_iterator_last(result, events):
    blocks = iter(result)
    next(blocks)
    del result
    events.append("dropped the iterable")
    del blocks


def exhaust(result, events):
    list(result)
    events.append("read")


def close_half_read(result, events):
    next(iter(result))
    result.close()
    events.append("closed")


@pytest.mark.parametrize(
    "leave", [drop_unread, drop_half_read, drop_iterator_last, exhaust, close_half_read]
)
def test_generator_is_finalised_at_the_same_moment(leave):
    def run(wrap):
        events = []
        results = [wrap(make_generator(events))({}, lambda *_args: None)]
        leave(results.pop(), events)
        events.append("left")
        return events

    assert run(Recorder) == run(lambda application: application)


def collect(application):
    """Serve, finish and forget; return the recorder and whether the environ's dict was cleared."""
    recorder = Recorder(application)
    server = Server(recorder)
    server.serve()
    server.environ.clear()
    exchange = recorder.recordings[0].finish(probe="test", request="test")
    return recorder, exchange


def test_nothing_of_the_exchange_is_kept_alive():
    references = {}

    class Body(list):
        def close(self):
            raise OSError("from close()")

    def keep(name, value):
        references[name] = weakref.ref(value)
        return value

    class OwnError(Exception):
        pass

    def application(environ, start_response):
        environ["app.object"] = keep("environ value", Kept())
        try:
            raise keep("exc_info", OwnError(Kept()))
        except OwnError:
            start_response("200 OK", [keep("header item", Kept())], sys.exc_info())
        start_response.__call__("200 OK", [("A", "b")])
        keep("status", environ["app.object"])
        return keep("result", Body([b"x", keep("block", Kept())]))

    recorder, exchange = collect(application)
    assert {name for name, reference in references.items() if reference() is not None} == set()
    assert recorder.recordings
    assert exchange.complete


def test_an_exception_from_the_server_is_not_kept_alive_by_a_cycle():
    references = []

    class OwnError(Exception):
        pass

    def application(environ, start_response):
        write = start_response("200 OK", [])
        write(b"x")
        try:
            error = OwnError()
            references.append(weakref.ref(error))
            raise error
        except OwnError:
            del error
            start_response("500 Error", [], sys.exc_info())

    gc.disable()
    try:
        collect(application)
        assert references[0]() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("strict", [True, False])
def test_streams_have_the_attributes_of_the_originals(strict):
    names = [
        "read",
        "readline",
        "readlines",
        "seek",
        "tell",
        "fileno",
        "close",
        "closed",
        "write",
        "writelines",
        "flush",
        "encoding",
        "__iter__",
        "__next__",
        "__len__",
        "__enter__",
        "__exit__",
        "__bool__",
        "isatty",
        "getvalue",
        "absent",
    ]
    found = {}

    def application(environ, start_response):
        for key in ("wsgi.input", "wsgi.errors", "wsgi.file_wrapper"):
            found[key] = [hasattr(environ[key], name) for name in names]
        return []

    collect_strict = Server(Recorder(application), strict=strict)
    collect_strict.serve()
    recorded = dict(found)
    Server(application, strict=strict).serve()
    assert recorded == found


def test_streams_can_be_used_as_the_originals():
    def application(environ, start_response):
        stream, errors = environ["wsgi.input"], environ["wsgi.errors"]
        stream.mark = 1
        seen = [stream.mark, hasattr(stream, "mark"), isinstance(stream, io.BytesIO)]
        del stream.mark
        seen += [hasattr(stream, "mark"), next(stream), list(stream), stream.seek(0)]
        with stream as entered, errors as same:
            seen += [
                entered is stream,
                same is errors,
                bool(stream),
                io.TextIOWrapper(stream).read(),
            ]
        seen += [stream.closed, errors.closed]
        seen.append([hasattr(environ["wsgi.file_wrapper"], name) for name in ("__name__", "x")])
        return [repr(seen).encode()]

    bare = Server(application, "POST", strict=False).serve()
    assert Server(Recorder(application), "POST", strict=False).serve() == bare
    assert "Raised" not in str(bare)


class Everything:
    """An iterable with all the special methods that a server may use."""

    def __iter__(self):
        return iter([b"a", b"b"])

    def __getitem__(self, index):
        return [b"a", b"b"][index]

    def __len__(self):
        return 2

    def __bool__(self):
        return False

    def __contains__(self, item):
        return item == b"a"

    def __enter__(self):
        return "entered"

    def __exit__(self, *error):
        return True

    def __length_hint__(self):
        return 2

    def __eq__(self, other):
        return other == "everything"

    def __hash__(self):
        return 5

    def __repr__(self):
        return "<everything>"


def test_result_can_be_used_as_the_original():
    result = Recorder(lambda _environ, _start: Everything())({}, start)
    assert (len(result), bool(result), b"a" in result, result[1]) == (2, False, True, b"b")
    assert (result == "everything", hash(result), repr(result)) == (True, 5, "<everything>")
    with result as entered:
        assert entered == "entered"
        raise ValueError
    assert operator.length_hint(result) == 2
    assert isinstance(result, Everything)
    assert weakref.ref(result)() is result
    assert isinstance(iter(result), type(iter([])))
    assert iter(iter(result)).__reduce__


def test_same_environ_object_comes_back_with_its_own_streams():
    recorder = Recorder(lambda environ, _start: environ.update({"wsgi.errors": None}) or [])
    server = Server(recorder)
    server.serve()
    recorder.recordings[0].finish(probe="test", request="test")
    assert server.environ["wsgi.input"] is server.streams["wsgi.input"]
    assert server.environ["wsgi.file_wrapper"] is FileWrapper
    assert server.environ["wsgi.errors"] is None
