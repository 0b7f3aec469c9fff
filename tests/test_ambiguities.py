from __future__ import annotations

import re

import pytest

from pytest_wsgi.ambiguities import READINGS, load_ambiguities
from pytest_wsgi.catalogue import CATALOGUE, Level, weigh
from pytest_wsgi.rules import load_rules

load_rules()
POINTS = load_ambiguities()
LEVELS = {level.value for level in Level}


def test_points_are_read_once_and_cannot_be_changed():
    assert load_ambiguities() is POINTS
    with pytest.raises(TypeError):
        POINTS["x"] = None


@pytest.mark.parametrize("point", POINTS.values(), ids=POINTS)
def test_point_is_well_formed(point):
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", point.id)
    assert point.question.endswith("?")
    assert tuple(point.readings) == READINGS
    assert point.default in READINGS
    assert all(reading.says.endswith(".") for reading in point.readings.values())


@pytest.mark.parametrize("point", POINTS.values(), ids=POINTS)
def test_point_weighs_under_every_reading_or_under_none(point):
    levels = {reading.level for reading in point.readings.values()}
    assert levels == {""} or levels <= LEVELS


def test_rules_are_on_points_that_weigh_something():
    named = {rule.ambiguity for rule in CATALOGUE.values() if rule.ambiguity}
    assert len(named) >= 15
    assert all(POINTS[name].find_level() in LEVELS for name in named)


def test_a_rule_on_a_point_weighs_as_it_is_read():
    rule = CATALOGUE["header-values-have-no-tab"]
    (requirement,) = rule.requirements
    assert (rule.level, rule.reading) == (Level.CONVENTION, "de-facto")
    assert weigh(requirement, rule.ambiguity, "pep") is Level.MUST
    assert weigh(requirement, rule.ambiguity, "wsgiref") is Level.MUST
