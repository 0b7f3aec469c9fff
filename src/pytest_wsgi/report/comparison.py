"""Compares two runs: what is newly broken, fixed, still broken, or no longer exercised.

Findings are the same where their fingerprints are. A finding counts as fixed only where its rule
was exercised again: what nobody looked at anymore is not mended.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_wsgi.report.fingerprints import name_findings
from pytest_wsgi.report.merging import flatten
from pytest_wsgi.report.values import EXERCISED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_wsgi.report.fingerprints import Named
    from pytest_wsgi.report.values import Report, RuleReport, Subject

ABSENT = "not in the report"
"""What a rule's verdict is called where the report does not have the rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """A rule whose verdict is another one now, with the reason that the newer report gives."""

    rule: RuleReport
    before: str
    after: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What differs between an older and a newer report of one subject.

    One of the two reports is None where only the other run judged the subject. `new`, `fixed` and
    `still` hold findings; `lost` and `gained` hold the rules that are no longer, or newly,
    exercised. `before` gives the older verdicts of the rules by their ids. `environment` tells what
    the runs ran with where it differs, as pairs of the older and the newer version.
    """

    subject: Subject
    old_report: Report | None
    new_report: Report | None
    new: tuple[Named, ...] = ()
    fixed: tuple[Named, ...] = ()
    still: tuple[Named, ...] = ()
    lost: tuple[Shift, ...] = ()
    gained: tuple[Shift, ...] = ()
    before: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def lost_proof(self) -> bool:
        """Tell whether the older run proved something, and the newer one proves nothing."""
        proves = self.new_report is not None and self.new_report.is_proven
        return self.old_report is not None and self.old_report.is_proven and not proves

    @property
    def fails(self) -> bool:
        """Tell whether something is newly broken, or nothing is proven anymore."""
        return bool(self.new) or self.lost_proof


def compare_runs(old: Sequence[Report], new: Sequence[Report]) -> tuple[Comparison, ...]:
    """Return a comparison for every subject of either run, in the order of the newer run."""
    pairs = pair_reports(old, new)
    left = [report for report in old if not any(report is other for other, _ in pairs)]
    return (
        *(compare(before, after, after.subject) for before, after in pairs),
        *(compare(report, None, report.subject) for report in left),
    )


def pair_reports(
    old: Sequence[Report], new: Sequence[Report]
) -> list[tuple[Report | None, Report]]:
    """Return every newer report with the older one that is about the same subject, or None.

    One report and one other are a pair, whatever they are called. Where a subject was judged in
    several environments the same one is preferred, then the order counts.
    """
    if len(old) == len(new) == 1:
        return [(old[0], new[0])]
    found: dict[int, Report] = {}
    left = list(old)
    for exactly in (True, False):
        for index, report in enumerate(new):
            match = None if index in found else find_match(report, left, exactly=exactly)
            if match is not None:
                found[index] = match
                left = [other for other in left if other is not match]
    return [(found.get(index), report) for index, report in enumerate(new)]


def find_match(report: Report, others: Sequence[Report], *, exactly: bool) -> Report | None:
    """Return the first other report of the same subject; `exactly` in the same environment."""
    subject = report.subject
    key = (subject.kind, subject.spec, subject.label)
    for other in others:
        fits = (other.subject.kind, other.subject.spec, other.subject.label) == key
        if fits and (not exactly or other.environment == report.environment):
            return other
    return None


def compare(old: Report | None, new: Report | None, subject: Subject) -> Comparison:
    """Return what differs between two reports; None stands for a run that did not judge it."""
    before = {item.fingerprint: item for item in name_findings(old, subject)} if old else {}
    after = {item.fingerprint: item for item in name_findings(new, subject)} if new else {}
    exercised = {rule.id for rule in list_rules(new) if rule.verdict in EXERCISED}
    return Comparison(
        subject=subject,
        old_report=old,
        new_report=new,
        new=tuple(
            item
            for name, item in after.items()
            if name not in before and item.rule.verdict == "broken"
        ),
        fixed=tuple(
            item for name, item in before.items() if name not in after and item.rule.id in exercised
        ),
        still=tuple(item for name, item in after.items() if name in before),
        lost=find_shifts(old, new, exercised=False),
        gained=find_shifts(old, new, exercised=True),
        before={rule.id: rule.verdict for rule in list_rules(old)},
        environment=compare_environments(old, new),
    )


def list_rules(report: Report | None) -> tuple[RuleReport, ...]:
    """Return the rules of a report; none where there is no report."""
    return report.rules if report else ()


def find_shifts(old: Report | None, new: Report | None, *, exercised: bool) -> tuple[Shift, ...]:
    """Return the rules that are exercised now and were not, or the other way round."""
    rules = {rule.id: rule for rule in (*list_rules(old), *list_rules(new))}
    before = {rule.id: rule.verdict for rule in list_rules(old)}
    after = {rule.id: rule.verdict for rule in list_rules(new)}
    return tuple(
        Shift(
            rule=rule,
            before=before.get(name, ABSENT),
            after=after.get(name, ABSENT),
            reason="" if exercised else find_reason(name, new),
        )
        for name, rule in rules.items()
        if (after.get(name) in EXERCISED) is exercised
        and (before.get(name) in EXERCISED) is not exercised
    )


def find_reason(name: str, report: Report | None) -> str:
    """Return why a report does not exercise a rule, as far as it says so."""
    if report is None:
        return "the subject was not judged"
    if name in report.ignored:
        return f"ignored: {report.ignored[name]}" if report.ignored[name] else "ignored"
    return next((rule.reason for rule in report.rules if rule.id == name), "")


def compare_environments(old: Report | None, new: Report | None) -> dict[str, tuple[str, str]]:
    """Return what the runs ran with, where it differs: the older and the newer version."""
    if old is None or new is None:
        return {}
    before, after = flatten(old.environment), flatten(new.environment)
    return {
        name: (before.get(name, ""), after.get(name, ""))
        for name in sorted({*before, *after})
        if before.get(name, "") != after.get(name, "")
    }
