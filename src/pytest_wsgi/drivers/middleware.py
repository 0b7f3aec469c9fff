"""Plays the other side of a middleware: stands behind it, while the strict server stands before it.

Both boundaries are recorded into one log. The driver of applications asks; what is asked for names
the script that the application behind plays.
"""

from __future__ import annotations

from dataclasses import dataclass
from threading import get_ident
from typing import TYPE_CHECKING, Any

from pytest_wsgi.recorder import Recording
from pytest_wsgi.sandwich import Sandwich, Step
from pytest_wsgi.scripts import SCRIPTS
from wsgiref_validate_wrappers import wrap

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pytest_wsgi.drivers.guard import Guard
    from pytest_wsgi.exchange import Exchange
    from wsgiref_validate_wrappers import ValidatedApplication


class Tape(list[tuple[Any, ...]]):
    """The log of one recording, which also enters its events into the order of all."""

    def __init__(self, order: list[Tape]) -> None:
        super().__init__()
        self.order = order

    def append(self, entry: tuple[Any, ...], /) -> None:
        """Append an entry."""
        super().append(entry)
        self.order.append(self)


@dataclass(frozen=True, slots=True)
class Call:
    """A call of an inner application: its recording with its tape, and what is around it, if any.

    `boundary` names the one that it was recorded at.
    """

    recording: Recording
    tape: Tape
    validated: ValidatedApplication | None
    boundary: str


class Crossing:
    """What crosses to inner applications while one outer exchange is served."""

    def __init__(self, outer: Recording, script: str, *, under_validator: bool) -> None:
        self.script = script
        self.under_validator = under_validator
        self.order: list[Tape] = []
        self.tape = outer.log = Tape(self.order)
        self.calls: list[Call] = []

    def call(
        self, application: Any, boundary: str, arguments: tuple[Any, Any], shape: tuple[Any, ...]
    ) -> Any:
        """Call an inner application and record it, at a boundary of that name."""
        recording = Recording(application, is_behind=True)
        recording.log = tape = Tape(self.order)
        validated = wrap(recording) if self.under_validator else None
        self.calls.append(Call(recording, tape, validated, boundary))
        if validated is not None:
            return validated(*arguments)
        return recording(*arguments, shape=shape)

    def finish(self, outer: Exchange, inner: Iterable[tuple[Call, Exchange]]) -> Sandwich:
        """Return the value, of the exchanges that the recordings were made into."""
        pairs = tuple(inner)
        exchanges = {id(call.tape): exchange for call, exchange in pairs}
        return Sandwich(
            probe=outer.probe,
            script=self.script,
            outer=outer,
            inner=tuple(exchange for _, exchange in pairs),
            steps=tuple(merge(self.order, {id(self.tape): outer, **exchanges}, outer)),
        )


def merge(
    order: Iterable[Tape], exchanges: Mapping[int, Exchange], outer: Exchange
) -> Iterator[Step]:
    """Yield the events of all exchanges, by the ids of their tapes, in the order of their entries.

    A thread that was left behind may still call, and go on writing: that is passed over.
    """
    left = {name: iter(exchange.events) for name, exchange in exchanges.items()}
    for tape in tuple(order):
        event = next(left.get(id(tape), iter(())), None)
        if event is not None:
            exchange = exchanges[id(tape)]
            yield Step(exchange, event, exchange is not outer)


class Crossings:
    """The crossings that are open, by the outer recording. `guard` is that of the run, if any."""

    def __init__(self) -> None:
        self.guard: Guard | None = None
        self.open: dict[int, Crossing] = {}
        self.latest: Crossing | None = None

    def expect(self, outer: Recording, script: str, *, under_validator: bool) -> None:
        """Prepare for what happens while `outer` is recorded."""
        crossing = Crossing(outer, script, under_validator=under_validator)
        self.open[id(outer)] = self.latest = crossing

    def forget(self, outer: Recording) -> Crossing:
        """End what `expect` began, and return it."""
        return self.open.pop(id(outer))

    def find(self) -> Crossing | None:
        """Return the crossing of the exchange that this thread serves, else the latest one.

        A middleware may call its application in a thread of its own. There is none while nothing is
        driven.
        """
        if self.guard is None:
            return None
        outer = self.guard.serving.get(get_ident())
        return self.open.get(id(outer), self.latest)


class Inner:
    """The application that a middleware under test is put around; it plays scripts.

    `seen` are the scripts that were played. While nothing is driven it is a page, unrecorded.
    """

    def __init__(self) -> None:
        self.crossings = Crossings()
        self.seen: set[str] = set()

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        """Play the script of the exchange that is served now, and record it."""
        arguments = bind(args, keywords)
        crossing = self.crossings.find()
        if crossing is None:
            return SCRIPTS["page"].run(*arguments)
        self.seen.add(crossing.script)
        shape = (len(args) + len(keywords), tuple(keywords))
        return crossing.call(SCRIPTS[crossing.script].run, "inner", arguments, shape)


def bind(args: tuple[Any, ...], keywords: dict[str, Any]) -> tuple[Any, Any]:
    """Return the two arguments of an application; raises TypeError for any others."""
    named = [keywords[name] for name in ("environ", "start_response") if name in keywords]
    if len(args) + len(keywords) != 2 or len(named) != len(keywords):  # noqa: PLR2004 # environ and start_response
        raise TypeError("an application takes environ and start_response, by position")
    environ, start_response = (*args, *named)
    return environ, start_response
