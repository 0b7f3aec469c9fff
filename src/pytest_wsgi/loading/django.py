"""What Django's settings say, once the target has set Django up.

Django is never imported here: it is asked only where something else has. The functions that take
`settings` take any object with such attributes.
"""

from __future__ import annotations

import os
import re
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_wsgi.loading.paths import relative

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

VARIABLE = "DJANGO_SETTINGS_MODULE"
IN_USE = "django-settings-in-use"
"""The id of the problem with a target that asks for other settings than those in use."""

BY_HAND = "settings.configure()"
"""What stands for the settings module where there is none."""

_SECRET = re.compile(r"@|://|password|passwd|secret|token", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Before:
    """How things stood before a target was loaded: the variable, and the settings in use.

    `configured` is None where Django was not set up, and empty for settings made by hand. `environ`
    and `path` are os.environ and sys.path.
    """

    variable: str | None
    configured: str | None
    environ: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    path: tuple[str, ...] = field(default=(), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Owner:
    """The target that set Django up in this process, and how things stood before it.

    `settings` is the settings module, or BY_HAND.
    """

    target: str
    settings: str
    before: Before


_owners: list[Owner] = []
"""Who set Django up in this process: one at most, as Django keeps its settings for life."""


def look_before() -> Before:
    """Return the state of the process before a load."""
    settings = configured_settings()
    return Before(
        os.environ.get(VARIABLE),
        settings_name(settings) if settings else None,
        dict(os.environ),
        tuple(sys.path),
    )


def configured_settings() -> Any | None:
    """Return `django.conf.settings` where Django is imported and configured, else None."""
    settings = getattr(sys.modules.get("django.conf"), "settings", None)
    return settings if _get(settings, "configured") is True else None


def read_settings() -> dict[str, object]:
    """Return the settings in use by their names, empty without Django.

    Only what is stored is read: to ask for a setting may run code, and warn of old ones.
    """
    holder = _get(configured_settings(), "_wrapped")
    found: dict[str, object] = {}
    while holder is not None:
        stored = vars(holder) if hasattr(holder, "__dict__") else {}
        found = {**{name: stored[name] for name in stored if name.isupper()}, **found}
        holder = stored.get("default_settings")
    return found


def settings_name(settings: object) -> str:
    """Return the settings' module, also while a test overrides settings; empty if made by hand."""
    name = _get(settings, "SETTINGS_MODULE") or os.environ.get(VARIABLE)
    return name if isinstance(name, str) else ""


def hosts() -> tuple[str, ...]:
    """Return the hosts that Django would answer to, best first; nothing for other frameworks.

    Reads the settings as they are now: pytest-django changes them. Never raises.
    """
    settings = configured_settings()
    return hosts_of(settings) if settings else ()


def hosts_of(settings: object) -> tuple[str, ...]:
    """Return the hosts that ALLOWED_HOSTS allows; localhost where it is empty under DEBUG.

    Hosts with an underscore are left out: Django answers them 400 whatever is allowed.
    """
    allowed = _get(settings, "ALLOWED_HOSTS")
    entries = list(allowed) if isinstance(allowed, list | tuple | set | frozenset) else []
    if not entries and _get(settings, "DEBUG"):
        return ("localhost",)
    named = (entry.removeprefix(".") for entry in entries if isinstance(entry, str))
    found = ("localhost" if name == "*" else name for name in named)
    return tuple(dict.fromkeys(host for host in found if host and "_" not in host))


def conflict(before: Before, wanted: str | None) -> bool:
    """Tell whether `wanted` is another settings module than the one that is in use for good.

    Settings made by hand are no other module's, unless another target made them.
    """
    in_use = before.configured or (before.configured is not None and set_by(""))
    return bool(wanted and in_use and wanted != before.configured)


def remember(target: str, before: Before) -> None:
    """Note that `target` has set Django up, if it was the first."""
    settings = configured_settings()
    if settings and before.configured is None:
        _owners[:] = [Owner(target, settings_name(settings) or BY_HAND, before)]


def find_owner() -> Owner | None:
    """Return the target that set Django up in this process, None where that was none of ours."""
    return _owners[0] if _owners else None


def set_by(module: str) -> str:
    """Return the target that set Django up with `module`, empty where that was none of ours."""
    return next((owner.target for owner in _owners if owner.settings == (module or BY_HAND)), "")


@contextmanager
def without_owner() -> Iterator[None]:
    """Put the variable back to what it was before a target of ours set Django up.

    Another target then asks for the settings that are its own, which shows.
    """
    owner, variable = find_owner(), os.environ.get(VARIABLE)
    if owner is None:
        yield
        return
    try:
        set_variable(owner.before.variable)
        yield
    finally:
        set_variable(variable)


def set_variable(value: str | None) -> None:
    """Set the variable that names the settings, None for none."""
    os.environ.pop(VARIABLE, None)
    if value is not None:
        os.environ[VARIABLE] = value


def origin_of_settings(before: Before, name: str, env: Mapping[str, str], file: str) -> str:
    """Say where the name of the settings module in use came from."""
    if before.configured is not None:
        earlier = set_by(before.configured)
        if earlier:
            return f"set by {earlier}"
        return "pytest-django" if "pytest_django" in sys.modules else "configured before loading"
    if env.get(VARIABLE) == name:
        return "--wsgi-env"
    return "environment" if before.variable == name else f"set by {file}"


def facts(settings: object, origin: str, rootdir: Path) -> dict[str, str]:
    """Return what a person should know: the settings module and its origin, DEBUG, the database."""
    name = settings_name(settings) or BY_HAND
    found = {"settings module": f"{name} ({origin})", "DEBUG": str(_get(settings, "DEBUG"))}
    database = _database(_get(settings, "DATABASES"), rootdir)
    return {**found, "database": database} if database else found


def has_database(settings: object) -> bool:
    """Tell whether the settings name a database; Django puts a dummy in the place of none."""
    databases = _get(settings, "DATABASES")
    found = databases.values() if isinstance(databases, dict) else ()
    engines = [str(one.get("ENGINE") or "") for one in found if isinstance(one, dict)]
    return any(engine and not engine.endswith(".dummy") for engine in engines)


def is_directory(settings: object) -> bool:
    """Tell whether the settings module is a directory without `__init__.py`: it holds nothing."""
    module = sys.modules.get(settings_name(settings))
    return hasattr(module, "__path__") and getattr(module, "__file__", None) is None


def setting_that_names(settings: object, module: str) -> str:
    """Say which entry of MIDDLEWARE or INSTALLED_APPS names a module, empty where none does."""
    return next(_entries_naming(settings, module), "")


def _entries_naming(settings: object, module: str) -> Iterator[str]:
    for setting in ("MIDDLEWARE", "INSTALLED_APPS"):
        entries = _get(settings, setting)
        for index, entry in enumerate(entries if isinstance(entries, list | tuple) else ()):
            if isinstance(entry, str) and f"{entry}.".startswith(f"{module}."):
                yield f"{setting}[{index}] of the settings names it: {entry!r}."


def _database(databases: object, rootdir: Path) -> str:
    default = databases.get("default") if isinstance(databases, dict) else None
    if not isinstance(default, dict):
        return ""
    engine = str(default.get("ENGINE") or "").rpartition(".")[2]
    name = str(default.get("NAME") or "")
    if not engine or engine == "dummy":
        return ""
    if _SECRET.search(name):
        name = "(name not shown)"
    elif engine == "sqlite3" and Path(name).is_absolute():
        name = relative(name, rootdir)
    return f"{engine} {name}".strip()


def _get(settings: object, name: str) -> object:
    """Return a setting, None where it cannot be had: lazy settings raise what they like."""
    try:
        return getattr(settings, name, None)
    except Exception:  # noqa: BLE001 - a settings module that fails is reported by the load itself
        return None
