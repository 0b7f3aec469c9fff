from __future__ import annotations

import sys

import pytest

from pytest_wsgi.loading import locate, parse_spec


@pytest.fixture
def site(project):
    boom = "raise SystemExit('executed')\n"
    project.write(
        mysite___init_=boom + "lazy = object()\n",
        mysite__wsgi=boom + "application = 1\n",
        flat=boom + "app = 1\n",
        neither=boom,
    )
    project.write_file("space/mod.py", boom)
    project.write_file("deploy/site.wsgi", boom)
    project.write_file("plain.wsgi", boom)
    project.write_file("dev.ini")
    return project


@pytest.mark.parametrize(
    ("text", "file", "label"),
    [
        ("mysite.wsgi.application", "mysite/wsgi.py", "application"),
        ("mysite.wsgi:application", "mysite/wsgi.py", "application"),
        ("mysite.wsgi", "mysite/wsgi.py", "application"),
        ("mysite.wsgi.absent", "mysite/wsgi.py", "absent"),
        ("mysite.wsgi:absent.wsgi_app", "mysite/wsgi.py", "wsgi_app"),
        ("mysite.wsgi:create('a/b::c[1]')", "mysite/wsgi.py", "create"),
        ("mysite.lazy.app", "mysite/__init__.py", "app"),
        ("mysite.lazy", "mysite/__init__.py", "lazy"),
        ("mysite.gone.app", None, "app"),
        ("flat", "flat.py", "app"),
        ("neither", "neither.py", "application"),
        ("space.mod.app", "space/mod.py", "app"),
        ("space.gone.app", None, "application"),
        ("gone", None, "application"),
        ("gone.x:app", None, "app"),
        ("mysite.wsgi.deeper:app", None, "app"),
        ("one=mysite.wsgi", "mysite/wsgi.py", "one"),
        ("deploy/site.wsgi", "deploy/site.wsgi", "application"),
        ("deploy/site.wsgi:app", "deploy/site.wsgi", "app"),
        ("plain.wsgi", "plain.wsgi", "application"),
        ("plain.wsgi:app", "plain.wsgi", "app"),
        ("gone.wsgi", None, "application"),
        ("mysite/wsgi.py", "mysite/wsgi.py", "application"),
        ("gone.py", None, "application"),
        ("dev.ini", "dev.ini", "main"),
        ("dev.ini#a/b[1]", "dev.ini", "a-b-1-"),
        ("gone.ini#x", None, "x"),
        ("paste:egg:Dist", None, "main"),
        ("paste:egg:Dist#two", None, "two"),
        ("fixture", None, "wsgi_app"),
        ("django", None, "django"),
        ("auto", "flat.py", "app"),
    ],
)
def test_a_target_is_located_without_running_anything(site, monkeypatch, text, file, label):
    monkeypatch.setattr("pytest_wsgi.loading.choice._FILES", ("flat.py",))
    before = set(sys.modules)
    found = site.locate(text)
    assert found.file == (site.root / file if file else None)
    assert found.label == label
    assert not {name for name in set(sys.modules) - before if "site" in name or name == "flat"}


def test_the_modules_name_and_attributes_are_told(site):
    found = site.locate("mysite.wsgi:a.b")
    assert (found.module, found.attributes) == ("mysite.wsgi", ("a", "b"))
    assert site.locate("mysite/wsgi.py:a").module == "mysite.wsgi"
    assert site.locate("deploy/site.wsgi").module == ""


@pytest.mark.usefixtures("site")
def test_rootdir_need_not_be_where_pytest_was_started(tmp_path):
    found = locate(parse_spec("mysite.wsgi"), paths=[str(tmp_path)], rootdir=tmp_path / "other")
    assert found.file == tmp_path / "mysite" / "wsgi.py"
