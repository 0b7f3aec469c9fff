"""The ledger: every requirement is checked by a rule, or excused with a reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_wsgi.catalogue import Level, weigh
from pytest_wsgi.requirements import load_requirements

if TYPE_CHECKING:
    from collections.abc import Collection

    from pytest_wsgi.requirements import Requirement

_OWN = "harness"
"""The basis of requirements that are ours and not the PEP's."""


def find_excuse(requirement: Requirement, actor: str = "application") -> str:
    """Return why no rule over an application, or a middleware, checks a requirement.

    Empty where one does.
    """
    if actor in requirement.actor:
        own = requirement.middleware_excuse if actor == "middleware" else ""
        return own or requirement.excuse
    return f"belongs to a {' or '.join(requirement.actor)} run"


def count_requirements(
    exercised: Collection[str], actor: str = "application"
) -> dict[str, dict[str, int]]:
    """Count what the PEP asks of an actor, by level: exercised, checkable and total.

    `exercised` holds ids of requirements. What only HTTP or CGI asks counts as a SHOULD, and a
    permission as a convention.
    """
    counts = {level.value: dict.fromkeys(("exercised", "checkable", "total"), 0) for level in Level}
    for row in load_requirements().values():
        if actor in row.actor and row.basis != _OWN:
            count = counts[weigh(row).value]
            count["total"] += 1
            count["checkable"] += not find_excuse(row, actor)
            count["exercised"] += row.id in exercised
    return counts
