"""What the exit status says: pytest's own, and 1 where conformance was asked for and not proven."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from pytest_wsgi.canary import CANARY_RULE
from pytest_wsgi.catalogue import CATALOGUE
from runs import BAD, BROKEN_RULE, GOOD, MAIN, OWN_IDS

NEVER = "redirects-have-a-location"

ADVISED = """
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("ETag", "unquoted")])
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [b"hello"]
"""
"""Breaks a SHOULD and no MUST."""

REFUSING = """
def application(environ, start_response):
    start_response({status!r}, [("Content-Type", "text/plain"), *{headers!r}])
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [b"no"]
"""


@pytest.mark.parametrize(
    ("more", "status"),
    [
        (MAIN, 0),
        (BAD, 1),
        ((*MAIN, "-k", NEVER), 1),
        ((*MAIN, "-k", f"{NEVER} or test_one"), 1),
        ((*MAIN, "-k", "test_one"), 0),
        ((*MAIN, "-m", "not wsgi"), 0),
        ((*MAIN, "-k", "nothing-of-this-name"), 5),
        ((*MAIN, "-m", "must"), 0),
        ((*BAD, "-m", "should"), 0),
        ((*BAD, "--maxfail", "1"), 1),
        ((*BAD, "--sw"), 2),
        ((*MAIN, "--setup-plan"), 1),
    ],
    ids=str,
)
def test_exit_status(run, more, status):
    assert run(*more).status == status


def test_nothing_exercised_says_so(run):
    found = run(*MAIN, "-k", NEVER)
    assert found.having("skipped") == list(found.outcomes)
    assert found.summary[0] == "Nothing was proven: no rule was exercised."


def test_last_failed_of_the_users_own_only(run, add):
    add({"tests/test_a.py": "def test_one(): assert 0\n"})
    assert run(*MAIN).status == 1
    add({"tests/test_a.py": "def test_one(): pass\n"})
    found = run(*MAIN, "--lf")
    assert (found.status, list(found.outcomes)) == (0, OWN_IDS[:1])


def test_a_failing_test_of_the_users_own(run, add):
    add({"tests/test_a.py": "def test_one(): assert 0\n"})
    found = run(*MAIN)
    assert found.status == 1
    assert found.having("failed") == OWN_IDS[:1]


def test_a_broken_should_is_advised(run, add):
    add({"mysite/wsgi.py": ADVISED})
    found = run(*MAIN)
    assert found.status == 0
    assert " advised in " in found.out
    assert "etag-is-quoted ADVISED" in run(*MAIN, "-v").out


def test_a_broken_should_fails_a_strict_run(run, add):
    add({"mysite/wsgi.py": ADVISED})
    found = run(*MAIN, "--wsgi-strict")
    assert found.status == 1
    assert [name.rpartition("::")[2] for name in found.having("failed")] == ["etag-is-quoted"]
    assert all("--wsgi-strict" in command for command in found.reruns)


def test_all_items_skipped_by_the_users_fixture(run, add):
    add(
        {
            "conftest.py": "import pytest\n"
            "@pytest.fixture(autouse=True)\n"
            "def skipping(request):\n"
            "    if 'wsgi' in request.keywords: pytest.skip('not here')\n"
        }
    )
    found = run(*MAIN)
    assert found.status == 1
    assert sorted(found.having("passed")) == OWN_IDS
    assert found.summary[0] == "Nothing was proven: no rule was exercised."


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        ("400 Bad Request", []),
        ("302 Found", [("Location", "https://sso.example/")]),
        ("500 Oops", []),
    ],
    ids=str,
)
def test_refusals_prove_nothing(project, run, add, status, headers):
    add({"mysite/wsgi.py": REFUSING.format(status=status, headers=headers)})
    found = run(*MAIN)
    assert found.status == 1
    assert "mysite/wsgi.py::application::requests-are-served" in found.having("failed")
    assert f"(answers: {status[:3]})" in found.out
    found = run(*MAIN, "-k", BROKEN_RULE, "--wsgi-report", "all.json")
    assert found.status == 1
    assert found.having("failed") == []
    assert found.summary[0] == "Nothing was proven: no request was answered with a page."
    report = json.loads((project / "all.json").read_text())
    assert report["unproven"] == "no request was answered with a page"


def test_error_pages_are_worth_a_note(run, add):
    add({"mysite/wsgi.py": REFUSING.format(status="404 Not Found", headers=[])})
    found = run(*MAIN)
    assert found.status == 0
    assert "no request succeeded (answers: 404); --wsgi-path PATH asks for more pages" in found.out


def test_host_that_is_asked_for(run, add):
    add(
        {
            "mysite/wsgi.py": f"{GOOD}\ngood = application\n"
            f"{REFUSING.format(status='400 Bad Request', headers=[])}\nbad = application\n"
            "def application(environ, start_response):\n"
            "    host = environ.get('HTTP_HOST', environ['SERVER_NAME'])\n"
            "    known = host.startswith('example.com')\n"
            "    return (good if known else bad)(environ, start_response)\n"
        }
    )
    assert run(*MAIN).status == 1
    found = run(*MAIN, "--wsgi-host", "example.com")
    assert found.status == 0
    assert "example.com, asked at http://example.com/" in found.out


@pytest.mark.parametrize("wrong", ["raise ValueError('in a rule')", "yield 5"])
def test_an_error_of_ours_is_no_verdict(run, monkeypatch, wrong):
    space = {}
    exec(f"def check(subject):\n  {wrong}\n  yield", space)  # a rule in our own test
    rule = replace(CATALOGUE["headers-are-a-list"], check=space["check"])
    monkeypatch.setitem(CATALOGUE, "headers-are-a-list", rule)
    found = run(*MAIN)
    assert found.status == 1
    (name,) = found.having("failed")
    assert name.endswith("headers-are-a-list")
    assert "harness error" in found.texts[name]
    assert "Harness errors: 1" in found.summary[0]


def test_a_blind_engine_is_noticed(run, monkeypatch):
    blind = replace(CATALOGUE[CANARY_RULE], check=lambda _exchange: iter(()))
    monkeypatch.setitem(CATALOGUE, CANARY_RULE, blind)
    found = run(*MAIN, "--wsgi-path", "/about")
    assert found.status == 1
    assert len(found.having("failed")) == len(found.rules)
    assert "was not flagged" in found.out


def test_no_target_but_expected(run):
    for more in (("-m", "wsgi"), ("--wsgi-only",), ("-m", "(wsgi) and must")):
        found = run(*more)
        assert found.status == 5
        hints = "wsgi: no application was named. Try: pytest --wsgi-app mysite.wsgi.application"
        assert hints in found.out
    found = run("--wsgi-report", "all.json")
    assert found.status == 0
    assert "no application was named" in found.out


@pytest.mark.parametrize("more", [(), ("-m", "not wsgi"), ("-k", "nothing")], ids=str)
def test_no_target_and_none_expected(run, more):
    assert "no application was named" not in run(*more).out
