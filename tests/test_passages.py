"""Findings are shown on the way of their request, in the order in which calls began."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from pytest_wsgi.drivers.application import Terms
from pytest_wsgi.exchange import Called, Closed, StartResponse
from pytest_wsgi.layering import drive_layers
from pytest_wsgi.loading.boundaries import find_boundaries
from pytest_wsgi.passages import number_alike
from pytest_wsgi.probes.application import METHODS
from pytest_wsgi.proof import judge_middleware, judge_program

RULE = "header-names-are-tokens"


class HandOn:
    def __init__(self, app):
        self.app = app

    def __call__(self, environ, start_response):
        return self.app(environ, start_response)


class Renames(HandOn):
    """Sends a header that it may not send, and closes what it was given."""

    def __call__(self, environ, start_response):
        self.blocks = self.app(environ, self.start(start_response))
        return self

    def start(self, start_response):
        return lambda status, headers: start_response(status, [*headers, ("X Y", "1")])

    def __iter__(self):
        return iter(self.blocks)

    def close(self):
        self.blocks.close()


class Pages:
    def __call__(self, environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return self

    def __iter__(self):
        return iter([b"hello"])

    def close(self):
        pass


def find_passage(verdict):
    assert verdict.outcome == "broken"
    return verdict.findings[0].passage


def list_ways(passage, *kinds):
    """Return between whom the events of some kinds crossed, in order."""
    lanes = passage.lanes
    return [
        (lanes[caller].rpartition(".")[2], lanes[callee].rpartition(".")[2])
        for caller, callee, event in passage.crossed
        if isinstance(event, kinds)
    ]


def test_layers_are_shown_and_calls_are_in_the_order_of_their_beginnings():
    passage = find_passage(judge_program(HandOn(Renames(HandOn(Pages()))))[RULE])
    names = [name.rpartition(".")[2] for name in passage.lanes]
    assert names == ["server", "HandOn", "Renames", "HandOn 2", "Pages"]
    inwards = list(pairwise(names))
    assert list_ways(passage, Called) == inwards
    assert list_ways(passage, StartResponse) == inwards[::-1]
    assert list_ways(passage, Closed) == inwards
    (at,) = [one for one in passage.crossed if one[2] is passage.at]
    assert at[:2] == (1, 2)


def test_layer_that_was_not_called_is_not_shown():
    class Routes:
        def __init__(self):
            self.apps = {"/never": HandOn(Pages()), "/": Renames(Pages())}

        def __call__(self, environ, start_response):
            return self.apps["/"](environ, start_response)

    passage = find_passage(judge_program(Routes())[RULE])
    assert [name.rpartition(".")[2] for name in passage.lanes] == [
        "server",
        "Routes",
        "Renames",
        "Pages",
    ]


def test_what_is_well_when_it_is_driven_again_is_nobodys_fault():
    program = HandOn(Pages())
    layered = drive_layers(program, tuple(find_boundaries(program)), METHODS[:1], Terms(), Path())
    verdict = judge_program(HandOn(Renames(Pages())))[RULE]
    assert layered.blame(verdict) is verdict


def test_middleware_stands_between_two():
    passage = find_passage(judge_middleware(Renames)[RULE])
    assert passage.lanes == ("server", "middleware", "inner application")
    assert list_ways(passage, Called) == [
        ("server", "middleware"),
        ("middleware", "inner application"),
    ]


def test_a_finding_of_no_request_has_no_passage():
    program = HandOn(Renames(Pages()))
    layered = drive_layers(program, tuple(find_boundaries(program)), METHODS[:1], Terms(), Path())
    (broken, *_) = judge_program(program)[RULE].findings
    assert layered.find_passage(broken, []) is None
    assert layered.find_passage(broken, [replace(broken, exchange=None)]) is None
    assert layered.find_passage(replace(broken, exchange=None), [broken]) is None
    assert layered.find_passage(broken, [broken]) is None  # which comes from another run
    silent = replace(broken, exchange=replace(broken.exchange, events=()))
    assert layered.find_passage(broken, [silent]) is None


@pytest.mark.parametrize(
    ("names", "numbered"), [("ab", ["a", "b"]), ("aba", ["a", "b", "a 2"]), ("", [])]
)
def test_names_that_are_alike_are_numbered(names, numbered):
    assert number_alike(list(names)) == numbered
