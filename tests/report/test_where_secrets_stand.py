"""Where secrets are looked for: in what holds itself, in the standard library's kinds of dict."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from types import MappingProxyType

import pytest

from pytest_wsgi.report.redaction import MARK, find_secrets, make_redactor

SECRET = "canary-1234"  # noqa: S105 # it is none
DEPTH = 5000


class Failing(dict):
    """A mapping of the target's behind a proxy."""

    def items(self):
        raise AssertionError


def test_what_holds_itself_is_looked_into():
    config = {"SECRET_KEY": SECRET, "many": []}
    config["me"] = config["many"] = [config, config]
    assert set(find_secrets(config)) == {SECRET}


def test_what_is_nested_deeply_is_looked_into():
    config = [{"SECRET_KEY": SECRET}]
    for _ in range(DEPTH):
        config = [config]
    assert list(find_secrets({"A": config})) == [SECRET]


@pytest.mark.parametrize(
    "config",
    [
        OrderedDict(PASSWORD=SECRET),
        defaultdict(str, PASSWORD=SECRET),
        MappingProxyType({"PASSWORD": SECRET}),
    ],
)
def test_kinds_of_dict(config):
    assert list(find_secrets({"DATABASE": config})) == [SECRET]


def test_kinds_of_text():
    kinds = {
        "A_TOKEN": type("Text", (str,), {})(SECRET),
        "B_TOKEN": type("B", (bytes,), {})(b"binary"),
    }
    assert list(find_secrets(kinds)) == [SECRET, "binary"]


@pytest.mark.parametrize("told", ["p@ss/word", "p%40ss%2Fword"])
def test_a_password_of_an_address_with_and_without_escapes(told):
    redactor = make_redactor({"DATABASE_URL": "postgres://me:p%40ss%2Fword@host/x"})
    assert redactor.text(f"no {told}!") == f"no {MARK}!"


def test_a_secret_that_is_no_unicode():
    assert make_redactor({"TOKEN": "canary\udc80"}).text("a canary\udc80") == f"a {MARK}"


def test_a_mapping_that_fails_holds_nothing():
    proxy = MappingProxyType(Failing(PASSWORD=SECRET))
    assert list(find_secrets({"DATABASE": proxy})) == []


@pytest.mark.parametrize(
    "name",
    ["KEY_PREFIX", "JWT_TOKEN_LOCATION", "AUTH_HEADER_TYPES", "AUTH_TOKEN_CLASSES", "API_HOST"],
)
def test_names_of_what_only_tells_how_secrets_are_used(name):
    assert list(find_secrets({name: ["headers", "localhost"]})) == []


@pytest.mark.parametrize("home", ["/app", "/root"])
def test_a_home_that_names_nobody_is_part_of_paths(monkeypatch, home):
    monkeypatch.setenv("HOME", home)
    assert make_redactor().text(f"GET {home}/login") == f"GET {home}/login"


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("canary-12...", f"{MARK}..."),
        ("canacanary...", f"cana{MARK}..."),
        ("cana...", f"{MARK}..."),
        ("can...", "can..."),
        ("canary-13...", "canary-13..."),
    ],
)
def test_the_beginning_of_a_secret_before_a_cut(text, clean):
    assert make_redactor({"TOKEN": SECRET}).text(text) == clean


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("GET https://host/x?token=abcdef123&page=2", f"GET https://host/x?token={MARK}&page=2"),
        ("refused password=hunter2!!", f"refused password={MARK}"),
        ("connect(password=settings.PASSWORD)", "connect(password=settings.PASSWORD)"),
        ("token=get_token(), n", "token=get_token(), n"),
        ("Authorization: Token abc-def-1", f"Authorization: Token {MARK}"),
        ("bad Cookie: sid=abcd1234; b", f"bad Cookie: sid={MARK}; b"),
        ("Set-Cookie: sid=<redacted>", "Set-Cookie: sid=<redacted>"),
        ("a Cookie: of its own", "a Cookie: of its own"),
    ],
)
def test_credentials_that_nobody_knew(text, left):
    assert make_redactor({}).text(text) == left


def test_a_word_that_is_shown_anyway_is_no_secret():
    redactor = make_redactor({"DATABASE_URL": "postgres://mysite:mysite@db/mysite"})
    assert redactor.text("mysite.settings") == f"{MARK}.settings"
    assert redactor.spare("mysite.wsgi.application").text("mysite.settings") == "mysite.settings"
    key = make_redactor({"KEY": "mysite-1234"})
    assert key.spare("mysite-1234").text("mysite-1234") == MARK
