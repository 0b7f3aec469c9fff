"""What a source file says, read as text: nothing is imported or run.

Every function takes any file and never raises: a file that cannot be read says nothing.
"""

from __future__ import annotations

import ast
import re
import tokenize
import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_VARIABLE = "DJANGO_SETTINGS_MODULE"
_UNKNOWN = object()


def read_text(file: Path | None) -> str:
    """Return the text of a Python source file, empty where it cannot be read."""
    if file is None:
        return ""
    try:
        with tokenize.open(file) as stream:
            return stream.read()
    except (OSError, SyntaxError, ValueError):
        return ""


def binding_line(file: Path | None, names: tuple[str, ...]) -> int | None:
    """Return the line of the last statement that binds `names[0]`, then `names[1]` in its class.

    The line of the outermost name that is found; None where none is.
    """
    line = None
    body = _body(file)
    for name in names:
        bound = [node for node in _statements(body) if name in _bound_names(node)]
        if not bound:
            break
        line = bound[-1].lineno
        body = bound[-1].body if isinstance(bound[-1], ast.ClassDef) else []
    return line


def binds(file: Path | None, name: str) -> bool:
    """Tell whether a module binds `name` at its top level, as far as can be seen."""
    return binding_line(file, (name,)) is not None


def alias_line(file: Path | None, name: str) -> int | None:
    """Return the line of `name = other` where a module last binds `name` so, None otherwise."""
    bound = [node for node in _statements(_body(file)) if name in _bound_names(node)]
    last = bound[-1] if bound else None
    if isinstance(last, ast.Assign) and isinstance(last.value, ast.Name | ast.Attribute):
        return last.lineno
    return None


def may_bind(file: Path | None, name: str) -> bool:
    """Tell whether a module binds `name`, or may: by `from x import *` or a `__getattr__`."""
    return binds(file, name) or binds(file, "*") or binds(file, "__getattr__")


def settings_literal(file: Path | None) -> str:
    """Return the literal that a manage.py or wsgi.py sets DJANGO_SETTINGS_MODULE to, or empty."""
    for node in _walk(file):
        match node:
            case ast.Call(
                func=ast.Attribute(attr="setdefault"),
                args=[ast.Constant(value=name), ast.Constant(value=str(value))],
            ) if name == _VARIABLE:
                return value
            case ast.Assign(
                targets=[ast.Subscript(slice=ast.Constant(value=name))],
                value=ast.Constant(value=str(value)),
            ) if name == _VARIABLE:
                return value
    return ""


def assigned_literal(file: Path | None, name: str) -> tuple[bool, object]:
    """Return whether a module assigns `name` at its top level, and the last literal assigned.

    The second is None also where the value is not a literal.
    """
    value: object = _UNKNOWN
    for node in _statements(_body(file)):
        if isinstance(node, ast.Assign | ast.AnnAssign) and name in _bound_names(node):
            value = node.value.value if isinstance(node.value, ast.Constant) else None
    return value is not _UNKNOWN, None if value is _UNKNOWN else value


def star_imports(file: Path | None) -> list[tuple[int, str]]:
    """Return the modules of every `from x import *`: (leading dots, name), in order."""
    return [
        (node.level, node.module or "")
        for node in _statements(_body(file))
        if isinstance(node, ast.ImportFrom) and node.names[0].name == "*"
    ]


def mentions(file: Path | None, word: str) -> bool:
    """Tell whether `word` stands in the text of a file, as a word of its own."""
    return re.search(rf"\b{re.escape(word)}\b", read_text(file)) is not None


def _parse(file: Path | None) -> ast.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what the compiler warns of is the user's concern
            return ast.parse(read_text(file))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ast.Module(body=[], type_ignores=[])


def _body(file: Path | None) -> list[ast.stmt]:
    return _parse(file).body


def _walk(file: Path | None) -> Iterator[ast.AST]:
    return ast.walk(_parse(file))


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements that run at the level of `body`, in order: not those of functions."""
    for node in body:
        yield node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        for inner in ("body", "handlers", "orelse", "finalbody"):
            for child in getattr(node, inner, []):
                yield from _statements(child.body if inner == "handlers" else [child])


def _bound_names(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {alias.asname or alias.name.partition(".")[0] for alias in node.names}
    if isinstance(node, ast.Assign):
        return {name for target in node.targets for name in _target_names(target)}
    if isinstance(node, ast.AnnAssign) and node.value:
        return set(_target_names(node.target))
    return set()


def _target_names(target: ast.expr) -> Iterator[str]:
    for node in ast.walk(target):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
