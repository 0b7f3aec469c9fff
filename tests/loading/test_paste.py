from __future__ import annotations

import sys

import pytest

INI = """
[app:main]
paste.app_factory = pasted:factory
name = one

[composite:two]
use = egg:Paste#urlmap

[app:broken]
paste.app_factory = pasted:broken

[server:main]
use = egg:x
"""


@pytest.fixture
def pasted(project):
    pytest.importorskip("paste.deploy", reason="PasteDeploy is not installed")
    project.write_file("dev.ini", INI)
    project.write_file(
        "pasted.py",
        """
        def factory(config, **local):
            def app(environ, start_response):
                return [local["name"]]
            return app
        def broken(config, **local):
            raise ValueError("broken factory")
        """,
    )
    return project


@pytest.mark.parametrize(
    "text", ["dev.ini", "dev.ini#main", "config:dev.ini", "paste:config:dev.ini"]
)
def test_the_application_of_an_ini_file(pasted, text):
    target, loading = pasted.load(text)
    assert target({}, None) == ["one"]
    assert loading.label == "main"
    assert loading.file == (None if text.startswith("paste:") else "dev.ini")
    assert loading.line is None


def test_a_factory_that_raises(pasted):
    problem = pasted.problem("dev.ini#broken")
    assert problem.id == "factory-raised"
    assert problem.message.startswith("Building dev.ini#broken failed: ValueError: broken factory")
    assert 'raise ValueError("broken factory")' in problem.message


def test_a_section_that_is_not_there(pasted):
    problem = pasted.problem("dev.ini#three")
    assert problem.id == "ini-section-missing"
    assert "it has: main, two, broken" in problem.message
    assert problem.message.endswith("Try: pytest --wsgi-app 'dev.ini#main'")


def test_a_file_without_an_application(pasted):
    pasted.write_file("empty.ini", "[server:main]\n")
    problem = pasted.problem("empty.ini")
    assert "no application at all" in problem.message
    assert problem.message.endswith("\nName a WSGI application: pytest --wsgi-app PKG.MODULE:NAME")


def test_a_file_that_is_not_there(pasted):
    problem = pasted.problem("gone.ini")
    assert problem.id == "ini-missing"
    assert str(pasted.root) in problem.message


def test_a_file_that_is_no_ini(pasted):
    pasted.write_file("odd.ini", "no section\n")
    assert pasted.problem("odd.ini").id == "factory-raised"


def test_a_uri_that_names_nothing(pasted):
    problem = pasted.problem("paste:egg:AbsentDistribution")
    assert problem.id in ("factory-raised", "import-failed-missing-module")
    assert "AbsentDistribution" in problem.message.splitlines()[0]


def test_without_pastedeploy_the_extra_is_named(project, monkeypatch):
    monkeypatch.setitem(sys.modules, "paste.deploy", None)
    problem = project.problem("dev.ini")
    assert problem.id == "paste-not-installed"
    assert "pip install 'pytest-wsgi[paste]'" in problem.message
    assert problem.message.endswith("When that is mended: pytest --wsgi-app dev.ini")
