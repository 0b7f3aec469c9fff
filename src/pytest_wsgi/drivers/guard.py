"""Keeps the run alive whatever the application does: hangs, exits, interrupts.

A guard stands around a whole battery, because installing it for each exchange would cost more than
the exchange. It is undone at the end, and nests with other users of the same signals.

A hang is interrupted by SIGALRM where there is such a signal and in the main thread; elsewhere a
driver serves in a thread that it can leave behind. What no Python code can interrupt, such as a
loop or a crash in native code, ends or holds up the process; pytest-xdist survives a crash.
"""

from __future__ import annotations

import os
import signal
import threading
import time
import traceback
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_wsgi.recorder import Interruption, Recording
from pytest_wsgi.snapshot import take_snapshot
from pytest_wsgi.traces import find_caller, is_own

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType, ModuleType

_REPEAT = 0.2
"""Seconds after which an application that swallowed the alarm gets the next one."""

_HASTE = 0.0002
"""Seconds at most between alarms for one that swallowed several: sooner or later an alarm comes
while none of its `try` blocks is entered, but only if the alarms keep no time with its loop."""

_STEPS = 100
"""How many lengths between nothing and _HASTE there are to try."""

_PATIENCE = 3
"""How many alarms are rung at leisure."""

_DRIVERS = f"{Path(__file__).parent}{os.sep}"

_NOTE_ERROR = Recording.note_error.__code__

_DEADLY = frozenset(
    getattr(signal, name)
    for name in ("SIGABRT", "SIGHUP", "SIGINT", "SIGKILL", "SIGQUIT", "SIGSEGV", "SIGTERM")
    if hasattr(signal, name)
)


class UserInterrupt(KeyboardInterrupt):
    """The person at the keyboard pressed Ctrl-C, as opposed to an application that raised it."""


class Guard:
    """What stops an application; `serving` maps a thread to the recording that it serves."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.serving: dict[int, Recording] = {}
        self.rings = 0
        self.is_timing = False
        self.is_ringing = False
        self.alarm = hasattr(signal, "setitimer") and is_main_thread()

    def start_clock(self) -> None:
        """Give the application its time from now on; only where there is an alarm."""
        if self.alarm and is_main_thread():
            self.rings = 0
            self.is_timing = True
            signal.setitimer(signal.ITIMER_REAL, self.seconds, _REPEAT)

    def stop_clock(self) -> None:
        """End the time limit; an alarm that is on its way is not heard any more."""
        self.is_timing = False
        if self.alarm and is_main_thread():
            signal.setitimer(signal.ITIMER_REAL, 0)

    def ring(self, _signal: int, frame: FrameType | None) -> None:
        """Stop what runs now, its time being over; but let code of ours go on."""
        if self.is_ringing or not self.is_timing:
            return
        self.is_ringing = True
        try:
            if self.spare(frame):
                signal.setitimer(signal.ITIMER_REAL, _REPEAT, _REPEAT)
                return
            self.rings += 1
            if self.rings >= _PATIENCE:
                share = (1 + self.rings % _STEPS) / _STEPS
                signal.setitimer(signal.ITIMER_REAL, _HASTE * share * share, _HASTE)
            raise self.say_overtime()
        finally:
            self.is_ringing = False

    def spare(self, frame: FrameType | None) -> bool:
        """Tell whether the alarm came while something else than the application ran."""
        callers = [caller.f_code for caller, _ in traceback.walk_stack(frame)] if frame else []
        own = [code for code in callers if is_own(code.co_filename)]
        if not own or own[0].co_filename.startswith(_DRIVERS):
            return True
        if self.rings >= _PATIENCE and (own[0] is callers[0] or _NOTE_ERROR in own):
            self.rings = 0  # the alarm before this one did its work, and the recorder notes it
            return True
        return False

    def say_overtime(self) -> Interruption:
        """Return what stops an application whose time is over."""
        return Interruption("hang", f"no end within {self.seconds:g} s")

    def refuse_exit(self, how: str) -> None:
        """Record that the application tried to end the process, and stop it there.

        Where no exchange is served, as while the application is imported, that is a SystemExit.
        """
        recording = self.serving.get(threading.get_ident()) or next(
            iter(self.serving.values()), None
        )
        if recording is None:
            raise SystemExit(how)
        error = Interruption("process exit", f"the application called {how}")
        error.is_noted = True
        recording.note_stop(error.reason, error.detail, find_caller())
        raise error


def is_main_thread() -> bool:
    """Tell whether this is the one thread that gets signals."""
    return threading.current_thread() is threading.main_thread()


@contextmanager
def stand_guard(seconds: float) -> Iterator[Guard]:
    """Guard the run while the block drives an application; `seconds` are those of one exchange."""
    guard = Guard(seconds)
    with _signals(guard), refuse_exits(guard):
        yield guard


@contextmanager
def _signals(guard: Guard) -> Iterator[None]:
    """Take SIGALRM for the time limit, and tell a real Ctrl-C from a raised one."""
    if not guard.alarm:
        yield
        return
    start = time.monotonic()
    alarm = signal.signal(signal.SIGALRM, guard.ring)
    left, interval = signal.setitimer(signal.ITIMER_REAL, 0)
    interrupt = signal.getsignal(signal.SIGINT)
    if interrupt is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupt)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        _restore(signal.SIGINT, interrupt)
        _restore(signal.SIGALRM, alarm)
        if left:  # somebody else's alarm, which may be overdue
            left = max(left - (time.monotonic() - start), _HASTE)
            signal.setitimer(signal.ITIMER_REAL, left, interval)


def _restore(number: int, handler: Any) -> None:
    """Put a handler back; one that was not installed from Python is not ours to put back."""
    if handler is not None:
        signal.signal(number, handler)


def _interrupt(_signal: int, _frame: object) -> None:
    raise UserInterrupt


@contextmanager
def refuse_exits(guard: Guard | None = None) -> Iterator[None]:
    """Refuse the ways in which Python code ends its own process at once.

    A forked child keeps them: it ends itself, not the run. A module that was imported meanwhile may
    have kept what it found here: that refuses while any guard stands, and is the original else.
    """
    standing = guard or Guard(float("inf"))
    owner = os.getpid()
    real = {
        (module, name): getattr(module, name) for module, name in _EXITS if hasattr(module, name)
    }

    def replace(module: ModuleType, name: str, is_deadly: Callable[..., bool]) -> None:
        original = real[module, name]

        def refuse(*args: Any, **keywords: Any) -> Any:
            if _standing and os.getpid() == owner and is_deadly(*args):
                shown = ", ".join(repr(take_snapshot(argument)) for argument in args)
                _standing[-1].refuse_exit(f"{module.__name__}.{name}({shown})")
            return original(*args, **keywords)

        setattr(module, name, refuse)

    _standing.append(standing)
    try:
        for module, name in real:
            replace(module, name, _EXITS[module, name])
        yield
    finally:
        _standing.remove(standing)
        for (module, name), original in real.items():
            setattr(module, name, original)


_standing: list[Guard] = []
"""The guards that stand now, the innermost last."""


def _always(*_args: object) -> bool:
    return True


def _is_deadly(*args: object) -> bool:
    return args[:1] != () and args[0] in _DEADLY


def _hits_process(*args: object) -> bool:
    return args[:1] in {(0,), (os.getpid(),)} and _is_deadly(*args[1:])


def _hits_group(*args: object) -> bool:
    return args[:1] in {(0,), (os.getpgrp(),)} and _is_deadly(*args[1:])


_EXITS: dict[tuple[ModuleType, str], Callable[..., bool]] = {
    (os, "_exit"): _always,
    (os, "abort"): _always,
    (os, "execv"): _always,
    (os, "execve"): _always,
    (os, "kill"): _hits_process,
    (os, "killpg"): _hits_group,
    (signal, "raise_signal"): _is_deadly,
}
"""The functions that can end the process, and which calls of them do, by their arguments."""
