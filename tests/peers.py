"""Drives programs under the other linters, and tells what each of them says.

A linter says something with an AssertionError that its own module raises, or with a warning of its
own; this hears both, even where the program or the garbage collector swallows them. Around a
middleware the linter stands twice, outside of it and between it and the application behind. Here
lives nothing that judges by our own rules. The linters are imported when they are used.
"""

from __future__ import annotations

import gc
import importlib
import io
import sys
import traceback
import warnings
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from apps import bare_function
from pytest_wsgi.drivers.application import Driver, Terms, keep_open
from pytest_wsgi.drivers.guard import stand_guard
from pytest_wsgi.drivers.middleware import Crossings
from pytest_wsgi.probes.application import BATTERY
from pytest_wsgi.probes.middleware import MIDDLEWARE_BATTERY
from pytest_wsgi.scripts import SCRIPTS

if TYPE_CHECKING:
    from collections.abc import Callable

TERMS = Terms(unsafe=True)

PATIENCE = 30.0
"""Seconds for an exchange of an application that is known to answer."""

HASTE = 0.25
"""Seconds for an exchange of an application that is known to hang, which no linter finds."""


@dataclass(frozen=True, slots=True)
class Program:
    """What is driven: `make` makes an application, or with `around` a middleware."""

    make: Callable[[], Any]
    around: bool = False


@dataclass(frozen=True, slots=True)
class Linter:
    """What people call a linter, its module, its middleware, and what it is installed with.

    `package` is where an exception by accident is its own.
    """

    name: str
    module: str
    middleware: str
    package: str
    distribution: str = ""

    def wrap(self, application):
        """Return the application inside the linter."""
        return getattr(importlib.import_module(self.module), self.middleware)(application)


LINTERS = (
    Linter("wsgiref.validate", "wsgiref.validate", "validator", "wsgiref.validate"),
    Linter("webtest.lint", "webtest.lint", "middleware", "webtest.lint", "WebTest"),
    Linter("LintMiddleware", "werkzeug.middleware.lint", "LintMiddleware", "werkzeug", "Werkzeug"),
    Linter("paste.lint", "paste.lint", "middleware", "paste.lint", "Paste"),
)


@dataclass(frozen=True, slots=True, order=True)
class Remark:
    """What a linter said while a probe was driven; `is_meant` is false where it only crashed.

    `kind` names the warning or exception, `text` is the warning's or names the function that
    raised, and `lines` are where it did and where that was called.
    """

    probe: str
    kind: str
    text: str
    lines: tuple[int, ...]
    is_meant: bool


@dataclass(slots=True)
class Ear:
    """Hears what one linter says, and keeps it with the probe that is being driven.

    It stands on both sides of the linter: what its code raises passes either the server or the
    program, which may swallow it. What passes several ears is one remark.
    """

    linter: Linter
    module: str
    package: str
    probe: str = ""
    remarks: set[Remark] = field(default_factory=set)

    def call(self, function, *args, **kwargs):
        """Call a function, and hear what it raises."""
        try:
            return function(*args, **kwargs)
        except BaseException as error:
            self.hear(error)
            raise

    def hear(self, error):
        """Keep an exception that the linter's own code raised, and not what that had called."""
        entries = [*traceback.walk_tb(error.__traceback__)]
        code = entries[-1][0].f_code
        if isinstance(error, StopIteration) or not code.co_filename.startswith(self.package):
            return
        is_meant = code.co_filename == self.module and isinstance(error, AssertionError)
        lines = tuple(line for _, line in entries[-2:])
        kind = type(error).__name__
        self.remarks.add(Remark(self.probe, kind, code.co_name, lines, is_meant))

    def warn(self, message, category, *_args, **_kwargs):
        """Keep a warning of the linter's own; all others are nothing to it."""
        if category.__module__ == self.linter.module:
            self.remarks.add(Remark(self.probe, category.__name__, str(message), (), is_meant=True))

    def wrap(self, application):
        """Return the application inside the linter, with an ear on either side of that."""

        def inner(environ, start_response):
            for key in ("wsgi.input", "wsgi.errors"):
                environ[key] = Stream(self, environ[key])

            def start(*args, **kwargs):
                return partial(self.call, self.call(start_response, *args, **kwargs))

            return application(environ, start)

        linted = self.linter.wrap(inner)
        return lambda *args, **kwargs: Blocks(self, self.call(linted, *args, **kwargs))


@dataclass(slots=True)
class Stream:
    """A stream of the linter's, as the program has it."""

    _ear: Ear
    _stream: object

    def __getattr__(self, name):
        """Return what the stream has by that name, and be there when it is called."""
        return partial(self._ear.call, getattr(self._stream, name))

    def __iter__(self):
        """Iterate over the stream."""
        return iter(self._stream)


@dataclass(slots=True)
class Blocks:
    """An iterable of the linter's, as the server has it."""

    ear: Ear
    blocks: object

    def __iter__(self):
        """Return itself, as the linter's iterables do."""
        return self

    def __next__(self):
        """Return the next block."""
        return self.ear.call(next, self.blocks)

    def close(self):
        """End the exchange."""
        self.ear.call(self.blocks.close)


@contextmanager
def listen(linter):
    """Listen to a linter while the block drives something under it."""
    module, package = map(importlib.import_module, (linter.module, linter.package))
    file = Path(package.__file__)
    ear = Ear(linter, module.__file__, str(file.parent if file.stem == "__init__" else file))
    gc.disable()  # what is left over goes at the end, not in the middle of another probe
    gc.freeze()  # and nothing else is looked at then
    with warnings.catch_warnings(), redirect_stderr(io.StringIO()):
        warnings.simplefilter("always")
        warnings.showwarning = ear.warn
        hook, sys.unraisablehook = sys.unraisablehook, lambda lost: ear.hear(lost.exc_value)
        try:
            yield ear
        finally:
            gc.collect()
            sys.unraisablehook = hook
            gc.unfreeze()
            gc.enable()


@dataclass(frozen=True, slots=True)
class Run:
    """What came of driving something: the kinds of exceptions that left it, by probe."""

    raised: dict[str, set[str]]
    hangs: bool


def put_together(program, ear=None):
    """Return a program as an application, in the linter of the ear if there is one; and Crossings.

    A middleware has the linter on both sides, and the scripted applications behind it.
    """
    lint = ear.wrap if ear is not None else lambda application: application
    if not program.around:
        return lint(program.make()), None
    crossings = Crossings()

    def play(environ, start_response):
        crossing = crossings.find()  # there is none while nothing is asked
        name = "page" if crossing is None else crossing.script
        return SCRIPTS[name].run(environ, start_response)

    return lint(program.make()(lint(play))), crossings


def drive(program, seconds, ear=None):
    """Drive every bare probe, with the ear's linter if there is one."""
    raised = {}
    application, crossings = put_together(program, ear)
    with stand_guard(seconds) as guard, keep_open(guard, crossings):
        driver = Driver(application, guard, crossings)
        site, _ = driver.find_site(TERMS)
        for probe in MIDDLEWARE_BATTERY if program.around else BATTERY:
            if driver.refuse(probe, TERMS):
                continue
            if ear is not None:
                ear.probe = probe.name
            exchanges = driver.serve(probe, site)
            raised[probe.name] = {error.type_name for e in exchanges for error in e.raised}
    return Run(raised, bool(driver.hangs))


def overhear(program, linter, own, seconds):
    """Return what a linter says of a program, and where it crashed; `own` is the program's run.

    A crash is an exception by accident in the linter's package that leaves it, and is of no kind
    that the program raises in the same probe without it.
    """
    with listen(linter) as ear:
        run = drive(program, HASTE if own.hangs else seconds, ear)
    foreign = {probe: kinds - own.raised.get(probe, set()) for probe, kinds in run.raised.items()}
    return {
        remark
        for remark in ear.remarks
        if remark.is_meant or remark.kind in foreign.get(remark.probe, ())
    }


def greet(environ, start_response, *blocks):
    """Answer as a flawless application would: in one block, or in these."""
    blocks = blocks or (b"hello",)
    if environ["REQUEST_METHOD"] == "POST":
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    status = "404 Not Found" if "absent" in environ.get("PATH_INFO", "") else "200 OK"
    length = ("Content-Length", str(sum(map(len, blocks))))
    start_response(status, [("Content-Type", "text/plain"), length])
    return [] if environ["REQUEST_METHOD"] == "HEAD" else list(blocks)


def greet_in_blocks(environ, start_response):
    """Answer as one that may be left before its last block."""
    yield from greet(environ, start_response, b"he", b"ll", b"o")


def greet_without_length(environ, start_response):
    """Answer as one that leaves the length of its body to the server."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [] if environ["REQUEST_METHOD"] == "HEAD" else iter([b"hel", b"lo"])


def hand_on(app):
    """Return a middleware that does nothing at all."""
    return lambda environ, start_response: app(environ, start_response)


def hand_on_in_parts(app):
    """Return a middleware that stands in every way, and changes nothing."""

    def middleware(environ, start_response):
        def start(status, headers, *exc_info):
            return start_response(status, list(headers), *exc_info)

        return HandedOn(app(dict(environ), start))

    return middleware


class HandedOn:
    """The blocks of another iterable."""

    def __init__(self, result):
        self.result = result
        self.blocks = iter(result)

    def __iter__(self):
        """Return itself."""
        return self

    def __next__(self):
        """Return the next block."""
        return next(self.blocks)

    def close(self):
        """Close the other iterable."""
        if hasattr(self.result, "close"):
            self.result.close()


FLAWLESS = tuple(
    Program(lambda made=made: made)
    for made in (greet, greet_in_blocks, greet_without_length, bare_function.application)
)
FLAWLESS_AROUND = tuple(
    Program(lambda made=made: made, around=True)
    for made in (hand_on, hand_on_in_parts, lambda _app: greet, lambda _app: greet_in_blocks)
)
"""Some hand on, and some answer by themselves, as the one that finds a page in its cache."""


@cache
def find_prejudice(linter, *, around=False):
    """Return what a linter says of flawless programs: of the request, or by mistake."""
    remarks = set()
    for program in FLAWLESS_AROUND if around else FLAWLESS:
        remarks |= overhear(program, linter, drive(program, PATIENCE), PATIENCE)
    return frozenset(remarks)


def judge(program, seconds):
    """Return what each linter, by its name, has against a program: "found", "crashed" or ""."""
    own = drive(program, seconds)
    verdicts = {}
    for linter in LINTERS:
        remarks = overhear(program, linter, own, seconds)
        remarks -= find_prejudice(linter, around=program.around)
        is_found = any(remark.is_meant for remark in remarks)
        verdicts[linter.name] = "found" if is_found else "crashed" if remarks else ""
    return verdicts
