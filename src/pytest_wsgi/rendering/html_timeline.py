"""The picture of an exchange on the HTML page: who takes part, and what crossed between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_wsgi.report.values import FindingReport, Subject, TimelineEvent

MOST_LANES = 10
"""How many lanes a picture has; the style sheet has places for so many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrow:
    """An event as an arrow: `left` is its left lane, `width` how many lanes further it goes."""

    event: TimelineEvent
    left: int
    width: int
    is_back: bool


def name_lanes(finding: FindingReport, subject: Subject) -> tuple[str, ...]:
    """Return who takes part, from the server inwards; two where the report does not tell."""
    if finding.lanes:
        return finding.lanes[:MOST_LANES]
    events = finding.timeline
    if any("inner application" in (event.source, event.target) for event in events):
        return "middleware", "inner application"
    return "server", "middleware" if subject.kind == "middleware" else "application"


def draw_arrows(events: Sequence[TimelineEvent], lanes: Sequence[str]) -> tuple[Arrow, ...]:
    """Return the arrows between the lanes; none where there are not two."""
    return tuple(draw_arrow(event, lanes) for event in events) if len(lanes) > 1 else ()


def draw_arrow(event: TimelineEvent, lanes: Sequence[str]) -> Arrow:
    """Return an event as an arrow; a name that no lane has stands for the last one."""
    places = {name: place for place, name in reversed(list(enumerate(lanes)))}
    last = len(lanes) - 1
    source, target = places.get(event.source, last), places.get(event.target, last)
    left = min(source, target, last - 1)
    return Arrow(
        event=event,
        left=left,
        width=max(source, target, left + 1) - left,
        is_back=source >= target,
    )
