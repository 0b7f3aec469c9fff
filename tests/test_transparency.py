"""The same bytes, calls, lengths, closes and exceptions with and without the recorder."""

from __future__ import annotations

import importlib.util
import io
import os
import re
import threading
import time
from pathlib import Path
from wsgiref.util import FileWrapper

import pytest
from controls import load_controls
from mutants import load_mutants

from pytest_wsgi.drivers.gateway import StrictErrors, StrictInput
from pytest_wsgi.environ import Site, build_environ
from pytest_wsgi.probes import Request
from pytest_wsgi.recorder import Recorder

PROGRAMS = {**load_mutants(), **load_controls()}
READINGS = ("complete", "first block", "no block", "dropped")
MOST_BLOCKS = 50
BODY = b"name=value\nmore\n"
EXAMPLES = [
    path
    for path in sorted(Path(__file__).parent.parent.joinpath("fixtures", "apps").glob("*.py"))
    if re.search(
        r"^(def create_app|application\b|class application|def application)",
        path.read_text("utf-8"),
        re.MULTILINE,
    )
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
        if len(args) > 2 and args[2] and self.sent:
            raise args[2][1].with_traceback(args[2][2])
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

    monkeypatch.setattr(time, "sleep", stop)
    monkeypatch.setattr(os, "_exit", stop)
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
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of frameworks
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_recorder_changes_nothing_for_an_example(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except ModuleNotFoundError as error:
        pytest.skip(str(error))
    application = getattr(module, "application", None) or module.create_app()
    compare(lambda: application)
