"""Messages for what is not there, or is there twice."""

from __future__ import annotations

import sys
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from pytest_wsgi.loading import source
from pytest_wsgi.loading.asked import AS_ASKED, MENDED, Asked, Corrected
from pytest_wsgi.loading.choice import Settings, project_settings
from pytest_wsgi.loading.classify import classify, is_surely_wsgi
from pytest_wsgi.loading.command import server_commands
from pytest_wsgi.loading.django import BY_HAND, IN_USE, VARIABLE, set_by
from pytest_wsgi.loading.modules import Found, find_module, nearest_file
from pytest_wsgi.loading.paths import find_manage, relative
from pytest_wsgi.loading.suggestions import similar_specs, spell, wsgi_beside

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_wsgi.exchange import Problem
    from pytest_wsgi.loading.locate import Location

_CANDIDATES = ("wsgi", "factory", "asgi 3", "async")


def module_missing(asked: Asked, env: Mapping[str, str]) -> Problem:
    """Say that a module, or a file, is not there, and what is near."""
    target = asked.spec.target
    found = find_module(target, asked.paths)
    settings = project_settings(asked, env)
    wanted = _wanted_module(asked, found)
    is_flat = found is None and wanted == "wsgi" and not nearest_file(wanted, asked.paths)
    is_wsgi = asked.wants_application and (is_flat or _is_missing_wsgi(wanted, found))
    if settings and is_wsgi:
        return _wsgi_file_missing(asked, wanted, found, settings)
    if found and found.rest and found.locations is None:
        return _module_is_not_package(asked, found)
    details = [_describe_prefix(asked, wanted, found)]
    spec, options = "", []
    if near := nearest_file(wanted, asked.paths):
        file, base = (relative(path, asked.rootdir) for path in near)
        details.append(f"nearest: {file}; it is found from {base}, so run pytest there,")
        details.append(f"or write `pythonpath = {base}` in the configuration of pytest.")
        options = ["-o", f"pythonpath={base}"]
    elif similar := similar_specs(asked, wanted):
        details.append(f"did you mean: {', '.join(similar)}")
        spec = similar[0]
    details.append(f"sys.path: {', '.join(entry or '.' for entry in sys.path[:5])}")
    return asked.problem(
        "module-missing", f"No module {wanted}.", details, Corrected(spec, options)
    )


def file_missing(asked: Asked) -> Problem:
    """Say that the file of a SPEC is not there, and which of that name is near."""
    name = asked.spec.target
    details = [f"looked in: {', '.join(asked.paths)}"]
    spec = ""
    near = nearest_file(Path(name).stem, asked.paths) if name.endswith(".py") else None
    if near:
        written = relative(near[0], Path(asked.paths[0]))
        details.append(f"nearest: {written}")
        spec = asked.spec.text.replace(name, written, 1)
    return asked.problem("file-missing", f"No file {name}.", details, Corrected(spec))


def attribute_missing(asked: Asked, place: Location, owner: object, count: int) -> Problem:
    """Say that `place.attributes[count]` is not in `owner`, and which names are near."""
    name = place.attributes[count]
    owner_name = ".".join([place.module or asked.spec.target, *place.attributes[:count]])
    exported = public_names(owner)
    near = similar_names if asked.wants_application else _near_names
    similar = near(owner, name)
    details = []
    if similar:
        details.append(f"did you mean: {', '.join(similar)}")
    details.append(f"{owner_name} has: {', '.join(exported[:12]) or 'no public names'}")
    corrected = _respelt(asked, place, count, similar)
    if not similar and asked.wants_application:
        corrected = _beside(asked, place) or corrected
    return asked.problem("attribute-missing", f"{owner_name} has no {name!r}.", details, corrected)


def no_default(asked: Asked, place: Location, module: object, candidates: list[str]) -> Problem:
    """Say that a module has no `application` and no `app`, and what else might be meant."""
    near = candidates or similar_names(module, "application")
    name = "several-candidates" if len(candidates) > 1 else "application-missing"
    headline = f"{place.module or asked.spec.target} has neither 'application' nor 'app'"
    headline += f", but {len(candidates)} applications." if candidates else "."
    details = [f"did you mean: {', '.join(near)}"] if near else []
    details.append(f"it has: {', '.join(public_names(module)[:12]) or 'no public names'}")
    package = shadowed_package(asked, place)
    if package:
        last = asked.spec.target.rpartition(".")[2]
        details.append(f"{place.module} is a module; {package} also binds that name.")
        return asked.problem(name, headline, details, Corrected(f"{package}:{last}"))
    corrected = None if candidates else _beside(asked, place)
    if corrected is None and near:
        spec = respell(asked, place, (near[0],))
        corrected = Corrected(spec, others=servers_for(place, (near[0],)))
    return asked.problem(name, headline, details, corrected or AS_ASKED)


def found_twice(asked: Asked, module: str, expected: Path, loaded: str) -> Problem:
    """Say that another file was imported before under the module's name."""
    files = [relative(file, asked.rootdir) for file in (expected, loaded)]
    return asked.problem(
        "module-found-twice",
        f"Two files are called {module}: {files[0]} was asked for, but {files[1]} is imported.",
        ["Rename one, or run pytest for this target alone."],
        Corrected(when=MENDED),
    )


def settings_in_use(asked: Asked, configured: str, wanted: str) -> Problem:
    """Say that Django is set up with other settings, which it keeps for the life of a process."""
    origin = set_by(configured)
    by = f" (set by {origin})" if origin else ""
    options = ("--ds", wanted) if "pytest_django" in sys.modules and not origin else ()
    return asked.problem(
        IN_USE,
        f"Django is already set up with {configured or BY_HAND}{by}, but {wanted} is asked for.",
        [
            "Django reads its settings once in a process: the application would silently run with",
            "the first. Each project, or settings module, needs a pytest run of its own.",
        ],
        Corrected(options=options, when="In a run of its own"),
    )


def settings_are_directory(asked: Asked, name: str) -> Problem:
    """Say that the settings module is a directory without `__init__.py`."""
    base = find_module(f"{name}.base", asked.paths)
    options = ("--wsgi-env", f"{VARIABLE}={name}.base") if base and not base.rest else ()
    return asked.problem(
        "django-settings-are-directory",
        f"The settings module {name} is a directory without __init__.py: it holds no settings.",
        ["Add the __init__.py, or name a module in it; every request would fail otherwise."],
        Corrected(options=options, when=MENDED),
    )


def shadowed_package(asked: Asked, place: Location) -> str:
    """Return the package that binds the name which a dotted SPEC finds as a module, else empty."""
    package, _, last = asked.spec.target.rpartition(".")
    if asked.spec.kind != "dotted" or place.module != asked.spec.target or not package:
        return ""
    found = find_module(package, asked.paths)
    return package if found and source.binds(found.file, last) else ""


def similar_names(owner: object, wanted: str) -> list[str]:
    """Return up to three names in `owner`: near ones that look like an application come first."""
    names = public_names(owner)
    shown = _own(owner)
    likely = [name for name in names if classify(shown.get(name)).kind in _CANDIDATES]
    surely = [name for name in likely if is_surely_wsgi(shown[name])]
    near = get_close_matches(wanted, likely)
    others = get_close_matches(wanted, names)
    return list(dict.fromkeys([*near, *surely, *others]))[:3]


def _near_names(owner: object, wanted: str) -> list[str]:
    return get_close_matches(wanted, public_names(owner))


def _respelt(asked: Asked, place: Location, count: int, similar: list[str]) -> Corrected:
    """Return the SPEC with the best of `similar` in the place of `place.attributes[count]`."""
    if not similar:
        return AS_ASKED
    fixed = (*place.attributes[:count], similar[0])
    if asked.wants_application:
        return Corrected(respell(asked, place, fixed), others=servers_for(place, fixed))
    call = asked.spec.call.text if asked.spec.call else ""
    return Corrected(respell(asked, place, (*fixed, *place.attributes[count + 1 :]), call))


def public_names(owner: object) -> list[str]:
    """Return the names in a module or object that do not start with an underscore."""
    names = list(_own(owner))
    if not isinstance(owner, ModuleType):
        names += dir(owner if isinstance(owner, type) else type(owner))
    return [name for name in dict.fromkeys(names) if not name.startswith("_")]


def respell(asked: Asked, place: Location, attributes: tuple[str, ...], call: str = "") -> str:
    """Return the SPEC for other attributes in the same module or file, in the user's style."""
    names = ".".join(attributes)
    if asked.spec.kind == "dotted" and not call:
        return f"{place.module}.{names}"
    module = asked.spec.target if asked.spec.kind == "file" else place.module
    return f"{module}:{names}{call}"


def servers_for(place: Location, attributes: tuple[str, ...], call: str = "") -> list[str]:
    """Return how servers, and Django's setting, spell `attributes`; none where they cannot."""
    if not place.module or len(attributes) != 1:
        return []
    lines = server_commands(place.module, attributes[0], call)
    if not call and source.mentions(place.file, "django"):
        lines.append(f'WSGI_APPLICATION = "{place.module}.{attributes[0]}"')
    return lines


def _own(owner: object) -> dict[str, object]:
    """Return what an object itself holds; nothing of one that has no dict, or a broken one."""
    try:
        return {name: value for name, value in vars(owner).items() if isinstance(name, str)}
    except Exception:  # noqa: BLE001 - the target's __dict__ may be anything
        return {}


def _wanted_module(asked: Asked, found: Found | None) -> str:
    """Return the name of the module that is missing, as far as a dotted name tells."""
    target = asked.spec.target
    if asked.spec.kind == "module":
        return target
    if found and found.locations is not None and len(found.rest) == 1:
        return target
    return target.rpartition(".")[0] or target


def _is_missing_wsgi(wanted: str, found: Found | None) -> bool:
    package, _, last = wanted.rpartition(".")
    return last == "wsgi" and bool(found and found.name == package and found.locations)


def _wsgi_file_missing(
    asked: Asked, wanted: str, found: Found | None, settings: Settings
) -> Problem:
    manage = find_manage(Path(asked.paths[0]), asked.rootdir)
    names = {settings.origin: settings.module}
    if manage and (literal := source.settings_literal(manage)):
        names[relative(manage, asked.rootdir)] = literal
    told = "; ".join(f"{name}, as {origin} says" for origin, name in names.items())
    locations = found.locations if found else None
    file = relative(Path((locations or ("",))[0], "wsgi.py"), asked.rootdir)
    spec = f"{wanted}.application"
    problem = asked.problem(
        "wsgi-file-missing",
        f"No module {wanted}.",
        [
            f"This Django project has no wsgi.py (settings: {told}).",
            *_what_runserver_does(wanted, settings.application),
            f"--wsgi-propose shows {file} as Django's startproject makes it. It would be named",
            *(f"    {line}" for line in server_commands(wanted, "application")),
            f'    WSGI_APPLICATION = "{spec}"',
        ],
        Corrected(spec, when="Try"),
    )
    return replace(problem, message=f"{problem.message} --wsgi-propose")


def _what_runserver_does(wanted: str, application: str | None) -> list[str]:
    if application is None:
        return [
            "runserver works all the same, as WSGI_APPLICATION is unset: it uses Django's own",
            "handler. Servers need the file.",
        ]
    if application.replace(":", ".").rpartition(".")[0] == wanted:
        return [
            f"runserver fails as well, as WSGI_APPLICATION is {application!r}: with its reloader",
            "it prints the error, and then waits for a file to change.",
        ]
    return [f"runserver uses what WSGI_APPLICATION names: {application!r}."]


def _module_is_not_package(asked: Asked, found: Found) -> Problem:
    rest = ".".join(found.rest)
    file = relative(found.file, asked.rootdir) if found.file else found.name
    corrected = AS_ASKED
    if source.binds(found.file, found.rest[0]):
        is_served = asked.wants_application and len(found.rest) == 1
        others = server_commands(found.name, rest) if is_served else ()
        corrected = Corrected(f"{found.name}:{rest}", others=others)
    return asked.problem(
        "module-missing",
        f"No module {found.name}.{rest}: {found.name} is a module ({file}), not a package.",
        [f"If {rest} is an object in it, the colon belongs before it."],
        corrected,
    )


def _describe_prefix(asked: Asked, wanted: str, found: Found | None) -> str:
    if found is None:
        return f"found: no {wanted.partition('.')[0]} at all"
    where = relative(found.file or (found.locations or ("",))[0], asked.rootdir)
    return f"found: {found.name} ({where}), which has no {found.rest[0]}"


def _beside(asked: Asked, place: Location) -> Corrected | None:
    """Return the application of a module `wsgi` in the package, or beside the module."""
    beside = wsgi_beside(asked, place.module)
    return Corrected(spell(asked, *beside), others=server_commands(*beside)) if beside else None
