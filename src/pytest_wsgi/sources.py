"""Shows the source of one program of the proof, with all of its module that it needs.

What is shown runs by itself.
"""

from __future__ import annotations

import ast
import inspect
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

_ENTRIES = frozenset({"breaks", "mends", "lawful"})
"""The decorators that enter a program into the proof, and are no part of it."""

_Defined = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement of a module: the names that it binds and uses, and its source.

    `kind` is "import", "definition" or "constant".
    """

    binds: frozenset[str]
    uses: frozenset[str]
    source: str
    kind: str


def show_source(made: object) -> str:
    """Return the source of a function or class, and of what it uses of its module.

    Its docstring is left out. There is no newline at the end.
    """
    name, module = made.__name__, sys.modules[made.__module__]  # type: ignore[attr-defined] # a function or class
    statements = list(read_statements(module, name))
    needed, found = {name}, set[int]()
    while True:
        new = {i for i, s in enumerate(statements) if s.binds & needed} - found
        if not new:
            break
        found |= new
        needed |= frozenset().union(*(statements[i].uses for i in new))
    return join_statements([statements[i] for i in sorted(found)])


def read_statements(module: ModuleType, shown: str) -> Iterator[Statement]:
    """Yield the statements of a module, and before them those of its neighbours that it imports.

    The definition called `shown` comes without its docstring.
    """
    text = inspect.getsource(module)
    lines = text.splitlines()
    for node in ast.parse(text).body:
        if isinstance(node, ast.ImportFrom) and node.level and node.module:
            yield from read_statements(sys.modules[f"{module.__package__}.{node.module}"], shown)
            continue
        if isinstance(node, ast.Expr) or is_not_shown(node):
            continue
        yield Statement(
            binds=frozenset(list_bound(node)),
            uses=frozenset(list_used(node)),
            source=cut_source(node, lines, shown),
            kind=name_kind(node),
        )


def name_kind(node: ast.stmt) -> str:
    """Return what kind of statement it is."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        return "import"
    return "definition" if isinstance(node, _Defined) else "constant"


def is_not_shown(node: ast.stmt) -> bool:
    """Tell whether a statement imports what no program needs to run by itself."""
    return isinstance(node, ast.ImportFrom) and (node.level > 0 or node.module == "__future__")


def list_bound(node: ast.stmt) -> Iterator[str]:
    """Yield the names that a statement binds in its module."""
    if isinstance(node, _Defined):
        yield node.name
    elif isinstance(node, ast.Import | ast.ImportFrom):
        for alias in node.names:
            yield alias.asname or alias.name.partition(".")[0]
    else:
        for part in ast.walk(node):
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                yield part.id


def list_used(node: ast.stmt) -> Iterator[str]:
    """Yield the names that a statement uses, but for what serves the proof."""
    marks = [mark for mark in getattr(node, "decorator_list", ()) if is_entry(mark)]
    skipped = {part for mark in marks for part in ast.walk(mark)}
    for part in ast.walk(node):
        if isinstance(part, ast.Name) and part not in skipped:
            yield part.id


def cut_source(node: ast.stmt, lines: list[str], shown: str) -> str:
    """Return the lines of a statement, without what only serves the proof."""
    first, end = node.lineno, node.end_lineno or node.lineno
    skipped: range = range(0)
    if isinstance(node, _Defined):
        kept = [mark for mark in node.decorator_list if not is_entry(mark)]
        first = min([first, *(mark.lineno for mark in kept)])
        if node.name == shown and ast.get_docstring(node) is not None:
            skipped = find_docstring(node.body[0], lines)
    numbers = [number for number in range(first, end + 1) if number not in skipped]
    return "\n".join(lines[number - 1] for number in numbers)


def find_docstring(docstring: ast.stmt, lines: list[str]) -> range:
    """Return the numbers of the lines of a docstring, with the blank ones that follow it."""
    after = (docstring.end_lineno or docstring.lineno) + 1
    while not lines[after - 1].strip():
        after += 1
    return range(docstring.lineno, after)


def is_entry(mark: ast.expr) -> bool:
    """Tell whether a decorator only enters the program into the proof."""
    return (
        isinstance(mark, ast.Call) and isinstance(mark.func, ast.Name) and mark.func.id in _ENTRIES
    )


def join_statements(statements: list[Statement]) -> str:
    """Return the statements with blank lines between imports, constants and definitions."""
    text, before = "", ""
    for statement in dict.fromkeys(statements):
        if before:
            apart = "definition" in {before, statement.kind}
            text += "\n\n\n" if apart else "\n" if before == statement.kind else "\n\n"
        text += statement.source
        before = statement.kind
    return text
