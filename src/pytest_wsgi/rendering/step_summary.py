"""Renders reports for the summary of a step on GitHub and appends them to its file.

A file above 1 MiB is thrown away there as a whole, so the text is cut, between two of its lines.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_wsgi.rendering.files import NotWrittenError
from pytest_wsgi.rendering.markdown import render_markdown

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from pytest_wsgi.report.values import Report

LIMIT = 1024 * 1024
"""How many bytes a step's summary may hold; what is there already counts too."""

VARIABLE = "GITHUB_STEP_SUMMARY"
"""The environment variable that names the file."""

_FENCE = re.compile("`{3,}")
_RESERVE = 1024
"""How many bytes are kept free for the end of a text that is cut."""


def find_summary(environ: Mapping[str, str]) -> Path | None:
    """Return the file that a step's summary is appended to; None where there is none."""
    name = environ.get(VARIABLE, "")
    return Path(name) if name else None


def append_summary(path: str | os.PathLike[str], reports: Sequence[Report]) -> None:
    """Append the reports to the file, as far as there is room; raises NotWrittenError."""
    path = Path(path)
    try:
        size = path.stat().st_size if path.exists() else 0
        text = render_step_summary(reports, LIMIT - size - 1)
        if text:
            with path.open("a", encoding="utf-8", newline="\n") as file:
                file.write(f"\n{text}" if size else text)
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or error
        raise NotWrittenError(
            f"cannot append to the step summary {str(path)!r} that {VARIABLE} names; "
            f"the system said: {said}"
        ) from error


def render_step_summary(reports: Sequence[Report], room: int = LIMIT) -> str:
    """Return the reports as Markdown of less than `room` bytes; empty where none would fit."""
    text = "\n".join(render_markdown(report) for report in reports)
    if len(text.encode()) < room:
        return text
    return cut_markdown(text.splitlines(), room - _RESERVE) if room > 2 * _RESERVE else ""


def cut_markdown(lines: Sequence[str], room: int) -> str:
    """Return the first lines that fit into `room` bytes, and a line that says what is missing.

    A code block that is cut is closed.
    """
    fence, kept = "", []
    for line in lines:
        room -= len(line.encode()) + 1
        if room < 0:
            break
        kept.append(line)
        mark = _FENCE.match(line)
        if mark:
            # Inside of a block no line has a run of backticks as long as its fence.
            fence = "" if line == fence else fence or mark.group()
    end = (
        f"**Cut here: {len(kept)} of {len(lines)} lines are shown, because the summary of a step "
        "holds at most 1 MiB. A file of --wsgi-report holds all of it.**"
    )
    return "\n".join([*kept, *([fence] if fence else []), "", end, ""])
