"""Every requirement of PEP 3333, and what HTTP and CGI add, as data.

The rows live in requirements.json, in our words; the PEP's own text is at its `section`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One sentence that binds somebody.

    `actor` holds "application", "middleware", "server". `level` is MUST, SHOULD, MAY or CONVENTION.
    `basis` says where it comes from: pep-bold, pep-plain, pep-implied, inherited (HTTP or CGI),
    convention, permission, or harness for what is ours. `layer` says where it can be seen: call,
    wire, both, static or none. `excuse` is the reason why no rule checks it; empty where one does.
    `middleware_excuse` is why none does of a middleware.
    """

    id: str
    actor: tuple[str, ...]
    level: str
    area: str
    basis: str
    layer: str
    section: tuple[str, ...]
    requirement: str
    excuse: str = ""
    middleware_excuse: str = ""


@cache
def load_requirements() -> Mapping[str, Requirement]:
    """Return every requirement by its id."""
    text = Path(__file__).with_name("requirements.json").read_text(encoding="utf-8")
    rows = (
        Requirement(**{**row, "actor": tuple(row["actor"]), "section": tuple(row["section"])})
        for row in json.loads(text)
    )
    return MappingProxyType({row.id: row for row in rows})
