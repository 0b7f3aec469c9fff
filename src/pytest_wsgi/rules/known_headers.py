"""Response headers that HTTP gives a meaning: how often they come, when, and in which form.

Each flaw has one rule: what holds of every header is judged in headers.py first, and
Content-Length in content_length.py.
"""

from __future__ import annotations

import re
from ipaddress import IPv6Address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pytest_wsgi.catalogue import Finding, Party, rule
from pytest_wsgi.exchange import Exchange
from pytest_wsgi.rules.responses import is_plain, is_readable, lacks, list_fields
from pytest_wsgi.showing import show_field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_wsgi.exchange import StartResponse

_ETAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')
_VISIBLE = re.compile(r"[\x21-\x7e]*")
_SECONDS = re.compile(r"[0-9]+")
_DATE = re.compile(
    r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-9]{2} "
    r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [0-9]{4} "
    r"[0-9]{2}:[0-9]{2}:[0-9]{2} GMT"
)
"""IMF-fixdate, RFC 9110, section 5.6.7."""

_ALREADY_EXPIRED = frozenset({"0", "-1"})
"""Values of Expires that are no dates and that every cache takes for the past."""

_SINGLETONS = (
    "content-length",
    "content-location",
    "content-range",
    "content-type",
    "date",
    "etag",
    "expires",
    "last-modified",
    "location",
    "retry-after",
)
_DATED = ("date", "expires", "last-modified", "retry-after")
_OF_CONTENT = ("content-type", "content-encoding")
_WITHOUT_CONTENT = frozenset({204, 205, 304})
_NOT_MODIFIED = 304


@rule(
    Exchange,
    checks="header-no-duplicate-singletons",
    binds=Party.APPLICATION,
    when=lambda exchange: list_fields(exchange, *_SINGLETONS),
)
def singleton_headers_come_once(exchange: Exchange) -> Iterator[Finding]:
    """A header that takes one value, such as Content-Length, Content-Type or Location, comes once.

    Why: each client or proxy believes another one; with Content-Length that is request smuggling,
    and ten of 15 servers send both. mod_wsgi keeps one; granian, Hypercorn and uvicorn break off or
    answer 500.
    """
    for call in exchange.start_responses:
        names = [name.lower() for name, _ in call.fields]
        for name in _SINGLETONS if len(set(names)) < len(names) else ():
            if names.count(name) > 1:
                yield Finding(
                    expected=f"{name} once", observed=f"{names.count(name)} times", at=call
                )


@rule(
    Exchange,
    checks="header-content-type-with-body",
    binds=Party.APPLICATION,
    when=lambda exchange: (
        exchange.body_length
        and exchange.method != "HEAD"
        and exchange.code not in _WITHOUT_CONTENT
        and is_readable(exchange)
    ),
    eased="RFC 9110 excuses a sender that does not know the type, and nobody can tell from outside",
)
def content_has_a_content_type(exchange: Exchange) -> Iterator[Finding]:
    """A response with content says its Content-Type.

    Why: without it a client guesses, and may run a text as a script. CGI demands it.
    """
    if lacks(exchange, "content-type"):
        yield Finding(
            expected="a Content-Type header",
            observed=f"{exchange.body_length} bytes without it",
            at=exchange.response,
        )


@rule(
    Exchange,
    checks="header-content-type-304",
    binds=Party.APPLICATION,
    when=lambda exchange: exchange.code == _NOT_MODIFIED,
    eased="RFC 9110 allows what guides caches, which cannot be told from outside",
)
def not_modified_has_no_content_type(exchange: Exchange) -> Iterator[Finding]:
    """A response 304 has no Content-Type and no Content-Encoding.

    Why: it has no content, and a cache that has some may replace its metadata by these.
    """
    for call, name, value in list_fields(exchange, *_OF_CONTENT):
        if call is exchange.response:
            yield Finding(expected="no such header", observed=show_field(name, value), at=call)


@rule(
    Exchange,
    checks="header-date-format",
    binds=Party.APPLICATION,
    when=lambda exchange: list_forms(exchange, *_DATED),
)
def dates_have_the_form_of_http(exchange: Exchange) -> Iterator[Finding]:
    """Date, Expires, Last-Modified and Retry-After have dates like Sun, 06 Nov 1994 08:49:37 GMT.

    Why: caches and clients ignore a date in another form, or read it in another time zone.
    """
    for call, name, value in list_forms(exchange, *_DATED):
        if not _DATE.fullmatch(value) and not is_other_time(name.lower(), value):
            yield Finding(expected="a date in GMT", observed=show_field(name, value), at=call)


@rule(
    Exchange,
    checks="header-etag-form",
    binds=Party.APPLICATION,
    when=lambda exchange: list_forms(exchange, "etag"),
)
def etag_is_quoted(exchange: Exchange) -> Iterator[Finding]:
    """The ETag is a text in double quotes, perhaps with W/ before it.

    Why: proxies and browsers drop one in another form, so that no request is ever conditional.
    """
    for call, name, value in list_forms(exchange, "etag"):
        if not _ETAG.fullmatch(value):
            yield Finding(expected='"..." or W/"..."', observed=show_field(name, value), at=call)


@rule(
    Exchange,
    checks="header-location-form",
    binds=Party.APPLICATION,
    when=lambda exchange: list_forms(exchange, "location"),
)
def location_is_a_uri_reference(exchange: Exchange) -> Iterator[Finding]:
    """The Location is a URI or a relative reference: ASCII, without spaces.

    Why: clients guess the encoding of other characters, and each goes to another place. Of 15
    servers 13 send an é as one byte, granian sends two, and asgiref answers 500.
    """
    for call, name, value in list_forms(exchange, "location"):
        if not _VISIBLE.fullmatch(value) or not can_be_split(value):
            yield Finding(
                expected="a URI reference in ASCII", observed=show_field(name, value), at=call
            )


def list_forms(exchange: Exchange, *names: str) -> list[tuple[StartResponse, str, str]]:
    """Return the headers of these names whose form can be judged, without spaces around."""
    return [
        (call, name, value.strip(" "))
        for call, name, value in list_fields(exchange, *names)
        if is_plain(value)
    ]


def is_other_time(name: str, value: str) -> bool:
    """Tell whether a value is lawful where others are dates (RFC 9110, 10.2.3; RFC 9111, 5.3)."""
    if name == "retry-after":
        return _SECONDS.fullmatch(value) is not None
    return name == "expires" and value in _ALREADY_EXPIRED


def can_be_split(reference: str) -> bool:
    """Tell whether a reference falls into the parts of a URI."""
    try:
        parts = urlsplit(reference)
        host = parts.hostname or ""
        if "[" in parts.netloc and not host.startswith("v"):
            IPv6Address(host)  # Python 3.10 takes anything in brackets for a host
    except ValueError:
        return False
    return True
