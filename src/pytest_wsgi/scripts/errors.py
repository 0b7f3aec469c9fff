"""Scripts that fail, or answer with an error page."""

from __future__ import annotations

import sys
from typing import Any

from pytest_wsgi.inner import (
    BLOCKS,
    ERROR_PAGE,
    HELLO,
    TEXT,
    Blocks,
    OwnIterator,
    ScriptError,
    of_method,
    sized,
)


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


SCRIPTS = (
    error_page,
    late_error_page,
    first_call_with_exc_info,
    exc_info_none,
    error_after_output,
    error_after_write,
    fails_at_once,
    fails_after_start,
    fails_before_first_block,
    fails_between_blocks,
    fails_after_last_block,
)
