"""What the scripted applications behind a middleware are made of: contents, and iterables.

Their names stand in findings, as `pytest_wsgi.inner.ScriptError`.
"""

from __future__ import annotations

import gzip
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
