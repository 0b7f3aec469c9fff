"""Native strings hold bytes as latin-1: what goes out, and what comes in that is no UTF-8."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_wsgi.catalogue import Finding, Party, rule
from pytest_wsgi.exchange import Conversation, Exchange
from pytest_wsgi.rules.comparison import (
    against_plain_get,
    has_answered,
    pick,
    report_failures,
)
from pytest_wsgi.rules.responses import has_fields, list_fields, list_statuses
from pytest_wsgi.showing import show_field

if TYPE_CHECKING:
    from collections.abc import Iterator

_BEYOND_LATIN_1 = re.compile(r"[^\x00-\xff]")


@rule(Exchange, checks="unicode-status-latin1", binds=Party.APPLICATION, when=list_statuses)
def status_is_latin_1(exchange: Exchange) -> Iterator[Finding]:
    """The status has only characters of latin-1.

    Why: servers encode it so. wsgiref, uWSGI, Twisted and Werkzeug send nothing at all, most
    others a 500.
    """
    for call, status in list_statuses(exchange):
        if _BEYOND_LATIN_1.search(status):
            yield Finding(expected="latin-1", observed=status, at=call)


@rule(Exchange, checks="unicode-headers-latin1", binds=Party.APPLICATION, when=has_fields)
def headers_are_latin_1(exchange: Exchange) -> Iterator[Finding]:
    """The names and values of headers have only characters of latin-1.

    Why: servers encode them so. Most answer 500, Twisted and Werkzeug close the connection, and
    granian sends UTF-8; asgiref refuses all but ASCII. A file name in Content-Disposition needs the
    form of RFC 8187.
    """
    for call, name, value in list_fields(exchange):
        if _BEYOND_LATIN_1.search(name) or _BEYOND_LATIN_1.search(value):
            yield Finding(expected="latin-1", observed=show_field(name, value), at=call)


@rule(
    Conversation,
    checks="unicode-undecodable-ok",
    binds=Party.APPLICATION,
    ambiguity="undecodable-path",
    when=lambda conversation: (
        against_plain_get("battery")(conversation) and list_undecodable(conversation)
    ),
)
def undecodable_requests_are_answered(conversation: Conversation) -> Iterator[Finding]:
    """The application answers a request whose path, query or cookie is no UTF-8.

    Why: any client can send such bytes. Decoded without a thought they are a 500 and a line in
    the error log for each; a 400 or a 404 is fine. Werkzeug's development server, hypercorn and the
    ASGI adapters replace those in a path, so that this shows in production only.
    """
    yield from report_failures(list_undecodable(conversation), "any answer but a failure")


@rule(
    Conversation,
    checks="unicode-app-recodes",
    binds=Party.APPLICATION,
    when=against_plain_get("utf8-path"),
)
def utf_8_paths_are_answered(conversation: Conversation) -> Iterator[Finding]:
    """The application answers a request whose path is UTF-8 beyond ASCII.

    Why: such bytes arrive as latin-1 text. Code that takes them for ASCII, or for text that was
    decoded already, fails on every URL in another language.
    """
    yield from report_failures(conversation.exchanges, "any answer but a failure")


def list_undecodable(conversation: Conversation) -> tuple[Exchange, ...]:
    """Return the exchanges with text that is no UTF-8.

    The one with such a path is left out where a UTF-8 path is a failure already.
    """
    takes_utf_8 = all(map(has_answered, pick(conversation, "utf8-path")))
    paths = ("undecodable-path",) if takes_utf_8 else ()
    return pick(conversation, *paths, "undecodable-query", "undecodable-cookie")
