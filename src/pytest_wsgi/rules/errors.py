"""wsgi.errors: what an application writes for the server's log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_wsgi.catalogue import Finding, Party, rule
from pytest_wsgi.exchange import ErrorsUsed, Exchange
from pytest_wsgi.rules.comparison import is_relied_on

if TYPE_CHECKING:
    from collections.abc import Iterator

_METHODS = frozenset({"write", "writelines", "flush"})

_NO_TEXT = frozenset(
    {"bytes", "bytearray", "memoryview", "bool", "int", "float", "NoneType", "list", "tuple"}
)
"""Types that are certainly no str; of other classes only the stream's TypeError tells."""

_SHOWN = 20
"""How many characters before the end of a line a message shows."""


@rule(
    Exchange,
    checks="errors-app-str-only",
    binds=Party.APPLICATION,
    when=lambda exchange: any(used.types for used in exchange.errors_used),
)
def errors_are_written_as_str(exchange: Exchange) -> Iterator[Finding]:
    """The application writes nothing but str to wsgi.errors.

    Why: the stream is one of text; the TypeError that bytes raise, on each of 15 servers measured,
    replaces the message that was to be logged.
    """
    for used in exchange.errors_used:
        odd = next((name for name in used.types if is_no_text(name, used)), None)
        if odd is not None:
            yield Finding(expected="a str", observed=f"{used.method}() of {odd}", at=used)


def is_no_text(name: str, used: ErrorsUsed) -> bool:
    """Tell whether a type that was written is no str."""
    return name in _NO_TEXT or (name != "str" and used.raised == "TypeError")


@rule(
    Exchange,
    checks="errors-app-only-listed-methods",
    binds=Party.APPLICATION,
    when=lambda exchange: exchange.errors_used,
)
def errors_are_used_by_their_three_methods(exchange: Exchange) -> Iterator[Finding]:
    """The application uses write, writelines and flush of wsgi.errors, and no more.

    Why: fileno(), buffer or isatty() exist where the stream is that of the process, as on
    hypercorn, asgiref and Werkzeug's development server, and fail on others.
    """
    for used in exchange.errors_used:
        if used.method not in _METHODS and used.method != "close" and is_relied_on(used, exchange):
            yield Finding(expected="write, writelines or flush", observed=used.method, at=used)


@rule(
    Exchange,
    checks="errors-app-no-close",
    binds=Party.APPLICATION,
    when=lambda exchange: exchange.errors_used,
)
def errors_are_not_closed(exchange: Exchange) -> Iterator[Finding]:
    """The application leaves wsgi.errors open.

    Why: the stream is often the server's own log, or the process's sys.stderr or sys.stdout; once
    it is closed, nothing is logged any more.
    """
    for used in exchange.errors_used:
        if used.method == "close" and is_relied_on(used, exchange):
            yield Finding(expected="the server's stream left open", observed="close()", at=used)


@rule(
    Exchange,
    checks="errors-newline",
    binds=Party.APPLICATION,
    when=lambda exchange: any(used.text for used in exchange.errors_used),
)
def errors_end_lines_with_a_newline(exchange: Exchange) -> Iterator[Finding]:
    r"""The application ends lines in wsgi.errors with \n alone.

    Why: the server translates newlines for its platform; \r\n becomes \r\r\n on some, and leaves
    stray carriage returns in the logs of the others.
    """
    for used in exchange.errors_used:
        line, end, _ = used.text.partition("\r\n")
        if end:
            yield Finding(expected=r"\n", observed=f"{line[-_SHOWN:]}{end}", at=used)
