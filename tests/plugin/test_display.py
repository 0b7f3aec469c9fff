"""What a user sees: header, failures, the command that runs one again, the summary."""

from __future__ import annotations

import re

import pytest

from runs import ALL, BAD, BROKEN, BROKEN_ID, BROKEN_RULE, GOOD, MAIN

FAILURE = """
MUST  The status is a str.                                           PEP 3333, *
  GET /      2  start_response(b'200 OK', *'Content-Type', 'text/plain'*)      expected a str, got b'200 OK'
  and * more: HEAD /, OPTIONS /, *
Why   *
Where mysite/bad.py:3
Rerun pytest --wsgi-app mysite.bad.application mysite/bad.py::application::status-is-native-string
"""  # noqa: E501 # as it is shown


def test_a_failure(run):
    found = run(*BAD, BROKEN_ID)
    found.result.stdout.fnmatch_lines(FAILURE.strip().splitlines())
    assert "collection.py" not in found.out
    assert "Failed: MUST" in found.out


def test_the_application_s_own_traceback_is_shown(run, add):
    add({"mysite/wsgi.py": f"{GOOD}\n" + GOOD.replace("    body", "    1 / 0\n    body")})
    found = run(*MAIN)
    assert "ZeroDivisionError: division by zero" in found.out
    assert 'mysite/wsgi.py", line ' in found.out


@pytest.mark.parametrize(
    ("place", "options"),
    [
        (".", ("--wsgi-app", "mysite.bad.application")),
        ("tests", ("--wsgi-app", "my-api=mysite.bad.application")),
        (".", ("--wsgi-app", "mysite.bad:make('a b', \"it's\", flag=True)")),
        (".", ("--wsgi-app", "mysite/bad.py:nested.application")),
        (
            "tests",
            ("--wsgi-app", "mysite.wsgi.application", "--wsgi-app", "mysite.bad.application"),
        ),
        (
            "tests",
            (
                *("--wsgi-app", "mysite.bad.application", "--wsgi-env", "NAME=a b$c"),
                *("--wsgi-path", "/über/[1]", "--wsgi-host", "example.com"),
                *("--wsgi-timeout", "7", "--wsgi-unsafe", "--wsgi-strict"),
            ),
        ),
    ],
    ids=str,
)
def test_the_command_to_run_one_again(project, run, add, monkeypatch, place, options):
    monkeypatch.setenv("NAME", "old")
    add(
        {
            "mysite/bad.py": f"{BROKEN}\n"
            "def make(*args, **kwargs): return application\n"
            "class nested: application = staticmethod(application)\n"
        }
    )
    monkeypatch.chdir(project / place)
    found = run(*options)
    (name,) = [name for name in found.having("failed") if name.endswith(BROKEN_RULE)]
    (command,) = [words for words in found.reruns if words[-1].endswith(BROKEN_RULE)]
    again = run(*command)
    assert again.having("failed") == list(again.outcomes) == [name]
    for word in options:
        assert word in command


def test_secrets_are_left_to_the_shell(run, monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "old")
    monkeypatch.setenv("DATABASE_URL", "old")
    secrets = (
        "--wsgi-env",
        "SECRET_KEY=hunter2",
        "--wsgi-env",
        "DATABASE_URL=db://me:hunter2@host",
    )
    found = run(*BAD, *secrets)
    assert "hunter2" not in found.out
    assert (
        '--wsgi-env SECRET_KEY="$SECRET_KEY" --wsgi-env DATABASE_URL="$DATABASE_URL"' in found.out
    )


def test_header(run):
    assert "wsgi: mysite.wsgi.application (from --wsgi-app)" in run(*MAIN).out.splitlines()


@pytest.mark.parametrize(
    ("module", "more"),
    [
        ("wsgi", ()),
        ("wsgi", ("-v",)),
        ("bad", ("-q",)),
        ("bad", ("--wsgi-unsafe",)),
        ("none", ()),
    ],
    ids=str,
)
def test_the_summary_is_short(run, module, more):
    found = run("--wsgi-app", f"mysite.{module}.application", *more)
    assert 4 < len(found.summary) <= 20
    assert found.summary[0]


def test_the_summary_tells_the_verdict(run):
    found = run(*MAIN)
    assert re.match(
        r"mysite.wsgi.application keeps PEP 3333 as far as it was exercised: "
        r"\d+ of \d+ MUSTs held, none broken, \d+ not exercised\.",
        found.summary[0],
    )
    text = "\n".join(found.summary)
    assert re.search(r"MUST +\d+ held +0 broken +\d+ not exercised", text)
    assert re.search(r"subject +function, mysite/wsgi.py:2", text)
    assert "needs a request with a body: --wsgi-unsafe: " in text
    assert "nothing that the application did called for it: " in text
    assert re.search(
        r"bad.application breaks \d of \d+ MUSTs, \d+ not exercised\.", run(*BAD).summary[0]
    )


def test_colours_are_those_of_pytest(run):
    assert "\x1b[31mmysite.bad.application breaks" in run(*BAD, "--color=yes").out
    assert "\x1b[32mmysite.wsgi.application keeps" in run(*MAIN, "--color=yes").out
    assert "\x1b[" not in run(*BAD, "--color=no").out


def test_skips_give_their_reasons(run):
    found = run(*MAIN, "-rs")
    assert "not exercised: needs a request with a body: --wsgi-unsafe" in found.out
    assert f"{ALL}" in found.out or found.status == 0
