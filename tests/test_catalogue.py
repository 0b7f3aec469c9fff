from __future__ import annotations

import re
from itertools import pairwise

import pytest

from pytest_wsgi import catalogue
from pytest_wsgi.catalogue import (
    CATALOGUE,
    Finding,
    Level,
    Party,
    begin_sentence,
    rule,
    weigh,
)
from pytest_wsgi.exchange import Conversation, Exchange, Loading
from pytest_wsgi.requirements import load_requirements
from pytest_wsgi.rules import load_rules
from pytest_wsgi.sandwich import Sandwich

load_rules()
RULES = pytest.mark.parametrize("entry", CATALOGUE.values(), ids=CATALOGUE)


@RULES
def test_rule_says_what_it_is(entry):
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", entry.id)
    assert re.fullmatch(r"\S[^\n]+\.", entry.sentence)
    assert entry.why.endswith(".")
    assert entry.subject in {Exchange, Conversation, Loading, Sandwich}
    assert isinstance(entry.binds, Party)


@RULES
def test_rule_checks_requirements_that_exist(entry):
    assert entry.checks
    assert [requirement.id for requirement in entry.requirements] == list(entry.checks)
    assert entry.area == entry.requirements[0].area


@RULES
def test_rule_weighs_as_its_requirement_unless_it_is_eased(entry):
    first = entry.requirements[0]
    expected = Level.CONVENTION if entry.eased else weigh(first, entry.ambiguity)
    assert entry.level is expected


def test_no_id_begins_with_another():
    # pytest's --deselect takes the beginning of an id.
    ids = sorted(CATALOGUE)
    beginnings = {one for one, two in pairwise(ids) if two.startswith(one)}
    assert beginnings == {"start-response-is-called"}  # it was named before this was known


def test_there_are_many_rules():
    assert len(CATALOGUE) >= 60


@pytest.mark.parametrize(
    ("name", "level"),
    [
        (next(r.id for r in load_requirements().values() if test(r)), level)
        for test, level in (
            (lambda r: r.basis == "inherited" and r.level == "MUST", Level.SHOULD),
            (lambda r: r.basis != "inherited" and r.level == "MUST", Level.MUST),
            (lambda r: r.basis != "inherited" and r.level == "SHOULD", Level.SHOULD),
            (lambda r: r.level == "CONVENTION", Level.CONVENTION),
        )
    ],
)
def test_requirements_have_a_weight(name, level):
    assert weigh(load_requirements()[name]) is level


def test_rule_is_entered_with_what_its_docstring_says(monkeypatch):
    monkeypatch.setattr(catalogue, "CATALOGUE", {})

    def all_is_well(exchange):
        yield Finding(expected="well", observed=exchange)

    all_is_well.__doc__ = "All is\n  well.\n\n  Why: otherwise\n  all is lost.\n  "
    name = next(iter(load_requirements()))
    more = {"binds": Party.SERVER, "when": bool}
    assert rule(Exchange, checks=name, **more)(all_is_well) is all_is_well
    entered = catalogue.CATALOGUE["all-is-well"]
    assert (entered.sentence, entered.why) == ("All is well.", "Otherwise all is lost.")
    assert (entered.checks, entered.eased, entered.check) == ((name,), "", all_is_well)
    assert list(entered.check(5)) == [Finding(expected="well", observed=5)]
    rule(Exchange, checks=(name, name), eased="for this", **more)(lambda _exchange: iter(()))
    assert catalogue.CATALOGUE["<lambda>"].level is Level.CONVENTION
    assert catalogue.CATALOGUE["<lambda>"].sentence == ""


def test_a_sentence_begins_with_a_capital_unless_it_begins_with_code():
    assert begin_sentence("servers differ") == "Servers differ"
    assert begin_sentence("os._exit(), SystemExit") == "os._exit(), SystemExit"
