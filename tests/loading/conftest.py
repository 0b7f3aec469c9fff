from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

import pytest

from pytest_wsgi.loading import command, django, load, locate, parse_spec, put_on_path, search_path

if TYPE_CHECKING:
    from pathlib import Path

SUBJECT = "def {name}(environ, start_response):\n    return []\n"

LOAD = """
import json, sys
from dataclasses import asdict
from pathlib import Path
from pytest_wsgi.loading import hosts, load, parse_spec, put_on_path, search_path
specs, env = json.loads(sys.argv[1])
root = Path.cwd()
paths = search_path(root, root)
put_on_path(paths)
for spec in specs:
    how = {"origin": "--wsgi-app", "env": env, "paths": paths, "rootdir": root}
    target, loading = load(parse_spec(spec), **how)
    print(json.dumps([target is not None, asdict(loading), hosts()]))
"""


WHAT_TO_DO = tuple(
    f"{words}: pytest "
    for words in ("Try", "When that is mended", "In a run of its own", "Name a WSGI application")
)


def checked(problem, asked):
    """Demand what holds for every problem: it ends with commands that can be typed.

    None of them is the command that failed.
    """
    lines = problem.message.splitlines()
    start = next(index for index, line in enumerate(lines) if line.startswith(WHAT_TO_DO))
    assert lines[start] != f"Try: {command.pytest_command(asked)}"
    assert all(line.startswith("  or ") for line in lines[start + 1 :])
    words = shlex.split(lines[start])
    parse_spec(words[words.index("--wsgi-app") + 1])
    assert not any(line.endswith(" ") for line in lines)
    assert "loading/" not in problem.message.replace("tests/loading", "")
    return problem


class Project:
    """Files in a directory, looked at as a user's project."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.invocation_dir = root

    def write(self, **files):
        """Write files: `pkg__wsgi="..."` is pkg/wsgi.py, `_init_` stands for __init__."""
        for name, text in files.items():
            self.write_file(name.replace("__", "/").replace("_init_", "__init__") + ".py", text)

    def write_file(self, name, text=""):
        """Write one file; return its path."""
        file = self.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text), encoding="utf-8")
        return file

    def subject(self, name, attribute="application"):
        """Write a module that binds a plain application."""
        return self.write_file(name, SUBJECT.format(name=attribute))

    @property
    def paths(self):
        """Return the search path."""
        return search_path(self.invocation_dir, self.root)

    def locate(self, text, env=None):
        """Locate a SPEC as collection does."""
        return locate(parse_spec(text), paths=self.paths, rootdir=self.root, env=env)

    def load(self, text, **env):
        """Load a SPEC in this process."""
        put_on_path(self.paths)
        spec = parse_spec(text)
        return load(spec, origin="--wsgi-app", env=env, paths=self.paths, rootdir=self.root)

    def problem(self, text, **env):
        """Load a SPEC that cannot be loaded; return why."""
        target, loading = self.load(text, **env)
        assert target is None
        return checked(loading.problem, text)

    def load_apart(self, *specs, env=None, setup="", environ=None):
        """Load in a process of its own: what Django needs."""
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("DJANGO", "COV"))}
        done = subprocess.run(
            [sys.executable, "-c", setup + LOAD, json.dumps([specs, env or {}])],
            cwd=self.root,
            env={**clean, **(environ or {})},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture
def project(tmp_path):
    """Give a project whose modules, paths and variables are gone when the test ends."""
    modules, path, environ = set(sys.modules), sys.path[:], dict(os.environ)
    yield Project(tmp_path)
    for name in set(sys.modules) - modules:
        file = getattr(sys.modules[name], "__file__", None) or ""
        if str(tmp_path) in file or (hasattr(sys.modules[name], "__path__") and not file):
            del sys.modules[name]
    sys.path[:] = path
    os.environ.clear()
    os.environ.update(environ)
    django._owners.clear()
