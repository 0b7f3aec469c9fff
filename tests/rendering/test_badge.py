from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from hostile_reports import FEW, HOSTILE, make_hostile_report
from pytest_wsgi.rendering.badge import (
    BAD,
    GOOD,
    UNKNOWN,
    Badge,
    make_badge,
    render_badge,
    render_shields,
    write,
)
from sample_reports import (
    make_mixed_report,
    make_report,
    make_rules,
    make_unloaded_report,
    reports,
)

HERE = Path(__file__).parent
SVG = "{http://www.w3.org/2000/svg}"
VALIDATOR = Draft202012Validator(
    json.loads((HERE / "schemas" / "shields.json").read_text(encoding="utf-8"))
)
HELD = make_report(*make_rules("held", 41), *make_rules("not exercised", 6))
UNPROVEN = make_report(*make_rules("not exercised", 1))


@pytest.mark.parametrize(
    ("some", "badge"),
    [
        ([HELD], Badge("41 of 47 MUSTs held", GOOD)),
        ([make_report(*make_rules("held", 1))], Badge("1 of 1 MUST held", GOOD)),
        ([make_report(*make_rules("held", 1), unjudged=3)], Badge("1 of 4 MUSTs held", GOOD)),
        (
            [make_report(*make_rules("held", 3), *make_rules("known", 2))],
            Badge("3 of 5 MUSTs held, 2 known", GOOD),
        ),
        (
            [make_report(*make_rules("held", 3, level="should"))],
            Badge("0 of 0 MUSTs held", UNKNOWN),
        ),
        ([make_mixed_report()], Badge("1 MUST broken", BAD)),
        ([make_unloaded_report()], Badge("1 MUST broken", BAD)),
        ([UNPROVEN], Badge("not proven", UNKNOWN)),
        ([], Badge("not proven", UNKNOWN)),
        ([HELD, HELD], Badge("82 of 94 MUSTs held", GOOD)),
        ([HELD, UNPROVEN], Badge("not proven for 1 of 2", UNKNOWN)),
        ([HELD, make_mixed_report(), make_mixed_report()], Badge("2 MUSTs broken", BAD)),
    ],
)
def test_what_a_badge_says(some, badge):
    assert make_badge(some) == badge


def test_badge_is_as_it_was():
    golden = (HERE / "golden" / "held.svg").read_text(encoding="utf-8")
    assert render_badge([HELD]) == golden


def read(svg):
    """Return the picture, which loads nothing and has a title."""
    root = ET.fromstring(svg)  # noqa: S314 # we wrote it
    assert root.tag == f"{SVG}svg"
    assert root.get("role") == "img"
    assert root.get("aria-label") == root.find(f"{SVG}title").text
    names = {name for element in root.iter() for name in element.attrib}
    assert not {name for name in names if "href" in name or name.startswith("on")}
    assert {element.tag.removeprefix(SVG) for element in root.iter()} == {
        "svg",
        "title",
        "rect",
        "g",
        "text",
    }
    return root


def test_a_badge_can_be_read():
    root = read(render_badge([HELD]))
    assert root.find(f"{SVG}title").text == "PEP 3333: 41 of 47 MUSTs held"
    assert [text.text for text in root.iter(f"{SVG}text")] == ["PEP 3333", "41 of 47 MUSTs held"]
    left, right = root.iter(f"{SVG}rect")
    assert int(root.get("width")) == int(left.get("width")) + int(right.get("width"))


def test_text_of_a_picture_is_escaped():
    element = ET.fromstring(write("a<b>&\"'", 0))  # noqa: S314 # we wrote it
    assert element.text == "a<b>&\"'"


def brightness(colour):
    """Return the relative luminance of a colour (WCAG 2.2)."""
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("colour", [GOOD, BAD, UNKNOWN, "#24292f"])
def test_white_text_can_be_read_on_the_colours(colour):
    assert 1.05 / (brightness(colour) + 0.05) >= 4.5


def test_the_endpoint():
    assert json.loads(render_shields([make_mixed_report()])) == {
        "schemaVersion": 1,
        "label": "PEP 3333",
        "message": "1 MUST broken",
        "color": BAD,
        "labelColor": "#24292f",
    }


def test_a_hostile_report():
    for text in (render_badge([make_hostile_report()]), render_shields([make_hostile_report()])):
        assert HOSTILE not in text
        assert "script" not in text


@FEW
@given(st.lists(reports, max_size=2))
def test_any_reports(some):
    read(render_badge(some))
    VALIDATOR.validate(json.loads(render_shields(some)))
