"""What the HTML page tells of rules and of requirements, as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_wsgi.catalogue import begin_sentence, weigh
from pytest_wsgi.ledger import find_excuse
from pytest_wsgi.rendering import SUBJECTS, name_finding_place, name_others, printable_lines
from pytest_wsgi.rendering.html_overview import list_areas
from pytest_wsgi.rendering.html_timeline import draw_arrows, name_lanes
from pytest_wsgi.rendering.places import is_address
from pytest_wsgi.rendering.reproduction import (
    choose_silencers,
    describe_limits,
    write_curl,
    write_pytest,
    write_script,
)
from pytest_wsgi.report.verdicts import WORST_FIRST, cite
from pytest_wsgi.requirements import load_requirements

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pytest_wsgi.rendering.html_timeline import Arrow
    from pytest_wsgi.report.values import FindingReport, Report, RuleReport, Subject
    from pytest_wsgi.requirements import Requirement

MOST_FINDINGS = 10
"""How many findings of one rule are shown."""

_OWN = "harness"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceLine:
    """A line of an excerpt; `is_hit` marks the one that counts."""

    number: int
    text: str
    is_hit: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingView:
    """A finding with what follows from it: its place, the source, its timeline."""

    finding: FindingReport
    place: str
    others: str
    message: tuple[str, ...]
    traceback: str
    source: tuple[SourceLine, ...]
    lanes: tuple[str, ...]
    arrows: tuple[Arrow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleView:
    """A broken or known rule with all that helps to understand and to mend it."""

    rule: RuleReport
    anchor: str
    link: str
    says: tuple[str, ...]
    authority: str
    findings: tuple[FindingView, ...]
    hidden: int
    commands: Mapping[str, str]
    limits: tuple[str, ...]
    fixes: Mapping[str, str]
    silencers: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The rules of one area, each with the place where it is told, if it is."""

    area: str
    anchor: str
    rules: tuple[tuple[RuleReport, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementRow:
    """A requirement of the ledger with what came of it, and why where nothing did."""

    id: str
    level: str
    text: str
    section: str
    link: str
    verdict: str
    note: str


def view_rule(rule: RuleReport, subject: Subject, anchor: str) -> RuleView:
    """Return what is shown of a broken or known rule."""
    shown = rule.findings[:MOST_FINDINGS]
    stimuli = (finding.stimulus for finding in shown)
    stimulus = next((found for found in stimuli if found is not None), None)
    commands = {
        "With pytest": write_pytest(rule, subject),
        "With curl, against a server with it": write_curl(stimulus) if stimulus else "",
        "Without this package, where pytest runs": (
            write_script(stimulus, subject) if stimulus else ""
        ),
    }
    return RuleView(
        rule=rule,
        anchor=anchor,
        link=rule.link if is_address(rule.link) else "",
        says=tuple(list_requirements(rule)),
        authority=rule.section.partition(",")[0].partition(" section")[0] or "The rule",
        findings=tuple(view_finding(finding, subject) for finding in shown),
        hidden=len(rule.findings) - len(shown),
        commands={name: text for name, text in commands.items() if text},
        limits=tuple(describe_limits(stimulus, subject)),
        fixes={place: begin_sentence(text) for place, text in rule.fixes.items()},
        silencers=choose_silencers(rule, subject),
    )


def list_requirements(rule: RuleReport) -> Iterator[str]:
    """Yield what the requirements say, in our words; the rule's sentence where none is known."""
    known = load_requirements()
    found = [known[name].requirement for name in rule.requirements if name in known]
    yield from found or [rule.sentence]


def view_finding(finding: FindingReport, subject: Subject) -> FindingView:
    """Return what is shown of a finding."""
    excerpt, lanes = finding.excerpt, name_lanes(finding, subject)
    lines = list(enumerate(excerpt.lines, excerpt.first)) if excerpt else []
    while lines and not lines[0][1].strip():
        lines.pop(0)
    return FindingView(
        finding=finding,
        place=name_finding_place(finding),
        others=name_others(finding),
        message=tuple(line for line in printable_lines(finding.message) if line),
        traceback="\n".join(printable_lines(finding.traceback)) if finding.traceback else "",
        source=tuple(
            SourceLine(number=number, text=text, is_hit=number == finding.line)
            for number, text in lines
        ),
        lanes=lanes,
        arrows=draw_arrows(finding.timeline, lanes),
    )


def group_by_area(
    report: Report, link: Callable[[str], str], anchors: Mapping[str, str]
) -> tuple[Group, ...]:
    """Return all rules of a report by their areas."""
    return tuple(
        Group(
            area=area,
            anchor=link(area),
            rules=tuple(
                (rule, anchors.get(rule.id, "")) for rule in report.rules if rule.area == area
            ),
        )
        for area in list_areas(report.rules)
    )


def list_ledger(report: Report) -> tuple[RequirementRow, ...]:
    """Return every requirement that binds a subject of this kind, with what came of it."""
    if report.subject.kind not in SUBJECTS:
        return ()
    by_requirement: dict[str, list[RuleReport]] = {}
    for rule in report.rules:
        for name in rule.requirements:
            by_requirement.setdefault(name, []).append(rule)
    return tuple(
        make_row(row, by_requirement.get(row.id, []), report.subject.kind)
        for row in load_requirements().values()
        if report.subject.kind in row.actor and row.basis != _OWN
    )


def make_row(row: Requirement, rules: list[RuleReport], kind: str) -> RequirementRow:
    """Return a requirement with the worst verdict of its rules, and why it has none."""
    section, link = cite(next(iter(row.section), ""))
    verdict, note = "not exercised", find_excuse(row, kind) or "no rule about it was judged"
    if rules:
        worst = min(rules, key=lambda rule: WORST_FIRST.index(rule.verdict))
        verdict, note = worst.verdict, worst.reason
    return RequirementRow(
        id=row.id,
        level=weigh(row).value,
        text=row.requirement,
        section=section,
        link=link if is_address(link) else "",
        verdict=verdict,
        note=note,
    )
