"""Finds out what is secret in a run: variables, Django's settings, the `config` of an application.

All of it is only looked at as builtin values: nothing of the target is called.
"""

from __future__ import annotations

import os
from types import MethodType
from typing import TYPE_CHECKING, Any

from pytest_wsgi.loading.django import read_settings
from pytest_wsgi.report.redaction import make_redactor
from pytest_wsgi.snapshot import derives, has_instance_dict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_wsgi.report.redaction import Redactor


def watch_secrets(root: str, application: object = None, *more: Mapping[str, Any]) -> Redactor:
    """Return what takes out of a report what is secret now.

    `application` is the loaded one; `more` are variables that os.environ may not hold any more, and
    what else is known of the target. Paths are shown relative to `root`.
    """
    return make_redactor(os.environ, *more, read_settings(), read_config(application), root=root)


def read_config(application: Any) -> dict[str, Any]:
    """Return the dict that an application keeps as its `config`, as those of Flask do, or none.

    A bound method, such as `app.wsgi_app`, is one of what it is bound to.
    """
    if type(application) is MethodType:
        application = application.__self__
    if not has_instance_dict(type(application)):
        return {}
    config = object.__getattribute__(application, "__dict__").get("config")
    if not derives(type(config), dict):
        return {}
    # The hash of any other key may be the application's.
    return {name: item for name, item in dict.items(config) if type(name) is str}
