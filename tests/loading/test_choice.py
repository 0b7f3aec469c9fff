from __future__ import annotations

import pytest

from pytest_wsgi.loading.choice import conventional_module

MANAGE = 'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "{0}")\n'


@pytest.fixture
def shop(project, monkeypatch):
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE", raising=False)
    project.write_file("manage.py", MANAGE.format("shop.settings"))
    project.write(shop___init_="", shop__settings="WSGI_APPLICATION = 'shop.web.site'\n")
    project.subject("shop/web.py", "site")
    project.subject("shop/wsgi.py")
    return project


def test_django_is_what_the_settings_say(shop):
    target, loading = shop.load("django")
    assert callable(target)
    assert (loading.file, loading.label) == ("shop/web.py", "site")
    assert loading.facts["chosen"] == (
        "shop.web.site: WSGI_APPLICATION in shop.settings (manage.py)"
    )
    located = shop.locate("django")
    assert (located.file, located.label) == (shop.root / "shop/web.py", "site")
    assert shop.locate("one=django").label == "one"


@pytest.mark.parametrize("where", ["environ", "option"])
def test_the_variable_goes_before_manage_py(shop, monkeypatch, where):
    shop.write(shop__other="WSGI_APPLICATION = 'shop.wsgi.application'\n")
    if where == "environ":
        monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "shop.other")
    env = {"DJANGO_SETTINGS_MODULE": "shop.other"} if where == "option" else {}
    _, loading = shop.load("django", **env)
    assert loading.file == "shop/wsgi.py"
    assert "shop.other (DJANGO_SETTINGS_MODULE)" in loading.facts["chosen"]
    assert shop.locate("django", env=env).file == shop.root / "shop/wsgi.py"


def test_settings_that_import_others_are_followed(shop):
    shop.write_file("manage.py", MANAGE.format("shop.conf.dev"))
    shop.write(
        shop__conf___init_="from .base import *\n",
        shop__conf__dev="from shop.conf import *\nfrom . import *\nfrom .gone import *\n",
        shop__conf__base="from .last import *\nfrom .dev import *\n",
        shop__conf__last="WSGI_APPLICATION = 'shop.web.site'\n",
    )
    assert shop.load("django")[1].file == "shop/web.py"


@pytest.mark.parametrize("text", ["", "WSGI_APPLICATION = None\n", "WSGI_APPLICATION = f()\n"])
def test_what_is_not_set_is_found_by_convention(shop, text):
    shop.write(shop__settings=text)
    _, loading = shop.load("django")
    assert loading.file == "shop/wsgi.py"
    assert loading.facts["chosen"].endswith("by convention")


def test_without_wsgi_py_the_message_shows_the_file(shop):
    shop.write(shop__settings="")
    (shop.root / "shop/wsgi.py").unlink()
    problem = shop.problem("django")
    assert problem.id == "wsgi-file-missing"
    assert problem.message.startswith("No module shop.wsgi.\n")
    assert "which stands for shop.wsgi.application" in problem.message
    assert problem.message.splitlines()[2:] == [
        "  This Django project has no wsgi.py (settings: shop.settings, as manage.py says).",
        "  runserver works all the same, as WSGI_APPLICATION is unset: it uses Django's own",
        "  handler. Servers need the file.",
        "  --wsgi-propose shows shop/wsgi.py as Django's startproject makes it. It would be named",
        "      gunicorn shop.wsgi:application",
        "      uwsgi --module shop.wsgi:application",
        '      WSGI_APPLICATION = "shop.wsgi.application"',
        "Try: pytest --wsgi-app shop.wsgi.application --wsgi-propose",
    ]


@pytest.mark.parametrize(
    ("value", "corrected"),
    [
        ("shop.web:site", "shop.web.site"),
        ("application", "shop.wsgi.application"),
        ("", "shop.wsgi.application"),
        ("shop.wsgi", "shop.wsgi.application"),
    ],
)
def test_a_setting_that_django_cannot_read(shop, value, corrected):
    shop.write(shop__settings=f"WSGI_APPLICATION = {value!r}\n")
    problem = shop.problem("django")
    assert problem.id == "django-setting"
    assert problem.message.splitlines()[-2:] == [
        f"Try: pytest --wsgi-app {corrected}",
        f'  or WSGI_APPLICATION = "{corrected}"',
    ]
    assert shop.locate("django").file is None


def test_a_setting_that_is_no_spec(shop):
    shop.write(shop__settings="WSGI_APPLICATION = 'shop. web'\n")
    assert shop.problem("django").id == "spec-module"


def test_a_setting_that_names_an_object_beside_a_module_of_that_name(shop):
    shop.write(shop__settings="WSGI_APPLICATION = 'shop.wsgi'\n", shop___init_="from x import wsgi")
    assert shop.locate("django").file == shop.root / "shop/wsgi.py"


def test_no_project(project, monkeypatch):
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE", raising=False)
    problem = project.problem("django")
    assert problem.id == "django-not-found"
    assert "found no manage.py, and DJANGO_SETTINGS_MODULE is not set" in problem.message


def test_several_projects(project, monkeypatch):
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE", raising=False)
    project.write_file("one/manage.py", MANAGE.format("one.settings"))
    project.write_file("two/manage.py", MANAGE.format("two.settings"))
    assert "found one/manage.py, two/manage.py" in project.problem("django").message
    problem = project.problem("auto")
    assert problem.id == "auto-ambiguous"
    assert "one/manage.py, two/manage.py" in problem.message


def test_auto_takes_django_first(shop):
    shop.subject("app.py", "app")
    _, loading = shop.load("auto")
    assert loading.file == "shop/web.py"
    assert "auto: WSGI_APPLICATION" in loading.facts["chosen"]


@pytest.fixture
def plain(project, monkeypatch):
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE", raising=False)
    project.subject("web_one.py")
    project.subject("web_two.py", "app")
    return project


@pytest.mark.parametrize(
    ("line", "label"),
    [
        ("web: gunicorn web_one --log-file -", "application"),
        ("web: gunicorn -w 4 --preload 'web_two:app' --bind :$PORT", "app"),
        ("release: x\nweb: waitress-serve --port=$PORT web_one:application", "application"),
    ],
)
def test_auto_reads_a_procfile(plain, line, label):
    plain.write_file("Procfile", line)
    _, loading = plain.load("auto")
    assert loading.label == label
    assert "the web process in Procfile" in loading.facts["chosen"]


@pytest.mark.parametrize(
    "line", ["web: gunicorn 'unclosed", "web: gunicorn os:x sys gone:app web_one.x:y", "worker: x"]
)
def test_a_procfile_that_names_nothing_here_is_passed_over(plain, line):
    plain.write_file("Procfile", line)
    assert plain.problem("auto").id == "auto-not-found"


def test_auto_reads_the_configuration_of_gunicorn(plain):
    plain.write_file("gunicorn.conf.py", "wsgi_app = 'web_two:app'\n")
    assert plain.load("auto")[1].file == "web_two.py"


def test_auto_does_not_choose_between_two(plain):
    plain.write_file("gunicorn.conf.py", "wsgi_app = 'web_two:app'\n")
    plain.write_file("Procfile", "web: gunicorn web_one")
    problem = plain.problem("auto")
    assert problem.id == "auto-ambiguous"
    assert "web_one, web_two:app" in problem.message
    assert problem.message.endswith("Try: pytest --wsgi-app web_one")


def test_auto_takes_the_usual_files_in_order(plain):
    plain.write_file("wsgi.py", "import os\n")
    plain.subject("main.py", "app")
    assert plain.load("auto")[1].file == "main.py"
    plain.subject("app.py", "application")
    assert plain.load("auto")[1].file == "app.py"


@pytest.mark.parametrize(
    ("settings", "module"),
    [
        ("mysite.settings", "mysite.wsgi"),
        ("mysite.settings.dev", "mysite.wsgi"),
        ("config.settings_dev", "config.wsgi"),
        ("settings", "wsgi"),
        ("dev", "wsgi"),
    ],
)
def test_where_startproject_puts_the_file(settings, module):
    assert conventional_module(settings) == module
