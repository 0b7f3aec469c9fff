"""The project's sessions: `nox` runs all that CI runs; `nox -s tests-3.12` one of them."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree as ET

import nox
from nox.command import CommandFailed

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
MEASURED = "3.11"
"""The Python whose runs measure coverage."""

COVERED = MEASURED if MEASURED in PYTHONS else PYTHONS[-1]
"""The Python which checks style and the oldest pytest, and all that needs only one."""

nox.options.sessions = [
    *("lint", "tests", "programs", "real", "coverage"),
    *("oldest", "middleware", "proof", "browser"),
]
nox.options.error_on_missing_interpreters = True

SPREAD = ("-n", "2", "--dist", "worksteal")
"""Two processes; each begins with one half, so that what a directory shares is made once."""

SUITE = ("-m", "not slow and not programs and not browser and not examples")
"""What is marked so is run by other sessions: `real`, `programs`, `browser` and `proof`."""

PROGRAMS = ("-m", "programs and not examples")
REAL = ("-m", "slow and not browser and not examples")

NEWEST = PYTHONS[-1]

NOT_BETWEEN = (
    "--ignore=tests/plugin/test_two_sites.py",
    *(
        f"--ignore=tests/real/test_{name}.py"
        for name in ("changing_pages", "deployment", "django", "flask_files", "frameworks")
    ),
)
"""What runs on COVERED and NEWEST only: real frameworks, the servers, two sites of Django.

What these do differently from one Python to the next is not ours, and each series of Django that is
tested supports one of the two. What stays of tests/real is where Python has a part, or where only
the oldest Python has the oldest Django.
"""

CHROMIUM = ("chromium", "chromium-driver", "fonts-dejavu-core")
"""Debian's packages of what that session looks with; the font has the signs of the page."""

FAILED: list[str] = []
"""The tests that failed, with their session; told once more when all is done."""


@atexit.register
def tell_failed() -> None:
    """Let a log end with what failed, however long it is."""
    if FAILED:
        print("Failed:", *FAILED, sep="\n  ")  # noqa: T201 # below what nox prints last


def provide_chromium(session: nox.Session) -> None:
    """Install Chromium and its driver by apt-get, as root or by sudo without a password.

    Where they are there already nothing is done; where they cannot be installed the session fails,
    and says what to do.
    """
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser and shutil.which("chromedriver"):
        return
    words = ["apt-get", "install", "-y", "-q", "--no-install-recommends", *CHROMIUM]
    root = [] if hasattr(os, "geteuid") and os.geteuid() == 0 else ["sudo", "-n"]
    if not all(shutil.which(word) for word in ("apt-get", *root[:1])):
        session.error(f"There is no Chromium to look with. Try: sudo {' '.join(words)}")
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        session.run(*root, "apt-get", "update", "-q", external=True, silent=True, env=quiet)
        session.run(*root, *words, external=True, silent=True, env=quiet)
    except CommandFailed:
        session.error(f"Chromium could not be installed. Try: sudo {' '.join(words)}")


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
    session.install(f"{wheel}[webtest,paste,html]", *tools, *more)


def measure(session: nox.Session) -> dict[str, str]:
    """Return the variables under which tests leave what they reached; nothing but on MEASURED.

    Their processes measure from their start; tests/conftest.py spares what they start.
    """
    if session.python != MEASURED or session.posargs:
        return {}
    place = session.cache_dir / "coverage"
    place.mkdir(exist_ok=True)
    for file in place.glob(f"{session.name}.*"):  # of an earlier run
        file.unlink()
    settings = str(Path("pyproject.toml").resolve())
    return {"COVERAGE_FILE": str(place / session.name), "COVERAGE_PROCESS_START": settings}


def run_tests(session: nox.Session, *words: str, **environ: str) -> None:
    """Run the tests in two processes, and keep the names of those that fail."""
    results = Path(session.create_tmp()) / "results.xml"
    results.unlink(missing_ok=True)
    try:
        session.run("pytest", *SPREAD, f"--junitxml={results}", *words, env=environ)
    except CommandFailed:
        names = list_failed(results) if results.exists() else []
        FAILED.extend(f"{session.name}: {name}" for name in names or ["see its output"])
        raise


def list_failed(results: Path) -> list[str]:
    """Return the tests that did not pass, as pytest wrote them down."""
    cases = ET.parse(results).iter("testcase")  # noqa: S314 # our own file
    return [
        f"{case.get('classname')}::{case.get('name')}"
        for case in cases
        if case.find("failure") is not None or case.find("error") is not None
    ]


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run the suite against the built wheel."""
    install_wheel(session)
    run_tests(session, *(session.posargs or SUITE), **measure(session))


@nox.session(python=PYTHONS)
def programs(session: nox.Session) -> None:
    """Judge every mutant, twin and control; on some Pythons by the self-test that users have."""
    install_wheel(session)
    if session.posargs or session.python in {COVERED, NEWEST}:
        run_tests(session, *(session.posargs or PROGRAMS), **measure(session))
    else:
        session.run("pytest", "--wsgi-selftest")


@nox.session(python=PYTHONS)
def real(session: nox.Session) -> None:
    """Run what needs real frameworks and servers; not all of it on every Python."""
    install_wheel(session)
    between = () if session.python in {COVERED, NEWEST} else NOT_BETWEEN
    run_tests(session, *(session.posargs or (*REAL, *between)), **measure(session))


@nox.session(python=COVERED)
def coverage(session: nox.Session) -> None:
    """Tell which lines tests, programs and real did not reach, all together; run all three before.

    What they left is used up.
    """
    if session.python != MEASURED:
        session.skip(f"coverage is measured with Python {MEASURED}")
    session.install("coverage[toml]")
    session.env["COVERAGE_FILE"] = str(Path(session.create_tmp()) / "all")
    found = map(str, (session.cache_dir / "coverage").glob("*"))
    session.run("coverage", "combine", "--quiet", *found)
    session.run("coverage", "report")


@nox.session(python=COVERED)
def oldest(session: nox.Session) -> None:
    """Run the tests of the plugin on the oldest pytest that is supported."""
    install_wheel(session, "pytest~=8.4.0")
    run_tests(session, *(session.posargs or ("tests/plugin", "-m", "not slow")))


@nox.session(python=COVERED)
def middleware(session: nox.Session) -> None:
    """Judge well-known middleware, which the other sessions do without: some are trackers."""
    if session.python != "3.11":
        session.skip("the page is made with Python 3.11")
    tools = nox.project.dependency_groups(PROJECT, "tests", "middleware")
    session.install(f"{build_wheel(session)}[paste]", *tools)
    run_tests(session, *(session.posargs or ("tests/real/test_middleware.py",)))


@nox.session(python=COVERED)
def browser(session: nox.Session) -> None:
    """Look at the HTML report in Debian's Chromium, which is installed where it is missing."""
    provide_chromium(session)
    tools = nox.project.dependency_groups(PROJECT, "tests", "browser")
    session.install(f"{build_wheel(session)}[html]", *tools)
    run_tests(session, *(session.posargs or ("tests/browser",)), CI="true")


@nox.session(python=COVERED)
def proof(session: nox.Session) -> None:
    """Check the pages about rules: all of their examples, and every program before other linters.

    These are reports/rules.md and reports/kills.md.
    """
    if session.python != "3.11":
        session.skip("the pages are made with Python 3.11")
    tools = nox.project.dependency_groups(PROJECT, "tests", "peers")
    session.install(str(build_wheel(session)), *tools)
    session.env["PYTHONPATH"] = os.pathsep.join(("tests", "fixtures"))
    session.run("python", "-m", "proof_page", *(session.posargs or ("--check",)))
    if not session.posargs:
        run_tests(session, "-m", "examples", "tests/test_rules_page.py", "tests/test_sources.py")


@nox.session(python=COVERED)
def lint(session: nox.Session) -> None:
    """Check style, types and layers."""
    session.install(".[webtest,html,reach]", *nox.project.dependency_groups(PROJECT, "lint"))
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("mypy")
    session.run("lint-imports")
