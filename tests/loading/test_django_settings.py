from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from pytest_wsgi.loading import django, hosts

BEFORE = django.Before(None, None)


class Lazy:
    """Settings that cannot be had."""

    def __getattr__(self, name):
        """Fail, as settings that cannot be imported do."""
        raise RuntimeError(name)


@pytest.fixture
def configured(monkeypatch):
    settings = SimpleNamespace(configured=True, SETTINGS_MODULE="a.settings", DEBUG=False)
    conf = ModuleType("django.conf")
    conf.settings = settings
    monkeypatch.setitem(sys.modules, "django.conf", conf)
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE", raising=False)
    return settings


@pytest.mark.parametrize(
    ("allowed", "debug", "found"),
    [
        (["example.com", ".example.org"], False, ("example.com", "example.org")),
        (["*"], False, ("localhost",)),
        ([], True, ("localhost",)),
        ([], False, ()),
        (None, False, ()),
        ("example.com", False, ()),
        (("a_b.example", "", ".", 1, "testserver", "testserver"), True, ("testserver",)),
    ],
)
def test_hosts_are_those_that_django_allows(allowed, debug, found):
    assert django.hosts_of(SimpleNamespace(ALLOWED_HOSTS=allowed, DEBUG=debug)) == found


def test_hosts_are_read_as_they_are_now(configured):
    configured.ALLOWED_HOSTS = ["one"]
    assert hosts() == ("one",)
    configured.ALLOWED_HOSTS = ["two"]
    assert hosts() == ("two",)
    configured.configured = False
    assert hosts() == ()


@pytest.mark.parametrize(
    ("databases", "found"),
    [
        ({"default": {"ENGINE": "django.db.backends.sqlite3"}}, True),
        ({"default": {}, "users": {"ENGINE": "django.db.backends.sqlite3"}}, True),
        ({"default": {"ENGINE": "django.db.backends.dummy"}}, False),
        ({"default": {"ENGINE": ""}, "odd": 5}, False),
        ({}, False),
        (None, False),
    ],
)
def test_a_dummy_is_no_database(databases, found):
    assert django.has_database(SimpleNamespace(DATABASES=databases)) is found


def test_settings_that_fail_say_nothing():
    assert not django.has_database(Lazy())
    assert django.hosts_of(Lazy()) == ()
    assert django.settings_name(Lazy()) == ""


def test_a_project_without_django_has_no_hosts(monkeypatch):
    monkeypatch.delitem(sys.modules, "django.conf", raising=False)
    assert hosts() == ()
    assert django.look_before() == django.Before(django.os.environ.get(django.VARIABLE), None)


@pytest.mark.usefixtures("configured")
def test_the_state_before_a_load():
    assert django.look_before() == django.Before(None, "a.settings")


def test_overridden_settings_are_named_by_the_variable(configured, monkeypatch):
    configured.SETTINGS_MODULE = None
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "b.settings")
    assert django.settings_name(configured) == "b.settings"


def test_a_second_settings_module_is_a_conflict():
    before = django.Before(None, "a.settings")
    assert django.conflict(before, "b.settings")
    assert not django.conflict(before, "a.settings")
    assert not django.conflict(before, None)
    assert not django.conflict(BEFORE, "b.settings")
    assert not django.conflict(django.Before(None, ""), "b.settings")


@pytest.mark.parametrize(
    ("before", "env", "origin"),
    [
        (BEFORE, {}, "set by wsgi.py"),
        (django.Before("a.settings", None), {}, "environment"),
        (django.Before("b.settings", None), {}, "set by wsgi.py"),
        (BEFORE, {django.VARIABLE: "a.settings"}, "--wsgi-env"),
        (django.Before(None, "a.settings"), {}, "configured before loading"),
    ],
)
def test_where_the_settings_came_from(monkeypatch, before, env, origin):
    monkeypatch.delitem(sys.modules, "pytest_django", raising=False)
    assert django.origin_of_settings(before, "a.settings", env, "wsgi.py") == origin


def test_settings_that_pytest_django_configured(monkeypatch):
    monkeypatch.setitem(sys.modules, "pytest_django", ModuleType("pytest_django"))
    before = django.Before("a.settings", "a.settings")
    assert django.origin_of_settings(before, "a.settings", {}, "wsgi.py") == "pytest-django"


@pytest.mark.usefixtures("project")
def test_settings_that_an_earlier_target_set(configured):
    configured.configured = False
    django.remember("none/wsgi.py", BEFORE)
    assert django.find_owner() is None
    configured.configured = True
    django.remember("late/wsgi.py", django.look_before())
    assert django.find_owner() is None
    django.remember("one/wsgi.py", BEFORE)
    django.remember("two/wsgi.py", django.look_before())
    assert django.find_owner() == django.Owner("one/wsgi.py", "a.settings", BEFORE)
    before = django.look_before()
    assert django.origin_of_settings(before, "a.settings", {}, "x") == "set by one/wsgi.py"
    assert (django.set_by("a.settings"), django.set_by("b.settings")) == ("one/wsgi.py", "")


@pytest.mark.parametrize(
    ("database", "shown"),
    [
        (
            {"ENGINE": "django.db.backends.sqlite3", "NAME": Path("/site/db.sqlite3")},
            "sqlite3 db.sqlite3",
        ),
        ({"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}, "sqlite3 :memory:"),
        ({"ENGINE": "django.db.backends.postgresql", "NAME": "shop"}, "postgresql shop"),
        ({"ENGINE": "x.y", "NAME": "postgres://u:p@h/d"}, "y (name not shown)"),
        ({"ENGINE": "x.y"}, "y"),
        ({"ENGINE": "django.db.backends.dummy"}, None),
        ({}, None),
        (None, None),
    ],
)
def test_the_facts_name_the_database_but_no_secret(database, shown):
    settings = SimpleNamespace(
        SETTINGS_MODULE="a.settings", DEBUG=True, DATABASES={"default": database}
    )
    found = django.facts(settings, "--wsgi-env", Path("/site"))
    assert list(found)[:2] == ["settings module", "DEBUG"]
    assert found["settings module"] == "a.settings (--wsgi-env)"
    assert found["DEBUG"] == "True"
    assert found.get("database") == shown


def test_settings_made_by_hand_have_no_module(monkeypatch):
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE", raising=False)
    found = django.facts(SimpleNamespace(DEBUG=False), "configured before loading", Path())
    assert found["settings module"] == "settings.configure() (configured before loading)"
    assert "database" not in found


def test_a_settings_module_may_be_a_directory(monkeypatch, configured):
    module = ModuleType("a.settings")
    monkeypatch.setitem(sys.modules, "a.settings", module)
    assert not django.is_directory(configured)
    module.__path__ = []
    assert django.is_directory(configured)
    module.__file__ = "a/settings/__init__.py"
    assert not django.is_directory(configured)


def test_the_setting_that_names_a_module():
    settings = SimpleNamespace(MIDDLEWARE=["a.b", "whitenoise.m.W", 1], INSTALLED_APPS=("blog",))
    assert django.setting_that_names(settings, "whitenoise").startswith("MIDDLEWARE[1] ")
    assert django.setting_that_names(settings, "blog").startswith("INSTALLED_APPS[0] ")
    assert django.setting_that_names(settings, "white") == ""
    assert django.setting_that_names(None, "white") == ""
