"""What a run is asked for: its targets, located but not loaded, and the user's wishes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_wsgi.examination import Examination, Wishes
from pytest_wsgi.exchange import Loading, Problem
from pytest_wsgi.loading import load, locate, parse_spec, put_on_path, search_path

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pytest_wsgi.loading import Location, Spec

_ANCHORS = ("pyproject.toml", "manage.py", "setup.cfg", "tox.ini", "conftest.py")
"""Files that a target hangs on when its own is missing or lies outside of rootdir."""


FIXTURE_MISSING = Problem(
    "fixture-missing",
    "The target is the fixture wsgi_app, and no conftest.py in reach defines it.\n"
    "Define it, with session scope, in the conftest.py beside pyproject.toml or pytest.ini:\n"
    "  @pytest.fixture(scope='session')\n"
    "  def wsgi_app():\n"
    "      return make_my_application()\n"
    "Try: pytest --wsgi-app mysite.wsgi.application",
)


class OptionError(Exception):
    """An option cannot be read; the message says what was given and what it takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options as given. `asked` holds pairs of origin and SPEC; `seconds` bound a request."""

    asked: tuple[tuple[str, str], ...] = ()
    env: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    host: str = ""
    unsafe: bool = False
    strict: bool = False
    seconds: str = "10"


@dataclass(kw_only=True)
class Target:
    """One `--wsgi-app`: its label in node ids, the file its items hang on, and its examination."""

    spec: Spec
    origin: str
    label: str
    anchor: Path
    location: Location
    examination: Examination


class Plan:
    """Every target of a run. Raises OptionError and SpecError for options that cannot be read."""

    def __init__(
        self, options: Options, *, directory: Path, rootdir: Path, ini: Path | None
    ) -> None:
        self.options = options
        self.rootdir = rootdir
        self.ini = ini
        self.env = dict(read_pair(text) for text in options.env)
        self.search = search_path(directory, rootdir)
        self.wishes = Wishes(
            host=options.host, unsafe=options.unsafe, seconds=read_seconds(options.seconds)
        )
        self.paths = tuple(read_path(text) for text in options.paths)
        self.targets: list[Target] = []
        for origin, text in options.asked:
            self.targets.append(self.plan(origin, text))

    def plan(self, origin: str, text: str) -> Target:
        """Return the target of a SPEC."""
        spec = parse_spec(text)
        location = locate(spec, paths=self.search, rootdir=self.rootdir, env=self.env)
        taken = [target.location.label for target in self.targets]
        again = taken.count(location.label)
        return Target(
            spec=spec,
            origin=origin,
            label=f"{location.label}-{again + 1}" if again else location.label,
            anchor=self.find_anchor(spec, location),
            location=location,
            examination=Examination(load=lambda: self.load(spec, origin), wishes=self.wishes),
        )

    def load(self, spec: Spec, origin: str) -> tuple[object | None, Loading]:
        """Import the target of a SPEC; that of the word `fixture` can only come from a fixture."""
        if spec.kind == "fixture":
            return None, Loading(
                spec=spec.text, label=spec.kind, origin=origin, problem=FIXTURE_MISSING
            )
        put_on_path(self.search)
        return load(spec, origin=origin, env=self.env, paths=self.search, rootdir=self.rootdir)

    def find_anchor(self, spec: Spec, location: Location) -> Path:
        """Return the file that a target's items hang on: its own where it lies below rootdir."""
        own = location.file
        if own is not None and own.is_relative_to(self.rootdir):
            return own
        if spec.kind == "fixture":
            return self.rootdir / "conftest.py"
        files = [*([self.ini] if self.ini else []), *(self.rootdir / name for name in _ANCHORS)]
        return next((file for file in files if file.is_file()), self.rootdir / "wsgi.py")


def read_pair(text: str) -> tuple[str, str]:
    """Return name and value of NAME=VALUE."""
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise OptionError(
            f"--wsgi-env takes NAME=VALUE, but was given {text!r}.\n"
            "Try: pytest --wsgi-app mysite.wsgi.application "
            "--wsgi-env DJANGO_SETTINGS_MODULE=mysite.settings"
        )
    return name.strip(), value


def read_seconds(text: str) -> float:
    """Return a positive number of seconds."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise OptionError(
            f"--wsgi-timeout takes a number of seconds above 0, but was given {text!r}.\n"
            "Try: pytest --wsgi-app mysite.wsgi.application --wsgi-timeout 30"
        )
    return seconds


def read_path(text: str) -> str:
    """Return a request path; it starts with a slash and has neither query nor fragment."""
    if not text.startswith("/") or any(mark in text for mark in "?# "):
        raise OptionError(
            f"--wsgi-path takes a path such as /about/, without query, but was given {text!r}.\n"
            f"Try: pytest --wsgi-app mysite.wsgi.application --wsgi-path /about/"
        )
    return text.encode().decode("latin-1")


def group_anchors(targets: Sequence[Target]) -> dict[Path, tuple[Target, ...]]:
    """Return the targets by the file that their items hang on."""
    anchors = dict.fromkeys(target.anchor for target in targets)
    return {
        anchor: tuple(target for target in targets if target.anchor == anchor) for anchor in anchors
    }
