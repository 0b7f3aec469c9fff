"""pytest nodes: one item a rule, anchored at the file that defines the target.

Collection never imports the target and never probes: the workers of pytest-xdist must agree on it.
"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from pytest_wsgi.exchange import Problem
from pytest_wsgi.launching import has_django, has_django_database, launch_for
from pytest_wsgi.loading import examine, find_owner
from pytest_wsgi.matter import LOADS, choose_for
from pytest_wsgi.planning import group_anchors
from pytest_wsgi.reach import LOADING
from pytest_wsgi.rendering.failure import render_failure
from pytest_wsgi.report import (
    Subject,
    rule_to_dict,
    subject_to_dict,
)
from pytest_wsgi.report.plain import to_plain
from pytest_wsgi.traces import describe_error
from pytest_wsgi.weighing import find_worst, is_failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from pytest_wsgi.planning import Plan, Target
    from pytest_wsgi.report import RuleReport

_UNFIT = str.maketrans({"[": "%5B", "]": "%5D", ":": "%3A"})
"""pytest reads brackets and colons in names as its own; a path may as well have them encoded."""


_SHOWN = {"broken": "advised", "known": "known"}
"""What pytest shows of an item that does not fail, by its verdict."""

_ONE_THREAD = "the test database of pytest-django belongs to one thread"
"""Why no request is served in other threads."""


class TargetFile(pytest.File):
    """The file that defines one or more targets."""

    plan: Plan
    targets: Sequence[Target]

    def collect(self) -> Iterable[TargetNode]:
        """Yield a node for each target."""
        for target in self.targets:
            yield make_node(self, self.plan, target)


class TargetModule(pytest.Module):
    """A test module that defines targets too: its own tests come first."""

    plan: Plan
    targets: Sequence[Target]

    def collect(self) -> Iterable[pytest.Item | pytest.Collector]:
        """Yield the module's tests, then a node for each target."""
        yield from super().collect()
        for target in self.targets:
            yield make_node(self, self.plan, target)


class TargetNode(pytest.Collector):
    """One target; its items are the rules, and one more for each further path."""

    plan: Plan
    target: Target
    fixtureinfo: Any = None

    def collect(self) -> Iterable[RuleItem]:
        """Yield an item for each rule, the one about loading first, and for each further path."""
        examiner = Examiner(self.plan, self.target)
        rules = choose_for(self.plan.choice.rules, self.target.kind)
        for name in sorted(rules, key=lambda name: name != LOADS):
            rule = rules[name]
            yield self.make_item(name, examiner.check_rule(name), rule.level.value, rule.area)
        for path in self.plan.paths:
            name = f"every-rule@{show_path(path)}"
            yield self.make_item(name, examiner.check_path(path), "must", "path")

    def make_item(self, name: str, body: Callable[..., None], *marks: str) -> RuleItem:
        """Return an item with its markers."""
        # All bodies have the same signature: what pytest finds out of one holds for all.
        item: RuleItem = RuleItem.from_parent(
            self, name=name, callobj=body, fixtureinfo=self.fixtureinfo
        )
        self.fixtureinfo = item._fixtureinfo  # noqa: SLF001 # there is no other way to hand it on
        item.wsgi_target = self.target.label
        for mark in ("wsgi", *marks):
            item.add_marker(getattr(pytest.mark, mark))
        if has_django_database(self.config):
            item.add_marker(pytest.mark.django_db)
        return item


class RuleItem(pytest.Function):
    """One rule over all exchanges of a target; a Function, so that autouse fixtures apply.

    `wsgi_target` is the target's label. `wsgi_data` is what the item has to say to the report, as
    JSON text, because it crosses processes. `wsgi_advised` is what pytest shows of an item that
    passes although a rule is broken, `wsgi_skipped` why it counts as skipped: to raise that costs
    more than to judge.
    """

    wsgi_target: str
    wsgi_data: str = ""
    wsgi_advised: str = ""
    wsgi_skipped: str = ""

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Point at the user's file, not at ours."""
        return self.path, 0, self.name


def list_files(session: pytest.Session, plan: Plan) -> list[TargetFile]:
    """Return a node for every file that defines targets; none where an argument names one."""
    anchors = group_anchors(plan.targets)
    if any(session.isinitpath(anchor) for anchor in anchors):
        return []
    nodes = []
    for anchor, targets in anchors.items():
        node: TargetFile = TargetFile.from_parent(session, path=anchor)
        node.plan, node.targets = plan, targets
        nodes.append(node)
    return nodes


def make_file(parent: pytest.Collector, plan: Plan, path: Path) -> TargetFile | TargetModule | None:
    """Return the node of a file that is an argument and defines targets; else None.

    A file that is no test module hangs on the session as in `list_files`: below its package, pytest
    would import the package's `__init__`, and what that raises would be no finding.
    """
    targets = group_anchors(plan.targets).get(path)
    if targets is None:
        return None
    patterns: list[str] = parent.config.getini("python_files")
    is_test = path.suffix == ".py" and any(path.match(pattern) for pattern in patterns)
    node: TargetFile | TargetModule = (
        TargetModule.from_parent(parent, path=path)
        if is_test
        else TargetFile.from_parent(parent.session, path=path)
    )
    node.plan, node.targets = plan, targets
    return node


def make_node(parent: pytest.Collector, plan: Plan, target: Target) -> TargetNode:
    """Return the node of a target."""
    node: TargetNode = TargetNode.from_parent(parent, name=target.label)
    node.plan, node.target = plan, target
    return node


def show_path(path: str) -> str:
    """Return a request path as people write it, fit for a node id."""
    return path.encode("latin-1").decode(errors="backslashreplace").translate(_UNFIT)


class Examiner:
    """Makes the bodies of a target's items."""

    def __init__(self, plan: Plan, target: Target) -> None:
        self.plan = plan
        self.target = target
        self.examination = target.examination
        # Django may be set up by another target, also by one of an earlier run in this process.
        if target.kind == "application" and (len(plan.targets) > 1 or find_owner() is not None):
            from pytest_wsgi.apart import examine_apart  # noqa: PLC0415 # only for several

            self.examination.examine_apart = partial(examine_apart, plan, target)

    def check_rule(self, name: str) -> Callable[..., None]:
        """Return the body of a rule's item."""

        def check(request: pytest.FixtureRequest) -> None:
            if not self.examination.is_judged:
                self.spare_database(request.node)
                launch_for(request.session.items, self.plan, self.target)
                try:
                    self.connect(request)
                except BaseException:
                    self.examination.stop_launches()
                    raise
            self.conclude(request.node, [self.examination.obtain_report(name)])

        return check

    def check_path(self, path: str) -> Callable[..., None]:
        """Return the body of a further path's item, which holds every rule."""

        def check(request: pytest.FixtureRequest) -> None:
            self.spare_database(request.node)
            self.connect(request)
            problem = self.examination.obtain_subject().problem
            if problem is not None:
                pytest.skip(f"blocked: the {self.target.kind} did not load ({problem.id})")
            self.conclude(request.node, self.examination.obtain_path_reports(path))

        return check

    def spare_database(self, item: RuleItem) -> None:
        """Keep to one thread where the test database is in a transaction of this one.

        Another thread would find its tables locked, or write past the transaction.
        """
        if item.get_closest_marker("django_db") is not None:
            wishes = self.examination.wishes
            self.examination.wishes = replace(wishes, one_thread=_ONE_THREAD)

    def connect(self, request: pytest.FixtureRequest) -> None:
        """Obtain the first target through its fixture, which a conftest.py may override.

        A fixture of a narrow scope makes a new application for each item that asks.
        """
        if self.target is not self.plan.first_application:
            return
        self.plan.prepare()
        try:
            with self.examination.watching(LOADING):
                application = request.getfixturevalue("wsgi_app")
        except (KeyboardInterrupt, pytest.skip.Exception, pytest.exit.Exception):
            raise
        except BaseException as error:  # noqa: BLE001 # the fixture is the user's
            if not self.examination.is_loaded:
                self.adopt(None, explain_fixture(error))
            return
        examination = self.examination
        if not examination.is_loaded or examination.application is not application:
            self.adopt(application)

    def adopt(self, application: Any, problem: Problem | None = None) -> None:
        """Take what the fixture made, or the problem with making it."""
        loading = examine(
            application,
            self.target.spec,
            origin="the fixture wsgi_app",
            paths=self.plan.search,
            rootdir=self.plan.rootdir,
        )
        self.examination.adopt(application, loading, problem)

    def conclude(self, item: RuleItem, reports: Sequence[RuleReport]) -> None:
        """Leave with the item what the report and JUnit need; skip or fail it by its verdicts."""
        subject = self.describe(item)
        baseline = self.plan.baseline
        if baseline is not None:
            reports = [baseline.apply(report, subject) for report in reports]
        command = self.plan.find_command(item.path, f"{self.target.label}::{item.name}")
        reports = [tell_command(report, command) for report in reports]
        worst = find_worst(reports)
        item.user_properties.append(("wsgi_rule", worst.id))
        item.user_properties.append(("wsgi_verdict", worst.verdict))
        item.user_properties.append(("wsgi_level", worst.level))
        item.user_properties.append(("wsgi_requirements", " ".join(worst.requirements)))
        item.wsgi_data = json.dumps(
            {
                "reach": to_plain(self.examination.take_reach()),
                "subject": subject_to_dict(subject),
                "rules": [rule_to_dict(report) for report in reports],
                **self.examination.describe_run(),
            }
        )
        failing = [
            report for report in reports if is_failure(report, strict=self.plan.options.strict)
        ]
        if failing:
            texts = [render_failure(report, subject, command=command) for report in failing]
            pytest.fail("\n\n".join(texts), pytrace=False)
        item.wsgi_advised = _SHOWN.get(worst.verdict, "")
        if worst.verdict in {"blocked", "not exercised"}:
            item.wsgi_skipped = f"{worst.verdict}: {worst.reason}"

    def describe(self, item: pytest.Item) -> Subject:
        """Return what is to be known of the target, and whether its database is a real one."""
        subject = describe_target(self.target)
        why = "pytest-django has no settings"
        if self.examination.is_apart:
            why = "in a process of its own"
        elif item.get_closest_marker("django_db") is not None:
            return subject
        if "database" not in subject.facts or not has_django(item.config):
            return subject
        note = f"{subject.facts['database']} (no test database: {why})"
        return replace(subject, facts={**subject.facts, "database": note})


def tell_command(report: RuleReport, command: str) -> RuleReport:
    """Return what came of a rule with the command that judges it again, where that is of use."""
    return replace(report, rerun=command) if report.verdict in _SHOWN else report


def describe_target(target: Target) -> Subject:
    """Return what is to be known of a target; loads it where that was not done yet."""
    return replace(target.examination.obtain_subject(), label=target.label)


def explain_fixture(error: BaseException) -> Problem:
    """Return the problem that the fixture wsgi_app raised."""
    name, _, message, text, _ = describe_error(error)
    trace = f"\nTraceback (most recent call last):\n{text}{name}: {message}" if text else ""
    return Problem("fixture-failed", f"The fixture wsgi_app raised {name}: {message}{trace}")
