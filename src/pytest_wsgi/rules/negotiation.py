"""Content that depends on what the client accepts: its coding, and the header Vary."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_wsgi.catalogue import Finding, Party, rule
from pytest_wsgi.exchange import Conversation, Exchange
from pytest_wsgi.rules.comparison import pick
from pytest_wsgi.rules.requests import list_plain
from pytest_wsgi.rules.responses import is_readable, list_values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_GZIP = b"\x1f\x8b\x08"
"""How content begins that gzip made (RFC 1952, 2.3.1)."""

_TEXT = re.compile(
    r"(?:text/[\w.+-]+|[\w.-]+/(?:[\w.+-]+\+)?(?:json|xml|javascript))\s*(?:;.*)?", re.IGNORECASE
)
"""Content types of which no content begins as gzip's does."""

_WITHOUT_CONTENT = frozenset({204, 205, 304})
_OK = 200
_PARTIAL = 206

_NEGOTIATED = {"encodings": "accept-encoding", "languages": "accept-language"}
"""The probes that ask twice in one way and once in another, and the header in which they differ."""

_ROUND = 3
_CONSTANT = 4
"""How many plain answers must be the same for a page to count as constant."""

_UNSHARED = frozenset({"no-store", "private", "no-cache", "max-age=0"})
"""Directives after which no cache gives the answer to somebody else, or none without asking."""


@rule(
    Exchange,
    checks="header-content-encoding-listed",
    binds=Party.APPLICATION,
    when=lambda exchange: (
        has_known_start(exchange) and is_text(exchange) and not is_saved(exchange)
    ),
)
def compressed_content_is_declared(exchange: Exchange) -> Iterator[Finding]:
    """Text that is compressed by gzip has the header Content-Encoding: gzip.

    Why: without it a browser shows the compressed bytes, and a cache gives them to clients that
    cannot read them.
    """
    if read_start(exchange).startswith(_GZIP) and set(list_codings(exchange)) <= {"identity"}:
        yield Finding(
            expected="Content-Encoding: gzip",
            observed="gzip's first bytes without it",
            at=exchange.response,
        )


@rule(
    Exchange,
    checks="header-content-encoding-listed",
    binds=Party.APPLICATION,
    when=lambda exchange: has_known_start(exchange) and is_declared_gzip(exchange),
)
def declared_compression_is_applied(exchange: Exchange) -> Iterator[Finding]:
    """Content with Content-Encoding: gzip is compressed by gzip.

    Why: clients decompress it first, and fail: the page is an error to whoever asks for it.
    """
    start = read_start(exchange)
    if not start.startswith(_GZIP) and not _GZIP.startswith(start):
        yield Finding(expected="gzip's first bytes", observed=start[:20], at=exchange.response)


@rule(
    Conversation,
    checks="header-vary-on-negotiation",
    binds=Party.APPLICATION,
    when=lambda conversation: conversation.probe == "battery" and list_varying(conversation),
)
def vary_names_what_the_content_depends_on(conversation: Conversation) -> Iterator[Finding]:
    """Content that depends on Accept-Encoding or Accept-Language has a Vary that names that header.

    Why: without it a cache in between gives one user's language, or compressed bytes, to all. With
    Cache-Control: private or no-store there is no such cache.
    """
    for name, exchange in list_varying(conversation):
        named = list_words(exchange, "vary")
        if name not in named and "*" not in named:
            yield Finding(
                expected=f"Vary with {name.title()}",
                observed=", ".join(named) or "no Vary",
                at=exchange.response,
                exchange=exchange,
            )


def has_known_start(exchange: Exchange) -> bool:
    """Tell whether there is content of which the first bytes were kept: all of it was yielded."""
    return (
        exchange.body_length > 0
        and exchange.method != "HEAD"
        and exchange.code not in _WITHOUT_CONTENT
        and exchange.code != _PARTIAL
        and not exchange.writes
        and is_readable(exchange)
    )


def read_start(exchange: Exchange) -> bytes:
    """Return the first bytes of the content."""
    start = b""
    for block in exchange.blocks:
        start += block.start
        if len(start) >= len(_GZIP):
            break
    return start


def list_words(exchange: Exchange, name: str) -> list[str]:
    """Return the members of a header that is a list, in lower case."""
    values = list_values(exchange.response, name) if exchange.response is not None else []
    return [word.strip().lower() for value in values for word in value.split(",") if word.strip()]


def list_codings(exchange: Exchange) -> list[str]:
    """Return the content codings in the order in which they were applied."""
    return list_words(exchange, "content-encoding")


def is_declared_gzip(exchange: Exchange) -> bool:
    """Tell whether gzip is said to be the last coding that was applied."""
    return list_codings(exchange)[-1:] in (["gzip"], ["x-gzip"])


def is_text(exchange: Exchange) -> bool:
    """Tell whether the content is said to be a text."""
    types = list_values(exchange.response, "content-type") if exchange.response is not None else []
    return len(types) == 1 and _TEXT.fullmatch(types[0].strip()) is not None


def is_saved(exchange: Exchange) -> bool:
    """Tell whether the content is a file to save as it is.

    Flask gives a .txt.gz that is an attachment its type and no coding, for browsers unpack it else.
    """
    response = exchange.response
    values = list_values(response, "content-disposition") if response is not None else []
    return any(value.strip().lower().startswith("attachment") for value in values)


def list_varying(conversation: Conversation) -> list[tuple[str, Exchange]]:
    """Return the answers that depend on a header of the request, each with that header's name."""
    plain = list_plain(conversation)
    found: list[tuple[str, Exchange]] = []
    if len(plain) < _CONSTANT:
        return found
    for probe, name in _NEGOTIATED.items():
        answers = pick(conversation, probe)
        if len(answers) == _ROUND and depends(answers, plain):
            found.extend((name, answer) for answer in answers[:2] if is_tailored(name, answer))
    return found


def depends(answers: tuple[Exchange, ...], plain: list[Exchange]) -> bool:
    """Tell whether the page follows the header, and nothing else: it is the same otherwise.

    Compressed content may differ each time (Django adds random bytes), a page may show the time:
    so codings, languages and bytes are compared each for themselves.
    """
    if not all(is_cacheable(answer) for answer in (*answers, *plain)):
        return False
    first, other, again = answers
    return any(
        read(first) == read(again) != read(other) and len({read(page) for page in plain}) == 1
        for read in _TRAITS
    )


def read_codings(exchange: Exchange) -> str:
    """Return the content codings as one text."""
    return ", ".join(list_codings(exchange))


def read_languages(exchange: Exchange) -> str:
    """Return the languages of the content as one text."""
    return ", ".join(list_words(exchange, "content-language"))


def read_digest(exchange: Exchange) -> str:
    """Return what stands for the bytes of the content."""
    return exchange.digest


_TRAITS: tuple[Callable[[Exchange], str], ...] = (read_codings, read_languages, read_digest)


def is_cacheable(exchange: Exchange) -> bool:
    """Tell whether a cache may keep the answer and give it to somebody else."""
    return (
        exchange.code == _OK
        and exchange.complete
        and is_readable(exchange)
        and _UNSHARED.isdisjoint(list_words(exchange, "cache-control"))
        and _UNSHARED.isdisjoint(list_words(exchange, "pragma"))
        and "0" not in list_words(exchange, "expires")
    )


def is_tailored(name: str, exchange: Exchange) -> bool:
    """Tell whether an answer is for some clients only: everybody can read uncompressed content."""
    return name != "accept-encoding" or bool(list_codings(exchange))
