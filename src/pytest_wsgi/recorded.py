"""The recording proxies of what an application is handed, and of what it hands back.

Each looks like what it stands for: same methods, same `len()`, same `isinstance()`, and an
attribute that is missing there is missing here.
"""

from __future__ import annotations

import io
import operator
from dataclasses import dataclass
from functools import lru_cache
from threading import get_ident
from typing import TYPE_CHECKING, Any

from pytest_wsgi.exchange import Closed, ErrorsUsed, FileWrapped, InputUsed, Measured
from pytest_wsgi.snapshot import name_base, name_type, take_snapshot
from pytest_wsgi.traces import find_caller

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_wsgi.recorder import Recording

KEPT_START = 64
"""How many first bytes of a block are kept."""

KEPT_TEXT = 1000
"""How many characters of one write to wsgi.errors are kept."""

_FILE_ATTRIBUTES = ("read", "close", "fileno", "seek", "tell", "mode", "name")


class RecordedInput:
    """`wsgi.input`, recorded."""

    __slots__ = ("_given", "_inner", "_length", "_recording")

    def __init__(self, recording: Recording, inner: Any) -> None:
        self._recording = recording
        self._inner = inner
        self._given = 0
        self._length = read_length(recording.before)

    @property
    def __class__(self) -> type:  # type: ignore[override] # so that isinstance() sees the original
        """The type of the original."""
        return type(self._inner)

    def __repr__(self) -> str:
        """Name the object without touching the original."""
        return "<wsgi.input>"

    def __iter__(self) -> Iterator[Any]:
        """Iterate over the lines, each one recorded."""
        advance = iter(self._inner).__next__
        try:
            while True:
                yield self._use("__iter__", advance, (), {})
        except StopIteration:
            return

    def __getattr__(self, name: str) -> Any:
        """Return the original's attribute, its methods recorded."""
        try:
            value = getattr(self._inner, name)
        except AttributeError:
            self._look(name, found=False)
            raise
        if callable(value):
            return lambda *args, **keywords: self._use(name, value, args, keywords)
        self._look(name, found=True)
        return value

    def _use(
        self, name: str, method: Callable[..., Any], args: tuple[Any, ...], keywords: dict[str, Any]
    ) -> Any:
        size = args[0] if args else keywords.get("size")
        past_end = self._given >= self._length and size != 0
        raised: str | None = None
        returned = None
        try:
            answer = method(*args, **keywords)
            returned = measure_data(answer)
            self._given += returned or 0
        except BaseException as error:
            raised = name_type(type(error))
            self._recording.server_errors.add(id(error))
            raise
        finally:
            if raised != "StopIteration":
                count = len(args) + len(keywords)
                self._note(name, take_snapshot(size), count, returned, past_end, raised)
        return answer

    def _look(self, name: str, *, found: bool) -> None:
        """Record that an attribute was only looked at."""
        recording = self._recording
        entry = (name, found, False, None, 0, None, False, recording.place, None, find_caller())
        recording.log.append((InputUsed, get_ident(), *entry))

    def _note(self, name: str, *use: Any) -> None:
        """Record a call: size, number of arguments, bytes returned, past the end?, raised."""
        recording = self._recording
        *use_before, raised = use
        entry = (name, True, True, *use_before, recording.place, raised, find_caller())
        recording.log.append((InputUsed, get_ident(), *entry))


class RecordedErrors:
    """`wsgi.errors`, recorded."""

    __slots__ = ("_inner", "_recording")

    def __init__(self, recording: Recording, inner: Any) -> None:
        self._recording = recording
        self._inner = inner

    @property
    def __class__(self) -> type:  # type: ignore[override] # so that isinstance() sees the original
        """The type of the original."""
        return type(self._inner)

    def __repr__(self) -> str:
        """Name the object without touching the original."""
        return "<wsgi.errors>"

    def __getattr__(self, name: str) -> Any:
        """Return the original's attribute, its methods recorded."""
        try:
            value = getattr(self._inner, name)
        except AttributeError:
            self._note(name, found=False, called=False)
            raise
        if callable(value):
            return lambda *args, **keywords: self._use(name, value, args, keywords)
        self._note(name, found=True, called=False)
        return value

    def _use(
        self, name: str, method: Callable[..., Any], args: tuple[Any, ...], keywords: dict[str, Any]
    ) -> Any:
        if name == "writelines" and args:
            args = (list(args[0]), *args[1:])
        data = args[0] if args else ""
        items = data if name == "writelines" else [data] if name == "write" else []
        raised: str | None = None
        try:
            return method(*args, **keywords)
        except BaseException as error:
            raised = name_type(type(error))
            self._recording.server_errors.add(id(error))
            raise
        finally:
            self._note(name, found=True, called=True, items=items, raised=raised)

    def _note(
        self, method: str, *, found: bool, called: bool, items: Any = (), raised: str | None = None
    ) -> None:
        text = "".join(item for item in items if type(item) is str)[:KEPT_TEXT]
        types = tuple(name_type(type(item)) for item in items)
        self._recording.log.append(
            (ErrorsUsed, get_ident(), method, found, called, types, text, raised, find_caller())
        )


class RecordedFileWrapper:
    """`wsgi.file_wrapper`, recorded; it still serves as the second argument of isinstance()."""

    __slots__ = ("_inner", "_recording")

    def __init__(self, recording: Recording, inner: Any) -> None:
        self._recording = recording
        self._inner = inner

    def __repr__(self) -> str:
        """Name the object without touching the original."""
        return "<wsgi.file_wrapper>"

    def __instancecheck__(self, instance: Any) -> bool:
        """Tell whether `instance` is one of the server's wrapper, where that is a class."""
        return isinstance(instance, self._inner)

    def __getattr__(self, name: str) -> Any:
        """Return the original's attribute."""
        return getattr(self._inner, name)

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        """Make the server's wrapper, and record with what."""
        file = args[0] if args else keywords.get("filelike")
        size = args[1] if len(args) > 1 else None
        attributes = frozenset(name for name in _FILE_ATTRIBUTES if hasattr(file, name))
        raised: str | None = None
        try:
            result = self._inner(*args, **keywords)
        except BaseException as error:
            raised = name_type(type(error))
            raise
        finally:
            entry = (name_type(type(file)), attributes, take_snapshot(size), raised)
            self._recording.log.append((FileWrapped, get_ident(), *entry))
        self._recording.file_wrapper_ids.add(id(result))
        return result


class RecordedIterator:
    """An iterator made from the returned iterable, recorded."""

    __slots__ = ("_inner", "_next", "_recording")

    def __init__(self, recording: Recording, inner: Any) -> None:
        self._recording = recording
        self._inner = inner
        self._next = inner.__next__

    def __iter__(self) -> RecordedIterator:
        """Return itself, as an iterator does."""
        return self

    def __next__(self) -> Any:
        """Return the next block."""
        return take_block(self._recording, self._next)

    def __getattr__(self, name: str) -> Any:
        """Return the original's attribute; a close() is recorded."""
        value = getattr(self._inner, name)
        return record_close(self._recording, value, "iterator") if name == "close" else value


def take_block(recording: Recording, advance: Callable[..., Any], *args: Any) -> Any:
    """Call `advance` for the next block, and record the block, the end or the exception."""
    recording.place = "iteration"
    try:
        block = advance(*args)
    except (StopIteration, IndexError) as error:
        if type(error) is (IndexError if args else StopIteration):
            recording.note_exhausted()
        else:
            recording.note_error(error)
        raise
    except BaseException as error:
        recording.note_error(error)
        raise
    finally:
        recording.place = "outside"
    recording.note_block(block)
    return block


def record_close(recording: Recording, close: Callable[..., Any], on: str) -> Callable[..., Any]:
    """Return a callable that closes and records that."""

    def recorded_close(*args: Any, **keywords: Any) -> Any:
        raised: str | None = None
        recording.place = "close"
        try:
            return close(*args, **keywords)
        except BaseException as error:
            raised = name_type(type(error))
            recording.note_error(error)
            raise
        finally:
            recording.place = "outside"
            recording.log.append((Closed, get_ident(), on, raised))

    return recorded_close


class RecordedResult:
    """What the application returned, recorded. The special methods come from `look_at`."""

    __slots__ = ("_inner", "_recording")

    def __init__(self, recording: Recording, inner: Any) -> None:
        self._recording = recording
        self._inner = inner

    @property
    def __class__(self) -> type:  # type: ignore[override] # so that isinstance() sees the original
        """The type of the original: servers ask whether it is their file wrapper."""
        return type(self._inner)

    def __getattr__(self, name: str) -> Any:
        """Return the original's attribute; a close() is recorded."""
        value = getattr(self._inner, name)
        return record_close(self._recording, value, "iterable") if name == "close" else value


@dataclass(frozen=True, slots=True)
class Shape:
    """What a type of result can do; `proxy` is None where a proxy would change what servers see.

    `description` holds the type's name, its builtin base, whether it can be iterated over and
    whether it is an iterator.
    """

    description: tuple[str, str, bool, bool]
    has_close: bool
    is_file: bool
    proxy: type[RecordedResult] | None


def _look_at(kind: type) -> Shape:
    """Return the shape of results of `kind`, found out without calling anything of theirs.

    The proxy has the special methods that `kind` has; what is no iterable and plain text get none.
    """
    iterable = hasattr(kind, "__iter__") or hasattr(kind, "__getitem__")
    proxy: type[RecordedResult] | None = None
    if iterable and kind not in {str, bytes}:
        methods = {name: method for name, method in _SPECIAL.items() if hasattr(kind, name)}
        proxy = type("RecordedResult", (RecordedResult,), {"__slots__": (), **methods})
    return Shape(
        (name_type(kind), name_base(kind), iterable, hasattr(kind, "__next__")),
        hasattr(kind, "close"),
        issubclass(kind, io.IOBase),
        proxy,
    )


look_at: Callable[[type], Shape] = lru_cache(maxsize=256)(_look_at)


def _iterate(self: Any) -> Any:
    made = iter(self._inner)
    return self if made is self._inner else RecordedIterator(self._recording, made)


def _advance(self: Any) -> Any:
    return take_block(self._recording, self._inner.__next__)


def _get_item(self: Any, index: Any) -> Any:
    if hasattr(type(self._inner), "__iter__"):
        return self._inner[index]
    return take_block(self._recording, self._inner.__getitem__, index)


def _measure(self: Any) -> int:
    length: int | None = None
    raised: str | None = None
    try:
        length = len(self._inner)
    except BaseException as error:
        raised = name_type(type(error))
        raise
    finally:
        self._recording.log.append((Measured, get_ident(), length, raised))
    return length


_SPECIAL: dict[str, Callable[..., Any]] = {
    "__iter__": _iterate,
    "__next__": _advance,
    "__getitem__": _get_item,
    "__len__": _measure,
    "__bool__": lambda self: bool(self._inner),
    "__contains__": lambda self, item: item in self._inner,
    "__eq__": lambda self, other: self._inner == other,
    "__hash__": lambda self: hash(self._inner),
    "__enter__": lambda self: self._inner.__enter__(),
    "__exit__": lambda self, *error: self._inner.__exit__(*error),
    "__length_hint__": lambda self: operator.length_hint(self._inner),
}


def measure_data(data: Any) -> int | None:
    """Return how many bytes a read handed over; None where it was something else."""
    if name_base(type(data)) == "bytes":
        return len(data)
    if type(data) is list:
        return sum(len(line) for line in data if isinstance(line, bytes))
    return None


def read_length(environ: dict[str, Any]) -> float:
    """Return the number of bytes that wsgi.input has: CONTENT_LENGTH, or as much as there is."""
    if environ.get("wsgi.input_terminated"):
        return float("inf")
    value = environ.get("CONTENT_LENGTH", "")
    return int(value) if type(value) is str and value.isascii() and value.isdigit() else 0
