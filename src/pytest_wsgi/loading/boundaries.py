"""Where an application keeps the applications that it calls, and what these are called."""

from __future__ import annotations

import inspect
import re
import types
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from pytest_wsgi.loading.classify import classify
from pytest_wsgi.loading.load import type_name
from pytest_wsgi.loading.paths import relative

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_MOST_LAYERS = 8
_LIBRARIES = re.compile(r".*/(?=(?:site|dist)-packages/)")
_START_RESPONSE = re.compile(r"_*(start_?resp\w*|start|sr)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Boundary:
    """Where `outer` keeps the application that it calls; `put` puts another one there."""

    outer: Any
    inner: Any
    put: Callable[[Any], object]


def find_boundaries(application: Any) -> Iterator[Boundary]:
    """Yield the boundaries below an application, the outermost first, and none twice."""
    waiting, seen, count = [application], {id(application)}, 0
    while waiting:
        outer = waiting.pop(0)
        for inner, put in find_inner(outer):
            if id(inner) in seen or count == _MOST_LAYERS:
                continue
            seen.add(id(inner))
            count += 1
            waiting.append(inner)
            yield Boundary(outer, inner, put)


def find_inner(outer: Any) -> Iterator[tuple[Any, Callable[[Any], object]]]:
    """Yield the applications that `outer` keeps, each with what puts another one in its place.

    It may keep them as attributes, also in a dict, in a closure, or as globals that it names.
    """
    if type_name(outer).startswith("django."):
        return  # its own chain of middleware does not speak WSGI
    if not is_function(outer):
        yield from find_in_attributes(outer)
    function = find_function(outer)
    if function is not None:
        yield from find_in_function(function, outer)


def find_in_attributes(outer: Any) -> Iterator[tuple[Any, Callable[[Any], object]]]:
    """Yield the applications among an object's attributes, and in dicts and lists that are such."""
    for name, value in list(getattr(outer, "__dict__", {}).items()):
        if is_application(value):
            yield value, partial(setattr, outer, name)
        elif type(value) is tuple:
            for index, one in enumerate(value):
                if is_application(one):
                    yield one, partial(put_in_tuple, outer, name, index)
        elif type(value) in (dict, list):
            pairs = value.items() if type(value) is dict else enumerate(value)
            for key, one in list(pairs):
                if is_application(one):
                    yield one, partial(value.__setitem__, key)


def put_in_tuple(outer: Any, name: str, index: int, value: Any) -> None:
    """Put another value into a tuple that an object has as an attribute."""
    before = getattr(outer, name)
    setattr(outer, name, (*before[:index], value, *before[index + 1 :]))


def find_in_function(
    function: types.FunctionType, outer: Any
) -> Iterator[tuple[Any, Callable[[Any], object]]]:
    """Yield the applications in a function's closure, and among the globals that it names."""
    for cell in function.__closure__ or ():
        value = read_cell(cell)
        if is_application(value):
            yield value, partial(setattr, cell, "cell_contents")
    for name in function.__code__.co_names:
        value = function.__globals__.get(name)
        if value is not outer and is_application(value):
            yield value, partial(function.__globals__.__setitem__, name)


def is_application(value: object) -> bool:
    """Tell an application by its second parameter: functions of (environ, other) are none."""
    names = classify(value).names[1:2]
    return is_wsgi(value) and any(_START_RESPONSE.fullmatch(name) for name in names)


def is_wsgi(value: object) -> bool:
    """Tell whether something is called as an application is, whatever its parameters' names."""
    return classify(value).kind == "wsgi" and not isinstance(value, type)


def is_function(target: Any) -> bool:
    """Tell a plain function or a method: what hangs on it is not what it calls."""
    return isinstance(target, types.FunctionType | types.MethodType)


def find_function(target: Any) -> types.FunctionType | None:
    """Return the function that runs when `target` is called, None where it is not Python's."""
    if isinstance(target, types.MethodType):
        target = target.__func__
    if not isinstance(target, types.FunctionType):
        target = inspect.getattr_static(type(target), "__call__", None)
    return target if isinstance(target, types.FunctionType) else None


def read_cell(cell: types.CellType) -> Any:
    """Return what a cell of a closure holds, None for an empty one."""
    try:
        return cell.cell_contents
    except ValueError:
        return None


def name_layer(target: Any, rootdir: Path) -> str:
    """Return the name of a layer with the place of its code: `mysite.Auth, mysite.py:12`."""
    return ", ".join(filter(None, (name_type(target), find_place(target, rootdir))))


def find_place(target: Any, rootdir: Path) -> str:
    """Return file and line of what runs when a layer is called; empty where it is not Python's.

    Of a library's file it is what follows the directory of all libraries, as on any machine.
    """
    function = find_function(target)
    if function is None:
        return ""
    code = function.__code__
    file = relative(code.co_filename, rootdir)
    return f"{_LIBRARIES.sub('', file)}:{code.co_firstlineno}"


def name_type(target: Any) -> str:
    """Return the dotted name of a function, or of an object's class."""
    if is_function(target):
        return f"{target.__module__}.{target.__qualname__}".replace(".<locals>", "")
    return type_name(target)
