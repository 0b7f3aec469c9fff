"""The driver of middleware: two recorders, one log, and the scripts that stand behind."""

from __future__ import annotations

import threading

import pytest

from pytest_wsgi.drivers.application import Terms, drive
from pytest_wsgi.drivers.middleware import Crossing, Inner, bind
from pytest_wsgi.exchange import Block, Called, Closed, StartResponse
from pytest_wsgi.probes import Probe, Request
from pytest_wsgi.probes.middleware import MIDDLEWARE_BATTERY, SANDWICHES
from pytest_wsgi.recorder import Recording
from pytest_wsgi.scripts import SCRIPTS

TERMS = Terms(unsafe=True, seconds=5.0)


def hand_on(app):
    return lambda environ, start_response: app(environ, start_response)


def drive_around(middleware, *probes):
    inner = Inner()
    return drive(middleware(inner), probes, TERMS, inner.crossings), inner


def ask(script, **more):
    return Probe(name="asked", purpose="A test asks.", requests=(Request(inner=script),), **more)


def find_bare(battery):
    return [one for one in battery.sandwiches if not one.outer.under_validator]


def test_one_log_has_the_events_of_both_sides_in_their_order():
    battery, _ = drive_around(hand_on, ask("late_start"))
    (sandwich,) = find_bare(battery)
    (inner,) = sandwich.inner
    kinds = [(step.is_inner, type(step.event)) for step in sandwich.steps]
    assert kinds[:2] == [(False, Called), (True, Called)]
    blocks = [is_inner for is_inner, kind in kinds if kind is Block]
    assert blocks == [True, False] * 3
    assert kinds[-2:] == [(True, Closed), (False, Closed)]
    assert [step.event for step in sandwich.steps if step.is_inner] == list(inner.events)
    assert [step.event for step in sandwich.steps if not step.is_inner] == list(
        sandwich.outer.events
    )
    assert {step.exchange for step in sandwich.steps} == {inner, sandwich.outer}


def test_inner_exchange_says_where_it_was_recorded():
    battery, _ = drive_around(hand_on, ask("page"))
    (sandwich,) = find_bare(battery)
    assert sandwich.outer.boundary == "application"
    assert [exchange.boundary for exchange in sandwich.inner] == ["inner"]
    assert sandwich.inner[0].number == sandwich.outer.number
    assert sandwich.script == "page"
    assert repr(sandwich) == f"<Sandwich {sandwich.outer.number} asked: GET />"


def test_every_script_is_reached_through_what_only_hands_on():
    _, inner = drive_around(hand_on, *MIDDLEWARE_BATTERY)
    assert inner.seen == set(SCRIPTS)


def test_every_probe_of_middleware_names_a_script():
    for probe in SANDWICHES:
        assert {request.inner for request in probe.requests} <= set(SCRIPTS)
    assert len({probe.name for probe in MIDDLEWARE_BATTERY}) == len(MIDDLEWARE_BATTERY)


def test_what_is_handed_on_is_described_as_what_it_is():
    battery, _ = drive_around(hand_on, ask("separate_iterator"), ask("generator"))
    described = [one.outer.returned for one in find_bare(battery)]
    assert [returned.type_name for returned in described] == [
        "pytest_wsgi.inner.Blocks",
        "generator",
    ]
    assert all(returned.has_close for returned in described)


def test_file_wrapper_that_is_handed_on_is_still_one():
    battery, _ = drive_around(hand_on, ask("wrapped_file"))
    (sandwich,) = find_bare(battery)
    assert sandwich.inner[0].returned.is_file_wrapper
    assert sandwich.outer.returned.is_file_wrapper


def test_call_by_name_is_recorded():
    def call_by_name(app):
        def middleware(environ, start_response):
            return app(environ=environ, start_response=start_response)

        return middleware

    battery, _ = drive_around(call_by_name, ask("page"))
    (sandwich,) = find_bare(battery)
    called = sandwich.inner[0].events[0]
    assert (called.argument_count, called.keywords) == (2, ("environ", "start_response"))


@pytest.mark.parametrize(
    ("args", "keywords"),
    [((), {}), (({},), {}), (({}, 1, 2), {}), (({},), {"respond": 1}), (({}, 1), {"environ": {}})],
)
def test_call_with_other_arguments_is_refused(args, keywords):
    with pytest.raises(TypeError, match="environ and start_response"):
        bind(args, keywords)


def test_environ_of_another_type_is_named():
    class Environ(dict):
        pass

    battery, _ = drive_around(lambda app: lambda e, s: app(Environ(e), s), ask("page"))
    (sandwich,) = find_bare(battery)
    assert sandwich.inner[0].environ_type.endswith("Environ")
    assert sandwich.outer.environ_type == "dict"


def test_start_response_that_returns_nothing_is_noted():
    def forgets_write(app):
        def middleware(environ, start_response):
            def start(*args):
                start_response(*args)

            return app(environ, start)

        return middleware

    battery, _ = drive_around(forgets_write, ask("page"))
    (sandwich,) = find_bare(battery)
    assert [start.write_type for start in sandwich.inner[0].start_responses] == ["NoneType"]
    assert [start.write_type for start in sandwich.outer.start_responses] == [""]


def test_application_that_is_called_in_another_thread_belongs_to_the_exchange():
    def call_aside(app):
        def middleware(environ, start_response):
            results = []
            thread = threading.Thread(target=lambda: results.append(app(environ, start_response)))
            thread.start()
            thread.join()
            return results[0]

        return middleware

    battery, _ = drive_around(call_aside, ask("page"))
    assert [len(one.inner) for one in battery.sandwiches] == [1, 1]


def test_what_a_thread_does_that_was_left_behind_is_passed_over():
    battery, _ = drive_around(hand_on, ask("page"))
    (sandwich,) = find_bare(battery)
    crossing = Crossing(Recording(None), "page", under_validator=False)
    crossing.call(lambda environ, start_response: [], "inner", ({}, None), ())
    crossing.order.append(crossing.tape)
    late = crossing.finish(sandwich.outer, [])  # when the exchange was written down, none had come
    assert late.inner == ()
    assert [step.event for step in late.steps] == [sandwich.outer.events[0]]


def test_each_of_several_calls_is_recorded():
    def try_twice(app):
        def middleware(environ, start_response):
            first = app(environ.copy(), lambda *args: bytes)
            if hasattr(first, "close"):
                first.close()
            return app(environ, start_response)

        return middleware

    battery, _ = drive_around(try_twice, ask("page"))
    (sandwich,) = find_bare(battery)
    assert [exchange.code for exchange in sandwich.inner] == [200, 200]


def test_middleware_that_answers_by_itself_has_an_empty_sandwich():
    def refuse(_app):
        def middleware(environ, start_response):
            start_response("403 Forbidden", [("Content-Length", "0")])
            return []

        return middleware

    battery, inner = drive_around(refuse, ask("page"))
    assert {one.inner for one in battery.sandwiches} == {()}
    assert inner.seen == set()


def test_inner_application_is_a_page_while_nothing_is_driven():
    statuses = []
    result = Inner()({"REQUEST_METHOD": "GET"}, lambda status, headers: statuses.append(status))
    assert statuses == ["200 OK"]
    assert b"hello" in b"".join(result)


def test_both_sides_are_validated_in_the_second_run():
    def returns_text(app):
        def middleware(environ, start_response):
            environ["wsgi.version"] = "1.0"
            return app(environ, start_response)

        return middleware

    battery, _ = drive_around(returns_text, ask("page"))
    (validated,) = [one for one in battery.sandwiches if one.outer.under_validator]
    assert [finding.party for finding in validated.inner[0].validator_findings] == ["server"]
    assert validated.outer.validator_findings == ()


def test_what_start_response_of_a_middleware_raises_is_not_the_servers():
    def fails_in_start(app):
        def middleware(environ, start_response):
            def start(*args):
                raise LookupError("of the middleware")

            return app(environ, start)

        return middleware

    battery, _ = drive_around(fails_in_start, ask("page"))
    (sandwich,) = find_bare(battery)
    assert [error.by_server for error in sandwich.inner[0].raised] == [True]
    assert [error.by_server for error in sandwich.outer.raised] == [False]
    (start,) = sandwich.inner[0].start_responses
    assert isinstance(start, StartResponse)
    assert start.raised == "LookupError"
