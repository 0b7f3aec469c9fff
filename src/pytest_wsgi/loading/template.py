"""The wsgi.py that the startproject of the installed Django makes.

Of Django only the number of its version is asked, and nothing of the project's is imported.
"""

from __future__ import annotations

import importlib
from importlib.util import find_spec
from pathlib import Path

_TEMPLATE = "conf/project_template/project_name/wsgi.py-tpl"


class TemplateError(Exception):
    """The template cannot be had or filled in; the message says why, in one sentence."""


def fill_template(settings: str, package: str) -> tuple[str, str]:
    """Return the text of wsgi.py, and the series of Django that it is from, such as `5.2`.

    `settings` is the name of the settings module, `package` that of the project. Raises
    TemplateError.
    """
    text = _read_template()
    series = _read_series()
    text = text.replace("{{ project_name }}.settings", settings)
    text = text.replace("{{ project_name }}", package).replace("{{ docs_version }}", series)
    if "{{" in text or "{%" in text:
        raise TemplateError(f"The template of Django {series} asks for more than is known here.")
    return text, series


def _read_template() -> str:
    spec = find_spec("django")
    if spec is None:
        raise TemplateError("Django is not installed in the environment that runs pytest.")
    for directory in spec.submodule_search_locations or ():
        file = Path(directory, _TEMPLATE)
        if file.is_file():
            return file.read_text(encoding="utf-8")
    raise TemplateError("The Django that is installed has no project template.")


def _read_series() -> str:
    try:
        series: str = importlib.import_module("django.utils.version").get_docs_version()
    except Exception as error:
        raise TemplateError(f"The Django that is installed cannot be imported: {error}.") from error
    return series
