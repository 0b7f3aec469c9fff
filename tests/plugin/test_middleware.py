"""`--wsgi-middleware` and `--wsgi-layer`, as users run them."""

from __future__ import annotations

import json

import pytest

from pytest_wsgi.scripts import SCRIPTS

MIDDLEWARE = """
class HandOn:
    def __init__(self, app, name="x"):
        self.app = app
        self.name = name

    def __call__(self, environ, start_response):
        return self.app(environ, start_response)


class Loses:
    def __init__(self, app):
        self.app = app

    def __call__(self, environ, start_response):
        for block in self.app(environ, start_response):
            yield block


def breaks_status(app):
    def middleware(environ, start_response):
        def start(status, headers, exc_info=None):
            return start_response(status.encode(), headers)
        return app(environ, start)
    return middleware


def refuses(app):
    def middleware(environ, start_response):
        start_response("403 Forbidden", [("Content-Length", "0")])
        return []
    return middleware
"""

APPLICATION = """
from mw import HandOn, breaks_status

def pages(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "5")])
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [b"hello"]

class Chain:
    def __init__(self, *apps):
        self.apps = {"kept": (apps,)}

    @property
    def inner(self):
        return self.apps["kept"][0][0]

    @inner.setter
    def inner(self, app):
        self.apps["kept"] = ((app,),)

    def __call__(self, environ, start_response):
        return self.inner(environ, start_response)

application = HandOn(breaks_status(pages))
hidden = Chain(breaks_status(pages))
text = "no application"
"""


@pytest.fixture
def project(pytester):
    pytester.makepyfile(mw=MIDDLEWARE, wsgi=APPLICATION)
    pytester.makeini("[pytest]\npythonpath = .\n")
    return pytester


def read(project, name="report.json"):
    return json.loads((project.path / name).read_text(encoding="utf-8"))


def verdicts(report):
    return {rule["id"]: rule["verdict"] for rule in report["rules"]}


def test_middleware_that_hands_on_passes(project):
    result = project.runpytest("--wsgi-middleware", "mw:HandOn", "--wsgi-report", "report.json")
    assert result.ret == 0
    report = read(project)
    assert report["subject"]["kind"] == "middleware"
    assert report["subject"]["file"] == "mw.py"
    assert "broken" not in verdicts(report).values()
    assert "requests-are-served" not in verdicts(report)
    assert "import-starts-no-threads" not in verdicts(report)
    result.stdout.fnmatch_lines(["*the application behind was reached in * ways"])


def test_broken_middleware_fails_and_the_id_can_be_pasted_back(project):
    rule = "status-is-native-string"
    result = project.runpytest("--wsgi-middleware", "mw:breaks_status")
    assert result.ret == 1
    result.stdout.fnmatch_lines([f"FAILED mw.py::breaks_status::{rule}*"])
    again = project.runpytest(
        "--wsgi-middleware", "mw:breaks_status", f"mw.py::breaks_status::{rule}"
    )
    again.assert_outcomes(failed=1)


def test_arguments_are_given(project):
    spec = "mw:HandOn(name='y')"
    result = project.runpytest("--wsgi-middleware", spec, "--wsgi-report", "report.json")
    assert result.ret == 0
    assert read(project)["subject"]["spec"] == spec


def test_several_are_judged_each_and_as_a_stack(project):
    result = project.runpytest(
        *("--wsgi-middleware", "mw:HandOn", "--wsgi-middleware", "outer=mw:breaks_status"),
        *("--wsgi-report", "report.json"),
    )
    assert result.ret == 1
    sentences = {
        name: read(project, f"report-{name}.json")["sentence"]
        for name in ("HandOn", "outer", "stack")
    }
    assert "none broken" in sentences["HandOn"]
    assert "breaks" in sentences["outer"]
    assert sentences["stack"].startswith("mw:HandOn > mw:breaks_status breaks")


def test_middleware_that_never_calls_is_not_exercised_inside(project):
    result = project.runpytest("--wsgi-middleware", "mw:refuses", "--wsgi-report", "report.json")
    assert result.ret == 0
    report = read(project)
    assert f"the application behind was reached in 0 of {len(SCRIPTS)} ways" in report["notes"]
    left = [rule for rule in report["rules"] if rule["verdict"] == "not exercised"]
    reasons = {rule["reason"] for rule in left if rule["party"] == "server"}
    assert reasons == {"the application behind the middleware was never called"}


def test_middleware_that_is_not_there_is_one_clear_message(project):
    result = project.runpytest("--wsgi-middleware", "mw:HandOff")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*mw has no 'HandOff'.*", "*pytest --wsgi-middleware mw:HandOn*"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_spec_that_cannot_be_read_is_a_usage_error(project):
    result = project.runpytest("--wsgi-middleware", "mw:")
    assert result.ret == 4


def test_middleware_of_the_ini_file_is_judged_without_paths(project):
    project.makeini("[pytest]\npythonpath = .\nwsgi_middleware = mw:HandOn\n")
    assert project.runpytest().ret == 0
    project.makepyfile(test_own="def test_own(): pass")
    project.runpytest("test_own.py").assert_outcomes(passed=1)


def test_fixture_wsgi_app_is_no_middleware(project):
    project.makepyfile(test_own="def test_own(wsgi_app): pass")
    result = project.runpytest("--wsgi-middleware", "mw:HandOn", "test_own.py")
    result.stdout.fnmatch_lines(["*No application was named*"])


def test_application_and_middleware_go_together(project):
    result = project.runpytest(
        *("--wsgi-app", "wsgi:pages", "--wsgi-middleware", "mw:HandOn"),
        *("--wsgi-report", "report.json"),
    )
    assert result.ret == 0
    assert read(project, "report-pages.json")["subject"]["kind"] == "application"
    assert read(project, "report-HandOn.json")["subject"]["kind"] == "middleware"


def test_further_path_is_asked_of_middleware_too(project):
    result = project.runpytest("--wsgi-middleware", "mw:HandOn", "--wsgi-path", "/a/b")
    assert result.ret == 0


def test_finding_names_the_layer(project):
    result = project.runpytest("--wsgi-app", "wsgi:application", "--wsgi-report", "report.json")
    result.stdout.fnmatch_lines(["Layer mw.breaks_status.middleware, mw.py:*"])
    rows = {rule["id"]: rule for rule in read(project)["rules"]}
    layers = {one["layer"] for one in rows["status-is-native-string"]["findings"]}
    assert {layer.partition(":")[0] for layer in layers} == {"mw.breaks_status.middleware, mw.py"}
    assert "mw.HandOn, mw.py:" in read(project)["subject"]["facts"]["layers"]


def test_layer_in_an_unusual_place_is_named_by_the_user(project):
    words = ("--wsgi-app", "wsgi:hidden", "--wsgi-report", "report.json")
    project.runpytest(*words)
    assert "layers" not in read(project)["subject"]["facts"]
    result = project.runpytest(*words, "--wsgi-layer", "wsgi:hidden.inner")
    result.stdout.fnmatch_lines(["Layer mw.breaks_status.middleware, mw.py:*"])


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("wsgi:text", "*wsgi:text is a str, which is not called as an application is.*"),
        ("wsgi:hidden.outer", "*has no 'outer'*"),
        ("wsgi", "*--wsgi-layer takes a module and the attributes*"),
        ("wsgi.py", "*--wsgi-layer takes a module and the attributes*"),
        ("nowhere:application", "*nowhere*"),
    ],
)
def test_layer_that_is_not_there_is_one_clear_message(project, spec, message):
    result = project.runpytest("--wsgi-app", "wsgi:hidden", "--wsgi-layer", spec)
    assert result.ret == 1
    result.stdout.fnmatch_lines([message, "*pytest --wsgi-layer *"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_layer_of_a_file_and_of_the_module_itself(project):
    for spec in ("wsgi.py:hidden.inner", "wsgi:pages"):
        result = project.runpytest("--wsgi-app", "wsgi:hidden", "--wsgi-layer", spec)
        result.stdout.fnmatch_lines(["layers *"])
