"""Keeps what lets a person see and repeat a finding: source, what happened around it, the request.

What is kept is bounded, printable and without secrets: of environ only what is on a list, of
headers and bodies only how many there were.
"""

from __future__ import annotations

import linecache
import re
from typing import TYPE_CHECKING

from pytest_wsgi.exchange import (
    Block,
    Called,
    Closed,
    ErrorsUsed,
    Measured,
    Raised,
    StartResponse,
    Stopped,
)
from pytest_wsgi.report.events import cut, describe_event, describe_value, printable
from pytest_wsgi.report.values import Excerpt, Stimulus, TimelineEvent
from pytest_wsgi.sandwich import Passage
from pytest_wsgi.showing import is_secret

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from pytest_wsgi.exchange import Event, Exchange, Origin

AROUND = 3
"""How many lines of the source are kept before and after the one that counts."""

LONGEST_SOURCE_LINE = 160
LONGEST_TEXT = 120
LONGEST_VALUE = 200

MOST_EVENTS = 20
"""How many events of an exchange are kept."""

MOST_WITHHELD = 10

OF_TESTS = "test"
"""The probe of exchanges that a test of the user's had."""

SHOWN = frozenset(
    [
        "REQUEST_METHOD",
        "SCRIPT_NAME",
        "PATH_INFO",
        "QUERY_STRING",
        "CONTENT_TYPE",
        "CONTENT_LENGTH",
        "SERVER_NAME",
        "SERVER_PORT",
        "SERVER_PROTOCOL",
        "REMOTE_ADDR",
        "HTTP_HOST",
        "HTTP_ACCEPT",
        "HTTP_ACCEPT_CHARSET",
        "HTTP_ACCEPT_ENCODING",
        "HTTP_ACCEPT_LANGUAGE",
        "HTTP_CONNECTION",
        "HTTP_CONTENT_LENGTH",
        "HTTP_CONTENT_TYPE",
        "HTTP_EXPECT",
        "HTTP_IF_MATCH",
        "HTTP_IF_MODIFIED_SINCE",
        "HTTP_IF_NONE_MATCH",
        "HTTP_IF_RANGE",
        "HTTP_IF_UNMODIFIED_SINCE",
        "HTTP_ORIGIN",
        "HTTP_RANGE",
        "HTTP_TRANSFER_ENCODING",
        "HTTP_USER_AGENT",
        "wsgi.version",
        "wsgi.url_scheme",
        "wsgi.multithread",
        "wsgi.multiprocess",
        "wsgi.run_once",
        "wsgi.input_terminated",
    ]
)
"""The variables of environ whose values are kept; all others may be secret."""

_SECRET = re.compile(
    r"auth|cookie|token|secret|passw|credential|session|csrf|api[-_]?key|signature", re.IGNORECASE
)
_LITERAL = re.compile(r"""(["'])(?:\\.|(?!\1).)*(?:\1|$)""")

_BY_SERVER = (Called, Measured, Closed, Stopped)
"""What the server does; all else is done by what it calls."""


def read_excerpt(origin: Origin | None) -> Excerpt | None:
    """Return the lines around a place in a source file; None where they cannot be read.

    The texts in lines that are about secrets, or come after one, are left out.
    """
    if origin is None:
        return None
    file, line = origin
    try:
        source = linecache.getlines(file)
    except ValueError:  # a name that no file can have
        return None
    if not 1 <= line <= len(source):
        return None
    first = max(line - AROUND, 1)
    kept = source[first - 1 : line + AROUND]
    return Excerpt(first=first, lines=tuple(clean_source(kept, source[first - 2 : first - 1])))


def clean_source(lines: Sequence[str], before: Sequence[str]) -> list[str]:
    """Return lines of a source as they may be shown; `before` is the line above them, if any."""
    cleaned = []
    above = "".join(before)
    for line in lines:
        text = line.rstrip().expandtabs(4)
        if _SECRET.search(above) or _SECRET.search(line):
            text = _LITERAL.sub(r"\1<redacted>\1", text)
        cleaned.append(cut(printable(text), LONGEST_SOURCE_LINE))
        above = line
    return cleaned


def find_passage(exchange: Exchange, at: Event | None) -> Passage:
    """Return the events of an exchange alone as a way through two parties."""
    lanes = (
        ("middleware", "inner application")
        if exchange.boundary == "inner"
        else ("server", "application")
    )
    return Passage(lanes, tuple((0, 1, event) for event in exchange.events), at)


def keep_timeline(passage: Passage) -> tuple[TimelineEvent, ...]:
    """Return the events of a passage: the first and the last, and those around `at`."""
    crossed, at, lanes = passage.crossed, passage.at, passage.lanes
    same = (n for n, (*_, event) in enumerate(crossed) if event is at)
    equal = (n for n, (*_, event) in enumerate(crossed) if event == at)
    offending = next(same, next(equal, None))
    kept = choose_events(len(crossed), offending)
    return tuple(
        make_event(
            event,
            lanes[caller],
            lanes[callee],
            offending=n == offending,
            skipped=n - before - 1,
        )
        for before, n in zip([-1, *kept], kept, strict=False)
        for caller, callee, event in [crossed[n]]
    )


def choose_events(count: int, offending: int | None) -> list[int]:
    """Return the indexes of at most MOST_EVENTS events, the one that offends in their middle."""
    if count <= MOST_EVENTS:
        return list(range(count))
    room = MOST_EVENTS - 2
    start = min(max((offending or 0) - room // 2, 1), count - 1 - room)
    return [0, *range(start, start + room), count - 1]


def make_event(
    event: Event, server: str, called: str, *, offending: bool, skipped: int
) -> TimelineEvent:
    """Return an event as who did what to whom; the offending one in full."""
    source, target = (server, called) if isinstance(event, _BY_SERVER) else (called, server)
    outline = None if offending else _OUTLINES.get(type(event))
    text = outline(event) if outline else describe_event(event).partition("  ")[2]
    return TimelineEvent(
        number=event.number,
        source=source,
        target=target,
        text=cut(printable(text), LONGEST_TEXT),
        offending=offending,
        skipped=skipped,
    )


def outline_start(event: StartResponse) -> str:
    """Return a call of start_response without the values of its headers."""
    headers = "1 header" if len(event.headers) == 1 else f"{len(event.headers)} headers"
    raised = f" raised {event.raised}" if event.raised else ""
    return f"start_response({describe_value(event.status)}, {headers}){raised}"


def outline_block(event: Block) -> str:
    """Return a block without its content."""
    length = "" if event.length is None else f" of length {event.length}"
    return f"yielded <{event.type_name}{length}>"


def outline_raised(event: Raised) -> str:
    """Return an exception without its message."""
    return f"raised {event.type_name}"


def outline_errors(event: ErrorsUsed) -> str:
    """Return a use of wsgi.errors without what was written."""
    return f"wsgi.errors.{event.method} was used"


_OUTLINES: Mapping[type[Event], Callable[[Any], str]] = {
    StartResponse: outline_start,
    Block: outline_block,
    Raised: outline_raised,
    ErrorsUsed: outline_errors,
}


def keep_stimulus(exchange: Exchange) -> Stimulus:
    """Return what an exchange was asked with, as far as it may be shown."""
    shown = {
        name: repr(value)
        for name, value in exchange.environ.items()
        if name in SHOWN
        and is_plain(value)
        and not (name == "QUERY_STRING" and hides(value, exchange))
    }
    withheld = [
        printable(name)
        for name in exchange.environ
        if name not in shown and (name.startswith("HTTP_") or name in SHOWN)
    ]
    return Stimulus(
        environ={name: printable(text) for name, text in shown.items()},
        withheld=tuple(withheld[:MOST_WITHHELD]),
        body_length=exchange.request_body_length,
        reading=exchange.reading,
        under_validator=exchange.under_validator,
    )


def is_plain(value: object) -> bool:
    """Tell whether a value of environ is a short text, a number, a truth or a pair of numbers."""
    if type(value) is tuple:
        return all(type(item) is int for item in value)
    return type(value) in (bool, int) or (type(value) is str and len(value) <= LONGEST_VALUE)


def hides(query: object, exchange: Exchange) -> bool:
    """Tell whether a query is not shown: one of a user's own test, or one that tells a secret."""
    is_own = exchange.probe == OF_TESTS and query != ""
    return is_own or any(is_secret(part.partition("=")[0]) for part in str(query).split("&"))
