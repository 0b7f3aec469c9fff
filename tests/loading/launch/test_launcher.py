"""Real fresh processes."""

from __future__ import annotations

import os
import signal
import sys

import pytest

from loading.launch.conftest import DJANGO, HELLO
from pytest_wsgi.launches import Difference, Launch, Launches, Layer, Runserver
from pytest_wsgi.loading.launch import job
from pytest_wsgi.loading.launch.facts import describe_launches
from pytest_wsgi.loading.launch.launcher import UNSEEN
from pytest_wsgi.loading.launch.process import list_environ, list_flags, name_end, scrub

DEFAULT = "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'mysite.settings')"
ASSIGNED = "os.environ['DJANGO_SETTINGS_MODULE'] = 'mysite.settings'"
READ = "import os\nKEY = os.environ[{name!r}]\n" + HELLO


def test_fresh_process_has_nothing_but_what_it_is_given():
    environ = {"PATH": "/bin", "HOME": "/home", "SECRET": "x"}
    assert scrub(environ, {"SHOP": "books"}) == {"PATH": "/bin", "HOME": "/home", "SHOP": "books"}


def test_environment_of_pytest_is_taken_without_its_own(monkeypatch):
    monkeypatch.setenv("PYTEST_WSGI_APP", "x")
    monkeypatch.setenv("SHOP", "books")
    assert list_environ()["SHOP"] == "books"
    assert not [name for name in list_environ() if name.startswith("PYTEST_")]


def test_flags_about_compiled_files_are_those_of_this_python(monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(sys, "pycache_prefix", None)
    assert list_flags() == []
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setattr(sys, "pycache_prefix", "/cache")
    assert list_flags() == ["-B", "-X", "pycache_prefix=/cache"]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0, ""),
        (3, "ended with the code 3"),
        (-11, "was ended by SIGSEGV"),
        (-40, "was ended by signal 40"),
    ],
)
def test_end_of_a_process_is_named(code, words):
    assert name_end(code) == words


def test_target_that_needs_nothing_loads_everywhere(home):
    home.write({"wsgi.py": HELLO})
    found = home.launch()
    assert (found.alone.problem, found.alone.code, found.code) == (None, 200, 200)
    assert found.elsewhere.problem is found.c_locale.problem is None
    assert (found.sentinel_wins, found.overrides, found.named) == (None, (), ())


def test_what_is_in_this_process_is_not_in_a_fresh_one(home, monkeypatch):
    home.write({"wsgi.py": "import helper_of_the_tests\n" + HELLO})
    monkeypatch.setitem(sys.modules, "helper_of_the_tests", sys)
    assert home.launch().alone.problem.id == "import-failed-missing-module"


def test_modules_of_the_project_may_be_called_as_those_of_the_standard_library(home):
    home.write({"wsgi.py": HELLO, "json.py": "1 // 0\n", "subprocess.py": "1 // 0\n"})
    found = home.launch("wsgi.py:application")
    assert (found.alone.problem, found.elsewhere.problem) == (None, None)


def test_failing_in_one_circumstance_is_told_apart_from_the_other(home):
    home.write({"wsgi.py": "open('greeting.txt')\n" + HELLO, "greeting.txt": "x"})
    found = home.launch()
    assert "FileNotFoundError" in found.elsewhere.problem.message
    assert found.c_locale.problem is None


def test_variable_of_this_environment_is_given_and_named(home):
    home.write({"wsgi.py": READ.format(name="SHOP_KEY")})
    overrides = (("SHOP_KEY", "other"),)
    environ = {**os.environ, "SHOP_KEY": "x", "SHOP_IDLE": "x"}
    found = home.launch(environ=environ, overrides=overrides)
    assert (found.alone.problem, found.alone.needs) == (None, ("SHOP_KEY",))
    assert found.elsewhere.problem is None
    assert found.overrides[0].changed == ("wsgi.KEY",)


def test_variable_that_is_read_in_another_way_is_not_named(home):
    home.write({"wsgi.py": "import os\nassert 'SHOP_KEY' in dict(os.environ)\n" + HELLO})
    found = home.launch(environ={**os.environ, "SHOP_KEY": "x"})
    assert (found.alone.problem, found.alone.needs) == (None, (UNSEEN,))


def test_what_no_variable_helps_stays_a_problem(home):
    home.write({"wsgi.py": READ.format(name="SHOP_KEY")})
    found = home.launch(overrides=(("SHOP_MODE", "x"),))
    assert found.alone.problem.id == "environment-variable-missing"
    assert (found.elsewhere, found.c_locale, found.overrides) == (None, None, ())


def test_without_any_other_variable_nothing_is_tried_again(home):
    home.write({"wsgi.py": READ.format(name="SHOP_KEY")})
    environ = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    assert home.launch(environ=environ).alone.problem.id == "environment-variable-missing"


def test_settings_of_the_tests_are_not_given_to_a_module_that_names_its_own(home):
    home.write(DJANGO)
    late = (
        "import os\nfrom django.core.wsgi import get_wsgi_application\n"
        "application = get_wsgi_application()\n"
        "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'mysite.settings')\n"
    )
    home.write({"mysite/wsgi.py": late})
    environ = {**os.environ, "DJANGO_SETTINGS_MODULE": "mysite.settings"}
    spec = "mysite.wsgi.application"
    found = home.launch(spec, environ=environ)
    assert found.alone.problem.id == "django-settings-not-configured"
    assert found.sentinel_wins is None
    silent = late.splitlines()[1:3]
    home.write({"mysite/wsgi.py": "\n".join(silent)})
    found = home.launch(spec, environ=environ)
    assert found.alone.needs == ("DJANGO_SETTINGS_MODULE",)
    assert found.sentinel_wins is True


@pytest.mark.parametrize(
    ("line", "wins"),
    [
        (DEFAULT, True),
        (ASSIGNED, False),
        (f"{DEFAULT}\nassert os.environ['DJANGO_SETTINGS_MODULE'][:6] != 'pytest'", None),
    ],
)
def test_settings_from_outside_win_or_not(home, line, wins):
    home.write(DJANGO)
    wsgi = DJANGO["mysite/wsgi.py"].splitlines()
    home.write({"mysite/wsgi.py": "\n".join([*wsgi[:2], line, wsgi[3]])})
    found = home.launch("mysite.wsgi.application")
    assert found.sentinel_wins is wins
    assert found.named == (
        ("mysite/wsgi.py", "mysite.settings"),
        ("manage.py", "mysite.settings"),
    )


@pytest.mark.parametrize(("line", "wins"), [(DEFAULT, True), (ASSIGNED, False)])
def test_settings_that_another_module_names_are_tried_in_a_process_of_their_own(home, line, wins):
    home.write(DJANGO)
    wsgi = DJANGO["mysite/wsgi.py"].splitlines()
    home.write(
        {
            "mysite/boot.py": "\n".join([*wsgi[:2], line, wsgi[3]]),
            "mysite/wsgi.py": "from mysite.boot import application\n",
        }
    )
    assert home.launch("mysite.wsgi.application").sentinel_wins is wins


def test_settings_are_named_by_files_and_by_the_environment(home):
    home.write(DJANGO)
    setting = "WSGI_APPLICATION = 'deploy.wsgi.application'\n"
    home.write(
        {
            "mysite/settings.py": DJANGO["mysite/settings.py"] + setting,
            "deploy/__init__.py": "",
            "deploy/wsgi.py": DJANGO["mysite/wsgi.py"],
        }
    )
    environ = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    assert home.launch("mysite.wsgi.application", environ=environ).named == (
        ("mysite/wsgi.py", "mysite.settings"),
        ("manage.py", "mysite.settings"),
        ("deploy/wsgi.py", "mysite.settings"),
        ("the environment", "tests.settings"),
    )


def test_settings_that_are_given_are_not_overridden_once_more(home):
    home.write(DJANGO)
    given = {"DJANGO_SETTINGS_MODULE": "mysite.settings"}
    found = home.launch("mysite.wsgi.application", given=given)
    assert (found.sentinel_wins, found.given) == (None, ("DJANGO_SETTINGS_MODULE",))


def test_override_changes_what_reads_it(home):
    home.write(
        {
            "wsgi.py": "import os, secrets\nMODE = os.environ.get('SHOP_MODE')\n"
            "KEY = secrets.token_hex()\n" + HELLO
        }
    )
    found = home.launch(overrides=(("SHOP_MODE", "test"), ("SHOPMODE", "test")))
    assert [override.changed for override in found.overrides] == [("wsgi.MODE",), ()]


def test_override_that_ends_the_load_says_so(home):
    home.write({"wsgi.py": "import os\nassert 'SHOP_MODE' not in os.environ\n" + HELLO})
    (found,) = home.launch(overrides=(("SHOP_MODE", "test"),)).overrides
    assert found.problem.startswith("Importing wsgi failed: AssertionError")


def test_crash_is_a_problem_with_how_it_ended(home):
    home.write(
        {
            "wsgi.py": "import ctypes, sys\nprint('going down', file=sys.stderr, flush=True)\n"
            "ctypes.string_at(0)\n"
        }
    )
    problem = home.launch().alone.problem
    assert problem.id == "launch-ended"
    assert problem.message == (
        "A fresh process that loaded the target was ended by SIGSEGV, after it wrote: going down."
    )


def test_what_was_seen_before_a_crash_is_kept_and_the_end_told(home):
    home.write(
        {
            "wsgi.py": "import ctypes\n"
            + HELLO
            + "\ndef check_password(environ, user, password):\n    ctypes.string_at(0)\n"
        }
    )
    found = home.launch().alone
    assert (found.problem, found.code) == (None, 200)
    assert found.cut_short == "was ended by SIGSEGV"


def test_secrets_are_not_told_by_what_a_process_wrote(home):
    home.write(
        {
            "wsgi.py": "import ctypes, os, sys\nprint('key', os.environ['SHOP_KEY'], flush=True)\n"
            "print('key', os.environ['SHOP_KEY'], file=sys.stderr, flush=True)\n"
            "if 'SHOP_CRASH' in os.environ:\n    ctypes.string_at(0)\n" + HELLO
        }
    )
    found = home.launch(given={"SHOP_KEY": "hunter2"})
    assert [effect.detail for effect in found.alone.effects] == ["'key <redacted>\\n'"]
    found = home.launch(given={"SHOP_KEY": "hunter2", "SHOP_CRASH": "1"})
    assert found.alone.problem.message.endswith("after it wrote: key <redacted>.")


def test_hang_is_a_problem_and_the_process_is_ended(home, monkeypatch):
    monkeypatch.setattr("pytest_wsgi.loading.launch.launcher._SECONDS", 1.0)
    home.write({"wsgi.py": "import threading\nthreading.Event().wait()\n"})
    problem = home.launch(seconds=0.1).alone.problem
    assert problem.message == ("A fresh process that loaded the target was not done within 1 s.")


def test_process_that_says_nothing_is_a_problem(home):
    home.write({"wsgi.py": "import os, signal, sys\nos.execv(sys.executable, [sys.executable])\n"})
    assert home.launch().alone.problem is not None


def test_launches_can_be_stopped(home):
    home.write({"wsgi.py": "import threading\nthreading.Event().wait()\n"})
    launcher = home.make_launcher()
    launcher.start()
    processes = [fresh.process for fresh in launcher.running.values()]
    launcher.start()
    assert [fresh.process for fresh in launcher.running.values()] == processes
    launcher.stop()
    assert launcher.running == {}
    assert all(one.returncode is not None for one in processes)


def test_interrupt_of_the_wait_leaves_no_process_behind(home):
    home.write({"wsgi.py": "import threading\nthreading.Event().wait()\n"})
    launcher = home.make_launcher()
    launcher.start()
    (fresh,) = launcher.running.values()
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    try:
        with pytest.raises(KeyboardInterrupt):
            launcher.collect(None)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert fresh.process.returncode is not None


def test_launch_begins_anew_where_it_turns_out_that_databases_are_to_be_spared(home):
    home.write({"wsgi.py": "import threading\nthreading.Event().wait()\n"})
    launcher = home.make_launcher()
    launcher.start()
    (early,) = launcher.running.values()
    launcher.start(spare_database=True)
    (late,) = launcher.running.values()
    launcher.stop()
    assert early.process.pid != late.process.pid
    assert early.process.returncode is not None
    assert not early.place.exists()
    assert launcher.spares_database


def test_directory_of_a_launch_is_gone_afterwards(home):
    home.write({"wsgi.py": HELLO})
    launcher = home.make_launcher()
    launcher.start()
    places = [fresh.place for fresh in launcher.running.values()]
    launcher.collect(None)
    assert not any(place.exists() for place in places)


DIFFERENCE = Difference(request="GET /", what="status", target="200 OK", other="404 Not Found")


@pytest.mark.parametrize(
    ("runserver", "words"),
    [
        (Runserver(setting=None, is_target=True), "serves this application"),
        (Runserver(setting=None, compared=7), "identical over 7 probes (WSGI_APPLICATION is not"),
        (Runserver(setting="a.b", compared=7, difference=DIFFERENCE), "another application (a.b)"),
        (Runserver(setting="a:b", trouble="ImportError: a"), "stops: ImportError: a"),
        (Runserver(setting="a.b", built_in=True, compared=7), "own handler: identical over 7"),
        (
            Runserver(setting="a.b", built_in=True, compared=1, difference=DIFFERENCE),
            "own handler: another answer",
        ),
    ],
)
def test_runserver_is_a_fact(runserver, words):
    facts = describe_launches(Launches(alone=Launch(runserver=runserver)))
    assert words in facts["runserver"]


def test_facts_are_what_not_everyone_expects():
    assert describe_launches(Launches(alone=Launch())) == {}
    layers = (
        Layer(name="a.A", inner="b.B", place="a.py:1"),
        Layer(name="a.A", inner="c.C", place="a.py:1"),
        Layer(name="b.B", inner="d", place="b.py:1"),
    )
    launches = Launches(
        alone=Launch(settings="a.settings", layers=layers),
        sentinel_wins=False,
        named=(("wsgi.py", "a.settings"), ("manage.py", "b.settings")),
    )
    assert describe_launches(launches) == {
        "override": "DJANGO_SETTINGS_MODULE from outside is overruled by a.settings",
        "settings named": "a.settings in wsgi.py, b.settings in manage.py",
        "layers": "a.A calls b.B, c.C; b.B calls d",
    }


def test_inputs_of_a_fresh_process_are_files(home):
    home.write({"wsgi.py": "import sys\nprint('open', flush=True)\nsys.stdin.readline()\n" + HELLO})
    kinds = {effect.kind: effect.detail for effect in home.launch().alone.effects}
    assert kinds["output"] == "'open\\n'"
    assert kinds["input"].endswith(" bytes")
    assert job.KEPT[:3] == ("PATH", "HOME", "LANG")
