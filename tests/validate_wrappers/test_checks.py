"""Every check of CHECKS is caused by a small program, and by itself."""

from __future__ import annotations

import contextlib
import json
import wsgiref.validate
from pathlib import Path
from typing import NamedTuple

import pytest

import pytest_wsgi
from wsgiref_validate_wrappers import CHECKS, wrap
from wsgiref_validate_wrappers.hearing import load_validate

TEXT = ("Content-Type", "text/plain")
MISSING = object()


class Pair(NamedTuple):
    """A header that is more than a tuple."""

    name: str
    value: str


class Lines(list):
    """More than a list."""


class Version(NamedTuple):
    """A wsgi.version that is more than a tuple."""

    major: int
    minor: int


class Stream:
    """A wsgi.input or wsgi.errors that has just the methods it is given."""

    def __init__(self, **methods):
        vars(self).update(methods)


def answering(*args, **kwargs):
    """Return an application that calls start_response so."""

    def application(_environ, start_response):
        start_response(*args, **kwargs)
        return [b"x"]

    return application


def using(use):
    """Return an application that uses its environ and its write() so."""

    def application(environ, start_response):
        use(environ, start_response("200 OK", [TEXT]))
        return [b"x"]

    return application


def returning(iterable):
    def application(_environ, start_response):
        start_response("200 OK", [TEXT])
        return iterable

    return application


def yielding(*blocks, start_after):
    """Return an application that yields these blocks, and calls start_response in between."""

    def application(_environ, start_response):
        for position, block in enumerate(blocks):
            if position == start_after:
                start_response("200 OK", [TEXT])
            yield block

    return application


def serve(application, environ, start_response):
    blocks = application(environ, start_response)
    try:
        list(blocks)
    finally:
        blocks.close()


def header(name="X", value="x"):
    return answering("200 OK", [TEXT, (name, value)])


def reading(name, *args):
    return using(lambda environ, _write: getattr(environ["wsgi.input"], name)(*args))


GOOD = answering("200 OK", [TEXT])

APPLICATIONS = [
    ("application-returns-something", returning(None)),
    ("application-returns-iterable", returning(7)),
    ("application-returns-no-string", returning("x")),
    ("application-returns-no-string", returning(b"x")),
    ("start-response-with-two-or-three-arguments", answering("200 OK")),
    ("start-response-without-keywords", answering("200 OK", [TEXT], exc_info=None)),
    ("status-is-str", answering(b"200 OK", [TEXT])),
    ("status-has-three-digits", answering("2000 OK", [TEXT])),
    ("status-has-a-number", answering("abc OK", [TEXT])),
    ("status-has-a-number", answering("", [TEXT])),
    ("status-is-at-least-100", answering("099 Low", [TEXT])),
    ("status-has-only-digits", answering("-20 Low", [TEXT])),
    ("status-has-a-reason", answering("200", [TEXT])),
    ("status-begins-with-its-code", answering(" 200 OK", [TEXT])),
    ("status-has-a-space", answering("200\tOK", [TEXT])),
    ("exc-info-is-tuple", answering("200 OK", [TEXT], ValueError())),
    ("headers-are-list", answering("200 OK", (TEXT,))),
    ("header-is-exact-tuple", answering("200 OK", [TEXT, Pair("X", "x")])),
    ("header-is-tuple", answering("200 OK", [TEXT, ["X", "x"]])),
    ("header-is-pair", answering("200 OK", [TEXT, ("X",)])),
    ("header-name-is-str", header(name=b"X")),
    ("header-value-is-str", header(value=5)),
    ("header-is-not-status", header(name="Status")),
    ("header-name-has-no-newline", header(name="X\n")),
    ("header-name-has-no-colon", header(name="X:")),
    ("header-name-is-plain", header(name="X.Foo")),
    ("header-name-is-plain", header(name="3d")),
    ("header-name-is-token", header(name="Bad Name")),
    ("header-name-is-token", header(name="")),
    ("header-name-ends-in-letter-or-digit", header(name="X-")),
    ("header-value-has-no-tab", header(value="a\tb")),
    ("header-value-has-no-line-break", header(value="a\tb\r\nc")),
    ("header-value-has-no-control-character", header(value="a\t\0b")),
    ("content-type-not-with-304", answering("304 Not Modified", [TEXT])),
    ("content-type-not-with-204", answering("204 No Content", [TEXT])),
    ("content-type-present", answering("302 Found", [("Location", "/")])),
    ("input-read-with-size", reading("read")),
    ("input-read-with-one-argument", reading("read", 1, 2)),
    ("input-readline-with-at-most-one-argument", reading("readline", 1, 2)),
    ("input-readlines-with-at-most-one-argument", reading("readlines", 1, 2)),
    ("input-is-not-closed", reading("close")),
    ("errors-is-not-closed", using(lambda environ, _: environ["wsgi.errors"].close())),
    ("errors-is-written-str", using(lambda environ, _: environ["wsgi.errors"].write(b"x"))),
    ("write-is-given-bytes", using(lambda _, write: write("x"))),
    ("blocks-are-bytes", returning(["x"])),
    ("empty-block-after-start-response", yielding(b"", b"x", start_after=1)),
    ("block-after-start-response", yielding(b"x", b"y", start_after=1)),
]

ENVIRONS = [
    *(
        ("environ-has-" + key.lower().replace(".", "-").replace("_", "-"), {key: MISSING})
        for key in (
            "REQUEST_METHOD",
            "SERVER_NAME",
            "SERVER_PORT",
            "wsgi.version",
            "wsgi.input",
            "wsgi.errors",
            "wsgi.multithread",
            "wsgi.multiprocess",
            "wsgi.run_once",
            "wsgi.url_scheme",
        )
    ),
    ("environ-without-http-content-headers", {"HTTP_CONTENT_TYPE": "text/plain"}),
    ("environ-without-http-content-headers", {"HTTP_CONTENT_LENGTH": "1"}),
    ("environ-has-query-string", {"QUERY_STRING": MISSING}),
    ("environ-keys-are-str", {b"my.key": "x"}),
    ("cgi-variables-are-str", {"SERVER_PORT": 80}),
    ("cgi-variables-are-str", {"HTTP_X": None}),
    ("undotted-variables-are-str", {"myserver_handle": object()}),
    ("wsgi-version-is-exact-tuple", {"wsgi.version": Version(1, 0)}),
    ("wsgi-version-is-tuple", {"wsgi.version": [1, 0]}),
    ("url-scheme-is-http", {"wsgi.url_scheme": "wss"}),
    ("url-scheme-is-str", {"wsgi.url_scheme": b"http"}),
    ("url-scheme-is-str", {"wsgi.url_scheme": ("h", "t")}),
    ("request-method-is-known", {"REQUEST_METHOD": "PROPFIND"}),
    ("script-name-begins-with-slash", {"SCRIPT_NAME": "app"}),
    ("path-info-begins-with-slash", {"PATH_INFO": "*"}),
    ("content-length-is-not-negative", {"CONTENT_LENGTH": "-1"}),
    ("content-length-is-a-number", {"CONTENT_LENGTH": "many"}),
    ("script-name-is-not-slash", {"SCRIPT_NAME": "/"}),
    ("crashed", {"SCRIPT_NAME": MISSING}),
    # The validator's own question for it comes after its fall over the message before.
    ("crashed", {"PATH_INFO": MISSING}),
    ("input-has-its-methods", {"wsgi.input": None}),
    ("errors-has-flush", {"wsgi.errors": Stream(write=print, writelines=print)}),
    ("errors-has-write", {"wsgi.errors": Stream(flush=print, writelines=print)}),
    ("errors-has-writelines", {"wsgi.errors": Stream(flush=print, write=print)}),
]


def stream_of(lines):
    def give(*_):
        return lines

    return Stream(read=give, readline=give, readlines=give, __iter__=give)


INPUTS = [
    ("input-returns-bytes", reading("read", 1), "x"),
    ("input-readline-returns-bytes", reading("readline"), "x"),
    ("input-readlines-returns-list-of-bytes", reading("readlines"), ["x"]),
    ("input-readlines-returns-exact-list", reading("readlines"), Lines([b"x"])),
    ("input-readlines-returns-list", reading("readlines"), (b"x",)),
]


def judge(check, application, environ, start_response):
    """Assert that the exchange trips the check, and only it, and fails exactly if it may."""
    checked = wrap(application)
    warns = check.begins.startswith("The status string (")
    if check.strictness == "pep" and not warns:
        with pytest.raises(check.raises or AssertionError) as raised:
            serve(checked, environ, start_response)
        assert str(raised.value) in checked.findings[0].message
    else:
        serve(checked, environ, start_response)
        assert start_response.seen is not None, "the application was not called"
    (finding,) = checked.finish()
    assert finding.check == check.id
    assert finding.requirement == check.requirement
    assert finding.strictness == check.strictness
    assert " " in finding.message


@pytest.mark.parametrize(("name", "application"), APPLICATIONS)
def test_application_trips_the_check(name, application, environ, start_response):
    judge(CHECKS[name], application, environ, start_response)


@pytest.mark.parametrize(("name", "changes"), ENVIRONS)
def test_environ_trips_the_check(name, changes, environ, start_response):
    environ.update(changes)
    environ = {key: value for key, value in environ.items() if value is not MISSING}
    judge(CHECKS[name], GOOD, environ, start_response)


@pytest.mark.parametrize(("name", "application", "lines"), INPUTS)
def test_input_trips_the_check(name, application, lines, environ, start_response):
    environ["wsgi.input"] = stream_of(lines)
    judge(CHECKS[name], application, environ, start_response)


@pytest.mark.parametrize("kind", [type("Environ", (dict,), {}), list])
def test_environ_that_is_no_dict(kind, environ, start_response):
    judge(CHECKS["environ-is-dict"], GOOD, kind(environ), start_response)


def test_call_with_one_argument(environ):
    checked = wrap(GOOD)
    with pytest.raises(AssertionError):
        checked(environ)
    assert [finding.check for finding in checked.findings] == ["called-with-two-arguments"]


def test_call_with_keywords(environ, start_response):
    checked = wrap(GOOD)
    with pytest.raises(AssertionError):
        checked(environ, start_response, more=1)
    assert [finding.check for finding in checked.findings] == ["called-without-keywords"]


def test_iterable_that_is_read_after_close(environ, start_response):
    checked = wrap(GOOD)
    blocks = checked(environ, start_response)
    blocks.close()
    assert list(blocks) == [b"x"]
    assert [finding.check for finding in checked.finish()] == ["iterable-is-not-read-after-close"]


def test_iterable_that_is_not_closed(environ, start_response):
    checked = wrap(GOOD)
    list(checked(environ, start_response))
    assert checked.findings == ()
    assert [finding.check for finding in checked.finish()] == ["iterable-is-closed"]


def test_block_after_an_empty_one_is_still_checked(environ, start_response):
    checked = wrap(yielding(b"", b"", b"x", b"y", start_after=3))
    blocks = checked(environ, start_response)
    assert [next(blocks), next(blocks)] == [b"", b""]
    with pytest.raises(AssertionError):
        next(blocks)
    assert [finding.check for finding in checked.findings] == [
        "empty-block-after-start-response",
        "block-after-start-response",
    ]


@pytest.mark.parametrize("said", ["Something new", ""])
def test_demand_of_a_later_python_is_advice(said, monkeypatch, environ, start_response):
    validate = load_validate()

    def check_something_new(_):
        vars(validate)["assert_"](None, said)

    monkeypatch.setattr(validate, "check_exc_info", check_something_new)
    checked = wrap(GOOD)
    serve(checked, environ, start_response)
    (finding,) = checked.finish()
    assert (finding.check, finding.strictness) == ("unknown", "stricter")
    assert (said or "check_something_new") in finding.message


# Its __del__ trips over the half-made wrapper of what is not iterable.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(("name", "application"), APPLICATIONS)
def test_validator_of_the_standard_library_says_so_too(name, application, environ, start_response):
    check = CHECKS[name]
    with pytest.raises((AssertionError, wsgiref.validate.WSGIWarning, *check.raises)):
        serve(wsgiref.validate.validator(application), environ, start_response)


@pytest.mark.parametrize(("name", "changes"), ENVIRONS)
def test_validator_of_the_standard_library_refuses_the_environ(
    name, changes, environ, start_response
):
    environ.update(changes)
    environ = {key: value for key, value in environ.items() if value is not MISSING}
    refusals = (AssertionError, wsgiref.validate.WSGIWarning, *CHECKS[name].raises)
    if name == "crashed":
        refusals = KeyError
    elif changes == {"wsgi.url_scheme": ("h", "t")}:
        refusals = TypeError  # it trips over its own message, and we do not
    with pytest.raises(refusals):
        serve(wsgiref.validate.validator(GOOD), environ, start_response)


def test_every_check_is_tripped_here():
    elsewhere = {
        "called-with-two-arguments",
        "called-without-keywords",
        "environ-is-dict",
        "iterable-is-closed",
        "iterable-is-not-read-after-close",
        "unknown",
    }
    out_of_reach = {"script-name-or-path-info"}
    tabled = {row[0] for row in (*APPLICATIONS, *ENVIRONS, *INPUTS)}
    assert tabled | elsewhere | out_of_reach == set(CHECKS)


def test_requirements_are_in_the_catalogue():
    catalogue = Path(pytest_wsgi.__file__).with_name("requirements.json")
    known = {row["id"] for row in json.loads(catalogue.read_text("utf-8"))}
    assert {check.requirement for check in CHECKS.values()} <= known


def test_ids_are_unique_and_kebab_case():
    for name, check in CHECKS.items():
        assert name == check.id
        assert name.replace("-", "").isalnum()
        assert name == name.lower()


@pytest.mark.parametrize(
    "application",
    [
        answering("200 OK", [("Set-Cookie", "hidden")]),
        answering("200 OK", (("Set-Cookie", "hidden"),)),
        answering("200 OK", [TEXT, ("Set-Cookie", "hidden\n")]),
        answering("200 OK", [TEXT, ("Set-Cookie", b"hidden")]),
        answering("200 OK", [TEXT, ["Set-Cookie", "hidden"]]),
        answering([("Set-Cookie", "hidden")]),
        returning(["hidden"]),
        returning([bytearray(b"hidden")]),
    ],
)
def test_messages_show_no_header_and_no_block(application, environ, start_response):
    checked = wrap(application)
    with contextlib.suppress(AssertionError):
        serve(checked, environ, start_response)
    (finding,) = checked.finish()
    assert "hidden" not in finding.message


def test_what_a_lawful_program_may_do_is_advice():
    assert {check.id for check in CHECKS.values() if check.strictness == "stricter"} == {
        "content-type-not-with-204",
        "content-type-not-with-304",
        "content-type-present",
        "crashed",
        "empty-block-after-start-response",
        "environ-has-query-string",
        "environ-keys-are-str",
        "environ-without-http-content-headers",
        "header-is-exact-tuple",
        "header-is-not-status",
        "header-name-ends-in-letter-or-digit",
        "header-name-is-plain",
        "header-value-has-no-tab",
        "input-read-with-size",
        "input-readlines-returns-exact-list",
        "iterable-is-not-read-after-close",
        "path-info-begins-with-slash",
        "request-method-is-known",
        "script-name-begins-with-slash",
        "script-name-is-not-slash",
        "script-name-or-path-info",
        "status-is-at-least-100",
        "undotted-variables-are-str",
        "unknown",
        "url-scheme-is-http",
        "wsgi-version-is-exact-tuple",
    }
