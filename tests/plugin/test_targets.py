"""Which applications a run judges, where their items hang, and who asked for them."""

from __future__ import annotations

import pytest

from runs import ALL, BROKEN, BROKEN_RULE, GOOD, MAIN, OWN_IDS

LOADS = "application-loads"


def test_two_targets_in_two_files(run):
    found = run(*MAIN, "--wsgi-app", "mysite.bad.application")
    assert found.status == 1
    assert len(found.outcomes) == 2 * ALL + 3
    assert f"mysite/bad.py::application-2::{BROKEN_RULE}" in found.having("failed")
    assert found.out.count(" WSGI conformance: ") == 2


def test_two_targets_in_one_file(run, add):
    add({"mysite/wsgi.py": f"{GOOD}\nother = application\n"})
    found = run(*MAIN, "--wsgi-app", "mysite.wsgi.other")
    assert found.status == 0
    assert len(found.outcomes) == 2 * ALL + 3
    assert f"mysite/wsgi.py::other::{LOADS}" in found.outcomes
    assert len(run(*MAIN, "--wsgi-app", "mysite.wsgi.other", "mysite/wsgi.py::other").rules) == ALL


def test_an_id_of_one_target_leaves_the_others_out(run):
    both = (*MAIN, "--wsgi-app", "mysite.bad.application")
    found = run(*both, f"mysite/bad.py::application-2::{BROKEN_RULE}")
    assert list(found.outcomes) == [f"mysite/bad.py::application-2::{BROKEN_RULE}"]


@pytest.mark.parametrize(
    ("specs", "labels"),
    [
        (("api=mysite.wsgi.application",), ["api"]),
        (("mysite.wsgi:application", "mysite.wsgi:application"), ["application", "application-2"]),
        (
            (
                "mysite.wsgi:application",
                "application-2=mysite.wsgi:application",
                "mysite.bad:application",
                "application-2=mysite.bad:application",
            ),
            ["application", "application-2", "application-3", "application-2-2"],
        ),
    ],
    ids=str,
)
def test_labels_are_unique(run, specs, labels):
    words = [word for spec in specs for word in ("--wsgi-app", spec)]
    found = run(*words, "-k", LOADS)
    assert sorted(name.split("::")[1] for name in found.outcomes) == sorted(labels)
    assert found.status == 0


@pytest.mark.parametrize(
    ("more", "own", "rules"),
    [
        ((), 2, ALL),
        (("tests",), 2, ALL),
        (("tests/test_app.py",), 2, ALL),
        (("tests", "tests/test_app.py"), 2, ALL),
        (("tests/test_app.py::test_one",), 1, 0),
        ((f"tests/test_app.py::application::{LOADS}",), 0, 1),
        ((f"tests/test_app.py::application::{LOADS}", "tests/test_app.py::test_one"), 1, 1),
    ],
    ids=str,
)
def test_a_test_module_that_is_a_target(project, run, add, more, own, rules):  # a table
    (project / "tests/test_a.py").unlink()
    (project / "tests/test_b.py").unlink()
    add({"tests/test_app.py": f"{GOOD}\ndef test_one(): pass\nclass TestB:\n  def test_b(self): 0"})
    found = run("--wsgi-app", "tests/test_app.py:application", *more)
    assert found.status == 0
    assert (len(found.own), len(found.rules)) == (own, rules)
    assert len(found.outcomes) == own + rules


def test_a_package_that_cannot_be_imported_is_a_finding(run, add):
    add({"mysite/__init__.py": "raise ValueError('from the package')\n"})
    for more in ((), (f"mysite/wsgi.py::application::{LOADS}",)):
        found = run(*MAIN, *more)
        name = f"mysite/wsgi.py::application::{LOADS}"
        assert found.having("failed") == [name]
        assert "from the package" in found.texts[name]
        assert found.own == ([] if more else OWN_IDS)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("raise ValueError('broken module')", "broken module"),
        ("import not_there_at_all", "not_there_at_all"),
        ("raise SystemExit(3)", "SystemExit"),
        ("app = 5", "application"),
        ("application = None", "None"),
        ("def application(:", "SyntaxError"),
    ],
    ids=str,
)
def test_an_application_that_does_not_load(run, add, source, said):
    add({"mysite/wsgi.py": f"{source}\n"})
    found = run(*MAIN, "--wsgi-path", "/about")
    name = f"mysite/wsgi.py::application::{LOADS}"
    assert found.status == 1
    assert found.having("failed") == [name]
    assert said in found.texts[name]
    assert sorted(found.own) == OWN_IDS
    assert all(found.outcomes[own] == "passed" for own in OWN_IDS)
    skipped = found.having("skipped")
    assert len(skipped) == ALL
    assert all("blocked: the application did not load" in found.texts[name] for name in skipped)
    assert "Nothing was proven: the application did not load." in found.out


def test_a_module_that_is_not_there_hangs_on_the_ini_file(run):
    found = run("--wsgi-app", "mysit.wsgi.application")
    assert found.having("failed") == [f"pytest.ini::application::{LOADS}"]
    assert "No module mysit.wsgi" in found.out
    again = run("--wsgi-app", "mysit.wsgi.application", f"pytest.ini::application::{LOADS}")
    assert again.having("failed") == [f"pytest.ini::application::{LOADS}"]
    assert list(again.outcomes) == again.having("failed")


def test_a_module_that_is_not_there_without_any_known_file(project, run):
    (project / "pytest.ini").unlink()
    found = run("--rootdir", ".", "--wsgi-app", "mysit.wsgi.application")
    assert found.having("failed") == [f"wsgi.py::application::{LOADS}"]
    assert sorted(found.own) == OWN_IDS


def test_a_target_outside_of_rootdir(project, run, add, monkeypatch):
    add({"site/pytest.ini": "[pytest]\n", "site/tests/test_own.py": "def test_own(): pass\n"})
    monkeypatch.chdir(project / "site")
    found = run("--wsgi-app=../mysite/bad.py")
    name = f"pytest.ini::application::{BROKEN_RULE}"
    assert name in found.having("failed")
    assert found.own == ["tests/test_own.py::test_own"]
    (command,) = [words for words in found.reruns if words[-1].endswith(BROKEN_RULE)]
    assert list(run(*command).outcomes) == [name]


def test_a_target_outside_of_rootdir_without_ini_file(project, run, add, monkeypatch):
    (project / "pytest.ini").unlink()
    add({"site/tests/test_own.py": "def test_own(): pass\n"})
    monkeypatch.chdir(project / "site")
    found = run("--rootdir", ".", "--wsgi-app=../mysite/bad.py")
    (command,) = [words for words in found.reruns if words[-1].endswith(BROKEN_RULE)]
    again = run("--rootdir", ".", *command)
    assert len(again.outcomes) == 1
    assert again.status == 1


def test_files_and_paths_with_dots(project, run, monkeypatch):
    monkeypatch.chdir(project / "tests")
    found = run("--wsgi-app=../mysite/wsgi.py", "-k", LOADS)
    assert list(found.outcomes) == [f"mysite/wsgi.py::application::{LOADS}"]


@pytest.mark.parametrize(
    ("ini", "variable", "given", "expected"),
    [
        ("wsgi_app = mysite.bad.application", None, (), "bad, from ini option wsgi_app"),
        ("addopts = --wsgi-app mysite.bad.application", None, (), "bad, from addopts"),
        ("addopts = --wsgi-app=mysite.bad.application", None, (), "bad, from addopts"),
        (
            "addopts = --wsgi-app mysite.wsgi.application\nwsgi_app = mysite.bad.application",
            None,
            (),
            "wsgi, from addopts",
        ),
        ("wsgi_app = mysite.bad.application", "mysite.wsgi.application", (), "wsgi, from PYTEST"),
        ("addopts = --wsgi-app mysite.bad.application", "mysite.wsgi.application", (), "wsgi, fr"),
        ("", "mysite.wsgi.application", ("--wsgi-app", "mysite.bad.application"), "bad, from --"),
        (
            "addopts = --wsgi-app mysite.wsgi.application",
            "mysite.wsgi.application",
            ("--wsgi-app=mysite.bad.application",),
            "bad, from --wsgi-app",
        ),
        ("wsgi_app = mysite.bad.application", None, ("-o", "wsgi_app=mysite.wsgi"), "wsgi, from i"),
        ("wsgi_app = mysite.bad.application", None, ("--wsgi-app", ""), ""),
        ("addopts = --wsgi-app mysite.bad.application", None, ("--wsgi-app=",), ""),
        ("", "mysite.wsgi.application", ("--wsgi-app", ""), ""),
        ("wsgi_app =", None, (), ""),
        ("", "", (), ""),
    ],
    ids=str,
)
def test_who_is_heard(run, add, monkeypatch, ini, variable, given, expected):  # a table
    add({"pytest.ini": f"[pytest]\n{ini}\n"})
    if variable is not None:
        monkeypatch.setenv("PYTEST_WSGI_APP", variable)
    found = run(*given, "-k", f"{LOADS} or test_one")
    assert found.status == 0
    assert found.own == OWN_IDS[:1]
    names = [name for name in found.outcomes if LOADS in name]
    header = [line for line in found.out.splitlines() if line.startswith("wsgi: ")]
    if expected:
        module, _, origin = expected.partition(", ")
        assert names == [f"mysite/{module}.py::application::{LOADS}"]
        assert header[0].startswith(f"wsgi: mysite.{module}")
        assert origin in header[0]
    else:
        assert (names, header) == ([], [])


def test_plus_the_environments_addopts(run, monkeypatch):
    monkeypatch.setenv("PYTEST_ADDOPTS", "--wsgi-app mysite.bad.application")
    assert len(run("tests").outcomes) == 3
    found = run(*MAIN, "tests")
    assert found.status == 0
    assert len(found.rules) == ALL


@pytest.mark.parametrize(
    "ini", ["wsgi_app = mysite.wsgi.application", "addopts = --wsgi-app mysite.wsgi.application"]
)
def test_from_the_ini_file_only_without_paths(run, add, ini):
    add({"pytest.ini": f"[pytest]\n{ini}\ntestpaths = tests\n"})
    assert len(run().rules) == ALL
    found = run("tests/test_a.py")
    assert (found.own, found.rules) == (OWN_IDS[:2], {})
    assert "wsgi: mysite.wsgi.application (from " in found.out
    assert "; not run, because paths are given)" in found.out
    assert len(run(f"mysite/wsgi.py::application::{LOADS}").rules) == 1
    assert len(run("mysite/wsgi.py", "tests").rules) == ALL


def test_every_option_has_an_ini_name(project, run, add):
    add(
        {
            "pytest.ini": "[pytest]\n"
            "wsgi_app =\n  mysite.wsgi.application\n  api=mysite.wsgi.application\n"
            "wsgi_env = A_NAME=1\nwsgi_path = /about\nwsgi_host = example.com\n"
            "wsgi_unsafe = true\nwsgi_strict = true\nwsgi_only = true\nwsgi_timeout = 5\n"
            "wsgi_report = all.md\n",
            "mysite/wsgi.py": f"import os\nos.environ['A_NAME']\n{GOOD}",
        }
    )
    found = run()
    assert found.status == 0
    assert found.own == []
    assert len(found.outcomes) == 2 * (ALL + 1)
    assert "example.com" in found.out
    assert "may change state" not in found.out
    assert (project / "all.md").is_file()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--wsgi-app", "mysite.wsgi:"), "Cannot read the SPEC"),
        (("--wsgi-app", "mysite.wsgi:make(open('x'))"), "nothing is evaluated"),
        ((*MAIN, "--wsgi-env", "NAME"), "--wsgi-env takes NAME=VALUE, but was given 'NAME'"),
        ((*MAIN, "--wsgi-env", "=VALUE"), "--wsgi-env takes NAME=VALUE"),
        ((*MAIN, "--wsgi-timeout", "soon"), "--wsgi-timeout takes a number of seconds"),
        ((*MAIN, "--wsgi-timeout", "0"), "--wsgi-timeout takes a number of seconds"),
        ((*MAIN, "--wsgi-timeout", "inf"), "--wsgi-timeout takes a number of seconds"),
        ((*MAIN, "--wsgi-timeout", "nan"), "--wsgi-timeout takes a number of seconds"),
        ((*MAIN, "--wsgi-path", "about"), "--wsgi-path takes a path"),
        ((*MAIN, "--wsgi-path", "/about?x=1"), "--wsgi-path takes a path"),
        ((*MAIN, "--wsgi-report", "report.pdf"), "supported are"),
        ((*MAIN, "--wsgi-report", "report"), "cannot tell the format"),
        (("--wsgi-timeout", "soon"), "--wsgi-timeout takes a number of seconds"),
        ((*MAIN, "--wsgi-path", "/"), "Try: pytest --wsgi-path=/"),
        ((*MAIN, "--wsgi-report", "../report.json"), "Try: pytest --wsgi-report=../report.json"),
    ],
    ids=str,
)
def test_options_that_cannot_be_read(run, more, said):
    found = run(*more)
    assert found.status == 4
    assert found.outcomes == {}
    assert said in found.err
    assert "Try: pytest --wsgi-" in found.err
    assert "Traceback" not in found.err + found.out


def test_broken_targets_are_told_apart_from_those_that_load(run, add):
    add({"mysite/bad.py": "raise ValueError('broken module')\n", "other.py": BROKEN})
    found = run(*MAIN, "--wsgi-app", "mysite.bad.application", "--wsgi-app", "other")
    assert found.status == 1
    assert f"mysite/wsgi.py::application::{LOADS}" in found.having("passed")
    assert f"mysite/bad.py::application-2::{LOADS}" in found.having("failed")
    assert f"other.py::application-3::{BROKEN_RULE}" in found.having("failed")


def test_paths_get_items_of_their_own(run, add):
    add(
        {
            "mysite/wsgi.py": f"{GOOD}\ngood = application\n{BROKEN}\nbad = application\n"
            "def application(environ, start_response):\n"
            "    is_bad = environ.get('PATH_INFO') == '/caf\\xc3\\xa9[1]::x'\n"
            "    return (bad if is_bad else good)(environ, start_response)\n"
        }
    )
    paths = ("--wsgi-path=/", "--wsgi-path", "/caf%C3%A9[1]::x", "--wsgi-path=/")
    found = run(*MAIN, *paths)
    assert len(found.rules) == ALL + 2
    (name,) = found.having("failed")
    assert name == "mysite/wsgi.py::application::every-rule@/café%5B1%5D%3A%3Ax"
    assert "expected a str, got b'200 OK'" in found.texts[name]
    (command,) = found.reruns[:1]
    assert list(run(*command).outcomes) == [name]
    assert len(run(*MAIN, *paths, "-m", "path").outcomes) == 2


def test_an_ini_file_outside_of_rootdir_is_no_anchor(project, run):
    (project / "inner").mkdir()
    found = run("-c", "pytest.ini", "--rootdir", "inner", "--wsgi-app", "mysit.wsgi.application")
    assert found.having("failed") == [f"wsgi.py::application::{LOADS}"]
