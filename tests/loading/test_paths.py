from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pytest_wsgi.loading import put_on_path, search_path
from pytest_wsgi.loading.paths import find_file, find_manage, relative, subdirectories


def test_the_search_path_is_where_pytest_was_started_then_rootdir(tmp_path):
    inner = tmp_path / "inner"
    inner.mkdir()
    assert search_path(inner, tmp_path) == [str(inner), str(tmp_path)]
    assert search_path(tmp_path, tmp_path) == [str(tmp_path)]


@pytest.fixture
def deep(project):
    """Give a directory in a Django project; `web` holds manage.py."""
    project.write_file("web/manage.py")
    inner = project.root / "web/a/b/c/d"
    inner.mkdir(parents=True)
    return inner


def test_manage_py_is_found_upwards_and_up_to_three_directories_above_rootdir(project, deep):
    web = str(project.root / "web")
    assert search_path(deep, project.root)[-1] == web
    assert search_path(deep, deep.parent) == [str(deep), str(deep.parent), web]
    assert search_path(deep.parent, deep.parent) == [str(deep.parent), web]
    assert search_path(deep, deep) == [str(deep)]


@pytest.mark.parametrize("name", [".git/HEAD", "pyproject.toml", "setup.cfg"])
def test_no_manage_py_is_looked_for_above_the_root_of_a_project(project, deep, name):
    start = project.root / "web/a/b"
    project.write_file(f"web/a/{name}")
    assert search_path(start, start) == [str(start)]
    project.write_file("web/a/manage.py")
    assert search_path(start, start) == [str(start), str(deep.parents[2])]
    project.write_file(f"web/a/b/{name}")
    assert search_path(start, start) == [str(start)]


def test_no_manage_py_is_looked_for_in_a_directory_of_everybody(project, deep, monkeypatch):
    web = project.root / "web"
    found = [str(deep.parent), str(web)]
    assert search_path(deep.parent, deep.parent) == found
    monkeypatch.setenv("HOME", str(web))
    monkeypatch.setenv("USERPROFILE", str(web))
    assert search_path(deep.parent, deep.parent) == found[:1]
    monkeypatch.undo()
    web.chmod(0o1777)
    assert search_path(deep.parent, deep.parent) == found[:1]


def test_directories_that_are_not_there_or_have_no_parent_end_the_search(project, monkeypatch):
    absent = project.root / "absent"
    assert search_path(absent, absent) == [str(absent)]
    root = Path(project.root.anchor)
    assert find_manage(root / "absent", root) is None
    monkeypatch.setattr(Path, "home", _no_home)
    inner = project.write_file("web/manage.py").parent / "a"
    inner.mkdir()
    assert search_path(inner, inner) == [str(inner), str(inner.parent)]


def _no_home():
    raise RuntimeError


def test_a_project_is_loaded_from_a_directory_in_it(project):
    project.write_file("manage.py")
    project.subject("shop/wsgi.py")
    inner = project.root / "tests"
    inner.mkdir()
    project.invocation_dir = project.root = inner
    target, loading = project.load("shop.wsgi")
    assert callable(target)
    assert loading.problem is None


def test_manage_py_is_found_in_src_and_then_below(project):
    project.write_file("web/manage.py")
    assert search_path(project.root, project.root)[-1] == str(project.root / "web")
    project.write_file("src/manage.py")
    assert search_path(project.root, project.root)[-1] == str(project.root / "src")


def test_several_manage_py_below_are_none(project):
    project.write_file("one/manage.py")
    project.write_file("two/manage.py")
    assert search_path(project.root, project.root) == [str(project.root)]


def test_an_invocation_outside_of_rootdir_looks_no_further(project):
    project.write_file("manage.py")
    (project.root / "a").mkdir()
    (project.root / "b").mkdir()
    found = search_path(project.root / "a", project.root / "b")
    assert found == [str(project.root / "a"), str(project.root / "b")]


def test_environments_and_hidden_directories_hold_no_project(project):
    for name in ("node_modules/x.py", ".tox/x.py", "mine/pyvenv.cfg", "good/x.py"):
        project.write_file(name)
    assert subdirectories(project.root) == [project.root / "good"]
    assert subdirectories(project.root / "absent") == []


def test_the_paths_go_to_the_front_in_order_and_none_twice(monkeypatch):
    monkeypatch.setattr(sys, "path", ["x", "b", "y"])
    put_on_path(["a", "b"])
    assert sys.path == ["a", "b", "x", "y"]


def test_a_file_is_shown_relative_to_rootdir(project):
    file = project.write_file("a/b.py")
    assert relative(file, project.root) == "a/b.py"
    link = project.root / "link"
    link.symlink_to(project.root / "a")
    assert relative(file, link) == "b.py"
    assert relative(file, project.root / "other") == file.as_posix()


def test_a_file_name_that_cannot_be_is_not_found(project):
    assert find_file("a" * 5000, [str(project.root)]) is None
    assert find_file("a\0b", [str(project.root)]) is None
    assert find_file(str(Path(__file__)), [str(project.root)]) == Path(__file__)
