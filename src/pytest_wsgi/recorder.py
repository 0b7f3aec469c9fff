"""Stands at one WSGI boundary and writes down everything that crosses it.

Three laws. It is transparent: the same bytes, the same calls, the same `len()`, `close()` and
exceptions with and without it, and it keeps nothing of the target alive. The way of a request is
short: it only appends to a log, which is made into an Exchange afterwards. And it judges nothing.
"""

from __future__ import annotations

import sys
import time
from collections import deque
from functools import partial
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
)
from pytest_wsgi.recorded import RecordedFileWrapper, look_at, look_through
from pytest_wsgi.snapshot import (
    cut_bytes,
    describe_exc_info,
    is_set_on,
    measure,
    name_base,
    name_type,
    snapshot_environ,
    take_snapshot,
)
from pytest_wsgi.streams import (
    RecordedErrors,
    RecordedInput,
    RecordedWrite,
    choose_errors,
    choose_input,
)
from pytest_wsgi.traces import describe_error, find_caller, passes_through
from pytest_wsgi.transcript import write_exchange
from pytest_wsgi.watched import WatchedStart

if TYPE_CHECKING:
    from collections.abc import Callable

KEPT_BLOCKS = 1000
"""How many ordinary blocks of one exchange are kept one by one; all are counted."""

KEPT_EVENTS = 10_000
"""How many events of one exchange are kept; after these only what is seldom and weighty."""

KEPT_START = 64
"""How many first bytes of a block are kept."""

_RAISED = -4
"""Where a start_response entry of the log holds the name of what was raised."""

_WRITE_TYPE = -1
"""Where it holds the type of what was returned, if that cannot be called."""


class Interruption(BaseException):
    """Raised inside the application by a driver that stops it; no error of the application's own.

    `reason` is one of those of `Stopped`, `detail` a sentence for people. `is_noted` tells whether
    a recording has it already.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.is_noted = False


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
    """The record of one exchange in the making. Call it once, as a server calls an application.

    With `watches_start` it also records when start_response is looked into. `is_behind` tells that
    a middleware makes the call, and not the server.
    """

    __slots__ = (
        "application",
        "before",
        "block_count",
        "body_length",
        "digest",
        "ended",
        "environ",
        "environ_type",
        "file_wrappers",
        "given",
        "is_behind",
        "kept",
        "log",
        "originals",
        "place",
        "watches_start",
    )

    def __init__(
        self, application: Any, *, watches_start: bool = False, is_behind: bool = False
    ) -> None:
        self.application = application
        self.watches_start = watches_start
        self.is_behind = is_behind
        self.log: list[tuple[Any, ...]] | deque[tuple[Any, ...]] = []
        self.place: Place = "outside"
        self.environ: dict[str, Any] = {}
        self.environ_type = "dict"
        self.before: dict[str, Any] = {}
        self.originals: dict[str, Any] = {}
        self.file_wrappers: dict[int, type] = {}
        self.given = 0  # bytes that wsgi.input has handed over
        self.ended = False
        self.block_count = 0
        self.body_length = 0
        self.kept = 0
        self.digest: Any = None

    def __call__(
        self,
        environ: dict[str, Any],
        start_response: Callable[..., Any],
        /,
        *,
        shape: tuple[Any, ...] = (),
    ) -> Any:
        """Call the application and record the call; return its result in a recording proxy.

        `shape` are the fields of Called, where a caller may have called in another way.
        """
        self.environ = environ
        self.before = environ.copy()
        if type(environ) is not dict:
            self.environ_type = name_type(type(environ))
        self.proxy_streams(environ)
        self.log.append((Called, get_ident(), *shape))
        start: Callable[..., Any] = partial(self.start_response, start_response)
        if self.watches_start:
            start = WatchedStart(self, start_response, start)
        self.place = "call"
        try:
            result = self.application(environ, start)
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
            proxy = choose_input(type(stream))(self, stream)
            environ["wsgi.input"] = originals["wsgi.input"] = proxy
        if (stream := environ.get("wsgi.errors")) is not None:
            errors = choose_errors(type(stream))(self, stream)
            environ["wsgi.errors"] = originals["wsgi.errors"] = errors
        if (wrapper := environ.get("wsgi.file_wrapper")) is not None:
            wrapping = RecordedFileWrapper(self, wrapper)
            environ["wsgi.file_wrapper"] = originals["wsgi.file_wrapper"] = wrapping

    def keep(self, entry: tuple[Any, ...]) -> None:
        """Append an event to the log, unless an application without measure has filled it."""
        if len(self.log) < KEPT_EVENTS:
            self.log.append(entry)

    def start_response(self, start: Callable[..., Any], /, *args: Any, **keywords: Any) -> Any:
        """Pass the call on to the server's start_response, and record it."""
        named = {str.__str__(name): keywords[name] for name in keywords} if keywords else keywords
        status = args[0] if args else named.get("status")
        headers = args[1] if len(args) > 1 else named.get("headers")
        exc_info = args[2] if len(args) > 2 else named.get("exc_info")  # noqa: PLR2004 # the third argument
        entry = [
            StartResponse,
            get_ident(),
            status if type(status) is str else take_snapshot(status),
            *keep_headers(headers),
            describe_exc_info(exc_info),
            len(args) + len(keywords),
            tuple(named),
            self.place,
            sys.exc_info()[0] is not None,
            None,
            find_caller(),
            headers if type(headers) is list else None,
            "",
        ]
        try:
            write = start(*args, **keywords)
            if not callable(write):
                entry[_WRITE_TYPE] = name_type(type(write))
        except BaseException as error:
            entry[_RAISED] = name_type(type(error))
            raise
        finally:
            if len(self.log) < KEPT_EVENTS:
                self.log.append(tuple(entry))
            # What is raised here holds this frame, and may be what exc_info holds.
            del args, keywords, named, status, headers, exc_info, entry
        return RecordedWrite(self, write) if callable(write) else write

    def note_result(self, result: Any) -> Any:
        """Record what the call returned, without calling anything of it; return its proxy."""
        original = look_through(result)
        kind = type(original)
        shape = look_at(kind)
        self.log.append(
            (
                Returned,
                get_ident(),
                *shape.description,
                shape.has_close or (shape.has_dict and is_set_on(original, "close")),
                bool(self.file_wrappers) and self.file_wrappers.get(id(original)) is kind,
                shape.is_file,
            )
        )
        return result if shape.proxy is None else shape.proxy(self, result)

    def note_block(self, block: Any) -> None:
        """Record a block that the iterable yielded."""
        self.block_count += 1
        if type(block) is bytes:
            if self.kept < KEPT_BLOCKS:
                self.kept += 1
                self.log.append(
                    (Block, get_ident(), "bytes", "bytes", len(block), block[:KEPT_START])
                )
            self.add_to_body(block)
            return
        kind = type(block)
        base = name_base(kind)
        if base == "bytes":
            self.add_to_body(cut_bytes(block, base))
        start = cut_bytes(block, base, KEPT_START)
        self.keep((Block, get_ident(), name_type(kind), base, measure(block, base), start))

    def add_to_body(self, block: bytes) -> None:
        """Count and digest bytes of the body; they themselves are not kept."""
        if block:
            self.body_length += len(block)
            if self.digest is None:
                self.digest = blake2b(digest_size=16)
            self.digest.update(block)

    def note_exhausted(self) -> None:
        """Record that the iterable ended."""
        self.ended = True
        self.log.append((Exhausted, get_ident()))

    def note_error(self, error: BaseException) -> None:
        """Record an exception that left the application; the exception itself is not kept."""
        if type(error) is Interruption:
            if not error.is_noted:
                error.is_noted = True
                endless = error.reason == "hang" and self.block_count and self.place != "close"
                reason = "endless" if endless else error.reason
                self.note_stop(reason, error.detail, describe_error(error)[-1])
            return
        by_server = passes_through(error, _SERVER_CALLS, self)
        self.log.append((Raised, get_ident(), *describe_error(error), self.place, by_server))

    def note_stop(self, reason: str, detail: str, origin: Origin | None = None) -> None:
        """Record that the server stopped the exchange; a driver calls this."""
        self.log.append((Stopped, get_ident(), reason, detail, origin))

    def name_request(self) -> str:
        """Return method and path of the request, such as `GET /`; unfit values are left out."""
        parts = (self.before.get("REQUEST_METHOD"), self.before.get("PATH_INFO"))
        shown = " ".join(part for part in parts if type(part) is str)
        return shown.encode("ascii", "backslashreplace").decode()

    def finish(self, *, probe: str, request: str, **more: Any) -> Exchange:
        """End the recording: give the server its environ values back and return the Exchange.

        `more` are further fields of the Exchange. What the application does after this is passed on
        and no longer recorded.
        """
        after = self.environ.copy()
        for key, value in after.items():
            if type(key) is str and key in self.originals and value is self.originals[key]:
                after[key] = self.environ[key] = self.before[key]
        before = snapshot_environ(self.before)
        exchange = write_exchange(
            self,
            probe=probe,
            request=request,
            environ=before,
            environ_after=before if is_same(self.before, after) else snapshot_environ(after),
            ended=time.time(),
            **more,
        )
        self.log = deque(maxlen=0)
        self.before, self.environ, self.originals, self.file_wrappers = {}, {}, {}, {}
        self.application = None
        return exchange


def is_same(before: dict[Any, Any], after: dict[Any, Any]) -> bool:
    """Tell whether two environs hold the same objects in the same order; calls nothing of them."""
    return len(before) == len(after) and all(
        key is key_after and value is value_after
        for (key, value), (key_after, value_after) in zip(
            before.items(), after.items(), strict=True
        )
    )


_SERVER_CALLS = frozenset(
    {
        Recording.start_response.__code__,
        RecordedWrite.__call__.__code__,
        RecordedInput._use.__code__,  # noqa: SLF001 # streams are a part of the recorder
        RecordedErrors._use.__code__,  # noqa: SLF001 # as above
    }
)
"""Functions that call the server: what leaves them was raised by it."""


def keep_headers(headers: Any) -> tuple[str, Any]:
    """Return the type's name of `headers` and, for an exact list, its items as they are now."""
    if type(headers) is list:
        return "list", tuple(headers)
    return name_type(type(headers)), take_snapshot(headers)
