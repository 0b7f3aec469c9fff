from __future__ import annotations

import os
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostile_reports import FEW
from pytest_wsgi.exchange import Problem
from pytest_wsgi.report.fingerprints import name_finding
from pytest_wsgi.report.redaction import (
    IDENTITY,
    MARK,
    SHORTEST,
    Redactor,
    find_secrets,
    forget_marks,
    make_redactor,
)
from pytest_wsgi.report.values import Excerpt, FindingReport, Stimulus, Subject, TimelineEvent
from sample_reports import make_finding, make_mixed_report, reports

SECRET = "canary-1234"  # noqa: S105 # it is none
CANARY = Redactor((SECRET,))


class Odd(dict):
    """A mapping of the target's, which must not be asked for anything."""

    def items(self):
        raise AssertionError


class Key:
    """A key of the target's; to remember anything by it would call it."""

    hashed = False

    def __hash__(self):
        assert not self.hashed  # once for the dict
        self.hashed = True
        return 1


@pytest.mark.parametrize(
    "name",
    [
        "DATABASE_PASSWORD",
        "SECRET_KEY",
        "GITHUB_TOKEN",
        "API_KEY",
        "AWS_ACCESS_KEY_ID",
        "APIKEY",
        "SENTRY_DSN",
        "DB_PWD",
        "SSH_PRIVATE",
        "MAIL_PASS",
        "HTTP_COOKIE",
        "HTTP_AUTHORIZATION",
        "SECRET_KEY_FALLBACKS",
    ],
)
def test_names_of_secrets(name):
    assert list(find_secrets({name: SECRET})) == [SECRET]


@pytest.mark.parametrize(
    "name",
    [
        "PATH",
        "HOME",
        "DJANGO_SETTINGS_MODULE",
        "KEYBOARD",
        "COMPASS",
        "SSH_AUTH_SOCK",
        "SESSION_COOKIE_NAME",
        "CSRF_COOKIE_DOMAIN",
        "PASSWORD_HASHERS",
        "AUTH_USER_MODEL",
        "TOKEN_FILE",
        "XDG_SESSION_ID",
        "PWD",
        "DEBUG",
        "LANG",
        "APP_ENV",
    ],
)
def test_names_of_what_is_no_secret(name):
    assert list(find_secrets({name: "/usr/bin:/usr/local"})) == []
    assert list(find_secrets({name: "production"})) == []


@pytest.mark.parametrize(
    ("name", "value", "is_secret"),
    [
        ("PAYMENTS", "sk-live-0123456789", True),
        ("PAYMENTS", "sk-live-0123456789 and more", False),
        ("PAYMENTS", "/srv/sk-live-0123456789", False),
        ("PAYMENTS", "sk-live-0123", False),
        ("PAYMENTS", "01234567890123456789", False),
        ("PAYMENTS", "abcdefghijklmnop-xyz", False),
        ("PAYMENTS_FILE", "sk-live-0123456789", False),
        ("HOSTNAME", "sk-live-0123456789", False),
        ("TERM_SESSION_ID", "sk-live-0123456789", False),
        ("LC_ALL", "sk-live-0123456789", False),
    ],
)
def test_what_looks_like_a_key_is_one_below_any_other_name(name, value, is_secret):
    assert list(find_secrets({name: value})) == ([value] if is_secret else [])


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ({"DATABASE_URL": "postgres://me:pass-word@host/x"}, ["pass-word"]),
        ({"DATABASE_URL": "postgres://me@host/x"}, []),
        ({"DATABASES": {"default": {"NAME": "x", "PASSWORD": "db-password"}}}, ["db-password"]),
        ({"SECRET_KEY_FALLBACKS": ["first-one", ("second-one", b"third-one")]}, None),
        ({"TOKEN": "short"}, []),
        ({"AUTH_PASSWORD_VALIDATORS": [{"NAME": "django.contrib.auth.x"}]}, []),
        ({"CREDENTIALS": {"user": "somebody", "name": "somebody-else"}}, ["somebody"]),
        ({"TOKEN": 12345678, 3: SECRET, "SESSION_COOKIE_AGE": None}, []),
        ({"TOKEN": Odd(a=SECRET)}, [SECRET]),
        ({Odd.__name__: {Key(): SECRET}}, []),
        ({"TOKEN": {Key(): SECRET}}, [SECRET]),
        ({"URLS": ["redis://a:pw@host", "redis://a:long-one@host"]}, ["long-one"]),
        ({}, []),
    ],
)
def test_where_secrets_are_found(source, found):
    expected = ["first-one", "second-one", "third-one"] if found is None else found
    assert list(find_secrets(source)) == expected


def test_the_environment_of_the_process(monkeypatch):
    monkeypatch.setenv("CANARY_TOKEN", SECRET)
    assert SECRET in make_redactor(os.environ).secrets


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        (f"cannot log in with {SECRET}!", f"cannot log in with {MARK}!"),
        (f"{SECRET}{SECRET}", MARK * 2),
        ("got canary-12...", f"got {MARK}..."),
        ("got cana...", f"got {MARK}..."),
        ("first canary-...\nlast", f"first {MARK}...\nlast"),
        ("got can...", "got can..."),
        ("canary-12", "canary-12"),
        ("... and canary", "... and canary"),
        ("'canary-12'... and 'cana...' ...", f"'{MARK}'... and '{MARK}...' ..."),
        ("cannot read /srv/x", "cannot read /srv/x"),
        ("nothing...", "nothing..."),
        ("see redis://:hunter2@host/1", f"see redis://{MARK}@host/1"),
        ("see https://me:pw@host, postgres://a@b", f"see https://{MARK}@host, postgres://a@b"),
        ("Authorization: Bearer abc.def-123", f"Authorization: Bearer {MARK}"),
        ("basic dXNlcjpwYXNz==", f"basic {MARK}"),
        ("Bearer of news", "Bearer of news"),
        ('API_TOKEN = "abc"', f'API_TOKEN = "{MARK}"'),
        ("connect(password='abc', user='me')", f"connect(password=\"{MARK}\", user='me')"),
        ('settings["SECRET_KEY"] = b"abc"', f'settings["SECRET_KEY"] = "{MARK}"'),
        ("{'token': 'abc'}", f"{{'token': \"{MARK}\"}}"),
        ("TOKEN = read()", "TOKEN = read()"),
        ('TOKEN = ""', 'TOKEN = ""'),
        ('--wsgi-env TOKEN="$TOKEN"', '--wsgi-env TOKEN="$TOKEN"'),
        ("--wsgi-env 'A_TOKEN'='...'", "--wsgi-env 'A_TOKEN'='...'"),
    ],
)
def test_texts_without_secrets(text, clean):
    assert CANARY.text(text) == clean
    assert CANARY.text(clean) == clean


def test_the_longest_secret_goes_first():
    redactor = make_redactor({"A_TOKEN": "secret-1", "B_TOKEN": "secret-1-longer"})
    assert redactor.text("secret-1-longer secret-1") == f"{MARK} {MARK}"


@pytest.mark.parametrize(
    "secret", ["line\nbreak", 'it\'s "quoted"', "back\\slash", "caf\xe9 \ud800"]
)
def test_secrets_are_found_as_python_writes_them(secret):
    redactor = make_redactor({"TOKEN": secret})
    escaped = secret.encode("unicode_escape").decode()
    for text in (secret, repr(secret), repr(f"({secret})"), escaped):
        clean = redactor.text(text)
        assert MARK in clean
        assert secret[:4] not in clean


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("as postgres, or 'postgres'", f"as {MARK}, or '{MARK}'"),
        ("postgresql", "postgresql"),
        ("thepostgres_x", "thepostgres_x"),
        ("postgres...", f"{MARK}..."),
    ],
)
def test_a_plain_word_is_only_a_secret_where_it_stands_as_a_word(text, clean):
    assert make_redactor({"DB_PASSWORD": "postgres"}).text(text) == clean


def test_what_is_too_short_stays():
    assert make_redactor({"TOKEN": "s3cr3"}).text("s3cr3") == "s3cr3"


def test_every_text_of_a_finding_is_looked_at():
    finding = make_finding(
        message=f"a {SECRET}",
        request=f"GET /?q={SECRET}",
        observed=SECRET,
        also=(f"GET /?q={SECRET}",),
        event=f"2  start_response({SECRET})",
        traceback=f"x\nValueError: {SECRET}",
        excerpt=Excerpt(first=1, lines=(SECRET,)),
        timeline=(TimelineEvent(number=1, source="server", target="application", text=SECRET),),
        stimulus=Stimulus(environ={"PATH_INFO": SECRET}, withheld=(SECRET,)),
    )
    clean = CANARY.record(finding)
    assert SECRET not in repr(clean)
    assert repr(clean).count(MARK) == repr(finding).count(SECRET)
    assert clean.line == finding.line


def test_every_fact_of_a_subject_is_looked_at():
    subject = Subject(
        kind="application",
        spec="x",
        facts={"database": SECRET},
        problem=Problem("import-failed", SECRET),
    )
    assert CANARY.record(subject) == replace(
        subject, facts={"database": MARK}, problem=Problem("import-failed", MARK)
    )


def test_what_a_finding_is_found_again_by_stays():
    names = {each.name for kind in (FindingReport, Subject) for each in fields(kind)} & IDENTITY
    assert names == {
        *("expected", "observed_type", "file", "line", "probe", "layer", "lanes"),
        *("kind", "spec", "label", "origin", "object"),
    }
    finding = make_finding(expected=SECRET, file=SECRET, probe=SECRET, observed_type=SECRET)
    assert repr(CANARY.record(finding)).count(SECRET) == 4


def test_marks_are_the_same_to_a_fingerprint():
    first, second = (
        make_finding(observed=f"({value})", observed_type="str", message=f"got {value!r}")
        for value in ("<redacted: length 3, \\n at 2>", MARK)
    )
    subject = Subject(kind="application", spec="x")
    assert name_finding("a", subject, first) == name_finding("a", subject, second)
    assert forget_marks(first.observed) == second.observed


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ('File "/home/me/site/a/b.py", line 3', 'File "a/b.py", line 3'),
        ('File "/home/me/site/.v/lib/site-packages/a/b.py"', 'File "site-packages/a/b.py"'),
        ('File "/usr/lib/python3/dist-packages/a.py"', 'File "dist-packages/a.py"'),
        ('File "/home/me/other/a.py", line 3', 'File "~/other/a.py", line 3'),
        ('File "/usr/lib/python3/json.py", line 3', 'File "/usr/lib/python3/json.py", line 3'),
        ("cd /home/me/site && cd '/home/me'", "cd ~/site && cd '~'"),
        ("/home/meg /srv/home/me /home/me-too", "/home/meg /srv/home/me /home/me-too"),
    ],
)
def test_paths_are_shown_without_the_name_of_the_user(monkeypatch, text, clean):
    monkeypatch.setenv("HOME", "/home/me")
    redactor = make_redactor(root="/home/me/site")
    assert redactor.text(text) == clean
    assert redactor.text(clean) == clean


def test_a_home_that_is_everything_stays(monkeypatch):
    monkeypatch.setenv("HOME", "/")
    assert make_redactor().text("GET / and /srv") == "GET / and /srv"


def test_a_report_without_secrets_stays_as_it_is():
    assert CANARY.record(make_mixed_report()) == make_mixed_report()
    assert Redactor().record(make_mixed_report()) == make_mixed_report()


@FEW
@given(reports, st.text(min_size=SHORTEST, max_size=12).filter(lambda text: text not in MARK))
def test_no_secret_is_left(report, secret):
    redactor = make_redactor({"TOKEN": secret})
    assert secret not in redactor.text(f"a {secret} b")
    for rule in report.rules:
        for finding in rule.findings:
            clean = redactor.record(replace(finding, message=f"{finding.message} {secret}"))
            assert not clean.message.endswith(secret)
