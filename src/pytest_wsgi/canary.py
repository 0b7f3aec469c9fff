"""A deliberately broken application that goes through the engine before every run.

If it is not flagged, the engine is not connected, and no verdict of the run would mean anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

CANARY_RULE = "status-is-native-string"
"""The rule that the canary breaks."""


def canary(_environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    """Answer with a status in bytes, which PEP 3333 forbids."""
    start_response(b"200 OK", [("Content-Type", "text/plain"), ("Content-Length", "5")])
    return [b"hello"]
