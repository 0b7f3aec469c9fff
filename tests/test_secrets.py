"""What is secret stands nowhere: canaries are planted wherever a run comes by.

They are looked for in every format of the report, in what the run prints and in its JUnit XML.
"""

from __future__ import annotations

import re

import pytest

from pytest_wsgi.rendering.formats import FORMATS
from pytest_wsgi.report import from_json
from pytest_wsgi.report.fingerprints import name_findings
from runs import write

APPLICATION = """
import os
import sys

PASSWORD = os.environ.pop("DATABASE_PASSWORD", "none")  # it hides it from what comes after
API_KEY = "canary-source"
GIVEN = os.environ.get("API_TOKEN", "none")
if "PYTEST_VERSION" not in os.environ:  # in a fresh process: what a user's test prints is theirs
    print(f"imported with {GIVEN}")


def application(environ, start_response):
    environ["mysite.secret"] = "canary-environ"
    environ["wsgi.errors"].write(f"canary-errors {PASSWORD}")
    if "HTTP_AUTHORIZATION" not in environ:  # as above
        print(f"asked with {PASSWORD}")
        print(f"asked with {GIVEN}", file=sys.stderr)
    if environ["REQUEST_METHOD"] == "HEAD":
        raise RuntimeError(f"postgres://user:{PASSWORD}@host refused smtp://a:canary-login@b")
    if environ["REQUEST_METHOD"] == "OPTIONS":
        raise RuntimeError(os.environ["DATABASE_URL"] + os.environ["PAYMENTS"] + "x" * 470 + GIVEN)
    if environ.get("PATH_INFO") == "/login":
        raise ValueError(f"{environ['HTTP_AUTHORIZATION']} {PASSWORD}")
    start_response(
        f"200 {PASSWORD}\\\\n",
        [
            ("Content-Type", "text/plain"),
            ("Set-Cookie", "sessionid=canary-setcookie\\\\n"),
            ("Set-Cookie", b"sessionid=canary-bytes"),
            ("X-Api-Key", "canary-apikey\\\\x01"),
            ("Location", "/welcome?key=canary-location\\\\n"),
            ("Authorization", "canary-response", "third"),
            "Cookie: canary-text",
            ["Set-Cookie", "canary-list"],
            ("X-Auth-Token: canary-colon", "x"),
            (b"X-Thing: canary-bytename", "x"),
            ("X-Thing=canary-equals\\\\n", "x"),
            ("X-Trace", "canary-trace\\\\n"),
        ],
    )
    return ["canary-body", b"canary-block"]
""".replace("\\\\", "\\")

OWN = """
import pytest

HEADERS = {
    "Authorization": "Bearer canary-authorization",
    "Cookie": "sessionid=canary-cookie",
    "X-Api-Key": "canary-sent",
}

def test_form(wsgi_client):
    with pytest.raises(Exception):
        wsgi_client.post("/?q=canary-query", {"password": "canary-form"}, headers=HEADERS)

def test_login(wsgi_client):
    with pytest.raises(Exception):
        wsgi_client.post("/login?token=canary-query", {}, headers=HEADERS)
"""

BROKEN = """
import os
raise RuntimeError("postgres://me:canary-login@host and " + os.environ["DATABASE_PASSWORD"])
"""

FRESH = """
import os

if "PYTEST_VERSION" not in os.environ:  # in a fresh process only
    print("got", os.environ["API_TOKEN"], flush=True)
    {end}
from mysite.good import application
"""

GOOD = """
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "0")])
    return []
"""

DJANGO = {
    "shop/__init__.py": "",
    "shop/settings.py": """
SECRET_KEY = "canary-settingskey"
API_TOKEN = "canary-customsetting"
PAYMENTS = "canary-payments0123456789"
DEBUG = {debug}
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "shop.urls"
DATABASES = {{
    "default": {{
        "ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:", "PASSWORD": "canary-database"
    }}
}}
CACHES = {{
    "default": {{
        "BACKEND": "django.core.cache.backends.dummy.DummyCache",
        "LOCATION": "redis://:canary-cachelogin@host/1",
    }}
}}
""",
    "shop/urls.py": """
from django.conf import settings
from django.http import HttpResponse
from django.urls import re_path

def view(request):
    said = (
        f"{settings.SECRET_KEY} {settings.API_TOKEN} {settings.PAYMENTS} "
        f"{settings.DATABASES['default']['PASSWORD']} {settings.CACHES['default']['LOCATION']}"
    )
    if request.method != "GET":
        raise RuntimeError(said)
    return HttpResponse(status=200, reason=said)

urlpatterns = [re_path("", view)]
""",
    "shop/wsgi.py": """
import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")

from django.conf import settings
from django.core.wsgi import get_wsgi_application

site = get_wsgi_application()

def application(environ, start_response):
    if environ["REQUEST_METHOD"] == "HEAD":
        raise RuntimeError(settings.SECRET_KEY + settings.API_TOKEN + settings.PAYMENTS)
    return site(environ, start_response)
""",
}

PLANTED = {
    "DATABASE_PASSWORD": "canary-osenviron",
    "DATABASE_URL": "postgres://me:canary-urllogin@host/db",
    "PAYMENTS": "canary-payments0123456789",
    "UNUSED_TOKEN": "canary-unused",
}

ORDINARY = {"DEBUG": "1", "LANG": "C.UTF-8", "APP_ENV": "production", "DB_PASSWORD": "text"}
"""Variables that are no secrets, and a password that is too short to be looked for."""


@pytest.fixture
def run(pytester, monkeypatch):
    """Return what runs a SPEC of a project with canaries and returns all texts of the run."""

    def run_and_render(spec, files, *words):
        for name, value in PLANTED.items():
            monkeypatch.setenv(name, value)
        pytester.makeini("[pytest]")
        write(pytester.path, {"mysite/__init__.py": "", **files})
        result = pytester.runpytest_subprocess(
            *("-p", "no:django", "-p", "no:hypothesispytest", "--wsgi-unsafe"),
            *("--wsgi-app", spec, "--wsgi-env", "API_TOKEN=canary-wsgienv"),
            *("--wsgi-report", "x.json", "--junitxml", "junit.xml", "-o", "junit_logging=all"),
            *words,
            timeout=120,
        )
        report = from_json((pytester.path / "x.json").read_text(encoding="utf-8"))
        texts = {name: each.render([report]) for name, each in FORMATS.items()}
        junit = (pytester.path / "junit.xml").read_text(encoding="utf-8")
        return report, {**texts, "stdout": result.stdout.str(), "junit": junit}

    return run_and_render


def list_canaries(texts):
    """Return the canaries that are seen, with the formats that show them."""
    seen = {}
    for name, text in texts.items():
        for canary in re.findall("canary-([a-z]*)", text):
            seen.setdefault(canary, set()).add(name)
    return seen


def find_broken(report):
    """Return the reports of the rules that are broken, by their ids."""
    return {rule.id: rule for rule in report.rules if rule.verdict == "broken"}


def test_no_canary_of_an_application_is_seen(run):
    files = {"mysite/wsgi.py": APPLICATION, "tests/test_own.py": OWN}
    report, texts = run("mysite.wsgi.application", files)
    assert list_canaries(texts) == {}
    broken = find_broken(report)
    assert {
        "header-values-have-no-line-break",
        "header-names-have-no-colon",
        "header-names-are-native-strings",
        "header-values-are-native-strings",
        "headers-are-pairs",
        "status-has-no-line-break",
    } <= broken.keys()
    observed = [one.observed for one in broken["header-values-have-no-line-break"].findings]
    assert r"('X-Trace', <redacted: length 13, \n at 12>)" in observed
    assert r"('Location', '/welcome?' <redacted: length 20, \n at 19>)" in observed
    assert "asked with &lt;redacted&gt;" in texts["junit"]


def test_no_canary_of_a_failing_load_is_seen(run):
    files = {"mysite/broken.py": BROKEN, "tests/test_own.py": OWN}
    report, texts = run("mysite.broken.application", files)
    assert list_canaries(texts) == {}
    assert "postgres://<redacted>@host and <redacted>" in report.subject.problem.message


@pytest.mark.parametrize(
    "end",
    [
        'raise RuntimeError(os.environ["API_TOKEN"])',
        'os.write(2, os.environb[b"API_TOKEN"]); import ctypes; ctypes.string_at(0)',
    ],
)
def test_no_canary_of_a_fresh_process_is_seen(run, end):
    files = {"mysite/good.py": GOOD, "mysite/fresh.py": FRESH.format(end=end)}
    report, texts = run("mysite.fresh.application", files)
    assert list_canaries(texts) == {}
    broken = find_broken(report)
    assert "<redacted>" in broken["loading-works-in-a-fresh-process"].findings[0].message


@pytest.mark.parametrize("debug", [True, False])
def test_no_canary_of_settings_is_seen(run, debug):
    files = {**DJANGO, "shop/settings.py": DJANGO["shop/settings.py"].format(debug=debug)}
    report, texts = run("shop.wsgi.application", files, "-rA")
    assert list_canaries(texts) == {}
    assert "RuntimeError: <redacted>" in texts["json"]
    assert report.exchanges


def test_ordinary_values_stay(run, monkeypatch):
    for name, value in ORDINARY.items():
        monkeypatch.setenv(name, value)
    files = {
        "mysite/wsgi.py": APPLICATION.replace("{PASSWORD}\\n", "{PASSWORD} production 1 text\\n")
    }
    report, texts = run("mysite.wsgi.application", files)
    assert list_canaries(texts) == {}
    (first, *_) = find_broken(report)["status-has-no-line-break"].findings
    assert first.observed == r"'200 <redacted> production 1 text\n'"
    assert "text/plain" in first.event


def test_findings_are_found_again_where_a_secret_is_not_known(run, monkeypatch):
    files = {"mysite/wsgi.py": GOOD.replace('"200 OK"', '"200 canary-osenviron\\n"')}
    known, _ = run("mysite.wsgi.application", files)
    monkeypatch.setitem(PLANTED, "DATABASE_PASSWORD", "another-one")
    unknown, _ = run("mysite.wsgi.application", files)
    names = {one.fingerprint for one in name_findings(known)}
    assert names == {one.fingerprint for one in name_findings(unknown)}
    assert (
        "canary-osenviron" in find_broken(unknown)["status-has-no-line-break"].findings[0].observed
    )


def test_the_name_of_the_user_is_not_seen(run, monkeypatch, pytester):
    monkeypatch.setenv("HOME", str(pytester.path.parent))
    report, texts = run("mysite.wsgi.application", {"mysite/wsgi.py": APPLICATION})
    tracebacks = [one.traceback for rule in report.rules for one in rule.findings]
    assert any('File "mysite/wsgi.py", line' in traceback for traceback in tracebacks)
    for name in FORMATS:
        assert str(pytester.path) not in texts[name]
