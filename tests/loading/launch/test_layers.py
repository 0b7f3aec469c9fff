from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import flask
import pytest

from pytest_wsgi.environ import Site
from pytest_wsgi.loading.boundaries import (
    find_boundaries,
    find_function,
    name_layer,
    name_type,
)
from pytest_wsgi.loading.launch import layers
from pytest_wsgi.loading.launch.answers import bounded
from pytest_wsgi.loading.launch.layers import watch_layers

HERE = Path(__file__).parent
SITE = Site()


class Page:
    """A response with a close of its own."""

    length = 5

    def __init__(self):
        self.parts = iter([b"hel", b"lo"])
        self.closed = 0

    def __iter__(self):
        return self

    def __next__(self):
        return next(self.parts)

    def close(self):
        self.closed += 1


def inner(environ, start_response):
    start_response("200 OK", [])
    return Page()


def plain(environ, start_response):
    start_response("200 OK", [])
    return [b"hello"]


class Layer:
    def __init__(self, app):
        self.app = app

    def __call__(self, environ, start_response):
        return self.app(environ, start_response)


class Losing(Layer):
    def __call__(self, environ, start_response):
        return list(self.app(environ, start_response))


class Mounting:
    def __init__(self, **apps):
        self.apps = apps
        self.others = {1: 2}

    def __call__(self, environ, start_response):
        return self.apps["main"](environ, start_response)


def calls_a_global(environ, start_response):
    return inner(environ, start_response)


def in_a_closure(app):
    def layer(environ, start_response):
        return app(environ, start_response)

    return layer


def watch(application):
    return watch_layers(application, SITE, HERE)


@pytest.mark.parametrize(
    "application",
    [
        Layer(inner),
        Mounting(main=inner),
        calls_a_global,
        in_a_closure(inner),
        Layer(inner).__call__,
    ],
    ids=["attribute", "dict", "global", "closure", "method"],
)
def test_layer_that_passes_all_on_is_found_and_fine(application):
    if not hasattr(application, "__self__"):
        (layer,) = watch(application)
        assert layer.inner.endswith("test_layers.inner")
        assert layer.place.startswith("test_layers.py:")
        assert layer.calls == 9
        assert (layer.lost_closes, layer.odd_variables) == ((), ())
    assert find_function(application) is not None


def test_layers_in_a_list_are_found():
    class Cascade(Layer):
        def __call__(self, environ, start_response):
            return self.app[0](environ, start_response)

    (layer,) = watch(Cascade([inner, 5]))
    assert layer.calls == 9


def test_layer_that_cannot_be_watched_is_left_alone():
    @dataclass(frozen=True)
    class Frozen:
        app: object

        def __call__(self, environ, start_response):
            return self.app(environ, start_response)

    assert watch(Frozen(inner)) == ()


def test_functions_of_other_things_are_no_applications():
    def policy(environ, router):
        return []

    class Router(Layer):
        def __call__(self, environ, start_response):
            return inner(environ, start_response)

    assert [boundary.inner for boundary in find_boundaries(Router(policy))] == [inner]


def test_layer_without_end_is_not_watched(monkeypatch):
    # Where a generator is interrupted as it goes on, coverage on Python 3.11 loses count of frames:
    # the lines that come next are at times told as never run.
    def endless(environ, start_response):
        start_response("200 OK", [])
        return itertools.repeat(b"")

    monkeypatch.setattr(layers, "bounded", partial(bounded, 0.05))
    assert watch(Layer(endless)) == ()


def test_what_an_application_names_beside_the_request_is_its_own():
    class Named(Layer):
        def __call__(self, environ, start_response):
            environ["current_user"] = "\u6f22"
            return self.app(environ, start_response)

    (layer,) = watch(Named(inner))
    assert layer.odd_variables == ()


def test_lost_close_is_told_by_reading():
    (layer,) = watch(Losing(inner))
    assert layer.name.endswith("test_layers.Losing")
    assert layer.lost_closes == (
        "read to its end",
        "left after the first block",
        "left before the first block",
    )


def test_layers_below_layers_are_found_with_each_its_own():
    layers = watch(Layer(Losing(Layer(inner))))
    assert [bool(layer.lost_closes) for layer in layers] == [False, True, False]
    assert [layer.inner.rpartition(".")[2] for layer in layers] == ["Losing", "Layer", "inner"]


def test_what_has_no_close_cannot_lose_it():
    (layer,) = watch(Losing(plain))
    assert layer.lost_closes == ()


def test_environ_that_no_server_could_make_is_told():
    class Decoding(Layer):
        def __call__(self, environ, start_response):
            environ["PATH_INFO"] = environ["PATH_INFO"].encode("latin-1").decode()
            environ["shop.name"] = "\u6f22"
            return self.app(environ, start_response)

    (layer,) = watch(Decoding(inner))
    assert layer.odd_variables == ("PATH_INFO",)


def test_layer_that_hands_on_what_it_was_given_is_not_to_blame():
    class Decoding(Layer):
        def __call__(self, environ, start_response):
            environ["PATH_INFO"] = "\u6f22"
            return self.app(environ, start_response)

    outer, inner_layer = watch(Decoding(Layer(inner)))
    assert outer.odd_variables == ("PATH_INFO",)
    assert inner_layer.odd_variables == ()


def test_a_dict_without_applications_is_passed_over():
    layer = Layer(inner)
    layer.settings, layer.name = {"a": 1}, "shop"
    assert len(list(find_boundaries(layer))) == 1


def test_application_without_layers_has_none():
    assert watch(inner) == ()
    assert watch(print) == ()


def test_a_layer_is_put_back_as_it_was():
    layer = Layer(inner)
    watch(layer)
    assert layer.app is inner


def test_nothing_is_said_where_watching_changes_the_answer():
    class Choosy(Layer):
        def __call__(self, environ, start_response):
            if not hasattr(self.app, "__code__") or type(self.app).__name__ == "StandIn":
                start_response("500 Odd", [])
                return []
            return self.app(environ, start_response)

    assert watch(Choosy(inner)) == ()


def test_inner_application_that_fails_is_an_answer():
    def failing(environ, start_response):
        raise RuntimeError

    (layer,) = watch(Layer(failing))
    assert layer.calls == 9


def test_attributes_of_what_is_watched_stay():
    seen = []

    class Reading(Layer):
        def __call__(self, environ, start_response):
            result = self.app(environ, start_response)
            seen.append((self.app.__name__, result.length))
            first = next(result)
            return [first, *result]

    (layer,) = watch(Reading(inner))
    assert set(seen) == {("inner", 5)}
    assert layer.lost_closes


def test_what_refers_to_itself_is_looked_at_once():
    layer = Layer(inner)
    layer.itself = layer
    assert len(list(find_boundaries(layer))) == 1


def test_an_empty_closure_is_passed_over():
    def outer():
        def layer(environ, start_response):
            return later(environ, start_response)

        if layer is None:
            later = inner
        return layer

    assert list(find_boundaries(outer())) == []


def test_not_too_many_layers_are_watched():
    application = inner
    for _ in range(20):
        application = Layer(application)
    assert len(list(find_boundaries(application))) == 8


def test_djangos_own_chain_is_left_alone():
    kind = type("Handler", (Layer,), {"__module__": "django.core.handlers.wsgi"})
    assert list(find_boundaries(kind(inner))) == []


def test_callable_that_is_not_of_python_has_no_place():
    (layer,) = watch(type("Odd", (), {"__call__": staticmethod(plain), "app": None})()) or (None,)
    assert layer is None
    assert find_function(print) is None
    layer = in_a_closure(inner)
    assert name_type(layer).endswith("in_a_closure.layer")
    assert name_layer(layer, HERE).partition(", ")[2].startswith("test_layers.py:")


def test_layer_in_a_tuple_is_found_and_put_back():
    class Chain:
        def __init__(self, *applications):
            self.applications = applications

        def __call__(self, environ, start_response):
            return self.applications[1](environ, start_response)

    chain = Chain(None, inner)
    (boundary,) = find_boundaries(chain)
    assert boundary.inner is inner
    other = Layer(inner)
    boundary.put(other)
    assert chain.applications == (None, other)
    boundary.put(inner)
    assert chain.applications == (None, inner)


def test_layer_that_no_python_code_is_has_no_place():
    assert name_layer(print, HERE) == name_type(print)


def test_a_layer_of_a_library_is_named_as_on_any_machine():
    application = flask.Flask(__name__)
    name, _, place = name_layer(application, HERE).partition(", ")
    assert name == "flask.app.Flask"
    assert re.fullmatch(r"site-packages/flask/app\.py:\d+", place)
