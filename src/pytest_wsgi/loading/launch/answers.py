"""Asks two applications the same, and tells the first difference.

What differs from one answer to the next of the same application, such as a token, is left out.
"""

from __future__ import annotations

import hashlib
import io
import re
import signal
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_wsgi.environ import build_environ, name_request
from pytest_wsgi.launches import Difference
from pytest_wsgi.probes.application import BATTERY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pytest_wsgi.environ import Site
    from pytest_wsgi.probes import Request

MOST_SECONDS = 10.0
"""How long a comparison may take; what was asked by then is compared."""

_MOST_BODY = 1 << 20
"""How many bytes of a body are compared."""

_REPEATS = 6
"""How often what was answered otherwise is asked again: what then varies is no difference."""

_REQUEST_SECONDS = 2.0
"""How long one answer may take."""

_TOKENS = re.compile(
    rb"""(csrfmiddlewaretoken["'] value=["']|nonce=["']|'nonce-|csrf[-_]token["'] content=["'])"""
    rb"""[^"']*"""
)
"""Values in a page that are others in every response."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A response, or the name of the exception instead: status, headers without cookies' values."""

    status: str
    fields: tuple[tuple[str, str], ...]
    digest: str
    error: str = ""


def list_requests() -> list[Request]:
    """Return the requests that change nothing and are read to their end, none twice."""
    found: list[Request] = []
    for probe in BATTERY:
        is_plain = probe.reading == "complete" and probe.fails_after is None
        if probe.unsafe or probe.needs or probe.refuses_start or not is_plain:
            continue
        found += [one for one in probe.requests if not one.echo and not one.if_different]
    plain: dict[object, Request] = {}
    for one in found:
        plain.setdefault((one.method, one.path, one.query, str(one.set), one.drop), one)
    return list(plain.values())


def compare(
    target: Any, other: Any, site: Site, left_out: str = ""
) -> tuple[int, Difference | None]:
    """Return how many requests both applications were asked, and the first difference.

    Paths that begin with `left_out` are not asked.
    """
    count, deadline = 0, time.monotonic() + MOST_SECONDS
    for request in list_requests():
        path = site.path if request.path is None else request.path
        if (left_out and path.startswith(left_out)) or time.monotonic() > deadline:
            continue
        count += 1
        difference = find_difference(request, site, target, other)
        if difference is not None:
            return count, difference
    return count, None


def find_difference(request: Request, site: Site, target: Any, other: Any) -> Difference | None:
    """Return the first difference of the answers to one request that does not come and go."""
    ours, theirs = (ask(application, request, site) for application in (target, other))
    found = list(tell_apart(ours, theirs))
    if not found:
        return None
    volatile: set[str] = set()
    for turn in range(_REPEATS):
        # In turns, because what alternates by itself must not keep time with us.
        pairs = [(target, ours), (other, theirs)]
        for application, before in pairs if turn % 2 else reversed(pairs):
            after = ask(application, request, site)
            volatile.update(what for what, *_ in tell_apart(before, after))
    lasting = [one for one in found if one[0] not in volatile]
    if not lasting:
        return None
    what, one, two = lasting[0]
    return Difference(request=name_request(request, site), what=what, target=one, other=two)


def tell_apart(one: Answer, two: Answer) -> Iterator[tuple[str, str, str]]:
    """Yield what differs between two answers: where, and both sides."""
    if (one.error, one.status) != (two.error, two.status):
        yield "status", one.error or one.status, two.error or two.status
    fields = dict(one.fields), dict(two.fields)
    for name in sorted(fields[0].keys() | fields[1].keys()):
        sides = [side.get(name, "no such header") for side in fields]
        if sides[0] != sides[1]:
            yield f"header {name}", sides[0], sides[1]
    if one.digest != two.digest:
        yield "body", one.digest, two.digest


def ask(application: Any, request: Request, site: Site) -> Answer:
    """Return what an application answers; never raises but for an interrupt."""
    heads: list[tuple[str, list[tuple[str, str]]]] = []
    body: list[bytes] = []

    def start_response(
        status: str, headers: list[tuple[str, str]], _exc_info: object = None
    ) -> Any:
        heads.append((status, list(headers)))
        return body.append

    try:
        with bounded():
            read(application(start_environ(request, site), start_response), body)
    except (Exception, SystemExit) as error:  # noqa: BLE001 # the target may raise anything: that is its answer
        return Answer("", (), "", type(error).__name__)
    status, headers = heads[-1] if heads else ("", [])
    return Answer(str(status), tuple(fold_headers(headers)), digest_body(body))


@contextmanager
def bounded(seconds: float = _REQUEST_SECONDS) -> Iterator[None]:
    """Raise TimeoutError in the block when it takes longer; where there is no alarm, never."""
    if (
        not hasattr(signal, "setitimer")
        or threading.current_thread() is not threading.main_thread()
    ):
        yield
        return

    def ring(_number: int, _frame: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def start_environ(request: Request, site: Site) -> dict[str, Any]:
    """Return the environ of a request, with its streams."""
    streams = {"wsgi.input": io.BytesIO(request.body), "wsgi.errors": io.StringIO()}
    return build_environ(request, site) | streams


def read(iterable: Any, body: list[bytes]) -> None:
    """Read an iterable to its end, as far as it is compared, and close it."""
    try:
        size = 0
        for block in iterable:
            body.append(block)
            size += len(block)
            if size > _MOST_BODY:
                break
    finally:
        if hasattr(iterable, "close"):
            iterable.close()


def fold_headers(headers: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield headers by their names in lower case, repeated ones joined; of cookies their names."""
    folded: dict[str, list[str]] = {}
    for name, value in headers:
        shown = value.partition("=")[0].strip() if name.lower() == "set-cookie" else value
        folded.setdefault(name.lower(), []).append(shown)
    for name, values in folded.items():
        yield name, ", ".join(values)


def digest_body(body: Sequence[bytes]) -> str:
    """Return length and a digest of a body, without the tokens in it."""
    plain = _TOKENS.sub(rb"\1", b"".join(body)[:_MOST_BODY])
    digest = hashlib.blake2b(plain, digest_size=6).hexdigest()
    return f"{len(plain)} bytes, digest {digest}"
