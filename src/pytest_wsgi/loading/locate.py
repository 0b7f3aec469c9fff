"""Where a target is defined, without importing it: what collection needs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_wsgi.loading import source
from pytest_wsgi.loading.asked import Asked, LoadError
from pytest_wsgi.loading.choice import settle
from pytest_wsgi.loading.modules import dotted_name, find_module, names_submodule
from pytest_wsgi.loading.paths import find_file

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pytest_wsgi.loading.spec import Spec

DEFAULT_NAMES = ("application", "app")


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """Where a target is defined, as far as files tell.

    `file` is absolute, None where nothing was found. `label` is fit for node ids. `module` is the
    name it is imported under, empty where it has none. `attributes` are the names in it, empty
    where the default names are tried. `chosen` says why `django` or `auto` chose it.
    """

    file: Path | None
    label: str
    module: str = ""
    attributes: tuple[str, ...] = ()
    chosen: str = ""


def locate(
    spec: Spec, *, paths: Sequence[str], rootdir: Path, env: Mapping[str, str] | None = None
) -> Location:
    """Find where `spec` is defined. Imports nothing, never raises for a broken target.

    `paths` is `search_path(...)`; `env` are the variables of --wsgi-env.
    """
    asked = Asked(spec.text, "", spec, tuple(paths), rootdir)
    try:
        asked, chosen = settle(asked, env or {})
    except LoadError:
        return Location(file=None, label=_label(spec, spec.kind))
    return locate_settled(asked, chosen)


def locate_settled(asked: Asked, chosen: str = "") -> Location:
    """Find where a SPEC that is neither `django` nor `auto` is defined."""
    spec = asked.spec
    if spec.kind == "fixture":
        return Location(file=None, label=_label(spec, "wsgi_app"))
    if spec.kind == "paste":
        section = spec.target.rpartition("#")[2] if "#" in spec.target else "main"
        return Location(file=None, label=_label(spec, section))
    if spec.kind == "ini":
        file = find_file(spec.target, asked.paths)
        return Location(file=file, label=_label(spec, spec.section or "main"))
    file, module, attributes = _in_file(asked) if spec.kind == "file" else _in_module(asked)
    name = attributes[-1] if attributes else _default_name(file)
    return Location(
        file=file, label=_label(spec, name), module=module, attributes=attributes, chosen=chosen
    )


def _in_file(asked: Asked) -> tuple[Path | None, str, tuple[str, ...]]:
    file = find_file(asked.spec.target, asked.paths)
    module = dotted_name(file, asked.paths)[0] if file else ""
    return file, module, asked.spec.attributes


def _in_module(asked: Asked) -> tuple[Path | None, str, tuple[str, ...]]:
    spec = asked.spec
    found = find_module(spec.target, asked.paths)
    if spec.kind == "module":
        whole = found is not None and not found.rest
        return (found.file if found and whole else None), spec.target, spec.attributes
    if found is None or (found.is_namespace and found.rest):
        return None, spec.target, ()
    is_there = not found.rest or not _lacks_submodule(found.file, found.locations, found.rest)
    return (found.file if is_there else None), found.name, found.rest


def _lacks_submodule(
    file: Path | None, locations: tuple[str, ...] | None, rest: tuple[str, ...]
) -> bool:
    """Tell whether the rest of a dotted name is a submodule that a package does not have."""
    return locations is not None and names_submodule(rest) and not source.may_bind(file, rest[0])


def _default_name(file: Path | None) -> str:
    return next((name for name in DEFAULT_NAMES if source.binds(file, name)), DEFAULT_NAMES[0])


def _label(spec: Spec, name: str) -> str:
    """Return the given label, else `name`, with only what node ids can bear."""
    return spec.label or re.sub(r"[^\w.-]+", "-", name) or "application"
