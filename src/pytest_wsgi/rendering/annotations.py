"""Renders reports as workflow commands, which GitHub shows beside the changed lines.

The form is `::error file=...,line=...,title=...::text`. GitHub shows at most ten of a kind for one
step, so there are at most eight here, those that weigh most first; the last one counts the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_wsgi.rendering import LEVELS, count, cut, printable
from pytest_wsgi.rendering.places import find_file, say_finding, say_more
from pytest_wsgi.report.fingerprints import name_findings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pytest_wsgi.report.fingerprints import Named
    from pytest_wsgi.report.values import Report

MOST = 8
"""How many annotations there are at most, the one that counts the rest among them."""

LONGEST = 2000
"""How many characters a text has at most."""

KINDS = {"must": "error", "should": "warning", "convention": "notice"}
"""The command by the level of the rule."""

_DATA = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY = {**_DATA, ":": "%3A", ",": "%2C"}


def is_wanted(environ: Mapping[str, str]) -> bool:
    """Tell whether the run is a step of a workflow on GitHub."""
    return environ.get("GITHUB_ACTIONS") == "true"


def render_annotations(reports: Sequence[Report]) -> str:
    """Return the commands, one a line with a newline at its end; empty where all is well."""
    lines = list(list_annotations(reports))
    if len(lines) > MOST:
        rest = count(len(lines) - MOST + 1, "more finding")
        lines = [*lines[: MOST - 1], annotate("notice", f"{rest}: see the report.", "pytest-wsgi")]
    return "".join(f"{line}\n" for line in lines)


def list_annotations(reports: Sequence[Report]) -> Iterator[str]:
    """Yield the commands: what says nothing of the subject, then findings, by their levels."""
    for report in reports:
        yield from annotate_troubles(report)
    broken = [
        (report, named)
        for report in reports
        for named in name_findings(report)
        if named.rule.verdict == "broken"
    ]
    for level in (*LEVELS, None):
        for report, named in broken:
            if named.rule.level == level or (level is None and named.rule.level not in LEVELS):
                yield annotate_finding(report, named)


def annotate_troubles(report: Report) -> Iterator[str]:
    """Yield a command for each error of the harness, and one where nothing was proven."""
    place = (report.subject.file or "", report.subject.line)
    for rule in report.harness_errors:
        title = f"pytest-wsgi ({printable(rule.id)})"
        yield annotate("error", f"harness error: {printable(rule.reason)}", title)
    if not report.is_proven and not report.broken("must"):
        yield annotate("error", printable(report.sentence), "pytest-wsgi", *place)


def annotate_finding(report: Report, named: Named) -> str:
    """Return the command for one finding."""
    kind = KINDS.get(named.rule.level, "notice")
    text = "\n".join([*say_finding(named.rule, named.finding), say_more(named.rule)])
    title = f"pytest-wsgi ({printable(named.rule.id)})"
    return annotate(kind, text, title, *find_file(named.finding, report.subject))


def annotate(kind: str, text: str, title: str, file: str = "", line: int | None = None) -> str:
    """Return one command; what would end it or a part of it is escaped."""
    properties = {"file": printable(file), "line": str(max(line or 1, 1))} if file else {}
    parts = [
        f"{name}={replace_each(value, _PROPERTY)}"
        for name, value in {**properties, "title": title}.items()
    ]
    return f"::{kind} {','.join(parts)}::{replace_each(cut(text, LONGEST), _DATA)}"


def replace_each(text: str, replacements: Mapping[str, str]) -> str:
    """Return the text with each of the characters replaced, at once."""
    return "".join(replacements.get(char, char) for char in text)
