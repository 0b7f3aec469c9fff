"""The options as values: read strictly, and written back as words of a command."""

from __future__ import annotations

import os
import re
import shlex
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from pytest_wsgi.report.redaction import find_secrets

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

DEFAULT_SECONDS = "10"
DEFAULT_MODE = "check"

_VALUED = tuple(
    f"--wsgi-{name}"
    for name in (
        "app",
        "baseline",
        "env",
        "host",
        "layer",
        "middleware",
        "override",
        "path",
        "report",
        "timeout",
    )
)

_SECRET = re.compile(r"secret|passw|token|key|credential|auth|dsn", re.IGNORECASE)


class OptionError(Exception):
    """An option cannot be read; the message says what was given and what it takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options as given. `asked` holds pairs of origin and SPEC; `seconds` bound a request.

    `middleware` holds such pairs too, `layers` SPECs. `select`, `ignore` and `reading` are those of
    `selection.Selection`. `overrides` declare variables that configure the target. `proposed` tells
    that this run has written the wsgi.py. `baseline` names a file, or is empty. `reach` asks what
    is reached of the user's code, but for tests, whose modules and directories are `python_files`
    and `testpaths`.
    """

    asked: tuple[tuple[str, str], ...] = ()
    middleware: tuple[tuple[str, str], ...] = ()
    layers: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    proposed: bool = False
    host: str = ""
    unsafe: bool = False
    strict: bool = False
    seconds: str = DEFAULT_SECONDS
    baseline: str = ""
    baseline_mode: str = DEFAULT_MODE
    select: tuple[str, ...] = ()
    ignore: tuple[tuple[str, str], ...] = ()
    reading: str = ""
    reach: bool = False
    python_files: tuple[str, ...] = ()
    testpaths: tuple[str, ...] = ()


def list_words(options: Options, directory: Path) -> Iterator[str]:
    """Yield what differs from the defaults as words of a command, fit for a shell.

    `directory` is where the command runs; a value that is a place outside of it is joined with `=`.
    """
    given = (
        *(("--wsgi-app", text, shlex.quote(text)) for _, text in options.asked),
        *(("--wsgi-middleware", text, shlex.quote(text)) for _, text in options.middleware),
        *(("--wsgi-layer", text, shlex.quote(text)) for text in options.layers),
        *(("--wsgi-env", text, quote_pair(text)) for text in options.env),
        *(("--wsgi-override", text, quote_pair(text)) for text in options.overrides),
        *(("--wsgi-path", text, shlex.quote(text)) for text in options.paths),
        *(("--wsgi-host", text, shlex.quote(text)) for text in (options.host,)),
        *(("--wsgi-timeout", text, shlex.quote(text)) for text in (options.seconds,)),
        *(("--wsgi-reading", text, shlex.quote(text)) for text in (options.reading,)),
        *(("--wsgi-baseline", text, shlex.quote(text)) for text in (options.baseline,)),
    )
    for option, value, word in given:
        if value not in {"", DEFAULT_SECONDS}:
            yield f"{option}{'=' if is_outside(value, directory) else ' '}{word}"
    if options.unsafe:
        yield "--wsgi-unsafe"
    if options.strict:
        yield "--wsgi-strict"


def quote_pair(text: str) -> str:
    """Return NAME=VALUE fit for a shell; a value that may be secret is left to the shell."""
    name, value = read_pair(text)
    is_secret = any(find_secrets({name: value}))
    if name.isidentifier() and (is_secret or _SECRET.search(name) or "@" in value):
        return f'{name}="${name}"'
    return shlex.quote(f"{name}=..." if is_secret else text)


def refuse_places(words: Sequence[str], directory: Path) -> None:
    """Refuse values of our options that pytest would find rootdir by; raises OptionError.

    pytest finds rootdir, and with it the ini file, before it knows the options of plugins: it takes
    every word that names something that is there for an argument.
    """
    for option, value in pairwise(words):
        if option in _VALUED and is_outside(value, directory, is_made=option == "--wsgi-report"):
            raise OptionError(
                f"{option} {value}: pytest takes a word that names a file or directory for an "
                "argument, and would look for its ini file there. Join the two.\n"
                f"Try: pytest {option}={shlex.quote(value)}"
            )


def is_outside(value: str, directory: Path, *, is_made: bool = False) -> bool:
    """Tell whether a value names something outside of `directory` that is there, or `is_made`."""
    place = Path(os.path.normpath(directory / value.partition("::")[0]))
    try:
        return not place.is_relative_to(directory) and (is_made or place.exists())
    except (OSError, ValueError):  # too long, or a null byte
        return False


def read_pair(text: str, option: str = "--wsgi-env") -> tuple[str, str]:
    """Return name and value of NAME=VALUE."""
    name, equals, value = text.partition("=")
    if not equals or not name.strip() or "\0" in text:
        raise OptionError(
            f"{option} takes NAME=VALUE, but was given {text!r}.\n"
            "Try: pytest --wsgi-app mysite.wsgi.application "
            f"{option} DJANGO_SETTINGS_MODULE=mysite.settings"
        )
    return name.strip(), value


def read_seconds(text: str) -> float:
    """Return a positive number of seconds."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise OptionError(
            f"--wsgi-timeout takes a number of seconds above 0, but was given {text!r}.\n"
            "Try: pytest --wsgi-app mysite.wsgi.application --wsgi-timeout 30"
        )
    return seconds


def read_path(text: str) -> str:
    """Return a request path as PATH_INFO has it: decoded, its bytes as latin-1 text."""
    if not text.startswith("/") or any(mark in text for mark in "?# "):
        raise OptionError(
            f"--wsgi-path takes a path such as /about/, without query, but was given {text!r}.\n"
            "Try: pytest --wsgi-app mysite.wsgi.application --wsgi-path /about/"
        )
    return unquote_to_bytes(text).decode("latin-1")
