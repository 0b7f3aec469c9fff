from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

from pytest_wsgi.loading.launch.configuration import (
    digest,
    digest_configuration,
    is_own,
    read_attribute,
)


class Failing:
    """Its attributes cannot be had."""

    def __getattr__(self, name):
        raise RuntimeError(name)


def test_parts_are_told_as_digests(monkeypatch, tmp_path):
    settings = SimpleNamespace(configured=True, SETTINGS_MODULE="a.settings")
    settings.SECRET = "hunter2"  # noqa: S105 # it is to be seen nowhere
    conf = ModuleType("django.conf")
    conf.settings = settings
    monkeypatch.setitem(sys.modules, "django.conf", conf)
    module = ModuleType("shop")
    module.__file__ = str(tmp_path / "shop.py")
    module.MODE, module.lower = "live", 1
    monkeypatch.setitem(sys.modules, "shop", module)
    application = SimpleNamespace(config={"DEBUG": True, 5: 6})
    parts = digest_configuration([application, Failing()], [str(tmp_path)])
    assert set(parts) == {
        "the settings module",
        "the setting SECRET",
        "the setting SETTINGS_MODULE",
        "config['DEBUG']",
        "shop.MODE",
        "shop.lower",
    }
    assert "hunter2" not in str(parts)
    assert parts["shop.MODE"] == digest("live") != digest("test")


def test_without_django_there_are_no_settings(monkeypatch, tmp_path):
    monkeypatch.delitem(sys.modules, "django.conf", raising=False)
    assert digest_configuration([], [str(tmp_path)]) == {}


def test_settings_of_the_users_own_kinds_are_looked_into(tmp_path, monkeypatch):
    module = ModuleType("shop")
    module.__file__ = str(tmp_path / "shop.py")
    module.settings, module.make, module.os = SimpleNamespace(mode="live"), print, sys
    monkeypatch.setitem(sys.modules, "shop", module)
    registry = SimpleNamespace(settings={"shop.mode": "live"})
    application = SimpleNamespace(registry=registry)
    before = digest_configuration([application], [str(tmp_path)])
    assert {name for name in before if "setting " not in name} >= {
        "shop.settings",
        "settings['shop.mode']",
    }
    module.settings.mode = registry.settings["shop.mode"] = "test"
    after = digest_configuration([application], [str(tmp_path)])
    assert {name for name in before if before[name] != after[name]} == {
        "shop.settings",
        "settings['shop.mode']",
    }


def test_what_is_installed_is_not_the_projects_own(tmp_path):
    assert is_own(str(tmp_path / "shop.py"), [str(tmp_path)])
    assert not is_own(str(tmp_path / "venv/site-packages/shop.py"), [str(tmp_path)])
    assert not is_own("/elsewhere/shop.py", [str(tmp_path)])


def test_attributes_that_fail_are_none():
    assert read_attribute(Failing(), "config") is None
    assert read_attribute(SimpleNamespace(config=1), "config") == 1


def test_objects_are_digested_by_their_type_alone():
    class Odd:
        def __repr__(self):
            raise RuntimeError

    assert digest(Odd()) == digest(Odd())
