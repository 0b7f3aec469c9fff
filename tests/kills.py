"""Drives a program through the whole battery and returns the verdicts by rule id."""

from __future__ import annotations

from pytest_wsgi.proof import judge_program
from pytest_wsgi.rules import load_rules


def judge_application(application):
    load_rules()
    return judge_program(application)
