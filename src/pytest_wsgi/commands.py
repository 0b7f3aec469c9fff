"""`python -m pytest_wsgi`: renders, compares and merges the JSON reports of earlier runs.

Nothing here judges, loads a target or needs pytest. Exit: 0 when all is well, 1 when a comparison
found something newly broken or nothing proven anymore, 2 for what the user got wrong.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_wsgi.rendering.changes import render_changes_markdown, render_changes_text
from pytest_wsgi.rendering.files import NotWrittenError, write_whole
from pytest_wsgi.rendering.formats import (
    FormatError,
    MissingLibraryError,
    check_library,
    find_format,
    get_format,
    list_names,
)
from pytest_wsgi.report.comparison import compare_runs
from pytest_wsgi.report.merging import from_json_set, merge_reports, to_json_set
from pytest_wsgi.report.plain import ReportError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_wsgi.report.values import Report

PROGRAM = "python -m pytest_wsgi"

_CHANGES = {"md": render_changes_markdown, "text": render_changes_text}


class UsageError(Exception):
    """What was asked for cannot be done. The message says what was found and what to do."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status; `arguments` are those of the process."""
    asked = make_parser().parse_args(arguments)
    try:
        status: int = asked.run(asked)
        sys.stdout.flush()
    except (UsageError, FormatError, MissingLibraryError, NotWrittenError) as error:
        sys.stderr.write(f"{PROGRAM} {asked.command}: {error}\n")
        return 2
    except BrokenPipeError:
        # Whoever reads us went away, such as `head`. Python would say so once more at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 2
    return status


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(prog=PROGRAM, description="Works with reports of pytest-wsgi.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    render = commands.add_parser("render", help="make another format of a JSON report")
    render.add_argument("reports", nargs="+", metavar="REPORT.json")
    render.add_argument("--to", metavar="FORMAT", help=f"one of {list_names()}")
    add_output(render)
    render.set_defaults(run=run_render)
    diff = commands.add_parser(
        "diff",
        help="compare two reports; exit status 1 when something is newly broken",
    )
    diff.add_argument("old", metavar="OLD.json")
    diff.add_argument("new", metavar="NEW.json")
    diff.add_argument("--format", choices=sorted(_CHANGES), default="text")
    add_output(diff)
    diff.set_defaults(run=run_diff)
    merge = commands.add_parser(
        "merge", help="put shards of a run together, and several subjects into one file"
    )
    merge.add_argument("reports", nargs="+", metavar="REPORT.json")
    add_output(merge)
    merge.set_defaults(run=run_merge)
    return parser


def add_output(parser: argparse.ArgumentParser) -> None:
    """Add the option that names the file to write."""
    parser.add_argument("-o", "--output", metavar="FILE", help="instead of standard output")


def run_render(asked: argparse.Namespace) -> int:
    """Write the reports in another format."""
    if asked.to:
        form = get_format(asked.to)
    elif asked.output:
        form = find_format(asked.output)
    else:
        raise UsageError(
            f"which format? Try: {PROGRAM} render {asked.reports[0]} --to html; there are "
            f"{list_names()}"
        )
    check_library(form)
    put(form.render(read_all(asked.reports)), asked.output)
    return 0


def run_diff(asked: argparse.Namespace) -> int:
    """Write what changed between two runs; the status says whether something is newly broken."""
    comparisons = compare_runs(read_file(asked.old), read_file(asked.new))
    put(_CHANGES[asked.format](comparisons), asked.output)
    return int(any(comparison.fails for comparison in comparisons))


def run_merge(asked: argparse.Namespace) -> int:
    """Write the reports as one file."""
    put(to_json_set(merge_reports(read_all(asked.reports))), asked.output)
    return 0


def read_all(names: Sequence[str]) -> list[Report]:
    """Return the reports of all files; a file that is named twice would count twice."""
    seen: set[Path] = set()
    for name in names:
        path = Path(name).absolute()
        if path in seen:
            raise UsageError(f"the report {name!r} is named twice, and would be counted twice")
        seen.add(path)
    return [report for name in names for report in read_file(name)]


def read_file(name: str) -> tuple[Report, ...]:
    """Return the reports of a file; raises UsageError, with what was found instead."""
    try:
        return from_json_set(Path(name).read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(
            f"cannot read the report {name!r}: {error.strerror or error}. "
            f"Make one with: pytest --wsgi-app SPEC --wsgi-report {name}"
        ) from error
    except ReportError as error:
        raise UsageError(f"cannot read the report {name!r}: {error}") from error
    except ValueError as error:  # not UTF-8, or a path that no system can have
        raise UsageError(f"cannot read the report {name!r}: {error}") from error


def put(text: str, name: str | None) -> None:
    """Write a text to a file, whole or not at all, or to standard output, always as UTF-8."""
    if name:
        write_whole(Path(name), text)
    else:
        sys.stdout.buffer.write(text.encode("utf-8"))
