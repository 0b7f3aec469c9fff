"""Whose is what: the server's callables are called and no more, and the headers become its own.

What an application says with start_response and write() is judged in modules of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_wsgi.catalogue import Finding, Party, rule
from pytest_wsgi.exchange import Exchange
from pytest_wsgi.rules.comparison import has_answered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_wsgi.exchange import ErrorsUsed, InputUsed, StartResponse, Write

_UNEDITED = frozenset({"get", "head", "options", "absent", "absent-head"})
"""Probes in which the list of headers is sure to be changed by nobody but the application."""

_NO_CALL = frozenset({"StopIteration"})
"""How the end of wsgi.input is told, which is no failure of what was called."""


@rule(
    Exchange,
    checks="start-callable-not-introspected",
    binds=Party.APPLICATION,
    # Reports of an error look into whatever they find, to show it.
    when=lambda exchange: exchange.probe == "start-watched" and has_answered(exchange),
)
def start_response_is_only_called(exchange: Exchange) -> Iterator[Finding]:
    """The application calls start_response, and neither looks into it nor compares it.

    Why: it may be any callable. What __self__, __code__ or a signature says of it holds on one
    server, and no more as soon as there is middleware between.
    """
    for look in exchange.start_examined:
        compared = look.name == "__eq__"
        observed = "a comparison" if compared else f"start_response.{look.name}"
        yield Finding(expected="a call and nothing else", observed=observed, at=look)


@rule(
    Exchange,
    checks=("app-reinvocable", "middleware-isolation-between-requests"),
    binds=Party.APPLICATION,
    when=lambda exchange: exchange.events,
)
def callables_of_an_earlier_request_are_not_used(exchange: Exchange) -> Iterator[Finding]:
    """The application uses the start_response and write() of the request that it answers.

    Why: one that was kept from an earlier request belongs to a client that has gone, or to one that
    has sent its next request by the same connection.
    """
    for error in exchange.raised:
        # The server had raised it, and yet none of the calls of this exchange.
        if error.by_server and error.type_name not in _NO_CALL and not has_failed_call(exchange):
            yield Finding(
                expected="the callables of this request",
                observed=f"those of another one raised {error.type_name}: {error.message}",
                at=error,
            )


@rule(
    Exchange,
    checks="start-new-list-per-call",
    binds=Party.APPLICATION,
    when=lambda exchange: exchange.probe in _UNEDITED and exchange.start_responses,
)
def headers_are_left_alone_after_the_call(exchange: Exchange) -> Iterator[Finding]:
    """The application changes nothing in a list of headers that it has handed over.

    Why: the list is the server's now. wsgiref sends what is added to it late, gunicorn and waitress
    have made a copy and do not.
    """
    for call in exchange.start_responses:
        if call.headers_after is not None:
            yield Finding(
                expected=f"the {len(call.headers)} headers of the call",
                observed=f"another list, of {len(call.headers_after)}",
                at=call,
            )


def has_failed_call(exchange: Exchange) -> bool:
    """Tell whether the server raised something when it was called in this exchange."""
    uses: tuple[StartResponse | Write | InputUsed | ErrorsUsed, ...] = (
        *exchange.start_responses,
        *exchange.writes,
        *exchange.input_used,
        *exchange.errors_used,
    )
    return any(use.raised for use in uses)
