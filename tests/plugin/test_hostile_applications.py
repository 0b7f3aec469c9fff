"""Applications that hang, exit, warn or never end: the run and its report go on."""

from __future__ import annotations

import pytest

from runs import ALL, GOOD, MAIN, OWN_IDS, read_report, write

HEAD = """
import os, sys, threading, time, warnings
def start(start_response): start_response("200 OK", [("Content-Type", "text/plain")])
def application(environ, start_response):
"""

HOSTILE = {
    "exit": "    sys.exit(3)",
    "interrupt": "    raise KeyboardInterrupt",
    "recursion": "    return application(environ, start_response)",
    "generator exit": "    raise GeneratorExit",
    "hang": "    time.sleep(60)",
    "loop": "    while True: pass",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_the_run_goes_on(project, run, add, name):
    add({"mysite/wsgi.py": f"{HEAD}{HOSTILE[name]}\n"})
    found = run(*MAIN, "mysite", "tests", "--wsgi-timeout", "0.1", "--wsgi-report", "all.json")
    assert found.status == 1
    assert found.having("failed")
    assert sorted(found.own) == OWN_IDS
    assert len(found.outcomes) == ALL + 3
    report = read_report(project / "all.json")
    assert report.broken("must")
    assert not report.harness_errors
    assert len(report.rules) == ALL


def test_the_end_of_the_process_is_refused(project, run_apart, add):
    add({"mysite/wsgi.py": f"{HEAD}    os._exit(3)\n"})
    result = run_apart(*MAIN, "mysite", "tests", "--wsgi-report", "all.json")
    assert result.ret == 1
    report = read_report(project / "all.json")
    assert "application-does-not-end-the-process" in {rule.id for rule in report.broken("must")}
    assert len(report.rules) == ALL


def test_a_body_without_end_is_advised(project, run, add):
    add(
        {
            "mysite/wsgi.py": f"{HEAD}    start(start_response)\n"
            "    while True: yield b'x' * 100000\n"
        }
    )
    found = run(*MAIN, "--wsgi-timeout", "0.2", "--wsgi-report", "all.json")
    assert found.status == 0
    assert len(found.own) == 3
    broken = [rule.id for rule in read_report(project / "all.json").broken("convention")]
    assert "response-comes-to-an-end" in broken


def test_applications_that_warn_are_not_accused(run, add):
    add(
        {
            "mysite/wsgi.py": "import warnings\nwarnings.warn('old import', DeprecationWarning)\n"
            f"{GOOD}\ngood = application\n"
            "def application(environ, start_response):\n"
            "    warnings.warn('old request', DeprecationWarning)\n"
            "    environ['opened'] = open(__file__)\n"
            "    return good(environ, start_response)\n"
        }
    )
    found = run(*MAIN, "mysite/wsgi.py", "tests", "--wsgi-path", "/about", "-W", "error")
    assert found.status == 0, found.out
    assert len(found.own) == 3


def test_an_interrupt_at_import_is_the_users(run_apart, add):
    add({"mysite/wsgi.py": "raise KeyboardInterrupt\n"})
    assert run_apart(*MAIN).ret == 2


def test_an_exit_at_import_is_a_clear_error(run, add):
    add({"mysite/wsgi.py": "import os\nos._exit(3)\n"})
    found = run(*MAIN)
    assert found.status == 1
    assert sorted(found.own) == OWN_IDS
    assert "Importing mysite.wsgi ended the process: SystemExit('os._exit(3)')" in found.out


def test_a_process_that_crashes_is_survived_by_another(project, run):
    pytest.importorskip("xdist")
    write(project, {"mysite/wsgi.py": "import ctypes\nctypes.string_at(0)\n"})
    found = run(*MAIN, "-n", "1", "--max-worker-restart", "1", "-k", "loads or test_")
    assert found.status == 1
    assert sorted(found.own) == OWN_IDS
