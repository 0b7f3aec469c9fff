"""Renders the summary at the end of a run: at most twenty lines, whatever the report holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pytest_wsgi.rendering import (
    LEVELS,
    SUBJECTS,
    count,
    cut,
    group_by_reason,
    join_some,
    name_others,
    printable,
    say_difference,
    sort_by_level,
)
from pytest_wsgi.report.values import fails

if TYPE_CHECKING:
    from pytest_wsgi.report.values import Report, RuleReport

MOST_LINES = 20
MOST_FACTS = 6
MOST_REASONS = 3
LONGEST_LINE = 200

_LABEL = 17

Style = Literal["", "green", "red", "yellow", "bold"]


@dataclass(frozen=True, slots=True)
class Line:
    """A line without its newline, and the style to show it in; an empty style is plain."""

    text: str
    style: Style = ""


def render_summary(report: Report) -> list[Line]:
    """Return the summary of one subject, at most MOST_LINES lines; the verdict comes first."""
    head = [Line(report.sentence, choose_style(report)), *render_levels(report)]
    subject = render_subject(report)
    errors = render_harness_errors(report)
    skipped = render_skipped(report)
    room = MOST_LINES - len(head) - len(subject) - len(errors) - len(skipped)
    broken = limit([render_broken(rule) for rule in sort_broken(report)], room)
    notes = limit([label("note", note) for note in report.notes], room - len(broken))
    return [
        Line(cut(printable(line.text), LONGEST_LINE), line.style)
        for line in (*head, *subject, *errors, *broken, *skipped, *notes)
    ]


def choose_style(report: Report) -> Style:
    """Return red for a run that fails, yellow where only a SHOULD is broken, else green."""
    if fails(report, strict=False):
        return "red"
    return "yellow" if fails(report, strict=True) else "green"


def render_levels(report: Report) -> list[Line]:
    """Return one row for each level: held, broken, not exercised, and what else there is.

    Then comes how many of the PEP's requirements were exercised, can be checked, and are there.
    """
    rows = []
    ledger = report.ledger
    for level in LEVELS:
        totals = report.totals[level]
        rest = "".join(
            f"{totals[verdict]:>5} {verdict}" for verdict in ("known", "blocked") if totals[verdict]
        )
        text = (
            f"{totals['held']:>4} held {totals['broken']:>4} broken "
            f"{totals['not exercised']:>4} not exercised{rest}"
        )
        if report.subject.kind in SUBJECTS:
            counts = (f"{number} {name}" for name, number in ledger[level].items())
            text += f"   requirements: {' / '.join(counts)}"
        style: Style = "green" if totals["held"] else ""
        if totals["broken"]:
            style = "red" if level == "must" else "yellow"
        rows.append(label(level.upper(), text, style))
    return rows


def render_subject(report: Report) -> list[Line]:
    """Return what was judged and what should be known of it; why it did not load."""
    subject = report.subject
    facts = {name: fact for name, fact in subject.facts.items() if fact != subject.object}
    names = dict.fromkeys(filter(None, (subject.object, subject.place or subject.spec)))
    lines = [label("subject", ", ".join(names) or subject.kind)]
    if subject.problem is not None:
        headline = subject.problem.message.partition("\n")[0]
        lines.append(label(subject.problem.id, headline, "red"))
    reach = [label("reach", report.reach.text)] if report.reach is not None else []
    room = MOST_FACTS - len(reach)
    return lines + limit([label(name, fact) for name, fact in facts.items()], room) + reach


def render_harness_errors(report: Report) -> list[Line]:
    """Return one line for all harness errors."""
    errors = report.harness_errors
    if not errors:
        return []
    text = f"{join_some([rule.id for rule in errors], 3)}: {errors[0].reason}"
    return [label("harness error", text, "red")]


def render_skipped(report: Report) -> list[Line]:
    """Return which rules were ignored or not exercised, and why, one line a reason."""
    lines: list[Line] = []
    if report.ignored:
        rows = [label("ignored", join_reason(*pair)) for pair in report.ignored.items()]
        lines += limit(rows, MOST_REASONS)
    for verdict in ("not exercised", "blocked"):
        groups = group_by_reason(rule for rule in report.rules if rule.verdict == verdict)
        rows = [label(verdict, f"{reason}: {name_rules(rules)}") for reason, rules in groups]
        lines += limit(rows, MOST_REASONS)
    return lines


def join_reason(name: str, reason: str) -> str:
    """Return an ignored rule with the reason, if one was given."""
    return ": ".join(filter(None, (name, reason)))


def name_rules(rules: list[RuleReport]) -> str:
    """Return the id of a single rule, else how many there are."""
    return rules[0].id if len(rules) == 1 else count(len(rules), "rule")


def sort_broken(report: Report) -> list[RuleReport]:
    """Return the broken rules, the MUSTs first."""
    return sort_by_level(rule for rule in report.rules if rule.verdict == "broken")


def render_broken(rule: RuleReport) -> Line:
    """Return a broken rule in one line, with its first finding."""
    text = rule.id
    if rule.findings:
        first = rule.findings[0]
        said = [say_difference(first) or first.message.partition("\n")[0], first.request]
        others = name_others(first).partition(":")[0]
        text = "  ".join(filter(None, (rule.id, *said, others)))
    return label(f"broken {rule.level.upper()}", text, "red" if rule.level == "must" else "yellow")


def label(name: str, text: str, style: Style = "") -> Line:
    """Return a line that begins with its name, in a column of its own."""
    return Line(f"{name:<{_LABEL}} {text}", style)


def limit(lines: list[Line], most: int) -> list[Line]:
    """Return at most `most` lines; where some are left out, the last says how many."""
    if len(lines) <= most:
        return lines
    left_out = len(lines) - most + 1
    return [*lines[: most - 1], Line(f"{'':<{_LABEL}} and {left_out} more")] if most > 0 else []
