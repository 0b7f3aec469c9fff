"""Finds the applications that an application calls, and watches what crosses to them."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_wsgi.launches import Layer
from pytest_wsgi.loading.boundaries import Boundary, find_boundaries, find_place, name_type
from pytest_wsgi.loading.launch.answers import bounded, start_environ
from pytest_wsgi.probes import Request
from pytest_wsgi.probes.application import ABSENT_PATH

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_wsgi.environ import Site

_LATIN_1 = 0xFF
_TOO_LONG = TimeoutError.__name__
_OF_REQUEST = frozenset(
    {"PATH_INFO", "SCRIPT_NAME", "QUERY_STRING", "REQUEST_URI", "CONTENT_TYPE", "SERVER_NAME"}
)
_READINGS = {
    "read to its end": None,
    "left after the first block": 1,
    "left before the first block": 0,
}
"""How a server may read a response: how many blocks it takes, None for all."""

_REQUESTS = (Request(), Request(path=ABSENT_PATH), Request(path="/caf\xc3\xa9/\xe2\x98\x83"))


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
    given = watch.above.odd if watch.above is not None else []
    return Layer(
        name=name_type(watch.boundary.outer),
        inner=name_type(watch.boundary.inner),
        place=find_place(watch.boundary.outer, rootdir),
        calls=watch.count,
        lost_closes=tuple(watch.lost),
        odd_variables=tuple(key for key in watch.odd if key not in given),
    )
