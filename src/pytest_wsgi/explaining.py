"""Explains a rule: its requirement, why it matters, and both of its examples, executed."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pytest_wsgi.ambiguities import load_ambiguities
from pytest_wsgi.explanation import PLACES, Example, Explanation
from pytest_wsgi.matter import is_for
from pytest_wsgi.proof import is_runnable, judge_any, load_programs
from pytest_wsgi.report import report_verdict
from pytest_wsgi.report.redaction import Redactor
from pytest_wsgi.report.verdicts import cite
from pytest_wsgi.sources import show_source

if TYPE_CHECKING:
    from pytest_wsgi.catalogue import AnyRule

_HOME = re.compile(r"""[^\s"']*pytest-wsgi-\w+[/\\]""")
"""The directory of a project, which is another one in every run."""

_PLACE = re.compile(rf"^\s*({'|'.join(PLACES)}):\s*", re.MULTILINE)


def explain_rule(rule: AnyRule) -> Explanation:
    """Return the explanation of a rule; runs both of its examples."""
    name = rule.id
    mutant, twin = load_programs().find_pair(name)
    section, link = cite(next((s for r in rule.requirements for s in r.section), ""))
    return Explanation(
        rule=rule,
        section=section,
        link=link,
        ambiguity=load_ambiguities()[rule.ambiguity] if rule.ambiguity else None,
        bad=make_example(mutant, name),
        good=make_example(twin, name),
        fixes=read_fixes(find_advice(twin)),
        of_middleware=not is_for(rule, "application"),
    )


def make_example(program: Any, rule: str) -> Example:
    """Return a program with what came of the rule; one that cannot be run here is only shown."""
    source = show_files(program) if hasattr(program, "files") else show_source(program.made)
    if not is_runnable(program):
        return Example(name=program.name, source=source, outcome="blocked")
    report = report_verdict(judge_any(program)[rule], "", Redactor())
    found = [
        replace(
            finding,
            message=_HOME.sub("", finding.message),
            observed=_HOME.sub("", finding.observed),
        )
        for finding in report.findings
    ]
    return Example(
        name=program.name,
        source=source,
        outcome=report.verdict,
        finding=next(iter(found), None),
    )


def show_files(project: Any) -> str:
    """Return the files of a project that are worth reading, each under its name."""
    names = project.shown or tuple(project.files)
    return "\n\n".join(f"# {name}\n{project.files[name].strip()}" for name in names)


def find_advice(twin: Any) -> str:
    """Return how to mend the fault, as the twin says."""
    return twin.advice if hasattr(twin, "files") else twin.made.__doc__ or ""


def read_fixes(docstring: str) -> dict[str, str]:
    """Return the parts of a mended twin's docstring by the place that they are about."""
    parts = _PLACE.split(docstring)
    pairs = zip(parts[1::2], parts[2::2], strict=True)
    return {place: " ".join(text.split()) for place, text in pairs}
