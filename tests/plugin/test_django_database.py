"""pytest-django's database and settings apply to our items when it is installed and set up."""

from __future__ import annotations

import importlib.util
import sqlite3
import subprocess
import sys

import pytest

from runs import ALL, GOOD, MAIN, read_report, write

pytest.importorskip("django")

HAS_PLUGIN = importlib.util.find_spec("pytest_django") is not None
needs_plugin = pytest.mark.skipif(not HAS_PLUGIN, reason="pytest-django is not installed")

PROJECT = {
    "mysite/__init__.py": "",
    "mysite/settings.py": """
from pathlib import Path
SECRET_KEY = "only for this test"
DEBUG = False
ALLOWED_HOSTS = []
ROOT_URLCONF = "mysite.urls"
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": Path("real.sqlite3")}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
""",
    "mysite/urls.py": """
from django.contrib.auth.models import User
from django.db import connection
from django.http import HttpResponse
from django.urls import path

def count(request):
    User.objects.get_or_create(username="visitor")
    with open("databases.txt", "a") as file:
        print(connection.settings_dict["NAME"], User.objects.count(), file=file)
    return HttpResponse(f"{User.objects.count()} users", content_type="text/plain")

urlpatterns = [path("", count)]
""",
    "mysite/wsgi.py": """
import os
from django.core.wsgi import get_wsgi_application
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")
application = get_wsgi_application()
""",
}

MAKE = """
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "mysite.settings"
import django
from django.core.management import call_command
django.setup()
call_command("migrate", verbosity=0)
"""

SET_UP = "[pytest]\npythonpath = .\nDJANGO_SETTINGS_MODULE = mysite.settings\n"


@pytest.fixture
def site(pytester, monkeypatch):
    """Return the directory of a Django project whose one page reads and writes its database."""
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE", raising=False)
    monkeypatch.delenv("PYTEST_WSGI_APP", raising=False)
    write(pytester.path, PROJECT)
    return pytester.path


def count_users(site):
    with sqlite3.connect(site / "real.sqlite3") as connection:
        (count,) = connection.execute("SELECT count(*) FROM auth_user").fetchone()
    connection.close()
    return count


@needs_plugin
@pytest.mark.parametrize("more", [(), ("-n", "2")], ids=str)
def test_test_database_and_hosts(site, run_apart, more):
    if more:
        pytest.importorskip("xdist")
    write(
        site,
        {
            "pytest.ini": SET_UP,
            "tests/test_own.py": "import pytest\n"
            "@pytest.mark.django_db\ndef test_own():\n"
            "    from django.contrib.auth.models import User\n"
            "    assert User.objects.count() == 0\n",
        },
    )
    result = run_apart(*MAIN, "--wsgi-report", "all.json", *more, isolated=False)
    assert result.ret == 0, result.stdout.str()
    outcomes = result.parseoutcomes()
    assert sum(outcomes[name] for name in ("passed", "skipped", "advised")) == ALL + 1
    assert not (site / "real.sqlite3").exists()
    lines = (site / "databases.txt").read_text().splitlines()
    assert all("memory" in line or "test" in line for line in lines)
    assert {line.split()[-1] for line in lines} == {"1"}
    report = read_report(site / "all.json")
    reason = "the test database of pytest-django belongs to one thread"
    assert f"not driven, {reason}: concurrent, threads-apart" in report.notes
    (rule,) = (rule for rule in report.rules if rule.id == "application-serves-two-threads")
    assert (rule.verdict, rule.reason) == ("not exercised", reason)
    facts = report.subject.facts
    assert facts["settings module"] == "mysite.settings (pytest-django)"
    assert "testserver" in facts["host"] or "localhost" in facts["host"]
    assert "no test database" not in facts["database"]


STAND_IN = """
import sys, types
settings = types.SimpleNamespace(
    configured={configured}, SETTINGS_MODULE="mysite.settings", DEBUG=False,
    ALLOWED_HOSTS=["testserver"],
    DATABASES={{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": "real.sqlite3"}}}},
)
sys.modules["django.conf"] = types.SimpleNamespace(settings=settings)
def pytest_configure(config): config.addinivalue_line("markers", "django_db")
"""


@pytest.mark.parametrize("configured", [True, False])
def test_the_mark_is_set_where_there_are_settings(run, add, monkeypatch, configured):
    # Stand-ins, because Django's settings are for life; the real ones are in the other tests.
    for name in ("collection", "launching"):
        monkeypatch.setattr(f"pytest_wsgi.{name}.has_django", lambda _config: True)
    monkeypatch.setitem(sys.modules, "django.conf", None)
    set_up = (
        "import sys\nconf = sys.modules.get('django.conf')\n"  # a fresh process has none
        "if conf is not None:\n    conf.settings.configured = True\n"
    )
    add(
        {"conftest.py": STAND_IN.format(configured=configured), "mysite/wsgi.py": f"{set_up}{GOOD}"}
    )
    found = run(*MAIN, "-m", "django_db", "-rs")
    assert len(found.rules) == (ALL if configured else 0)
    found = run(*MAIN, "-k", "application-loads or status-is-native-string")
    assert found.status == 0
    note = "sqlite3 real.sqlite3 (no test database: pytest-django has no settings)"
    assert (note in found.out) is not configured
    assert run(*MAIN, "--wsgi-only").status == 0


SITE = """
import os, sys, types  # django
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "{name}.settings")
conf = sys.modules.get("django.conf") or types.SimpleNamespace(
    settings=types.SimpleNamespace(
        configured=True,
        SETTINGS_MODULE=os.environ["DJANGO_SETTINGS_MODULE"],
        DATABASES={{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": "{name}.db"}}}},
    )
)
sys.modules["django.conf"] = conf
"""


def test_the_test_database_is_that_of_this_process(run, add, project, monkeypatch):
    # Stand-ins for Django, which would be set up for the life of this process.
    for name in ("collection", "launching"):
        monkeypatch.setattr(f"pytest_wsgi.{name}.has_django", lambda _config: True)
    monkeypatch.setitem(sys.modules, "django.conf", None)
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "")
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE")
    add({f"{name}.py": SITE.format(name=name) + GOOD for name in "ab"})
    sites = ("--wsgi-app", "a=a.application", "--wsgi-app", "b=b.application")
    assert run(*sites, "--wsgi-report", "all.json", "--wsgi-select", "status-*").status == 0
    reports = [read_report(project / f"all-{name}.json") for name in "ab"]
    databases = [report.subject.facts["database"] for report in reports]
    notes = ("pytest-django has no settings", "in a process of its own")
    assert databases == [
        f"sqlite3 {name}.db (no test database: {note})"
        for name, note in zip("ab", notes, strict=True)
    ]


@needs_plugin
def test_the_client_uses_the_test_database(site, run_apart):
    pytest.importorskip("webtest")
    write(
        site,
        {
            "pytest.ini": SET_UP,
            "test_page.py": "import pytest\n"
            "@pytest.mark.django_db\ndef test_page(wsgi_client):\n"
            "    assert wsgi_client.get('/').text == '1 users'\n",
        },
    )
    result = run_apart(*MAIN, "-m", "not wsgi", isolated=False)
    assert result.ret == 0, result.stdout.str()
    assert not (site / "real.sqlite3").exists()


@needs_plugin
def test_nothing_is_skipped_for_another_application(pytester, run_apart):
    write(pytester.path, {"mysite/wsgi.py": GOOD, "pytest.ini": "[pytest]\n"})
    result = run_apart(*MAIN, "-rs", isolated=False)
    assert result.ret == 0
    assert "no Django settings" not in result.stdout.str()
    assert result.parseoutcomes()["passed"] > ALL / 2


@pytest.mark.parametrize("isolated", [True, pytest.param(False, marks=needs_plugin)])
def test_without_a_test_database_the_summary_names_the_real_one(site, run_apart, isolated):
    settings = PROJECT["mysite/settings.py"].replace("ALLOWED_HOSTS = []", "ALLOWED_HOSTS = ['*']")
    write(site, {"pytest.ini": "[pytest]\n", "mysite/settings.py": settings, "make.py": MAKE})
    subprocess.run([sys.executable, "make.py"], cwd=site, check=True, timeout=60)
    result = run_apart(*MAIN, isolated=isolated)
    text = result.stdout.str()
    assert result.ret == 0, text
    assert count_users(site) == 1
    assert "sqlite3 real.sqlite3" in text
    assert ("no test database: pytest-django has no settings" in text) is not isolated
