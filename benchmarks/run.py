"""Prints every figure that the project watches, as ratios within one run.

`python benchmarks/run.py` in an environment that has pytest-wsgi and Django. Nothing here is a
test: machines differ, and what counts is how the figures of one run relate.
"""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import exchange

# Every process would compile the harness anew, which an installed one never does.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

ROUNDS = 11
START_ROUNDS = 25

NO_OTHERS = ("-p", "no:django", "-p", "no:hypothesispytest", "-p", "no:xdist")
"""Plugins of the development environment that would blur both sides."""

BASE_TEST = """
from mysite.wsgi import application
from wsgiref.util import setup_testing_defaults


def test_get():
    environ = {"HTTP_HOST": "localhost"}
    setup_testing_defaults(environ)
    statuses = []
    result = application(environ, lambda status, headers: statuses.append(status))
    assert b"".join(result) and statuses == ["200 OK"]
    result.close()
"""


def take_time(directory: Path, *arguments: str) -> float:
    """Return the wall seconds of a pytest process; it must end well."""
    begin = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *NO_OTHERS, *arguments],
        cwd=directory,
        check=True,
        capture_output=True,
    )
    return time.perf_counter() - begin


def compare(directory: Path, rounds: int, *runs: tuple[str, ...]) -> list[float]:
    """Return the median wall seconds of each run, after one for warmth, the rounds taking turns."""
    seconds: list[list[float]] = [[] for _ in runs]
    for arguments in runs:
        take_time(directory, *arguments)
    for _ in range(rounds):
        for times, arguments in zip(seconds, runs, strict=True):
            times.append(take_time(directory, *arguments))
    return [statistics.median(times) for times in seconds]


def measure_django(directory: Path) -> None:
    """Print what the whole suite costs on what startproject makes, beside one test."""
    subprocess.run(
        [sys.executable, "-m", "django", "startproject", "mysite", str(directory)], check=True
    )
    (directory / "pytest.ini").write_text("[pytest]\npythonpath = .\n")
    (directory / "test_get.py").write_text(BASE_TEST)
    base, suite = compare(
        directory,
        ROUNDS,
        ("-p", "no:wsgi", "test_get.py"),
        ("--wsgi-app", "mysite.wsgi.application", "--wsgi-only"),
    )
    print(f"startproject: one test {base:.3f} s, the suite {suite:.3f} s")
    print(f"  {suite / base:5.2f} x the pytest run with one test")


def measure_start(directory: Path) -> None:
    """Print what the plugin costs a pytest that does not ask for it."""
    (directory / "test_nothing.py").write_text("def test_nothing():\n    pass\n")
    without, with_plugin = compare(directory, START_ROUNDS, ("-p", "no:wsgi"), ())
    more = (with_plugin - without) * 1e3
    print(f"installed but not asked for: pytest without it takes {without * 1e3:.0f} ms")
    print(f"  {more:+5.1f} ms in repeated runs (medians of {START_ROUNDS})")
    imports = statistics.median(time_imports() for _ in range(ROUNDS)) / 1e3
    print(
        f"  {imports:5.1f} ms to import pytest_wsgi.plugin, by -X importtime (median of {ROUNDS})"
    )


def time_imports() -> int:
    """Return the microseconds that it takes to import the plugin after pytest."""
    listed = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "import pytest\nimport pytest_wsgi.plugin"],
        check=True,
        capture_output=True,
        text=True,
    ).stderr
    return sum(map(int, re.findall(r"(\d+) \| +\d+ \| +pytest_wsgi", listed)))


def main() -> None:
    """Print all."""
    exchange.main()
    with tempfile.TemporaryDirectory() as directory:
        measure_django(Path(directory))
    with tempfile.TemporaryDirectory() as directory:
        measure_start(Path(directory))


if __name__ == "__main__":
    main()
