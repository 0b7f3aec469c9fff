"""Importing the user's modules and running the user's code, with every exception explained."""

from __future__ import annotations

import hashlib
import importlib
import os
import sys
from functools import partial
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from typing import TYPE_CHECKING, TypeVar

from pytest_wsgi.loading import failures, problems
from pytest_wsgi.loading.asked import Asked, LoadError
from pytest_wsgi.loading.modules import dotted_name
from pytest_wsgi.loading.paths import relative

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from types import ModuleType

    from pytest_wsgi.loading.locate import Location

T = TypeVar("T")


def run(action: Callable[[], T], asked: Asked, doing: str, default: str) -> T:
    """Run the user's code; what it raises becomes a LoadError, but the user's own interrupt."""
    try:
        return action()
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - SystemExit and the like are problems as well
        raise LoadError(failures.explain(asked, doing, error, default)) from None


def import_module(asked: Asked, place: Location, env: Mapping[str, str]) -> ModuleType:
    """Import the module of a SPEC by its name. Raises LoadError."""
    try:
        module = importlib.import_module(place.module)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - SystemExit and the like are problems as well
        if failures.is_missing(error, place.module):
            raise LoadError(problems.module_missing(asked, env)) from None
        doing = f"importing {place.module}"
        raise LoadError(failures.explain(asked, doing, error, "import-failed")) from None
    _demand_same_file(asked, place, module)
    return module


def import_file(asked: Asked, place: Location) -> ModuleType:
    """Import a file: under its dotted name where it has one, else under a name of its own.

    Raises LoadError.
    """
    file = place.file
    if file is None:
        raise LoadError(problems.file_missing(asked))
    name, directory = dotted_name(file, asked.paths)
    doing = f"importing {relative(file, asked.rootdir)}"
    if not name:
        return run(partial(_execute, file), asked, doing, "import-failed")
    if str(directory) not in sys.path and os.path.realpath(directory) not in sys.path:
        sys.path.insert(0, str(directory))
    module = run(partial(importlib.import_module, name), asked, doing, "import-failed")
    _demand_same_file(asked, place, module)
    return module


def _execute(file: Path) -> ModuleType:
    digest = hashlib.blake2b(str(file).encode(errors="surrogateescape"), digest_size=6).hexdigest()
    name = f"_pytest_wsgi_{digest}_{file.stem.replace('.', '_')}"
    if name in sys.modules:
        return sys.modules[name]
    loader = SourceFileLoader(name, str(file))
    spec = spec_from_file_location(name, file, loader=loader)
    module = module_from_spec(spec)  # type: ignore[arg-type]  # never None with a loader given
    sys.modules[name] = module
    try:
        loader.exec_module(module)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return module


def _demand_same_file(asked: Asked, place: Location, module: object) -> None:
    """Refuse a module that was imported before, under this name, from another file."""
    loaded = getattr(module, "__file__", None)
    if place.file is None or not isinstance(loaded, str):
        return
    if os.path.realpath(place.file) != os.path.realpath(loaded):
        raise LoadError(problems.found_twice(asked, place.module, place.file, loaded))
