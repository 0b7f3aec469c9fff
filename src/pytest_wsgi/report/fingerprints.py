"""Names findings so that the same one is found again in another run.

A fingerprint depends on the rule, the subject, what was expected, the kind of what was observed,
the file, and the words that were said of it. It does not depend on lines, requests or values, which
change from run to run.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_wsgi.report.values import FindingReport

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_wsgi.report.values import Report, RuleReport, Subject

_LENGTH = 32
_VALUES = re.compile(r"""<redacted[^<>]*>|'[^']*'|"[^"]*"|\S*[/\\]\S*|0x[0-9a-f]+|\d+""")
"""What may be another in the next run: what is hidden, quoted texts, paths, addresses,
numbers. So a finding is the same one where a secret is known and where it is not."""

_SAID_NOTHING = FindingReport(message="", request="", expected="", observed="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A finding with its rule and its fingerprint, which no other finding of the report has."""

    fingerprint: str
    rule: RuleReport
    finding: FindingReport


def name_findings(report: Report, subject: Subject | None = None) -> tuple[Named, ...]:
    """Return every finding of the broken and the known rules, in the order of the report.

    A rule that is broken without a finding counts as one that says nothing. `subject` takes the
    place of the report's own in the fingerprints, so that two runs can be compared under one name.
    """
    of_whom = report.subject if subject is None else subject
    seen: dict[str, int] = {}
    named = []
    for rule, finding in list_broken(report):
        base = name_finding(rule.id, of_whom, finding)
        seen[base] = seen.get(base, 0) + 1
        name = base if seen[base] == 1 else digest(base, str(seen[base]))
        named.append(Named(fingerprint=name, rule=rule, finding=finding))
    return tuple(named)


def list_broken(report: Report) -> Iterator[tuple[RuleReport, FindingReport]]:
    """Yield every rule that is broken or known with each of its findings."""
    for rule in report.rules:
        if rule.verdict in ("broken", "known"):
            for finding in rule.findings or (_SAID_NOTHING,):
                yield rule, finding


def name_finding(rule: str, subject: Subject, finding: FindingReport) -> str:
    """Return the fingerprint of a finding, which others that differ in values alone share."""
    return digest(
        rule,
        subject.kind,
        subject.spec,
        finding.expected,
        finding.observed_type,
        drop_values(finding.observed) if finding.observed_type == "str" else "",
        drop_values(finding.message),
        finding.file or "",
    )


def drop_values(text: str) -> str:
    """Return the words of the first line of a text, without the values among them."""
    return _VALUES.sub("*", text.partition("\n")[0])


def digest(*parts: str) -> str:
    """Return a short hexadecimal digest of texts, whatever is in them."""
    text = json.dumps(parts)  # pure ASCII, even for what UTF-8 cannot hold
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:_LENGTH]
