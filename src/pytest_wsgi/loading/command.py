"""Command lines and settings as a user would type them."""

from __future__ import annotations

import shlex

APPLICATION = "--wsgi-app"
MIDDLEWARE = "--wsgi-middleware"
LAYER = "--wsgi-layer"


def pytest_command(spec: str, *options: str, option: str = APPLICATION) -> str:
    """Return the pytest command that gives a SPEC to `option`.

    `options` are further words, put before it.
    """
    return " ".join(["pytest", *map(_quoted, options), option, _quoted(spec)])


def server_commands(module: str, name: str, call: str = "") -> list[str]:
    """Return how gunicorn, uWSGI and mod_wsgi spell `module:name`; `call` is empty or `()`."""
    target = f"{module}:{name}{call}"
    lines = [f"gunicorn {_quoted(target)}", f"uwsgi --module {_quoted(target)}"]
    if not call and name != "application":
        lines.append(f"mod_wsgi: WSGICallableObject {name}")
    return lines


def _quoted(word: str) -> str:
    """Quote for a POSIX shell, with double quotes where that is easier to read."""
    if "'" in word and not set(word) & set('"$`\\!'):
        return f'"{word}"'
    return shlex.quote(word)
