"""Keeps the run alive whatever the application does: hangs, exits, interrupts.

A guard stands around a whole battery, because installing it for each exchange would cost more than
the exchange. It is undone at the end, and nests with other users of the same signals.
"""

from __future__ import annotations

import os
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pytest_wsgi.recorder import Interruption

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_wsgi.recorder import Recording

_REPEAT = 0.2
"""Seconds after which an application that swallowed the alarm gets the next one."""

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
        self.alarm = hasattr(signal, "setitimer") and (
            threading.current_thread() is threading.main_thread()
        )

    @contextmanager
    def limit(self) -> Iterator[None]:
        """Raise Interruption in the application when the block takes longer than it may."""
        if not self.alarm or threading.current_thread() is not threading.main_thread():
            yield
            return
        signal.setitimer(signal.ITIMER_REAL, self.seconds, _REPEAT)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)

    def ring(self, _signal: int, _frame: object) -> None:
        """Stop what runs now: its time is over."""
        raise Interruption("hang", f"no end within {self.seconds:g} s")

    def refuse_exit(self, how: str) -> None:
        """Record that the application tried to end the process, and stop it there."""
        recording = self.serving.get(threading.get_ident()) or next(
            iter(self.serving.values()), None
        )
        error = Interruption("process exit", f"the application called {how}")
        if recording is not None:
            recording.note_stop(error.reason, error.detail)
        raise error


@contextmanager
def stand_guard(seconds: float) -> Iterator[Guard]:
    """Guard the run while the block drives an application; `seconds` are those of one exchange."""
    guard = Guard(seconds)
    with _signals(guard), _exits(guard):
        yield guard


@contextmanager
def _signals(guard: Guard) -> Iterator[None]:
    """Take SIGALRM for the time limit, and tell a real Ctrl-C from a raised one."""
    if not guard.alarm:
        yield
        return
    before = signal.signal(signal.SIGALRM, guard.ring)
    timer = signal.setitimer(signal.ITIMER_REAL, 0)
    interrupt = signal.getsignal(signal.SIGINT)
    if interrupt is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, interrupt)
        signal.signal(signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, *timer)


def _interrupt(_signal: int, _frame: object) -> None:
    raise UserInterrupt


@contextmanager
def _exits(guard: Guard) -> Iterator[None]:
    """Refuse the ways in which Python code ends its own process at once.

    A forked child keeps them: it ends itself, not the run. A crash of native code cannot be
    refused; pytest-xdist survives that, with `-n 1`.
    """
    owner = os.getpid()
    real = {
        (module, name): getattr(module, name)
        for module, name in ((os, "_exit"), (os, "abort"), (os, "kill"), (signal, "raise_signal"))
    }

    def replace(module: Any, name: str, is_deadly: Callable[..., bool]) -> None:
        original = real[module, name]

        def refuse(*args: Any, **keywords: Any) -> Any:
            if os.getpid() == owner and is_deadly(*args, **keywords):
                guard.refuse_exit(f"{module.__name__}.{name}({', '.join(map(str, args))})")
            return original(*args, **keywords)

        setattr(module, name, refuse)

    replace(os, "_exit", lambda *_args, **_keywords: True)
    replace(os, "abort", lambda: True)
    replace(os, "kill", lambda pid, number: pid in {0, owner} and number in _DEADLY)
    replace(signal, "raise_signal", lambda number: number in _DEADLY)
    try:
        yield
    finally:
        for (module, name), original in real.items():
            setattr(module, name, original)
