"""What the words `django` and `auto` choose, by reading files only."""

from __future__ import annotations

import itertools
import os
import re
import shlex
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from pytest_wsgi.loading import source
from pytest_wsgi.loading.asked import Asked, Corrected, LoadError
from pytest_wsgi.loading.django import VARIABLE
from pytest_wsgi.loading.modules import find_module
from pytest_wsgi.loading.paths import find_file, find_manage, relative, subdirectories
from pytest_wsgi.loading.spec import SpecError, parse_spec

if TYPE_CHECKING:
    from collections.abc import Mapping

_FILES = ("wsgi.py", "app.py", "application.py", "main.py")
_LOOKS_LIKE_SPEC = re.compile(r"\w+(\.\w+)*(:\w+(\(.*\))?)?")


@dataclass(frozen=True, slots=True)
class Settings:
    """A Django project's settings, as its files say.

    `module` is their name and `origin` where that was read. `application` is WSGI_APPLICATION:
    its literal, None where unset or not a literal. `file` is the settings' file.
    """

    module: str
    origin: str
    application: str | None
    file: Path | None


def settle(asked: Asked, env: Mapping[str, str]) -> tuple[Asked, str]:
    """Replace `django` and `auto` by what they stand for.

    Returns what is then asked for and why, empty where nothing was chosen. `env` are the variables
    of --wsgi-env. Raises LoadError.
    """
    spec = asked.spec
    if spec.kind == "django":
        return _taken(asked, *_choose_django(asked, env))
    if spec.kind == "auto":
        return _taken(asked, *_choose_any(asked, env))
    if _is_script(asked):
        return replace(asked, spec=replace(spec, kind="file")), ""
    return asked, ""


def project_settings(asked: Asked, env: Mapping[str, str]) -> Settings | None:
    """Return the settings of the Django project around, None where there is none to be seen."""
    manage = find_manage(Path(asked.paths[0]), asked.rootdir)
    from_environ = env.get(VARIABLE) or os.environ.get(VARIABLE)
    module = from_environ or source.settings_literal(manage)
    if not module:
        return None
    origin = VARIABLE
    if not from_environ and manage:
        origin = relative(manage, asked.rootdir)
    file = _module_file(module, asked)
    application = _wsgi_application(module, asked, set())
    return Settings(module, origin, application if isinstance(application, str) else None, file)


def conventional_module(settings: str) -> str:
    """Return where startproject puts wsgi.py: `mysite.wsgi` for `mysite.settings[.dev]`."""
    parts = settings.split(".")
    count = parts.index("settings") if "settings" in parts else len(parts) - 1
    return ".".join([*parts[:count], "wsgi"])


def _taken(asked: Asked, text: str, why: str) -> tuple[Asked, str]:
    try:
        spec = parse_spec(text)
    except SpecError as error:
        raise LoadError(error.problem) from None
    return replace(asked, spec=replace(spec, label=asked.spec.label)), why


def _is_script(asked: Asked) -> bool:
    """Tell whether `site.wsgi` is no module, but a file of that name that lies there."""
    name = asked.spec.target
    if asked.spec.kind not in ("module", "dotted") or not name.endswith(".wsgi"):
        return False
    found = find_module(name, asked.paths)
    return (found is None or bool(found.rest)) and find_file(name, asked.paths) is not None


def _choose_django(asked: Asked, env: Mapping[str, str]) -> tuple[str, str]:
    settings = project_settings(asked, env)
    if settings is None:
        several = _several_projects(asked)
        what = f"found {', '.join(several)}" if several else "found no manage.py"
        asked.refuse(
            "django-not-found",
            f"No Django project: {what}, and {VARIABLE} is not set.",
            ["Run pytest in the project's directory, or name the application itself."],
        )
    if settings.application is None:
        guess = f"{conventional_module(settings.module)}.application"
        where = f"settings {settings.module}, from {settings.origin}"
        return guess, f"WSGI_APPLICATION cannot be read or is not set ({where}); by convention"
    _demand_dotted(asked, settings, settings.application)
    return settings.application, f"WSGI_APPLICATION in {settings.module} ({settings.origin})"


def _demand_dotted(asked: Asked, settings: Settings, value: str) -> None:
    """Refuse what Django's import_string cannot take, though servers could."""
    setting = f"WSGI_APPLICATION = {value!r} in {settings.module}"
    if ":" in value:
        dotted = value.replace(":", ".")
        why = f"{setting} has a colon, as servers want it: Django wants dots."
    elif "." not in value:
        dotted = f"{conventional_module(settings.module)}.{value or 'application'}"
        why = f"{setting} names no module: the setting wants 'package.module.attribute'."
    else:
        found = find_module(value, asked.paths)
        if not found or found.rest or source.may_bind(_parent_file(value, asked), _last(value)):
            return
        dotted = f"{value}.application"
        why = f"{setting} is a module: the setting wants the application in it."
    others = [f'WSGI_APPLICATION = "{dotted}"']
    asked.refuse("django-setting", why, corrected=Corrected(dotted, others=others))


def _choose_any(asked: Asked, env: Mapping[str, str]) -> tuple[str, str]:
    settings = project_settings(asked, env)
    if settings:
        text, why = _choose_django(asked, env)
        return text, f"auto: {why}"
    several = _several_projects(asked)
    named = _procfile(asked) | _gunicorn_conf(asked)
    candidates = several or list(named)
    if len(candidates) > 1:
        asked.refuse(
            "auto-ambiguous",
            f"'auto' found more than one: {', '.join(candidates)}.",
            ["Name the one that is meant."],
            corrected=Corrected("" if several else candidates[0]),
        )
    if named:
        return candidates[0], f"auto: {named[candidates[0]]}"
    return _choose_file(asked)


def _choose_file(asked: Asked) -> tuple[str, str]:
    for name, attribute in itertools.product(_FILES, ("application", "app")):
        if source.binds(find_file(name, asked.paths), attribute):
            return f"{name}:{attribute}", f"auto: {name} binds {attribute!r}"
    return _refuse_auto(asked)


def _refuse_auto(asked: Asked) -> NoReturn:
    where = f"'application' or 'app' in {', '.join(_FILES)}."
    asked.refuse(
        "auto-not-found",
        "'auto' found no application.",
        [
            "Looked for: manage.py and WSGI_APPLICATION; a web process in Procfile;",
            f"wsgi_app in gunicorn.conf.py; {where}",
        ],
    )


def _several_projects(asked: Asked) -> list[str]:
    directories = [Path(path) for path in asked.paths]
    inner = (inner for directory in directories for inner in subdirectories(directory))
    found = (directory / "manage.py" for directory in [*directories, *inner])
    files = [file for file in dict.fromkeys(found) if source.settings_literal(file)]
    return [relative(file, asked.rootdir) for file in files] if len(files) > 1 else []


def _procfile(asked: Asked) -> dict[str, str]:
    """Return what the web process of a Procfile serves: the last word that names a module here."""
    text = source.read_text(find_file("Procfile", asked.paths))
    line = re.search(r"^web:(.*)$", text, re.MULTILINE)
    try:
        words = shlex.split(line[1]) if line else []
    except ValueError:
        words = []
    specs = [word for word in words if _LOOKS_LIKE_SPEC.fullmatch(word) and _is_here(word, asked)]
    return {specs[-1]: "the web process in Procfile"} if specs else {}


def _gunicorn_conf(asked: Asked) -> dict[str, str]:
    _, value = source.assigned_literal(find_file("gunicorn.conf.py", asked.paths), "wsgi_app")
    return {value: "wsgi_app in gunicorn.conf.py"} if isinstance(value, str) else {}


def _is_here(word: str, asked: Asked) -> bool:
    module = word.partition(":")[0]
    found = find_module(module, asked.paths)
    if found is None or found.file is None or (found.rest and ":" in word):
        return False
    return any(found.file.is_relative_to(path) for path in asked.paths)


def _wsgi_application(module: str, asked: Asked, seen: set[str]) -> object:
    """Return the literal of WSGI_APPLICATION in settings, also through `from .base import *`."""
    seen.add(module)
    file = _module_file(module, asked)
    assigned, value = source.assigned_literal(file, "WSGI_APPLICATION")
    if assigned:
        return value
    is_package = file is not None and file.stem == "__init__"
    for level, name in reversed(source.star_imports(file)):
        parts = module.split(".")
        base = parts[: len(parts) - level + is_package] if level else []
        origin = ".".join([*base, *filter(None, [name])])
        if origin not in seen:
            value = _wsgi_application(origin, asked, seen)
        if value is not None:
            return value
    return None


def _module_file(module: str, asked: Asked) -> Path | None:
    found = find_module(module, asked.paths)
    return found.file if found and not found.rest else None


def _parent_file(dotted: str, asked: Asked) -> Path | None:
    return _module_file(dotted.rpartition(".")[0], asked)


def _last(dotted: str) -> str:
    return dotted.rpartition(".")[2]
