"""What is to be said of a rule, as a value; `explaining` makes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_wsgi.ambiguities import Ambiguity
    from pytest_wsgi.catalogue import AnyRule
    from pytest_wsgi.judge import Outcome
    from pytest_wsgi.report import FindingReport

PLACES = ("Bare", "Django", "Flask")
"""Where a fault may have to be mended, as the docstring of a mended twin names them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A program: its name, its source, and what came of the rule in a run, with what it found."""

    name: str
    source: str
    outcome: Outcome
    finding: FindingReport | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """All that is to be said of a rule.

    `section` and `link` are those of its first requirement. `fixes` tells by place how to mend it.
    With `of_middleware` nothing else is judged by it.
    """

    rule: AnyRule
    section: str
    link: str
    ambiguity: Ambiguity | None
    bad: Example
    good: Example
    fixes: Mapping[str, str]
    of_middleware: bool = False
