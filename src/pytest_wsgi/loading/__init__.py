"""From a SPEC to a loaded target: grammar, static look, import, and clear problems.

This package, and no other, imports the code of users. It does not import pytest.
"""

from __future__ import annotations

from pytest_wsgi.loading.django import IN_USE, Owner, find_owner, hosts
from pytest_wsgi.loading.load import examine, load
from pytest_wsgi.loading.locate import Location, locate
from pytest_wsgi.loading.paths import put_on_path, search_path
from pytest_wsgi.loading.spec import Call, Spec, SpecError, parse_spec

__all__ = [
    "IN_USE",
    "Call",
    "Location",
    "Owner",
    "Spec",
    "SpecError",
    "examine",
    "find_owner",
    "hosts",
    "load",
    "locate",
    "parse_spec",
    "put_on_path",
    "search_path",
]
