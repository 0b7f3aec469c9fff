"""What a person or a tool reads: each module renders a report as one kind of text.

Here is what they share. Rendering is a function of the report alone: nothing here judges, and
only `files` touches the disk. A report may hold any text, so all of it is made printable here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_wsgi.report.events import cut, printable
from pytest_wsgi.report.values import name_place

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_wsgi.report.values import FindingReport, RuleReport

NAMED_REQUESTS = 3
"""How many of the other requests of a finding are named."""

LEVELS = ("must", "should", "convention")
"""The levels, the one that weighs most first."""

SUBJECTS = ("application", "middleware")
"""The kinds of subjects of which the requirements are counted."""

UNNAMED_REASON = "what they are about never came up"
"""Why a rule was not exercised where it says nothing else."""


def say_difference(finding: FindingReport) -> str:
    """Return what was expected and what was observed; empty where the message says it all."""
    if not finding.expected and not finding.observed:
        return ""
    return printable(f"expected {finding.expected}, got {finding.observed}")


def list_layers(rule: RuleReport) -> list[str]:
    """Return the layers that are to blame, each once."""
    return list(dict.fromkeys(filter(None, (finding.layer for finding in rule.findings))))


def name_others(finding: FindingReport) -> str:
    """Return the other requests, as `and 5 more: HEAD /, GET /absent, GET /b, ...`, or empty."""
    if not finding.also:
        return ""
    more = ", ..." if len(finding.also) > NAMED_REQUESTS else ""
    names = ", ".join(finding.also[:NAMED_REQUESTS])
    return printable(f"and {len(finding.also)} more: {names}{more}")


def name_finding_place(finding: FindingReport) -> str:
    """Return file and line of what caused a finding, or an empty text."""
    return printable(name_place(finding.file, finding.line))


def sort_by_level(rules: Iterable[RuleReport]) -> list[RuleReport]:
    """Return the rules with the level that weighs most first, else in their order."""
    return sorted(
        rules, key=lambda rule: LEVELS.index(rule.level) if rule.level in LEVELS else len(LEVELS)
    )


def group_by_reason(rules: Iterable[RuleReport]) -> list[tuple[str, list[RuleReport]]]:
    """Return the reasons of rules that were not exercised with their rules, most rules first."""
    groups: dict[str, list[RuleReport]] = {}
    for rule in rules:
        groups.setdefault(printable(rule.reason) or UNNAMED_REASON, []).append(rule)
    return sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))


def count(number: int, noun: str) -> str:
    """Return a number with its noun, as `1 rule` or `2 rules`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def printable_lines(text: str) -> list[str]:
    """Return the lines of a text, each one printable."""
    return [printable(line) for line in text.split("\n")]


def join_some(texts: Sequence[str], most: int) -> str:
    """Return the first texts joined, and how many more there are."""
    more = f" and {len(texts) - most} more" if len(texts) > most else ""
    return f"{', '.join(texts[:most])}{more}"


__all__ = [
    "LEVELS",
    "NAMED_REQUESTS",
    "UNNAMED_REASON",
    "count",
    "cut",
    "group_by_reason",
    "join_some",
    "name_finding_place",
    "name_others",
    "printable",
    "printable_lines",
    "say_difference",
    "sort_by_level",
]
