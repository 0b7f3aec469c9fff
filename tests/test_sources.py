"""What is shown of a program runs by itself, and is as good or as bad as the program."""

from __future__ import annotations

import sys

import pytest

from pytest_wsgi.proof import judge_middleware, judge_program, load_programs
from pytest_wsgi.rules import load_rules
from pytest_wsgi.sources import show_source

load_rules()
PROGRAMS = load_programs()
TWINS = PROGRAMS.twins.values()
MOST_LINES = 45
MOST_LINES_AROUND = 65
"""A middleware has two faces, and often an iterable of its own."""


ONCE = pytest.mark.skipif(
    sys.version_info[:2] != (3, 11), reason="the source is the same on every Python"
)


def run(program):
    """Run what is shown of a program by itself and return what it makes."""
    space = {"__name__": "shown", "__file__": __file__}
    exec(compile(show_source(program.made), program.name, "exec"), space)
    made = space[program.made.__name__]
    return made() if program.make is program.made else made


def find_outcome(program):
    if program.around:
        return judge_middleware(run(program))[program.rule].outcome
    return judge_program(run(program), rule=program.rule)[program.rule].outcome


@ONCE
@pytest.mark.examples
@pytest.mark.parametrize("twin", TWINS, ids=lambda twin: twin.mutant)
def test_bad_example_breaks_its_rule_by_itself(twin):
    assert find_outcome(PROGRAMS.mutants[twin.mutant]) == "broken"


@ONCE
@pytest.mark.examples
@pytest.mark.parametrize("twin", TWINS, ids=lambda twin: twin.name)
def test_good_example_holds_its_rule_by_itself(twin):
    assert find_outcome(twin) == "held"


@pytest.mark.parametrize("twin", TWINS, ids=lambda twin: twin.name)
def test_examples_are_short_and_without_what_serves_the_proof(twin):
    for made in (twin.made, PROGRAMS.mutants[twin.mutant].made):
        shown = show_source(made)
        assert len(shown.splitlines()) <= (MOST_LINES_AROUND if twin.around else MOST_LINES)
        assert "@breaks" not in shown
        assert "@mends" not in shown
        assert "Django:" not in shown
        assert "from ." not in shown


def test_what_a_program_needs_of_its_module_is_shown_too():
    shown = show_source(PROGRAMS.mutants["status_of_a_subclass"].made)
    assert "class Text(str):" in shown
    assert shown.count("\n\n\ndef ") >= 1
    assert "import http" not in shown
