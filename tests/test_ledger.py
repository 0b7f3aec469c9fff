from __future__ import annotations

import pytest

from pytest_wsgi.catalogue import CATALOGUE
from pytest_wsgi.ledger import count_requirements, find_excuse
from pytest_wsgi.matter import choose_for
from pytest_wsgi.requirements import load_requirements
from pytest_wsgi.rules import load_rules

load_rules()
ROWS = load_requirements()
CHECKED = {name for rule in choose_for(CATALOGUE, "application").values() for name in rule.checks}
CHECKED_IN_MIDDLEWARE = {
    name for rule in choose_for(CATALOGUE, "middleware").values() for name in rule.checks
}
REASONS = ("permission", "not observable: ", "belongs to ")


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_requirement_is_checked_or_excused_and_never_both(row):
    if "application" in row.actor:
        assert bool(find_excuse(row)) != (row.id in CHECKED)


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_requirement_of_a_middleware_is_checked_or_excused_and_never_both(row):
    if "middleware" in row.actor:
        assert bool(find_excuse(row, "middleware")) != (row.id in CHECKED_IN_MIDDLEWARE)


@pytest.mark.parametrize("actor", ["application", "middleware"])
@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_an_excuse_is_of_a_known_kind(row, actor):
    assert not find_excuse(row, actor) or find_excuse(row, actor).startswith(REASONS)


def test_what_applications_are_asked_is_counted_by_level():
    counts = count_requirements(CHECKED)
    assert sum(count["total"] for count in counts.values()) == 132
    assert all(count["exercised"] == count["checkable"] for count in counts.values())
    assert all(0 < count["checkable"] < count["total"] for count in counts.values())


def test_nothing_is_exercised_by_nothing():
    assert {count["exercised"] for count in count_requirements(()).values()} == {0}
