"""Rules times subjects gives verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from pytest_wsgi.catalogue import Party
from pytest_wsgi.exchange import Conversation, Exchange, Loading
from pytest_wsgi.sandwich import Sandwich

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_wsgi.catalogue import AnyRule, Finding

Subject = Exchange | Conversation | Loading | Sandwich
"""What a rule can be over."""

Outcome = Literal["held", "broken", "not exercised", "known", "blocked", "harness error"]
"""What came of a rule. Not exercised is no pass; a harness error says nothing of the target."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What came of one rule: over how many subjects, with which findings, why if not exercised."""

    rule: AnyRule
    outcome: Outcome
    exercised: int = 0
    findings: tuple[Finding, ...] = ()
    reason: str = ""


_Sorted = Mapping[tuple[type, Party | None, bool], Sequence[Subject]]
"""Subjects by type, by the party that rules over them bind, and by whether that is validated."""


def judge(rules: Iterable[AnyRule], subjects: Iterable[Subject]) -> tuple[Verdict, ...]:
    """Return the verdict of every rule over all the subjects that it is for, in order of the rules.

    A rule that raises gets a harness error, never a verdict on the target.
    """
    sorted_subjects = sort_subjects(subjects)
    return tuple(judge_rule(rule, choose_subjects(rule, sorted_subjects)) for rule in rules)


def sort_subjects(subjects: Iterable[Subject]) -> _Sorted:
    """Return the subjects by what tells which rules are for them."""
    found: dict[tuple[type, Party | None, bool], list[Subject]] = {}
    for subject in subjects:
        key = (type(subject), find_party(subject), is_under_validator(subject))
        found.setdefault(key, []).append(subject)
    return found


def choose_subjects(rule: AnyRule, subjects: _Sorted) -> Sequence[Subject]:
    """Return those of the sorted subjects that a rule is for."""
    return subjects.get((*find_matter(rule), rule.under_validator), ())


def list_exercised(
    rules: Iterable[AnyRule], subjects: Iterable[Subject]
) -> dict[str, list[Subject]]:
    """Return by the id of every rule over which of the subjects it is exercised, if any."""
    sorted_subjects = sort_subjects(subjects)
    found: dict[str, list[Subject]] = {}
    for rule in rules:
        for subject in choose_subjects(rule, sorted_subjects):
            with suppress(Exception):  # then `judge_rule` says that the rule failed
                if rule.when(subject):  # type: ignore[arg-type] # chosen to be of its type
                    found.setdefault(rule.id, []).append(subject)
    return found


def find_party(subject: Subject) -> Party | None:
    """Return whom the rules over an exchange bind by where it was recorded; None for any other.

    Behind a middleware it is the middleware that is the server.
    """
    if isinstance(subject, Conversation):
        return find_party(subject.exchanges[0]) if subject.exchanges else Party.APPLICATION
    if isinstance(subject, Exchange):
        return Party.SERVER if subject.boundary == "inner" else Party.APPLICATION
    return None


def find_matter(rule: AnyRule) -> tuple[type, Party | None]:
    """Return what a rule is over, and whom it binds where that makes a difference."""
    return rule.subject, rule.binds if rule.subject in (Exchange, Conversation) else None


def is_under_validator(subject: Subject) -> bool:
    """Tell whether a subject comes from a run under wsgiref.validate."""
    if isinstance(subject, Conversation):
        return any(exchange.under_validator for exchange in subject.exchanges)
    if isinstance(subject, Sandwich):
        return subject.outer.under_validator
    return isinstance(subject, Exchange) and subject.under_validator


def judge_rule(rule: AnyRule, subjects: Sequence[Subject]) -> Verdict:
    """Return the verdict of one rule over `subjects`, all of the type that it is for."""
    when, check = rule.when, rule.check
    findings: list[Finding] = []
    exercised = 0
    try:
        for subject in subjects:
            if when(subject):  # type: ignore[arg-type] # the caller chose subjects of its type
                exercised += 1
                for finding in check(subject):  # type: ignore[arg-type] # as above
                    findings.append(place(finding, subject))  # noqa: PERF401 # there are none mostly, and a comprehension costs a frame
    except Exception as error:  # noqa: BLE001 # our own fault must not pass for the target's
        return Verdict(
            rule=rule, outcome="harness error", reason=f"{type(error).__name__}: {error}"
        )
    if not exercised:
        return Verdict(rule=rule, outcome="not exercised")
    outcome: Outcome = "broken" if findings else "held"
    return Verdict(rule=rule, outcome=outcome, exercised=exercised, findings=tuple(findings))


def place(finding: Finding, subject: Subject) -> Finding:
    """Return the finding with the exchange that it is about."""
    if finding.exchange is None and isinstance(subject, Exchange):
        return replace(finding, exchange=subject)
    if finding.exchange is None and isinstance(subject, Sandwich):
        return replace(finding, exchange=subject.outer)
    return finding
