"""Renders comparisons of two runs, as Markdown and as plain text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_wsgi.rendering import (
    count,
    name_finding_place,
    printable,
    say_difference,
)
from pytest_wsgi.rendering.markdown import escape, quote
from pytest_wsgi.report.comparison import ABSENT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pytest_wsgi.report.comparison import Comparison, Shift
    from pytest_wsgi.report.fingerprints import Named

_TITLES = {
    "new": "Newly broken",
    "fixed": "Fixed",
    "still": "Still broken",
    "lost": "No longer exercised",
    "gained": "Newly exercised",
}


def render_changes_markdown(comparisons: Sequence[Comparison]) -> str:
    """Return the comparisons as Markdown, with a newline at the end."""
    lines: list[str] = []
    for comparison in comparisons:
        lines += [f"# WSGI conformance of {quote(name_subject(comparison))}: what changed", ""]
        lines += [f"**{escape(sum_up(comparison))}**", ""]
        lines += [f"- {escape(line)}" for line in describe_runs(comparison)]
        lines += [""]
        for title, rows in list_sections(comparison, quote, escape):
            lines += [f"## {title} ({len(rows)})", "", *(f"- {row}" for row in rows), ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def render_changes_text(comparisons: Sequence[Comparison]) -> str:
    """Return the comparisons as plain text for a terminal, with a newline at the end."""
    lines: list[str] = []
    for comparison in comparisons:
        lines += [printable(f"{name_subject(comparison)}: {sum_up(comparison)}")]
        lines += [f"  {line}" for line in describe_runs(comparison)]
        for title, rows in list_sections(comparison, printable, printable):
            lines += [f"{title} ({len(rows)})", *(f"  {row}" for row in rows)]
        lines += [""]
    return "\n".join(lines).rstrip("\n") + "\n"


def name_subject(comparison: Comparison) -> str:
    """Return what was judged, as it was asked for."""
    return comparison.subject.spec or comparison.subject.kind


def sum_up(comparison: Comparison) -> str:
    """Return the counts in one sentence, and what the newer run failed to prove."""
    counts = (
        (len(comparison.new), "newly broken"),
        (len(comparison.fixed), "fixed"),
        (len(comparison.still), "still broken"),
    )
    said = ", ".join(f"{number} {what}" for number, what in counts)
    rules = ", ".join(
        f"{count(len(shifts), 'rule')} {what}"
        for shifts, what in (
            (comparison.lost, "no longer exercised"),
            (comparison.gained, "newly exercised"),
        )
        if shifts
    )
    proof = " The newer run proves nothing anymore." if comparison.lost_proof else ""
    return f"Findings: {said}{f'; {rules}' if rules else ''}.{proof}"


def describe_runs(comparison: Comparison) -> Iterator[str]:
    """Yield the verdicts of both runs, and what they ran with where that differs."""
    for word, report in (("Before", comparison.old_report), ("After", comparison.new_report)):
        yield f"{word}: {printable(report.sentence) if report else 'not judged'}"
    for name, (before, after) in comparison.environment.items():
        yield printable(f"{name}: {before or 'absent'} -> {after or 'absent'}")


def list_sections(
    comparison: Comparison, code: Callable[[str], str], plain: Callable[[str], str]
) -> Iterator[tuple[str, list[str]]]:
    """Yield the title and the rows of every section that has any.

    `code` writes what comes from the target, `plain` all else.
    """
    for name, title in _TITLES.items():
        items = getattr(comparison, name)
        if name in ("lost", "gained"):
            rows = [write_shift(shift, code, plain) for shift in items]
        else:
            rows = [write_finding(named, comparison, code, plain) for named in items]
        if rows:
            yield title, rows


def write_finding(
    named: Named, comparison: Comparison, code: Callable[[str], str], plain: Callable[[str], str]
) -> str:
    """Return a finding in one line: its rule, what was seen, where, and what the rule was before.

    What it was before is only said where the rule did not simply hold or was broken already.
    """
    finding, rule = named.finding, named.rule
    before = comparison.before.get(rule.id, ABSENT)
    seen = say_difference(finding) or finding.message.partition("\n")[0]
    said = "" if before in ("held", "broken", "known") else f"(before: {before})"
    parts = (
        plain(rule.level.upper()),
        code(rule.id),
        "(known)" if rule.verdict == "known" else said,
        *(code(text) for text in (finding.request, seen) if text),
        f"at {code(name_finding_place(finding))}" if finding.file else "",
    )
    return "  ".join(filter(None, parts))


def write_shift(shift: Shift, code: Callable[[str], str], plain: Callable[[str], str]) -> str:
    """Return a rule in one line: its verdicts before and now, and the reason."""
    is_unexplained = shift.after == "not exercised" and not shift.reason
    reason = "what it is about never came up" if is_unexplained else shift.reason
    because = f": {plain(reason)}" if reason else ""
    level = plain(shift.rule.level.upper())
    return f"{level}  {code(shift.rule.id)}  {shift.before} -> {shift.after}{because}"
