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

_NEIGHBOURS = ("get", "again", "closed-twice")
"""Probes of the same page, before and after that in which the thread changes."""

_CONSTANT = 4
"""How many plain answers must be the same for a page to count as constant."""


@rule(
    Conversation,
    checks=(
        "thread-app-safe",
        "thread-app-honours-flag",
        "middleware-isolation-between-requests",
    ),
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
    checks=("thread-interleaved-iteration", "middleware-isolation-between-requests"),
    binds=Party.APPLICATION,
    when=lambda conversation: (
        conversation.probe == "battery"
        and len(pick(conversation, "interleaved")) == _PAIR
        and are_answered(conversation, "get", "absent")
    ),
)
def application_serves_two_responses_in_turns(conversation: Conversation) -> Iterator[Finding]:
    """Two responses, read in turns in one thread, are those that come when each is read alone.

    Why: servers with an event loop read many responses in turns, and gevent lets requests take
    turns in one thread while wsgi.multithread is false; state of a request that is kept per thread
    or per process mixes them up.
    """
    yield from compare_with_alone(conversation, "interleaved")


@rule(
    Conversation,
    checks="middleware-async-server-friendly",
    binds=Party.APPLICATION,
    when=lambda conversation: (
        conversation.probe == "battery"
        and pick(conversation, "threads-apart")
        and are_answered(conversation, "get", "closed-twice")
        and not pick(conversation, "get")[0].raised
    ),
)
def response_is_not_bound_to_a_thread(conversation: Conversation) -> Iterator[Finding]:
    """The response is made in one thread, read in a second and closed in a third as in one alone.

    Why: a2wsgi and asgiref read it in another thread than the one that made the call. A connection
    of sqlite3, or state that is kept per thread, then fails in the middle of the response.
    """
    # The last of these comes after: a page that changed in the meantime shows that there.
    alone = {(e.code, e.digest) for e in pick(conversation, *_NEIGHBOURS)}
    for exchange in pick(conversation, "threads-apart"):
        observed = find_breakdown(exchange)
        if not observed and len(alone) == 1 and (exchange.code, exchange.digest) not in alone:
            observed = f"{exchange.code} with another body"
        if observed:
            yield Finding(
                expected="the response as in one thread",
                observed=observed,
                at=exchange.raised[0] if exchange.raised else exchange.response,
                exchange=exchange,
            )


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


def find_breakdown(exchange: Exchange) -> str:
    """Return how an exchange failed, in its close() too, or an empty text."""
    failure = find_failure(exchange)
    if failure is not None:
        return failure[0]
    if exchange.stopped is not None:
        return exchange.stopped.detail
    return "".join(f"{e.type_name}: {e.message}" for e in exchange.raised[:1] if not e.by_server)


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
    if exchange.response is None and any(answer.response is not None for answer in own):
        return "no status: start_response was not called for this request"
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
