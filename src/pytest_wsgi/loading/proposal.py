"""The wsgi.py that a Django project lacks: what it would be, where, and what else it needs.

Files are read and nothing is written; of the project's code nothing is run.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from pytest_wsgi.loading.asked import MENDED, Asked, Corrected
from pytest_wsgi.loading.choice import conventional_module
from pytest_wsgi.loading.modules import dotted_name, find_module
from pytest_wsgi.loading.paths import relative
from pytest_wsgi.loading.project import Project, is_own, read_project, refuse
from pytest_wsgi.loading.settings import APPLICATION, URLS, Edit, add_application
from pytest_wsgi.loading.template import TemplateError, fill_template

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_wsgi.loading.spec import Spec

EXISTS = "wsgi-file-exists"
"""The id of the problem that there is nothing to propose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A wsgi.py that is not there yet.

    `asked` is what was asked for. `module` is the name of the new one, `file` its file and `text`
    what goes into it; `series` is that of the Django whose startproject makes it so. `edit` adds
    WSGI_APPLICATION to the settings, None where that is not to be done. `notes` are lines for a
    person. `options` are those without which another run would not come to the same.
    """

    asked: Asked
    module: str
    file: Path
    text: str
    series: str
    edit: Edit | None
    notes: tuple[str, ...]
    options: tuple[str, ...]

    @property
    def spec(self) -> str:
        """The SPEC of the new application."""
        return f"{self.module}.application"


def propose(
    spec: Spec, *, origin: str, env: Mapping[str, str], paths: Sequence[str], rootdir: Path
) -> Proposal:
    """Return the wsgi.py that the project around lacks, for a SPEC that names it, or `django`.

    `origin`, `env`, `paths` and `rootdir` are those of `load`. Raises LoadError where there is no
    Django, no project, no place for the file, or nothing to propose: the problem is `EXISTS` then.
    """
    project = read_project(Asked(spec.text, origin, spec, tuple(paths), rootdir), env)
    module = _choose_module(project)
    _demand_absent(project.asked, module)
    file = _find_directory(project, module) / f"{module.rpartition('.')[2]}.py"
    for place in (file, file.with_suffix("")):
        if os.path.lexists(place):
            refuse_existing(project.asked, module, place)
    text, series = _fill(project, module, file)
    edit, notes = _plan_edit(project, f"{module}.application")
    return Proposal(
        asked=project.asked,
        module=module,
        file=file,
        text=text,
        series=series,
        edit=edit,
        notes=(*filter(None, [project.note]), *notes),
        options=project.options,
    )


def refuse_existing(asked: Asked, module: str, file: Path) -> NoReturn:
    """Raise LoadError: where something is already, nothing is to be proposed, or written."""
    asked.refuse(
        EXISTS,
        f"There is nothing to propose: {relative(file, asked.rootdir)} is there already.",
        corrected=Corrected(f"{module}.application", when="To try it"),
    )


def _choose_module(project: Project) -> str:
    """Return the module to make: that of the SPEC, else of the settings, else beside the URLs."""
    asked, spec = project.asked, project.asked.spec
    if spec.kind in ("ini", "paste", "fixture"):
        what = f"{spec.text} is no module, and a wsgi.py is one."
        refuse(asked, "propose-no-module", what, (), Corrected("django"))
    if spec.kind in ("django", "auto"):
        return _choose_by_settings(project)
    if spec.kind == "dotted":
        return _demand_name(asked, *_split_dotted(asked, spec.target))
    module = spec.target if spec.kind == "module" else _module_of_file(asked)
    return _demand_name(asked, module, ".".join(spec.attributes))


def _choose_by_settings(project: Project) -> str:
    setting = project.application.value if project.application else None
    if isinstance(setting, str) and setting:
        module, name = _split_dotted(project.asked, setting.replace(":", "."))
        return _demand_name(project.asked, module, name, f"{APPLICATION} is {setting!r}.")
    urls = project.urls.value if project.urls else None
    if isinstance(urls, str):
        return ".".join([*urls.split(".")[:-1], "wsgi"])
    return conventional_module(project.settings)


def _split_dotted(asked: Asked, dotted: str) -> tuple[str, str]:
    """Return the module that a dotted name means and, where one follows it, the name in it."""
    package, _, last = dotted.rpartition(".")
    found = find_module(dotted, asked.paths)
    is_module = found and (not found.rest or (len(found.rest) == 1 and found.locations))
    if not package or last == "wsgi" or (is_module and last != "application"):
        return dotted, ""
    return package, last


def _module_of_file(asked: Asked) -> str:
    name = dotted_name(Path(asked.paths[0], asked.spec.target), asked.paths)[0]
    if not name:
        what = f"{asked.spec.target} would be no module that servers can import by its name."
        refuse(asked, "propose-no-module", what, (), Corrected("django"))
    return name


def _demand_name(asked: Asked, module: str, name: str, why: str = "") -> str:
    """Refuse any name but the one that the file of startproject binds."""
    if name not in ("", "application") or asked.spec.call:
        what = f"A wsgi.py that Django makes binds 'application', and not {name!r}."
        corrected = Corrected(f"{module}.application")
        details = [*filter(None, [why]), "Ask for that one, or write the file yourself."]
        refuse(asked, "propose-name", what, details, corrected)
    return module


def _demand_absent(asked: Asked, module: str) -> None:
    found = find_module(module, asked.paths)
    if found and not found.rest:
        refuse_existing(asked, module, found.file or Path((found.locations or (module,))[0]))


def _find_directory(project: Project, module: str) -> Path:
    """Return the directory of the package; for a module in none, where the URLs are."""
    asked, package = project.asked, module.rpartition(".")[0]
    if not package:
        return _flat_directory(project)
    found = find_module(package, asked.paths)
    locations = found.locations if found and not found.rest else None
    own = [place for place in map(Path, locations or ()) if is_own(asked, place)]
    if not own:
        guess = f"{conventional_module(project.settings)}.application"
        is_asked = guess == f"{module}.application"
        where = f"it is {locations[0]}" if locations else "there is no such directory"
        refuse(
            asked,
            "propose-no-package",
            f"{module} cannot be made: {package} is no package of this project, {where}.",
            [f"The settings module is {project.settings}."],
            Corrected(when=MENDED) if is_asked else Corrected(guess),
        )
    return own[0]


def _flat_directory(project: Project) -> Path:
    name = project.urls.value if project.urls else None
    urls = find_module(name, project.asked.paths) if isinstance(name, str) else None
    if urls and urls.file and "." not in urls.name and is_own(project.asked, urls.file):
        return urls.file.parents[urls.file.stem == "__init__"]
    return project.manage.parent if project.manage else Path(project.asked.paths[0])


def _fill(project: Project, module: str, file: Path) -> tuple[str, str]:
    package = module.rpartition(".")[0] or re.sub(r"[^\w.-]", "-", file.parent.name)
    try:
        return fill_template(project.settings, package)
    except TemplateError as error:
        advice = ["Run the pytest of the environment that the project runs in."]
        refuse(project.asked, "django-missing", str(error), advice, Corrected(when=MENDED))


def _plan_edit(project: Project, dotted: str) -> tuple[Edit | None, list[str]]:
    """Return the edit that adds WSGI_APPLICATION, and what to say where there is none."""
    asked, setting, urls = project.asked, project.application, project.urls
    line = f'    {APPLICATION} = "{dotted}"'
    if setting and setting.value == dotted:
        return None, []
    if setting:
        value = "set" if setting.value is None else repr(setting.value)
        where = f"{relative(setting.file, asked.rootdir)}, line {setting.line}"
        return None, [
            f"{APPLICATION} is {value} in {where}, and is left so. runserver wants:",
            line,
        ]
    if urls is None or not is_own(asked, urls.file):
        what = f"No file of this project assigns {URLS}, as far as can be read."
        return None, [f"{what} runserver wants in the settings:", line]
    edit = add_application(urls.file, dotted)
    where = relative(urls.file, asked.rootdir)
    return edit, [] if edit else [f"{where} cannot be changed safely. runserver wants in it:", line]
