"""The recipes of the README and our own workflow: they parse, and what they run is really run."""

from __future__ import annotations

import configparser
import json
import os
import re
import shutil
import subprocess
import sys
import types
from pathlib import Path
from textwrap import dedent
from xml.etree import ElementTree as ET

import pytest
import yaml

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
WORKFLOW = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
INSTALLS = 'pip install "pytest-wsgi'
SENTENCE = "mysite.wsgi.application keeps PEP 3333 as far as it was exercised"
PINNED = re.compile(r"[\w-]+(/[\w-]+)+@v\d+")


def read_recipe(name):
    """Return the indented block below a comment of the README."""
    (block,) = re.findall(rf"<!-- {name} -->\n((?:    .*\n|\n)+)", README)
    return dedent(block)


def list_steps(workflow):
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


@pytest.fixture
def project(tmp_path):
    """Return a copy of a project that ships, as a CI has it checked out."""
    skip = shutil.ignore_patterns("__pycache__", ".pytest_cache")
    return shutil.copytree(ROOT / "fixtures/projects/hello", tmp_path / "hello", ignore=skip)


@pytest.fixture
def run(project):
    """Return what runs a line of a recipe in the project, and returns what it printed.

    It has what a CI has in its environment, and the programs that are installed here.
    """

    def run_line(line, **environ):
        kept = {name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ}
        path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", line],
            cwd=project,
            env={**kept, "PATH": path, "CI": "true", **environ},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert SENTENCE in done.stdout
        return done.stdout

    return run_line


def test_recipe_for_github(project, run, tmp_path):
    steps = list_steps(yaml.safe_load(read_recipe("github")))
    install, line = (step["run"] for step in steps if "run" in step)
    assert install.startswith(INSTALLS)
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    printed = run(line, GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(summary))
    assert "::notice file=mysite/wsgi.py,line=" in printed
    assert summary.read_text().startswith("before\n")
    assert SENTENCE in summary.read_text()
    options = [step.get("with", {}) for step in steps]
    (sarif,) = (one["sarif_file"] for one in options if "sarif_file" in one)
    (page,) = (one["path"] for one in options if "path" in one)
    assert json.loads((project / sarif).read_text())["version"] == "2.1.0"
    assert SENTENCE in (project / page).read_text()


def test_recipe_for_gitlab(project, run):
    job = yaml.safe_load(read_recipe("gitlab"))["wsgi"]
    install, line = job["script"]
    assert install.startswith(INSTALLS)
    assert "::notice" not in run(line, GITLAB_CI="true")
    artifacts = job["artifacts"]
    quality = json.loads((project / artifacts["reports"]["codequality"]).read_text())
    assert {"description", "fingerprint", "severity", "location"} <= set(quality[0])
    suite = ET.parse(project / artifacts["reports"]["junit"]).getroot()[0]  # noqa: S314 # our own file
    assert suite.get("failures") == "0"
    assert all((project / path).is_file() for path in artifacts["paths"])


def test_recipe_for_tox(run):
    config = configparser.ConfigParser()
    config.read_string(read_recipe("tox"))
    recipe = config["testenv:wsgi"]
    assert "pytest-wsgi" in recipe["deps"].split()
    run(recipe["commands"].replace("{posargs}", ""))


def test_recipe_for_nox(run, monkeypatch):
    ran = []
    session = types.SimpleNamespace(
        install=lambda *words: ran.append(words),
        run=lambda *words: run(" ".join(words)),
        posargs=[],
    )
    monkeypatch.setitem(
        sys.modules, "nox", types.SimpleNamespace(session=lambda function: function)
    )
    names = {}
    exec(read_recipe("nox"), names)
    names["wsgi"](session)
    assert ran[0][0] == "pytest-wsgi"


def test_workflow_runs_the_recipe_and_all_else():
    recipe, own = yaml.safe_load(read_recipe("github")), WORKFLOW["jobs"]["recipe"]
    lines = [step.get("run") for step in list_steps(recipe)]
    assert lines[-3] in [step.get("run") for step in own["steps"]]
    assert own["permissions"] == recipe["permissions"]
    assert ".ci/run" in [step.get("run") for step in WORKFLOW["jobs"]["all"]["steps"]]
    assert (ROOT / own["defaults"]["run"]["working-directory"] / "mysite").is_dir()


def test_workflows_may_no_more_than_they_need():
    for workflow in (yaml.safe_load(read_recipe("github")), WORKFLOW):
        granted = [
            workflow["permissions"],
            *(job.get("permissions", {}) for job in workflow["jobs"].values()),
        ]
        assert all(rights.get("contents") in {"read", None} for rights in granted)
        assert {name for rights in granted for name in rights} == {"contents", "security-events"}
        used = [step["uses"] for step in list_steps(workflow) if "uses" in step]
        assert used
        assert [name for name in used if not PINNED.fullmatch(name)] == []
