from __future__ import annotations

import subprocess
import sys

import pytest

from pytest_wsgi.rendering.annotations import render_annotations
from pytest_wsgi.rendering.badge import render_badge
from pytest_wsgi.rendering.formats import (
    FORMATS,
    FormatError,
    MissingLibraryError,
    check_library,
    find_format,
    get_format,
    split_target,
)
from pytest_wsgi.rendering.markdown import render_markdown
from pytest_wsgi.report import to_json
from sample_reports import make_mixed_report, make_unloaded_report

REPORT, OTHER = make_mixed_report(), make_unloaded_report()


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("reports/wsgi.html", "html"),
        ("WSGI.HTM", "html"),
        ("wsgi.md", "md"),
        ("wsgi.sarif", "sarif"),
        ("wsgi.sarif.json", "sarif"),
        ("out/gl-code-quality-report.json", "gitlab"),
        ("wsgi.codequality.json", "gitlab"),
        ("badge.svg", "badge"),
        ("wsgi.shields.json", "shields"),
        ("wsgi.json", "json"),
        ("badge.json", "json"),
        ("gl-code-quality-report.json/wsgi.json", "json"),
    ],
)
def test_names_of_files_tell_their_formats(path, name):
    assert find_format(path) is FORMATS[name]
    assert split_target(path) == (FORMATS[name], path)


@pytest.mark.parametrize("path", ["wsgi.xml", "wsgi", "", "json", "a.json.bak"])
def test_a_name_that_tells_no_format(path):
    with pytest.raises(FormatError) as error:
        find_format(path)
    assert str(error.value) == (
        f"cannot tell the format of the report {path!r} by its name; supported are .html, .md, "
        ".sarif, gl-code-quality-report.json, .svg, .shields.json, .json, and with any name "
        f"FORMAT:{path}, where FORMAT is html, md, sarif, gitlab, badge, shields, annotations, json"
    )


@pytest.mark.parametrize(
    ("text", "name", "path"),
    [
        ("gitlab:out/quality.json", "gitlab", "out/quality.json"),
        ("shields:badge.json", "shields", "badge.json"),
        ("html:C:\\out\\wsgi", "html", "C:\\out\\wsgi"),
        ("C:\\out\\wsgi.json", "json", "C:\\out\\wsgi.json"),
        ("other:wsgi.json", "json", "other:wsgi.json"),
    ],
)
def test_a_format_before_a_colon(text, name, path):
    assert split_target(text) == (FORMATS[name], path)


@pytest.mark.parametrize("text", ["gitlab:", "other:wsgi", "JSON:wsgi"])
def test_what_is_neither_format_nor_name(text):
    with pytest.raises(FormatError):
        split_target(text)


def test_formats_by_name():
    assert get_format("sarif") is FORMATS["sarif"]
    with pytest.raises(FormatError, match=r"^there is no format 'serif'; did you mean 'sarif'\?;"):
        get_format("serif")
    with pytest.raises(FormatError, match=r"^there is no format 'x'; supported are html, md, "):
        get_format("x")


def test_formats_render_all_reports():
    some = [REPORT, OTHER]
    assert FORMATS["md"].render(some) == f"{render_markdown(REPORT)}\n{render_markdown(OTHER)}"
    assert FORMATS["annotations"].render(some) == render_annotations(some)
    assert FORMATS["badge"].render(some) == render_badge(some)
    assert FORMATS["json"].render([REPORT]) == to_json(REPORT)
    assert FORMATS["html"].render(some).startswith("<!DOCTYPE html>")


def test_html_without_its_library(monkeypatch):
    check_library(FORMATS["html"])
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(MissingLibraryError) as error:
        check_library(FORMATS["html"])
    assert str(error.value) == (
        "the format html needs jinja2, which cannot be imported: import of jinja2 halted; None in "
        "sys.modules. Try: pip install 'pytest-wsgi[html]'"
    )


def test_no_format_but_html_needs_a_library():
    code = (
        "import sys; sys.modules['jinja2'] = None\n"
        "from pytest_wsgi.rendering.formats import *\n"
        "for each in FORMATS.values():\n"
        "    try:\n"
        "        check_library(each)\n"
        "        each.render([])\n"
        "    except MissingLibraryError:\n"
        "        print(each.name)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "html\n"
