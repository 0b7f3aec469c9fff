"""What every test may use."""

from __future__ import annotations

import gc
import os
import signal

pytest_plugins = ["pytester"]


def pytest_configure(config):
    """Take Ctrl-C, as at a terminal; a shell makes its background jobs ignore it.

    What made a worker of pytest-xdist measure coverage is not for what tests start.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(config, "workerinput"):
        os.environ.pop("COVERAGE_PROCESS_START", None)


def pytest_collection_finish():
    """Let the garbage collector pass over what is there to stay.

    With warnings as errors the harness collects after every program, a thousand times.
    """
    gc.freeze()
