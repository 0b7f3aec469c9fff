"""Configuration from outside: what is given arrives, and development serves what servers do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_wsgi.catalogue import Finding, Party, rule
from pytest_wsgi.exchange import Loading
from pytest_wsgi.launches import ENVIRONMENT
from pytest_wsgi.rules.launches import find_alone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_wsgi.launches import Runserver


def _list_named(loading: Loading) -> list[tuple[str, str]]:
    """Return the settings modules in packages that files name.

    The environment may be that of the tests.
    """
    named = loading.launches.named if loading.launches is not None else ()
    return [(where, name) for where, name in named if where != ENVIRONMENT and "." in name]


def _find_runserver(loading: Loading) -> Runserver | None:
    alone = find_alone(loading)
    return alone.runserver if alone is not None else None


@rule(
    Loading,
    checks="harness-environment-declared",
    binds=Party.APPLICATION,
    when=find_alone,
)
def environment_needs_are_declared(loading: Loading) -> Iterator[Finding]:
    """The application needs no environment variable but those that --wsgi-env gives.

    Why: what the shell of a developer or of the CI happens to set is not set for a server. mod_wsgi
    needs it in the script itself: SetEnv of Apache reaches environ, and not os.environ.
    """
    alone = find_alone(loading)
    if alone is not None and alone.needs:
        needs = alone.needs
        options = " ".join(f'--wsgi-env {name}="${name}"' for name in needs if name.isidentifier())
        yield Finding(
            expected="a default, or a value from --wsgi-env",
            observed=", ".join(needs),
            message="It loads only with variables of this environment. Whoever deploys it must "
            f"know them; declare them for the tests: {options or '--wsgi-env NAME=VALUE'}",
        )


@rule(
    Loading,
    checks="harness-environment-given",
    binds=Party.APPLICATION,
    when=lambda loading: find_alone(loading) and loading.launches and loading.launches.given,
)
def given_environment_reaches_the_application(loading: Loading) -> Iterator[Finding]:
    """A variable that --wsgi-env gives still has its value when the application is loaded.

    Why: a module that assigns it anew overrules whoever deploys it, and nothing says so.
    """
    alone = find_alone(loading)
    for name in alone.overwritten if alone is not None else ():
        yield Finding(expected=f"{name} as it was given", observed=f"{name} with another value")


@rule(
    Loading,
    checks="harness-override-declared",
    binds=Party.APPLICATION,
    when=lambda loading: loading.launches and loading.launches.overrides,
)
def declared_overrides_change_the_configuration(loading: Loading) -> Iterator[Finding]:
    """A variable that --wsgi-override declares changes the configuration that is loaded.

    Why: it was said to. A name that is misspelt, or read after it matters, changes nothing, and the
    deployment runs with defaults.
    """
    for override in loading.launches.overrides if loading.launches is not None else ():
        if override.problem:
            yield Finding(
                expected=f"an application with {override.name} overridden",
                observed=override.problem,
            )
        elif not override.changed:
            yield Finding(
                expected=f"another configuration with {override.name} overridden",
                observed="the same",
                message=f"Overriding {override.name} changed no setting, no config, no global of "
                "the project's modules and not the answer to GET /.",
            )


@rule(
    Loading,
    checks="config-settings-env-default",
    binds=Party.APPLICATION,
    when=lambda loading: loading.launches and loading.launches.sentinel_wins is not None,
)
def settings_can_be_overridden(loading: Loading) -> Iterator[Finding]:
    """A DJANGO_SETTINGS_MODULE that is set from outside wins over the one in the module.

    Why: where os.environ is assigned, and not given a default, no server can choose other settings,
    and runserver --settings serves others than a server does. Django's own page advises it for
    several sites in one interpreter; but Django keeps the first settings there all the same: each
    site needs a process, or a sub-interpreter of mod_wsgi.
    """
    if loading.launches is not None and loading.launches.sentinel_wins is False:
        yield Finding(
            expected="the settings that DJANGO_SETTINGS_MODULE names",
            observed=f"{loading.launches.alone.settings}, whatever it names",
        )


@rule(
    Loading,
    checks="harness-settings-agree",
    binds=Party.APPLICATION,
    when=lambda loading: len(_list_named(loading)) > 1,
)
def settings_modules_agree(loading: Loading) -> Iterator[Finding]:
    """wsgi.py and manage.py name settings of the same project.

    Why: a name from another project, or from a page that was copied, loads wherever that project is
    installed too, and serves its settings. Other settings of the same package are fine.
    """
    named = _list_named(loading)
    packages = {_find_package(name) for _, name in named}
    if len(packages) > 1:
        (first, one), *others = named
        second, two = next(pair for pair in others if _find_package(pair[1]) != _find_package(one))
        yield Finding(
            expected=f"settings of {_find_package(two)}, as {second} says ({two})",
            observed=f"{one} in {first}",
        )


def _find_package(module: str) -> str:
    return module.partition(".")[0]


@rule(
    Loading,
    checks="harness-runserver-setting",
    binds=Party.APPLICATION,
    when=lambda loading: (runserver := _find_runserver(loading)) and runserver.setting is not None,
)
def wsgi_application_setting_loads(loading: Loading) -> Iterator[Finding]:
    """WSGI_APPLICATION names something that Django can import.

    Why: runserver stops with ImproperlyConfigured; with its reloader it prints that and then waits,
    with nothing listening. Servers do not read the setting and start all the same.
    """
    runserver = _find_runserver(loading)
    if runserver is not None and runserver.trouble:
        yield Finding(
            expected="an application",
            observed=f"WSGI_APPLICATION = {runserver.setting!r}",
            message=f"runserver cannot load it: {runserver.trouble}\nTry: {runserver.advice}",
        )


@rule(
    Loading,
    checks="harness-runserver-alike",
    binds=Party.APPLICATION,
    when=lambda loading: (
        (runserver := _find_runserver(loading)) and (runserver.is_target or runserver.compared)
    ),
)
def runserver_serves_the_application(loading: Loading) -> Iterator[Finding]:
    """Runserver serves what a server that is given this application serves.

    Why: what a developer sees is then not what users get: middleware that wsgi.py adds is missing,
    or another application answers.
    """
    runserver = _find_runserver(loading)
    if runserver is None or runserver.difference is None:
        return
    first = runserver.difference
    if runserver.built_in:
        cause = "Django's own handler served this project before"
    elif runserver.setting is None:
        cause = "WSGI_APPLICATION is not set, so runserver serves Django's own handler"
    else:
        cause = f"runserver serves WSGI_APPLICATION = {runserver.setting!r}"
    yield Finding(
        expected=f"{first.what} {first.target}",
        observed=f"{first.what} {first.other}",
        message=f"{cause}, and {first.request} is answered otherwise there: {first.what} is "
        f"{first.other!r}, and here {first.target!r}.",
    )
