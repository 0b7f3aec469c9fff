"""Bodies that go through middleware: block by block, what was written first, lengths, encodings."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from pytest_wsgi.catalogue import Finding, Party, rule
from pytest_wsgi.exchange import (
    Block,
    Called,
    Conversation,
    Exchange,
    Returned,
    StartResponse,
    Write,
)
from pytest_wsgi.rules.content_length import find_length, has_whole_body
from pytest_wsgi.rules.middleware import are_alike, find_source, is_body_handed_on, is_whole
from pytest_wsgi.rules.responses import lacks, list_values
from pytest_wsgi.sandwich import Sandwich

if TYPE_CHECKING:
    from collections.abc import Iterator

_CONTAINERS = frozenset({"list", "tuple"})
"""What was returned so was made before: who reads all of it waits for nothing."""

_PAIR = 2
_ERROR = 400
_UNICODE = frozenset({"UnicodeDecodeError", "UnicodeEncodeError"})
_GZIP = 31
"""The window bits of zlib for a gzip file."""

_MAGIC = b"\x1f\x8b"
"""What every gzip file begins with."""


@rule(
    Sandwich,
    checks=(
        "middleware-yield-per-item",
        "middleware-no-blocking",
        "middleware-empty-when-buffering",
        "body-no-delay",
    ),
    binds=Party.APPLICATION,
    when=lambda sandwich: find_stream(sandwich) is not None,
)
def middleware_yields_before_it_asks_for_more(sandwich: Sandwich) -> Iterator[Finding]:
    """Middleware yields a block, be it an empty one, before it asks the application for the next.

    Why: a page that is made bit by bit comes all at once when it is joined: progress bars and
    server-sent events stand still, a large download is held in memory, and an event loop that
    serves other requests meanwhile is blocked.
    """
    source = find_stream(sandwich)
    asked = answered = 0
    is_returned = False
    for step in sandwich.steps:
        event = step.event
        if step.exchange is source:
            is_returned = is_returned or isinstance(event, Returned)
            if isinstance(event, Block) and event.length:
                if answered < asked:
                    yield Finding(
                        expected=f"{asked} blocks yielded, be they empty, before one more is taken",
                        observed=f"{asked + 1} blocks taken, {answered} yielded",
                        at=event,
                        exchange=source,
                    )
                    return
                asked += 1
        # What is written of what was yielded has a rule of its own.
        elif isinstance(event, Block) or (isinstance(event, Write) and is_returned):
            answered += 1


@rule(
    Sandwich,
    checks=("middleware-yield-per-item", "middleware-empty-when-buffering"),
    binds=Party.APPLICATION,
    when=lambda sandwich: any(
        not block.length for block in list_stream(find_stream(sandwich))[:-1]
    ),
)
def middleware_answers_empty_blocks(sandwich: Sandwich) -> Iterator[Finding]:
    """For an empty block of the application middleware yields a block, be it an empty one.

    Why: an empty block gives control back to the server while the application waits for something.
    Where it is left out, the server waits too, and so do the other requests of its thread.
    """
    source = find_stream(sandwich)
    is_started = is_waiting = False
    for step in sandwich.steps:
        event = step.event
        if step.exchange is not source:
            # Before that it may wait: several servers fail at a block without a status.
            is_started = is_started or isinstance(event, StartResponse)
            is_waiting = is_waiting and not isinstance(event, Block | Write)
        elif isinstance(event, Block):
            if is_waiting:
                yield Finding(
                    expected="a block for each one, be it an empty one",
                    observed="none for an empty one",
                    at=event,
                    exchange=source,
                )
                return
            is_waiting = is_started and not event.length


@rule(
    Sandwich,
    checks=("middleware-returns-immediately", "middleware-no-blocking"),
    binds=Party.APPLICATION,
    when=lambda sandwich: find_stream(sandwich) is not None,
)
def middleware_returns_before_it_iterates(sandwich: Sandwich) -> Iterator[Finding]:
    """Middleware returns an iterable when the application has, before it takes a block of it.

    Why: the server cannot do anything else until the call has returned. Who takes a block to learn
    the status can do so as well when its own first block is asked for.
    """
    source = find_stream(sandwich)
    is_returned = False
    for step in sandwich.steps:
        if step.exchange is not source:
            is_returned = is_returned or isinstance(step.event, Returned)
        elif isinstance(step.event, Block) and not is_returned:
            yield Finding(
                expected="no block taken before the middleware returns",
                observed="a block taken in its call",
                at=step.event,
                exchange=source,
            )
            return


@rule(
    Sandwich,
    checks="write-middleware-not-for-iterated",
    binds=Party.APPLICATION,
    when=lambda sandwich: (
        is_success(find_source(sandwich))
        and any(block.length for block in sandwich.inner[0].blocks)
        and not sandwich.inner[0].writes
    ),
)
def yielded_data_is_not_written(sandwich: Sandwich) -> Iterator[Finding]:
    """What the application yields, middleware yields: it does not write() it.

    Why: write() sends before it returns, so one slow client holds the thread, and servers that do
    without write() cannot serve this at all.
    """
    is_taken = False
    for step in sandwich.steps:
        event = step.event
        if step.exchange is not sandwich.outer:
            is_taken = is_taken or (isinstance(event, Block) and bool(event.length))
        elif is_taken and isinstance(event, Write):
            yield Finding(expected="blocks yielded", observed="write() of a block", at=event)
            return


@rule(
    Sandwich,
    checks="write-not-in-iterable",
    binds=Party.APPLICATION,
    when=lambda sandwich: (
        sandwich.outer.writes
        and any(write.place == "call" for inner in sandwich.inner for write in inner.writes)
    ),
)
def write_is_handed_on_before_the_return(sandwich: Sandwich) -> Iterator[Finding]:
    """What the application writes in its call, middleware writes in its own call, or yields.

    Why: a middleware that is a generator calls the application only when the server iterates. The
    application is right to write() then, but the server sees a write() from within the iterable,
    which PEP 3333 forbids.
    """
    running = 0
    for step in sandwich.steps:
        event = step.event
        if step.exchange is not sandwich.outer:
            running += isinstance(event, Called)
            running -= isinstance(event, Returned)
        elif running > 0 and isinstance(event, Write) and event.place != "call":
            yield Finding(
                expected="write() in the call, or a block yielded",
                observed="the application was called, and wrote, when the server iterated",
                at=event,
            )
            return


@rule(
    Conversation,
    checks="write-middleware-forwards",
    binds=Party.APPLICATION,
    only="middleware",
    when=lambda talk: talk.probe == "behind-written" and are_alike(talk.exchanges[:_PAIR]),
)
def written_data_is_part_of_the_body(talk: Conversation) -> Iterator[Finding]:
    """What the application writes comes out as the same data do when they are returned.

    Why: middleware that looks only at what is returned loses what was written, or leaves it as it
    was beside a body that it changes: half a page, half compressed.
    """
    first = talk.exchanges[0]
    for exchange, is_all in zip(talk.exchanges[_PAIR:], (False, True), strict=False):
        # Of all that is written, an empty tuple is left: who treats lists only may leave that be.
        is_gone = bool(first.body_length) and not exchange.body_length
        is_lost = is_gone if is_all else exchange.digest != first.digest
        if is_comparable(exchange, first) and is_lost and not is_reordered(exchange, first):
            yield Finding(
                expected=f"the {first.body_length} bytes as when all is returned",
                observed=f"{exchange.body_length} bytes, not the same",
                at=exchange.response,
                exchange=exchange,
            )


@rule(
    Conversation,
    checks="write-before-iterable",
    binds=Party.APPLICATION,
    only="middleware",
    when=lambda talk: talk.probe == "behind-written" and are_alike(talk.exchanges[:_PAIR]),
)
def written_data_comes_first(talk: Conversation) -> Iterator[Finding]:
    """What the application writes comes out before what it returns, in its order.

    Why: middleware that collects what is written and adds it at the end turns the page around.
    """
    first = talk.exchanges[0]
    for exchange in talk.exchanges[_PAIR:]:
        if is_comparable(exchange, first) and is_reordered(exchange, first):
            yield Finding(
                expected="what was written, then what was returned",
                observed="the same bytes in another order",
                at=exchange.response,
                exchange=exchange,
            )


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


def is_success(exchange: Exchange | None) -> bool:
    """Tell whether there is an exchange whose status tells of no error."""
    return exchange is not None and exchange.code is not None and exchange.code < _ERROR


def find_stream(sandwich: Sandwich) -> Exchange | None:
    """Return the inner exchange whose blocks were to be handed on one by one, if there is one.

    An error page may be replaced, an answer to HEAD has no use for blocks, and another thread that
    takes blocks keeps nobody waiting.
    """
    source, outer = find_source(sandwich), sandwich.outer
    if (
        source is None
        or not is_success(source)
        or not outer.complete
        or outer.method == "HEAD"
        or outer.block_count > len(outer.blocks)
        or source.returned is None
        or source.returned.base in _CONTAINERS
    ):
        return None
    threads = {event.thread for event in outer.events}
    is_same = all(block.thread in threads for block in source.blocks)
    return source if source.blocks and is_same else None


def list_stream(source: Exchange | None) -> tuple[Block, ...]:
    """Return the blocks of a stream, none where there is no stream."""
    return source.blocks if source is not None else ()


def is_comparable(exchange: Exchange, first: Exchange) -> bool:
    """Tell whether an answer is one as the first one is."""
    return is_whole(exchange) and exchange.code == first.code


def is_reordered(exchange: Exchange, first: Exchange) -> bool:
    """Tell whether two bodies, of which all is seen, have the same bytes in another order."""
    contents = read_content(exchange), read_content(first)
    return contents[0] != contents[1] and sorted(contents[0]) == sorted(contents[1])


def has_whole_bodies(sandwich: Sandwich) -> bool:
    """Tell whether the response has the status of the one application, and both bodies count."""
    source = find_source(sandwich)
    return source is not None and has_whole_body(source) and has_whole_body(sandwich.outer)


def read_content(exchange: Exchange) -> bytes:
    """Return a body of small blocks; of the bytes of a longer one only the first ones."""
    return b"".join(block.start for block in exchange.blocks)


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
