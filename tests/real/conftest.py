"""Runs the real command, in a directory of its own, on applications of real frameworks."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

APPS = Path(__file__).parents[2] / "fixtures" / "apps"

_OURS = (
    "COVERAGE_",
    "COV_",
    "DJANGO_SETTINGS_MODULE",
    "PYTEST_",
    "PYTHONDONTWRITEBYTECODE",  # dozens of processes would each compile the same modules
    "PYTHONPATH",
)
"""What the environment of this run must not pass on to the run under test: prefixes of names."""


@dataclass(frozen=True, slots=True)
class Run:
    """What came of one run of the command: its exit code, what it printed, and its JSON report."""

    exit_code: int
    output: str
    report: dict

    def list_broken(self, *levels):
        """Return the ids of the broken rules of these levels, or of all."""
        return {
            rule["id"]
            for rule in self.report["rules"]
            if rule["verdict"] == "broken" and (not levels or rule["level"] in levels)
        }

    def list_errors(self):
        """Return the ids of the rules that ended in an error of the harness."""
        return {rule["id"] for rule in self.report["rules"] if rule["verdict"] == "harness error"}


def make_environ(*directories):
    """Return the environment of a fresh shell, with directories to import from."""
    environ = {key: value for key, value in os.environ.items() if not key.startswith(_OURS)}
    return {**environ, "PYTHONPATH": os.pathsep.join(map(str, directories))}


@pytest.fixture
def examine(tmp_path):
    """Return a function that runs the command and returns what came of it."""

    def run(spec, *options, directory=tmp_path, libraries=()):
        report = tmp_path / "report.json"
        report.unlink(missing_ok=True)
        command = [sys.executable, "-m", "pytest", "--wsgi-app", spec, "--wsgi-report", str(report)]
        ini = directory / "pytest.ini"  # its own: that of this repository is not the user's
        if not ini.exists():
            ini.write_text("[pytest]\n", encoding="utf-8")
        done = subprocess.run(
            [*command, *options],
            cwd=directory,
            env=make_environ(*libraries),
            capture_output=True,
            text=True,
            check=False,
        )
        output = done.stdout + done.stderr
        assert report.is_file(), output
        found = Run(done.returncode, output, json.loads(report.read_text("utf-8")))
        assert not found.list_errors(), output
        return found

    return run


@pytest.fixture
def bring(tmp_path):
    """Return a function that copies a module of fixtures/apps to where the command is run."""

    def copy(module, directory=tmp_path):
        shutil.copy(APPS / module, directory)

    return copy


@pytest.fixture(scope="session")
def obtain_library(pytestconfig, tmp_path_factory):
    """Return a function that installs requirements below the cache, once, and says where.

    Several versions of one framework cannot live in one environment.
    """
    cache = getattr(pytestconfig, "cache", None)
    home = cache.mkdir("frameworks") if cache else tmp_path_factory.mktemp("frameworks")
    python = f"py{sys.version_info[0]}.{sys.version_info[1]}"

    def obtain(name, *requirements):
        place = home / f"{name}-{python}"
        if not place.is_dir():
            fresh = tmp_path_factory.mktemp("library") / name
            install(fresh, *requirements)
            move(fresh, place)
        return place

    return obtain


def install(place, *requirements):
    """Install requirements from the registry into a directory."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run(
        [*command, "--target", str(place), *requirements],
        env=make_environ(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.fail(f"pip could not install {requirements}:\n{done.stderr}", pytrace=False)


def move(fresh, place):
    """Move a directory to its place in one step; another worker may have been faster."""
    beside = place.with_name(f"{place.name}.{os.getpid()}")
    shutil.move(fresh, beside)
    try:
        beside.rename(place)
    except OSError:
        shutil.rmtree(beside)
        assert place.is_dir()
