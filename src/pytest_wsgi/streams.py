"""The recording proxies of what an application is handed: input, errors, write().

Each looks like what it stands for: same methods, same special methods, same `isinstance()`, and an
attribute that is missing there is missing here.
"""

from __future__ import annotations

from functools import lru_cache
from threading import get_ident
from typing import TYPE_CHECKING, Any

from pytest_wsgi.exchange import ErrorsUsed, InputUsed, Write
from pytest_wsgi.recorded import first_of, make_proxy
from pytest_wsgi.snapshot import (
    KEPT_ITEMS,
    KEPT_TEXT,
    cut_bytes,
    measure,
    name_base,
    name_type,
    take_snapshot,
)
from pytest_wsgi.traces import find_caller

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pytest_wsgi.recorder import Recording

_LONGEST_LENGTH = 18
"""How many digits a CONTENT_LENGTH has that is meant in earnest."""


class RecordedStream:
    """What the proxies of `wsgi.input` and `wsgi.errors` have in common."""

    __slots__ = ("_inner", "_recording")

    _look: Callable[..., None]
    _use: Callable[..., Any]

    def __init__(self, recording: Recording, inner: Any) -> None:
        _set_recording(self, recording)
        _set_inner(self, inner)

    @property  # type: ignore[misc] # read-only, and there so that isinstance() sees the original
    def __class__(self) -> type:
        """The type of the original."""
        return type(self._inner)

    def __repr__(self) -> str:
        """Show the original, as who asks for it expects."""
        return repr(self._inner)

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

    def __setattr__(self, name: str, value: Any) -> None:
        """Set the attribute of the original."""
        setattr(self._inner, name, value)

    def __delattr__(self, name: str) -> None:
        """Delete the attribute of the original."""
        delattr(self._inner, name)


# Past __setattr__, and faster than object.__setattr__.
_set_recording = RecordedStream.__dict__["_recording"].__set__
_set_inner = RecordedStream.__dict__["_inner"].__set__


class RecordedInput(RecordedStream):
    """`wsgi.input`, recorded."""

    __slots__ = ()

    def _use(
        self, name: str, method: Callable[..., Any], args: tuple[Any, ...], keywords: dict[str, Any]
    ) -> Any:
        recording: Recording = self._recording
        size = take_snapshot(first_of(args, keywords))
        past_end = recording.given >= read_length(recording.before) and size != 0
        use = (name, True, True, size, len(args) + len(keywords))
        try:
            answer = method(*args, **keywords)
        except StopIteration:
            raise
        except BaseException as error:
            self._note(*use, None, past_end, name_type(type(error)))
            raise
        returned = measure_data(answer)
        recording.given += returned or 0
        self._note(*use, returned, past_end, None)
        return answer

    def _look(self, name: str, *, found: bool) -> None:
        """Record that an attribute was only looked at."""
        self._note(name, found, False, None, 0, None, False, None)  # noqa: FBT003 # as InputUsed

    def _note(self, *use: Any) -> None:
        """Record the fields of InputUsed up to `past_end`, and `raised`."""
        recording: Recording = self._recording
        *before, raised = use
        entry = (*before, recording.place, raised, find_caller())
        recording.keep((InputUsed, get_ident(), *entry))


class RecordedLines:
    """The iterator made from `wsgi.input`; every line is recorded."""

    __slots__ = ("_lines", "_stream")

    def __init__(self, stream: Any, lines: Iterator[Any]) -> None:
        self._stream = stream
        self._lines = lines

    def __iter__(self) -> RecordedLines:
        """Return itself, as an iterator does."""
        return self

    def __next__(self) -> Any:
        """Return the next line."""
        return self._stream._use("__iter__", self._lines.__next__, (), {})  # noqa: SLF001 # a part of the stream


class RecordedErrors(RecordedStream):
    """`wsgi.errors`, recorded."""

    __slots__ = ()

    def _use(
        self, name: str, method: Callable[..., Any], args: tuple[Any, ...], keywords: dict[str, Any]
    ) -> Any:
        data = first_of(args, keywords)
        items: Any = [data] if name == "write" else []
        if name == "writelines":
            kind = type(data)
            if kind is list or kind is tuple or kind is str:
                items = data
            elif args:
                args = (overhear(data, items), *args[1:])
        raised: str | None = None
        try:
            return method(*args, **keywords)
        except BaseException as error:
            raised = name_type(type(error))
            raise
        finally:
            self._note(name, found=True, called=True, items=items, raised=raised)

    def _look(self, name: str, *, found: bool) -> None:
        """Record that an attribute was only looked at."""
        self._note(name, found=found, called=False)

    def _note(
        self, method: str, *, found: bool, called: bool, items: Any = (), raised: str | None = None
    ) -> None:
        text = "".join(item[:KEPT_TEXT] for item in items if type(item) is str)[:KEPT_TEXT]
        types = tuple(dict.fromkeys(name_type(type(item)) for item in items))
        recording: Recording = self._recording
        recording.keep(
            (ErrorsUsed, get_ident(), method, found, called, types, text, raised, find_caller())
        )


def overhear(lines: Iterable[Any], heard: list[Any]) -> Iterator[Any]:
    """Hand on `lines` one by one, and put the first of them into `heard`."""
    for line in lines:
        if len(heard) < KEPT_ITEMS:
            heard.append(line)
        yield line


def measure_data(data: Any) -> int | None:
    """Return how many bytes a read handed over; None where it was something else."""
    if type(data) is list:
        return sum(measure_data(line) or 0 for line in data)
    base = name_base(type(data))
    return measure(data, base) if base == "bytes" else None


def read_length(environ: dict[str, Any]) -> float:
    """Return the number of bytes that wsgi.input has: CONTENT_LENGTH, or as much as there is."""
    if environ.get("wsgi.input_terminated"):
        return float("inf")
    value = environ.get("CONTENT_LENGTH")
    if type(value) is not str or not value.isascii() or not value.isdigit():
        return 0
    return int(value[-_LONGEST_LENGTH:])


class RecordedWrite:
    """The write callable, recorded."""

    __slots__ = ("_recording", "_write")

    def __init__(self, recording: Recording, write: Callable[..., Any]) -> None:
        self._recording = recording
        self._write = write

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        """Pass the data on to the server's write callable, and record the call."""
        recording = self._recording
        data = first_of(args, keywords)
        kind = type(data)
        base = name_base(kind)
        length = measure(data, base)
        raised = None
        try:
            answer = self._write(*args, **keywords)
        except BaseException as error:
            raised = name_type(type(error))
            raise
        finally:
            use = (name_type(kind), length, recording.place, recording.ended, raised)
            recording.keep((Write, get_ident(), *use, find_caller()))
        if base == "bytes":
            recording.add_to_body(cut_bytes(data, base))
        return answer


def _iterate(self: Any) -> RecordedLines:
    return RecordedLines(self, iter(self._inner))


def _advance(self: Any) -> Any:
    return self._use("__next__", self._inner.__next__, (), {})


def _enter(self: Any) -> Any:
    entered = self._inner.__enter__()
    return self if entered is self._inner else entered


_SPECIAL: dict[str, Callable[..., Any]] = {
    "__iter__": lambda self: iter(self._inner),
    "__next__": _advance,
    "__enter__": _enter,
    "__exit__": lambda self, *error: self._inner.__exit__(*error),
    "__len__": lambda self: len(self._inner),
    "__bool__": lambda self: bool(self._inner),
}


def _choose_input(kind: type) -> type[RecordedInput]:
    return make_proxy(RecordedInput, kind, {**_SPECIAL, "__iter__": _iterate})


def _choose_errors(kind: type) -> type[RecordedErrors]:
    return make_proxy(RecordedErrors, kind, _SPECIAL)


# The types are those of a server, which may be hashed and kept.
choose_input: Callable[[type], type[RecordedInput]] = lru_cache(maxsize=64)(_choose_input)
choose_errors: Callable[[type], type[RecordedErrors]] = lru_cache(maxsize=64)(_choose_errors)
