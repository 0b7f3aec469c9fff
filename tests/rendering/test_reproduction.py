from __future__ import annotations

import ast
import shlex
import subprocess
import sys

import pytest
from hypothesis import given

from html_samples import evidence, make_stimulus
from pytest_wsgi.exchange import Problem
from pytest_wsgi.rendering.reproduction import (
    choose_silencers,
    describe_limits,
    import_subject,
    is_harmless,
    read_literal,
    write_curl,
    write_pytest,
    write_script,
)
from pytest_wsgi.report import Stimulus
from runs import write
from sample_reports import PATIENT, make_rule, make_subject, subjects

PROJECT = {
    "mysite/__init__.py": "",
    "mysite/wsgi.py": """
def application(environ, start_response):
    write = start_response("200 OK", [("Content-Type", "text/plain")])
    write(environ["PATH_INFO"].encode("latin-1"))
    return [environ["QUERY_STRING"].encode(), environ["wsgi.input"].read()]

class Site:
    page = staticmethod(application)

def make(text, number=0):
    return application

def wrap(inner):
    def wrapped(environ, start_response):
        print("wrapped")
        return inner(environ, start_response)
    return wrapped
""",
}


def run_script(directory, text):
    assert len(text.splitlines()) <= 12
    assert "pytest_wsgi" not in text
    write(directory, {**PROJECT, "again.py": text})
    return subprocess.run(
        [sys.executable, "again.py"], capture_output=True, text=True, check=False, cwd=directory
    )


@pytest.mark.parametrize(
    ("spec", "changes"),
    [
        ("mysite.wsgi.application", {}),
        ("mysite.wsgi", {"file": "mysite/wsgi.py"}),
        ("mysite.wsgi", {"file": "src/mysite/wsgi.py", "label": "mysite.Site"}),
        ("mysite.wsgi:application", {}),
        ("mysite.wsgi:Site.page", {}),
        ("mysite.wsgi:make('a', number=3)", {}),
        ("mysite/wsgi.py", {"label": "application"}),
        ("mysite/wsgi.py:application", {}),
    ],
)
def test_script_asks_the_same_again(tmp_path, spec, changes):
    environ = {"PATH_INFO": "'/a'", "QUERY_STRING": "'b=c'"}
    stimulus = make_stimulus(environ=environ, body_length=2)
    subject = make_subject(**{"file": None, "spec": spec, **changes})
    if changes.get("label") == "mysite.Site":
        assert "import Site as application" in write_script(stimulus, subject)
        return
    done = run_script(tmp_path, write_script(stimulus, subject))
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "start_response: ('200 OK', [('Content-Type', 'text/plain')])",
        "b'/a'",
        "block: b'b=c'",
        "block: b'xx'",
    ]


@pytest.mark.parametrize(
    ("reading", "blocks", "closes"),
    [("complete", 2, 1), ("first block", 1, 1), ("no block", 0, 1), ("closed twice", 2, 2)],
)
def test_script_reads_as_the_server_did(tmp_path, reading, blocks, closes):
    script = write_script(make_stimulus(reading=reading), make_subject())
    assert script.count("close") == closes
    assert run_script(tmp_path, script).stdout.count("block: ") == blocks


@pytest.mark.parametrize("reading", ["interleaved", "concurrent", "threads apart"])
def test_no_script_where_it_takes_more(reading):
    assert write_script(make_stimulus(reading=reading), make_subject()) == ""


def test_script_under_the_validator(tmp_path):
    script = write_script(make_stimulus(under_validator=True), make_subject())
    done = run_script(tmp_path, script)
    assert "validator(application)(environ, start_response)" in script
    assert "wsgiref" in done.stderr


def test_script_for_a_middleware_is_no_longer_than_others(tmp_path):
    subject = make_subject(kind="middleware", spec="mysite.wsgi:wrap", file=None)
    script = write_script(make_stimulus(), subject)
    assert run_script(tmp_path, script).stdout.splitlines() == [
        "wrapped",
        "start_response: ('200 OK', [('Content-Type', 'text/plain')])",
        "block: b'first'",
        "block: b''",
        "block: b'last'",
        "close() was called",
    ]
    made = make_subject(kind="middleware", spec="mysite.wsgi:make(1)", file=None)
    longest = write_script(make_stimulus(under_validator=True, body_length=1), made)
    assert len(longest.splitlines()) <= 12


@pytest.mark.parametrize(
    ("called", "line"),
    [
        ("mysite.wsgi:Around(application, x=1)", "application = Around(application, x=1)"),
        ("mysite.wsgi:Around(x=1)(application)", "application = Around(x=1)(application)"),
        ("mysite.wsgi:Other(application)", "application = Around(x=1)(application)"),
        ("mysite.wsgi:Around(evil)", "application = Around(x=1)(application)"),
        ("", "application = Around(x=1)(application)"),
    ],
)
def test_middleware_is_called_as_it_was(called, line):
    subject = make_subject(
        kind="middleware", spec="mysite.wsgi:Around(x=1)", facts={"called": called}
    )
    assert line in write_script(make_stimulus(), subject).splitlines()


def test_middleware_may_be_named_with_a_dot():
    subject = make_subject(kind="middleware", spec="mysite.wsgi.wrap")
    assert "from mysite.wsgi import wrap" in write_script(make_stimulus(), subject)


@pytest.mark.parametrize("name", ["application", "Blocks", "environ"])
def test_no_script_for_a_middleware_whose_name_is_used_in_it(name):
    subject = make_subject(kind="middleware", spec=f"mysite.wsgi:{name}")
    assert write_script(make_stimulus(), subject) == ""


@pytest.mark.parametrize(
    "changes",
    [
        {"spec": "django"},
        {"spec": "auto:x y"},
        {"spec": "file.ini#main"},
        {"spec": ""},
        {"spec": "a b"},
        {"spec": "a:b[0]"},
        {"spec": "a:b(open('x'))"},
        {"spec": "a:b\n"},
        {"spec": "a;import os"},
        {"spec": "a:"},
        {"origin": "the fixture wsgi_app"},
        {"problem": Problem("id", "message")},
        {"spec": "file.ini#main", "kind": "middleware"},
    ],
)
def test_no_script_where_the_spec_does_not_say_how(changes):
    subject = make_subject(**{"file": None, **changes})
    assert import_subject(subject) == []
    assert write_script(make_stimulus(), subject) == ""


@pytest.mark.parametrize(
    ("expression", "harmless"),
    [
        ("a", True),
        ("a.b('c', d=1).e", True),
        ("a(b)", False),
        ("a(*'b')", False),
        ("a(", False),
        ("'a'.join('b')", False),
        ("a\n.b", False),
        ("\xe4", False),
        ("a\x00", False),
        ("(" * 300, False),
    ],
)
def test_only_harmless_expressions_get_into_a_script(expression, harmless):
    assert is_harmless(expression) is harmless


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("'a'", "a"),
        ("1", 1),
        ("True", True),
        ("(1, 0)", (1, 0)),
        ("('a',)", None),
        ("None", None),
        ("b'a'", None),
        ("open('x')", None),
        ("[1]", None),
        ("'a", None),
        ("\x00", None),
        ("(" * 500, None),
    ],
)
def test_only_plain_literals_are_read(text, value):
    assert read_literal(text) == value


@pytest.mark.parametrize(
    ("stimulus", "command"),
    [
        (make_stimulus(), "curl -i -H 'Host: localhost' http://localhost:8000/"),
        (
            make_stimulus(environ={"REQUEST_METHOD": "'HEAD'", "HTTP_HOST": "''"}),
            "curl -i -I -H 'Host: ' http://localhost:8000/",
        ),
        (
            make_stimulus(
                environ={
                    "REQUEST_METHOD": "'POST'",
                    "CONTENT_TYPE": "'text/plain'",
                    "HTTP_USER_AGENT": "'x'",
                    "HTTP_IF_NONE_MATCH": "'\"a\"'",
                },
                body_length=3,
            ),
            (
                "curl -i -X POST -H 'Host: localhost' -H 'If-None-Match: \"a\"' "
                "-H 'Content-Type: text/plain' --data-binary @body http://localhost:8000/"
            ),
        ),
        (
            make_stimulus(
                environ={
                    "SCRIPT_NAME": "'/caf\xe9'",
                    "PATH_INFO": "'/ %\\xff$(id)'",
                    "QUERY_STRING": "'a=%20&b= '",
                }
            ),
            (
                "curl -i -H 'Host: localhost' "
                "'http://localhost:8000/caf%E9/%20%25%FF$(id)?a=%20&b=%20'"
            ),
        ),
        (make_stimulus(environ={"SCRIPT_NAME": "1"}), None),
    ],
)
def test_curl_line(stimulus, command):
    line = write_curl(stimulus)
    assert line == (command or write_curl(make_stimulus()))
    assert shlex.split(line)[0] == "curl"


@pytest.mark.parametrize(
    "environ",
    [
        {"REQUEST_METHOD": "'GET; rm'"},
        {"REQUEST_METHOD": "1"},
        {"PATH_INFO": "''"},
        {"PATH_INFO": "1"},
        {"QUERY_STRING": "1"},
    ],
)
def test_no_curl_line_where_http_cannot_carry_it(environ):
    assert write_curl(make_stimulus(environ=environ)) == ""
    assert write_curl(Stimulus(environ={})) == ""


def test_pytest_line():
    rule = make_rule()
    assert write_pytest(rule, make_subject()) == (
        "pytest --wsgi-app mysite.wsgi.application --wsgi-select status-is-native-string"
    )
    assert write_pytest(rule, make_subject(kind="middleware", spec="a:b('c')")) == (
        """pytest --wsgi-middleware 'a:b('"'"'c'"'"')' --wsgi-select status-is-native-string"""
    )
    assert write_pytest(make_rule(rerun="pytest x\x1b"), make_subject()) == r"pytest x\x1b"


def test_silencers():
    assert list(choose_silencers(make_rule(), make_subject()).values()) == [
        "pytest --wsgi-app mysite.wsgi.application --wsgi-ignore status-is-native-string",
        (
            "[tool.pytest.ini_options]\n"
            'wsgi_ignore = ["status-is-native-string: why this is right here"]'
        ),
    ]
    assert "--wsgi-middleware" in choose_silencers(
        make_rule(), make_subject(kind="middleware")
    ).get("For one run")


def test_limits():
    subject = make_subject()
    assert describe_limits(None, subject) == []
    assert describe_limits(make_stimulus(), subject) == []
    assert describe_limits(make_stimulus(), make_subject(kind="middleware")) == [
        "Only with the pytest line the application behind does what it did here."
    ]


@PATIENT
@given(evidence, subjects)
def test_whatever_a_report_says_no_code_gets_into_a_script(finding, subject):
    if finding.stimulus is None:
        return
    command = write_curl(finding.stimulus)
    assert command.isprintable()
    script = write_script(finding.stimulus, subject)
    assert len(script.splitlines()) <= 12
    ast.parse(script)
