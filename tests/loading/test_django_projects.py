"""Real Django projects, each in a process of its own: Django keeps its settings for life."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.slow

MANAGE = 'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")\n'
SETTINGS = """
SECRET_KEY = "x"
DEBUG = True
ALLOWED_HOSTS = [".example.com", "localhost"]
ROOT_URLCONF = "shop.urls"
WSGI_APPLICATION = "shop.wsgi.application"
INSTALLED_APPS = []
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3"}}
"""
WSGI = """
import os
from django.core.wsgi import get_wsgi_application
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
application = get_wsgi_application()
"""
AUTH = """
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "shop.settings"
from django.contrib.auth.handlers.modwsgi import check_password
from django.contrib.auth.models import User
"""


@pytest.fixture
def shop(project):
    pytest.importorskip("django", reason="Django is not installed")
    project.write_file("manage.py", MANAGE)
    project.write_file("shop/__init__.py")
    project.write_file("shop/urls.py", "urlpatterns = []\n")
    project.write_file("shop/settings.py", SETTINGS)
    project.write_file("shop/wsgi.py", WSGI)
    return project


def problem(project, *specs, **how):
    _, loading, _ = project.load_apart(*specs, **how)[-1]
    assert loading["problem"] is not None
    return loading["problem"]


@pytest.mark.parametrize(
    "spec",
    [
        "shop.wsgi.application",
        "shop.wsgi",
        "shop.wsgi:application",
        "shop/wsgi.py",
        "django",
        "auto",
    ],
)
def test_a_project_is_loaded(shop, spec):
    (loaded, loading, hosts), *_ = shop.load_apart(spec)
    assert loaded, loading["problem"]
    assert loading["object_type"] == "django.core.handlers.wsgi.WSGIHandler"
    assert (loading["file"], loading["line"]) == ("shop/wsgi.py", 5)
    assert loading["facts"]["settings module"] == "shop.settings (set by shop/wsgi.py)"
    assert loading["facts"]["DEBUG"] == "True"
    assert loading["facts"]["database"] == "sqlite3 db.sqlite3"
    assert hosts == ["example.com", "localhost"]


def test_the_settings_module_may_come_from_outside(shop):
    shop.write_file("shop/other.py", SETTINGS.replace("True", "False"))
    name = {"DJANGO_SETTINGS_MODULE": "shop.other"}
    (_, given, _), *_ = shop.load_apart("django", env=name)
    assert given["facts"]["settings module"] == "shop.other (--wsgi-env)"
    assert given["facts"]["DEBUG"] == "False"
    (_, inherited, _), *_ = shop.load_apart("django", environ=name)
    assert inherited["facts"]["settings module"] == "shop.other (environment)"
    setup = "import django\ndjango.setup()\n"
    (_, earlier, _), *_ = shop.load_apart("shop.wsgi", setup=setup, environ=name)
    assert earlier["facts"]["settings module"] == "shop.other (configured before loading)"


def test_a_second_site_is_refused(shop):
    shop.write_file("blog/__init__.py")
    shop.write_file("blog/wsgi.py", WSGI.replace("shop.", "blog."))
    found = problem(shop, "shop.wsgi", "blog.wsgi")
    assert found["id"] == "django-settings-in-use"
    assert "shop.settings (set by shop/wsgi.py)" in found["message"]


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        (
            WSGI.replace("shop.settings", "mysite.settings"),
            "django-settings-missing",
            "manage.py says 'shop.settings'",
        ),
        (
            WSGI.replace("os.environ", "dict()"),
            "django-settings-not-configured",
            'os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")',
        ),
        (
            WSGI.replace("application()\n", "application\n"),
            "parentheses-missing",
            "--wsgi-app 'shop.wsgi:application()'",
        ),
        (
            "from django.core.handlers.wsgi import WSGIHandler as application\n",
            "object-is-class",
            "Make an instance",
        ),
        (
            WSGI.replace("wsgi", "asgi"),
            "object-is-asgi",
            "Name the WSGI module",
        ),
        (
            AUTH,
            "django-imported-before-setup",
            "Call get_wsgi_application() first",
        ),
    ],
    ids=["placeholder", "too late", "no call", "class", "asgi", "apps"],
)
def test_a_broken_wsgi_py(shop, text, name, said):
    shop.write_file("shop/wsgi.py", text)
    found = problem(shop, "shop.wsgi.application")
    assert found["id"] == name, found["message"]
    assert said in found["message"]


@pytest.mark.parametrize(
    ("more", "name", "said"),
    [
        (
            "import os\nKEY = os.environ['ABSENT_KEY']\n",
            "environment-variable-missing",
            "--wsgi-env ABSENT_KEY=...",
        ),
        (
            "MIDDLEWARE = ['absent_package.Middleware']\n",
            "import-failed-missing-module",
            "MIDDLEWARE[0] of the settings names it: 'absent_package.Middleware'",
        ),
        (
            "INSTALLED_APPS = ['absent_app']\n",
            "import-failed-missing-module",
            "INSTALLED_APPS[0] of the settings names it: 'absent_app'",
        ),
    ],
    ids=["variable", "middleware", "app"],
)
def test_broken_settings(shop, more, name, said):
    shop.write_file("shop/settings.py", SETTINGS + more)
    found = problem(shop, "shop.wsgi.application")
    assert found["id"] == name, found["message"]
    assert said in found["message"]


def test_settings_that_are_a_directory(shop):
    (shop.root / "shop/settings.py").unlink()
    shop.write_file("shop/settings/base.py", SETTINGS)
    found = problem(shop, "shop.wsgi.application")
    assert found["id"] == "django-settings-are-directory"
    options = "--wsgi-env DJANGO_SETTINGS_MODULE=shop.settings.base"
    assert found["message"].endswith(f"Try: pytest {options} --wsgi-app shop.wsgi.application")


def test_a_missing_wsgi_py(shop):
    (shop.root / "shop/wsgi.py").unlink()
    for spec in ("django", "shop.wsgi.application", "shop.wsgi"):
        assert problem(shop, spec)["id"] == "wsgi-file-missing"
