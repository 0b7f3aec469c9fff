"""Renders reports as one HTML page that needs nothing else: no network, no script.

Jinja2 escapes whatever is put in, after it was made printable here. The page's own policy forbids
every script and every request, should that ever fail. What would make the page too large is cut.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from pytest_wsgi.rendering import count, cut, group_by_reason, printable, sort_by_level
from pytest_wsgi.rendering.html_changes import view_changes
from pytest_wsgi.rendering.html_overview import (
    ICONS,
    compare_areas,
    compare_rules,
    make_bars,
    make_heat_map,
)
from pytest_wsgi.rendering.html_rules import group_by_area, list_ledger, view_rule
from pytest_wsgi.report.merging import flatten, name_reports
from pytest_wsgi.report.values import fails

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_wsgi.report.values import Report, RuleReport

ROOM = 1_200_000
"""How many bytes all findings together may take that are told in full; the rest is told shortly."""

MOST_FILES = 500
"""How many of the user's files are listed with what was reached of them."""

LONGEST = 2000
"""How many characters any text has at most."""

FIXED = ("top", "main", "overview", "overview-title", "only-different")
"""The places that every page names itself; within a subject such names have two hyphens."""

_UNFIT = re.compile(r"[^a-z0-9]+")
_PACKAGE = "pytest_wsgi.rendering"


@dataclass
class Anchors:
    """Gives out names for places in the page, each one once."""

    taken: set[str] = field(default_factory=set)

    def take(self, text: str) -> str:
        """Return a name that is made of a text and that nothing else has."""
        base = cut(_UNFIT.sub("-", text.lower()).strip("-"), 80).rstrip(".") or "place"
        name, number = base, 1
        while name in self.taken:
            number += 1
            name = f"{base}-{number}"
        self.taken.add(name)
        return name


@dataclass
class Room:
    """How many bytes are left for findings that are told in full."""

    left: int = ROOM

    def take(self, text: Markup) -> bool:
        """Take the room for a text; false, and nothing is taken, where it does not fit."""
        size = len(text.encode("utf-8"))
        if size > self.left:
            return False
        self.left -= size
        return True


def render_html(reports: Sequence[Report]) -> str:
    """Return the page for one or several reports, with a newline at its end."""
    anchors, room = Anchors(set(FIXED)), Room()
    names = name_reports(reports)
    parts = [
        prepare(report, name, anchors, room, prefix=f"s{number}-" if number > 1 else "")
        for number, (report, name) in enumerate(zip(reports, names, strict=True), start=1)
    ]
    style = Markup(load_style())  # noqa: S704 # our own file
    page = (
        load_templates()
        .get_template("page.html.j2")
        .render(
            title=choose_title(names),
            parts=parts,
            proof=next((report.proof for report in reports if report.proof), None),
            overview=prepare_overview(reports, parts) if len(reports) > 1 else None,
            style=style,
            style_hash=hash_style(style),
        )
    )
    return page.rstrip("\n") + "\n"


def choose_title(names: Sequence[str]) -> str:
    """Return the title of the page."""
    return f"WSGI conformance of {names[0] if len(names) == 1 else count(len(names), 'subject')}"


@cache
def load_templates() -> Environment:
    """Return the templates; every text in them is made printable, then escaped."""
    environment = Environment(
        loader=PackageLoader(_PACKAGE),
        autoescape=True,
        auto_reload=False,
        undefined=StrictUndefined,
        finalize=make_printable,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(icons=ICONS, count=count, most_files=MOST_FILES)
    return environment


def make_printable(value: Any) -> Any:
    """Return a text without characters that cannot be seen, but line breaks; others as they are."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return "\n".join(printable(cut(line, LONGEST)) for line in value.split("\n"))


def load_style() -> str:
    """Return the style sheet of the page."""
    return files(_PACKAGE).joinpath("templates/style.css").read_text(encoding="utf-8")


def hash_style(style: str) -> str:
    """Return the hash by which the page's policy allows its own style sheet and no other style."""
    digest = hashlib.sha256(style.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"


def prepare(
    report: Report, name: str, anchors: Anchors, room: Room, *, prefix: str
) -> dict[str, Any]:
    """Return what the template of one subject is given."""
    places = {area: anchors.take(f"{prefix}area-{area}") for area in areas_of(report)}
    told = sort_by_level(rule for rule in report.rules if rule.verdict == "broken")
    known = sort_by_level(rule for rule in report.rules if rule.verdict == "known")
    named = [(rule, anchors.take(f"{prefix}{rule.id}")) for rule in (*told, *known)]
    links = {rule.id: anchor for rule, anchor in reversed(named)}
    texts = [render_rule(rule, report, anchor, room) for rule, anchor in named]
    return {
        "anchor": anchors.take(f"{prefix}subject"),
        "prefix": anchors.take(f"{prefix}part"),
        "name": name,
        "report": report,
        "state": choose_state(report),
        "bars": make_bars(report),
        "heat": make_heat_map(report, places.__getitem__),
        "links": links,
        "broken": texts[: len(told)],
        "known": texts[len(told) :],
        "changes": view_changes(report, links),
        "unexercised": list_reasons(report, "not exercised"),
        "blocked": list_reasons(report, "blocked"),
        "areas": group_by_area(report, places.__getitem__, links),
        "ledger": list_ledger(report),
        "environment": flatten(report.environment),
    }


def areas_of(report: Report) -> list[str]:
    """Return the areas of a report's rules."""
    return list(dict.fromkeys(rule.area for rule in report.rules))


def choose_state(report: Report) -> str:
    """Return the verdict that stands for a whole report: its colour and its sign."""
    if report.broken("must"):
        return "broken"
    if report.harness_errors:
        return "harness error"
    if not report.is_proven or not report.totals["must"]["held"]:
        return "not exercised"
    return "known" if fails(report, strict=True) else "held"


def list_reasons(report: Report, verdict: str) -> list[tuple[str, list[RuleReport]]]:
    """Return the rules of a verdict by the reasons for it."""
    return group_by_reason(rule for rule in report.rules if rule.verdict == verdict)


def render_rule(rule: RuleReport, report: Report, anchor: str, room: Room) -> Markup:
    """Return what is told of a rule: all of it while there is room, else the most important."""
    view = view_rule(rule, report.subject, anchor)
    templates = load_templates()
    full = Markup(templates.get_template("rule.html.j2").render(view=view))  # noqa: S704 # escaped by the template
    if room.take(full):
        return full
    return Markup(templates.get_template("short.html.j2").render(view=view))  # noqa: S704 # as above


def prepare_overview(reports: Sequence[Report], parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return what the template of the comparison is given."""

    def link(number: int, rule: str) -> str:
        return str(parts[number]["links"].get(rule, ""))

    return {
        "areas": compare_areas(reports),
        "rules": compare_rules(reports, link),
    }
