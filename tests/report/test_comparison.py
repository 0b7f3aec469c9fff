from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostile_reports import FEW
from pytest_wsgi.report.comparison import ABSENT, compare_runs
from sample_reports import (
    make_finding,
    make_report,
    make_rule,
    make_rules,
    make_subject,
    make_unloaded_report,
    reports,
)


def compare(old, new):
    (comparison,) = compare_runs([old], [new])
    return comparison


def ids(items):
    return [item.rule.id for item in items]


def test_what_changed_between_two_runs():
    old = make_report(
        make_rule(id="mended"),
        make_rule(id="stays"),
        make_rule(id="breaks", verdict="held"),
        make_rule(id="unlooked"),
        make_rule(id="gone", verdict="held"),
        make_rule(id="comes", verdict="not exercised"),
        make_rule(id="left-out", verdict="held"),
        make_rule(id="left-out-silently", verdict="held"),
    )
    new = make_report(
        make_rule(id="mended", verdict="held"),
        make_rule(id="stays", findings=(make_finding(line=99, request="GET /b"),)),
        make_rule(id="breaks"),
        make_rule(id="unlooked", verdict="not exercised", reason="needs --wsgi-unsafe"),
        make_rule(id="comes"),
        make_rule(id="added", verdict="held"),
        ignored={"left-out": "an old framework", "left-out-silently": ""},
    )
    comparison = compare(old, new)
    assert ids(comparison.new) == ["breaks", "comes"]
    assert ids(comparison.fixed) == ["mended"]
    assert ids(comparison.still) == ["stays"]
    assert [(s.rule.id, s.before, s.after, s.reason) for s in comparison.lost] == [
        ("unlooked", "broken", "not exercised", "needs --wsgi-unsafe"),
        ("gone", "held", ABSENT, ""),
        ("left-out", "held", ABSENT, "ignored: an old framework"),
        ("left-out-silently", "held", ABSENT, "ignored"),
    ]
    assert [(s.rule.id, s.before, s.after) for s in comparison.gained] == [
        ("comes", "not exercised", "broken"),
        ("added", ABSENT, "held"),
    ]
    assert comparison.before["comes"] == "not exercised"
    assert comparison.fails


def test_the_same_again_is_no_change():
    report = make_report(make_rule(), *make_rules("held", 2))
    comparison = compare(report, report)
    assert (comparison.new, comparison.fixed, comparison.lost, comparison.gained) == ((),) * 4
    assert ids(comparison.still) == ["status-is-native-string"]
    assert not comparison.fails


def test_another_finding_of_a_broken_rule_is_new():
    old = make_report(make_rule())
    more = make_finding(expected="something else")
    comparison = compare(old, make_report(make_rule(findings=(make_finding(), more))))
    assert [named.finding for named in comparison.new] == [more]
    comparison = compare(old, make_report(make_rule(findings=(more,))))
    assert [named.finding for named in comparison.fixed] == [make_finding()]


def test_what_the_baseline_knows_is_not_new():
    held = make_report(make_rule(verdict="held"))
    known = make_report(make_rule(verdict="known", findings=(make_finding(),)))
    broken = make_report(make_rule())
    assert compare(held, known).new == ()
    assert ids(compare(broken, known).still) == ["status-is-native-string"]
    assert ids(compare(known, broken).still) == ["status-is-native-string"]
    assert not compare(known, broken).fails


def test_an_application_that_does_not_load_anymore():
    comparison = compare(make_report(*make_rules("held", 2)), make_unloaded_report())
    assert ids(comparison.new) == ["application-loads"]
    assert [shift.after for shift in comparison.lost] == [ABSENT, ABSENT]
    assert comparison.lost_proof


def test_a_run_that_proves_nothing_anymore_fails_without_a_new_finding():
    old = make_report(*make_rules("held", 1))
    new = make_report(*make_rules("held", 1), unproven="every request was refused")
    assert compare(old, new).new == ()
    assert compare(old, new).fails
    assert not compare(new, new).fails
    assert not compare(new, old).fails


def test_two_subjects_alone_are_compared_whatever_their_names():
    old = make_report(make_rule(), subject=make_subject(spec="a"))
    new = make_report(make_rule(), subject=make_subject(spec="b"))
    assert ids(compare(old, new).still) == ["status-is-native-string"]
    assert compare(old, new).subject.spec == "b"


def test_environments_are_compared():
    old = make_report(environment={"python": "3.11", "x": "1", "packages": {"Django": "4.2"}})
    new = make_report(environment={"python": "3.11", "packages": {"Django": "5.2", "a": "1"}})
    assert compare(old, new).environment == {
        "Django": ("4.2", "5.2"),
        "a": ("", "1"),
        "x": ("1", ""),
    }


def of(spec, python, **changes):
    return make_report(
        *make_rules("held", 1),
        subject=make_subject(spec=spec, **changes),
        environment={"python": python},
    )


def test_subjects_of_two_sets_are_paired():
    old = [of("a", "3.11"), of("a", "3.12"), of("gone", "3.11"), of("b", "3.11")]
    new = [of("a", "3.12"), of("b", "3.13"), of("a", "3.13"), of("new", "3.11")]
    comparisons = compare_runs(old, new)
    assert [(c.old_report, c.new_report) for c in comparisons] == [
        (old[1], new[0]),
        (old[3], new[1]),
        (old[0], new[2]),
        (None, new[3]),
        (old[2], None),
    ]
    assert [c.fails for c in comparisons] == [False, False, False, False, True]
    assert [shift.reason for shift in comparisons[4].lost] == ["the subject was not judged"]
    assert comparisons[3].gained[0].before == ABSENT


@pytest.mark.parametrize("changes", [{"kind": "middleware"}, {"label": "x"}])
def test_another_kind_or_label_is_another_subject(changes):
    old, new = [of("a", "3"), of("b", "3")], [of("a", "3", **changes), of("b", "3")]
    assert [c.old_report for c in compare_runs(old, new)] == [None, old[1], old[0]]


def test_sets_without_reports():
    assert compare_runs([], []) == ()


@FEW
@given(st.lists(reports, max_size=2), st.lists(reports, max_size=2))
def test_any_two_runs_can_be_compared(old, new):
    comparisons = compare_runs(old, new)
    assert [c.new_report for c in comparisons if c.new_report is not None] == new
    assert sum(c.old_report is not None for c in comparisons) == len(old)


@FEW
@given(reports)
def test_nothing_is_new_in_the_same_report(report):
    comparison = compare(report, report)
    assert (comparison.new, comparison.lost, comparison.gained) == ((), (), ())
    assert not comparison.fails
