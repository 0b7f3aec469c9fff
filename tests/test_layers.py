"""The laws of the house that import-linter cannot hold; its contracts are in pyproject.toml."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import pytest_wsgi
import wsgiref_validate_wrappers

PACKAGE = Path(pytest_wsgi.__file__).parent
WRAPPERS = Path(wsgiref_validate_wrappers.__file__).parent


def list_imports(file):
    """Yield the modules that a file imports at run time."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    skipped = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            skipped.update(ast.walk(node))
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def test_only_plugin_and_collection_import_pytest():
    importers = {
        str(file.relative_to(PACKAGE))
        for file in PACKAGE.rglob("*.py")
        if any(name.split(".")[0] in {"pytest", "_pytest"} for name in list_imports(file))
    }
    assert importers == {"plugin.py", "collection.py"}


def test_nobody_imports_private_pytest():
    for file in PACKAGE.rglob("*.py"):
        assert not [name for name in list_imports(file) if name.startswith("_pytest")]


def test_wrappers_need_only_the_standard_library():
    allowed = set(sys.stdlib_module_names) | {"wsgiref_validate_wrappers"}
    for file in WRAPPERS.rglob("*.py"):
        assert {name.split(".")[0] for name in list_imports(file)} <= allowed


@pytest.mark.parametrize("name", ["eval", "exec"])
def test_nothing_is_evaluated(name):
    for file in [*PACKAGE.rglob("*.py"), *WRAPPERS.rglob("*.py")]:
        calls = [
            node
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == name
        ]
        assert calls == [], file


def test_rules_import_nothing_but_the_catalogue_and_below():
    allowed = {
        "pytest_wsgi.catalogue",
        "pytest_wsgi.exchange",
        "pytest_wsgi.launches",
        "pytest_wsgi.requirements",
        "pytest_wsgi.rules",
        "pytest_wsgi.sandwich",
        "pytest_wsgi.showing",
    }
    for file in (PACKAGE / "rules").glob("*.py"):
        own = {name for name in list_imports(file) if name.startswith("pytest_wsgi")}
        assert {".".join(name.split(".")[:2]) for name in own} <= allowed, file


def test_importing_the_plugin_imports_no_sibling():
    code = (
        "import pytest, sys; before = set(sys.modules); import pytest_wsgi.plugin; "
        "print(sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['pytest_wsgi', 'pytest_wsgi.plugin']"
