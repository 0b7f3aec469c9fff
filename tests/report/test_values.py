from __future__ import annotations

import pytest

from pytest_wsgi.report import fails
from sample_reports import (
    make_mixed_report,
    make_report,
    make_rule,
    make_rules,
    make_subject,
    make_unloaded_report,
)

KEPT = make_report(*make_rules("held", 41), *make_rules("not exercised", 6))


def test_totals_count_every_verdict_of_every_level():
    assert make_mixed_report().totals == {
        "must": {"held": 2, "broken": 1, "not exercised": 4, "known": 0, "blocked": 0},
        "should": {"held": 1, "broken": 1, "not exercised": 0, "known": 0, "blocked": 0},
        "convention": {"held": 0, "broken": 1, "not exercised": 0, "known": 1, "blocked": 0},
    }


@pytest.mark.parametrize(
    ("report", "sentence"),
    [
        (
            KEPT,
            (
                "mysite.wsgi.application keeps PEP 3333 as far as it was exercised: "
                "41 of 47 MUSTs held, none broken, 6 not exercised."
            ),
        ),
        (
            make_report(*make_rules("held", 3), *make_rules("known", 2)),
            (
                "mysite.wsgi.application keeps PEP 3333 as far as it was exercised: "
                "3 of 5 MUSTs held, none broken, 2 known, 0 not exercised."
            ),
        ),
        (
            make_report(*make_rules("held", 45), *make_rules("broken", 2)),
            "mysite.wsgi.application breaks 2 of 47 MUSTs.",
        ),
        (
            make_report(*make_rules("broken", 1), *make_rules("not exercised", 2)),
            "mysite.wsgi.application breaks 1 of 3 MUSTs, 2 not exercised.",
        ),
        (
            make_report(*make_rules("held", 1), ignored={"write-is-avoided": "why"}),
            (
                "mysite.wsgi.application keeps PEP 3333 as far as it was exercised: "
                "1 of 1 MUSTs held, none broken, 0 not exercised; rules ignored: 1."
            ),
        ),
        (
            make_report(make_rule(), subject=make_subject(spec="")),
            "the application breaks 1 of 1 MUSTs.",
        ),
        (make_unloaded_report(), "Nothing was proven: the application did not load."),
        (make_report(), "Nothing was proven: no rule was exercised."),
        (
            make_report(*make_rules("held", 3), unproven="every request was answered with 400"),
            "Nothing was proven: every request was answered with 400.",
        ),
        (
            make_report(make_rule(), unproven="every request was answered with 400"),
            "mysite.wsgi.application breaks 1 of 1 MUSTs.",
        ),
        (
            make_report(*make_rules("held", 3, level="should"), *make_rules("not exercised", 2)),
            "Nothing was proven of the 2 MUSTs of PEP 3333: none was exercised.",
        ),
        (
            make_report(*make_rules("held", 1), *make_rules("harness error", 2)),
            (
                "mysite.wsgi.application keeps PEP 3333 as far as it was exercised: 1 of 1 MUSTs "
                "held, none broken, 0 not exercised. Harness errors: 2, which say nothing of it."
            ),
        ),
    ],
)
def test_sentence(report, sentence):
    assert report.sentence == sentence


@pytest.mark.parametrize(
    ("report", "plain", "strict"),
    [
        (KEPT, False, False),
        (make_report(*make_rules("known", 1)), False, False),
        (make_report(*make_rules("held", 1), make_rule()), True, True),
        (make_report(*make_rules("held", 1), make_rule(level="should")), False, True),
        (make_report(*make_rules("held", 1), make_rule(level="convention")), False, False),
        (make_report(*make_rules("held", 1), *make_rules("harness error", 1)), True, True),
        (make_report(*make_rules("held", 1), unproven="all was refused"), True, True),
        (make_report(*make_rules("not exercised", 1)), True, True),
        (make_report(), True, True),
        (make_unloaded_report(), True, True),
    ],
)
def test_what_fails_a_run(report, plain, strict):
    assert fails(report, strict=False) is plain
    assert fails(report, strict=True) is strict


def test_broken_rules_of_a_level():
    report = make_mixed_report()
    assert [rule.id for rule in report.broken("must")] == ["status-is-native-string"]
    assert [rule.id for rule in report.broken("should")] == ["application-serves-without-host"]
    assert [rule.id for rule in report.broken("convention")] == ["header-values-have-no-tab"]


def test_the_ledger_counts_what_was_exercised_once():
    rule = make_rule(requirements=("status-native-str", "status-native-str", "unknown"))
    ledger = make_report(rule, rule, make_rule(verdict="not exercised")).ledger
    assert list(ledger) == ["must", "should", "convention"]
    assert [count["exercised"] for count in ledger.values()] == [1, 0, 0]
    assert all(
        count["exercised"] <= count["checkable"] < count["total"] for count in ledger.values()
    )


def test_requirement_coverage_counts_a_requirement_once():
    report = make_report(
        make_rule(requirements=("a", "b")),
        make_rule(requirements=("b",), verdict="held"),
        make_rule(requirements=("c",), verdict="not exercised"),
    )
    assert report.requirement_coverage == {"checked": 3, "exercised": 2}


@pytest.mark.parametrize(
    ("file", "line", "place"), [("a.py", 3, "a.py:3"), ("a.py", None, "a.py"), (None, 3, "")]
)
def test_place_of_a_subject(file, line, place):
    assert make_subject(file=file, line=line).place == place
