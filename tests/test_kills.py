"""Every program of the proof, one by one."""

from __future__ import annotations

import warnings

import pytest

from pytest_wsgi.catalogue import CATALOGUE
from pytest_wsgi.explaining import find_advice, read_fixes
from pytest_wsgi.explanation import PLACES
from pytest_wsgi.proof import check_control, check_mutant, check_twin, load_programs
from pytest_wsgi.rules import load_rules
from pytest_wsgi.selftest import find_unproven

pytestmark = pytest.mark.programs

load_rules()
PROGRAMS = load_programs()
MUTANTS = [*PROGRAMS.mutants.values(), *PROGRAMS.projects.values()]
TWINS = [*PROGRAMS.twins.values(), *PROGRAMS.project_twins.values()]
CONTROLS = [*PROGRAMS.controls.values(), *PROGRAMS.project_controls.values()]


def name_of(program):
    return program.name


@pytest.fixture(autouse=True)
def keep_warnings():
    """Keep what Python warns of in the programs: some leave files open, and must.

    The harness lets a program warn as under a server, hundreds of times. What we do ourselves
    warns with an error, as everywhere.
    """
    with warnings.catch_warnings(record=True) as told:
        yield
    assert {warning.category for warning in told} <= {ResourceWarning}


@pytest.mark.parametrize("mutant", MUTANTS, ids=name_of)
def test_mutant_is_killed_by_its_rule_and_by_no_other(mutant):
    assert check_mutant(mutant) == []


@pytest.mark.parametrize("twin", TWINS, ids=name_of)
def test_mended_twin_holds_its_rule(twin):
    assert check_twin(twin) == []


@pytest.mark.parametrize("control", CONTROLS, ids=name_of)
def test_control_is_not_accused(control):
    assert check_control(control) == []


@pytest.mark.parametrize("twin", TWINS, ids=name_of)
def test_mended_twin_says_how_to_mend_it(twin):
    fixes = read_fixes(find_advice(twin))
    # A middleware is the same around whatever framework.
    assert tuple(fixes) == (PLACES[:1] if twin.around is True else PLACES)
    assert all(text.endswith(".") for text in fixes.values())


def test_every_rule_has_a_mutant_and_a_mended_twin():
    assert list(find_unproven()) == []


def test_every_mutant_and_twin_is_about_a_rule_that_there_is():
    named = {program.rule for program in (*MUTANTS, *TWINS)}
    assert named == set(CATALOGUE)
    assert {name for mutant in MUTANTS for name in mutant.also} <= set(CATALOGUE)
