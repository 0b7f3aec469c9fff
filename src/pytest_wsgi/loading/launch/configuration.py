"""What of a target's configuration can be seen from outside: a digest for every part of it.

Digests, because settings hold secrets.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from pytest_wsgi.loading.django import configured_settings, settings_name
from pytest_wsgi.snapshot import take_snapshot

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


def digest_configuration(applications: Iterable[Any], paths: Sequence[str]) -> dict[str, str]:
    """Return a digest of each part: Django's settings, `config` of `applications`, constants.

    `paths` are the directories of the project, whose modules' constants count.
    """
    parts: dict[str, str] = {}
    for name, value in list_parts(applications, paths):
        parts[name] = digest(value)
    return parts


def digest(value: object) -> str:
    """Return a digest of a value that calls nothing of its own."""
    text = repr(take_snapshot(value)).encode(errors="backslashreplace")
    return hashlib.blake2b(text, digest_size=8).hexdigest()


def list_parts(applications: Iterable[Any], paths: Sequence[str]) -> Iterator[tuple[str, object]]:
    """Yield the parts of a configuration by name."""
    settings = configured_settings()
    if settings is not None:
        yield "the settings module", settings_name(settings)
        for name in filter(str.isupper, dir(settings)):
            yield f"the setting {name}", read_attribute(settings, name)
    for application in applications:
        registry = read_attribute(application, "registry")
        for name, owner in (("config", application), ("settings", registry)):
            config = read_attribute(owner, name)
            if isinstance(config, Mapping):
                for key in sorted(filter(lambda key: isinstance(key, str), config)):
                    yield f"{name}[{key!r}]", config.get(key)
    for module in list_modules(paths):
        for name, value in sorted(vars(module).items()):
            if not (name.startswith("_") or callable(value) or isinstance(value, ModuleType)):
                yield f"{module.__name__}.{name}", show_inside(value)


def show_inside(value: object) -> object:
    """Return what a plain object holds, as settings classes of the user's own do; else itself."""
    inside = read_attribute(value, "__dict__")
    return sorted(inside.items(), key=str) if type(inside) is dict else value


def list_modules(paths: Sequence[str]) -> list[ModuleType]:
    """Return the modules of the project, by name."""
    found = {}
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if isinstance(module, ModuleType) and isinstance(file, str) and is_own(file, paths):
            found[name] = module
    return [found[name] for name in sorted(found)]


def is_own(file: str, paths: Sequence[str]) -> bool:
    """Tell whether a file is the project's, and not of what is installed in it."""
    inside = [Path(file).relative_to(path) for path in paths if Path(file).is_relative_to(path)]
    return any("site-packages" not in inner.parts for inner in inside)


def read_attribute(owner: Any, name: str) -> Any:
    """Return an attribute, None where it cannot be had: lazy ones raise what they like."""
    try:
        return getattr(owner, name, None)
    except Exception:  # noqa: BLE001 # the user's own descriptors may raise anything
        return None
