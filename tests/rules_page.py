"""Renders reports/rules.md from the catalogue; run as a script it writes the file.

The text is that of `pytest --wsgi-explain`.
"""

from __future__ import annotations

import multiprocessing
import os
import re
import tempfile
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from pytest_wsgi.ambiguities import READINGS, load_ambiguities
from pytest_wsgi.catalogue import CATALOGUE, Level, Party
from pytest_wsgi.explaining import explain_rule
from pytest_wsgi.ledger import count_requirements, find_excuse
from pytest_wsgi.matter import choose_for
from pytest_wsgi.rendering.explanation import render_chapter
from pytest_wsgi.rendering.markdown import escape
from pytest_wsgi.requirements import load_requirements
from pytest_wsgi.rules import load_rules

FILE = Path(__file__).parents[1] / "reports" / "rules.md"

COMMAND = "PYTHONPATH=tests python -m rules_page"

_HEAD = f"""\
# Rules

Every rule with its requirement, why it matters, a bad and a good example, and how to mend what
breaks it. `pytest --wsgi-explain RULE` prints the same, and how to leave it out. The examples are
programs of the proof (`fixtures/mutants`), and what a run says of them was said by one.

Generated: `{COMMAND}`
"""

_NUMBERS = re.compile(r"\b[0-9]{12,}\b")
"""Numbers of threads in messages, which are others in every run."""

_TEMPORARY = os.path.realpath(tempfile.gettempdir())
"""Where the projects of the examples are, which the page calls as most machines do."""

_FRAMES = re.compile(r" *File \"[^\"]*/lib/python3[^\n]*\n(?:   [^\n]*\n)?")
"""Frames of the standard library in tracebacks, which lie elsewhere on every machine."""

_ON_POINTS = """\
How the PEP is read where it can be read in more than one way; our reading stands in bold.
`--wsgi-reading` chooses another one: rules then weigh as that one says. What they look for stays.
"""

_ON_LEDGER = """\
What the PEP, HTTP and CGI ask of applications and of middleware, and who checks it; what only HTTP
or CGI asks counts as a SHOULD."""

_ACTORS = {
    "application": "### What applications are asked",
    "middleware": "### What middleware is asked",
}
"""The tables of the ledger by whom they are about."""


def render_page() -> str:
    """Return the text of the page."""
    load_rules()
    parts = [_HEAD, render_contents(), *render_chapters(), render_points(), render_ledger()]
    return "\n".join(parts)


def render_contents() -> str:
    """Return the table of all rules."""
    of_applications = choose_for(CATALOGUE, "application")
    rows = []
    for rule in CATALOGUE.values():
        side = "the application behind it" if rule.binds is Party.SERVER else "the server"
        cells = [f"[{rule.id}](#{rule.id})", rule.level.name, rule.area, escape(rule.sentence)]
        cells.append("" if rule.id in of_applications else f"a middleware, towards {side}")
        rows.append(f"| {' | '.join(cells)} |")
    counts = {level: sum(r.level is level for r in CATALOGUE.values()) for level in Level}
    totals = ", ".join(f"{number} {level.name}" for level, number in counts.items())
    others = len(CATALOGUE) - len(of_applications)
    head = [
        f"{len(CATALOGUE)} rules: {totals}. {others} of them judge only middleware.",
        "",
        "| rule | level | area | | judges only |",
        "|---|---|---|---|---|",
    ]
    return "\n".join([*head, *rows]) + "\n"


def render_chapters():
    """Yield the chapter of every rule; many of the examples wait, so they are run side by side."""
    yield "## The rules\n"
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2 * (os.cpu_count() or 1), context, load_rules) as pool:
        yield from pool.map(explain, CATALOGUE)


def explain(name):
    """Return the chapter of one rule."""
    chapter = render_chapter(explain_rule(CATALOGUE[name]))
    chapter = chapter.replace(_TEMPORARY, "/tmp")  # noqa: S108 # a name on the page
    return _FRAMES.sub("", _NUMBERS.sub("...", chapter))


def render_points() -> str:
    """Return the table of the ambiguous points."""
    rules = defaultdict(list)
    for rule in CATALOGUE.values():
        rules[rule.ambiguity].append(f"`{rule.id}`")
    lines = [
        "## Ambiguous points of the PEP\n",
        _ON_POINTS,
        f"| point | question | {' | '.join(READINGS)} | rules |",
        "|---|---|---|---|---|---|",
    ]
    for point in load_ambiguities().values():
        cells = [point.id, escape(point.question)]
        for name, reading in point.readings.items():
            level = f" ({reading.level.upper()})" if reading.level else ""
            said = f"{escape(reading.says)}{level}"
            cells.append(f"**{said}**" if name == point.default else said)
        lines.append(f"| {' | '.join([*cells, ', '.join(rules[point.id])])} |")
    return "\n".join(lines) + "\n"


def render_ledger() -> str:
    """Return what the PEP asks of applications and of middleware."""
    parts = [f"## The ledger\n\n{_ON_LEDGER}\n"]
    parts += [f"{title}\n\n{render_actor(actor)}" for actor, title in _ACTORS.items()]
    return "\n".join(parts)


def render_actor(actor: str) -> str:
    """Return the table of what the PEP asks of an actor, each row checked or excused."""
    rules = defaultdict(list)
    for rule in choose_for(CATALOGUE, actor).values():
        for name in rule.checks:
            rules[name].append(f"`{rule.id}`")
    rows = [row for row in load_requirements().values() if actor in row.actor]
    said = ", ".join(
        f"{count['checkable']} of {count['total']} of level {level.upper()}"
        for level, count in count_requirements(rules, actor).items()
    )
    lines = [
        f"Checked: {said}.\n",
        "| requirement | level | basis | checked by, or why not | |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        checked = ", ".join(rules[row.id]) or escape(find_excuse(row, actor))
        text = escape(row.requirement)
        lines.append(f"| {row.id} | {row.level} | {row.basis} | {checked} | {text} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    FILE.write_text(render_page(), encoding="utf-8")
