"""Which rules a run judges by, and how it reads the ambiguous points of the PEP."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from pytest_wsgi.ambiguities import READINGS, load_ambiguities
from pytest_wsgi.catalogue import CATALOGUE, Level
from pytest_wsgi.rules import load_rules

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pytest_wsgi.catalogue import AnyRule

INI = "ini option wsgi_ignore"
ADDOPTS = "addopts"
NEEDING_REASONS = (INI, ADDOPTS)
"""Where an ignored rule comes from that needs a reason: others will read the file."""


class SelectionError(Exception):
    """A rule is not there, a reason or a reading is missing; the message says what to write."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What the user asked for: ids and globs, with commas between them; empty means all.

    `ignore` holds pairs of origin and text, which may end in a colon and the reason. `reading` is
    one of READINGS, or empty for our own choice at each point.
    """

    select: tuple[str, ...] = ()
    ignore: tuple[tuple[str, str], ...] = ()
    reading: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The rules of a run by their ids, and the reasons of those that are ignored."""

    rules: Mapping[str, AnyRule]
    ignored: Mapping[str, str] = field(default_factory=dict)


def choose_rules(selection: Selection | None = None) -> Choice:
    """Return the rules that a run judges by. Raises SelectionError."""
    load_rules()
    selection = selection or Selection()
    if selection.reading not in {"", *READINGS}:
        raise SelectionError(
            f"--wsgi-reading takes {', '.join(READINGS)}, but was given {selection.reading!r}.\n"
            "Try: pytest --wsgi-app mysite.wsgi.application --wsgi-reading pep"
        )
    selected = set(match_ids(selection.select, "--wsgi-select") or CATALOGUE)
    ignored: dict[str, str] = {}
    for origin, text in selection.ignore:
        globs, _, reason = (part.strip() for part in text.partition(":"))
        names = match_ids([globs], origin)
        if origin in NEEDING_REASONS and not reason:
            raise SelectionError(ask_reason(origin, globs))
        ignored.update((name, reason) for name in names if name in selected)
    if not selected - set(ignored):
        raise SelectionError(
            "--wsgi-select and --wsgi-ignore leave no rule to judge by.\n"
            "Try: pytest --wsgi-app mysite.wsgi.application --wsgi-select 'status-*'"
        )
    return Choice(
        rules={
            name: read_as(rule, selection.reading)
            for name, rule in CATALOGUE.items()
            if name in selected and name not in ignored
        },
        ignored=ignored,
    )


def match_ids(texts: Iterable[str], origin: str) -> list[str]:
    """Return the ids that the globs match, each of which must match one."""
    found: list[str] = []
    for glob in filter(None, (part.strip() for text in texts for part in text.split(","))):
        names = [name for name in CATALOGUE if fnmatchcase(name, glob)]
        if not names:
            raise SelectionError(describe_unknown(glob, origin))
        found += names
    return found


def describe_unknown(glob: str, origin: str) -> str:
    """Return the message for an id or a glob that no rule answers to."""
    near = get_close_matches(glob, CATALOGUE, 3, 0.5)
    hint = f" Did you mean: {', '.join(near)}?" if near else ""
    advice = (
        f"--wsgi-explain {near[0]}"
        if near
        else "--wsgi-app mysite.wsgi.application --collect-only -q, which lists all rules"
    )
    return f"{origin}: no rule is called {glob!r}.{hint}\nTry: pytest {advice}"


def ask_reason(origin: str, globs: str) -> str:
    """Return the message for an ignored rule without a reason."""
    reasoned = f"{globs}: why this is right here"
    form = f"--wsgi-ignore '{reasoned}'" if origin == ADDOPTS else f"wsgi_ignore = {reasoned}"
    return (
        f"{origin}: {globs} has no reason, and who reads the file later will want it.\n"
        f"Write: {form}   (in pyproject.toml as a list of quoted texts)"
    )


def read_as(rule: AnyRule, reading: str) -> AnyRule:
    """Return a rule with the level that it has under a reading; an empty one changes nothing."""
    if not reading or not rule.ambiguity:
        return rule
    level = Level(load_ambiguities()[rule.ambiguity].find_level(reading))
    return replace(rule, level=level, reading=reading)
