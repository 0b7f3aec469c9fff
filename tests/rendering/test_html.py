from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from html_samples import (
    Page,
    evidence,
    make_event,
    make_full_finding,
    make_full_report,
    make_full_rule,
    make_stimulus,
    spoil,
)
from pytest_wsgi.rendering.html import Anchors, Room, render_html
from pytest_wsgi.rendering.html_overview import (
    compare_areas,
    compare_rules,
    make_bars,
    make_heat_map,
)
from pytest_wsgi.rendering.html_timeline import draw_arrows
from pytest_wsgi.report import FindingReport, Proof, Standing
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


def test_page_needs_nothing_else():
    page = Page(render_html([make_full_report()]))
    assert {tag for tag, _ in page.elements} & {
        "script",
        "img",
        "iframe",
        "object",
        "form",
    } == set()
    assert [link["href"] for link in page.find("link")] == ["data:,"]
    assert all("style" not in attributes for _, attributes in page.elements)
    policy = next(row["content"] for row in page.find("meta") if "http-equiv" in row)
    assert policy.startswith("default-src 'none'; style-src 'sha256-")


def test_style_sheet_asks_for_nothing():
    text = render_html([make_full_report()])
    style = re.search("<style>(.*?)</style>", text, re.DOTALL)[1]
    assert "@import" not in style
    assert set(re.findall(r"url\((.*?)\)", style)) <= {"#hatch", "#cross", "#dots", "#rows"}
    assert "prefers-color-scheme: dark" in style
    assert "@media print" in style
    assert ":focus-visible" in style


@pytest.mark.parametrize(
    "some",
    [
        [],
        [make_report()],
        [make_full_report()],
        [make_unloaded_report()],
        [make_full_report(), make_unloaded_report(), make_mixed_report()],
    ],
)
def test_page_can_be_walked_without_seeing_it(some):
    page = Page(render_html(some))
    assert page.elements[0] == ("html", {"lang": "en"})
    assert len(page.find("title")) == len(page.find("main")) == len(page.find("h1")) == 1
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert all(level <= before + 1 for before, level in pairwise(levels))
    assert all(cell.get("scope") in {"row", "col"} for cell in page.find("th"))
    assert len(page.find("caption")) == len(page.find("table"))
    assert all(
        svg.get("aria-label") if svg.get("role") == "img" else svg["aria-hidden"] == "true"
        for svg in page.find("svg")
    )
    regions = [row for _, row in page.elements if row.get("role") == "region"]
    assert all(row["aria-label"] and row["tabindex"] == "0" for row in regions)
    assert len(page.find("details")) == len(page.find("summary"))


@pytest.mark.parametrize("some", [[make_full_report()], [make_full_report()] * 3])
def test_every_place_has_a_name_of_its_own_and_every_link_leads_somewhere(some):
    page = Page(render_html(some))
    assert len(page.ids) == len(set(page.ids))
    inner = [link["href"][1:] for link in page.find("a") if link["href"].startswith("#")]
    assert set(inner) <= set(page.ids)
    named = [row["aria-labelledby"] for _, row in page.elements if "aria-labelledby" in row]
    assert set(named) <= set(page.ids)
    assert {row["for"] for row in page.find("label")} <= set(page.ids)
    assert "status-is-native-string" in page.ids


def test_page_says_all_that_a_finding_has_to_say():
    text = Page(render_html([make_full_report()])).text
    for part in (
        "mysite.wsgi.application breaks 1 of 7 MUSTs",
        "PEP 3333 says The status is a native str.",
        "Expected a str",
        "Observed b'200 OK'",
        "Where mysite/wsgi.py:12",
        '> 12 start_response(b"200 OK", HEADERS)',
        "6 events left out",
        "start_response(b'200 OK', [('Content-Type', 'text/plain')]) ✕ here",
        "pytest --wsgi-app mysite.wsgi.application mysite/wsgi.py::application::x",
        "curl -i -H 'Host: localhost' http://localhost:8000/",
        "from mysite.wsgi import application",
        "Bare Pass text. Django The handler does it.",
        "pytest --wsgi-explain status-is-native-string",
        "--wsgi-ignore status-is-native-string",
        'wsgi_ignore = ["status-is-native-string: why this is right here"]',
        "KeyError: 'HTTP_HOST'",
        "The PEP is ambiguous here. Is a tab a control character?",
        "needs --wsgi-unsafe 3 rules",
        "what they are about never came up",
        "write-is-avoided : an old framework",
        "2 MUSTs of the catalogue were not selected",
        "errors-are-flushed ValueError: oops",
        "176 rules 400 mutants",
        "post was not driven",
        "asgiref 3.8.1",
    ):
        assert part in text, part


def test_changes_since_the_baseline():
    page = Page(render_html([make_full_report()]))
    for part in (
        "Since the baseline 2",
        "What wsgi-known.toml lists, and what this run found",
        "✕ New status-is-native-string got bytes",
        "◆ Known known-1 the old pages since 2026-01-31 until 2027-01-31 https://issues.example/7",
        "✓ Fixed, still listed held-1 got None an old one",
        "○ later gone",
    ):
        assert part in page.text, part
    assert page.find("a").count({"href": "#known-1"}) == 3
    assert "baseline" not in Page(render_html([make_report()])).text


def test_nothing_changed_since_the_baseline():
    text = Page(render_html([make_report(standing=Standing(file="known.toml"))])).text
    assert "Nothing is listed in known.toml for this application, and nothing is new." in text


def test_reason_of_a_known_finding_is_told():
    rule = make_rule(verdict="known", reason="the old pages")
    assert "It is known: the old pages" in Page(render_html([make_report(rule)])).text


def test_broken_musts_come_first():
    page = Page(render_html([make_mixed_report()]))
    places = [
        page.ids.index(name)
        for name in (
            "status-is-native-string",
            "application-serves-without-host",
            "header-values-have-no-tab",
            "known-1",
        )
    ]
    assert places == sorted(places)


def test_target_that_did_not_load_is_told_why():
    text = Page(render_html([make_unloaded_report()])).text
    assert "It did not load module-not-found No module 'mysite.wsgy'. Try: pytest" in text
    assert "Blocked the application did not load 2 rules" in text


def test_nothing_proven():
    text = Page(render_html([make_report(unproven="every request was refused")])).text
    assert "Nothing counts as proven: every request was refused." in text
    assert "No rule was judged." in text
    assert "Nothing was proven: there is no report." in Page(render_html([])).text


@pytest.mark.parametrize(
    ("report", "state"),
    [
        (make_report(make_rule()), "broken"),
        (make_report(make_rule(verdict="harness error")), "harness-error"),
        (make_report(), "not-exercised"),
        (make_report(make_rule(verdict="held")), "held"),
        (make_report(make_rule(verdict="held"), make_rule(id="b", level="should")), "known"),
    ],
)
def test_sign_of_the_whole(report, state):
    page = Page(render_html([report]))
    assert page.find("p")[1]["class"] == f"verdict {state}"


def test_levels_are_bars_and_no_score():
    must, should, convention = make_bars(make_mixed_report())
    assert must.text == "MUST: 8 rules, 2 held, 1 broken, 1 harness error, 4 not exercised"
    assert [part.start for part in must.segments] == [0, 25, 37.5, 50]
    assert sum(part.width for part in must.segments) == 100
    assert should.text == "SHOULD: 2 rules, 1 held, 1 broken"
    assert make_bars(make_report())[0].text == "MUST: 0 rules"
    assert convention.total == 2


def test_heat_map_names_the_layers_that_are_to_blame():
    rule = make_rule(findings=(make_finding(layer="Gzip (a.py:3)"), make_finding(layer="")))
    page = Page(render_html([make_report(rule, make_rule(id="b", area="body", verdict="held"))]))
    assert "layer Gzip (a.py:3)" in page.text
    assert "✕ 1 broken" in page.text
    assert "· no blame" in page.text
    assert "Layer Gzip (a.py:3)" in page.text


def test_every_layer_has_a_column_and_known_blame_is_no_new_one():
    subject = make_subject(facts={"layers": "Auth, a.py:1 > Gzip, a.py:3"})
    blamed = make_finding(layer="Gzip, a.py:3")
    rules = (
        make_rule(findings=(blamed,)),
        make_rule(id="b", verdict="known", findings=(blamed,)),
        make_rule(id="c", area="body", verdict="known", findings=(blamed,)),
    )
    table = make_heat_map(make_report(*rules, subject=subject), str)
    assert table.columns == ("application", "layer Auth, a.py:1", "layer Gzip, a.py:3")
    cells = [[(cell.verdict, cell.text) for cell in row.cells[1:]] for row in table.rows]
    assert cells == [
        [("absent", "no blame"), ("broken", "1 broken, 1 known")],
        [("absent", "no blame"), ("known", "1 known")],
    ]


def test_subjects_side_by_side():
    one = make_report(make_rule(id="a"), make_rule(id="b", verdict="held"))
    other = make_report(
        make_rule(id="a", verdict="held"),
        make_rule(id="b", verdict="not exercised"),
        make_rule(id="c", verdict="held", area="body"),
        subject=make_subject(spec="other"),
    )
    table = compare_rules([one, other], lambda number, rule: f"{number}-{rule}")
    assert table.columns == ("mysite.wsgi.application", "other")
    assert [(row.name, row.differs) for row in table.rows] == [
        ("a", True),
        ("b", False),
        ("c", False),
    ]
    assert [cell.target for cell in table.rows[0].cells] == ["0-a", ""]
    assert [cell.verdict for cell in table.rows[2].cells] == ["absent", "held"]
    areas = compare_areas([one, other])
    assert [[cell.text for cell in row.cells] for row in areas.rows] == [
        ["1/2 broken", "1/2 held"],
        ["no rule", "1/1 held"],
    ]
    page = Page(render_html([one, other]))
    assert "Show only the rules on which the subjects disagree" in page.text
    assert {"a", "s2-subject"} <= set(page.ids)
    assert "overview" not in Page(render_html([one])).ids


def test_middleware_stands_between_server_and_inner_application():
    subject = make_subject(kind="middleware", spec="mysite.gzip:wrap")
    finding = make_full_finding()
    inner = replace(
        finding,
        expected="bytes",
        timeline=tuple(
            replace(event, source="middleware", target="inner application")
            for event in finding.timeline
        ),
    )
    page = Page(
        render_html([make_report(make_rule(findings=(finding, inner)), subject=subject)])
    ).text
    assert "server middleware 1, server to application: " in page
    assert "middleware inner application 1, middleware to inner application: " in page
    assert "application = wrap(application)" in page


def test_layers_have_a_lane_each():
    lanes = ("server", "Auth", "Pages", "Other")
    events = (
        make_event(1, "server", "Auth"),
        make_event(1, "Auth", "Pages"),
        make_event(2, "Pages", "Auth", offending=True),
        make_event(1, "Auth", "Other"),
        make_event(9, "nobody", "nobody"),
    )
    arrows = [
        (arrow.left, arrow.width, arrow.is_back, arrow.event.offending)
        for arrow in draw_arrows(events, lanes)
    ]
    assert arrows == [
        (0, 1, False, False),
        (1, 1, False, False),
        (1, 1, True, True),
        (1, 2, False, False),
        (2, 1, True, False),
    ]
    rule = make_rule(findings=(make_finding(lanes=lanes, timeline=events),))
    text = render_html([make_report(rule)])
    assert '<div class="timeline of-4">' in text
    assert '<li class=offending><div class="arrow from-1 wide-1 back">' in text
    assert "server Auth Pages Other 1, server to Auth: event 1" in Page(text).text


def test_picture_of_one_or_of_very_many_lanes():
    assert draw_arrows((make_event(),), ("server",)) == ()
    rule = make_rule(findings=(make_full_finding(lanes=tuple("abcdefghijkl")),))
    assert '<div class="timeline of-10">' in render_html([make_report(rule)])


def test_requirements_that_a_rule_of_another_kind_has():
    assert (
        "Requirements" not in Page(render_html([make_report(subject=make_subject(kind="x"))])).text
    )


def test_finding_that_says_nothing():
    rule = make_rule(
        section="",
        link="",
        why="",
        sentence="",
        requirements=("none",),
        findings=(
            FindingReport(message="", request="", expected="", observed="", event="3  it ended"),
        ),
    )
    text = Page(render_html([make_report(rule)])).text
    assert "The rule says Event 3 it ended" in text
    assert "curl" not in text


def test_rule_with_many_findings():
    findings = tuple(make_finding(expected=str(number)) for number in range(13))
    assert (
        "And 3 more findings, in the JSON report."
        in Page(render_html([make_report(make_rule(findings=findings))])).text
    )


def test_hostile_texts_never_become_markup():
    plain, hostile = make_full_report(), spoil(make_full_report())
    page = Page(render_html([hostile]))
    assert {tag for tag, _ in page.elements} <= {
        tag for tag, _ in Page(render_html([plain])).elements
    }
    assert {name for _, names in page.shape for name in names} <= {
        name for _, names in Page(render_html([plain])).shape for name in names
    }
    assert all(not name.startswith("on") for _, row in page.elements for name in row)
    assert all(
        re.fullmatch(
            r"#[a-z0-9-]+|https://(peps\.python|www\.rfc-editor)\.org/[\w/.#-]*", row["href"]
        )
        for row in page.find("a")
    )
    assert page.text.count("<script>") > 20


@pytest.mark.parametrize("link", ["javascript:alert(1)", 'https://a/" onclick=x', "http://a.b/"])
def test_only_plain_addresses_become_links(link):
    page = Page(render_html([make_report(make_rule(link=link))]))
    assert link not in {row["href"] for row in page.find("a")}


def test_control_characters_can_be_seen():
    text = render_html([spoil(make_full_report(), "\x00\x1b[2J\u202e\ud800\r")])
    assert text.isascii() or not set(text) & set("\x00\x1b\u202e\ud800\r")
    assert r"\x1b[2J\u202e\ud800\r" in text


@PATIENT
@given(st.lists(reports, max_size=2), evidence, texts)
def test_any_reports_can_be_rendered(some, finding, other):
    rule = make_rule(findings=(finding,), fixes={other: other}, rerun=other)
    some = [*some, make_report(rule, replace(rule, verdict="known"))]
    text = render_html(some)
    assert text == render_html(some)
    assert text.endswith("</html>\n")
    text.encode()
    page = Page(text)
    assert len(page.ids) == len(set(page.ids))
    assert page.find("script") == []


def make_large_report(finding):
    rules = (
        *(
            make_full_rule(id=f"rule-{n}", area=f"area-{n % 20}", findings=(finding,))
            for n in range(500)
        ),
        *make_rules("held", 100),
    )
    return make_report(*rules)


@pytest.mark.parametrize(
    "finding",
    [
        make_full_finding(),
        replace(
            make_full_finding(),
            message="\n".join(["'" * 500] * 40),
            observed="'" * 500,
            traceback="\n".join(["<" * 500] * 40),
            timeline=make_full_finding().timeline * 7,
        ),
        make_full_finding(expected="\U0001f40d" * 500, observed="'" * 500),
    ],
)
def test_page_stays_small_with_500_broken_rules(finding):
    text = render_html([make_large_report(finding)])
    assert len(text.encode()) < 2_000_000
    page = Page(text)
    assert {f"rule-{n}" for n in range(500)} <= set(page.ids)
    assert "Told shortly to keep this page small" in page.text


def test_shortened_finding_without_anything():
    report = make_report(
        *(
            make_full_rule(id=str(n), findings=(make_full_finding(traceback="x" * 1500),) * 9)
            for n in range(90)
        ),
        make_rule(id="last", findings=()),
        make_rule(
            id="more",
            findings=(
                make_finding(
                    expected="", observed="", request="", file=None, traceback="x\n" * 90000
                ),
            ),
        ),
    )
    assert "last" in Page(render_html([report])).ids


def test_rules_with_the_names_of_places():
    names = ("part", "part-broken", "part--broken", "top", "overview-title", "main", "top")
    some = [make_report(*(make_rule(id=name) for name in names)) for _ in range(2)]
    page = Page(render_html(some))
    assert len(page.ids) == len(set(page.ids))
    assert {"top-2", "top-3", "part-2--broken", "part-broken-2"} <= set(page.ids)


def test_names_of_places():
    anchors = Anchors()
    assert [anchors.take(text) for text in ("a b", "A/b", "", "ä", "a" * 200)] == [
        "a-b",
        "a-b-2",
        "place",
        "place-2",
        "a" * 77,
    ]


def test_room_is_only_taken_where_there_is_some():
    room = Room(left=3)
    assert [room.take(text) for text in ("ä", "ab", "b", "")] == [True, False, True, True]


def test_page_is_the_same_whatever_the_seed_of_hashes():
    code = (
        "from pytest_wsgi.rendering.html import render_html\n"
        "from html_samples import make_full_report\n"
        "from hashlib import sha256\n"
        "print(sha256(render_html([make_full_report()]).encode()).hexdigest())"
    )
    digests = set()
    for seed in "01":
        done = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
        )
        digests.add(done.stdout)
    assert len(digests) == 1


def test_proof_is_named_where_it_is_known():
    proof = Proof(rules=1, mutants=2, twins=3, controls=4)
    text = Page(render_html([make_report(), make_report(proof=proof)])).text
    assert "1 rules 2 mutants that each break one 3 mended twins" in text
    assert "mended twins" not in Page(render_html([make_report()])).text


def test_limits_of_a_reproduction_are_told():
    stimulus = make_stimulus(withheld=("HTTP_COOKIE",), body_length=3, reading="interleaved")
    rule = make_rule(findings=(make_full_finding(stimulus=stimulus),))
    text = Page(render_html([make_report(rule)])).text
    assert "Left out, because it may be secret: HTTP_COOKIE." in text
    assert "The body is a stand-in of the same length, 3 bytes." in text
    assert "Only the pytest line reads the iterable as it was read: interleaved." in text
