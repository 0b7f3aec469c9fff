"""The body: the iterable that the application returns, and its blocks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_wsgi.catalogue import Finding, Party, rule
from pytest_wsgi.exchange import Block, Conversation, Exchange
from pytest_wsgi.rules.comparison import has_answered

if TYPE_CHECKING:
    from collections.abc import Iterator

_PLAIN = frozenset({"bytes", "str", "bytearray", "memoryview"})
"""Types whose items are numbers or letters: as a whole they are a block, not a body."""

_BUFFERS = frozenset({"bytearray", "memoryview"})

_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})(?:;[^\r\n]*)?\r\n")
_LAST_CHUNK = re.compile(rb"0+(?:;[^\r\n]*)?\r\n(?:[!-9;-~]+:[^\r\n]*\r\n)*\r\n")

_SMALL_BLOCK = 16
_LONG_BODY = 1024

_SUCCESS = range(200, 300)
_ERROR = 400


@rule(
    Exchange,
    checks="body-iterable-returned",
    binds=Party.APPLICATION,
    when=lambda exchange: exchange.returned and not exchange.writes,
)
def application_returns_an_iterable(exchange: Exchange) -> Iterator[Finding]:
    """The application returns an iterable, be it an empty one.

    Why: servers iterate over what they get; None is a TypeError after the status has been taken.
    """
    returned = exchange.returned
    if returned is not None and not returned.iterable:
        yield Finding(expected="an iterable", observed=returned.type_name, at=returned)


@rule(
    Exchange,
    checks="body-not-plain-bytes",
    binds=Party.APPLICATION,
    when=lambda exchange: exchange.returned and exchange.returned.iterable,
)
def body_is_not_one_string(exchange: Exchange) -> Iterator[Finding]:
    """The application returns an iterable of blocks, not one bytes or str object.

    Why: iterating over bytes gives numbers. uWSGI and bjoern make a body of it all the same,
    hypercorn sends NUL bytes, and other servers fail.
    """
    returned = exchange.returned
    if returned is not None and returned.type_name in _PLAIN:
        yield Finding(
            expected="an iterable of bytes, such as a list",
            observed=returned.type_name,
            at=returned,
        )


def has_blocks(exchange: Exchange) -> bool:
    """Tell whether there are blocks. The items of a string returned as a whole body are none."""
    returned = exchange.returned
    return bool(exchange.blocks) and not (returned and returned.type_name in _PLAIN)


def find_block(exchange: Exchange, bases: frozenset[str]) -> Block | None:
    """Return the first block that is of or derives from one of these builtin types."""
    return next((block for block in exchange.blocks if block.base in bases), None)


@rule(
    Exchange,
    checks="body-items-bytes",
    binds=Party.APPLICATION,
    when=has_blocks,
)
def blocks_are_bytes(exchange: Exchange) -> Iterator[Finding]:
    """Every block of the body is bytes.

    Why: most servers answer a str with 200 OK and an empty, truncated body.
    """
    others = frozenset(block.base for block in exchange.blocks) - _BUFFERS - {"bytes"}
    block = find_block(exchange, others)
    if block is not None:
        yield Finding(expected="bytes", observed=block.type_name, at=block)


@rule(
    Exchange,
    checks="body-items-bytearray",
    binds=Party.APPLICATION,
    ambiguity="buffers-as-blocks",
    when=has_blocks,
)
def blocks_are_not_buffers(exchange: Exchange) -> Iterator[Finding]:
    """No block of the body is a bytearray or a memoryview.

    Why: waitress, gevent, granian and hypercorn send them; gunicorn, cheroot, uWSGI, Twisted and
    Werkzeug send a body without them, and wsgiref, mod_wsgi and bjoern answer 500.
    """
    block = find_block(exchange, _BUFFERS)
    if block is not None:
        yield Finding(expected="bytes", observed=block.type_name, at=block)


@rule(
    Exchange,
    checks="unicode-bytes-exact",
    binds=Party.APPLICATION,
    when=lambda exchange: exchange.blocks,
)
def blocks_are_of_no_subclass(exchange: Exchange) -> Iterator[Finding]:
    """No block of the body is of a class that derives from bytes.

    Why: bytestrings are of type bytes in WSGI; wsgiref's server tests for exactly that and fails.
    """
    for block in exchange.blocks:
        if block.base == "bytes" and block.type_name != "bytes":
            yield Finding(expected="bytes itself", observed=block.type_name, at=block)
            return


@rule(
    Exchange,
    checks="body-len-accurate",
    binds=Party.APPLICATION,
    when=lambda exchange: (
        exchange.complete and exchange.measured and exchange.measured.raised is None
    ),
)
def len_is_the_number_of_blocks(exchange: Exchange) -> Iterator[Finding]:
    """Where len() of the iterable works, it is the number of blocks.

    Why: a server that sees len() == 1 takes the first block for the whole body and makes a
    Content-Length of it; waitress then cuts the body, wsgiref sends more than it announced.
    """
    measured = exchange.measured
    if measured is not None and measured.length != exchange.block_count:
        yield Finding(expected=str(exchange.block_count), observed=measured.length, at=measured)


@rule(
    Exchange,
    checks="body-head-application",
    binds=Party.APPLICATION,
    ambiguity="head-body",
    when=lambda exchange: exchange.method == "HEAD" and exchange.complete,
)
def head_has_no_body(exchange: Exchange) -> Iterator[Finding]:
    """The application itself sends no body in answer to HEAD.

    Why: wsgiref, waitress, cheroot, uWSGI, gevent, bjoern and Werkzeug, seven of fifteen server
    configurations, pass such a body on, and clients take it for the beginning of the next response.
    """
    if exchange.body_length:
        yield Finding(expected="no bytes", observed=exchange.body_length, at=exchange.response)


@rule(
    Conversation,
    checks="body-head-same-headers",
    binds=Party.APPLICATION,
    when=lambda conversation: (
        conversation.probe == "head"
        and has_answered(conversation.baseline)
        and conversation.baseline is not None
        and conversation.baseline.code in _SUCCESS
    ),
)
def head_is_answered_like_get(conversation: Conversation) -> Iterator[Finding]:
    """HEAD succeeds where GET does.

    Why: RFC 9110, 9.3.2 wants the same answer without its body; caches, link checkers and load
    balancers ask by HEAD and take an error for a page that is not there.
    """
    for exchange in conversation.exchanges:
        response = exchange.response
        if response is not None and (exchange.code or 0) >= _ERROR:
            yield Finding(
                expected="success", observed=response.status, at=response, exchange=exchange
            )


@rule(
    Exchange,
    checks="body-no-transfer-coding-applied",
    binds=Party.APPLICATION,
    when=lambda exchange: (
        exchange.complete and exchange.body_length and not carries_messages(exchange)
    ),
)
def body_is_not_chunk_framed(exchange: Exchange) -> Iterator[Finding]:
    """The application sends the body itself, not chunks with their sizes.

    Why: transfer coding is the server's; the client sees the application's sizes in the body.
    """
    blocks = [block for block in exchange.blocks if block.length]
    seen = b"".join(block.start for block in blocks)
    is_whole = len(seen) == exchange.body_length
    if is_framed(seen) if is_whole else has_framed_blocks(blocks, exchange.block_count):
        yield Finding(expected="the body itself", observed=blocks[0].start, at=blocks[0])


def carries_messages(exchange: Exchange) -> bool:
    """Tell whether the content is itself an HTTP message, which may be framed (RFC 9112, 10)."""
    fields = exchange.response.fields if exchange.response is not None else ()
    return any(
        name.lower() == "content-type" and "message/" in value.lower() for name, value in fields
    )


def is_framed(body: bytes) -> bool:
    """Tell whether a whole body is one in chunked coding, with one chunk at least."""
    position = 0
    while size := _CHUNK_SIZE.match(body, position):
        if _LAST_CHUNK.fullmatch(body, position):
            return position > 0
        position = size.end() + int(size[1], 16) + len(b"\r\n")
        if body[position - 2 : position] != b"\r\n":
            return False
    return False


def has_framed_blocks(blocks: list[Block], count: int) -> bool:
    """Tell whether every block is one chunk, as far as its size says, and the last one ends it.

    `count` is how many blocks there were with those that were not kept.
    """
    if not blocks or count > len(blocks):
        return False
    *chunks, last = blocks
    if last.length != len(last.start) or not _LAST_CHUNK.fullmatch(last.start):
        return False
    sizes = [(_CHUNK_SIZE.match(block.start), block.length) for block in chunks]
    return bool(sizes) and all(
        size is not None and size.end() + int(size[1], 16) + len(b"\r\n") == length
        for size, length in sizes
    )


@rule(
    Exchange,
    checks="body-app-buffering",
    binds=Party.APPLICATION,
    # A stream of events, or one without an end, is sent in small blocks on purpose.
    when=lambda exchange: exchange.body_length >= _LONG_BODY and exchange.complete,
    eased="small blocks are slow, not wrong",
)
def blocks_are_of_a_reasonable_size(exchange: Exchange) -> Iterator[Finding]:
    """The blocks of a long body are not tiny.

    Why: a server sends every block at once, so a body in blocks of a few bytes costs a system call
    and a packet for each.
    """
    if exchange.block_count and exchange.body_length < _SMALL_BLOCK * exchange.block_count:
        yield Finding(
            expected=f"blocks of {_SMALL_BLOCK} bytes and more on average",
            observed=f"{exchange.block_count} blocks for {exchange.body_length} bytes",
            at=exchange.returned,
        )


@rule(
    Exchange,
    checks="body-file-not-returned",
    binds=Party.APPLICATION,
    when=lambda exchange: exchange.returned and exchange.returned.iterable,
)
def file_is_not_the_body(exchange: Exchange) -> Iterator[Finding]:
    """The application does not return a file object itself.

    Why: a file's blocks are its lines, which is slow for text and arbitrary for anything else;
    wsgi.file_wrapper is made for files.
    """
    returned = exchange.returned
    if returned is not None and returned.is_file and not returned.is_file_wrapper:
        yield Finding(
            expected="wsgi.file_wrapper or blocks", observed=returned.type_name, at=returned
        )
