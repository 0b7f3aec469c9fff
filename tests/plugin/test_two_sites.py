"""Two Django sites in one run: each in a process of its own, as Django keeps its settings."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import pytest

from runs import ALL, read_report, write

pytest.importorskip("django")

pytestmark = pytest.mark.slow

HAS_PLUGIN = importlib.util.find_spec("pytest_django") is not None
needs_plugin = pytest.mark.skipif(not HAS_PLUGIN, reason="pytest-django is not installed")

PROJECT = Path(__file__).parents[2] / "fixtures/projects/two_sites"
BOTH = ("--wsgi-app", "site_a.wsgi.application", "--wsgi-app", "b=site_b.wsgi.application")
BROKEN_RULE = "status-is-native-string"
FEW = ("--wsgi-select", "application-loads,status-*")
"""Rules for which no fresh process is started."""

WHY = "of its own, because Django is set up with site_a.settings here (set by site_a/wsgi.py)"

NOTING = """
import os
from django.conf import settings
from django.http import HttpResponse
from django.urls import path

def home(request):
    with open("seen.txt", "a") as file:
        print(__name__, settings.SETTINGS_MODULE, os.getpid(), os.environ.get("OF_A"), file=file)
    return HttpResponse("Hello\\n", content_type="text/plain")

urlpatterns = [path("", home), path("more/", home)]
"""

BYTES_STATUS = """
import os
from django.core.wsgi import get_wsgi_application
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site_b.settings")
inner = get_wsgi_application()

def application(environ, start_response):
    def start(status, headers, exc_info=None):
        return start_response(status.encode(), headers)
    return inner(environ, start)
"""

COMPUTED = """
import os
from django.core.wsgi import get_wsgi_application
{before}
os.environ.setdefault("DJANGO_SETTINGS_MODULE", f"{{__package__}}.settings")
application = get_wsgi_application()
{after}
"""

BY_HAND = """
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path
settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["localhost"], SECRET_KEY=__name__)
urlpatterns = [path("", lambda request: HttpResponse("Hello\\n", content_type="text/plain"))]
application = get_wsgi_application()
"""

CRASH = "import faulthandler\nfaulthandler._sigsegv()\n"
HANG = "import threading\nthreading.Event().wait()\n"
LITERAL = 'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "site_b.settings")\n'


@pytest.fixture
def sites(pytester, monkeypatch):
    """Return the directory of two Django sites, whose pages note who served them."""
    for name in ("DJANGO_SETTINGS_MODULE", "PYTEST_WSGI_APP", "OF_A", "TZ"):
        monkeypatch.delenv(name, raising=False)
    shutil.copytree(PROJECT, pytester.path, dirs_exist_ok=True)
    write(pytester.path, {f"site_{name}/urls.py": NOTING for name in "ab"})
    return pytester.path


@pytest.fixture
def run(run_apart, sites):
    """Return what runs pytest over the sites; a report of each is written."""

    def run_pytest(*args, **how):
        return run_apart(*BOTH, "--wsgi-report", "all.json", *args, **how)

    return run_pytest


def read_reports(sites):
    """Return the reports of both sites."""
    return [read_report(sites / f"all-{label}.json") for label in ("application", "b")]


def list_seen(sites):
    """Return who served: the module of the page, the settings, the process, a variable of a's."""
    return {tuple(line.split()) for line in (sites / "seen.txt").read_text().splitlines()}


def name_rules(report, verdict):
    """Return the ids of the rules with a verdict."""
    return {rule.id for rule in report.rules if rule.verdict == verdict}


@pytest.mark.parametrize("more", [(), ("-n", "2")], ids=str)
def test_both_are_checked(sites, run, more):
    if more:
        pytest.importorskip("xdist")
    result = run("--wsgi-path", "/more/", *more)
    text = result.stdout.str()
    assert result.ret == 0, text
    outcomes = result.parseoutcomes()
    assert sum(outcomes[name] for name in ("passed", "skipped", "advised")) == 2 * (ALL + 1)
    ours, other = read_reports(sites)
    assert ours.subject.facts["settings module"] == "site_a.settings (set by site_a/wsgi.py)"
    assert other.subject.facts["settings module"] == "site_b.settings (set by site_b/wsgi.py)"
    assert ("process" in ours.subject.facts, other.subject.facts["process"]) == (False, WHY)
    assert (other.subject.file, other.subject.label) == ("site_b/wsgi.py", "b")
    assert other.is_proven
    assert name_rules(ours, "held") == name_rules(other, "held")
    assert other.exchanges == ours.exchanges > 100
    assert f"process           {WHY}" in text
    assert "settings module   site_b.settings (set by site_b/wsgi.py)" in text
    seen = list_seen(sites)
    assert {line[:2] for line in seen if "site_b" in line[0]} == {
        ("site_b.urls", "site_b.settings")
    }
    processes = [{line[2] for line in seen if line[0] == f"site_{name}.urls"} for name in "ab"]
    assert not processes[0] & processes[1]


def test_a_broken_second_site_fails_by_its_own_rule(sites, run):
    write(sites, {"site_b/wsgi.py": BYTES_STATUS})
    result = run("--wsgi-path", "/more/")
    text = result.stdout.str()
    assert result.ret == 1
    assert f"site_b/wsgi.py::b::{BROKEN_RULE}" in text
    assert "expected a str, got b'200 OK'" in text
    assert "Where site_b/wsgi.py:9" in text
    ours, other = read_reports(sites)
    assert not name_rules(ours, "broken") - name_rules(other, "broken")
    assert BROKEN_RULE in name_rules(other, "broken") - name_rules(ours, "broken")
    failed = result.parseoutcomes()["failed"]
    again = run("--lf", "--wsgi-path", "/more/")
    assert again.parseoutcomes()["failed"] == failed
    one = run("-x", f"site_b/wsgi.py::b::{BROKEN_RULE}")
    assert one.parseoutcomes() == {"failed": 1}
    assert f"process           {WHY}" in one.stdout.str()


def test_a_second_site_that_does_not_load_says_why(sites, run):
    write(sites, {"site_b/wsgi.py": f"{LITERAL}import not_there_at_all\n"})
    result = run("--wsgi-path", "/more/", *FEW)
    assert result.ret == 1
    assert result.parseoutcomes()["failed"] == 1
    ours, other = read_reports(sites)
    assert other.subject.problem.id == "import-failed-missing-module"
    assert len(name_rules(other, "blocked")) == len(other.rules) - 1
    assert (len(other.rules), ours.subject.problem) == (len(ours.rules), None)
    assert other.subject.facts["process"] == WHY
    assert "not_there_at_all" in result.stdout.str()


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (CRASH, "The process of its own that loaded site_b.wsgi.application was ended by SIG"),
        (
            HANG,
            "The process of its own that loaded site_b.wsgi.application was not done within 2 s",
        ),
    ],
    ids=["crash", "hang"],
)
def test_a_second_site_that_loads_in_no_process(sites, run, source, said):
    patience = "import pytest_wsgi.apart\npytest_wsgi.apart.LOADING_SECONDS = 2.0\n"
    write(sites, {"site_b/wsgi.py": f"{LITERAL}{source}", "conftest.py": patience})
    result = run("--wsgi-path", "/more/", *FEW)
    text = result.stdout.str()
    assert result.ret == 1
    assert result.parseoutcomes()["failed"] == 1, text
    ours, other = read_reports(sites)
    assert other.subject.problem.id == "process-ended"
    assert said in other.subject.problem.message
    assert said in text
    assert "pytest_wsgi/" not in text
    assert "In a run of its own: pytest --wsgi-app b=site_b.wsgi.application" in text
    assert ours.subject.problem is None


def test_a_second_site_that_crashes_at_a_request_is_a_harness_error(sites, run):
    page = NOTING.replace("    with", "    __import__('faulthandler')._sigsegv()\n    with")
    write(sites, {"site_b/urls.py": page})
    result = run(*FEW, "--wsgi-path", "/more/")
    text = result.stdout.str()
    assert result.ret == 1
    sentence = "the process of its own that examined site_b.wsgi.application was ended by SIGSEGV"
    assert f"harness error: {sentence}" in " ".join(text.split())
    assert "urls.py" in text
    assert "Traceback" not in text
    _, other = read_reports(sites)
    assert {rule.reason for rule in other.harness_errors} == {sentence}
    assert other.subject.problem is None


def test_what_one_site_does_to_its_process_does_not_reach_the_other(sites, run):
    before = "import sys\nos.environ['OF_A'] = 'a'\nsys.path.insert(0, 'site_a/extra')\n"
    after = (
        "import sys\nassert 'site_a/extra' not in sys.path\nassert 'pytest' not in sys.modules\n"
        "print('from b')\n"
    )
    write(sites, {"site_a/wsgi.py": COMPUTED.format(before=before, after="print('from a')")})
    write(sites, {"site_b/wsgi.py": COMPUTED.format(before="", after=after)})
    result = run("-s", *FEW)
    text = result.stdout.str()
    assert result.ret == 0, text
    assert ("from a" in text, "from b" in text) == (True, False)
    _, other = read_reports(sites)
    assert other.subject.facts["settings module"] == "site_b.settings (set by site_b/wsgi.py)"
    assert {line[1:2] + line[3:] for line in list_seen(sites) if line[0] == "site_b.urls"} == {
        ("site_b.settings", "None")
    }


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (BY_HAND, BY_HAND),
        (BY_HAND, COMPUTED.format(before="", after="")),
        (COMPUTED.format(before="", after="") + "raise ValueError", BY_HAND),
        (COMPUTED.format(before="", after=""), LITERAL + "raise ValueError('of b')"),
    ],
    ids=["by hand", "by hand, module", "broken, by hand", "module, broken"],
)
def test_sites_that_name_their_settings_otherwise(sites, run, first, second):
    write(sites, {"site_a/wsgi.py": first, "site_b/wsgi.py": second})
    run(*FEW)
    for report, source in zip(read_reports(sites), (first, second), strict=True):
        broken = "application-loads" in name_rules(report, "broken")
        assert broken is ("raise" in source), report.subject
    assert "process" in report.subject.facts
    assert report.subject.problem is None or "of b" in report.subject.problem.message


def test_the_first_target_keeps_the_process_of_the_users_tests(sites, run):
    own = "def test_own(wsgi_app): assert wsgi_app.__module__\n"
    write(sites, {"tests/test_own.py": own})
    result = run(f"site_b/wsgi.py::b::{BROKEN_RULE}", "tests/test_own.py")
    assert result.parseoutcomes() == {"passed": 2}, result.stdout.str()


DATABASE = """
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "real.sqlite3"}}
"""


@needs_plugin
def test_with_pytest_django_but_no_settings(sites, run):
    settings = (sites / "site_b/settings.py").read_text()
    write(sites, {"site_b/settings.py": settings + DATABASE})
    result = run(*FEW, isolated=False)
    assert result.ret == 0, result.stdout.str()
    ours, other = read_reports(sites)
    note = "sqlite3 real.sqlite3 (no test database: in a process of its own)"
    assert other.subject.facts["database"] == note
    assert other.subject.facts["process"] == WHY
    assert "process" not in ours.subject.facts


@needs_plugin
def test_settings_of_pytest_django_stay(sites, run):
    settings = (sites / "site_a/settings.py").read_text()
    write(sites, {"pytest.ini": "[pytest]\nDJANGO_SETTINGS_MODULE = site_a.settings\n"})
    write(sites, {"site_a/settings.py": settings + DATABASE})
    write(sites, {"site_b/wsgi.py": BYTES_STATUS.replace(".setdefault(", ".__setitem__(")})
    result = run(*FEW, isolated=False)
    assert result.ret == 1
    ours, other = read_reports(sites)
    assert ours.subject.facts["settings module"] == "site_a.settings (pytest-django)"
    assert other.subject.problem.id == "django-settings-in-use"
    assert "process" not in other.subject.facts


def test_one_target_of_two_sites_is_one_target(sites, run_apart):
    both = "from site_a.wsgi import application\nimport site_b.wsgi\n"
    write(sites, {"both.py": both})
    words = ("--wsgi-app", "both.application", "--wsgi-report", "all.json")
    assert run_apart(*words, *FEW).ret == 0
    facts = read_report(sites / "all.json").subject.facts
    assert "process" not in facts
    assert facts["settings module"].startswith("site_a.settings")
