from __future__ import annotations

import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from hostile_reports import FEW, make_hostile_report
from pytest_wsgi.rendering.code_quality import LONGEST, render_code_quality
from sample_reports import (
    make_finding,
    make_mixed_report,
    make_report,
    make_rule,
    make_subject,
    make_unloaded_report,
    reports,
)

HERE = Path(__file__).parent
VALIDATOR = Draft202012Validator(
    json.loads((HERE / "schemas" / "code_quality.json").read_text(encoding="utf-8"))
)


def render(*some):
    """Return the issues for reports, which are valid and told apart by their fingerprints."""
    text = render_code_quality(some)
    assert text.isascii()
    assert text.endswith("]\n")
    issues = json.loads(text)
    VALIDATOR.validate(issues)
    assert len({issue["fingerprint"] for issue in issues}) == len(issues)
    return issues


def test_code_quality_is_as_it_was():
    golden = HERE / "golden" / "mixed.codequality.json"
    assert render_code_quality([make_mixed_report()]) == golden.read_text(encoding="utf-8")


def test_severities():
    rules = [make_rule(id=level, level=level) for level in ("must", "should", "convention", "odd")]
    assert [issue["severity"] for issue in render(make_report(*rules))] == [
        "critical",
        "major",
        "info",
        "info",
    ]


def test_what_the_baseline_knows_is_left_out():
    assert render(make_report(make_rule(verdict="known", findings=(make_finding(),)))) == []
    assert render() == []


def test_lines_change_no_fingerprint():
    some = [render(make_report(make_rule(findings=(make_finding(line=line),)))) for line in (1, 50)]
    assert some[0][0]["fingerprint"] == some[1][0]["fingerprint"]
    assert some[1][0]["location"] == {"path": "mysite/wsgi.py", "lines": {"begin": 50}}


def test_every_issue_has_a_path():
    (issue,) = render(make_unloaded_report())
    assert issue["location"] == {"path": "mysite.wsgi.application", "lines": {"begin": 1}}
    report = make_report(make_rule(findings=()), subject=make_subject(spec="", file=None))
    assert render(report)[0]["location"]["path"] == "application"


def test_the_same_report_twice():
    assert len(render(make_report(make_rule()), make_report(make_rule()))) == 2


def test_long_descriptions_are_cut():
    finding = make_finding(message="x" * 2 * LONGEST)
    (issue,) = render(make_report(make_rule(findings=(finding,))))
    assert len(issue["description"]) == LONGEST


def test_a_hostile_report():
    for issue in render(make_hostile_report()):
        assert issue["description"].isprintable()
        assert issue["location"]["path"].isprintable()


@FEW
@given(st.lists(reports, max_size=2))
def test_any_reports(some):
    render(*some)
