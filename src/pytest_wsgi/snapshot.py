"""Turns live objects of the target into values that cannot call back into it.

No `repr()`, `str()`, `len()`, `isinstance()` or other thing that a class of the target may have
overridden is used here: objects are read through the builtin types' own methods.
"""

from __future__ import annotations

import types
import weakref
from typing import TYPE_CHECKING, Any, TypeVar

from pytest_wsgi.exchange import ExcInfo, Foreign, Value

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Found = TypeVar("Found")

KEPT_TEXT = 1000
"""How many characters or bytes of a text that is not an exact builtin are kept."""

KEPT_ITEMS = 100
"""How many items of a tuple or list are kept."""

KEPT_INNER_ITEMS = 10
"""How many items are kept of one that is itself an item."""

KEPT_DEPTH = 3
"""How many levels of tuples and lists are kept."""

KEPT_BITS = 1024
"""The longest int that is kept; Python refuses to print very long ones."""

KNOWN_TYPES = 512
"""How many types are remembered; then it starts afresh."""

_BASES: tuple[tuple[type, str], ...] = (
    (str, "str"),
    (bytes, "bytes"),
    (bytearray, "bytearray"),
    (memoryview, "memoryview"),
    (bool, "bool"),
    (int, "int"),
    (float, "float"),
    (tuple, "tuple"),
    (list, "list"),
    (dict, "dict"),
)

_LENGTHS: dict[str, Callable[[Any], int]] = {
    name: kind.__dict__["__len__"] for kind, name in _BASES if "__len__" in kind.__dict__
}

_EXC_INFO_LENGTH = 3

_read_mro = type.__dict__["__mro__"].__get__
_read_class_dict = type.__dict__["__dict__"].__get__
_read_qualname = type.__dict__["__qualname__"].__get__
_read_module = type.__dict__["__module__"].__get__


def read_mro(kind: type) -> tuple[type, ...]:
    """Return the classes of a type, itself first, without asking its metaclass."""
    classes: tuple[type, ...] = _read_mro(kind)
    return classes


def derives(kind: type, base: object) -> bool:
    """Tell whether a type is or derives from `base`, without asking any metaclass."""
    return any(cls is base for cls in _read_mro(kind))


def remember_by_type(look: Callable[[type], Found]) -> Callable[[type], Found]:
    """Return `look`, which says something of a type, with a memory that keeps no type alive.

    Types are told apart by identity, because a metaclass may define __hash__ and __eq__.
    """
    known: dict[int, tuple[weakref.ref[type], Found]] = {}

    def remember(kind: type) -> Found:
        key = id(kind)
        if key in known:
            reference, found = known[key]
            if reference() is kind:
                return found
        if len(known) >= KNOWN_TYPES:
            known.clear()
        found = look(kind)
        known[key] = (weakref.ref(kind), found)
        return found

    return remember


@remember_by_type
def name_type(kind: type) -> str:
    """Return a type's name, with its module unless that is builtins."""
    name = str.__str__(_read_qualname(kind))
    module = _read_module(kind)
    return name if type(module) is not str or module == "builtins" else f"{module}.{name}"


@remember_by_type
def name_base(kind: type) -> str:
    """Return the name of the builtin type that `kind` is or derives from, or an empty text."""
    return next((name for base, name in _BASES if derives(kind, base)), "")


def find_in_class(kind: type, name: str) -> Any:
    """Return what the class or one of its bases binds to `name`, as it is; None for nothing."""
    for base in _read_mro(kind):
        members = _read_class_dict(base)
        if name in members:
            return members[name]
    return None


def has_instance_dict(kind: type) -> bool:
    """Tell whether objects of this type have a `__dict__` that is not made by its own code."""
    return type(find_in_class(kind, "__dict__")) is types.GetSetDescriptorType


def is_set_on(value: object, name: str) -> bool:
    """Tell whether an object, whose type has an instance dict, has an attribute set on itself."""
    return name in object.__getattribute__(value, "__dict__")


def measure(value: Any, base: str) -> int | None:
    """Return the length of a value that derives from the builtin type called `base`.

    None where such values have no length, as ints and memoryviews that were released.
    """
    count = _LENGTHS.get(base)
    try:
        return None if count is None else count(value)
    except (TypeError, ValueError):
        return None


def cut_bytes(value: Any, base: str, most: int | None = None) -> bytes:
    """Return the first `most` bytes (all for None) of a value that is some kind of bytes.

    Empty where `base` names no such kind, and for a memoryview that was released.
    """
    if base == "bytes":
        return bytes.__getitem__(value, slice(most))
    if base == "bytearray":
        return bytes(bytearray.__getitem__(value, slice(most)))
    if base == "memoryview":
        try:
            start = value[:most] if value.ndim == 1 else value
            return bytes(start.tobytes()[:most])
        except ValueError:
            return b""
    return b""


def is_plain(value: Any) -> bool:
    """Tell whether a value is kept as it is: an exact builtin, and an int that can be printed."""
    kind = type(value)
    # One by one: to look a type up in a set calls its metaclass's __hash__.
    return (
        kind is str
        or value is None
        or kind is bool
        or kind is bytes
        or kind is float
        or (kind is int and int.bit_length(value) <= KEPT_BITS)
    )


def take_snapshot(value: object, depth: int = KEPT_DEPTH) -> Value:
    """Return `value` where it is plain, a copy of an exact tuple or list, else a Foreign.

    Of a tuple or list the first items are kept, some levels deep.
    """
    if is_plain(value):
        return value
    kind = type(value)
    if (kind is tuple or kind is list) and depth:
        most = KEPT_ITEMS if depth == KEPT_DEPTH else KEPT_INNER_ITEMS
        items = [take_snapshot(item, depth - 1) for item in value[:most]]  # type: ignore[index] # kind says that it is a tuple or a list
        return items if kind is list else tuple(items)
    return describe(value, kind)


def describe(value: Any, kind: type) -> Foreign:
    """Return the stand-in for an object that is not plain."""
    base = name_base(kind)
    text = ""
    if base == "str":
        text = str.__str__(value)[:KEPT_TEXT]
    elif base == "int":
        bits = int.bit_length(value)
        text = int.__repr__(value) if bits <= KEPT_BITS else f"of {bits} bits"
    elif base in {"bytes", "bytearray", "memoryview"}:
        text = repr(cut_bytes(value, base, KEPT_TEXT))
    return Foreign(name_type(kind), base, text)


def snapshot_environ(environ: Mapping[Any, object]) -> dict[str, Value]:
    """Return a copy of `environ` with plain values and stand-ins."""
    return {
        key if type(key) is str else describe_key(key): value
        if type(value) is str
        else take_snapshot(value)
        for key, value in environ.items()
    }


def describe_key(key: object) -> str:
    """Return a text for an environ key that is not an exact str."""
    base = name_base(type(key))
    return str.__str__(key)[:KEPT_TEXT] if base == "str" else repr(take_snapshot(key))


def describe_exc_info(value: object) -> ExcInfo | None:
    """Return what start_response's third argument is made of; None where there is none."""
    if value is None:
        return None
    kind = type(value)
    if kind is not tuple:
        return ExcInfo(name_type(kind))
    items: tuple[object, ...] = value  # type: ignore[assignment] # kind says that it is a tuple
    matches = len(items) == _EXC_INFO_LENGTH and derives(type(items[1]), items[0])
    return ExcInfo("tuple", len(items), tuple(name_part(item) for item in items), matches)


def name_part(item: object) -> str:
    """Return the role that an item of exc_info can play."""
    kind = type(item)
    if item is None:
        return "None"
    if derives(kind, type) and derives(item, BaseException):  # type: ignore[arg-type] # a type, says its kind
        return "class"
    if derives(kind, BaseException):
        return "instance"
    return "traceback" if kind is types.TracebackType else name_type(kind)
