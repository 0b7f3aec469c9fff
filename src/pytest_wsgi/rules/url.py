"""URLs that an application builds, as far as its redirects show them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote, urlsplit

from pytest_wsgi.catalogue import Finding, Party, rule
from pytest_wsgi.exchange import Conversation, Exchange
from pytest_wsgi.rules.comparison import against_plain_get, report_failures

if TYPE_CHECKING:
    from collections.abc import Iterator

_URL = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]*")
"""The characters of a URL (RFC 3986, 2); rules/known_headers.py judges a Location with others."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
"""The Location of any other response, such as a 201, is no place to go on to (RFC 9110, 10.2.2)."""

_DEFAULT_PORTS = {"http": 80, "https": 443}

_TWICE_ENCODED = "%C3%83%C2%A9"
"""What becomes of an é whose two bytes were taken for two characters and encoded once more."""


def read_location(exchange: Exchange) -> SplitResult | None:
    """Return where a redirect leads to on the same host, or None."""
    if exchange.response is None or exchange.code not in _REDIRECTS:
        return None
    for name, value in exchange.response.fields:
        if name.lower() == "location" and _URL.fullmatch(value):
            try:
                parts = urlsplit(value)
                host, _ = parts.hostname, parts.port
            except ValueError:
                return None
            return parts if host in (None, exchange.environ.get("SERVER_NAME")) else None
    return None


def read_text(exchange: Exchange, key: str) -> str:
    """Return a variable of environ, or an empty text."""
    value = exchange.environ.get(key)
    return value if type(value) is str else ""


def read_prefix(exchange: Exchange) -> str:
    """Return SCRIPT_NAME, or an empty text."""
    return read_text(exchange, "SCRIPT_NAME")


@rule(
    Conversation,
    checks="url-script-name-included",
    binds=Party.APPLICATION,
    when=against_plain_get("mounted"),
)
def application_works_below_a_prefix(conversation: Conversation) -> Iterator[Finding]:
    """The application answers when it is mounted below a prefix.

    Why: whoever deploys chooses where an application lives; SCRIPT_NAME says where.
    """
    yield from report_failures(conversation.exchanges, "an answer as without a prefix")


@rule(
    Exchange,
    checks="url-script-name-included",
    binds=Party.APPLICATION,
    when=lambda exchange: read_prefix(exchange) and read_location(exchange),
)
def redirect_stays_below_the_prefix(exchange: Exchange) -> Iterator[Finding]:
    """A redirect leads to a place below the prefix at which the application is mounted.

    Why: a path that is written into the code leads out of the application as soon as it is
    deployed below a prefix.
    """
    location = read_location(exchange)
    prefix = read_prefix(exchange)
    if (
        location is not None
        and location.path.startswith("/")
        and not f"{location.path}/".startswith(f"{prefix}/")
    ):
        yield Finding(
            expected=f"a path below {prefix}", observed=location.path, at=exchange.response
        )


@rule(
    Exchange,
    checks="url-default-port-omitted",
    binds=Party.APPLICATION,
    when=read_location,
)
def redirect_omits_the_default_port(exchange: Exchange) -> Iterator[Finding]:
    """A redirect names no port that is its scheme's own.

    Why: browsers take http://example.com:80/ for the same place, but comparisons of text, such as
    those of caches and login providers, do not.
    """
    location = read_location(exchange)
    if location is not None and location.port == _DEFAULT_PORTS.get(location.scheme, 0):
        yield Finding(expected="no port", observed=f":{location.port}", at=exchange.response)


@rule(
    Exchange,
    checks="url-path-quoted",
    binds=Party.APPLICATION,
    when=lambda exchange: exchange.probe == "utf8-path" and read_location(exchange),
)
def redirect_quotes_the_path_once(exchange: Exchange) -> Iterator[Finding]:
    """A redirect holds the bytes of PATH_INFO, percent-encoded once.

    Why: quote(environ["PATH_INFO"]) encodes the latin-1 text as UTF-8 and leads to a path that does
    not exist; it needs encoding="latin-1", which the PEP's own sample of rebuilding a URL lacks.
    """
    location = read_location(exchange)
    if location is not None and _TWICE_ENCODED in location.path.upper():
        yield Finding(expected="%C3%A9 for é", observed=_TWICE_ENCODED, at=exchange.response)


@rule(
    Exchange,
    checks="url-query-kept",
    binds=Party.APPLICATION,
    when=lambda exchange: read_text(exchange, "QUERY_STRING") and adds_a_slash(exchange),
)
def redirect_to_the_final_slash_keeps_the_query(exchange: Exchange) -> Iterator[Finding]:
    """A redirect that only adds the slash at the end of the path keeps the query.

    Why: whoever followed a link without the slash then gets another page: the first one of a list,
    or a search for nothing.
    """
    location = read_location(exchange)
    if location is not None and not location.query:
        yield Finding(
            expected="the query of the request",
            observed=f"a redirect to {location.path}",
            at=exchange.response,
        )


def adds_a_slash(exchange: Exchange) -> bool:
    """Tell whether a GET is redirected to its own path with a slash at the end."""
    location = read_location(exchange)
    if location is None or exchange.method != "GET":
        return False
    own = read_prefix(exchange) + read_text(exchange, "PATH_INFO")
    return unquote(location.path, "latin-1") == f"{own}/"
