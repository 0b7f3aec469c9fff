"""Threads: two exchanges of one application at the same time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_wsgi.catalogue import Finding, Party, rule
from pytest_wsgi.exchange import Conversation, Exchange
from pytest_wsgi.rules.comparison import find_failure, has_answered, pick

if TYPE_CHECKING:
    from collections.abc import Iterator

_PAIR = 2
"""How many requests the probes of this module send at the same time."""


@rule(
    Conversation,
    checks="thread-app-safe",
    binds=Party.APPLICATION,
    when=lambda conversation: (
        conversation.probe == "battery"
        and len(pick(conversation, "concurrent")) == _PAIR
        # One that refuses wsgi.multithread is not asked to serve two threads.
        and are_answered(conversation, "get", "absent", "multithread")
    ),
)
def application_serves_two_threads(conversation: Conversation) -> Iterator[Finding]:
    """The application answers two requests at once, in two threads, as it answers each alone.

    Why: servers with threads are the default of most deployments; state of a request that is kept
    in a module or on the application object mixes up the answers of two users.
    """
    yield from compare_with_alone(conversation, "concurrent")


@rule(
    Conversation,
    checks="thread-interleaved-iteration",
    binds=Party.APPLICATION,
    when=lambda conversation: (
        conversation.probe == "battery"
        and len(pick(conversation, "interleaved")) == _PAIR
        and are_answered(conversation, "get", "absent")
    ),
)
def application_serves_two_responses_in_turns(conversation: Conversation) -> Iterator[Finding]:
    """Two responses, read in turns in one thread, are those that come when each is read alone.

    Why: servers with an event loop read many responses in turns; state of a request that is kept
    per thread or per process mixes them up.
    """
    yield from compare_with_alone(conversation, "interleaved")


def are_answered(conversation: Conversation, *probes: str) -> bool:
    """Tell whether each of these probes was driven and its one request answered."""
    exchanges = pick(conversation, *probes)
    return len(exchanges) == len(probes) and all(map(has_answered, exchanges))


def compare_with_alone(conversation: Conversation, probe: str) -> Iterator[Finding]:
    """Yield how the two exchanges of a probe differ from the same requests sent alone."""
    together = pick(conversation, probe)
    alone = pick(conversation, "get", "absent")
    for exchange, own, other in zip(together, alone, reversed(alone), strict=False):
        difference = find_difference(exchange, own, other)
        if difference:
            yield Finding(
                expected="the answer as when asked alone",
                observed=difference,
                at=exchange.response or exchange.stopped,
                exchange=exchange,
            )


def find_difference(exchange: Exchange, own: Exchange, other: Exchange) -> str:
    """Return how an answer differs from its own when asked alone, or an empty text.

    Pages differ from one request to the next, so that a body only counts when it is the other
    request's.
    """
    failure = find_failure(exchange)
    if failure is not None:
        return failure[0]
    if exchange.stopped is not None and exchange.stopped.reason == "hang":
        return exchange.stopped.detail
    if exchange.code != own.code:
        return f"status code {exchange.code} in place of {own.code}"
    if exchange.digest == other.digest != own.digest:
        return "the body of the other request"
    return ""
