"""close(): how an application lets go of a response, read to its end or left early."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_wsgi.catalogue import Finding, Party, rule
from pytest_wsgi.exchange import Conversation, Exchange

if TYPE_CHECKING:
    from collections.abc import Iterator

_LEFT = frozenset({"first-block", "no-block", "client-lost"})
"""The probes in which the server goes away early."""

_TWICE = 2

_UNUSUAL = frozenset({"closed twice", "threads apart"})
"""Readings whose close() is judged by rules of their own."""


@rule(
    Exchange,
    checks="exc-app-traps-own-errors",
    binds=Party.APPLICATION,
    when=lambda exchange: (
        exchange.complete and exchange.closes and exchange.reading not in _UNUSUAL
    ),
)
def close_does_not_raise(exchange: Exchange) -> Iterator[Finding]:
    """close() raises nothing after the whole body was taken.

    Why: after an exception in close() the end of the body is lost on waitress, cheroot, hypercorn
    and Twisted, so a complete response looks broken off.
    """
    yield from report_closes(exchange)


@rule(
    Conversation,
    checks="body-partial-consumption",
    binds=Party.APPLICATION,
    when=lambda conversation: (
        conversation.probe in _LEFT
        and conversation.baseline is not None
        and conversation.baseline.complete
        and not any(error.place == "close" for error in conversation.baseline.raised)
    ),
)
def body_can_be_left_early(conversation: Conversation) -> Iterator[Finding]:
    """close() raises nothing when the body was not taken to its end.

    Why: a client that goes away leaves the body half read. A generator that goes on yielding, or
    a close() that counts on the end, then raises, and what it held is not released.
    """
    for exchange in conversation.exchanges:
        for finding in report_closes(exchange):
            yield replace(finding, exchange=exchange)


@rule(
    Exchange,
    checks="close-idempotent-app",
    ambiguity="close-again",
    binds=Party.APPLICATION,
    when=lambda exchange: (
        exchange.reading == "closed twice"
        and len(exchange.closes) == _TWICE
        and exchange.closes[0].raised is None
    ),
)
def close_may_be_called_again(exchange: Exchange) -> Iterator[Finding]:
    """A second close() does nothing, and raises nothing.

    Why: the PEP does not say that close() comes but once. Middleware that closes when an error
    passes and once more in a finally clause loses that error to the one that close() raises.
    """
    second = exchange.closes[-1]
    if second.raised is not None:
        yield Finding(expected="no exception", observed=second.raised, at=second)


def report_closes(exchange: Exchange) -> Iterator[Finding]:
    """Yield a finding for every exception that left close()."""
    for error in exchange.raised:
        if error.place == "close" and not error.by_server:
            yield Finding(
                expected="no exception", observed=f"{error.type_name}: {error.message}", at=error
            )
