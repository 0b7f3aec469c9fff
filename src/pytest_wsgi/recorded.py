"""The recording proxies of what an application hands back: iterable, iterator, close().

The file wrapper is here too, because what it makes is handed back.

Each looks like what it stands for: same special methods, same `len()`, same `isinstance()`, and an
attribute that is missing there is missing here.
"""

from __future__ import annotations

import io
import operator
from dataclasses import dataclass
from threading import get_ident
from typing import TYPE_CHECKING, Any

from pytest_wsgi.exchange import Closed, FileWrapped, Measured
from pytest_wsgi.snapshot import (
    derives,
    find_in_class,
    has_instance_dict,
    is_set_on,
    name_base,
    name_type,
    remember_by_type,
    take_snapshot,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_wsgi.recorder import Recording

_FILE_ATTRIBUTES = ("read", "close", "fileno", "seek", "tell", "mode", "name")

_FILE = io.IOBase.__base__
"""What every file object of the standard library derives from."""


class RecordedIterator:
    """An iterator made from the returned iterable, recorded."""

    __slots__ = ("_inner", "_recording")

    def __init__(self, recording: Recording, inner: Any) -> None:
        self._recording = recording
        self._inner = inner

    @property  # type: ignore[misc] # read-only, and there so that isinstance() sees the original
    def __class__(self) -> type:
        """The type of the original."""
        return type(self._inner)

    def __iter__(self) -> RecordedIterator:
        """Return itself, as an iterator does."""
        return self

    def __next__(self) -> Any:
        """Return the next block."""
        return take_block(self._recording, StopIteration, next, self._inner)

    def __getattr__(self, name: str) -> Any:
        """Return the original's attribute; a close() is recorded."""
        if name == "close":
            return find_close(self._recording, self._inner, "iterator")
        return getattr(self._inner, name)


class RecordedResult:
    """What the application returned, recorded. The special methods come from `look_at`."""

    __slots__ = ("__weakref__", "_inner", "_recording")

    def __init__(self, recording: Recording, inner: Any) -> None:
        self._recording = recording
        self._inner = inner

    @property  # type: ignore[misc] # read-only, and there so that isinstance() sees the original
    def __class__(self) -> type:
        """The type of the original: servers ask whether it is their file wrapper."""
        return type(look_through(self._inner))

    def __repr__(self) -> str:
        """Show the original, as who asks for it expects."""
        return repr(self._inner)

    def __eq__(self, other: object) -> bool:
        """Compare as the original does."""
        return bool(self._inner == other)

    def __hash__(self) -> int:
        """Return the original's hash."""
        return hash(self._inner)

    def __getattr__(self, name: str) -> Any:
        """Return the original's attribute; a close() is recorded."""
        if name == "close":
            return find_close(self._recording, self._inner, "iterable")
        return getattr(self._inner, name)


def look_through(result: Any) -> Any:
    """Return what a proxy of another recording stands for; anything else as it is.

    A middleware may hand on what the application behind it returned.
    """
    while issubclass(type(result), (RecordedResult, RecordedIterator)):
        result = result._inner  # noqa: SLF001 # of this module
    return result


def take_block(recording: Recording, ends: Any, advance: Callable[..., Any], *args: Any) -> Any:
    """Call `advance` for the next block, and record the block, the end or the exception.

    `ends` is the exception, or a tuple of those, that ends the iteration.
    """
    recording.place = "iteration"
    try:
        block = advance(*args)
    except ends:
        recording.note_exhausted()
        raise
    except BaseException as error:
        recording.note_error(error)
        raise
    finally:
        recording.place = "outside"
    recording.note_block(block)
    return block


def find_close(recording: Recording, inner: Any, on: str) -> Any:
    """Return the `close` of what was returned, recorded where it can be called."""
    recording.place = "close"
    try:
        close = inner.close
    except AttributeError:
        raise
    except BaseException as error:
        recording.note_error(error)
        raise
    finally:
        recording.place = "outside"
    return record_close(recording, close, on) if callable(close) else close


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
            recording.ended = True
            recording.log.append((Closed, get_ident(), on, raised))

    return recorded_close


def first_of(args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    """Return the first argument of a call, or None."""
    return args[0] if args else next(iter(keywords.values()), None)


class RecordedFileWrapper:
    """`wsgi.file_wrapper`, recorded; it still serves as the second argument of isinstance()."""

    __slots__ = ("_inner", "_recording")

    def __init__(self, recording: Recording, inner: Any) -> None:
        self._recording = recording
        self._inner = inner

    def __repr__(self) -> str:
        """Show the original, as who asks for it expects."""
        return repr(self._inner)

    def __instancecheck__(self, instance: Any) -> bool:
        """Tell whether `instance` is one of the server's wrapper, where that is a class."""
        return isinstance(instance, self._inner)

    def __getattr__(self, name: str) -> Any:
        """Return the original's attribute."""
        return getattr(self._inner, name)

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        """Make the server's wrapper, and record with what."""
        file = first_of(args, keywords)
        size = args[1] if len(args) > 1 else None
        raised: str | None = None
        try:
            result = self._inner(*args, **keywords)
        except BaseException as error:
            raised = name_type(type(error))
            raise
        finally:
            entry = (name_type(type(file)), find_attributes(file), take_snapshot(size), raised)
            self._recording.keep((FileWrapped, get_ident(), *entry))
        self._recording.file_wrappers[id(result)] = type(result)
        return result


def find_attributes(file: Any) -> frozenset[str]:
    """Return which of the attributes that servers ask a file for it has."""
    kind = type(file)
    has_dict = has_instance_dict(kind)
    found = {
        name
        for name in _FILE_ATTRIBUTES
        if find_in_class(kind, name) is not None or (has_dict and is_set_on(file, name))
    }
    if find_in_class(kind, "__getattr__") is not None:  # as that of tempfile's wrappers
        found.update(name for name in _FILE_ATTRIBUTES if has_attribute(file, name))
    return frozenset(found)


def has_attribute(value: Any, name: str) -> bool:
    """Tell whether an object makes up an attribute, as servers find out."""
    try:
        return hasattr(value, name)
    except BaseException:  # noqa: BLE001 # the target's own __getattr__ may raise anything
        return False


def make_proxy(base: type[Any], kind: type, special: Mapping[str, Callable[..., Any]]) -> type[Any]:
    """Return a class derived from `base` with those of the special methods that `kind` has."""
    methods = {
        name: method for name, method in special.items() if find_in_class(kind, name) is not None
    }
    return type(base.__name__, (base,), {"__slots__": (), **methods})


@dataclass(frozen=True, slots=True)
class Shape:
    """What a type of result can do; `proxy` is None where a proxy would change what servers see.

    `description` holds the type's name, its builtin base, whether it can be iterated over and
    whether it is an iterator.
    """

    description: tuple[str, str, bool, bool]
    has_close: bool
    has_dict: bool
    is_file: bool
    proxy: type[RecordedResult] | None


@remember_by_type
def look_at(kind: type) -> Shape:
    """Return the shape of results of `kind`, found out without calling anything of theirs.

    The proxy has the special methods that `kind` has; what is no iterable and plain text get none.
    """
    iterable = any(find_in_class(kind, name) is not None for name in ("__iter__", "__getitem__"))
    proxied = iterable and kind is not str and kind is not bytes
    return Shape(
        (name_type(kind), name_base(kind), iterable, find_in_class(kind, "__next__") is not None),
        has_close=find_in_class(kind, "close") is not None,
        has_dict=has_instance_dict(kind),
        is_file=derives(kind, _FILE),
        proxy=make_proxy(RecordedResult, kind, _SPECIAL) if proxied else None,
    )


def _iterate(self: Any) -> Any:
    recording = self._recording
    recording.place = "iteration"
    try:
        made = iter(self._inner)
    except BaseException as error:
        recording.note_error(error)
        raise
    finally:
        recording.place = "outside"
    return self if made is self._inner else RecordedIterator(recording, made)


def _advance(self: Any) -> Any:
    return take_block(self._recording, StopIteration, next, self._inner)


def _get_item(self: Any, index: Any) -> Any:
    if find_in_class(type(self._inner), "__iter__") is not None:
        return self._inner[index]
    ends = (IndexError, StopIteration)
    return take_block(self._recording, ends, operator.getitem, self._inner, index)


def _measure(self: Any) -> int:
    length: int | None = None
    raised: str | None = None
    try:
        length = len(self._inner)
    except BaseException as error:
        raised = name_type(type(error))
        raise
    finally:
        self._recording.keep((Measured, get_ident(), length, raised))
    return length


_SPECIAL: dict[str, Callable[..., Any]] = {
    "__iter__": _iterate,
    "__next__": _advance,
    "__getitem__": _get_item,
    "__len__": _measure,
    "__bool__": lambda self: bool(self._inner),
    "__contains__": lambda self, item: item in self._inner,
    "__enter__": lambda self: self._inner.__enter__(),
    "__exit__": lambda self, *error: self._inner.__exit__(*error),
    "__length_hint__": lambda self: operator.length_hint(self._inner),
}
