"""What a target did when fresh processes loaded it, as values.

The process that runs pytest has settings, variables and modules that no server has. Hence a target
is also loaded as a server loads it; what came of that stands here, for rules to judge.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_wsgi.exchange import Problem

ENVIRONMENT = "the environment"
"""Where a settings module is named that no file of the project names: the tests may have it so."""

EffectKind = Literal[
    "thread", "signal", "directory", "path", "output", "input", "time zone", "connection"
]
"""What an import can do to its process: the name of a side effect."""


@dataclass(frozen=True, slots=True)
class Effect:
    """A side effect of an import; `detail` says what was seen, such as `SIGTERM`."""

    kind: EffectKind
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The first difference between two answers to one request: where it is, and both sides."""

    request: str
    what: str
    target: str
    other: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Runserver:
    """What Django's runserver would serve in place of the target.

    `setting` is WSGI_APPLICATION, None where unset. `trouble` is what importing it raised, with
    `advice` on what to write. `is_target` is true where it is the very same object; `compared`
    counts the probes that both were asked, `difference` is the first one. `built_in` tells that the
    target was compared with Django's own handler, whatever the setting says.
    """

    setting: str | None
    trouble: str = ""
    advice: str = ""
    is_target: bool = False
    built_in: bool = False
    compared: int = 0
    difference: Difference | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """An application that calls another one: `name` is its own, `inner` that of the other.

    `place` is file and line of the layer. `calls` counts how often it called the inner one.
    `lost_closes` says after which readings it had not closed what it got, `odd_variables` which
    values of environ it passed on that no server could.
    """

    name: str
    inner: str
    place: str
    calls: int = 0
    lost_closes: tuple[str, ...] = ()
    odd_variables: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerFault:
    """What a layer does wrong as a server to the application below it: the MUST that it breaks.

    `layer` is its name and place, `rule` an id; the rest is of the first finding.
    """

    layer: str
    rule: str
    request: str = ""
    expected: str = ""
    observed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handler:
    """A handler of mod_wsgi's that the target's module exports: what is wrong with it, if anything.

    `name` is `check_password` or `groups_for_user`; `undecided` says why its answer was not seen.
    """

    name: str
    fault: str = ""
    undecided: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """One load of a target in a fresh process.

    `problem` is why it did not load. `needs` names the variables of the environment without which
    it does not. `code` is the status code of the plain GET, None without a response; `failed` names
    the exception behind an error page, and `is_of_database` tells that a database raised it.
    `overwritten` names variables of --wsgi-env that do not have the given value any more.
    `settings` is Django's settings module, empty without. `configuration` holds a digest of each
    part that could be seen. `again` is what a second import, `recalled` what a second call of the
    factory came to: empty for no difference, None where there was none. `sentinel_wins` tells
    whether a settings module that was named from outside was still named after one more import;
    None where that was not tried. `cut_short` says how the process ended before it had seen all.
    """

    problem: Problem | None = None
    needs: tuple[str, ...] = ()
    code: int | None = None
    asked: bool = False
    failed: str = ""
    is_of_database: bool = False
    effects: tuple[Effect, ...] = ()
    overwritten: tuple[str, ...] = ()
    settings: str = ""
    time_zone: str = ""
    configuration: Mapping[str, str] = field(default_factory=dict)
    again: str | None = None
    recalled: str | None = None
    sentinel_wins: bool | None = None
    cut_short: str = ""
    runserver: Runserver | None = None
    layers: tuple[Layer, ...] = ()
    handlers: tuple[Handler, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """A variable that the user says configures the target, and what changing it changed.

    `changed` names the parts of the configuration that differ. `problem` says why the target does
    not load with it, if it does not.
    """

    name: str
    value: str
    changed: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Launches:
    """All that fresh processes told of one target.

    `alone` has nothing but the target's own defaults, `elsewhere` another working directory too,
    `c_locale` the locale C without UTF-8 mode. `sentinel_wins` tells whether a settings module that
    does not exist was asked for, when it was named from outside. `given` names the
    variables of --wsgi-env. `code` is what the same GET was answered in the process of pytest, and
    `has_test_database` whether that has a database of its own. `named` are the settings modules
    that the project's files and its environment name, each with where.
    """

    alone: Launch
    elsewhere: Launch | None = None
    c_locale: Launch | None = None
    sentinel_wins: bool | None = None
    given: tuple[str, ...] = ()
    overrides: tuple[Override, ...] = ()
    code: int | None = None
    has_test_database: bool = False
    named: tuple[tuple[str, str], ...] = ()
