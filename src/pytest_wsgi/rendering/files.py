"""Writes reports to files: the name tells the format; a file is there whole or not at all."""

from __future__ import annotations

import os
import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_wsgi.rendering.formats import Format, check_library, split_target

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pytest_wsgi.report.values import Report

_UNFIT = re.compile(r"[^\w.-]+", re.ASCII)


class NotWrittenError(Exception):
    """A report could not be written. The message says what was tried and what the system said."""


@dataclass(frozen=True, slots=True)
class ReportFile:
    """A file that reports are to be written to, and their format there."""

    format: Format
    path: Path


def read_target(text: str, directory: Path) -> ReportFile:
    """Return the file that `FORMAT:PATH` names, or a path whose ending tells the format.

    A relative path is one below `directory`, and `~` is the user's home. Raises FormatError, and
    MissingLibraryError where the format needs what is not installed.
    """
    form, path = split_target(text)
    check_library(form)
    return ReportFile(form, directory / os.path.expanduser(path))  # noqa: PTH111 # Path.expanduser() may raise


def write_report(file: ReportFile, reports: Sequence[Report]) -> tuple[Path, ...]:
    """Write the reports to a file, directories included, and return the files written.

    JSON has a file for each: where there are several, the label of the subject goes before the
    suffix, as `wsgi-LABEL.json`. Other formats hold all reports in one. A file of the same name is
    replaced. Raises NotWrittenError, and what a renderer that is at fault raises.
    """
    path = file.path
    shares = {path: reports}
    if file.format.name == "json" and len(reports) != 1:
        names = name_files(path, reports)
        shares = {name: [report] for name, report in zip(names, reports, strict=True)}
    texts = {name: file.format.render(some) for name, some in shares.items()}
    for name, text in texts.items():
        write_whole(name, text)
    return tuple(texts)


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
    """Write `text` as UTF-8 to a new file next to `path` and put that in its place.

    What is no file, such as a pipe or /dev/stdout, is written to: another in its place would
    take it away from all others. Of a link it is the file that it leads to.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if is_stream(path):
            with path.open("w", encoding="utf-8", newline="\n") as stream:
                stream.write(text)
            return
        replace_file(path.resolve() if path.is_symlink() else path, text)
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or error
        raise NotWrittenError(
            f"cannot write the report {str(path)!r}: tried to write a temporary file in "
            f"{str(path.parent)!r} and to rename it; the system said: {said}"
        ) from error


def is_stream(path: Path) -> bool:
    """Tell whether a path leads to what others read or write too, as /dev/stdout does."""
    return path.exists() and (not path.is_file() or path.is_relative_to("/dev"))


def replace_file(path: Path, text: str) -> None:
    """Write a new file next to `path`, and put that in its place; leave nothing where it fails."""
    temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        temporary.write_text(text, encoding="utf-8", newline="\n")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
