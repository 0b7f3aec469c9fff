"""Measuring what is reached, by a stand-in for coverage.py that traces nothing.

The tests themselves may be measured, and a second tracer would take the place of that one.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace

import pytest

coverage = pytest.importorskip("coverage")

from pytest_wsgi import apart, reach  # noqa: E402 # both want coverage.py
from pytest_wsgi.apart import Account, describe  # noqa: E402 # as above
from pytest_wsgi.catalogue import CATALOGUE  # noqa: E402 # as above
from pytest_wsgi.examination import Examination  # noqa: E402 # as above
from pytest_wsgi.exchange import Loading, Problem  # noqa: E402 # as above
from pytest_wsgi.option_values import Options  # noqa: E402 # as above
from pytest_wsgi.own_code import OwnCode  # noqa: E402 # as above
from pytest_wsgi.planning import Plan  # noqa: E402 # as above
from pytest_wsgi.reach import Gauge, ReachError, Watch, begin, make_own  # noqa: E402 # as above
from pytest_wsgi.report import FileReach, Reach  # noqa: E402 # as above
from pytest_wsgi.rules import load_rules  # noqa: E402 # as above
from runs import GOOD  # noqa: E402 # as above

load_rules()

VIEWS = """\
import os

def home():
    return 1

def hidden():
    return [
        2,
    ]

def ignored():  # pragma: no cover
    return 3
"""


class Measuring:
    """Stands in for a Coverage: what "runs" is told to it."""

    def __init__(self, *, branch=False, static="", tells=True):
        self.data = coverage.CoverageData(no_disk=True)
        self.branch = branch
        self.static = static
        self.tells = tells
        self.calls = []

    def start(self):
        self.calls.append("start")

    def stop(self):
        self.calls.append("stop")

    def get_option(self, name):
        assert name == "run:context"
        return self.static or None

    def get_data(self):
        return self.data

    def switch_context(self, context):
        previous = self.data.set_context("|".join(filter(None, (self.static, context))))
        return previous if self.tells else None

    def run(self, file, *lines):
        if self.branch:
            self.data.add_arcs({str(file): [(-1, lines[0]), *pairwise(lines)]})
        else:
            self.data.add_lines({str(file): lines})

    def read(self, file, context):
        self.data.set_query_context(context)
        found = self.data.lines(str(file))
        self.data.set_query_contexts(None)
        return sorted(found or ())


@pytest.fixture
def views(tmp_path):
    file = tmp_path / "views.py"
    file.write_text(VIEWS)
    return file


@pytest.fixture
def active():
    measuring = Measuring()
    yield measuring
    measuring.data.close(force=True)


@pytest.fixture
def watch(active, tmp_path):
    return Watch(Gauge(lambda: active, None), "application", OwnCode(root=tmp_path))


def test_what_runs_meanwhile_is_reached(watch, active, views):
    assert watch.take() is None
    active.run(views, 6, 7)
    with watch.enter("probe:get"):
        active.run(views, 3, 4)
    active.run(views, 1, 8)
    assert watch.take().files == (FileReach(file="views.py", lines=5, reached=4, missing="7"),)
    assert active.read(views, "wsgi:application::probe:get") == [3, 4]
    assert active.read(views, "") == [1, 6, 7, 8]


def test_it_is_told_once(watch, active, views):
    for lines in ((1,), (4,)):
        with watch.enter("probe:get"):
            active.run(views, *lines)
        assert watch.take().files[0].reached == len(lines) + (lines == (4,))
        assert watch.take() is None


def test_lines_outside_of_functions_count_wherever_they_ran(watch, active, views):
    active.run(views, 1, 3, 6, 7, 11)
    with watch.enter("loading"):
        pass
    assert watch.take().files == (FileReach(file="views.py", lines=5, reached=3, missing="4, 7"),)


def test_all_that_ran_before_the_first_test_counts(watch, active, views):
    active.run(views, 1, 3, 4, 6)
    watch.gauge.note_start()
    active.run(views, 7)
    with watch.enter("loading"):
        pass
    assert watch.take().files[0].missing == "7"


def test_code_of_others_does_not_count(watch, active, views, tmp_path):
    tests = tmp_path / "test_views.py"
    tests.write_text("import views\n")
    (tmp_path / "page.html").write_text("{% if x %}")
    (tmp_path / "empty.py").write_text("")
    with watch.enter("probe:get"):
        for file in (tests, tmp_path / "page.html", tmp_path / "empty.py", reach.__file__, views):
            active.run(file, 1)
    assert [file.file for file in watch.take().files] == ["views.py"]


def test_files_that_only_another_target_ran_are_its_own(watch, active, views, tmp_path):
    other = Watch(watch.gauge, "application-2", watch.own)
    shared = tmp_path / "shared.py"
    shared.write_text("x = 1\n")
    for one, file in ((watch, views), (other, tmp_path / "other.py")):
        file.write_text(VIEWS)
        with one.enter("probe:get"):
            active.run(file, 1)
    active.run(shared, 1)
    assert [file.file for file in watch.take().files] == ["shared.py", "views.py"]
    assert [file.file for file in other.take().files] == ["other.py", "shared.py"]


def test_the_context_of_before_is_restored(tmp_path, views):
    for static in ("", "ci"):
        active = Measuring(static=static)
        watch = Watch(Gauge(lambda active=active: active, None), "a", OwnCode(root=tmp_path))
        active.switch_context("test_a.py::test_one|run")
        with watch.enter("probe:get"):
            active.run(views, 1)
        active.run(views, 4)
        prefix = static and f"{static}|"
        assert active.read(views, f"{prefix}test_a.py::test_one|run") == [4]
        assert active.read(views, f"{prefix}wsgi:a::probe:get") == [1]
        assert watch.take().files[0].reached == 1
        active.data.close(force=True)


def test_an_older_coverage_does_not_tell_the_context_of_before(tmp_path, views):
    active = Measuring(tells=False)
    watch = Watch(Gauge(lambda: active, None), "a", OwnCode(root=tmp_path))
    with watch.enter("probe:get"):
        active.run(views, 1)
    active.run(views, 4)
    assert active.read(views, "") == [4]
    active.data.close(force=True)


def test_lines_are_told_anew_under_each_context(watch, monkeypatch):
    calls = []
    monitoring = SimpleNamespace(restart_events=lambda: calls.append("restart"))
    monkeypatch.setattr(sys, "monitoring", monitoring, raising=False)
    with watch.enter("probe:get"):
        assert len(calls) == 1
    assert len(calls) == 2
    monkeypatch.delattr(sys, "monitoring")
    with watch.enter("probe:get"):
        pass
    assert len(calls) == 2


def test_nothing_is_switched_where_nothing_measures(tmp_path, active):
    found = [None, active, None]
    watch = Watch(Gauge(lambda: found.pop(0), None), "a", OwnCode(root=tmp_path))
    with watch.enter("loading"):
        pass
    with watch.enter("loading"):  # it is stopped meanwhile
        pass
    assert found == []


@pytest.mark.parametrize("branch", [False, True])
@pytest.mark.parametrize("static", ["", "ci"])
def test_each_rule_gets_a_context(tmp_path, views, branch, static):
    active = Measuring(branch=branch, static=static)
    gauge = Gauge(lambda: active, None)
    active.switch_context("other")
    spaces = {}
    exec(GOOD, spaces)

    def application(environ, start_response):
        active.run(views, 7 if environ["REQUEST_METHOD"] == "HEAD" else 4, 4)
        return spaces["application"](environ, start_response)

    def load():
        active.run(views, 1, 3)
        active.run(tmp_path / "test_a.py", 1)
        return application, Loading(spec="app", label="", origin="here", object_type="function")

    examination = Examination(load=load, watch=Watch(gauge, "a", OwnCode(root=tmp_path)))
    verdicts = examination.obtain_verdicts()
    prefix = static and f"{static}|"
    expected = {
        "application-loads": [1, 3],
        "status-is-native-string": [4, 7],
        "loading-works-in-a-fresh-process": [],
        "head-answers-like-get": [4, 7],
    }
    for rule in expected.keys() & verdicts.keys():
        assert active.read(views, f"{prefix}wsgi:a::{rule}") == expected[rule], rule
    assert active.read(views, f"{prefix}wsgi:a::probe:get") == [4]
    assert active.read(tmp_path / "test_a.py", f"{prefix}wsgi:a::application-loads") == []
    active.run(views, 12)
    assert active.read(views, f"{prefix}other") == [12]
    assert examination.take_reach().files[0].missing == "6"
    examination.judge_path("/more/")
    assert active.read(views, f"{prefix}wsgi:a::every-rule@/more/") == [4, 7]
    active.data.close(force=True)


def test_nobody_sees_the_contexts_of_our_own(watch, active):
    watch.gauge.own = active
    watch.attribute(CATALOGUE.values(), [])
    watch.gauge.current = lambda: None
    watch.attribute(CATALOGUE.values(), [])
    assert active.data.measured_contexts() == set()


def test_our_own_begins_and_ends(active):
    gauge = Gauge(lambda: active, active)
    other = Gauge(lambda: None, Measuring())
    for one in (gauge, other, Gauge(lambda: active, None)):
        one.stop()
    assert active.calls == ["start", "stop"]
    assert other.own.calls == ["start"]  # another one measures on top of it
    other.own.data.close(force=True)


def test_what_measures_already_is_used(tmp_path, monkeypatch, active):
    made = []
    monkeypatch.setattr(coverage.Coverage, "current", lambda: active)
    monkeypatch.setattr(reach, "make_own", lambda root: made.append(root) or Measuring())
    assert begin(tmp_path).own is None
    monkeypatch.setattr(coverage.Coverage, "current", lambda: None)
    begin(tmp_path).own.data.close(force=True)
    assert made == [tmp_path]


def test_our_own_measures_below_the_root(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    root = tmp_path / "a[b]"
    (tmp_path / ".coveragerc").write_text(
        "[run]\nomit = */migrations/*\nbranch = true\nconcurrency = multiprocessing\n"
    )
    own = make_own(root)
    assert own.get_option("run:branch") in (False, None)
    assert own.get_option("run:concurrency") == []
    assert own.get_option("run:omit")[0] == "*/migrations/*"
    assert own.get_option("run:include") == [f"{tmp_path}/a[[]b]/*"]


@pytest.mark.parametrize("begun", [SimpleNamespace(_auto_save=True), None])
def test_what_measures_the_process_still_saves_its_data(monkeypatch, begun):
    if begun is None:
        monkeypatch.delattr(coverage.process_startup, "coverage", raising=False)
    else:
        monkeypatch.setattr(coverage.process_startup, "coverage", begun, raising=False)
    reach.make_coverage(data_file=None)
    assert getattr(coverage.process_startup, "coverage", None) is begun
    assert begun is None or begun._auto_save


def test_coverage_may_be_missing_or_refuse(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(coverage.Coverage, "current", lambda: None)
    (tmp_path / ".coveragerc").write_text("no section\n")
    with pytest.raises(ReachError, match=r"^--wsgi-reach: coverage.py says: Couldn't read"):
        begin(tmp_path)
    monkeypatch.setitem(sys.modules, "coverage", None)
    with pytest.raises(ReachError, match=r"not installed.\nTry: pip install 'pytest-wsgi\[reach\]"):
        begin(tmp_path)


def test_directories_of_tests_are_left_out(tmp_path, active):
    (tmp_path / "src").mkdir()
    (tmp_path / "src/shop.py").write_text(GOOD)
    options = Options(
        asked=(("--wsgi-app", "src/shop.py"),),
        testpaths=("spec", "src"),
        python_files=("check_*.py",),
    )
    plan = Plan(options, directory=tmp_path, rootdir=tmp_path, ini=None)
    plan.watch(Gauge(lambda: active, None))
    (target,) = plan.targets
    assert target.examination.watch.label == target.label
    assert target.examination.watch.own == OwnCode(
        root=tmp_path, patterns=("check_*.py",), testpaths=(tmp_path / "spec",)
    )


def test_another_process_tells_what_it_reached(tmp_path, monkeypatch, active):
    (tmp_path / "reached_apart.py").write_text(GOOD)
    begun = []
    monkeypatch.setattr(apart, "begin", lambda root: begun.append(root) or gauge)
    gauge = Gauge(lambda: active, None)
    options = Options(asked=(("--wsgi-app", "reached_apart.py"),), reach=True)
    job = apart.Job(
        options=options, directory=str(tmp_path), rootdir=str(tmp_path), argv=(), unlaunched="no"
    )
    monkeypatch.setattr(sys, "path", [*sys.path])
    account = apart.do(job, tmp_path / "loaded")
    assert begun == [tmp_path]
    assert account.reach == Reach()
    job = replace(job, options=replace(options, reach=False))
    assert apart.do(job, tmp_path / "loaded").reach is None


def test_it_is_told_once_what_another_process_reached():
    problem = Problem("module-not-found", "No module.")
    loading = Loading(spec="app", label="", origin="here", problem=problem)
    told = describe(Examination(load=lambda: (None, loading)), ())
    found = Reach(files=(FileReach(file="a.py", lines=1, reached=1),))
    account: Account = replace(told, reach=found)
    examination = Examination(load=lambda: (None, loading), examine_apart=lambda: account)
    examination.obtain_account()
    assert examination.take_reach() == found
    assert examination.take_reach() is None
