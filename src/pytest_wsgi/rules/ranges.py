"""Parts of a page: what a 206 and a 416 say of them (RFC 9110, 14.4).

That a Content-Range is there is judged in status.py, and Content-Length in content_length.py.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_wsgi.catalogue import Finding, Party, rule
from pytest_wsgi.exchange import Exchange
from pytest_wsgi.rules.content_length import has_whole_body
from pytest_wsgi.rules.responses import is_readable, list_values

if TYPE_CHECKING:
    from collections.abc import Iterator

_RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18}|\*)", re.IGNORECASE)
"""No content is longer than 18 digits say, and Python makes no int of very many."""

_UNSATISFIED = re.compile(r"bytes \*/[0-9]+", re.IGNORECASE)
_PARTIAL = 206
_NOT_SATISFIABLE = 416


@rule(
    Exchange,
    checks="status-206-content-range",
    binds=Party.APPLICATION,
    when=lambda exchange: exchange.code == _PARTIAL and is_readable(exchange),
)
def parts_are_sent_only_on_request(exchange: Exchange) -> Iterator[Finding]:
    """A response 206 answers a request with a Range header.

    Why: a client that asked for the page takes the part for the whole, and caches do not give it to
    anybody who asks for the page.
    """
    if "HTTP_RANGE" not in exchange.environ:
        yield Finding(
            expected="another status: the request has no Range",
            observed=exchange.code,
            at=exchange.response,
        )


@rule(
    Exchange,
    checks="status-206-content-range",
    binds=Party.APPLICATION,
    when=lambda exchange: exchange.code == _PARTIAL and read_byte_range(exchange),
)
def content_range_fits_the_body(exchange: Exchange) -> Iterator[Finding]:
    """The Content-Range of a 206 names the first and last byte of the body, and the whole length.

    Why: clients put parts together by it; one off by one, and a download or a film that was
    continued is corrupt.
    """
    value = read_byte_range(exchange)
    length = measure(value)
    if length is None:
        yield Finding(expected="bytes FIRST-LAST/LENGTH", observed=value, at=exchange.response)
    elif has_whole_body(exchange) and exchange.body_length != length:
        yield Finding(
            expected=f"{length} bytes, as {value} says",
            observed=f"{exchange.body_length} bytes",
            at=exchange.response,
        )


@rule(
    Exchange,
    checks="status-416-content-range",
    binds=Party.APPLICATION,
    when=lambda exchange: exchange.code == _NOT_SATISFIABLE and read_byte_range(exchange),
)
def content_range_of_416_is_the_length(exchange: Exchange) -> Iterator[Finding]:
    """The Content-Range of a 416 is bytes */LENGTH.

    Why: clients that continue a download learn from it that they have all; they cannot read another
    form.
    """
    value = read_byte_range(exchange)
    if not _UNSATISFIED.fullmatch(value):
        yield Finding(expected="bytes */LENGTH", observed=value, at=exchange.response)


def read_byte_range(exchange: Exchange) -> str:
    """Return the one Content-Range in bytes, or an empty text; other units have other forms."""
    response = exchange.response
    values = list_values(response, "content-range") if response is not None else []
    value = values[0].strip(" ") if len(values) == 1 else ""
    return value if value.lower().startswith("bytes") else ""


def measure(value: str) -> int | None:
    """Return the number of bytes that a Content-Range names, None where it has not its form."""
    match = _RANGE.fullmatch(value)
    if match is None:
        return None
    first, last = int(match[1]), int(match[2])
    is_inside = match[3] == "*" or last < int(match[3])
    return last - first + 1 if first <= last and is_inside else None
