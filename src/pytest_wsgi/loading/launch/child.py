"""Runs in a fresh process: loads the target, looks at it, and writes down what it saw.

What was seen is written after every step, so that a target which crashes or hangs the process
loses no more than the step that it was in.
"""

from __future__ import annotations

import faulthandler
import gc
import importlib
import json
import os
import sys
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_wsgi.drivers.application import Driver, Terms
from pytest_wsgi.drivers.guard import refuse_exits, stand_guard
from pytest_wsgi.environ import Site
from pytest_wsgi.launches import Launch
from pytest_wsgi.loading import source
from pytest_wsgi.loading.boundaries import find_boundaries
from pytest_wsgi.loading.django import IN_USE, VARIABLE, configured_settings, hosts, settings_name
from pytest_wsgi.loading.launch.answers import ask as ask_once
from pytest_wsgi.loading.launch.configuration import (
    digest_configuration,
    list_modules,
    read_attribute,
)
from pytest_wsgi.loading.launch.effects import (
    list_effects,
    look,
    note_connection,
    watch_connections,
)
from pytest_wsgi.loading.launch.handlers import check_handlers, is_of_database
from pytest_wsgi.loading.launch.job import SENTINEL, Job, job_from_dict, launch_to_dict
from pytest_wsgi.loading.launch.layers import watch_layers
from pytest_wsgi.loading.launch.runserver import look_at_runserver
from pytest_wsgi.loading.load import load, type_name
from pytest_wsgi.loading.locate import Location, locate
from pytest_wsgi.loading.modules import dotted_name
from pytest_wsgi.loading.paths import find_manage, put_on_path
from pytest_wsgi.loading.spec import parse_spec
from pytest_wsgi.probes import Request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_wsgi.exchange import Loading


_DECOY = "PYTEST_WSGI_DECOY"

_refusals: list[str] = []
"""The databases that somebody wanted to connect to and was kept from."""


@dataclass(kw_only=True)
class Session:
    """One launch while it goes on: what is known of it so far, and where that is written."""

    job: Job
    result: Path
    launch: Launch = field(default_factory=Launch)
    application: Any = None
    loading: Loading | None = None
    site: Site = field(default_factory=Site)

    def tell(self, **seen: Any) -> None:
        """Add to what is known, and write it down."""
        self.launch = replace(self.launch, **seen)
        beside = self.result.with_suffix(".part")
        beside.write_text(json.dumps(launch_to_dict(self.launch)), encoding="utf-8")
        beside.replace(self.result)


def main(job_file: str) -> None:
    """Do the job of a file; what was seen is written beside it, with `.result` after its name."""
    told = json.loads(Path(job_file).read_text(encoding="utf-8"))
    Path(job_file).unlink()  # it holds what may be secret
    told.pop("sys_path")
    # Whoever was to await this process may have been killed.
    faulthandler.dump_traceback_later(told.pop("limit"), exit=True)
    job = job_from_dict(told)
    run(Session(job=job, result=Path(f"{job_file}.result")))


def run(session: Session) -> None:
    """Load the target and look at it, step by step."""
    obtain(session)
    gc.freeze()  # what was imported stays: there is no garbage to look for
    gc.enable()  # it was off meanwhile
    if session.application is None:
        return
    if session.job.deep or session.job.configuration:
        ask(session)
    if session.job.configuration:
        configure(session)
    if session.job.deep and session.launch.code is not None:
        look_deeper(session)


def obtain(session: Session) -> None:
    """Load the target, and see what that does to the process."""
    job = session.job
    put_on_path(job.paths)  # not before: a module of the project may be called as one of ours
    place = find_place(job)
    if job.spare_database:
        refuse_databases()
    watch_connections()
    before = look()
    with watching_variables(job) as seen:
        application, loading = load_target(job)
    settings = configured_settings()
    zone = str(read_attribute(settings, "TIME_ZONE") or "") if settings is not None else ""
    effects = tuple(list_effects(before, list_own_entries(place, job), zone))
    session.application, session.loading = application, loading
    session.tell(
        problem=loading.problem,
        is_of_database=bool(_refusals),
        needs=tuple(sorted(seen.needs)),
        effects=effects,
        overwritten=tuple(
            name for name in sorted(seen.overwritten) if os.environ.get(name) != job.given[name]
        ),
        settings=settings_name(settings) if settings is not None else "",
        time_zone=zone,
    )


def load_target(job: Job) -> tuple[Any, Loading]:
    """Load the target of a job; what would end the process is refused."""
    with refuse_exits():
        return load(
            parse_spec(job.spec),
            origin=job.origin,
            env=job.given,
            paths=job.paths,
            rootdir=Path(job.rootdir),
        )


@dataclass(slots=True)
class Variables:
    """What became of the variables of the environment while the target was loaded.

    `needs` are those of a job's `extra` that were read by name; `overwritten` those given that got
    another value before anybody had read the given one.
    """

    needs: set[str] = field(default_factory=set)
    overwritten: set[str] = field(default_factory=set)


@contextmanager
def watching_variables(job: Job) -> Iterator[Variables]:
    """Watch how variables of the environment are used while the block runs.

    Whoever copies the environment reads every variable: a decoy among them tells how often.
    """
    kind: Any = type(os.environ)
    getter, setter = kind.__getitem__, kind.__setitem__
    reads, seen = Counter[str](), Variables()

    def read(environ: Any, name: str) -> str:
        reads[name] += 1
        value: str = getter(environ, name)
        return value

    def write(environ: Any, name: str, value: str) -> None:
        is_read = reads[name] > reads[_DECOY] and name != VARIABLE  # which loading itself reads
        if name in job.given and value != job.given[name] and not is_read:
            seen.overwritten.add(name)
        setter(environ, name, value)

    os.environ[_DECOY] = ""
    kind.__getitem__, kind.__setitem__ = read, write
    try:
        yield seen
    finally:
        kind.__getitem__, kind.__setitem__ = getter, setter
        os.environ.pop(_DECOY, None)
        seen.needs.update(name for name in job.extra if reads[name] > reads[_DECOY])


def find_place(job: Job) -> Location:
    """Return where the target is defined."""
    spec = parse_spec(job.spec)
    return locate(spec, paths=job.paths, rootdir=Path(job.rootdir), env=job.given)


def list_own_entries(place: Location, job: Job) -> Iterator[str]:
    """Yield what loading itself puts on sys.path: the directory of a target that is a file."""
    if place.file is not None and parse_spec(job.spec).kind == "file":
        yield str(dotted_name(place.file, job.paths)[1])


def ask(session: Session) -> None:
    """Send the plain GET, at the host that answers; see what fails behind an error page."""
    job, errors = session.job, list[BaseException | None]()
    listen(errors)
    found = (job.host,) if job.host else tuple(dict.fromkeys((*hosts(), *Terms().hosts)))
    with stand_guard(job.seconds) as guard:
        driver = Driver(session.application, guard)
        session.site, _ = driver.find_site(Terms(hosts=found, seconds=job.seconds))
    first = driver.first
    last = errors[-1] if errors else None
    raised = first.raised[0].type_name if first is not None and first.raised else ""
    session.tell(
        asked=True,
        code=first.code if first is not None else None,
        failed=type(last).__name__ if last is not None else raised,
        is_of_database=bool(_refusals) or is_of_database(last),
    )


def listen(errors: list[BaseException | None]) -> None:
    """Collect the exceptions behind Django's error pages."""
    signals = sys.modules.get("django.core.signals")
    if signals is not None:

        def hear(**_: Any) -> None:
            errors.append(sys.exc_info()[1])

        signals.got_request_exception.connect(hear, weak=False)


def refuse_databases() -> None:
    """Keep Django from connecting to its databases from now on, also while it is imported.

    Where the tests have a database of their own, nobody expects the real one to be touched.
    """
    try:
        from django.db.backends.base.base import (  # noqa: PLC0415 # only where there is Django
            BaseDatabaseWrapper,
        )
        from django.db.utils import OperationalError  # noqa: PLC0415 # as above
    except ImportError:
        return

    def refuse(wrapper: Any) -> None:
        _refusals.append(wrapper.alias)
        note_connection(f"database {wrapper.alias!r} of Django")
        raise OperationalError("pytest-wsgi keeps to the database of the tests")

    BaseDatabaseWrapper.connect = refuse


def configure(session: Session) -> None:
    """Tell the configuration, and what the plain GET is answered."""
    inner = [boundary.inner for boundary in find_boundaries(session.application)]
    parts = digest_configuration([session.application, *inner], session.job.paths)
    answer = ask_once(session.application, Request(), session.site)
    shown = f"{answer.error or answer.status} {answer.digest}"
    session.tell(configuration={**parts, "the answer to GET /": shown})


def look_deeper(session: Session) -> None:
    """Look at all that a loaded target can tell; each step may be the last."""
    job, loading = session.job, session.loading
    place = find_place(job)
    module = find_module_of(place)
    is_django = loading is not None and "settings module" in loading.facts
    if is_django:
        manage = find_manage(Path(job.paths[0]), Path(job.rootdir))
        names = place.attributes or ("application",)
        session.tell(
            runserver=look_at_runserver(
                session.application,
                session.site,
                f"{place.module}.{names[0]}" if place.module and len(names) == 1 else "",
                has_manage=manage is not None,
                built_in=job.built_in,
            )
        )
    session.tell(handlers=tuple(check_handlers(module)))
    session.tell(layers=watch_layers(session.application, session.site, Path(job.rootdir)))
    if parse_spec(job.spec).call:
        session.tell(recalled=load_again(session))
    if module is not None and place.module:
        is_shared = is_used_elsewhere(module, session)
        sys.modules.pop(place.module, None)
        session.tell(again=load_again(session, is_asked=not is_shared))
        if is_django and VARIABLE not in job.given and source.settings_literal(place.file):
            session.tell(sentinel_wins=try_sentinel(place.module))


def find_module_of(place: Location) -> Any:
    """Return the module that defines the target, None where it is not known."""
    if place.module in sys.modules:
        return sys.modules[place.module]
    files = ((getattr(one, "__file__", None), one) for one in list(sys.modules.values()))
    return next(
        (one for file, one in files if file and place.file and file == str(place.file)), None
    )


def try_sentinel(module: str) -> bool | None:
    """Tell whether a settings module that is named from outside is still named after an import.

    Django keeps the settings that it has: this asks what the module wants. None where it fails.
    """
    os.environ[VARIABLE] = SENTINEL
    sys.modules.pop(module, None)
    try:
        with refuse_exits():
            importlib.import_module(module)
    except BaseException:  # noqa: BLE001 # a process of its own tells what that means
        return None
    return os.environ.get(VARIABLE) == SENTINEL


def is_used_elsewhere(module: Any, session: Session) -> bool:
    """Tell whether another module of the project has the target: it would keep the first one."""
    kept = {id(module), id(session.application)}
    others = [one for one in list_modules(session.job.paths) if one is not module]
    return any(id(value) in kept for other in others for value in vars(other).values())


def load_again(session: Session, *, is_asked: bool = True) -> str:
    """Load the target once more, and return how it differs; nothing where it does not.

    Its answer is compared where it `is_asked`.
    """
    refused = len(_refusals)
    application, loading = load_target(session.job)
    if loading.problem is not None and (loading.problem.id == IN_USE or len(_refusals) > refused):
        return ""  # it is Django that keeps its settings, or we that keep it from its database
    if loading.problem is not None:
        return loading.problem.message
    before, after = type_name(session.application), type_name(application)
    if before != after:
        return f"an object of type {after}, the first was of type {before}"
    if not is_asked:
        return ""
    with stand_guard(session.job.seconds) as guard:
        answer = Driver(application, guard).ask(session.site)
    if answer.code != session.launch.code:
        return f"answers GET / with {answer.code}, the first did with {session.launch.code}"
    return ""
