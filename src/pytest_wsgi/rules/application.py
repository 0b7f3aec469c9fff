"""The application object: it is called with two arguments and answers, again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_wsgi.catalogue import Finding, Party, rule
from pytest_wsgi.exchange import Conversation, Exchange, Stopped
from pytest_wsgi.rules.comparison import has_answered, report_failures

if TYPE_CHECKING:
    from collections.abc import Iterator

_OK = 200

_EXITS = frozenset({"SystemExit", "KeyboardInterrupt"})

_SIGNATURE_WORDS = ("argument", "callable")
"""Every TypeError of CPython's about how something is called holds one of these words."""

_UNUSUAL = frozenset({"interleaved", "concurrent", "threads apart", "closed twice"})
"""Readings in which an application may have to wait for itself; threads.py and close.py judge
them."""

_INTERRUPTION = "pytest_wsgi.recorder.Interruption"
"""What a close() raises when the server stops it."""


@rule(
    Exchange,
    checks="app-callable-two-positional",
    binds=Party.APPLICATION,
    when=lambda exchange: exchange.events,
)
def application_takes_two_positional_arguments(exchange: Exchange) -> Iterator[Finding]:
    """The application is called with two positional arguments: environ and start_response.

    Why: servers call application(environ, start_response) and nothing else; where that is a
    TypeError, every request is a 500.
    """
    for error in exchange.raised:
        # A call that fails by itself never entered the application: there is no frame of its code.
        if (
            error.place == "call"
            and error.origin is None
            and error.type_name == "TypeError"
            and not error.by_server
            and any(word in error.message for word in _SIGNATURE_WORDS)
        ):
            yield Finding(
                expected="a callable that takes environ and start_response",
                observed=error.message,
                at=error,
            )


@rule(
    Exchange,
    checks="body-iterable-returned",
    binds=Party.APPLICATION,
    when=lambda exchange: exchange.events,
)
def application_does_not_end_the_process(exchange: Exchange) -> Iterator[Finding]:
    """The application leaves the process alone.

    Why: os._exit(), SystemExit or KeyboardInterrupt end the server's worker, with every other
    request that it serves.
    """
    stopped = exchange.stopped
    if stopped is not None and stopped.reason == "process exit":
        yield Finding(expected="a response", observed=stopped.detail, at=stopped)
    for error in exchange.raised:
        if _EXITS.intersection(error.bases):
            yield Finding(expected="a response", observed=f"{error.type_name} raised", at=error)


@rule(
    Exchange,
    checks=("body-iterable-returned", "start-called"),
    binds=Party.APPLICATION,
    when=lambda exchange: exchange.events and exchange.reading not in _UNUSUAL,
)
def application_answers_in_time(exchange: Exchange) -> Iterator[Finding]:
    """The application's call, its first block and its close() come to an end.

    Why: a request that never ends holds a worker for ever; a few of them stop the whole server.
    """
    reasons = {"hang", "endless"} if is_stuck_in_close(exchange) else {"hang"}
    for event in exchange.events:
        if isinstance(event, Stopped) and event.reason in reasons:
            yield Finding(expected="an end in time", observed=event.detail, at=event)


def is_stuck_in_close(exchange: Exchange) -> bool:
    """Tell whether the server had to interrupt a close(), which no stream excuses."""
    return any(close.raised == _INTERRUPTION for close in exchange.closes)


@rule(
    Exchange,
    checks="body-iterable-returned",
    binds=Party.APPLICATION,
    when=lambda exchange: exchange.blocks,
    eased="streams such as server-sent events have no end by design",
)
def response_comes_to_an_end(exchange: Exchange) -> Iterator[Finding]:
    """The response comes to an end.

    Why: what has no end occupies a worker for as long as the client stays, and nothing that comes
    after the body can be checked.
    """
    stopped = exchange.stopped
    if (
        stopped is not None
        and stopped.reason == "endless"
        and not is_stuck_in_close(exchange)
        and exchange.blocks[-1].length != 0
    ):
        yield Finding(expected="an end of the body", observed=stopped.detail, at=stopped)


@rule(
    Conversation,
    checks="app-reinvocable",
    binds=Party.APPLICATION,
    when=lambda conversation: conversation.probe == "again" and has_answered(conversation.baseline),
)
def application_answers_again(conversation: Conversation) -> Iterator[Finding]:
    """The application answers the same request again.

    Why: one application object serves every request of a process. One that is used up by its
    first request passes a smoke test and fails in production.
    """
    yield from report_failures(conversation.exchanges, "an answer like the first one")
    first = conversation.baseline
    if first is not None and first.body_length and all(map(is_blank, conversation.exchanges)):
        yield Finding(
            expected=f"a body, such as the {first.body_length} bytes of the first answer",
            observed="an empty one each time",
            at=conversation.exchanges[0].response,
            exchange=conversation.exchanges[0],
        )


def is_blank(exchange: Exchange) -> bool:
    """Tell whether a whole answer of success has no content, as if it were used up."""
    return exchange.complete and exchange.code == _OK and not exchange.body_length
