from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import pytest

from pytest_wsgi.loading.django import read_settings
from pytest_wsgi.secrecy import read_config, watch_secrets

SECRET = "canary-1234"  # noqa: S105 # it is none


class Asked(dict):
    """A dict of the target's, as Flask's Config is one, that must not be asked for anything."""

    def items(self):
        raise AssertionError

    __getitem__ = keys = __iter__ = items


class Application:
    """An application that keeps a config, and must not be asked for it."""

    def __init__(self, config):
        self.config = config

    def __getattribute__(self, name):
        raise AssertionError(name)


class Slotted:
    """An application that keeps nothing in a dict."""

    __slots__ = ("config",)


@pytest.fixture
def configure(monkeypatch):
    """Return what puts settings into the place of Django's."""

    def put(**changes):
        conf = ModuleType("django.conf")
        conf.settings = SimpleNamespace(configured=True, **changes)
        monkeypatch.setitem(sys.modules, "django.conf", conf)

    return put


@pytest.mark.parametrize("application", [None, 5, Slotted()])
def test_an_application_that_keeps_nothing(application):
    assert read_config(application) == {}


@pytest.mark.parametrize("config", [None, [SECRET]])
def test_an_application_without_a_config(config):
    assert read_config(Application(config)) == {}


def test_the_config_of_an_application_is_read_as_a_dict():
    config = read_config(Application(Asked(SECRET_KEY=SECRET)))
    assert (type(config), config) == (dict, {"SECRET_KEY": SECRET})
    assert SECRET in watch_secrets("", Application(config)).secrets


def test_settings_are_read_where_they_are_stored(configure):
    configure(_wrapped=SimpleNamespace(API_TOKEN=SECRET, DEBUG=True, module="x"))
    assert read_settings() == {"API_TOKEN": SECRET, "DEBUG": True}
    assert SECRET in watch_secrets("").secrets


def test_settings_that_a_test_overrides_come_first(configure):
    defaults = ModuleType("global_settings")
    defaults.API_TOKEN, defaults.DEBUG = "none", False
    holder = SimpleNamespace(API_TOKEN=SECRET, default_settings=defaults)
    configure(_wrapped=holder)
    assert read_settings() == {"API_TOKEN": SECRET, "DEBUG": False}


@pytest.mark.parametrize("changes", [{}, {"_wrapped": None}, {"_wrapped": object()}])
def test_settings_that_store_nothing(configure, changes):
    configure(**changes)
    assert read_settings() == {}


def test_no_settings(monkeypatch):
    monkeypatch.delitem(sys.modules, "django.conf", raising=False)
    assert read_settings() == {}


def test_variables_that_are_gone_are_still_secret(monkeypatch):
    monkeypatch.setenv("ONE_TOKEN", "canary-now")
    secrets = watch_secrets("", None, {"OTHER_TOKEN": "canary-then"}).secrets
    assert {"canary-now", "canary-then"} <= set(secrets)
