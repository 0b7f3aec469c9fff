"""Where targets are looked for: the search path and the directory of manage.py.

The working directory is never changed.
"""

from __future__ import annotations

import importlib
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Sequence

_NOT_PROJECTS = frozenset(
    {"node_modules", "site-packages", "__pycache__", "build", "dist", "venv", "env"}
)
_PROJECT_ROOT = (".git", "pyproject.toml", "setup.cfg")
_MOST_ABOVE = 3


def search_path(invocation_dir: Path, rootdir: Path) -> list[str]:
    """Return the directories to put on sys.path, as absolute names, none twice.

    They are the invocation directory, rootdir and the directory of manage.py: the nearest one
    upwards, which may lie a little above rootdir; else `src`; else the only directory below that
    has one.
    """
    directories = [invocation_dir.absolute(), rootdir.absolute()]
    manage = find_manage(*directories)
    if manage:
        directories.append(manage.parent)
    return list(dict.fromkeys(map(str, directories)))


def put_on_path(paths: Sequence[str]) -> None:
    """Put `paths` at the front of sys.path, in their order."""
    wanted = set(paths)
    sys.path[:] = [*paths, *(entry for entry in sys.path if entry not in wanted)]
    importlib.invalidate_caches()


def find_manage(invocation_dir: Path, rootdir: Path) -> Path | None:
    """Return the project's manage.py, None where there is none or more than one to choose from."""
    upwards = [directory / "manage.py" for directory in _upwards(invocation_dir, rootdir)]
    sources = [directory / "src" / "manage.py" for directory in (invocation_dir, rootdir)]
    for candidate in [*upwards, *sources]:
        if _is_file(candidate):
            return candidate
    below = _manage_below([invocation_dir, rootdir])
    return below[0] if len(below) == 1 else None


def subdirectories(directory: Path) -> list[Path]:
    """Return the directories in `directory` that may hold a project's code, in order of name."""
    try:
        entries = sorted(directory.iterdir())
    except OSError:
        return []
    return [entry for entry in entries if _may_hold_code(entry)]


def relative(file: str | os.PathLike[str], rootdir: Path) -> str:
    """Return `file` as shown to a person: relative to rootdir where it lies in it, with slashes."""
    path = Path(file)
    for inner, outer in ((path, rootdir), (path.resolve(), rootdir.resolve())):
        if inner.is_relative_to(outer):
            return inner.relative_to(outer).as_posix()
    return path.as_posix()


def find_file(name: str, paths: Iterable[str]) -> Path | None:
    """Return the first file `name` in one of `paths`, as an absolute path; None where none is."""
    return next((file for file in (Path(path, name) for path in paths) if _is_file(file)), None)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # too long, or a null byte
        return False


def _upwards(start: Path, rootdir: Path) -> list[Path]:
    if not start.is_relative_to(rootdir):
        return [start]
    inside = [one for one in (start, *start.parents) if one.is_relative_to(rootdir)]
    return [*inside, *_above(rootdir)]


def _above(rootdir: Path) -> list[Path]:
    """Return the few directories above rootdir that may still belong to the project.

    Without a configuration file rootdir is where pytest was started, be it deep in the project.
    """
    found: list[Path] = []
    for directory in (rootdir, *rootdir.parents)[: _MOST_ABOVE + 1]:
        if _is_foreign(directory):
            break
        found.append(directory)
        if any((directory / name).exists() for name in _PROJECT_ROOT):
            break
    return found[1:]


def _home() -> Path | None:
    try:
        return Path.home()
    except RuntimeError:  # a user without one
        return None


def _is_foreign(directory: Path) -> bool:
    """Tell a directory that is no project's: the home, the root, or one that all users share."""
    if directory == directory.parent or directory == _home():
        return True
    try:
        return bool(directory.stat().st_mode & stat.S_ISVTX)  # such as /tmp: anyone may write there
    except OSError:
        return True


def _manage_below(directories: Iterable[Path]) -> list[Path]:
    inner = (inner for directory in directories for inner in subdirectories(directory))
    found = (directory / "manage.py" for directory in inner)
    return list(dict.fromkeys(file for file in found if _is_file(file)))


def _may_hold_code(directory: Path) -> bool:
    if directory.name in _NOT_PROJECTS or directory.name.startswith("."):
        return False
    return directory.is_dir() and not (directory / "pyvenv.cfg").exists()
