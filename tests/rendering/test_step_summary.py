from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostile_reports import FEW, make_hostile_report
from pytest_wsgi.rendering.files import NotWrittenError
from pytest_wsgi.rendering.markdown import render_markdown
from pytest_wsgi.rendering.step_summary import (
    LIMIT,
    append_summary,
    cut_markdown,
    find_summary,
    render_step_summary,
)
from sample_reports import (
    PATIENT,
    TRACEBACK,
    make_finding,
    make_mixed_report,
    make_report,
    make_rule,
    reports,
    texts,
)

REPORT = make_mixed_report()
BIG = make_report(
    *(
        make_rule(id=f"rule-{number}", findings=(make_finding(traceback=f"{TRACEBACK}\n" * 40),))
        for number in range(400)
    )
)


def open_fence(text):
    """Return the fence of a code block that is not closed, else an empty text."""
    fence = ""
    for line in text.splitlines():
        if fence:
            fence = "" if line == fence else fence
        elif match := re.match("`{3,}", line):
            fence = match.group()
    return fence


def test_where_the_summary_goes():
    assert find_summary({"GITHUB_STEP_SUMMARY": "out/summary.md"}) == Path("out/summary.md")
    assert find_summary({"GITHUB_STEP_SUMMARY": ""}) is None
    assert find_summary({}) is None


def test_reports_are_appended(tmp_path):
    path = tmp_path / "summary.md"
    append_summary(path, [REPORT])
    assert path.read_bytes().decode() == render_markdown(REPORT)
    append_summary(str(path), [REPORT, REPORT])
    assert path.read_bytes().decode() == "\n".join([render_markdown(REPORT)] * 3)


def test_a_long_summary_is_cut_at_the_limit(tmp_path):
    path = tmp_path / "summary.md"
    assert len(render_markdown(BIG)) > LIMIT
    append_summary(path, [BIG])
    text = path.read_bytes().decode()
    assert LIMIT - 3000 < len(text.encode()) < LIMIT
    assert re.search(
        r"\n\n\*\*Cut here: \d+ of \d+ lines are shown, because the summary of a step holds at "
        r"most 1 MiB\. A file of --wsgi-report holds all of it\.\*\*\n$",
        text,
    )
    assert open_fence(text) == ""


def test_what_is_there_already_counts(tmp_path):
    path = tmp_path / "summary.md"
    path.write_text("x" * (LIMIT - 10_000))
    append_summary(path, [BIG])
    assert path.stat().st_size < LIMIT
    assert "**Cut here: " in path.read_text()


def test_a_summary_that_is_full_is_left_alone(tmp_path):
    path = tmp_path / "summary.md"
    path.write_text("x" * (LIMIT - 100))
    append_summary(path, [REPORT])
    assert path.stat().st_size == LIMIT - 100


@pytest.mark.parametrize("name", ["missing/summary.md", "directory", "a\0b"])
def test_a_file_that_cannot_be_written(tmp_path, name):
    (tmp_path / "directory").mkdir()
    with pytest.raises(
        NotWrittenError, match=r"cannot append to the step summary .* the system said: "
    ):
        append_summary(tmp_path / name, [REPORT])


def test_a_code_block_that_is_cut_is_closed():
    lines = ["a", "````text", "b", "```", "c", "````", "d"]
    texts = [cut_markdown(lines, room) for room in range(40)]
    assert texts[0].startswith("\n**Cut here: 0 of 7 lines")
    assert {open_fence(text) for text in texts} == {""}
    assert "\n```\n````\n\n**Cut here: 4 of 7 lines" in texts[len("a\n````text\nb\n```\n")]
    assert "\n````\n\n**Cut here: 6 of 7 lines" in texts[len("a\n````text\nb\n```\nc\n````\n")]


def test_characters_of_several_bytes_count_as_such():
    text = cut_markdown(["é" * 10, "é" * 10], 25)
    assert text.count("é") == 10


def test_a_hostile_report():
    text = render_step_summary([make_hostile_report()], 4000)
    assert len(text.encode()) < 4000
    assert open_fence(text) == ""


@FEW
@given(st.lists(reports, max_size=2), st.integers(min_value=0, max_value=6000))
def test_any_reports_in_any_room(some, room):
    text = render_step_summary(some, room)
    assert not text or len(text.encode()) < room
    assert open_fence(text) == ""


@PATIENT
@given(texts, st.integers(min_value=0, max_value=4000))
def test_no_traceback_stays_open(text, room):
    finding = make_finding(traceback=f"{text}\n" * 60)
    assert (
        open_fence(render_step_summary([make_report(make_rule(findings=(finding,)))], room)) == ""
    )
