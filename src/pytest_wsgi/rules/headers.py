"""The response headers: the list, its items, names and values, and the names that are not allowed.

Each flaw has one rule: line breaks, control characters and what is not latin-1 come before the
form. What particular headers say is judged in known_headers.py and content_length.py.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_wsgi.catalogue import Finding, Party, rule
from pytest_wsgi.exchange import Exchange, Foreign
from pytest_wsgi.rules.responses import has_fields, list_calls, list_fields
from pytest_wsgi.showing import show_field, show_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_wsgi.exchange import StartResponse, Value

_LINE_BREAK = re.compile(r"[\r\n]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
"""Control characters but for CR, LF and TAB, which have rules of their own. Whether U+0080 to
U+009F count, the PEP does not say."""

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONNECTION = ("connection", "keep-alive", "proxy-connection")
_HOP_BY_HOP = ("proxy-authenticate", "proxy-authorization", "te", "trailer", "trailers", "upgrade")
"""RFC 2616, section 13.5.1, but for Transfer-Encoding and what names the connection."""

_PROXY_AUTHENTICATION = "407"
_PAIR = 2


@rule(Exchange, checks="header-list-type", binds=Party.APPLICATION, when=list_calls)
def headers_are_a_list(exchange: Exchange) -> Iterator[Finding]:
    """The headers are a list: exactly the builtin type.

    Why: the server may change them in any way. A tuple is refused by wsgiref, uWSGI, mod_wsgi and
    bjoern, and taken by eleven others; an iterator is empty at its second reading.
    """
    for call in list_calls(exchange):
        if call.headers_type != "list":
            yield Finding(expected="a list", observed=f"a {call.headers_type}", at=call)


@rule(
    Exchange,
    checks="header-item-tuple",
    binds=Party.APPLICATION,
    when=lambda exchange: any(call.headers for call in exchange.start_responses),
)
def headers_are_pairs(exchange: Exchange) -> Iterator[Finding]:
    """Each header is a tuple of a name and a value.

    Why: the servers written in C take nothing else, and one item that cannot be unpacked is a 500.
    """
    for call in exchange.start_responses:
        for item in call.malformed:
            # Whether a subclass of tuple will do is disputed; servers take it.
            if not is_pair(item) and not (isinstance(item, Foreign) and item.base == "tuple"):
                yield Finding(
                    expected="a tuple of name and value", observed=describe_item(item), at=call
                )


@rule(
    Exchange,
    checks=("header-name-native-str", "unicode-native-str-exact"),
    binds=Party.APPLICATION,
    when=lambda exchange: has_fields(exchange) or list_odd_pairs(exchange),
)
def header_names_are_native_strings(exchange: Exchange) -> Iterator[Finding]:
    """The name of each header is a str.

    Why: servers join it with text. Bytes are an error on most, and come out as "b'X-Name'" on
    Werkzeug's.
    """
    for call, name, _ in list_odd_pairs(exchange):
        if type(name) is not str:
            yield Finding(expected="a str as name", observed=name, at=call)


@rule(
    Exchange,
    checks=("header-value-native-str", "unicode-native-str-exact"),
    binds=Party.APPLICATION,
    when=lambda exchange: has_fields(exchange) or list_odd_pairs(exchange),
)
def header_values_are_native_strings(exchange: Exchange) -> Iterator[Finding]:
    """The value of each header is a str.

    Why: an int as Content-Length, bytes or a lazy translation are a 500 on most servers;
    Werkzeug's sends whatever str() makes of them.
    """
    for call, name, value in list_odd_pairs(exchange):
        if type(value) is not str:
            yield Finding(expected="a str as value", observed=show_field(name, value), at=call)


@rule(
    Exchange,
    checks="header-name-token",
    binds=Party.APPLICATION,
    ambiguity="punctuation-in-a-name",
    when=has_fields,
)
def header_names_are_tokens(exchange: Exchange) -> Iterator[Finding]:
    """The name of each header is a token: ASCII letters, digits and !#$%&'*+-.^_`|~.

    Why: with anything else the line is no header. gunicorn and mod_wsgi refuse it in
    start_response, Hypercorn, Twisted and uvicorn fail later, and other servers send what clients
    and proxies refuse or read in two ways.
    """
    for call, name, _ in list_fields(exchange):
        if not _TOKEN.fullmatch(name) and is_narrow(name) and not re.search("[\r\n:]", name):
            yield Finding(expected="a token as name", observed=show_name(name), at=call)


@rule(Exchange, checks="header-name-no-colon", binds=Party.APPLICATION, when=has_fields)
def header_names_have_no_colon(exchange: Exchange) -> Iterator[Finding]:
    """The name of a header has no colon.

    Why: the server adds the one between name and value; the client takes all that follows the
    first for the value.
    """
    for call, name, _ in list_fields(exchange):
        if ":" in name and not _LINE_BREAK.search(name):
            yield Finding(expected="a name without a colon", observed=show_name(name), at=call)


@rule(Exchange, checks="header-name-no-crlf", binds=Party.APPLICATION, when=has_fields)
def header_names_have_no_line_break(exchange: Exchange) -> Iterator[Finding]:
    """The name of a header has no CR and no LF.

    Why: what follows becomes a header of its own, or the body: response splitting.
    """
    for call, name, _ in list_fields(exchange):
        if _LINE_BREAK.search(name):
            yield Finding(expected="one line", observed=show_name(name), at=call)


@rule(Exchange, checks="header-value-no-crlf", binds=Party.APPLICATION, when=has_fields)
def header_values_have_no_line_break(exchange: Exchange) -> Iterator[Finding]:
    """The value of a header has no CR and no LF, not even to fold it.

    Why: what follows becomes a header of its own: response splitting. wsgiref, cheroot, uWSGI,
    bjoern and Werkzeug send the injected header to the client; granian drops the whole header
    without a word; gunicorn, waitress, mod_wsgi and gevent refuse it.
    """
    for call, name, value in list_fields(exchange):
        if _LINE_BREAK.search(value):
            yield Finding(expected="one line", observed=show_field(name, value), at=call)


@rule(Exchange, checks="header-value-no-control-chars", binds=Party.APPLICATION, when=has_fields)
def header_values_have_no_control_characters(exchange: Exchange) -> Iterator[Finding]:
    """The value of a header has no control characters.

    Why: HTTP forbids them there; gunicorn and mod_wsgi answer 500, granian drops the header
    without a word, and a NUL cuts the value short in clients written in C.
    """
    for call, name, value in list_fields(exchange):
        if _CONTROL.search(value):
            yield Finding(
                expected="no control characters", observed=show_field(name, value), at=call
            )


@rule(
    Exchange,
    checks="header-value-tab",
    binds=Party.APPLICATION,
    ambiguity="tab-in-a-value",
    when=has_fields,
)
def header_values_have_no_tab(exchange: Exchange) -> Iterator[Finding]:
    """The value of a header has no tab.

    Why: the PEP forbids control characters, and a tab is one; wsgiref.validate refuses it. HTTP
    allows it, and all of 15 servers take it.
    """
    for call, name, value in list_fields(exchange):
        if "\t" in value and not _LINE_BREAK.search(value):
            yield Finding(expected="no tab", observed=show_field(name, value), at=call)


@rule(Exchange, checks="header-value-no-surrounding-ws", binds=Party.APPLICATION, when=has_fields)
def header_values_have_no_surrounding_whitespace(exchange: Exchange) -> Iterator[Finding]:
    """The value of a header neither begins nor ends with a space.

    Why: HTTP drops such spaces, so tests in the process see another value than clients do.
    """
    for call, name, value in list_fields(exchange):
        if value.strip(" ") != value and name.lower() != "content-length":
            yield Finding(
                expected="no space at either end", observed=show_field(name, value), at=call
            )


@rule(
    Exchange,
    checks=("header-no-hop-by-hop", "middleware-no-hop-by-hop"),
    binds=Party.APPLICATION,
    ambiguity="hop-by-hop-list",
    when=has_fields,
)
def headers_are_end_to_end(exchange: Exchange) -> Iterator[Finding]:
    """No header is hop-by-hop: TE, Trailer, Upgrade, Proxy-Authenticate, Proxy-Authorization.

    Why: they are the server's to send, about a connection of its own. wsgiref (but not under
    python -O) and waitress raise, gunicorn drops them, and others send what they do not do.
    """
    for call, name, value in list_fields(exchange, *_HOP_BY_HOP):
        # RFC 9110 asks for Proxy-Authenticate in a 407, and no longer calls it hop-by-hop.
        asks = str(call.status).startswith(_PROXY_AUTHENTICATION)
        if not asks or name.lower() != "proxy-authenticate":
            yield Finding(expected="end-to-end headers", observed=show_field(name, value), at=call)


@rule(Exchange, checks="header-no-persistence-control", binds=Party.APPLICATION, when=has_fields)
def headers_leave_the_connection_alone(exchange: Exchange) -> Iterator[Finding]:
    """No header is about the connection: Connection, Keep-Alive, Proxy-Connection.

    Why: only the server knows whether it keeps the connection open. wsgiref and waitress raise;
    gunicorn, Hypercorn and uvicorn drop Connection; elsewhere the client waits on a connection that
    closes, or the other way round.
    """
    for call, name, value in list_fields(exchange, *_CONNECTION):
        yield Finding(expected="no such header", observed=show_field(name, value), at=call)


@rule(Exchange, checks="header-no-transfer-encoding", binds=Party.APPLICATION, when=has_fields)
def headers_have_no_transfer_encoding(exchange: Exchange) -> Iterator[Finding]:
    """No header is Transfer-Encoding: the server chooses the framing.

    Why: it corrupts the framing on six servers. cheroot, gevent and Werkzeug send the header
    twice; uWSGI, bjoern and mod_wsgi send a body that is not chunked under it.
    """
    for call, name, value in list_fields(exchange, "transfer-encoding"):
        yield Finding(expected="no such header", observed=show_field(name, value), at=call)


@rule(Exchange, checks="header-no-status", binds=Party.APPLICATION, when=has_fields)
def headers_name_no_status(exchange: Exchange) -> Iterator[Finding]:
    """No header is called Status: the status is an argument of its own.

    Why: a CGI gateway would print two; mod_wsgi lets the header replace the real status,
    so that a 200 becomes a 404 there.
    """
    for call, name, value in list_fields(exchange, "status"):
        yield Finding(expected="no such header", observed=show_field(name, value), at=call)


def list_odd_pairs(exchange: Exchange) -> list[tuple[StartResponse, Value, Value]]:
    """Return every pair that is not one of two str, with its call."""
    return [
        (call, item[0], item[1])
        for call in exchange.start_responses
        for item in call.malformed
        if isinstance(item, tuple) and len(item) == _PAIR
    ]


def is_pair(item: Value) -> bool:
    """Tell whether an item is a tuple of two."""
    return isinstance(item, tuple) and len(item) == _PAIR


def is_narrow(text: str) -> bool:
    """Tell whether a text is latin-1."""
    return all(character <= "\xff" for character in text)


def describe_item(item: Value) -> str:
    """Return the type and length of an item; what it holds may be a secret."""
    if isinstance(item, (tuple, list)):
        return f"a {type(item).__name__} of {len(item)}"
    return f"a {item.type_name if isinstance(item, Foreign) else type(item).__name__}"
