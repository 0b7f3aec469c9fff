"""Renders what pytest shows below a broken rule: what the spec says, what was seen, where, why."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from pytest_wsgi.rendering import (
    count,
    join_some,
    list_layers,
    name_finding_place,
    name_others,
    printable,
    printable_lines,
    say_difference,
)

if TYPE_CHECKING:
    from pytest_wsgi.report.values import FindingReport, RuleReport, Subject

WIDTH = 100
"""How many characters wide sentences are."""

SEEN_WIDTH = 120
"""How many characters a line holds that says what was seen; longer ones are never broken up."""

SHOWN_FINDINGS = 5
SHOWN_PLACES = 3

_LABEL = 6


def render_failure(rule: RuleReport, subject: Subject, *, command: str) -> str:
    """Return what a user reads of a rule that did not hold; `command` runs just this one again.

    There is no newline at the end. A rule with any verdict can be rendered.
    """
    lines = render_head(rule)
    if rule.verdict in ("broken", "known"):
        lines += render_findings(rule, subject)
    else:
        lines += render_paragraph("", ": ".join(filter(None, (rule.verdict, rule.reason))))
    lines += [
        f"{'More':{_LABEL}}pytest --wsgi-explain {printable(rule.id)}",
        f"{'Rerun':{_LABEL}}{printable(command)}",
    ]
    return "\n".join(lines)


def render_findings(rule: RuleReport, subject: Subject) -> list[str]:
    """Return what was seen, why it matters and where it comes from."""
    shown = rule.findings[:SHOWN_FINDINGS]
    lines = [line for finding in shown for line in render_finding(finding)]
    if len(rule.findings) > len(shown):
        lines.append(f"  and {count(len(rule.findings) - len(shown), 'more finding')}")
    lines += render_paragraph("Why", rule.why)
    if rule.eased:
        lines += render_paragraph("Note", f"It weighs less than its requirement: {rule.eased}")
    if rule.ambiguity:
        lines += render_paragraph("Note", f"The PEP is ambiguous here. {rule.ambiguity}")
    lines += render_paragraph("Layer", join_some(list_layers(rule), SHOWN_PLACES))
    lines += render_paragraph("Where", name_places(rule, subject))
    return lines + render_traceback(rule)


def render_head(rule: RuleReport) -> list[str]:
    """Return level and sentence, with the section to the right where there is room."""
    level = printable(rule.level).upper()
    head = textwrap.wrap(
        printable(rule.sentence or rule.id),
        WIDTH,
        initial_indent=f"{level}  ",
        subsequent_indent=" " * (len(level) + 2),
    )
    section = printable(rule.section)
    if len(head) == 1 and len(head[0]) + 2 + len(section) <= WIDTH:
        return [f"{head[0]}{section:>{WIDTH - len(head[0])}}".rstrip()]
    return [*head, *([f"{'':{len(level) + 2}}{section}"] if section else [])]


def render_finding(finding: FindingReport) -> list[str]:
    """Return request, event and what was wrong, in one line where there is room."""
    difference = say_difference(finding)
    parts = [printable(finding.request), printable(finding.event), difference]
    line = "      ".join(part for part in parts if part)
    if len(line) + 2 <= SEEN_WIDTH or not difference:
        lines = [f"  {line}"] if line else []
    else:
        seen = "      ".join(part for part in parts[:2] if part)
        lines = [*([f"  {seen}"] if seen else []), f"      {difference}"]
    lines += [f"      {line}" for line in printable_lines(finding.message) if line]
    others = name_others(finding)
    return [*lines, *([f"  {others}"] if others else [])]


def render_paragraph(label: str, text: str) -> list[str]:
    """Return a labelled paragraph, wrapped; nothing where there is no text."""
    return textwrap.wrap(
        printable(text),
        WIDTH,
        initial_indent=f"{label:{_LABEL}}" if label else "  ",
        subsequent_indent=" " * _LABEL,
        break_long_words=False,
        break_on_hyphens=False,
    )


def name_places(rule: RuleReport, subject: Subject) -> str:
    """Return where the findings come from; where no source is known, where the subject is."""
    places = dict.fromkeys(filter(None, map(name_finding_place, rule.findings)))
    return join_some(list(places), SHOWN_PLACES) or subject.place


def render_traceback(rule: RuleReport) -> list[str]:
    """Return the application's own traceback of the first finding that has one."""
    text = next((finding.traceback for finding in rule.findings if finding.traceback), "")
    return ["", *(f"  {line}" for line in printable_lines(text)), ""] if text else []
