"""The layers that a user names with --wsgi-layer, where they are not found by themselves."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from pytest_wsgi.loading.asked import Asked, Corrected
from pytest_wsgi.loading.boundaries import Boundary, find_boundaries, is_wsgi
from pytest_wsgi.loading.command import LAYER
from pytest_wsgi.loading.importing import import_file, import_module
from pytest_wsgi.loading.load import resolve, type_name
from pytest_wsgi.loading.locate import locate_settled

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pytest_wsgi.loading.spec import Spec


def find_layers(application: Any, named: Sequence[Boundary] = ()) -> tuple[Boundary, ...]:
    """Return the boundaries within a loaded application: those found, and those that were named."""
    below = (one for boundary in named for one in find_boundaries(boundary.inner))
    by_inner: dict[int, Boundary] = {}
    for boundary in (*named, *find_boundaries(application), *below):
        by_inner.setdefault(id(boundary.inner), boundary)
    return tuple(by_inner.values())


def load_layer(spec: Spec, application: Any, *, paths: Sequence[str], rootdir: Path) -> Boundary:
    """Return the boundary over the application that a SPEC leads to, attribute by attribute.

    The layer above is the last application on the way there; where there is none, that is
    `application`. Raises LoadError.
    """
    asked = Asked(spec.text, LAYER, spec, tuple(paths), rootdir, option=LAYER)
    if spec.kind not in {"module", "file"} or spec.call or not spec.attributes:
        asked.refuse(
            "layer-spec",
            f"{LAYER} takes a module and the attributes that lead to an application in it.",
            [],
            Corrected(spec="mysite.wsgi:application.chain.inner"),
        )
    place = locate_settled(asked)
    module = import_file(asked, place) if spec.kind == "file" else import_module(asked, place, {})
    names = spec.attributes
    owner, *way, inner = (
        resolve(asked, replace(place, attributes=names[:count]), module, {})
        for count in range(len(names) + 1)
    )
    owner = way[-1] if way else owner
    above = next((one for one in reversed(way) if is_wsgi(one)), application)
    if not is_wsgi(inner):
        asked.refuse(
            "layer-is-no-application",
            f"{spec.text} is a {type_name(inner)}, which is not called as an application is.",
            [],
            Corrected(when="With what is called with environ and start_response"),
        )
    return Boundary(above, inner, partial(setattr, owner, names[-1]))
