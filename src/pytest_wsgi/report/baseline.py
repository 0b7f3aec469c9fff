"""Known findings: a baseline lets only what is new fail a run.

An entry stands for the findings of one rule over one subject that have the same fingerprint. It
counts while it has a reason and has not expired; a finding that is gone makes it stale.
"""

from __future__ import annotations

import datetime as dt  # noqa: TC003 # `entries` are read at run time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_wsgi.report.fingerprints import name_finding
from pytest_wsgi.report.values import EXERCISED, Change, Standing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pytest_wsgi.report.values import FindingReport, Report, RuleReport, Subject

STATES = ("new", "expired", "unexplained", "known", "fixed", "not exercised")
"""What can have come of a finding since the baseline was written, the worst first."""

FAILING = ("must", "should")
"""The levels of rules that can fail a run, and so need an entry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A known finding: `rule` is an id, `subject` a SPEC, `finding` a fingerprint.

    `reason` says why it may be; until it is filled in the entry does not count. `shows` reminds a
    person of what was seen. `issue` is an address, or empty.
    """

    rule: str
    subject: str
    finding: str
    reason: str = ""
    shows: str = ""
    first_seen: dt.date | None = None
    expires: dt.date | None = None
    issue: str = ""

    def counts(self, today: dt.date) -> bool:
        """Tell whether the entry makes its finding a known one."""
        return bool(self.reason.strip()) and not self.is_expired(today)

    def is_expired(self, today: dt.date) -> bool:
        """Tell whether the last day on which the entry counted is over."""
        return self.expires is not None and self.expires < today


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """The entries that a run knows, on which day.

    With `takes_all` every finding that can fail the run is known.
    """

    entries: tuple[Entry, ...]
    today: dt.date
    takes_all: bool = False

    def find(self, rule: str, subject: Subject, finding: FindingReport) -> Entry | None:
        """Return the entry of a finding, None where there is none."""
        name = name_finding(rule, subject, finding)
        for entry in self.entries:
            if (entry.rule, entry.subject, entry.finding) == (rule, subject.spec, name):
                return entry
        return None

    def apply(self, rule: RuleReport, subject: Subject) -> RuleReport:
        """Return a broken rule as known, where each of its findings is; else as it is."""
        if rule.verdict != "broken" or not rule.findings:
            return rule
        if self.takes_all and rule.level in FAILING:
            return replace(rule, verdict="known", reason="taken into the baseline")
        entries = [self.find(rule.id, subject, finding) for finding in rule.findings]
        reasons = [entry.reason for entry in entries if entry and entry.counts(self.today)]
        if len(reasons) < len(entries):
            return rule
        return replace(rule, verdict="known", reason="; ".join(dict.fromkeys(reasons)))


def list_missing(baseline: Baseline, report: Report) -> Iterator[Entry]:
    """Yield an entry without a reason for every failing finding that has none yet."""
    seen = set()
    for rule in report.rules:
        if rule.verdict not in ("broken", "known") or rule.level not in FAILING:
            continue
        for finding in rule.findings:
            name = name_finding(rule.id, report.subject, finding)
            if name in seen or baseline.find(rule.id, report.subject, finding):
                continue
            seen.add(name)
            yield Entry(
                rule=rule.id,
                subject=report.subject.spec,
                finding=name,
                shows=f"expected {finding.expected}, got {finding.observed}",
                first_seen=baseline.today,
            )


def list_stale(baseline: Baseline, reports: Iterable[Report]) -> Iterator[Entry]:
    """Yield the entries whose rule was exercised over their subject, and did not find that."""
    judged: dict[tuple[str, str], set[str]] = {}
    for report in reports:
        for rule in report.rules:
            if rule.verdict in EXERCISED:
                found = judged.setdefault((rule.id, report.subject.spec), set())
                found.update(name_finding(rule.id, report.subject, one) for one in rule.findings)
    for entry in baseline.entries:
        if entry.finding not in judged.get((entry.rule, entry.subject), {entry.finding}):
            yield entry


def compare_to_baseline(baseline: Baseline, file: str, report: Report) -> Standing:
    """Return what changed in a subject since its baseline, which is that of `file`, was written."""
    changes = [
        *(make_change("new", entry) for entry in list_missing(baseline, report)),
        *(
            make_change(find_state(entry, baseline, report), entry)
            for entry in baseline.entries
            if entry.subject == report.subject.spec
        ),
    ]
    return Standing(file=file, changes=sort_changes(changes))


def find_state(entry: Entry, baseline: Baseline, report: Report) -> str:
    """Return what came of an entry of the baseline in a run."""
    rules = [rule for rule in report.rules if rule.id == entry.rule and rule.verdict in EXERCISED]
    if not rules:
        return "not exercised"
    findings = (finding for rule in rules for finding in rule.findings)
    if entry.finding not in {name_finding(entry.rule, report.subject, one) for one in findings}:
        return "fixed"
    if entry.is_expired(baseline.today):
        return "expired"
    return "known" if entry.counts(baseline.today) else "unexplained"


def make_change(state: str, entry: Entry) -> Change:
    """Return what came of an entry, as texts that can be shown."""
    return Change(
        state=state,
        rule=entry.rule,
        finding=entry.finding,
        shows=entry.shows,
        reason=entry.reason,
        first_seen=str(entry.first_seen or ""),
        expires=str(entry.expires or ""),
        issue=entry.issue,
    )


def sort_changes(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Return changes with the worst first; those in one state stay in their order."""
    order = {state: number for number, state in enumerate(STATES)}
    return tuple(sorted(changes, key=lambda change: order.get(change.state, len(order))))


def merge_standings(standings: Iterable[Standing | None]) -> Standing | None:
    """Return how the shards of one run stand to their baseline; None where there is none.

    Of each finding counts the worst that came of it in any of them.
    """
    known = [one for one in standings if one is not None]
    if not known:
        return None
    worst: dict[tuple[str, str], Change] = {}
    for change in sort_changes(change for one in known for change in one.changes):
        worst.setdefault((change.rule, change.finding), change)
    return Standing(file=known[0].file, changes=tuple(worst.values()))
