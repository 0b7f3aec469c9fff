"""The points on which PEP 3333 can be read in more than one way, as data.

The rows live in ambiguities.json. What servers do was measured on fifteen server configurations.
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

READINGS = ("pep", "de-facto", "wsgiref")
"""By its letter, as most servers take it, or as the standard library's wsgiref does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One answer. `level` is what a rule on the point weighs then; empty where there is none.

    A rule that weighs "convention" says a note, and accuses nobody.
    """

    says: str
    level: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ambiguity:
    """A question, the answer of each of the READINGS, and which of them is ours."""

    id: str
    question: str
    default: str
    readings: Mapping[str, Reading]

    def find_level(self, reading: str = "") -> str:
        """Return what a rule on this point weighs under a reading; an empty one is our default."""
        return self.readings[reading or self.default].level


@cache
def load_ambiguities() -> Mapping[str, Ambiguity]:
    """Return every ambiguous point by its id."""
    text = Path(__file__).with_name("ambiguities.json").read_text(encoding="utf-8")
    rows = {}
    for row in json.loads(text):
        readings = {name: Reading(**answer) for name, answer in row["readings"].items()}
        rows[row["id"]] = Ambiguity(**{**row, "readings": MappingProxyType(readings)})
    return MappingProxyType(rows)
