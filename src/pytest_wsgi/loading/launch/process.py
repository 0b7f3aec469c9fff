"""Starts fresh processes for launches, in an environment that has only what it is given."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_wsgi.exchange import Problem
from pytest_wsgi.launches import Launch
from pytest_wsgi.loading.launch.effects import redact
from pytest_wsgi.loading.launch.job import KEPT, job_to_dict, launch_from_dict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_wsgi.loading.launch.job import Job

C_LOCALE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
"""The locale C, without what Python does to be kind to it."""

# What the harness needs is imported before the project's own directories come first. What is
# imported stays: to look for garbage meanwhile costs a tenth of the time.
_START = (
    "import gc, sys; gc.disable(); sys.path[:1] = []; import json; "
    "job = sys.argv[1]; sys.argv[1:] = []; "
    "told = json.load(open(job, encoding='utf-8')); "
    "sys.path[:] = [*told['sys_path'], *told['paths']]; "
    "from pytest_wsgi.loading.launch.child import main; main(job)"
)
_INPUT = "what a server does not give\n" * 8
"""Standard input: what is read of it shows in how far it was read."""

_MOST_SHOWN = 400
_LOOK = 0.005
"""After how many seconds it is looked again whether a process has ended."""

_GRACE = 5.0
"""Seconds after which a process ends by itself that nobody awaits any more."""


@dataclass(frozen=True, slots=True)
class Fresh:
    """A fresh process that is at work, with its directory and the time by which it must be done."""

    process: subprocess.Popen[bytes]
    home: tempfile.TemporaryDirectory[str]
    deadline: float
    seconds: float
    environ: Mapping[str, str]

    @property
    def place(self) -> Path:
        """Its directory."""
        return Path(self.home.name)


def scrub(environ: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a fresh process: what is needed of `environ`, and what is given."""
    return {**{name: environ[name] for name in KEPT if name in environ}, **given}


def start(
    job: Job, *, environ: Mapping[str, str], directory: Path | None, path: list[str], seconds: float
) -> Fresh:
    """Start a fresh process with a job.

    It runs in `directory`, in an empty one of its own for None, with `path` as its sys.path behind
    that of the job, and gets `seconds` of wall time.
    """
    home = tempfile.TemporaryDirectory(prefix="pytest-wsgi-", ignore_cleanup_errors=True)
    place = Path(home.name)
    file = place / "job"
    told = {**job_to_dict(job), "sys_path": path, "limit": seconds + _GRACE}
    file.write_text(json.dumps(told), encoding="utf-8")
    (place / "input").write_text(_INPUT, encoding="utf-8")
    elsewhere = place / "elsewhere"
    elsewhere.mkdir()
    with (
        (place / "input").open("rb") as given,
        (place / "output").open("w+b") as output,
        (place / "errors").open("wb") as errors,
    ):
        process = subprocess.Popen(  # noqa: S603 # this very Python, with code of ours
            [sys.executable, *list_flags(), "-c", _START, str(file)],
            cwd=directory or elsewhere,
            env=dict(environ),
            stdin=given,
            stdout=output,
            stderr=errors,
        )
    return Fresh(process, home, time.monotonic() + seconds, seconds, environ)


def list_flags() -> list[str]:
    """Return the flags of this Python about where it keeps what it compiles."""
    prefix = sys.pycache_prefix
    return [
        *(["-B"] if sys.dont_write_bytecode else []),
        *(["-X", f"pycache_prefix={prefix}"] if prefix else []),
    ]


def collect(fresh: Fresh) -> Launch:
    """Await a fresh process and return what it saw; one that takes too long is ended."""
    end = ""
    if not await_end(fresh.process, fresh.deadline - time.monotonic()):
        end = f"was not done within {fresh.seconds:g} s"
    stop(fresh)
    end = end or name_end(fresh.process.returncode)
    launch = read_result(fresh.place)
    if launch is None:
        text = redact(read_tail(fresh.place / "errors"), fresh.environ)
        said = f", after it wrote: {text}" if text else ""
        launch = Launch(
            problem=Problem(
                "launch-ended",
                f"A fresh process that loaded the target {end or 'said nothing'}{said}.",
            )
        )
    fresh.home.cleanup()
    return replace(launch, cut_short=end)


def await_end(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Return whether a process ended within so many seconds.

    The wait of subprocess looks only every 50 milliseconds. A thread that waits would be told, but
    gevent makes threads a part of this one, where a wait without end is deaf to all.
    """
    deadline = time.monotonic() + seconds
    while process.poll() is None:
        left = deadline - time.monotonic()
        if left <= 0:
            return False
        time.sleep(min(left, _LOOK))
    return True


def stop(fresh: Fresh) -> None:
    """End a fresh process where it still runs."""
    if fresh.process.poll() is None:
        fresh.process.kill()
        fresh.process.wait()


def read_result(place: Path) -> Launch | None:
    """Return what a fresh process wrote down, None where it wrote nothing."""
    try:
        text = (place / "job.result").read_text(encoding="utf-8")
    except OSError:
        return None
    return launch_from_dict(json.loads(text))


def name_end(code: int) -> str:
    """Return how a process ended, as the end of a sentence; nothing where it ended well."""
    if code < 0:
        known = -code in signal.Signals.__members__.values()  # real-time signals are not
        return f"was ended by {signal.Signals(-code).name if known else f'signal {-code}'}"
    return f"ended with the code {code}" if code else ""


def read_tail(file: Path) -> str:
    """Return the last line of a file."""
    lines = file.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1][:_MOST_SHOWN] if lines else ""


def list_environ() -> dict[str, str]:
    """Return the environment as it is now, without what pytest itself puts there."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
