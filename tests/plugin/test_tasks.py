"""`--wsgi-explain` and `--wsgi-selftest`: what is done instead of a test run."""

from __future__ import annotations

import io
import sys
from dataclasses import fields, replace

import pytest

from pytest_wsgi import selftest, tasks
from pytest_wsgi.catalogue import CATALOGUE
from pytest_wsgi.explaining import make_example
from pytest_wsgi.proof import load_programs
from pytest_wsgi.report import Proof
from pytest_wsgi.selftest import describe_selftest
from runs import BROKEN_RULE

MUTANT = "status_in_bytes"


def test_a_rule_is_explained_and_nothing_is_run(run_apart):
    result = run_apart("--wsgi-explain", BROKEN_RULE)
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            f"{BROKEN_RULE}  (MUST)",
            "The status is a str.",
            "Source      PEP 3333, *",
            "            https://peps.python.org/pep-3333/#*",
            "Requires    *",
            "Why         *",
            "Level       A MUST: *",
            f"Bad ({MUTANT})",
            '    *start_response(b"200 OK", *',
            "  A run says: broken",
            "    GET /      2  start_response(b'200 OK', *expected a str, got b'200 OK'",
            "Good (*)",
            '    *start_response("200 OK", *',
            "  A run says: held",
            "How to mend it",
            "  Bare *",
            "  Django *",
            "  Flask *",
            "How to silence it",
            f"  pytest * --wsgi-ignore {BROKEN_RULE}",
        ]
    )
    assert f'  wsgi_ignore = ["{BROKEN_RULE}: why this' in result.stdout.str()
    assert "test session starts" not in result.stdout.str()


def test_a_glob_explains_every_rule_that_it_matches(run_apart):
    out = run_apart("--wsgi-explain", "write-*").stdout.str()
    names = [name for name in CATALOGUE if name.startswith("write-")]
    assert [name for name in CATALOGUE if f"\n{name}  (" in f"\n{out}"] == names


def test_nothing_is_explained_for_nothing(run):
    found = run("--wsgi-explain", "")
    assert found.status == 4
    assert "--wsgi-explain takes the id of a rule" in found.err


def test_an_explanation_weighs_as_points_are_read(run):
    out = run("--wsgi-explain", "header-values-have-no-tab", "--wsgi-reading", "pep").out
    assert out.startswith("header-values-have-no-tab  (MUST)\n")


def test_modules_of_the_users_may_be_called_as_the_programs_are(add, run_apart):
    add({"mutants.py": "", "controls.py": "", "conftest.py": "import controls, mutants\n"})
    assert run_apart("--wsgi-explain", BROKEN_RULE).ret == 0


def test_what_cannot_be_encoded_is_escaped(monkeypatch):
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", out)
    tasks.write("caf\xe9\n")
    assert out.buffer.getvalue() == b"caf\\xe9\n"


@pytest.fixture
def few(monkeypatch):
    """Let the self-test prove a few programs only."""
    names = [("mutants", MUTANT), ("twins", BROKEN_RULE), ("controls", "bare_minimum")]
    names[2] = ("controls", next(iter(load_programs().controls)))
    monkeypatch.setattr(selftest, "list_names", lambda: names)


@pytest.mark.usefixtures("few")
def test_the_selftest_says_what_it_proved(run):
    found = run("--wsgi-selftest")
    assert found.status == 0
    programs = load_programs()
    count = len(programs.mutants) + len(programs.projects)
    assert f"{len(CATALOGUE)} rules, {count} mutants, " in found.out
    assert "Every mutant is caught by the rule that it names, and by none undeclared." in found.out


@pytest.mark.usefixtures("few")
def test_the_selftest_fails_where_a_rule_is_not_proved(run, monkeypatch):
    monkeypatch.setattr(selftest, "find_unproven", lambda: iter(["a-rule has no mutant"]))
    found = run("--wsgi-selftest")
    assert found.status == 1
    assert "1 of these are not as they should be:\na-rule has no mutant\n" in found.out


def test_what_programs_write_to_standard_error_is_dropped(monkeypatch):
    monkeypatch.setattr(sys, "stderr", sys.stderr)
    selftest.silence()
    print("never closed", file=sys.stderr)  # noqa: T201 # this is what is dropped
    assert sys.stderr.getvalue() == "never closed\n"


def test_every_program_is_listed():
    programs = load_programs()
    names = selftest.list_names()
    assert len(names) == len(set(names))
    assert len(names) == sum(len(getattr(programs, field.name)) for field in fields(programs))
    assert selftest.check_program(("mutants", MUTANT)) == []


def test_what_needs_django_is_left_out_without_it_and_said(monkeypatch):
    programs = load_programs()
    needing = replace(programs.project_twins["settings-modules-agree"], needs="absent_package")
    few = replace(programs, project_twins={"settings-modules-agree": needing})
    monkeypatch.setattr(selftest, "load_programs", lambda: few)
    assert ("project_twins", "settings-modules-agree") not in selftest.list_names()
    assert selftest.find_unrun() == ["settings-modules-agree"]
    proof = Proof(rules=1, mutants=1, twins=1, controls=1)
    test = selftest.SelfTest(proof=proof, seconds=1.0, unrun=("a-b",))
    assert "Not proved without Django, which is not installed: a-b" in describe_selftest(test)
    assert make_example(needing, "settings-modules-agree").outcome == "blocked"


def test_rules_without_programs_are_found(monkeypatch):
    programs = load_programs()
    lacking = replace(
        programs,
        mutants={n: m for n, m in programs.mutants.items() if m.rule != "write-is-avoided"},
        twins={n: t for n, t in programs.twins.items() if n != BROKEN_RULE},
    )
    monkeypatch.setattr(selftest, "load_programs", lambda: lacking)
    assert sorted(selftest.find_unproven()) == [
        f"{BROKEN_RULE} has no mended twin",
        "write-is-avoided has no mutant",
    ]
