"""Before any request: the target is found and loaded, and it lets requests through."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_wsgi.catalogue import Finding, Party, rule
from pytest_wsgi.exchange import Conversation, Exchange, Loading

if TYPE_CHECKING:
    from collections.abc import Iterator

_BAD_REQUEST = 400
_SERVER_ERROR = 500
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@rule(
    Loading,
    checks=("harness-target-loads", "config-application-object"),
    binds=Party.APPLICATION,
    when=lambda loading: loading.spec,
)
def application_loads(loading: Loading) -> Iterator[Finding]:
    """The application is found, imported and is one.

    Why: a server that cannot load it does not start, or answers every request with an error.
    """
    if loading.problem is not None:
        yield Finding(
            expected="a WSGI application",
            observed=loading.problem.id,
            message=loading.problem.message,
        )


@rule(
    Conversation,
    checks="harness-requests-are-served",
    binds=Party.APPLICATION,
    when=lambda conversation: conversation.probe == "battery" and conversation.exchanges,
)
def requests_are_served(conversation: Conversation) -> Iterator[Finding]:
    """Some request is answered with more than an error, a refusal or a redirect.

    Why: where no request gets a page, none of the application was seen, and all other rules say
    little.
    """
    if not any(map(shows_page, conversation.exchanges)):
        first = conversation.exchanges[0]
        codes = {exchange.code for exchange in conversation.exchanges if exchange.code is not None}
        answers = " or ".join(map(str, sorted(codes))) or "no response at all"
        yield Finding(
            expected="an answer other than 400, a redirect or an error",
            observed=answers,
            at=first.raised[0] if first.raised else first.stopped,
            exchange=first,
            message=f"all {len(conversation.exchanges)} requests (Host: "
            f"{first.environ.get('HTTP_HOST')}) got {answers}: {advise(first)}",
        )


def shows_page(exchange: Exchange) -> bool:
    """Tell whether an exchange shows something of the application."""
    code = exchange.code
    if code is None:
        return exchange.response is not None
    return code != _BAD_REQUEST and code not in _REDIRECTS and code < _SERVER_ERROR


def advise(first: Exchange) -> str:
    """Return what a user can do, going by the answer to the first request."""
    if first.code == _BAD_REQUEST:
        return (
            "name a host that the application accepts with --wsgi-host (Django accepts none where "
            "DEBUG is False and ALLOWED_HOSTS is empty)"
        )
    if first.code in _REDIRECTS:
        return (
            f"the first leads to {find_location(first)}; name its host with --wsgi-host, or a page "
            "that is shown without logging in with --wsgi-path"
        )
    return "see why it fails, in the traceback or in its own log"


def find_location(exchange: Exchange) -> str:
    """Return where a redirect leads, without query, which may hold secrets."""
    fields = exchange.response.fields if exchange.response is not None else ()
    places = [value for name, value in fields if name.lower() == "location"]
    return places[0].partition("?")[0] if places else "no Location"
