"""Scripts that use what they are given: environ, the body of the request, wsgi.errors."""

from __future__ import annotations

from typing import Any

from pytest_wsgi.inner import ERROR_PAGE, HELLO, TEXT, Blocks, OwnIterator, of_method, sized


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


def reads_by_line(environ: dict[str, Any], start_response: Any) -> Any:
    """Reads the body of the request by readline() until that gives nothing."""
    seen = b"".join(iter(environ["wsgi.input"].readline, b""))
    return tell_of_input(seen, start_response)


def reads_odd_sizes(environ: dict[str, Any], start_response: Any) -> Any:
    """Reads the body of the request by read(0) and read(-1)."""
    stream = environ["wsgi.input"]
    return tell_of_input(stream.read(0) + stream.read(-1), start_response)


def reads_nothing(_environ: dict[str, Any], start_response: Any) -> Any:
    """Leaves the body of the request alone."""
    start_response("200 OK", sized(HELLO))
    return Blocks(HELLO)


def tell_of_input(seen: bytes, start_response: Any) -> Any:
    """Answer with what was read."""
    start_response("200 OK", sized(seen))
    return Blocks(seen)


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


SCRIPTS = (
    echo,
    reads_in_every_way,
    reads_all,
    reads_lines,
    reads_late,
    reads_nothing,
    writes_errors,
    changes_environ,
    empties_environ,
    declines,
    reads_by_line,
    reads_odd_sizes,
)
