"""The published JSON Schema holds for every report, and says what each key is."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from hostile_reports import FEW, make_hostile_report
from pytest_wsgi.exchange import Problem
from pytest_wsgi.report import (
    Change,
    Excerpt,
    FileReach,
    FindingReport,
    Proof,
    Reach,
    Report,
    RuleReport,
    Standing,
    Stimulus,
    Subject,
    TimelineEvent,
    to_json,
)
from pytest_wsgi.report.merging import to_json_set
from pytest_wsgi.report.published import load_schema
from sample_reports import (
    make_mixed_report,
    make_report,
    make_unloaded_report,
    reports,
)

SCHEMA = load_schema()
VALIDATOR = Draft202012Validator(SCHEMA)
GOLDEN = Path(__file__).with_name("golden")


def with_levels(report):
    """Return the report with levels that there are; what was read may have any."""
    rules = tuple(
        replace(rule, level=rule.level if rule.level in ("must", "should") else "convention")
        for rule in report.rules
    )
    return replace(report, rules=rules)


def list_objects(schema):
    """Yield every part of a schema that describes the keys of an object."""
    if isinstance(schema, dict):
        if "properties" in schema and "type" in schema:
            yield schema
        for part in schema.values():
            yield from list_objects(part)


def test_the_schema_is_a_schema():
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_the_schema_comes_with_the_package():
    assert files("pytest_wsgi.report").joinpath("schema.json").is_file()


def test_every_key_is_described():
    described = [
        (key, part.get("description", ""))
        for schema in list_objects(SCHEMA)
        for key, part in schema["properties"].items()
    ]
    assert len(described) > 50
    assert [key for key, text in described if not text.endswith(".")] == []


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("subject", Subject),
        ("problem", Problem),
        ("rule", RuleReport),
        ("finding", FindingReport),
        ("excerpt", Excerpt),
        ("timeline_event", TimelineEvent),
        ("stimulus", Stimulus),
        ("proof", Proof),
        ("standing", Standing),
        ("reach", Reach),
        ("file_reach", FileReach),
        ("change", Change),
    ],
)
def test_every_field_has_its_key(name, kind):
    assert list(SCHEMA["$defs"][name]["properties"]) == [field.name for field in fields(kind)]


def test_every_key_of_a_report_is_there():
    written = json.loads(to_json(make_mixed_report()))
    assert list(SCHEMA["$defs"]["report"]["properties"]) == list(written)
    assert {field.name for field in fields(Report)} <= set(written)
    for name in ("totals", "ledger"):
        rows = written[name]
        inner = SCHEMA["$defs"][{"totals": "verdicts", "ledger": "ledger_row"}[name]]
        assert list(rows["must"]) == list(inner["properties"])


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.json")), ids=lambda path: path.stem)
def test_reports_that_are_kept(path):
    VALIDATOR.validate(json.loads(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("level", ["must", "convention"])
def test_a_hostile_report(level):
    VALIDATOR.validate(json.loads(to_json(make_hostile_report(level))))


@FEW
@given(reports.map(with_levels))
def test_any_report(report):
    VALIDATOR.validate(json.loads(to_json(report)))


@FEW
@given(st.lists(reports.map(with_levels), min_size=2, max_size=2))
def test_any_set(some):
    VALIDATOR.validate(json.loads(to_json_set(some)))


def test_an_empty_set():
    VALIDATOR.validate(json.loads(to_json_set([])))


def test_keys_of_later_versions_are_allowed():
    VALIDATOR.validate({**json.loads(to_json(make_report())), "colour": "mauve"})


@pytest.mark.parametrize(
    "spoiled",
    [
        {"format": "sarif"},
        {"version": 2},
        {"subject": None},
        {"rules": [{"id": "a"}]},
        {"exchanges": "many"},
        {"environment": {"python": 3}},
    ],
)
def test_what_is_no_report_is_not_valid(spoiled):
    plain = {**json.loads(to_json(make_unloaded_report())), **spoiled}
    assert not VALIDATOR.is_valid(plain)


def test_a_set_must_hold_reports():
    assert not VALIDATOR.is_valid({"format": "pytest-wsgi-set", "version": 1})
    assert not VALIDATOR.is_valid({"format": "pytest-wsgi-set", "version": 1, "reports": [{}]})
