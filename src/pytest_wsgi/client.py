"""The application in a user's own tests: a WebTest TestApp whose every exchange is judged.

Nothing here needs pytest.
"""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_wsgi.examination import judge_recordings
from pytest_wsgi.loading import hosts
from pytest_wsgi.rendering.failure import render_failure
from pytest_wsgi.report import Subject, report_verdict, rule_to_dict
from pytest_wsgi.weighing import is_failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pytest

    from pytest_wsgi.planning import Plan, Target
    from pytest_wsgi.recorder import Recorder
    from pytest_wsgi.report import RuleReport


class ClientError(Exception):
    """There can be no client; the message says why, and what to do."""


def make_client(recorder: Recorder, plan: Plan | None) -> Any:
    """Return a WebTest TestApp around a recorder, with a Host that the application accepts.

    Raises ClientError where WebTest is missing, or what is recorded is no application.
    """
    try:
        from webtest import TestApp  # noqa: PLC0415 # an extra: imported when used
    except ImportError as error:
        raise ClientError(
            f"The fixture wsgi_client needs WebTest, which cannot be imported: {error}.\n"
            "Try: pip install 'pytest-wsgi[webtest]'"
        ) from None
    if not callable(recorder.application):
        raise ClientError(
            "The fixture wsgi_app must return a WSGI application, but what it returned cannot be "
            f"called: an object of type {type(recorder.application).__name__}.\n"
            "Try: return application, at the end of the fixture wsgi_app in conftest.py"
        )
    wished = plan.wishes.host if plan is not None else ""
    accepted = (wished,) if wished else hosts()
    environ = {"HTTP_HOST": accepted[0]} if accepted else None
    return TestApp(Server(recorder), extra_environ=environ, lint=False)


class Server:
    """What stands between WebTest and the recorder: it reads responses as servers do.

    WebOb takes the only block of a list out without iterating: nothing would be seen of it.
    """

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Response:
        """Call the application through the recorder."""
        return Response(self.recorder(environ, start_response))

    def __getattr__(self, name: str) -> Any:
        """Return an attribute of the application, which tests reach for as `client.app`."""
        return getattr(self.recorder.application, name)


class Response:
    """The iterable of a response, which can be iterated and closed, and nothing else."""

    def __init__(self, iterable: Any) -> None:
        self.iterable = iterable

    def __iter__(self) -> Iterator[bytes]:
        """Iterate over what the application returned."""
        return iter(self.iterable)

    def close(self) -> None:
        """Close what the application returned, where it can be."""
        close = getattr(self.iterable, "close", None)
        if close is not None:
            close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What came of a user's test.

    `failure` is the text of what fails it, or empty. `label` is that of the target whose
    application it asked, empty where it asked another; `data` is then JSON for the report.
    """

    failure: str
    label: str = ""
    data: str = ""


def judge_test(
    item: pytest.Item, recorder: Recorder, plan: Plan | None, *, strict: bool
) -> Judgement:
    """Judge what a test exchanged through a recorder; with `strict` a broken SHOULD fails it too.

    `plan` is None in a run for which no target was named.
    """
    nodeid, root = item.nodeid, str(item.config.rootpath)
    verdicts = judge_recordings(recorder.recordings, nodeid)
    reports = [report_verdict(verdict, root) for verdict in verdicts if verdict.exercised]
    failing = [report for report in reports if is_failure(report, strict=strict)]
    name = nodeid.partition("::")[2]
    command = (
        f"pytest {shlex.quote(nodeid)}"
        if plan is None
        else plan.find_command(item.path, name, "-m", "'not wsgi'")
    )
    failure = render_test(nodeid, failing, command)
    target = plan.targets[0] if plan is not None else None
    if target is None or not is_same_application(target, recorder):
        return Judgement(failure=failure)
    data = json.dumps({"rules": [rule_to_dict(report) for report in reports]})
    return Judgement(failure=failure, label=target.label, data=data)


def render_test(nodeid: str, failing: Sequence[RuleReport], command: str) -> str:
    """Return what a user reads of the rules that fail a test; empty where there are none."""
    subject = Subject(kind="test", spec=nodeid, origin="the fixture wsgi_client")
    return "\n\n".join(render_failure(report, subject, command=command) for report in failing)


def is_same_application(target: Target, recorder: Recorder) -> bool:
    """Tell whether a test asked the target's application, and not that of another `wsgi_app`."""
    examination = target.examination
    if examination.is_loaded:
        return examination.application is recorder.application
    return target.spec.kind == "fixture"
