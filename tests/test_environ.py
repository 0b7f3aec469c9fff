from __future__ import annotations

import pytest

from pytest_wsgi.environ import Site, build_environ, name_request
from pytest_wsgi.probes import Request
from pytest_wsgi.probes.application import BATTERY, REQUIRED_KEYS

REQUESTS = [
    (f"{probe.name}-{number}", request)
    for probe in BATTERY
    for number, request in enumerate(probe.requests)
]


@pytest.mark.parametrize(("name", "request_"), REQUESTS, ids=[name for name, _ in REQUESTS])
def test_every_probe_has_a_lawful_environ(name, request_):
    environ = build_environ(request_, Site())
    assert type(environ) is dict
    assert all(type(key) is str for key in environ)
    cgi = {key: value for key, value in environ.items() if key.isupper() and "." not in key}
    assert all(type(value) is str for value in cgi.values())
    assert all(ord(character) < 256 for value in cgi.values() for character in value)
    assert set(REQUIRED_KEYS) <= set(environ)
    assert environ["SERVER_NAME"]
    assert environ["SERVER_PORT"].isdigit()
    assert environ["wsgi.version"] == (1, 0)
    assert environ["wsgi.url_scheme"] in {"http", "https"}
    for key in ("wsgi.multithread", "wsgi.multiprocess", "wsgi.run_once"):
        assert type(environ[key]) is bool
    assert environ.get("SCRIPT_NAME") or environ.get("PATH_INFO") is not None
    script, path = environ.get("SCRIPT_NAME", ""), environ.get("PATH_INFO", "")
    assert script == "" or (script.startswith("/") and script != "/")
    assert path == "" or path.startswith("/")
    length = environ.get("CONTENT_LENGTH", "")
    assert length == "" or length.isdigit()


@pytest.mark.parametrize(
    ("site", "expected"),
    [
        (Site(), ("localhost", "80", "localhost", "http")),
        (Site(port="8000"), ("localhost", "8000", "localhost:8000", "http")),
        (Site(host="example.org", scheme="https"), ("example.org", "443", "example.org", "https")),
    ],
)
def test_site_is_in_the_environ(site, expected):
    environ = build_environ(Request(), site)
    keys = ("SERVER_NAME", "SERVER_PORT", "HTTP_HOST", "wsgi.url_scheme")
    assert tuple(environ[key] for key in keys) == expected


@pytest.mark.parametrize(
    ("request_", "length"),
    [
        (Request(), ""),
        (Request(body=b"abc"), "3"),
        (Request(body=b"abc", content_length="6"), "6"),
        (Request(content_length=""), ""),
    ],
)
def test_length_is_that_of_the_body_unless_it_is_given(request_, length):
    assert build_environ(request_, Site())["CONTENT_LENGTH"] == length


def test_request_sets_and_drops():
    request = Request(method="POST", set={"A": "b"}, drop=("HTTP_HOST", "ABSENT"))
    environ = build_environ(request, Site(path="/page"))
    assert (environ["REQUEST_METHOD"], environ["A"]) == ("POST", "b")
    assert environ["PATH_INFO"] == "/page"
    assert "HTTP_HOST" not in environ


@pytest.mark.parametrize(
    ("request_", "name"),
    [
        (Request(), "GET /page"),
        (Request(path=""), "GET (empty path)"),
        (Request(path="/\xff", note="odd"), "GET /\\xff (odd)"),
        (Request(method="HEAD", query="a=\xff"), "HEAD /page?a=\\xff"),
    ],
)
def test_request_has_a_name_that_can_be_printed(request_, name):
    assert name_request(request_, Site(path="/page")) == name
