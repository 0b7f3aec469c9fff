"""Explains a rule: its requirement, why it matters, and both of its examples, executed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_wsgi.ambiguities import load_ambiguities
from pytest_wsgi.explanation import PLACES, Example, Explanation
from pytest_wsgi.proof import judge_program, load_programs
from pytest_wsgi.report import FindingReport, report_verdict
from pytest_wsgi.report.verdicts import cite
from pytest_wsgi.sources import show_source

if TYPE_CHECKING:
    from pytest_wsgi.catalogue import AnyRule

_PLACE = re.compile(rf"^\s*({'|'.join(PLACES)}):\s*", re.MULTILINE)


def explain_rule(rule: AnyRule) -> Explanation:
    """Return the explanation of a rule; runs both of its examples."""
    name = rule.id
    programs = load_programs()
    twin = programs.twins[name]
    mutant = programs.mutants[twin.mutant]
    section, link = cite(next((s for r in rule.requirements for s in r.section), ""))
    return Explanation(
        rule=rule,
        section=section,
        link=link,
        ambiguity=load_ambiguities()[rule.ambiguity] if rule.ambiguity else None,
        bad=Example(
            name=mutant.name,
            source=show_source(mutant.made),
            outcome="broken",
            finding=find_finding(mutant.make(), name),
        ),
        good=Example(
            name=twin.name,
            source=show_source(twin.made),
            outcome=judge_program(twin.make(), rule=name)[name].outcome,
        ),
        fixes=read_fixes(twin.made.__doc__ or ""),
    )


def find_finding(program: object, rule: str) -> FindingReport | None:
    """Return the first finding of a rule over a program."""
    report = report_verdict(judge_program(program, rule=rule)[rule], "")
    return next(iter(report.findings), None)


def read_fixes(docstring: str) -> dict[str, str]:
    """Return the parts of a mended twin's docstring by the place that they are about."""
    parts = _PLACE.split(docstring)
    pairs = zip(parts[1::2], parts[2::2], strict=True)
    return {place: " ".join(text.split()) for place, text in pairs}
