"""How bodies go through middleware: block by block, and what was written first."""

from __future__ import annotations

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
from pytest_wsgi.rules.content_length import has_whole_body
from pytest_wsgi.rules.middleware import are_alike, find_source, is_whole
from pytest_wsgi.sandwich import Sandwich

if TYPE_CHECKING:
    from collections.abc import Iterator

_CONTAINERS = frozenset({"list", "tuple"})
"""What was returned so was made before: who reads all of it waits for nothing."""

_PAIR = 2
_ERROR = 400


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
