from __future__ import annotations

import os
from pathlib import Path

import pytest

from pytest_wsgi.rendering.files import (
    NotWrittenError,
    UnknownFormatError,
    find_suffix,
    write_report,
)
from pytest_wsgi.rendering.markdown import render_markdown
from pytest_wsgi.report import from_json, to_json
from sample_reports import make_mixed_report, make_report, make_subject

REPORT = make_mixed_report()


def label(text):
    return make_report(subject=make_subject(label=text))


def read(path):
    return path.read_bytes().decode("utf-8")


def test_json_and_markdown_by_suffix_with_new_directories(tmp_path):
    path = tmp_path / "new" / "directory" / "wsgi.json"
    assert write_report(path, [REPORT]) == (path,)
    assert read(path) == to_json(REPORT)
    path = tmp_path / "new" / "other" / "WSGI.MD"
    assert write_report(str(path), [REPORT]) == (path,)
    assert read(path) == render_markdown(REPORT)


def test_file_that_is_there_is_replaced_and_nothing_else_is_left(tmp_path):
    path = tmp_path / "wsgi.json"
    path.write_text("old" * 100_000)
    write_report(path, [REPORT])
    assert from_json(read(path)) == REPORT
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_file_has_the_mode_of_any_new_file(tmp_path):
    (tmp_path / "other").touch()
    write_report(tmp_path / "wsgi.json", [REPORT])
    assert (tmp_path / "wsgi.json").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_several_reports_in_one_markdown_file(tmp_path):
    path = tmp_path / "wsgi.md"
    write_report(path, [label("a"), label("b")])
    assert read(path) == f"{render_markdown(label('a'))}\n{render_markdown(label('b'))}"


def test_several_reports_in_json_files_of_their_own(tmp_path):
    reports = [label("shop"), label("blog"), label("../a b"), label("Shop"), label("..")]
    written = write_report(tmp_path / "wsgi.json", reports)
    assert [path.name for path in written] == [
        "wsgi-shop.json",
        "wsgi-blog.json",
        "wsgi-a-b.json",
        "wsgi-Shop-2.json",
        "wsgi-report.json",
    ]
    assert [from_json(read(path)) for path in written] == reports
    assert sorted(tmp_path.iterdir()) == sorted(written)


def test_no_reports_make_no_json_file(tmp_path):
    assert write_report(tmp_path / "wsgi.json", []) == ()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("name", "found"), [("wsgi.xml", ".xml"), ("wsgi", "missing")])
def test_suffix_without_a_format(tmp_path, name, found):
    with pytest.raises(UnknownFormatError) as error:
        write_report(tmp_path / "new" / name, [REPORT])
    assert str(error.value).endswith(f"its suffix is {found}; supported are .json and .md")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(UnknownFormatError):
        find_suffix(name)


def test_directory_that_is_a_file(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(NotWrittenError, match=r"cannot write the report .*the system said: "):
        write_report(tmp_path / "file" / "wsgi.json", [REPORT])


def test_file_that_is_a_directory(tmp_path):
    (tmp_path / "wsgi.json").mkdir()
    with pytest.raises(NotWrittenError) as error:
        write_report(tmp_path / "wsgi.json", [REPORT])
    assert isinstance(error.value.__cause__, OSError)
    assert error.value.__cause__.strerror in str(error.value)
    assert list(tmp_path.iterdir()) == [tmp_path / "wsgi.json"]


def test_path_that_no_system_can_have():
    with pytest.raises(NotWrittenError, match="null"):
        write_report(Path("a\0b") / "wsgi.json", [REPORT])
