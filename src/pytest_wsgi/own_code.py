"""Which files of a project are the user's own code, and which of their lines importing runs."""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass
from pathlib import Path

from pytest_wsgi.traces import is_own

_FOREIGN = frozenset({"site-packages", "dist-packages", "node_modules"})
"""Directories of what others wrote."""

_TESTS = frozenset({"test", "tests"})
"""Directories of tests and of what helps them."""

DEFAULT_PATTERNS = ("test_*.py", "*_test.py")
"""What pytest takes for test modules unless `python_files` says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnCode:
    """Tells which files are the user's own: below `root`, not installed, and no tests.

    `patterns` are names of test modules, `testpaths` directories of tests.
    """

    root: Path
    patterns: tuple[str, ...] = DEFAULT_PATTERNS
    testpaths: tuple[Path, ...] = ()

    def holds(self, file: Path) -> bool:
        """Tell whether a file, named absolutely, is the user's own code."""
        if not file.is_relative_to(self.root) or is_own(str(file)):
            return False
        parts = set(file.relative_to(self.root).parts[:-1])
        return not (parts & _FOREIGN or is_installed(file, self.root) or self.is_test(file, parts))

    def is_test(self, file: Path, parts: set[str]) -> bool:
        """Tell whether a file belongs to tests; `parts` are the directories that it lies in."""
        return bool(
            parts & _TESTS
            or file.name == "conftest.py"
            or any(file.match(pattern) for pattern in self.patterns)
            or any(file.is_relative_to(directory) for directory in self.testpaths)
        )


def is_installed(file: Path, root: Path) -> bool:
    """Tell whether a file lies in the environment that runs, where that is within the project."""
    prefix = Path(sys.prefix).resolve()
    return prefix != root and prefix.is_relative_to(root) and file.is_relative_to(prefix)


def list_imported(file: Path) -> frozenset[int]:
    """Return the lines of a file that importing it may run: those outside of every function.

    None of a file that cannot be read.
    """
    try:
        source = file.read_bytes()
        tree = ast.parse(source)
    except (OSError, SyntaxError, ValueError):
        return frozenset()
    inside: set[int] = set()
    left: list[ast.AST] = [tree]
    while left:
        for node in ast.iter_child_nodes(left.pop()):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                inside.update(range(find_start(node), (node.end_lineno or node.lineno) + 1))
            elif isinstance(node, ast.stmt | ast.ExceptHandler | ast.match_case):
                left.append(node)
    return frozenset(range(1, source.count(b"\n") + 2)) - inside


def find_start(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the first line of a function's body; the line after, where its head shares that."""
    first = node.body[0]
    decorators: list[ast.expr] = getattr(first, "decorator_list", [])
    return max(min([first.lineno, *(one.lineno for one in decorators)]), node.lineno + 1)
