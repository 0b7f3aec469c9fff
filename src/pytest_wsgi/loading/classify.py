"""What kind of object a target is, told from its signature: it is never called here.

An odd object is not refused: only what surely is no WSGI application gets another name.
"""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

ShapeKind = Literal[
    "wsgi", "unknown", "factory", "class", "asgi 3", "asgi 2", "async",
    "none", "text", "mapping", "module", "not callable", "arity", "keyword-only",
]  # fmt: skip

_FACTORY_NAME = re.compile(r"(create|make|build|get)_\w+|\w*factory")
_WSGI_NAMES = re.compile(r"_*(start_?response|start_resp|sr|environ)")


@dataclass(frozen=True, slots=True)
class Shape:
    """What an object looks like.

    `signature` is that of its call, empty where it has none; `names` are the parameters that can be
    positional; `example` is a call that fits, such as `(name='...')`. `accepts` tells that a call
    with two arguments succeeds, whatever comes of it.
    """

    kind: ShapeKind
    signature: str = ""
    names: tuple[str, ...] = ()
    example: str = ""
    accepts: bool = False

    @property
    def may_be_called(self) -> bool:
        """True unless this surely is no WSGI application."""
        return self.kind in ("wsgi", "unknown")


def classify(target: object) -> Shape:
    """Tell what `target` looks like. Never raises; "unknown" means: just try."""
    try:
        return _classify(target)
    except Exception:  # noqa: BLE001 - the target's own descriptors may raise anything: just try
        return Shape("unknown")


def is_surely_wsgi(target: object) -> bool:
    """Tell an application, by its parameters' names, from any function that takes two arguments."""
    shape = classify(target)
    if shape.kind != "wsgi" or isinstance(target, type):
        return False
    return any(_WSGI_NAMES.fullmatch(name) for name in shape.names[:2])


def makes_wsgi(target: object) -> bool:
    """Tell a class that is called without arguments, and whose instances are applications."""
    if not isinstance(target, type):
        return False
    call = next((vars(kind)["__call__"] for kind in target.__mro__ if "__call__" in vars(kind)), 0)
    constructor, signature = _signature(target), _signature(call) if callable(call) else None
    if constructor is None or signature is None or _is_async(call):
        return False
    names = _positional_names(signature)[1:3]
    is_wsgi = _accepts(signature, 3) and any(_WSGI_NAMES.fullmatch(name) for name in names)
    return is_wsgi and _accepts(constructor, 0)


def _classify(target: object) -> Shape:
    if callable(target):
        return _classify_class(target) if isinstance(target, type) else _classify_callable(target)
    plain: tuple[tuple[type | tuple[type, ...], ShapeKind], ...] = (
        (type(None), "none"),
        ((str, bytes), "text"),
        (dict, "mapping"),
        (ModuleType, "module"),
    )
    kinds = (kind for types, kind in plain if isinstance(target, types))
    return Shape(next(kinds, "not callable"))


def _classify_callable(target: Callable[..., object]) -> Shape:
    signature = _signature(target)
    if signature is None:
        return Shape("unknown")
    if _is_async(target):
        return _shape("asgi 3" if _accepts(signature, 3) else "async", signature)
    if _accepts(signature, 2):
        is_factory = _accepts(signature, 0) and _is_named_as_factory(target)
        return _shape("factory" if is_factory else "wsgi", signature)
    return _shape(_refused_kind(signature), signature)


def _refused_kind(signature: inspect.Signature) -> ShapeKind:
    """Name what cannot be called with two arguments."""
    names = _positional_names(signature)
    if names[:3] == ("scope", "receive", "send"):
        return "asgi 3"
    if names == ("scope",):
        return "asgi 2"
    if _has_required_keywords(signature):
        return "keyword-only"
    return "factory" if _accepts(signature, 0) else "arity"


def _classify_class(target: type) -> Shape:
    """Tell PEP 3333's AppClass, whose instances are the iterable, from a class named by mistake."""
    signature = _signature(target)
    if signature is None or type(target).__call__ is not type.__call__:
        return Shape("unknown")
    takes_scope = _positional_names(signature)[:1] == ("scope",)
    if takes_scope and inspect.iscoroutinefunction(vars(target).get("__call__")):
        return _shape("asgi 2", signature)
    is_iterable = hasattr(target, "__iter__") or hasattr(target, "__getitem__")
    makes_other = getattr(target, "__new__", None) is not object.__new__
    is_application = _accepts(signature, 2) and (is_iterable or makes_other)
    return _shape("wsgi" if is_application else "class", signature)


def _shape(kind: ShapeKind, signature: inspect.Signature) -> Shape:
    names, accepts = _positional_names(signature), _accepts(signature, 2)
    return Shape(kind, str(signature), names, _example(signature), accepts)


def _example(signature: inspect.Signature) -> str:
    """Return a call with a placeholder for every argument that must be given."""
    words = []
    for one in signature.parameters.values():
        if one.default is not inspect.Parameter.empty:
            continue
        if one.kind is inspect.Parameter.POSITIONAL_ONLY:
            words.append("'...'")
        elif one.kind not in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD):
            words.append(f"{one.name}='...'")
    return f"({', '.join(words)})"


def _signature(target: Callable[..., object]) -> inspect.Signature | None:
    """Return the signature of the call itself, not that of a function it was wrapped around."""
    try:
        return inspect.signature(target, follow_wrapped=False)
    except (ValueError, TypeError):
        return None


def _accepts(signature: inspect.Signature, count: int) -> bool:
    try:
        signature.bind(*[None] * count)
    except TypeError:
        return False
    return True


def _positional_names(signature: inspect.Signature) -> tuple[str, ...]:
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return tuple(one.name for one in signature.parameters.values() if one.kind in positional)


def _has_required_keywords(signature: inspect.Signature) -> bool:
    return any(
        one.kind is inspect.Parameter.KEYWORD_ONLY and one.default is inspect.Parameter.empty
        for one in signature.parameters.values()
    )


def _is_async(target: object) -> bool:
    method = inspect.getattr_static(type(target), "__call__", None)
    checks = (inspect.iscoroutinefunction, inspect.isasyncgenfunction)
    return any(check(function) for check in checks for function in (target, method))


def _is_named_as_factory(target: object) -> bool:
    return bool(_FACTORY_NAME.fullmatch(getattr(target, "__name__", "")))
