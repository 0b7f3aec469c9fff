"""The project's sessions: `nox` runs all that CI runs; `nox -s tests-3.12` one of them."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import nox

SUPPORTED = ("3.10", "3.11", "3.12", "3.13", "3.14")
PROJECT = nox.project.load_toml("pyproject.toml")


def unlock_pyenv() -> None:
    """Let every Python that pyenv has answer to its name, where pyenv is in use."""
    pyenv = shutil.which("pyenv")
    if pyenv and "PYENV_VERSION" not in os.environ:
        listed = subprocess.run(  # noqa: S603 # pyenv, found on PATH, with fixed arguments
            [pyenv, "versions", "--bare"], capture_output=True, text=True, check=True
        )
        versions = [name for name in listed.stdout.split() if name.startswith(SUPPORTED)]
        if versions:
            os.environ["PYENV_VERSION"] = ":".join(versions)


def find_pythons() -> list[str]:
    """Return the supported versions that can be started here."""
    found = []
    for version in SUPPORTED:
        python = shutil.which(f"python{version}")
        if python and not subprocess.run([python, "-c", ""], check=False).returncode:  # noqa: S603 # a Python found on PATH
            found.append(version)
    return found


unlock_pyenv()
PYTHONS = find_pythons()
COVERED = "3.11" if "3.11" in PYTHONS else PYTHONS[-1]
"""The Python whose run measures coverage, and which checks style and the oldest pytest."""

nox.options.sessions = ["lint", "tests", "oldest", "proof"]
nox.options.error_on_missing_interpreters = True


def build_wheel(session: nox.Session) -> Path:
    """Build the wheel and return its file."""
    dist = Path(session.create_tmp()) / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    session.install("build")
    session.run("python", "-m", "build", "--wheel", "--outdir", str(dist), silent=True)
    (wheel,) = dist.glob("*.whl")
    return wheel


def install_wheel(session: nox.Session, *more: str) -> None:
    """Build the wheel and install that, not the checkout, with what the tests need."""
    wheel = build_wheel(session)
    tools = nox.project.dependency_groups(PROJECT, "tests", "frameworks", "servers")
    session.install(f"{wheel}[webtest,paste]", *tools, *more)


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run the tests against the built wheel; with branch coverage on one Python."""
    install_wheel(session)
    session.env["COVERAGE_FILE"] = str(Path(session.create_tmp()) / "coverage")
    if session.python == COVERED and not session.posargs:
        session.run("coverage", "run", "-m", "pytest")
        session.run("coverage", "report")
    else:
        session.run("pytest", "-n", "2", *session.posargs)


@nox.session(python=COVERED)
def oldest(session: nox.Session) -> None:
    """Run the tests of the plugin on the oldest pytest that is supported."""
    install_wheel(session, "pytest~=8.4.0")
    session.run("pytest", *(session.posargs or ("tests/plugin",)))
    session.run("pytest", "--wsgi-selftest")


@nox.session(python=COVERED)
def proof(session: nox.Session) -> None:
    """Check reports/kills.md, which sets every program before this suite and other linters."""
    if session.python != "3.11":
        session.skip("the page is made with Python 3.11")
    peers = nox.project.dependency_groups(PROJECT, "peers")
    session.install(str(build_wheel(session)), *peers)
    session.env["PYTHONPATH"] = os.pathsep.join(("tests", "fixtures"))
    session.run("python", "-m", "proof_page", *(session.posargs or ("--check",)))


@nox.session(python=COVERED)
def lint(session: nox.Session) -> None:
    """Check style, types and layers."""
    session.install(".[webtest]", *nox.project.dependency_groups(PROJECT, "lint"))
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("mypy")
    session.run("lint-imports")
