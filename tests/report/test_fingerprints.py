from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostile_reports import FEW
from pytest_wsgi.report.fingerprints import digest, drop_values, name_finding, name_findings
from sample_reports import (
    PATIENT,
    findings,
    make_finding,
    make_mixed_report,
    make_report,
    make_rule,
    make_subject,
    reports,
    texts,
)

WORDS = make_finding(observed_type="str", observed="KeyError raised", message="it left\nmore")


def name(finding, rule="status-is-native-string", **changes):
    return name_finding(rule, make_subject(**changes), finding)


def test_a_fingerprint_is_what_it_was():
    assert name(make_finding()) == "041a05e25b6d2f95fab0ffdc16af0cfa"


@pytest.mark.parametrize(
    "changes",
    [
        {"line": 99},
        {"line": None},
        {"request": "GET /elsewhere", "also": ()},
        {"event": "9  start_response(b'500 Oops', [])"},
        {"observed": "b'404 Not Found'"},
        {"traceback": "Traceback ..."},
        {"probe": "head"},
        {"layer": "Layer (mysite/layers.py:3)"},
    ],
)
def test_what_changes_from_run_to_run_changes_no_fingerprint(changes):
    assert name(replace(make_finding(), **changes)) == name(make_finding())


@pytest.mark.parametrize(
    "changes",
    [
        {"expected": "bytes"},
        {"observed_type": "int"},
        {"file": "mysite/views.py"},
        {"file": None},
        {"message": "something else"},
        {"observed": "ValueError raised"},
    ],
)
def test_what_makes_another_finding_makes_another_fingerprint(changes):
    assert name(replace(WORDS, **changes)) != name(WORDS)


def test_rule_and_subject_make_another_fingerprint():
    names = {
        name(WORDS),
        name(WORDS, rule="another"),
        name(WORDS, kind="middleware"),
        name(WORDS, spec="other.wsgi.application"),
    }
    assert len(names) == 4
    assert name(WORDS) == name(WORDS, file="moved.py", line=2, label="x", origin="ini")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("KeyError raised", "KeyError raised"),
        ("expected 'a b', got \"c\" 17 times", "expected *, got * * times"),
        ("<object at 0x7f3a>", "<object at *>"),
        (r"no /srv/x-1/site.py or C:\x here", "no * or * here"),
        ("first\nsecond", "first"),
        ("it's", "it's"),
    ],
)
def test_values_are_dropped(text, words):
    assert drop_values(text) == words


def test_findings_that_share_a_fingerprint_are_told_apart():
    other = replace(make_finding(), observed="b'404 Not Found'")
    report = make_report(make_rule(findings=(make_finding(), other, other)))
    first, second, third = (named.fingerprint for named in name_findings(report))
    assert first == name(make_finding())
    assert len({first, second, third}) == 3


def test_only_what_is_broken_or_known_is_named():
    named = name_findings(make_mixed_report())
    assert [(each.rule.id, each.finding.request) for each in named] == [
        ("status-is-native-string", "GET /"),
        ("application-serves-without-host", "GET / (no HTTP_HOST)"),
        ("known-1", ""),
        ("header-values-have-no-tab", "GET /"),
    ]


def test_another_subject_may_take_the_place_of_the_own_one():
    report, other = make_report(make_rule()), make_subject(spec="b")
    (named,) = name_findings(report, other)
    assert named.fingerprint == name(make_finding(), spec="b")


@PATIENT
@given(st.lists(texts), st.lists(texts))
def test_other_parts_make_another_digest(some, others):
    assert (digest(*some) == digest(*others)) == (some == others)


@PATIENT
@given(findings, st.none() | st.integers())
def test_no_line_changes_a_fingerprint(finding, line):
    assert name(finding) == name(replace(finding, line=line))


@FEW
@given(reports)
def test_fingerprints_of_a_report_are_unique(report):
    named = name_findings(report)
    assert len({each.fingerprint for each in named}) == len(named)
