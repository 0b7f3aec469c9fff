"""From a SPEC to a loaded target: grammar, static look, import, and clear problems.

This package, and no other, imports the code of users. It does not import pytest.
"""

from __future__ import annotations

from pytest_wsgi.loading.django import hosts
from pytest_wsgi.loading.load import examine, load
from pytest_wsgi.loading.locate import Location, locate
from pytest_wsgi.loading.paths import put_on_path, search_path
from pytest_wsgi.loading.spec import Call, Spec, SpecError, parse_spec

__all__ = [
    "Call",
    "Location",
    "Spec",
    "SpecError",
    "examine",
    "hosts",
    "load",
    "locate",
    "parse_spec",
    "put_on_path",
    "search_path",
]
