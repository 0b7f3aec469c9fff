"""The calls of start_response: that there is one, when, how often and with which arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_wsgi.catalogue import Finding, Party, rule
from pytest_wsgi.exchange import Conversation, Exchange
from pytest_wsgi.rules.responses import list_calls, went_on

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_wsgi.exchange import Block, StartResponse

_CONTAINERS = frozenset({"list", "tuple", "dict", "str", "bytes", "bytearray"})
"""Results of these types run no code of the application when they are read."""

_EDIT = "X-Pytest-Wsgi-Edit"
"""The header that the server of the probe "again" appends to the list that it is given."""

_ARGUMENT_COUNTS = frozenset({2, 3})


@rule(
    Exchange,
    checks="start-called",
    binds=Party.APPLICATION,
    when=lambda exchange: exchange.complete or find_data(exchange) is not None,
)
def start_response_is_called(exchange: Exchange) -> Iterator[Finding]:
    """The application calls start_response for every request.

    Why: without it there is no status to send. gunicorn sends "HTTP/1.1 None", granian makes up a
    200, uWSGI, cheroot and gevent send nothing, and Twisted leaves the client waiting.
    """
    if not exchange.start_responses and (exchange.complete or is_container(exchange)):
        yield Finding(expected="a call of start_response", observed="none", at=find_data(exchange))


@rule(
    Exchange,
    checks="start-before-first-body",
    binds=Party.APPLICATION,
    when=lambda exchange: find_data(exchange) is not None,
)
def start_response_comes_before_the_body(exchange: Exchange) -> Iterator[Finding]:
    """The application calls start_response before it yields the first bytes of the body.

    Why: status and headers go before the body. A server that gets data first can only answer with
    an error of its own.
    """
    data = find_data(exchange)
    if data is not None and not has_started(exchange, data) and not is_container(exchange):
        yield Finding(
            expected="start_response before this block",
            observed=f"{data.length} bytes before any call of it",
            at=data,
        )


@rule(
    Exchange,
    checks="start-empty-before",
    binds=Party.APPLICATION,
    ambiguity="empty-block-before-start",
    when=lambda exchange: exchange.start_responses and exchange.blocks,
)
def start_response_comes_before_empty_blocks(exchange: Exchange) -> Iterator[Finding]:
    """The application calls start_response before it yields anything, be it an empty block.

    Why: the PEP's own sample gateway takes an empty block first, and so do waitress, cheroot,
    uWSGI, mod_wsgi, gevent, bjoern, granian and Twisted; wsgiref, Hypercorn, Werkzeug, a2wsgi and
    asgiref answer 500, and gunicorn sends "HTTP/1.1 None".
    """
    for first in exchange.blocks[:1]:
        if first.length == 0 and not has_started(exchange, first):
            yield Finding(
                expected="start_response before this block", observed="an empty block", at=first
            )


@rule(
    Exchange,
    checks="start-not-twice",
    binds=Party.APPLICATION,
    ambiguity="second-start",
    when=lambda exchange: any(call.exc_info is None for call in exchange.start_responses),
)
def start_response_is_called_once(exchange: Exchange) -> Iterator[Finding]:
    """The application calls start_response once, and again only with exc_info.

    Why: a second call is a fatal error. wsgiref, gunicorn, waitress, cheroot, bjoern and Werkzeug
    raise; uWSGI, mod_wsgi, gevent, granian, hypercorn and Twisted send the second status, and
    a2wsgi the first.
    """
    # What an error handler calls without exc_info has a rule of its own, in exc_info.py.
    for call in list_calls(exchange)[1:]:
        if call.exc_info is None and not call.handling:
            yield Finding(
                expected="one call, or exc_info", observed=f"again: {call.status!r}", at=call
            )


@rule(
    Exchange,
    checks="start-positional-args",
    binds=Party.APPLICATION,
    when=lambda exchange: exchange.start_responses,
)
def start_response_gets_positional_arguments(exchange: Exchange) -> Iterator[Finding]:
    """The application passes the arguments of start_response by position.

    Why: their names are the server's own choice, so a keyword is a TypeError on some servers;
    with exc_info=... that is so just when an error is to be reported.
    """
    for call in exchange.start_responses:
        if call.keywords:
            yield Finding(
                expected="positional arguments",
                observed=f"keywords {', '.join(call.keywords)}",
                at=call,
            )


@rule(
    Exchange,
    checks="start-arg-count",
    binds=Party.APPLICATION,
    when=lambda exchange: exchange.start_responses,
)
def start_response_gets_two_or_three_arguments(exchange: Exchange) -> Iterator[Finding]:
    """The application passes start_response a status, headers and perhaps exc_info.

    Why: servers take exactly these; with fewer or more, each request is a TypeError.
    """
    for call in exchange.start_responses:
        if call.argument_count not in _ARGUMENT_COUNTS:
            yield Finding(
                expected="2 or 3 arguments", observed=f"{call.argument_count} arguments", at=call
            )


@rule(
    Conversation,
    checks="start-new-list-per-call",
    binds=Party.APPLICATION,
    ambiguity="changed-header-list",
    when=lambda conversation: conversation.probe == "again" and len(conversation.exchanges) > 1,
)
def headers_are_a_new_list_per_call(conversation: Conversation) -> Iterator[Finding]:
    """The application passes a list of headers that it does not use again.

    Why: the list becomes the server's, which may change it. wsgiref, the only one of fifteen
    configurations to do so, adds Content-Length, so a list that is shared carries the length of one
    response into the next.
    """
    for exchange in conversation.exchanges[1:]:
        for call in exchange.start_responses:
            if any(name == _EDIT for name, _ in call.fields):
                yield Finding(
                    expected="a new list",
                    observed="the list of an earlier call, as the server had changed it",
                    at=call,
                    exchange=exchange,
                )


@rule(
    Exchange,
    checks="app-return-after-start-error",
    binds=Party.APPLICATION,
    when=lambda exchange: any(call.raised for call in exchange.start_responses),
)
def application_stops_when_start_response_raises(exchange: Exchange) -> Iterator[Finding]:
    """The application lets an exception of start_response out, or starts again with exc_info.

    Why: servers raise there what is wrong with status or headers. An application that goes on
    with its body sends it under a response that was never started. A new call without
    exc_info is no way out: gunicorn and waitress refuse it, though mod_wsgi and gevent do not.
    """
    # A call with exc_info that raises has a stricter rule of its own, in exc_info.py.
    for call in exchange.start_responses:
        refused = call.raised is not None and call.exc_info is None
        if refused and went_on(exchange, call) and not is_mended(exchange, call):
            yield Finding(
                expected="the exception leaves the application",
                observed=f"it went on after {call.raised}",
                at=call,
            )


def find_data(exchange: Exchange) -> Block | None:
    """Return the first block that is not empty, as far as it has a length."""
    return next((block for block in exchange.blocks if block.length), None)


def has_started(exchange: Exchange, block: Block) -> bool:
    """Tell whether start_response was called before the block."""
    return any(call.number < block.number for call in exchange.start_responses)


def is_container(exchange: Exchange) -> bool:
    """Tell whether the application had done all its work when it returned its result."""
    return exchange.returned is not None and exchange.returned.base in _CONTAINERS


def is_mended(exchange: Exchange, call: StartResponse) -> bool:
    """Tell whether a later call of start_response succeeded."""
    return any(
        later.number > call.number and later.raised is None for later in exchange.start_responses
    )
