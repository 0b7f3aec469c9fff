from __future__ import annotations

import json
from pathlib import Path

import execnet
import pytest
from hypothesis import given

from pytest_wsgi.report import (
    InvalidJsonError,
    NotAReportError,
    ReportError,
    ReportVersionError,
    from_json,
    rule_from_dict,
    rule_to_dict,
    subject_from_dict,
    subject_to_dict,
    to_json,
)
from sample_reports import (
    PATIENT,
    make_mixed_report,
    make_report,
    make_rule,
    make_subject,
    make_unloaded_report,
    reports,
)

GOLDEN = Path(__file__).with_name("golden")


@pytest.mark.parametrize(
    ("name", "report"), [("mixed", make_mixed_report()), ("unloaded", make_unloaded_report())]
)
def test_json_is_as_it_was(name, report):
    assert to_json(report) == (GOLDEN / f"{name}.json").read_text(encoding="utf-8")


@PATIENT
@given(reports)
def test_json_and_back(report):
    text = to_json(report)
    assert from_json(text) == report
    assert text.isascii()
    assert text.endswith("}\n")


def test_json_has_the_keys_that_others_rely_on():
    report = json.loads(to_json(make_mixed_report()))
    assert list(report)[:6] == ["format", "version", "subject", "environment", "totals", "rules"]
    assert (report["format"], report["version"]) == ("pytest-wsgi", 1)
    assert {"kind", "spec", "file"} <= set(report["subject"])
    assert {"python", "pytest_wsgi", "packages"} <= set(report["environment"])
    rule = report["rules"][0]
    assert list(rule)[:6] == ["id", "level", "area", "party", "requirements", "verdict"]
    assert list(rule["findings"][0])[:6] == [
        "message",
        "request",
        "expected",
        "observed",
        "file",
        "line",
    ]


def test_json_does_not_depend_on_the_order_of_the_environment():
    packages = {"b": "2", "a": "1"}
    one = make_report(environment={"python": "3.12", "packages": packages})
    other = make_report(environment={"packages": dict(sorted(packages.items())), "python": "3.12"})
    assert to_json(one) == to_json(other)


def test_surrogates_that_make_a_pair_come_back_as_their_character():
    report = make_report(notes=("\ud83d" + "\ude00", "\ud800"))
    assert from_json(to_json(report)).notes == ("\U0001f600", "\ud800")


def test_keys_of_later_versions_are_passed_over_and_defaults_fill_in():
    rule = {
        "id": "a",
        "level": "must",
        "area": "status",
        "party": "application",
        "verdict": "held",
        "colour": "mauve",
    }
    assert rule_from_dict(rule).findings == ()


@pytest.mark.parametrize("text", ["", "{", to_json(make_report())[:-3], "[" * 100_000, "{'a': 1}"])
def test_text_that_is_not_json(text):
    with pytest.raises(InvalidJsonError, match="not JSON, or is cut off: "):
        from_json(text)


@pytest.mark.parametrize("plain", [[], None, 3, {}, {"format": "sarif"}, ["a" * 100]])
def test_json_that_is_no_report(plain):
    with pytest.raises(NotAReportError, match='"format" should be "pytest-wsgi", found ') as error:
        from_json(json.dumps(plain))
    assert len(str(error.value)) < 160


@pytest.mark.parametrize("version", [0, 2, None, "1", True])
def test_version_that_is_not_known(version):
    plain = {**json.loads(to_json(make_report())), "version": version}
    with pytest.raises(ReportVersionError, match="only 1 can be read") as error:
        from_json(json.dumps(plain))
    assert isinstance(error.value, ReportError)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (["subject"], 3, "report.subject should be an object, found 3."),
        (["subject", "kind"], None, "report.subject.kind should be a text, found null."),
        (["subject", "line"], "x", 'report.subject.line should be an integer, found "x".'),
        (["subject", "facts", "DEBUG"], 1, "report.subject.facts.DEBUG should be a text, found 1."),
        (["subject", "problem"], {"id": "x"}, "report.subject.problem.message is missing."),
        (["environment"], [], "report.environment should be an object, found []."),
        (["environment", "python"], 3, "report.environment.python should be a text, found 3."),
        (["rules"], {}, "report.rules should be a list, found {}."),
        (["rules", 0, "inherited"], 1, "report.rules[0].inherited should be true or false, found"),
        (
            ["rules", 0, "verdict"],
            "fine",
            (
                "report.rules[0].verdict should be held or broken or not exercised or known or "
                'blocked or harness error, found "fine".'
            ),
        ),
        (["rules", 0, "findings", 0, "line"], True, "findings[0].line should be an integer"),
    ],
)
def test_part_that_is_of_a_wrong_type(path, value, message):
    plain = json.loads(to_json(make_mixed_report()))
    part = plain
    for step in path[:-1]:
        part = part[step]
    part[path[-1]] = value
    with pytest.raises(NotAReportError) as error:
        from_json(json.dumps(plain))
    assert message in str(error.value)


def test_part_that_is_missing():
    plain = rule_to_dict(make_rule())
    del plain["verdict"]
    with pytest.raises(NotAReportError, match=r"^rule\.verdict is missing\.$"):
        rule_from_dict(plain)


def test_rules_and_subjects_cross_between_processes():
    for rule in make_mixed_report().rules:
        assert rule_from_dict(execnet.loads(execnet.dumps(rule_to_dict(rule)))) == rule
    for subject in (make_subject(), make_unloaded_report().subject):
        plain = execnet.loads(execnet.dumps(subject_to_dict(subject)))
        assert subject_from_dict(plain) == subject
