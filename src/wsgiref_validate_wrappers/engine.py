"""Wraps an application in `wsgiref.validate.validator` and notes what it says as findings.

Here live the wrapped application and the shims that stand before and behind the validator. What a
message means is in `checks`; how it is overheard, in `hearing`.

The order of things in one call, from the server inwards: `ValidatedApplication`, `_Call`, the
validator, `_Call` again, the application. The outer shim gives the validator stand-ins for what it
would needlessly repr(); the inner one gives the application the real things.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

from wsgiref_validate_wrappers import stand_ins
from wsgiref_validate_wrappers.checks import UNCLOSED
from wsgiref_validate_wrappers.hearing import hear_trip, validator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import TracebackType

    from wsgiref_validate_wrappers.checks import Check, Strictness

__all__ = ["Finding", "ValidatedApplication", "unsupported", "wrap"]

_LONGEST_MESSAGE = 500  # characters: a message may quote what the application hands over


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that wsgiref.validate said.

    `check` is a key of `CHECKS`; `requirement` is the id of a requirement of the catalogue. With
    strictness "stricter" a lawful program can cause it: advice, not a violation.
    """

    message: str
    check: str
    requirement: str
    strictness: Strictness


def wrap(
    application: Callable[..., Any], report: Callable[[Finding], object] | None = None
) -> ValidatedApplication:
    """Return the application with wsgiref.validate around it.

    `report` is called with every finding at once, in the thread that causes it; it must not raise.
    Wrapping costs microseconds: to know the findings of one call, wrap once per call.
    """
    return ValidatedApplication(application, report)


def unsupported(environ: Mapping[Any, Any]) -> str | None:
    """Say why wsgiref.validate cannot judge this environ, or return None if it can.

    Lawful environs are meant: PEP 3333, "environ Variables", lets a server omit an empty
    SCRIPT_NAME or PATH_INFO. Called nevertheless, a `ValidatedApplication` goes on with a finding
    "crashed", and the rest of the environ is not checked.
    """
    for key in ("SCRIPT_NAME", "PATH_INFO"):
        if key not in environ:
            return f"wsgiref.validate fails with a KeyError when the environ has no {key}"
    return None


@final
class ValidatedApplication:
    """A WSGI application inside wsgiref.validate, and what was found so far.

    It is called as any application, by any number of threads, also interleaved. What the PEP
    itself forbids raises at the guilty party what wsgiref.validate raises: an AssertionError, whose
    str() is the message of its finding, or where the validator only trips (see `Check.raises`) one
    of these. What only wsgiref.validate forbids is noted and let through. The application's own
    exceptions pass unchanged.

    As in the standard library, the iterable that comes back has no `__len__`, is its own iterator
    and is never a file wrapper; wsgi.input and wsgi.errors have only the methods of the PEP, so
    that the use of any other is an AttributeError in the application, and no finding.
    """

    __slots__ = ("_application", "_findings", "_open", "_report")

    def __init__(
        self, application: Callable[..., Any], report: Callable[[Finding], object] | None
    ) -> None:
        self._application = application
        self._report = report
        self._findings: list[Finding] = []
        self._open: set[_Call] = set()

    def __call__(self, *args: Any, **kwargs: Any) -> _Blocks:
        """Call the application with (environ, start_response), and return its iterable.

        Any other arguments are a finding, and an AssertionError.
        """
        call = _Call(self)
        blocks = call.run(self._application, args, kwargs)
        self._open.add(call)
        return blocks

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All findings so far, in order; within one call the same finding comes once."""
        return tuple(self._findings)

    def finish(self) -> tuple[Finding, ...]:
        """Note every iterable that was handed out and not closed; return all findings.

        Call it when all exchanges are over. Nothing waits for the garbage collector.
        """
        while self._open:
            self._open.pop().note(UNCLOSED, UNCLOSED.message)
        return self.findings

    def __enter__(self) -> ValidatedApplication:
        """Return self."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Finish."""
        self.finish()

    def _note(self, finding: Finding) -> None:
        self._findings.append(finding)
        if self._report is not None:
            self._report(finding)

    def _closed(self, call: _Call) -> None:
        self._open.discard(call)


class _Call:
    """One call of a ValidatedApplication: hears what the validator says about it."""

    __slots__ = ("_arguments", "_owner", "_said")

    def __init__(self, owner: ValidatedApplication) -> None:
        self._owner = owner
        self._said: set[Finding] = set()
        self._arguments: tuple[Any, ...] = ()

    @property
    def call(self) -> _Call:
        """Itself, so that the frames of its methods are known as its own."""
        return self

    def run(
        self, application: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> _Blocks:
        """Call the application behind the validator."""

        def inner(checked: dict[str, Any], validated: Callable[..., Any]) -> Any:
            environ = args[0]
            for key, attribute in (("wsgi.input", "input"), ("wsgi.errors", "errors")):
                stream = checked[key]
                setattr(stream, attribute, environ[key])
                stream.call = self
                environ[key] = stream

            def start_response(*args: Any, **kwargs: Any) -> Any:
                return self.start(validated, args, kwargs)

            return application(environ, start_response)

        def outer(*_: Any) -> Any:
            return args[1](*self._arguments)

        shown = args
        if len(args) == 2:  # noqa: PLR2004 - PEP 3333: an application takes two arguments
            shown = (stand_ins.stand_in_for_environ(args[0]), outer)
        try:
            return _Blocks(validator(inner)(*shown, **kwargs), self)
        except TypeError as error:
            hear_trip(error)
            raise

    def start(
        self, validated: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Call the validator's start_response, which calls `outer`, which has the real ones."""
        self._arguments = args
        try:
            write = validated(*stand_ins.stand_in_for_arguments(args), **kwargs)
        finally:
            self._arguments = ()  # exc_info holds frames, and they hold us
        write.call = self
        return write

    def note(self, check: Check, message: str) -> str:
        """Note a finding, once per call; return its message, of bounded length."""
        message = message[:_LONGEST_MESSAGE]
        finding = Finding(message, check.id, check.requirement, check.strictness)
        if finding not in self._said:
            self._said.add(finding)
            self._owner._note(finding)  # noqa: SLF001 - a call is a part of its application
        return message

    def closed(self) -> None:
        """Note that the server closed the iterable."""
        self._owner._closed(self)  # noqa: SLF001 - a call is a part of its application


class _Blocks:
    """The iterable that the server gets: the validator's own, watched for its close()."""

    __slots__ = ("_checked", "call")

    def __init__(self, checked: Any, call: _Call) -> None:
        self._checked = checked
        self.call = call
        checked.iterator = map(stand_ins.stand_in_for_block, checked.iterator)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        started = self._checked.check_start_response
        block: bytes = next(self._checked)
        if not started:
            # A b'' was let through. The question stays open for the blocks after it.
            self._checked.check_start_response = started
        return block

    def close(self) -> None:
        self.call.closed()
        self._checked.close()
