"""What a run is asked for: its targets, located but not loaded, and the user's wishes."""

from __future__ import annotations

import datetime as dt
import os
import re
import shlex
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import count, pairwise
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from pytest_wsgi.catalogue import CATALOGUE
from pytest_wsgi.examination import Examination, Wishes
from pytest_wsgi.exchange import Loading, Problem
from pytest_wsgi.loading import load, locate, parse_spec, put_on_path, search_path
from pytest_wsgi.loading.command import LAYER, MIDDLEWARE
from pytest_wsgi.loading.launch.launcher import Circumstances, Launcher
from pytest_wsgi.loading.launch.process import list_environ
from pytest_wsgi.loading.layer import find_layers, load_layer
from pytest_wsgi.matter import choose_for
from pytest_wsgi.own_code import DEFAULT_PATTERNS, OwnCode
from pytest_wsgi.reach import Watch
from pytest_wsgi.report.redaction import find_secrets
from pytest_wsgi.selection import Selection, choose_rules

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_wsgi.drivers.middleware import Inner
    from pytest_wsgi.loading import Location, Spec
    from pytest_wsgi.loading.boundaries import Boundary
    from pytest_wsgi.reach import Gauge
    from pytest_wsgi.report.baseline import Baseline
    from pytest_wsgi.report.redaction import Redactor

_ANCHORS = ("pyproject.toml", "manage.py", "setup.cfg", "tox.ini", "conftest.py")
"""Files that a target hangs on when its own is missing or lies outside of rootdir."""

DEFAULT_SECONDS = "10"
DEFAULT_MODE = "check"

_VALUED = tuple(
    f"--wsgi-{name}"
    for name in (
        "app",
        "baseline",
        "env",
        "host",
        "layer",
        "middleware",
        "override",
        "path",
        "report",
        "timeout",
    )
)

_SECRET = re.compile(r"secret|passw|token|key|credential|auth|dsn", re.IGNORECASE)

FIXTURE_MISSING = Problem(
    "fixture-missing",
    "The target is the fixture wsgi_app, and no conftest.py in reach defines it.\n"
    "Define it in the conftest.py beside pyproject.toml or pytest.ini; one further down is "
    "only seen by the tests beside it:\n"
    "  @pytest.fixture(scope='session')\n"
    "  def wsgi_app():\n"
    "      return make_my_application()\n"
    "Try: pytest --wsgi-app mysite.wsgi.application",
)


class OptionError(Exception):
    """An option cannot be read; the message says what was given and what it takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options as given. `asked` holds pairs of origin and SPEC; `seconds` bound a request.

    `middleware` holds such pairs too, `layers` SPECs. `select`, `ignore` and `reading` are those of
    `selection.Selection`. `overrides` declare variables that configure the target. `proposed` tells
    that this run has written the wsgi.py. `baseline` names a file, or is empty. `reach` asks what
    is reached of the user's code, but for tests, whose modules and directories are `python_files`
    and `testpaths`.
    """

    asked: tuple[tuple[str, str], ...] = ()
    middleware: tuple[tuple[str, str], ...] = ()
    layers: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    proposed: bool = False
    host: str = ""
    unsafe: bool = False
    strict: bool = False
    seconds: str = DEFAULT_SECONDS
    baseline: str = ""
    baseline_mode: str = DEFAULT_MODE
    select: tuple[str, ...] = ()
    ignore: tuple[tuple[str, str], ...] = ()
    reading: str = ""
    reach: bool = False
    python_files: tuple[str, ...] = ()
    testpaths: tuple[str, ...] = ()


@dataclass(kw_only=True)
class Target:
    """One `--wsgi-app` or `--wsgi-middleware`, or all of the latter as a stack.

    It has a label in node ids, the file that its items hang on, and its examination.
    """

    spec: Spec
    kind: str = "application"
    origin: str
    label: str
    anchor: Path
    location: Location
    examination: Examination


class Plan:
    """Every target of a run, and the rules that it judges by.

    Raises OptionError, SpecError and SelectionError for options that cannot be read.
    """

    def __init__(
        self, options: Options, *, directory: Path, rootdir: Path, ini: Path | None
    ) -> None:
        self.options = options
        self.directory = directory
        self.rootdir = rootdir
        self.ini = ini
        self.env = dict(read_pair(text) for text in options.env)
        self.overrides = tuple(read_pair(text, "--wsgi-override") for text in options.overrides)
        self.environ = list_environ()
        self.search = search_path(directory, rootdir)
        self.wishes = Wishes(
            host=options.host, unsafe=options.unsafe, seconds=read_seconds(options.seconds)
        )
        self.choice = choose_rules(
            Selection(select=options.select, ignore=options.ignore, reading=options.reading)
        )
        self.paths = tuple(dict.fromkeys(read_path(text) for text in options.paths))
        self.baseline = self.read_baseline()
        self.layers = [parse_spec(text, LAYER) for text in options.layers]
        self.targets: list[Target] = []
        for origin, text in options.asked:
            self.targets.append(self.plan(origin, text))
        specs = [parse_spec(text, MIDDLEWARE) for _, text in options.middleware]
        for (origin, _), spec in zip(options.middleware, specs, strict=True):
            self.targets.append(self.plan_middleware(origin, [spec]))
        if len(specs) > 1:
            self.targets.append(self.plan_middleware(options.middleware[0][0], specs))

    def watch(self, gauge: Gauge) -> None:
        """Have measured what each target reaches of the user's own code.

        A directory of tests that holds a target is one of its code too.
        """
        anchors = [target.anchor for target in self.targets]
        directories = [self.rootdir / name for name in self.options.testpaths]
        tests = [
            directory.resolve()
            for directory in directories
            if not any(anchor.is_relative_to(directory) for anchor in anchors)
        ]
        own = OwnCode(
            root=self.rootdir.resolve(),
            patterns=self.options.python_files or DEFAULT_PATTERNS,
            testpaths=tuple(tests),
        )
        for target in self.targets:
            target.examination.watch = Watch(gauge, target.label, own)

    def read_baseline(self) -> Baseline | None:
        """Return the known findings, None where no baseline is asked for. Raises OptionError."""
        if not self.options.baseline and self.options.baseline_mode == DEFAULT_MODE:
            return None
        from pytest_wsgi.baselines import (  # noqa: PLC0415 # only when asked for
            MODES,
            BaselineError,
            read_baseline,
        )

        if self.options.baseline_mode not in MODES:
            raise OptionError(
                f"--wsgi-baseline-mode takes {', '.join(MODES)}, but was given "
                f"{self.options.baseline_mode!r}.\n"
                "Try: pytest --wsgi-baseline wsgi-baseline.toml --wsgi-baseline-mode update"
            )
        if not self.options.baseline:
            return None
        try:
            today = dt.datetime.now(tz=dt.timezone.utc).astimezone().date()
            return read_baseline(self.baseline_file, self.options.baseline_mode, today)
        except BaselineError as error:
            raise OptionError(str(error)) from None

    @property
    def baseline_file(self) -> Path:
        """The file of the baseline; a relative one is that of the directory of this run."""
        return self.directory / self.options.baseline

    @property
    def first_application(self) -> Target | None:
        """The target that the fixture `wsgi_app` gives, None where no application is asked for."""
        return next((target for target in self.targets if target.kind == "application"), None)

    @cached_property
    def words(self) -> tuple[str, ...]:
        """What differs from the defaults, as words of a command."""
        return tuple(list_words(self.options, self.directory))

    @property
    def variables(self) -> dict[str, str]:
        """The variables as they were at the start, and those that the options give."""
        return {**self.environ, **dict(self.overrides), **self.env}

    def obtain_redactor(self, label: str) -> Redactor:
        """Return what takes the secrets of a target out of texts, by the target's label."""
        target = next(target for target in self.targets if target.label == label)
        return target.examination.obtain_redactor()

    def plan(self, origin: str, text: str) -> Target:
        """Return the target of a SPEC."""
        spec = parse_spec(text)
        location = locate(spec, paths=self.search, rootdir=self.rootdir, env=self.env)
        return Target(
            spec=spec,
            origin=origin,
            label=self.find_label(location.label),
            anchor=self.find_anchor(spec, location),
            location=location,
            examination=Examination(
                load=lambda: self.load(spec, origin),
                rules=choose_for(self.choice.rules, "application"),
                wishes=self.wishes,
                root=str(self.rootdir),
                environ=self.variables,
                find_layers=self.find_layers,
                layer_rules={
                    name: rule
                    for name, rule in choose_for(CATALOGUE, "middleware").items()
                    if name not in self.choice.ignored
                },
                launcher=self.make_launcher(spec, origin, location),
            ),
        )

    def plan_middleware(self, origin: str, specs: Sequence[Spec]) -> Target:
        """Return the target of one middleware, or of several as a stack, the first outermost."""
        from pytest_wsgi.drivers.middleware import Inner  # noqa: PLC0415 # only for middleware

        spec, inner = specs[0], Inner()
        location = locate(spec, paths=self.search, rootdir=self.rootdir, env=self.env)
        label = spec.label or location.label
        if len(specs) > 1:
            label = "stack"
            spec = replace(spec, text=" > ".join(one.text for one in specs), label=label)
        return Target(
            spec=spec,
            kind="middleware",
            origin=origin,
            label=self.find_label(label),
            anchor=self.find_anchor(spec, location),
            location=location,
            examination=Examination(
                load=lambda: self.load_middleware(specs, inner, origin),
                inner=inner,
                rules=choose_for(self.choice.rules, "middleware"),
                wishes=self.wishes,
                root=str(self.rootdir),
                environ=self.variables,
            ),
        )

    def load_middleware(
        self, specs: Sequence[Spec], inner: Inner, origin: str
    ) -> tuple[object | None, Loading]:
        """Import the middleware of a SPEC, or of several, and put it around `inner`."""
        from pytest_wsgi.loading.middleware import (  # noqa: PLC0415 # only for middleware
            load_middleware,
            load_stack,
        )

        self.prepare()
        paths, root = self.search, self.rootdir
        if len(specs) > 1:
            return load_stack(specs, inner, origin=origin, env=self.env, paths=paths, rootdir=root)
        spec = specs[0]
        return load_middleware(spec, inner, origin=origin, env=self.env, paths=paths, rootdir=root)

    def make_launcher(self, spec: Spec, origin: str, location: Location) -> Launcher | None:
        """Return what loads a target in fresh processes; None where there is no SPEC to load."""
        if spec.kind == "fixture":
            return None
        around = Circumstances(
            origin=origin,
            paths=tuple(self.search),
            rootdir=self.rootdir,
            directory=self.directory,
            environ=self.environ,
            given=self.env,
            overrides=self.overrides,
            host=self.options.host,
            seconds=self.wishes.seconds,
            built_in=self.options.proposed,
        )
        return Launcher(spec, location.file, around)

    def find_label(self, wanted: str) -> str:
        """Return a label that no other target has."""
        taken = {target.label for target in self.targets}
        if wanted not in taken:
            return wanted
        numbered = (f"{wanted}-{number}" for number in count(2))
        return next(label for label in numbered if label not in taken)

    def find_anchor(self, spec: Spec, location: Location) -> Path:
        """Return the file that a target's items hang on: its own where it lies below rootdir.

        Else it is one that is there, so that ids can be pasted back; with none, they cannot.
        """
        own = None if location.file is None else Path(os.path.normpath(location.file))
        if own is not None and own.is_relative_to(self.rootdir):
            return own
        files = [self.rootdir / name for name in _ANCHORS]
        if self.ini is not None and self.ini.is_relative_to(self.rootdir):
            files.insert(0, self.ini)
        if spec.kind == "fixture":
            files.insert(0, self.rootdir / "conftest.py")
        return next((file for file in files if file.is_file()), own or self.rootdir / "wsgi.py")

    def prepare(self) -> None:
        """Set the variables of --wsgi-env and sys.path, which the target may need to be made."""
        os.environ.update(self.env)
        put_on_path(self.search)

    def load(self, spec: Spec, origin: str) -> tuple[object | None, Loading]:
        """Import the target of a SPEC; that of the word `fixture` can only come from a fixture."""
        if spec.kind == "fixture":
            return None, Loading(
                spec=spec.text, label=spec.kind, origin=origin, problem=FIXTURE_MISSING
            )
        put_on_path(self.search)
        return load(spec, origin=origin, env=self.env, paths=self.search, rootdir=self.rootdir)

    def find_layers(self, application: object) -> tuple[Boundary, ...]:
        """Return the boundaries within a loaded application. Raises LoadError for --wsgi-layer."""
        named = [
            load_layer(spec, application, paths=self.search, rootdir=self.rootdir)
            for spec in self.layers
        ]
        return find_layers(application, named)

    def find_command(self, path: Path, name: str, *more: str) -> str:
        """Return the command that runs one item again, from the directory of this run.

        `path` and `name` make up the item's id; `more` are further words, fit for a shell.
        """
        item = shlex.quote(f"{Path(os.path.relpath(path, self.directory)).as_posix()}::{name}")
        return " ".join(["pytest", *self.words, *more, item])


def list_words(options: Options, directory: Path) -> Iterator[str]:
    """Yield what differs from the defaults as words of a command, fit for a shell.

    `directory` is where the command runs; a value that is a place outside of it is joined with `=`.
    """
    given = (
        *(("--wsgi-app", text, shlex.quote(text)) for _, text in options.asked),
        *(("--wsgi-middleware", text, shlex.quote(text)) for _, text in options.middleware),
        *(("--wsgi-layer", text, shlex.quote(text)) for text in options.layers),
        *(("--wsgi-env", text, quote_pair(text)) for text in options.env),
        *(("--wsgi-override", text, quote_pair(text)) for text in options.overrides),
        *(("--wsgi-path", text, shlex.quote(text)) for text in options.paths),
        *(("--wsgi-host", text, shlex.quote(text)) for text in (options.host,)),
        *(("--wsgi-timeout", text, shlex.quote(text)) for text in (options.seconds,)),
        *(("--wsgi-reading", text, shlex.quote(text)) for text in (options.reading,)),
        *(("--wsgi-baseline", text, shlex.quote(text)) for text in (options.baseline,)),
    )
    for option, value, word in given:
        if value not in {"", DEFAULT_SECONDS}:
            yield f"{option}{'=' if is_outside(value, directory) else ' '}{word}"
    if options.unsafe:
        yield "--wsgi-unsafe"
    if options.strict:
        yield "--wsgi-strict"


def quote_pair(text: str) -> str:
    """Return NAME=VALUE fit for a shell; a value that may be secret is left to the shell."""
    name, value = read_pair(text)
    is_secret = any(find_secrets({name: value}))
    if name.isidentifier() and (is_secret or _SECRET.search(name) or "@" in value):
        return f'{name}="${name}"'
    return shlex.quote(f"{name}=..." if is_secret else text)


def refuse_places(words: Sequence[str], directory: Path) -> None:
    """Refuse values of our options that pytest would find rootdir by; raises OptionError.

    pytest finds rootdir, and with it the ini file, before it knows the options of plugins: it takes
    every word that names something that is there for an argument.
    """
    for option, value in pairwise(words):
        if option in _VALUED and is_outside(value, directory, is_made=option == "--wsgi-report"):
            raise OptionError(
                f"{option} {value}: pytest takes a word that names a file or directory for an "
                "argument, and would look for its ini file there. Join the two.\n"
                f"Try: pytest {option}={shlex.quote(value)}"
            )


def is_outside(value: str, directory: Path, *, is_made: bool = False) -> bool:
    """Tell whether a value names something outside of `directory` that is there, or `is_made`."""
    place = Path(os.path.normpath(directory / value.partition("::")[0]))
    try:
        return not place.is_relative_to(directory) and (is_made or place.exists())
    except (OSError, ValueError):  # too long, or a null byte
        return False


def read_pair(text: str, option: str = "--wsgi-env") -> tuple[str, str]:
    """Return name and value of NAME=VALUE."""
    name, equals, value = text.partition("=")
    if not equals or not name.strip() or "\0" in text:
        raise OptionError(
            f"{option} takes NAME=VALUE, but was given {text!r}.\n"
            "Try: pytest --wsgi-app mysite.wsgi.application "
            f"{option} DJANGO_SETTINGS_MODULE=mysite.settings"
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
    """Return a request path as PATH_INFO has it: decoded, its bytes as latin-1 text."""
    if not text.startswith("/") or any(mark in text for mark in "?# "):
        raise OptionError(
            f"--wsgi-path takes a path such as /about/, without query, but was given {text!r}.\n"
            "Try: pytest --wsgi-app mysite.wsgi.application --wsgi-path /about/"
        )
    return unquote_to_bytes(text).decode("latin-1")


def group_anchors(targets: Sequence[Target]) -> dict[Path, tuple[Target, ...]]:
    """Return the targets by the file that their items hang on."""
    anchors = dict.fromkeys(target.anchor for target in targets)
    return {
        anchor: tuple(target for target in targets if target.anchor == anchor) for anchor in anchors
    }
