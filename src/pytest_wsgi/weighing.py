"""What verdicts and answers mean for a run: which fail it, and which prove nothing.

Nothing here needs pytest; the exit statuses are its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_wsgi.catalogue import Level
from pytest_wsgi.report.verdicts import WORST_FIRST

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_wsgi.exchange import Exchange
    from pytest_wsgi.report import RuleReport

_PASSED = 0
_FAILED = 1
_NO_TESTS = 5

_LEVELS = [level.value for level in Level]
_REFUSALS = ("3", "400", "5", "an exception", "no end")
_HOST_HINT = "name a Host that it accepts with --wsgi-host HOST"


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


def weigh_answers(exchanges: Iterable[Exchange]) -> tuple[str, str]:
    """Return why nothing is proven by the answers that an application gave, and a note on them.

    Refusals, redirects and errors alone prove nothing. Error pages of its own prove something, and
    are worth a note.
    """
    answers = {name_answer(exchange) for exchange in exchanges if not exchange.under_validator}
    names = ", ".join(sorted(answers))
    if answers and all(name.startswith(_REFUSALS) for name in answers):
        hint = f"; {_HOST_HINT}" if "400" in answers else ""
        return f"every request was answered with {names}{hint}", ""
    if answers and all(name.isdigit() and not name.startswith("2") for name in answers):
        return "", f"no request succeeded (answers: {names}); --wsgi-path PATH asks for more"
    return "", ""


def name_answer(exchange: Exchange) -> str:
    """Return the status code of an answer; where it has none, in a word what came instead."""
    if exchange.code is not None:
        return str(exchange.code)
    if exchange.stopped is not None and exchange.stopped.reason != "left":
        return "no end"
    return "an exception" if exchange.raised else "a response without a code"
