"""What the HTML page shows at a glance, as values: bars, the heat map, and reports side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_wsgi.rendering import LEVELS, count, list_layers
from pytest_wsgi.report.merging import name_reports
from pytest_wsgi.report.values import EXERCISED
from pytest_wsgi.report.verdicts import WORST_FIRST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pytest_wsgi.report.values import Report, RuleReport

ICONS = {
    "held": "✓",
    "broken": "✕",
    "known": "◆",
    "not exercised": "○",
    "blocked": "⊘",
    "harness error": "!",
    "absent": "·",
}
"""A sign for each verdict, so that none is told by its colour alone."""

SHADES = 4
"""How many strengths of a colour the cells of the heat map have."""


MOST_LAYERS = 10
"""How many of the layers that the subject names have a column."""

_TELLING = frozenset({*EXERCISED, "harness error"})
_BLAMED = ("broken", "known")


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A part of a bar: a verdict, how many rules have it, and where it lies, in percent."""

    verdict: str
    number: int
    start: float
    width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """The rules of one level by their verdicts."""

    level: str
    total: int
    segments: tuple[Segment, ...]

    @property
    def text(self) -> str:
        """The counts in words."""
        parts = ", ".join(f"{part.number} {part.verdict}" for part in self.segments)
        return ", ".join(
            filter(None, (f"{self.level.upper()}: {count(self.total, 'rule')}", parts))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A cell of a table: the worst verdict in it, how strong it is shown, and what it says."""

    verdict: str
    text: str = ""
    shade: int = SHADES
    target: str = ""

    @property
    def icon(self) -> str:
        """The sign of the verdict."""
        return ICONS[self.verdict]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of a table. `differs` tells whether the subjects in its cells disagree."""

    name: str
    cells: tuple[Cell, ...]
    target: str = ""
    differs: bool = False
    about: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table with its columns' heads."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def make_bars(report: Report) -> tuple[Bar, ...]:
    """Return a bar for each level."""
    return tuple(make_bar(level, report) for level in LEVELS)


def make_bar(level: str, report: Report) -> Bar:
    """Return the bar of one level; harness errors are a part of it, as they prove nothing."""
    totals = dict(report.totals[level])
    totals["harness error"] = sum(rule.level == level for rule in report.harness_errors)
    total = sum(totals.values())
    segments, start = [], 0
    for verdict in ("held", "known", "broken", "harness error", "not exercised", "blocked"):
        number = totals[verdict]
        if number:
            left, right = 100 * start / total, 100 * (start + number) / total
            segments.append(
                Segment(
                    verdict=verdict,
                    number=number,
                    start=round(left, 2),
                    width=round(right - left, 2),
                )
            )
            start += number
    return Bar(level=level, total=total, segments=tuple(segments))


def make_heat_map(report: Report, link: Callable[[str], str]) -> Table:
    """Return the table of areas by roles, and by the layers of a wrapped application."""
    parties = list(dict.fromkeys(rule.party for rule in report.rules))
    layers = list_all_layers(report)
    rows = []
    for area in list_areas(report.rules):
        rules = [rule for rule in report.rules if rule.area == area]
        cells = [sum_up([rule for rule in rules if rule.party == party]) for party in parties]
        cells += [blame([rule for rule in rules if layer in list_layers(rule)]) for layer in layers]
        rows.append(Row(name=area, cells=tuple(cells), target=link(area)))
    return Table(columns=(*parties, *(f"layer {layer}" for layer in layers)), rows=tuple(rows))


def list_all_layers(report: Report) -> list[str]:
    """Return the layers of a wrapped application, the outermost first; then others with blame."""
    told = report.subject.facts.get("layers", "").split(" > ")[:MOST_LAYERS]
    blamed = (layer for rule in report.rules for layer in list_layers(rule))
    return list(dict.fromkeys(filter(None, (*told, *blamed))))


def list_areas(rules: Iterable[RuleReport]) -> list[str]:
    """Return the areas in the order in which they come first."""
    return list(dict.fromkeys(rule.area for rule in rules))


def sum_up(rules: Sequence[RuleReport]) -> Cell:
    """Return a cell that says how many of some rules held, or are broken, of how many."""
    if not rules:
        return Cell(verdict="absent", text="no rule", shade=0)
    worst = choose_worst(rule.verdict for rule in rules)
    number = sum(rule.verdict == worst for rule in rules)
    return Cell(
        verdict=worst,
        text=f"{number}/{len(rules)} {worst}",
        shade=-(-SHADES * number // len(rules)),
    )


def choose_worst(verdicts: Iterable[str]) -> str:
    """Return the verdict that a cell shows; what was not exercised only where nothing was."""
    return min(verdicts, key=[*WORST_FIRST, "absent"].index)


def blame(rules: Sequence[RuleReport]) -> Cell:
    """Return a cell that says for how many broken and known rules a layer is to blame."""
    if not rules:
        return Cell(verdict="absent", text="no blame", shade=0)
    numbers = {verdict: sum(rule.verdict == verdict for rule in rules) for verdict in _BLAMED}
    text = ", ".join(f"{number} {verdict}" for verdict, number in numbers.items() if number)
    return Cell(verdict="broken" if numbers["broken"] else "known", text=text)


def compare_areas(reports: Sequence[Report]) -> Table:
    """Return the table of areas by subjects."""
    areas = list_areas(rule for report in reports for rule in report.rules)
    rows = []
    for area in areas:
        cells = tuple(
            sum_up([rule for rule in report.rules if rule.area == area]) for report in reports
        )
        rows.append(Row(name=area, cells=cells, differs=differ(cells)))
    return Table(columns=tuple(name_reports(reports)), rows=tuple(rows))


def compare_rules(reports: Sequence[Report], link: Callable[[int, str], str]) -> Table:
    """Return the table of rules by subjects; `link` makes the address of a rule in a report."""
    by_id = [{rule.id: rule for rule in report.rules} for report in reports]
    names = {rule.id: rule for report in reversed(reports) for rule in report.rules}
    ordered = dict.fromkeys(rule.id for report in reports for rule in report.rules)
    rows = []
    for name in ordered:
        cells = tuple(
            Cell(verdict="absent", text="absent")
            if name not in rules
            else Cell(
                verdict=rules[name].verdict,
                text=rules[name].verdict,
                target=link(number, name) if rules[name].verdict == "broken" else "",
            )
            for number, rules in enumerate(by_id)
        )
        rows.append(
            Row(name=name, cells=cells, differs=differ(cells), about=names[name].level.upper())
        )
    return Table(columns=tuple(name_reports(reports)), rows=tuple(rows))


def differ(cells: Sequence[Cell]) -> bool:
    """Tell whether subjects that exercised the same have different verdicts."""
    return len({cell.verdict for cell in cells} & _TELLING) > 1
