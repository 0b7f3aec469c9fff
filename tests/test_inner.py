"""The scripted applications are correct: what only hands them on breaks no rule."""

from __future__ import annotations

import pytest

from pytest_wsgi.proof import judge_middleware
from pytest_wsgi.rules import load_rules
from pytest_wsgi.scripts import SCRIPTS

load_rules()


class HandOn:
    def __init__(self, app):
        self.app = app

    def __call__(self, environ, start_response):
        return self.app(environ, start_response)


@pytest.mark.parametrize("middleware", [HandOn, lambda app: app], ids=["hand on", "nothing"])
def test_what_only_hands_on_is_not_accused(middleware):
    verdicts = judge_middleware(middleware)
    accused = {
        name: (verdict.reason, verdict.findings)
        for name, verdict in verdicts.items()
        if verdict.outcome in {"broken", "harness error"}
    }
    assert accused == {}


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
def test_script_says_what_the_application_does(script):
    assert script.text
    assert script.text[0].islower()
    assert not script.text.endswith(".")


@pytest.mark.parametrize("name", ["wrapped_file", "wrapped_file_from_the_middle"])
def test_file_is_sent_without_a_wrapper_too(name):
    environ = {"REQUEST_METHOD": "GET"}
    headers = []
    result = SCRIPTS[name].run(environ, lambda status, fields: headers.extend(fields))
    assert len(b"".join(result)) == int(dict(headers)["Content-Length"])


def test_page_refuses_a_method_that_it_does_not_know():
    statuses = []
    environ = {"REQUEST_METHOD": "XPROBE"}
    SCRIPTS["page"].run(environ, lambda status, headers: statuses.append(status))
    assert statuses == ["405 Method Not Allowed"]
