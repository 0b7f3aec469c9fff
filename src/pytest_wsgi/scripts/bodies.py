"""Scripts that make the body of their response in every way there is."""

from __future__ import annotations

from functools import partial
from typing import Any

from pytest_wsgi.inner import (
    ABSENT,
    BLOCKS,
    ERROR_PAGE,
    HELLO,
    STREAM_COUNT,
    TEXT,
    Blocks,
    Late,
    OwnIterator,
    Sequence,
    of_method,
    sized,
)


def page(environ: dict[str, Any], start_response: Any) -> Any:
    """Answers with a page, 404, 405 or the allowed methods."""
    method = environ["REQUEST_METHOD"]
    allow = ("Allow", "GET, HEAD, OPTIONS, POST, PUT, DELETE")
    if method not in allow[1].split(", "):
        start_response("405 Method Not Allowed", [allow, *sized(HELLO)])
        return Blocks(HELLO)
    if method == "OPTIONS":
        start_response("200 OK", [allow, ("Content-Length", "0")])
        return Blocks()
    length = environ.get("CONTENT_LENGTH") or "0"
    if length != "0":
        environ["wsgi.input"].read(int(length))
    found = environ.get("PATH_INFO") != ABSENT
    start_response("200 OK" if found else "404 Not Found", sized(HELLO))
    return Blocks(*of_method(environ, HELLO))


def returns_list(environ: dict[str, Any], start_response: Any) -> Any:
    """Returns a list of one block."""
    start_response("200 OK", sized(HELLO))
    return list(of_method(environ, HELLO))


def returns_tuple(environ: dict[str, Any], start_response: Any) -> Any:
    """Returns a tuple of several blocks."""
    start_response("200 OK", sized(*BLOCKS))
    return of_method(environ, *BLOCKS)


def returns_nothing(_environ: dict[str, Any], start_response: Any) -> Any:
    """Returns an empty list: a body of no bytes."""
    start_response("200 OK", [TEXT, ("Content-Length", "0")])
    return []


def returns_sequence(environ: dict[str, Any], start_response: Any) -> Any:
    """Returns an iterable that only has items by number."""
    start_response("200 OK", sized(*BLOCKS))
    return Sequence(*of_method(environ, *BLOCKS))


def separate_iterator(environ: dict[str, Any], start_response: Any) -> Any:
    """Returns an iterable whose iterator is another object; both have close()."""
    start_response("200 OK", sized(*BLOCKS))
    return Blocks(*of_method(environ, *BLOCKS))


def own_iterator(environ: dict[str, Any], start_response: Any) -> Any:
    """Returns an iterator with close() that is no generator."""
    start_response("200 OK", sized(*BLOCKS))
    return OwnIterator(*of_method(environ, *BLOCKS))


def generator(environ: dict[str, Any], start_response: Any) -> Any:
    """Calls start_response, then returns a generator."""
    start_response("200 OK", [TEXT])
    return (block for block in of_method(environ, *BLOCKS))


def stream(_environ: dict[str, Any], start_response: Any) -> Any:
    """Returns a generator of many blocks without a length."""
    start_response("200 OK", [TEXT])
    return (b"block %d\n" % number for number in range(STREAM_COUNT))


def late_start(environ: dict[str, Any], start_response: Any) -> Any:
    """Is a generator: start_response is called when the first block is asked for."""
    start_response("200 OK", sized(*BLOCKS))
    yield from of_method(environ, *BLOCKS)


def late_iterable(environ: dict[str, Any], start_response: Any) -> Any:
    """Returns an iterable, no iterator, that calls start_response when it is iterated over."""
    start = partial(start_response, "200 OK", sized(*BLOCKS))
    return Late(start, *of_method(environ, *BLOCKS))


def late_iterator(environ: dict[str, Any], start_response: Any) -> Any:
    """Returns an iterator, no generator, that calls start_response at its first block."""
    start = partial(start_response, "200 OK", sized(*BLOCKS))
    return OwnIterator(*of_method(environ, *BLOCKS), prepare=start)


def late_not_found(environ: dict[str, Any], start_response: Any) -> Any:
    """Is a generator that answers 404."""
    start_response("404 Not Found", sized(ERROR_PAGE))
    yield from of_method(environ, ERROR_PAGE)


def late_and_empty(_environ: dict[str, Any], start_response: Any) -> Any:
    """Is a generator that calls start_response and yields nothing."""
    start_response("200 OK", [TEXT, ("Content-Length", "0")])
    yield from ()


def empty_blocks(environ: dict[str, Any], start_response: Any) -> Any:
    """Yields empty blocks before, between and after the others."""
    start_response("200 OK", sized(*BLOCKS))
    first, second, third = BLOCKS
    blocks = (b"", first, b"", b"", second, third, b"")
    return OwnIterator(*of_method(environ, *blocks))


def only_empty_blocks(_environ: dict[str, Any], start_response: Any) -> Any:
    """Yields empty blocks and no other."""
    start_response("200 OK", [TEXT, ("Content-Length", "0")])
    return Blocks(b"", b"")


def unwritten(environ: dict[str, Any], start_response: Any) -> Any:
    """Returns in one list what `written` writes and returns."""
    start_response("200 OK", sized(*BLOCKS))
    return list(of_method(environ, *BLOCKS))


def written(environ: dict[str, Any], start_response: Any) -> Any:
    """Calls write() twice, then returns a list."""
    write = start_response("200 OK", sized(*BLOCKS))
    *before, last = of_method(environ, *BLOCKS) or (b"",)
    for block in before:
        write(block)
    return [last]


def only_written(environ: dict[str, Any], start_response: Any) -> Any:
    """Calls write() for all of the body, then returns an empty iterable."""
    write = start_response("200 OK", sized(*BLOCKS))
    for block in of_method(environ, *BLOCKS):
        write(block)
    return ()


SCRIPTS = (
    page,
    returns_list,
    returns_tuple,
    returns_nothing,
    returns_sequence,
    separate_iterator,
    own_iterator,
    generator,
    stream,
    late_start,
    late_iterable,
    late_iterator,
    late_not_found,
    late_and_empty,
    empty_blocks,
    only_empty_blocks,
    unwritten,
    written,
    only_written,
)
