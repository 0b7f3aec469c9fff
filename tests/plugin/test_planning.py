"""A plan is made of options without loading anything."""

from __future__ import annotations

import warnings

import pytest

from pytest_wsgi.catalogue import CATALOGUE
from pytest_wsgi.examination import Examination, Wishes
from pytest_wsgi.exchange import Loading
from pytest_wsgi.gathering import Gathered
from pytest_wsgi.option_values import Options, is_outside, quote_pair, read_path
from pytest_wsgi.planning import Plan
from pytest_wsgi.plugin import AREAS
from pytest_wsgi.reasons import needs_body
from pytest_wsgi.report import Subject, subject_to_dict
from pytest_wsgi.rules import load_rules
from pytest_wsgi.weighing import weigh_status


@pytest.mark.parametrize(
    ("status", "failed", "expected"),
    [
        (0, False, 0),
        (0, True, 1),
        (1, True, 1),
        (1, False, 1),
        (2, True, 2),
        (3, True, 3),
        (4, True, 4),
        (5, True, 1),
        (5, False, 5),
        (-9, True, -9),
    ],
)
def test_status_is_never_made_better(status, failed, expected):
    assert weigh_status(status, failed=failed) == expected


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("/", "/"),
        ("/about/", "/about/"),
        ("/a%20b", "/a b"),
        ("/é", "/\xc3\xa9"),
        ("/%C3%A9", "/\xc3\xa9"),
        ("/%ff", "/\xff"),
    ],
)
def test_paths_are_bytes_as_text(text, path):
    assert read_path(text) == path


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("A=b", "A=b"),
        ("A=b c", "'A=b c'"),
        ("API_TOKEN=x", 'API_TOKEN="$API_TOKEN"'),
        ("URL=db://me@host", 'URL="$URL"'),
        ("my-secret=x", "my-secret=x"),
        ("my-secret=hunter2", "my-secret=..."),
        ("PAYMENTS=sk-live-0123456789", 'PAYMENTS="$PAYMENTS"'),
    ],
)
def test_pairs_for_a_shell(text, word):
    assert quote_pair(text) == word


def test_places_outside(tmp_path):
    inner = tmp_path / "inner"
    inner.mkdir()
    (tmp_path / "file.json").touch()
    assert is_outside("../file.json", inner)
    assert is_outside("../file.json::name", inner)
    assert is_outside(str(tmp_path), inner)
    assert not is_outside("../other.json", inner)
    assert is_outside("../other.json", inner, is_made=True)
    assert not is_outside("file.json", inner, is_made=True)
    assert not is_outside("mysite.wsgi.application", inner)
    assert not is_outside("/" + "x" * 5000, inner)


def test_variables_of_the_options_are_secret_too(tmp_path):
    options = Options(
        asked=(("--wsgi-app", "a:b"),),
        env=("A_TOKEN=canary-1",),
        overrides=("B_TOKEN=canary-2",),
    )
    plan = Plan(options, directory=tmp_path, rootdir=tmp_path, ini=None)
    redactor = plan.obtain_redactor("b")
    assert redactor.text("canary-1 canary-2") == "<redacted> <redacted>"


def test_a_plan_of_nothing(tmp_path):
    plan = Plan(Options(), directory=tmp_path, rootdir=tmp_path, ini=None)
    assert (plan.targets, plan.paths, plan.env) == ([], (), {})


def test_every_area_is_a_marker():
    load_rules()
    assert {rule.area for rule in CATALOGUE.values()} <= set(AREAS.split())


def test_rules_that_need_a_body_are_those_that_only_unsafe_requests_exercise():
    def application(environ, start_response):
        length = int(environ.get("CONTENT_LENGTH") or 0)
        environ["wsgi.input"].read(length) if length else None
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [b"x"]

    missing = []
    for unsafe in (False, True):
        examination = Examination(
            load=lambda: (application, Loading(spec="a:b", label="b", origin="here")),
            wishes=Wishes(unsafe=unsafe),
        )
        verdicts = examination.obtain_verdicts().values()
        missing.append({v.rule.id for v in verdicts if v.outcome == "not exercised"})
    needing = {rule.id for rule in CATALOGUE.values() if needs_body(rule)}
    assert missing[0] - missing[1] == needing & missing[0]


def make_examination():
    def application(_environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"x"]

    return Examination(load=lambda: (application, Loading(spec="a:b", label="b", origin="here")))


def test_the_battery_is_driven_once():
    examination = make_examination()
    examination.obtain_loading()
    with warnings.catch_warnings():
        warnings.resetwarnings()  # as where warnings are no errors
        battery = examination.obtain_battery()
    assert examination.obtain_battery() is battery
    assert examination.describe_run()["exchanges"] == sum(
        len(talk.exchanges) for talk in battery.conversations
    )


def test_of_several_processes_the_one_that_did_most_is_heard():
    rule = {"id": "a-rule", "level": "must", "area": "app", "party": "application"}
    rule["verdict"] = "held"
    gathered = Gathered(subject=Subject(kind="application", spec="first"))
    for spec, exchanges in (("second", 5), ("third", 3)):
        subject = subject_to_dict(Subject(kind="application", spec=spec))
        more = {"exchanges": exchanges, "notes": [spec], "unproven": ""}
        gathered.take({"subject": subject, "rules": [rule], **more})
    assert (gathered.subject.spec, gathered.exchanges, gathered.notes) == ("second", 5, ("second",))
