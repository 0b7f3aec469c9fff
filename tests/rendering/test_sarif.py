from __future__ import annotations

import json
import os
import re
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft4Validator, Draft202012Validator

from hostile_reports import FEW, make_hostile_report
from pytest_wsgi.rendering.sarif import render_sarif
from pytest_wsgi.report.fingerprints import name_findings
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

HERE = Path(__file__).parent
SUBSET = Draft202012Validator(
    json.loads((HERE / "schemas" / "sarif.json").read_text(encoding="utf-8")),
    format_checker=Draft202012Validator.FORMAT_CHECKER,
)
PUBLISHED = os.environ.get("PYTEST_WSGI_SARIF_SCHEMA", "")
VALIDATORS = [SUBSET]
if PUBLISHED:
    VALIDATORS.append(
        Draft4Validator(
            json.loads(Path(PUBLISHED).read_text(encoding="utf-8")),
            format_checker=Draft4Validator.FORMAT_CHECKER,
        )
    )


def render(*some):
    """Return the log for reports, which is valid."""
    text = render_sarif(some)
    assert text.isascii()
    assert text.endswith("}\n")
    log = json.loads(text)
    for validator in VALIDATORS:
        validator.validate(log)
    return log


def render_run(*some):
    (run,) = render(*some)["runs"]
    return run


@pytest.mark.parametrize(
    ("name", "report"),
    [("mixed", make_mixed_report()), ("unloaded", make_unloaded_report())],
)
def test_sarif_is_as_it_was(name, report):
    golden = (HERE / "golden" / f"{name}.sarif").read_text(encoding="utf-8")
    assert render_sarif([report]) == golden


def test_levels_of_rules_and_results():
    rules = [make_rule(id=level, level=level) for level in ("must", "should", "convention", "odd")]
    run = render_run(make_report(*rules))
    expected = ["error", "warning", "note", "note"]
    assert [result["level"] for result in run["results"]] == expected
    described = run["tool"]["driver"]["rules"]
    assert [rule["defaultConfiguration"]["level"] for rule in described] == expected


def test_a_result_names_its_rule_and_place():
    run = render_run(make_report(*make_rules("held", 2), make_rule()))
    (result,) = run["results"]
    assert (result["ruleId"], result["ruleIndex"]) == ("status-is-native-string", 2)
    location = result["locations"][0]
    assert location["physicalLocation"] == {
        "artifactLocation": {"uri": "mysite/wsgi.py", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 12},
    }
    assert location["logicalLocations"] == [{"fullyQualifiedName": "mysite.wsgi.application"}]


def test_a_finding_without_a_file_is_shown_at_the_subject():
    finding = make_finding(file=None, line=None)
    (result,) = render_run(make_report(make_rule(findings=(finding,))))["results"]
    assert result["locations"][0]["physicalLocation"]["region"] == {"startLine": 16}


def test_a_finding_of_which_no_file_is_known():
    finding = make_finding(file=None, line=None)
    subject = make_subject(file=None, line=None)
    (result,) = render_run(make_report(make_rule(findings=(finding,)), subject=subject))["results"]
    assert "physicalLocation" not in result["locations"][0]


def test_a_name_of_a_file_is_an_address():
    name = "a b/c:d%2F#é?.py"
    finding = make_finding(file=name)
    (result,) = render_run(make_report(make_rule(findings=(finding,))))["results"]
    uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == "a%20b/c%3Ad%252F%23%C3%A9%3F.py"
    assert unquote(uri) == name


def test_fingerprints_do_not_depend_on_lines():
    some = [
        render_run(make_report(make_rule(findings=(make_finding(line=line),)))) for line in (1, 9)
    ]
    first, second = (run["results"][0] for run in some)
    assert first["partialFingerprints"] == second["partialFingerprints"]
    (named,) = name_findings(make_report(make_rule()))
    assert first["partialFingerprints"]["pytestWsgiFinding/v1"] == named.fingerprint


def test_what_the_baseline_knows_is_suppressed():
    known = make_rule(
        id="known", verdict="known", reason="an old framework", findings=(make_finding(),)
    )
    first, second = render_run(make_report(known, make_rule()))["results"]
    assert (first["baselineState"], second["baselineState"]) == ("unchanged", "new")
    assert first["suppressions"] == [{"kind": "external", "justification": "an old framework"}]
    assert second["suppressions"] == []
    (alone,) = render_run(make_report(make_rule()))["results"]
    assert "baselineState" not in alone


def test_how_the_run_went():
    good = render_run(make_report(*make_rules("held", 1)))["invocations"][0]
    assert good == {"executionSuccessful": True, "toolExecutionNotifications": []}
    error = make_rule(verdict="harness error", reason="ValueError: oops")
    failed = render_run(make_report(*make_rules("held", 1), error))["invocations"][0]
    assert not failed["executionSuccessful"]
    assert [each["message"]["text"] for each in failed["toolExecutionNotifications"]] == [
        "status-is-native-string: ValueError: oops"
    ]
    unloaded = render_run(make_unloaded_report())["invocations"][0]
    assert [each["message"]["text"] for each in unloaded["toolExecutionNotifications"]] == [
        "Nothing was proven: the application did not load.",
        r"module-not-found: No module 'mysite.wsgy'.\nTry: pytest --wsgi-app x",
    ]


def test_several_reports_are_runs_of_their_own():
    log = render(make_mixed_report(), make_mixed_report(), make_unloaded_report())
    names = [run["automationDetails"]["id"] for run in log["runs"]]
    assert len(set(names)) == 3
    assert names[1] == "pytest-wsgi/mysite.wsgi.application #2/"


def test_no_reports():
    assert render()["runs"] == []


def test_an_environment_without_our_version():
    for environment in ({}, {"pytest_wsgi": ""}, {"pytest_wsgi": {"a": "1"}}):
        assert "version" not in render_run(make_report(environment=environment))["tool"]["driver"]


def test_two_rules_of_one_name():
    run = render_run(make_report(make_rule(), make_rule(verdict="held")))
    assert len(run["tool"]["driver"]["rules"]) == 1
    assert run["results"][0]["ruleIndex"] == 0


def list_texts(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for part in value.values() if isinstance(value, dict) else value:
            yield from list_texts(part)


def test_a_hostile_report():
    log = render(make_hostile_report())
    for text in list_texts(log):
        assert all(line.isprintable() for line in text.split("\n")), text
    for rule in log["runs"][0]["tool"]["driver"]["rules"]:
        assert "helpUri" not in rule
        markdown = rule["help"]["markdown"]
        *prose, code = markdown.split("\n\n")
        assert code.startswith("More: ````pytest --wsgi-explain ")
        plain = [re.sub(r"\\[!-/:-@\[-`{-~]", "", text) for text in prose]
        assert not any(re.search(r"[<>\[\]`|]", text) for text in plain)


@FEW
@given(st.lists(reports, max_size=2))
def test_any_report_is_valid(some):
    render(*some)


def test_what_is_not_allowed_is_found():
    log = render(make_mixed_report())
    log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] = 0
    assert not any(validator.is_valid(log) for validator in VALIDATORS)
