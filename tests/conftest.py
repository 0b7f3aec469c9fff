"""What every test may use."""

from __future__ import annotations

import gc
import signal

pytest_plugins = ["pytester"]


def pytest_configure():
    """Take Ctrl-C, as at a terminal; a shell makes its background jobs ignore it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish():
    """Let the garbage collector pass over what is there to stay.

    With warnings as errors the harness collects after every program, a thousand times.
    """
    gc.freeze()
