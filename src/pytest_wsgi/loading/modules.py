"""Modules found without running them, and what is near a name that is not found."""

from __future__ import annotations

import difflib
import os
import sys
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_wsgi.loading.paths import subdirectories

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_DEPTH = 4
_MOST_FILES = 2000


@dataclass(frozen=True, slots=True)
class Found:
    """The longest importable prefix of a dotted name.

    `rest` is what is left of the name. `locations` are the directories of a package, None for a
    plain module. `file` is None for a namespace package and for what is not made from a file.
    """

    name: str
    file: Path | None
    locations: tuple[str, ...] | None
    rest: tuple[str, ...] = ()

    @property
    def is_namespace(self) -> bool:
        """A directory without `__init__.py`."""
        return self.locations is not None and self.file is None


def names_submodule(rest: tuple[str, ...]) -> bool:
    """Tell whether what follows a package in a dotted name is meant as a module in it."""
    return len(rest) > 1 or rest == ("wsgi",)


def find_module(dotted: str, paths: Sequence[str]) -> Found | None:
    """Find the longest importable prefix of `dotted` on `paths` and sys.path. Never raises.

    importlib.util.find_spec would run the `__init__` of every parent: the finders are asked
    directly, one step at a time.
    """
    parts = dotted.split(".")
    found: Found | None = None
    places: Sequence[str] = [*paths, *sys.path]
    for count, part in enumerate(parts, 1):
        step = _find_step(".".join(parts[:count]), part, places)
        if step is None:
            break
        found = Found(step.name, step.file, step.locations, tuple(parts[count:]))
        if step.locations is None:
            break
        places = step.locations
    return found


def dotted_name(file: Path, paths: Sequence[str]) -> tuple[str, Path]:
    """Return the name that imports `file` and the directory that must be on sys.path for it.

    The name is empty where the file lies in no package, and not directly in one of `paths` or of
    sys.path either; or where its name is no module's.
    """
    if file.suffix != ".py" or "." in file.stem:
        return "", file.parent
    parts = [] if file.stem == "__init__" else [file.stem]
    directory = file.parent
    while (directory / "__init__.py").is_file() and directory != directory.parent:
        parts.insert(0, directory.name)
        directory = directory.parent
    on_path = {os.path.realpath(entry) for entry in [*paths, *sys.path]}
    if len(parts) == 1 and os.path.realpath(directory) not in on_path:
        return "", directory
    return ".".join(parts), directory


def nearest_file(dotted: str, paths: Sequence[str]) -> tuple[Path, Path] | None:
    """Find a file for the module `dotted` in the directories below `paths`.

    Returns the file and the directory that would have to be on sys.path.
    """
    tail = dotted.split(".")
    for root, file in _python_files(paths):
        parts = _module_parts(file.relative_to(root))
        if len(parts) > len(tail) and parts[-len(tail) :] == tail:
            return file, root.joinpath(*parts[: -len(tail)])
    return None


def similar_modules(dotted: str, paths: Sequence[str]) -> list[str]:
    """Return the names of importable modules below `paths` that look like `dotted`, best first."""
    names = {".".join(_module_parts(file.relative_to(root))) for root, file in _python_files(paths)}
    return difflib.get_close_matches(dotted, sorted(names), n=3, cutoff=0.7)


def _find_step(dotted: str, part: str, places: Sequence[str]) -> Found | None:
    spec = _ask(PathFinder, part, places)
    if spec is None and dotted == part:
        others = (_ask(finder, part, None) for finder in sys.meta_path)
        spec = next((found for found in others if found is not None), None)
    if spec is not None:
        file = Path(spec.origin) if spec.has_location and spec.origin else None
        return Found(dotted, file, _locations(spec.submodule_search_locations))
    return _find_imported(dotted)


def _ask(finder: object, name: str, places: Sequence[str] | None) -> ModuleSpec | None:
    """Ask one finder for the last part of a name: namespace packages would want their parent."""
    try:
        found = finder.find_spec(name, places)  # type: ignore[attr-defined]  # a finder has it
    except Exception:  # noqa: BLE001 - finders are others' code; one that fails has found nothing
        return None
    return found if isinstance(found, ModuleSpec) else None


def _find_imported(dotted: str) -> Found | None:
    """Find a module that someone put in sys.modules by hand."""
    module = sys.modules.get(dotted)
    if module is None:
        return None
    file = getattr(module, "__file__", None)
    locations = _locations(getattr(module, "__path__", None))
    return Found(dotted, Path(file) if isinstance(file, str) else None, locations)


def _locations(entries: object) -> tuple[str, ...] | None:
    try:
        return None if entries is None else tuple(entries)  # type: ignore[arg-type]  # tried here
    except Exception:  # noqa: BLE001 - a namespace's path asks its parent, which may be gone
        return None


def _python_files(paths: Sequence[str]) -> Iterator[tuple[Path, Path]]:
    """Yield (root, file) for Python files below each of `paths`, nearest first, not too many."""
    count = 0
    for root in map(Path, paths):
        level = [root]
        for _ in range(_DEPTH):
            for file in (file for directory in level for file in sorted(directory.glob("*.py"))):
                count += 1
                if count > _MOST_FILES:
                    return
                yield root, file
            level = [inner for directory in level for inner in subdirectories(directory)]


def _module_parts(file: Path) -> list[str]:
    parts = list(file.with_suffix("").parts)
    return parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts
