from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given

from pytest_wsgi.rendering.failure import render_failure
from sample_reports import (
    PATIENT,
    make_finding,
    make_mixed_report,
    make_rule,
    make_subject,
    rules,
    subjects,
    texts,
)

GOLDEN = Path(__file__).with_name("golden")


def render(**changes):
    rule = make_rule(**changes)
    command = f"pytest mysite/wsgi.py::application::{rule.id}"
    return render_failure(rule, make_subject(), command=command)


@pytest.mark.parametrize(
    "name",
    ["status-is-native-string", "application-serves-without-host", "errors-are-flushed"],
)
def test_failure_is_as_it_was(name):
    (rule,) = (rule for rule in make_mixed_report().rules if rule.id == name)
    command = f"pytest mysite/wsgi.py::application::{name}"
    text = render_failure(rule, make_subject(), command=command)
    assert f"{text}\n" == (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")


def test_where_is_the_subject_when_no_finding_has_a_place():
    assert "\nWhere mysite/wsgi.py:16\n" in render(findings=(make_finding(file=None, line=None),))


def test_where_names_some_places_once():
    findings = tuple(make_finding(file="a.py", line=line) for line in (1, 1, 2, 3, 4, 5))
    assert "\nWhere a.py:1, a.py:2, a.py:3 and 2 more\n" in render(findings=findings)


def test_findings_beyond_the_first_are_counted():
    text = render(findings=tuple(make_finding(request=f"GET /{n}") for n in range(6)))
    assert "GET /4" in text
    assert "GET /5" not in text
    assert "\n  and 1 more finding\n" in text
    text = render(findings=tuple(make_finding(request=f"GET /{n}") for n in range(7)))
    assert "\n  and 2 more findings\n" in text


def test_others_beyond_the_first_are_counted():
    text = render(findings=(make_finding(also=tuple(f"GET /{n}" for n in range(40))),))
    assert "\n  and 40 more: GET /0, GET /1, GET /2, ...\n" in text


def test_finding_with_nothing_but_a_message():
    finding = make_finding(
        request="", event="", expected="", observed="", also=(), message="No module.\n\nTry: this"
    )
    lines = render(findings=(finding,)).splitlines()
    assert lines[1:3] == ["      No module.", "      Try: this"]


def test_finding_with_a_difference_too_long_for_a_line():
    finding = make_finding(request="", event="", expected="x" * 200, observed="1", also=())
    assert render(findings=(finding,)).splitlines()[1] == f"      expected {'x' * 200}, got 1"


def test_eased_rule_says_why():
    text = render(level="convention", eased="Frameworks do it on purpose.")
    assert text.startswith("CONVENTION  The status is a str.")
    assert "\nNote  It weighs less than its requirement: Frameworks do it on purpose.\n" in text


def test_long_sentence_has_its_section_below():
    lines = render(sentence="word " * 30).splitlines()
    assert lines[0].startswith("MUST  word")
    assert lines[1].startswith("      word")
    assert lines[2] == "      PEP 3333, The start_response() Callable"


def test_rule_without_section_sentence_and_reason():
    text = render(verdict="blocked", section="", sentence="")
    assert text.splitlines()[:2] == ["MUST  status-is-native-string", "  blocked"]
    assert render(section="", sentence="word " * 30).count("PEP") == 0


@PATIENT
@given(rules, subjects, texts)
def test_any_failure_can_be_rendered(rule, subject, command):
    text = render_failure(rule, subject, command=command)
    assert all(line.isprintable() for line in text.split("\n"))
