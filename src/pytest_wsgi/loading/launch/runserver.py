"""What Django's runserver would serve in place of the target, and whether it is the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_wsgi.launches import Runserver
from pytest_wsgi.loading.django import configured_settings
from pytest_wsgi.loading.launch.answers import compare
from pytest_wsgi.loading.launch.configuration import read_attribute

if TYPE_CHECKING:
    from pytest_wsgi.environ import Site


def look_at_runserver(
    target: Any, site: Site, dotted: str, *, has_manage: bool, built_in: bool
) -> Runserver | None:
    """Return what runserver serves beside `target`; None where there is no runserver.

    `dotted` is how the setting would name the target, empty where it cannot. With `built_in` the
    target is compared with Django's own handler, whatever WSGI_APPLICATION says.
    """
    settings = configured_settings()
    if settings is None or not read_attribute(settings, "ROOT_URLCONF"):
        return None
    setting = read_attribute(settings, "WSGI_APPLICATION")
    if setting is None and not has_manage:
        return None
    try:
        other = make_handler() if built_in else find_internal()
    except Exception as error:  # noqa: BLE001 # the module that the setting names may raise anything
        trouble = f"{type(error).__name__}: {error}".splitlines()[0]
        return Runserver(setting=show(setting), trouble=trouble, advice=advise(setting, dotted))
    if other is target:
        return Runserver(setting=show(setting), is_target=True)
    static = read_attribute(settings, "STATIC_URL") or ""
    count, difference = compare(target, other, site, static if len(str(static)) > 1 else "")
    return Runserver(
        setting=show(setting), built_in=built_in, compared=count, difference=difference
    )


def find_internal() -> Any:
    """Return what runserver serves: WSGI_APPLICATION, or Django's own handler where it is unset."""
    from django.core.servers.basehttp import (  # noqa: PLC0415 # Django is never needed, but used where it is
        get_internal_wsgi_application,
    )

    return get_internal_wsgi_application()


def make_handler() -> Any:
    """Return Django's own handler."""
    from django.core.wsgi import get_wsgi_application  # noqa: PLC0415 # as above

    return get_wsgi_application()


def show(setting: object) -> str | None:
    """Return the setting as text."""
    return None if setting is None else str(setting)


def advise(setting: object, dotted: str) -> str:
    """Return what to write instead, with the reason."""
    text = str(setting)
    if ":" in text:
        return f'Django wants dots, not a colon: WSGI_APPLICATION = "{text.replace(":", ".")}"'
    return f'WSGI_APPLICATION = "{dotted}"' if dotted else "name the application's module"
