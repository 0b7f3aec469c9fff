from __future__ import annotations

import re

import pytest

from pytest_wsgi.requirements import load_requirements

ROWS = load_requirements()


def test_requirements_are_read_once_and_cannot_be_changed():
    assert load_requirements() is ROWS
    with pytest.raises(TypeError):
        ROWS["x"] = None


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_requirement_is_well_formed(row):
    assert ROWS[row.id] is row
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", row.id)
    assert row.actor
    assert set(row.actor) <= {"application", "middleware", "server"}
    assert row.level in {"MUST", "SHOULD", "MAY", "CONVENTION"}
    assert row.basis in {
        "pep-bold",
        "pep-plain",
        "pep-implied",
        "inherited",
        "convention",
        "permission",
        "harness",
    }
    assert row.layer in {"call", "wire", "both", "static", "none"}
    assert row.area
    assert row.section
    assert row.requirement.strip()
