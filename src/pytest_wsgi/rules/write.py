"""write(): the callable that start_response returns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_wsgi.catalogue import Finding, Party, rule
from pytest_wsgi.exchange import Exchange

if TYPE_CHECKING:
    from collections.abc import Iterator

_WHERE = {
    "iteration": "while the server iterates",
    "close": "in close()",
    "outside": "after the call",
}


@rule(
    Exchange,
    checks=("write-app-bytes-only", "unicode-bytes-exact"),
    binds=Party.APPLICATION,
    when=lambda exchange: exchange.writes,
)
def write_is_given_bytes(exchange: Exchange) -> Iterator[Finding]:
    """The application calls write() with bytes.

    Why: uWSGI and a2wsgi take a str in silence, other servers raise.
    """
    for write in exchange.writes:
        if write.type_name != "bytes":
            yield Finding(expected="bytes", observed=write.type_name, at=write)


@rule(
    Exchange,
    checks="write-discouraged",
    binds=Party.APPLICATION,
    when=lambda exchange: exchange.start_responses,
    eased="write() is lawful, if only for old frameworks",
)
def write_is_avoided(exchange: Exchange) -> Iterator[Finding]:
    """The application returns its body and does not write() it.

    Why: write() blocks the server until the data are sent, and bjoern, granian, hypercorn and
    asgiref do not have it: start_response returns None there.
    """
    for write in exchange.writes[:1]:
        yield Finding(expected="the body returned", observed="write()", at=write)


@rule(
    Exchange,
    checks="write-not-in-iterable",
    binds=Party.APPLICATION,
    when=lambda exchange: exchange.writes,
)
def write_is_called_before_the_return(exchange: Exchange) -> Iterator[Finding]:
    """The application calls write() before it returns, never from within its iterable.

    Why: what is written precedes what is iterated over; a server that has begun to iterate may
    send both in any order. The eleven configurations with a write() were seen to bear with it.
    """
    for write in exchange.writes:
        if write.place != "call":
            yield Finding(
                expected="write() during the call",
                observed=f"write() {_WHERE[write.place]}",
                at=write,
            )


@rule(
    Exchange,
    checks=("write-iterable-still-required", "body-iterable-returned"),
    binds=Party.APPLICATION,
    when=lambda exchange: exchange.writes and exchange.returned,
)
def write_is_followed_by_an_iterable(exchange: Exchange) -> Iterator[Finding]:
    """The application returns an iterable when it has used write(), be it an empty one.

    Why: servers iterate over what they get; None is a TypeError at the end of a response that has
    been sent already.
    """
    returned = exchange.returned
    if returned is not None and not returned.iterable:
        yield Finding(expected="an iterable", observed=returned.type_name, at=returned)
