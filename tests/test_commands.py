"""`python -m pytest_wsgi`: what it writes, its exit status, and what it says to a mistake."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from dataclasses import replace

import pytest

from hostile_reports import make_hostile_report
from pytest_wsgi.commands import main
from pytest_wsgi.rendering.formats import FORMATS
from pytest_wsgi.report import from_json, to_json
from pytest_wsgi.report.merging import from_json_set, to_json_set
from sample_reports import make_mixed_report, make_report, make_rule, make_rules, make_subject

MIXED = make_mixed_report()
HELD = make_report(make_rule(verdict="held"), *make_rules("held", 2))
BROKEN = make_report(make_rule(), *make_rules("held", 2))
OTHER = replace(HELD, subject=make_subject(spec="other.wsgi.application"))


@pytest.fixture
def put(tmp_path, monkeypatch):
    """Return what writes reports to a file; the directory is the current one."""
    monkeypatch.chdir(tmp_path)

    def write(name, *some):
        (tmp_path / name).write_text(to_json_set(some), encoding="utf-8")
        return name

    return write


@pytest.fixture
def run(capfdbinary):
    """Return what runs a command: its exit status, and what it wrote."""

    def run_command(*words):
        try:
            status = main(list(words))
        except SystemExit as error:
            status = error.code
        out, err = capfdbinary.readouterr()
        return status, out.decode("utf-8"), err.decode("utf-8")

    return run_command


def refuse(run, *words):
    """Return what is said to a mistake: one line, and nothing else happens."""
    status, out, err = run(*words)
    assert (status, out) == (2, "")
    assert err.count("\n") == 1
    return err


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_can_be_rendered(put, run, name, tmp_path):
    put("wsgi.json", MIXED, OTHER)
    status, out, err = run("render", "wsgi.json", "--to", name)
    assert (status, err) == (0, "")
    assert out == FORMATS[name].render([MIXED, OTHER])
    assert run("render", "wsgi.json", "--to", name, "-o", "new/out") == (0, "", "")
    assert (tmp_path / "new/out").read_bytes().decode("utf-8") == out


@pytest.mark.parametrize("name", FORMATS)
def test_hostile_reports_can_be_rendered(put, run, name):
    put("wsgi.json", make_hostile_report("must"))
    status, out, err = run("render", "wsgi.json", "--to", name)
    assert (status, err) == (0, "")
    assert out


def test_the_name_of_the_file_may_tell_the_format(put, run, tmp_path):
    put("wsgi.json", HELD)
    assert run("render", "wsgi.json", "-o", "badge.svg") == (0, "", "")
    assert (tmp_path / "badge.svg").read_text() == FORMATS["badge"].render([HELD])


def test_several_files_are_rendered_together(put, run):
    put("a.json", HELD)
    put("b.json", OTHER)
    assert run("render", "a.json", "b.json", "--to", "json")[1] == to_json_set([HELD, OTHER])


def test_rendering_without_a_format(put, run):
    err = refuse(run, "render", put("wsgi.json", HELD))
    assert err.startswith(
        "python -m pytest_wsgi render: which format? Try: "
        "python -m pytest_wsgi render wsgi.json --to html; there are html, md, sarif, "
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--to", "junit"), "there is no format 'junit'; supported are html, "),
        (("--to", "htm"), "did you mean 'html'?"),
        (("-o", "wsgi.pdf"), "cannot tell the format of the report 'wsgi.pdf' by its name"),
    ],
)
def test_a_format_that_there_is_not(put, run, words, said):
    assert said in refuse(run, "render", put("wsgi.json", HELD), *words)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "No such file or directory. Make one with: pytest --wsgi-app SPEC --wsgi-report a"),
        (b"{", "The report is not JSON, or is cut off"),
        (b'{"format": "sarif"}', 'found "sarif"'),
        (to_json(HELD).replace('"version": 1', '"version": 2').encode(), "only 1 can be read"),
        (b"\xff", "can't decode byte 0xff"),
    ],
)
@pytest.mark.parametrize("words", [("render", "--to", "md"), ("merge",), ("diff", "a.json")])
def test_a_file_that_is_no_report(tmp_path, monkeypatch, run, content, said, words):
    monkeypatch.chdir(tmp_path)
    if content is not None:
        (tmp_path / "a.json").write_bytes(content)
    err = refuse(run, *words, "a.json")
    assert err.startswith(f"python -m pytest_wsgi {words[0]}: cannot read the report 'a.json': ")
    assert said in err


def test_a_name_that_no_file_can_have(run):
    assert r"cannot read the report 'a\x00b': " in refuse(run, "merge", "a\0b")


def test_a_file_that_is_named_twice(put, run, tmp_path):
    put("a.json", HELD)
    err = refuse(run, "merge", "a.json", str(tmp_path / "a.json"))
    assert "is named twice, and would be counted twice" in err


def test_a_file_that_cannot_be_written(put, run, tmp_path):
    put("a.json", HELD)
    (tmp_path / "taken").mkdir()
    err = refuse(run, "merge", "a.json", "-o", "taken")
    assert err.startswith("python -m pytest_wsgi merge: cannot write the report 'taken': ")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "taken"]


@pytest.mark.parametrize(
    ("old", "new", "status"),
    [
        (HELD, HELD, 0),
        (BROKEN, BROKEN, 0),
        (BROKEN, HELD, 0),
        (HELD, BROKEN, 1),
        (HELD, make_report(), 1),
    ],
)
def test_the_status_of_a_comparison(put, run, old, new, status):
    put("old.json", old)
    put("new.json", new)
    found, out, err = run("diff", "old.json", "new.json")
    assert (found, err) == (status, "")
    assert out.startswith("mysite.wsgi.application: Findings: ")


def test_a_comparison_in_markdown(put, run, tmp_path):
    put("old.json", HELD)
    put("new.json", BROKEN, OTHER)
    assert run("diff", "old.json", "new.json", "--format", "md", "-o", "diff.md") == (1, "", "")
    text = (tmp_path / "diff.md").read_text(encoding="utf-8")
    assert "## Newly broken (1)\n\n- MUST  `status-is-native-string`" in text
    assert "# WSGI conformance of `other.wsgi.application`: what changed" in text


def test_shards_are_merged_and_subjects_kept_apart(put, run, tmp_path):
    put("a.json", make_report(make_rule(id="a", verdict="held")))
    put("b.json", make_report(make_rule(id="b")), OTHER)
    assert run("merge", "a.json", "b.json", "-o", "all.json") == (0, "", "")
    merged, other = from_json_set((tmp_path / "all.json").read_text(encoding="utf-8"))
    assert [rule.id for rule in merged.rules] == ["a", "b"]
    assert other == OTHER
    assert run("render", "all.json", "--to", "badge")[0] == 0


def test_shards_of_one_subject_make_one_report(put, run):
    put("a.json", make_report(make_rule(id="a", verdict="held")))
    put("b.json", make_report(make_rule(id="b")))
    status, out, _ = run("merge", "a.json", "b.json")
    assert status == 0
    assert len(from_json(out).rules) == 2


@pytest.mark.parametrize("words", [(), ("paint",), ("merge",), ("diff", "a.json")])
def test_words_that_are_no_command(run, words):
    status, out, err = run(*words)
    assert (status, out) == (2, "")
    assert err.startswith("usage: python -m pytest_wsgi ")


def start(*words, **changes):
    environ = {**os.environ, "PYTHONIOENCODING": "ascii"}
    return subprocess.Popen(
        [sys.executable, "-m", "pytest_wsgi", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environ,
        **changes,
    )


def test_the_module_is_a_command_and_always_writes_utf_8(put, tmp_path):
    report = replace(HELD, subject=make_subject(spec="café.wsgi"))
    put("wsgi.json", report)
    process = start("render", "wsgi.json", "--to", "md", cwd=tmp_path)
    out, err = process.communicate()
    assert (process.returncode, err) == (0, b"")
    assert "# WSGI conformance of `café.wsgi`" in out.decode("utf-8")


def test_the_module_exits_with_the_status(put, run, monkeypatch):
    put("old.json", HELD)
    put("new.json", BROKEN)
    monkeypatch.setattr(sys, "argv", ["pytest_wsgi", "diff", "old.json", "new.json"])
    with pytest.raises(SystemExit) as error:
        importlib.import_module("pytest_wsgi.__main__")
    assert error.value.code == 1


@pytest.mark.skipif(os.name != "posix", reason="pipes of others do not break so")
def test_a_pipe_that_nobody_reads(put, monkeypatch):
    put("wsgi.json", HELD)
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        assert main(["render", "wsgi.json", "--to", "md"]) == 2


@pytest.mark.skipif(os.name != "posix", reason="pipes of others do not break so")
def test_a_reader_that_goes_away(put, tmp_path):
    put("wsgi.json", make_report(*make_rules("broken", 2000)))
    process = start("render", "wsgi.json", "--to", "md", cwd=tmp_path)
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()
    assert (process.wait(), err) == (2, b"")


def test_a_format_without_its_library(put, run, monkeypatch):
    put("wsgi.json", HELD)
    monkeypatch.setitem(sys.modules, "jinja2", None)
    status, out, err = run("render", "wsgi.json", "--to", "html")
    assert (status, out) == (2, "")
    assert err.endswith("Try: pip install 'pytest-wsgi[html]'\n")


def test_nothing_of_pytest_is_imported():
    code = (
        "import sys, pytest_wsgi.commands\n"
        "print(sorted({'pytest', 'jinja2', 'django'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_help_names_every_command(run):
    status, out, _ = run("--help")
    assert status == 0
    assert all(f"    {name} " in out for name in ("render", "diff", "merge"))
