"""Renders reports as SARIF 2.1.0, for tools that show findings beside the code.

The format is that of OASIS, Static Analysis Results Interchange Format (SARIF) Version 2.1.0. Each
report is a run of its own. A finding that is in the baseline is suppressed and "unchanged"; where
there is a baseline every other one is "new".
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote as quote_address

from pytest_wsgi.rendering import printable
from pytest_wsgi.rendering.markdown import escape
from pytest_wsgi.rendering.markdown import quote as quote_code
from pytest_wsgi.rendering.places import find_file, is_address, say_finding, say_more
from pytest_wsgi.report.fingerprints import name_findings
from pytest_wsgi.report.merging import flatten, name_reports

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_wsgi.report.fingerprints import Named
    from pytest_wsgi.report.values import Report, RuleReport

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
WEIGHTS = {"must": "error", "should": "warning"}
"""The level of a result by the level of its rule; of any other one it is a note."""

_SEVERITIES = {"error": "error", "warning": "warning", "note": "recommendation"}
_ROOT = "%SRCROOT%"


def render_sarif(reports: Sequence[Report]) -> str:
    """Return the reports as one SARIF log: pure ASCII, with a newline at the end."""
    runs = [
        make_run(report, name) for report, name in zip(reports, name_reports(reports), strict=True)
    ]
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": runs}
    return json.dumps(log, indent=2) + "\n"


def make_run(report: Report, name: str) -> dict[str, Any]:
    """Return a report as a run; its name tells it from the other runs of the file."""
    rules = list({rule.id: rule for rule in reversed(report.rules)}.values())[::-1]
    numbers = {rule.id: number for number, rule in enumerate(rules)}
    has_baseline = any(rule.verdict == "known" for rule in report.rules)
    return {
        "tool": {"driver": make_driver(report, rules)},
        "automationDetails": {"id": f"pytest-wsgi/{printable(name)}/"},
        "invocations": [make_invocation(report)],
        "columnKind": "unicodeCodePoints",
        "results": [
            {
                **make_result(named, report, numbers[named.rule.id]),
                **(make_state(named.rule) if has_baseline else {}),
            }
            for named in name_findings(report)
        ],
        "properties": {
            "verdict": printable(report.sentence),
            "subject": printable(report.subject.spec),
            "totals": report.totals,
            "environment": {
                printable(key): printable(value)
                for key, value in flatten(report.environment).items()
            },
        },
    }


def make_driver(report: Report, rules: Sequence[RuleReport]) -> dict[str, Any]:
    """Return the tool with the rules that it judged by."""
    version = report.environment.get("pytest_wsgi")
    return {
        "name": "pytest-wsgi",
        **({"version": printable(version)} if version and isinstance(version, str) else {}),
        "rules": [make_rule(rule) for rule in rules],
    }


def make_rule(rule: RuleReport) -> dict[str, Any]:
    """Return a rule with its help and the level that its results have."""
    sentence = printable(rule.sentence or rule.id)
    level = weigh(rule)
    tags = ("wsgi", rule.level, rule.area, rule.party)
    return {
        "id": printable(rule.id),
        "shortDescription": {"text": sentence},
        "fullDescription": {"text": " ".join(filter(None, (sentence, printable(rule.why))))},
        **({"helpUri": rule.link} if is_address(rule.link) else {}),
        "help": {"text": "\n".join(help_text(rule)), "markdown": "\n\n".join(help_markdown(rule))},
        "defaultConfiguration": {"level": level},
        "properties": {
            "tags": list(dict.fromkeys(map(printable, filter(None, tags)))),
            "problem.severity": _SEVERITIES[level],
            "requirements": list(map(printable, rule.requirements)),
        },
    }


def help_text(rule: RuleReport) -> list[str]:
    """Return what a rule asks for and why, in lines of plain text."""
    source = printable(rule.section)
    return [
        f"{printable(rule.level).upper()} {printable(rule.sentence or rule.id)}",
        *(f"{label}: {printable(text)}" for label, text in list_reasons(rule)),
        *([f"Source: {source}"] if source else []),
        say_more(rule),
    ]


def help_markdown(rule: RuleReport) -> list[str]:
    """Return what a rule asks for and why, in paragraphs of Markdown."""
    section = escape(rule.section)
    source = f"[{section}]({rule.link})" if is_address(rule.link) else section
    return [
        f"**{escape(rule.level.upper())}** {escape(rule.sentence or rule.id)}",
        *(f"{label}: {escape(text)}" for label, text in list_reasons(rule)),
        *([f"Source: {source}"] if section else []),
        f"More: {quote_code(f'pytest --wsgi-explain {rule.id}')}",
    ]


def list_reasons(rule: RuleReport) -> list[tuple[str, str]]:
    """Return what else is to be said of a rule, with a label for each."""
    reasons = (
        ("Why", rule.why),
        ("It weighs less than its requirement", rule.eased),
        ("The PEP is ambiguous here", rule.ambiguity),
    )
    return [(label, text) for label, text in reasons if text]


def make_result(named: Named, report: Report, number: int) -> dict[str, Any]:
    """Return a finding as a result; `number` is that of its rule in the run."""
    return {
        "ruleId": printable(named.rule.id),
        "ruleIndex": number,
        "level": weigh(named.rule),
        "message": {
            "text": "\n".join([*say_finding(named.rule, named.finding), say_more(named.rule)])
        },
        "locations": [make_location(named, report)],
        "partialFingerprints": {
            # The name under which code hosts look for it, and ours with its version.
            "primaryLocationLineHash": f"{named.fingerprint}:1",
            "pytestWsgiFinding/v1": named.fingerprint,
        },
    }


def make_location(named: Named, report: Report) -> dict[str, Any]:
    """Return where a finding is shown: in a file where one is known, and in the subject."""
    file, line = find_file(named.finding, report.subject)
    logical = [{"fullyQualifiedName": printable(report.subject.spec or report.subject.kind)}]
    if not file:
        return {"logicalLocations": logical}
    address = {"uri": quote_address(file, safe="/"), "uriBaseId": _ROOT}
    physical = {"artifactLocation": address, "region": {"startLine": line}}
    return {"physicalLocation": physical, "logicalLocations": logical}


def make_state(rule: RuleReport) -> dict[str, Any]:
    """Return what the baseline says of a finding of this rule."""
    if rule.verdict != "known":
        return {"baselineState": "new", "suppressions": []}
    suppression = {"kind": "external", "justification": printable(rule.reason)}
    return {"baselineState": "unchanged", "suppressions": [suppression]}


def make_invocation(report: Report) -> dict[str, Any]:
    """Return how the run went: errors of the harness and what was not proven are notifications."""
    said = [f"{printable(rule.id)}: {printable(rule.reason)}" for rule in report.harness_errors]
    problem = report.subject.problem
    if not report.is_proven:
        said.append(printable(report.sentence))
    if problem is not None:
        said.append(f"{printable(problem.id)}: {printable(problem.message)}")
    return {
        "executionSuccessful": not said,
        "toolExecutionNotifications": [
            {"level": "error", "message": {"text": text}} for text in said
        ],
    }


def weigh(rule: RuleReport) -> str:
    """Return the level of a rule's results."""
    return WEIGHTS.get(rule.level, "note")
