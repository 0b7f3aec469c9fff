"""The file of a baseline: read strictly, written so that people's own words in it stay.

It is TOML: one table `[[known]]` for each entry.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from pytest_wsgi.rendering.files import NotWrittenError, write_whole
from pytest_wsgi.report.baseline import Baseline, Entry, list_missing, list_stale

if sys.version_info >= (3, 11):
    import tomllib
else:  # pragma: no cover # coverage is measured on a Python that has tomllib
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from pytest_wsgi.report import Report

MODES = ("check", "update", "prune")
TABLE = "known"
_HEADER = f"[[{TABLE}]]"
_NAMES = tuple(field.name for field in fields(Entry))
_REQUIRED = ("rule", "subject", "finding")
_DATES = ("first_seen", "expires")


class BaselineError(Exception):
    """The file of a baseline cannot be used. The message says what was found and what to write."""


def check_mode(mode: str, *, is_named: bool) -> None:
    """Raise BaselineError for a mode that there is not, or that has no file to be about."""
    if mode not in MODES:
        raise BaselineError(
            f"--wsgi-baseline-mode takes {', '.join(MODES)}, but was given {mode!r}.\n"
            "Try: pytest --wsgi-baseline wsgi-baseline.toml --wsgi-baseline-mode update"
        )
    if not is_named:
        raise BaselineError(
            f"--wsgi-baseline-mode {mode} is about a baseline, and none is named.\n"
            f"Try: pytest --wsgi-baseline wsgi-baseline.toml --wsgi-baseline-mode {mode}"
        )


def read_baseline(path: Path, mode: str, today: dt.date) -> Baseline:
    """Return the baseline of a file, for a run in a mode. Raises BaselineError.

    A file that is not there is an empty baseline where it is to be updated.
    """
    if mode == "update" and not path.exists():
        return Baseline(entries=(), today=today, takes_all=True)
    try:
        plain = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BaselineError(
            f"--wsgi-baseline: there is no file {path}.\n"
            f"Try: pytest --wsgi-baseline {path} --wsgi-baseline-mode update"
        ) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BaselineError(f"--wsgi-baseline: {path} cannot be read: {error}.") from None
    rows = plain.get(TABLE, [])
    unknown = [name for name in plain if name != TABLE]
    if unknown or not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise BaselineError(
            f"--wsgi-baseline: {path} may hold tables {_HEADER} and nothing else"
            + (f"; found {', '.join(unknown)}." if unknown else ".")
        )
    entries = tuple(read_entry(row, number, path) for number, row in enumerate(rows, 1))
    return Baseline(entries=entries, today=today, takes_all=mode == "update")


def read_entry(row: dict[str, Any], number: int, path: Path) -> Entry:
    """Return the entry of a table. Raises BaselineError."""
    where = f"--wsgi-baseline: entry {number} of {path}"
    unknown = [name for name in row if name not in _NAMES]
    if unknown:
        raise BaselineError(f"{where} has {unknown[0]!r}, which is none of {', '.join(_NAMES)}.")
    for name in _NAMES:
        kind = dt.date if name in _DATES else str
        if name in row and not isinstance(row[name], kind):
            form = "a date such as 2027-01-31" if kind is dt.date else "a text in quotes"
            raise BaselineError(f"{where}: {name} must be {form}, found {row[name]!r}.")
    for name in _REQUIRED:
        if not row.get(name):
            raise BaselineError(f"{where} has no {name}.")
    dates = {name: read_date(row[name]) for name in _DATES if name in row}
    return Entry(**{**row, **dates})


def read_date(value: dt.date) -> dt.date:
    """Return the day of a date, which may have a time."""
    return value.date() if isinstance(value, dt.datetime) else value


def settle_baseline(
    path: Path, mode: str, baseline: Baseline, reports: Sequence[Report]
) -> tuple[list[str], list[str]]:
    """Do what the mode asks for after a run: return problems, which fail it, and notes.

    Raises NotWrittenError where the file cannot be written.
    """
    stale = list(list_stale(baseline, reports))
    if mode == "update":
        return update(path, baseline, reports)
    if mode == "prune":
        remove(path, baseline, stale)
        return [], [f"baseline: {len(stale)} entries removed from {path}"] if stale else []
    problems = [
        *(
            f"baseline: {name(entry)} is fixed; remove it from {path}, or run with "
            "--wsgi-baseline-mode prune"
            for entry in stale
        ),
        *(
            f"baseline: {name(entry)} has no reason yet; write one into {path}"
            for entry in baseline.entries
            if not entry.reason.strip()
        ),
        *(
            f"baseline: {name(entry)} expired on {entry.expires}"
            for entry in baseline.entries
            if entry.is_expired(baseline.today)
        ),
    ]
    return problems, []


def name(entry: Entry) -> str:
    """Return what a person calls an entry."""
    return f"{entry.rule} of {entry.subject}"


def update(
    path: Path, baseline: Baseline, reports: Sequence[Report]
) -> tuple[list[str], list[str]]:
    """Append an entry for everything that is broken and not known yet."""
    if not any(report.is_proven for report in reports):
        return [f"baseline: nothing was exercised, so {path} is left as it is"], []
    missing = [entry for report in reports for entry in list_missing(baseline, report)]
    if not missing:
        return [], [f"baseline: {path} has all that is broken already"]
    before = path.read_text(encoding="utf-8").rstrip() if path.exists() else ""
    text = "\n\n".join(filter(None, [before, *map(write_entry, missing)]))
    write_whole(path, f"{text}\n")
    return [], [f"baseline: {len(missing)} entries added to {path}; each needs a reason"]


def write_entry(entry: Entry) -> str:
    """Return the table of an entry, without a newline at the end; the reason is to be filled in."""
    rows = [_HEADER]
    for key in _NAMES:
        value = getattr(entry, key)
        if key == "reason" or value:
            text = json.dumps(value, ensure_ascii=False) if isinstance(value, str) else str(value)
            rows.append(f"{key} = {text}")
    return "\n".join(rows)


def remove(path: Path, baseline: Baseline, stale: Iterable[Entry]) -> None:
    """Take entries out of the file, and leave all else in it as it is."""
    gone = set(map(id, stale))
    if not gone:
        return
    head, *blocks = split_tables(path.read_text(encoding="utf-8"))
    if len(blocks) != len(baseline.entries):  # inline tables, or a header within a text
        raise NotWrittenError(f"cannot take entries out of {path}: remove them by hand")
    pairs = zip(baseline.entries, blocks, strict=True)
    write_whole(path, "".join([head, *(text for entry, text in pairs if id(entry) not in gone)]))


def split_tables(text: str) -> list[str]:
    """Return what comes before the first entry, and then each with the comments above it."""
    parts: list[list[str]] = [[]]
    for line in text.splitlines(keepends=True):
        if line.strip().startswith(_HEADER):
            above: list[str] = []
            while parts[-1] and parts[-1][-1].lstrip().startswith("#"):
                above.insert(0, parts[-1].pop())
            parts.append(above)
        parts[-1].append(line)
    return ["".join(part) for part in parts]
