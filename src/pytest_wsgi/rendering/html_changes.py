"""What the HTML page tells of the changes since the baseline, as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_wsgi.report.values import Change, Report

_TITLES = {
    "new": ("broken", "New"),
    "expired": ("broken", "Expired"),
    "unexplained": ("broken", "No reason yet"),
    "known": ("known", "Known"),
    "fixed": ("held", "Fixed, still listed"),
    "not exercised": ("not exercised", "Not exercised"),
}
"""By what came of a finding: the verdict whose colour and sign it has, and what it is called."""

_CHANGES = frozenset({"new", "expired", "unexplained", "fixed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRow:
    """A change with how it is shown, and the place where its rule is told, if it is."""

    change: Change
    verdict: str
    title: str
    target: str
    dates: tuple[str, ...]

    @property
    def is_change(self) -> bool:
        """Whether it is not as the baseline says."""
        return self.change.state in _CHANGES


def view_changes(report: Report, links: Mapping[str, str]) -> tuple[ChangeRow, ...]:
    """Return a row for each finding of the baseline and each new one, what changed first.

    `links` are the places of the rules.
    """
    changes = report.standing.changes if report.standing else ()
    rows = [view_change(change, links.get(change.rule, "")) for change in changes]
    return tuple(sorted(rows, key=lambda row: not row.is_change))


def view_change(change: Change, target: str) -> ChangeRow:
    """Return a change as it is shown."""
    verdict, title = _TITLES.get(change.state, ("not exercised", change.state))
    dates = (("since", change.first_seen), ("until", change.expires), ("", change.issue))
    return ChangeRow(
        change=change,
        verdict=verdict,
        title=title,
        target=target,
        dates=tuple(f"{name} {text}".strip() for name, text in dates if text),
    )
