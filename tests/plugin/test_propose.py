"""`--wsgi-propose`: the missing wsgi.py is shown, or written before the run goes on."""

from __future__ import annotations

import pytest

MANAGE = 'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")\n'
SETTINGS = 'SECRET_KEY = "x"\nDEBUG = True\nROOT_URLCONF = "shop.urls"\n'
URLS = """
from django.http import HttpResponse
from django.urls import path
urlpatterns = [path("", lambda request: HttpResponse("hello"))]
"""
SPEC = "shop.wsgi.application"
LOADS = ("-k", "application-loads")
OWN_ONLY = ("-m", "not wsgi")
"""Django keeps its settings for life: only a process of its own may load it."""
TELL = """
from pytest_wsgi.plugin import PLAN
def pytest_report_header(config):
    options = config.stash[PLAN].options
    return f"proposed: {options.proposed} {options.asked}"
"""


@pytest.fixture
def shop(add, project, monkeypatch):
    """Return the directory of a Django project without wsgi.py."""
    pytest.importorskip("django", reason="Django is not installed")
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE", raising=False)
    add({"manage.py": MANAGE, "shop/__init__.py": "", "shop/settings.py": SETTINGS})
    add({"shop/urls.py": URLS, "conftest.py": TELL})
    return project


def is_written(shop):
    texts = (shop / "shop/settings.py").read_text().removeprefix(SETTINGS)
    found = (shop / "shop/wsgi.py").is_file(), texts
    assert found in ((False, ""), (True, f'WSGI_APPLICATION = "{SPEC}"\n'))
    return found[0]


@pytest.mark.parametrize("more", [(), ("--wsgi-app", "django"), ("--wsgi-app", SPEC), ("tests",)])
@pytest.mark.parametrize("option", ["--wsgi-propose", "--wsgi-propose=show"])
def test_it_is_shown_and_nothing_is_run(run, shop, option, more):
    found = run(*more, option)
    assert (found.status, found.err) == (0, "")
    assert found.out.startswith("--- /dev/null\n+++ b/shop/wsgi.py\n@@ -0,0 +1,16 @@\n")
    assert "\n+os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')\n" in found.out
    assert f'\n+WSGI_APPLICATION = "{SPEC}"\n' in found.out
    assert found.out.endswith(
        f"\nTo write it and try it: pytest --wsgi-app {SPEC} --wsgi-propose=write"
    )
    assert not is_written(shop)


def test_it_is_written_and_the_run_goes_on(run_apart, shop):
    result = run_apart("--wsgi-propose=write", *LOADS)
    lines = result.outlines
    assert lines[0].startswith("wsgi: wrote shop/wsgi.py, as the startproject of Django ")
    assert lines[1] == "wsgi: wrote WSGI_APPLICATION into shop/settings.py"
    assert f"proposed: True (('--wsgi-propose', '{SPEC}'),)" in lines
    result.stdout.fnmatch_lines([f"=* WSGI conformance: {SPEC} =*", "subject *, shop/wsgi.py:16"])
    assert result.ret == 0, result.stdout.str()
    assert is_written(shop)
    again = run_apart("--wsgi-app", "django", *LOADS)
    assert again.ret == 0
    assert "proposed: False (('--wsgi-app', 'django'),)" in again.outlines


def test_workers_write_nothing_and_are_told(run_apart, shop):
    result = run_apart("--wsgi-propose=write", "-n", "2", "-v")
    assert result.ret == 0, result.stdout.str()
    assert result.stdout.str().count("wsgi: wrote shop/wsgi.py") == 1
    assert "shop/wsgi.py::application::application-loads" in result.stdout.str()


@pytest.mark.parametrize("spec", ["django", SPEC, "one=shop/wsgi.py"])
def test_the_run_goes_on_with_what_was_asked_for(run, shop, spec):
    found = run("--wsgi-app", spec, "--wsgi-propose=write", *OWN_ONLY)
    assert found.status == 0
    assert f"proposed: True (('--wsgi-app', '{spec}'),)" in found.out
    assert len(found.own) == 3
    assert is_written(shop)


@pytest.mark.parametrize("where", ["ini", "variable"])
def test_the_spec_may_be_written_elsewhere(run, shop, add, monkeypatch, where):
    if where == "ini":
        add({"pytest.ini": f"[pytest]\nwsgi_app = {SPEC}\n"})
    else:
        monkeypatch.setenv("PYTEST_WSGI_APP", SPEC)
    found = run("--wsgi-propose=write", "tests", *OWN_ONLY)
    assert f"'{SPEC}'),)" in found.out
    assert f"{len(found.own)} passed" in found.out
    assert is_written(shop)


def test_the_option_may_be_written_elsewhere(run, shop, monkeypatch):
    monkeypatch.setenv("PYTEST_ADDOPTS", "--wsgi-propose=write")
    assert run(*OWN_ONLY).status == 0
    assert is_written(shop)


@pytest.mark.parametrize(
    "option", ["--collect-only", "--setup-plan", "--help", "--fixtures", "--markers"]
)
def test_nothing_is_written_where_nothing_is_run(run, shop, option):
    assert run("--wsgi-propose=write", option, *OWN_ONLY).status == 0
    assert not is_written(shop)


def test_what_is_there_is_said_to_be(run, shop, add):
    add({"shop/wsgi.py": "application = 1\n"})
    found = run("--wsgi-propose")
    assert found.status == 0
    assert found.out.splitlines() == [
        "There is nothing to propose: shop/wsgi.py is there already.",
        "  asked for: django (--wsgi-propose)",
        f"To try it: pytest --wsgi-app {SPEC}",
    ]
    found = run("--wsgi-propose=write")
    assert found.status == 4
    assert "There is nothing to propose: shop/wsgi.py is there already." in found.err
    assert (shop / "shop/wsgi.py").read_text() == "application = 1\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--wsgi-propose", "tests"), "was given 'tests'.\nTry: pytest --wsgi-app mysite.wsgi"),
        (("--wsgi-propose=no",), "takes nothing, or one of 'show' and 'write', but was given 'no'"),
        (("--wsgi-propose", "--wsgi-app", "a b"), "Cannot read the SPEC 'a b'"),
        (("--wsgi-propose", "--wsgi-env", "X"), "--wsgi-env takes NAME=VALUE"),
        (("--wsgi-propose", "--wsgi-app", "gone.wsgi"), "gone is no package of this project"),
        (("--wsgi-propose=write", "--wsgi-app", "gone.wsgi"), "gone is no package of this"),
        (
            ("--wsgi-propose", "--wsgi-app", SPEC, "--wsgi-app", "b.wsgi"),
            f"asked for: {SPEC}, b.wsgi.\nTry: pytest --wsgi-app {SPEC} --wsgi-propose",
        ),
    ],
)
def test_what_cannot_be_proposed_is_a_usage_error(run, shop, words, said):
    found = run(*words)
    assert found.status == 4
    assert said in found.err
    assert not is_written(shop)


def test_there_is_no_django_project(run):
    found = run("--wsgi-propose")
    assert found.status == 4
    assert "No Django project: found no manage.py." in found.err
    assert "asked for: django (--wsgi-propose)" in found.err
