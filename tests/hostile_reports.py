"""Reports that hold what would break out of a format, in every field that can hold a text."""

from __future__ import annotations

from dataclasses import fields, replace

from hypothesis import HealthCheck, settings

from pytest_wsgi.exchange import Problem
from pytest_wsgi.report import FileReach, Reach
from sample_reports import PATIENT, make_finding, make_report, make_rule, make_subject

HOSTILE = (
    "a]]>\"'<script>alert(1)</script><!-- & &lt; %0A%25,x=y:: \r\n::error file=x::y\n"
    "##[add-mask]z `` ``` | [l](https://evil.example) {{ 7*7 }} {% x %} \x00\x1b[2J\u202e\ud800 \\"
)

FEW = settings(
    PATIENT,
    max_examples=15,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
"""How properties of whole reports are tested, which take long to make."""


def spoil(value):
    """Return a record in which every text is a hostile one."""
    texts = {
        field.name: HOSTILE
        for field in fields(value)
        if isinstance(getattr(value, field.name), str) and field.name != "verdict"
    }
    return replace(value, **texts)


def make_hostile_report(level=HOSTILE):
    """Return a report in which everything is hostile; a tool may need a level that is known."""
    finding = spoil(make_finding(also=(HOSTILE, HOSTILE), file=HOSTILE, line=-3))
    rules = [
        replace(
            spoil(make_rule(verdict=verdict, requirements=(HOSTILE,), findings=())),
            id=f"{HOSTILE}{verdict}",
            level=level,
            findings=(finding, finding) if verdict in ("broken", "known") else (),
        )
        for verdict in ("broken", "known", "not exercised", "blocked", "harness error", "held")
    ]
    subject = spoil(make_subject(facts={HOSTILE: HOSTILE}, problem=Problem(HOSTILE, HOSTILE)))
    return make_report(
        *rules,
        subject=subject,
        environment={
            HOSTILE: HOSTILE,
            "pytest_wsgi": HOSTILE,
            "packages": {HOSTILE: HOSTILE},
        },
        ignored={HOSTILE: HOSTILE},
        notes=(HOSTILE,),
        unproven=HOSTILE,
        reach=Reach(files=(FileReach(file=HOSTILE, lines=2, reached=1, missing=HOSTILE),)),
    )
