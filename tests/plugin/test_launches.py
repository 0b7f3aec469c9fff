"""Fresh processes beside a run: what they tell is in the items, the summary and the report."""

from __future__ import annotations

import importlib.util
import os
import socket

import pytest

from runs import GOOD, MAIN, read_report, write

HAS_DJANGO = all(map(importlib.util.find_spec, ("django", "pytest_django")))
needs_django = pytest.mark.skipif(not HAS_DJANGO, reason="pytest-django is not installed")

pytestmark = pytest.mark.usefixtures("launches")

FRESH = "loading-works-in-a-fresh-process"
ALIKE = "fresh-process-answers-alike"
NOISY = f"print('the shop is open')\n{GOOD}"

DJANGO = {
    "manage.py": "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')\n",
    "shop/__init__.py": "",
    "shop/settings.py": "SECRET_KEY = 'only for this test'\nDEBUG = True\n"
    "ROOT_URLCONF = 'shop.urls'\nWSGI_APPLICATION = 'shop.wsgi.application'\n"
    "INSTALLED_APPS = ['django.contrib.contenttypes', 'django.contrib.auth']\n"
    "DATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': 'real.db'}}\n",
    "shop/urls.py": "from django.contrib.auth.models import User\n"
    "from django.http import HttpResponse\nfrom django.urls import path\n"
    "def show(request):\n    return HttpResponse(f'{User.objects.count()} users')\n"
    "urlpatterns = [path('', show)]\n",
}
SHOP = ("--wsgi-app", "shop.wsgi.application")
WITH_SETTINGS = {"pytest.ini": "[pytest]\nDJANGO_SETTINGS_MODULE = shop.settings\n"}
PLACEHOLDER = """
import os
from django.core.wsgi import get_wsgi_application
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")
application = get_wsgi_application()
"""


def find_rule(project, name):
    report = read_report(project / "report.json")
    return next(rule for rule in report.rules if rule.id == name)


def test_launches_are_items_like_others(run, project):
    result = run(*MAIN, "--wsgi-only", "--wsgi-report", "report.json")
    assert result.status == 0
    assert result.rules[FRESH] == result.rules[ALIKE] == "passed"
    assert result.rules["settings-can-be-overridden"] == "skipped"
    assert find_rule(project, "settings-can-be-overridden").reason == (
        "its configuration did not call for it"
    )


def test_side_effect_is_advice(run, add):
    add({"mysite/wsgi.py": NOISY})
    result = run(*MAIN, "--wsgi-only")
    assert result.status == 0
    assert "import-writes-nothing-to-stdout" in result.out
    assert "'the shop is open\\n'" in result.out


def test_no_process_is_started_where_no_item_asks_for_it(run, project):
    words = ("--wsgi-report", "report.json", "-k", "status-is-native-string")
    run(*MAIN, *words)
    assert run(*MAIN, "-k", f"{FRESH} or status-is-native").rules[FRESH] == "passed"
    report = read_report(project / "report.json")
    assert "layers" not in report.subject.facts


def test_what_a_fixture_made_is_not_launched(run, add, project):
    add(
        {
            "conftest.py": "import pytest\n@pytest.fixture(scope='session')\ndef wsgi_app():\n"
            "    from mysite.wsgi import application\n"
            "    return lambda *given: application(*given)\n"
        }
    )
    result = run(*MAIN, "--wsgi-only", "--wsgi-report", "report.json")
    assert result.rules[FRESH] == "skipped"
    assert find_rule(project, FRESH).reason == (
        "it was made by a fixture, which a fresh process does not have"
    )
    result = run("--wsgi-app", "fixture", "--wsgi-only")
    assert result.rules[FRESH] == "skipped"


def test_declared_override_that_changes_nothing_fails(run, add):
    add({"mysite/wsgi.py": f"import os\nMODE = os.environ.get('SHOP_MODE')\n{GOOD}"})
    rule = "declared-overrides-change-the-configuration"
    assert run(*MAIN, "--wsgi-only", "--wsgi-override", "SHOP_MODE=test").rules[rule] == "passed"
    result = run(*MAIN, "--wsgi-only", "--wsgi-override", "SHOPMODE=test")
    assert (result.status, result.rules[rule]) == (1, "failed")
    assert "Overriding SHOPMODE changed no setting" in result.out
    assert "--wsgi-override SHOPMODE=test" in result.out


def test_override_that_is_no_pair_is_refused(run):
    result = run(*MAIN, "--wsgi-override", "SHOP_MODE")
    assert result.status == 4
    assert "--wsgi-override takes NAME=VALUE, but was given 'SHOP_MODE'" in result.err


def test_target_that_does_not_load_is_not_launched(run, add):
    add({"mysite/wsgi.py": "1 // 0\n"})
    result = run(*MAIN, "--wsgi-only")
    assert result.having("failed") == ["mysite/wsgi.py::application::application-loads"]


COUNTING = """
import os, pathlib, pytest, sys
started = []
def hear(event, told):
    if event == "subprocess.Popen" and told[0] == sys.executable:
        started.append(told)
sys.addaudithook(hear)
@pytest.hookimpl(optionalhook=True)
def pytest_xdist_node_collection_finished():
    pytest_collection_finish()
def pytest_collection_finish():
    pathlib.Path(f"started-{os.getpid()}").write_text(str(len(started)))
"""


def count_started(project):
    """Return how many processes each process of a run had started when it had collected."""
    return sorted(int(file.read_text()) for file in project.glob("started-*"))


@pytest.mark.parametrize(
    ("more", "count"),
    [
        pytest.param(["--wsgi-only"], 1, id="only ours"),
        pytest.param([], 0, id="beside tests of the user's"),
        pytest.param(["--wsgi-only", "-k", FRESH], 0, id="by a word"),
        pytest.param(["--wsgi-only", "-m", "must"], 0, id="by a mark"),
        pytest.param(["--wsgi-only", "--deselect", "tests/test_a.py"], 0, id="without some"),
        pytest.param(["--wsgi-only", "--lf"], 0, id="those that failed"),
        pytest.param(["--wsgi-only", "--sw"], 0, id="from where it stopped"),
        pytest.param(["--wsgi-only", "--setup-only"], 0, id="nothing but fixtures"),
        pytest.param(["--wsgi-only", "--wsgi-override", "MODE=test"], 0, id="overrides"),
        pytest.param(["--wsgi-only", "--wsgi-select", "status-*"], 0, id="rules that need none"),
        pytest.param(["--wsgi-only", "--collect-only"], 0, id="nothing is run"),
        pytest.param(["--wsgi-only", "mysite/wsgi.py"], 0, id="named by its file"),
    ],
)
def test_launched_before_collecting_where_that_disturbs_nobody(
    run_apart, add, project, more, count
):
    add({"conftest.py": COUNTING})
    run_apart(*MAIN, "-p", "no:xdist", *more)
    assert count_started(project) == [count]


def test_not_launched_early_where_several_processes_share_the_items(run_apart, add, project):
    add({"conftest.py": COUNTING})
    run_apart(*MAIN, "--wsgi-only", "-p", "xdist", "-n", "2")
    assert count_started(project) == [0, 0, 2]  # the workers, and who started these


@needs_django
@pytest.mark.parametrize(("ini", "count"), [(WITH_SETTINGS, 1), ({}, 0)], ids=["named", "later"])
def test_launched_early_where_it_is_known_whether_databases_are_spared(
    run_apart, add, project, ini, count
):
    wsgi = PLACEHOLDER.replace("mysite", "shop")
    add({**DJANGO, **ini, "shop/wsgi.py": wsgi, "conftest.py": COUNTING})
    words = ("-p", "no:xdist", "-p", "no:hypothesispytest")
    result = run_apart(*SHOP, "--wsgi-only", *words, isolated=False)
    assert result.ret == 0, result.stdout.str()
    assert count_started(project) == [count]


def test_rules_that_need_no_fresh_process_are_judged_alone(run):
    result = run(*MAIN, "--wsgi-only", "--wsgi-select", "status-*")
    assert result.status == 0
    assert all(name.startswith("status-") for name in result.rules)


def test_nothing_runs_on_after_a_collection_that_failed(run_apart, add, project):
    hang = (
        "import os, sys, threading\n"
        "if 'pytest' not in sys.modules:\n"
        "    with open({pipe!r}, 'w') as pipe:\n        pipe.write(str(os.getpid()))\n"
        "    threading.Event().wait()\n"
    )
    wait = "with open({pipe!r}) as pipe:\n    open('pid', 'w').write(pipe.read())\n1 / 0\n"
    pipe = str(project / "pipe")
    os.mkfifo(pipe)
    add({"mysite/wsgi.py": hang.format(pipe=pipe) + GOOD})
    add({"tests/test_c.py": wait.format(pipe=pipe)})
    result = run_apart(*MAIN, "--wsgi-only")
    assert "ZeroDivisionError" in result.stdout.str() + result.stderr.str()
    with pytest.raises(ProcessLookupError):
        os.kill(int((project / "pid").read_text()), 0)


@needs_django
def test_settings_of_the_tests_do_not_hide_a_placeholder(run_apart, add):
    add({**DJANGO, **WITH_SETTINGS, "shop/wsgi.py": PLACEHOLDER})
    result = run_apart(*SHOP, "--wsgi-only", isolated=False)
    assert result.ret == 1
    text = result.stdout.str()
    assert f"FAILED shop/wsgi.py::application::{FRESH}" in text
    assert "application::application-loads " not in text
    assert "No settings module mysite.settings." in text
    assert "manage.py says 'shop.settings'; write that in wsgi.py too." in text


@needs_django
@pytest.mark.parametrize("ini", [WITH_SETTINGS, {}], ids=["settings", "no settings"])
def test_real_database_is_not_touched_where_the_tests_have_their_own(run_apart, add, project, ini):
    wsgi = PLACEHOLDER.replace("mysite", "shop")
    add({**DJANGO, **ini, "shop/wsgi.py": wsgi})
    result = run_apart(*SHOP, "--wsgi-only", "--wsgi-report", "report.json", isolated=False)
    rule = find_rule(project, ALIKE)
    if ini:  # a page that reads the database cannot be compared
        assert result.ret == 0
        assert rule.verdict == "not exercised"
        assert not (project / "real.db").exists()
    else:  # both ask the real one, which has no tables
        assert rule.verdict == "held"
        assert "no test database" in result.stdout.str()


@needs_django
def test_sentinel_and_runserver_are_told(run_apart, add, project):
    wsgi = PLACEHOLDER.replace(
        'setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")',
        '__setitem__("DJANGO_SETTINGS_MODULE", "shop.settings")',
    )
    add({**DJANGO, "shop/wsgi.py": wsgi})
    run_apart(*SHOP, "--wsgi-only", "--wsgi-report", "report.json")
    assert find_rule(project, "settings-can-be-overridden").verdict == "broken"
    facts = read_report(project / "report.json").subject.facts
    assert facts["override"] == "DJANGO_SETTINGS_MODULE from outside is overruled by shop.settings"
    assert facts["runserver"] == "serves this application (shop.wsgi.application)"


@needs_django
def test_settings_of_the_tests_may_need_a_variable_that_is_given(run_apart, add):
    settings = f"import os\nos.environ['SHOP_KEY']\n{DJANGO['shop/settings.py']}"
    wsgi = PLACEHOLDER.replace("mysite", "shop")
    add({**DJANGO, **WITH_SETTINGS, "shop/settings.py": settings, "shop/wsgi.py": wsgi})
    result = run_apart(*SHOP, "--wsgi-only", "--wsgi-env", "SHOP_KEY=x", isolated=False)
    assert result.ret == 0, result.stdout.str()


def test_what_this_process_holds_is_not_held_against_a_fresh_one(run, add, project):
    bind = "import socket\nlistener = socket.socket()\nlistener.bind(('127.0.0.1', {port}))\n"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    add({"mysite/wsgi.py": bind.format(port=port) + GOOD})
    result = run(*MAIN, "--wsgi-only", "--wsgi-report", "report.json")
    assert result.rules[FRESH] == "skipped"
    assert result.status == 0


def test_override_that_ends_the_load_fails(run, add):
    add({"mysite/wsgi.py": f"import os\nassert 'SHOP_MODE' not in os.environ\n{GOOD}"})
    result = run(*MAIN, "--wsgi-only", "--wsgi-override", "SHOP_MODE=test")
    assert result.status == 1
    assert "an application with SHOP_MODE overridden" in result.out


def test_what_cut_a_fresh_process_short_is_the_reason(run, add, project):
    crash = "\ndef check_password(*_):\n    import ctypes\n    ctypes.string_at(0)\n"
    add({"mysite/wsgi.py": GOOD + crash})
    run(*MAIN, "--wsgi-only", "--wsgi-report", "report.json")
    reason = find_rule(project, "second-import-changes-nothing").reason
    assert reason == "a fresh process was ended by SIGSEGV"


def test_variables_of_the_shell_are_advice(run, add, monkeypatch):
    monkeypatch.setenv("SHOP_TOKEN", "hunter2")
    add({"mysite/wsgi.py": f"import os\nTOKEN = os.environ['SHOP_TOKEN']\n{GOOD}"})
    result = run(*MAIN, "--wsgi-only")
    assert result.status == 0
    assert "environment-needs-are-declared" in result.out
    assert "SHOP_TOKEN" in result.out
    assert "hunter2" not in result.out
    result = run(*MAIN, "--wsgi-only", "--wsgi-env", "SHOP_TOKEN=hunter2")
    assert "broken CONVENTION environment-needs" not in result.out


def test_variable_that_is_given_and_overruled_is_advice(run, add):
    add({"mysite/wsgi.py": f"import os\nos.environ['SHOP_MODE'] = 'live'\n{GOOD}"})
    result = run(*MAIN, "--wsgi-only", "--wsgi-env", "SHOP_MODE=test")
    assert "given-environment-reaches-the-application" in result.out
    assert result.status == 0
    result = run(*MAIN, "--wsgi-only", "--wsgi-env", "SHOP_MODE=test", "--wsgi-strict")
    assert result.status == 1


def test_two_files_of_one_run_are_launched_each(run, project):
    write(project, {"mysite/other.py": NOISY})
    result = run(*MAIN, "--wsgi-app", "other=mysite.other", "--wsgi-only")
    rule = "import-writes-nothing-to-stdout"
    assert result.outcomes[f"mysite/wsgi.py::application::{rule}"] == "passed"
    assert result.out.count(f"broken CONVENTION {rule}") == 1
