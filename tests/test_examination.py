from __future__ import annotations

import dataclasses
import warnings

import pytest

from pytest_wsgi.canary import CANARY_RULE, canary
from pytest_wsgi.catalogue import CATALOGUE
from pytest_wsgi.drivers.application import Terms, drive
from pytest_wsgi.examination import (
    LOADS,
    Examination,
    Wishes,
    judge_recordings,
    list_subjects,
    plain_warnings,
    prove_engine,
)
from pytest_wsgi.exchange import Conversation, Exchange, Loading, Problem
from pytest_wsgi.matter import choose_for
from pytest_wsgi.probes.application import METHODS, PATH_PROBES
from pytest_wsgi.recorder import Recorder
from pytest_wsgi.rules import load_rules

load_rules()
LOADING = Loading(spec="app", label="", origin="the command line", object_type="function")


def hello(environ, start_response):
    body = b"hello"
    headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))]
    start_response("200 OK", headers)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]


def examine(application=hello, loading=LOADING, **wishes):
    return Examination(load=lambda: (application, loading), wishes=Wishes(**wishes))


@pytest.fixture
def blind(monkeypatch):
    """Make the canary's rule blind."""
    rule = CATALOGUE[CANARY_RULE]
    seeing_nothing = dataclasses.replace(rule, check=lambda _exchange: iter(()))
    monkeypatch.setitem(CATALOGUE, CANARY_RULE, seeing_nothing)


def test_engine_is_proved_by_the_canary():
    assert prove_engine() == ""


@pytest.mark.usefixtures("blind")
def test_engine_that_misses_the_canary_is_refused():
    assert prove_engine() == f"the canary, which breaks {CANARY_RULE}, was not flagged: held"
    verdicts = examine().obtain_verdicts()
    assert {verdict.outcome for verdict in verdicts.values()} == {"harness error"}
    assert set(verdicts) == set(choose_for(CATALOGUE, "application"))
    examination = examine()
    examination.obtain_loading()
    verdicts = examination.judge_path("/page")
    assert examination.judge_path("/page") == verdicts
    assert {verdict.outcome for verdict in verdicts} == {"harness error"}


def test_canary_breaks_its_rule_and_answers():
    (exchange, _) = (
        talk.exchanges[0] for talk in drive(canary, METHODS[:1], Terms()).conversations
    )
    assert exchange.response.status == b"200 OK"
    assert exchange.complete


def test_target_is_loaded_driven_and_judged_once():
    calls = []

    def load():
        calls.append("load")
        return hello, LOADING

    examination = Examination(load=load)
    assert not examination.is_loaded
    assert examination.describe_run()["exchanges"] == 0
    verdicts = examination.obtain_verdicts()
    assert examination.is_loaded
    assert examination.obtain_verdicts() is verdicts
    assert examination.obtain_loading() is LOADING
    assert examination.obtain_battery() is examination.obtain_battery()
    assert calls == ["load"]
    assert set(verdicts) == set(choose_for(CATALOGUE, "application"))
    assert verdicts[CANARY_RULE].outcome == verdicts[LOADS].outcome == "held"
    must = {v.outcome for v in verdicts.values() if v.rule.level.value == "must"}
    assert must <= {"held", "not exercised"}
    assert all(v.reason for v in verdicts.values() if v.outcome == "not exercised")
    assert examination.describe_run()["exchanges"] > len(METHODS)


def test_rules_about_bodies_say_what_they_need():
    reasons = {v.reason for v in examine().obtain_verdicts().values()}
    assert any("--wsgi-unsafe" in reason for reason in reasons)
    reasons = {v.reason for v in examine(unsafe=True).obtain_verdicts().values()}
    assert not any("--wsgi-unsafe" in reason for reason in reasons)


def test_what_was_secret_before_or_is_now_is_not_told(monkeypatch):
    examination = examine(loading=dataclasses.replace(LOADING, facts={"a": "then-1 now-12"}))
    examination.environ = {"A_TOKEN": "then-1"}
    assert examination.obtain_subject().facts == {"a": "<redacted> now-12"}
    monkeypatch.setenv("B_TOKEN", "now-12")
    examination.obtain_battery()
    assert examination.obtain_subject().facts["a"] == "<redacted> <redacted>"
    examination._notes = ("saw then-1",)
    assert examination.describe_run()["notes"] == ["saw <redacted>"]


def test_other_rules_are_blocked_when_the_target_did_not_load():
    examination = examine()
    examination.adopt(None, LOADING, Problem("import-failed", "It cannot be imported."))
    verdicts = dict(examination.obtain_verdicts())
    assert verdicts.pop(LOADS).outcome == "broken"
    assert {verdict.outcome for verdict in verdicts.values()} == {"blocked"}
    assert {verdict.reason for verdict in verdicts.values()} == {
        "the application did not load (import-failed)"
    }


def test_target_may_be_adopted():
    examination = examine(application=None)
    examination.adopt(hello, LOADING)
    assert examination.obtain_loading() is LOADING
    assert examination.application is hello


def test_further_path_is_asked_for():
    paths = set()

    def application(environ, start_response):
        paths.add(environ["PATH_INFO"])
        return hello(environ, start_response)

    examination = examine(application)
    examination.obtain_loading()
    verdicts = examination.judge_path("/page")
    assert paths == {"/page"}
    assert LOADS not in {verdict.rule.id for verdict in verdicts}
    assert "broken" not in {v.outcome for v in verdicts if v.rule.level.value == "must"}


def test_host_that_is_wished_for_is_used():
    hosts = set()

    def application(environ, start_response):
        hosts.add(environ.get("HTTP_HOST"))
        return hello(environ, start_response)

    examination = examine(application, host="example.org")
    examination.obtain_loading()
    examination.drive(PATH_PROBES, "/")
    assert hosts == {"example.org", None}


def test_subjects_are_exchanges_conversations_and_the_whole():
    conversations = drive(hello, METHODS[:2], Terms()).conversations
    subjects = list_subjects(conversations)
    kinds = [type(subject) for subject in subjects]
    assert kinds == [Exchange] * 4 + [Conversation] * 5
    assert len(subjects[-1].exchanges) == 2
    assert subjects[-1].baseline is subjects[0]
    (whole,) = list_subjects([])
    assert (whole.exchanges, whole.baseline) == ((), None)


def test_exchanges_of_a_users_test_are_judged():
    recorder = Recorder(canary)
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/"}
    list(recorder(environ, lambda *_args: None))
    judged = judge_recordings(CATALOGUE.values(), recorder.recordings, "test_it")
    verdicts = {verdict.rule.id: verdict for verdict in judged}
    assert verdicts[CANARY_RULE].outcome == "broken"
    assert verdicts[CANARY_RULE].findings[0].exchange.request == "GET / in test_it"


def test_target_warns_as_under_a_server():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with plain_warnings(), pytest.warns(UserWarning, match="as ever"):
            warnings.warn("as ever", UserWarning, stacklevel=1)
        with pytest.raises(UserWarning):
            warnings.warn("again", UserWarning, stacklevel=1)


def test_run_is_described():
    examination = examine()
    assert (examination.is_judged, examination.describe_site()) == (False, {})
    examination.obtain_verdicts()
    assert examination.is_judged
    assert examination.describe_site() == {"host": "localhost, asked at http://localhost/"}
    run = examination.describe_run()
    assert run["unproven"] == ""
    assert any(note.startswith("not driven, may change state") for note in run["notes"])


def refuse(environ, start_response):
    start_response("400 Bad Request", [("Content-Type", "text/plain"), ("Content-Length", "0")])
    return []


def test_run_in_which_no_page_was_seen_proves_nothing():
    examination = examine(refuse)
    examination.obtain_verdicts()
    assert examination.describe_run()["unproven"]


def test_run_is_the_same_where_warnings_are_no_errors():
    examination = examine()
    examination.obtain_loading()
    with warnings.catch_warnings():
        warnings.resetwarnings()
        battery = examination.drive(METHODS[:1], "/")
    assert len(battery.conversations) == 2
