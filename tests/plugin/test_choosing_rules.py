"""`--wsgi-select`, `--wsgi-ignore` and `--wsgi-reading`, from the command line and the ini file."""

from __future__ import annotations

import re

import pytest

from pytest_wsgi.catalogue import CATALOGUE
from pytest_wsgi.matter import choose_for
from runs import ALL, BAD, BROKEN_RULE, MAIN, read_report

TAB = """
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("X-Title", "a\\tb")])
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [b"hello"]
"""
TABBED = ("--wsgi-app", "mysite.tab.application")
TAB_RULE = "header-values-have-no-tab"
REASON = "the proxy wants it"


def test_only_selected_rules_are_judged(run):
    found = run(*BAD, "--wsgi-select", f"write-*,{BROKEN_RULE}")
    names = [
        name
        for name in choose_for(CATALOGUE, "application")
        if name.startswith("write-") or name == BROKEN_RULE
    ]
    assert list(found.rules) == names
    assert found.having("failed") == [f"mysite/bad.py::application::{BROKEN_RULE}"]
    assert f"note              {len(names)} of {ALL} rules were judged by items" in found.out


def test_ignored_rules_are_not_judged_and_named(project, run):
    ignored = ("--wsgi-ignore", f"{BROKEN_RULE}: {REASON}", "--wsgi-ignore", "write-*,wsgiref-*")
    found = run(*BAD, *ignored, "--wsgi-report", "all.json", "--wsgi-report", "all.md")
    assert found.status == 0
    assert BROKEN_RULE not in found.rules
    assert f"ignored           {BROKEN_RULE}: {REASON}" in found.summary
    assert re.search(r"; rules ignored: \d\.$", found.summary[0])
    report = read_report(project / "all.json")
    assert report.ignored[BROKEN_RULE] == REASON
    assert report.ignored["write-is-avoided"] == ""
    markdown = (project / "all.md").read_text()
    assert f"- `{BROKEN_RULE}`: {REASON}\n- `write-" in markdown


def test_the_ini_file_ignores_with_a_reason(add, run):
    add({"pytest.ini": f"[pytest]\nwsgi_ignore = {BROKEN_RULE}, wsgiref-*: {REASON}\n"})
    found = run(*BAD)
    assert found.status == 0
    assert f"ignored           {BROKEN_RULE}: {REASON}" in found.summary


@pytest.mark.parametrize(
    ("line", "origin"),
    [("wsgi_ignore = {}", "ini option wsgi_ignore"), ("addopts = --wsgi-ignore {}", "addopts")],
)
def test_the_ini_file_ignores_nothing_without_a_reason(add, run, line, origin):
    add({"pytest.ini": f"[pytest]\n{line.format(BROKEN_RULE)}\n"})
    found = run(*MAIN)
    assert found.status == 4
    assert f"{origin}: {BROKEN_RULE} has no reason" in found.err


FAILING = """
def application(environ, start_response):
    start_response("500 Internal Server Error", [("Content-Type", "text/plain")])
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [b"sorry"]
"""


@pytest.mark.parametrize(
    "more", [("--wsgi-select", "status-*"), ("--wsgi-ignore", "requests-are-served")]
)
def test_a_run_without_a_page_proves_nothing_by_any_rules(add, run, more):
    add({"mysite/failing.py": FAILING})
    found = run("--wsgi-app", "mysite.failing.application", *more)
    assert found.status == 1
    assert "Nothing was proven: no request was answered with a page." in found.out


def test_what_was_not_judged_is_told_in_the_verdict(run):
    assert re.search(
        r" 0 not exercised, \d+ not judged\.", run(*MAIN, "-k", BROKEN_RULE).summary[0]
    )
    assert "not judged" not in run(*MAIN).summary[0]


def test_the_reading_is_told(run):
    notes = run(*MAIN, "--wsgi-reading", "pep").summary
    assert "note              ambiguous points are read as pep" in notes


def test_addopts_may_ignore_with_a_reason_and_the_command_line_without(add, run):
    add({"pytest.ini": f"[pytest]\naddopts = '--wsgi-ignore={BROKEN_RULE}: {REASON}'\n"})
    found = run(*BAD, "--wsgi-ignore", "wsgiref-*")
    assert found.status == 0
    assert f"ignored           {BROKEN_RULE}: {REASON}" in found.summary


def test_the_ini_file_selects_unless_the_command_line_does(add, run):
    add({"pytest.ini": "[pytest]\nwsgi_select =\n    write-*\n    close-*\n"})
    assert {name.partition("-")[0] for name in run(*MAIN).rules} == {"write", "close"}
    assert list(run(*MAIN, "--wsgi-select", BROKEN_RULE).rules) == [BROKEN_RULE]


@pytest.mark.parametrize("option", ["--wsgi-select", "--wsgi-ignore", "--wsgi-explain"])
def test_an_unknown_rule_is_an_error_with_a_suggestion(run, option):
    found = run(*MAIN, option, "status-is-natve-string")
    assert found.status == 4
    said = f"{option}: no rule is called 'status-is-natve-string'. Did you mean: {BROKEN_RULE}"
    assert said in found.err
    assert "Traceback" not in found.out + found.err


def test_an_unknown_reading_is_an_error(run):
    found = run(*MAIN, "--wsgi-reading", "mine")
    assert found.status == 4
    assert "--wsgi-reading takes pep, de-facto, wsgiref" in found.err


@pytest.mark.parametrize(("reading", "status"), [("pep", 1), ("de-facto", 0), ("wsgiref", 1)])
def test_an_ambiguous_point_fails_a_run_by_its_strict_reading_only(add, run, reading, status):
    add({"mysite/tab.py": TAB})
    found = run(*TABBED, "--wsgi-reading", reading)
    assert found.status == status
    text = found.texts[f"mysite/tab.py::application::{TAB_RULE}"]
    assert ("Is a tab a control character" in text) == bool(status)
    assert all("--wsgi-reading" in command for command in found.reruns)


def test_levels_are_markers_as_they_are_read(add, run):
    add({"mysite/tab.py": TAB})
    assert TAB_RULE not in run(*TABBED, "-m", "must").rules
    assert TAB_RULE in run(*TABBED, "-m", "must", "--wsgi-reading", "pep").rules


@pytest.mark.usefixtures("project")
def test_workers_choose_the_same_rules(run_apart):
    result = run_apart(*BAD, "-n", "2", "-p", "xdist", "--wsgi-only", "--wsgi-select", "headers-*",
                       "--wsgi-select", BROKEN_RULE, "--wsgi-ignore", BROKEN_RULE,
                       "--wsgi-reading", "pep")  # fmt: skip
    assert result.ret == 0
    result.stdout.fnmatch_lines([f"ignored           {BROKEN_RULE}"])


CLIENT = """
import re

import pytest

@pytest.fixture(scope="session")
def wsgi_app():
    from mysite.bad import application
    return application
"""


@pytest.mark.parametrize("more", [(), BAD])
def test_a_users_own_test_is_judged_by_the_chosen_rules(add, run, more):
    pytest.importorskip("webtest")
    add({"conftest.py": CLIENT})
    add({"tests/test_a.py": "def test_get(wsgi_client):\n    wsgi_client.get('/')\n"})
    add({"mysite/bad.py": TAB})
    words = (*more, "tests/test_a.py", "--wsgi-reading", "pep")
    assert run(*words).texts["tests/test_a.py::test_get"].count("has no tab")
    assert run(*words, "--wsgi-ignore", f"{TAB_RULE}: {REASON}").status == 0


def test_a_users_own_test_fails_by_a_rule_that_is_not_there(add, run):
    pytest.importorskip("webtest")
    add({"conftest.py": CLIENT, "pytest.ini": "[pytest]\nwsgi_ignore = nothing: no\n"})
    add({"tests/test_a.py": "def test_get(wsgi_client):\n    wsgi_client.get('/')\n"})
    add({"mysite/bad.py": TAB})
    text = run("tests/test_a.py").texts["tests/test_a.py::test_get"]
    assert "ini option wsgi_ignore: no rule is called 'nothing'" in text
