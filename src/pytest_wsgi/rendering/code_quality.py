"""Renders reports as a Code Quality report of GitLab: a list of issues in JSON.

GitLab compares the fingerprints with those of the target branch, so they are unique and do not
depend on lines. It shows the description alone; the name of the rule stands in it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pytest_wsgi.rendering import cut, printable
from pytest_wsgi.rendering.places import find_file, say_finding
from pytest_wsgi.report.fingerprints import digest, name_findings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_wsgi.report.fingerprints import Named
    from pytest_wsgi.report.values import Report

SEVERITIES = {"must": "critical", "should": "major"}
"""The severity by the level of the rule; of any other one it is "info"."""

LONGEST = 1000
"""How many characters a description has at most."""


def render_code_quality(reports: Sequence[Report]) -> str:
    """Return the issues: pure ASCII, with a newline at the end; what is known is left out."""
    return json.dumps(list(list_issues(reports)), indent=2) + "\n"


def list_issues(reports: Sequence[Report]) -> Iterator[dict[str, Any]]:
    """Yield an issue for every finding of the broken rules, each fingerprint once."""
    seen: dict[str, int] = {}
    for report in reports:
        for named in name_findings(report):
            if named.rule.verdict == "broken":
                number = seen[named.fingerprint] = seen.get(named.fingerprint, 0) + 1
                name = named.fingerprint
                yield make_issue(
                    named, report, name if number == 1 else digest(name, f"report {number}")
                )


def make_issue(named: Named, report: Report, fingerprint: str) -> dict[str, Any]:
    """Return one issue."""
    file, line = find_file(named.finding, report.subject)
    rule = named.rule
    text = "; ".join(say_finding(rule, named.finding))
    return {
        "check_name": printable(rule.id),
        "description": cut(
            f"{printable(rule.level).upper()} {printable(rule.id)}: {text}", LONGEST
        ),
        "severity": SEVERITIES.get(rule.level, "info"),
        "fingerprint": fingerprint,
        # Every issue must have a path, even where no file is known.
        "location": {
            "path": file or printable(report.subject.spec or report.subject.kind),
            "lines": {"begin": line},
        },
    }
