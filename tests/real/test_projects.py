"""The real command on every project of fixtures/projects: outcome and message are as written."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from real.conftest import make_environ
from real.deployment import read_page
from real.projects import PROJECTS, USUAL

pytestmark = pytest.mark.slow

HOME = Path(__file__).parents[2] / "fixtures" / "projects"

CASES = {
    f"{project.name}-{number}": (project, case)
    for project in PROJECTS
    for number, case in enumerate(project.cases, 1)
}

ON_EVERY_PYTHON = frozenset(
    f"{name}-1"
    for name in (
        *("c_locale", "factory_once", "forgotten_parentheses", "hard_assignment", "import_once"),
        *("loses_close", "missing_variable", "no_wsgi", "placeholder", "relative_path"),
        *("rewritten_environ", "setting_unset", "side_effects", "two_sites", "wrapped"),
    )
)
"""Cases in which Python has a part: how it imports, what it says of errors, how it ends."""

WITH_PYTEST_DJANGO = {
    "apache_auth": "mysite",
    "environment_too_late": "shop",
    "old_handler": "mysite",
    "placeholder": "shop",
}
"""Projects that load once pytest-django has set Django up, and the packages of their settings."""


TOLD = (
    ("Gunicorn refuses to start (exit code 3)", "Gunicorn", "exits with 3"),
    ("Gunicorn refuses to start (exit code 4)", "Gunicorn", "exits with 4"),
    ("Gunicorn, mod_wsgi and runserver start, and answer 500", "Gunicorn", "500"),
    ("runserver works, because manage.py has set Django up", "runserver", "200"),
    ('uWSGI says "WSGI app 0 ready", and sends nothing back', "uWSGI", "no response"),
    ('uWSGI says "no app loaded", and answers 500', "uWSGI", "500"),
)
"""What a message may tell of a server, and how that stands in reports/deployment.md."""

WITHOUT_PYTEST_DJANGO = ("-p", "no:django")


@pytest.fixture
def bring_project(tmp_path):
    """Return a function that copies a project to where the command is run."""

    def copy(name):
        shutil.copytree(HOME / name, tmp_path, dirs_exist_ok=True, ignore=ignore)

    return copy


@pytest.fixture
def examine_project(bring_project, examine, monkeypatch):
    """Return a function that runs the command on a copy of a project, as a case says."""

    def run(name, case, *options, libraries=()):
        bring_project(name)
        for variable, value in case.environ.items():
            monkeypatch.setenv(variable, value)
        return examine(case.spec, *case.options, *options, libraries=libraries)

    return run


def ignore(_, names):
    """Leave out what earlier runs in the checkout have left."""
    return [name for name in names if name in {"__pycache__", ".pytest_cache", "db.sqlite3"}]


def test_every_project_is_run():
    assert {project.name for project in PROJECTS} == {
        path.name for path in HOME.iterdir() if path.is_dir()
    }


@pytest.mark.parametrize(("project", "case"), CASES.values(), ids=CASES)
def test_outcome_and_message_are_as_written(project, case, examine_project, request):
    if sys.version_info[:2] != (3, 11) and request.node.callspec.id not in ON_EVERY_PYTHON:
        pytest.skip("what Python has no part in is run on 3.11")
    run = examine_project(project.name, case, *WITHOUT_PYTEST_DJANGO)
    assert run.list_broken() - USUAL == {*case.broken}, run.output
    assert run.exit_code == case.exit_code, run.output
    assert [text for text in case.says if text not in run.output] == [], run.output
    told = {server: head for text, server, head in TOLD if text in run.output}
    seen = read_page()[project.name]
    assert {server: seen[server].partition(": ")[0] for server in told} == told


@pytest.mark.parametrize("name", WITH_PYTEST_DJANGO)
def test_fresh_process_tells_what_pytest_django_hides(name, examine_project, tmp_path):
    settings = f"{WITH_PYTEST_DJANGO[name]}.settings"
    project, case = CASES[f"{name}-1"]
    run = examine_project(project.name, case, "-o", f"DJANGO_SETTINGS_MODULE={settings}")
    assert "application-loads" not in run.list_broken(), run.output
    assert "loading-works-in-a-fresh-process" in run.list_broken("must"), run.output
    assert case.says[0] in run.output
    assert run.exit_code == 1, run.output


@pytest.mark.parametrize("name", ["auth_handlers", "wrapped"])
def test_pytest_django_changes_nothing_for_good_projects(name, examine_project):
    project, case = CASES[f"{name}-1"]
    settings = "DJANGO_SETTINGS_MODULE=mysite.settings"
    run = examine_project(project.name, case, "-o", settings)
    assert "settings module   mysite.settings (pytest-django)" in run.output, run.output
    assert run.list_broken() <= USUAL, run.output
    assert run.exit_code == 0, run.output


@pytest.mark.parametrize("name", ["delegating", "factory_once", "flask_factory"])
def test_pytest_flask_changes_nothing(name, examine_project, obtain_library):
    project, case = CASES[f"{name}-1"]
    library = obtain_library("pytest-flask", "--no-deps", "pytest-flask~=1.3")
    run = examine_project(project.name, case, *WITHOUT_PYTEST_DJANGO, libraries=[library])
    assert " flask-1." in run.output, run.output
    assert run.list_broken() - USUAL == {*case.broken}, run.output
    assert run.exit_code == case.exit_code, run.output


def test_two_sites_of_django_are_both_checked(bring_project, tmp_path):
    bring_project("two_sites")
    command = [sys.executable, "-m", "pytest", *WITHOUT_PYTEST_DJANGO, "--wsgi-report=found.json"]
    for site in ("site_a", "site_b"):
        command += ["--wsgi-app", f"{site}={site}.wsgi.application"]
    done = subprocess.run(
        command, cwd=tmp_path, env=make_environ(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    for site in ("site_a", "site_b"):
        report = json.loads((tmp_path / f"found-{site}.json").read_text("utf-8"))
        assert report["subject"]["facts"]["settings module"].startswith(f"{site}.settings")
        assert {one["id"] for one in report["rules"] if one["verdict"] == "broken"} <= USUAL
