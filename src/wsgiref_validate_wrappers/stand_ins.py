"""What the validator gets to see of environs, arguments and blocks, instead of the real things.

wsgiref.validate formats its messages before it tests, so that on every call it takes the repr() of
the whole environ, of the headers and of exc_info. That may be slow, may have side effects (a lazy
query inside an exception), may show secrets, or may never end. The stand-ins are judged as the
originals would be, and their repr() is the name of the original's type.
"""

from __future__ import annotations

from typing import Any

__all__ = ["stand_in_for_arguments", "stand_in_for_block", "stand_in_for_environ"]


class _Stream:
    """Stands for wsgi.input and wsgi.errors while their methods are looked up."""

    __slots__ = ("_stream",)

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def __repr__(self) -> str:
        return type(self._stream).__name__


def stand_in_for_environ(environ: Any) -> Any:
    """Return a copy for the validator, which does not look at extensions (names with a dot)."""
    if type(environ) is not dict:
        return _stand_in(environ)
    copy: dict[Any, Any] = {}
    for key, value in environ.items():
        if not isinstance(key, str):
            copy[_stand_in(key)] = None
        elif key in ("wsgi.input", "wsgi.errors"):
            copy[key] = _Stream(value)
        elif key == "wsgi.version":
            copy[key] = _shown(value, depth=1)
        elif key == "wsgi.url_scheme" or "." not in key:
            copy[key] = _shown(value, depth=0)
        else:
            copy[key] = None
    return copy


def stand_in_for_arguments(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return what the validator sees of the arguments of start_response."""
    return tuple(_shown(value, depth=2) for value in args)


def stand_in_for_block(block: Any) -> Any:
    """Return the block itself if it is bytes: then the validator hands it on."""
    return block if type(block) is bytes else _stand_in(block)


def _shown(value: Any, depth: int) -> Any:
    """Return a str or None as it is, and anything else replaced; look `depth` levels into it.

    Lists, tuples and subclasses of tuple that are looked into stay such, with their items replaced.
    """
    kind = type(value)
    if kind is str or value is None:
        return value
    if depth and kind is list:
        return [_shown(item, depth - 1) for item in value]
    if depth and issubclass(kind, tuple):
        items = tuple(_shown(item, depth - 1) for item in tuple.__iter__(value))
        return items if kind is tuple else _namesake(kind, tuple)(items)
    return _stand_in(value)


def _stand_in(value: Any) -> Any:
    """Return a harmless object that is no str, tuple, list or dict."""
    return _namesake(type(value), object)()


def _namesake(kind: type, base: type) -> type:
    """Return a harmless type that has the name of `kind`."""
    names = {
        "__module__": kind.__module__,
        "__qualname__": kind.__qualname__,
        "__slots__": (),
        "__repr__": lambda _: kind.__name__,
    }
    return type(kind.__name__, (base,), names)
