"""Launches a target under several circumstances at once, and puts together what they told."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pytest_wsgi.launches import ENVIRONMENT, Launches, Override
from pytest_wsgi.loading import source
from pytest_wsgi.loading.django import VARIABLE
from pytest_wsgi.loading.launch.job import SENTINEL, Job
from pytest_wsgi.loading.launch.process import C_LOCALE, collect, scrub, start, stop
from pytest_wsgi.loading.modules import find_module
from pytest_wsgi.loading.paths import find_manage, relative

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pytest_wsgi.launches import Launch
    from pytest_wsgi.loading.launch.process import Fresh
    from pytest_wsgi.loading.spec import Spec

UNSEEN = "a variable that was not seen to be read"

_SECONDS = 60.0
"""The least wall time that one launch may take; a server would wait as long."""

_EXCHANGES = 6
"""How many exchanges of the greatest length a launch may take."""

_USUAL = re.compile(
    r"(PYTHON|LC_|XDG_|SSL_|DISPLAY|COLOR|NO_COLOR|FORCE_COLOR)\w*|TERM|USER|LOGNAME|SHELL|PWD|"
    r"EDITOR|VISUAL|COLUMNS|LINES|VIRTUAL_ENV|TZ|HOSTNAME|MAIL|\w*_proxy|\w*_PROXY|CI"
)
"""Variables that libraries read wherever they are, and do without."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """Where and how a target is launched.

    `environ` is the environment of pytest before anything was loaded, `given` the variables of
    --wsgi-env. `paths` is `search_path(...)`, `directory` the invocation directory. `overrides` are
    the pairs of --wsgi-override. `host` and `seconds` are those of the run. `built_in` compares
    with Django's own handler instead of with what WSGI_APPLICATION names.
    """

    origin: str
    paths: tuple[str, ...]
    rootdir: Path
    directory: Path
    environ: Mapping[str, str]
    given: Mapping[str, str] = field(default_factory=dict)
    overrides: tuple[tuple[str, str], ...] = ()
    host: str = ""
    seconds: float = 10.0
    built_in: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """What one launch is for: `environ` is added to its environment.

    It starts `elsewhere` than in the invocation directory. `deep` and `extra` are those of a Job.
    """

    environ: Mapping[str, str] = field(default_factory=dict)
    elsewhere: bool = False
    deep: bool = False
    extra: tuple[str, ...] = ()


_ALONE = Errand(deep=True)
_HARSHEST = Errand(environ=C_LOCALE, elsewhere=True, deep=True)
"""All that may make a load fail, at once: where all goes well, one process has told it all."""


class Launcher:
    """Launches one target, which `file` defines.

    `start` it early and `collect` late: the processes run beside all else.
    """

    def __init__(self, spec: Spec, file: Path | None, circumstances: Circumstances) -> None:
        self.spec = spec
        self.file = file
        self.around = circumstances
        paths = circumstances.paths
        self.path = [entry for entry in sys.path if entry and entry not in paths]
        self.base = scrub(circumstances.environ, circumstances.given)
        self.running: dict[str, Fresh] = {}
        self.errands: dict[str, Errand] = {}
        self.spares_database = False

    def start(self, *, spare_database: bool = False) -> None:
        """Start the launches that every target gets.

        With `spare_database`, because the tests have one of their own, no request reaches the real
        one of a Django project. Nothing is started twice, unless that has changed.
        """
        if self.running and self.spares_database == spare_database:
            return
        self.stop()
        self.spares_database = spare_database
        self.launch("harshest", _HARSHEST)
        if self.around.overrides:
            self.launch("alone", _ALONE)
        for name, value in self.around.overrides:
            self.launch(f"override {name}", Errand(environ={name: value}))

    def stop(self) -> None:
        """End what still runs; nothing is asked of it any more."""
        for fresh in self.running.values():
            stop(fresh)
            fresh.home.cleanup()
        self.running.clear()

    def collect(self, code: int | None) -> Launches:
        """Await all launches and return what they told; `code` is what the plain GET got here."""
        try:
            harshest = self.await_launch("harshest")
            alone = self.collect_alone(harshest, code)
            if alone.needs:  # what it needs it needs everywhere
                self.launch("harshest", _HARSHEST)
                harshest = self.await_launch("harshest")
            elsewhere, c_locale = self.collect_away(alone, harshest)
            return Launches(
                alone=alone,
                elsewhere=elsewhere,
                c_locale=c_locale,
                sentinel_wins=self.find_sentinel_wins(alone),
                given=tuple(self.around.given),
                overrides=tuple(self.collect_overrides(alone, harshest)),
                code=code,
                has_test_database=self.spares_database,
                named=tuple(self.list_named_settings(alone)),
            )
        finally:
            self.stop()

    def collect_alone(self, harshest: Launch, code: int | None) -> Launch:
        """Return the launch with nothing but defaults.

        The harshest one stands for it where all went well. One that needs variables of this
        environment gets them, and its `needs` name them.
        """
        is_spared = self.spares_database and harshest.is_of_database
        is_alike = harshest.problem is None and (harshest.code == code or is_spared)
        if is_alike and not self.around.overrides:
            return harshest
        if "alone" not in self.running:
            self.launch("alone", _ALONE)
        alone = self.await_launch("alone")
        names = self.list_withheld()
        if alone.problem is None or not names:
            return alone
        told = {name: self.around.environ[name] for name in names}
        self.launch("alone", replace(_ALONE, environ=told, extra=tuple(names)))
        richer = self.await_launch("alone")
        if richer.problem is not None:
            return alone
        self.base |= {name: told[name] for name in (richer.needs or names)}
        for key in list(self.running):
            self.relaunch(key)
        needs = tuple(name for name in richer.needs if not _USUAL.fullmatch(name))
        return replace(richer, needs=needs or (UNSEEN,))

    def collect_away(self, alone: Launch, harshest: Launch) -> tuple[Launch | None, Launch | None]:
        """Return the launches elsewhere and in the locale C; one process may stand for both."""
        if alone.problem is not None:
            return None, None  # it is no wonder that these fail as well
        if harshest.problem is None:
            return harshest, harshest
        self.launch("elsewhere", Errand(elsewhere=True))
        self.launch("c locale", Errand(environ=C_LOCALE))
        return self.await_launch("elsewhere"), self.await_launch("c locale")

    def find_sentinel_wins(self, alone: Launch) -> bool | None:
        """Return whether a settings module from outside wins; None where that is not known.

        A process of its own finds out where the settings are named elsewhere than in the module.
        """
        if alone.sentinel_wins is not None or not alone.settings or VARIABLE in self.around.given:
            return alone.sentinel_wins
        self.launch("sentinel", Errand(environ={VARIABLE: SENTINEL}))
        launch = self.await_launch("sentinel")
        if launch.problem is None:
            return False
        return True if SENTINEL in launch.problem.message else None

    def collect_overrides(self, alone: Launch, harshest: Launch) -> Iterator[Override]:
        """Yield what each override changed; parts that come and go by themselves do not count."""
        for name, value in self.around.overrides:
            launch = self.await_launch(f"override {name}")
            if alone.problem is not None:
                continue
            changed = list(compare_configurations(alone, launch))
            volatile = set(compare_configurations(alone, harshest))
            lasting = tuple(part for part in changed if part not in volatile)
            problem = launch.problem.message.partition("\n")[0] if launch.problem else ""
            yield Override(name=name, value=value, changed=lasting, problem=problem)

    def list_withheld(self) -> list[str]:
        """Return the variables of this environment that a fresh process does not get.

        The settings module of the tests is not for a target that names one by itself.
        """
        own = {VARIABLE} if source.mentions(self.file, VARIABLE) else set[str]()
        return [name for name in self.around.environ if name not in self.base.keys() | own]

    def list_named_settings(self, alone: Launch) -> Iterator[tuple[str, str]]:
        """Yield the settings modules that files of the project and the environment name.

        The files are that of the target, manage.py, and the one that WSGI_APPLICATION leads to.
        """
        rootdir = self.around.rootdir
        setting = alone.runserver.setting if alone.runserver is not None else None
        found = find_module(setting, self.around.paths) if setting else None
        files = (
            self.file,
            find_manage(self.around.directory, rootdir),
            found.file if found else None,
        )
        for file in dict.fromkeys(files):
            name = source.settings_literal(file)
            if file is not None and name:
                yield relative(file, rootdir), name
        if alone.settings and VARIABLE in self.around.environ:
            yield ENVIRONMENT, self.around.environ[VARIABLE]

    def launch(self, key: str, errand: Errand) -> None:
        """Start one launch."""
        around = self.around
        job = Job(
            spec=self.spec.text,
            origin=around.origin,
            paths=around.paths,
            rootdir=str(around.rootdir),
            given=around.given,
            host=around.host,
            seconds=around.seconds,
            deep=errand.deep,
            configuration=bool(around.overrides),
            built_in=around.built_in,
            spare_database=self.spares_database,
            extra=errand.extra,
        )
        self.errands[key] = errand
        self.running[key] = start(
            job,
            environ={**self.base, **errand.environ},
            directory=None if errand.elsewhere else around.directory,
            path=self.path,
            seconds=max(_SECONDS, _EXCHANGES * around.seconds),
        )

    def relaunch(self, key: str) -> None:
        """Start a launch anew, in the environment that is now known to be needed."""
        stop(self.running[key])
        self.running.pop(key).home.cleanup()
        self.launch(key, self.errands[key])

    def await_launch(self, key: str) -> Launch:
        """Return what a launch saw, when it is done."""
        launch = collect(self.running[key])
        del self.running[key]  # not before: an interrupt of the wait leaves it to `stop`
        return launch


def compare_configurations(one: Launch, two: Launch) -> Iterator[str]:
    """Yield the parts of two configurations that differ."""
    for part in sorted(one.configuration.keys() | two.configuration.keys()):
        if one.configuration.get(part) != two.configuration.get(part):
            yield part
