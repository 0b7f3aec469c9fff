"""`--wsgi-reach`, by runs in processes of their own: the tests may be measured themselves."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from pytest_wsgi import reach
from pytest_wsgi.reach import ReachError
from runs import ISOLATED, MAIN, read_report, write

coverage = pytest.importorskip("coverage")

HAS_PLUGIN = importlib.util.find_spec("pytest_django") is not None
PROJECTS = Path(__file__).parents[2] / "fixtures/projects"

pytestmark = pytest.mark.slow

FEW = ("--wsgi-select", "application-loads,status-*")
"""Rules for which no fresh process is started."""

REPORTS = ("--wsgi-report", "r.json", "--wsgi-report", "r.md", "--wsgi-report", "r.html")

SOURCE = {
    "mysite/wsgi.py": """\
from mysite import views
from mysite.config import make

settings = make()

def application(environ, start_response):
    if environ["PATH_INFO"] == "/admin/secret/":
        return views.secret(environ, start_response)
    return views.home(environ, start_response)
""",
    "mysite/config.py": """\
def make():
    return dict(
        debug=True,
    )

def unused():
    return 1

if unused is None:
    print("never")
""",
    "mysite/views.py": """\
def home(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]

def secret(environ, start_response):
    start_response("200 OK", [])
    return []

def ignored():  # pragma: no cover
    pass
""",
    "mysite/never_imported.py": "x = 1\n",
    "tests/test_a.py": """\
from mysite import views

def test_secret():
    assert views.secret({}, lambda *_: None) == []
""",
    "pytest.ini": "[pytest]\npythonpath = .\n",
}

EXPECTED = {
    "mysite/config.py": (6, 4, "7, 10"),
    "mysite/views.py": (6, 4, "6-7"),
    "mysite/wsgi.py": (7, 6, "8"),
}


@pytest.fixture
def clean(project, monkeypatch):
    """Return a project of which not all is reached; nothing else tells coverage.py what to do."""
    for name in ("COVERAGE_FILE", "COVERAGE_PROCESS_START", "COVERAGE_RCFILE", "COVERAGE_CORE"):
        monkeypatch.delenv(name, raising=False)
    write(project, SOURCE)
    return project


def read_reach(path):
    """Return what a report says of each file: lines, reached, missing."""
    files = read_report(path).reach.files
    return {file.file: (file.lines, file.reached, file.missing) for file in files}


def read_data(directory):
    """Return the lines and arcs of each file in the data of coverage.py, and the contexts."""
    data = coverage.CoverageData(str(directory / ".coverage"))
    data.read()
    found = {Path(file).name: (sorted(data.lines(file)), sorted(data.arcs(file) or ()))
             for file in data.measured_files()}  # fmt: skip
    contexts = {}
    for context in data.measured_contexts():
        data.set_query_context(context)
        contexts[context] = sorted(data.lines(str((directory / "mysite/views.py").resolve())))
    data.close()
    return found, contexts


def test_what_the_probes_reach_is_told(clean, run_apart):
    result = run_apart("-W", "error", *MAIN, *FEW, *REPORTS, "--wsgi-reach")
    assert result.ret == 0, result.stdout.str()
    text = (
        "74 % of 19 lines in 3 files of yours that were imported; "
        "missed most in mysite/config.py, 4 of 6 reached"
    )
    result.stdout.fnmatch_lines([f"reach             {text}"])
    assert read_reach(clean / "r.json") == EXPECTED
    assert "| mysite/views.py | 4 of 6 | 6-7 |" in (clean / "r.md").read_text()
    assert text in (clean / "r.html").read_text()
    assert not list(clean.glob(".coverage*"))


def test_beside_pytest_cov_and_in_several_processes(clean, run_apart):
    pytest.importorskip("pytest_cov")
    pytest.importorskip("xdist")
    words = (*MAIN, *FEW, *REPORTS, "--cov=mysite", "--cov-branch", "--cov-context=test")
    run_apart(*words)
    alone, _ = read_data(clean)
    result = run_apart(*words, "--wsgi-reach", "-n", "2")
    assert result.ret == 0, result.stdout.str()
    assert read_reach(clean / "r.json") == EXPECTED
    both, contexts = read_data(clean)
    assert both == alone
    assert contexts["wsgi:application::status-is-native-string"] == [2, 3]
    assert contexts["wsgi:application::probe:get"] == [2, 3]
    assert contexts["tests/test_a.py::test_secret|run"] == [6, 7]
    result.stdout.fnmatch_lines(["mysite/never_imported.py * 0%", "TOTAL *"])


def test_under_coverage_run(clean, monkeypatch):
    monkeypatch.setenv("PYTHONWARNINGS", "error::coverage.exceptions.CoverageWarning")
    words = ("-m", "coverage", "run", "--source=mysite", "--context=ci", "-m", "pytest")
    more = (*ISOLATED, *MAIN, *FEW, *REPORTS, "--wsgi-reach")
    done = subprocess.run(
        [sys.executable, *words, *more], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert read_reach(clean / "r.json") == EXPECTED
    _, contexts = read_data(clean)
    assert contexts["ci|wsgi:application::status-is-native-string"] == [2, 3]
    assert contexts["ci|wsgi:application::application-loads"] == []  # a test has imported it before


def test_coverage_is_not_installed(clean, run_apart, monkeypatch):
    write(clean, {"stub/coverage.py": "raise ImportError('no')\n"})
    monkeypatch.setenv("PYTHONPATH", str(clean / "stub"), prepend=os.pathsep)
    result = run_apart("-p", "no:pytest_cov", *MAIN, "--wsgi-reach")
    assert result.ret == 4
    result.stderr.fnmatch_lines(
        [
            "ERROR: --wsgi-reach needs coverage.py, which is not installed.",
            "Try: pip install 'pytest-wsgi[[]reach]'",
        ]
    )
    assert "Traceback" not in result.stderr.str()


@pytest.mark.skipif(not HAS_PLUGIN, reason="pytest-django is not installed")
def test_pytest_django_loads_settings_before(clean, run_apart, monkeypatch):
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE", raising=False)
    shutil.rmtree(clean / "mysite")
    shutil.copytree(PROJECTS / "hello", clean, dirs_exist_ok=True)
    write(clean, {"tests/test_a.py": "def test_page(client): client.get('/')\n"})
    urls = (clean / "mysite/urls.py").read_text()
    write(clean, {"mysite/urls.py": f"{urls}\n\ndef unused(request):\n    return 1\n"})
    words = ("--ds", "mysite.settings", *MAIN, *FEW, *REPORTS, "--wsgi-reach")
    result = run_apart(*words, isolated=False)
    assert result.ret == 0, result.stdout.str()
    found = read_reach(clean / "r.json")
    assert sorted(found) == ["mysite/settings.py", "mysite/urls.py", "mysite/wsgi.py"]
    assert [missing for _, _, missing in found.values()] == [
        "",
        str(len(urls.splitlines()) + 4),
        "",
    ]


def test_each_of_two_sites_has_its_own(clean, run_apart, monkeypatch):
    pytest.importorskip("django")
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE", raising=False)
    shutil.rmtree(clean / "tests")
    shutil.copytree(PROJECTS / "two_sites", clean, dirs_exist_ok=True)
    sites = ("--wsgi-app", "site_a.wsgi.application", "--wsgi-app", "b=site_b.wsgi.application")
    result = run_apart(*sites, *FEW, "--wsgi-report", "r.json", "--wsgi-reach")
    assert result.ret == 0, result.stdout.str()
    assert list(read_reach(clean / "r-application.json")) == [
        "site_a/settings.py",
        "site_a/urls.py",
        "site_a/wsgi.py",
    ]
    assert list(read_reach(clean / "r-b.json")) == [
        "site_b/settings.py",
        "site_b/urls.py",
        "site_b/wsgi.py",
    ]


@pytest.fixture
def gauge(monkeypatch):
    """Let a run in this process measure nothing: the tests may be measured themselves."""
    calls = []
    gauge = reach.Gauge(lambda: None, None)
    gauge.note_start = lambda: calls.append("start")
    gauge.stop = lambda: calls.append("stop")
    monkeypatch.setattr(reach, "begin", lambda root: calls.append(root) or gauge)
    return SimpleNamespace(calls=calls)


def test_measuring_begins_before_all_else_and_ends(project, run, gauge):
    found = run(*MAIN, *FEW, "--wsgi-reach")
    assert gauge.calls == [project, "start", "stop"]
    assert any(
        line.split(maxsplit=1) == ["reach", "no file of yours was measured"]
        for line in found.summary
    )


def test_the_ini_file_may_ask_for_it(add, run, gauge):
    add({"pytest.ini": "[pytest]\nwsgi_reach = true\n"})
    run(*MAIN, *FEW)
    assert gauge.calls[1:] == ["start", "stop"]


def test_nothing_is_measured_that_was_not_asked_for(run, gauge):
    run(*MAIN, *FEW)
    run("--wsgi-reach")
    assert gauge.calls == []


def test_what_prevents_measuring_is_told(run, monkeypatch):
    def refuse(_root):
        raise ReachError("no way")

    monkeypatch.setattr(reach, "begin", refuse)
    found = run(*MAIN, "--wsgi-reach")
    assert found.status == 4
    assert "ERROR: no way" in found.err
