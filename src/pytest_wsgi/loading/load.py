"""From a SPEC to the loaded target, and what is to be known of it."""

from __future__ import annotations

import inspect
import os
from dataclasses import replace
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, Any

from pytest_wsgi.exchange import Loading
from pytest_wsgi.loading import django, objects, problems, source
from pytest_wsgi.loading.asked import Asked, LoadError
from pytest_wsgi.loading.choice import settle
from pytest_wsgi.loading.classify import classify, is_surely_wsgi
from pytest_wsgi.loading.importing import import_file, import_module, run
from pytest_wsgi.loading.locate import DEFAULT_NAMES, Location, locate, locate_settled
from pytest_wsgi.loading.modules import names_submodule
from pytest_wsgi.loading.paths import relative

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pytest_wsgi.exchange import Problem
    from pytest_wsgi.loading.spec import Spec


def load(
    spec: Spec, *, origin: str, env: Mapping[str, str], paths: Sequence[str], rootdir: Path
) -> tuple[object | None, Loading]:
    """Import the target of `spec`, call its factory where a call was written, and look at it.

    `origin` says where the SPEC came from, such as `--wsgi-app`. `env` is put into os.environ
    before. `paths` is `search_path(...)`, on sys.path already (`put_on_path`). Returns the target
    and how it was loaded; (None, a Loading with its problem) for every mistake of the user's and
    every exception of the target's but KeyboardInterrupt, which passes.

    Raises ValueError for the kind "fixture": pytest has that target, and `examine` looks at it.
    """
    if spec.kind == "fixture":
        raise ValueError("a fixture is not loaded, but examined")
    asked = Asked(spec.text, origin, spec, tuple(paths), rootdir)
    with django.without_owner():
        return _load(asked, env, locate(spec, paths=paths, rootdir=rootdir, env=env))


def _load(asked: Asked, env: Mapping[str, str], place: Location) -> tuple[object | None, Loading]:
    before = django.look_before()
    try:
        asked, chosen = settle(asked, env)
        target, place = _obtain(asked, env, before)
        loading = _describe(asked, place, target, chosen)
        _demand_application(asked, place, target)
        return target, _with_django(asked, loading, before, env)
    except LoadError as error:
        loading = replace(_outline(asked, place), problem=_reconsider(asked, before, error))
        django.remember(loading.file or asked.text, before)
        return None, loading


def examine(
    target: object, spec: Spec, *, origin: str, paths: Sequence[str], rootdir: Path
) -> Loading:
    """Look at a target that was obtained in another way, such as from a fixture. Never raises."""
    asked = Asked(spec.text, origin, spec, tuple(paths), rootdir)
    place = locate(spec, paths=paths, rootdir=rootdir)
    loading = _describe(asked, place, target, "")
    try:
        _demand_application(asked, place, target)
        return _with_django(asked, loading, django.look_before(), {})
    except LoadError as error:
        return replace(loading, problem=error.problem)


def _obtain(asked: Asked, env: Mapping[str, str], before: django.Before) -> tuple[object, Location]:
    spec = asked.spec
    place = locate_settled(asked)
    _demand_settings(asked, before, env.get(django.VARIABLE))
    if django.find_owner():
        _demand_settings(asked, before, source.settings_literal(place.file))
    os.environ.update(env)
    if spec.kind in ("ini", "paste"):
        from pytest_wsgi.loading.paste import paste_loader  # noqa: PLC0415 # only when asked for

        build = paste_loader(asked)
        return run(build, asked, f"building {spec.text}", "factory-raised"), place
    module = import_file(asked, place) if spec.kind == "file" else import_module(asked, place, env)
    place = place if place.attributes else _with_default(asked, place, module)
    target = resolve(asked, place, module, env)
    target = _call(asked, target) if spec.call else target
    after = os.environ.get(django.VARIABLE)
    _demand_settings(asked, before, None if after == before.variable else after)
    return target, place


def _with_default(asked: Asked, place: Location, module: object) -> Location:
    """Name the application of a module: `application`, else `app`, else the only one there is."""
    asking = f"looking into {place.module or asked.spec.target}"
    names = [
        name
        for name in DEFAULT_NAMES
        if run(partial(hasattr, module, name), asked, asking, "attribute-failed")
    ]
    if not names:
        members = vars(module) if isinstance(module, ModuleType) else {}
        public = problems.public_names(module)
        names = [name for name in public if is_surely_wsgi(members.get(name))]
        if len(names) != 1:
            raise LoadError(problems.no_default(asked, place, module, names))
    return replace(place, attributes=(names[0],), label=asked.spec.label or names[0])


def resolve(asked: Asked, place: Location, module: object, env: Mapping[str, str]) -> object:
    """Follow the attributes of a SPEC from its module to the object. Raises LoadError."""
    target = module
    missing = object()
    for count, name in enumerate(place.attributes):
        doing = f"reading {name!r} of {place.module or asked.spec.target}"
        owner = target
        target = run(partial(getattr, owner, name, missing), asked, doing, "attribute-failed")
        if target is missing:
            is_package = hasattr(owner, "__path__") and asked.spec.kind == "dotted"
            if is_package and count == 0 and names_submodule(place.attributes):
                raise LoadError(problems.module_missing(asked, env))
            raise LoadError(problems.attribute_missing(asked, place, owner, count))
    return target


def _call(asked: Asked, factory: Any) -> object:
    call = asked.spec.call
    args, kwargs = (call.args, dict(call.kwargs)) if call else ((), {})
    if not callable(factory):
        shape = classify(factory)
        raise LoadError(objects.factory_arity(asked, shape, "it is not callable"))
    try:
        inspect.signature(factory, follow_wrapped=False).bind(*args, **kwargs)
    except TypeError as error:
        raise LoadError(objects.factory_arity(asked, classify(factory), str(error))) from None
    except ValueError:
        pass  # it has no signature to be told: just try
    return run(partial(factory, *args, **kwargs), asked, f"calling {asked.text}", "factory-raised")


def _demand_application(asked: Asked, place: Location, target: object) -> None:
    shape = classify(target)
    if not shape.may_be_called:
        raise LoadError(objects.not_application(asked, place, target, shape))


def _demand_settings(asked: Asked, before: django.Before, wanted: str | None) -> None:
    """Refuse a second settings module: Django would go on with the first, silently."""
    if django.conflict(before, wanted):
        raise LoadError(problems.settings_in_use(asked, str(before.configured), str(wanted)))


def _reconsider(asked: Asked, before: django.Before, error: LoadError) -> Problem:
    """Return why a target failed: the settings in use, if it had asked for others by then."""
    after = os.environ.get(django.VARIABLE)
    if django.find_owner() and after != before.variable and django.conflict(before, after):
        return problems.settings_in_use(asked, str(before.configured), str(after))
    return error.problem


def _outline(asked: Asked, place: Location) -> Loading:
    """Say what is known of a target without the object."""
    file = relative(place.file, asked.rootdir) if place.file else None
    line = source.binding_line(place.file, place.attributes)
    return Loading(spec=asked.text, label=place.label, origin=asked.origin, file=file, line=line)


def _describe(asked: Asked, place: Location, target: object, chosen: str) -> Loading:
    object_type = type_name(target)
    facts = {"object": object_type}
    if chosen:
        facts["chosen"] = f"{asked.spec.text}: {chosen}"
    package = problems.shadowed_package(asked, place)
    if package:
        facts["note"] = f"{place.module} is a module; {package} also binds that name"
    return replace(_outline(asked, place), object_type=object_type, facts=facts)


def _with_django(
    asked: Asked, loading: Loading, before: django.Before, env: Mapping[str, str]
) -> Loading:
    """Add the facts of Django, where it is this target that uses it."""
    settings = django.configured_settings()
    file = asked.rootdir / loading.file if loading.file else None
    is_first = before.configured is None
    is_django = loading.object_type.startswith("django.") or source.mentions(file, "django")
    if settings is None or not (is_first or is_django):
        return loading
    subject = loading.file or asked.text
    django.remember(subject, before)
    if django.is_directory(settings):
        raise LoadError(problems.settings_are_directory(asked, django.settings_name(settings)))
    origin = django.origin_of_settings(before, django.settings_name(settings), env, subject)
    return replace(
        loading, facts={**loading.facts, **django.facts(settings, origin, asked.rootdir)}
    )


def type_name(target: object) -> str:
    """Return the dotted name of an object's type; for a class, what class it is."""
    kind = target if issubclass(type(target), type) else type(target)
    name = (
        f"{type.__getattribute__(kind, '__module__')}.{type.__getattribute__(kind, '__qualname__')}"
    )
    return ("class " if kind is target else "") + name.removeprefix("builtins.")
