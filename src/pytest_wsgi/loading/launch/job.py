"""What a fresh process is told to do, and what it tells back: values that cross as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_wsgi.exchange import Problem
from pytest_wsgi.launches import Difference, Effect, Handler, Launch, Layer, Runserver

if TYPE_CHECKING:
    from collections.abc import Mapping


KEPT = ("PATH", "HOME", "LANG", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR")
"""The variables that a fresh process gets; those after LANG are what systems need to start one."""

SENTINEL = "pytest_wsgi_no_such_settings"
"""The name of a settings module that no project has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What to load, and how far to go.

    `spec`, `origin`, `paths` and `rootdir` are as for `loading.load`; `given` are the variables of
    --wsgi-env. `host` is the one to ask for, empty to find one; `seconds` bound one exchange. With
    `deep`, all is looked at that a launch can tell; else the target is only loaded. `configuration`
    asks for its configuration. `built_in` compares with Django's own handler. `extra` names
    variables of the environment: those of them that loading reads are told. `spare_database` keeps
    requests from Django's databases.
    """

    spec: str
    origin: str
    paths: tuple[str, ...]
    rootdir: str
    given: Mapping[str, str] = field(default_factory=dict)
    host: str = ""
    seconds: float = 10.0
    deep: bool = False
    configuration: bool = False
    built_in: bool = False
    spare_database: bool = False
    extra: tuple[str, ...] = ()


def job_to_dict(job: Job) -> dict[str, Any]:
    """Return a job as builtin values."""
    return asdict(job)


def job_from_dict(data: Mapping[str, Any]) -> Job:
    """Return the job of `job_to_dict`."""
    return Job(**{**data, "paths": tuple(data["paths"]), "extra": tuple(data["extra"])})


def launch_to_dict(launch: Launch) -> dict[str, Any]:
    """Return a launch as builtin values."""
    return asdict(launch)


def launch_from_dict(data: Mapping[str, Any]) -> Launch:
    """Return the launch of `launch_to_dict`."""
    problem, runserver = data["problem"], data["runserver"]
    return Launch(
        **{
            **data,
            "problem": problem and Problem(**problem),
            "needs": tuple(data["needs"]),
            "effects": tuple(Effect(**effect) for effect in data["effects"]),
            "overwritten": tuple(data["overwritten"]),
            "runserver": runserver and runserver_from_dict(runserver),
            "layers": tuple(layer_from_dict(layer) for layer in data["layers"]),
            "handlers": tuple(Handler(**handler) for handler in data["handlers"]),
        }
    )


def runserver_from_dict(data: Mapping[str, Any]) -> Runserver:
    """Return what runserver serves."""
    difference = data["difference"]
    return Runserver(**{**data, "difference": difference and Difference(**difference)})


def layer_from_dict(data: Mapping[str, Any]) -> Layer:
    """Return a layer."""
    lists = {name: tuple(data[name]) for name in ("lost_closes", "odd_variables")}
    return Layer(**{**data, **lists})
