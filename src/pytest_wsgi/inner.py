"""The scripted applications that stand behind a middleware: correct, and taking every liberty.

Each is what PEP 3333 allows an application to be. So what is wrong outside of the middleware, the
middleware has made wrong. None of them keeps state, and each answers any path.
"""

from __future__ import annotations

import gzip
import io
import sys
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Script = Callable[[dict[str, Any], Any], Any]

TEXT = ("Content-Type", "text/plain; charset=utf-8")
MARKUP = ("Content-Type", "text/html; charset=utf-8")
BINARY = ("Content-Type", "application/octet-stream")
HELLO = b"hello from the application behind the middleware\n"
BLOCKS = (b"first block\n", b"second block\n", b"third block\n")
BIG_BLOCK = b"0123456789abcdef" * 4096
BIG_COUNT = 40
STREAM_COUNT = 25
ERROR_PAGE = b"the application failed, and says so\n"
HTML = b"<html><head></head><body>%s</body></html>\n" % (HELLO * 50)
PACKED = gzip.compress(b"packed " * 50, mtime=0)
INPUT = b"first line\nsecond line, longer\nthird\nfourth\n\nsixth line\nlast, without an end"
FORM = b"name=value&text=hello"
ABSENT = "/pytest-wsgi/absent"


class ScriptError(Exception):
    """What a scripted application raises, as an application with a bug does."""


class Blocks:
    """An iterable with close() that is not its own iterator; the iterators have a close() too."""

    def __init__(self, *blocks: bytes) -> None:
        self.blocks = blocks

    def __iter__(self) -> Iterator[bytes]:
        """Return a new iterator: a generator, whose own close() is nobody's to call."""
        yield from self.blocks

    def close(self) -> None:
        """Be closed, as often as it is asked for."""


class OwnIterator:
    """An iterable with close() that is its own iterator. `prepare` runs before the first block."""

    def __init__(self, *blocks: bytes, prepare: Callable[[], object] = bool) -> None:
        self.blocks = iter(blocks)
        self.prepare = prepare

    def __iter__(self) -> OwnIterator:
        """Return itself."""
        return self

    def __next__(self) -> bytes:
        """Return the next block."""
        prepare, self.prepare = self.prepare, bool
        prepare()
        return next(self.blocks)

    def close(self) -> None:
        """Be closed, as often as it is asked for."""


class Sequence:
    """An iterable of the old kind: items by number until IndexError."""

    def __init__(self, *blocks: bytes) -> None:
        self.blocks = blocks

    def __getitem__(self, index: int) -> bytes:
        """Return a block."""
        return self.blocks[index]


class Late:
    """An iterable, no iterator, that calls `start` when its first block is asked for."""

    def __init__(self, start: Callable[[], object], *blocks: bytes) -> None:
        self.start = start
        self.blocks = blocks

    def __iter__(self) -> Iterator[bytes]:
        """Call start_response, then yield the blocks."""
        self.start()
        yield from self.blocks

    def close(self) -> None:
        """Be closed, as often as it is asked for."""


def sized(*blocks: bytes) -> list[tuple[str, str]]:
    """Return the headers of a body with its exact Content-Length."""
    return [TEXT, ("Content-Length", str(sum(map(len, blocks))))]


def of_method(environ: dict[str, Any], *blocks: bytes) -> tuple[bytes, ...]:
    """Return the blocks, or none where HEAD asks for headers only."""
    return () if environ["REQUEST_METHOD"] == "HEAD" else blocks


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


def error_page(environ: dict[str, Any], start_response: Any) -> Any:
    """Calls start_response, fails, and calls it again with exc_info for an error page."""
    try:
        start_response("200 OK", [("X-Before-The-Error", "yes"), TEXT])
        fail("raised before any output")
    except ScriptError:
        start_response("500 Internal Server Error", sized(ERROR_PAGE), sys.exc_info())
    return Blocks(*of_method(environ, ERROR_PAGE))


def late_error_page(environ: dict[str, Any], start_response: Any) -> Any:
    """Is a generator that fails before its first block, and calls start_response with exc_info."""
    try:
        start_response("200 OK", [("X-Before-The-Error", "yes"), TEXT])
        fail("raised before any output")
    except ScriptError:
        start_response("500 Internal Server Error", sized(ERROR_PAGE), sys.exc_info())
    yield from of_method(environ, ERROR_PAGE)


def first_call_with_exc_info(environ: dict[str, Any], start_response: Any) -> Any:
    """Fails before it called start_response, and calls it once, with exc_info."""
    try:
        fail("raised before start_response")
    except ScriptError:
        start_response("500 Internal Server Error", sized(ERROR_PAGE), sys.exc_info())
    return Blocks(*of_method(environ, ERROR_PAGE))


def exc_info_none(environ: dict[str, Any], start_response: Any) -> Any:
    """Calls start_response with None for exc_info, which stands for none."""
    start_response("200 OK", sized(HELLO), None)
    return Blocks(*of_method(environ, HELLO))


def error_after_output(_environ: dict[str, Any], start_response: Any) -> Any:
    """Yields a block, fails, and calls start_response with exc_info, which raises that again."""
    start_response("200 OK", [TEXT])
    yield BLOCKS[0]
    try:
        fail("raised after output")
    except ScriptError:
        start_response("500 Internal Server Error", [TEXT], sys.exc_info())
    yield ERROR_PAGE


def error_after_write(_environ: dict[str, Any], start_response: Any) -> Any:
    """Calls write(), fails, and calls start_response with exc_info, which raises that again."""
    write = start_response("200 OK", [TEXT])
    write(BLOCKS[0])
    try:
        fail("raised after output")
    except ScriptError:
        start_response("500 Internal Server Error", [TEXT], sys.exc_info())
    return [ERROR_PAGE]


def fails_at_once(_environ: dict[str, Any], _start_response: Any) -> Any:
    """Raises before it called start_response."""
    raise ScriptError("raised before start_response")


def fails_after_start(_environ: dict[str, Any], start_response: Any) -> Any:
    """Calls start_response and raises."""
    start_response("200 OK", [TEXT])
    raise ScriptError("raised after start_response")


def fails_before_first_block(_environ: dict[str, Any], start_response: Any) -> Any:
    """Returns an iterator that raises when its first block is asked for."""
    start_response("200 OK", [TEXT])
    return OwnIterator(prepare=fail)


def fails_between_blocks(_environ: dict[str, Any], start_response: Any) -> Any:
    """Yields a block, then raises."""
    start_response("200 OK", [TEXT])
    yield BLOCKS[0]
    fail()


def fails_after_last_block(_environ: dict[str, Any], start_response: Any) -> Any:
    """Yields all that its Content-Length promises, then raises."""
    start_response("200 OK", sized(*BLOCKS))
    yield from BLOCKS
    fail()


def fail(message: str = "raised while the body was made") -> None:
    """Raise, as a bug does."""
    raise ScriptError(message)


def wrapped_file(environ: dict[str, Any], start_response: Any) -> Any:
    """Returns what wsgi.file_wrapper makes of a file, where there is one."""
    body = b"".join(BLOCKS)
    start_response("200 OK", sized(body))
    file = io.BytesIO(b"".join(of_method(environ, body)))
    wrapper = environ.get("wsgi.file_wrapper")
    return iter(partial(file.read, 16), b"") if wrapper is None else wrapper(file, 16)


def wrapped_file_from_the_middle(environ: dict[str, Any], start_response: Any) -> Any:
    """Returns a wrapped file that was read before: it goes on where it stands."""
    body = b"".join(BLOCKS[1:])
    start_response("200 OK", sized(body))
    file = io.BytesIO(BLOCKS[0] + b"".join(of_method(environ, body)))
    file.seek(len(BLOCKS[0]))
    wrapper = environ.get("wsgi.file_wrapper")
    return iter(partial(file.read, 8192), b"") if wrapper is None else wrapper(file)


def big_body(environ: dict[str, Any], start_response: Any) -> Any:
    """Returns some megabytes in large blocks."""
    length = ("Content-Length", str(len(BIG_BLOCK) * BIG_COUNT))
    start_response("200 OK", [("Content-Type", "application/octet-stream"), length])
    return OwnIterator(*of_method(environ, *[BIG_BLOCK] * BIG_COUNT))


def no_content(_environ: dict[str, Any], start_response: Any) -> Any:
    """Answers 204 with an empty list of headers."""
    start_response("204 No Content", [])
    return Blocks()


def not_modified(_environ: dict[str, Any], start_response: Any) -> Any:
    """Answers 304 with an ETag."""
    start_response("304 Not Modified", [("ETag", '"pytest-wsgi"')])
    return Blocks()


def odd_headers(environ: dict[str, Any], start_response: Any) -> Any:
    """Has legal headers that are seldom seen: repeated, empty, long, in latin-1, in odd case."""
    headers = [
        ("cONTENT-tYPE", 'text/plain; charset="utf-8"'),
        ("content-length", str(len(HELLO))),
        ("Set-Cookie", "first=1; Path=/"),
        ("Set-Cookie", "second=2; Path=/, with a comma"),
        ("set-cookie", "third=3"),
        ("X-Empty", ""),
        ("X-Latin-1", "caf\xe9"),
        ("X-Long", "long " * 1000 + "end"),
        ("X-!#$%&'*+-.^_`|~", "a name of every kind of letter"),
    ]
    start_response("299 Odd But Legal; no-one knows it", headers)
    return Blocks(*of_method(environ, HELLO))


def compressed(environ: dict[str, Any], start_response: Any) -> Any:
    """Answers with a body that it has compressed itself, whoever asks."""
    headers = [*sized(PACKED), ("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding")]
    start_response("200 OK", headers)
    return Blocks(*of_method(environ, PACKED))


def not_ascii(environ: dict[str, Any], start_response: Any) -> Any:
    """Answers with text that has more bytes than letters, and bytes that are no text."""
    blocks = ("Grüße, ☃\r\n".encode(), b"\x00\xff\xfe\r\n\n")
    start_response("200 OK", sized(*blocks))
    return Blocks(*of_method(environ, *blocks))


def echo(environ: dict[str, Any], start_response: Any) -> Any:
    """Answers in several blocks, each of which tells the query that was asked."""
    query = environ.get("QUERY_STRING", "").encode("latin-1")
    blocks = tuple(b"%s block %d\n" % (query, number) for number in range(5))
    start_response("200 OK", [*sized(*blocks), ("X-Query", query.decode("latin-1"))])
    return OwnIterator(*of_method(environ, *blocks))


def reads_in_every_way(environ: dict[str, Any], start_response: Any) -> Any:
    """Reads the body of the request by every method of wsgi.input, with and without a size."""
    stream = environ["wsgi.input"]
    seen = [stream.read(0), stream.read(3), stream.readline(), stream.readline(4)]
    seen += [next(iter(stream), b""), *stream.readlines(1), stream.readline(), stream.read()]
    seen += [stream.read(5), stream.readline(), *stream.readlines(), *stream]
    return tell_of_input(b"".join(seen), start_response)


def reads_all(environ: dict[str, Any], start_response: Any) -> Any:
    """Reads the body of the request by one read() with its length, or with none."""
    length = environ.get("CONTENT_LENGTH")
    stream = environ["wsgi.input"]
    return tell_of_input(stream.read(int(length)) if length else stream.read(), start_response)


def reads_lines(environ: dict[str, Any], start_response: Any) -> Any:
    """Reads the body of the request by iterating over its lines."""
    return tell_of_input(b"".join(environ["wsgi.input"]), start_response)


def reads_late(environ: dict[str, Any], start_response: Any) -> Any:
    """Is a generator that reads the body of the request between its blocks."""
    start_response("200 OK", [TEXT])
    yield b"I read:\n"
    yield environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))


def tell_of_input(seen: bytes, start_response: Any) -> Any:
    """Answer with what was read."""
    start_response("200 OK", sized(seen))
    return Blocks(seen)


def reads_nothing(_environ: dict[str, Any], start_response: Any) -> Any:
    """Leaves the body of the request alone."""
    start_response("200 OK", sized(HELLO))
    return Blocks(HELLO)


def writes_errors(environ: dict[str, Any], start_response: Any) -> Any:
    """Writes to wsgi.errors by its three methods, also what is not ASCII."""
    errors = environ["wsgi.errors"]
    errors.write("a line of the application behind the middleware\n")
    errors.writelines(["Grüße, ☃\n", "and one more\n"])
    errors.flush()
    start_response("200 OK", sized(HELLO))
    return Blocks(*of_method(environ, HELLO))


def changes_environ(environ: dict[str, Any], start_response: Any) -> Any:
    """Changes environ as applications may: adds keys, takes some away, goes down its path."""
    environ["pytest_wsgi.of_the_application"] = object()
    environ["SCRIPT_NAME"] = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    environ["PATH_INFO"] = ""
    environ.pop("QUERY_STRING", None)
    environ.pop("HTTP_ACCEPT", None)
    start_response("200 OK", sized(HELLO))
    return Blocks(*of_method(environ, HELLO))


def split_letters(environ: dict[str, Any], start_response: Any) -> Any:
    """Yields text in blocks that end in the middle of a letter."""
    text = "Grüße, ☃\n".encode()
    start_response("200 OK", sized(text))
    return OwnIterator(*of_method(environ, text[:3], text[3:10], text[10:]))


def binary_page(_environ: dict[str, Any], start_response: Any) -> Any:
    """Answers 500 with bytes that are no text, though they look like HTML."""
    start_response("500 Internal Server Error", [BINARY, *sized(HTML)[1:]])
    return Blocks(HTML)


def html_page(_environ: dict[str, Any], start_response: Any) -> Any:
    """Answers with a page of HTML."""
    start_response("200 OK", [MARKUP, *sized(HTML)[1:]])
    return Blocks(HTML)


def error_of_another_type(_environ: dict[str, Any], start_response: Any) -> Any:
    """Starts a page of HTML, fails, and starts with exc_info a response that is no text."""
    try:
        start_response("200 OK", [MARKUP])
        fail("raised before any output")
    except ScriptError:
        headers = [BINARY, *sized(HTML)[1:]]
        start_response("500 Internal Server Error", headers, sys.exc_info())
    return Blocks(HTML)


def empties_environ(environ: dict[str, Any], start_response: Any) -> Any:
    """Empties environ, as applications may, and answers."""
    body = of_method(environ, HELLO)
    environ.clear()
    start_response("200 OK", sized(HELLO))
    return Blocks(*body)


def declines(environ: dict[str, Any], start_response: Any) -> Any:
    """Goes down its path in environ, finds nothing there and answers 404."""
    environ["pytest_wsgi.of_the_application"] = object()
    environ["SCRIPT_NAME"] = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    environ["PATH_INFO"] = ""
    start_response("404 Not Found", sized(ERROR_PAGE))
    return Blocks(*of_method(environ, ERROR_PAGE))


class Reader:
    """A file that can be read, and no more."""

    def __init__(self, *blocks: bytes) -> None:
        self.read = io.BytesIO(b"".join(blocks)).read


def wrapped_reader(environ: dict[str, Any], start_response: Any) -> Any:
    """Returns what wsgi.file_wrapper makes of an object that has a read() and no close()."""
    start_response("200 OK", sized(*BLOCKS))
    file = Reader(*of_method(environ, *BLOCKS))
    wrapper = environ.get("wsgi.file_wrapper")
    return iter(partial(file.read, 16), b"") if wrapper is None else wrapper(file)


def reads_by_line(environ: dict[str, Any], start_response: Any) -> Any:
    """Reads the body of the request by readline() until that gives nothing."""
    seen = b"".join(iter(environ["wsgi.input"].readline, b""))
    return tell_of_input(seen, start_response)


def reads_odd_sizes(environ: dict[str, Any], start_response: Any) -> Any:
    """Reads the body of the request by read(0) and read(-1)."""
    stream = environ["wsgi.input"]
    return tell_of_input(stream.read(0) + stream.read(-1), start_response)


@dataclass(frozen=True, slots=True)
class Scripted:
    """A scripted application: its name, what it is for people, and the callable."""

    name: str
    text: str
    run: Script


SCRIPTS: dict[str, Scripted] = {
    run.__name__: Scripted(
        run.__name__, (run.__doc__ or "").partition("\n")[0].rstrip(".").lower(), run
    )
    for run in (
        *(page, returns_list, returns_tuple, returns_nothing, returns_sequence),
        *(separate_iterator, own_iterator, generator, stream),
        *(late_start, late_iterable, late_iterator, late_not_found, late_and_empty),
        *(empty_blocks, only_empty_blocks, unwritten, written, only_written),
        *(error_page, late_error_page, first_call_with_exc_info, exc_info_none),
        *(error_after_output, error_after_write, fails_at_once, fails_after_start),
        *(fails_before_first_block, fails_between_blocks, fails_after_last_block),
        *(wrapped_file, wrapped_file_from_the_middle, big_body, no_content, not_modified),
        *(odd_headers, compressed, not_ascii, echo),
        *(reads_in_every_way, reads_all, reads_lines, reads_late, reads_nothing),
        *(writes_errors, changes_environ),
        *(split_letters, binary_page, html_page, error_of_another_type),
        *(empties_environ, declines, wrapped_reader, reads_by_line, reads_odd_sizes),
    )
}
"""Every scripted application by its name."""
