"""The server's side of one exchange, as strict as PEP 3333 allows servers to be.

What it hands over has what the PEP promises and nothing more.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

EDIT = ("X-Pytest-Wsgi-Edit", "made by the server")
"""What a gateway that edits headers appends to the application's list."""


class Gateway:
    """The state of one response: start_response and write, as in the PEP's own sample gateway."""

    def __init__(
        self,
        *,
        edits_headers: bool = False,
        fails_after: int | None = None,
        refuses_start: bool = False,
    ) -> None:
        self.refuses_start = refuses_start
        self.started = False
        self.sent = False
        self.is_over = False
        self.blocks_left = fails_after
        self.edits_headers = edits_headers

    def start_response(self, status: Any, headers: Any, exc_info: Any = None, /) -> Any:
        """Accept the status and headers and return the write callable.

        A second call without exc_info raises AssertionError; one with exc_info after the headers
        were sent raises that exception again (PEP 3333, The start_response() Callable). Raises
        ValueError when the response is over, and at the first call where the probe wants that.
        """
        self.refuse_when_over()
        if exc_info:
            try:
                if self.sent:
                    raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None
        elif self.started:
            raise AssertionError("start_response() was called a second time without exc_info")
        if self.refuses_start:
            self.refuses_start = False
            raise ValueError("the server refuses this response")
        self.started = True
        if self.edits_headers and type(headers) is list:
            headers.append(EDIT)
        _ = status
        return self.write

    def write(self, data: Any, /) -> None:
        """Send a block. Raises OSError where the probe wants the client gone."""
        self.refuse_when_over()
        is_empty = type(data) is bytes and not data
        if not is_empty and not self.started:
            raise AssertionError("data came before start_response() was called")
        if self.blocks_left is not None:
            if self.blocks_left == 0:
                raise BrokenPipeError("the client has gone")
            self.blocks_left -= 1
        if not is_empty:
            self.sent = True

    def refuse_when_over(self) -> None:
        """Raise ValueError when the response is over: another client may have the connection."""
        if self.is_over:
            raise ValueError("this response is over")


class StrictInput:
    """`wsgi.input` with the four methods of the PEP; at its end it returns empty bytes."""

    __slots__ = ("_lines",)

    def __init__(self, body: bytes) -> None:
        self._lines = io.BytesIO(body)

    def read(self, size: int | None = -1, /) -> bytes:
        """Return at most `size` bytes, or all that are left."""
        return self._lines.read(size)

    def readline(self, size: int | None = -1, /) -> bytes:
        """Return the next line, or at most `size` bytes of it."""
        return self._lines.readline(size)

    def readlines(self, hint: int | None = -1, /) -> list[bytes]:
        """Return the lines that are left, about `hint` bytes of them."""
        return self._lines.readlines(-1 if hint is None else hint)

    def __iter__(self) -> Iterator[bytes]:
        """Iterate over the lines that are left."""
        yield from iter(self._lines.readline, b"")  # which leaves the rest open when it is dropped


class StrictErrors:
    """`wsgi.errors` with the three methods of the PEP; it takes nothing but text."""

    __slots__ = ()

    def write(self, text: str, /) -> None:
        """Take a text. Raises TypeError for anything else."""
        if not isinstance(text, str):
            raise TypeError(f"wsgi.errors takes str, not {type(text).__name__}")

    def writelines(self, lines: Iterable[str], /) -> None:
        """Take several texts."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Do nothing: all is written already."""


class FileWrapper:
    """`wsgi.file_wrapper`: an iterable over blocks of a file (PEP 3333, file handling)."""

    def __init__(self, filelike: Any, block_size: int = 8192, /) -> None:
        self.filelike = filelike
        self.block_size = block_size
        if hasattr(filelike, "close"):
            self.close: Callable[[], object] = filelike.close

    def __iter__(self) -> FileWrapper:
        """Return itself, as an iterator does."""
        return self

    def __next__(self) -> bytes:
        """Return the next block."""
        block: bytes = self.filelike.read(self.block_size)
        if block:
            return block
        raise StopIteration
