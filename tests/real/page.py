"""Renders reports/frameworks.md from the subjects; run as a script it writes the file."""

from __future__ import annotations

from pathlib import Path

from pytest_wsgi.catalogue import CATALOGUE, Level
from pytest_wsgi.rules import load_rules
from real.djangos import SUBJECTS
from real.subjects import FRAMEWORKS, Broken, Subject

FILE = Path(__file__).parents[2] / "reports" / "frameworks.md"

COMMAND = "PYTHONPATH=tests python -m real.page"

SHOWN = (*FRAMEWORKS, *SUBJECTS)

_HEAD = f"""\
# Known frameworks

What `pytest --wsgi-app ... --wsgi-unsafe` finds in an application of each framework, over `/`, the
further pages named here, and pages that are not there. Every line was verified in the framework's
source or on the wire; `tests/real` holds them against real runs. No MUST is broken.

Generated from `tests/real/subjects.py` and `djangos.py`: `{COMMAND}`

| subject | verified on | further pages | MUST | SHOULD | CONVENTION |
|---|---|---|---|---|---|
"""

_SHOWN_BY = {"": "", "pages": " (a further page)", "unsafe": " (`--wsgi-unsafe`)"}


def render_page() -> str:
    """Return the text of the page."""
    load_rules()
    rows = "".join(map(render_row, SHOWN))
    return _HEAD + rows + "".join(render_reasons(subject) for subject in SHOWN if subject.broken)


def render_row(subject: Subject) -> str:
    """Return the subject's line of the table."""
    counts = [len(pick(subject, level)) for level in Level]
    cells = [subject.name, subject.seen or "-", " ".join(subject.pages), *map(str, counts)]
    return f"| {' | '.join(cells)} |\n"


def render_reasons(subject: Subject) -> str:
    """Return what the subject breaks, each with its reason, in order of weight."""
    lines = [
        f"- {level.name} `{entry.rule}`{_SHOWN_BY[entry.only]}: {entry.why}.\n"
        for level in Level
        for entry in pick(subject, level)
    ]
    return f"\n## {subject.name}\n\n{''.join(lines)}"


def pick(subject: Subject, level: Level) -> list[Broken]:
    """Return what the subject breaks on a level."""
    return [entry for entry in subject.broken if CATALOGUE[entry.rule].level is level]


if __name__ == "__main__":
    FILE.write_text(render_page(), encoding="utf-8")
