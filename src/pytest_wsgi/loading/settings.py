"""Django's settings as their files say: where one is assigned, and one more line among them.

Files are read, and nothing is imported or written.
"""

from __future__ import annotations

import ast
import io
import tokenize
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_wsgi.loading import source
from pytest_wsgi.loading.modules import find_module

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

URLS = "ROOT_URLCONF"
APPLICATION = "WSGI_APPLICATION"


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a setting is assigned; `value` is its literal, None where it has none."""

    file: Path
    line: int
    value: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """A change to a file: all of it before and after, and the encoding of its text."""

    file: Path
    before: bytes
    after: bytes
    encoding: str


def find_setting(module: str, name: str, paths: Sequence[str]) -> Setting | None:
    """Return where `name` is assigned in the settings `module`, or in what that star-imports.

    `paths` is `search_path(...)`. None where no file that can be read assigns it.
    """
    return _find_setting(module, name, paths, set())


def add_application(file: Path, dotted: str) -> Edit | None:
    """Return the edit that adds `WSGI_APPLICATION = dotted` to a file that sets ROOT_URLCONF.

    The line comes where startproject has it: after TEMPLATES, where that follows ROOT_URLCONF, else
    after ROOT_URLCONF itself. Encoding and line endings are kept. None where the result would not
    be Python in the file's encoding. Raises OSError where the file cannot be read any more.
    """
    before = file.read_bytes()
    lines = before.splitlines(keepends=True)
    body = ast.parse(before).body
    at = _find_place(body)
    if [line.strip() for line in lines[at : at + 2]] == [b"", b""]:
        at += 1  # as startproject has it: with a blank line before
    quote = "'" if b"'" in lines[_find_urls(body).lineno - 1] else '"'
    text = f"{APPLICATION} = {quote}{dotted}{quote}"
    end = "\r\n" if lines[0].endswith(b"\r\n") else "\n"
    text = text + end if lines[at - 1].endswith((b"\n", b"\r")) else end + text
    encoding, _ = tokenize.detect_encoding(io.BytesIO(before).readline)
    try:
        lines.insert(at, text.encode(encoding.removesuffix("-sig")))
        ast.parse(after := b"".join(lines))
    except (SyntaxError, ValueError):
        return None
    return Edit(file=file, before=before, after=after, encoding=encoding)


def _find_setting(module: str, name: str, paths: Sequence[str], seen: set[str]) -> Setting | None:
    seen.add(module)
    found = find_module(module, paths)
    if found is None or found.rest or found.file is None:
        return None
    assigned, value = source.assigned_literal(found.file, name)
    if assigned:
        return Setting(found.file, source.binding_line(found.file, (name,)) or 1, value)
    for origin in _star_imported(module, found.file):
        setting = None if origin in seen else _find_setting(origin, name, paths, seen)
        if setting is not None:
            return setting
    return None


def _star_imported(module: str, file: Path) -> Iterator[str]:
    """Yield the full names of the modules that a module star-imports, the last one first."""
    parts = module.split(".")
    for level, name in reversed(source.star_imports(file)):
        base = parts[: len(parts) - level + (file.stem == "__init__")] if level else []
        yield ".".join([*base, *filter(None, [name])])


def _find_urls(body: list[ast.stmt]) -> ast.stmt:
    """Return the last statement of a module that assigns ROOT_URLCONF, be it in a block."""
    return next(node for node in reversed(body) if _assigns(node, URLS))


def _find_place(body: list[ast.stmt]) -> int:
    """Return the number of the line that the new one comes after."""
    index = body.index(_find_urls(body))
    rest = body[index + 1 :]
    if rest and _assigns(rest[0], "TEMPLATES"):
        index += 1
    while index + 1 < len(body) and body[index + 1].lineno == body[index].end_lineno:
        index += 1  # they share a line, with a semicolon between them
    return body[index].end_lineno or 1


def _assigns(node: ast.stmt, name: str) -> bool:
    names = (inner for inner in ast.walk(node) if isinstance(inner, ast.Name))
    return any(inner.id == name and isinstance(inner.ctx, ast.Store) for inner in names)
