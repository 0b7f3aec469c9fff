"""Messages for what the user's own code raised while it was imported or called.

The traceback shown holds the user's frames, and those of libraries: none of importlib's, of
pytest's, or of the whole package pytest_wsgi.
"""

from __future__ import annotations

import os
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_wsgi.loading import source
from pytest_wsgi.loading.asked import MENDED, Asked, Corrected
from pytest_wsgi.loading.django import (
    IN_USE,
    VARIABLE,
    configured_settings,
    find_owner,
    setting_that_names,
)
from pytest_wsgi.loading.modules import nearest_file
from pytest_wsgi.loading.paths import find_manage, relative
from pytest_wsgi.loading.symptoms import on_servers

if TYPE_CHECKING:
    from types import FrameType

    from pytest_wsgi.exchange import Problem

_HIDDEN = ("importlib", "_frozen_importlib", "_pytest", "pytest", "pytest_wsgi")
_MOST_FRAMES = 30
_MAKES_HANDLER = ("django.core.handlers.wsgi", "__init__")
_READS_APPS = ("django.apps.registry", "populate")
_MODWSGI = "django.contrib.auth.handlers.modwsgi"
_NAMED_VARIABLE = re.compile(
    r"[Ss]et the (?P<a>\w+) environment variable|(?P<b>[A-Z][A-Z0-9_]*) not found\. Declare it"
)


@dataclass(frozen=True, slots=True)
class _Reading:
    """What an exception means: id, one sentence, advice, and more options for pytest.

    `shown` is its name in the table of symptoms, empty where it has none there.
    """

    name: str
    headline: str
    advice: list[str] = field(default_factory=list)
    options: tuple[str, ...] = ()
    shown: str = ""


def explain(asked: Asked, doing: str, error: BaseException, default: str) -> Problem:
    """Say what went wrong in the user's code while `doing`, such as `importing mysite.wsgi`.

    `default` is the problem's id where nothing better is known.
    """
    chain = list(_chain(error))
    for read in _READERS:
        reading = read(asked, doing, chain)
        if reading:
            break
    else:
        headline = f"{doing[0].upper()}{doing[1:]} failed: {_last_line(error)}"
        reading = _Reading(default, headline)
    details = [*format_failure(error).splitlines(), on_servers(reading.shown), *reading.advice]
    return asked.problem(
        reading.name, reading.headline, details, Corrected(options=reading.options, when=MENDED)
    )


def is_missing(error: BaseException, module: str) -> bool:
    """Tell whether `module`, or a package that it is in, is what is not there."""
    name = getattr(error, "name", None)
    is_missing = isinstance(error, ModuleNotFoundError) and isinstance(name, str)
    return is_missing and f"{module}.".startswith(f"{name}.")


def format_failure(error: BaseException) -> str:
    """Return the traceback of `error` and of its causes, without the frames of tools."""
    parts = []
    for one in reversed(list(_chain(error))):
        frames = traceback.StackSummary.extract(_frames(one))
        shown = frames[-_MOST_FRAMES:]
        lines = traceback.StackSummary.from_list(shown).format()
        text = traceback.TracebackException(type(one), one, None).format_exception_only()
        parts.append("".join([*lines, *text]))
    return "\n".join(parts)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception, then what caused it, and so on."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        context = None if current.__suppress_context__ else current.__context__
        current = current.__cause__ or context


def _frames(error: BaseException) -> Iterator[tuple[FrameType, int]]:
    for frame, line in traceback.walk_tb(error.__traceback__):
        module = str(frame.f_globals.get("__name__"))
        if not any(module == name or module.startswith(f"{name}.") for name in _HIDDEN):
            yield frame, line


def _last_line(error: BaseException) -> str:
    text = traceback.TracebackException(type(error), error, None).format_exception_only()
    return list(text)[-1].strip()


def _environment_variable(_: Asked, doing: str, chain: list[BaseException]) -> _Reading | None:
    """Read a variable that os.environ lacks, or that a settings library asks for."""
    for error in chain:
        name = _missing_variable(error)
        if name:
            return _Reading(
                "environment-variable-missing",
                f"The environment variable {name} is not set: {doing} needs it.",
                ["Set it, or give it with --wsgi-env; the value below is a placeholder."],
                ("--wsgi-env", f"{name}=..."),
            )
    return None


def _missing_variable(error: BaseException) -> str:
    frames = list(traceback.walk_tb(error.__traceback__))
    if isinstance(error, KeyError) and frames and error.args:
        code = frames[-1][0].f_code
        if code.co_name == "__getitem__" and frames[-1][0].f_globals is vars(os):
            return str(error.args[0])
    named = _NAMED_VARIABLE.search(_last_line(error))
    return (named["a"] or named["b"]) if named else ""


def _settings_missing(asked: Asked, _: str, chain: list[BaseException]) -> _Reading | None:
    """Read a settings module that is not there, such as a name left over from an example."""
    wanted = os.environ.get(VARIABLE, "")
    missing = next((error for error in chain if wanted and is_missing(error, wanted)), None)
    if missing is None or "django.conf" not in sys.modules:
        return None
    manage = find_manage(Path(asked.paths[0]), asked.rootdir)
    right = source.settings_literal(manage)
    advice = [f"{VARIABLE} is {wanted!r}."]
    if manage and right and right != wanted:
        advice.append(
            f"{relative(manage, asked.rootdir)} says {right!r}; write that in wsgi.py too."
        )
        return _Reading(
            "django-settings-missing",
            f"No settings module {wanted}.",
            advice,
            ("--wsgi-env", f"{VARIABLE}={right}"),
            "django before setup",
        )
    return _Reading("django-settings-missing", f"No settings module {wanted}.", advice)


def _module_missing(asked: Asked, doing: str, chain: list[BaseException]) -> _Reading | None:
    """Read an import of something that is not installed, or lies outside sys.path."""
    missing = [error for error in chain if isinstance(error, ModuleNotFoundError) and error.name]
    if not missing:
        return None
    name = str(missing[-1].name)
    headline = f"No module named {name!r}: {doing} needs it."
    advice = [setting_that_names(configured_settings(), name)]
    near = nearest_file(name, asked.paths)
    if near:
        file, base = (relative(path, asked.rootdir) for path in near)
        advice.append(f"{file} would be found with {base} on sys.path.")
        options = ("-o", f"pythonpath={base}")
        return _Reading("import-failed-missing-module", headline, _filled(advice), options)
    advice.append("Install what provides it, in the environment that runs pytest.")
    return _Reading("import-failed-missing-module", headline, _filled(advice))


def _syntax_error(asked: Asked, _: str, chain: list[BaseException]) -> _Reading | None:
    for error in chain:
        if isinstance(error, SyntaxError):
            where = relative(error.filename or "<unknown>", asked.rootdir)
            headline = f"{where}, line {error.lineno} is not valid Python: {error.msg}."
            return _Reading("import-failed-syntax", headline)
    return None


def _process_exit(_: Asked, doing: str, chain: list[BaseException]) -> _Reading | None:
    if not isinstance(chain[0], SystemExit):
        return None
    headline = f"{doing[0].upper()}{doing[1:]} ended the process: SystemExit({chain[0].code!r})."
    advice = ['A script\'s own start belongs under `if __name__ == "__main__":`.']
    return _Reading("import-failed-exit", headline, advice)


def _handler_without_setup(asked: Asked, _: str, chain: list[BaseException]) -> _Reading | None:
    """Read a WSGIHandler that is made where nothing has set Django up, as was right before 1.7."""
    for (caller, line), (called, _line) in pairwise(_frames_too_early(chain)):
        if _spot(called) == _MAKES_HANDLER:
            where = relative(caller.f_code.co_filename, asked.rootdir)
            return _Reading(
                "django-handler-without-setup",
                f"{where}:{line} calls WSGIHandler() itself, which does not set Django up.",
                [
                    "Use get_wsgi_application() instead, which sets it up, since Django 1.7:",
                    "    from django.core.wsgi import get_wsgi_application",
                    "    application = get_wsgi_application()",
                    "For a subclass of WSGIHandler, call django.setup() before.",
                ],
                shown="django before setup",
            )
    return None


def _imported_before_setup(asked: Asked, _: str, chain: list[BaseException]) -> _Reading | None:
    """Read an import of what needs models, in a file that has not set Django up yet."""
    frames = _frames_too_early(chain)
    steps = list(pairwise(pair for pair in frames if pair[0].f_code.co_name == "<module>"))
    if not steps or _READS_APPS in (_spot(frame) for frame, _ in frames):
        return None
    (importer, line), (imported, _line) = next(filter(_is_in_wsgi_file, steps), steps[0])
    where, module = relative(importer.f_code.co_filename, asked.rootdir), _spot(imported)[0]
    advice = [
        "Call get_wsgi_application() first, which sets Django up, and import that after it:",
        "    application = get_wsgi_application()",
        f"    from {module} import ...",
    ]
    if module == _MODWSGI:
        advice[2] = advice[2].replace("...", "check_password, groups_for_user")
        advice.append(
            "Django's page about users on Apache has the old order, which fails since 1.7."
        )
    return _Reading(
        "django-imported-before-setup",
        f"{where}:{line} imports {module} before Django is set up.",
        advice,
        shown="django before setup",
    )


def _apps_not_ready(_: Asked, doing: str, chain: list[BaseException]) -> _Reading | None:
    """Read any other use of models that comes too early."""
    if _find(chain, "AppRegistryNotReady") is None:
        return None
    shown, advice = (
        "django before setup",
        "Call get_wsgi_application() first, and use models after.",
    )
    if _READS_APPS in (_spot(frame) for frame, _ in _frames_too_early(chain)):
        shown = "django in setup"
        advice = "An app of INSTALLED_APPS needs models while it is imported: import them in"
        advice += "\nAppConfig.ready(), or in the functions that use them."
    headline = f"Django was used before it was set up, while {doing}."
    return _Reading("django-apps-not-ready", headline, [advice], shown=shown)


def _settings_too_late(asked: Asked, doing: str, chain: list[BaseException]) -> _Reading | None:
    """Read the error of Django that means: no settings yet."""
    error = _find(chain, "ImproperlyConfigured")
    if error is None or "settings are not configured" not in str(error):
        return None
    manage = find_manage(Path(asked.paths[0]), asked.rootdir)
    module = source.settings_literal(manage)
    headline = f"Django's settings were needed before {VARIABLE} was set, while {doing}."
    advice = ["Set it before get_wsgi_application() is called:"]
    advice.append(f'    os.environ.setdefault("{VARIABLE}", "{module or "PKG.settings"}")')
    options = ("--wsgi-env", f"{VARIABLE}={module}") if module else ()
    shown = "django before setup" if module else ""
    return _Reading("django-settings-not-configured", headline, advice, options, shown)


def _find(chain: list[BaseException], name: str) -> BaseException | None:
    """Return the exception of the class `name`, which is known by name: Django is not imported."""
    return {type(error).__name__: error for error in chain}.get(name)


def _frames_too_early(chain: list[BaseException]) -> list[tuple[FrameType, int]]:
    error = _find(chain, "AppRegistryNotReady")
    return list(_frames(error)) if error else []


def _spot(frame: FrameType) -> tuple[str, str]:
    """Return in which module and function a frame is."""
    return str(frame.f_globals.get("__name__")), frame.f_code.co_name


def _is_in_wsgi_file(step: tuple[tuple[FrameType, int], object]) -> bool:
    """Tell whether the file that imports is the one that makes Django's application."""
    file = Path(step[0][0].f_code.co_filename)
    return any(source.mentions(file, name) for name in ("get_wsgi_application", "WSGIHandler"))


def _settings_in_use(_: Asked, doing: str, chain: list[BaseException]) -> _Reading | None:
    """Read the refusal of Django to be configured by hand after another target has set it up."""
    owner = find_owner()
    if owner is None or "Settings already configured" not in _last_line(chain[-1]):
        return None
    by = f"{owner.settings} (set by {owner.target})"
    headline = f"Django is already set up with {by}, but {doing} configures it by hand."
    return _Reading(IN_USE, headline, ["Each of them needs a pytest run of its own."])


def _warning(_: Asked, doing: str, chain: list[BaseException]) -> _Reading | None:
    if not isinstance(chain[0], Warning):
        return None
    headline = f"A warning was turned into an error while {doing}: {_last_line(chain[0])}"
    advice = [
        "The filters of warnings (-W error, filterwarnings) do that; this one can be let off:"
    ]
    name = type(chain[0]).__name__
    return _Reading("import-failed-warning", headline, advice, ("-W", f"default::{name}"))


def _relative_import(_: Asked, doing: str, chain: list[BaseException]) -> _Reading | None:
    """Read a relative import in a file that was loaded by its path, outside any package."""
    if "attempted relative import with no known parent" not in _last_line(chain[0]):
        return None
    headline = f"A relative import failed while {doing}: the file lies outside any package."
    advice = ["Add an __init__.py to its directory, or import by absolute names."]
    return _Reading("file-outside-package", headline, advice)


def _filled(lines: list[str]) -> list[str]:
    return [line for line in lines if line]


_Reader = Callable[[Asked, str, list[BaseException]], _Reading | None]
_READERS: tuple[_Reader, ...] = (
    _environment_variable,
    _settings_missing,
    _module_missing,
    _syntax_error,
    _process_exit,
    _handler_without_setup,
    _imported_before_setup,
    _apps_not_ready,
    _settings_too_late,
    _settings_in_use,
    _relative_import,
    _warning,
)
