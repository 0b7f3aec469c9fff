"""Messages for objects that are no WSGI application, and for factories that cannot be called."""

from __future__ import annotations

import sys
import textwrap
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_wsgi.loading import source
from pytest_wsgi.loading.asked import AS_ASKED, Asked, Corrected
from pytest_wsgi.loading.classify import is_surely_wsgi, makes_wsgi
from pytest_wsgi.loading.paths import relative
from pytest_wsgi.loading.problems import respell, servers_for
from pytest_wsgi.loading.suggestions import names_object

if TYPE_CHECKING:
    from pytest_wsgi.exchange import Problem
    from pytest_wsgi.loading.classify import Shape, ShapeKind
    from pytest_wsgi.loading.locate import Location

_MOST_OF_SIGNATURE = 120
_MOST_NAMES = 3

_SHAPES: dict[ShapeKind, tuple[str, str, str]] = {
    # kind: (id, what it is, what to do)
    "none": ("object-is-none", "is None", "Bind it to the application."),
    "text": ("object-is-text", "is a {type}, not an application", "Name the object itself."),
    "mapping": (
        "object-is-mapping",
        "is a dict; if these are the applications of uWSGI, one must be named",
        "Bind one of them to a name in the module.",
    ),
    "module": ("object-is-module", "is a module", "Name the application in it."),
    "not callable": ("object-not-callable", "is a {type}, which cannot be called", ""),
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
        "Name the WSGI module, or wrap it in an adapter from ASGI to WSGI.",
    ),
    "asgi 2": (
        "object-is-asgi",
        "is an ASGI 2 application: its signature is {signature}",
        "Name the WSGI module, or wrap it in an adapter from ASGI to WSGI.",
    ),
    "async": (
        "object-is-async",
        "is asynchronous, and no WSGI server awaits it: its signature is {signature}",
        "A WSGI application is a plain callable.",
    ),
    "arity": (
        "object-arity",
        "cannot be called with (environ, start_response): its signature is {signature}",
        "",
    ),
    "keyword-only": (
        "object-keyword-only",
        "demands keyword arguments, and servers pass none: its signature is {signature}",
        "",
    ),
}


def not_application(asked: Asked, place: Location, target: object, shape: Shape) -> Problem:
    """Say why `target` cannot be a WSGI application."""
    name, what, advice = _SHAPES[shape.kind]
    call = asked.spec.call
    subject = f"What {asked.text} returned" if call else f"The object at {asked.spec.text}"
    headline = (
        f"{subject} {what.format(type=type(target).__name__, signature=_short(shape.signature))}."
    )
    details = [advice] if advice else []
    if call and shape.kind == "none":
        details = ["The factory forgot its return statement, or it is no factory."]
    if shape.kind == "factory" and not call:
        details += _missing_parentheses(asked, place)
    others = _applications_beside(place) if shape.kind != "factory" else ()
    if makes_wsgi(target) and not call and place.attributes:
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


def _missing_parentheses(asked: Asked, place: Location) -> list[str]:
    """Say where a factory is bound but not called: `application = get_wsgi_application`."""
    name = place.attributes[0] if len(place.attributes) == 1 else ""
    line = source.alias_line(place.file, name)
    if place.file is None or line is None:
        return []
    return [f"or add () in {relative(place.file, asked.rootdir)}:{line}"]


def _short(signature: str) -> str:
    return textwrap.shorten(signature, _MOST_OF_SIGNATURE, placeholder=" ...)")


def _wsgi_sibling(asked: Asked) -> str:
    """Return the SPEC of the module `wsgi` next to `asgi`, empty where there is none."""
    sibling = asked.spec.target.replace("asgi", "wsgi")
    if sibling == asked.spec.target or asked.spec.kind not in ("module", "dotted"):
        return ""
    is_there = names_object(sibling, asked.spec.attributes, asked.paths)
    return asked.spec.text.replace("asgi", "wsgi") if is_there else ""
