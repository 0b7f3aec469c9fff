"""Gathers what the items say, in whichever process they ran, and makes the reports of it.

The hooks here need nothing of pytest but their names.
"""

from __future__ import annotations

import json
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from pytest_wsgi.rendering.files import NotWrittenError, write_report
from pytest_wsgi.rendering.terminal import render_summary
from pytest_wsgi.report import (
    Report,
    Subject,
    fails,
    merge_rules,
    rule_from_dict,
    subject_from_dict,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pytest_wsgi.report import RuleReport

_FAILED = 1
_NO_TESTS = 5


class Gatherer:
    """A pytest plugin object: one report for each target, written at the end by one process."""

    def __init__(self, files: Sequence[Path], *, strict: bool, writes: bool) -> None:
        self.files = files
        self.strict = strict
        self.writes = writes
        self.rules: dict[str, list[RuleReport]] = {}
        self.subjects: dict[str, Subject] = {}
        self.runs: dict[str, dict[str, Any]] = {}
        self.problems: list[str] = []

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Take what an item or a user's test had to say."""
        text: str | None = getattr(report, "wsgi", None)
        if text is None:
            return
        data = json.loads(text)
        label = data["target"] or next(iter(self.rules), "")
        self.rules.setdefault(label, []).extend(rule_from_dict(row) for row in data["rules"])
        if "subject" in data:
            self.subjects[label] = subject_from_dict(data["subject"])
            if data["exchanges"] >= self.runs.get(label, data)["exchanges"]:
                self.runs[label] = data

    def pytest_report_teststatus(self, report: Any) -> tuple[str, str, Any] | None:
        """Show a broken rule that does not fail the run as advised, not as passed."""
        if report.when != "call" or not report.passed or not hasattr(report, "wsgi"):
            return None
        if any(row["verdict"] == "broken" for row in json.loads(report.wsgi)["rules"]):
            return "advised", "a", ("ADVISED", {"yellow": True})
        return None

    def pytest_sessionfinish(self, session: Any) -> None:
        """Write the reports, and fail a run that proved nothing."""
        if not self.writes:
            return
        reports = self.make_reports()
        for file in self.files if reports else ():
            self.write(file, reports)
        if any(fails(report, strict=self.strict) for report in reports) or self.problems:
            session.exitstatus = max(int(session.exitstatus), _FAILED) % _NO_TESTS or _FAILED

    def write(self, file: Path, reports: Sequence[Report]) -> None:
        """Write a report file; where that cannot be, the summary says so and the run fails."""
        try:
            write_report(file, reports)
        except NotWrittenError as error:
            self.problems.append(str(error))

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Show the verdict of each target."""
        for report in self.make_reports():
            terminalreporter.section(f"WSGI conformance: {report.subject.spec}")
            for line in render_summary(report):
                markup = {line.style: True} if line.style else {}
                terminalreporter.write_line(line.text, **markup)
        for problem in self.problems:
            terminalreporter.write_line(f"wsgi: {problem}", red=True)

    def make_reports(self) -> list[Report]:
        """Return a report for each target that said something."""
        return [
            Report(
                subject=subject,
                environment=describe_environment(subject),
                rules=merge_rules(self.rules[label]),
                notes=tuple(self.runs[label]["notes"]),
                exchanges=self.runs[label]["exchanges"],
            )
            for label, subject in self.subjects.items()
        ]


def describe_environment(subject: Subject) -> dict[str, Any]:
    """Return versions of Python, of us and of the packages that the subject comes from."""
    modules = {subject.object.partition(".")[0], subject.spec.partition(":")[0].partition(".")[0]}
    packages = {name: find_version(name) for name in sorted(modules)}
    return {
        "python": platform.python_version(),
        "platform": platform.system(),
        "pytest": find_version("pytest"),
        "pytest_wsgi": find_version("pytest-wsgi"),
        "packages": {name: found for name, found in packages.items() if found},
    }


def find_version(name: str) -> str:
    """Return the version of an installed distribution, or an empty text."""
    try:
        return version(name)
    except (PackageNotFoundError, ValueError):
        return ""
