"""Gathers what the items say, in whichever process they ran, and makes the reports of it.

The hooks here need nothing of pytest but their names.
"""

from __future__ import annotations

import json
import os
import platform
from dataclasses import dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from pytest_wsgi.catalogue import CATALOGUE, Level
from pytest_wsgi.leaving import leave_soon
from pytest_wsgi.loading.paths import relative
from pytest_wsgi.matter import choose_for, is_for
from pytest_wsgi.rendering.terminal import render_summary
from pytest_wsgi.report import (
    Report,
    Subject,
    fails,
    merge_rules,
    rule_from_dict,
    subject_from_dict,
)
from pytest_wsgi.report.plain import read_record
from pytest_wsgi.report.reach import Reach, merge_reaches
from pytest_wsgi.weighing import weigh_status

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_wsgi.planning import Plan, Target
    from pytest_wsgi.rendering.files import ReportFile
    from pytest_wsgi.report import RuleReport

_INTERRUPTED = 2

_ON_GITHUB = ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY")
"""Where one of these variables is set, reports are published without being asked for."""

ANSWERS = "application-answers-in-time"
"""The rule that is broken where an application hangs."""


@dataclass(kw_only=True)
class Gathered:
    """What was said of one target by its own items, and by tests of the user's.

    `selected` tells whether an item of its own was run; `judged` are the rules that such judged.
    """

    subject: Subject
    selected: bool = False
    judged: set[str] = field(default_factory=set)
    rules: list[RuleReport] = field(default_factory=list)
    notes: tuple[str, ...] = ()
    exchanges: int = 0
    unproven: str = ""
    reach: Reach | None = None

    def take(self, data: Mapping[str, Any]) -> None:
        """Take what one item or test said."""
        rules = [rule_from_dict(row) for row in data["rules"]]
        self.rules.extend(rules)
        if "subject" not in data:
            return
        is_first = not self.judged
        self.judged.update(rule.id for rule in rules)
        if is_first or data["exchanges"] > self.exchanges:  # where there are several processes
            self.subject = subject_from_dict(data["subject"])
            self.exchanges, self.notes = data["exchanges"], tuple(data["notes"])
            self.unproven = data["unproven"]
        if data.get("reach"):
            self.reach = merge_reaches([self.reach, read_record(Reach, data["reach"], "reach")])


class Gatherer:
    """A pytest plugin object: one report for each target, written at the end by one process."""

    def __init__(
        self, plan: Plan, files: Sequence[ReportFile], *, strict: bool, wanted: bool
    ) -> None:
        self.plan = plan
        self.files = files
        self.strict = strict
        self.wanted = wanted
        self.gathered = {
            target.label: Gathered(subject=outline(target, plan)) for target in plan.targets
        }
        self.reports: dict[str, Report] = {}
        self.problems: list[str] = []
        self.settled: list[str] = []
        self.unwritten: list[str] = []
        self.annotations = ""
        self.early = ""

    def pytest_report_header(self) -> list[str]:
        """Say what is judged and who asked for it."""
        why = "" if self.wanted else "; not run, because paths are given"
        return [
            f"wsgi: {target.spec.text} (from {target.origin}{why})" for target in self.plan.targets
        ]

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Take what an item or a user's test had to say."""
        label: str | None = getattr(report, "wsgi_target", None)
        if label is None:
            return
        gathered = self.gathered[label]
        gathered.selected = gathered.selected or not report.wsgi_tested
        if report.wsgi_data:
            gathered.take(json.loads(report.wsgi_data))

    def pytest_report_teststatus(self, report: Any) -> tuple[str, str, Any] | None:
        """Show an item with a broken rule that does not fail the run as advised, not as passed."""
        shown: str = getattr(report, "wsgi_advised", "")
        if report.passed and shown:
            return shown, shown[0], (shown.upper(), {"yellow": True})
        return None

    def pytest_sessionfinish(self, session: Any, exitstatus: int) -> None:
        """Write the reports, and fail a run that broke a rule or proved nothing."""
        if session.config.option.collectonly:
            return
        self.early = str(session.shouldfail or session.shouldstop or "")
        if exitstatus == _INTERRUPTED and not self.early:
            self.early = "interrupted"
        self.reports = reports = self.make_reports()
        said = [report for report in reports.values() if report.rules]
        self.settle(said)
        if self.files or any(map(os.environ.get, _ON_GITHUB)):
            self.publish(said)
        failed = self.problems or any(
            fails(report, strict=self.strict)
            for label, report in reports.items()
            if self.gathered[label].selected
        )
        session.exitstatus = weigh_status(int(exitstatus), failed=bool(failed))
        if any(rule.verdict == "broken" for rule in self.list_reports(ANSWERS)):
            leave_soon(int(session.exitstatus))

    def list_reports(self, name: str) -> list[RuleReport]:
        """Return what came of a rule, by its id, for each target."""
        return [
            rule for report in self.reports.values() for rule in report.rules if rule.id == name
        ]

    def settle(self, reports: Sequence[Report]) -> None:
        """Hold the reports against the baseline, and bring that up to date where asked to."""
        plan = self.plan
        if plan.baseline is None:
            return
        from pytest_wsgi.baselines import settle_baseline  # noqa: PLC0415 # only when asked for
        from pytest_wsgi.rendering.files import NotWrittenError  # noqa: PLC0415 # as above

        mode = plan.options.baseline_mode
        try:
            problems, self.settled = settle_baseline(
                plan.baseline_file, mode, plan.baseline, reports
            )
            self.problems += problems
        except NotWrittenError as error:
            self.problems.append(str(error))

    def publish(self, said: Sequence[Report]) -> None:
        """Hand the reports on; those in which something is `said` are annotated."""
        from pytest_wsgi.publishing import annotate, publish  # noqa: PLC0415 # only when asked for

        rootdir = self.plan.rootdir
        self.unwritten = publish(self.files, list(self.reports.values()), rootdir)
        self.annotations, failed = annotate(said, rootdir)
        self.unwritten += failed

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Show the verdict of each target of which something was said."""
        for label, report in self.reports.items():
            if self.gathered[label].selected or report.rules:
                terminalreporter.write_sep("=", f"WSGI conformance: {report.subject.spec}")
                for line in render_summary(report):
                    markup = {line.style: True} if line.style else {}
                    terminalreporter.write_line(line.text, **markup)
        for note in self.settled:
            terminalreporter.write_line(f"wsgi: {note}")
        for problem in (*self.problems, *self.unwritten):
            terminalreporter.write_line(f"wsgi: {problem}", red=True)
        for command in self.annotations.splitlines():
            terminalreporter.write_line(command)

    def make_reports(self) -> dict[str, Report]:
        """Return the report of each target by its label."""
        reports = {
            label: Report(
                subject=gathered.subject,
                environment=describe_environment(gathered.subject),
                rules=merge_rules(gathered.rules),
                ignored=choose_ignored(self.plan.choice.ignored, gathered.subject.kind),
                unjudged=self.count_unjudged(gathered),
                notes=(*self.find_gaps(gathered), *gathered.notes),
                exchanges=gathered.exchanges,
                unproven=gathered.unproven,
                reach=gathered.reach,
            )
            for label, gathered in self.gathered.items()
        }
        return {label: self.stand(report) for label, report in reports.items()}

    def stand(self, report: Report) -> Report:
        """Return a report with how it stands to the baseline, where there is one."""
        plan = self.plan
        if plan.baseline is None:
            return report
        from pytest_wsgi.report.baseline import (  # noqa: PLC0415 # only when asked for
            compare_to_baseline,
        )

        file = relative(plan.baseline_file, plan.rootdir)
        return replace(report, standing=compare_to_baseline(plan.baseline, file, report))

    def count_unjudged(self, gathered: Gathered) -> int:
        """Return how many MUSTs no item judged, but for those that are ignored on purpose."""
        choice = self.plan.choice
        known = choose_for(CATALOGUE, gathered.subject.kind)
        left = set(known) - gathered.judged - set(choice.ignored)
        return sum(choice.rules.get(name, CATALOGUE[name]).level is Level.MUST for name in left)

    def find_gaps(self, gathered: Gathered) -> list[str]:
        """Return notes on what this run left out: a selection, or a run that stopped early."""
        notes = [f"the run stopped early: {self.early}"] if self.early else []
        if self.plan.options.reading:
            notes.append(f"ambiguous points are read as {self.plan.options.reading}")
        known = choose_for(CATALOGUE, gathered.subject.kind)
        if len(gathered.judged) < len(known):
            notes.append(f"{len(gathered.judged)} of {len(known)} rules were judged by items")
        return notes


def choose_ignored(ignored: Mapping[str, str], kind: str) -> dict[str, str]:
    """Return the ignored rules that a target of a kind would be judged by, with their reasons."""
    return {name: reason for name, reason in ignored.items() if is_for(CATALOGUE[name], kind)}


def outline(target: Target, plan: Plan) -> Subject:
    """Return what is known of a target before it is loaded."""
    file = target.location.file
    return Subject(
        kind=target.kind,
        spec=target.spec.text,
        label=target.label,
        origin=target.origin,
        file=relative(file, plan.rootdir) if file is not None else None,
    )


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
