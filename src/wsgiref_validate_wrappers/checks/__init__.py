"""What `wsgiref.validate` checks, as data: one `Check` for each thing that it can say.

Here lives the map from the assertions, warnings and crashes of the standard library's
`wsgiref.validate` to requirements, and how strict each of them really is. No behaviour: the
engine finds the check, and acts on it.

"pep" means that PEP 3333, or the CGI rule that it takes over, really demands it. "stricter" means
that a lawful program can trip the check: that is advice, never a violation.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from wsgiref_validate_wrappers.checks.body import BODY, CALL, UNCLOSED
from wsgiref_validate_wrappers.checks.check import Check, Party, Strictness
from wsgiref_validate_wrappers.checks.environ import ENVIRON
from wsgiref_validate_wrappers.checks.response import HEADERS, START
from wsgiref_validate_wrappers.checks.streams import STREAMS

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CHECKS", "CRASHED", "UNCLOSED", "UNKNOWN", "Check", "Party", "Strictness"]

# These two say nothing about any program but wsgiref.validate, which got in the way.
CRASHED = Check(
    "crashed",
    "middleware-transparent",
    "stricter",
    "validator",
    function="",
    message="wsgiref.validate itself failed and checked no further",
)
UNKNOWN = Check(
    "unknown",
    "middleware-transparent",
    "stricter",
    "validator",
    function="",
    message="wsgiref.validate said something that nobody has judged yet",
)

CHECKS: Mapping[str, Check] = MappingProxyType(
    {
        check.id: check
        for check in (*CALL, *ENVIRON, *START, *HEADERS, *STREAMS, *BODY, CRASHED, UNKNOWN)
    }
)
"""Every `Check` by its id. Where two match, the first is meant."""
