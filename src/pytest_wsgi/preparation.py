"""Makes ready what a run needs before anything is collected; what cannot be read ends it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_wsgi.gathering import Gatherer
from pytest_wsgi.loading import SpecError
from pytest_wsgi.loading.asked import LoadError
from pytest_wsgi.option_values import OptionError, Options, refuse_places
from pytest_wsgi.options import is_strict, list_words, read_list, read_options
from pytest_wsgi.planning import Plan
from pytest_wsgi.selection import SelectionError

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from pytest_wsgi.rendering.files import ReportFile


class RefusedError(Exception):
    """What was asked for cannot be done; the message says why, and what to write instead."""


def make_plan(config: pytest.Config, options: dict[str, Any], *, wanted: bool) -> Plan:
    """Return the plan of the run; register what gathers its results, in one process.

    Raises RefusedError for what cannot be read.
    """
    directory = config.invocation_params.dir
    is_worker = hasattr(config, "workerinput")
    try:
        if not (is_worker or config.option.rootdir or config.option.inifilename):
            refuse_places(list_words(config), directory)
        plan = Plan(
            Options(**options), directory=directory, rootdir=config.rootpath, ini=config.inipath
        )
        if plan.targets and not is_worker:
            config.pluginmanager.register(make_gatherer(config, plan, wanted=wanted))
    except (OptionError, SelectionError, SpecError) as error:
        raise RefusedError(str(error)) from None
    return plan


def make_gatherer(config: pytest.Config, plan: Plan, *, wanted: bool) -> Gatherer:
    """Return the plugin object that gathers the results and writes the reports."""
    texts = read_list(config, "wsgi_report")
    files = read_files(texts, plan.directory) if texts else []
    return Gatherer(plan, files, strict=is_strict(config), wanted=wanted)


def read_files(texts: list[str], directory: Path) -> list[ReportFile]:
    """Return the files that reports are to be written to; raises RefusedError."""
    from pytest_wsgi.rendering.files import read_target  # noqa: PLC0415 # only when asked for
    from pytest_wsgi.rendering.formats import (  # noqa: PLC0415 # as above
        FormatError,
        MissingLibraryError,
    )

    try:
        return [read_target(text, directory) for text in texts]
    except FormatError as error:
        advice = "Try: pytest --wsgi-app mysite.wsgi.application --wsgi-report wsgi.json"
        raise RefusedError(f"--wsgi-report: {error}.\n{advice}") from None
    except MissingLibraryError as error:
        raise RefusedError(f"--wsgi-report: {error}") from None


def propose_file(config: pytest.Config) -> str:
    """Show or write the wsgi.py that is missing; return the SPEC of what was written, if it was.

    Raises RefusedError where it cannot be made.
    """
    from pytest_wsgi.tasks import show_file, write_file  # noqa: PLC0415 # only when asked for

    act = show_file if config.option.wsgi_propose == "show" else write_file
    options, _ = read_options(config)
    try:
        return act(options, config.invocation_params.dir, config.rootpath)
    except (LoadError, OptionError, SpecError) as error:
        raise RefusedError(str(error)) from None
