"""wsgi.file_wrapper: how an application hands over a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_wsgi.catalogue import Finding, Party, rule
from pytest_wsgi.exchange import Conversation, Exchange
from pytest_wsgi.rules.comparison import against_plain_get, report_failures

if TYPE_CHECKING:
    from collections.abc import Iterator

_CODED = frozenset({"gzip.GzipFile", "bz2.BZ2File", "lzma.LZMAFile"})
"""File types whose descriptor leads to other bytes than their read() returns."""


@rule(
    Conversation,
    checks="filewrapper-app-checks-presence",
    binds=Party.APPLICATION,
    when=against_plain_get("without-file-wrapper"),
)
def file_wrapper_may_be_absent(conversation: Conversation) -> Iterator[Finding]:
    """The application answers without wsgi.file_wrapper.

    Why: cheroot, gevent, granian, hypercorn, Twisted, Werkzeug's development server and the ASGI
    adapters have none, and middleware may take it away.
    """
    yield from report_failures(conversation.exchanges, "an answer as with wsgi.file_wrapper")


@rule(
    Exchange,
    checks="filewrapper-read-method",
    binds=Party.APPLICATION,
    when=lambda exchange: exchange.file_wraps,
)
def file_wrapper_is_given_a_readable_object(exchange: Exchange) -> Iterator[Finding]:
    """What the application gives to wsgi.file_wrapper has a read method.

    Why: read(size) is what every wrapper falls back on; a path or a generator fails when the first
    block is sent.
    """
    for wrapped in exchange.file_wraps:
        if "read" not in wrapped.attributes:
            yield Finding(expected="an object with read()", observed=wrapped.type_name, at=wrapped)


@rule(
    Exchange,
    checks="filewrapper-fileno-semantics",
    binds=Party.APPLICATION,
    ambiguity="wrapped-file",
    when=lambda exchange: exchange.file_wraps,
)
def wrapped_file_reads_what_its_descriptor_reads(exchange: Exchange) -> Iterator[Finding]:
    """The descriptor of a wrapped file, where it has one, leads to the bytes that it reads.

    Why: servers send from the descriptor: of a file opened by gzip.open() uWSGI and mod_wsgi send
    the compressed bytes, gunicorn nothing and bjoern four bytes.
    """
    for wrapped in exchange.file_wraps:
        if wrapped.type_name in _CODED and "fileno" in wrapped.attributes:
            yield Finding(
                expected="an object without fileno()", observed=wrapped.type_name, at=wrapped
            )


@rule(
    Exchange,
    checks="filewrapper-sentinel-bytes",
    binds=Party.APPLICATION,
    ambiguity="samples-of-the-pep",
    when=lambda exchange: exchange.blocks,
)
def reading_loop_ends_at_empty_bytes(exchange: Exchange) -> Iterator[Finding]:
    """A loop that reads a file ends when read() returns b''.

    Why: iter(lambda: file.read(size), '') comes from Python 2, where the PEP's own example had it;
    bytes never equal '', so that it yields b'' for ever.
    """
    stopped = exchange.stopped
    if stopped is not None and stopped.reason == "endless" and exchange.blocks[-1].length == 0:
        yield Finding(expected="an end at b''", observed="b'' without end", at=stopped)
