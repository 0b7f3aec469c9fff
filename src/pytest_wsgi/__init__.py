"""A conformance harness for WSGI (PEP 3333), as a pytest plugin and as a library.

Nothing is imported before it is asked for. The function that turns rules and exchanges into
verdicts has the name of its module: `from pytest_wsgi.judge import judge`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_wsgi.catalogue import CATALOGUE, Finding, Level, Party, Rule, rule
    from pytest_wsgi.drivers.application import Battery, Terms, drive
    from pytest_wsgi.exchange import Conversation, Exchange, Loading
    from pytest_wsgi.judge import Verdict
    from pytest_wsgi.probes import Probe, Request
    from pytest_wsgi.probes.application import BATTERY
    from pytest_wsgi.recorder import Recorder
    from pytest_wsgi.report import (
        FindingReport,
        Report,
        RuleReport,
        Subject,
        from_json,
        to_json,
    )
    from pytest_wsgi.rules import load_rules

    __version__: str

__all__ = [
    "BATTERY",
    "CATALOGUE",
    "Battery",
    "Conversation",
    "Exchange",
    "Finding",
    "FindingReport",
    "Level",
    "Loading",
    "Party",
    "Probe",
    "Recorder",
    "Report",
    "Request",
    "Rule",
    "RuleReport",
    "Subject",
    "Terms",
    "Verdict",
    "__version__",
    "drive",
    "from_json",
    "load_rules",
    "rule",
    "to_json",
]

_HOMES = {
    "catalogue": "CATALOGUE Finding Level Party Rule rule",
    "drivers.application": "Battery Terms drive",
    "exchange": "Conversation Exchange Loading",
    "judge": "Verdict",
    "probes": "Probe Request",
    "probes.application": "BATTERY",
    "recorder": "Recorder",
    "report": "FindingReport Report RuleReport Subject from_json to_json",
    "rules": "load_rules",
}
"""The modules that define the public names."""


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for (PEP 562)."""
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415 # slow, and seldom asked for

        return version("pytest-wsgi")
    for home, names in _HOMES.items():
        if name in names.split():
            from importlib import import_module  # noqa: PLC0415 # only when asked for

            return getattr(import_module(f"{__name__}.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """Return the public names."""
    return __all__
