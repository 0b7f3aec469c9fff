"""Writes reports to files: the format follows the suffix; a file is there whole or not at all."""

from __future__ import annotations

import re
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_wsgi.rendering.markdown import render_markdown
from pytest_wsgi.report.plain import to_json

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from pytest_wsgi.report.values import Report

SUFFIXES = (".json", ".md")
"""The suffixes of the formats that can be written."""

_UNFIT = re.compile(r"[^\w.-]+", re.ASCII)


class UnknownFormatError(ValueError):
    """The suffix of a file names no format. The message lists those that do."""


class NotWrittenError(Exception):
    """A report could not be written. The message says what was tried and what the system said."""


def write_report(path: str | os.PathLike[str], reports: Sequence[Report]) -> tuple[Path, ...]:
    """Write the reports to `path`, directories included, and return the files written.

    `.md` holds all reports in one file. `.json` holds one: where there are several, the label of
    the subject goes before the suffix, as `wsgi-LABEL.json`. A file of the same name is replaced.
    Raises UnknownFormatError before anything is written, and NotWrittenError.
    """
    path = Path(path)
    if find_suffix(path) == ".md":
        texts = {path: "\n".join(render_markdown(report) for report in reports)}
    elif len(reports) == 1:
        texts = {path: to_json(reports[0])}
    else:
        texts = {
            name: to_json(report)
            for name, report in zip(name_files(path, reports), reports, strict=True)
        }
    for name, text in texts.items():
        write_whole(name, text)
    return tuple(texts)


def find_suffix(path: str | os.PathLike[str]) -> str:
    """Return the suffix, in lower case, that says the format; raises UnknownFormatError."""
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise UnknownFormatError(
            f"cannot tell the format of the report {str(path)!r}: its suffix is "
            f"{suffix or 'missing'}; supported are {' and '.join(SUFFIXES)}"
        )
    return suffix


def name_files(path: Path, reports: Sequence[Report]) -> list[Path]:
    """Return one path for each report, told apart by the labels, made fit for file names."""
    names: list[str] = []
    for report in reports:
        label = _UNFIT.sub("-", report.subject.label).strip(".-") or "report"
        name, number = label, 1
        while name.lower() in map(str.lower, names):
            number += 1
            name = f"{label}-{number}"
        names.append(name)
    return [path.with_name(f"{path.stem}-{name}{path.suffix}") for name in names]


def write_whole(path: Path, text: str) -> None:
    """Write `text` as UTF-8 to a new file next to `path` and put that in its place."""
    temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_text(text, encoding="utf-8", newline="\n")
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or error
        raise NotWrittenError(
            f"cannot write the report {str(path)!r}: tried to write a temporary file in "
            f"{str(path.parent)!r} and to rename it; the system said: {said}"
        ) from error
