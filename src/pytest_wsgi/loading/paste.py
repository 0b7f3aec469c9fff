"""What a PasteDeploy ini file or URI names. PasteDeploy is imported when used."""

from __future__ import annotations

import configparser
import warnings
from contextlib import suppress
from difflib import get_close_matches
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

from pytest_wsgi.loading.asked import MENDED, Asked, Corrected
from pytest_wsgi.loading.command import APPLICATION, pytest_command
from pytest_wsgi.loading.paths import find_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_FILTER_APP = "filter-app"
_KINDS = ("app", "application", "composite", "composit", "pipeline", _FILTER_APP)
_FILTERS = ("filter", _FILTER_APP)

IS_APPLICATION = object()
"""What the builder of `filter_loader` returns for a URI that names an application."""


def paste_loader(asked: Asked) -> Callable[[], Any]:
    """Return what builds the application of an ini or `paste:` SPEC.

    Raises LoadError where PasteDeploy, the file or the section is missing. What is returned runs
    the user's code, and may raise anything.
    """
    deploy = _import_deploy(asked)
    spec = asked.spec
    if spec.kind == "paste":
        return lambda: deploy.loadapp(spec.target, relative_to=asked.paths[0])
    file = _find_ini(asked)
    _demand_section(asked, file)
    return lambda: deploy.loadapp(f"config:{file}", name=spec.section or None)


def filter_loader(asked: Asked) -> Callable[[], Any]:
    """Return what builds the filter of an ini or `paste:` SPEC: it takes an application.

    Raises LoadError as `paste_loader` does, and where the section is an application. What is
    returned runs the user's code, and may raise anything.
    """
    deploy = _import_deploy(asked)
    spec = asked.spec
    if spec.kind == "paste":
        return partial(_build_filter, deploy, spec.target, asked.paths[0])
    file = _find_ini(asked)
    if _demand_filter(asked, file) == _FILTER_APP:
        return partial(_build_filter_app, deploy, f"config:{file}", spec.section or None)
    return lambda: deploy.loadfilter(f"config:{file}", name=spec.section or None)


def _import_deploy(asked: Asked) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pkg_resources warns of itself
            from paste.deploy import loadwsgi  # noqa: PLC0415 - an extra, imported when used
    except ImportError as error:
        asked.refuse(
            "paste-not-installed",
            f"{asked.spec.text} needs PasteDeploy: {error}.",
            ["Install the extra: pip install 'pytest-wsgi[paste]'"],
            Corrected(when=MENDED),
        )
    return loadwsgi


def _build_filter(deploy: Any, uri: str, directory: str) -> Any:
    try:
        context = deploy.loadcontext(deploy.FILTER, uri, relative_to=directory)
    except LookupError:
        with suppress(LookupError):
            deploy.loadcontext(deploy.APP, uri, relative_to=directory)
            return IS_APPLICATION
        raise
    return context.create()


def _build_filter_app(deploy: Any, uri: str, name: str | None) -> Any:
    """Return what [filter-app:NAME] puts around its `next`, to put it around another one."""
    context = deploy.loadcontext(deploy.APP, uri, name=name)
    filters = []
    while context.object_type is deploy.FILTER_WITH:
        filters.append(context.filter_context.create())
        context = context.next_context
    filters.append(context.filter_context.create())
    return partial(_wrap_in, tuple(reversed(filters)))


def _wrap_in(filters: tuple[Callable[[Any], Any], ...], application: Any) -> Any:
    for one in filters:
        application = one(application)
    return application


def _find_ini(asked: Asked) -> Path:
    file = find_file(asked.spec.target, asked.paths)
    if file is None:
        asked.refuse(
            "ini-missing",
            f"No file {asked.spec.target}.",
            [f"looked in: {', '.join(asked.paths)}"],
        )
    return file


def _read_sections(file: Path) -> list[tuple[str, str]] | None:
    """Return kind and name of every section; None where the file cannot be read."""
    reader = configparser.RawConfigParser(strict=False)
    try:
        reader.read(file, encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError):
        return None
    parts = (section.partition(":") for section in reader.sections())
    return [(kind.strip(), name.strip() or "main") for kind, _, name in parts]


def _demand_section(asked: Asked, file: Path) -> None:
    """Refuse a name that no section of the file has; leave what cannot be read to PasteDeploy."""
    sections = _read_sections(file)
    if sections is None:
        return
    names = [name for kind, name in sections if kind in _KINDS]
    wanted = asked.spec.section or "main"
    if wanted in names:
        return
    spec = f"{asked.spec.target}#{names[0]}" if names else ""
    asked.refuse(
        "ini-section-missing",
        f"{asked.spec.target} has no section [app:{wanted}].",
        [f"it has: {', '.join(names) or 'no application at all'}"],
        Corrected(spec),
    )


def _demand_filter(asked: Asked, file: Path) -> str:
    """Return the kind of the section that was asked for, empty where the file cannot be read.

    Raises LoadError where it is no filter.
    """
    sections = _read_sections(file)
    if sections is None:
        return ""
    wanted = asked.spec.section or "main"
    kinds = [kind for kind, name in sections if name == wanted]
    found = next((kind for kind in _FILTERS if kind in kinds), "")
    if not found:
        names = [name for kind, name in sections if kind in _FILTERS]
        kind = next((kind for kind in _KINDS if kind in kinds), "")
        _refuse_section(asked, names, f"{kind}:{wanted}" if kind else "")
    return found


def _refuse_section(asked: Asked, names: list[str], application: str) -> NoReturn:
    """Say that a section is an application, or is not there; `names` are the filters."""
    file, wanted = asked.spec.target, asked.spec.section or "main"
    near = next(iter(get_close_matches(wanted, names) or names), "")
    spec = f"{file}#{near}" if near else ""
    details = [f"it has the filters: {', '.join(names)}" if names else "it has no filter at all"]
    if not application:
        headline = f"{file} has no section [filter:{wanted}]."
        asked.refuse("ini-section-missing", headline, details, Corrected(spec))
    corrected = Corrected(asked.spec.text, option=APPLICATION)
    if spec:
        corrected = Corrected(spec, others=[pytest_command(asked.spec.text)])
    headline = f"[{application}] of {file} is an application, not a filter."
    asked.refuse("middleware-is-application", headline, details, corrected)
