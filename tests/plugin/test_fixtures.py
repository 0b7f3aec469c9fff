"""The fixtures of users' own tests: wsgi_app, which may be overridden, and wsgi_client."""

from __future__ import annotations

import pytest

from runs import ALL, BROKEN, BROKEN_RULE, GOOD, MAIN, read_report, write

pytest.importorskip("webtest")

OVERRIDE = """
import pytest
from mysite.{module} import application

@pytest.fixture(scope={scope!r})
def wsgi_app():
    return application
"""

CLIENT_TEST = "def test_page(wsgi_client): wsgi_client.get('/page').mustcontain('hello')\n"


@pytest.fixture
def alone(project):
    """Leave the project without tests of its own."""
    (project / "tests/test_a.py").unlink()
    (project / "tests/test_b.py").unlink()
    return lambda files: write(project, files)


def test_application_of_the_option(alone, run):
    alone(
        {"tests/test_app.py": "def test_app(wsgi_app):\n  assert wsgi_app.__module__[-4:]=='wsgi'"}
    )
    found = run(*MAIN)
    assert found.status == 0
    assert found.own == ["tests/test_app.py::test_app"]


def test_no_application(alone, run):
    alone({"tests/test_app.py": "def test_app(wsgi_app): pass\ndef test_it(wsgi_client): pass\n"})
    found = run()
    assert found.status == 1
    assert all("No application was named" in text for text in found.texts.values())
    assert "Try: pytest --wsgi-app" in found.out
    assert "plugin.py" not in found.out


def test_application_that_does_not_load(alone, run):
    alone({"mysite/wsgi.py": "1 / 0\n", "tests/test_app.py": "def test_app(wsgi_app): pass\n"})
    found = run(*MAIN, "tests/test_app.py", "-m", "not wsgi")
    assert found.status == 1
    assert "ZeroDivisionError" in found.out


@pytest.mark.parametrize("scope", ["session", "function"])
@pytest.mark.parametrize("spec", ["fixture", "mysite.wsgi.application"])
def test_overridden_in_conftest(alone, run, scope, spec):
    alone({"conftest.py": OVERRIDE.format(module="bad", scope=scope)})
    found = run("--wsgi-app", spec, "--wsgi-path", "/about", "--wsgi-report", "all.json")
    anchor = "conftest.py::wsgi_app" if spec == "fixture" else "mysite/wsgi.py::application"
    assert found.status == 1
    assert f"{anchor}::{BROKEN_RULE}" in found.having("failed")
    assert f"{anchor}::every-rule@/about" in found.having("failed")
    assert "fixture wsgi_app" in read_report("all.json").subject.origin
    assert list(run("--wsgi-app", spec, f"{anchor}::{BROKEN_RULE}").outcomes) == [
        f"{anchor}::{BROKEN_RULE}"
    ]


@pytest.mark.parametrize("more", [(), ("-n", "2")], ids=str)
def test_fixture_as_target(alone, run, more):
    if more:
        pytest.importorskip("xdist")
    alone({"conftest.py": OVERRIDE.format(module="wsgi", scope="session")})
    found = run("--wsgi-app", "fixture", *more)
    assert found.status == 0
    assert len(found.rules) == ALL


def test_fixture_of_a_plugin_as_target(alone, run, project, monkeypatch):
    monkeypatch.syspath_prepend(project)
    alone({"own_plugin.py": OVERRIDE.format(module="wsgi", scope="session")})
    found = run("--wsgi-app", "fixture", "-p", "own_plugin")
    assert found.status == 0
    assert len(found.rules) == ALL


@pytest.mark.parametrize("place", ["mysite", "tests"])
def test_fixture_that_is_out_of_reach(alone, run, place):
    alone(
        {
            "pytest.ini": "[pytest]\npythonpath = .\n",
            f"{place}/conftest.py": OVERRIDE.format(module="bad", scope="session"),
            f"{place}/test_own.py": "def test_own(wsgi_app): assert 'bad' in wsgi_app.__module__\n",
        }
    )
    found = run("--wsgi-app", "fixture")
    assert found.own == [f"{place}/test_own.py::test_own"]
    assert found.outcomes[found.own[0]] == "passed"
    (name,) = found.having("failed")
    assert name.endswith("::application-loads")
    assert "no conftest.py in reach defines it" in found.texts[name]
    # With a SPEC it is that which is judged, wherever the items are collected from.
    assert run(*MAIN).status == 0
    assert run(*MAIN, f"mysite/wsgi.py::application::{BROKEN_RULE}").status == 0


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("raise ValueError('no luck')", "The fixture wsgi_app raised ValueError: no luck"),
        ("raise SystemExit(3)", "The fixture wsgi_app raised SystemExit: 3"),
        ("pytest.fail('on purpose')", "on purpose"),
        ("return 5", "int"),
        ("return None", "is None"),
    ],
)
def test_fixture_that_makes_no_application(run, add, body, said):
    add({"conftest.py": f"import pytest\n@pytest.fixture\ndef wsgi_app():\n    {body}\n"})
    for spec in ("fixture", "mysite.wsgi.application"):
        found = run("--wsgi-app", spec, "--wsgi-path", "/about")
        assert found.status == 1
        (name,) = found.having("failed")
        assert name.endswith("::application-loads")
        assert said in found.texts[name]
        assert len(found.having("skipped")) == ALL
        assert len(found.own) == 3


def test_fixture_that_skips(run, add):
    add(
        {"conftest.py": "import pytest\n@pytest.fixture\ndef wsgi_app(): pytest.skip('not here')\n"}
    )
    found = run(*MAIN)
    assert found.status == 1
    assert len(found.having("skipped")) == ALL
    assert "Nothing was proven" in found.out


def test_variables_are_set_before_the_fixture(run, add, monkeypatch):
    monkeypatch.setenv("A_NAME", "old")
    add(
        {
            "conftest.py": "import os, pytest\n@pytest.fixture(scope='session')\n"
            "def wsgi_app():\n    assert os.environ['A_NAME'] == 'new'\n"
            "    from mysite.wsgi import application\n    return application\n"
        }
    )
    assert run("--wsgi-app", "fixture", "--wsgi-env", "A_NAME=new").status == 0


def test_only_the_first_target_comes_from_the_fixture(run, add):
    add({"conftest.py": OVERRIDE.format(module="bad", scope="session")})
    found = run("--wsgi-app", "fixture", *MAIN, "-k", BROKEN_RULE)
    assert found.outcomes == {
        f"conftest.py::wsgi_app::{BROKEN_RULE}": "failed",
        f"mysite/wsgi.py::application::{BROKEN_RULE}": "passed",
    }


def test_client_of_a_good_application(alone, run):
    alone(
        {
            "tests/test_page.py": f"{CLIENT_TEST}"
            "def test_post(wsgi_client):\n"
            "    assert wsgi_client.post('/', {'a': 'b'}).body == b'hello'\n"
            "def test_unused(wsgi_client): pass\n"
        }
    )
    found = run(*MAIN, "-m", "not wsgi", "--wsgi-report", "all.json")
    assert found.status == 0
    assert len(found.having("passed")) == 3
    assert " advised" not in found.out
    report = read_report("all.json")
    assert report.subject.spec == "mysite.wsgi.application"
    assert {rule.id: rule.verdict for rule in report.rules}[BROKEN_RULE] == "held"


TEN = "".join(
    f"def test_{number}(wsgi_client): wsgi_client.get('/{number}', status='*')\n"
    for number in range(10)
)


@pytest.mark.parametrize("more", [(), ("-n", "2")], ids=str)
def test_ten_tests_get_conformance_by_one_name(alone, run, more):
    if more:
        pytest.importorskip("xdist")
    alone(
        {
            "mysite/wsgi.py": GOOD.replace("str(len(body))", "str(len(body) + 1)"),
            "tests/test_ten.py": TEN,
        }
    )
    found = run(*MAIN, "--wsgi-strict", "tests", "--wsgi-report", "all.json", *more)
    own = [name for name in found.having("failed") if "test_ten" in name]
    assert len(own) == 10
    assert "content-length-is-exact" in found.out or "Content-Length" in found.texts[own[0]]
    report = read_report("all.json")
    (rule,) = [rule for rule in report.rules if rule.id == "content-length-is-exact"]
    requests = {name for finding in rule.findings for name in (finding.request, *finding.also)}
    assert "GET /7 in tests/test_ten.py::test_7" in requests


def test_client_of_a_broken_application(alone, run):
    alone(
        {
            "mysite/wsgi.py": GOOD.replace('"text/plain")', '"text/plain"), ("X-A\\n", "b")'),
            "tests/test_page.py": CLIENT_TEST,
        }
    )
    found = run(*MAIN, "tests/test_page.py", "-m", "not wsgi")
    assert found.status == 1
    (name,) = found.having("failed")
    report = next(report for report in found.reports if report.failed)
    assert report.when == "call"
    assert "MUST  " in found.texts[name]
    assert "GET /page in tests/test_page.py::test_page" in found.texts[name]
    assert "client.py" not in found.out
    again = run(*found.reruns[0])
    assert again.having("failed") == list(again.outcomes) == [name]


def test_a_test_that_fails_by_itself_keeps_its_failure(alone, run):
    alone(
        {
            "mysite/wsgi.py": GOOD.replace('"text/plain")', '"text/plain"), ("X-A\\n", "b")'),
            "tests/test_page.py": "def test_page(wsgi_client):\n"
            "    wsgi_client.get('/')\n    assert 'mine' == 'yours'\n",
        }
    )
    found = run(*MAIN, "-m", "not wsgi")
    assert "assert 'mine' == 'yours'" in found.texts["tests/test_page.py::test_page"]
    assert "MUST  " not in found.texts["tests/test_page.py::test_page"]
    report = next(report for report in found.reports if report.failed)
    assert "MUST  " in dict(report.sections)["Captured wsgi call"]


def test_a_test_that_fails_by_itself_without_findings(alone, run):
    alone({"tests/test_page.py": "def test_page(wsgi_client):\n    assert 0\n"})
    found = run(*MAIN, "-m", "not wsgi")
    report = next(report for report in found.reports if report.failed)
    assert "Captured wsgi call" not in dict(report.sections)


@pytest.mark.parametrize("outcome", ["pytest.skip('why')", "pytest.xfail('why')"])
def test_a_test_that_is_skipped_stays_so(alone, run, outcome):
    alone(
        {
            "tests/test_page.py": "import pytest\ndef test_page(wsgi_client):\n"
            f"    wsgi_client.get('/')\n    {outcome}\n"
        }
    )
    found = run(*MAIN, "-m", "not wsgi")
    assert (found.status, found.having("skipped")) == (0, ["tests/test_page.py::test_page"])


def test_client_without_the_option(alone, run):
    alone(
        {
            "conftest.py": OVERRIDE.format(module="bad", scope="session"),
            "tests/test_page.py": CLIENT_TEST,
        }
    )
    found = run()
    (name,) = found.having("failed")
    assert "expected a str, got b'200 OK'" in found.texts[name]
    assert "WSGI conformance: " not in found.out
    assert run(*found.reruns[0]).having("failed") == [name]


def test_strictness_without_the_option(alone, run):
    alone(
        {
            "conftest.py": OVERRIDE.format(module="wsgi", scope="session"),
            "mysite/wsgi.py": GOOD.replace('"text/plain")', '"text/plain"), ("ETag", "bare")'),
            "tests/test_page.py": CLIENT_TEST,
        }
    )
    assert run().status == 0
    assert run("--wsgi-strict").status == 1


def test_another_application_does_not_count_as_the_targets(alone, run):
    alone(
        {
            "tests/test_toy.py": f"import pytest\n{BROKEN}\n"
            "@pytest.fixture\ndef wsgi_app(): return application\n"
            "def test_toy(wsgi_client): wsgi_client.get('/')\n"
        }
    )
    found = run(*MAIN, "--wsgi-report", "all.json")
    assert found.having("failed") == ["tests/test_toy.py::test_toy"]
    report = read_report("all.json")
    assert report.broken("must") == ()
    assert found.summary[0].startswith("mysite.wsgi.application keeps PEP 3333")


def test_exchanges_before_the_targets_own_items(alone, run):
    alone(
        {
            "conftest.py": OVERRIDE.format(module="wsgi", scope="session"),
            "tests/test_page.py": CLIENT_TEST,
        }
    )
    found = run("--wsgi-app", "fixture", "--wsgi-report", "all.json")
    assert found.status == 0
    report = read_report("all.json")
    assert len(report.rules) == ALL


def test_responses_that_are_not_read_or_closed(alone, run):
    alone(
        {
            "mysite/wsgi.py": "def application(environ, start_response):\n"
            "    start_response('200 OK', [('Content-Type', 'text/plain'), "
            "('Content-Length', '6')])\n"
            "    yield b'abc'\n    yield b'def'\n",
            "tests/test_half.py": "from webob import Request\n"
            "def start(status, headers, exc_info=None): return print\n"
            "def ask(client): return client.app(Request.blank('/').environ, start)\n"
            "def test_unread(wsgi_client): ask(wsgi_client)\n"
            "def test_half(wsgi_client): assert next(iter(ask(wsgi_client))) == b'abc'\n"
            "def test_closed(wsgi_client):\n"
            "    body = iter(ask(wsgi_client))\n    next(body)\n    body.close()\n"
            "def test_unclosed(wsgi_client): assert len(list(ask(wsgi_client))) == 2\n"
            "def test_webob(wsgi_client):\n"
            "    assert Request.blank('/').get_response(wsgi_client.app).body == b'abcdef'\n",
        }
    )
    found = run(*MAIN, "--wsgi-strict", "-m", "not wsgi", "-W", "error")
    assert found.status == 0, found.out
    assert len(found.having("passed")) == 5


def test_requests_of_fixtures_count_too(alone, run):
    alone(
        {
            "mysite/wsgi.py": GOOD.replace('"text/plain")', '"text/plain"), ("X-A\\n", "b")'),
            "tests/test_page.py": "import pytest\n@pytest.fixture\n"
            "def user(wsgi_client): wsgi_client.get('/login')\n"
            "def test_page(user): pass\n",
        }
    )
    found = run(*MAIN, "-m", "not wsgi")
    assert "GET /login in tests/test_page.py::test_page" in found.out


def test_attributes_of_the_application(alone, run):
    alone(
        {
            "mysite/wsgi.py": f"{GOOD}\napplication.settings = 'mine'\n",
            "tests/test_page.py": "def test_page(wsgi_client):\n"
            "    assert wsgi_client.app.settings == 'mine'\n"
            "    assert not hasattr(wsgi_client.app, 'nothing')\n",
        }
    )
    assert run(*MAIN, "-m", "not wsgi").status == 0


def test_every_response_is_closed_once(alone, run):
    alone(
        {
            "mysite/wsgi.py": "class Body(list):\n"
            "    closed = 0\n    def close(self): Body.closed += 1\n"
            "def application(environ, start_response):\n"
            "    start_response('200 OK', [('Content-Type', 'text/plain')])\n"
            "    return Body([b'hello'])\n",
            "tests/test_page.py": "from mysite.wsgi import Body\ndef test_page(wsgi_client):\n"
            "    assert wsgi_client.get('/').text == 'hello'\n    assert Body.closed == 1\n",
            "pytest.ini": "[pytest]\npythonpath = .\n",
        }
    )
    assert run(*MAIN, "-m", "not wsgi").status == 0


def test_host_of_the_client(alone, run):
    alone(
        {
            "tests/test_host.py": "def test_host(wsgi_client):\n"
            "    assert wsgi_client.get('/').request.host == 'example.com'\n"
        }
    )
    assert run(*MAIN, "--wsgi-host", "example.com", "-m", "not wsgi").status == 0


def test_client_without_webtest(alone, run):
    alone(
        {
            "conftest.py": "import sys\nsys.modules['webtest'] = None\n",
            "tests/test_page.py": CLIENT_TEST,
        }
    )
    found = run(*MAIN, "-m", "not wsgi")
    text = found.texts["tests/test_page.py::test_page"]
    assert "The fixture wsgi_client needs WebTest" in text
    assert "pip install 'pytest-wsgi[webtest]'" in text
    assert "plugin.py" not in text


def test_client_of_no_application(alone, run):
    alone(
        {
            "conftest.py": "import pytest\n@pytest.fixture\ndef wsgi_app(): return 5\n",
            "tests/test_page.py": CLIENT_TEST,
        }
    )
    text = run().texts["tests/test_page.py::test_page"]
    assert "cannot be called: an object of type int" in text


def test_autouse_fixtures_and_hooks_apply_to_our_items(run, add):
    add(
        {
            "conftest.py": "import pytest\nseen = []\n"
            "@pytest.fixture(autouse=True)\ndef see(request): seen.append(request.node.name)\n"
            "def pytest_runtest_setup(item): seen.append(item.name)\n"
            "def pytest_terminal_summary(terminalreporter):\n"
            "    terminalreporter.write_line(f'seen {seen.count(\"application-loads\")}')\n"
        }
    )
    assert "seen 2" in run(*MAIN).out


WRAPPING = """
import pytest

@pytest.fixture(scope="session")
def wsgi_app(wsgi_app):
    def wrapped(environ, start_response):
        start = lambda status, headers: start_response(status.encode(), headers)
        return wsgi_app(environ, start)
    return wrapped
"""


def test_fixture_that_wraps_the_application(alone, run):
    alone({"conftest.py": WRAPPING, "tests/test_page.py": CLIENT_TEST})
    found = run(*MAIN)
    assert f"mysite/wsgi.py::application::{BROKEN_RULE}" in found.having("failed")
    assert "tests/test_page.py::test_page" in found.having("failed")
    alone({"mysite/wsgi.py": "1 / 0\n"})
    found = run(*MAIN, "-m", "wsgi")
    assert found.having("failed") == ["mysite/wsgi.py::application::application-loads"]
    assert "ZeroDivisionError" in found.out


FLASK = """
from flask import Flask, request
application = Flask(__name__)

@application.post("/form")
def take_form(): return request.form["name"]

@application.post("/json")
def take_json(): return request.get_json()

@application.post("/file")
def take_file(): return request.files["picture"].read()
"""

FLASK_TEST = """
def test_form(wsgi_client):
    response = wsgi_client.post("/form", {"name": "Eva"})
    assert response.text == "Eva"
    assert response.request.body == b"name=Eva"

def test_json(wsgi_client):
    assert wsgi_client.post_json("/json", {"a": 1}).json == {"a": 1}

def test_file(wsgi_client):
    files = [("picture", "a.png", b"x" * 1000)]
    assert wsgi_client.post("/file", upload_files=files).body == b"x" * 1000

def test_twice(wsgi_client):
    request = wsgi_client.post("/form", {"name": "Eva"}).request
    assert wsgi_client.request(request).text == "Eva"
"""


def test_posts_to_flask(alone, run):
    pytest.importorskip("flask")
    alone({"mysite/wsgi.py": FLASK, "tests/test_posts.py": FLASK_TEST})
    found = run(*MAIN, "--wsgi-strict", "-m", "not wsgi")
    assert found.status == 0, found.out
    assert len(found.having("passed")) == 4


def test_posts_to_webob(alone, run):
    alone(
        {
            "mysite/wsgi.py": "from webob import Request, Response\n"
            "def application(environ, start_response):\n"
            "    answer = Response(text=Request(environ).POST['name'])\n"
            "    environ['mine'] = 'seen'\n"
            "    return answer(environ, start_response)\n",
            "tests/test_posts.py": "def test_form(wsgi_client):\n"
            "    response = wsgi_client.post('/', {'name': 'Eva'})\n"
            "    assert response.text == 'Eva'\n"
            "    assert response.request.environ['mine'] == 'seen'\n"
            "    assert response.request.POST['name'] == 'Eva'\n",
        }
    )
    found = run(*MAIN, "-m", "not wsgi")
    assert found.status == 0, found.out


def test_request_without_input(alone, run):
    alone(
        {
            "mysite/wsgi.py": "def application(environ, start_response):\n"
            "    start_response('200 OK', [('Content-Type', 'text/plain')])\n"
            "    return [str('wsgi.input' in environ).encode()]\n",
            "tests/test_page.py": "from webob import Request\n"
            "def test_page(wsgi_client):\n"
            "    request = Request.blank('/')\n"
            "    del request.environ['wsgi.input']\n"
            "    assert request.get_response(wsgi_client.app).body == b'False'\n",
        }
    )
    assert "b'False'" not in run(*MAIN, "-m", "not wsgi").out


STARTED = "    start_response('200 OK', [('Content-Type', 'text/plain')])\n"

STUBBORN = {
    "hang": ("    while True: pass\n", "the application did not answer GET /page within 0.2 s"),
    "interrupt": (
        "    raise KeyboardInterrupt\n",
        "the application raised KeyboardInterrupt at GET /page",
    ),
    "hang in the body": (
        f"{STARTED}    yield b'hello'\n    while True: pass\n",
        "the application did not end its answer to GET /page within 0.2 s",
    ),
    "blocks for ever": (
        f"{STARTED}    while True:\n        yield b'hello'\n        time.sleep(0.01)\n",
        "the application did not end its answer to GET /page within 0.2 s",
    ),
    "hang in close": (
        f"{STARTED}    return Body()\n",
        "the application did not end close() after GET /page within 0.2 s",
    ),
}

STUBBORN_HEAD = """
import os, time

class Body:
    def __iter__(self): return iter([b"hello"])
    def close(self):
        while True: pass

def application(environ, start_response):
"""

LATER_TEST = "def test_later(): pass\n"


def stubborn_project(body):
    """Return the files of a project whose application does what `body` says."""
    return {
        "mysite/wsgi.py": f"{STUBBORN_HEAD}{body}",
        "conftest.py": OVERRIDE.format(module="wsgi", scope="session"),
        "tests/test_page.py": f"{CLIENT_TEST}{LATER_TEST}",
        "pytest.ini": "[pytest]\npythonpath = .\nwsgi_timeout = 0.2\n",
    }


@pytest.mark.parametrize("name", STUBBORN)
@pytest.mark.parametrize("spec", ["", "fixture"])
def test_stubborn_applications_fail_their_test(alone, run, name, spec):
    body, said = STUBBORN[name]
    alone(stubborn_project(body))
    more = ("--wsgi-app", spec, "--wsgi-report", "all.json") if spec else ()
    found = run(*more, "-m", "not wsgi")
    assert found.having("failed") == ["tests/test_page.py::test_page"]
    assert found.having("passed") == ["tests/test_page.py::test_later"]
    assert f"ApplicationStoppedError: {said}" in found.out
    assert "client.py:" not in found.out
    if spec:
        assert read_report("all.json").rules


def test_an_exit_of_the_application_fails_its_test(alone, run_apart):
    alone(stubborn_project("    os._exit(3)\n"))
    result = run_apart("--wsgi-app", "fixture", "-m", "not wsgi", "--wsgi-report", "all.json")
    assert result.ret == 1
    result.assert_outcomes(failed=1, passed=1, deselected=ALL)
    said = "ApplicationStoppedError: the application called os._exit(3) at GET /page"
    assert said in result.stdout.str()
    broken = {rule.id for rule in read_report("all.json").broken("must")}
    assert "application-does-not-end-the-process" in broken


def test_a_body_that_is_too_large(alone, run):
    alone(
        {
            "mysite/wsgi.py": f"def application(environ, start_response):\n{STARTED}"
            "    block = b'x' * 2 ** 20\n    while True: yield block\n",
            "tests/test_page.py": CLIENT_TEST,
        }
    )
    found = run(*MAIN, "-m", "not wsgi")
    (name,) = found.having("failed")
    said = "did not end its answer to GET /page after 65 blocks and 68157440 bytes"
    assert said in found.texts[name]


def test_the_users_interrupt_ends_the_run(alone, run_apart):
    alone(
        {
            "mysite/wsgi.py": "import os, subprocess, sys\n"
            "def application(environ, start_response):\n"
            "    kill = f'import os, signal; os.kill({os.getpid()}, signal.SIGINT)'\n"
            "    subprocess.run([sys.executable, '-c', kill])\n"
            "    while True: pass\n",
            "tests/test_page.py": f"{CLIENT_TEST}{LATER_TEST}",
        }
    )
    result = run_apart(*MAIN, "-m", "not wsgi")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.assert_outcomes(deselected=ALL)


def test_timeout_that_cannot_be_read(alone, run):
    alone(
        {
            "conftest.py": OVERRIDE.format(module="wsgi", scope="session"),
            "tests/test_page.py": CLIENT_TEST,
            "pytest.ini": "[pytest]\npythonpath = .\nwsgi_timeout = soon\n",
        }
    )
    text = run().texts["tests/test_page.py::test_page"]
    assert "--wsgi-timeout takes a number of seconds above 0, but was given 'soon'" in text
