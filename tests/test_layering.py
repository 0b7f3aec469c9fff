"""Blame: the layer of a wrapped application that brought a fault in is the one that is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_wsgi.catalogue import CATALOGUE
from pytest_wsgi.drivers.application import Terms
from pytest_wsgi.layering import drive_layers, find_culprit
from pytest_wsgi.loading.boundaries import Boundary, find_boundaries
from pytest_wsgi.probes.application import BATTERY
from pytest_wsgi.proof import judge_program
from pytest_wsgi.rules import load_rules

load_rules()
HERE = Path(__file__).parent
LAYERS = "wrapping-layers-keep-pep-3333"


class Pages:
    def __call__(self, environ, start_response):
        body = [] if environ["REQUEST_METHOD"] == "HEAD" else [b"hello"]
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "5")])
        return body


class HandOn:
    def __init__(self, app):
        self.app = app

    def __call__(self, environ, start_response):
        return self.app(environ, start_response)


class BreaksHeaders(HandOn):
    def __call__(self, environ, start_response):
        def start(status, headers, exc_info=None):
            return start_response(status, [*headers, ("X-Broken", "a\nb")], exc_info)

        return self.app(environ, start)


class BytesForStatus:
    def __call__(self, environ, start_response):
        start_response(b"200 OK", [("Content-Type", "text/plain"), ("Content-Length", "0")])
        return []


class AsksTwice(HandOn):
    def __call__(self, environ, start_response):
        self.app(dict(environ), lambda *args: bytes)
        return self.app(environ, start_response)


class Routes:
    def __init__(self, **apps):
        self.apps = apps

    def __call__(self, environ, start_response):
        known = environ.get("PATH_INFO") == "/"
        return self.apps["front" if known else "rest"](environ, start_response)


class KeepsTheQuery(HandOn):
    """Fails without QUERY_STRING, which is seen only by comparing two answers."""

    def __call__(self, environ, start_response):
        environ["KEPT"] = environ["QUERY_STRING"]
        return self.app(environ, start_response)


def find_blame(application, rule):
    verdict = judge_program(application)[rule]
    assert verdict.outcome == "broken"
    return {finding.layer.partition(",")[0].rpartition(".")[2] for finding in verdict.findings}


@pytest.mark.parametrize(
    ("application", "layer"),
    [
        (HandOn(HandOn(BytesForStatus())), "BytesForStatus"),
        (HandOn(Routes(front=Pages(), rest=BytesForStatus())), "BytesForStatus"),
    ],
)
def test_application_at_the_bottom_is_named(application, layer):
    assert find_blame(application, "status-is-native-string") == {layer}


@pytest.mark.parametrize(
    "application",
    [
        BreaksHeaders(HandOn(Pages())),
        HandOn(BreaksHeaders(HandOn(Pages()))),
        HandOn(HandOn(BreaksHeaders(Pages()))),
        Routes(front=HandOn(Pages()), rest=BreaksHeaders(Pages())),
    ],
)
def test_layer_that_brought_it_in_is_named(application):
    assert find_blame(application, "header-values-have-no-line-break") == {"BreaksHeaders"}


def test_layer_is_named_for_what_comparing_answers_shows():
    application = HandOn(KeepsTheQuery(Pages()))
    assert find_blame(application, "query-string-may-be-absent") == {"KeepsTheQuery"}


def test_layer_is_named_with_its_place():
    verdict = judge_program(HandOn(BytesForStatus()))["status-is-native-string"]
    name, _, place = verdict.findings[0].layer.partition(", ")
    assert name.endswith(".BytesForStatus")
    assert "test_layering.py:" in place


def test_application_without_layers_blames_nobody():
    verdicts = judge_program(BytesForStatus())
    assert {finding.layer for finding in verdicts["status-is-native-string"].findings} == {""}
    assert verdicts[LAYERS].outcome == "not exercised"
    assert verdicts[LAYERS].reason == "nothing that the application did called for it"


def test_layer_above_what_is_broken_itself_is_not_judged_as_a_middleware():
    assert judge_program(HandOn(BytesForStatus()))[LAYERS].outcome == "held"


class SpoilsEnviron(HandOn):
    def __call__(self, environ, start_response):
        environ["SERVER_PORT"] = 80
        return self.app(environ, start_response)


def test_layer_that_hands_on_what_it_got_is_not_blamed():
    verdict = judge_program(HandOn(SpoilsEnviron(HandOn(HandOn(Pages())))))[LAYERS]
    assert verdict.outcome == "broken"
    assert {finding.layer.partition(",")[0].rpartition(".")[2] for finding in verdict.findings} == {
        "SpoilsEnviron"
    }


def test_the_application_is_as_it_was_afterwards():
    pages = Pages()
    outer = HandOn(HandOn(pages))
    boundaries = tuple(find_boundaries(outer))
    drive_layers(outer, boundaries, BATTERY[:1], Terms(), HERE)
    assert outer.app.app is pages


def test_layer_that_lets_nobody_in_is_driven_as_it_is():
    def refuse(_application):
        raise AttributeError("frozen")

    pages = Pages()
    outer = HandOn(pages)
    layered = drive_layers(outer, [Boundary(outer, pages, refuse)], BATTERY[:1], Terms(), HERE)
    assert layered.layers[1][:-1] == []
    assert layered.find_culprit(CATALOGUE["status-is-native-string"]) is None


def test_inner_application_can_be_called_while_nothing_is_driven():
    statuses = []

    class Warms(HandOn):
        def __call__(self, environ, start_response):
            return self.app(environ, start_response)

    pages = Pages()
    outer = Warms(pages)
    seen = []

    def put(stand_in):
        seen.append(stand_in)
        if stand_in is not pages:
            stand_in({"REQUEST_METHOD": "GET"}, lambda status, headers: statuses.append(status))
            assert stand_in.__call__ is not None
            assert stand_in.spoken is True

    pages.spoken = True
    drive_layers(outer, [Boundary(outer, pages, put)], BATTERY[:1], Terms(), HERE)
    assert statuses == ["200 OK"]
    assert seen[-1] is pages


def test_application_that_is_called_several_times_in_one_request():
    application = HandOn(AsksTwice(Pages()))
    assert judge_program(application)[LAYERS].outcome in {"held", "broken"}


def test_culprit_is_looked_for_along_the_guilty():
    first, second, third = HandOn(None), HandOn(None), HandOn(None)
    # In whatever order they were found or named.
    boundaries = [Boundary(second, third, bool), Boundary(first, second, bool)]
    assert find_culprit(first, boundaries, [True, True, False]) is first
    assert find_culprit(first, boundaries, [True, False, True]) is second
    assert find_culprit(first, boundaries, [True, True, True]) is third
