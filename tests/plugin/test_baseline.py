"""`--wsgi-baseline`: only new findings fail."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runs import BROKEN, BROKEN_RULE, GOOD

WORDS = ("--wsgi-app", "wsgi:application", "--wsgi-select", BROKEN_RULE)
BASELINE = ("--wsgi-baseline", "known.toml")


@pytest.fixture
def project(pytester):
    pytester.makepyfile(wsgi=BROKEN)
    return pytester


def update(project):
    return project.runpytest(*WORDS, *BASELINE, "--wsgi-baseline-mode", "update")


def give_reason(project):
    file = project.path / "known.toml"
    file.write_text(file.read_text().replace('reason = ""', 'reason = "the old pages"'))


def test_update_then_reason_then_known(project):
    result = update(project)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["wsgi: baseline: 1 entries added to *known.toml; each needs *"])
    result = project.runpytest(*WORDS, *BASELINE)
    assert result.ret == 1
    result.stdout.fnmatch_lines([f"wsgi: baseline: {BROKEN_RULE} of * has no reason yet*"])
    give_reason(project)
    result = project.runpytest(*WORDS, *BASELINE, "--wsgi-report", "report.json")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*1 known*"])
    report = json.loads((project.path / "report.json").read_text())
    (rule,) = report["rules"]
    assert (rule["verdict"], rule["reason"]) == ("known", "the old pages")
    assert rule["findings"]
    assert Path(report["standing"]["file"]).name == "known.toml"  # relative to the root of the run
    assert [change["state"] for change in report["standing"]["changes"]] == ["known"]


def test_known_is_shown_by_its_own_letter(project):
    update(project)
    give_reason(project)
    project.runpytest(*WORDS, *BASELINE, "-v").stdout.fnmatch_lines([f"*{BROKEN_RULE} KNOWN*"])


def test_fixed_fails_until_it_is_pruned(project):
    update(project)
    give_reason(project)
    project.makepyfile(wsgi=GOOD)
    result = project.runpytest_subprocess(*WORDS, *BASELINE)
    assert result.ret == 1
    result.stdout.fnmatch_lines([f"wsgi: baseline: {BROKEN_RULE} of * is fixed; remove it *"])
    result = project.runpytest_subprocess(*WORDS, *BASELINE, "--wsgi-baseline-mode", "prune")
    assert result.ret == 0
    assert "known" not in (project.path / "known.toml").read_text()


def test_expired_fails(project):
    update(project)
    give_reason(project)
    with (project.path / "known.toml").open("a") as file:
        file.write("expires = 2020-01-01\n")
    result = project.runpytest(*WORDS, *BASELINE)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["wsgi: baseline: * expired on 2020-01-01"])


def test_controller_alone_writes(project):
    result = project.runpytest(
        *WORDS, *BASELINE, "--wsgi-baseline-mode", "update", "-n", "2", "-p", "xdist"
    )
    assert result.ret == 0
    assert (project.path / "known.toml").read_text().count("[[known]]") == 1


def test_command_to_run_one_again_has_the_baseline(project):
    (project.path / "known.toml").write_text("")
    result = project.runpytest(*WORDS, *BASELINE)
    result.stdout.fnmatch_lines(["Rerun *--wsgi-baseline known.toml*"])


def test_file_that_cannot_be_written_costs_one_line(project):
    (project.path / "known.toml").write_text("")
    (project.path / "known.toml").unlink()
    result = project.runpytest(
        *WORDS, "--wsgi-baseline", "wsgi.py/known.toml", "--wsgi-baseline-mode", "update"
    )
    assert result.ret == 1
    result.stdout.fnmatch_lines(["wsgi: cannot write *known.toml*"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (BASELINE, "*there is no file *known.toml*"),
        ((*BASELINE, "--wsgi-baseline-mode", "forget"), "*takes check, update, prune, but*"),
        (("--wsgi-baseline-mode", "prune"), "*prune is about a baseline, and none is named.*"),
    ],
)
def test_mistake_is_a_usage_error(project, words, message):
    result = project.runpytest(*WORDS, *words)
    assert result.ret == 4
    result.stderr.fnmatch_lines([message, "Try: pytest --wsgi-baseline *"])
