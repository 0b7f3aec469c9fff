"""Layers that a user names: the boundary is over them, and below the nearest application."""

from __future__ import annotations

import importlib
import sys

import pytest

from pytest_wsgi.loading.layer import find_layers, load_layer
from pytest_wsgi.loading.spec import parse_spec

MODULE = """
class HandOn:
    def __init__(self, app):
        self.app = app

    def __call__(self, environ, start_response):
        return self.app(environ, start_response)


class Registry:
    def __init__(self, app):
        self.kept = {"one": (None, {"two": app})}

    @property
    def inner(self):
        return self.kept["one"][1]["two"]

    @inner.setter
    def inner(self, app):
        self.kept["one"][1]["two"] = app


class Registered:
    def __init__(self, app):
        self.registry = Registry(app)

    def __call__(self, environ, start_response):
        return self.registry.inner(environ, start_response)


def pages(environ, start_response):
    start_response("200 OK", [])
    return []


application = HandOn(Registered(HandOn(pages)))
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    (tmp_path / "named_layers.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield importlib.import_module("named_layers")
    sys.modules.pop("named_layers")


def load(text, module, tmp_path):
    spec = parse_spec(text, "--wsgi-layer")
    return load_layer(spec, module.application, paths=[str(tmp_path)], rootdir=tmp_path)


def test_layer_above_is_the_nearest_application_on_the_way(module, tmp_path):
    boundary = load("named_layers:application.app.registry.inner", module, tmp_path)
    assert boundary.outer is module.application.app
    assert boundary.inner is module.application.app.registry.inner
    boundary.put(module.pages)
    assert module.application.app.registry.inner is module.pages


def test_name_of_the_module_is_below_the_application(module, tmp_path):
    boundary = load("named_layers:pages", module, tmp_path)
    assert boundary.outer is module.application
    boundary.put(len)
    assert module.pages is len


def test_what_is_below_a_named_layer_is_found_and_nothing_twice(module, tmp_path):
    named = load("named_layers:application.app.registry.inner", module, tmp_path)
    again = load("named_layers:application.app", module, tmp_path)
    found = find_layers(module.application, [named, again])
    assert [boundary.inner for boundary in found] == [
        module.application.app.registry.inner,
        module.application.app,
        module.pages,
    ]
