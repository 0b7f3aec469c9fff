"""Where in the target something happened: callers and exceptions as plain text."""

from __future__ import annotations

import sys
import traceback
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_wsgi.snapshot import name_type

if TYPE_CHECKING:
    from pytest_wsgi.exchange import Origin

KEPT_FRAMES = 20
"""How many frames of a traceback are kept, the innermost ones."""

KEPT_MESSAGE = 500
"""How many characters of an exception's message are kept."""

_OWN = (
    str(Path(__file__).parent),
    str(Path(__file__).parent.parent / "wsgiref_validate_wrappers"),
)


@lru_cache(maxsize=1024)
def is_own(filename: str) -> bool:
    """Tell whether a source file is one of this harness, or wsgiref.validate's."""
    return filename.startswith(_OWN) or filename.endswith("wsgiref/validate.py")


def find_caller() -> Origin | None:
    """Return file and line of the innermost frame that is not ours: who called the boundary."""
    frame = sys._getframe(2)  # noqa: SLF001 # documented for this use, and far faster than inspect
    while frame is not None and is_own(frame.f_code.co_filename):
        frame = frame.f_back
    return (frame.f_code.co_filename, frame.f_lineno) if frame is not None else None


def describe_error(error: BaseException) -> tuple[str, tuple[str, ...], str, str, Origin | None]:
    """Return type name, names of its classes, message, traceback text and origin of an error.

    The traceback starts at the application: frames of the harness are left out.
    """
    kind = type(error)
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__, limit=-KEPT_FRAMES)
        if not is_own(frame.filename)
    ]
    try:
        message = str(error)[:KEPT_MESSAGE]
    except Exception:  # noqa: BLE001 # the target's own __str__ may do anything
        message = "<its message cannot be shown>"
    text = "".join(traceback.format_list(frames))
    origin = (frames[-1].filename, frames[-1].lineno or 0) if frames else None
    return name_type(kind), tuple(name_type(base) for base in kind.__mro__), message, text, origin
