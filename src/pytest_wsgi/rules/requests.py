"""What an application makes of a method that it does not know, and of headers not meant for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_wsgi.catalogue import Finding, Party, rule
from pytest_wsgi.exchange import Conversation, Exchange
from pytest_wsgi.rules.comparison import has_answered, pick, report_failures
from pytest_wsgi.rules.responses import list_values

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_wsgi.exchange import Value

_SUCCESS = range(200, 300)
_REFUSED = frozenset({405, 501})
_CHANGING = frozenset({"DELETE", "POST", "PUT"})

_BUSY = frozenset({429, 503})
"""Refusals that come of how many ask, and not of what is asked."""


@rule(
    Conversation,
    checks="status-501-or-405-unknown-method",
    binds=Party.APPLICATION,
    when=lambda conversation: (
        conversation.probe == "battery"
        and pick(conversation, "unknown-method")
        and tells_methods_apart(conversation)
    ),
    eased="RFC 9110 says SHOULD, and many a small application looks at no method at all",
)
def unknown_method_is_refused(conversation: Conversation) -> Iterator[Finding]:
    """An application that allows only some methods refuses one that it does not know.

    Why: what is neither in the list of the allowed nor in that of the refused runs as if it were
    GET, past checks that are made by the method, such as those against forged requests.
    """
    for exchange in pick(conversation, "unknown-method"):
        if exchange.code in _SUCCESS:
            yield Finding(
                expected="405 or 501",
                observed=exchange.code,
                at=exchange.response,
                exchange=exchange,
            )


@rule(
    Conversation,
    checks="environ-hop-by-hop-not-relied",
    binds=Party.APPLICATION,
    when=lambda conversation: (
        conversation.probe == "battery"
        and pick(conversation, "hop-by-hop")
        and is_constant(list_plain(conversation))
    ),
    eased="WSGI tells of a body without a length in no other way, so frameworks do look at them",
)
def headers_of_the_connection_change_nothing(conversation: Conversation) -> Iterator[Finding]:
    """Connection, Keep-Alive, TE, Transfer-Encoding and Upgrade change nothing in the answer.

    Why: they are for the server, which may answer, change or drop them: an application that
    goes by them behaves differently behind each server.
    """
    plain = list_plain(conversation)
    asked = pick(conversation, "hop-by-hop")
    yield from report_failures(asked, "an answer as without these headers")
    for exchange in filter(has_answered, asked):
        if exchange.code not in {plain[0].code, *_BUSY}:
            yield Finding(
                expected=f"{plain[0].code}, as without these headers",
                observed=exchange.code,
                at=exchange.response,
                exchange=exchange,
            )


def tells_methods_apart(conversation: Conversation) -> bool:
    """Tell whether the application refuses a method, or names the allowed ones."""
    for exchange in conversation.exchanges:
        response = exchange.response
        if exchange.method in _CHANGING and exchange.code in _REFUSED:
            return True
        if exchange.method == "OPTIONS" and response is not None and list_values(response, "allow"):
            return True
    return False


def list_plain(conversation: Conversation) -> list[Exchange]:
    """Return the answers to requests that are no different from the plain GET."""
    baseline = conversation.baseline
    return list_undisturbed(conversation, baseline.environ) if baseline is not None else []


def list_undisturbed(conversation: Conversation, environ: Mapping[str, Value]) -> list[Exchange]:
    """Return the whole answers to requests of that environ; no start_response was refused."""
    return [
        exchange
        for exchange in conversation.exchanges
        if exchange.environ == environ
        and exchange.complete
        and not any(call.raised for call in exchange.start_responses)
    ]


def is_constant(exchanges: list[Exchange]) -> bool:
    """Tell whether there are several answers, all of the same status and none of a failure."""
    return (
        len(exchanges) > 1
        and len({exchange.code for exchange in exchanges}) == 1
        and all(map(has_answered, exchanges))
    )
