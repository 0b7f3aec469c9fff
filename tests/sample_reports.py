"""Reports and the parts of them that the tests of the report and its renderings share."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from pytest_wsgi.exchange import Problem
from pytest_wsgi.report import (
    Change,
    FileReach,
    FindingReport,
    Reach,
    Report,
    RuleReport,
    Standing,
    Subject,
)

PATIENT = settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
"""How properties are tested: never by the clock."""

TRACEBACK = """\
Traceback (most recent call last):
  File "mysite/views.py", line 7, in show
    return environ["HTTP_HOST"]
KeyError: 'HTTP_HOST'"""


def make_finding(**changes):
    values = {
        "message": "",
        "request": "GET /",
        "expected": "a str",
        "observed": "b'200 OK'",
        "file": "mysite/wsgi.py",
        "line": 12,
        "probe": "get",
        "event": "2  start_response(b'200 OK', [('Content-Type', 'text/plain')])",
        "observed_type": "bytes",
        "also": ("HEAD /", "GET /absent", "GET / (empty PATH_INFO)"),
    }
    return FindingReport(**{**values, **changes})


def make_rule(**changes):
    values = {
        "id": "status-is-native-string",
        "level": "must",
        "area": "status",
        "party": "application",
        "requirements": ("status-native-str",),
        "verdict": "broken",
        "section": "PEP 3333, The start_response() Callable",
        "link": "https://peps.python.org/pep-3333/#the-start-response-callable",
        "sentence": "The status is a str.",
        "why": "Servers write the status to the client as text; bytes become a 500 on Gunicorn "
        "and waitress.",
        "exercised": 4,
    }
    if changes.get("verdict", "broken") == "broken":
        values["findings"] = (make_finding(),)
    return RuleReport(**{**values, **changes})


def make_rules(verdict, number, **changes):
    name = verdict.replace(" ", "-")
    return tuple(
        make_rule(id=f"{name}-{index}", verdict=verdict, **changes)
        for index in range(1, number + 1)
    )


def make_subject(**changes):
    values = {
        "kind": "application",
        "spec": "mysite.wsgi.application",
        "file": "mysite/wsgi.py",
        "line": 16,
        "label": "application",
        "origin": "--wsgi-app",
        "object": "django.core.handlers.wsgi.WSGIHandler",
        "facts": {
            "object": "django.core.handlers.wsgi.WSGIHandler",
            "settings module": "mysite.settings (set by mysite/wsgi.py)",
            "DEBUG": "True",
            "host": "localhost",
        },
    }
    return Subject(**{**values, **changes})


def make_report(*rules, **changes):
    values = {
        "subject": make_subject(),
        "environment": {
            "python": "3.12.1",
            "platform": "Linux",
            "pytest": "9.0.3",
            "pytest_wsgi": "0.1.0",
            "packages": {"asgiref": "3.8.1", "Django": "5.2"},
        },
        "rules": rules,
        "notes": ("post was not driven: may change state; sent only with --wsgi-unsafe",),
        "exchanges": 74,
    }
    return Report(**{**values, **changes})


def make_mixed_report():
    """Return a report with something of everything."""
    return make_report(
        make_rule(),
        make_rule(
            id="application-serves-without-host",
            level="should",
            area="environ",
            requirements=("environ-http-optional", "environ-http-absent"),
            section="RFC 3875 section 4.1.18",
            link="https://www.rfc-editor.org/rfc/rfc3875#section-4.1.18",
            sentence="The application serves requests without HTTP_HOST.",
            why="",
            inherited=True,
            findings=(
                make_finding(
                    message="an exception left the application",
                    request="GET / (no HTTP_HOST)",
                    expected="a response",
                    observed="KeyError raised",
                    observed_type="str",
                    event="2  raised KeyError: 'HTTP_HOST'",
                    file=None,
                    line=None,
                    also=(),
                    traceback=TRACEBACK,
                ),
            ),
        ),
        *make_rules("held", 2),
        *make_rules("held", 1, level="should"),
        *make_rules("known", 1, level="convention", eased="Frameworks do it on purpose."),
        *make_rules("not exercised", 3, reason="needs --wsgi-unsafe"),
        make_rule(
            id="header-values-have-no-tab",
            level="convention",
            ambiguity="Is a tab a control character? Read as de-facto: No: HTTP allows it.",
        ),
        make_rule(id="write-takes-bytes", verdict="not exercised", area="write"),
        make_rule(id="errors-are-flushed", verdict="harness error", reason="ValueError: oops"),
        ignored={"write-is-avoided": "an old framework", "blocks-are-bytes": ""},
    )


def make_unloaded_report():
    """Return the report of an application that did not load."""
    problem = Problem("module-not-found", "No module 'mysite.wsgy'.\nTry: pytest --wsgi-app x")
    return make_report(
        make_rule(id="application-loads", verdict="broken", findings=()),
        *make_rules("blocked", 2, reason="the application did not load"),
        subject=make_subject(problem=problem, object="", facts={}, file=None, line=None),
        notes=(),
        exchanges=0,
    )


texts = st.text(st.characters(exclude_categories=()), max_size=20).map(
    # JSON cannot tell a pair of surrogates from the character that it stands for.
    lambda text: text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
)
numbers = st.none() | st.integers()
findings = st.builds(
    FindingReport,
    message=texts,
    request=texts,
    expected=texts,
    observed=texts,
    file=st.none() | texts,
    line=numbers,
    probe=texts,
    event=texts,
    observed_type=texts,
    also=st.lists(texts, max_size=5).map(tuple),
    traceback=texts,
    layer=texts,
)
verdicts = st.sampled_from(["held", "broken", "not exercised", "known", "blocked", "harness error"])
rules = st.builds(
    RuleReport,
    id=texts,
    level=st.sampled_from(["must", "should", "convention"]) | texts,
    area=texts,
    party=texts,
    requirements=st.lists(texts, max_size=2).map(tuple),
    verdict=verdicts,
    section=texts,
    link=texts,
    sentence=texts,
    why=texts,
    reason=texts,
    exercised=st.integers(),
    inherited=st.booleans(),
    eased=texts,
    ambiguity=texts,
    findings=st.lists(findings, max_size=7).map(tuple),
)
subjects = st.builds(
    Subject,
    kind=texts,
    spec=texts,
    file=st.none() | texts,
    line=numbers,
    label=texts,
    origin=texts,
    object=texts,
    facts=st.dictionaries(texts, texts, max_size=8),
    problem=st.none() | st.builds(Problem, texts, texts),
)
reports = st.builds(
    Report,
    subject=subjects,
    environment=st.dictionaries(
        texts, texts | st.dictionaries(texts, texts, max_size=3), max_size=3
    ),
    rules=st.lists(rules, max_size=8).map(tuple),
    ignored=st.dictionaries(texts, texts, max_size=3),
    notes=st.lists(texts, max_size=4).map(tuple),
    exchanges=st.integers(),
    unproven=texts,
    reach=st.none()
    | st.builds(
        Reach,
        files=st.lists(
            st.builds(
                FileReach, file=texts, lines=st.integers(), reached=st.integers(), missing=texts
            ),
            max_size=3,
        ).map(tuple),
    ),
    standing=st.none()
    | st.builds(
        Standing,
        file=texts,
        changes=st.lists(
            st.builds(
                Change,
                state=texts | st.sampled_from(["new", "known", "fixed", "not exercised"]),
                rule=texts,
                finding=texts,
                **dict.fromkeys(("shows", "reason", "first_seen", "expires", "issue"), texts),
            ),
            max_size=2,
        ).map(tuple),
    ),
)
