"""The private copy of wsgiref.validate, and how it is heard.

Here live its loading, the names that are replaced in it, and the way from one of its frames to the
`Check` that was made there and to the call that it was made for. Only the copy is changed: the
module that the process may use, and the filters of `warnings`, stay untouched.
"""

from __future__ import annotations

import sys
import threading
from functools import cache, wraps
from importlib.util import find_spec, module_from_spec
from traceback import walk_tb
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Protocol

from wsgiref_validate_wrappers.checks import CHECKS, CRASHED, UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType, ModuleType

    from wsgiref_validate_wrappers.checks import Check

__all__ = ["Call", "hear_trip", "load_validate", "validator"]

_LOADING = threading.Lock()


class Call(Protocol):
    """The call that a frame of the validator works for.

    It is the `call` of the `self` of that frame, or of one that called it.
    """

    def note(self, check: Check, message: str) -> str:
        """Note a finding and return its message."""


def validator(application: Callable[..., Any]) -> Callable[..., Any]:
    """Return the application inside the private copy's validator."""
    with _LOADING:
        module = load_validate()
    validated: Callable[..., Any] = module.validator(application)
    return validated


@cache
def load_validate() -> ModuleType:
    """Load a private copy of the standard library's wsgiref.validate, heard by us.

    Raises ImportError when it is not to be found.
    """
    spec = find_spec("wsgiref.validate")
    if spec is None or spec.loader is None:
        raise ImportError("There is no wsgiref.validate: is a file or folder called wsgiref first?")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    names = vars(module)
    names.update(
        assert_=_hear_assertion,
        warnings=SimpleNamespace(warn=_hear_warning),
        check_string_type=check_string_type,
    )
    for name in [name for name in names if name.startswith("check_")]:
        names[name] = _survive(names[name])
    # It asserts, and writes to sys.stderr, when the garbage collector comes. We count ourselves.
    del module.IteratorWrapper.__del__
    return module


def _hear_assertion(condition: Any, message: str = "") -> None:
    """Stand in for the copy's `assert_`.

    The finding is noted first: an application may swallow the AssertionError.
    """
    if not condition:
        frame = sys._getframe(1)  # noqa: SLF001 - some assertions are only known by their place
        check, message = _note(frame, message)
        if check.strictness == "pep":
            raise AssertionError(message)


def _hear_warning(message: str, _category: type[Warning]) -> None:
    """Stand in for the copy's `warnings.warn`."""
    _note(sys._getframe(1), message)  # noqa: SLF001 - as for assertions


def check_string_type(value: Any, title: str) -> Any:
    """Stand in for the copy's function of that name, which raises without `assert_`."""
    _hear_assertion(type(value) is str, f"{title} must be of type str (got {value!r})")
    return value


def _survive(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of the copy whose own crashes are findings, and stop nothing.

    Some crashes are its way to check, such as int() of a status: these are raised as ever.
    """

    @wraps(function)
    def survivor(*args: Any) -> Any:
        try:
            return function(*args)
        except Exception as error:
            check = hear_trip(error)
            if check is None:
                frame = _own_frame(error)
                if frame is None:
                    raise
                said = f"{type(error).__name__}: {error}"
                _call_of(frame).note(CRASHED, f"{CRASHED.message} ({said})")
            elif check.strictness == "pep":
                raise
            return None

    return survivor


def hear_trip(error: Exception) -> Check | None:
    """Note, and return, the check by which the copy itself tripped, if that is what happened."""
    frame = _own_frame(error)
    if frame is None:
        return None
    for check in CHECKS.values():
        if (
            check.function == frame.f_code.co_name
            and isinstance(error, check.raises)
            and check.when(frame.f_locals)
        ):
            _call_of(frame).note(check, f"{_describe(check, frame)} ({error})")
            return check
    return None


def _own_frame(error: Exception) -> FrameType | None:
    """Return the frame that raised the error, if it is the copy's and no program's."""
    *_, (frame, _line) = walk_tb(error.__traceback__)
    return frame if frame.f_globals is vars(load_validate()) else None


def _note(frame: FrameType, said: str) -> tuple[Check, str]:
    """Note what the copy said in that frame; return the check and the message of the finding."""
    check = _find(frame, said)
    if check is UNKNOWN:
        message = f"{check.message} ({said or frame.f_code.co_name})"
    else:
        message = _describe(check, frame) or said
    return check, _call_of(frame).note(check, message)


def _find(frame: FrameType, said: str) -> Check:
    for check in CHECKS.values():
        if (
            check.function == frame.f_code.co_name
            and not check.raises
            and (said.startswith(check.begins) if check.begins else not said)
            and check.when(frame.f_locals)
        ):
            return check
    return UNKNOWN


def _describe(check: Check, frame: FrameType) -> str:
    """Return our own message, if the check has one."""
    names = frame.f_locals
    kinds = {name: type(value).__name__ for name, value in names.items()}
    return check.message.format(values=names, kinds=kinds)


def _call_of(frame: FrameType | None) -> Call:
    while frame is not None:
        call: Call | None = getattr(frame.f_locals.get("self"), "call", None)
        if call is not None:
            return call
        frame = frame.f_back
    raise RuntimeError("wsgiref.validate spoke, and no call of ours is under way")
