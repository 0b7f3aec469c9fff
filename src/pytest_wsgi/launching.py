"""When targets are launched in fresh processes: beside their own items, or even before these."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_wsgi.loading.django import configured_settings, has_database
from pytest_wsgi.matter import needs_launches
from pytest_wsgi.options import runs_tests

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pytest

    from pytest_wsgi.planning import Plan, Target

_SELECTING = ("keyword", "markexpr", "deselect", "lf", "stepwise")
"""Options of pytest that may leave out items."""


def has_django(config: pytest.Config) -> bool:
    """Tell whether pytest-django is there."""
    return bool(config.pluginmanager.hasplugin("django"))


def has_django_database(config: pytest.Config) -> bool:
    """Tell whether pytest-django is there and has settings with a database.

    Its mark would skip our items without settings, and fail them without a database.
    """
    settings = configured_settings()
    return has_django(config) and settings is not None and has_database(settings)


def launch_early(config: pytest.Config, plan: Plan) -> None:
    """Launch the first application before its items are collected, where that changes nothing."""
    target = plan.first_application
    if target is None or not is_judged_here(config) or not runs_tests(config):
        return
    if has_django(config) and configured_settings() is None:
        return  # a test module may set Django up, and with it a database to be spared
    if plan.overrides:
        return  # what these change is compared with a launch that is not repeated
    if any(map(needs_launches, plan.choice.rules.values())):
        target.examination.start_launches(spare_database=has_django_database(config))


def is_judged_here(config: pytest.Config) -> bool:
    """Tell whether this process is sure to judge all items: none is left out, and none shared."""
    is_named = config.args_source is config.ArgsSource.ARGS
    is_selected = is_named or any(getattr(config.option, name, None) for name in _SELECTING)
    is_shared = config.pluginmanager.hasplugin("dsession") or hasattr(config, "workerinput")
    return not is_selected and not is_shared


def launch_for(items: Iterable[pytest.Item], plan: Plan, target: Target) -> None:
    """Launch a target, where some of its items is about what fresh processes tell."""
    rules, examination = plan.choice.rules, target.examination
    names = {item.name for item in items if getattr(item, "wsgi_target", "") == target.label}
    if any(needs_launches(rules[name]) for name in names & rules.keys()):
        examination.start_launches(spare_database=bool(examination.wishes.one_thread))
    else:
        examination.stop_launches("no item about it was selected")
