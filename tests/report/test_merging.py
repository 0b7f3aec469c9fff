from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostile_reports import FEW
from pytest_wsgi.report import (
    InvalidJsonError,
    NotAReportError,
    Proof,
    ReportVersionError,
    Standing,
    fails,
    to_json,
)
from pytest_wsgi.report.merging import (
    from_json_set,
    merge_reports,
    name_reports,
    to_json_set,
)
from sample_reports import (
    make_finding,
    make_mixed_report,
    make_report,
    make_rule,
    make_rules,
    make_subject,
    make_unloaded_report,
    reports,
)


def of(spec, *rules, **environment):
    subject = make_subject(spec=spec)
    return make_report(*rules, subject=subject, environment=environment, notes=())


@FEW
@given(st.lists(reports, max_size=2))
def test_a_set_and_back(some):
    text = to_json_set(some)
    assert from_json_set(text) == tuple(some)
    assert text.isascii()
    assert text.endswith("}\n")


def test_one_report_is_written_as_itself():
    assert to_json_set([make_mixed_report()]) == to_json(make_mixed_report())


def test_the_form_of_a_set():
    plain = json.loads(to_json_set([make_mixed_report(), make_unloaded_report()]))
    assert list(plain) == ["format", "version", "reports"]
    assert (plain["format"], plain["version"]) == ("pytest-wsgi-set", 1)
    assert plain["reports"][0] == json.loads(to_json(make_mixed_report()))


@pytest.mark.parametrize("text", ["", "[", "[" * 100_000])
def test_a_set_that_is_not_json(text):
    with pytest.raises(InvalidJsonError, match="not JSON, or is cut off"):
        from_json_set(text)


@pytest.mark.parametrize("version", [0, 2, None, True])
def test_a_set_of_another_version(version):
    with pytest.raises(ReportVersionError, match="only 1 can be read here"):
        from_json_set(json.dumps({"format": "pytest-wsgi-set", "version": version}))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (None, "reports should be a list, found null."),
        ([{}], r'reports\[0\]: This JSON is no report of pytest-wsgi: "format" should be'),
    ],
)
def test_a_set_that_holds_no_reports(rows, message):
    with pytest.raises(NotAReportError, match=message):
        from_json_set(json.dumps({"format": "pytest-wsgi-set", "version": 1, "reports": rows}))


@pytest.mark.parametrize("plain", [3, [], {"format": "sarif"}])
def test_neither_report_nor_set(plain):
    with pytest.raises(NotAReportError, match='"format" should be "pytest-wsgi"'):
        from_json_set(json.dumps(plain))


def test_shards_are_merged():
    one = make_report(
        make_rule(id="a", verdict="held", exercised=2),
        make_rule(id="b", findings=(make_finding(request="GET /a", also=()),)),
        *make_rules("not exercised", 1, reason="nothing called for it"),
        ignored={"c": "why", "not exercised-1": "left out in the other shard"},
        unjudged=10,
        notes=("both", "one"),
        exchanges=3,
    )
    other = make_report(
        make_rule(id="b", findings=(make_finding(request="GET /b", also=()),)),
        make_rule(id="d", verdict="held"),
        ignored={"c": "why", "a": "left out here"},
        unjudged=11,
        notes=("both", "other"),
        exchanges=4,
        proof=Proof(rules=1, mutants=2, twins=3, controls=4),
        standing=Standing(file="known.toml"),
    )
    (merged,) = merge_reports([one, other])
    assert [rule.id for rule in merged.rules] == ["a", "b", "not-exercised-1", "d"]
    assert merged.rules[1].findings == (make_finding(request="GET /a", also=("GET /b",)),)
    assert merged.rules[1].exercised == 8
    assert merged.exchanges == 7
    assert merged.proof == other.proof
    assert merged.standing == other.standing
    assert merged.notes == ("both", "shard 1 of 2: one", "shard 2 of 2: other")
    assert merged.ignored == {"c": "why", "not exercised-1": "left out in the other shard"}
    # 13 MUSTs are all that there are; both together judged 4 of them.
    assert merged.unjudged == 13 - 4
    assert fails(merged, strict=False)


def test_more_musts_than_a_shard_knew_leave_none_unjudged():
    one = make_report(*make_rules("held", 2))
    (merged,) = merge_reports([one, make_report(*make_rules("not exercised", 5))])
    assert merged.unjudged == 0


def test_a_shard_that_did_not_load_its_subject_proves_nothing():
    subject = make_unloaded_report().subject
    held = make_report(*make_rules("held", 3), subject=make_subject())
    (merged,) = merge_reports([held, make_report(subject=subject)])
    assert merged.subject.problem == subject.problem
    assert not merged.is_proven


def test_a_shard_that_proved_nothing_proves_nothing():
    held = make_report(*make_rules("held", 3))
    refused = make_report(*make_rules("held", 1), unproven="every request was refused")
    (merged,) = merge_reports([held, refused])
    assert merged.unproven == "every request was refused"
    assert not merged.is_proven


def test_a_report_alone_is_left_as_it_is():
    report = make_mixed_report()
    assert merge_reports([report]) == (report,)
    assert merge_reports([]) == ()


@pytest.mark.parametrize(
    "other",
    [
        make_report(subject=make_subject(spec="other.wsgi.application")),
        make_report(subject=make_subject(kind="middleware")),
        make_report(subject=make_subject(label="application-2")),
        make_report(environment={"python": "3.13.0"}),
    ],
)
def test_what_is_no_shard_stays_apart(other):
    assert merge_reports([make_report(), other]) == (make_report(), other)


@FEW
@given(st.lists(reports, max_size=2))
def test_merging_twice_is_merging_once(some):
    once = merge_reports(some)
    assert merge_reports(once) == once


def test_reports_have_names_of_their_own():
    django = {"python": "3.12", "packages": {"Django": "4.2"}}
    newer = {"python": "3.12", "packages": {"Django": "5.2", "asgiref": "3.8"}}
    some = [of("a", **django), of("a", **newer), of("b"), of("", **django), of("b"), of("b #2")]
    assert name_reports(some) == [
        "a (Django 4.2, asgiref absent)",
        "a (Django 5.2, asgiref 3.8)",
        "b",
        "application",
        "b #2",
        "b #2 #2",
    ]


@FEW
@given(st.lists(reports, max_size=2))
def test_names_are_unique(some):
    names = name_reports(some)
    assert len(set(names)) == len(some)
