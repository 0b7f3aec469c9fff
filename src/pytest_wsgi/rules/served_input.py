"""The streams that an application is handed, wsgi.input and wsgi.errors, and the file wrapper."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_wsgi.catalogue import Finding, Party, rule
from pytest_wsgi.exchange import Exchange

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_wsgi.exchange import ErrorsUsed, InputUsed

_INPUT = ("read", "readline", "readlines", "__iter__")
_ERRORS = ("write", "writelines", "flush")

_REFUSALS = frozenset(
    {
        *("TypeError", "AttributeError", "AssertionError", "NotImplementedError"),
        "io.UnsupportedOperation",
    }
)
"""What a method raises that cannot do what it was called for. Any other exception may be on
purpose: the client has gone, or the body is longer than is allowed."""

_ODD_REFUSALS = _REFUSALS | {"ValueError", "OverflowError"}

_LOST = frozenset(
    {
        *("OSError", "BrokenPipeError", "ConnectionError", "ConnectionAbortedError"),
        *("ConnectionResetError", "TimeoutError"),
    }
)
"""What says that the other end has gone."""

_NOT_ITERABLE = "'RecordedInput' object is not iterable"
"""What the TypeError of iter() says of an input, which is recorded."""

_LENGTH = re.compile(r"[0-9]{1,18}")

_OF_FILES = "behind-wrapped-file"
"""How the probes begin behind which a file is wrapped whose length is told."""


@rule(
    Exchange,
    checks=(
        "input-stream-methods-complete",
        "middleware-wrapped-streams-complete",
        "input-readline",
        "input-readlines",
        "input-iter",
    ),
    binds=Party.SERVER,
    when=lambda exchange: exchange.input_used,
)
def input_has_its_four_methods(exchange: Exchange) -> Iterator[Finding]:
    """The object in wsgi.input has read, readline and readlines, and can be iterated over.

    Why: Django parses forms with read(), others iterate over lines or hand the stream to a library.
    An object that has one method less works until somebody uploads a file. A __getattr__ that
    passes everything on makes no object iterable.
    """
    for used in list_used(exchange):
        if used.method in _INPUT and not used.found:
            yield Finding(expected=f"{used.method}()", observed="none", at=used)
    for error in exchange.raised:
        if error.type_name == "TypeError" and _NOT_ITERABLE in error.message:
            yield Finding(expected="an __iter__ method", observed="none", at=error)


@rule(
    Exchange,
    checks=("input-read-size", "input-readline", "input-readlines", "input-iter"),
    binds=Party.SERVER,
    when=lambda exchange: any(map(is_plain, list_used(exchange))),
)
def input_methods_do_what_they_are_called_for(exchange: Exchange) -> Iterator[Finding]:
    """None of read(size), readline(), readlines() and iteration fails in itself.

    Why: a method that is there but takes other arguments, has not been written, or works on a
    stream that was closed, fails in the first application that uses it.
    """
    for used in list_used(exchange):
        if is_plain(used) and (used.raised in _REFUSALS or is_closed(used, exchange)):
            yield report_refusal(used)


@rule(
    Exchange,
    checks=("input-read-noarg", "input-readline-size"),
    binds=Party.SERVER,
    when=lambda exchange: any(map(is_optional, list_used(exchange))),
)
def input_methods_take_an_optional_size(exchange: Exchange) -> Iterator[Finding]:
    """The calls read(), readline(size) and readlines(hint) are taken too.

    Why: json.load() calls read() without a size, cgi.FieldStorage readline() with one. A signature
    without them is a TypeError, and the request is lost.
    """
    for used in list_used(exchange):
        if is_optional(used) and used.raised in _REFUSALS:
            yield report_refusal(used)


@rule(
    Exchange,
    checks=("input-read-zero", "input-read-negative"),
    binds=Party.SERVER,
    when=lambda exchange: any(map(is_odd, list_used(exchange))),
)
def input_takes_odd_sizes_as_files_do(exchange: Exchange) -> Iterator[Finding]:
    """The call read(0) of wsgi.input gives nothing, and read(-1) does not fail.

    Why: so do files, and code is written for files. granian raises for -1, and uWSGI gives the
    whole body for 0.
    """
    for used in list_used(exchange):
        if is_odd(used) and used.raised in _ODD_REFUSALS and not is_closed(used, exchange):
            yield report_refusal(used)
        elif is_odd(used) and used.size == 0 and used.returned:
            yield Finding(expected="no bytes", observed=f"{used.returned} bytes", at=used)


@rule(
    Exchange,
    checks="input-returns-bytes",
    binds=Party.SERVER,
    when=lambda exchange: any(map(has_answered, list_used(exchange))),
)
def input_gives_bytes(exchange: Exchange) -> Iterator[Finding]:
    """What is read of wsgi.input is bytes, or a list of bytes where it is lines.

    Why: text cannot be parsed as a form or joined to bytes; None at the end of the stream ends no
    loop that waits for b''.
    """
    for used in list_used(exchange):
        if has_answered(used) and used.returned is None:
            kind = "a list of bytes" if used.method == "readlines" else "bytes"
            yield Finding(expected=kind, observed=f"something else from {used.method}()", at=used)


@rule(
    Exchange,
    checks="input-read-size",
    binds=Party.SERVER,
    when=lambda exchange: any(
        used.method == "read" and has_size(used) for used in list_used(exchange)
    ),
)
def input_read_gives_no_more_than_asked(exchange: Exchange) -> Iterator[Finding]:
    """The call read(size) gives no more than that many bytes.

    Why: applications read in blocks so that an upload does not fill the memory, and parsers keep
    count; a stream that ignores the size breaks both.
    """
    for used in list_used(exchange):
        size, returned = used.size, used.returned
        if used.method == "read" and type(size) is int and 0 < size < (returned or 0):
            yield Finding(expected=f"at most {size} bytes", observed=f"{returned} bytes", at=used)


@rule(
    Exchange,
    checks="input-empty-bytes-at-end",
    binds=Party.SERVER,
    when=lambda exchange: (
        is_length(exchange.environ.get("CONTENT_LENGTH"))
        and any(used.past_end for used in list_used(exchange))
    ),
)
def input_ends_with_empty_bytes(exchange: Exchange) -> Iterator[Finding]:
    """Reading at the end of wsgi.input gives b'', and raises nothing.

    Why: loops that copy blocks read until b'' comes; with an exception there the whole request
    fails when all of it has arrived.
    """
    for used in list_used(exchange):
        if used.past_end and used.raised and used.raised not in _REFUSALS | _LOST:
            yield Finding(expected="b''", observed=used.raised, at=used)


@rule(
    Exchange,
    checks=(
        "errors-write",
        "errors-writelines",
        "errors-flush",
        "middleware-wrapped-streams-complete",
    ),
    binds=Party.SERVER,
    when=lambda exchange: exchange.errors_used,
)
def errors_has_its_three_methods(exchange: Exchange) -> Iterator[Finding]:
    """The object in wsgi.errors has write, writelines and flush.

    Why: logging calls flush() after every record, traceback and print() call write(); without one
    of them an error cannot even be logged.
    """
    for used in exchange.errors_used:
        if used.method in _ERRORS and not used.found:
            yield Finding(expected=f"{used.method}()", observed="none", at=used)


@rule(
    Exchange,
    checks=("errors-write", "errors-writelines", "errors-flush", "errors-text-mode"),
    binds=Party.SERVER,
    when=lambda exchange: any(map(is_text, exchange.errors_used)),
)
def errors_takes_ascii_text(exchange: Exchange) -> Iterator[Finding]:
    """The methods of wsgi.errors take a str, and raise nothing.

    Why: a stream of bytes, or one that was closed, makes of every message a second error, in which
    the first is lost.
    """
    for used in exchange.errors_used:
        if is_text(used) and is_refused(used):
            yield Finding(expected="no exception", observed=f"{used.raised} from {used.method}()")


@rule(
    Exchange,
    checks="errors-unicode-tolerant",
    binds=Party.SERVER,
    when=lambda exchange: any(
        used.called and not used.text.isascii() for used in exchange.errors_used
    ),
)
def errors_takes_text_of_any_language(exchange: Exchange) -> Iterator[Finding]:
    """The methods of wsgi.errors take any str, whatever they can make of it.

    Why: messages hold names and paths of users. A stream that writes ASCII and nothing else fails
    in the middle of an error report.
    """
    for used in exchange.errors_used:
        if not is_text(used) and is_refused(used):
            yield Finding(expected="no exception", observed=f"{used.raised} from {used.method}()")


@rule(
    Exchange,
    checks=("filewrapper-signature", "filewrapper-returns-iterable", "filewrapper-close-absent-ok"),
    binds=Party.SERVER,
    when=lambda exchange: any("read" in one.attributes for one in exchange.file_wraps),
)
def file_wrapper_makes_an_iterable_of_a_file(exchange: Exchange) -> Iterator[Finding]:
    """What stands in wsgi.file_wrapper takes a file, with or without a size, for an iterable.

    Why: applications give it a file and return what they get; where it asks for the size, or gives
    something else, every download fails.
    """
    for wrapped in exchange.file_wraps:
        if wrapped.raised in _REFUSALS and "read" in wrapped.attributes:
            yield Finding(expected="an iterable", observed=wrapped.raised, at=wrapped)
    returned = exchange.returned
    if returned is not None and returned.is_file_wrapper and not returned.iterable:
        yield Finding(expected="an iterable", observed=returned.type_name, at=returned)


@rule(
    Exchange,
    checks=("filewrapper-works-behind-middleware", "filewrapper-returns-iterable"),
    binds=Party.SERVER,
    when=lambda exchange: tells_of_file(exchange) is not None,
)
def file_wrapper_gives_all_of_the_file(exchange: Exchange) -> Iterator[Finding]:
    """What wsgi.file_wrapper makes of a file gives every byte that read() gives.

    Why: a wrapper that drops the last, shorter block sends files that are cut, and a client waits
    for the rest.
    """
    length = tells_of_file(exchange) or 0
    if exchange.body_length < length:
        yield Finding(expected=f"{length} bytes", observed=f"{exchange.body_length} bytes")


@rule(
    Exchange,
    checks="filewrapper-current-position",
    binds=Party.SERVER,
    when=lambda exchange: tells_of_file(exchange) is not None,
)
def file_wrapper_begins_where_the_file_stands(exchange: Exchange) -> Iterator[Finding]:
    """What wsgi.file_wrapper makes of a file begins at its position.

    Why: that is how an application sends a range of a file; from the beginning the client gets the
    wrong bytes.
    """
    length = tells_of_file(exchange) or 0
    if exchange.body_length > length:
        yield Finding(expected=f"{length} bytes", observed=f"{exchange.body_length} bytes")


def list_used(exchange: Exchange) -> list[InputUsed]:
    """Return what the application did with wsgi.input while it ran."""
    # Who has the same environ may use it afterwards.
    return [used for used in exchange.input_used if used.place != "outside"]


def has_size(used: InputUsed) -> bool:
    """Tell whether a method was called with a number of bytes."""
    size = used.size
    return used.argument_count == 1 and type(size) is int and size > 0


def is_plain(used: InputUsed) -> bool:
    """Tell whether a method was called in the way that every input must take."""
    if not used.called or used.method not in _INPUT:
        return False
    return has_size(used) if used.method == "read" else not used.argument_count


def is_optional(used: InputUsed) -> bool:
    """Tell whether a method was called in a way that an input should take."""
    if not used.called or used.method not in _INPUT:
        return False
    return not used.argument_count if used.method == "read" else has_size(used)


def is_odd(used: InputUsed) -> bool:
    """Tell whether read() was called with 0, or with a negative number for all there is."""
    size = used.size
    return used.called and used.method == "read" and type(size) is int and size <= 0


def has_answered(used: InputUsed) -> bool:
    """Tell whether a method was called and raised nothing."""
    return used.called and used.method in _INPUT and used.raised is None


def is_closed(used: InputUsed, exchange: Exchange) -> bool:
    """Tell whether a method failed because its stream was closed."""
    return used.raised == "ValueError" and any(
        error.type_name == "ValueError" and "closed file" in error.message
        for error in exchange.raised
    )


def report_refusal(used: InputUsed) -> Finding:
    """Return the finding of a method that failed."""
    given = "size" if used.argument_count else ""
    return Finding(
        expected=f"{used.method}({given}) to work", observed=used.raised or "none", at=used
    )


def is_text(used: ErrorsUsed) -> bool:
    """Tell whether a method was called with text that every stream can write."""
    is_known = used.called and used.method in _ERRORS and set(used.types) <= {"str"}
    return is_known and used.text.isascii() and used.raised != "UnicodeEncodeError"


def is_refused(used: ErrorsUsed) -> bool:
    """Tell whether a stream did not take a text, and not because it has gone."""
    return used.raised is not None and set(used.types) <= {"str"} and used.raised not in _LOST


def is_length(value: object) -> bool:
    """Tell whether CONTENT_LENGTH is a number."""
    return type(value) is str and _LENGTH.fullmatch(value) is not None


def tells_of_file(exchange: Exchange) -> int | None:
    """Return how long a wrapped file is that was read to its end; None where that is not known."""
    response, returned = exchange.response, exchange.returned
    if response is None or returned is None or not returned.is_file_wrapper:
        return None
    if not exchange.probe.startswith(_OF_FILES) or not exchange.complete:
        return None
    fields = {name.lower(): value for name, value in response.fields}
    length = fields.get("content-length", "")
    return int(length) if is_length(length) and exchange.method != "HEAD" else None
