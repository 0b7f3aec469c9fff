"""Shows findings on the way of their request through a middleware, or through several layers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_wsgi.exchange import Closed, ErrorsUsed, InputUsed, StartResponse, Write
from pytest_wsgi.sandwich import Passage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pytest_wsgi.catalogue import Finding
    from pytest_wsgi.exchange import Event, Exchange
    from pytest_wsgi.judge import Verdict
    from pytest_wsgi.sandwich import Sandwich

MIDDLEWARE = ("server", "middleware", "inner application")
"""Who takes part where a middleware is judged."""

_BY_CALLEE = (StartResponse, Write, InputUsed, ErrorsUsed)
"""What an application calls of its server: what comes of it further out happens within that."""

_Crossed = tuple[int, int, "Event"]


def show_passages(verdict: Verdict, sandwiches: Iterable[Sandwich]) -> Verdict:
    """Return a verdict over a middleware whose findings tell the way through it."""
    if not verdict.findings:
        return verdict
    found = {
        id(exchange): sandwich
        for sandwich in sandwiches
        for exchange in (sandwich.outer, *sandwich.inner)
    }
    ways: dict[int, tuple[_Crossed, ...]] = {}
    findings = tuple(show_passage(finding, found, ways) for finding in verdict.findings)
    return replace(verdict, findings=findings)


def show_passage(
    finding: Finding, sandwiches: Mapping[int, Sandwich], ways: dict[int, tuple[_Crossed, ...]]
) -> Finding:
    """Return a finding with its way through the middleware; `sandwiches` are by their exchanges.

    `ways` holds those that are known: a thousand findings may be about one request.
    """
    sandwich = sandwiches.get(id(finding.exchange))
    if sandwich is None:
        return finding
    if id(sandwich) not in ways:
        steps = sandwich.steps
        ways[id(sandwich)] = unfold(
            (1, 2, step.event) if step.is_inner else (0, 1, step.event) for step in steps
        )
    return replace(finding, passage=Passage(MIDDLEWARE, ways[id(sandwich)], finding.at))


def pass_layers(
    sandwich: Sandwich, names: Sequence[str], callers: Mapping[int, int], finding: Finding
) -> Passage:
    """Return the way of a request through the layers of a wrapped application.

    `names` are those of the layers, the outermost one first; each stands behind the boundary of its
    number, and `callers` tells which one calls it there. Layers that were not called are left out.
    """
    crossed = [
        (callers[number] + 1, number + 1, step.event)
        for step in sandwich.steps
        for number in [find_number(sandwich, step.exchange)]
    ]
    lanes = sorted({0, *(callee for _, callee, _ in crossed)})
    places = {lane: place for place, lane in enumerate(lanes)}
    return Passage(
        lanes=tuple(number_alike(["server", *(names[lane - 1] for lane in lanes[1:])])),
        crossed=unfold((places[one], places[other], event) for one, other, event in crossed),
        at=finding.at,
    )


def unfold(crossed: Iterable[_Crossed]) -> tuple[_Crossed, ...]:
    """Return events in the order in which the calls began; they come in that of their ends.

    A call of start_response that a layer makes within one of its own is there before that one.
    """
    runs: list[list[_Crossed]] = []
    for one in crossed:
        if runs and is_around(one, runs[-1][-1]):
            runs[-1].append(one)
        else:
            runs.append([one])
    return tuple(one for run in runs for one in reversed(run))


def is_around(later: _Crossed, earlier: _Crossed) -> bool:
    """Tell whether the later event is a call, and the earlier one a like call within it."""
    if type(later[2]) is not type(earlier[2]):
        return False
    if isinstance(later[2], Closed):
        return later[1] == earlier[0]
    return isinstance(later[2], _BY_CALLEE) and later[0] == earlier[1]


def find_number(sandwich: Sandwich, exchange: Exchange) -> int:
    """Return the number of the boundary that an exchange was recorded at; 0 is the outermost."""
    return 0 if exchange is sandwich.outer else int(exchange.boundary)


def number_alike(names: Sequence[str]) -> list[str]:
    """Return the names, with a number at those that came before."""
    counts = (names[: place + 1].count(name) for place, name in enumerate(names))
    return [
        name if count == 1 else f"{name} {count}" for name, count in zip(names, counts, strict=True)
    ]
