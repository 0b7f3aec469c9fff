"""The application in a user's own tests: a WebTest TestApp whose every exchange is judged.

Nothing here needs pytest.
"""

from __future__ import annotations

import io
import json
import os
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn, cast

from pytest_wsgi.drivers.gateway import StrictInput
from pytest_wsgi.drivers.guard import stand_guard
from pytest_wsgi.drivers.serving import MOST_BLOCKS, MOST_BYTES, Survival
from pytest_wsgi.examination import judge_recordings
from pytest_wsgi.loading import hosts
from pytest_wsgi.option_values import read_seconds
from pytest_wsgi.options import is_strict, read_selection
from pytest_wsgi.recorder import Interruption, Recording
from pytest_wsgi.rendering.failure import render_failure
from pytest_wsgi.report import Subject, report_verdict, rule_to_dict
from pytest_wsgi.secrecy import watch_secrets
from pytest_wsgi.selection import Selection, SelectionError, choose_rules
from pytest_wsgi.traces import describe_error
from pytest_wsgi.weighing import is_failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pytest

    from pytest_wsgi.drivers.guard import Guard
    from pytest_wsgi.exchange import Place
    from pytest_wsgi.planning import Plan, Target
    from pytest_wsgi.recorder import Recorder
    from pytest_wsgi.report import RuleReport

_OF_THE_SERVER = frozenset(
    {"wsgi.input", "wsgi.errors", "wsgi.file_wrapper", "webob.is_body_seekable"}
)
"""What the environ of an application has otherwise than the request that a test reads."""


class ClientError(Exception):
    """There can be no client; the message says why, and what to do."""


class ApplicationStoppedError(AssertionError):
    """The application hung, had no end, or would have ended the run: its test fails instead."""


def make_client(recorder: Recorder, plan: Plan | None, timeout: str) -> Any:
    """Return a WebTest TestApp around a recorder, with a Host that the application accepts.

    `timeout` is the option of that name, which counts where there is no plan. Raises ClientError
    where WebTest is missing, or what is recorded is no application, and OptionError.
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
    seconds = plan.wishes.seconds if plan is not None else read_seconds(timeout)
    return TestApp(Server(recorder, seconds), extra_environ=environ, lint=False)


class Server:
    """What stands between WebTest and the application: it reads responses as servers do.

    WebOb takes the only block of a list out without iterating: nothing would be seen of it.
    """

    def __init__(self, recorder: Recorder, seconds: float) -> None:
        self.recorder = recorder
        self.seconds = seconds

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Response:
        """Call the application, recorded, within `seconds`.

        Raises what the application raises, or ApplicationStoppedError.
        """
        __tracebackhide__ = True
        recording = Recording(self.recorder.application)
        self.recorder.recordings.append(recording)
        response = Response(recording, environ, self.seconds)
        response.open(start_response)
        return response

    def __getattr__(self, name: str) -> Any:
        """Return an attribute of the application, which tests reach for as `client.app`."""
        return getattr(self.recorder.application, name)


class Response:
    """One exchange: the iterable and iterator of its response, which can be closed.

    Every step of it is limited in time, and raises as `Server` does.
    """

    def __init__(self, recording: Recording, environ: dict[str, Any], seconds: float) -> None:
        self.recording = recording
        self.asked = environ
        self.environ = make_environ(environ)
        self.seconds = seconds
        self.spent = 0.0
        self.guard: Guard
        self.failed = False
        self.iterable: Any = None
        self.blocks: Iterator[bytes] = iter(())

    def open(self, start_response: Callable[..., Any]) -> None:
        """Call the application."""
        __tracebackhide__ = True
        try:
            self.iterable = self.survive("call", self.recording, self.environ, start_response)
        finally:
            self.show_environ()

    def __iter__(self) -> Iterator[bytes]:
        """Iterate over what the application returned."""
        __tracebackhide__ = True
        self.blocks = self.survive("iteration", iter, self.iterable)
        return self

    def __next__(self) -> bytes:
        """Return the next block."""
        __tracebackhide__ = True
        block: bytes = self.survive("iteration", next, self.blocks)
        self.refuse_more()
        return block

    def close(self) -> None:
        """Close what the application returned, where it can be."""
        __tracebackhide__ = True
        close = getattr(self.iterable, "close", None)
        if close is not None:
            try:
                self.survive("close", close)
            finally:
                self.show_environ()

    def show_environ(self) -> None:
        """Let the test see what the application put into the environ."""
        changed = {key: self.environ[key] for key in self.environ.keys() - _OF_THE_SERVER}
        self.asked.update(changed)

    def survive(self, place: Place, step: Callable[..., Any], *args: Any) -> Any:
        """Return what a step of the exchange returns; whatever it does, the run goes on."""
        __tracebackhide__ = True
        answer: Any = None
        raised: BaseException | None = None
        self.failed = False
        start = os.times().elapsed  # real time, also where a test has frozen or moved the clock
        with stand_guard(self.seconds) as self.guard, Survival(cast("Any", self), place):
            try:
                answer = step(*args)
            except BaseException as error:
                raised = error
                raise
        self.spent += os.times().elapsed - start
        if not self.failed:
            return answer
        try:  # an alarm may ring just after the step: then nothing was raised by it
            self.raise_again(raised or self.guard.say_overtime(), place)
        finally:
            del raised  # which holds this frame

    def raise_again(self, error: BaseException, place: Place) -> NoReturn:
        """Raise what ended a step; as a failure of the test where it would end the run."""
        __tracebackhide__ = True
        request = self.recording.name_request()
        if type(error) is Interruption:
            overtime = f"the application did not {_DOINGS[place]} {request} within"
            is_hang = error.reason == "hang"
            said = f"{overtime} {self.seconds:g} s" if is_hang else f"{error.detail} at {request}"
        elif isinstance(error, KeyboardInterrupt) and self.guard.alarm:
            said = f"the application raised {describe_error(error)[0]} at {request}"
        else:
            try:
                raise error
            finally:
                del error  # which holds this frame
        origin = describe_error(error)[-1]
        where = "" if origin is None else f" ({origin[0]}:{origin[1]})"
        raise ApplicationStoppedError(f"{said}{where}") from None

    def refuse_more(self) -> None:
        """Stop a response that takes too long or is too large in all; the recording says so."""
        __tracebackhide__ = True
        recording = self.recording
        if self.spent > self.seconds:
            much = f"within {self.seconds:g} s"
        elif recording.body_length > MOST_BYTES or recording.block_count > MOST_BLOCKS:
            much = f"after {recording.block_count} blocks and {recording.body_length} bytes"
        else:
            return
        recording.note_stop("endless", f"no end {much}")
        raise ApplicationStoppedError(
            f"the application did not end its answer to {recording.name_request()} {much}"
        )


_DOINGS = {
    "call": "answer",
    "iteration": "end its answer to",
    "close": "end close() after",
}
"""What an application that hangs does not do, by where."""


def make_environ(environ: dict[str, Any]) -> dict[str, Any]:
    """Return an environ for the application, whose input has nothing but what the PEP promises.

    What the test has keeps its input, which WebOb can read again.
    """
    given = environ.copy()
    given.pop("webob.is_body_seekable", None)  # PEP 3333 promises no seek()
    if "wsgi.input" in environ:
        body = environ["wsgi.input"].read()
        environ["wsgi.input"] = io.BytesIO(body)
        given["wsgi.input"] = StrictInput(body)
    return given


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What came of a user's test.

    `failure` is the text of what fails it, or empty. `label` is that of the target whose
    application it asked, empty where it asked another; `data` is then JSON for the report.
    """

    failure: str
    label: str = ""
    data: str = ""


def judge_test(item: pytest.Item, recorder: Recorder, plan: Plan | None) -> Judgement:
    """Judge what a test exchanged through a recorder.

    `plan` is None in a run for which no target was named.
    """
    nodeid, root = item.nodeid, str(item.config.rootpath)
    try:
        choice = plan.choice if plan else choose_rules(Selection(**read_selection(item.config)))
    except SelectionError as error:
        return Judgement(failure=str(error))
    strict = is_strict(item.config)
    verdicts = judge_recordings(choice.rules.values(), recorder.recordings, nodeid)
    redactor = watch_secrets(root, recorder.application, {} if plan is None else plan.variables)
    reports = [report_verdict(one, root, redactor) for one in verdicts if one.exercised]
    failing = [report for report in reports if is_failure(report, strict=strict)]
    name = nodeid.partition("::")[2]
    command = (
        f"pytest {shlex.quote(nodeid)}"
        if plan is None
        else plan.find_command(item.path, name, "-m", "'not wsgi'")
    )
    failure = render_test(nodeid, failing, command)
    target = plan.first_application if plan is not None else None
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
