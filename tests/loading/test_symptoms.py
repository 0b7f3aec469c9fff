"""How servers show what cannot be served, and the whole messages that say so."""

from __future__ import annotations

import typing

import pytest

from pytest_wsgi.loading import examine, parse_spec
from pytest_wsgi.loading.classify import Shape, ShapeKind
from pytest_wsgi.loading.symptoms import _TABLE, on_servers

EVERY_REQUEST = "Gunicorn, mod_wsgi and runserver start, and answer 500 to every request\n"


def message(*lines):
    return "\n".join(lines)


@pytest.mark.parametrize("kind", typing.get_args(ShapeKind))
def test_every_kind_that_is_refused_is_in_the_table(kind):
    assert bool(on_servers(kind)) is not Shape(kind).may_be_called


@pytest.mark.parametrize("kind", _TABLE)
@pytest.mark.parametrize("accepts", [True, False])
def test_at_most_four_short_lines_are_said(kind, accepts):
    lines = on_servers(kind, accepts=accepts).splitlines()
    assert 2 <= len(lines) <= 4
    assert max(map(len, lines)) <= 100
    for server in ("Gunicorn", "uWSGI", "mod_wsgi", "runserver"):
        assert sum(server in line for line in lines) == 1


def test_servers_that_do_the_same_share_a_line():
    assert on_servers("none") == message(
        "on servers: Gunicorn refuses to start (exit code 4), "
        'and says "Failed to find application object"',
        "            mod_wsgi and runserver start, and answer 500 to every request",
        '            uWSGI says "WSGI app 0 ready", and sends nothing back (nginx: 502)',
        "            in the log: TypeError: 'NoneType' object is not callable",
    )


def test_what_is_unknown_has_no_symptoms():
    assert on_servers("") == ""


SHAPES = """
import os as module
def create_app(config=None, debug=False): return application
def make(): return application
class Site:
    def __call__(self, environ, start_response): ...
class Frame:
    def __init__(self, *args, **kwargs): ...
async def asgi(scope, receive, send): ...
def asgi_two(scope): ...
async def coroutine(environ, start_response): ...
async def short(environ): ...
def one(environ): ...
def keyword(*, environ, start_response): ...
nothing, text, number, mapping = None, "m:app", 1, {}
"""


@pytest.mark.parametrize(
    ("name", "said", "log"),
    [
        ("create_app", EVERY_REQUEST, "TypeError: '...' object is not iterable"),
        ("make", EVERY_REQUEST, "TypeError: ... positional arguments but ... were given"),
        ("Site", EVERY_REQUEST, "TypeError: ... arguments ..."),
        ("Frame", EVERY_REQUEST, "an error of its constructor, or TypeError"),
        ("asgi", EVERY_REQUEST, "missing 1 required positional argument: 'send'"),
        ("asgi_two", EVERY_REQUEST, "TypeError: ... positional argument ..."),
        ("coroutine", EVERY_REQUEST, "TypeError: 'coroutine' object is not iterable"),
        ("short", EVERY_REQUEST, "TypeError: ... positional argument ..."),
        ("one", EVERY_REQUEST, "TypeError: ... positional argument ..."),
        ("keyword", EVERY_REQUEST, "TypeError: ... argument ..."),
        ("nothing", "Gunicorn refuses to start", "'NoneType' object is not callable"),
        ("text", "Gunicorn refuses to start", "'str' object is not callable"),
        ("number", "Gunicorn refuses to start", "'...' object is not callable"),
        ("mapping", 'uWSGI says "no app loaded"', "'dict' object is not callable"),
        ("module", "Gunicorn refuses to start", "'module' object is not callable"),
    ],
)
def test_a_problem_says_how_it_would_have_shown_itself(project, name, said, log):
    project.write_file("shapes.py", SHAPES)
    text = project.problem(f"shapes:{name}").message
    assert "  on servers: Gunicorn" in text
    assert said in text
    assert log in next(line for line in text.splitlines() if "in the log: " in line)


def test_a_fixture_is_found_by_no_server(project):
    spec = parse_spec("fixture")
    how = {"origin": "--wsgi-app", "paths": project.paths, "rootdir": project.root}
    assert "servers" not in examine(None, spec, **how).problem.message


def test_the_whole_message_for_none(project):
    project.write_file("shop/wsgi.py", "application = None\n")
    assert project.problem("shop.wsgi:application").message == message(
        "The object at shop.wsgi:application is None.",
        "  asked for: shop.wsgi:application (--wsgi-app)",
        "  on servers: Gunicorn refuses to start (exit code 4), "
        'and says "Failed to find application object"',
        "              mod_wsgi and runserver start, and answer 500 to every request",
        '              uWSGI says "WSGI app 0 ready", and sends nothing back (nginx: 502)',
        "              in the log: TypeError: 'NoneType' object is not callable",
        "  Bind it to the application; the function that makes it may have forgotten its return.",
        "Name a WSGI application: pytest --wsgi-app PKG.MODULE:NAME",
    )


MANAGE = 'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")\n'
SETTINGS = """
SECRET_KEY = "x"
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes"]
MIDDLEWARE = ["django.contrib.auth.middleware.AuthenticationMiddleware"]
"""


@pytest.fixture
def said(project):
    """Write a wsgi.py for a real Django project; return its problem, without the traceback."""
    pytest.importorskip("django", reason="Django is not installed")
    project.write_file("manage.py", MANAGE)
    project.write_file("shop/__init__.py")
    project.write_file("shop/settings.py", SETTINGS)

    def load(text):
        project.write_file("shop/wsgi.py", MANAGE + text)
        _, loading, _ = project.load_apart("shop.wsgi.application")[-1]
        problem = loading["problem"]
        lines = problem["message"].splitlines()
        start = next((at for at, line in enumerate(lines) if line.startswith("    File ")), 0)
        end = next((at for at, line in enumerate(lines) if "exceptions." in line), 0)
        return problem["id"], message(*lines[:start], *lines[end:])

    return load


BEFORE_SETUP = (
    '  on servers: Gunicorn refuses to start (exit code 3), and says "Worker failed to boot"',
    "              mod_wsgi starts, and answers 500 to every request",
    "              runserver works, because manage.py has set Django up before",
    '              uWSGI says "no app loaded", and answers 500 to every request',
)
NOT_READY = "  django.core.exceptions.AppRegistryNotReady: Apps aren't loaded yet."
MENDED = "When that is mended: pytest --wsgi-app shop.wsgi.application"


@pytest.mark.slow
def test_the_whole_message_for_forgotten_parentheses(said):
    text = "from django.core.wsgi import get_wsgi_application\n"
    assert said(f"{text}application = get_wsgi_application\n") == (
        "parentheses-missing",
        message(
            "The object at shop.wsgi.application is get_wsgi_application itself, "
            "not what it returns: the parentheses are missing.",
            "  asked for: shop.wsgi.application (--wsgi-app)",
            "  on servers: Gunicorn, mod_wsgi and runserver start, and answer 500 to every request",
            '              uWSGI says "WSGI app 0 ready", and sends nothing back (nginx: 502)',
            "              in the log: TypeError: ... positional arguments but ... were given",
            "  add () in shop/wsgi.py:4: application = get_wsgi_application()",
            "  or have it called, which Gunicorn and uWSGI can do, but not mod_wsgi and runserver",
            "Try: pytest --wsgi-app 'shop.wsgi:application()'",
            "  or gunicorn 'shop.wsgi:application()'",
            "  or uwsgi --module 'shop.wsgi:application()'",
        ),
    )


@pytest.mark.slow
def test_the_whole_message_for_a_handler_without_setup(said):
    text = "import django.core.handlers.wsgi\n"
    assert said(f"{text}application = django.core.handlers.wsgi.WSGIHandler()\n") == (
        "django-handler-without-setup",
        message(
            "shop/wsgi.py:4 calls WSGIHandler() itself, which does not set Django up.",
            "  asked for: shop.wsgi.application (--wsgi-app)",
            NOT_READY,
            *BEFORE_SETUP,
            "  Use get_wsgi_application() instead, which sets it up, since Django 1.7:",
            "      from django.core.wsgi import get_wsgi_application",
            "      application = get_wsgi_application()",
            "  For a subclass of WSGIHandler, call django.setup() before.",
            MENDED,
        ),
    )


@pytest.mark.slow
def test_the_whole_message_for_the_page_about_users_on_apache(said):
    text = "from django.contrib.auth.handlers.modwsgi import check_password\n"
    text += "from django.core.handlers.wsgi import WSGIHandler\napplication = WSGIHandler()\n"
    assert said(text) == (
        "django-imported-before-setup",
        message(
            "shop/wsgi.py:3 imports django.contrib.auth.handlers.modwsgi before Django is set up.",
            "  asked for: shop.wsgi.application (--wsgi-app)",
            NOT_READY,
            *BEFORE_SETUP,
            "  Call get_wsgi_application() first, which sets Django up, and import that after it:",
            "      application = get_wsgi_application()",
            "      from django.contrib.auth.handlers.modwsgi "
            "import check_password, groups_for_user",
            "  Django's page about users on Apache has the old order, which fails since 1.7.",
            MENDED,
        ),
    )


@pytest.mark.slow
def test_models_that_are_used_before_and_in_the_setup(said, project):
    text = "from django.apps import apps\napps.get_model('auth', 'User')\n"
    name, said_of_use = said(text)
    assert name == "django-apps-not-ready"
    assert "and use models after" in said_of_use
    assert "runserver works" in said_of_use
    project.write_file("shop/__init__.py")
    project.write_file("early/__init__.py", "from django.contrib.auth.models import User\n")
    project.write_file("shop/settings.py", f'{SETTINGS}INSTALLED_APPS.append("early")\n')
    text = "from django.core.wsgi import get_wsgi_application\n"
    name, said_of_setup = said(f"{text}application = get_wsgi_application()\n")
    assert name == "django-apps-not-ready"
    assert "AppConfig.ready()" in said_of_setup
    assert "runserver fails as well" in said_of_setup


@pytest.mark.slow
def test_the_class_of_djangos_handler(said):
    text = "from django.core.handlers.wsgi import WSGIHandler\napplication = WSGIHandler\n"
    name, text = said(text)
    assert name == "object-is-class"
    assert "not an instance: it is WSGIHandler itself." in text
    assert "Make an instance by get_wsgi_application()" in text
    assert text.endswith(MENDED)


def test_the_class_of_flask(project):
    pytest.importorskip("flask", reason="Flask is not installed")
    project.write_file("web.py", "from flask import Flask\napplication = Flask\n")
    problem = project.problem("web:application")
    assert problem.id == "object-is-class"
    assert "it is Flask itself.\n" in problem.message
    assert "  add (import_name='...') in web.py:2: " in problem.message
