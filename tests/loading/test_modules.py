from __future__ import annotations

import sys
import types
from pathlib import Path

import pytest

from pytest_wsgi.loading.modules import dotted_name, find_module, nearest_file, similar_modules


@pytest.fixture
def tree(project):
    project.write(
        pkg___init_="raise SystemExit('executed')",
        pkg__wsgi="raise SystemExit",
        top="",
        space__m="",
    )
    project.write_file("space/deep/n.py")
    return project


@pytest.mark.parametrize(
    ("dotted", "name", "file", "rest"),
    [
        ("pkg.wsgi.application", "pkg.wsgi", "pkg/wsgi.py", ("application",)),
        ("pkg.wsgi", "pkg.wsgi", "pkg/wsgi.py", ()),
        ("pkg.absent.x", "pkg", "pkg/__init__.py", ("absent", "x")),
        ("top.a.b", "top", "top.py", ("a", "b")),
        ("space.m.a", "space.m", "space/m.py", ("a",)),
        ("space.deep.n", "space.deep.n", "space/deep/n.py", ()),
        ("space.absent", "space", None, ("absent",)),
        ("sys.a", "sys", None, ("a",)),
    ],
)
def test_the_longest_prefix_is_found_and_nothing_runs(tree, dotted, name, file, rest):
    found = find_module(dotted, [str(tree.root)])
    assert (found.name, found.rest) == (name, rest)
    assert found.file == (tree.root / file if file else None)
    assert found.is_namespace is (name == "space")
    assert name == "sys" or name not in sys.modules


def test_nothing_is_found_of_what_is_not_there(tree):
    assert find_module("absent_module.x", [str(tree.root)]) is None
    assert find_module("", [str(tree.root)]) is None


def test_a_finder_that_fails_has_found_nothing(monkeypatch):
    class Failing:
        def find_spec(self, *_):
            raise RuntimeError

    monkeypatch.setattr(sys, "meta_path", [Failing(), *sys.meta_path])
    assert find_module("absent_module", []) is None


def test_a_finder_of_somebody_else_is_asked(tree, monkeypatch):
    class Elsewhere:
        def find_spec(self, name, *_):
            if name == "elsewhere":
                from importlib.util import spec_from_file_location  # noqa: PLC0415 - as finders do

                return spec_from_file_location(name, tree.root / "top.py")
            return None

    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Elsewhere()])
    assert find_module("elsewhere", []).file == tree.root / "top.py"


def test_a_module_that_was_made_by_hand_is_found(monkeypatch):
    made = types.ModuleType("made")
    made.__path__ = 1
    monkeypatch.setitem(sys.modules, "made_by_hand", made)
    found = find_module("made_by_hand.app", [])
    assert (found.name, found.file, found.locations, found.rest) == (
        "made_by_hand", None, None, ("app",),
    )  # fmt: skip
    made.__file__ = "made.py"
    made.__path__ = ["x"]
    found = find_module("made_by_hand.app", [])
    assert (found.file, found.locations) == (Path("made.py"), ("x",))


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("pkg/wsgi.py", "pkg.wsgi"),
        ("pkg/__init__.py", "pkg"),
        ("top.py", "top"),
        ("space/m.py", ""),
        ("top.wsgi", ""),
        ("a.b.py", ""),
    ],
)
def test_a_file_has_a_dotted_name_in_a_package_or_on_the_path(tree, file, name):
    base = tree.root / ("space" if file.startswith("space") else "")
    assert dotted_name(tree.root / file, [str(tree.root)]) == (
        name,
        base if name else (tree.root / file).parent,
    )


def test_the_nearest_file_and_where_it_would_be_found(tree):
    tree.write_file("web/site/mysite/wsgi.py")
    tree.write_file("venv/lib/mysite/wsgi.py")
    paths = [str(tree.root)]
    assert nearest_file("mysite.wsgi", paths) == (
        tree.root / "web/site/mysite/wsgi.py",
        tree.root / "web/site",
    )
    assert nearest_file("pkg.wsgi", paths) is None
    assert nearest_file("deep.n", paths) == (tree.root / "space/deep/n.py", tree.root / "space")


def test_similar_modules(tree):
    assert similar_modules("pgk.wsgi", [str(tree.root)]) == ["pkg.wsgi"]
    assert similar_modules("pkgs", [str(tree.root)]) == ["pkg"]
    assert similar_modules("unlike.anything", [str(tree.root)]) == []


def test_a_large_tree_is_not_searched_to_its_end(tree, monkeypatch):
    monkeypatch.setattr("pytest_wsgi.loading.modules._MOST_FILES", 1)
    assert nearest_file("m", [str(tree.root)]) is None
