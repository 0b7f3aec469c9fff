"""The scripted applications that stand behind a middleware: correct, and taking every liberty.

Each is what PEP 3333 allows an application to be. So what is wrong outside of the middleware, the
middleware has made wrong. None of them keeps state, and each answers any path.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_wsgi.scripts import bodies, contents, errors, requests

if TYPE_CHECKING:
    from collections.abc import Callable

    Script = Callable[[dict[str, Any], Any], Any]


@dataclass(frozen=True, slots=True)
class Scripted:
    """A scripted application: its name, what it is for people, and the callable."""

    name: str
    text: str
    run: Script


SCRIPTS: dict[str, Scripted] = {
    run.__name__: Scripted(
        run.__name__, (run.__doc__ or "").partition("\n")[0].rstrip(".").lower(), run
    )
    for run in (*bodies.SCRIPTS, *errors.SCRIPTS, *contents.SCRIPTS, *requests.SCRIPTS)
}
"""Every scripted application by its name."""
