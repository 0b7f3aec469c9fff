"""Errors and exc_info: how an application starts a response again, and what it lets out."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

from pytest_wsgi.catalogue import Finding, Party, rule
from pytest_wsgi.exchange import Conversation, Exchange
from pytest_wsgi.rules.responses import list_calls, went_on

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_wsgi.exchange import ErrorsUsed, ExcInfo, InputUsed, Raised

_NOTHING = ("None", "None", "None")
"""What sys.exc_info() returns outside of any handler."""

_NEVER_RAISED = ("class", "instance", "None")
"""An exception object that was made to fill exc_info: it has no traceback."""

_TRIPLES = frozenset({("class", "instance", "traceback"), _NEVER_RAISED})

_EXITS = frozenset({"SystemExit", "KeyboardInterrupt"})

_ORDINARY = frozenset(
    {
        "get",
        "options",
        "absent",
        "absent-head",
        "https",
        "first-block",
        "no-block",
        "post",
        "put",
        "delete",
        "unknown-method",
    }
)
"""Probes without a trap: what is odd about the others has rules of its own, and one error is not
to be reported twice."""


@rule(
    Exchange,
    checks="exc-info-tuple",
    binds=Party.APPLICATION,
    when=lambda exchange: any(call.exc_info for call in exchange.start_responses),
)
def exc_info_is_a_triple(exchange: Exchange) -> Iterator[Finding]:
    """exc_info is a tuple as sys.exc_info() makes it: class, instance and traceback.

    Why: a server that has sent headers raises exc_info[1], as eleven of fifteen configurations
    do; anything else there hides the error behind a TypeError of the server's.
    """
    for call in exchange.start_responses:
        info = call.exc_info
        if info is not None and not is_triple(info) and info.items != _NOTHING:
            yield Finding(
                expected="a tuple of class, instance and traceback",
                observed=info.items or info.type_name,
                at=call,
            )


@rule(
    Exchange,
    checks="exc-info-live",
    binds=Party.APPLICATION,
    ambiguity="exc-info-of-nothing",
    when=lambda exchange: any(call.exc_info and call.handling for call in exchange.start_responses),
)
def exc_info_is_live(exchange: Exchange) -> Iterator[Finding]:
    """exc_info is that of the exception being handled, taken in its handler.

    Why: a triple of None is true, so servers replace the response and, once headers are sent,
    fail to raise None.
    """
    for call in exchange.start_responses:
        if call.handling and call.exc_info is not None and call.exc_info.items == _NOTHING:
            yield Finding(
                expected="sys.exc_info() of the handler",
                observed=(None, None, None),
                at=call,
            )


@rule(
    Exchange,
    checks=("exc-info-only-in-handler", "exc-info-live"),
    binds=Party.APPLICATION,
    when=lambda exchange: any(
        call.exc_info and not call.handling for call in exchange.start_responses
    ),
)
def exc_info_comes_from_an_error_handler(exchange: Exchange) -> Iterator[Finding]:
    """exc_info is passed only to report an exception that was caught.

    Why: it is no way to call start_response twice: once headers are sent, the server raises what
    it is given, and the client gets a broken response. Before that, gunicorn and cheroot append the
    second headers to the first, a2wsgi ignores them, and uWSGI loses the body.
    """
    # A handler may keep exc_info and use it when it is done: then it has a traceback.
    for call in exchange.start_responses:
        info = call.exc_info
        if info is not None and not call.handling and is_made_up(info):
            yield Finding(
                expected="two arguments, as there was no error", observed=info.items, at=call
            )


@rule(
    Exchange,
    checks="exc-app-not-trap",
    binds=Party.APPLICATION,
    when=lambda exchange: any(call.raised and call.exc_info for call in list_calls(exchange)),
)
def errors_of_start_response_are_not_trapped(exchange: Exchange) -> Iterator[Finding]:
    """An exception that start_response raises when called with exc_info leaves the application.

    Why: that exception tells the server to break the connection off; with all but mod_wsgi and
    granian the client then sees that the page is cut. Trapped, it gets a whole-looking response
    with half a page, and perhaps an error page at its end.
    """
    for call in list_calls(exchange):
        if call.raised is not None and call.exc_info is not None and went_on(exchange, call):
            yield Finding(
                expected="the exception leaves the application",
                observed=f"it went on after {call.raised}",
                at=call,
            )


@rule(
    Exchange,
    checks="exc-app-error-uses-exc-info",
    binds=Party.APPLICATION,
    when=lambda exchange: any(call.handling for call in exchange.start_responses[1:]),
)
def late_errors_use_exc_info(exchange: Exchange) -> Iterator[Finding]:
    """An error handler that calls start_response a second time passes exc_info.

    Why: without it the second call is itself a fatal error, and hides the one to be reported:
    gunicorn, waitress and wsgiref raise an AssertionError instead of sending the error page. uWSGI,
    mod_wsgi and gevent send it, so the fault may not show before the server is changed.
    """
    for call in list_calls(exchange)[1:]:
        if call.handling and call.exc_info is None:
            yield Finding(
                expected="exc_info as the third argument",
                observed=f"{call.status!r} without it",
                at=call,
            )


@rule(
    Conversation,
    checks="exc-app-traps-own-errors",
    binds=Party.APPLICATION,
    when=lambda conversation: (
        conversation.probe in _ORDINARY
        and conversation.baseline is not None
        and (has_baseline(conversation) or find_error(conversation.baseline) is None)
    ),
)
def application_traps_its_errors(conversation: Conversation) -> Iterator[Finding]:
    """The application makes a response of its own errors and lets no exception out.

    Why: what leaves it is a bare 500 of the server's without an explanation, or none: many
    servers just close the connection.
    """
    for exchange in conversation.exchanges:
        error = find_error(exchange)
        if error is not None:
            file, line = error.origin or ("", 0)
            place = f" at {PurePath(file).name}:{line}" if file else ""
            yield Finding(
                expected="a response with a 5xx status",
                observed=f"{error.type_name}{place}",
                at=error,
                exchange=exchange,
            )


def is_triple(info: ExcInfo) -> bool:
    """Tell whether exc_info has the form of what sys.exc_info() returns in a handler."""
    return info.items in _TRIPLES and info.matches


def is_made_up(info: ExcInfo) -> bool:
    """Tell whether exc_info holds nothing that was ever raised."""
    return info.items == _NOTHING or (info.items == _NEVER_RAISED and info.matches)


def has_baseline(conversation: Conversation) -> bool:
    """Tell whether the plain GET itself is part of the conversation."""
    return any(exchange is conversation.baseline for exchange in conversation.exchanges)


def find_error(exchange: Exchange) -> Raised | None:
    """Return the first exception that left the application by its own fault.

    What the server raised, or what follows from it, is none; what close() raises comes after the
    response, and the end of the process has a rule of its own.
    """
    if is_provoked(exchange):
        return None
    return next(
        (
            error
            for error in exchange.raised
            if error.place != "close" and not _EXITS.intersection(error.bases)
        ),
        None,
    )


def is_provoked(exchange: Exchange) -> bool:
    """Tell whether the server had raised, or a stream had not what it was asked for."""
    uses: list[InputUsed | ErrorsUsed] = [*exchange.input_used, *exchange.errors_used]
    return (
        any(error.by_server for error in exchange.raised)
        or any(call.raised for call in exchange.start_responses)
        or not all(use.found for use in uses)
    )
