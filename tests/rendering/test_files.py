from __future__ import annotations

import os
from pathlib import Path

import pytest

from pytest_wsgi.rendering.files import NotWrittenError, read_target, write_report
from pytest_wsgi.rendering.formats import FormatError
from pytest_wsgi.rendering.html import render_html
from pytest_wsgi.rendering.markdown import render_markdown
from pytest_wsgi.report import from_json, to_json
from sample_reports import make_mixed_report, make_report, make_subject

REPORT = make_mixed_report()


def label(text):
    return make_report(subject=make_subject(label=text))


def publish(path, reports):
    path = Path(path)
    return write_report(read_target(path.name, path.parent), reports)


def read(path):
    return path.read_bytes().decode("utf-8")


def test_json_and_markdown_by_suffix_with_new_directories(tmp_path):
    path = tmp_path / "new" / "directory" / "wsgi.json"
    assert publish(path, [REPORT]) == (path,)
    assert read(path) == to_json(REPORT)
    path = tmp_path / "new" / "other" / "WSGI.MD"
    assert publish(str(path), [REPORT]) == (path,)
    assert read(path) == render_markdown(REPORT)


def test_file_that_is_there_is_replaced_and_nothing_else_is_left(tmp_path):
    path = tmp_path / "wsgi.json"
    path.write_text("old" * 100_000)
    publish(path, [REPORT])
    assert from_json(read(path)) == REPORT
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_file_has_the_mode_of_any_new_file(tmp_path):
    (tmp_path / "other").touch()
    publish(tmp_path / "wsgi.json", [REPORT])
    assert (tmp_path / "wsgi.json").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_several_reports_in_one_markdown_file(tmp_path):
    path = tmp_path / "wsgi.md"
    publish(path, [label("a"), label("b")])
    assert read(path) == f"{render_markdown(label('a'))}\n{render_markdown(label('b'))}"


def test_several_reports_in_json_files_of_their_own(tmp_path):
    reports = [label("shop"), label("blog"), label("../a b"), label("Shop"), label("..")]
    written = publish(tmp_path / "wsgi.json", reports)
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
    assert publish(tmp_path / "wsgi.json", []) == ()
    assert list(tmp_path.iterdir()) == []


def test_several_reports_in_one_file_of_any_other_format(tmp_path):
    reports = [label("shop"), label("blog")]
    path = tmp_path / "wsgi.html"
    assert publish(path, reports) == (path,)
    assert read(path) == render_html(reports)


def test_format_before_the_name(tmp_path):
    file = read_target("json:all", tmp_path)
    assert write_report(file, [REPORT]) == (tmp_path / "all",)
    assert read(tmp_path / "all") == to_json(REPORT)


def test_relative_and_absolute_paths(tmp_path):
    assert read_target("a/b.md", tmp_path).path == tmp_path / "a/b.md"
    assert read_target(f"md:{tmp_path}/b", Path("elsewhere")).path == tmp_path / "b"


def test_a_home_is_one(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert read_target("~/wsgi.md", Path("elsewhere")).path == tmp_path / "wsgi.md"


def test_name_without_a_format(tmp_path):
    with pytest.raises(FormatError, match=r"cannot tell the format of the report 'wsgi\.xml'"):
        read_target("wsgi.xml", tmp_path)


def test_directory_that_is_a_file(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(NotWrittenError, match=r"cannot write the report .*the system said: "):
        publish(tmp_path / "file" / "wsgi.json", [REPORT])


def test_file_that_is_a_directory(tmp_path):
    (tmp_path / "wsgi.json").mkdir()
    with pytest.raises(NotWrittenError) as error:
        publish(tmp_path / "wsgi.json", [REPORT])
    assert isinstance(error.value.__cause__, OSError)
    assert error.value.__cause__.strerror in str(error.value)
    assert list(tmp_path.iterdir()) == [tmp_path / "wsgi.json"]


def test_path_that_no_system_can_have():
    with pytest.raises(NotWrittenError, match="null"):
        publish(Path("a\0b") / "wsgi.json", [REPORT])
