"""The checks of the proof find what is wrong with a program. The programs: test_kills.py."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from pytest_wsgi import proof
from pytest_wsgi.catalogue import CATALOGUE
from pytest_wsgi.matter import LAYERS
from pytest_wsgi.proof import check_control, check_mutant, check_twin, judge_any, load_programs
from pytest_wsgi.rules import load_rules

load_rules()
PROGRAMS = load_programs()
STATUS = "status-is-native-string"
MUTANT = PROGRAMS.mutants["status_in_bytes"]
TWIN = PROGRAMS.twins[STATUS]
CONTROL = next(iter(PROGRAMS.controls.values()))
REPEATED = "repeated-headers-stay-apart"
AROUND = PROGRAMS.mutants["headers_through_a_dict"]
TWIN_AROUND = PROGRAMS.twins[REPEATED]
CONTROL_AROUND = next(c for c in PROGRAMS.controls.values() if c.around)


def test_a_mutant_that_another_rule_catches_is_no_proof():
    wrong = replace(MUTANT, rule="write-is-avoided")
    assert check_mutant(wrong) == [
        "status_in_bytes survives write-is-avoided",
        f"status_in_bytes is caught by {STATUS}, which it does not break",
    ]


def test_a_mutant_that_does_not_break_what_it_says_is_no_proof():
    wrong = replace(MUTANT, also={"write-is-avoided": "it is said to"})
    assert check_mutant(wrong) == ["status_in_bytes does not break write-is-avoided"]


def test_a_twin_must_hold_its_rule():
    found = check_twin(replace(TWIN, make=MUTANT.make))
    assert found[0] == f"{TWIN.name} leaves {STATUS} broken"
    assert f"{TWIN.name} is accused by {STATUS}" in found
    rule = "status-401-has-a-challenge"
    assert check_twin(replace(TWIN, rule=rule)) == [f"{TWIN.name} leaves {rule} not exercised"]


def test_a_control_may_be_noted_for_conventions_only():
    wrong = replace(CONTROL, make=MUTANT.make, notes={STATUS: "no reason is good enough"})
    assert f"{CONTROL.name} is noted for {STATUS}, which is no convention" in check_control(wrong)
    wrong = replace(CONTROL, notes={"write-is-avoided": "it does not"})
    assert check_control(wrong) == [f"{CONTROL.name} is not noted for write-is-avoided"]


def test_a_middleware_proves_as_an_application_does():
    assert check_mutant(replace(AROUND, rule="reason-phrase-is-handed-on")) == [
        "headers_through_a_dict survives reason-phrase-is-handed-on",
        f"headers_through_a_dict is caught by {REPEATED}, which it does not break",
    ]
    assert check_twin(replace(TWIN_AROUND, make=AROUND.make)) == [
        f"{TWIN_AROUND.name} leaves {REPEATED} broken",
        f"{TWIN_AROUND.name} is accused by {REPEATED}",
    ]
    assert check_control(replace(CONTROL_AROUND, make=AROUND.make, notes={})) == [
        f"{CONTROL_AROUND.name} is accused by {REPEATED}"
    ]


def test_a_layer_is_named_with_its_place_among_the_programs():
    verdict = judge_any(PROGRAMS.mutants["layer_loses_close"])[LAYERS]
    said = re.compile(r".* is broken by .*\.Timed, mutants/layers\.py:\d+, at .*")
    assert verdict.findings
    assert all(said.fullmatch(finding.message) for finding in verdict.findings)


def test_a_rule_that_fails_by_itself_is_no_proof(monkeypatch):
    def fail(_exchange):
        raise ValueError("our fault")

    rule = "headers-are-a-list"
    monkeypatch.setitem(CATALOGUE, rule, replace(CATALOGUE[rule], check=fail))
    assert check_control(CONTROL) == [f"{rule} fails over {CONTROL.name}: ValueError: our fault"]


@pytest.mark.parametrize("is_installed", [True, False])
def test_programs_are_beside_the_package_or_in_the_checkout(tmp_path, monkeypatch, is_installed):
    module = tmp_path / "src/pytest_wsgi/proof.py"
    beside = tmp_path / "src/pytest_wsgi_proof"
    if is_installed:
        beside.mkdir(parents=True)
    monkeypatch.setattr(proof, "__file__", str(module))
    assert proof.find_programs() == (beside if is_installed else tmp_path / "fixtures")


@pytest.mark.parametrize("rule", [STATUS, REPEATED, "import-starts-no-threads"])
def test_every_rule_has_a_pair_of_programs(rule):
    bad, good = PROGRAMS.find_pair(rule)
    assert (bad.rule, good.rule, good.mutant) == (rule, rule, bad.name)
