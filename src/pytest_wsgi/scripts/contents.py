"""Scripts that answer with what a middleware may not take for a plain page."""

from __future__ import annotations

import io
import sys
from functools import partial
from typing import Any

from pytest_wsgi.inner import (
    BIG_BLOCK,
    BIG_COUNT,
    BINARY,
    BLOCKS,
    HELLO,
    HTML,
    MARKUP,
    PACKED,
    Blocks,
    OwnIterator,
    ScriptError,
    of_method,
    sized,
)
from pytest_wsgi.scripts.errors import fail


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


SCRIPTS = (
    wrapped_file,
    wrapped_file_from_the_middle,
    big_body,
    no_content,
    not_modified,
    odd_headers,
    compressed,
    not_ascii,
    split_letters,
    binary_page,
    html_page,
    error_of_another_type,
    wrapped_reader,
)
