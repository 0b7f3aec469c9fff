"""What runs in a fresh process, run here. That it does run there is in test_launcher.py."""

from __future__ import annotations

import faulthandler
import json
import os
import sys

import pytest

from loading.launch.conftest import DJANGO, HELLO
from pytest_wsgi.loading import put_on_path
from pytest_wsgi.loading.launch import child
from pytest_wsgi.loading.launch.job import Job, job_to_dict, launch_from_dict

pytestmark = pytest.mark.usefixtures("own_modules")


@pytest.fixture
def launch(home, tmp_path_factory):
    """Return a function that does in this process what a fresh one would."""
    file = tmp_path_factory.mktemp("job") / "job"

    def run(spec="wsgi:application", **more):
        put_on_path(home.paths)
        job = Job(
            spec=spec,
            origin="--wsgi-app",
            paths=home.paths,
            rootdir=str(home.root),
            **{"deep": True, **more},
        )
        file.write_text(json.dumps({**job_to_dict(job), "sys_path": sys.path, "limit": 600}))
        child.main(str(file))
        faulthandler.cancel_dump_traceback_later()
        child._refusals.clear()
        return launch_from_dict(json.loads(file.with_suffix(".result").read_text()))

    return run


def test_target_that_does_not_load_is_asked_nothing(home, launch):
    home.write({"wsgi.py": "import absent_module\n"})
    found = launch()
    assert found.problem.id == "import-failed-missing-module"
    assert not found.asked


def test_end_of_the_process_is_refused(home, launch):
    home.write({"wsgi.py": "import os\nos._exit(0)\n"})
    assert launch().problem.id == "import-failed-exit"


def test_plain_target_is_asked_and_loaded_again(home, launch):
    home.write({"wsgi.py": HELLO})
    found = launch(given={"SHOP": "books"})
    assert (found.problem, found.code, found.asked) == (None, 200, True)
    assert (found.again, found.recalled, found.runserver) == ("", None, None)
    assert (found.effects, found.layers, found.handlers, found.overwritten) == ((), (), (), ())


def test_shallow_launch_only_loads(home, launch):
    home.write({"wsgi.py": HELLO})
    found = launch(deep=False)
    assert (found.problem, found.asked, found.again) == (None, False, None)


def test_target_that_gives_no_response_is_not_looked_at_any_further(home, launch):
    home.write({"wsgi.py": "def application(environ, start_response):\n    1 // 0\n"})
    found = launch(host="localhost")
    assert (found.asked, found.code, found.failed) == (True, None, "ZeroDivisionError")
    assert found.again is None


def test_variable_that_is_assigned_anew_is_named(home, launch):
    home.write({"wsgi.py": "import os\nos.environ['SHOP'] = 'toys'\n" + HELLO})
    assert launch(given={"SHOP": "books"}).overwritten == ("SHOP",)


def test_variable_that_was_read_before_it_changed_is_not_overwritten(home, launch):
    home.write(
        {
            "wsgi.py": "import os\nKEY = os.environ.pop('SHOP_KEY')\n"
            "os.environ['SHOP_URL'] = os.environ['SHOP_URL'].upper()\n" + HELLO
        }
    )
    given = {"SHOP_KEY": "x", "SHOP_URL": "a"}
    os.environ.update(given)  # as in a fresh process
    assert launch(given=given).overwritten == ()


def test_variables_that_are_read_are_named(home, launch, monkeypatch):
    monkeypatch.setenv("SHOP_KEY", "x")
    monkeypatch.setenv("SHOP_IDLE", "x")
    home.write({"wsgi.py": "import os\nos.environ['SHOP_KEY']\nos.getenv('PATH')\n" + HELLO})
    assert launch(extra=("SHOP_KEY", "SHOP_IDLE")).needs == ("SHOP_KEY",)


def test_configuration_is_told_where_it_is_asked_for(home, launch):
    home.write({"wsgi.py": "MODE = 'live'\n" + HELLO})
    found = launch(deep=False, configuration=True)
    assert set(found.configuration) == {"wsgi.MODE", "the answer to GET /"}


def test_factory_is_called_again(home, launch):
    home.write(
        {
            "wsgi.py": "made = []\ndef make():\n    made.append(1)\n"
            "    return application if len(made) == 1 else Other()\n"
            "class Other:\n    def __call__(self, environ, start_response): return []\n" + HELLO
        }
    )
    found = launch("wsgi:make()")
    assert found.recalled == "an object of type wsgi.Other, the first was of type function"


def test_second_answer_is_compared(home, launch):
    home.write(
        {
            "known.py": "NAMES = []\n",
            "wsgi.py": "import known\nknown.NAMES.append(1)\nSTATUS = '404 Gone' "
            "if known.NAMES[1:] else '200 OK'\n" + HELLO.replace('"200 OK"', "STATUS"),
        }
    )
    assert launch().again == "answers GET / with 404, the first did with 200"


def test_second_answer_is_not_compared_where_another_module_keeps_the_first(home, launch):
    home.write(
        {
            "wsgi.py": "PAGES = {}\n"
            "def application(environ, start_response):\n"
            "    start_response('200 OK' if PAGES else '404 Not Found', [])\n    return []\n"
            "import routes\n",
            "routes.py": "from wsgi import PAGES, application\nPAGES['/'] = 1\n",
        }
    )
    assert launch().again == ""


def test_second_import_that_fails_is_told(home, launch):
    home.write(
        {
            "known.py": "NAMES = []\n",
            "wsgi.py": "import known\nassert not known.NAMES\nknown.NAMES.append(1)\n" + HELLO,
        }
    )
    assert "AssertionError" in launch().again


def test_target_that_is_a_file_is_found_and_its_directory_is_no_effect(home, launch):
    home.write({"deploy/site.py": "def check_password():\n    pass\n" + HELLO})
    found = launch("deploy/site.py")
    assert found.effects == ()
    assert [handler.name for handler in found.handlers] == ["check_password"]
    home.write({"deploy/pkg/__init__.py": "", "deploy/pkg/site.py": HELLO})
    found = launch("deploy/pkg/site.py")
    assert (found.problem, found.effects) == (None, ())


def test_project_of_django_is_looked_at(home, launch):
    home.write(DJANGO)
    found = launch("mysite.wsgi.application")
    assert (found.code, found.settings) == (200, "mysite.settings")
    assert found.time_zone == "America/Chicago"  # Django's own default
    assert found.effects == ()
    assert (found.runserver.setting, found.runserver.is_target) == (None, False)
    assert found.runserver.compared > 20
    assert found.runserver.difference is None
    assert os.environ["TZ"] == "America/Chicago"


@pytest.mark.parametrize(
    ("line", "wins"),
    [
        ("", True),
        ("os.environ['DJANGO_SETTINGS_MODULE'] = 'mysite.settings'", False),
        ("assert os.environ['DJANGO_SETTINGS_MODULE'] == 'mysite.settings'", None),
    ],
)
def test_settings_from_outside_are_tried_by_one_more_import(home, launch, line, wins):
    home.write(DJANGO)
    home.write({"mysite/wsgi.py": f"{DJANGO['mysite/wsgi.py']}{line}\n"})
    assert launch("mysite.wsgi.application").sentinel_wins is wins


def test_error_page_of_django_is_explained(home, launch):
    home.write(DJANGO)
    home.write(
        {
            "mysite/settings.py": DJANGO["mysite/settings.py"].replace("True", "False")
            + "ALLOWED_HOSTS = ['*']\n",
            "mysite/urls.py": "import sqlite3\nfrom django.urls import path\n"
            "def show(request):\n    raise sqlite3.OperationalError\n"
            "urlpatterns = [path('', show)]\n",
        }
    )
    found = launch("mysite.wsgi.application")
    assert (found.code, found.failed, found.is_of_database) == (500, "OperationalError", True)


def test_settings_that_django_keeps_are_no_difference(home, launch):
    home.write(DJANGO)
    home.write({"mysite/other.py": DJANGO["mysite/settings.py"]})
    os.environ["DJANGO_SETTINGS_MODULE"] = "mysite.other"
    found = launch("mysite.wsgi.application", given={"DJANGO_SETTINGS_MODULE": "mysite.other"})
    assert (found.settings, found.again) == ("mysite.other", "")


def test_databases_are_spared_where_the_tests_have_their_own(home, launch):
    home.write(DJANGO)
    home.write(
        {
            "mysite/settings.py": DJANGO["mysite/settings.py"]
            + "DATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': 'a.db'}}\n",
            "mysite/urls.py": "from django.db import connection\nfrom django.urls import path\n"
            "def show(request):\n    connection.cursor()\nurlpatterns = [path('', show)]\n",
        }
    )
    found = launch("mysite.wsgi.application", spare_database=True)
    assert (found.code, found.failed, found.is_of_database) == (500, "OperationalError", True)
    assert not (home.root / "a.db").exists()


def test_databases_are_spared_by_imports_too_and_that_is_nobodys_fault(home, launch):
    home.write(DJANGO)
    home.write(
        {
            "mysite/settings.py": DJANGO["mysite/settings.py"]
            + "DATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': 'b.db'}}\n",
            "mysite/wsgi.py": DJANGO["mysite/wsgi.py"]
            + "from django.db import connection, DatabaseError\n"
            "try:\n    connection.cursor()\nexcept DatabaseError:\n    pass\n",
        }
    )
    found = launch("mysite.wsgi.application", spare_database=True)
    assert (found.code, found.is_of_database, found.again) == (200, True, "")
    assert [effect.detail for effect in found.effects] == ["database 'default' of Django"]
    raising = DJANGO["mysite/wsgi.py"] + "from django.db import connection\nconnection.cursor()\n"
    home.write({"mysite/wsgi.py": raising})
    sys.modules.pop("mysite.wsgi")
    found = launch("mysite.wsgi.application", spare_database=True)
    assert found.is_of_database
    assert "keeps to the database of the tests" in found.problem.message


def test_a_second_import_that_is_kept_from_its_database_says_nothing(home, launch):
    home.write(DJANGO)
    home.write(
        {
            "mysite/settings.py": DJANGO["mysite/settings.py"]
            + "DATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': 'b.db'}}\n",
            "mysite/seen.py": "COUNT = []\n",
            "mysite/wsgi.py": DJANGO["mysite/wsgi.py"]
            + "from mysite import seen\nfrom django.db import connection\n"
            "if seen.COUNT:\n    connection.cursor()\nseen.COUNT.append(1)\n",
        }
    )
    assert launch("mysite.wsgi.application", spare_database=True).again == ""


def test_without_django_installed_there_is_nothing_to_spare(home, launch, monkeypatch):
    monkeypatch.setitem(sys.modules, "django", None)
    home.write({"wsgi.py": HELLO})
    assert launch(spare_database=True).code == 200


def test_without_django_no_database_is_spared(home, launch):
    home.write({"wsgi.py": HELLO})
    assert launch(spare_database=True).code == 200


@pytest.mark.parametrize(
    ("setting", "trouble", "advice"),
    [
        ("mysite.wsgi:application", "ImproperlyConfigured", "Django wants dots"),
        ("absent.wsgi.application", "ImproperlyConfigured", '"mysite.wsgi.application"'),
    ],
)
def test_setting_that_cannot_be_imported_is_told(home, launch, setting, trouble, advice):
    home.write(DJANGO)
    text = f"{DJANGO['mysite/settings.py']}WSGI_APPLICATION = {setting!r}\n"
    home.write({"mysite/settings.py": text})
    found = launch("mysite.wsgi.application").runserver
    assert found.setting == setting
    assert trouble in found.trouble
    assert advice in found.advice


def test_setting_that_names_the_target_serves_it(home, launch):
    home.write(DJANGO)
    text = f"{DJANGO['mysite/settings.py']}WSGI_APPLICATION = 'mysite.wsgi.application'\n"
    home.write({"mysite/settings.py": text + "STATIC_URL = '/static/'\n"})
    assert launch("mysite.wsgi.application").runserver.is_target
    found = launch("mysite.wsgi.application", built_in=True).runserver
    assert (found.built_in, found.is_target, found.difference) == (True, False, None)
    assert found.compared > 20


def test_middleware_that_runserver_does_not_serve_is_a_difference(home, launch):
    home.write(DJANGO)
    home.write(
        {
            "mysite/wsgi.py": DJANGO["mysite/wsgi.py"] + "inner = application\n"
            "def application(environ, start_response):\n"
            "    return inner(environ, lambda status, headers, *rest: "
            "start_response(status, [*headers, ('X-A', '1')], *rest))\n"
        }
    )
    found = launch("mysite.wsgi.application")
    assert found.runserver.difference.what == "header x-a"
    assert [layer.inner for layer in found.layers] == ["django.core.handlers.wsgi.WSGIHandler"]


def test_without_manage_or_setting_there_is_no_runserver(home, launch):
    home.write({name: text for name, text in DJANGO.items() if name != "manage.py"})
    assert launch("mysite.wsgi.application").runserver is None


def test_django_without_urls_has_no_runserver(home, launch):
    home.write(
        {
            "wsgi.py": "from django.conf import settings\nimport django\n"
            "settings.configure()\ndjango.setup()\n" + HELLO
        }
    )
    assert launch().runserver is None


def test_an_advice_without_a_name_for_the_target(home, launch):
    home.write(DJANGO)
    text = f"{DJANGO['mysite/settings.py']}WSGI_APPLICATION = 'absent.wsgi.app'\n"
    home.write(
        {
            "mysite/settings.py": text,
            "mysite/wsgi.py": DJANGO["mysite/wsgi.py"]
            + ("class Site:\n    pass\nSite.application = application\n"),
        }
    )
    found = launch("mysite.wsgi:Site.application").runserver
    assert found.advice == "name the application's module"
