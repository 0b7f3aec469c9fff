"""What bodies are after a middleware: their bytes, their length, their coding."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from pytest_wsgi.catalogue import Finding, Party, rule
from pytest_wsgi.rules.content_length import find_length, has_whole_body
from pytest_wsgi.rules.middleware import find_source, is_body_handed_on
from pytest_wsgi.rules.middleware_body import has_whole_bodies, read_content
from pytest_wsgi.rules.responses import lacks, list_values
from pytest_wsgi.sandwich import Sandwich

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_wsgi.exchange import Exchange

_UNICODE = frozenset({"UnicodeDecodeError", "UnicodeEncodeError"})


_GZIP = 31
"""The window bits of zlib for a gzip file."""


_MAGIC = b"\x1f\x8b"
"""What every gzip file begins with."""


@rule(
    Sandwich,
    checks="middleware-content-length-updated",
    binds=Party.APPLICATION,
    when=lambda sandwich: (
        has_whole_bodies(sandwich) and sandwich.outer.digest != sandwich.inner[0].digest
    ),
)
def changed_body_gets_a_new_content_length(sandwich: Sandwich) -> Iterator[Finding]:
    """A body that middleware has changed does not go out with the application's Content-Length.

    Why: what was added is cut off, or read as the beginning of the next response; where bytes were
    taken away the client waits for them until it gives up.
    """
    outer, (inner,) = sandwich.outer, sandwich.inner
    length = find_length(outer)
    if (
        length == find_length(inner) == str(inner.body_length)
        and outer.body_length != inner.body_length
    ):
        yield Finding(
            expected=f"Content-Length {outer.body_length}, or none",
            observed=f"{length}, as the application had said of its own body",
            at=outer.response,
        )


@rule(
    Sandwich,
    checks="body-auto-content-length-correct",
    binds=Party.APPLICATION,
    when=lambda sandwich: (
        find_source(sandwich) is not None
        and find_length(sandwich.outer) not in {None, find_length(sandwich.inner[0])}
    ),
)
def content_length_of_middleware_is_right(sandwich: Sandwich) -> Iterator[Finding]:
    """A Content-Length that middleware has put on is the number of bytes, and not made up for HEAD.

    Why: it counts letters for bytes, or what is returned without what was written. Of an answer to
    HEAD it counts nothing: Content-Length: 0 makes downloaders and caches take the page for empty.
    """
    outer, (inner,) = sandwich.outer, sandwich.inner
    length = find_length(outer)
    if has_whole_body(outer) and length != str(outer.body_length):
        observed = f"{length}, which is not the application's"
        yield Finding(expected=f"{outer.body_length}", observed=observed, at=outer.response)
    if outer.method == "HEAD" and length == "0" and lacks(inner, "content-length"):
        yield Finding(expected="no Content-Length, as behind", observed="0", at=outer.response)


@rule(
    Sandwich,
    checks="body-binary-unaltered",
    binds=Party.APPLICATION,
    when=lambda sandwich: len(sandwich.inner) == 1 and is_beyond_ascii(sandwich.inner[0]),
)
def bytes_of_the_body_are_kept(sandwich: Sandwich) -> Iterator[Finding]:
    """Blocks are bytes to middleware: letters may go over their ends, and some are no text.

    Why: who decodes each block by itself fails in the middle of a letter, or puts replacement
    characters into the page; line ends that are changed break downloads.
    """
    outer, (inner,) = sandwich.outer, sandwich.inner
    errors = [error for error in outer.raised if error.type_name in _UNICODE]
    if errors and not inner.raised:
        observed = errors[0].type_name
        yield Finding(expected="no exception", observed=observed, at=errors[0])
        return
    before, after = read_content(inner), read_content(outer)
    if inner.code != outer.code or before in after:
        return
    for name, damaged in damage(inner):
        if damaged != before and damaged in after:
            yield Finding(expected="the bytes as they were", observed=name, at=outer.returned)
            return


@rule(
    Sandwich,
    checks=("header-all-transmitted", "middleware-respects-content-encoding"),
    binds=Party.APPLICATION,
    when=lambda sandwich: (
        is_body_handed_on(sandwich)
        and sandwich.outer.body_length
        and list_codings(sandwich.inner[0])
    ),
)
def encoded_body_keeps_its_content_encoding(sandwich: Sandwich) -> Iterator[Finding]:
    """A body whose bytes are handed on keeps the Content-Encoding that the application gave it.

    Why: without it the browser shows the compressed bytes, or saves them as a file.
    """
    outer, (inner,) = sandwich.outer, sandwich.inner
    expected, observed = list_codings(inner), list_codings(outer)
    if expected != observed:
        yield Finding(
            expected=f"Content-Encoding {', '.join(expected)}",
            observed=", ".join(observed) or "none",
            at=outer.response,
        )


@rule(
    Sandwich,
    checks="middleware-respects-content-encoding",
    binds=Party.APPLICATION,
    when=lambda sandwich: (
        find_source(sandwich) is not None
        and sandwich.outer.complete
        and list_codings(sandwich.inner[0]) == ["gzip"]
        and not find_gzip_fault(sandwich.inner[0])
        and list_codings(sandwich.outer) == ["gzip"]
    ),
)
def encoded_body_is_left_alone(sandwich: Sandwich) -> Iterator[Finding]:
    """A body that is compressed already is not edited, and not compressed once more.

    Why: a footer behind gzip bytes, or a second compression under one Content-Encoding, is a page
    that no browser can read.
    """
    fault = find_gzip_fault(sandwich.outer)
    if fault:
        yield Finding(
            expected="gzip, as Content-Encoding says",
            observed=fault,
            at=sandwich.outer.returned,
        )


def is_seen(exchange: Exchange) -> bool:
    """Tell whether `read_content` returns the whole body."""
    return not exchange.writes and len(read_content(exchange)) == exchange.body_length


def is_beyond_ascii(exchange: Exchange) -> bool:
    """Tell whether the whole body is seen, and is not of ASCII only."""
    return is_seen(exchange) and not read_content(exchange).isascii()


def damage(exchange: Exchange) -> Iterator[tuple[str, bytes]]:
    """Yield what is often made of a body, each with a name."""
    content = read_content(exchange)
    blocks = [block.start for block in exchange.blocks]
    for errors in ("replace", "ignore"):
        yield (
            "bytes that are no text replaced or left out",
            content.decode("utf-8", errors).encode(),
        )
        yield (
            "letters cut at the ends of blocks",
            b"".join(block.decode("utf-8", errors).encode() for block in blocks),
        )
        yield (
            "letters that are not ASCII replaced or left out",
            content.decode("ascii", errors).encode("ascii", errors),
        )
    yield "bytes taken for latin-1 and encoded as UTF-8", content.decode("latin-1").encode()
    yield "line ends changed", content.replace(b"\r\n", b"\n")
    yield "line ends changed", content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def list_codings(exchange: Exchange) -> list[str]:
    """Return the content codings of a response in lower case, in order."""
    response = exchange.response
    values = list_values(response, "content-encoding") if response is not None else []
    words = (word.strip().lower() for value in values for word in value.split(","))
    return [word for word in words if word]


def find_gzip_fault(exchange: Exchange) -> str:
    """Return what is wrong with what is seen of a gzip file, an empty text for nothing."""
    content = read_content(exchange)
    if not content:
        return "" if exchange.writes or not exchange.body_length else "something else"
    reader = zlib.decompressobj(_GZIP)
    try:
        text = reader.decompress(content)
    except zlib.error:
        return "something else"
    if text.startswith(_MAGIC):
        return "gzip in gzip"
    return (
        "something else behind it"
        if reader.unused_data.strip(b"\0")[:2] not in {b"", _MAGIC}
        else ""
    )
