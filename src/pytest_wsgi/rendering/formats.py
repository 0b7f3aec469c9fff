"""The formats that reports can be rendered in, and which of them a file is meant to have."""

from __future__ import annotations

import difflib
import importlib
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

from pytest_wsgi.rendering.annotations import render_annotations
from pytest_wsgi.rendering.badge import render_badge, render_shields
from pytest_wsgi.rendering.code_quality import render_code_quality
from pytest_wsgi.rendering.markdown import render_markdown
from pytest_wsgi.rendering.sarif import render_sarif
from pytest_wsgi.report.merging import to_json_set

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pytest_wsgi.report.values import Report


class FormatError(ValueError):
    """No format is known for a file or by a name. The message lists those that there are."""


class MissingLibraryError(Exception):
    """A format needs a library that is not installed. The message says how to install it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A format: its name, what renders it, and the ends of the names of its files.

    `library` is the package that it needs beside the standard library, `extra` what installs it;
    both may be empty. `beside_code` tells that findings are shown beside the code of a repository:
    their files have to be named from its top.
    """

    name: str
    render: Callable[[Sequence[Report]], str]
    endings: tuple[str, ...] = ()
    library: str = ""
    extra: str = ""
    beside_code: bool = False


def render_html_page(reports: Sequence[Report]) -> str:
    """Return the reports as one HTML page; raises ImportError without Jinja2."""
    from pytest_wsgi.rendering.html import render_html  # noqa: PLC0415 # the only one that needs a library

    return render_html(reports)


def render_all_markdown(reports: Sequence[Report]) -> str:
    """Return the reports as Markdown, one after the other."""
    return "\n".join(render_markdown(report) for report in reports)


FORMATS: Mapping[str, Format] = {
    each.name: each
    for each in (
        Format(
            name="html",
            render=render_html_page,
            endings=(".html", ".htm"),
            library="jinja2",
            extra="html",
        ),
        Format(name="md", render=render_all_markdown, endings=(".md",)),
        Format(
            name="sarif",
            render=render_sarif,
            endings=(".sarif", ".sarif.json"),
            beside_code=True,
        ),
        Format(
            name="gitlab",
            render=render_code_quality,
            endings=("gl-code-quality-report.json", ".codequality.json"),
            beside_code=True,
        ),
        Format(name="badge", render=render_badge, endings=(".svg",)),
        Format(name="shields", render=render_shields, endings=(".shields.json",)),
        Format(name="annotations", render=render_annotations, beside_code=True),
        Format(name="json", render=to_json_set, endings=(".json",)),
    )
}
"""Every format by its name; an ending of an earlier one comes before that of a later one."""


def split_target(text: str) -> tuple[Format, str]:
    """Return format and path of `FORMAT:PATH`, or of a path whose ending tells the format.

    What stands before the colon counts only where it is a format's name: the letter of a drive is
    a part of the path. Raises FormatError.
    """
    name, colon, path = text.partition(":")
    if colon and path and name in FORMATS:
        return FORMATS[name], path
    return find_format(text), text


def check_library(form: Format) -> None:
    """Raise MissingLibraryError where the format needs a library that cannot be imported."""
    if not form.library:
        return
    try:
        importlib.import_module(form.library)
    except ImportError as error:
        raise MissingLibraryError(
            f"the format {form.name} needs {form.library}, which cannot be imported: {error}. "
            f"Try: pip install 'pytest-wsgi[{form.extra}]'"
        ) from error


def find_format(path: str) -> Format:
    """Return the format that the ending of a file's name tells; raises FormatError."""
    name = PurePath(path).name.lower()
    for each in FORMATS.values():
        if name.endswith(each.endings):
            return each
    endings = ", ".join(each.endings[0] for each in FORMATS.values() if each.endings)
    raise FormatError(
        f"cannot tell the format of the report {path!r} by its name; supported are {endings}, and "
        f"with any name FORMAT:{path}, where FORMAT is {list_names()}"
    )


def get_format(name: str) -> Format:
    """Return the format of a name; raises FormatError, with the nearest name if there is one."""
    if name in FORMATS:
        return FORMATS[name]
    close = difflib.get_close_matches(name, FORMATS, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    raise FormatError(f"there is no format {name!r}{hint}; supported are {list_names()}")


def list_names() -> str:
    """Return the names of all formats."""
    return ", ".join(FORMATS)
