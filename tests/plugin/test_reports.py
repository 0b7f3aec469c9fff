"""What `--wsgi-report` writes, and when."""

from __future__ import annotations

import errno
import json
import os
import re
import shlex
import sys
from dataclasses import replace

import pytest

from pytest_wsgi import publishing
from pytest_wsgi.rendering import formats
from pytest_wsgi.rendering.formats import FORMATS
from pytest_wsgi.report import from_json, to_json
from runs import ALL, BAD, BROKEN_ID, BROKEN_RULE, MAIN, UNLAUNCHED, read_report, write


def words(option, values):
    return [word for value in values for word in (option, value)]


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


def test_a_path_that_cannot_be_written_costs_a_line_and_nothing_else(project, run):
    write(project, {"file": ""})
    found = run(*MAIN, "--wsgi-report", "file/all.json", "--wsgi-report", "all.md")
    assert found.status == 0
    assert not found.having("failed")
    (line,) = [line for line in found.out.splitlines() if line.startswith("wsgi: cannot write")]
    assert "file/all.json" in line
    assert "Traceback" not in found.out
    assert (project / "all.md").is_file()
    assert " WSGI conformance: " in found.out


@pytest.mark.skipif(os.name != "posix", reason="limits are POSIX's")
def test_a_full_disk_costs_a_line_and_nothing_else(project, run_apart, add):
    limit = (
        "import resource, pytest\n"
        "@pytest.hookimpl(tryfirst=True)\n"
        "def pytest_sessionfinish():\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, resource.RLIM_INFINITY))\n"
    )
    add({"conftest.py": limit})
    reports = ("--wsgi-report", "all.json", "--wsgi-report", "all.svg")
    found = run_apart(*MAIN, *reports, "-p", "no:cacheprovider")
    assert found.ret == 0
    out = found.stdout.str()
    said = re.findall(
        r"^wsgi: cannot write the report '.*(all\.\w+)'.*said: (.*)$", out, re.MULTILINE
    )
    assert said == [("all.json", os.strerror(errno.EFBIG))]
    assert sorted(path.name for path in project.glob("*all*")) == ["all.svg"]
    assert list(project.glob(".*.tmp")) == []


def test_a_renderer_that_crashes_costs_a_line_and_nothing_else(project, run, monkeypatch):
    def crash(reports):
        raise ZeroDivisionError("division\nby zero")

    broken = replace(FORMATS["sarif"], render=crash)
    monkeypatch.setattr(formats, "FORMATS", {**FORMATS, "sarif": broken})
    found = run(*MAIN, "--wsgi-report", "all.sarif", "--wsgi-report", "all.json")
    assert found.status == 0
    (line,) = [line for line in found.out.splitlines() if line.startswith("wsgi: cannot")]
    assert line.endswith(
        "all.sarif': it ended in ZeroDivisionError: division by zero. That is a fault of "
        "pytest-wsgi, and says nothing of what was judged"
    )
    assert not (project / "all.sarif").exists()
    assert read_report(project / "all.json").is_proven


def test_every_format(project, run):
    names = {
        "json": "all.json",
        "html": "out/all.html",
        "md": "all.md",
        "sarif": "all.sarif",
        "gitlab": "gl-code-quality-report.json",
        "badge": "all.svg",
        "shields": "all.shields.json",
        "annotations": "annotations:all.txt",
    }
    assert names.keys() == FORMATS.keys()
    assert run(*BAD, *words("--wsgi-report", names.values())).status == 1
    report = read_report(project / "all.json")
    for name, target in names.items():
        text = (project / target.removeprefix("annotations:")).read_text(encoding="utf-8")
        assert text == FORMATS[name].render([report])


def test_a_report_says_how_to_mend_and_to_judge_again(project, run):
    run(*BAD, "--wsgi-report", "all.json")
    report = read_report(project / "all.json")
    rules = {rule.id: rule for rule in report.rules}
    assert list(rules[BROKEN_RULE].fixes) == ["Bare", "Django", "Flask"]
    assert rules[BROKEN_RULE].rerun == f"pytest {' '.join(BAD)} {BROKEN_ID}"
    held = next(rule for rule in report.rules if rule.verdict == "held")
    assert (dict(held.fixes), held.rerun) == ({}, "")
    assert report.proof.mutants > report.proof.twins > 200
    assert run(*shlex.split(rules[BROKEN_RULE].rerun)[1:]).having("failed") == [BROKEN_ID]


def test_the_same_run_makes_the_same_bytes(project, run):
    for name in ("a", "b"):
        run(*BAD, "--wsgi-report", f"{name}.json", "--wsgi-report", f"{name}.html")
    for suffix in ("json", "html"):
        first, second = ((project / f"{name}.{suffix}").read_text() for name in ("a", "b"))
        assert first == second


def test_a_name_that_tells_no_format(run):
    found = run(*MAIN, "--wsgi-report", "all.xml")
    assert found.status == 4
    assert "--wsgi-report: cannot tell the format of the report 'all.xml' by its name" in found.err
    assert "Try: pytest --wsgi-app mysite.wsgi.application --wsgi-report wsgi.json" in found.err


def test_a_format_whose_library_is_missing(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    found = run(*MAIN, "--wsgi-report", "all.html")
    assert found.status == 4
    assert "Try: pip install 'pytest-wsgi[html]'" in found.err


def test_on_github(project, run, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "summary.md")
    (project / "summary.md").write_text("before\n")
    found = run(*BAD)
    assert found.status == 1
    commands = [line for line in found.out.splitlines() if line.startswith("::")]
    assert 1 < len(commands) <= 8
    assert commands[0].startswith("::error file=mysite/bad.py,line=")
    before, _, summary = (project / "summary.md").read_text().partition("\n\n")
    assert before == "before"
    assert summary.startswith("# WSGI conformance of `mysite.bad.application`")


@pytest.mark.parametrize("variable", ["GITHUB_WORKSPACE", "CI_PROJECT_DIR"])
def test_files_are_named_from_the_top_of_the_repository(project, run, monkeypatch, variable):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv(variable, str(project.parent))
    found = run(*BAD, "--wsgi-report", "all.sarif", "--wsgi-report", "all.json")
    place = f"{project.name}/mysite/bad.py"
    assert f"::error file={place},line=2" in found.out
    assert f'"{place}"' in (project / "all.sarif").read_text()
    assert read_report(project / "all.json").subject.file == "mysite/bad.py"


def test_a_summary_that_cannot_be_written(run, monkeypatch):
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "not/there.md")
    found = run(*MAIN)
    assert found.status == 0
    assert "wsgi: cannot append to the step summary 'not/there.md'" in found.out


def test_annotations_that_cannot_be_made(run, monkeypatch):
    def crash(reports):
        raise RecursionError("too deep")

    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setattr(publishing, "render_annotations", crash)
    found = run(*MAIN)
    assert found.status == 0
    assert "wsgi: cannot make the annotations: it ended in RecursionError: too deep." in found.out


def test_relative_to_where_pytest_was_called(project, run, monkeypatch):
    monkeypatch.chdir(project / "tests")
    run(*MAIN, "--wsgi-report", "all.json")
    assert (project / "tests/all.json").is_file()


@pytest.mark.usefixtures("launches")
def test_from_several_processes(project, run, monkeypatch):
    pytest.importorskip("xdist")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(project / "summary.md"))
    run(*BAD, "--wsgi-path", "/about", "--wsgi-report", "alone.json")
    (project / "summary.md").unlink()
    run(*BAD, "--wsgi-path", "/about", "--wsgi-report", "together.json", "-n", "2")
    summary = (project / "summary.md").read_text()
    assert summary.count("# WSGI conformance of") == 1  # only the controller writes
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
