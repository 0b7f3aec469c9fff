"""Examinations in a process of their own, of plain applications: they do not need Django."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from pytest_wsgi import apart
from pytest_wsgi.apart import (
    Account,
    Loss,
    await_account,
    examine_apart,
    limit_driving,
    main,
    make_job,
    read_outcome,
    run_apart,
    stop,
    tail,
)
from pytest_wsgi.catalogue import CATALOGUE
from pytest_wsgi.exchange import Loading, Problem
from pytest_wsgi.loading import IN_USE, Owner, django
from pytest_wsgi.matter import LOADS, choose_for
from pytest_wsgi.option_values import Options
from pytest_wsgi.planning import Plan
from pytest_wsgi.report.plain import to_plain
from runs import BROKEN, BROKEN_RULE, GOOD, write

RULES = choose_for(CATALOGUE, "application")
CRASH = "__import__('faulthandler')._sigsegv()"
CRASHING = f"def application(environ, start_response): {CRASH}\n"
NOTING = "import sys\nwith open('loads.txt', 'a') as file: print(*sys.argv, file=file)\n"
NAMING = 'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "{}.settings")\n'
ENDED = "the process of its own that examined shop:application was ended by SIGSEGV"


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Return the directory of a project; what its modules do to this process is undone."""
    modules, environ = set(sys.modules), dict(os.environ)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "argv", ["pytest", "--wsgi-app"])
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE", raising=False)
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    for name in set(sys.modules) - modules:
        if str(tmp_path) in (getattr(sys.modules[name], "__file__", None) or ""):
            del sys.modules[name]
    os.environ.clear()
    os.environ.update(environ)
    django._owners.clear()


def make_plan(place, source, *specs, **options):
    """Return the plan for `shop.py`; fresh processes are left out."""
    write(place, {"shop.py": source})
    asked = tuple(("--wsgi-app", spec) for spec in specs or ("shop:application",))
    plan = Plan(Options(asked=asked, **options), directory=place, rootdir=place, ini=None)
    for target in plan.targets:
        target.examination.unlaunched = "not in this test"
        target.examination.examine_apart = partial(examine_apart, plan, target)
    return plan


def refuse(plan):
    """Let the settings in use be those of another target; return the examination."""
    django._owners.append(Owner("a/wsgi.py", "a.settings", django.look_before()))
    (target,) = plan.targets
    loading = Loading(spec=target.spec.text, label=target.label, origin=target.origin)
    target.examination.adopt(None, loading, Problem(IN_USE, "Django is already set up."))
    return target.examination


def do_here(place, plan):
    """Do the job of a plan in this process; return what came of it."""
    there = place / "there"
    there.mkdir()
    job = make_job(plan, plan.targets[0])
    (there / "job.json").write_text(json.dumps(to_plain(job)), encoding="utf-8")
    (there / "output.txt").write_text("", encoding="utf-8")
    main(str(there))
    return read_outcome(there, "")


def test_a_job_comes_to_the_same_as_an_examination(place):
    options = {"paths": ("/more",), "unsafe": True, "ignore": (("--wsgi-ignore", "body-*"),)}
    plan = make_plan(place, f"{NOTING}{BROKEN}", "label=shop:application", **options)
    account = do_here(place, plan)
    examination = plan.targets[0].examination
    rules = {name: examination.obtain_report(name) for name in examination.rules}
    assert rules[BROKEN_RULE].verdict == account.rules[BROKEN_RULE].verdict == "broken"
    assert {name: rule.verdict for name, rule in account.rules.items()} == {
        name: rule.verdict for name, rule in rules.items()
    }
    assert account.rules[BROKEN_RULE] == rules[BROKEN_RULE]
    paths = examination.obtain_path_reports("/more")
    assert [rule.id for rule in account.paths["/more"]] == [rule.id for rule in paths]
    assert account.subject == examination.obtain_subject()
    assert account.subject.label == "label"
    assert account.run == examination.describe_run()


def test_a_target_that_does_not_load_is_asked_nothing(place):
    account = do_here(place, make_plan(place, "raise ValueError", paths=("/more",)))
    assert account.subject.problem.id == "import-failed"
    assert account.rules[LOADS].verdict == "broken"
    assert account.paths == {}


def test_a_fault_of_ours_is_told(place):
    plan = make_plan(place, GOOD)
    plan.options = replace(plan.options, reading="none")
    loss = do_here(place, plan)
    assert loss.is_ours
    assert loss.end.startswith("failed: SelectionError: --wsgi-reading takes")


def test_a_target_that_this_process_can_examine_stays(place):
    plan = make_plan(place, GOOD)
    (target,) = plan.targets
    assert examine_apart(plan, target) is None
    django._owners.append(Owner("a/wsgi.py", "a.settings", django.look_before()))
    assert examine_apart(plan, target) is None
    target.examination.adopt(None, target.examination.obtain_loading(), Problem("other", "No."))
    assert examine_apart(plan, target) is None
    assert not target.examination.is_apart


def test_another_process_is_asked_once(place):
    examination = refuse(make_plan(place, f"{NOTING}{BROKEN}", paths=("/more",)))
    assert not examination.is_judged
    assert examination.obtain_report(BROKEN_RULE).findings[0].file == "shop.py"
    assert examination.is_judged
    assert examination.is_apart
    assert {examination.obtain_report(name).id for name in RULES} == set(RULES)
    subject = examination.obtain_subject()
    reason = "of its own, because Django is set up with a.settings here (set by a/wsgi.py)"
    assert next(iter(subject.facts.items())) == ("process", reason)
    assert subject.facts["object"] == "function"
    verdicts = {rule.id: rule.verdict for rule in examination.obtain_path_reports("/more")}
    assert verdicts[BROKEN_RULE] == "broken"
    assert examination.describe_run()["exchanges"] > 50
    assert (place / "loads.txt").read_text() == "pytest --wsgi-app\n"


def test_a_rule_that_the_other_process_does_not_have_is_a_harness_error(place):
    examination = refuse(make_plan(place, GOOD, select=(LOADS,)))
    other = replace(CATALOGUE[BROKEN_RULE], id="own-rule")
    examination.rules = {**examination.rules, "own-rule": other}
    assert examination.obtain_report(LOADS).verdict == "held"
    report = examination.obtain_report("own-rule")
    assert (report.verdict, report.id) == ("harness error", "own-rule")


def test_a_process_that_ends_while_it_loads_is_a_problem_of_the_target(place):
    examination = refuse(make_plan(place, f"print('last words')\n{CRASH}\n", paths=("/more",)))
    problem = examination.obtain_subject().problem
    said = problem.message.splitlines()
    assert problem.id == "process-ended"
    ended = "The process of its own that loaded shop:application was ended by SIGSEGV."
    assert said[0] == ended
    assert any('File "shop.py", line 2 in <module>' in line for line in said)
    assert not any("apart.py" in line or "<frozen" in line for line in said)
    assert said[-1] == "In a run of its own: pytest --wsgi-app shop:application"
    assert examination.obtain_report(LOADS).verdict == "broken"
    assert examination.obtain_report(BROKEN_RULE).verdict == "blocked"


def test_a_process_that_left_nothing_gave_no_account(place):
    (place / "output.txt").touch()
    assert read_outcome(place, "ended without a word") == Loss(end="ended without a word")


def test_a_process_that_ends_at_a_request_says_nothing_of_the_target(place, capsys):
    examination = refuse(make_plan(place, CRASHING, paths=("/more",)))
    reports = [examination.obtain_report(name) for name in RULES]
    assert {(report.verdict, report.reason) for report in reports} == {("harness error", ENDED)}
    assert {report.reason for report in examination.obtain_path_reports("/more")} == {ENDED}
    assert examination.obtain_subject().problem is None
    assert "in application" in capsys.readouterr().err


LEAVING = f"""
import subprocess, sys
code = "import threading; file = open('fifo', 'w'); print(1, flush=True); threading.Event().wait()"
started = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
assert started.stdout.readline()
{CRASH}
"""


def test_what_a_process_leaves_behind_is_ended(place):
    os.mkfifo(place / "fifo")
    reading = os.open(place / "fifo", os.O_RDONLY | os.O_NONBLOCK)
    examination = refuse(make_plan(place, LEAVING))
    assert examination.obtain_subject().problem.id == "process-ended"
    poll = select.poll()
    poll.register(reading, select.POLLHUP)  # there is no writer any more
    assert poll.poll(10_000) == [(reading, select.POLLHUP)]
    os.close(reading)


def test_threads_without_an_end_do_not_keep_a_process(place):
    endless = "import threading\nthreading.Thread(target=threading.Event().wait).start()\n"
    plan = make_plan(place, f"{endless}{GOOD}")
    owner = Owner("a/wsgi.py", "a.settings", django.look_before())
    outcome = run_apart(make_job(plan, plan.targets[0]), owner, limit_driving(plan))
    assert isinstance(outcome, Account)


@pytest.fixture
def waiting():
    """Return what starts a process that waits without an end, after it has said so."""
    started = []

    def start(code="pass"):
        ready = "print('ready', flush=True)\nsys.stdin.read()\n"
        process = subprocess.Popen(
            [sys.executable, "-c", f"import signal, sys\n{code}\n{ready}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        started.append(process)
        assert process.stdout.readline().strip() == b"ready"
        return process

    yield start
    for process in started:
        with process:
            process.kill()


@pytest.mark.parametrize(("has_loaded", "said"), [(False, "0.1 s"), (True, "0.3 s")])
def test_a_process_without_an_end_has_a_limit(tmp_path, monkeypatch, waiting, has_loaded, said):
    monkeypatch.setattr(apart, "LOADING_SECONDS", 0.1)
    loaded = tmp_path / "loaded"
    if has_loaded:
        loaded.touch()
    assert await_account(waiting(), loaded, 0.2) == f"was not done within {said}"


def test_the_end_of_a_process_is_named(tmp_path, waiting):
    for code, said in ((3, "ended with the code 3"), (0, "ended without a word")):
        process = waiting(f"import atexit, os; atexit.register(os._exit, {code})")
        process.stdin.close()
        assert await_account(process, tmp_path / "loaded", 1) == said


@pytest.mark.parametrize("code", ["pass", "signal.signal(signal.SIGTERM, signal.SIG_IGN)"])
def test_a_process_is_ended_whether_it_hears_or_not(monkeypatch, waiting, code):
    monkeypatch.setattr(apart, "_GRACE", 0.1)
    process = waiting(code)
    stop(process)
    assert process.returncode in {-15, -9}
    monkeypatch.delattr(os, "killpg")
    stop(process)


def test_what_a_process_wrote_is_shown_without_our_frames():
    own = Path(apart.__file__)
    text = (
        "first\n\nTraceback (most recent call last):\n"
        f'  File "<string>", line 8, in <module>\n  File "{own}", line 2, in main\n    do(job)\n'
        '    ^^^^^^^\n  File "shop.py", line 1, in <module>\n    wait()\nKeyboardInterrupt\n'
    )
    shown = ["first", "Traceback (most recent call last):", '  File "shop.py", line 1, in <module>']
    assert tail(text) == [*shown, "    wait()", "KeyboardInterrupt"]
    assert tail("x\n" * 99) == ["x"] * 15
    head = "Current thread 0x1 (most recent call first):"
    frames = [f'  File "site.py", line {number} in call' for number in range(50)]
    assert tail("\n".join(["first", head, *frames])) == ["first", head, *frames[:10]]


@pytest.mark.parametrize(("names", "is_first"), [("ab", True), ("aa", False), ("a", False)])
def test_the_first_target_is_loaded_before_one_with_other_settings(place, names, is_first):
    files = {f"m{n}.py": NAMING.format(name) + GOOD for n, name in enumerate(names)}
    write(place, {"m1.py": GOOD, **files})
    plan = make_plan(place, GOOD, "m0:application", "m1:application")
    first, second = plan.targets
    assert examine_apart(plan, second) is None
    assert first.examination.is_loaded is is_first
    assert examine_apart(plan, first) is None
