"""Hands the reports of a run on: to files, and to the CI system that it runs under.

Whatever goes wrong with one of them costs one line, and none of the others.
"""

from __future__ import annotations

import os
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pytest_wsgi.explaining import find_advice, read_fixes
from pytest_wsgi.proof import count_programs, load_programs
from pytest_wsgi.rendering.annotations import is_wanted, render_annotations
from pytest_wsgi.rendering.files import NotWrittenError, write_report
from pytest_wsgi.rendering.step_summary import append_summary, find_summary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pytest_wsgi.rendering.files import ReportFile
    from pytest_wsgi.report import FindingReport, Report, Subject

_Made = TypeVar("_Made")
_Placed = TypeVar("_Placed", "Subject", "FindingReport")

_TOLD = frozenset({"broken", "known"})
"""The verdicts of rules that something is to be mended about."""


_CHECKOUTS = ("GITHUB_WORKSPACE", "CI_PROJECT_DIR")
"""The variables in which GitHub and GitLab name the top of the repository."""


def publish(files: Sequence[ReportFile], reports: Sequence[Report], rootdir: Path) -> list[str]:
    """Write the reports to every file and to a step's summary; return what could not be done.

    `rootdir` is what the files that the reports name are relative to.
    """
    problems: list[str] = []
    if files:
        advised = attempt(lambda: advise(reports), "the advice in the reports", problems) or reports
        placed = place(advised, rootdir)
        for file in files:
            what = f"the report {str(file.path)!r}"
            told = placed if file.format.beside_code else advised
            attempt(partial(write_report, file, told), what, problems)
    summary = find_summary(os.environ)
    if summary is not None:
        attempt(lambda: append_summary(summary, reports), "the step summary", problems)
    return problems


def annotate(reports: Sequence[Report], rootdir: Path) -> tuple[str, list[str]]:
    """Return what GitHub shows beside the changed lines, empty elsewhere, and what went wrong."""
    problems: list[str] = []
    if not is_wanted(os.environ):
        return "", problems
    text = attempt(lambda: render_annotations(place(reports, rootdir)), "the annotations", problems)
    return text or "", problems


def attempt(act: Callable[[], _Made], what: str, problems: list[str]) -> _Made | None:
    """Return what an act makes; None where it fails, of which `problems` gets one line."""
    try:
        return act()
    except NotWrittenError as error:
        problems.append(str(error))
    except Exception as error:  # noqa: BLE001 # one that fails must not cost the others
        said = " ".join(f"{type(error).__name__}: {error}".split())
        problems.append(
            f"cannot make {what}: it ended in {said}. That is a fault of pytest-wsgi, and says "
            "nothing of what was judged"
        )
    return None


def advise(reports: Iterable[Report]) -> list[Report]:
    """Return the reports with how to mend what is broken, and what the rules were proved with."""
    programs = load_programs()
    proof = count_programs()
    return [
        replace(
            report,
            proof=proof,
            rules=tuple(
                replace(rule, fixes=read_fixes(find_advice(programs.find_pair(rule.id)[1])))
                if rule.verdict in _TOLD
                else rule
                for rule in report.rules
            ),
        )
        for report in reports
    ]


def place(reports: Iterable[Report], rootdir: Path) -> list[Report]:
    """Return the reports with files named from the top of the repository, where that is known."""
    root = rootdir.resolve()
    tops = (Path(os.environ[name]).resolve() for name in _CHECKOUTS if os.environ.get(name))
    top = next((top for top in tops if root.is_relative_to(top)), root)
    prefix = root.relative_to(top)
    return [
        replace(
            report,
            subject=move(report.subject, prefix),
            rules=tuple(
                replace(rule, findings=tuple(move(each, prefix) for each in rule.findings))
                for rule in report.rules
            ),
        )
        for report in reports
    ]


def move(value: _Placed, prefix: Path) -> _Placed:
    """Return a subject or finding whose file, where it has one, is below a directory."""
    return value if not value.file else replace(value, file=(prefix / value.file).as_posix())
