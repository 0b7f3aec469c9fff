from __future__ import annotations

import os
from dataclasses import replace

import execnet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_wsgi.catalogue import Finding, Level, Party, Rule
from pytest_wsgi.exchange import (
    Exchange,
    Exhausted,
    Foreign,
    Loading,
    Problem,
    Raised,
    StartResponse,
    Stopped,
)
from pytest_wsgi.judge import Verdict
from pytest_wsgi.report import merge_rules, report_subject, report_verdict, rule_to_dict
from pytest_wsgi.report.redaction import Redactor
from pytest_wsgi.report.verdicts import KEPT_LINES, cite, find_below, write_traceback
from sample_reports import PATIENT, make_finding, make_rule, rules, texts

NONE = Redactor()

RULE = Rule(
    id="status-is-native-string",
    sentence="The status is a str.",
    why="Servers write it as text.",
    subject=Exchange,
    checks=("status-native-str",),
    binds=Party.APPLICATION,
    level=Level.MUST,
    inherited=False,
    area="status",
    eased="",
    ambiguity="",
    reading="",
    under_validator=False,
    when=lambda _: True,
    check=lambda _: iter(()),
)


def make_exchange(request):
    return Exchange(probe="get", request=request, method="GET", environ={}, environ_after={})


def test_an_ambiguous_point_is_told_with_its_reading():
    rule = replace(RULE, ambiguity="tab-in-a-value", reading="pep")
    report = report_verdict(Verdict(rule=rule, outcome="held"), "", NONE)
    assert report.ambiguity.startswith("Is a tab a control character")
    assert report.ambiguity.endswith("? Read as pep: Yes: none are allowed.")
    assert report_verdict(Verdict(rule=RULE, outcome="held"), "", NONE).ambiguity == ""


def make_raised(**changes):
    values = {
        "number": 3,
        "thread": 1,
        "type_name": "KeyError",
        "bases": ("KeyError",),
        "message": "'a'",
        "traceback": '  File "app.py", line 3, in show\n    return d["a"]\n',
        "origin": None,
        "place": "call",
        "by_server": False,
    }
    return Raised(**{**values, **changes})


def report(*findings, root="/site"):
    verdict = Verdict(rule=RULE, outcome="broken", exercised=4, findings=findings)
    return report_verdict(verdict, root, NONE)


def test_rule_says_what_the_catalogue_says():
    said = report()
    assert (said.id, said.level, said.area, said.party) == (
        RULE.id,
        "must",
        "status",
        "application",
    )
    assert said.requirements == ("status-native-str",)
    assert said.section == "PEP 3333, Specification Details"
    assert said.link == "https://peps.python.org/pep-3333/#specification-details"
    assert (said.sentence, said.why) == (RULE.sentence, RULE.why)
    assert (said.verdict, said.exercised, said.reason) == ("broken", 4, "")


def test_reason_of_a_rule_without_a_verdict():
    said = report_verdict(
        Verdict(rule=RULE, outcome="harness error", reason="ValueError: a\nb"), "/site", NONE
    )
    assert said.reason == r"ValueError: a\nb"


@pytest.mark.parametrize(
    ("section", "name", "link"),
    [
        ("PEP 3333, X #x", "PEP 3333, X", "https://peps.python.org/pep-3333/#x"),
        (
            "RFC 9110 section 1 https://example.com/a#b",
            "RFC 9110 section 1",
            "https://example.com/a#b",
        ),
        ("RFC 9110", "RFC 9110", ""),
        ("", "", ""),
    ],
)
def test_section_and_its_address(section, name, link):
    assert cite(section) == (name, link)


def test_findings_that_say_the_same_are_one():
    said = report(
        *(
            Finding(expected="a str", observed=status, exchange=make_exchange(request))
            for request, status in [
                ("GET /", b"200 OK"),
                ("HEAD /", b"200 OK"),
                ("GET /absent", b"404 Not Found"),
                ("GET /", b"200 OK"),
                ("HEAD /", b"200 OK"),
                ("OPTIONS /", 200),
            ]
        )
    )
    assert [(f.request, f.observed, f.observed_type, f.also) for f in said.findings] == [
        ("GET /", "b'200 OK'", "bytes", ("HEAD /", "GET /absent")),
        ("OPTIONS /", "200", "int", ()),
    ]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"observed": "a"}, {"observed": "b"}),
        ({"expected": "a"}, {"expected": "b"}),
        ({"message": "a"}, {"message": "b"}),
        ({"observed": Foreign("A")}, {"observed": Foreign("B")}),
    ],
)
def test_findings_that_differ_stay_apart(one, other):
    plain = {"expected": "", "observed": None}
    said = report(Finding(**{**plain, **one}), Finding(**{**plain, **other}))
    assert len(said.findings) == 2


@pytest.mark.parametrize(
    ("observed", "text"),
    [
        ("200 ", "'200 '"),
        ("X-A", "'X-A'"),
        ("b ", "<redacted: length 2, space at 1>"),
        ("gzip ", "'gzip '"),
        (b"X-B", "b'X-B'"),
        (b"X-Token: hunter2", "b'X-Token: ' <redacted: length 7>"),
        ("a tuple\x00", r"a tuple\x00"),
        ("", ""),
        (Foreign("my.Text", "str", "200 "), "<my.Text 200 >"),
        (b"200 ", "b'200 '"),
        ("x" * 999, f"{'x' * 497}..."),
    ],
)
def test_values_of_the_target_are_told_from_words_of_the_rule(observed, text):
    start = StartResponse(
        number=2,
        thread=1,
        status="200 ",
        headers_type="list",
        headers=(("X-A", "b "),),
        fields=(("X-A", "b "), ("Vary", "gzip ")),
        malformed=((b"X-B", "x"), (b"X-Token: hunter2", "x"), "odd", ("X-C",)),
        exc_info=None,
        argument_count=2,
        keywords=(),
        place="call",
        handling=False,
        raised=None,
        origin=None,
    )
    (finding,) = report(Finding(expected="x", observed=observed, at=start)).findings
    assert finding.observed == text


def test_text_observed_without_an_event_is_in_the_words_of_the_rule():
    (finding,) = report(Finding(expected="x", observed="str")).findings
    assert finding.observed == "str"


def test_finding_without_exchange_and_event():
    (finding,) = report(Finding(expected="x", observed=None, message="first\nsecond\x00")).findings
    assert finding.message == "first\nsecond\\x00"
    assert (finding.request, finding.probe, finding.event) == ("", "", "")
    assert (finding.file, finding.line, finding.traceback) == (None, None, "")


def test_finding_at_an_event_with_its_place_and_traceback(tmp_path):
    event = make_raised(origin=(str(tmp_path / "mysite" / "views.py"), 7))
    (finding,) = report(
        Finding(expected="x", observed=1, at=event, exchange=make_exchange("GET /")),
        root=str(tmp_path),
    ).findings
    assert (finding.request, finding.probe) == ("GET /", "get")
    assert finding.event == "3  raised KeyError: 'a'"
    assert (finding.file, finding.line) == ("mysite/views.py", 7)
    assert finding.traceback == (
        'Traceback (most recent call last):\n  File "app.py", line 3, in show\n'
        "    return d[\"a\"]\nKeyError: 'a'"
    )


@pytest.mark.parametrize("event", [Exhausted(1, 1), Stopped(1, 1, "hang", "", ("<string>", 1))])
def test_finding_at_an_event_without_a_file(event):
    (finding,) = report(Finding(expected="x", observed=1, at=event)).findings
    assert (finding.file, finding.line, finding.traceback) == (None, None, "")


def test_files_below_the_root(tmp_path):
    root = str(tmp_path / "site")
    (tmp_path / "site").mkdir()
    assert find_below(os.path.join(root, "a", "b.py"), root) == "a/b.py"  # noqa: PTH118 # as in a code object
    assert find_below(os.path.join(root, "a", "..", "b.py"), root) == "b.py"  # noqa: PTH118 # as in a code object
    assert find_below(f"{root}2/b.py", root) is None
    assert find_below("", root) is None
    assert find_below("<frozen importlib._bootstrap>", root) is None
    assert find_below(f"{root}/.venv/lib/python3.12/site-packages/flask/app.py", root) is None
    assert find_below(f"{root}/a\x1b.py", root) == r"a\x1b.py"


def test_files_below_a_root_that_is_a_link(tmp_path):
    (tmp_path / "real").mkdir()
    link = tmp_path / "link"
    try:
        link.symlink_to(tmp_path / "real", target_is_directory=True)
    except OSError:
        pytest.skip("this system lets us make no links")
    assert find_below(os.path.realpath(tmp_path / "real" / "a.py"), str(link)) == "a.py"
    assert find_below(str(link / "a.py"), str(link)) == "a.py"


def test_long_traceback_keeps_its_innermost_lines():
    frames = "".join(f'  File "app.py", line {n}, in show\n    deeper()\n' for n in range(100))
    lines = write_traceback(make_raised(traceback=frames)).splitlines()
    assert len(lines) == KEPT_LINES
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[1] == "  ... 163 lines more"
    assert lines[-3:] == ['  File "app.py", line 99, in show', "    deeper()", "KeyError: 'a'"]


def test_traceback_without_frames_and_with_a_long_message():
    event = make_raised(traceback="", message="\n".join(["x" * 1000] * 100))
    lines = write_traceback(event).splitlines()
    assert len(lines) <= KEPT_LINES + 1
    assert max(map(len, lines)) == 500
    assert lines[-1] == "..."
    assert write_traceback(make_raised(traceback="", message="")).splitlines()[-1] == "KeyError"


def test_subject_is_as_it_was_loaded():
    loading = Loading(
        spec="mysite.wsgi.application",
        label="application",
        origin="--wsgi-app",
        file="mysite/\udcff.py",
        line=16,
        object_type="function",
        facts={"DEBUG": "True"},
    )
    subject = report_subject(loading, NONE)
    assert (subject.kind, subject.spec) == ("application", "mysite.wsgi.application")
    assert (subject.label, subject.origin) == ("application", "--wsgi-app")
    assert (subject.file, subject.line, subject.object) == (r"mysite/\udcff.py", 16, "function")
    assert (subject.facts, subject.problem) == ({"DEBUG": "True"}, None)


def test_subject_that_did_not_load():
    problem = Problem("module-not-found", "No module\x00.\nTry: pytest")
    subject = report_subject(Loading(spec="a", label="a", origin="ini", problem=problem), NONE)
    assert subject.file is None
    assert subject.problem == Problem("module-not-found", "No module\\x00.\nTry: pytest")


def test_merged_rules_have_the_worst_verdict_and_all_findings():
    merged = merge_rules(
        [
            make_rule(id="a", verdict="held", exercised=2),
            make_rule(id="b", verdict="held", exercised=1),
            make_rule(id="a", exercised=3, findings=(make_finding(also=()),)),
            make_rule(
                id="a",
                exercised=1,
                findings=(make_finding(request="GET /b", also=("GET /c", "GET /")),),
            ),
        ]
    )
    assert [(rule.id, rule.verdict, rule.exercised) for rule in merged] == [
        ("a", "broken", 6),
        ("b", "held", 1),
    ]
    assert merged[0].findings == (make_finding(also=("GET /b", "GET /c")),)


@pytest.mark.parametrize(
    "order",
    [["harness error", "broken", "known", "held", "not exercised", "blocked"]],
)
def test_order_of_the_verdicts(order):
    for index, worst in enumerate(order):
        both = [make_rule(verdict=verdict, reason=verdict) for verdict in reversed(order[index:])]
        (merged,) = merge_rules(both)
        assert (merged.verdict, merged.reason) == (worst, worst)


def test_merged_reason_is_the_first_one_given():
    (merged,) = merge_rules(
        [
            make_rule(verdict="not exercised"),
            make_rule(verdict="not exercised", reason="needs --wsgi-unsafe"),
        ]
    )
    assert merged.reason == "needs --wsgi-unsafe"


@PATIENT
@given(st.lists(rules, max_size=6))
def test_merging_again_changes_nothing(some):
    merged = merge_rules(some)
    assert merge_rules(merged) == merged
    assert [rule.id for rule in merged] == list(dict.fromkeys(rule.id for rule in some))


@PATIENT
@given(st.builds(Finding, expected=texts, observed=texts, message=texts), texts, texts)
def test_whatever_a_target_says_can_be_sent_to_another_process(finding, request, message):
    event = make_raised(message=message, traceback=message, origin=(message, 1))
    finding = Finding(
        expected=finding.expected,
        observed=finding.observed,
        message=finding.message,
        at=event,
        exchange=make_exchange(request),
    )
    plain = rule_to_dict(report(finding))
    assert execnet.loads(execnet.dumps(plain)) == plain
