"""Serves one request to an application, step by step, and survives what it does."""

from __future__ import annotations

from threading import get_ident
from typing import TYPE_CHECKING, Any

from pytest_wsgi.drivers.gateway import FileWrapper, Gateway, StrictErrors, StrictInput
from pytest_wsgi.drivers.guard import UserInterrupt
from pytest_wsgi.environ import build_environ, name_request
from pytest_wsgi.exchange import ValidatorFinding
from pytest_wsgi.recorder import Interruption, Recording
from wsgiref_validate_wrappers import CHECKS, wrap

if TYPE_CHECKING:
    from pytest_wsgi.drivers.guard import Guard
    from pytest_wsgi.drivers.middleware import Crossing, Crossings
    from pytest_wsgi.environ import Site
    from pytest_wsgi.exchange import Exchange, Place
    from pytest_wsgi.probes import Probe, Request
    from pytest_wsgi.sandwich import Sandwich
    from wsgiref_validate_wrappers import Finding, ValidatedApplication

MOST_BYTES = 64 * 1024 * 1024
MOST_BLOCKS = 100_000
"""How much of one response the server takes before it goes away."""


class Survival:
    """Lets nothing out of its block but the user's own interrupt, and limits the block's time."""

    # No contextmanager(): the alarm may ring anywhere, and spares only the drivers' own code.
    __slots__ = ("place", "serving")

    def __init__(self, serving: Serving, place: Place) -> None:
        self.serving = serving
        self.place = place

    def __enter__(self) -> None:
        """Start the clock."""
        guard = self.serving.guard
        guard.serving[get_ident()] = self.serving.recording
        guard.start_clock()

    def __exit__(self, kind: object, error: BaseException | None, _trace: object) -> bool:
        """Stop the clock, and note what was raised where the recorder could not."""
        guard = self.serving.guard
        guard.stop_clock()
        guard.serving.pop(get_ident(), None)
        if error is None:
            return True
        self.serving.failed = True
        if type(error) is Interruption:
            self.serving.recording.place = self.place
            self.serving.recording.note_error(error)
        return kind is not UserInterrupt


class Serving:
    """One exchange being served: `open()`, `step()` until it is false, `close()`, `finish()`."""

    def __init__(  # noqa: PLR0913 # what one exchange is made of
        self,
        application: Any,
        probe: Probe,
        request: Request,
        site: Site,
        guard: Guard,
        *,
        under_validator: bool = False,
        crossings: Crossings | None = None,
    ) -> None:
        self.probe, self.request, self.site, self.guard = probe, request, site, guard
        self.recording = Recording(application, watches_start=probe.watches_start)
        self.validated = wrap(self.recording) if under_validator else None
        if crossings is not None:
            crossings.expect(self.recording, request.inner, under_validator=under_validator)
        self.gateway = Gateway(
            edits_headers=probe.edits_headers,
            fails_after=probe.fails_after,
            refuses_start=probe.refuses_start,
        )
        self.result: Any = None
        self.blocks: Any = None
        self.failed = False
        self.is_over = False

    def survive(self, place: Place = "iteration") -> Survival:
        """Let nothing out of a with block but the user's own interrupt; note that it failed."""
        return Survival(self, place)

    def open(self) -> None:
        """Call the application and ask for the length and the iterator of what it returns."""
        environ = self.build_environ()
        with self.survive():
            application = self.validated if self.validated is not None else self.recording
            self.result = application(environ, self.gateway.start_response)
            if self.probe.reading != "no block":
                self.measure()
                self.blocks = iter(self.result)

    def build_environ(self) -> dict[str, Any]:
        """Return the environ with this server's streams."""
        environ = build_environ(self.request, self.site)
        environ["wsgi.input"] = StrictInput(self.request.body)
        environ["wsgi.errors"] = StrictErrors()
        if "wsgi.file_wrapper" not in self.request.drop:
            environ["wsgi.file_wrapper"] = FileWrapper
        return environ

    def measure(self) -> None:
        """Ask for `len()`, as servers do that want to send a Content-Length."""
        if hasattr(type(self.result), "__len__"):
            try:
                len(self.result)
            except Exception:  # noqa: BLE001 # the recorder has it; servers go on without
                return

    def step(self) -> bool:
        """Take and send one block; return whether there may be more."""
        if self.failed or self.blocks is None:
            return False
        done = True
        with self.survive():
            try:
                block = next(self.blocks)
            except StopIteration:
                return False
            self.gateway.write(block)
            done = self.is_enough()
        return not done

    def read_all(self) -> None:
        """Take and send every block, within one time limit."""
        if self.failed or self.blocks is None:
            return
        with self.survive():
            for block in self.blocks:
                self.gateway.write(block)
                if self.is_enough():
                    return

    def is_enough(self) -> bool:
        """Tell whether the response is longer than this server takes; the recording says so."""
        recording = self.recording
        if recording.body_length <= MOST_BYTES and recording.block_count <= MOST_BLOCKS:
            return False
        taken = f"{recording.block_count} blocks and {recording.body_length} bytes"
        recording.note_stop("endless", f"no end after {taken}")
        return True

    def leave(self) -> None:
        """Record that the server goes away on purpose."""
        self.recording.note_stop("left", self.request.note)

    def close(self) -> None:
        """End the exchange as the PEP asks: what was returned is closed, if it can be."""
        result, self.result, self.blocks = self.result, None, None
        with self.survive("close"):
            close = getattr(result, "close", None)
            if close is not None:
                close()
                if self.probe.reading == "closed twice":
                    close()
        self.gateway.is_over = self.is_over = True

    def give_up(self) -> None:
        """Record that the application took all its time, unless it is through."""
        if not self.is_over:
            self.recording.note_error(self.guard.say_overtime())

    def finish(self, number: int) -> Exchange:
        """Return the Exchange, `number` telling it from the others of the run."""
        return self.write_down(self.recording, self.validated, number)

    def finish_sandwich(self, number: int, crossing: Crossing) -> Sandwich:
        """Return the exchange with those of inner applications; they have the same number."""
        # The innermost first: each gives the environ back that it was given.
        inner = [
            (call, self.write_down(call.recording, call.validated, number, call.boundary))
            for call in reversed(crossing.calls)
        ]
        return crossing.finish(self.finish(number), reversed(inner))

    def write_down(
        self,
        recording: Recording,
        validated: ValidatedApplication | None,
        number: int,
        boundary: str = "application",
    ) -> Exchange:
        """Return the Exchange of a recording, made at a boundary of this serving."""
        findings = validated.finish() if validated is not None else ()
        return recording.finish(
            probe=self.probe.name,
            request=name_request(self.request, self.site),
            number=number,
            boundary=boundary,
            reading=self.probe.reading,
            under_validator=self.validated is not None,
            request_body_length=len(self.request.body),
            validator_findings=tuple(map(keep_finding, findings)),
        )


def keep_finding(finding: Finding) -> ValidatorFinding:
    """Return a finding of the wrappers as a value of ours."""
    return ValidatorFinding(
        message=finding.message,
        check=finding.check,
        requirement=finding.requirement,
        strictness=finding.strictness,
        party=CHECKS[finding.check].party,
    )
