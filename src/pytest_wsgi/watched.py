"""A start_response that notices when it is looked into.

The probe that asks for it hands it to the application in place of the ordinary one. It is called
like any other; nothing else may live here.
"""

from __future__ import annotations

from threading import get_ident
from typing import TYPE_CHECKING, Any

from pytest_wsgi.exchange import StartExamined
from pytest_wsgi.traces import find_caller

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_wsgi.recorder import Recording

QUIET = frozenset(
    {
        "__annotate__",
        "__annotations__",
        "__call__",
        "__class__",
        "__dict__",
        "__doc__",
        "__module__",
        "__name__",
        "__qualname__",
        "__type_params__",
        "__wrapped__",
    }
)
"""What calling it, isinstance() and functools.wraps() ask for: none of that is looking into it."""


class WatchedStart:
    """start_response, and a note in the recording of whoever looks into it.

    `call` is the recorded start_response, `inner` the server's own, which has the attributes.
    """

    __slots__ = ("__weakref__", "_call", "_inner", "_recording")

    def __init__(
        self, recording: Recording, inner: Callable[..., Any], call: Callable[..., Any]
    ) -> None:
        _set_recording(self, recording)
        _set_inner(self, inner)
        _set_call(self, call)

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        """Call start_response."""
        return _read_call(self)(*args, **keywords)

    def __repr__(self) -> str:
        """Show the server's own, as who asks for it expects; to log it is no harm."""
        return repr(_read_inner(self))

    def __hash__(self) -> int:
        """Return the hash of the server's own."""
        return hash(_read_inner(self))

    def __eq__(self, other: object) -> bool:
        """Compare as the server's own does; only with None that is nothing to note."""
        if other is not None:
            note_look(_read_recording(self), "__eq__")
        return bool(_read_inner(self) == other)

    def __getattribute__(self, name: str) -> Any:
        """Return the attribute of the server's own."""
        if name not in QUIET:
            note_look(_read_recording(self), name)
        return getattr(_read_call(self) if name == "__call__" else _read_inner(self), name)

    def __setattr__(self, name: str, value: Any) -> None:
        """Set the attribute of the server's own."""
        note_look(_read_recording(self), name)
        setattr(_read_inner(self), name, value)


def note_look(recording: Recording, name: str) -> None:
    """Record that an attribute of start_response was asked for."""
    recording.keep((StartExamined, get_ident(), name, find_caller()))


# Past __getattribute__ and __setattr__.
_members = vars(WatchedStart)
_set_recording, _read_recording = _members["_recording"].__set__, _members["_recording"].__get__
_set_inner, _read_inner = _members["_inner"].__set__, _members["_inner"].__get__
_set_call, _read_call = _members["_call"].__set__, _members["_call"].__get__
