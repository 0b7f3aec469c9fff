"""Ends a process that the threads of a hanging application would keep from ending."""

from __future__ import annotations

import os
import sys
import threading
import time
import traceback
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

GRACE = 3.0
"""How many seconds such threads have, when all else is done, before the process is ended."""

_PAUSE = 0.2
"""How many seconds lie between two looks at what the main thread does."""


def leave_soon(status: int) -> None:
    """End the process with `status` where it does not end by itself when its main thread has.

    Python waits for threads that are no daemons, and for those of concurrent.futures: an
    application that hangs in one of these would hold the run up for good.
    """
    threading.Thread(target=leave, args=(status,), name="pytest-wsgi leave", daemon=True).start()


def leave(status: int, end: Callable[[int], object] = os._exit) -> None:
    """Wait until Python waits for threads, give these their grace, and end the process."""
    main = threading.main_thread().ident or 0
    while not is_shutting_down(main):
        time.sleep(_PAUSE)
    time.sleep(GRACE)
    sys.stderr.write("wsgi: threads of the application that hangs are left behind\n")
    sys.stderr.flush()
    end(status)


def is_shutting_down(thread: int) -> bool:
    """Tell whether a thread is where Python waits for all others, at the very end."""
    frame = sys._current_frames().get(thread)  # noqa: SLF001 # documented, and the only way to see it
    return any(
        one.f_code.co_name == "_shutdown" and one.f_code.co_filename == threading.__file__
        for one, _ in traceback.walk_stack(frame)
    )
