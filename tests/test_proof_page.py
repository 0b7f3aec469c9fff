"""Our own half of reports/kills.md; `python -m proof_page --check` holds all of it."""

from __future__ import annotations

import pytest

import proof_page
from proof_page import (
    CONTROLS,
    CONTROLS_AROUND,
    FILE,
    MIDDLEWARE,
    PEERS,
    PROJECTS,
    Outcome,
)
from pytest_wsgi.proof import load_programs


def read_own_half(page):
    """Return the lines of the tables of rules and mutants, without the linters' columns.

    They are sorted: modules of rules and mutants may have been imported in another order here. The
    rest of the page is held by its own check, in a session that has the linters.
    """
    applications, _, middleware = page.partition(MIDDLEWARE)
    linted, _, projects = applications.partition(CONTROLS)[0].partition(PROJECTS)
    around = middleware.partition(CONTROLS_AROUND)[0]
    rows = {
        name: [row.split(" | ")[: -len(PEERS)] for row in list_rows(part)]
        for name, part in (("applications", linted), ("middleware", around))
    }
    rows["projects"] = [[row] for row in list_rows(projects)]
    return {name: sorted(part) for name, part in rows.items()}


def list_rows(text):
    """Return the lines of tables that begin with a name."""
    return [line for line in text.splitlines() if line.startswith("| `")]


def declare_outcomes():
    """Return what every mutant says of itself, and what tests/test_kills.py holds it to."""
    return {
        name: Outcome(frozenset({mutant.rule, *mutant.also}), {})
        for name, mutant in load_programs().mutants.items()
    }


def declare_projects():
    """Return what every project says of itself."""
    projects = load_programs().projects
    return {name: {project.rule, *project.also} for name, project in projects.items()}


def render(outcomes, projects=None):
    applications = proof_page.render_page(outcomes, {}, projects or declare_projects())
    return applications + proof_page.render_middleware(outcomes, {})


def test_page_shows_every_mutant_and_what_kills_it():
    page = FILE.read_text(encoding="utf-8")
    fresh = render(declare_outcomes())
    assert read_own_half(page) == read_own_half(fresh), f"stale: {proof_page.COMMAND}"


@pytest.mark.parametrize(
    ("name", "half"),
    [("status_in_bytes", "applications"), ("headers_through_a_dict", "middleware")],
)
def test_own_half_shows_a_mutant_that_survives(name, half):
    outcomes = declare_outcomes()
    fresh = read_own_half(render(outcomes))
    survives = read_own_half(render({**outcomes, name: Outcome(frozenset(), {})}))
    assert {part for part in fresh if survives[part] != fresh[part]} == {half}


def test_a_control_is_shown_with_its_kind():
    control = next(c for c in load_programs().controls.values() if c.around)
    controls = {control.name: Outcome(frozenset(), dict.fromkeys(PEERS, "found"))}
    assert f"| `{control.name}` |" not in proof_page.render_page({}, controls, declare_projects())
    page = proof_page.render_middleware({}, controls)
    assert f"| `{control.name}` |  | accused |" in page.partition(CONTROLS_AROUND)[2]


def test_figures_count_a_kill_that_is_not_declared():
    outcomes = declare_outcomes()
    stray = outcomes["status_in_bytes"].broken | {"etag-is-quoted"}
    page = render({**outcomes, "status_in_bytes": Outcome(stray, {})})
    assert "| mutants killed by a rule that they do not declare | 1 |" in page


def test_own_half_shows_a_project_that_survives():
    fresh = read_own_half(render(declare_outcomes()))
    survives = {**declare_projects(), "thread_at_import": set()}
    assert read_own_half(render(declare_outcomes(), survives)) != fresh
