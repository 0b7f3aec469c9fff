"""wsgi.input: how an application reads the body of a request."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_wsgi.catalogue import Finding, Party, rule
from pytest_wsgi.exchange import Exchange, InputUsed
from pytest_wsgi.rules.comparison import is_relied_on

if TYPE_CHECKING:
    from collections.abc import Iterator

_METHODS = frozenset({"read", "readline", "readlines", "__iter__"})
_LENGTH = re.compile(r"[0-9]{1,18}")
_SIZED = frozenset({"read", "readline"})


def read_size(used: InputUsed) -> int | None:
    """Return how many bytes a read asked for; None where it asked for all, or for no number."""
    size = used.size
    return size if type(size) is int and size >= 0 else None


@rule(
    Exchange,
    checks="input-app-only-listed-methods",
    binds=Party.APPLICATION,
    when=lambda exchange: exchange.input_used,
)
def input_is_used_by_its_four_methods(exchange: Exchange) -> Iterator[Finding]:
    """The application uses read, readline, readlines and iteration of wsgi.input, and no more.

    Why: seek(), tell(), readinto() or fileno() exist on some servers' input and fail on others'.
    next() is not promised either, only iteration is.
    """
    for used in exchange.input_used:
        if used.method not in _METHODS and used.method != "close" and is_relied_on(used, exchange):
            yield Finding(
                expected="read, readline, readlines or iteration", observed=used.method, at=used
            )


@rule(
    Exchange,
    checks="input-app-no-close",
    binds=Party.APPLICATION,
    when=lambda exchange: exchange.input_used,
)
def input_is_not_closed(exchange: Exchange) -> Iterator[Finding]:
    """The application leaves wsgi.input open.

    Why: the input is the server's connection. Closed, it takes the next request with it, or fails
    at once on a server whose input has no close(). io.TextIOWrapper and io.BufferedReader close
    what they wrap when they are garbage-collected.
    """
    for used in exchange.input_used:
        if used.method == "close" and is_relied_on(used, exchange):
            yield Finding(expected="the server's input left open", observed="close()", at=used)


@rule(
    Exchange,
    checks="input-app-no-over-read",
    binds=Party.APPLICATION,
    ambiguity="reading-past-the-end",
    when=lambda exchange: exchange.input_used,
)
def input_is_not_read_past_its_end(exchange: Exchange) -> Iterator[Finding]:
    """The application asks for no more bytes when it has read CONTENT_LENGTH of them.

    Why: some servers do not simulate an end of file: wsgiref and Werkzeug's development server
    wait for bytes that never come.
    """
    for used in exchange.input_used:
        size = read_size(used)
        if used.called and used.past_end and used.method in _SIZED and size:
            yield Finding(
                expected="no read after the last byte",
                observed=f"{used.method}({size}) after all was read",
                at=used,
            )


@rule(
    Exchange,
    checks="input-app-no-over-read",
    binds=Party.APPLICATION,
    when=lambda exchange: exchange.input_used and not exchange.environ.get("wsgi.input_terminated"),
    eased="loops that copy blocks do so, and servers that simulate an end of file do not mind",
)
def input_is_asked_for_what_is_left(exchange: Exchange) -> Iterator[Finding]:
    """The application asks for no more bytes at once than are left of CONTENT_LENGTH.

    Why: a server that hands out its socket, as wsgiref and Werkzeug's development server do, waits
    for the bytes that are missing.
    """
    length = exchange.environ.get("CONTENT_LENGTH")
    left = int(length) if type(length) is str and _LENGTH.fullmatch(length) else 0
    for used in exchange.input_used:
        size = read_size(used)
        # A line ends by itself: readline(size) bounds its length and asks for no such number.
        if used.method == "read" and not used.past_end and size is not None and size > left:
            yield Finding(expected=f"a size of at most {left}", observed=f"read({size})", at=used)
        left -= used.returned or 0


@rule(
    Exchange,
    checks="input-app-post-checks-length",
    binds=Party.APPLICATION,
    when=lambda exchange: exchange.input_used and not exchange.environ.get("wsgi.input_terminated"),
    eased="the PEP asks servers to allow read() without a size",
)
def input_is_read_with_a_size(exchange: Exchange) -> Iterator[Finding]:
    """The application says how much it reads of wsgi.input.

    Why: read() waits for ever on wsgiref and Werkzeug's development server, read(-1) on cheroot.
    read(-1) fails on granian, read(None) on uWSGI, mod_wsgi and a2wsgi. CONTENT_LENGTH tells how
    much there is.
    """
    for used in exchange.input_used:
        if used.called and used.method == "read" and read_size(used) is None:
            yield Finding(expected="read(size)", observed="read() of all there is", at=used)
