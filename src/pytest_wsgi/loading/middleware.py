"""From a SPEC to a middleware around an application of ours, or to a stack of them."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from pytest_wsgi.exchange import Loading
from pytest_wsgi.loading import django, middleware_problems, source
from pytest_wsgi.loading.asked import Asked, LoadError
from pytest_wsgi.loading.choice import settle
from pytest_wsgi.loading.command import MIDDLEWARE
from pytest_wsgi.loading.importing import import_file, import_module, run
from pytest_wsgi.loading.load import resolve, type_name
from pytest_wsgi.loading.locate import Location, locate_settled
from pytest_wsgi.loading.middleware_problems import PASTE, Named
from pytest_wsgi.loading.middleware_ways import is_application, list_ways
from pytest_wsgi.loading.paste import IS_APPLICATION, filter_loader
from pytest_wsgi.loading.paths import relative

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pytest_wsgi.loading.middleware_ways import Way
    from pytest_wsgi.loading.spec import Call, Spec

_WORDS = ("django", "auto", "fixture")
_SEPARATOR = " > "


@dataclass(frozen=True, slots=True)
class _Wrapped:
    """What a middleware made of an application, and the call that did it, as text."""

    result: object
    text: str


def load_middleware(  # noqa: PLR0913 - the parts of a load have names of their own
    spec: Spec,
    application: Any,
    *,
    origin: str,
    env: Mapping[str, str],
    paths: Sequence[str],
    rootdir: Path,
) -> tuple[object | None, Loading]:
    """Import the middleware that `spec` names, and put it around `application`.

    `origin` says where the SPEC came from, such as `--wsgi-middleware`. `env` is put into
    os.environ before. `paths` is `search_path(...)`, on sys.path already (`put_on_path`). Returns
    the wrapped application and how it was loaded; (None, a Loading with its problem) for every
    mistake of the user's and every exception of the target's but KeyboardInterrupt, which passes.
    """
    asked = Asked(spec.text, origin, spec, tuple(paths), rootdir, MIDDLEWARE)
    with django.without_owner():
        before = django.look_before()
        result, loading = _load(asked, application, env)
        django.remember(loading.file or asked.text, before)
    return result, loading


def load_stack(  # noqa: PLR0913 - as load_middleware
    specs: Sequence[Spec],
    application: Any,
    *,
    origin: str,
    env: Mapping[str, str],
    paths: Sequence[str],
    rootdir: Path,
) -> tuple[object | None, Loading]:
    """Put several middlewares around `application`, the first of `specs` outermost.

    There is one at least. Arguments and results are those of `load_middleware`; the Loading is
    that of the outermost one with the texts of all, or that of the first one that failed. The
    innermost one is loaded first.
    """
    result: object | None = application
    called: list[str] = []
    for spec in reversed(specs):
        result, loading = load_middleware(
            spec, result, origin=origin, env=env, paths=paths, rootdir=rootdir
        )
        if loading.problem:
            break
        called.insert(0, loading.facts["called"])
    else:
        layers = {f"layer {number}": text for number, text in enumerate(called, 1)}
        loading = replace(loading, facts={"object": loading.object_type, **layers})
    text = _SEPARATOR.join(spec.text for spec in specs)
    return result, replace(loading, spec=text, label="stack")


def _load(asked: Asked, application: Any, env: Mapping[str, str]) -> tuple[object | None, Loading]:
    place = Location(file=None, label=asked.spec.label or asked.spec.kind)
    try:
        asked = _settle(asked, env)
        place = locate_settled(asked)
        is_filter = asked.spec.kind in PASTE
        named = Named(_obtain(asked, place, env), _name(asked), place, is_made=is_filter)
        wrapped = _wrap(asked, named, application, asked.spec.call)
    except LoadError as error:
        return None, replace(_outline(asked, place), problem=error.problem)
    return wrapped.result, _describe(asked, named, wrapped, application)


def _settle(asked: Asked, env: Mapping[str, str]) -> Asked:
    if asked.spec.kind in _WORDS:
        raise LoadError(middleware_problems.no_word(asked))
    return settle(asked, env)[0]


def _obtain(asked: Asked, place: Location, env: Mapping[str, str]) -> object:
    """Return the object of a SPEC, or the filter of PasteDeploy's. Raises LoadError."""
    os.environ.update(env)
    if asked.spec.kind in PASTE:
        build = filter_loader(asked)
        found = run(build, asked, f"building {asked.spec.text}", "factory-raised")
        if found is IS_APPLICATION:
            raise LoadError(middleware_problems.is_no_filter(asked))
        return found
    is_file = asked.spec.kind == "file"
    module = import_file(asked, place) if is_file else import_module(asked, place, env)
    return resolve(asked, place, module, env)


def _wrap(asked: Asked, named: Named, application: object, call: Call | None) -> _Wrapped:
    """Call what was named in the ways that fit, best first. Raises LoadError, that of the first."""
    refused = middleware_problems.refusal(asked, named)
    if refused:
        raise LoadError(refused)
    first: LoadError | None = None
    for way in list_ways(named.target, application, call, final=named.is_made):
        try:
            return _go(asked, named, application, way)
        except LoadError as error:  # noqa: PERF203 - there are two ways at most
            first = first or error
            if way.is_factory and error.problem.id == middleware_problems.IS_APPLICATION:
                break  # a factory of applications would take ours for one of its options
    raise first or LoadError(middleware_problems.misfit(asked, named, application))


def _go(asked: Asked, named: Named, application: object, way: Way) -> _Wrapped:
    text = named.text + way.text
    call = partial(named.target, *way.args, **way.kwargs)
    result: object = run(call, asked, f"calling {text}", "middleware-raised")
    if way.is_factory:
        return _wrap(asked, Named(result, text, named.place, is_made=True), application, None)
    if result is not application and not is_application(result):
        raise LoadError(middleware_problems.bad_result(asked, named, result, text))
    return _Wrapped(result, text)


def _name(asked: Asked) -> str:
    """Return what a SPEC names, without the call."""
    spec = asked.spec
    return f"{spec.target}:{'.'.join(spec.attributes)}" if spec.call else spec.text


def _outline(asked: Asked, place: Location) -> Loading:
    file = relative(place.file, asked.rootdir) if place.file else None
    line = source.binding_line(place.file, place.attributes)
    return Loading(
        spec=asked.text,
        label=place.label,
        origin=asked.origin,
        kind="middleware",
        file=file,
        line=line,
    )


def _describe(asked: Asked, named: Named, wrapped: _Wrapped, application: object) -> Loading:
    """Say what the middleware is: the type of what it made, or its own where it made nothing."""
    is_same = wrapped.result is application
    object_type = type_name(named.target if is_same else wrapped.result)
    facts = {"object": object_type, "called": wrapped.text}
    if is_same:
        facts["wraps"] = "nothing: it returns the application as it is"
    return replace(_outline(asked, named.place), object_type=object_type, facts=facts)
