"""pytest's own ways to choose and to show items work on ours, and leave the user's own alone."""

from __future__ import annotations

import os
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from xmlschema import XMLSchema

from pytest_wsgi.catalogue import CATALOGUE
from pytest_wsgi.matter import choose_for
from runs import ALL, BAD, BROKEN_ID, BROKEN_RULE, MAIN, OWN_IDS

SCHEMAS = Path(__file__).parents[1] / "rendering/schemas"
RULES = choose_for(CATALOGUE, "application")
MUSTS = sum(rule.level.value == "must" for rule in RULES.values())
HEADERS = sum(rule.area == "header" for rule in RULES.values())


def test_every_rule_is_an_item_after_the_users_own_tests(run):
    found = run(*MAIN)
    assert found.status == 0
    assert list(found.outcomes)[:3] == OWN_IDS
    ids = list(found.outcomes)[3:]
    assert ids[0] == "mysite/wsgi.py::application::application-loads"
    assert set(found.rules) == set(RULES)
    assert not found.having("failed")
    assert len(found.having("passed")) > ALL / 2


@pytest.mark.parametrize(
    "more",
    [
        (),
        ("-q",),
        ("-v",),
        ("-qq",),
        (".",),
        ("tests",),
        ("tests", "mysite"),
        ("mysite/wsgi.py", "tests"),
        ("--import-mode=importlib",),
        ("--import-mode=append",),
        ("--doctest-modules",),
        ("--strict-markers", "--strict-config"),
        ("--durations=3",),
        ("-p", "no:cacheprovider"),
        ("-p", "no:terminal"),
        ("-W", "error"),
        ("--setup-show",),
        ("--wsgi-strict",),
    ],
    ids=" ".join,
)
def test_own_tests_are_neither_dropped_nor_doubled(run, more):
    found = run(*MAIN, *more)
    assert found.status == 0, found.out
    assert sorted(found.own) == OWN_IDS
    assert set(found.rules) == set(RULES)
    assert len(found.outcomes) == ALL + 3
    calls = [report.nodeid for report in found.reports if report.when == "call"]
    assert len(calls) == len(set(calls)) == ALL + 3


@pytest.mark.parametrize(
    ("more", "total"),
    [
        ((), ALL + 3),
        (("-m", "wsgi"), ALL),
        (("-m", "not wsgi"), 3),
        (("-m", "must"), MUSTS),
        (("-m", "header"), HEADERS),
        (("-k", BROKEN_RULE), 1),
        (("-k", "test_one or status-is-native"), 2),
        (("--wsgi-only",), ALL),
        (("mysite/wsgi.py",), ALL),
        (("mysite",), ALL),
        (("tests/test_a.py",), ALL + 2),
        (("tests/test_a.py::test_one",), ALL + 1),
        (("mysite/wsgi.py::application::application-loads",), 1),
        (("mysite/wsgi.py::application::application-loads", "tests"), 4),
        (("mysite/wsgi.py::application",), ALL),
        (("--deselect", "mysite/wsgi.py::application"), 3),
        (("--deselect", "mysite/wsgi.py::application::application-loads"), ALL + 2),
        (("--ignore", "tests"), ALL),
        (("--wsgi-path", "/about"), ALL + 4),
    ],
    ids=str,
)
def test_counts_of_collection_are_right(run, more, total):
    found = run(*MAIN, "--collect-only", "-q", *more)
    assert found.status == 0
    assert not found.outcomes
    ids = [line for line in found.out.splitlines() if "::" in line]
    assert len(ids) == len(set(ids)) == total
    assert f"{total}" in found.out.splitlines()[-1]
    assert "WSGI conformance" not in found.out


def test_collection_imports_nothing_and_writes_no_report(project, run, add):
    add({"mysite/wsgi.py": "raise SystemExit('imported')\n"})
    found = run(*MAIN, "--collect-only", "-q", "--wsgi-report", "report.json")
    assert found.status == 0
    assert not (project / "report.json").exists()


@pytest.mark.parametrize("tail", ["", "::application-loads", "::status-is-native-string"])
def test_ids_can_be_pasted_back(run, tail):
    found = run(*MAIN, f"mysite/wsgi.py::application{tail}")
    assert found.status == 0
    assert len(found.outcomes) == (1 if tail else ALL)
    assert all(name.startswith("mysite/wsgi.py::application") for name in found.outcomes)


def test_an_id_that_is_none_is_refused(run):
    found = run(*MAIN, "mysite/wsgi.py::application::no-such-rule")
    assert found.status == 4
    assert "not found" in found.err


def test_ids_of_a_run_in_a_subdirectory(project, run, monkeypatch):
    monkeypatch.chdir(project / "tests")
    assert sorted(run(*MAIN).own) == OWN_IDS
    assert run(*MAIN, "../mysite/wsgi.py::application::application-loads").status == 0


def test_nothing_is_imported_for_the_users_own_tests(run, add):
    add({"mysite/wsgi.py": "raise SystemExit('imported')\n"})
    found = run(*MAIN, "-k", "test_one")
    assert (found.status, found.own, found.rules) == (0, OWN_IDS[:1], {})
    assert "WSGI conformance" not in found.out


def test_stops_at_the_first_failure(run):
    found = run(*BAD, "-x")
    assert found.status == 1
    assert found.having("failed") == [list(found.outcomes)[-1]]
    assert "the run stopped early: stopping after 1 failures" in found.out


def test_last_failed_runs_nothing_else(run):
    failed = run(*BAD).having("failed")
    found = run(*BAD, "--lf")
    assert list(found.outcomes) == failed
    assert found.status == 1
    assert f"{ALL + 3 - len(failed)} deselected" in found.out


def test_failed_first(run):
    failed = run(*BAD).having("failed")
    found = run(*BAD, "--ff")
    assert list(found.outcomes)[: len(failed)] == failed
    assert len(found.outcomes) == ALL + 3


def test_stepwise_goes_on_at_the_item_that_failed(run):
    (first,) = run(*BAD, "--sw").having("failed")
    found = run(*BAD, "--sw")
    assert list(found.outcomes) == [first]
    assert "deselected" in found.out
    assert run(*BAD, "--sw", "--sw-skip").outcomes[first] == "failed"


def test_nothing_failed_last_time(run):
    run(*MAIN)
    found = run(*MAIN, "--lf", "--lfnf=none")
    assert found.status == 5


def test_deselect_saves_a_run(run):
    failed = run(*BAD).having("failed")
    words = [word for name in failed for word in ("--deselect", name)]
    assert run(*BAD, *words).status == 0


def test_only_conformance_items(run):
    found = run(*MAIN, "--wsgi-only")
    assert (found.status, found.own) == (0, [])
    assert "3 deselected" in found.out


def test_only_conformance_items_without_own_tests(run):
    found = run(*MAIN, "--wsgi-only", "mysite/wsgi.py")
    assert "deselected" not in found.out


@pytest.mark.usefixtures("project")
def test_plugin_switched_off(run_apart):
    result = run_apart("-p", "no:wsgi")
    result.assert_outcomes(passed=3)
    assert result.ret == 0


@pytest.mark.parametrize("more", [(), ("--dist", "loadfile"), ("--dist", "loadgroup")], ids=str)
def test_in_several_processes(project, run, more):
    pytest.importorskip("xdist")
    found = run(*BAD, "--wsgi-path", "/about", "-n", "2", "--wsgi-report", "all.json", *more)
    assert found.status == 1
    names = {name.partition("@/")[0] if "loadgroup" in more else name for name in found.outcomes}
    assert len(names) == len(found.outcomes) == ALL + 4
    assert BROKEN_ID in found.having("failed")
    assert found.out.count("WSGI conformance") == 1
    assert (project / "all.json").is_file()


def test_processes_are_told_what_addopts_and_the_environment_say(run, add, monkeypatch):
    pytest.importorskip("xdist")
    add({"pytest.ini": "[pytest]\naddopts = --wsgi-app mysite.bad.application\n"})
    assert len(run("-n", "1", "tests").outcomes) == 3
    monkeypatch.setenv("PYTEST_WSGI_APP", "mysite.wsgi.application")
    assert len(run("-n", "1").rules) == ALL


def test_processes_without_a_target(run):
    pytest.importorskip("xdist")
    assert run("-n", "1").status == 0


def test_junit(project, run):
    run(*BAD, "--wsgi-path", "/about", "--junitxml", "junit.xml")
    tree = ET.parse(project / "junit.xml")  # noqa: S314 # our own file
    XMLSchema(SCHEMAS / "junit.xsd").validate(tree)
    cases = list(tree.iter("testcase"))
    names = [(case.get("classname"), case.get("name")) for case in cases]
    assert len(names) == len(set(names)) == ALL + 4
    case = cases[names.index(("mysite.bad.application", BROKEN_RULE))]
    properties = {entry.get("name"): entry.get("value") for entry in case.iter("property")}
    assert properties == {
        "wsgi_rule": BROKEN_RULE,
        "wsgi_verdict": "broken",
        "wsgi_level": "must",
        "wsgi_requirements": " ".join(CATALOGUE[BROKEN_RULE].checks),
    }
    assert "expected a str, got b'200 OK'" in case.find("failure").text
    validate_by_jenkins(tree)


def validate_by_jenkins(tree):
    """Validate against the schema that Jenkins publishes, where it is here."""
    published = os.environ.get("PYTEST_WSGI_JUNIT_SCHEMA")
    if published:
        for case in tree.iter("testcase"):
            for properties in case.findall("properties"):
                case.remove(properties)
        XMLSchema(published).validate(tree)


def test_verbose_output_names_the_users_file(run):
    found = run(*MAIN, "-v")
    assert "mysite/wsgi.py::application::application-loads PASSED" in found.out
    assert "collection.py" not in found.out


def test_markers_are_registered(run):
    found = run("--markers", "-p", "no:cacheprovider")
    for name in {rule.area for rule in RULES.values()} | {"wsgi", "must", "should", "path"}:
        assert f"@pytest.mark.{name}: " in found.out


def test_options_are_explained(run):
    found = run("--help")
    assert "--wsgi-app=SPEC" in found.out
    assert "wsgi_timeout" in found.out


def test_unknown_python_files_of_the_project_are_not_imported(run, add):
    add({"mysite/other.py": "raise SystemExit('imported')\n"})
    assert run(*MAIN, "mysite").status == 0


def test_a_relative_rootdir(project, run, monkeypatch):
    monkeypatch.chdir(project / "mysite")
    found = run("--wsgi-app", "wsgi", "--rootdir", os.curdir, "-c", "../pytest.ini", "-k", "loads")
    assert found.status == 0
