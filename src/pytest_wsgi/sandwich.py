"""One request's way through a middleware: what crossed its outer boundary and its inner one.

A value like the exchanges that it is made of: nothing here can call back, and nothing behaves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_wsgi.exchange import Event, Exchange


@dataclass(frozen=True, slots=True)
class Step:
    """One event, and the exchange that it belongs to: the outer one or one of the inner ones."""

    exchange: Exchange
    event: Event
    is_inner: bool


@dataclass(frozen=True, slots=True, eq=False)
class Passage:
    """The way of one request through several parties, as a finding is shown on it.

    `lanes` names the parties, from the server inwards. Each of `crossed` is an event with the
    numbers of the lanes that it crossed between, the caller's first. `at` is the one of them that
    the finding is about.
    """

    lanes: tuple[str, ...]
    crossed: tuple[tuple[int, int, Event], ...]
    at: Event | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sandwich:
    """One outer exchange and the inner ones that the middleware made of it, none or several.

    `inner` are in the order of their calls; each one's `boundary` is "inner". `steps` are the
    events of all, in the order in which they happened. `script` names what the inner application
    does, one of `scripts.SCRIPTS`; it is empty where it is an application of the user's.
    An event of a call is there when the call is over, but Called, which is there at its begin.
    """

    probe: str
    script: str
    outer: Exchange
    inner: tuple[Exchange, ...] = ()
    steps: tuple[Step, ...] = ()

    def __repr__(self) -> str:
        """Name the sandwich without its contents, which may hold secrets."""
        return f"<Sandwich {self.outer.number} {self.probe}: {self.outer.request}>"
