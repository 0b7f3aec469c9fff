"""Applications that a PasteDeploy ini file names. PasteDeploy is imported when used."""

from __future__ import annotations

import configparser
import warnings
from typing import TYPE_CHECKING, Any

from pytest_wsgi.loading.asked import MENDED, Asked, Corrected
from pytest_wsgi.loading.paths import find_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_KINDS = ("app", "application", "composite", "composit", "pipeline", "filter-app")


def paste_loader(asked: Asked) -> Callable[[], Any]:
    """Return what builds the application of an ini or `paste:` SPEC.

    Raises LoadError where PasteDeploy, the file or the section is missing. What is returned runs
    the user's code, and may raise anything.
    """
    loadapp = _import_loadapp(asked)
    spec = asked.spec
    if spec.kind == "paste":
        return lambda: loadapp(spec.target, relative_to=asked.paths[0])
    file = find_file(spec.target, asked.paths)
    if file is None:
        asked.refuse(
            "ini-missing",
            f"No file {spec.target}.",
            [f"looked in: {', '.join(asked.paths)}"],
        )
    _demand_section(asked, file)
    return lambda: loadapp(f"config:{file}", name=spec.section or None)


def _import_loadapp(asked: Asked) -> Callable[..., Any]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pkg_resources warns of itself
            from paste.deploy import loadapp  # noqa: PLC0415 - an extra, imported when used
    except ImportError as error:
        asked.refuse(
            "paste-not-installed",
            f"{asked.spec.text} needs PasteDeploy: {error}.",
            ["Install the extra: pip install 'pytest-wsgi[paste]'"],
            Corrected(when=MENDED),
        )
    return loadapp  # type: ignore[no-any-return]  # PasteDeploy ships no annotations


def _demand_section(asked: Asked, file: Path) -> None:
    """Refuse a name that no section of the file has; leave what cannot be read to PasteDeploy."""
    reader = configparser.RawConfigParser(strict=False)
    try:
        reader.read(file, encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError):
        return
    names = [
        section.partition(":")[2].strip() or "main"
        for section in reader.sections()
        if section.partition(":")[0].strip() in _KINDS
    ]
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
