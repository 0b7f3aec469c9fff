from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostile_reports import FEW
from pytest_wsgi.report import to_json
from pytest_wsgi.report.redaction import MARK, SHORTEST, Redactor, find_secrets, make_redactor
from sample_reports import make_finding, make_mixed_report, make_report, make_rule, reports

SECRET = "canary-1234"  # noqa: S105 # it is none
CANARY = Redactor((SECRET,))


class Odd(dict):
    """A mapping of the target's, which must not be asked for anything."""

    def items(self):
        raise AssertionError


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
    ],
)
def test_names_of_what_is_no_secret(name):
    assert list(find_secrets({name: "/usr/bin:/usr/local"})) == []


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
        ({"TOKEN": Odd(a=SECRET)}, []),
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


def test_every_text_of_a_report_is_looked_at():
    finding = make_finding(
        message=f"a {SECRET}",
        observed=SECRET,
        also=(f"GET /?q={SECRET}",),
        traceback=f"x\nValueError: {SECRET}",
    )
    report = make_report(
        make_rule(findings=(finding,), reason=SECRET),
        environment={"packages": {SECRET: SECRET}},
        ignored={"a": SECRET},
        notes=(SECRET,),
    )
    clean = CANARY.record(report)
    assert SECRET not in to_json(clean)
    assert to_json(clean).count(MARK) == to_json(report).count(SECRET)
    assert clean.rules[0].findings[0].line == 12


def test_a_report_without_secrets_stays_as_it_is():
    assert CANARY.record(make_mixed_report()) == make_mixed_report()
    assert Redactor().record(make_mixed_report()) == make_mixed_report()


@FEW
@given(reports, st.text(min_size=SHORTEST, max_size=12).filter(lambda text: text not in MARK))
def test_no_secret_is_left(report, secret):
    redactor = make_redactor({"TOKEN": secret})
    clean = redactor.record(make_report(*report.rules, notes=(f"a{secret}b", *report.notes)))
    assert secret not in "\n".join(clean.notes)
