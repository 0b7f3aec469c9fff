"""Stands at one WSGI boundary and writes down everything that crosses it.

Three laws. It is transparent: the same bytes, the same calls, the same `len()`, `close()` and
exceptions with and without it, and it keeps nothing of the target alive. The way of a request is
short: it only appends to a log, which is made into an Exchange afterwards. And it judges nothing.
"""

from __future__ import annotations

import sys
from hashlib import blake2b
from threading import get_ident
from typing import TYPE_CHECKING, Any

from pytest_wsgi.exchange import (
    Block,
    Called,
    Exchange,
    Exhausted,
    Origin,
    Place,
    Raised,
    Returned,
    StartResponse,
    Stopped,
    Write,
)
from pytest_wsgi.recorded import (
    KEPT_START,
    RecordedErrors,
    RecordedFileWrapper,
    RecordedInput,
    look_at,
)
from pytest_wsgi.snapshot import (
    describe_exc_info,
    name_base,
    name_type,
    snapshot_environ,
    take_snapshot,
)
from pytest_wsgi.traces import describe_error, find_caller
from pytest_wsgi.transcript import write_exchange

if TYPE_CHECKING:
    from collections.abc import Callable

KEPT_EVENTS = 1000
"""How many ordinary blocks and reads of one exchange are kept one by one; all are counted."""

_RAISED = -3
"""Where a start_response entry of the log holds the name of what was raised."""


class Interruption(BaseException):
    """Raised inside the application by a driver that stops it; no error of the application's own.

    `reason` is one of those of `Stopped`, `detail` a sentence for people.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class Recorder:
    """A WSGI application that records every exchange of the one that it wraps.

    Each call adds a Recording to `recordings`, in the order of the calls.
    """

    def __init__(self, application: Any) -> None:
        self.application = application
        self.recordings: list[Recording] = []

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any], /) -> Any:
        """Call the application with the server's arguments and record what crosses."""
        recording = Recording(self.application)
        self.recordings.append(recording)
        return recording(environ, start_response)


class Recording:
    """The record of one exchange in the making. Call it once, as a server calls an application."""

    __slots__ = (
        "application",
        "before",
        "block_count",
        "body_length",
        "digest",
        "environ",
        "file_wrapper_ids",
        "kept",
        "log",
        "originals",
        "place",
        "server_errors",
        "start",
    )

    def __init__(self, application: Any) -> None:
        self.application = application
        self.log: list[tuple[Any, ...]] = []
        self.place: Place = "outside"
        self.environ: dict[str, Any] = {}
        self.before: dict[str, Any] = {}
        self.originals: dict[str, Any] = {}
        self.file_wrapper_ids: set[int] = set()
        self.server_errors: set[int] = set()
        self.block_count = 0
        self.body_length = 0
        self.kept = 0
        self.digest: Any = None
        self.start: Any = None

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any], /) -> Any:
        """Call the application and record the call; return its result in a recording proxy."""
        self.environ, self.start = environ, start_response
        self.before = environ.copy()
        self.proxy_streams(environ)
        self.log.append((Called, get_ident()))
        self.place = "call"
        try:
            result = self.application(environ, self.start_response)
        except BaseException as error:
            self.note_error(error)
            raise
        finally:
            self.place = "outside"
        return self.note_result(result)

    def proxy_streams(self, environ: dict[str, Any]) -> None:
        """Put recording proxies in front of the input, the errors and the file wrapper."""
        originals = self.originals
        if (stream := environ.get("wsgi.input")) is not None:
            environ["wsgi.input"] = originals["wsgi.input"] = RecordedInput(self, stream)
        if (stream := environ.get("wsgi.errors")) is not None:
            environ["wsgi.errors"] = originals["wsgi.errors"] = RecordedErrors(self, stream)
        if (wrapper := environ.get("wsgi.file_wrapper")) is not None:
            proxy = RecordedFileWrapper(self, wrapper)
            environ["wsgi.file_wrapper"] = originals["wsgi.file_wrapper"] = proxy

    def start_response(self, *args: Any, **keywords: Any) -> Any:
        """Pass the call on to the server's start_response, and record it."""
        status = args[0] if args else keywords.get("status")
        headers = args[1] if len(args) > 1 else keywords.get("headers")
        exc_info = args[2] if len(args) > 2 else keywords.get("exc_info")  # noqa: PLR2004 # the third argument
        entry = [
            StartResponse,
            get_ident(),
            status if type(status) is str else take_snapshot(status),
            *keep_headers(headers),
            describe_exc_info(exc_info),
            len(args) + len(keywords),
            tuple(keywords),
            self.place,
            sys.exc_info()[0] is not None,
            None,
            find_caller(),
            headers if type(headers) is list else None,
        ]
        del exc_info
        try:
            write = self.start(*args, **keywords)
        except BaseException as error:
            self.server_errors.add(id(error))
            entry[_RAISED] = name_type(type(error))
            raise
        finally:
            self.log.append(tuple(entry))
        return RecordedWrite(self, write) if callable(write) else write

    def note_result(self, result: Any) -> Any:
        """Record what the call returned, without calling anything of it; return its proxy."""
        shape = look_at(type(result))
        self.log.append(
            (
                Returned,
                get_ident(),
                *shape.description,
                shape.has_close or "close" in getattr(result, "__dict__", ()),
                id(result) in self.file_wrapper_ids,
                shape.is_file,
            )
        )
        return result if shape.proxy is None else shape.proxy(self, result)

    def note_block(self, block: Any) -> None:
        """Record a block that the iterable yielded."""
        self.block_count += 1
        if type(block) is bytes:
            if self.kept < KEPT_EVENTS:
                self.kept += 1
                self.log.append(
                    (Block, get_ident(), "bytes", "bytes", len(block), block[:KEPT_START])
                )
            self.add_to_body(block)
            return
        kind = type(block)
        base = name_base(kind)
        start = bytes(block[:KEPT_START]) if base in ("bytes", "bytearray", "memoryview") else b""
        length = len(block) if base else None
        if base == "bytes":
            self.add_to_body(block)
        if self.kept < KEPT_EVENTS:
            self.kept += 1
            self.log.append((Block, get_ident(), name_type(kind), base, length, start))

    def add_to_body(self, block: bytes) -> None:
        """Count and digest bytes of the body; they themselves are not kept."""
        if block:
            self.body_length += len(block)
            if self.digest is None:
                self.digest = blake2b(digest_size=16)
            self.digest.update(block)

    def note_exhausted(self) -> None:
        """Record that the iterable ended."""
        self.log.append((Exhausted, get_ident()))

    def note_error(self, error: BaseException) -> None:
        """Record an exception that left the application; the exception itself is not kept."""
        if isinstance(error, Interruption):
            reason = "endless" if error.reason == "hang" and self.block_count else error.reason
            self.note_stop(reason, error.detail, describe_error(error)[-1])
            return
        self.log.append(
            (
                Raised,
                get_ident(),
                *describe_error(error),
                self.place,
                id(error) in self.server_errors,
            )
        )

    def note_stop(self, reason: str, detail: str, origin: Origin | None = None) -> None:
        """Record that the server stopped the exchange; a driver calls this."""
        self.log.append((Stopped, get_ident(), reason, detail, origin))

    def name_request(self) -> str:
        """Return method and path of the request, such as `GET /`; unfit values are left out."""
        parts = (self.before.get("REQUEST_METHOD"), self.before.get("PATH_INFO"))
        return " ".join(part for part in parts if type(part) is str)

    def finish(self, *, probe: str, request: str, **more: Any) -> Exchange:
        """End the recording: give the server its environ values back and return the Exchange.

        `more` are further fields of the Exchange.
        """
        after = self.environ.copy()
        for key, proxy in self.originals.items():
            if after.get(key) is proxy:
                after[key] = self.environ[key] = self.before[key]
        before, self.before, self.environ = self.before, {}, {}
        self.originals = {}
        self.start = self.application = None
        return write_exchange(
            self,
            probe=probe,
            request=request,
            environ=snapshot_environ(before),
            environ_after=snapshot_environ(after),
            **more,
        )


class RecordedWrite:
    """The write callable, recorded."""

    __slots__ = ("_recording", "_write")

    def __init__(self, recording: Recording, write: Callable[..., Any]) -> None:
        self._recording = recording
        self._write = write

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        """Pass the data on to the server's write callable, and record the call."""
        recording = self._recording
        data: Any = args[0] if args else None
        kind = type(data)
        base = name_base(kind)
        ended = any(entry[0] is Exhausted for entry in recording.log)
        raised = None
        try:
            answer = self._write(*args, **keywords)
        except BaseException as error:
            recording.server_errors.add(id(error))
            raised = name_type(type(error))
            raise
        finally:
            length = len(data) if base else None
            recording.log.append(
                (
                    Write,
                    get_ident(),
                    name_type(kind),
                    length,
                    recording.place,
                    ended,
                    raised,
                    find_caller(),
                )
            )
        if base == "bytes":
            recording.add_to_body(bytes(data))
        return answer


def keep_headers(headers: Any) -> tuple[str, Any]:
    """Return the type's name of `headers` and, for an exact list, its items as they are now."""
    if type(headers) is list:
        return "list", tuple(headers)
    return name_type(type(headers)), take_snapshot(headers)
