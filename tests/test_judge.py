from __future__ import annotations

import dataclasses

import pytest
from hypothesis import HealthCheck, given, settings

from exchanges import conversations, exchanges, loadings
from pytest_wsgi.catalogue import CATALOGUE, Finding, Level, Party, Rule
from pytest_wsgi.exchange import Conversation, Exchange, Loading
from pytest_wsgi.judge import judge, list_exercised
from pytest_wsgi.rules import load_rules
from pytest_wsgi.showing import show

load_rules()
LAWS = settings(
    deadline=None,
    derandomize=True,
    max_examples=100,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def make_rule(check, *, when=bool, subject=Exchange, under_validator=False):
    return Rule(
        id="a-rule",
        sentence="A rule.",
        why="Because.",
        subject=subject,
        checks=("app-callable",),
        binds=Party.APPLICATION,
        level=Level.MUST,
        inherited=False,
        area="app",
        eased="",
        ambiguity="",
        reading="",
        under_validator=under_validator,
        when=when,
        check=check,
    )


def make_exchange(**more):
    return Exchange(
        probe="get", request="GET /", method="GET", environ={}, environ_after={}, **more
    )


LOADING = Loading(spec="app", label="", origin="the command line")


def accuse(_subject):
    yield Finding(expected="this", observed="that")


def acquit(_subject):
    yield from ()


def crash(_subject):
    yield Finding(expected="this", observed="that")
    raise ZeroDivisionError("our own fault")


def judge_one(rule, *subjects):
    (verdict,) = judge([rule], subjects)
    return verdict


def test_rule_without_findings_is_held():
    verdict = judge_one(make_rule(acquit), make_exchange(), make_exchange())
    assert (verdict.outcome, verdict.exercised, verdict.findings) == ("held", 2, ())


def test_rule_with_a_finding_is_broken_and_the_finding_is_placed():
    exchange = make_exchange()
    verdict = judge_one(make_rule(accuse), exchange)
    assert (verdict.outcome, verdict.exercised) == ("broken", 1)
    assert verdict.findings == (Finding(expected="this", observed="that", exchange=exchange),)


def test_rule_over_a_conversation_places_its_findings_itself():
    first, second = make_exchange(number=1), make_exchange(number=2)
    conversation = Conversation(probe="get", exchanges=(first, second))

    def accuse_first(subject):
        yield Finding(expected="this", observed="that", exchange=subject.exchanges[0])
        yield Finding(expected="this", observed="that")

    verdict = judge_one(make_rule(accuse_first, subject=Conversation), conversation)
    assert [finding.exchange for finding in verdict.findings] == [first, None]


@pytest.mark.parametrize("subjects", [(), (make_exchange(),), (LOADING,)])
def test_rule_whose_precondition_never_holds_is_not_exercised(subjects):
    verdict = judge_one(make_rule(accuse, when=lambda _exchange: None), *subjects)
    assert (verdict.outcome, verdict.exercised, verdict.findings) == ("not exercised", 0, ())


@pytest.mark.parametrize("rule", [make_rule(crash), make_rule(acquit, when=lambda _subject: 1 / 0)])
def test_rule_that_crashes_says_nothing_of_the_target(rule):
    verdict = judge_one(rule, make_exchange())
    assert verdict.outcome == "harness error"
    assert verdict.reason.startswith("ZeroDivisionError: ")
    assert verdict.findings == ()


def test_crash_of_one_rule_leaves_the_others_alone():
    outcomes = [v.outcome for v in judge([make_rule(crash), make_rule(accuse)], [make_exchange()])]
    assert outcomes == ["harness error", "broken"]


def test_each_rule_gets_the_subjects_that_it_is_for():
    bare, validated = make_exchange(), make_exchange(under_validator=True)
    talks = [
        Conversation(probe="get", exchanges=(bare,)),
        Conversation(probe="get", exchanges=(bare, validated)),
    ]
    seen = []

    def see(subject):
        seen.append(subject)
        yield from ()

    for subject, under_validator, expected in (
        (Exchange, False, bare),
        (Exchange, True, validated),
        (Conversation, False, talks[0]),
        (Conversation, True, talks[1]),
        (Loading, False, LOADING),
    ):
        seen.clear()
        rule = make_rule(see, subject=subject, under_validator=under_validator)
        judge_one(rule, bare, validated, *talks, LOADING)
        assert len(seen) == 1
        assert seen[0] is expected


def check_rules(subject):
    """Give a subject to every rule of its type, whether under the validator or not."""
    rules = [
        dataclasses.replace(rule, under_validator=under_validator)
        for rule in CATALOGUE.values()
        if rule.subject is type(subject)
        for under_validator in (False, True)
    ]
    for verdict in judge(rules, [subject]):
        assert verdict.outcome != "harness error", (verdict.rule.id, verdict.reason)
        for finding in verdict.findings:
            assert show(finding.observed)
            assert finding.expected or finding.message


@LAWS
@given(exchanges())
def test_no_rule_raises_whatever_an_exchange_holds(exchange):
    check_rules(exchange)


@LAWS
@given(conversations())
def test_no_rule_raises_whatever_a_conversation_holds(conversation):
    check_rules(conversation)


@LAWS
@given(loadings)
def test_no_rule_raises_whatever_a_loading_holds(loading):
    check_rules(loading)


def test_what_a_rule_is_exercised_over():
    def refuse(_exchange):
        raise ValueError

    one, other = make_exchange(number=1), make_exchange(number=2)
    second = dataclasses.replace(
        make_rule(list, when=lambda exchange: exchange.number == 2), id="second"
    )
    never = dataclasses.replace(make_rule(list, when=lambda _exchange: False), id="never")
    failing = dataclasses.replace(make_rule(list, when=refuse), id="failing")
    every = make_rule(list)
    found = list_exercised([every, second, never, failing], [one, other, LOADING])
    assert found == {"a-rule": [one, other], "second": [other]}
