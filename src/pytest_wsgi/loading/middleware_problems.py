"""Messages for what is no WSGI middleware, and for one that cannot be put around an application."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any

from pytest_wsgi.loading.asked import AS_ASKED, MENDED, Asked, Corrected
from pytest_wsgi.loading.classify import classify
from pytest_wsgi.loading.command import APPLICATION, pytest_command
from pytest_wsgi.loading.middleware_ways import (
    Kind,
    can_be_called_empty,
    can_be_called_with_one,
    correct_call,
    explain_misfit,
    is_class,
    takes_application,
    tell_kind,
)
from pytest_wsgi.loading.problems import public_names, respell

if TYPE_CHECKING:
    from pytest_wsgi.exchange import Problem
    from pytest_wsgi.loading.locate import Location

IS_APPLICATION = "middleware-is-application"

PASTE = ("ini", "paste")
"""The kinds of SPEC that PasteDeploy reads: they name what makes a middleware."""

_MOST_OF_SIGNATURE = 120
_MOST_NAMES = 12
_WHAT_IT_IS = (
    "A middleware takes the application, and returns a callable that takes"
    " (environ, start_response)."
)


@dataclass(frozen=True, slots=True)
class Named:
    """What is to be given the application: the object of a SPEC, or what a factory returned.

    `text` shows how it was obtained: what was named, with the call where one was made.
    """

    target: Any
    text: str
    place: Location
    is_made: bool = False

    @property
    def subject(self) -> str:
        """The words for it in a sentence."""
        return f"What {self.text} returned" if self.is_made else f"The object at {self.text}"


def no_word(asked: Asked) -> Problem:
    """Say that `django`, `auto` and `fixture` name no middleware."""
    word = asked.spec.text
    return asked.problem(
        "middleware-word",
        f"The word {word!r} stands for an application, and for no middleware.",
        [_WHAT_IT_IS],
        Corrected(others=[pytest_command(word)]),
    )


def is_no_filter(asked: Asked) -> Problem:
    """Say that a URI of PasteDeploy names an application."""
    return asked.problem(
        IS_APPLICATION,
        f"{asked.spec.text} is an application, not a filter.",
        [_WHAT_IT_IS],
        Corrected(asked.spec.text, option=APPLICATION),
    )


def refusal(asked: Asked, named: Named) -> Problem | None:
    """Say why `named` surely is no WSGI middleware; None where it may be one."""
    if not callable(named.target):
        return _not_callable(asked, named)
    kind = tell_kind(named.target)
    if kind == "application":
        return _application(asked, named)
    if kind:
        return _of_another_world(asked, named.target, named.subject, kind)
    return None


def misfit(asked: Asked, named: Named, application: object) -> Problem:
    """Say that `named` cannot be called with the application and the arguments of the SPEC."""
    call = None if named.is_made else asked.spec.call
    if call is None and not is_class(named.target) and can_be_called_empty(named.target):
        return _factory(asked, named)
    reason = explain_misfit(named.target, application, call)
    return asked.problem(
        "middleware-arguments",
        f"{named.subject} cannot be given the application: {reason}.",
        [*_signature(named.target), _WHAT_IT_IS],
        _called(asked, named, is_factory=False),
    )


def bad_result(asked: Asked, named: Named, result: object, text: str) -> Problem:
    """Say why what a middleware returned is no WSGI application. `text` is the call of it."""
    subject, kind = f"What {text} returned", tell_kind(result)
    if kind in ("asgi", "django"):
        return _of_another_world(asked, result, subject, kind)
    if result is None:
        name, what = "middleware-returned-none", "is None: a return statement may be missing"
    elif not callable(result):
        name, what = "middleware-result-not-callable", f"is {_value(result)}: nothing to call"
    elif can_be_called_with_one(result) and not is_class(result):
        return _factory(asked, named)
    else:
        name, what = "middleware-result-arity", "cannot be called with (environ, start_response)"
    details = [*_signature(result), _WHAT_IT_IS]
    return asked.problem(name, f"{subject} {what}.", details, Corrected(when=MENDED))


def _not_callable(asked: Asked, named: Named) -> Problem:
    target = named.target
    if issubclass(type(target), ModuleType):
        return _module(asked, named, target)
    if named.is_made:
        is_none = target is None
        name = "middleware-returned-none" if is_none else "middleware-result-not-callable"
        what = "a return statement may be missing" if is_none else "nothing to call"
        headline = f"{named.subject} is {_value(target)}: {what}."
        return asked.problem(name, headline, [_WHAT_IT_IS], Corrected(when=MENDED))
    return asked.problem(
        "middleware-not-callable",
        f"{named.subject} is {_value(target)}: nothing to call.",
        [_WHAT_IT_IS],
    )


def _module(asked: Asked, named: Named, module: ModuleType) -> Problem:
    """Say that a SPEC ends at a module, and what in it takes an application."""
    members, names = vars(module), public_names(module)
    likely = [name for name in names if takes_application(members.get(name))]
    shown = f"did you mean: {', '.join(likely[:_MOST_NAMES])}"
    if not likely:
        shown = f"it has: {', '.join(names[:_MOST_NAMES]) or 'no public names'}"
    attributes = (*named.place.attributes, *likely[:1])
    return asked.problem(
        "middleware-not-named",
        f"{named.text} is a module: a middleware is a class or a function in one.",
        [shown],
        Corrected(respell(asked, named.place, attributes)) if likely else AS_ASKED,
    )


def _application(asked: Asked, named: Named) -> Problem:
    """Say that an application was named, or an instance of a middleware that has one already."""
    kind, is_filter = type(named.target), asked.spec.kind in PASTE
    if is_filter or not takes_application(kind):
        return asked.problem(
            IS_APPLICATION,
            f"{named.subject} is a WSGI application, not a middleware.",
            [*_signature(named.target), _WHAT_IT_IS],
            Corrected(when=MENDED) if is_filter else Corrected(asked.spec.text, option=APPLICATION),
        )
    call, others = correct_call(kind, None, is_factory=False), [pytest_command(asked.spec.text)]
    spec = f"{kind.__module__}:{kind.__qualname__}"
    return asked.problem(
        "middleware-is-instance",
        f"{named.subject} is an instance, which is an application: it can be given no other.",
        [f"Its class takes the application: {spec}{classify(kind).signature}."],
        Corrected("" if "<locals>" in spec else spec + call, others=others),
    )


def _of_another_world(asked: Asked, target: object, subject: str, kind: Kind) -> Problem:
    """Say that a middleware is one of ASGI, or of Django's."""
    if kind == "django":
        return asked.problem(
            "middleware-is-django",
            f"{subject} is a middleware of Django's, not one of WSGI.",
            [
                *_signature(target),
                "Django calls it with a request, never with an environ. Listed in the settings'",
                "MIDDLEWARE, it is judged as a part of the application:",
            ],
            Corrected("django", option=APPLICATION),
        )
    return asked.problem(
        "middleware-is-asgi",
        f"{subject} is of ASGI, which is not WSGI.",
        [*_signature(target), "A WSGI server calls (environ, start_response), and awaits nothing."],
    )


def _factory(asked: Asked, named: Named) -> Problem:
    return asked.problem(
        "middleware-is-factory",
        f"{named.subject} does not take the application: it seems to make a middleware.",
        [
            *_signature(named.target),
            "It is called with its arguments, and what it returns with the application.",
        ],
        _called(asked, named, is_factory=True),
    )


def _called(asked: Asked, named: Named, *, is_factory: bool) -> Corrected:
    """Return the SPEC with the arguments that are needed; where it has none, what was asked."""
    attributes = named.place.attributes
    if named.is_made or not attributes:
        return Corrected(when=MENDED)
    call = correct_call(named.target, asked.spec.call, is_factory=is_factory)
    return Corrected(respell(asked, named.place, attributes, call))


def _signature(target: object) -> list[str]:
    signature = classify(target).signature
    short = textwrap.shorten(signature, _MOST_OF_SIGNATURE, placeholder=" ...)")
    return [f"Its signature is {short}."] if signature else []


def _value(target: object) -> str:
    return "None" if target is None else f"a value of type {type(target).__name__}"
