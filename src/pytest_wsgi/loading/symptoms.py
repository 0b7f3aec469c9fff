"""How what cannot be served shows itself on servers: what a deployer would have seen.

All was measured: Gunicorn 27.0, uWSGI 2.0.31, mod_wsgi 6.1, and the runserver of Django 5.2, each
with a module of every kind.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

_HEAD = "on servers: "
_FAILS = "start{s}, and answer{s} 500 to every request"
_REFUSED = 'refuse{s} to start (exit code 4), and say{s} "Application object must be callable"'
_SILENT = 'say{s} "WSGI app 0 ready", and send{s} nothing back (nginx: 502)'
_NOT_LOADED = 'say{s} "no app loaded", and answer{s} 500 to every request'
_NOT_BOOTED = 'refuse{s} to start (exit code 3), and say{s} "Worker failed to boot"'
_ARGUMENTS = "TypeError: ... positional argument ..."


@dataclass(frozen=True, slots=True)
class _Symptoms:
    """What each server does: a verb ends in `{s}`, which is empty where several do the same.

    `log` is the error that they write down; `late`, the one where the call itself succeeds.
    """

    log: str = ""
    late: str = "TypeError: '...' object is not iterable"
    gunicorn: str = _FAILS
    mod_wsgi: str = _FAILS
    runserver: str = _FAILS
    uwsgi: str = _SILENT


def _refused(kind: str, says: str = _REFUSED, uwsgi: str = _SILENT) -> _Symptoms:
    """Return the symptoms of what cannot be called at all: Gunicorn looks, the others do not."""
    return _Symptoms(f"TypeError: '{kind}' object is not callable", gunicorn=says, uwsgi=uwsgi)


def _not_imported(runserver: str) -> _Symptoms:
    """Return the symptoms of a module of Django's that raises while it is imported."""
    return _Symptoms(gunicorn=_NOT_BOOTED, uwsgi=_NOT_LOADED, runserver=runserver)


_TABLE = {
    "factory": _Symptoms("TypeError: ... positional arguments but ... were given"),
    "class": _Symptoms(
        "TypeError: ... arguments ...",
        late="an error of its constructor, or TypeError: '...' object is not iterable",
    ),
    "asgi 3": _Symptoms("TypeError: ... missing 1 required positional argument: 'send'"),
    "asgi 2": _Symptoms(_ARGUMENTS),
    "async": _Symptoms(_ARGUMENTS, late="TypeError: 'coroutine' object is not iterable"),
    "arity": _Symptoms(_ARGUMENTS),
    "keyword-only": _Symptoms("TypeError: ... argument ..."),
    "none": _refused(
        "NoneType",
        'refuse{s} to start (exit code 4), and say{s} "Failed to find application object"',
    ),
    "text": _refused("str"),
    "module": _refused("module"),
    "not callable": _refused("..."),
    "mapping": _refused("dict", uwsgi=f"{_NOT_LOADED}, unless the keys are bytes"),
    "django before setup": _not_imported("work{s}, because manage.py has set Django up before"),
    "django in setup": _not_imported("fail{s} as well"),
}


def on_servers(kind: str, *, accepts: bool = False) -> str:
    """Return up to four lines that say how `kind` shows itself on servers.

    `kind` is that of a Shape, or one of Django's in the table; the empty string for any other.
    `accepts` tells that a call with two arguments succeeds, so that the error comes after it.
    """
    seen = _TABLE.get(kind)
    if seen is None:
        return ""
    servers = {
        "Gunicorn": seen.gunicorn,
        "mod_wsgi": seen.mod_wsgi,
        "runserver": seen.runserver,
        "uWSGI": seen.uwsgi,
    }
    grouped = groupby(servers.items(), key=lambda item: item[1])
    lines = [_sentence([name for name, _ in members], does) for does, members in grouped]
    if seen.log:
        lines.append(f"in the log: {seen.late if accepts else seen.log}")
    return _HEAD + f"\n{' ' * len(_HEAD)}".join(lines)


def _sentence(names: list[str], does: str) -> str:
    """Return `a, b and c do it`, or `a does it`."""
    *most, last = names
    subject = f"{', '.join(most)} and {last}" if most else last
    return f"{subject} {does.format(s='' if most else 's')}"
