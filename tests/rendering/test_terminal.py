from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given

from pytest_wsgi.rendering.terminal import LONGEST_LINE, MOST_LINES, render_summary
from sample_reports import (
    PATIENT,
    make_finding,
    make_mixed_report,
    make_report,
    make_rule,
    make_rules,
    make_subject,
    make_unloaded_report,
    reports,
)

GOLDEN = Path(__file__).with_name("golden")
KEPT = make_report(*make_rules("held", 41), *make_rules("not exercised", 6))


def find(report, start):
    return [line for line in render_summary(report) if line.text.startswith(start)]


@pytest.mark.parametrize(
    ("name", "report"),
    [("kept", KEPT), ("mixed", make_mixed_report()), ("unloaded", make_unloaded_report())],
)
def test_summary_is_as_it_was(name, report):
    text = "".join(f"{line.style:<6} | {line.text}\n" for line in render_summary(report))
    assert text == (GOLDEN / f"{name}.terminal.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("report", "style"),
    [
        (KEPT, "green"),
        (make_report(*make_rules("held", 1), make_rule(level="convention")), "green"),
        (make_report(*make_rules("held", 1), make_rule(level="should")), "yellow"),
        (make_report(*make_rules("held", 1), make_rule()), "red"),
        (make_report(*make_rules("not exercised", 1)), "red"),
    ],
)
def test_style_of_the_sentence(report, style):
    first = render_summary(report)[0]
    assert first.style == style
    assert first.text == report.sentence


def test_huge_report_has_twenty_lines_and_hides_nothing_silently():
    reasons = [
        make_rule(id=f"{verdict}-{n}", verdict=verdict, reason=f"reason {n}")
        for verdict in ("not exercised", "blocked")
        for n in range(9)
    ]
    report = make_report(
        *make_rules("broken", 30, level="convention"),
        *make_rules("broken", 30),
        *make_rules("harness error", 9, reason="ValueError: x"),
        *reasons,
        subject=make_subject(facts={f"fact {n}": "x" * 999 for n in range(30)}),
        notes=("note",) * 30,
    )
    lines = render_summary(report)
    assert len(lines) == MOST_LINES
    assert max(len(line.text) for line in lines) == LONGEST_LINE
    texts = [line.text.strip() for line in lines]
    assert "and 25 more" in texts  # facts: five of thirty are shown
    assert texts.count("and 7 more") == 2  # reasons: two of nine are shown, twice
    assert "and 59 more" in texts  # broken rules: one of sixty are shown
    assert find(report, "broken") == find(report, "broken MUST")
    assert find(report, "harness error")[0].text.endswith(
        "harness-error-1, harness-error-2, harness-error-3 and 6 more: ValueError: x"
    )


def test_broken_rules_get_the_room_that_is_left_and_musts_come_first():
    report = make_report(
        *make_rules("broken", 2, level="should"), *make_rules("broken", 30), notes=("a", "b")
    )
    lines = render_summary(report)
    assert len(lines) == MOST_LINES
    assert [line.style for line in lines[8:19]] == ["red"] * 11
    assert lines[19].text.strip() == "and 21 more"


def test_notes_get_the_room_that_is_left():
    report = make_report(*make_rules("held", 1), notes=tuple(f"note {n}" for n in range(30)))
    lines = render_summary(report)
    assert len(lines) == MOST_LINES
    assert lines[-2].text.endswith(" note 10")
    assert lines[-1].text.strip() == "and 19 more"


def test_broken_rule_with_a_message_only():
    finding = make_finding(expected="", observed="", message="No module.\nTry: this", also=())
    report = make_report(make_rule(findings=(finding,)))
    (line,) = find(report, "broken")
    assert line.text.endswith(" status-is-native-string  No module.  GET /")


def test_rules_that_were_not_exercised_are_counted_by_reason():
    report = make_report(
        *make_rules("not exercised", 14, reason="--wsgi-unsafe"),
        *make_rules("not exercised", 2, reason="b"),
        *make_rules("not exercised", 2, reason="a"),
    )
    assert [line.text.split(maxsplit=2)[2] for line in find(report, "not exercised")] == [
        "--wsgi-unsafe: 14 rules",
        "a: 2 rules",
        "b: 2 rules",
    ]


def test_subject_of_which_nothing_is_known():
    subject = make_subject(spec="", file=None, line=None, object="", facts={})
    (line,) = find(make_report(subject=subject), "subject")
    assert line.text.split() == ["subject", "application"]


@PATIENT
@given(reports)
def test_any_report_has_at_most_twenty_printable_lines(report):
    lines = render_summary(report)
    assert 5 <= len(lines) <= MOST_LINES
    assert all(line.text.isprintable() and len(line.text) <= LONGEST_LINE for line in lines)
    assert {line.style for line in lines} <= {"", "green", "red", "yellow", "bold"}
