"""Renders a badge: the count of MUSTs, never one score; as SVG and for an endpoint of shields.io.

The picture loads nothing from elsewhere, and says in its title and its text what its colour says.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from pytest_wsgi.rendering import count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_wsgi.report.values import Report

LABEL = "PEP 3333"

GOOD, BAD, UNKNOWN = "#1a7f37", "#b42318", "#57606a"
"""Colours on which white text can be read: its contrast is above 4.5 to 1."""

_DARK = "#24292f"
_HEIGHT, _PAD, _BASE = 20, 6, 14
_WIDTHS = {**dict.fromkeys(" ,.:;ijltfrI1", 5), **dict.fromkeys("MWmw", 10)}
_WIDTH = 7


@dataclass(frozen=True, slots=True)
class Badge:
    """What a badge says, in which colour."""

    message: str
    colour: str


def make_badge(reports: Sequence[Report]) -> Badge:
    """Return what the badge for one or several reports says, the worst first."""
    broken = sum(report.totals["must"]["broken"] for report in reports)
    unproven = sum(not report.is_proven for report in reports)
    if broken:
        return Badge(f"{count(broken, 'MUST')} broken", BAD)
    if unproven or not reports:
        subjects = f" for {unproven} of {len(reports)}" if unproven < len(reports) else ""
        return Badge(f"not proven{subjects}", UNKNOWN)
    totals = [report.totals["must"] for report in reports]
    held = sum(row["held"] for row in totals)
    total = sum(sum(row.values()) for row in totals) + sum(report.unjudged for report in reports)
    known = sum(row["known"] for row in totals)
    return Badge(
        f"{held} of {count(total, 'MUST')} held" + (f", {known} known" if known else ""),
        GOOD if held else UNKNOWN,
    )


def render_badge(reports: Sequence[Report]) -> str:
    """Return the badge as SVG, with a newline at the end."""
    badge = make_badge(reports)
    left, right = measure(LABEL), measure(badge.message)
    title = escape(f"{LABEL}: {badge.message}")
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="{_HEIGHT}" role="img" \
aria-label="{title}">
  <title>{title}</title>
  <rect width="{left}" height="{_HEIGHT}" fill="{_DARK}"/>
  <rect x="{left}" width="{right}" height="{_HEIGHT}" fill="{badge.colour}"/>
  <g fill="#fff" font-family="Verdana,DejaVu Sans,Geneva,sans-serif" font-size="11" \
aria-hidden="true">
    {write(LABEL, 0)}
    {write(badge.message, left)}
  </g>
</svg>
"""


def write(text: str, start: int) -> str:
    """Return a text of the picture; it has the width meant for it in any font."""
    width = measure(text) - 2 * _PAD
    return f'<text x="{start + _PAD}" y="{_BASE}" textLength="{width}">{escape(text)}</text>'


def measure(text: str) -> int:
    """Return about how many pixels wide the field for a text is."""
    return 2 * _PAD + sum(_WIDTHS.get(char, _WIDTH) for char in text)


def render_shields(reports: Sequence[Report]) -> str:
    """Return the badge as JSON for an endpoint badge of shields.io, version 1 of its schema."""
    badge = make_badge(reports)
    endpoint = {
        "schemaVersion": 1,
        "label": LABEL,
        "message": badge.message,
        "color": badge.colour,
        "labelColor": _DARK,
    }
    return json.dumps(endpoint, indent=2) + "\n"
