"""What several rules ask of exchanges: whether there was an answer, and what a failure came of.

No rule lives here, and nothing that looks at what an answer says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_wsgi.catalogue import Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_wsgi.exchange import Conversation, ErrorsUsed, Event, Exchange, InputUsed

_SERVER_ERROR = 500


def find_failure(exchange: Exchange) -> tuple[str, Event] | None:
    """Return how the application failed to answer, and at which event; None where it did not.

    A failure is an exception of its own that left it, or status code 500: frameworks make such an
    error page of an exception, while 501, 503 or 505 are answers. What `close()` raises comes after
    the answer.
    """
    for error in exchange.raised:
        if not error.by_server and error.place != "close":
            return f"{error.type_name}: {error.message}", error
    response = exchange.response
    if response is not None and exchange.code == _SERVER_ERROR:
        return str(response.status), response
    return None


def has_answered(exchange: Exchange | None) -> bool:
    """Tell whether there is an exchange, and the application answered it without a failure."""
    return exchange is not None and exchange.response is not None and find_failure(exchange) is None


def against_plain_get(*probes: str) -> Callable[[Conversation], bool]:
    """Return the precondition of a rule over these probes: the plain GET of the path succeeded."""

    def is_comparable(conversation: Conversation) -> bool:
        return conversation.probe in probes and has_answered(conversation.baseline)

    return is_comparable


def pick(conversation: Conversation, *probes: str) -> tuple[Exchange, ...]:
    """Return the exchanges of these probes, in order."""
    return tuple(exchange for exchange in conversation.exchanges if exchange.probe in probes)


def report_failures(exchanges: tuple[Exchange, ...], expected: str) -> Iterator[Finding]:
    """Yield a finding for every exchange in which the application failed to answer."""
    for exchange in exchanges:
        failure = find_failure(exchange)
        if failure is not None:
            observed, at = failure
            yield Finding(expected=expected, observed=observed, at=at, exchange=exchange)


def is_relied_on(used: InputUsed | ErrorsUsed, exchange: Exchange) -> bool:
    """Tell whether an attribute of a stream was called, or was missing and needed.

    It was needed where the AttributeError of the very line that looked for it left the application;
    looking whether there is one, with a fallback where there is none, is lawful.
    """
    return (
        used.called
        if used.found
        else any(
            error.type_name == "AttributeError"
            and error.origin == used.origin
            and f"'{used.method}'" in error.message
            for error in exchange.raised
        )
    )
