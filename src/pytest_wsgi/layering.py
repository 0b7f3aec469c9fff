"""Which layer of a wrapped application is to blame: every boundary between them is recorded.

The battery is driven once more for that. A layer is to blame for
what is wrong outside of it, and well in what it calls.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pytest_wsgi.catalogue import Level
from pytest_wsgi.drivers.application import drive
from pytest_wsgi.drivers.middleware import Crossings
from pytest_wsgi.exchange import Called, Conversation, Loading
from pytest_wsgi.judge import judge
from pytest_wsgi.launches import LayerFault
from pytest_wsgi.loading.boundaries import name_layer
from pytest_wsgi.matter import list_behind, list_subjects
from pytest_wsgi.passages import find_number, pass_layers
from pytest_wsgi.sandwich import Sandwich, Step
from pytest_wsgi.showing import show

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from pytest_wsgi.catalogue import AnyRule, Finding
    from pytest_wsgi.drivers.application import Battery, Terms
    from pytest_wsgi.exchange import Exchange
    from pytest_wsgi.judge import Subject, Verdict
    from pytest_wsgi.loading.boundaries import Boundary
    from pytest_wsgi.probes import Probe
    from pytest_wsgi.sandwich import Passage

_NO_VALIDATOR = "its findings are known"


class StandIn:
    """Is called in place of an inner application, records that, and has all of its attributes."""

    def __init__(self, crossings: Crossings, boundary: Boundary, number: int) -> None:
        self._crossings = crossings
        self._inner = boundary.inner
        self._number = number

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Call the inner application, recorded while something is driven."""
        crossing = self._crossings.find()
        if crossing is None:
            return self._inner(environ, start_response)
        return crossing.call(self._inner, str(self._number), (environ, start_response), ())

    def __getattr__(self, name: str) -> Any:
        """Return an attribute of the inner application."""
        return getattr(self._inner, name)


@dataclass(frozen=True, slots=True)
class Layered:
    """What came of driving a wrapped application with a recorder at each of its boundaries.

    `layers` holds what the application rules judge at each boundary, the outermost one first: that
    is the application's own, and has no number in `boundaries`.
    """

    application: Any
    boundaries: Sequence[Boundary]
    battery: Battery
    layers: Sequence[Sequence[Subject]]
    root: Path

    def find_culprit(self, rule: AnyRule) -> tuple[int, Sequence[Finding]] | None:
        """Return the number of the layer that is to blame for a broken rule, and what it did.

        None where the rule is not broken this time.
        """
        found = [judge([rule], subjects)[0].findings for subjects in self.layers]
        if not found[0]:
            return None
        culprit = find_culprit(self.application, self.boundaries, list(map(bool, found)))
        number = next(n for n, layer in enumerate(self.list_layers()) if layer is culprit)
        return number, found[number]

    def list_layers(self) -> list[Any]:
        """Return all layers, the outermost one first; each has the number of its boundary."""
        return [self.application, *(boundary.inner for boundary in self.boundaries)]

    def find_passage(self, finding: Finding, findings: Iterable[Finding]) -> Passage | None:
        """Return the way of the request of a finding, with what the culprit did on it.

        `findings` are those at the culprit's boundary. None where that was another request.
        """
        alike = next((one for one in findings if is_same_request(one, finding)), None)
        sandwich = alike and find_sandwich(alike, self.battery.sandwiches)
        if not alike or not sandwich:
            return None
        layers = self.list_layers()
        names = [name_layer(layer, self.root).partition(",")[0] for layer in layers]
        callers = {0: -1} | {number: self.find_above(number) for number in range(1, len(layers))}
        return pass_layers(sandwich, names, callers, alike)

    def blame(self, verdict: Verdict) -> Verdict:
        """Return a verdict whose findings name the layer that is to blame, where it is broken."""
        rule = verdict.rule
        if verdict.outcome != "broken" or rule.subject is Loading or rule.under_validator:
            return verdict
        found = self.find_culprit(rule)
        if found is None:
            return verdict
        number, did = found
        layer = name_layer(self.list_layers()[number], self.root)
        # A thousand findings may be about one request.
        requests = {id(finding.exchange): finding for finding in reversed(verdict.findings)}
        ways = {request: self.find_passage(finding, did) for request, finding in requests.items()}
        findings = tuple(
            replace(finding, layer=layer, passage=ways[id(finding.exchange)])
            for finding in verdict.findings
        )
        return replace(verdict, findings=findings)

    def name_all(self) -> str:
        """Return the names of all layers, the outermost one first."""
        return " > ".join(name_layer(layer, self.root) for layer in self.list_layers())

    def list_faults(self, rules: Iterable[AnyRule]) -> tuple[LayerFault, ...]:
        """Return which MUSTs of the rules over a middleware the layers break.

        A layer above an application that breaks a MUST itself is not judged: it may have to do as
        it does. Nor is one for what the layer above it does to it, which it only hands on.
        """
        musts = [rule for rule in rules if rule.level is Level.MUST]
        numbers = range(1, len(self.boundaries) + 1)
        broken = {number: self.list_broken(musts, number) for number in numbers}
        return tuple(
            describe_fault(verdict, name_layer(self.boundaries[number - 1].outer, self.root))
            for number in numbers
            if not breaks_any(musts, self.layers[number])
            for name, verdict in broken[number].items()
            if name not in broken.get(self.find_above(number), {})
        )

    def list_broken(self, rules: Iterable[AnyRule], number: int) -> dict[str, Verdict]:
        """Return what the layer above a boundary breaks as a middleware, by the rules' ids."""
        verdicts = judge(rules, list_behind(self.cut_out(number)))
        return {one.rule.id: one for one in verdicts if one.outcome == "broken"}

    def find_above(self, number: int) -> int:
        """Return the number of the boundary above the layer that is above this one."""
        outer = self.boundaries[number - 1].outer
        above = (n for n, one in enumerate(self.boundaries, 1) if one.inner is outer)
        return next(above, 0)

    def cut_out(self, number: int) -> list[Sandwich]:
        """Return the sandwiches of the layer above a boundary."""
        above = self.find_above(number)
        return [
            part
            for sandwich in self.battery.sandwiches
            for part in cut_out(sandwich, above, number)
        ]


def describe_fault(verdict: Verdict, layer: str) -> LayerFault:
    """Return a broken rule as what a layer did."""
    finding = verdict.findings[0]
    return LayerFault(
        layer=layer,
        rule=verdict.rule.id,
        request=finding.exchange.request if finding.exchange else "",
        expected=finding.expected,
        observed=finding.observed if isinstance(finding.observed, str) else show(finding.observed),
    )


def drive_layers(
    application: Any,
    boundaries: Sequence[Boundary],
    probes: Iterable[Probe],
    terms: Terms,
    root: Path,
) -> Layered:
    """Drive an application once more, with a recorder at each of its boundaries.

    Layers are named with their places relative to `root`.
    """
    bare = [replace(probe, unsupported=_NO_VALIDATOR) for probe in probes]
    with record_layers(boundaries) as crossings:
        battery = drive(application, bare, terms, crossings)
    layers = [list_layer(battery, number) for number in range(len(boundaries) + 1)]
    return Layered(application, boundaries, battery, layers, root)


def list_layer(battery: Battery, number: int) -> list[Subject]:
    """Return what the application rules judge at a boundary; 0 is the outermost one."""
    behind = {id(sandwich.outer): sandwich.inner for sandwich in battery.sandwiches}

    def find(exchanges: Iterable[Exchange]) -> tuple[Exchange, ...]:
        if not number:
            return tuple(exchanges)
        return tuple(
            replace(inner, boundary="application")
            for exchange in exchanges
            for inner in behind.get(id(exchange), ())
            if inner.boundary == str(number)
        )

    talks = []
    baseline: Exchange | None = None
    for talk in battery.conversations:
        exchanges = find(talk.exchanges)
        if exchanges:
            baseline = baseline or exchanges[0]
            talks.append(Conversation(probe=talk.probe, exchanges=exchanges, baseline=baseline))
    return list_subjects(talks)


def breaks_any(rules: Iterable[AnyRule], subjects: Iterable[Subject]) -> bool:
    """Tell whether one of the rules is broken by one of the subjects."""
    return any(verdict.outcome == "broken" for verdict in judge(rules, subjects))


def cut_out(sandwich: Sandwich, above: int, below: int) -> Iterator[Sandwich]:
    """Yield the sandwiches of one layer, between the boundaries `above` and `below`."""
    parents: dict[int, list[Exchange]] = {}
    latest = sandwich.outer
    for step in sandwich.steps:
        if isinstance(step.event, Called):
            if find_number(sandwich, step.exchange) == above:
                latest = step.exchange
                parents[id(latest)] = [latest]
            elif find_number(sandwich, step.exchange) == below:
                parents.setdefault(id(latest), [latest]).append(step.exchange)
    for outer, *inner in parents.values():
        parts = {id(one): replace(one, boundary="inner") for one in inner}
        yield Sandwich(
            probe=sandwich.probe,
            script="",
            outer=outer,
            inner=tuple(parts.values()),
            steps=tuple(
                Step(parts.get(id(step.exchange), outer), step.event, step.exchange is not outer)
                for step in sandwich.steps
                if step.exchange is outer or id(step.exchange) in parts
            ),
        )


def is_same_request(one: Finding, other: Finding) -> bool:
    """Tell whether two findings are about the same request of one probe."""
    if one.exchange is None or other.exchange is None:
        return False
    return (one.exchange.probe, one.exchange.request) == (
        other.exchange.probe,
        other.exchange.request,
    )


def find_sandwich(finding: Finding, sandwiches: Iterable[Sandwich]) -> Sandwich | None:
    """Return the sandwich of a finding's exchange, which may be a copy of the one in there."""
    first = finding.exchange.events[0] if finding.exchange and finding.exchange.events else None
    return next(
        (one for one in sandwiches if any(step.event is first for step in one.steps)),
        None,
    )


def find_culprit(application: Any, boundaries: Sequence[Boundary], guilty: Sequence[bool]) -> Any:
    """Return the innermost layer that breaks a rule, and does not only pass it on.

    `guilty` tells for each boundary whether the rule is broken there, that of `application` at 0.
    """
    layer = application
    while True:
        below = [
            boundary.inner
            for number, boundary in enumerate(boundaries, 1)
            if boundary.outer is layer and guilty[number]
        ]
        if not below:
            return layer
        layer = below[0]


@contextmanager
def record_layers(boundaries: Iterable[Boundary]) -> Iterator[Crossings]:
    """Put a stand-in at each boundary while the block runs."""
    crossings = Crossings()
    placed = []
    try:
        for number, boundary in enumerate(boundaries, 1):
            with suppress(Exception):  # it may be frozen, or check what it is given
                boundary.put(StandIn(crossings, boundary, number))
                placed.append(boundary)
        yield crossings
    finally:
        for boundary in placed:
            boundary.put(boundary.inner)
