"""What reports/deployment.md says of servers is still so, and what it says of us is all there."""

from __future__ import annotations

import pytest

from real.deployment import (
    COMMAND,
    README,
    describe_case,
    escape,
    list_servers,
    name_case,
    read_page,
    render_readme,
    visit,
)
from real.projects import PROJECTS

pytestmark = pytest.mark.slow

TELLING = (
    "application_is_none",
    "forgotten_parentheses",
    "hard_assignment",
    "no_wsgi_but_setting",
    "placeholder",
    "relative_path",
    "setting_unset",
)
"""Projects on which servers differ from each other, or from what one would think."""

VISITS = {
    f"{project.name}-{server.name}": (project, server)
    for project in PROJECTS
    if project.name in TELLING
    for server in list_servers(project)
}


@pytest.mark.parametrize(("project", "server"), VISITS.values(), ids=VISITS)
def test_server_still_does_what_the_page_says(project, server):
    if not server.version:
        pytest.skip(f"{server.name} is not installed here")
    found = visit(server, project)
    head, _, said = read_page()[project.name][server.name].partition(": ")
    assert found.head == head, found
    if head == "200":
        assert found.said == said  # the page is our own; messages differ from version to version


@pytest.mark.parametrize("project", PROJECTS, ids=lambda project: project.name)
def test_project_is_on_the_page_with_all_servers_and_cases(project):
    cells = read_page()[project.name]
    cases = {name_case(case): escape(describe_case(case)) for case in project.cases}
    names = [server.name for server in list_servers(project)]
    assert list(cells) == [*names, *cases], f"stale; run: {COMMAND}"
    assert {name: cells[name] for name in cases} == cases, f"stale; run: {COMMAND}"


def test_readme_of_the_projects_is_up_to_date():
    assert README.read_text("utf-8") == render_readme(), f"stale; run: {COMMAND}"
