"""Turns live objects of the target into values that cannot call back into it.

No `repr()`, `str()` or other method of the target's own classes is called here.
"""

from __future__ import annotations

import types
from functools import lru_cache
from typing import TYPE_CHECKING

from pytest_wsgi.exchange import ExcInfo, Foreign, Value

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PLAIN = frozenset({bool, bytes, float, int, str, type(None)})
KEPT_TEXT = 1000
"""How many characters or bytes of a text that is not an exact builtin are kept."""

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


def _name_type(kind: type) -> str:
    """Return a type's name, with its module unless that is builtins."""
    name = type.__getattribute__(kind, "__qualname__")
    module = type.__getattribute__(kind, "__module__")
    return f"{name}" if module == "builtins" else f"{module}.{name}"


def _name_base(kind: type) -> str:
    """Return the name of the builtin type that `kind` is or derives from, or an empty text."""
    for base, name in _BASES:
        if issubclass(kind, base):
            return name
    return ""


name_type: Callable[[type], str] = lru_cache(maxsize=512)(_name_type)
name_base: Callable[[type], str] = lru_cache(maxsize=512)(_name_base)


def take_snapshot(value: object, depth: int = 3) -> Value:
    """Return `value` where it is plain, a copy of an exact tuple or list, else a Foreign."""
    kind = type(value)
    if kind in PLAIN:
        return value
    if kind in (tuple, list) and depth:
        items = [take_snapshot(item, depth - 1) for item in value]  # type: ignore[attr-defined] # kind says that it is a tuple or a list
        return items if kind is list else tuple(items)
    return describe(value, kind)


def describe(value: object, kind: type) -> Foreign:
    """Return the stand-in for an object that is not plain."""
    base = name_base(kind)
    text = ""
    if base == "str":
        text = str.__str__(value)[:KEPT_TEXT]
    elif base == "int":
        text = int.__repr__(value)  # type: ignore[arg-type] # base says that it is an int
    elif base in ("bytes", "bytearray", "memoryview"):
        text = repr(bytes(value[:KEPT_TEXT]))  # type: ignore[index] # base says that it can be cut
    return Foreign(name_type(kind), base, text)


def snapshot_environ(environ: Mapping[str, object]) -> dict[str, Value]:
    """Return a copy of `environ` with plain values and stand-ins."""
    return {
        key if type(key) is str else describe_key(key): value
        if type(value) in PLAIN
        else take_snapshot(value)
        for key, value in environ.items()
    }


def describe_key(key: object) -> str:
    """Return a text for an environ key that is not an exact str."""
    return key[:KEPT_TEXT] if isinstance(key, str) else repr(take_snapshot(key))


def describe_exc_info(value: object) -> ExcInfo | None:
    """Return what start_response's third argument is made of; None where there is none."""
    if value is None:
        return None
    kind = type(value)
    if kind is not tuple:
        return ExcInfo(name_type(kind))
    items = tuple(value)  # type: ignore[var-annotated,arg-type] # kind says that it is a tuple
    matches = (
        len(items) == len(("class", "instance", "traceback"))
        and isinstance(items[0], type)
        and issubclass(type(items[1]), items[0])
    )
    return ExcInfo("tuple", len(items), tuple(name_part(item) for item in items), matches)


def name_part(item: object) -> str:
    """Return the role that an item of exc_info can play."""
    if item is None:
        return "None"
    if isinstance(item, type) and issubclass(item, BaseException):
        return "class"
    if issubclass(type(item), BaseException):
        return "instance"
    return "traceback" if type(item) is types.TracebackType else name_type(type(item))
