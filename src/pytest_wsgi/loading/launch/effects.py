"""Sees what an import does to its process beside defining names."""

from __future__ import annotations

import os
import signal
import socket
import stat
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_wsgi.launches import Effect
from pytest_wsgi.loading.launch.job import KEPT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_STANDARD_INPUT, _STANDARD_OUTPUT = 0, 1
_MOST_SHOWN = 60
_MOST_READ = 4000
_LEAST_SECRET = 4
_INSTALLED = frozenset({"site-packages", "dist-packages"})
_DESCRIPTORS = Path("/proc/self/fd")

_connections: list[str] = []
_is_watching = [False]


@dataclass(frozen=True, slots=True)
class State:
    """How a process stands: what an import may change of it."""

    directory: str
    path: tuple[str, ...]
    handlers: Mapping[int, Any]
    threads: frozenset[int | None]
    zone: tuple[str | None, tuple[str, str]]
    read: int
    written: int
    peers: frozenset[str] = field(default_factory=frozenset)


def look() -> State:
    """Return how this process stands now."""
    sys.stdout.flush()
    return State(
        directory=find_directory(),
        path=tuple(sys.path),
        handlers={number: signal.getsignal(number) for number in signal.valid_signals()},
        threads=frozenset(thread.ident for thread in threading.enumerate()),
        zone=(os.environ.get("TZ"), time.tzname),
        read=find_offset(),
        written=find_size(),
        peers=frozenset(list_peers()),
    )


def watch_connections() -> None:
    """Note from now on every connection that Python code opens.

    What a hook of sys.audit sees; such hooks stay for the life of a process.
    """
    add_hook()
    _is_watching[0] = True
    _connections.clear()


@cache
def add_hook() -> None:
    """Add the hook, which cannot be taken away again, once."""
    sys.addaudithook(hear)


def note_connection(text: str) -> None:
    """Note a connection that was wanted and not made."""
    if _is_watching[0]:
        _connections.append(text)


def hear(event: str, arguments: tuple[Any, ...]) -> None:
    """Note an event of sys.audit that opens a connection, a listening socket or a database."""
    if not _is_watching[0]:
        return
    if event == "sqlite3.connect":
        known = isinstance(arguments[0], (str, bytes, os.PathLike))  # bytes before Python 3.11
        name = os.fsdecode(arguments[0]) if known else ""
        if name not in {"", ":memory:"}:
            _connections.append(f"database {os.path.basename(name)}")  # noqa: PTH119 # it may be a URI
    elif event in {"socket.connect", "socket.bind"}:
        verb = "connection to" if event == "socket.connect" else "socket bound to"
        _connections.append(f"{verb} {name_address(arguments[1])}")


def list_effects(before: State, ours: Iterable[str] = (), zone: str = "") -> Iterator[Effect]:
    """Yield what is different since `before`.

    `ours` are entries of sys.path that loading itself puts there; `zone` is a time zone that is
    known to be set on purpose.
    """
    _is_watching[0] = False
    after = look()
    for thread in threading.enumerate():
        if thread.ident not in before.threads:
            yield Effect("thread", thread.name)
    for number, handler in after.handlers.items():
        if handler != before.handlers.get(number):
            yield Effect("signal", signal.Signals(number).name)
    if after.directory != before.directory:
        yield Effect("directory", after.directory)
    yield from list_path_effects(before, after, frozenset(ours))
    if after.written > before.written:
        yield Effect("output", read_output(before.written))
    if after.read > before.read:
        yield Effect("input", f"{after.read - before.read} bytes")
    if after.zone != before.zone and after.zone[0] != zone:
        yield Effect("time zone", after.zone[0] or "/".join(after.zone[1]))
    unheard = [
        peer for peer in after.peers - before.peers if not any(peer in c for c in _connections)
    ]
    for connection in dict.fromkeys(
        [*_connections, *(f"connection to {p}" for p in sorted(unheard))]
    ):
        yield Effect("connection", connection)


def list_path_effects(before: State, after: State, ours: frozenset[str]) -> Iterator[Effect]:
    """Yield the entries that were put on sys.path, those that stand there twice marked as such.

    What an installed library puts there of its own, as pkg_resources does, is not the project's.
    """
    known = list(before.path)
    for entry in after.path:
        if entry in known:
            known.remove(entry)
        elif entry not in ours and _INSTALLED.isdisjoint(Path(entry).parts):
            yield Effect("path", f"{entry} (again)" if entry in before.path else entry)


def find_directory() -> str:
    """Return the working directory; an import may have removed it."""
    try:
        return str(Path.cwd())
    except OSError:
        return "a directory that is gone"


def find_offset() -> int:
    """Return how many bytes of standard input were read: it is a file in a fresh process."""
    try:
        return os.lseek(_STANDARD_INPUT, 0, os.SEEK_CUR)
    except OSError:
        return 0


def find_size() -> int:
    """Return how many bytes standard output holds: it is a file in a fresh process."""
    try:
        return os.fstat(_STANDARD_OUTPUT).st_size
    except OSError:
        return 0


def read_output(start: int) -> str:
    """Return the beginning of what was written to standard output since `start`."""
    try:
        text = os.pread(_STANDARD_OUTPUT, _MOST_READ, start)
    except (AttributeError, OSError):  # no such call, or a file for writing only
        return "something"
    return repr(redact(text.decode(errors="replace"))[:_MOST_SHOWN])


def redact(text: str, environ: Mapping[str, str] = os.environ) -> str:
    """Return a text without the values of the environment's variables: they may be secret."""
    for name, value in environ.items():
        if name not in KEPT and len(value) >= _LEAST_SECRET:
            text = text.replace(value, "<redacted>")
    return text


def name_address(address: Any) -> str:
    """Return an address of a socket for a message."""
    if isinstance(address, tuple) and len(address) > 1:
        return f"{address[0]}:{address[1]}"
    if isinstance(address, bytes):
        return address.decode(errors="replace")
    return str(address) if isinstance(address, str) else type(address).__name__


def list_peers() -> Iterator[str]:
    """Yield the addresses that sockets of this process are connected to, also those of C code."""
    try:
        descriptors = [int(entry.name) for entry in _DESCRIPTORS.iterdir()]
    except OSError:  # not on every system
        return
    for descriptor in descriptors:
        with suppress(OSError):
            if stat.S_ISSOCK(os.fstat(descriptor).st_mode):
                with socket.socket(fileno=os.dup(descriptor)) as twin:
                    peer = twin.getpeername()
                if peer:
                    yield name_address(peer)
