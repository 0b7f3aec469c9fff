"""Threads: two exchanges of one application at the same time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_wsgi.catalogue import Finding, Party, rule
from pytest_wsgi.exchange import Conversation, Exchange
from pytest_wsgi.rules.comparison import find_failure, has_answered, pick

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_PAIR = 2
"""How many requests the probes of this module send at the same time."""

_CONSTANT = 4
"""How many plain answers must be the same for a page to count as constant."""


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
    for exchange, other in zip(together, reversed(together), strict=True):
        own_answers = list_answers(conversation, exchange)
        difference = find_difference(exchange, own_answers, list_answers(conversation, other))
        if difference:
            yield Finding(
                expected="the answer as when asked alone",
                observed=difference,
                at=exchange.response or exchange.stopped,
                exchange=exchange,
            )


def list_answers(conversation: Conversation, exchange: Exchange) -> tuple[Exchange, ...]:
    """Return every whole answer to the same method and path that came when nothing else ran."""
    asked = (exchange.method, exchange.environ.get("PATH_INFO"))
    return tuple(
        answer
        for answer in conversation.exchanges
        if (answer.method, answer.environ.get("PATH_INFO")) == asked
        and answer.reading == "complete"
        and answer.complete
    )


def find_difference(
    exchange: Exchange, own: tuple[Exchange, ...], others: tuple[Exchange, ...]
) -> str:
    """Return how an answer differs from those when asked alone, or an empty text.

    Pages differ from one request to the next, and some requests are refused by a limit: so a
    status or a body only counts when it was never the request's own, and was the other's.
    """
    failure = find_failure(exchange)
    if failure is not None:
        return failure[0]
    if exchange.stopped is not None and exchange.stopped.reason == "hang":
        return exchange.stopped.detail
    if is_swapped(exchange.code, [e.code for e in own], [e.code for e in others]):
        return f"status code {exchange.code}, which is the other request's"
    is_constant = all(
        len({answer.digest for answer in answers[:_CONSTANT]}) == 1 for answers in (own, others)
    )
    digests = [e.digest for e in own], [e.digest for e in others]
    if is_constant and is_swapped(exchange.digest, *digests):
        return "the body of the other request"
    return ""


def is_swapped(seen: object, own: Collection[object], others: Collection[object]) -> bool:
    """Tell whether what was seen is the other request's; the two never had one in common alone."""
    return bool(own) and seen in others and not set(own) & set(others)
