"""pytest hooks and options, thin. Nothing of the harness is imported before it is asked for."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from pytest_wsgi.planning import Plan
    from pytest_wsgi.recorder import Recorder

PLAN: pytest.StashKey[Plan] = pytest.StashKey()
RECORDER: pytest.StashKey[Recorder] = pytest.StashKey()
WANTED = pytest.StashKey[bool]()
DATA = pytest.StashKey[str]()
"""What an item has to say to the report, as JSON text: it crosses processes."""

AREAS = (
    "app",
    "body",
    "close",
    "config",
    "environ",
    "errors",
    "exc",
    "filewrapper",
    "header",
    "input",
    "path",
    "start",
    "status",
    "thread",
    "unicode",
    "url",
    "write",
)
"""The parts of the PEP; each is a marker of its rules."""

_LISTS = {
    "app": ("SPEC", "the application: pkg.mod:attr, pkg.mod.attr, path.py, file.ini, django, auto"),
    "env": ("NAME=VALUE", "an environment variable, set before the application is imported"),
    "path": ("PATH", "one more request path"),
    "report": ("FILE", "write a report: .json or .md"),
}
_FLAGS = {
    "unsafe": "also send requests that may change state (POST and the like)",
    "strict": "broken SHOULDs fail too",
    "only": "run only conformance items",
}
_TEXTS = {
    "host": ("HOST", "", "the Host to ask for; default: found out"),
    "timeout": ("SECONDS", "10", "the most that one request may take; default: 10"),
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
        group.addoption(f"--wsgi-{name}", dest=f"wsgi_{name}", metavar=metavar, help=text)
        parser.addini(f"wsgi_{name}", text, type="string", default=default)


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers and, where a target is asked for, plan the run."""
    config.addinivalue_line("markers", "wsgi: a conformance item of pytest-wsgi")
    for name in ("must", "should", "convention"):
        config.addinivalue_line("markers", f"{name}: a conformance item of this level")
    for name in AREAS:
        config.addinivalue_line("markers", f"{name}: a conformance item of this part of PEP 3333")
    asked = find_asked(config)
    if asked:
        config.stash[PLAN] = make_plan(config, asked)


def find_asked(config: pytest.Config) -> list[tuple[str, str]]:
    """Return origin and SPEC of every target: command line before environment before ini."""
    given: list[str] | None = config.option.wsgi_app
    if given is not None:
        return [("--wsgi-app", text) for text in given if text]
    variable = os.environ.get("PYTEST_WSGI_APP", "")
    if variable:
        return [("PYTEST_WSGI_APP", variable)]
    return [("ini option wsgi_app", text) for text in config.getini("wsgi_app") if text]


def make_plan(config: pytest.Config, asked: list[tuple[str, str]]) -> Plan:
    """Return the plan of the run, and register what gathers its results."""
    from pytest_wsgi.gathering import Gatherer  # noqa: PLC0415 # only when asked for
    from pytest_wsgi.loading import SpecError  # noqa: PLC0415 # only when asked for
    from pytest_wsgi.planning import OptionError, Options, Plan  # noqa: PLC0415 # only when asked for
    from pytest_wsgi.rendering.files import (  # noqa: PLC0415 # only when asked for
        UnknownFormatError,
        find_suffix,
    )

    options = Options(
        asked=tuple(asked),
        env=tuple(read_list(config, "wsgi_env")),
        paths=tuple(read_list(config, "wsgi_path")),
        host=config.option.wsgi_host or config.getini("wsgi_host"),
        unsafe=config.option.wsgi_unsafe or config.getini("wsgi_unsafe"),
        strict=config.option.wsgi_strict or config.getini("wsgi_strict"),
        seconds=config.option.wsgi_timeout or config.getini("wsgi_timeout"),
    )
    directory = config.invocation_params.dir
    try:
        plan = Plan(options, directory=directory, rootdir=config.rootpath, ini=config.inipath)
        files = [directory / name for name in read_list(config, "wsgi_report")]
        for file in files:
            find_suffix(file)
    except (OptionError, SpecError, UnknownFormatError) as error:
        raise pytest.UsageError(str(error)) from None
    writes = not hasattr(config, "workerinput")
    config.pluginmanager.register(
        Gatherer(files, strict=options.strict, writes=writes), "wsgi-gatherer"
    )
    config.stash[WANTED] = is_wanted(config)
    return plan


def read_list(config: pytest.Config, name: str) -> list[str]:
    """Return the values of an option that may be repeated, else those of its ini name."""
    given: list[str] | None = getattr(config.option, name)
    return given if given is not None else list(config.getini(name))


def is_wanted(config: pytest.Config) -> bool:
    """Tell whether the suite runs: asked for by hand, or by default and no paths are given.

    A worker of pytest-xdist gets other arguments than those given, so its controller tells it.
    """
    if hasattr(config, "workerinput"):
        return bool(config.workerinput["wsgi_wanted"])
    by_hand = any(text.partition("=")[0] == "--wsgi-app" for text in config.invocation_params.args)
    return by_hand or config.args_source is not pytest.Config.ArgsSource.ARGS


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of pytest-xdist whether the suite runs."""
    node.workerinput["wsgi_wanted"] = node.config.stash.get(WANTED, False)


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


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the user's own tests where only conformance items are asked for."""
    if not (config.option.wsgi_only or config.getini("wsgi_only")):
        return
    own = [item for item in items if item.get_closest_marker("wsgi") is None]
    if own:
        config.hook.pytest_deselected(items=own)
        items[:] = [item for item in items if item not in own]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Hang on a report what its item has to say: that crosses processes."""
    report = yield
    if call.when == "call" and DATA in item.stash:
        report.wsgi = item.stash[DATA]  # type: ignore[attr-defined] # TestReport takes extras
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Judge what a user's test exchanged through `wsgi_client`, when it ends."""
    recorder = item.stash.get(RECORDER, None)
    if recorder is None:
        return (yield)
    from pytest_wsgi.collection import judge_test  # noqa: PLC0415 # only when asked for

    plan = item.config.stash.get(PLAN, None)
    try:
        yield
    except BaseException:
        item.add_report_section("call", "wsgi", judge_test(item, recorder, plan))
        raise
    broken = judge_test(item, recorder, plan)
    if broken:
        pytest.fail(broken, pytrace=False)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what is missing where conformance items were selected and no target was named."""
    config = terminalreporter.config
    if "wsgi" in config.option.markexpr.split() and PLAN not in config.stash:
        terminalreporter.write_line(
            "wsgi: no application was named. Try: pytest --wsgi-app mysite.wsgi.application -m wsgi"
        )


@pytest.fixture(scope="session")
def wsgi_app(request: pytest.FixtureRequest) -> Any:
    """Return the loaded application. A conftest.py may override this to build or wrap it."""
    plan = request.config.stash.get(PLAN, None)
    if plan is None:
        pytest.fail(
            "No application was named, and no conftest.py defines the fixture wsgi_app.\n"
            "Try: pytest --wsgi-app mysite.wsgi.application",
            pytrace=False,
        )
    examination = plan.targets[0].examination
    problem = examination.obtain_loading().problem
    if problem is not None:
        pytest.fail(problem.message, pytrace=False)
    return examination.application


@pytest.fixture
def wsgi_client(request: pytest.FixtureRequest, wsgi_app: Any) -> Any:
    """Return a WebTest TestApp; what it exchanges is judged when the test ends."""
    from pytest_wsgi.collection import make_client  # noqa: PLC0415 # only when asked for
    from pytest_wsgi.recorder import Recorder  # noqa: PLC0415 # only when asked for

    request.node.stash[RECORDER] = recorder = Recorder(wsgi_app)
    return make_client(recorder)
