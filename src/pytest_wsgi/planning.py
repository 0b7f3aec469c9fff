"""What a run is asked for: its targets, located but not loaded, and the user's wishes."""

from __future__ import annotations

import datetime as dt
import os
import shlex
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_wsgi.catalogue import CATALOGUE
from pytest_wsgi.examination import Examination, Wishes
from pytest_wsgi.exchange import Loading, Problem
from pytest_wsgi.loading import load, locate, parse_spec, put_on_path, search_path
from pytest_wsgi.loading.command import LAYER, MIDDLEWARE
from pytest_wsgi.loading.launch.launcher import Circumstances, Launcher
from pytest_wsgi.loading.launch.process import list_environ
from pytest_wsgi.loading.layer import find_layers, load_layer
from pytest_wsgi.matter import choose_for
from pytest_wsgi.option_values import (
    DEFAULT_MODE,
    OptionError,
    Options,
    list_words,
    read_pair,
    read_path,
    read_seconds,
)
from pytest_wsgi.own_code import DEFAULT_PATTERNS, OwnCode
from pytest_wsgi.reach import Watch
from pytest_wsgi.selection import Selection, choose_rules

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_wsgi.drivers.middleware import Inner
    from pytest_wsgi.loading import Location, Spec
    from pytest_wsgi.loading.boundaries import Boundary
    from pytest_wsgi.reach import Gauge
    from pytest_wsgi.report.baseline import Baseline
    from pytest_wsgi.report.redaction import Redactor

_ANCHORS = ("pyproject.toml", "manage.py", "setup.cfg", "tox.ini", "conftest.py")
"""Files that a target hangs on when its own is missing or lies outside of rootdir."""

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
        mode, is_named = self.options.baseline_mode, bool(self.options.baseline)
        if mode == DEFAULT_MODE and not is_named:
            return None
        from pytest_wsgi.baselines import (  # noqa: PLC0415 # only when asked for
            BaselineError,
            check_mode,
            read_baseline,
        )

        try:
            check_mode(mode, is_named=is_named)
            today = dt.datetime.now(tz=dt.timezone.utc).astimezone().date()
            return read_baseline(self.baseline_file, mode, today)
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


def group_anchors(targets: Sequence[Target]) -> dict[Path, tuple[Target, ...]]:
    """Return the targets by the file that their items hang on."""
    anchors = dict.fromkeys(target.anchor for target in targets)
    return {
        anchor: tuple(target for target in targets if target.anchor == anchor) for anchor in anchors
    }
