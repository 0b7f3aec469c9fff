"""Makes reports of what the judge says: findings as texts, those that say the same as one.

Whatever of a target becomes part of a report comes through `report_verdict` or `report_subject`,
which take secrets out. Reports of one rule from several items are merged here. Nothing here judges
anew.
"""

from __future__ import annotations

import os
from dataclasses import replace
from functools import lru_cache
from pathlib import PurePath
from typing import TYPE_CHECKING

from pytest_wsgi.ambiguities import load_ambiguities
from pytest_wsgi.exchange import Raised, StartResponse
from pytest_wsgi.report.events import cut, describe_event, describe_value, name_kind, printable
from pytest_wsgi.report.evidence import (
    find_passage,
    keep_stimulus,
    keep_timeline,
    read_excerpt,
)
from pytest_wsgi.report.redaction import forget_marks
from pytest_wsgi.report.values import FindingReport, RuleReport, Subject
from pytest_wsgi.showing import show_name, show_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pytest_wsgi.catalogue import AnyRule, Finding
    from pytest_wsgi.exchange import Event, Loading, Value
    from pytest_wsgi.judge import Outcome, Verdict
    from pytest_wsgi.report.redaction import Redactor

KEPT_LINES = 40
"""How many lines of a traceback or message are kept."""

LONGEST_LINE = 500
"""How many characters a line of a traceback, a message or what was observed has at most."""

WORST_FIRST: tuple[Outcome, ...] = (
    "harness error",
    "broken",
    "known",
    "held",
    "not exercised",
    "blocked",
)
"""Which verdict wins where several items judged one rule."""

PEP = "https://peps.python.org/pep-3333/"
_PAIR = 2
_LIBRARIES = frozenset({"site-packages", "dist-packages"})


def report_verdict(verdict: Verdict, root: str, redactor: Redactor) -> RuleReport:
    """Return what came of one rule, without the secrets that `redactor` knows.

    Files below the directory `root` are named relative to it.
    """
    rule = verdict.rule
    findings = (redactor.record(report_finding(one, root)) for one in verdict.findings)
    section, link = cite(next((s for r in rule.requirements for s in r.section), ""))
    return RuleReport(
        id=rule.id,
        level=rule.level.value,
        area=rule.area,
        party=rule.binds.value,
        requirements=rule.checks,
        section=section,
        link=link,
        sentence=rule.sentence,
        why=rule.why,
        verdict=verdict.outcome,
        reason=tell_reason(verdict, redactor),
        exercised=verdict.exercised,
        inherited=rule.inherited,
        eased=rule.eased,
        ambiguity=describe_reading(rule),
        findings=group_findings(findings),
    )


def tell_reason(verdict: Verdict, redactor: Redactor) -> str:
    """Return why a rule has its outcome; only those of harness errors are not our own words."""
    reason = printable(verdict.reason)
    return redactor.text(reason) if verdict.outcome == "harness error" else reason


def describe_reading(rule: AnyRule) -> str:
    """Return how an ambiguous point is read, where the rule stands on one."""
    if not rule.ambiguity:
        return ""
    point = load_ambiguities()[rule.ambiguity]
    return f"{point.question} Read as {rule.reading}: {point.readings[rule.reading].says}"


def report_subject(loading: Loading, redactor: Redactor) -> Subject:
    """Return the subject of a report: how the target was asked for, found and loaded.

    What is told of it has none of the secrets that `redactor` knows.
    """
    problem = loading.problem
    if problem is not None:
        problem = replace(problem, message=clean_lines(problem.message))
    subject = Subject(
        kind=loading.kind,
        spec=printable(loading.spec),
        label=printable(loading.label),
        origin=printable(loading.origin),
        file=None if loading.file is None else printable(loading.file),
        line=loading.line,
        object=printable(loading.object_type),
        facts={printable(name): printable(fact) for name, fact in loading.facts.items()},
        problem=problem,
    )
    return redactor.record(subject)


def merge_rules(rules: Iterable[RuleReport]) -> tuple[RuleReport, ...]:
    """Return one report for every rule id, in the order in which the ids come first.

    The worst verdict wins, with its reason; findings are put together and grouped anew, and
    `exercised` is summed.
    """
    by_id: dict[str, list[RuleReport]] = {}
    for rule in rules:
        by_id.setdefault(rule.id, []).append(rule)
    return tuple(merge_rule(reports) for reports in by_id.values())


def merge_rule(reports: list[RuleReport]) -> RuleReport:
    """Return the one report for several of the same rule."""
    worst = min(reports, key=lambda report: WORST_FIRST.index(report.verdict))
    reasons = (report.reason for report in reports if report.verdict == worst.verdict)
    return replace(
        worst,
        reason=next(filter(None, reasons), ""),
        exercised=sum(report.exercised for report in reports),
        findings=group_findings(finding for report in reports for finding in report.findings),
    )


def group_findings(findings: Iterable[FindingReport]) -> tuple[FindingReport, ...]:
    """Return the first of the findings that say the same, with the requests of the others.

    Texts that were observed must be the same, but for what is hidden in them; of other values only
    the types.
    """
    groups: dict[tuple[str, ...], list[FindingReport]] = {}
    for finding in findings:
        kind = finding.observed_type
        seen = forget_marks(finding.observed) if kind == "str" else ""
        groups.setdefault((finding.expected, kind, seen, finding.message), []).append(finding)
    return tuple(join_findings(group) for group in groups.values())


def join_findings(group: list[FindingReport]) -> FindingReport:
    """Return the first finding of a group, which stands for all."""
    first = group[0]
    requests = (name for finding in group for name in (finding.request, *finding.also))
    also = dict.fromkeys(name for name in requests if name and name != first.request)
    return replace(first, also=tuple(also))


def report_finding(finding: Finding, root: str) -> FindingReport:
    """Return a finding as texts."""
    exchange, event, observed = finding.exchange, finding.at, finding.observed
    file, line = find_place(event, root)
    passage = finding.passage or (find_passage(exchange, event) if exchange else None)
    return FindingReport(
        message=clean_lines(finding.message),
        request=printable(exchange.request) if exchange else "",
        probe=exchange.probe if exchange else "",
        expected=printable(finding.expected),
        observed=describe_observed(observed, event),
        observed_type="str" if isinstance(observed, str) else name_kind(observed),
        event=describe_event(event) if event else "",
        file=file,
        line=line,
        traceback=write_traceback(event) if isinstance(event, Raised) else "",
        layer=printable(finding.layer),
        excerpt=read_excerpt(getattr(event, "origin", None)) if file else None,
        timeline=keep_timeline(passage) if passage else (),
        stimulus=keep_stimulus(exchange) if exchange else None,
        lanes=tuple(map(printable, passage.lanes)) if passage else (),
    )


def describe_observed(observed: object, event: Event | None) -> str:
    """Return what was observed as a text.

    A str that the event holds is a value of the target's and written as Python does it, so that a
    space at its end can be seen; what is part of a header is shown as `showing` shows it. Any other
    str is in the rule's own words.
    """
    if isinstance(event, StartResponse) and observed != event.status:
        for name, value in list_pairs(event):
            if observed == name:
                return printable(show_name(name))
            if observed == value and isinstance(observed, str):
                return printable(show_value(name, value))
    elif isinstance(event, StartResponse):
        return describe_value(observed)
    if isinstance(observed, str):
        return cut(printable(observed), LONGEST_LINE)
    return describe_value(observed)


def list_pairs(call: StartResponse) -> Iterator[tuple[Value, Value]]:
    """Yield the name and value of every header that has both, whatever they are."""
    yield from call.fields
    for item in call.malformed:
        if isinstance(item, tuple) and len(item) == _PAIR:
            yield item[0], item[1]


def find_place(event: Event | None, root: str) -> tuple[str | None, int | None]:
    """Return file and line that caused an event where they are the target's own, else None."""
    origin = getattr(event, "origin", None)
    file = find_below(origin[0], root) if origin else None
    return (file, origin[1]) if origin and file else (None, None)


@lru_cache(maxsize=1024)
def find_below(file: str, root: str) -> str | None:
    """Return the path from `root` to a source file, with `/`; None where it is not below.

    Installed libraries are none of the target's own files, even in an environment below `root`.
    """
    if not file or file.startswith("<"):  # `<string>`, `<frozen ...>`: code without a file
        return None
    path = PurePath(os.path.abspath(file))  # noqa: PTH100 # Path.resolve() would follow links
    for base in (os.path.abspath(root), os.path.realpath(root)):  # noqa: PTH100 # as above
        if path.is_relative_to(base):
            below = path.relative_to(base)
            return None if _LIBRARIES.intersection(below.parts) else printable(below.as_posix())
    return None


def write_traceback(error: Raised) -> str:
    """Return the application's own traceback, as Python writes it; the innermost lines, if long."""
    message = f"{error.type_name}: {error.message}" if error.message else error.type_name
    head = ["Traceback (most recent call last):"] if error.traceback else []
    lines = clean_lines(error.traceback, most=None).splitlines()
    tail = clean_lines(message).splitlines()
    room = max(KEPT_LINES - len(head) - len(tail), 1)
    if len(lines) > room:
        lines = [f"  ... {len(lines) - room + 1} lines more", *lines[len(lines) - room + 1 :]]
    return "\n".join([*head, *lines, *tail])


def clean_lines(text: str, most: int | None = KEPT_LINES) -> str:
    """Return a text of several lines with every line printable and cut, at most `most` of them."""
    lines = [cut(printable(line), LONGEST_LINE) for line in text.rstrip().split("\n")]
    return "\n".join(lines if most is None or len(lines) <= most else [*lines[: most - 1], "..."])


def cite(section: str) -> tuple[str, str]:
    """Return the name of a section of the PEP or of an RFC, and its address."""
    name, mark, anchor = section.partition(" #")
    if mark:
        return name, f"{PEP}#{anchor}"
    name, mark, address = section.partition(" https://")
    return name, f"https://{address}" if mark else ""
