from __future__ import annotations

import pytest

from controls import load_controls
from kills import judge_application
from mutants import load_mutants
from pytest_wsgi.catalogue import CATALOGUE, Level
from pytest_wsgi.rules import load_rules

load_rules()
SECOND_OPINION = {name for name, rule in CATALOGUE.items() if rule.under_validator}


@pytest.mark.parametrize("mutant", load_mutants().values(), ids=lambda mutant: mutant.name)
def test_mutant_is_killed_by_its_rule_and_by_no_other(mutant):
    verdicts = judge_application(mutant.make())
    broken = {name for name, verdict in verdicts.items() if verdict.outcome == "broken"}
    assert mutant.rule in broken
    if not CATALOGUE[mutant.rule].under_validator:
        broken -= SECOND_OPINION
    assert broken - {mutant.rule} == set(mutant.also)
    assert [v for v in verdicts.values() if v.outcome == "harness error"] == []


@pytest.mark.parametrize("control", load_controls().values(), ids=lambda control: control.name)
def test_control_is_not_accused(control):
    verdicts = judge_application(control.make())
    broken = {name for name, verdict in verdicts.items() if verdict.outcome == "broken"}
    assert broken == set(control.notes)
    assert {CATALOGUE[name].level for name in control.notes} <= {Level.CONVENTION}


def test_every_rule_over_exchanges_has_a_mutant():
    mended = {mutant.rule for mutant in load_mutants().values()}
    assert {name for name, rule in CATALOGUE.items() if rule.area != "config"} == mended
