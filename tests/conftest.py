"""What every test may use."""

from __future__ import annotations

import gc
import os
import signal

import pytest

pytest_plugins = ["pytester"]


def pytest_configure(config):
    """Take Ctrl-C, as at a terminal; a shell makes its background jobs ignore it.

    What made a worker of pytest-xdist measure coverage is not for what tests start.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(config, "workerinput"):
        os.environ.pop("COVERAGE_PROCESS_START", None)


@pytest.fixture(scope="module", autouse=True)
def pass_over_what_stays():
    """Let the garbage collector pass over what earlier modules have left, after it looked once.

    With warnings as errors the harness collects after every program, a thousand times; and the
    tests that import Django anew each leave one behind.
    """
    gc.collect()
    gc.freeze()
