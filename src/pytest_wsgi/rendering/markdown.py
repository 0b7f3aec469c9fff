"""Renders a report as Markdown (CommonMark, tables as on GitHub), such as for a CI summary.

Whatever comes from the target stands in a code span or a code block that it cannot end; all other
text is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pytest_wsgi.rendering import (
    LEVELS,
    SUBJECTS,
    count,
    group_by_reason,
    name_finding_place,
    name_others,
    printable,
    printable_lines,
    say_difference,
    sort_by_level,
)
from pytest_wsgi.report.values import COUNTED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_wsgi.report.values import FindingReport, Report, RuleReport

MOST_FINDINGS = 20
"""How many findings of one rule are shown."""

MOST_FILES = 20
"""How many files are shown of which lines were not reached."""

_SPECIAL = re.compile(r"[\\`*_{}\[\]<>#|~&@$]|:(?=//)|(?<=www)\.", re.IGNORECASE)
_BACKTICKS = re.compile("`+")
_ADDRESS = re.compile(r"https://[\w./#~:-]+", re.ASCII)


def render_markdown(report: Report) -> str:
    """Return the report as a Markdown text that ends with a newline."""
    broken = sort_by_level(rule for rule in report.rules if rule.verdict == "broken")
    lines = [
        f"# WSGI conformance of {quote(report.subject.spec or report.subject.kind)}",
        "",
        f"**{escape(report.sentence.strip())}**",
        "",
        *render_totals(report),
        *section("Broken", (line for rule in broken for line in render_rule(rule))),
        *section("Harness errors", render_harness_errors(report)),
        *section("Not exercised", render_skipped(report, "not exercised")),
        *section("Blocked", render_skipped(report, "blocked")),
        *section("Ignored", render_ignored(report)),
        *section("Requirements of the PEP", render_ledger(report)),
        *section("Reach", render_reach(report)),
        *section("Subject", render_subject(report)),
        *section("Environment", render_environment(report)),
        *section("Notes", (f"- {escape(note)}" for note in report.notes)),
    ]
    return "\n".join(lines).rstrip("\n") + "\n"


def section(title: str, lines: Iterable[str]) -> list[str]:
    """Return a section under its heading; nothing where there are no lines."""
    content = "\n".join(lines).rstrip("\n")
    return [f"## {title}", "", content, ""] if content else []


def render_totals(report: Report) -> list[str]:
    """Return the table of levels and verdicts."""
    rows = [f"| | {' | '.join(COUNTED)} |", f"|---|{'---:|' * len(COUNTED)}"]
    for level in LEVELS:
        counts = map(str, report.totals[level].values())
        rows.append(f"| {level.upper()} | {' | '.join(counts)} |")
    return [*rows, ""]


def render_rule(rule: RuleReport) -> list[str]:
    """Return a broken rule with its findings."""
    shown = rule.findings[:MOST_FINDINGS]
    hidden = len(rule.findings) - len(shown)
    return [
        f"### {escape(rule.level.upper())} {quote(rule.id)}",
        "",
        " ".join(filter(None, (escape(rule.sentence), cite(rule)))),
        "",
        *([f"Why: {escape(rule.why)}", ""] if rule.why else []),
        *([f"It weighs less than its requirement: {escape(rule.eased)}", ""] if rule.eased else []),
        *([f"The PEP is ambiguous here. {escape(rule.ambiguity)}", ""] if rule.ambiguity else []),
        *(line for finding in shown for line in render_finding(finding)),
        *([f"- and {count(hidden, 'more finding')}", ""] if hidden else [""]),
        *render_traceback(rule),
    ]


def cite(rule: RuleReport) -> str:
    """Return the section of the requirement in brackets, as a link where its address is plain."""
    if not rule.section:
        return ""
    name = escape(rule.section)
    return f"([{name}]({rule.link}))" if _ADDRESS.fullmatch(rule.link) else f"({name})"


def render_finding(finding: FindingReport) -> list[str]:
    """Return a finding as an item of a list, its details indented."""
    place = ", ".join(filter(None, (name_finding_place(finding), finding.layer)))
    details = [
        *map(quote, filter(None, (finding.event, say_difference(finding)))),
        *(quote(line) for line in printable_lines(finding.message) if line),
        *([escape(name_others(finding))] if finding.also else []),
        *([f"at {quote(place)}"] if place else []),
    ]
    head = quote(finding.request) if finding.request else "finding"
    return [f"- {head}", *(f"  - {detail}" for detail in details)]


def render_traceback(rule: RuleReport) -> list[str]:
    """Return the application's own traceback of the first finding that has one."""
    text = next((finding.traceback for finding in rule.findings if finding.traceback), "")
    return [*fence(text), ""] if text else []


def render_harness_errors(report: Report) -> list[str]:
    """Return the rules that ended in an error of the harness."""
    return [f"- {quote(rule.id)}: {escape(rule.reason)}" for rule in report.harness_errors]


def render_skipped(report: Report, verdict: str) -> list[str]:
    """Return the rules that have this verdict, by reason."""
    groups = group_by_reason(rule for rule in report.rules if rule.verdict == verdict)
    return [
        f"- {escape(reason)}: {', '.join(quote(rule.id) for rule in rules)}"
        for reason, rules in groups
    ]


def render_ignored(report: Report) -> list[str]:
    """Return the rules that were left out on purpose, each with its reason."""
    return [
        f"- {quote(name)}" + (f": {escape(reason)}" if reason else "")
        for name, reason in report.ignored.items()
    ]


def render_ledger(report: Report) -> list[str]:
    """Return the table of what was exercised of all that the PEP asks of the subject's kind."""
    if report.subject.kind not in SUBJECTS:
        return []
    ledger = report.ledger
    names = ("exercised", "checkable", "total")
    rows = ((level.upper(), *(str(ledger[level][name]) for name in names)) for level in LEVELS)
    return [
        f"| | {' | '.join(names)} |",
        f"|---|{'---:|' * len(names)}",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]


def render_reach(report: Report) -> list[str]:
    """Return how much of the user's own code was reached, and the files of which most was not."""
    if report.reach is None:
        return []
    missed = [file for file in report.reach.files if file.reached < file.lines]
    worst = sorted(missed, key=lambda file: file.reached - file.lines)
    hidden = len(worst) - MOST_FILES
    head = ["", "| file | reached | missing lines |", "|---|---:|---|"] if worst else []
    return [
        f"{escape(report.reach.text)}.",
        *head,
        *(
            f"| {escape(file.file)} | {file.reached} of {file.lines} | {escape(file.missing)} |"
            for file in worst[:MOST_FILES]
        ),
        *(["", f"and {count(hidden, 'more file')} with missing lines"] if hidden > 0 else []),
    ]


def render_subject(report: Report) -> list[str]:
    """Return what was judged and what should be known of it; why it did not load."""
    subject = report.subject
    known = {
        subject.kind: subject.spec,
        "asked for by": subject.origin,
        "object": subject.object,
        "file": subject.place,
        **subject.facts,
    }
    lines = [f"- {escape(name)}: {quote(fact)}" for name, fact in known.items() if fact]
    if subject.problem is not None:
        lines += ["", f"It did not load ({quote(subject.problem.id)}):", ""]
        lines += fence(subject.problem.message)
    return lines


def render_environment(report: Report) -> list[str]:
    """Return what the run ran with, packages last."""
    environment = sorted(report.environment.items())
    packages = [
        f"{escape(name)} {quote(version)}"
        for _, value in environment
        if isinstance(value, Mapping)
        for name, version in sorted(value.items())
    ]
    return [
        *(
            f"- {escape(name)}: {quote(text)}"
            for name, text in environment
            if isinstance(text, str)
        ),
        *([f"- packages: {', '.join(packages)}"] if packages else []),
    ]


def escape(text: str) -> str:
    """Return text in one line in which nothing is Markdown, HTML, a link or a mention.

    What only counts at the beginning of a line, such as `1.` or `-`, is left: no text begins one.
    """
    return _SPECIAL.sub(r"\\\g<0>", printable(text))


def quote(text: str) -> str:
    """Return text in one line as a code span, with more backticks around than in it."""
    inner = printable(text)
    if not inner.strip(" "):
        return '`""`' if not inner else f'`"{inner}"`'
    mark = "`" * (longest_run(inner) + 1)
    pad = " " if {inner[0], inner[-1]} & {"`", " "} else ""
    return f"{mark}{pad}{inner}{pad}{mark}"


def fence(text: str) -> list[str]:
    """Return the lines of a code block with a longer fence than there is in the text."""
    lines = printable_lines(text)
    mark = "`" * max(3, longest_run(text) + 1)
    return [f"{mark}text", *lines, mark]


def longest_run(text: str) -> int:
    """Return the length of the longest run of backticks."""
    return max(map(len, _BACKTICKS.findall(text)), default=0)
