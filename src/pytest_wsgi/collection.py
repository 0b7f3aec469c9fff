"""pytest nodes: one item a rule, anchored at the file that defines the target.

Collection never imports the target and never probes: the workers of pytest-xdist must agree on it.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pytest_wsgi.catalogue import CATALOGUE
from pytest_wsgi.examination import LOADS, judge_recordings
from pytest_wsgi.exchange import Problem
from pytest_wsgi.loading import examine, hosts
from pytest_wsgi.planning import group_anchors
from pytest_wsgi.plugin import DATA
from pytest_wsgi.rendering.failure import render_failure
from pytest_wsgi.report import (
    Subject,
    report_subject,
    report_verdict,
    rule_to_dict,
    subject_to_dict,
)
from pytest_wsgi.rules import load_rules
from pytest_wsgi.traces import describe_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from pytest_wsgi.planning import Plan, Target
    from pytest_wsgi.recorder import Recorder
    from pytest_wsgi.report import RuleReport

_UNFIT = str.maketrans({"[": "(", "]": ")", ":": "."})
"""pytest reads brackets and colons in names as its own."""


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

    def collect(self) -> Iterable[RuleItem]:
        """Yield an item for each rule and for each further path."""
        load_rules()
        examiner = Examiner(self.plan, self.target)
        for name in sorted(CATALOGUE, key=lambda name: name != LOADS):
            rule = CATALOGUE[name]
            yield self.make_item(name, examiner.check_rule(name), rule.level.value, rule.area)
        for path in self.plan.paths:
            name = f"every-rule@{path.translate(_UNFIT)}"
            yield self.make_item(name, examiner.check_path(path), "must", "path")

    def make_item(self, name: str, body: Callable[..., None], *marks: str) -> RuleItem:
        """Return an item with its markers."""
        item: RuleItem = RuleItem.from_parent(self, name=name, callobj=body)
        for mark in ("wsgi", *marks):
            item.add_marker(getattr(pytest.mark, mark))
        if has_django_database(self.config):
            item.add_marker(pytest.mark.django_db)
        return item


class RuleItem(pytest.Function):
    """One rule over all exchanges of a target; a Function, so that autouse fixtures apply."""

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Point at the user's file, not at ours."""
        return self.path, 0, self.name


def list_files(session: pytest.Session, plan: Plan) -> list[TargetFile]:
    """Return the nodes of the targets that no argument names."""
    config = session.config
    directory = config.invocation_params.dir
    named = {directory / text.partition("::")[0] for text in config.args}
    nodes = []
    for anchor, targets in group_anchors(plan.targets).items():
        if anchor not in named:
            node: TargetFile = TargetFile.from_parent(session, path=anchor)
            node.plan, node.targets = plan, targets
            nodes.append(node)
    return nodes


def make_file(parent: pytest.Collector, plan: Plan, path: Path) -> TargetFile | TargetModule | None:
    """Return the node of a file that is an argument and defines targets; else None."""
    targets = group_anchors(plan.targets).get(path)
    if targets is None:
        return None
    patterns: list[str] = parent.config.getini("python_files")
    is_test = path.suffix == ".py" and any(path.match(pattern) for pattern in patterns)
    node: TargetFile | TargetModule = (TargetModule if is_test else TargetFile).from_parent(
        parent, path=path
    )
    node.plan, node.targets = plan, targets
    return node


def make_node(parent: pytest.Collector, plan: Plan, target: Target) -> TargetNode:
    """Return the node of a target."""
    node: TargetNode = TargetNode.from_parent(parent, name=target.label)
    node.plan, node.target = plan, target
    return node


def has_django_database(config: pytest.Config) -> bool:
    """Tell whether pytest-django is there and has settings; else its mark would skip our items."""
    django_conf = sys.modules.get("django.conf")
    return (
        config.pluginmanager.hasplugin("django")
        and django_conf is not None
        and bool(django_conf.settings.configured)
    )


class Examiner:
    """Makes the bodies of a target's items."""

    def __init__(self, plan: Plan, target: Target) -> None:
        self.plan = plan
        self.target = target
        self.examination = target.examination

    def check_rule(self, name: str) -> Callable[..., None]:
        """Return the body of a rule's item."""

        def check(request: pytest.FixtureRequest) -> None:
            self.connect(request)
            verdict = self.examination.obtain_verdicts()[name]
            report = report_verdict(verdict, str(self.plan.rootdir))
            self.tell(request.node, [report])
            if report.verdict in {"blocked", "not exercised"}:
                pytest.skip(f"{report.verdict}: {report.reason}")
            self.fail_if_broken(request.node, [report])

        return check

    def check_path(self, path: str) -> Callable[..., None]:
        """Return the body of a further path's item, which holds every rule."""

        def check(request: pytest.FixtureRequest) -> None:
            self.connect(request)
            problem = self.examination.obtain_loading().problem
            if problem is not None:
                pytest.skip(f"blocked: the application did not load ({problem.id})")
            verdicts = self.examination.judge_path(path)
            reports = [report_verdict(verdict, str(self.plan.rootdir)) for verdict in verdicts]
            self.tell(request.node, reports)
            self.fail_if_broken(request.node, reports)

        return check

    def connect(self, request: pytest.FixtureRequest) -> None:
        """Load the target; the first one through the fixture, which a conftest.py may override."""
        if self.examination.is_loaded or self.target is not self.plan.targets[0]:
            return
        problem = None
        application: Any = None
        try:
            application = request.getfixturevalue("wsgi_app")
        except Exception as error:  # noqa: BLE001 # the fixture is the user's
            name, _, message, text, _ = describe_error(error)
            problem = Problem(
                "fixture-failed", f"The fixture wsgi_app raised {name}: {message}\n{text}"
            )
        except pytest.fail.Exception:
            pass
        if not self.examination.is_loaded:
            spec, origin = self.target.spec, "the fixture wsgi_app"
            loading = examine(
                application, spec, origin=origin, paths=self.plan.search, rootdir=self.plan.rootdir
            )
            self.examination.adopt(application, loading, problem)

    def tell(self, item: pytest.Item, reports: Sequence[RuleReport]) -> None:
        """Leave with the item what the report and JUnit need."""
        first = reports[0]
        item.user_properties.append(("wsgi_verdict", first.verdict))
        item.user_properties.append(("wsgi_level", first.level))
        item.user_properties.append(("wsgi_requirements", " ".join(first.requirements)))
        item.stash[DATA] = json.dumps(
            {
                "target": self.target.label,
                "subject": subject_to_dict(self.describe()),
                "rules": [rule_to_dict(report) for report in reports],
                **self.examination.describe_run(),
            }
        )

    def describe(self) -> Subject:
        """Return what is to be known of the target."""
        subject = report_subject(self.examination.obtain_loading())
        return replace(
            subject,
            label=self.target.label,
            facts={**subject.facts, **self.examination.describe_site()},
        )

    def fail_if_broken(self, item: pytest.Item, reports: Sequence[RuleReport]) -> None:
        """Fail the item for every rule that fails the run."""
        broken = [report for report in reports if self.is_failure(report)]
        if broken:
            pytest.fail(
                "\n\n".join(
                    render_failure(report, self.describe(), command=self.name_command(item))
                    for report in broken
                ),
                pytrace=False,
            )

    def is_failure(self, report: RuleReport) -> bool:
        """Tell whether a rule's verdict fails the run."""
        weighs = report.level == "must" or (self.plan.options.strict and report.level == "should")
        return report.verdict == "harness error" or (report.verdict == "broken" and weighs)

    def name_command(self, item: pytest.Item) -> str:
        """Return the command that runs just this item."""
        return f"pytest --wsgi-app {self.target.spec.text} '{item.nodeid}'"


def make_client(recorder: Recorder) -> Any:
    """Return a WebTest TestApp around a recorder, with a Host that the application accepts."""
    try:
        from webtest import TestApp  # noqa: PLC0415 # an extra: imported when used
    except ModuleNotFoundError:
        pytest.fail(
            "The fixture wsgi_client needs WebTest, which is not installed.\n"
            "Try: pip install 'pytest-wsgi[webtest]'",
            pytrace=False,
        )
    accepted = hosts()
    environ = {"HTTP_HOST": accepted[0]} if accepted else {}
    return TestApp(recorder, extra_environ=environ, lint=False)


def judge_test(item: pytest.Item, recorder: Recorder, plan: Plan | None) -> str:
    """Judge what a user's test exchanged; return the text of what is broken, empty if nothing."""
    root = str(item.config.rootpath)
    verdicts = judge_recordings(recorder.recordings, item.nodeid)
    reports = [report_verdict(verdict, root) for verdict in verdicts if verdict.exercised]
    if not reports:
        return ""
    label = plan.targets[0].label if plan is not None and plan.targets else ""
    rules = [rule_to_dict(report) for report in reports]
    item.stash[DATA] = json.dumps({"target": label, "rules": rules})
    strict = plan is not None and plan.options.strict
    levels = {"must", "should"} if strict else {"must"}
    broken = [r for r in reports if r.verdict == "broken" and r.level in levels]
    subject = Subject(kind="test", spec=item.nodeid, label=label, origin="the fixture wsgi_client")
    return "\n\n".join(
        render_failure(report, subject, command=f"pytest '{item.nodeid}'") for report in broken
    )
