"""Validators, and requests on the condition that a page has changed (RFC 9110, 8.8 and 13).

Only what an application shows by itself is judged: one that answers no condition at all leaves that
to a server or a cache, as PEP 3333 allows.
"""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from pytest_wsgi.catalogue import Finding, Party, rule
from pytest_wsgi.exchange import Conversation, Exchange
from pytest_wsgi.rules.comparison import pick
from pytest_wsgi.rules.requests import list_undisturbed
from pytest_wsgi.rules.responses import is_readable, lacks, list_fields, list_values
from pytest_wsgi.showing import show_field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_wsgi.exchange import StartResponse

_TAGS = re.compile(r'\s*(?:W/)?"[^"]*"\s*(?:,\s*(?:W/)?"[^"]*"\s*)*')
_TAG = re.compile(r'"[^"]*"')
"""The part of an ETag that a weak comparison looks at (RFC 9110, 8.8.3.2)."""

_DATE = re.compile(r"[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT")

_OF_CACHES = ("Cache-Control", "Content-Location", "ETag", "Expires", "Vary")
"""What a 304 repeats (RFC 9110, 15.4.5); Date, which is there too, comes from the server."""

_CONDITIONS = ("HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE")
_OK = 200
_NOT_MODIFIED = 304

_SKEW = 300
"""Seconds by which the clock of a file server or a database may be fast."""

Dated = tuple["StartResponse", Exchange, str]
"""The call that passed a Last-Modified, its exchange and the value."""


@rule(
    Conversation,
    checks="status-304-on-match",
    binds=Party.APPLICATION,
    when=lambda conversation: evaluates_conditions(conversation) and list_matches(conversation),
)
def matching_etag_gives_not_modified(conversation: Conversation) -> Iterator[Finding]:
    """A page whose ETag If-None-Match names is answered 304, also for a weak tag or in a list.

    Why: proxies and caches that compress make tags weak, and those that keep several variants ask
    with all their tags; whoever compares the header as one text sends every page again.
    """
    for exchange in list_matches(conversation):
        if exchange.code == _OK:
            yield Finding(
                expected="304, because the ETag matches",
                observed=exchange.environ.get("HTTP_IF_NONE_MATCH"),
                at=exchange.response,
                exchange=exchange,
            )


@rule(
    Conversation,
    checks="status-304-on-match",
    binds=Party.APPLICATION,
    when=lambda conversation: evaluates_conditions(conversation) and list_twofold(conversation),
)
def if_none_match_overrides_if_modified_since(conversation: Conversation) -> Iterator[Finding]:
    """If-Modified-Since says nothing where there is an If-None-Match.

    Why: the ETag tells apart what changed within one second or came back with an old date; with the
    date alone, a client keeps the page that it has for ever.
    """
    for exchange in list_twofold(conversation):
        if exchange.code == _NOT_MODIFIED:
            yield Finding(
                expected="the page, because no ETag matches",
                observed=exchange.environ.get("HTTP_IF_NONE_MATCH"),
                at=exchange.response,
                exchange=exchange,
            )


@rule(
    Conversation,
    checks="status-304-headers",
    binds=Party.APPLICATION,
    when=lambda conversation: conversation.probe == "battery" and list_promised(conversation),
)
def not_modified_repeats_headers_for_caches(conversation: Conversation) -> Iterator[Finding]:
    """A response 304 has the ETag, Cache-Control, Content-Location, Expires and Vary of the 200.

    Why: a cache goes by them: without Cache-Control or Expires what it has stays stale, and is
    asked for at every visit.
    """
    for exchange, names in list_promised(conversation):
        for name in names:
            if lacks(exchange, name.lower()):
                yield Finding(
                    expected=f"the header {name}, as with 200",
                    observed="304 without it",
                    at=exchange.response,
                    exchange=exchange,
                )


@rule(
    Conversation,
    checks="header-last-modified-not-future",
    binds=Party.APPLICATION,
    when=lambda conversation: conversation.probe == "battery" and list_dated(conversation),
)
def last_modified_is_not_in_the_future(conversation: Conversation) -> Iterator[Finding]:
    """The Last-Modified is not later than the time of the response.

    Why: it is mostly a local time that was written as GMT; until it comes, changes of the page
    are not seen by clients that ask with If-Modified-Since.
    """
    for call, exchange, value in list_dated(conversation):
        if (read_time(value) or 0) > exchange.ended + _SKEW:
            yield Finding(
                expected="a date that has been",
                observed=show_field("Last-Modified", value),
                at=call,
                exchange=exchange,
            )


def evaluates_conditions(conversation: Conversation) -> bool:
    """Tell whether the application answers conditional requests, and no others, by 304."""
    codes = [exchange.code for exchange in conversation.exchanges]
    return conversation.probe == "conditional" and codes[:1] == [_OK] and _NOT_MODIFIED in codes


def list_matches(conversation: Conversation) -> list[Exchange]:
    """Return the exchanges that asked by the ETag: those answered 304, or 200 with that ETag.

    The page itself says that it has not changed; one with another ETag has.
    """
    return [
        exchange
        for exchange in conversation.exchanges
        if (asked := read_tags(exchange.environ.get("HTTP_IF_NONE_MATCH")))
        and (exchange.code == _NOT_MODIFIED or (exchange.code == _OK and asked & sent(exchange)))
    ]


def sent(exchange: Exchange) -> set[str]:
    """Return the one ETag of the response, as weak comparison sees it, or nothing."""
    tags = list_values(exchange.response, "etag") if exchange.response is not None else []
    return read_tags(tags[0]) if len(tags) == 1 else set()


def read_tags(text: object) -> set[str]:
    """Return the tags of a header without their W/; none where it is no list of tags."""
    return set(_TAG.findall(text)) if type(text) is str and _TAGS.fullmatch(text) else set()


def list_twofold(conversation: Conversation) -> list[Exchange]:
    """Return the answers to both conditions at once, of which the one by ETag does not hold."""
    return [
        exchange
        for exchange in conversation.exchanges
        if all(key in exchange.environ for key in _CONDITIONS) and exchange.response is not None
    ]


def list_promised(conversation: Conversation) -> list[tuple[Exchange, list[str]]]:
    """Return every 304 with the headers that all the other answers to that request had.

    One of those would prove nothing, because a page may have a header now and then.
    """
    found: list[tuple[Exchange, list[str]]] = []
    for exchange in pick(conversation, "conditional"):
        if exchange.code != _NOT_MODIFIED or not is_readable(exchange):
            continue
        asked = drop_conditions(exchange)
        pages = list_undisturbed(conversation, asked)
        if len(pages) > 1 and all(page.code == _OK for page in pages):
            names = [
                name for name in _OF_CACHES if not any(lacks(page, name.lower()) for page in pages)
            ]
            found.extend([(exchange, names)] if names else [])
    return found


def drop_conditions(exchange: Exchange) -> dict[str, object]:
    """Return the environ but for the conditions."""
    return {key: value for key, value in exchange.environ.items() if key not in _CONDITIONS}


def list_dated(conversation: Conversation) -> list[Dated]:
    """Return every Last-Modified that is a date."""
    return [
        (call, exchange, value)
        for exchange in conversation.exchanges
        for call, _, value in list_fields(exchange, "last-modified")
        if read_time(value) is not None
    ]


def read_time(value: str) -> float | None:
    """Return a date of HTTP in seconds since 1970, None where it is none."""
    if not _DATE.fullmatch(value.strip(" ")):
        return None
    try:
        return parsedate_to_datetime(value).timestamp()
    except ValueError:  # the 31st of February, or a month of no name
        return None
