"""SPECs to suggest for one whose module or name is not there.

Only what files show is suggested: a module that is found, and a name that its source binds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_wsgi.loading import source
from pytest_wsgi.loading.locate import DEFAULT_NAMES
from pytest_wsgi.loading.modules import find_module, similar_modules

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_wsgi.loading.asked import Asked

_MOST = 3


def names_object(dotted: str, attributes: tuple[str, ...], paths: Sequence[str]) -> bool:
    """Tell whether `dotted` is found and binds the first of `attributes`.

    Without attributes, the name is the rest of `dotted`, or one of the default names.
    """
    found = find_module(dotted, paths)
    if found is None or (found.rest and attributes):
        return False
    names = (attributes or found.rest)[:1] or DEFAULT_NAMES
    return any(source.binds(found.file, name) for name in names)


def wsgi_beside(asked: Asked, module: str) -> tuple[str, str] | None:
    """Return the module `wsgi` in the package `module`, or beside `module`, and its application.

    None where there is none other than `module` itself.
    """
    for package in (module, module.rpartition(".")[0]):
        sibling = f"{package}.wsgi"
        if not package or sibling == module:
            continue
        for name in DEFAULT_NAMES:
            if names_object(sibling, (name,), asked.paths):
                return sibling, name
    return None


def similar_specs(asked: Asked, wanted: str) -> list[str]:
    """Return up to three SPECs, best first, for one whose module `wanted` is not there."""
    target, text = asked.spec.target, asked.spec.text
    exact, near = (similar_modules(name, asked.paths) for name in (target, wanted))
    tail = text.removeprefix(target if asked.spec.kind == "module" else wanted)
    whole = "" if asked.spec.kind == "dotted" else tail
    names = [(name, whole) for name in exact] + [(name, tail) for name in near]
    specs = [name + end for name, end in names if _is_good(asked, name, end)]
    if not specs and asked.wants_application and (beside := wsgi_beside(asked, wanted)):
        specs = [spell(asked, *beside)]
    return list(dict.fromkeys(specs))[:_MOST]


def spell(asked: Asked, module: str, name: str) -> str:
    """Return the SPEC of an object in a module: with dots where the user wrote dots."""
    return f"{module}{'.' if asked.spec.kind == 'dotted' else ':'}{name}"


def _is_good(asked: Asked, module: str, end: str) -> bool:
    """Tell whether a near module, followed by the end of what was asked for, is worth a try."""
    if module.rpartition(".")[2] == "asgi":
        return False
    dotted = module + end if asked.spec.kind == "dotted" else module
    return names_object(dotted, asked.spec.attributes, asked.paths)
