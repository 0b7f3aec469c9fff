from __future__ import annotations

from wsgiref.util import setup_testing_defaults

import pytest


@pytest.fixture
def environ():
    """Return the environ of GET / that wsgiref.validate has nothing to say about."""
    environ = {"QUERY_STRING": ""}
    setup_testing_defaults(environ)
    return environ


@pytest.fixture
def start_response():
    """Return a server's start_response that remembers its last call in `seen`."""

    def start_response(*args):
        start_response.seen = args
        return start_response.written.append

    start_response.written = []
    start_response.seen = None
    return start_response
