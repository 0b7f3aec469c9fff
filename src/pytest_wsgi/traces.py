"""Where in the target something happened: callers and exceptions as plain text."""

from __future__ import annotations

import os
import sys
import traceback
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_wsgi.exchange import Foreign
from pytest_wsgi.snapshot import find_in_class, is_plain, name_type, read_mro, take_snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType, FrameType, TracebackType

    from pytest_wsgi.exchange import Origin
    from pytest_wsgi.recorder import Recording

KEPT_FRAMES = 20
"""How many frames of a traceback are kept, the innermost ones."""

KEPT_MESSAGE = 500
"""How many characters of an exception's message are kept."""

_HOME = Path(__file__).parent
_OWN = (f"{_HOME}{os.sep}", f"{_HOME.with_name('wsgiref_validate_wrappers')}{os.sep}")
_VALIDATE = os.path.join("", "wsgiref", "validate.py")  # noqa: PTH118 # the end of a path

_read_args = BaseException.__dict__["args"].__get__
_read_traceback = BaseException.__dict__["__traceback__"].__get__

_QUOTING = (BaseException.__str__, KeyError.__str__)
"""The ways of builtin exceptions to show their arguments, which call those arguments' methods."""


@lru_cache(maxsize=1024)
def is_own(filename: str) -> bool:
    """Tell whether a source file is one of this harness, or wsgiref.validate's."""
    return filename.startswith(_OWN) or filename.endswith(_VALIDATE)


def find_caller() -> Origin | None:
    """Return file and line of the innermost frame that is not ours: who called the boundary."""
    frame: FrameType | None = sys._getframe(2)  # noqa: SLF001 # documented for this use, and far faster than inspect
    while frame is not None and is_own(frame.f_code.co_filename):
        frame = frame.f_back
    return (frame.f_code.co_filename, frame.f_lineno or 0) if frame is not None else None


def describe_error(error: BaseException) -> tuple[str, tuple[str, ...], str, str, Origin | None]:
    """Return type name, names of its classes, message, traceback text and origin of an error.

    The traceback starts at the application: frames of the harness are left out.
    """
    kind = type(error)
    bases = tuple(name_type(base) for base in read_mro(kind))
    places = [
        (code.co_filename, line) for code, line in walk(error) if not is_own(code.co_filename)
    ]
    origin = places[-1] if places else None
    return name_type(kind), bases, read_message(error), show_frames(error), origin


def passes_through(error: BaseException, codes: frozenset[CodeType], recording: Recording) -> bool:
    """Tell whether an error came through a call of one of these functions for `recording`.

    They are methods of a recording, or of what has one. That of an earlier request will do as well;
    but not one behind a middleware: what comes through that alone is the middleware's.
    """
    for frame, _ in traceback.walk_tb(read_traceback(error)):
        if frame.f_code in codes:
            owner = frame.f_locals["self"]
            owner = getattr(owner, "_recording", owner)
            if owner is recording or not owner.is_behind:
                return True
    return False


def walk(error: BaseException) -> Iterator[tuple[CodeType, int]]:
    """Yield code and line of every frame of an error's traceback, the outermost one first."""
    for frame, line in traceback.walk_tb(read_traceback(error)):
        yield frame.f_code, line or 0


def read_traceback(error: BaseException) -> TracebackType | None:
    """Return an error's traceback, whatever its class says."""
    found: TracebackType | None = _read_traceback(error)
    return found


def show_frames(error: BaseException) -> str:
    """Return the text of the last frames that are not ours, with their lines of source."""
    frames = traceback.walk_tb(read_traceback(error))
    try:
        summary = traceback.StackSummary.extract(frames, limit=-KEPT_FRAMES)
        return "".join(
            traceback.format_list([frame for frame in summary if not is_own(frame.filename)])
        )
    except Exception:  # noqa: BLE001 # lines of source come from the target's own loader
        return ""


def read_message(error: BaseException) -> str:
    """Return what an error says of itself.

    Servers show str() of an exception in their logs; so it is called where a class of the target
    defines it. That of the builtin classes would call repr() of the arguments, and is not.
    """
    arguments = _read_args(error)
    found = find_in_class(type(error), "__str__")
    if any(found is method for method in _QUOTING) and not all(map(is_plain, arguments)):
        shown = take_snapshot(arguments if len(arguments) != 1 else arguments[0])
        text = shown.text if type(shown) is Foreign and shown.base == "str" else repr(shown)
        return text[:KEPT_MESSAGE]
    try:
        return str.__str__(str(error))[:KEPT_MESSAGE]
    except BaseException:  # noqa: BLE001 # the target's own __str__ may do anything
        return "<its message cannot be shown>"
