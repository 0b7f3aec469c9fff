"""A Django project as its manage.py and its settings tell, read as files, for a wsgi.py to be made.

Every refusal ends with a command that asks for the wsgi.py again.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from pytest_wsgi.loading import source
from pytest_wsgi.loading.asked import MENDED, Asked, Corrected, LoadError
from pytest_wsgi.loading.django import VARIABLE
from pytest_wsgi.loading.modules import dotted_name, find_module, nearest_file
from pytest_wsgi.loading.paths import find_manage, relative, subdirectories
from pytest_wsgi.loading.settings import APPLICATION, URLS, Setting, find_setting

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

OPTION = "--wsgi-propose"

_MODULE = re.compile(r"\w+(\.\w+)*")
_FOREIGN = {"site-packages", "dist-packages"}


@dataclass(frozen=True, slots=True)
class Project:
    """A Django project; `asked` is what was asked for in it.

    `manage` is its manage.py, None where only the environment tells of it. `settings` is the name
    of its settings, to the letter, and `urls` and `application` are ROOT_URLCONF and
    WSGI_APPLICATION as these assign them. `options` are those without which the name is not known,
    and `note` tells of another name.
    """

    asked: Asked
    manage: Path | None
    settings: str
    urls: Setting | None
    application: Setting | None
    options: tuple[str, ...] = ()
    note: str = ""


def read_project(asked: Asked, env: Mapping[str, str]) -> Project:
    """Return the project around; `env` are the variables of --wsgi-env.

    Raises LoadError where there is none or more than one, and where its settings have no name.
    """
    manage = find_manage(Path(asked.paths[0]), asked.rootdir)
    literal, given = source.settings_literal(manage), env.get(VARIABLE, "")
    outside = given or os.environ.get(VARIABLE, "")
    settings = literal or outside
    if not settings and manage is None:
        _refuse_place(asked)
    if not _MODULE.fullmatch(settings):
        _refuse_unnamed(asked, relative(manage, asked.rootdir) if manage else VARIABLE)
    _demand_importable(asked, settings)
    return Project(
        asked,
        manage,
        settings,
        find_setting(settings, URLS, asked.paths),
        find_setting(settings, APPLICATION, asked.paths),
        options=("--wsgi-env", f"{VARIABLE}={given}") if given and not literal else (),
        note=f"{VARIABLE} is {outside} here; manage.py names {settings}, and so does the file."
        if outside not in ("", settings)
        else "",
    )


def is_own(asked: Asked, place: Path) -> bool:
    """Tell a place in the project from one in a library, be that installed below rootdir."""
    roots = [root.resolve() for root in (asked.rootdir, *map(Path, asked.paths))]
    inside = [root for root in roots if place.resolve().is_relative_to(root)]
    return any(not _FOREIGN & {*place.resolve().relative_to(root).parts} for root in inside)


def refuse(
    asked: Asked, name: str, headline: str, details: Sequence[str], corrected: Corrected
) -> NoReturn:
    """Raise LoadError; the command to try asks for the wsgi.py again."""
    problem = asked.problem(name, headline, details, corrected)
    raise LoadError(replace(problem, message=f"{problem.message} {OPTION}"))


def _refuse_place(asked: Asked) -> NoReturn:
    places = [Path(path) for path in asked.paths]
    inner = [inner for place in places for inner in subdirectories(place)]
    files = [place / "manage.py" for place in dict.fromkeys([*places, *inner])]
    several = [relative(file, asked.rootdir) for file in files if file.is_file()]
    headline = "No Django project: found no manage.py"
    if several:
        headline = f"Several Django projects: found {', '.join(several)}"
    advice = ["A wsgi.py is made for one, which its manage.py tells: run pytest beside that."]
    refuse(asked, "django-not-found", f"{headline}.", advice, Corrected("django", when=MENDED))


def _refuse_unnamed(asked: Asked, where: str) -> NoReturn:
    near = nearest_file("settings", asked.paths)
    guess = dotted_name(near[0], asked.paths)[0] if near else ""
    refuse(
        asked,
        "propose-settings-unnamed",
        f"{where} names no settings module that can be read.",
        [f'Looked for os.environ.setdefault("{VARIABLE}", "..."); the name may also be given.'],
        Corrected(options=("--wsgi-env", f"{VARIABLE}={guess or 'PKG.settings'}")),
    )


def _demand_importable(asked: Asked, settings: str) -> None:
    near = nearest_file(settings, asked.paths)
    if near and find_module(settings, asked.paths) is None:
        file, base = (relative(path, asked.rootdir) for path in near)
        refuse(
            asked,
            "propose-settings-elsewhere",
            f"The settings module {settings} is not found: {file} is, with {base} on sys.path.",
            [f"Write `pythonpath = {base}` in the configuration of pytest, or give it."],
            Corrected(options=("-o", f"pythonpath={base}")),
        )
