from __future__ import annotations

import functools
import types

import pytest

from pytest_wsgi.loading.classify import classify, is_surely_wsgi


def plain(environ, start_response): ...
def create_app(config=None, debug=False): ...  # noqa: FBT002 - the usual factory
def defaulted(environ=None, start_response=None): ...
def no_argument(): ...
def one(environ): ...
def keyword_only(*, environ, start_response): ...
def asgi_in_disguise(scope, receive, send): ...
def asgi_two(scope): ...
def anything(*args, **kwargs): ...
async def asynchronous(environ, start_response): ...
async def asgi(scope, receive, send): ...
async def streaming(environ, start_response):
    yield b""


class App:
    def __call__(self, environ, start_response): ...


class Child(App): ...


class Asgi:
    async def __call__(self, scope, receive, send): ...


class AsgiTwo:
    def __init__(self, scope): ...
    async def __call__(self, receive, send): ...


class AppClass:
    def __init__(self, environ, start_response): ...
    def __iter__(self): ...


class NewApp:
    def __new__(cls, environ, start_response):
        return []


class Meta(type):
    def __call__(cls, environ, start_response): ...


class MetaApp(metaclass=Meta): ...


class Handler:
    def __init__(self, *args, **kwargs): ...


class CallableDict(dict):
    def __call__(self, environ, start_response): ...


class Hostile:
    def __call__(self): ...

    @property
    def __signature__(self):
        raise RuntimeError


class Unsigned:
    __signature__ = "nonsense"

    def __call__(self): ...


def wrapped_around(function):
    @functools.wraps(function)
    def wrapper(environ, start_response): ...

    return wrapper


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        (plain, "wsgi"),
        (defaulted, "wsgi"),
        (anything, "wsgi"),
        (App(), "wsgi"),
        (Child(), "wsgi"),
        (App().__call__, "wsgi"),
        (CallableDict(), "wsgi"),
        (wrapped_around(one), "wsgi"),
        (functools.partial(plain), "wsgi"),
        (functools.partial(asgi_in_disguise, None), "wsgi"),
        (AppClass, "wsgi"),
        (NewApp, "wsgi"),
        (MetaApp, "unknown"),
        (Hostile(), "unknown"),
        (Unsigned(), "unknown"),
        (type, "unknown"),
        (create_app, "factory"),
        (no_argument, "factory"),
        (App, "class"),
        (Handler, "class"),
        (one, "arity"),
        (keyword_only, "keyword-only"),
        (asgi, "asgi 3"),
        (Asgi(), "asgi 3"),
        (asgi_in_disguise, "asgi 3"),
        (asgi_two, "asgi 2"),
        (AsgiTwo, "asgi 2"),
        (asynchronous, "async"),
        (streaming, "async"),
        (None, "none"),
        ("mysite.wsgi", "text"),
        (b"", "text"),
        ({}, "mapping"),
        (types, "module"),
        (1, "not callable"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_object_is_told_from_its_signature(target, kind):
    shape = classify(target)
    assert shape.kind == kind
    assert shape.may_be_called is (kind in ("wsgi", "unknown"))


def positional(a, /, b, *more, c, d=1, **others): ...


def test_a_call_that_fits_is_shown():
    assert classify(positional).example == "('...', b='...', c='...')"
    assert classify(create_app).example == "()"


@pytest.mark.parametrize(
    ("target", "accepts"),
    [
        (create_app, True),
        (no_argument, False),
        (Handler, True),
        (App, False),
        (asgi, False),
        (1, False),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_call_as_servers_make_it_may_succeed_all_the_same(target, accepts):
    assert classify(target).accepts is accepts


def test_the_signature_is_shown():
    assert classify(create_app).signature == "(config=None, debug=False)"


@pytest.mark.parametrize(
    ("target", "surely"),
    [
        (plain, True),
        (App(), True),
        (anything, False),
        (lambda a, b: None, False),
        (AppClass, False),
        (one, False),
    ],
    ids=lambda value: getattr(value, "__name__", type(value).__name__),
)
def test_an_application_is_told_from_any_function_of_two(target, surely):
    assert is_surely_wsgi(target) is surely
