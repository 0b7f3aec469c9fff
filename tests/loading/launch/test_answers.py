from __future__ import annotations

import threading
from functools import partial
from itertools import count, repeat

import pytest

from pytest_wsgi.environ import Site
from pytest_wsgi.launches import Difference
from pytest_wsgi.loading.launch import answers
from pytest_wsgi.loading.launch.answers import ask, compare, list_requests
from pytest_wsgi.probes import Request

SITE = Site()


def make(body=b"hello", status="200 OK", headers=()):
    def application(environ, start_response):
        start_response(status, [("Content-Type", "text/plain"), *headers])
        return [body]

    return application


def test_requests_are_harmless_and_none_is_asked_twice():
    requests = list_requests()
    assert {request.method for request in requests} <= {"GET", "HEAD", "OPTIONS"}
    assert len(requests) > 20
    keys = [(r.method, r.path, r.query, str(r.set), r.drop) for r in requests]
    assert len(set(keys)) == len(keys)


def test_alike_is_alike_over_all_requests():
    assert compare(make(), make(), SITE) == (len(list_requests()), None)


@pytest.mark.parametrize(
    ("other", "what", "one", "two"),
    [
        (make(status="299 Odd"), "status", "200 OK", "299 Odd"),
        (make(headers=[("X-A", "1")]), "header x-a", "no such header", "1"),
        (lambda environ, start_response: 1 // 0, "status", "200 OK", "ZeroDivisionError"),
    ],
)
def test_first_difference_is_told(other, what, one, two):
    found = Difference(request="GET /", what=what, target=one, other=two)
    assert compare(make(), other, SITE) == (1, found)


def test_bodies_are_compared_by_digest():
    _, found = compare(make(), make(b"other"), SITE)
    assert found.what == "body"
    assert found.target.startswith("5 bytes, digest ")
    assert found.target != found.other


def test_what_comes_and_goes_is_no_difference():
    numbers = count()

    def counting(environ, start_response):
        start_response("200 OK", [("X-Number", str(next(numbers)))])
        return [str(next(numbers)).encode()]

    assert compare(counting, counting, SITE)[1] is None


@pytest.mark.parametrize("period", [2, 3])
def test_what_takes_turns_is_no_difference(period):
    turns = count()

    def alternating(environ, start_response):
        start_response("200 OK", [])
        return [b"ABC"[next(turns) % period :][:1]]

    assert compare(alternating, alternating, SITE)[1] is None


def test_an_answer_without_end_is_cut(monkeypatch):
    def endless(environ, start_response):
        start_response("200 OK", [])
        return repeat(b"")  # no generator: see test_layers.py

    monkeypatch.setattr(answers, "_REQUEST_SECONDS", 0.05)
    monkeypatch.setattr(answers, "bounded", partial(answers.bounded, 0.05))
    assert ask(endless, Request(), SITE).error == "TimeoutError"


def test_in_another_thread_nothing_rings():
    done = []

    def aside():
        with answers.bounded(0.001):
            done.append(ask(make(), Request(), SITE).status)

    thread = threading.Thread(target=aside)
    thread.start()
    thread.join()
    assert done == ["200 OK"]


def test_what_lasts_is_a_difference_beside_what_comes_and_goes():
    numbers = count()

    def counting(status):
        def application(environ, start_response):
            start_response(status, [("X-Number", str(next(numbers)))])
            return []

        return application

    assert compare(counting("200 OK"), counting("404 Gone"), SITE)[1].what == "status"


def test_tokens_and_values_of_cookies_are_no_difference():
    token = b'<input name="csrfmiddlewaretoken" value="%s">'
    one = make(token % b"abc", headers=[("Set-Cookie", "csrftoken=abc; Path=/")])
    two = make(token % b"defgh", headers=[("Set-Cookie", "csrftoken=def; Path=/")])
    assert compare(one, two, SITE)[1] is None


def test_paths_of_static_files_are_left_out():
    paths = set()

    def noting(environ, start_response):
        paths.add(environ.get("PATH_INFO"))
        start_response("200 OK", [])
        return []

    compare(noting, noting, SITE, "/pytest-wsgi/")
    assert "/" in paths
    assert not any(path and path.startswith("/pytest-wsgi/") for path in paths)


def test_comparison_ends_in_time(monkeypatch):
    monkeypatch.setattr(answers, "MOST_SECONDS", -1.0)
    assert compare(make(), make(b"other"), SITE) == (0, None)


def test_what_is_written_and_long_is_read_and_closed():
    closed = []

    class Body:
        def __iter__(self):
            while True:
                yield b"x" * (1 << 19)

        def close(self):
            closed.append(True)

    def application(environ, start_response):
        write = start_response("200 OK", [])
        write(b"first")
        return Body()

    assert ask(application, Request(), SITE).digest.startswith(f"{1 << 20} bytes")
    assert closed == [True]


def test_no_response_is_an_answer_too():
    found = ask(lambda environ, start_response: [], Request(), SITE)
    assert (found.status, found.fields, found.error) == ("", (), "")
