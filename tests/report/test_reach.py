"""How much of the user's own code was reached, as a value, and in text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_wsgi.rendering.html import render_html
from pytest_wsgi.rendering.markdown import render_markdown
from pytest_wsgi.rendering.terminal import render_summary
from pytest_wsgi.report import FileReach, Reach
from pytest_wsgi.report.merging import merge_reports
from pytest_wsgi.report.reach import (
    describe_file,
    find_percent,
    merge_reaches,
    read_ranges,
    show_ranges,
)
from sample_reports import make_report, make_rules

HELD = make_rules("held", 1)
URLS = describe_file("mysite/urls.py", 12, ())
MISSED = "missed most in mysite/views.py, 17 of 80 reached"
VIEWS = describe_file("mysite/views.py", 80, [*range(9, 71), 75])


@given(st.sets(st.integers(min_value=1, max_value=300)))
def test_ranges_and_back(numbers):
    assert set(read_ranges(show_ranges(sorted(numbers)))) == numbers


def test_what_is_no_range_is_passed_over():
    assert list(read_ranges("3, x, 5-, -7, 8-9, 1-99999999, \u0663")) == [3, 8, 9]


def test_a_file_names_what_is_missing():
    assert FileReach(file="a.py", lines=9, reached=5, missing="3-5, 9") == describe_file(
        "a.py", 9, [9, 3, 4, 5, 5]
    )
    assert VIEWS.percent == 21


@pytest.mark.parametrize(
    ("part", "whole", "percent"),
    [(0, 0, 100), (0, 9, 0), (1, 999, 1), (998, 999, 99), (9, 9, 100), (-2, -1, 100)],
)
def test_only_all_is_all_and_only_nothing_is_nothing(part, whole, percent):
    assert find_percent(part, whole) == percent


@pytest.mark.parametrize(
    ("files", "text"),
    [
        ((), "no file of yours was measured"),
        ((describe_file("a.py", 1, ()),), "100 % of 1 line in 1 file of yours that were imported"),
        (
            (URLS, VIEWS),
            f"32 % of 92 lines in 2 files of yours that were imported; {MISSED}",
        ),
    ],
)
def test_reach_in_one_line(files, text):
    assert Reach(files=files).text == text


def test_processes_together_reach_what_any_of_them_reached():
    one = Reach(files=(describe_file("b.py", 9, [3, 4, 9]), describe_file("c.py", 2, [1])))
    other = Reach(files=(describe_file("a.py", 1, ()), describe_file("b.py", 9, [4, 5])))
    merged = merge_reaches([one, None, other])
    assert [file.file for file in merged.files] == ["a.py", "b.py", "c.py"]
    assert merged.files[1] == describe_file("b.py", 9, [4])
    assert merge_reaches([None, one]) is one
    assert merge_reaches([None]) is None


def test_files_that_are_not_the_same_are_not_mixed():
    one, other = describe_file("a.py", 9, [1, 2]), describe_file("a.py", 10, [9])
    assert merge_reaches([Reach(files=(one,)), Reach(files=(other,))]).files == (other,)


def test_shards_are_merged():
    shards = [make_report(*HELD, reach=Reach(files=(file,))) for file in (VIEWS, URLS)]
    (merged,) = merge_reports(shards)
    assert merged.reach == Reach(files=(URLS, VIEWS))


def test_terminal_has_a_line_for_it():
    report = make_report(*HELD, reach=Reach(files=(URLS, VIEWS)))
    lines = [line.text for line in render_summary(report)]
    assert f"{'reach':<17} {report.reach.text}" in lines
    assert not any(line.text.startswith("reach") for line in render_summary(make_report(*HELD)))


def test_markdown_lists_the_files_with_missing_lines():
    text = render_markdown(make_report(*HELD, reach=Reach(files=(URLS, VIEWS))))
    assert "## Reach\n\n32 % of 92 lines" in text
    assert "| mysite/views.py | 17 of 80 | 9-70, 75 |\n" in text
    assert "| mysite/urls.py" not in text
    assert "## Reach" not in render_markdown(make_report(*HELD))
    assert "| file |" not in render_markdown(make_report(*HELD, reach=Reach(files=(URLS,))))


def test_markdown_lists_the_worst_of_many_files():
    files = tuple(describe_file(f"a{number}.py", 99, range(1, number)) for number in range(25))
    text = render_markdown(make_report(*HELD, reach=Reach(files=files)))
    assert "| a24.py | 76 of 99 | 1-23 |" in text
    assert "and 3 more files with missing lines" in text


def test_page_has_a_table_of_it():
    page = render_html([make_report(*HELD, reach=Reach(files=(URLS, VIEWS)))])
    assert 'href="#part--reach">Reach <b>32 %</b>' in page
    assert "9-70, 75</td>" in page
    assert "--reach" not in render_html([make_report(*HELD)])
    assert "no file of yours was measured" in render_html([make_report(*HELD, reach=Reach())])


def test_page_does_not_list_thousands_of_files():
    files = tuple(describe_file(f"a{number}.py", 1, ()) for number in range(502))
    page = render_html([make_report(*HELD, reach=Reach(files=files))])
    assert "and 2 more files" in page
    assert "a499.py" in page
    assert "a500.py" not in page
