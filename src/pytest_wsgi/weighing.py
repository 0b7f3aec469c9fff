"""What verdicts weigh: which of several says most, which fails an item, and how a run ends.

Nothing here needs pytest; the exit statuses are its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_wsgi.catalogue import Level
from pytest_wsgi.report.verdicts import WORST_FIRST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_wsgi.report import RuleReport

_PASSED = 0
_FAILED = 1
_NO_TESTS = 5

_LEVELS = [level.value for level in Level]


def find_worst(reports: Sequence[RuleReport]) -> RuleReport:
    """Return the report that says most: the worst verdict, and of those the gravest level."""
    return min(
        reports, key=lambda rule: (WORST_FIRST.index(rule.verdict), _LEVELS.index(rule.level))
    )


def is_failure(report: RuleReport, *, strict: bool) -> bool:
    """Tell whether a rule's verdict fails its item; with `strict` a broken SHOULD does too."""
    weighs = report.level == "must" or (strict and report.level == "should")
    return report.verdict == "harness error" or (report.verdict == "broken" and weighs)


def weigh_status(status: int, *, failed: bool) -> int:
    """Return pytest's exit status; a failure of ours turns a good one into 1, no worse one."""
    return _FAILED if failed and status in {_PASSED, _NO_TESTS} else status
