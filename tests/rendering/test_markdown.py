from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import example, given

from pytest_wsgi.rendering.markdown import escape, fence, quote, render_markdown
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

GOLDEN = Path(__file__).with_name("golden")
HOSTILE = (
    "`` ``` | <script>alert(1)</script> [x](https://evil.example) \n# &lt; @all \x1b[2J \ud800"
)


@pytest.mark.parametrize(
    ("name", "report"),
    [
        ("mixed", make_mixed_report()),
        ("unloaded", make_unloaded_report()),
        (
            "hostile",
            make_report(
                make_rule(
                    findings=(
                        make_finding(
                            request=HOSTILE,
                            event=HOSTILE,
                            observed=HOSTILE,
                            message=HOSTILE,
                            also=(HOSTILE,),
                            file=HOSTILE,
                            traceback=HOSTILE,
                        ),
                    ),
                ),
                make_rule(id=HOSTILE, verdict="not exercised", reason=HOSTILE),
                make_rule(id=HOSTILE, eased=HOSTILE, level=HOSTILE, link=HOSTILE, sentence=HOSTILE),
                subject=make_subject(spec=HOSTILE, facts={HOSTILE: HOSTILE}),
                environment={HOSTILE: HOSTILE, "packages": {HOSTILE: HOSTILE}},
                notes=(HOSTILE,),
            ),
        ),
    ],
)
def test_markdown_is_as_it_was(name, report):
    assert render_markdown(report) == (GOLDEN / f"{name}.md").read_text(encoding="utf-8")


def test_empty_report():
    text = render_markdown(
        make_report(subject=make_subject(spec="", facts={}), environment={}, notes=())
    )
    assert text.startswith("# WSGI conformance of `application`\n")
    assert re.findall("^## .*$", text, re.MULTILINE) == [
        "## Requirements of the PEP",
        "## Subject",
    ]
    assert "Requirements" not in render_markdown(make_report(subject=make_subject(kind="test")))


def test_sentence_is_bold_whatever_the_spec():
    text = render_markdown(make_report(*make_rules("held", 1), subject=make_subject(spec=" a ")))
    assert "\n**a  keeps PEP 3333 " in text


def test_findings_beyond_the_first_are_counted():
    findings = tuple(make_finding(request=f"GET /{n}", also=()) for n in range(21))
    text = render_markdown(make_report(make_rule(findings=findings)))
    assert "`GET /19`" in text
    assert "`GET /20`" not in text
    assert "\n- and 1 more finding\n" in text


def test_finding_of_which_little_is_known():
    finding = make_finding(
        request="", event="", expected="", observed="", also=(), file=None, message="first\n\nlast"
    )
    text = render_markdown(make_report(make_rule(findings=(finding,), section="", why="")))
    assert "\n- finding\n  - `first`\n  - `last`\n" in text


def test_blocked_rules_have_their_reason():
    report = make_report(*make_rules("blocked", 2, reason="it did not load"))
    assert "## Blocked\n\n- it did not load: `blocked-1`, `blocked-2`\n" in render_markdown(report)


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("plain, 1.5 (text) - really!", "plain, 1.5 (text) - really!"),
        ("a*b_c`d", r"a\*b\_c\`d"),
        ("<b>&amp;|", r"\<b\>\&amp;\|"),
        ("[a](https://b) www.c.d e@f", r"\[a\](https\://b) www\.c.d e\@f"),
        ("a\nb\\", r"a\\nb\\"),
    ],
)
def test_escape(text, escaped):
    assert escape(text) == escaped


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("a", "`a`"),
        ("a|b", "`a|b`"),
        ("a`b", "``a`b``"),
        ("`a``", "``` `a`` ```"),
        (" a", "`  a `"),
        ("", '`""`'),
        ("  ", '`"  "`'),
        ("a\nb", r"`a\nb`"),
    ],
)
def test_quote(text, quoted):
    assert quote(text) == quoted


@PATIENT
@given(texts)
@example(HOSTILE)
@example("`")
def test_nothing_ends_a_code_span(text):
    quoted = quote(text)
    mark = re.match("`+", quoted).group()
    inner = quoted[len(mark) : -len(mark)]
    assert quoted == f"{mark}{inner}{mark}"
    assert mark not in re.findall("`+", inner)
    assert inner[0] != "`"
    assert inner[-1] != "`"


@PATIENT
@given(texts)
@example("```")
@example("a\n````\nb")
def test_nothing_ends_a_code_block(text):
    first, *lines, last = fence(text)
    assert first == f"{last}text"
    assert not any(last in line for line in lines)


@PATIENT
@given(texts)
@example(HOSTILE)
def test_escaped_text_has_no_markdown(text):
    rest = re.sub(r"\\[!-/:-@\[-`{-~]", "", escape(text))
    assert rest.isprintable()
    assert not re.search(r"[\\`*_{}\[\]<>#|~&@$]|://|www\.", rest)


@PATIENT
@given(reports)
def test_any_report_can_be_rendered(report):
    text = render_markdown(report)
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    assert all(line.isprintable() for line in text.split("\n"))
