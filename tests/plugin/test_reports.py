"""What `--wsgi-report` writes, and when."""

from __future__ import annotations

import json

import pytest

from pytest_wsgi.report import from_json, to_json
from runs import ALL, BAD, BROKEN_RULE, MAIN, UNLAUNCHED, read_report, write


def test_a_good_run(project, run):
    found = run(*MAIN, "--wsgi-report", "out/all.json", "--wsgi-report", "all.md")
    assert found.status == 0
    text = (project / "out/all.json").read_text()
    report = from_json(text)
    assert to_json(report) == text
    assert len(report.rules) == ALL
    assert report.subject.spec == "mysite.wsgi.application"
    assert (report.subject.file, report.subject.origin) == ("mysite/wsgi.py", "--wsgi-app")
    assert report.exchanges > 50
    assert report.environment["pytest"] == pytest.__version__
    assert not any("rules were judged" in note for note in report.notes)
    markdown = (project / "all.md").read_text()
    assert markdown.startswith("# WSGI conformance of `mysite.wsgi.application`")


def test_a_broken_run(project, run):
    assert run(*BAD, "--wsgi-report", "all.json").status == 1
    rules = {rule.id: rule for rule in read_report(project / "all.json").rules}
    assert rules[BROKEN_RULE].verdict == "broken"
    assert rules[BROKEN_RULE].findings[0].file == "mysite/bad.py"
    assert rules["redirects-have-a-location"].verdict == "not exercised"
    reasons = {rule.reason for rule in rules.values() if rule.verdict == "not exercised"}
    assert reasons == {
        "needs a request with a body: --wsgi-unsafe",
        "nothing that the application did called for it",
        UNLAUNCHED,
    }


def test_an_application_that_does_not_load(project, run):
    assert run("--wsgi-app", "mysite.nothing.application", "--wsgi-report", "all.json").status == 1
    report = read_report(project / "all.json")
    assert report.subject.problem.id == "module-missing"
    assert report.totals["must"]["blocked"] > 1
    assert report.totals["must"]["broken"] == 1


def test_several_targets(project, run):
    assert run(*MAIN, *BAD, "--wsgi-report", "all.json", "--wsgi-report", "all.md").status == 1
    good, bad = (
        read_report(project / f"all-{label}.json") for label in ("application", "application-2")
    )
    assert (good.subject.spec, good.totals["must"]["broken"]) == ("mysite.wsgi.application", 0)
    assert bad.subject.spec == "mysite.bad.application"
    assert bad.totals["must"]["broken"]
    assert (project / "all.md").read_text().count("# WSGI conformance of") == 2


def test_a_selection_is_said_to_be_one(project, run):
    run(*MAIN, "-k", BROKEN_RULE, "--wsgi-report", "all.json")
    report = read_report(project / "all.json")
    assert [rule.id for rule in report.rules] == [BROKEN_RULE]
    assert f"1 of {ALL} rules were judged by items" in report.notes


def test_a_selection_of_the_users_own_leaves_no_old_report(project, run):
    run(*MAIN, "--wsgi-report", "all.json")
    assert run(*MAIN, "-k", "test_one", "--wsgi-report", "all.json").status == 0
    report = read_report(project / "all.json")
    assert report.rules == ()
    assert report.sentence == "Nothing was proven: no rule was exercised."
    assert report.subject.file == "mysite/wsgi.py"


def test_a_run_that_stops_early(project, run):
    assert run(*BAD, "-x", "--wsgi-report", "all.json").status == 1
    report = read_report(project / "all.json")
    assert "the run stopped early: stopping after 1 failures" in report.notes
    assert len(report.rules) < ALL


def test_an_interrupted_run_keeps_its_status(project, run_apart, add):
    # Ours come last, but for those of an argument that comes first.
    add({"tests/test_b.py": "def test_interrupt(): raise KeyboardInterrupt\n"})
    found = run_apart(*MAIN, "mysite/wsgi.py", "tests/test_b.py", "--wsgi-report", "all.json")
    assert found.ret == 2
    report = read_report(project / "all.json")
    assert "the run stopped early: interrupted" in report.notes
    assert len(report.rules) == ALL


def test_errors_of_collection_keep_their_status(project, run, add):
    add({"tests/test_b.py": "import not_there_at_all\n"})
    found = run(*MAIN, "--wsgi-report", "all.json")
    assert found.status == 2
    assert read_report(project / "all.json").rules == ()
    found = run(*MAIN, "--continue-on-collection-errors", "--wsgi-report", "all.json")
    assert found.status == 1
    assert len(read_report(project / "all.json").rules) == ALL


def test_a_path_that_cannot_be_written(project, run):
    write(project, {"file": ""})
    found = run(*MAIN, "--wsgi-report", "file/all.json", "--wsgi-report", "all.md")
    assert found.status == 1
    assert not found.having("failed")
    (line,) = [line for line in found.out.splitlines() if line.startswith("wsgi: cannot write")]
    assert "file/all.json" in line
    assert "Traceback" not in found.out
    assert (project / "all.md").is_file()
    assert " WSGI conformance: " in found.out


def test_relative_to_where_pytest_was_called(project, run, monkeypatch):
    monkeypatch.chdir(project / "tests")
    run(*MAIN, "--wsgi-report", "all.json")
    assert (project / "tests/all.json").is_file()


@pytest.mark.usefixtures("launches")
def test_from_several_processes(project, run):
    pytest.importorskip("xdist")
    run(*BAD, "--wsgi-path", "/about", "--wsgi-report", "alone.json")
    run(*BAD, "--wsgi-path", "/about", "--wsgi-report", "together.json", "-n", "2")
    alone, together = (
        json.loads((project / f"{n}.json").read_text()) for n in ("alone", "together")
    )
    verdicts = [
        {row["id"]: row["verdict"] for row in plain["rules"]} for plain in (alone, together)
    ]
    assert verdicts[0] == verdicts[1]
    assert alone["totals"] == together["totals"]
    assert alone["subject"] == together["subject"]
    assert alone["notes"] == together["notes"]


def test_unsafe_requests_are_reported(project, run):
    run(*MAIN, "--wsgi-unsafe", "--wsgi-report", "all.json")
    report = read_report(project / "all.json")
    assert not any("may change state" in note for note in report.notes)
    reasons = {rule.reason for rule in report.rules if rule.verdict == "not exercised"}
    assert reasons == {"nothing that the application did called for it", UNLAUNCHED}


def test_a_path_alone(project, run):
    found = run(*MAIN, "--wsgi-path", "/about", "-k", "every-rule", "--wsgi-report", "all.json")
    assert found.status == 0
    report = read_report(project / "all.json")
    assert report.exchanges > 5
    assert report.is_proven
