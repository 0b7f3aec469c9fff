"""What a run judges: which rules a target is judged by, and the subjects that these are over."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_wsgi.catalogue import Party
from pytest_wsgi.exchange import Conversation, Exchange, Loading
from pytest_wsgi.judge import judge
from pytest_wsgi.sandwich import Sandwich

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pytest_wsgi.catalogue import AnyRule, Finding
    from pytest_wsgi.judge import Subject, Verdict

LOADS = "application-loads"
"""The rule over the Loading; every other one is over exchanges."""

SERVED = "requests-are-served"
"""The rule that is broken where no request shows a page: then no other one says much."""

LAYERS = "wrapping-layers-keep-pep-3333"
"""The rule over the layers of a wrapped application, each of which is judged as a middleware."""

OF_THE_WHOLE = frozenset({LOADS, SERVED, LAYERS})
"""Rules that say nothing of one further path: it may be an error page or a redirect by design."""


def choose_for(rules: Mapping[str, AnyRule], kind: str) -> dict[str, AnyRule]:
    """Return those of the rules that a target of a kind is judged by, by their ids."""
    return {name: rule for name, rule in rules.items() if is_for(rule, kind)}


def is_for(rule: AnyRule, kind: str) -> bool:
    """Tell whether a target of a kind, "application" or "middleware", is judged by a rule.

    A middleware is no application of its own: it has no configuration, and may refuse any request.
    """
    if rule.only:
        return rule.only == kind
    if kind == "middleware":
        return rule.id == LOADS or (rule.subject is not Loading and rule.id != SERVED)
    return rule.binds is Party.APPLICATION and rule.subject is not Sandwich


def needs_launches(rule: AnyRule) -> bool:
    """Tell whether a rule is over what fresh processes told."""
    return rule.subject is Loading and rule.id not in {LOADS, LAYERS}


def list_subjects(
    conversations: Iterable[Conversation], sandwiches: Iterable[Sandwich] = ()
) -> list[Subject]:
    """Return what rules judge: exchanges, conversations, and one of all bare exchanges.

    That one leaves out the exchanges behind which another script than the page was played, as the
    sandwiches tell: answers at one URL are compared.
    """
    conversations = tuple(conversations)
    others = {id(one.outer) for one in sandwiches if one.script != "page"}
    exchanges = [exchange for talk in conversations for exchange in talk.exchanges]
    bare = tuple(
        exchange
        for exchange in exchanges
        if not exchange.under_validator and id(exchange) not in others
    )
    whole = Conversation(probe="battery", exchanges=bare, baseline=bare[0] if bare else None)
    return [*exchanges, *conversations, whole]


def list_behind(sandwiches: Iterable[Sandwich]) -> list[Subject]:
    """Return what rules judge of a middleware beside its outer exchanges.

    That are the inner exchanges, by which it is judged as a server, those of one probe together,
    and the sandwiches.
    """
    sandwiches = tuple(sandwiches)
    by_probe: dict[tuple[str, bool], list[Exchange]] = {}
    for sandwich in sandwiches:
        key = sandwich.probe, sandwich.outer.under_validator
        by_probe.setdefault(key, []).extend(sandwich.inner)
    talks = [
        Conversation(probe=probe, exchanges=tuple(exchanges))
        for (probe, _), exchanges in by_probe.items()
        if exchanges
    ]
    exchanges = [exchange for talk in talks for exchange in talk.exchanges]
    return [*exchanges, *talks, *sandwiches]


def drop_passed_on(verdict: Verdict, sandwiches: Iterable[Sandwich]) -> Verdict:
    """Return a verdict without what a middleware only passed on.

    Where the application behind breaks the rule too, in an exchange of the same sandwich, that is
    what was seen outside: the application behind may do so.
    """
    rule = verdict.rule
    if not verdict.findings or rule.subject is not Exchange or rule.binds is not Party.APPLICATION:
        return verdict
    behind = {id(sandwich.outer): sandwich.inner for sandwich in sandwiches}
    findings = tuple(
        finding for finding in verdict.findings if not is_passed_on(rule, finding, behind)
    )
    return replace(verdict, findings=findings, outcome="broken" if findings else "held")


def is_passed_on(rule: AnyRule, finding: Finding, behind: Mapping[int, Sequence[Exchange]]) -> bool:
    """Tell whether an inner exchange behind that of a finding breaks the rule as well."""
    # As an application: what matters here is what the callee did.
    inner = [
        replace(exchange, boundary="application")
        for exchange in behind.get(id(finding.exchange), ())
    ]
    return any(verdict.outcome == "broken" for verdict in judge([rule], inner))
