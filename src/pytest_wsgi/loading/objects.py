"""Messages for objects that are no WSGI application, and for factories that cannot be called."""

from __future__ import annotations

import re
import sys
import textwrap
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_wsgi.loading import source
from pytest_wsgi.loading.asked import AS_ASKED, MENDED, Asked, Corrected
from pytest_wsgi.loading.classify import is_surely_wsgi, makes_wsgi
from pytest_wsgi.loading.paths import relative
from pytest_wsgi.loading.problems import respell, servers_for
from pytest_wsgi.loading.suggestions import names_object
from pytest_wsgi.loading.symptoms import on_servers

if TYPE_CHECKING:
    from pytest_wsgi.exchange import Problem
    from pytest_wsgi.loading.classify import Shape, ShapeKind
    from pytest_wsgi.loading.locate import Location

_MOST_OF_SIGNATURE = 120
_MOST_NAMES = 3
_SERVED = ("module", "dotted", "file")
_VALUE = re.compile(r"=\s*([\w.]+)\s*(?:[#;]|$)")
_NAME_WSGI = (
    "Name the WSGI module (in Django the one that calls get_wsgi_application()),"
    " or wrap it in an adapter from ASGI to WSGI."
)

_SHAPES: dict[ShapeKind, tuple[str, str, str]] = {
    # kind: (id, what it is, what to do)
    "none": (
        "object-is-none",
        "is None",
        "Bind it to the application; the function that makes it may have forgotten its return.",
    ),
    "text": (
        "object-is-text",
        "is a {type}, not an application",
        "Bind it to the application itself, not to its name.",
    ),
    "mapping": (
        "object-is-mapping",
        "is a dict; if these are the applications of uWSGI, one must be named",
        "Bind one of them to a name in the module.",
    ),
    "module": ("object-is-module", "is a module", "Name the application in it."),
    "not callable": (
        "object-not-callable",
        "is a {type}, which cannot be called",
        "Bind it to the application.",
    ),
    "factory": (
        "object-is-factory",
        "is called without arguments, so it is a factory: its signature is {signature}",
        "Append '()' to use what it returns.",
    ),
    "class": (
        "object-is-class",
        "is a class, not an instance: its signature is {signature}",
        "Make an instance; only a class made with (environ, start_response) and iterable is one.",
    ),
    "asgi 3": (
        "object-is-asgi",
        "is an ASGI application: its signature is {signature}",
        _NAME_WSGI,
    ),
    "asgi 2": (
        "object-is-asgi",
        "is an ASGI 2 application: its signature is {signature}",
        _NAME_WSGI,
    ),
    "async": (
        "object-is-async",
        "is asynchronous, and no WSGI server awaits it: its signature is {signature}",
        "A WSGI application is a plain callable: write `def`, not `async def`.",
    ),
    "arity": (
        "object-arity",
        "cannot be called with (environ, start_response): its signature is {signature}",
        "Servers give it these two arguments, no more and no fewer.",
    ),
    "keyword-only": (
        "object-keyword-only",
        "demands keyword arguments, and servers pass none: its signature is {signature}",
        "Servers give it environ and start_response, by position: no `*` before them.",
    ),
}
_ALIASED: dict[ShapeKind, tuple[str, str]] = {
    # kind, where the module says `application = {value}`: (id, what it is)
    "factory": (
        "parentheses-missing",
        "is {value} itself, not what it returns: the parentheses are missing",
    ),
    "class": ("object-is-class", "is a class, not an instance: it is {value} itself"),
}
_HANDLER = ("django.core.handlers.wsgi", "WSGIHandler")
_HANDLER_CLASS = (
    "Make an instance by get_wsgi_application(), which sets Django up; WSGIHandler() does not."
)
_CALLED = "or have it called, which Gunicorn and uWSGI can do, but not mod_wsgi and runserver"


@dataclass(frozen=True, slots=True)
class _Alias:
    """Where a module says `name = value`, such as `application = get_wsgi_application`."""

    where: str
    name: str
    value: str


def not_application(asked: Asked, place: Location, target: object, shape: Shape) -> Problem:
    """Say why `target` cannot be a WSGI application."""
    alias = _alias(asked, place, shape)
    name, headline = _headline(asked, target, shape, alias)
    details = [on_servers(shape.kind, accepts=shape.accepts)] if _is_served(asked) else []
    if _is_handler_class(target):
        details.append(_HANDLER_CLASS)
        return asked.problem(name, headline, details, Corrected(when=MENDED))
    details += _advice(asked, shape, alias)
    others = _applications_beside(place) if shape.kind != "factory" else ()
    if makes_wsgi(target) and not asked.spec.call and place.attributes:
        shape = replace(shape, kind="factory")
        others = (f"{place.attributes[-1]}()", *others)
    others = others[:_MOST_NAMES]
    if others:
        details.append(f"did you mean: {', '.join(others)}")
    return asked.problem(name, headline, details, _correct(asked, place, shape, others))


def factory_arity(asked: Asked, shape: Shape, reason: str) -> Problem:
    """Say that the arguments of a SPEC's call do not fit the factory."""
    factory = f"{asked.spec.target}:{'.'.join(asked.spec.attributes)}"
    return asked.problem(
        "factory-arity",
        f"{factory} cannot be called like that: {reason}.",
        [f"Its signature is {_short(shape.signature)}."] if shape.signature else [],
        Corrected(factory + shape.example),
    )


def _headline(asked: Asked, target: object, shape: Shape, alias: _Alias | None) -> tuple[str, str]:
    """Return the problem's id, and the sentence that says what the object is."""
    name, what, _ = _SHAPES[shape.kind]
    if alias:
        name, what = _ALIASED[shape.kind]
    what = what.format(
        type=type(target).__name__,
        signature=_short(shape.signature),
        value=alias.value if alias else "",
    )
    subject = (
        f"What {asked.text} returned" if asked.spec.call else f"The object at {asked.spec.text}"
    )
    return name, f"{subject} {what}."


def _advice(asked: Asked, shape: Shape, alias: _Alias | None) -> list[str]:
    """Return what to do about the object itself."""
    if asked.spec.call and shape.kind == "none":
        return ["The factory forgot its return statement, or it is no factory."]
    if alias is None:
        advice = _SHAPES[shape.kind][2]
        return [advice] if advice else []
    call = shape.example
    lines = [f"add {call} in {alias.where}: {alias.name} = {alias.value}{call}"]
    if call == "()":
        lines.append(_CALLED)
    return lines


def _alias(asked: Asked, place: Location, shape: Shape) -> _Alias | None:
    """Find the line that binds a factory or a class, but does not call it."""
    if shape.kind not in _ALIASED or asked.spec.call or len(place.attributes) != 1:
        return None
    (name,) = place.attributes
    line = source.alias_line(place.file, name)
    if place.file is None or line is None:
        return None
    value = _VALUE.search(source.read_text(place.file).split("\n")[line - 1])
    return (
        _Alias(f"{relative(place.file, asked.rootdir)}:{line}", name, value[1]) if value else None
    )


def _is_served(asked: Asked) -> bool:
    """Tell a target that servers find too: not one of a fixture or of PasteDeploy."""
    return asked.spec.kind in _SERVED


def _is_handler_class(target: object) -> bool:
    return isinstance(target, type) and (target.__module__, target.__qualname__) == _HANDLER


def _correct(asked: Asked, place: Location, shape: Shape, others: tuple[str, ...]) -> Corrected:
    """Return what to try for a target that is not called yet, or has a better one beside it."""
    sibling = _wsgi_sibling(asked) if shape.kind in ("asgi 3", "asgi 2") else ""
    if sibling:
        return Corrected(sibling)
    names, call = others[:1], ""
    if shape.kind == "factory" or not others:
        if shape.kind not in ("factory", "class") or asked.spec.call or not place.attributes:
            return AS_ASKED
        names, call = place.attributes, shape.example
    servers = servers_for(place, names, call) if call in ("", "()") else ()
    return Corrected(respell(asked, place, names, call), others=servers)


def _applications_beside(place: Location) -> tuple[str, ...]:
    module = sys.modules.get(place.module)
    members = vars(module).items() if module else ()
    return tuple(name for name, value in members if name[:1] != "_" and is_surely_wsgi(value))


def _short(signature: str) -> str:
    return textwrap.shorten(signature, _MOST_OF_SIGNATURE, placeholder=" ...)")


def _wsgi_sibling(asked: Asked) -> str:
    """Return the SPEC of the module `wsgi` next to `asgi`, empty where there is none."""
    sibling = asked.spec.target.replace("asgi", "wsgi")
    if sibling == asked.spec.target or asked.spec.kind not in ("module", "dotted"):
        return ""
    is_there = names_object(sibling, asked.spec.attributes, asked.paths)
    return asked.spec.text.replace("asgi", "wsgi") if is_there else ""
