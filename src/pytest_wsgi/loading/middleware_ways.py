"""How a middleware is given its application: told from signatures, nothing is called here.

No function raises, whatever the target's own descriptors do.
"""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pytest_wsgi.loading.classify import classify, is_surely_wsgi
from pytest_wsgi.loading.spec import Call

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Kind = Literal["application", "asgi", "django", ""]
"""What surely is no middleware of WSGI; empty for all else."""

_NAMES = ("app", "application", "wsgi_app", "wrapped", "next_app")
_CONFIGURATION = ("global_conf", "global_config")
_ASYNC = ("asgi 3", "asgi 2", "async")
_OURS = re.compile("^multiple values|passed as")
"""What Python says where it is the application that is given twice, or by name."""

_EMPTY = inspect.Parameter.empty
_VARIABLE = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


@dataclass(frozen=True, slots=True)
class Way:
    """One call of a middleware. `text` shows it, such as `(application, realm='x')`.

    A factory is called without the application: what it returns is given it.
    """

    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    text: str
    is_factory: bool = False


def list_ways(target: Any, application: object, call: Call | None, *, final: bool) -> list[Way]:
    """Return the calls that fit the signature of `target`, best first: two at most.

    `call` holds the arguments of the SPEC, None where it has none. `final` leaves factories out.
    """
    signature = _read_signature(target)
    direct = list(_direct_ways(signature, application, call or Call()))
    made = [] if final else list(_factory_ways(signature, call))
    if signature is None:
        return [*direct[:1], *made[:1]]
    wraps = [way for way in direct if _fits(signature, way, application)][:1]
    makes = [way for way in made if _fits(signature, way, application)][:1]
    is_function = not is_class(target)
    if wraps and is_function and _lands_on_option(signature, wraps[0], application):
        return [*makes, *wraps]
    return [*wraps, *makes]


def explain_misfit(target: Any, application: object, call: Call | None) -> str:
    """Return what is wrong with a call that is given the application, in Python's words."""
    signature = _read_signature(target)
    direct = list(_direct_ways(signature, application, call or Call()))
    ways = [*reversed(direct), *_factory_ways(signature, call)]
    reasons = [reason for way in ways if (reason := _misfit(signature, way))]
    usable = (reason for reason in reasons if not _OURS.search(reason))
    return next(usable, "nothing tells where the application goes")


def correct_call(target: Any, call: Call | None, *, is_factory: bool) -> str:
    """Return the arguments that a SPEC needs, such as `(realm='...')`, with those it has.

    Empty where none are needed, but for a factory: `()`.
    """
    signature, call = _read_signature(target), call or Call()
    asked = _list_parameters(signature)
    if not is_factory:
        asked = _leave_out_application(asked, dict(call.kwargs))
    positional = [one.name for one in asked if one.kind is not inspect.Parameter.KEYWORD_ONLY]
    given = {**dict(zip(positional, call.args, strict=False)), **dict(call.kwargs)}
    words = [_word(one, given) for one in asked if one.name in given or one.default is _EMPTY]
    return f"({', '.join(words)})" if words or is_factory else ""


def can_be_called_empty(target: object) -> bool:
    """Tell what may be called without arguments; False for what has no signature."""
    signature = _read_signature(target)
    return signature is not None and not _misfit(signature, Way((), {}, ""))


def can_be_called_with_one(target: object) -> bool:
    """Tell what may be called with one argument by position, and not with two."""
    signature = _read_signature(target)
    if signature is None or _misfit(signature, Way((None,), {}, "")):
        return False
    return bool(_misfit(signature, Way((None, None), {}, "")))


def takes_application(target: object) -> bool:
    """Tell what has a parameter for the application, by its name."""
    signature = _read_signature(target) if callable(target) else None
    return signature is not None and any(name in signature.parameters for name in _NAMES)


def is_class(target: object) -> bool:
    """Tell a class; isinstance would ask `__class__`, which a proxy may not be able to tell."""
    return issubclass(type(target), type)


def tell_kind(target: object) -> Kind:
    """Tell an application, and the middleware of other worlds, from all else."""
    shape = classify(target)
    if "get_response" in shape.names or shape.names == ("request",):
        return "django"
    if shape.kind in _ASYNC or shape.names == ("request", "call_next"):
        return "asgi"
    if not is_class(target):
        return "application" if is_surely_wsgi(target) else ""
    if _has_asgi_instances(target):
        return "asgi"
    return "application" if shape.names[:2] == ("environ", "start_response") else ""


def is_application(result: object) -> bool:
    """Tell whether a server can call what a middleware returned, as far as a signature tells."""
    shape = classify(result)
    return shape.may_be_called or (shape.kind == "factory" and shape.accepts)


def _read_signature(target: Any) -> inspect.Signature | None:
    try:
        return inspect.signature(target, follow_wrapped=False)
    except Exception:  # noqa: BLE001 - the target's own descriptors may raise anything: just try
        return None


def _direct_ways(
    signature: inspect.Signature | None, application: object, call: Call
) -> Iterator[Way]:
    """Yield calls with the application first, then as a keyword; whether they fit or not."""
    given, written = dict(call.kwargs), call.text[1:-1]
    for more in _configurations(signature, given):
        text = _join("application", written, *(f"{name}={{}}" for name in more))
        yield Way((application, *call.args), {**given, **more}, text)
    for name in _NAMES:
        if signature is None or name not in signature.parameters or name in given:
            continue
        for more in _configurations(signature, given):
            text = _join(written, f"{name}=application", *(f"{key}={{}}" for key in more))
            yield Way(call.args, {**given, name: application, **more}, text)


def _factory_ways(signature: inspect.Signature | None, call: Call | None) -> Iterator[Way]:
    """Yield calls without the application; none where a SPEC has no call, but for Paste's."""
    args, given = (call.args, dict(call.kwargs)) if call else ((), {})
    written = call.text[1:-1] if call else ""
    for more in _configurations(signature, given):
        if more or call is not None:
            text = _join(written, *(f"{name}={{}}" for name in more))
            yield Way(args, {**given, **more}, text, is_factory=True)


def _configurations(
    signature: inspect.Signature | None, given: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Return what to add to a call: PasteDeploy's configuration where it is required, nothing."""
    parameters = signature.parameters if signature else {}
    required = (
        name
        for name in _CONFIGURATION
        if name in parameters and name not in given and parameters[name].default is _EMPTY
    )
    return [*({name: {}} for name in required), {}]


def _join(*words: str) -> str:
    return f"({', '.join(word for word in words if word)})"


def _misfit(signature: inspect.Signature | None, way: Way) -> str:
    """Return why a call does not fit, empty where it does."""
    try:
        if signature:
            signature.bind(*way.args, **way.kwargs)
    except TypeError as error:
        return str(error)
    return ""


def _fits(signature: inspect.Signature, way: Way, application: object) -> bool:
    """Tell a call that fits, and gives the application to the parameter that is meant for it."""
    if _misfit(signature, way):
        return False
    named = [name for name in _NAMES if name in signature.parameters]
    if way.is_factory:
        bound = signature.bind(*way.args, **way.kwargs).arguments
        return not any(name in bound for name in named)
    landing = _landing(signature, way, application)
    return landing in named if named else landing not in _CONFIGURATION


def _landing(signature: inspect.Signature, way: Way, application: object) -> str:
    """Return the parameter that gets the application; empty where it is one of `*args`."""
    bound = signature.bind(*way.args, **way.kwargs).arguments
    return next((name for name, value in bound.items() if value is application), "")


def _lands_on_option(signature: inspect.Signature, way: Way, application: object) -> bool:
    """Tell whether the application falls on a parameter that need not be given at all."""
    name = _landing(signature, way, application)
    is_named = not name or name in _NAMES
    return not is_named and signature.parameters[name].default is not _EMPTY


def _list_parameters(signature: inspect.Signature | None) -> list[inspect.Parameter]:
    """Return the parameters that a SPEC can give: not those that PasteDeploy gives."""
    parameters = signature.parameters.values() if signature else ()
    return [
        one for one in parameters if one.kind not in _VARIABLE and one.name not in _CONFIGURATION
    ]


def _leave_out_application(
    parameters: list[inspect.Parameter], given: Mapping[str, object]
) -> list[inspect.Parameter]:
    """Leave out the parameter for the application: the one of such a name, else the first."""
    names = [one.name for one in parameters]
    ours = [name for name in _NAMES if name in names] or names
    return [one for one in parameters if one.name not in ours[:1] or one.name in given]


def _word(parameter: inspect.Parameter, given: Mapping[str, object]) -> str:
    value = repr(given.get(parameter.name, "..."))
    if parameter.kind is inspect.Parameter.POSITIONAL_ONLY:
        return value
    return f"{parameter.name}={value}"


def _has_asgi_instances(target: Any) -> bool:
    """Tell a class whose instances are called as ASGI does; the metaclass is not asked."""
    of_type = type.__getattribute__
    spaces = [of_type(kind, "__dict__") for kind in of_type(target, "__mro__")]
    shape = classify(next((space["__call__"] for space in spaces if "__call__" in space), None))
    return shape.kind in _ASYNC or shape.names[-3:] == ("scope", "receive", "send")
