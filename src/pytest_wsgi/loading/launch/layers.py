"""Finds the applications that an application calls, and watches what crosses to them."""

from __future__ import annotations

import inspect
import re
import types
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from pytest_wsgi.launches import Layer
from pytest_wsgi.loading.classify import classify
from pytest_wsgi.loading.launch.answers import bounded, start_environ
from pytest_wsgi.loading.load import type_name
from pytest_wsgi.loading.paths import relative
from pytest_wsgi.probes import Request
from pytest_wsgi.probes.application import ABSENT_PATH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytest_wsgi.environ import Site

_MOST_LAYERS = 8
_LATIN_1 = 0xFF
_TOO_LONG = TimeoutError.__name__
_OF_REQUEST = frozenset(
    {"PATH_INFO", "SCRIPT_NAME", "QUERY_STRING", "REQUEST_URI", "CONTENT_TYPE", "SERVER_NAME"}
)
_START_RESPONSE = re.compile(r"_*(start_?resp\w*|start|sr)", re.IGNORECASE)

_READINGS = {
    "read to its end": None,
    "left after the first block": 1,
    "left before the first block": 0,
}
"""How a server may read a response: how many blocks it takes, None for all."""

_REQUESTS = (Request(), Request(path=ABSENT_PATH), Request(path="/caf\xc3\xa9/\xe2\x98\x83"))


@dataclass(frozen=True, slots=True)
class Boundary:
    """Where `outer` keeps the application that it calls; `put` puts another one there."""

    outer: Any
    inner: Any
    put: Callable[[Any], object]


@dataclass(slots=True)
class Call:
    """One call of an inner application: what it returned, and the call that it was made in."""

    within: Call | None
    result: Watched | None = None

    @property
    def is_lost(self) -> bool:
        """Whether it was not closed by who had it, although that one's own response was."""
        if self.result is None or self.result.is_closed:
            return False
        around = self.within.result if self.within is not None else None
        return around is None or around.is_closed


@dataclass(slots=True)
class Watch:
    """What crossed one boundary: how often, what was not closed, what no environ may hold.

    `above` is the watch at the boundary over the outer application, None for the outermost one.
    """

    boundary: Boundary
    above: Watch | None = None
    count: int = 0
    calls: list[Call] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)

    def call(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Stand in for the inner application."""
        self.count += 1
        self.odd += [key for key in list_odd(environ) if key not in self.odd]
        call = Call(self.above.calls[-1] if self.above is not None and self.above.calls else None)
        self.calls.append(call)
        result = self.boundary.inner(environ, start_response)
        if not hasattr(result, "close"):
            return result
        call.result = Watched(result)
        return call.result

    def note(self, reading: str) -> None:
        """Note what is not closed although the server is done with the response."""
        if any(call.is_lost for call in self.calls) and reading not in self.lost:
            self.lost.append(reading)


class Watched:
    """An iterable that tells whether it was closed, and is in all else what it stands for."""

    def __init__(self, iterable: Any) -> None:
        self._iterable = iterable
        self.is_closed = False

    def __iter__(self) -> Iterator[Any]:
        """Iterate over what it stands for."""
        return iter(self._iterable)

    def __next__(self) -> Any:
        """Go on where it stands for an iterator."""
        return next(self._iterable)

    def __getattr__(self, name: str) -> Any:
        """Return an attribute of what it stands for."""
        return getattr(self._iterable, name)

    def close(self) -> None:
        """Close what it stands for."""
        self.is_closed = True
        self._iterable.close()


def watch_layers(application: Any, site: Site, rootdir: Path) -> tuple[Layer, ...]:
    """Return every layer of `application`, with what it did to the ones below it.

    Nothing is said where watching would change an answer.
    """
    boundaries = list(find_boundaries(application))
    if not boundaries:
        return ()
    plain = [serve(application, request, site, None) for request in _REQUESTS]
    if _TOO_LONG in plain:
        return ()
    with watching(boundaries) as watches:
        answers = []
        for reading, most in _READINGS.items():
            for request in _REQUESTS:
                answer = serve(application, request, site, most)
                answers += [answer] if most is None else []
                for watch in watches:
                    watch.note(reading)
                for watch in watches:
                    watch.calls.clear()
    if answers != plain:
        return ()
    return tuple(describe(watch, rootdir) for watch in watches)


@contextmanager
def watching(boundaries: list[Boundary]) -> Iterator[list[Watch]]:
    """Put a watch at each boundary while the block runs."""
    watches: list[Watch] = []
    for boundary in boundaries:
        above = [watch for watch in watches if watch.boundary.inner is boundary.outer]
        watches.append(Watch(boundary, above[0] if above else None))
    placed = []
    try:
        for watch in watches:
            with suppress(Exception):  # it may be frozen, or check what it is given
                watch.boundary.put(StandIn(watch))
                placed.append(watch)
        yield placed
    finally:
        for watch in placed:
            watch.boundary.put(watch.boundary.inner)


class StandIn:
    """Is called in place of an inner application, and has all of its attributes."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Call the inner application, watched."""
        return self._watch.call(environ, start_response)

    def __getattr__(self, name: str) -> Any:
        """Return an attribute of the inner application."""
        return getattr(self._watch.boundary.inner, name)


def serve(application: Any, request: Request, site: Site, most: int | None) -> str:
    """Serve a request as far as `most` blocks; return the status, or what was raised."""
    statuses: list[str] = []

    def start_response(status: str, _headers: object, _exc_info: object = None) -> Any:
        statuses.append(status)
        return lambda _block: None

    try:
        with bounded():
            take(application(start_environ(request, site), start_response), most)
    except (Exception, SystemExit) as error:  # noqa: BLE001 # the target may raise anything: that is its answer
        return type(error).__name__
    return str(statuses[-1:])


def take(result: Any, most: int | None) -> None:
    """Read a response as far as `most` blocks, and close it."""
    try:
        for count, _ in enumerate(result if most != 0 else (), 1):
            if count == most:
                break
    finally:
        if hasattr(result, "close"):
            result.close()


def find_boundaries(application: Any) -> Iterator[Boundary]:
    """Yield the boundaries below an application, the outermost first, and none twice."""
    waiting, seen, count = [application], {id(application)}, 0
    while waiting:
        outer = waiting.pop(0)
        for inner, put in find_inner(outer):
            if id(inner) in seen or count == _MOST_LAYERS:
                continue
            seen.add(id(inner))
            count += 1
            waiting.append(inner)
            yield Boundary(outer, inner, put)


def find_inner(outer: Any) -> Iterator[tuple[Any, Callable[[Any], object]]]:
    """Yield the applications that `outer` keeps, each with what puts another one in its place.

    It may keep them as attributes, also in a dict, in a closure, or as globals that it names.
    """
    if type_name(outer).startswith("django."):
        return  # its own chain of middleware does not speak WSGI
    if not is_function(outer):
        yield from find_in_attributes(outer)
    function = find_function(outer)
    if function is not None:
        yield from find_in_function(function, outer)


def find_in_attributes(outer: Any) -> Iterator[tuple[Any, Callable[[Any], object]]]:
    """Yield the applications among an object's attributes, and in dicts and lists that are such."""
    for name, value in list(getattr(outer, "__dict__", {}).items()):
        if is_application(value):
            yield value, partial(setattr, outer, name)
        elif type(value) in (dict, list):
            pairs = value.items() if type(value) is dict else enumerate(value)
            for key, one in list(pairs):
                if is_application(one):
                    yield one, partial(value.__setitem__, key)


def find_in_function(
    function: types.FunctionType, outer: Any
) -> Iterator[tuple[Any, Callable[[Any], object]]]:
    """Yield the applications in a function's closure, and among the globals that it names."""
    for cell in function.__closure__ or ():
        value = read_cell(cell)
        if is_application(value):
            yield value, partial(setattr, cell, "cell_contents")
    for name in function.__code__.co_names:
        value = function.__globals__.get(name)
        if value is not outer and is_application(value):
            yield value, partial(function.__globals__.__setitem__, name)


def is_application(value: object) -> bool:
    """Tell an application by its second parameter: functions of (environ, other) are none."""
    shape = classify(value)
    named = [name for name in shape.names[1:2] if _START_RESPONSE.fullmatch(name)]
    return shape.kind == "wsgi" and not isinstance(value, type) and bool(named)


def is_function(target: Any) -> bool:
    """Tell a plain function or a method: what hangs on it is not what it calls."""
    return isinstance(target, types.FunctionType | types.MethodType)


def find_function(target: Any) -> types.FunctionType | None:
    """Return the function that runs when `target` is called, None where it is not Python's."""
    if isinstance(target, types.MethodType):
        target = target.__func__
    if not isinstance(target, types.FunctionType):
        target = inspect.getattr_static(type(target), "__call__", None)
    return target if isinstance(target, types.FunctionType) else None


def read_cell(cell: types.CellType) -> Any:
    """Return what a cell of a closure holds, None for an empty one."""
    try:
        return cell.cell_contents
    except ValueError:
        return None


def list_odd(environ: dict[str, Any]) -> list[str]:
    """Return the variables of the request that hold characters beyond latin-1.

    No server could have set those; what an application puts beside them is its own affair.
    """
    return [
        key
        for key, value in environ.items()
        if type(value) is str
        and (key in _OF_REQUEST or key.startswith("HTTP_"))
        and any(ord(mark) > _LATIN_1 for mark in value)
    ]


def describe(watch: Watch, rootdir: Path) -> Layer:
    """Return what is to be said of a layer."""
    outer = watch.boundary.outer
    function = find_function(outer)
    code = function.__code__ if function is not None else None
    given = watch.above.odd if watch.above is not None else []
    place = f"{relative(code.co_filename, rootdir)}:{code.co_firstlineno}" if code else ""
    return Layer(
        name=name_layer(outer),
        inner=name_layer(watch.boundary.inner),
        place=place,
        calls=watch.count,
        lost_closes=tuple(watch.lost),
        odd_variables=tuple(key for key in watch.odd if key not in given),
    )


def name_layer(target: Any) -> str:
    """Return the dotted name of a function, or of an object's class."""
    if is_function(target):
        return f"{target.__module__}.{target.__qualname__}".replace(".<locals>", "")
    return type_name(target)
