"""The rules, one module per part of the PEP. Importing this package fills the catalogue."""

from __future__ import annotations

import importlib
import pkgutil


def load_rules() -> None:
    """Import every module of rules, in the order of the PEP and then by name."""
    found = {module.name for module in pkgutil.iter_modules(__path__)}
    for name in sorted(found, key=lambda name: (ORDER.index(name) if name in ORDER else 99, name)):
        importlib.import_module(f"{__name__}.{name}")


ORDER = (
    "loading",
    "launches",
    "settings",
    "layers",
    "application",
    "environ",
    "input",
    "errors",
    "start_response",
    "exc_info",
    "status",
    "headers",
    "known_headers",
    "content_length",
    "ranges",
    "requests",
    "conditional",
    "negotiation",
    "body",
    "write",
    "close",
    "file_wrapper",
    "unicode",
    "url",
    "threads",
    "validator",
    "served_environ",
    "served_input",
    "served_start_response",
    "served_close",
    "served_iteration",
    "middleware",
    "middleware_body",
    "middleware_content",
    "middleware_environ",
)
"""The modules in the order of the PEP; one that is not named here comes after them."""
