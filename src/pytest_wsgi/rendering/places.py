"""Where a finding is shown in the user's own files, for tools that show findings beside the code.

Such tools want a file of the repository for every finding. Where the source of a finding is not
known, the file that defines the subject stands in for it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_wsgi.rendering import name_others, printable, printable_lines, say_difference

if TYPE_CHECKING:
    from pytest_wsgi.report.values import FindingReport, RuleReport, Subject

_ADDRESS = re.compile(r"https://[\w./#~:-]+", re.ASCII)


def is_address(text: str) -> bool:
    """Tell whether a text is a plain web address, in which nothing has to be escaped."""
    return _ADDRESS.fullmatch(text) is not None


def find_file(finding: FindingReport, subject: Subject) -> tuple[str, int]:
    """Return file and line of a finding, else those of the subject; an empty file, and line 1."""
    if finding.file:
        return printable(finding.file), at_least_one(finding.line)
    return printable(subject.file or ""), at_least_one(subject.line)


def at_least_one(line: int | None) -> int:
    """Return a line that a file can have."""
    return max(line or 1, 1)


def say_finding(rule: RuleReport, finding: FindingReport) -> list[str]:
    """Return what the rule asks for and what was seen, in a few lines of plain text."""
    request = " ".join(map(printable, filter(None, (finding.request, finding.event))))
    lines = [
        printable(rule.sentence or rule.id),
        request,
        say_difference(finding),
        *printable_lines(finding.message),
        name_others(finding),
        f"Layer: {printable(finding.layer)}" if finding.layer else "",
    ]
    return [line for line in lines if line]


def say_more(rule: RuleReport) -> str:
    """Return the command that explains a rule."""
    return f"More: pytest --wsgi-explain {printable(rule.id)}"
