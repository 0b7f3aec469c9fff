from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import pytest

from pytest_wsgi.loading.failures import format_failure


def last(problem):
    return problem.message.splitlines()[-1]


def test_an_error_in_the_module_shows_the_users_frames_only(project):
    project.write_file("helper.py", "def work():\n    return {}['key']\n")
    project.write_file("m.py", "import helper\nhelper.work()\n")
    problem = project.problem("m")
    assert problem.id == "import-failed"
    assert problem.message == "\n".join(
        [
            "Importing m failed: KeyError: 'key'",
            "  asked for: m (--wsgi-app)",
            f'    File "{project.root}/m.py", line 2, in <module>',
            "      helper.work()",
            f'    File "{project.root}/helper.py", line 2, in work',
            "      return {}['key']",
            "  KeyError: 'key'",
            "When that is mended: pytest --wsgi-app m",
        ]
    )


def test_the_cause_comes_before_its_consequence(project):
    project.write_file(
        "m.py",
        """
        try:
            1 / 0
        except ZeroDivisionError as error:
            raise RuntimeError("consequence") from error
        """,
    )
    message = project.problem("m").message
    assert message.startswith("Importing m failed: RuntimeError: consequence")
    assert message.index("ZeroDivisionError: ") < message.index("  RuntimeError: consequence")


def test_an_error_that_is_its_own_cause_ends():
    first, second = ValueError("a"), ValueError("b")
    first.__cause__, second.__cause__ = second, first
    assert format_failure(first) == "ValueError: b\n\nValueError: a\n"


def test_an_error_without_a_text_or_with_a_broken_one(project):
    project.write_file(
        "m.py",
        """
        class Broken(Exception):
            def __str__(self):
                raise RuntimeError
        raise Broken
        """,
    )
    assert "Broken" in project.problem("m").message


def test_a_deep_recursion_is_cut(project):
    project.write_file("m.py", "def a(): b()\ndef b(): a()\na()\n")
    problem = project.problem("m")
    assert "RecursionError" in problem.message
    assert len(problem.message.splitlines()) < 120


@pytest.mark.parametrize("text", ["import absent_package", "from absent_package.inner import x"])
def test_a_package_that_is_not_installed_is_named_first(project, text):
    project.write_file("pkg/__init__.py")
    project.write_file("pkg/m.py", text)
    problem = project.problem("pkg.m")
    assert problem.id == "import-failed-missing-module"
    assert problem.message.startswith("No module named 'absent_package': importing pkg.m needs it.")
    assert "Install what provides it" in problem.message


def test_a_package_that_is_not_installed_may_be_named_by_a_setting(project, monkeypatch):
    conf = ModuleType("django.conf")
    conf.settings = SimpleNamespace(configured=True, MIDDLEWARE=["absent_package.M"])
    monkeypatch.setitem(sys.modules, "django.conf", conf)
    project.write_file("m.py", "import absent_package")
    assert "MIDDLEWARE[0] of the settings names it" in project.problem("m").message


def test_a_module_that_lies_elsewhere_is_pointed_to(project):
    project.write_file("lib/sibling.py")
    project.write_file("lib/web.py", "import sibling")
    problem = project.problem("lib/web.py")
    assert "lib/sibling.py would be found with lib on sys.path" in problem.message
    assert last(problem) == "Try: pytest -o pythonpath=lib --wsgi-app lib/web.py"


def test_an_import_error_without_a_name(project):
    project.write_file("m.py", "raise ModuleNotFoundError('lost')")
    assert project.problem("m").message.startswith("Importing m failed: ModuleNotFoundError: lost")


def test_a_name_that_cannot_be_imported(project):
    project.write_file("m.py", "from os import absent_name")
    problem = project.problem("m")
    assert problem.id == "import-failed"
    assert "cannot import name 'absent_name'" in problem.message


def test_an_attribute_error_inside_the_module_is_not_hidden(project):
    project.write_file("m.py", "import os\nos.absent_name\napplication = 1\n")
    problem = project.problem("m.application")
    assert problem.message.startswith("Importing m failed: AttributeError: ")
    assert "os.absent_name" in problem.message


def test_a_syntax_error_shows_file_line_and_text(project):
    project.write_file("broken.py", "a = 1\ndef f(:\n")
    project.write_file("m.py", "import broken")
    problem = project.problem("m")
    assert problem.id == "import-failed-syntax"
    assert problem.message.startswith("broken.py, line 2 is not valid Python: ")
    assert "def f(:" in problem.message


@pytest.mark.parametrize("code", ["SystemExit(2)", "SystemExit('bye')"])
def test_an_exit_is_a_problem(project, code):
    project.write_file("m.py", f"raise {code}")
    problem = project.problem("m")
    assert problem.id == "import-failed-exit"
    assert problem.message.startswith(f"Importing m ended the process: {code}.")
    project.write_file("n.py", f"def create(): raise {code}")
    assert project.problem("n:create()").message.startswith("Calling n:create() ended the process")


def test_any_exception_is_a_problem(project):
    project.write_file("m.py", "class Odd(BaseException): ...\nraise Odd('x')")
    assert project.problem("m").message.startswith("Importing m failed: m.Odd: x")


def test_a_variable_that_is_missing_is_named(project):
    project.write_file("m.py", "import os\nos.environ['ABSENT_NAME']")
    problem = project.problem("m")
    assert problem.id == "environment-variable-missing"
    assert problem.message.startswith(
        "The environment variable ABSENT_NAME is not set: importing m needs it."
    )
    assert last(problem) == "Try: pytest --wsgi-env ABSENT_NAME=... --wsgi-app m"


@pytest.mark.parametrize(
    "text", ["Set the ABSENT_NAME environment variable", "ABSENT_NAME not found. Declare it as env"]
)
def test_a_variable_that_a_library_asks_for_is_named(project, text):
    project.write_file("m.py", f"raise ValueError({text!r})")
    assert project.problem("m").id == "environment-variable-missing"


@pytest.mark.parametrize(
    "text", ["raise KeyError", "def __getitem__(): raise KeyError('A')\n__getitem__()"]
)
def test_another_key_error_is_no_variable(project, text):
    project.write_file("m.py", text)
    assert project.problem("m").id == "import-failed"


def test_a_warning_turned_into_an_error_says_so(project):
    project.write_file("m.py", "raise DeprecationWarning('old')")
    problem = project.problem("m")
    assert problem.id == "import-failed-warning"
    assert last(problem) == "Try: pytest -W default::DeprecationWarning --wsgi-app m"


def test_a_relative_import_outside_of_a_package(project):
    project.write_file("deploy/site.wsgi", "from . import other")
    problem = project.problem("deploy/site.wsgi")
    assert problem.id == "file-outside-package"
    assert last(problem) == "When that is mended: pytest --wsgi-app deploy/site.wsgi"
    assert not [name for name in sys.modules if name.startswith("_pytest_wsgi_")]


def test_a_factory_that_raises(project):
    project.write_file("m.py", "def create(name):\n    raise ValueError(name)\n")
    problem = project.problem("m:create('x')")
    assert problem.id == "factory-raised"
    assert problem.message.startswith("Calling m:create('x') failed: ValueError: x")
    assert "raise ValueError(name)" in problem.message
    assert last(problem) == "When that is mended: pytest --wsgi-app \"m:create('x')\""


@pytest.mark.parametrize("text", ["m:lazy", "m"])
def test_an_attribute_that_raises(project, text):
    project.write_file("m.py", "def __getattr__(name):\n    raise RuntimeError(name)\n")
    problem = project.problem(text)
    assert problem.id == "attribute-failed"
    assert "RuntimeError: " in problem.message


def test_a_module_that_breaks_when_its_package_does(project):
    project.write_file("pkg/__init__.py", "raise ValueError('package')")
    project.write_file("pkg/wsgi.py", "application = 1")
    assert project.problem("pkg.wsgi.application").message.startswith(
        "Importing pkg.wsgi failed: ValueError: package"
    )


@pytest.fixture
def django_like(project, monkeypatch):
    """Errors of Django's names: the real ones are tested in test_django_projects.py."""
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE", raising=False)
    monkeypatch.setitem(sys.modules, "django.conf", ModuleType("django.conf"))
    project.write_file(
        "errors.py",
        "class ImproperlyConfigured(Exception): ...\nclass AppRegistryNotReady(Exception): ...\n",
    )
    return project


@pytest.mark.parametrize("manage", ["", "shop.settings"])
def test_settings_needed_too_early(django_like, manage):
    if manage:
        text = f'os.environ["DJANGO_SETTINGS_MODULE"] = "{manage}"'
        django_like.write_file("manage.py", text)
    text = "raise errors.ImproperlyConfigured('..., but settings are not configured.')"
    django_like.write_file("m.py", f"import errors\n{text}")
    problem = django_like.problem("m")
    assert problem.id == "django-settings-not-configured"
    advice, command = problem.message.splitlines()[-2:]
    assert advice.endswith(f'("DJANGO_SETTINGS_MODULE", "{manage or "PKG.settings"}")')
    given = f"Try: pytest --wsgi-env DJANGO_SETTINGS_MODULE={manage} --wsgi-app m"
    assert command == (given if manage else "When that is mended: pytest --wsgi-app m")
    assert ("runserver works" in problem.message) is bool(manage)


def test_another_error_of_configuration(django_like):
    django_like.write_file("m.py", "import errors\nraise errors.ImproperlyConfigured('no engine')")
    assert django_like.problem("m").id == "import-failed"


def test_models_needed_too_early(django_like):
    django_like.write_file("m.py", "import errors\nraise errors.AppRegistryNotReady")
    problem = django_like.problem("m")
    assert problem.id == "django-apps-not-ready"
    assert "  Call get_wsgi_application() first, and use models after.\n" in problem.message
    assert "runserver works" in problem.message


def test_models_needed_while_django_reads_its_apps(django_like):
    django_like.write_file("early.py", "import errors\nraise errors.AppRegistryNotReady")
    text = '__name__ = "django.apps.registry"\ndef populate():\n    import early\n'
    django_like.write_file("registry.py", text)
    django_like.write_file("m.py", "import registry\nregistry.populate()\n")
    problem = django_like.problem("m")
    assert problem.id == "django-apps-not-ready"
    assert "AppConfig.ready()" in problem.message
    assert "runserver fails as well" in problem.message


HANDLER = """
import errors
__name__ = "django.core.handlers.wsgi"
class WSGIHandler:
    def __init__(self):
        raise errors.AppRegistryNotReady
"""


@pytest.mark.parametrize(
    "text",
    [
        "\napplication = handlers.WSGIHandler()\n",
        "class Own(handlers.WSGIHandler):\n    def __init__(self): super().__init__()\nOwn()\n",
    ],
)
def test_a_handler_that_is_made_without_a_setup(django_like, text):
    django_like.write_file("handlers.py", HANDLER)
    django_like.write_file("shop/m.py", f"import handlers\n{text}")
    problem = django_like.problem("shop.m")
    assert problem.id == "django-handler-without-setup"
    assert problem.message.startswith("shop/m.py:3 calls WSGIHandler() itself, which does not set")
    assert "      application = get_wsgi_application()\n" in problem.message
    assert last(problem) == "When that is mended: pytest --wsgi-app shop.m"


MODWSGI = "__name__ = 'django.contrib.auth.handlers.modwsgi'\n"


@pytest.mark.parametrize(
    ("models", "wsgi", "imported", "names"),
    [
        ("", "import models", "models", "..."),
        (
            MODWSGI,
            "import models",
            "django.contrib.auth.handlers.modwsgi",
            "check_password, groups_for_user",
        ),
        ("", "import views  # then get_wsgi_application", "views", "..."),
    ],
)
def test_an_import_that_comes_before_the_setup(django_like, models, wsgi, imported, names):
    text = f"{models}import errors\nraise errors.AppRegistryNotReady"
    django_like.write_file("models.py", text)
    django_like.write_file("views.py", "import models\n")
    django_like.write_file("wsgi.py", f"\n{wsgi}\n")
    django_like.write_file("run.py", "import wsgi\n")
    problem = django_like.problem("run" if "get_wsgi" in wsgi else "wsgi")
    assert problem.id == "django-imported-before-setup"
    assert problem.message.startswith(f"wsgi.py:2 imports {imported} before Django is set up.\n")
    assert f"      from {imported} import {names}\n" in problem.message
    assert ("old order" in problem.message) is bool(models)


@pytest.mark.parametrize("manage", ["", "shop.settings", "gone.settings"])
def test_a_settings_module_that_is_not_there(django_like, manage):
    if manage:
        text = f'os.environ["DJANGO_SETTINGS_MODULE"] = "{manage}"'
        django_like.write_file("manage.py", text)
    problem_text = """
        import importlib, os
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gone.settings")
        importlib.import_module("gone.settings")
    """
    django_like.write_file("m.py", problem_text)
    problem = django_like.problem("m")
    assert problem.id == "django-settings-missing"
    assert problem.message.startswith("No settings module gone.settings.")
    if manage == "shop.settings":
        assert "manage.py says 'shop.settings'" in problem.message
        assert "--wsgi-env DJANGO_SETTINGS_MODULE=shop.settings" in last(problem)
        assert "runserver works" in problem.message
    else:
        assert "on servers" not in problem.message
        assert last(problem) == "When that is mended: pytest --wsgi-app m"
