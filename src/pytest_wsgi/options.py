"""Reads what a run is asked for: the command line, the environment, the ini file.

Nothing here imports the harness; pytest's own objects are only read.
"""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest


_RUN_NOTHING = (
    *("help", "version", "collectonly", "setuponly", "setupplan", "markers", "showfixtures"),
    *("show_fixtures_per_test", "cacheshow"),
)
"""Options of pytest under which no test is run."""


def runs_tests(config: pytest.Config) -> bool:
    """Tell whether tests are run, and not only listed, say."""
    return not any(getattr(config.option, name, None) for name in _RUN_NOTHING)


def read_options(config: pytest.Config) -> tuple[dict[str, Any], bool]:
    """Return the fields of `planning.Options`, and whether the suite runs.

    It runs where it was asked for by hand; else only where no paths are given.
    """
    asked, by_hand = find_asked(config)
    proposed = getattr(config.option, "wsgi_proposed", "")
    if config.option.wsgi_propose:
        asked, by_hand = asked or [("--wsgi-propose", proposed or "django")], True
    middleware = find_middleware(config)
    by_hand = by_hand or bool(config.option.wsgi_middleware)
    options = {
        "asked": tuple(asked),
        "middleware": tuple(middleware),
        "layers": tuple(read_list(config, "wsgi_layer")),
        "env": tuple(read_list(config, "wsgi_env")),
        "overrides": tuple(read_list(config, "wsgi_override")),
        "paths": tuple(read_list(config, "wsgi_path")),
        "proposed": bool(proposed),
        "baseline": config.option.wsgi_baseline or config.getini("wsgi_baseline"),
        "baseline_mode": config.option.wsgi_baseline_mode or config.getini("wsgi_baseline_mode"),
        "host": config.option.wsgi_host or config.getini("wsgi_host"),
        "unsafe": config.option.wsgi_unsafe or config.getini("wsgi_unsafe"),
        "strict": is_strict(config),
        "seconds": config.option.wsgi_timeout or config.getini("wsgi_timeout"),
        "reach": measures_reach(config, config.option),
        "python_files": tuple(config.getini("python_files")),
        "testpaths": tuple(config.getini("testpaths")),
        **read_selection(config),
    }
    return options, by_hand or config.args_source is not config.ArgsSource.ARGS


def read_selection(config: pytest.Config) -> dict[str, Any]:
    """Return the fields of `selection.Selection`; addopts is a part of the ini file."""
    ini = "ini option wsgi_ignore"
    given: list[str] = config.option.wsgi_ignore or []
    added = sum(word.partition("=")[0] == "--wsgi-ignore" for word in config.getini("addopts"))
    return {
        "select": tuple(read_list(config, "wsgi_select")),
        "ignore": (
            *((ini, text) for text in config.getini("wsgi_ignore")),
            *(("addopts", text) for text in given[:added]),
            *(("--wsgi-ignore", text) for text in given[added:]),
        ),
        "reading": config.option.wsgi_reading or config.getini("wsgi_reading"),
    }


def find_asked(config: pytest.Config) -> tuple[list[tuple[str, str]], bool]:
    """Return origin and SPEC of every target, and whether they were written by hand.

    What is written by hand comes before the environment, and that before the ini file, of which
    addopts is a part. An empty SPEC by hand asks for none.
    """
    given: list[str] = config.option.wsgi_app or []
    written = count_added(config)
    by_hand = given[written:]
    variable = os.environ.get("PYTEST_WSGI_APP", "")
    if by_hand:
        return [("--wsgi-app", text) for text in by_hand if text], True
    if variable:
        return [("PYTEST_WSGI_APP", variable)], False
    if written:
        return [("addopts", text) for text in given if text], False
    return [("ini option wsgi_app", text) for text in config.getini("wsgi_app") if text], False


def find_middleware(config: pytest.Config) -> list[tuple[str, str]]:
    """Return origin and SPEC of every middleware, the outermost one first."""
    given: list[str] | None = config.option.wsgi_middleware
    origin = "ini option wsgi_middleware" if given is None else "--wsgi-middleware"
    return [(origin, text) for text in read_list(config, "wsgi_middleware") if text]


def count_added(config: pytest.Config) -> int:
    """Return how many of the SPECs come from addopts; pytest puts these before all others."""
    words = [*shlex.split(os.environ.get("PYTEST_ADDOPTS", "")), *config.getini("addopts")]
    return sum(word.partition("=")[0] == "--wsgi-app" for word in words)


def list_words(config: pytest.Config) -> list[str]:
    """Return the words of the command line."""
    return [str(word) for word in config.invocation_params.args]


def is_strict(config: pytest.Config) -> bool:
    """Tell whether broken SHOULDs fail too."""
    return bool(config.option.wsgi_strict or config.getini("wsgi_strict"))


def measures_reach(config: pytest.Config, told: Any) -> bool:
    """Tell whether --wsgi-reach is given, by what was told on the command line or the ini file."""
    return bool(told.wsgi_reach or config.getini("wsgi_reach"))


def read_list(config: pytest.Config, name: str) -> list[str]:
    """Return the values of an option that may be repeated, else those of its ini name."""
    given: list[str] | None = getattr(config.option, name)
    return given if given is not None else list(config.getini(name))
