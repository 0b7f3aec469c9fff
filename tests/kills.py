"""Drives a program through the whole battery and returns the verdicts by rule id."""

from __future__ import annotations

from pytest_wsgi.catalogue import CATALOGUE
from pytest_wsgi.drivers.application import Terms, drive
from pytest_wsgi.exchange import Conversation
from pytest_wsgi.judge import judge
from pytest_wsgi.probes.application import BATTERY
from pytest_wsgi.rules import load_rules


def judge_application(application, *, seconds=1.0, unsafe=True):
    load_rules()
    battery = drive(application, BATTERY, Terms(unsafe=unsafe, seconds=seconds))
    exchanges = [e for c in battery.conversations for e in c.exchanges]
    bare = tuple(e for e in exchanges if not e.under_validator)
    everything = Conversation(probe="battery", exchanges=bare, baseline=bare[0])
    subjects = [*exchanges, *battery.conversations, everything]
    return {verdict.rule.id: verdict for verdict in judge(CATALOGUE.values(), subjects)}
