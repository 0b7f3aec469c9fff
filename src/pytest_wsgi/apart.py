"""Examines a target in a process of its own, where another target has set Django up in this one.

Django keeps its settings for the life of a process, so two sites need two. The other process plans,
loads, drives and judges as this one does, but without pytest, and hands over what it found. Both
meet in a directory, because the target may print what it likes.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping  # noqa: TC003 # `read_record` reads the annotations at run time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_wsgi.examination import Examination, fail_all
from pytest_wsgi.loading import IN_USE, find_owner
from pytest_wsgi.loading.asked import Asked, Corrected
from pytest_wsgi.loading.launch.process import await_end, name_end
from pytest_wsgi.loading.source import settings_literal
from pytest_wsgi.option_values import Options  # noqa: TC001 # `read_record` reads the annotations
from pytest_wsgi.planning import Plan
from pytest_wsgi.probes.application import BATTERY, PATH_PROBES
from pytest_wsgi.reach import begin
from pytest_wsgi.report import RuleReport, Subject, report_verdict
from pytest_wsgi.report.plain import read_record, to_plain
from pytest_wsgi.report.reach import Reach  # noqa: TC001 # `read_record` reads the annotations
from pytest_wsgi.traces import is_own

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_wsgi.exchange import Loading
    from pytest_wsgi.loading import Owner
    from pytest_wsgi.planning import Target

LOADING_SECONDS = 60.0
"""How long a target may take to load in a process of its own."""

_LAUNCHES = 4
"""How many times that the fresh processes may take which load the target."""

_GRACE = 5.0
"""How many seconds a process has to say where it stands when it is ended."""

_MOST_LINES = 15
"""How much of what a process wrote is shown."""

_MOST_FRAMES = 10
"""How many of these lines may follow where a process says in which frame it stands."""

_JOB, _LOADED, _ACCOUNT, _OUTPUT = "job.json", "loaded", "account.json", "output.txt"

_START = """
import sys
sys.path[:] = sys.argv[2:]
import faulthandler, os, signal, threading
less = {"c_stack": False} if sys.version_info >= (3, 14) else {}
faulthandler.enable(all_threads=False, **less)
if hasattr(faulthandler, "register"):
    faulthandler.register(signal.SIGTERM, all_threads=False, chain=True)
from pytest_wsgi.apart import main
main(sys.argv[1])
if threading.active_count() > 1:  # they may have no end
    sys.stdout.flush()
    os._exit(0)
"""

_INNERMOST_FIRST = "(most recent call first):"
"""What faulthandler puts before frames."""

_FRAME = re.compile(r'  File "(.*)", line \d+')
_SOURCE = "    "
"""What a frame's lines of source begin with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What the other process is told. `options` has one SPEC; paths are absolute.

    `argv` is the sys.argv of this process. `unlaunched` is that of the examination.
    """

    options: Options
    directory: str
    rootdir: str
    argv: tuple[str, ...]
    unlaunched: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What came of a target's examination, for a process that did not see it.

    `rules` holds the report of every rule by its id, `paths` those of each further path. The rest
    is what `Examination.describe_run` returns, and what was reached, None where nobody asked.
    """

    subject: Subject
    rules: Mapping[str, RuleReport]
    paths: Mapping[str, tuple[RuleReport, ...]]
    exchanges: int
    notes: tuple[str, ...]
    unproven: str
    reach: Reach | None = None

    @property
    def run(self) -> dict[str, Any]:
        """How the run went, as `Examination.describe_run` says it."""
        return {"exchanges": self.exchanges, "notes": [*self.notes], "unproven": self.unproven}


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """A process that gave no account: how it ended, and the end of what it wrote.

    `is_ours` tells a fault of the harness from what the target may have done.
    """

    end: str
    lines: tuple[str, ...] = ()
    has_loaded: bool = False
    is_ours: bool = False


def examine_apart(plan: Plan, target: Target) -> Account | None:
    """Return what a process of its own found out about a target, None where it needs none.

    It needs one where it asks for other settings than those that another target has set Django up
    with here. Whatever becomes of that process, there is an account.
    """
    examination = target.examination
    if not examination.is_loaded:
        prefer_first(plan, target)
    loading = examination.obtain_loading()
    owner = find_owner()
    if owner is None or loading.problem is None or loading.problem.id != IN_USE:
        return None
    job = make_job(plan, target)
    examination.stop_launches("it is examined in a process of its own")
    outcome = run_apart(job, owner, limit_driving(plan))
    if isinstance(outcome, Loss):
        outcome = account_for(outcome, plan, target, loading)
    reason = f"Django is set up with {owner.settings} here (set by {owner.target})"
    return complete(outcome, examination, f"of its own, because {reason}")


def prefer_first(plan: Plan, target: Target) -> None:
    """Load the first target before another one that would set Django up with other settings.

    Fixtures give the first one to tests of the user's, in whatever order and process these run.
    """
    first = plan.first_application or target
    names = {settings_literal(one.location.file) for one in (first, target)}
    if "" not in names and len(names) > 1:
        first.examination.obtain_loading()


def make_job(plan: Plan, target: Target) -> Job:
    """Return what the other process is told of a target."""
    spec = target.spec
    text = f"{spec.label}={spec.text}" if spec.label else spec.text
    return Job(
        options=replace(plan.options, asked=((target.origin, text),), middleware=()),
        directory=str(plan.directory),
        rootdir=str(plan.rootdir),
        argv=tuple(sys.argv),
        unlaunched=target.examination.unlaunched,
    )


def limit_driving(plan: Plan) -> float:
    """Return how many seconds a loaded target may take for all that it is asked.

    It is also loaded in fresh processes, some of which wait for each other.
    """
    probes = len(BATTERY) + len(plan.paths) * len(PATH_PROBES)
    return plan.wishes.seconds * probes + LOADING_SECONDS * _LAUNCHES


def run_apart(job: Job, owner: Owner, seconds: float) -> Account | Loss:
    """Run a job in a process that starts as this one was before its owner was loaded."""
    with tempfile.TemporaryDirectory(prefix="pytest-wsgi-", ignore_cleanup_errors=True) as name:
        place = Path(name)
        (place / _JOB).write_text(json.dumps(to_plain(job)), encoding="utf-8")
        with (place / _OUTPUT).open("wb") as output:
            process = subprocess.Popen(  # noqa: S603 # this very Python, with code of ours
                [sys.executable, "-c", _START, name, *owner.before.path],
                env=dict(owner.before.environ),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        try:
            end = await_account(process, place / _LOADED, seconds)
        finally:
            stop(process)
        return read_outcome(place, end)


def await_account(process: subprocess.Popen[bytes], loaded: Path, seconds: float) -> str:
    """Return how a process ended, or in which time it did not.

    It has `seconds` more once the file `loaded` is there.
    """
    for limit in (LOADING_SECONDS, seconds):
        if await_end(process, limit):
            return name_end(process.returncode) or "ended without a word"
        if not loaded.exists():
            return f"was not done within {LOADING_SECONDS:g} s"
    return f"was not done within {LOADING_SECONDS + seconds:g} s"


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process that still runs; it writes down where it stood, unless it will not hear.

    One that did not end well may have left fresh processes behind, which are ended as well.
    """
    if process.poll() is None:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE)
        process.kill()
        process.wait()
    if process.returncode and hasattr(os, "killpg"):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def read_outcome(place: Path, end: str) -> Account | Loss:
    """Return what a process left in its directory."""
    lines = tuple(tail((place / _OUTPUT).read_text(encoding="utf-8", errors="replace")))
    try:
        plain = json.loads((place / _ACCOUNT).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Loss(end=end, lines=lines, has_loaded=(place / _LOADED).exists())
    if "failure" in plain:
        return Loss(end=f"failed: {plain['failure']}", lines=lines, is_ours=True)
    return read_record(Account, plain, "account")


def tail(text: str) -> list[str]:
    """Return the last lines of what a process wrote, without frames of the harness."""
    kept: list[str] = []
    is_hidden, end = False, None
    for line in filter(str.strip, text.splitlines()):
        if not line.startswith(_SOURCE):
            is_hidden = is_our_frame(line)
        if not is_hidden:
            kept.append(line)
        if line.endswith(_INNERMOST_FIRST):
            end = len(kept) + _MOST_FRAMES
    return kept[:end][-_MOST_LINES:]


def is_our_frame(line: str) -> bool:
    """Tell whether a line of a traceback is a frame of the harness, or of importing."""
    found = _FRAME.match(line)
    return found is not None and (is_own(found[1]) or found[1].startswith("<"))


def account_for(loss: Loss, plan: Plan, target: Target, loading: Loading) -> Account:
    """Return the account that a process did not give.

    The target did not load, or nothing is known of it; then what the process wrote goes to standard
    error, which pytest shows.
    """
    spec = target.spec
    problem, failure = None, ""
    if loss.is_ours or loss.has_loaded:
        failure = f"the process of its own that examined {spec.text} {loss.end}"
        clean = target.examination.obtain_redactor().text
        sys.stderr.write("".join(f"{clean(line)}\n" for line in loss.lines))
    else:
        asked = Asked(spec.text, target.origin, spec, tuple(plan.search), plan.rootdir)
        problem = asked.problem(
            "process-ended",
            f"The process of its own that loaded {spec.text} {loss.end}.",
            ["It wrote at the end:", *(f"  {line}" for line in loss.lines)] if loss.lines else [],
            Corrected(when="In a run of its own"),
        )
    told = replace(loading, problem=problem)
    examination = target.examination
    stand_in = Examination(
        load=lambda: (None, told),
        rules=examination.rules,
        root=examination.root,
        environ=examination.environ,
        proof=failure,
    )
    return describe(stand_in, plan.paths)


def complete(account: Account, examination: Examination, process: str) -> Account:
    """Return an account with the fact of the process, and something on every rule.

    The other process knows no rules but ours; a conftest.py may define more.
    """
    unknown = [rule for name, rule in examination.rules.items() if name not in account.rules]
    failed = fail_all(unknown, "a process of its own does not have this rule")
    root, redactor = examination.root, examination.obtain_redactor()
    more = {one.rule.id: report_verdict(one, root, redactor) for one in failed}
    facts = {"process": process, **account.subject.facts}
    return replace(
        account, subject=replace(account.subject, facts=facts), rules={**account.rules, **more}
    )


def describe(examination: Examination, paths: Iterable[str]) -> Account:
    """Return the account of an examination, and have it done; `paths` are the further ones."""
    rules = {name: examination.obtain_report(name) for name in examination.rules}
    subject = examination.obtain_subject()
    asked = paths if subject.problem is None else ()
    reports = {path: examination.obtain_path_reports(path) for path in asked}
    run, reach = examination.describe_run(), examination.take_reach()
    return Account(subject=subject, rules=rules, paths=reports, reach=reach, **run)


def main(directory: str) -> None:
    """Do the job that lies in a directory and leave the account there: in the other process."""
    place = Path(directory)
    job = read_record(Job, json.loads((place / _JOB).read_text(encoding="utf-8")), "job")
    sys.argv[:] = job.argv
    try:
        said = to_plain(do(job, place / _LOADED))
    except Exception as error:  # noqa: BLE001 # our own fault must not pass for the target's
        said = {"failure": f"{type(error).__name__}: {error}"}
    written = place / "written"
    written.write_text(json.dumps(said), encoding="utf-8")
    written.replace(place / _ACCOUNT)


def do(job: Job, loaded: Path) -> Account:
    """Plan, load, drive and judge; make the file `loaded` once the target is."""
    plan = Plan(job.options, directory=Path(job.directory), rootdir=Path(job.rootdir), ini=None)
    if job.options.reach:
        plan.watch(begin(plan.rootdir))
    (target,) = plan.targets
    examination = target.examination
    examination.unlaunched = job.unlaunched
    examination.start_launches()
    examination.obtain_loading()
    loaded.touch()
    return describe(examination, plan.paths)
