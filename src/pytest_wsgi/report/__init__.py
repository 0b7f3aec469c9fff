"""The report as a value: what was judged, what came of every rule, and on which grounds.

`values` holds the value, `verdicts` makes it from what the judge says, `events` puts what crossed
the boundary into words, `evidence` keeps what lets a person see and repeat a finding, `plain` turns
the value into builtin values and JSON and back. Nothing here judges, drives, imports a target or
renders.
"""

from __future__ import annotations

from pytest_wsgi.report.plain import (
    InvalidJsonError,
    NotAReportError,
    ReportError,
    ReportVersionError,
    from_json,
    rule_from_dict,
    rule_to_dict,
    subject_from_dict,
    subject_to_dict,
    to_json,
)
from pytest_wsgi.report.reach import FileReach, Reach
from pytest_wsgi.report.values import (
    Change,
    Excerpt,
    FindingReport,
    Proof,
    Report,
    RuleReport,
    Standing,
    Stimulus,
    Subject,
    TimelineEvent,
    fails,
)
from pytest_wsgi.report.verdicts import merge_rules, report_subject, report_verdict

__all__ = [
    "Change",
    "Excerpt",
    "FileReach",
    "FindingReport",
    "InvalidJsonError",
    "NotAReportError",
    "Proof",
    "Reach",
    "Report",
    "ReportError",
    "ReportVersionError",
    "RuleReport",
    "Standing",
    "Stimulus",
    "Subject",
    "TimelineEvent",
    "fails",
    "from_json",
    "merge_rules",
    "report_subject",
    "report_verdict",
    "rule_from_dict",
    "rule_to_dict",
    "subject_from_dict",
    "subject_to_dict",
    "to_json",
]
