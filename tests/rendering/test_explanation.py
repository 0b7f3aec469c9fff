from __future__ import annotations

import pytest

from pytest_wsgi.catalogue import CATALOGUE
from pytest_wsgi.explaining import explain_rule, read_fixes
from pytest_wsgi.rendering.explanation import render_chapter, render_explanation
from pytest_wsgi.rendering.failure import WIDTH
from pytest_wsgi.rules import load_rules

load_rules()

TAB = "header-values-have-no-tab"


def test_an_explanation_names_every_reading_of_an_ambiguous_point():
    text = render_explanation(explain_rule(CATALOGUE[TAB]))
    assert "\nAmbiguous   Is a tab a control character, which no header value may hold?\n" in text
    assert "\n  pep       Yes: none are allowed. (MUST)\n" in text
    assert "\n  de-facto  No: HTTP allows it" in text
    assert "(CONVENTION, our choice)\n  wsgiref " in text
    chapter = render_chapter(explain_rule(CATALOGUE[TAB]))
    assert "Ours is de-facto.\n\n- pep: Yes" in chapter
    assert "Ambiguous" not in render_explanation(explain_rule(CATALOGUE["status-is-native-string"]))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("status-is-native-string", "A MUST: where it is broken the run fails."),
        ("redirects-have-a-location", "HTTP or CGI asks for it, and the PEP does not."),
        ("write-is-avoided", "It weighs less than its requirement: write() is lawful"),
    ],
)
def test_an_explanation_tells_what_a_rule_weighs_and_why(name, words):
    assert words in " ".join(render_explanation(explain_rule(CATALOGUE[name])).split())


def test_an_explanation_says_what_a_run_says():
    found = explain_rule(CATALOGUE["status-is-native-string"])
    said = f"expected {found.bad.finding.expected}, got {found.bad.finding.observed}"
    assert said == "expected a str, got b'200 OK'"
    assert said in render_explanation(found)
    assert f"{said}\n" in render_chapter(found)
    assert (found.good.outcome, found.good.finding) == ("held", None)


@pytest.mark.parametrize(
    ("name", "side"),
    [
        ("iterable-is-closed-once", "application behind it"),
        ("repeated-headers-stay-apart", "server"),
    ],
)
def test_a_rule_that_judges_middleware_only_says_so(name, side):
    found = explain_rule(CATALOGUE[name])
    text = render_explanation(found)
    assert f"\nJudges      a middleware, towards the {side}.\n" in text
    assert f"pytest --wsgi-middleware mysite.middleware:Middleware --wsgi-ignore {name}\n" in text
    assert f"\n\nJudges a middleware, towards the {side}.\n\n" in render_chapter(found)
    assert (found.bad.outcome, found.good.outcome, [*found.fixes]) == ("broken", "held", ["Bare"])


def test_a_rule_that_judges_applications_says_nothing_of_middleware():
    found = explain_rule(CATALOGUE["status-is-native-string"])
    assert "--wsgi-app mysite.wsgi.application --wsgi-ignore" in render_explanation(found)
    assert "Judges" not in render_explanation(found) + render_chapter(found)


def test_prose_is_wrapped():
    lines = render_explanation(explain_rule(CATALOGUE[TAB])).splitlines()
    prose = lines[: next(n for n, line in enumerate(lines) if line.startswith("Bad ("))]
    assert all(len(line) <= WIDTH for line in prose if "https://" not in line)


def test_fixes_are_read_by_their_places():
    assert read_fixes("Bare: do\n    this. Django: no place\n\n  Flask: that.") == {
        "Bare": "do this. Django: no place",
        "Flask": "that.",
    }
    assert read_fixes("") == {}


def test_every_rule_can_be_explained_by_the_names_of_its_programs():
    found = explain_rule(CATALOGUE["application-loads"])
    assert found.rule is CATALOGUE["application-loads"]
    assert found.bad.finding.message
    assert "async def application(scope" in found.bad.source
