"""Looks at the functions that mod_wsgi calls for HTTP authentication, where a module has them.

Django's page on apache-auth tells to export both from wsgi.py. What mod_wsgi makes of them is in
its guide on access control mechanisms.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from pytest_wsgi.launches import Handler

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NOBODY = "pytest-wsgi-nobody"
"""A user that no project has."""

_ENVIRON = {"REQUEST_METHOD": "GET", "REMOTE_ADDR": "127.0.0.1"}
_LATIN_1 = 0xFF


def check_handlers(module: object) -> Iterator[Handler]:
    """Yield what is to be said of each handler that `module` exports. Calls them for nobody."""
    yield from check_handler(
        module, "check_password", (dict(_ENVIRON), NOBODY, "a password"), judge_password
    )
    yield from check_handler(module, "groups_for_user", (dict(_ENVIRON), NOBODY), judge_groups)


def check_handler(
    module: object, name: str, arguments: tuple[Any, ...], judge: Callable[[Any], str]
) -> Iterator[Handler]:
    """Yield what is to be said of one handler, nothing where there is none."""
    function = getattr(module, name, None)
    if function is None:
        return
    fault = find_misfit(function, arguments)
    if fault:
        yield Handler(name=name, fault=fault)
        return
    try:
        fault = judge(function(*arguments))
    except (Exception, SystemExit) as error:  # noqa: BLE001 # the user's function may raise anything
        if is_of_database(error):
            yield Handler(name=name, undecided=f"its database raised {type(error).__name__}")
        else:
            yield Handler(name=name, fault=f"raised {type(error).__name__} for an unknown user")
        return
    yield Handler(name=name, fault=fault)


def find_misfit(function: Any, arguments: tuple[Any, ...]) -> str:
    """Return why a handler cannot be called as mod_wsgi does, or an empty text."""
    if not callable(function):
        return f"is a {type(function).__name__}, which cannot be called"
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return ""
    try:
        signature.bind(*arguments)
    except TypeError:
        names = ", ".join(("environ", "user", "password")[: len(arguments)])
        return f"has the signature {signature}, and is called with ({names})"
    return ""


def judge_password(answer: Any) -> str:
    """Return what is wrong with an answer of check_password for a user that there is not."""
    if answer is None or answer is False:
        return ""
    if answer is True or (isinstance(answer, str) and answer):
        return "lets a user in that does not exist"
    return f"returned {type(answer).__name__}; True, False or None is an answer"


def judge_groups(answer: Any) -> str:
    """Return what is wrong with an answer of groups_for_user for a user that there is not."""
    if isinstance(answer, str | bytes):
        return f"returned {type(answer).__name__}, not a list of names"
    try:
        names = list(answer)
    except TypeError:
        return f"returned {type(answer).__name__}, which is no iterable of names"
    for name in names:
        is_text = isinstance(name, str) and all(ord(mark) <= _LATIN_1 for mark in name)
        if not (is_text or isinstance(name, bytes)):
            return f"has {type(name).__name__} among its names; bytes or latin-1 text is one"
    return ""


def is_of_database(error: BaseException | None) -> bool:
    """Tell whether a database raised an error: one that is not there, or lacks tables."""
    if error is None:
        return False
    known = ("django.db", "sqlite3", "psycopg", "MySQLdb", "pymysql", "sqlalchemy.exc")
    kinds = type(error).__mro__
    return any(kind.__module__.startswith(known) for kind in kinds) or is_of_database(
        error.__cause__ or error.__context__
    )
