from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given

from hostile_reports import FEW, make_hostile_report
from pytest_wsgi.rendering.changes import render_changes_markdown, render_changes_text
from pytest_wsgi.report.comparison import compare_runs
from sample_reports import (
    make_finding,
    make_report,
    make_rule,
    make_rules,
    make_subject,
    reports,
)

GOLDEN = Path(__file__).with_name("golden")

OLD = make_report(
    make_rule(id="mended"),
    make_rule(id="stays"),
    make_rule(id="breaks", verdict="held"),
    make_rule(id="unlooked"),
    make_rule(id="silent", verdict="held"),
    make_rule(id="comes", level="should", verdict="not exercised"),
    environment={"python": "3.11.9", "packages": {"Django": "4.2"}},
)
NEW = make_report(
    make_rule(id="mended", verdict="held"),
    make_rule(id="stays", verdict="known", findings=(make_finding(),)),
    make_rule(id="breaks"),
    make_rule(id="unlooked", verdict="not exercised", reason="needs --wsgi-unsafe"),
    make_rule(id="silent", verdict="not exercised"),
    make_rule(id="comes", level="should", findings=(make_finding(file=None, expected=""),)),
    make_rule(id="added", level="convention", findings=()),
    environment={"python": "3.12.1", "packages": {"Django": "5.2", "asgiref": "3.8"}},
)
GONE = make_report(*make_rules("held", 2), subject=make_subject(spec="gone"))
RENDERERS = {"md": render_changes_markdown, "txt": render_changes_text}


@pytest.mark.parametrize("form", RENDERERS)
def test_changes_are_as_they_were(form):
    text = RENDERERS[form](compare_runs([OLD, GONE], [NEW]))
    assert text == (GOLDEN / f"changes.{form}").read_text(encoding="utf-8")


@pytest.mark.parametrize("form", RENDERERS)
def test_nothing_to_compare(form):
    assert RENDERERS[form](()) == "\n"


def test_nothing_changed():
    report = make_report(*make_rules("held", 2))
    text = render_changes_text(compare_runs([report], [report]))
    assert text == (
        "mysite.wsgi.application: Findings: 0 newly broken, 0 fixed, 0 still broken.\n"
        f"  Before: {report.sentence}\n"
        f"  After: {report.sentence}\n"
    )


def test_a_finding_that_has_only_a_message():
    finding = make_finding(expected="", observed="", message="It failed.\nThere is more.")
    old, new = make_report(make_rule(verdict="held")), make_report(make_rule(findings=(finding,)))
    text = render_changes_text(compare_runs([old], [new]))
    assert "  MUST  status-is-native-string  GET /  It failed.  at mysite/wsgi.py:12\n" in text


@pytest.mark.parametrize("form", RENDERERS)
def test_hostile_reports(form):
    report = make_hostile_report()
    for old, new in ((report, report), (GONE, report), (report, GONE)):
        text = RENDERERS[form](compare_runs([old], [new]))
        assert all(line.isprintable() for line in text.split("\n"))
        assert not any(line.lstrip().startswith("::") for line in text.split("\n"))


@FEW
@given(reports, reports)
def test_any_reports(old, new):
    for render in RENDERERS.values():
        text = render(compare_runs([old], [new]))
        assert text.endswith("\n")
        assert all(line.isprintable() for line in text.split("\n"))
