from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostile_reports import FEW, HOSTILE, make_hostile_report
from pytest_wsgi.rendering.annotations import LONGEST, MOST, annotate, is_wanted, render_annotations
from sample_reports import (
    PATIENT,
    make_finding,
    make_mixed_report,
    make_report,
    make_rule,
    make_rules,
    make_subject,
    make_unloaded_report,
    reports,
    texts,
)

COMMAND = re.compile(
    r"::(error|warning|notice) (?:file=([^,:\r\n]*),line=([1-9]\d*),)?"
    r"title=([^,:\r\n]*)::([^\r\n]*)"
)
MORE = "%0AMore: pytest --wsgi-explain "


def undo(text):
    """Return what GitHub makes of an escaped text."""
    for code, char in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, char)
    return text


def render(*some):
    """Return the parts of each command."""
    text = render_annotations(some)
    lines = text.split("\n")
    assert lines.pop() == ""
    found = [COMMAND.fullmatch(line) for line in lines]
    assert all(found), text
    return [match.groups() for match in found]


@pytest.mark.parametrize(
    ("environ", "wanted"),
    [
        ({"GITHUB_ACTIONS": "true"}, True),
        ({"GITHUB_ACTIONS": "false"}, False),
        ({"GITHUB_ACTIONS": ""}, False),
        ({}, False),
    ],
)
def test_when_they_are_wanted(environ, wanted):
    assert is_wanted(environ) is wanted


def test_annotations_of_a_mixed_report():
    kind, file, line, title, text = render(make_mixed_report())[1]
    assert (kind, file, line) == ("error", "mysite/wsgi.py", "12")
    assert title == "pytest-wsgi (status-is-native-string)"
    assert text == (
        "The status is a str.%0A"
        "GET / 2  start_response(b'200 OK', [('Content-Type', 'text/plain')])%0A"
        "expected a str, got b'200 OK'%0A"
        "and 3 more: HEAD /, GET /absent, GET / (empty PATH_INFO)"
        f"{MORE}status-is-native-string"
    )


def test_what_weighs_most_comes_first():
    assert [(kind, title) for kind, _, _, title, _ in render(make_mixed_report())] == [
        ("error", "pytest-wsgi (errors-are-flushed)"),
        ("error", "pytest-wsgi (status-is-native-string)"),
        ("warning", "pytest-wsgi (application-serves-without-host)"),
        ("notice", "pytest-wsgi (header-values-have-no-tab)"),
    ]


def test_a_level_that_is_not_known_comes_last():
    odd, must = make_rule(id="a", level="odd"), make_rule(id="b")
    assert [each[0] for each in render(make_report(odd, must))] == ["error", "notice"]


def test_a_finding_without_a_file_is_shown_at_the_subject():
    finding = make_finding(file=None, line=None, layer="Layer (a.py:3)")
    (found,) = render(make_report(make_rule(findings=(finding,))))
    assert found[1:3] == ("mysite/wsgi.py", "16")
    assert "%0ALayer: Layer (a.py:3)%0A" in found[4]


def test_a_finding_of_which_no_file_is_known():
    report = make_report(make_rule(findings=()), subject=make_subject(file=None))
    assert render(report)[0][1:3] == (None, None)


def test_what_proves_nothing_is_an_error():
    report = make_report(*make_rules("not exercised", 2))
    assert render(report) == [
        (
            "error",
            "mysite/wsgi.py",
            "16",
            "pytest-wsgi",
            "Nothing was proven: no rule was exercised.",
        )
    ]


def test_what_did_not_load_is_told_once():
    ((kind, file, line, title, _),) = render(make_unloaded_report())
    assert (kind, file, line) == ("error", None, None)
    assert title == "pytest-wsgi (application-loads)"


def test_nothing_where_all_is_well():
    known = make_rule(verdict="known", findings=(make_finding(),))
    assert render_annotations([make_report(*make_rules("held", 2), known)]) == ""
    assert render_annotations([]) == ""


def test_at_most_eight():
    (shown,) = [render(make_report(*make_rules("broken", 8)))]
    assert len(shown) == MOST
    some = [make_report(*make_rules("broken", 5)), make_report(*make_rules("broken", 6))]
    shown = render(*some)
    assert len(shown) == MOST
    assert shown[-1] == ("notice", None, None, "pytest-wsgi", "4 more findings: see the report.")
    assert len({each[1] for each in shown[:-1]}) == 1


def test_a_long_text_is_cut_before_it_is_escaped():
    finding = make_finding(message="%" * 2 * LONGEST)
    ((*_, text),) = render(make_report(make_rule(findings=(finding,))))
    assert len(undo(text)) == LONGEST


def test_escaping():
    command = annotate("error", "50%,a:b\r\nc", "t,:%\n", "d,e:f.py", 3)
    assert command == (r"::error file=d%2Ce%3Af.py,line=3,title=t%2C%3A%25%0A::50%25,a:b%0D%0Ac")


def test_a_hostile_report():
    found = render(make_hostile_report("must"))
    assert [each[0] for each in found] == ["error"] * 3
    for *_, title, text in found:
        assert undo(title).isprintable()
        assert all(line.isprintable() for line in undo(text).split("\n"))


@PATIENT
@given(texts | st.just(HOSTILE), texts | st.just(HOSTILE))
def test_nothing_ends_a_command(text, file):
    command = annotate("error", text, file, file or "x", 1)
    match = COMMAND.fullmatch(command)
    assert undo(match.group(4)) == file
    assert undo(match.group(5)) == text


@FEW
@given(st.lists(reports, max_size=2))
def test_any_reports(some):
    assert len(render(*some)) <= MOST


def test_all_levels_of_many_findings_keep_their_order():
    rules = [make_rule(id=level, level=level) for level in ("convention", "should", "must")]
    report = make_report(*(replace(rule, verdict="broken") for rule in rules))
    assert [each[0] for each in render(report)] == ["error", "warning", "notice"]
