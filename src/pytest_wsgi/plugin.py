"""pytest hooks and options, thin. Nothing of the harness is imported before it is asked for."""

from __future__ import annotations

import argparse
import os
import re
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from pytest_wsgi.planning import Plan
    from pytest_wsgi.reach import Gauge
    from pytest_wsgi.recorder import Recorder

PLAN: pytest.StashKey[Plan] = pytest.StashKey()
GAUGE: pytest.StashKey[Gauge] = pytest.StashKey()
RECORDER: pytest.StashKey[Recorder] = pytest.StashKey()
WANTED = pytest.StashKey[bool]()
TESTED = pytest.StashKey[str]()
"""On a user's test: the label of the target whose application it asked."""
DATA = pytest.StashKey[str]()
"""On a user's test: what it has to say to the report, as `wsgi_data` of our own items."""

AREAS = (
    "app body close config environ errors exc filewrapper header input middleware path "
    "server start status thread unicode url write"
)
"""The parts of the PEP; each is a marker of its rules."""

_LISTS = {
    "app": ("SPEC", "the application: pkg.mod:attr, pkg.mod.attr, path.py, file.ini, django, auto"),
    "middleware": ("SPEC", "a middleware: pkg.mod:Auth(realm='x') or file.ini#filter"),
    "layer": ("SPEC", "a layer of a wrapped application: pkg.mod:application.chain.inner"),
    "env": ("NAME=VALUE", "an environment variable, set before the application is imported"),
    "override": ("NAME=VALUE", "a variable whose override must change the loaded configuration"),
    "path": ("PATH", "one more request path"),
    "report": (
        "FILE",
        "write a report: .json, .html, .md, .sarif, .svg and others, or FORMAT:FILE",
    ),
    "select": ("RULE", "judge by these rules only; ids and globs"),
    "ignore": ("RULE", "leave these rules out; ids and globs, 'RULE: reason' in an ini file"),
}
_FLAGS = {
    "unsafe": "also send requests that may change state (POST and the like)",
    "strict": "broken SHOULDs fail too",
    "only": "run only conformance items",
    "reach": "tell how much of your own code the probes reached; needs coverage.py",
}
_TEXTS = {
    "host": ("HOST", "", "the Host to ask for; default: found out"),
    "baseline": ("FILE", "", "the known findings, a TOML file: only others fail the run"),
    "baseline-mode": ("MODE", "check", "check, update (take in what is new), prune (what is gone)"),
    "timeout": ("SECONDS", "10", "the most that one request may take; default: 10"),
    "reading": ("READING", "", "how to read ambiguous points: pep, de-facto or wsgiref"),
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add every option, each with an ini name that has `_` for `-`."""
    group = parser.getgroup("wsgi", "WSGI conformance (PEP 3333)")
    for name, (metavar, text) in _LISTS.items():
        group.addoption(
            f"--wsgi-{name}",
            dest=f"wsgi_{name}",
            action="append",
            metavar=metavar,
            help=f"{text} (may be repeated)",
        )
        parser.addini(f"wsgi_{name}", text, type="linelist")
    for name, text in _FLAGS.items():
        group.addoption(f"--wsgi-{name}", dest=f"wsgi_{name}", action="store_true", help=text)
        parser.addini(f"wsgi_{name}", text, type="bool")
    for name, (metavar, default, text) in _TEXTS.items():
        dest = f"wsgi_{name.replace('-', '_')}"
        group.addoption(f"--wsgi-{name}", dest=dest, metavar=metavar, help=text)
        parser.addini(dest, text, type="string", default=default)
    group.addoption(
        "--wsgi-explain",
        metavar="RULE",
        help="print what a rule means, an id or a glob, and how to mend what breaks it; then exit",
    )
    group.addoption(
        "--wsgi-selftest",
        action="store_true",
        help="prove on this machine that every rule catches what it is for; then exit",
    )
    group.addoption(
        "--wsgi-propose",
        nargs="?",
        const="show",
        type=read_mode,
        metavar="write",
        help="show the wsgi.py that a Django project lacks, and exit; or write it, and go on",
    )


def read_mode(text: str) -> str:
    """Return `show` or `write`; a path that follows --wsgi-propose is neither."""
    if text not in ("show", "write"):
        raise argparse.ArgumentTypeError(
            f"it takes nothing, or one of 'show' and 'write', but was given {text!r}.\n"
            "Try: pytest --wsgi-app mysite.wsgi.application --wsgi-propose"
        )
    return text


def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Explain rules, run the self-test or show a wsgi.py, where asked for, instead of any tests."""
    if config.option.wsgi_propose == "show":
        propose_file(config)
        return 0
    if config.option.wsgi_explain is None and not config.option.wsgi_selftest:
        return None
    from pytest_wsgi.selection import SelectionError  # noqa: PLC0415 # only when asked for
    from pytest_wsgi.tasks import explain_rules, prove_rules  # noqa: PLC0415 # only when asked for

    if config.option.wsgi_selftest:
        return prove_rules()
    try:
        return explain_rules(config.option.wsgi_explain, config.option.wsgi_reading or "")
    except SelectionError as error:
        raise pytest.UsageError(str(error)) from None


def propose_file(config: pytest.Config) -> str:
    """Show or write the wsgi.py that is missing; return the SPEC of what was written, if it was."""
    from pytest_wsgi import preparation  # noqa: PLC0415 # only when asked for

    try:
        return preparation.propose_file(config)
    except preparation.RefusedError as error:
        raise pytest.UsageError(str(error)) from None


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, None, None]:
    """Set the variables of --wsgi-env before pytest-django reads the settings that need them."""
    told = early_config.known_args_namespace
    is_asked = (
        os.environ.get("PYTEST_WSGI_APP")
        or (told.wsgi_app or early_config.getini("wsgi_app"))
        or (told.wsgi_middleware or early_config.getini("wsgi_middleware"))
    )
    given = early_config.getini("wsgi_env") if told.wsgi_env is None else told.wsgi_env
    for text in given if is_asked else ():
        name, equals, value = text.partition("=")
        # What is wrong is refused later; the settings of the tests are pytest-django's own affair.
        if equals and name.strip() not in {"", "DJANGO_SETTINGS_MODULE"} and "\0" not in text:
            os.environ[name.strip()] = value
    if is_asked and (told.wsgi_reach or early_config.getini("wsgi_reach")):
        obtain_gauge(early_config)
    return (yield)


def obtain_gauge(config: pytest.Config) -> Gauge:
    """Return what measures the user's code, from when this is first called until the end."""
    from pytest_wsgi.reach import ReachError, begin  # noqa: PLC0415 # only when asked for

    if GAUGE not in config.stash:
        try:
            config.stash[GAUGE] = gauge = begin(config.rootpath)
        except ReachError as error:
            raise pytest.UsageError(str(error)) from None
        config.add_cleanup(gauge.stop)
    return config.stash[GAUGE]


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers and, where a target is asked for, plan the run."""
    config.addinivalue_line("markers", "wsgi: a conformance item of pytest-wsgi")
    for name in ("must", "should", "convention"):
        config.addinivalue_line("markers", f"{name}: a conformance item of this level")
    for name in AREAS.split():
        config.addinivalue_line("markers", f"{name}: a conformance item of this part of PEP 3333")
    told = getattr(config, "workerinput", {}).get("wsgi")
    if not told and not is_asked(config):
        return
    from pytest_wsgi.options import read_options, runs_tests  # noqa: PLC0415 # only when asked for
    from pytest_wsgi.preparation import RefusedError, make_plan  # noqa: PLC0415 # as above

    if config.option.wsgi_propose == "write" and not told and runs_tests(config):
        config.option.wsgi_proposed = propose_file(config)
    options, wanted = told or read_options(config)
    try:
        plan = make_plan(config, options, wanted=wanted)
    except RefusedError as error:
        raise pytest.UsageError(str(error)) from None
    if plan.targets:
        config.stash[PLAN] = plan
        config.stash[WANTED] = wanted
        if plan.options.reach:
            plan.watch(obtain_gauge(config))


def is_asked(config: pytest.Config) -> bool:
    """Tell whether a target, or anything else of ours, was asked for."""
    return bool(
        config.option.wsgi_app
        or config.option.wsgi_middleware
        or config.option.wsgi_propose
        or os.environ.get("PYTEST_WSGI_APP")
        or config.getini("wsgi_app")
        or config.getini("wsgi_middleware")
        or any("--wsgi-" in str(word) for word in config.invocation_params.args)
    )


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of pytest-xdist the options: it reads some of them otherwise."""
    from pytest_wsgi.options import read_options  # noqa: PLC0415 # only when asked for

    options, _ = read_options(node.config)
    node.workerinput["wsgi"] = (options, node.config.stash.get(WANTED, False))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Add the files of the targets to the session's, unless they are among the arguments."""
    report = yield
    plan = collector.config.stash.get(PLAN, None)
    if plan is None or not isinstance(collector, pytest.Session) or not report.passed:
        return report
    if collector.config.stash[WANTED]:
        from pytest_wsgi.collection import list_files  # noqa: PLC0415 # only when asked for

        report.result.extend(list_files(collector, plan))
    return report


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect the targets of a file that is no Python module, when it is an argument."""
    plan = parent.config.stash.get(PLAN, None)
    if plan is None or file_path.suffix == ".py" or not parent.session.isinitpath(file_path):
        return None
    return collect_targets(parent, plan, file_path)


def pytest_pycollect_makemodule(
    module_path: Path, parent: pytest.Collector
) -> pytest.Collector | None:
    """Collect the targets of a module that is an argument; pytest would import it as a test."""
    plan = parent.config.stash.get(PLAN, None)
    if plan is None or not parent.session.isinitpath(module_path):
        return None
    return collect_targets(parent, plan, module_path)


def collect_targets(parent: pytest.Collector, plan: Plan, path: Path) -> pytest.Collector | None:
    """Return the node of a file that defines targets, or None."""
    from pytest_wsgi.collection import make_file  # noqa: PLC0415 # only when asked for

    return make_file(parent, plan, path)


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """Launch the target in a fresh process beside collecting, where that disturbs no tests."""
    config = session.config
    plan = config.stash.get(PLAN, None)
    if plan is not None and config.stash[WANTED] and is_alone(config):
        from pytest_wsgi.launching import launch_early  # noqa: PLC0415 # only when asked for

        launch_early(config, plan)


def is_alone(config: pytest.Config) -> bool:
    """Tell whether only conformance items are asked for, and no tests of the user's."""
    return bool(config.option.wsgi_only or config.getini("wsgi_only"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the user's own tests where only conformance items are asked for."""
    if GAUGE in config.stash:
        config.stash[GAUGE].note_start()
    if is_alone(config):
        own = [item for item in items if not hasattr(item, "wsgi_target")]
        items[:] = [item for item in items if hasattr(item, "wsgi_target")]
        config.hook.pytest_deselected(items=own)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Hang on a report what its item has to say: that crosses processes."""
    report: Any = yield
    label = getattr(item, "wsgi_target", None) or item.stash.get(TESTED, None)
    if label is not None:
        report.wsgi_target = label
        report.wsgi_tested = TESTED in item.stash
        report.wsgi_data, report.wsgi_advised = "", ""
        if report.sections and not report.wsgi_tested:
            clean = item.config.stash[PLAN].obtain_redactor(label).text
            report.sections = [(name, clean(text)) for name, text in report.sections]
        if call.when == "call":
            report.wsgi_data = getattr(item, "wsgi_data", "") or item.stash.get(DATA, "")
            report.wsgi_advised = getattr(item, "wsgi_advised", "")
            reason = getattr(item, "wsgi_skipped", "")
            if reason and report.passed:
                report.outcome = "skipped"
                report.longrepr = (str(item.path), 1, f"Skipped: {reason}")
    return report  # type: ignore[no-any-return] # it takes extras, and is a TestReport


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Judge what a user's test exchanged through `wsgi_client`, when it ends."""
    recorder = item.stash.get(RECORDER, None)
    if recorder is None:
        return (yield)
    try:
        yield
    except BaseException:
        failure = judge(item, recorder)
        if failure:
            item.add_report_section("call", "wsgi", failure)
        raise
    failure = judge(item, recorder)
    if failure:
        pytest.fail(failure, pytrace=False)
    return None


def judge(item: pytest.Item, recorder: Recorder) -> str:
    """Judge what a test exchanged, leave that with it, and return what fails it, or nothing."""
    from pytest_wsgi.client import judge_test  # noqa: PLC0415 # only when asked for

    judgement = judge_test(item, recorder, item.config.stash.get(PLAN, None))
    del item.stash[RECORDER]
    if judgement.label:
        item.stash[TESTED] = judgement.label
        item.stash[DATA] = judgement.data
    return judgement.failure


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the fresh processes that nobody awaits any more."""
    if PLAN in config.stash:
        for target in config.stash[PLAN].targets:
            target.examination.stop_launches()


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config
) -> None:
    """Say what is missing where conformance was expected and no target was named."""
    if PLAN in config.stash:
        return
    selected = "wsgi" in re.findall(r"\w+", config.option.markexpr)
    nothing = exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and (selected or is_alone(config))
    if nothing or config.option.wsgi_report:
        terminalreporter.write_line(
            "wsgi: no application was named. Try: pytest --wsgi-app mysite.wsgi.application",
            yellow=True,
        )


@pytest.fixture(scope="session")
def wsgi_app(request: pytest.FixtureRequest) -> Any:
    """Return the loaded application. A conftest.py may override this to build or wrap it."""
    try:  # a plugin that was registered before this one may define it as well
        return request.getfixturevalue("wsgi_app")
    except pytest.FixtureLookupError:
        pass
    plan = request.config.stash.get(PLAN, None)
    target = plan.first_application if plan is not None else None
    if target is None:
        pytest.fail(
            "No application was named, and no conftest.py defines the fixture wsgi_app.\n"
            "Try: pytest --wsgi-app mysite.wsgi.application",
            pytrace=False,
        )
    examination = target.examination
    problem = examination.obtain_subject().problem
    if problem is not None:
        pytest.fail(problem.message, pytrace=False)
    return examination.application


@pytest.fixture
def wsgi_client(request: pytest.FixtureRequest, wsgi_app: Any) -> Any:
    """Return a WebTest TestApp; what it exchanges is judged when the test ends."""
    from pytest_wsgi.client import ClientError, make_client  # noqa: PLC0415 # only when asked for
    from pytest_wsgi.option_values import OptionError  # noqa: PLC0415 # only when asked for
    from pytest_wsgi.recorder import Recorder  # noqa: PLC0415 # only when asked for

    config = request.config
    recorder = Recorder(wsgi_app)
    timeout = config.option.wsgi_timeout or config.getini("wsgi_timeout")
    try:
        client = make_client(recorder, config.stash.get(PLAN, None), timeout)
    except (ClientError, OptionError) as error:
        pytest.fail(str(error), pytrace=False)
    request.node.stash[RECORDER] = recorder
    return client
