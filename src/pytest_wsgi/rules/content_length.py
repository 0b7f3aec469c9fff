"""Content-Length: that it is a number, and the right one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_wsgi.catalogue import Finding, Party, rule
from pytest_wsgi.exchange import Conversation, Exchange
from pytest_wsgi.rules.responses import is_plain, list_fields, list_values, read_length

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_NUMBER = re.compile(r"[0-9]+")
_INTERIM = range(100, 200)
_NO_CONTENT = 204
_NOT_MODIFIED = 304
_TARGET = (
    "SCRIPT_NAME",
    "PATH_INFO",
    "QUERY_STRING",
    "HTTP_ACCEPT_ENCODING",
    "HTTP_ACCEPT_LANGUAGE",
)
"""What tells one page from another."""

Comparison = tuple[Exchange, str, str]
"""An exchange, the Content-Length that it declares, and the length that the page has."""


@rule(
    Exchange,
    checks="header-content-length-form",
    binds=Party.APPLICATION,
    when=lambda exchange: list_fields(exchange, "content-length"),
)
def content_length_is_a_number(exchange: Exchange) -> Iterator[Finding]:
    """The Content-Length is written in ASCII digits and nothing else.

    Why: wsgiref, uWSGI, gevent, bjoern, Twisted and Werkzeug send on what it says, and the client
    cannot tell where the response ends.
    """
    for call, _, value in list_fields(exchange, "content-length"):
        if is_plain(value) and not _NUMBER.fullmatch(value):
            yield Finding(expected="digits", observed=value, at=call)


@rule(
    Exchange,
    checks="header-content-length-exact",
    binds=Party.APPLICATION,
    when=lambda exchange: has_whole_body(exchange) and find_length(exchange) is not None,
)
def content_length_is_exact(exchange: Exchange) -> Iterator[Finding]:
    """The Content-Length is the number of bytes of the body.

    Why: with fewer bytes than promised the client waits, as gunicorn (gthread), cheroot, mod_wsgi,
    gevent, bjoern and Twisted keep the connection open; with more, cheroot, gevent, bjoern and
    Twisted send the rest, and it is read as the beginning of the next response.
    """
    length = find_length(exchange)
    if length != str(exchange.body_length):
        yield Finding(
            expected=f"{length} bytes, as Content-Length says",
            observed=f"{exchange.body_length} bytes",
            at=exchange.response,
        )


@rule(
    Exchange,
    checks="header-no-content-length-1xx-204",
    binds=Party.APPLICATION,
    when=lambda exchange: exchange.code == _NO_CONTENT or exchange.code in _INTERIM,
    eased="Django's CommonMiddleware sends Content-Length: 0 with a 204, and no client minds",
)
def no_content_has_no_content_length(exchange: Exchange) -> Iterator[Finding]:
    """A response 1xx or 204 has no Content-Length.

    Why: it never has content; a Content-Length is one more thing to disagree on (RFC 9110, 8.6).
    Werkzeug takes it off a 204, Django's CommonMiddleware puts it on.
    """
    response = exchange.response
    for value in list_values(response, "content-length") if response is not None else ():
        yield Finding(expected="no Content-Length", observed=value, at=response)


@rule(
    Conversation,
    checks="header-content-length-head",
    binds=Party.APPLICATION,
    when=lambda conversation: conversation.probe == "battery" and compare_heads(conversation),
)
def content_length_of_head_is_that_of_get(conversation: Conversation) -> Iterator[Finding]:
    """The Content-Length in the answer to HEAD is the one that GET has.

    Why: HEAD is asked to learn it: a 0 there makes downloaders and caches take the page for empty.
    """
    for exchange, declared, length in compare_heads(conversation):
        if declared != length:
            yield Finding(
                expected=f"{length}, as with GET",
                observed=declared,
                at=exchange.response,
                exchange=exchange,
            )


@rule(
    Conversation,
    checks="header-content-length-304",
    binds=Party.APPLICATION,
    when=lambda conversation: conversation.probe == "battery" and compare_304(conversation),
    eased="wsgiref and Django's CommonMiddleware add Content-Length: 0 to a 304",
)
def content_length_of_not_modified_is_that_of_ok(conversation: Conversation) -> Iterator[Finding]:
    """The Content-Length in a response 304 is that of the 200.

    Why: a cache may update what it has stored by it, and then takes the page for another one.
    wsgiref and Django's CommonMiddleware add a Content-Length of 0 of their own.
    """
    for exchange, declared, length in compare_304(conversation):
        if declared != length:
            yield Finding(
                expected=f"{length}, as with 200",
                observed=declared,
                at=exchange.response,
                exchange=exchange,
            )


def find_length(exchange: Exchange) -> str | None:
    """Return the one Content-Length of the response, None where there is none or no number."""
    return None if exchange.response is None else read_length(exchange.response)


def has_whole_body(exchange: Exchange) -> bool:
    """Tell whether the body was read to its end, counts, and is all of bytes."""
    return (
        exchange.complete
        and exchange.method != "HEAD"
        and exchange.code not in {_NO_CONTENT, _NOT_MODIFIED}
        and exchange.code not in _INTERIM
        and all(block.base == "bytes" for block in exchange.blocks)
        and all(write.type_name == "bytes" and not write.raised for write in exchange.writes)
    )


def compare_heads(conversation: Conversation) -> list[Comparison]:
    """Return the answers to HEAD that have a Content-Length, each with the length of its page.

    One that came with a body of just that length is left out: Django renders the page for HEAD and
    leaves the body to the server, and a page that names the method has a length of its own.
    """

    def is_same_page(head: Exchange, get: Exchange) -> bool:
        return get.code == head.code and drop_method(get) == drop_method(head)

    return compare(
        conversation,
        lambda exchange: (
            exchange.method == "HEAD" and find_length(exchange) != str(exchange.body_length or -1)
        ),
        is_same_page,
    )


def compare_304(conversation: Conversation) -> list[Comparison]:
    """Return the responses 304 that have a Content-Length, each with the length of its page."""

    def is_same_page(stale: Exchange, get: Exchange) -> bool:
        return get.code == 200 and all(  # noqa: PLR2004 # OK
            get.environ.get(key) == stale.environ.get(key) for key in _TARGET
        )

    return compare(conversation, lambda exchange: exchange.code == _NOT_MODIFIED, is_same_page)


def compare(
    conversation: Conversation,
    is_asked: Callable[[Exchange], bool],
    is_same_page: Callable[[Exchange, Exchange], bool],
) -> list[Comparison]:
    """Return every asked exchange with a Content-Length whose page has one known length."""
    gets = [get for get in conversation.exchanges if get.method == "GET" and has_whole_body(get)]
    found: list[Comparison] = []
    for exchange in filter(is_asked, conversation.exchanges):
        declared = find_length(exchange)
        length = measure([get for get in gets if is_same_page(exchange, get)])
        if declared is not None and length is not None:
            found.append((exchange, declared, length))
    return found


def measure(gets: list[Exchange]) -> str | None:
    """Return the length of a page; None where it varies, is not exact, or was seen only once."""
    if len({get.digest for get in gets}) > 1:
        return None
    lengths = {str(get.body_length) for get in gets}
    lengths.update(length for length in map(find_length, gets) if length is not None)
    return lengths.pop() if len(gets) > 1 and len(lengths) == 1 else None


def drop_method(exchange: Exchange) -> dict[str, object]:
    """Return the environ but for the method."""
    return {key: value for key, value in exchange.environ.items() if key != "REQUEST_METHOD"}
