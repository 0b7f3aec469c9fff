"""In fresh processes, as servers start them: the target loads there, and importing it does no more.

What a process of pytest has, such as settings, variables and modules, no server has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_wsgi.catalogue import Finding, Party, rule
from pytest_wsgi.exchange import Loading

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_wsgi.launches import Handler, Launch, Launches, Layer


_HELD = ("Address already in use", "Resource temporarily unavailable")
"""What the system says of something that another process holds, such as this one."""


def find_alone(loading: Loading) -> Launch | None:
    """Return the launch with nothing but defaults where the target loaded there, else None."""
    launches = loading.launches
    return launches.alone if launches is not None and launches.alone.problem is None else None


def _find_trouble(loading: Loading, name: str, expected: str) -> Iterator[Finding]:
    """Yield a finding for the launch of that name where it did not load."""
    launch: Launch | None = getattr(loading.launches, name)
    if launch is not None and launch.problem is not None:
        message = launch.problem.message
        yield Finding(expected=expected, observed=message.partition("\n")[0], message=message)


def _find_effects(loading: Loading, kind: str, expected: str) -> Iterator[Finding]:
    """Yield a finding for every side effect of one kind that the import had."""
    alone = find_alone(loading)
    for effect in alone.effects if alone is not None else ():
        if effect.kind == kind:
            yield Finding(expected=expected, observed=effect.detail)


def _is_decided(launches: Launches) -> bool:
    """Tell whether a failed load is the target's own, and not of what the tests keep from it.

    They may have its database, or hold an address or a lock that it wants.
    """
    problem = launches.alone.problem
    if problem is None:
        return True
    is_kept = launches.has_test_database and launches.alone.is_of_database
    return not is_kept and not any(words in problem.message for words in _HELD)


@rule(
    Loading,
    checks="harness-loads-fresh",
    binds=Party.APPLICATION,
    when=lambda loading: loading.launches and _is_decided(loading.launches),
)
def loading_works_in_a_fresh_process(loading: Loading) -> Iterator[Finding]:
    """The application loads in a fresh process, with nothing but its own defaults.

    Why: a server starts with nothing of what pytest has. pytest-django names the settings and sets
    Django up before anything is loaded, which hides a wsgi.py that no server can load.
    """
    yield from _find_trouble(loading, "alone", "an application, as in this process")


@rule(
    Loading,
    checks="harness-loads-elsewhere",
    binds=Party.APPLICATION,
    when=lambda loading: loading.launches and loading.launches.elsewhere,
)
def loading_works_from_another_directory(loading: Loading) -> Iterator[Finding]:
    """The application loads from any working directory.

    Why: mod_wsgi starts in `/`, a service manager where its unit says, a task queue elsewhere. A
    relative path is looked up there.
    """
    yield from _find_trouble(loading, "elsewhere", "an application, as in its own directory")


@rule(
    Loading,
    checks="harness-loads-c-locale",
    binds=Party.APPLICATION,
    when=lambda loading: loading.launches and loading.launches.c_locale,
)
def loading_works_in_the_c_locale(loading: Loading) -> Iterator[Finding]:
    """The application loads under LC_ALL=C without UTF-8 mode.

    Why: mod_wsgi under Apache and many service managers start in the locale C, where a file that is
    opened without `encoding=` is read as ASCII.
    """
    yield from _find_trouble(loading, "c_locale", "an application, as in other locales")


def _is_comparable(launches: Launches) -> bool:
    """Tell whether both processes were asked, and no database of tests makes the difference."""
    alone = launches.alone
    return alone.asked and not (launches.has_test_database and alone.is_of_database)


@rule(
    Loading,
    checks="harness-answers-alike",
    binds=Party.APPLICATION,
    when=lambda loading: loading.launches and _is_comparable(loading.launches),
)
def fresh_process_answers_alike(loading: Loading) -> Iterator[Finding]:
    """The plain GET is answered in a fresh process with the same status as here.

    Why: what differs comes from the process of pytest, and no user will get it. Where the tests
    have a database of their own and the real one cannot be asked, nothing is said.
    """
    launches = loading.launches
    if launches is not None and launches.alone.code != launches.code:
        failed = f" ({launches.alone.failed} was raised)" if launches.alone.failed else ""
        observed = _name_code(launches.alone.code) + failed
        yield Finding(expected=_name_code(launches.code), observed=observed)


def _name_code(code: int | None) -> str:
    return "no response" if code is None else str(code)


@rule(
    Loading,
    checks="config-import-side-effect-free",
    binds=Party.APPLICATION,
    when=find_alone,
)
def import_starts_no_threads(loading: Loading) -> Iterator[Finding]:
    """Importing the application starts no thread.

    Why: Gunicorn with --preload and uWSGI import once and fork the workers, and a thread does not
    survive a fork: it is missing in every worker, with the locks that it held.
    """
    yield from _find_effects(loading, "thread", "no thread beside the main one")


@rule(
    Loading,
    checks="config-import-side-effect-free",
    binds=Party.APPLICATION,
    when=find_alone,
)
def import_leaves_signal_handlers_alone(loading: Loading) -> Iterator[Finding]:
    """Importing the application installs no signal handler.

    Why: signals belong to the server: one that finds its handlers replaced does not stop or reload
    any more. mod_wsgi ignores them and says so in its log.
    """
    yield from _find_effects(loading, "signal", "the server's own handlers")


@rule(
    Loading,
    checks="config-import-side-effect-free",
    binds=Party.APPLICATION,
    when=find_alone,
)
def import_keeps_the_working_directory(loading: Loading) -> Iterator[Finding]:
    """Importing the application does not change the working directory.

    Why: it is one for the whole process: relative paths of the server, and of every other
    application in it, lead elsewhere from then on.
    """
    yield from _find_effects(loading, "directory", "the directory that the server started in")


@rule(
    Loading,
    checks="config-import-side-effect-free",
    binds=Party.APPLICATION,
    when=find_alone,
)
def import_leaves_sys_path_alone(loading: Loading) -> Iterator[Finding]:
    """Importing the application adds nothing to sys.path.

    Why: the same module may then be imported under two names, and which of two modules of a name is
    found depends on who was imported first. Servers have an option for it: --pythonpath of
    Gunicorn and uWSGI, python-path of mod_wsgi.
    """
    yield from _find_effects(loading, "path", "sys.path as the server made it")


@rule(
    Loading,
    checks="config-import-side-effect-free",
    binds=Party.APPLICATION,
    when=find_alone,
)
def import_writes_nothing_to_stdout(loading: Loading) -> Iterator[Finding]:
    """Importing the application writes nothing to standard output.

    Why: under CGI standard output is the response, and what is printed there comes before its
    status. Logs belong to standard error or to logging.
    """
    yield from _find_effects(loading, "output", "nothing on standard output")


@rule(
    Loading,
    checks="config-import-side-effect-free",
    binds=Party.APPLICATION,
    when=find_alone,
)
def import_reads_nothing_from_stdin(loading: Loading) -> Iterator[Finding]:
    """Importing the application reads nothing from standard input.

    Why: a server has no terminal. Under CGI standard input is the body of the request, mod_wsgi
    raises an error, and a service that waits for an answer never starts.
    """
    yield from _find_effects(loading, "input", "standard input left alone")


@rule(
    Loading,
    checks="config-import-side-effect-free",
    binds=Party.APPLICATION,
    when=find_alone,
)
def import_keeps_the_time_zone(loading: Loading) -> Iterator[Finding]:
    """Importing the application leaves the time zone to the system, or to Django's TIME_ZONE.

    Why: it is one for the whole process: the server's log and every other application in it get
    other times. Django sets it on purpose, from its settings.
    """
    yield from _find_effects(loading, "time zone", "the time zone of the system")


@rule(
    Loading,
    checks="config-import-side-effect-free",
    binds=Party.APPLICATION,
    when=find_alone,
)
def import_opens_no_connections(loading: Loading) -> Iterator[Finding]:
    """Importing the application opens no connection, no listening socket and no database.

    Why: the workers that are forked from one import would share it, and mix up what they send; and
    while the other side is down, no worker starts.
    """
    yield from _find_effects(loading, "connection", "connections opened when they are needed")


@rule(
    Loading,
    checks="config-reimport-idempotent",
    binds=Party.APPLICATION,
    when=lambda loading: (alone := find_alone(loading)) and alone.again is not None,
)
def second_import_changes_nothing(loading: Loading) -> Iterator[Finding]:
    """Importing the module once more gives an application of the same kind.

    Why: mod_wsgi imports a script again when its file changes, and a module that is found under two
    names is imported twice in any process.
    """
    alone = find_alone(loading)
    if alone is not None and alone.again:
        yield _tell("what the first import gave", alone.again)


@rule(
    Loading,
    checks="config-reimport-idempotent",
    binds=Party.APPLICATION,
    when=lambda loading: (alone := find_alone(loading)) and alone.recalled is not None,
)
def factory_may_be_called_twice(loading: Loading) -> Iterator[Finding]:
    """A second call of the factory gives an application of the same kind.

    Why: tests and command lines call the factory as well, each for an application of its own.
    """
    alone = find_alone(loading)
    if alone is not None and alone.recalled:
        yield _tell("what the first call gave", alone.recalled)


def _tell(expected: str, observed: str) -> Finding:
    first, _, rest = observed.partition("\n")
    return Finding(expected=expected, observed=first, message=f"{first}\n{rest}" if rest else "")


@rule(
    Loading,
    checks="harness-layers-close",
    binds=Party.APPLICATION,
    when=lambda loading: any(layer.calls for layer in _list_layers(loading)),
)
def wrapping_layers_call_close(loading: Loading) -> Iterator[Finding]:
    """What wraps an application closes what it got from it, whatever the client does.

    Why: close() is what ends a request below: without it Django never sends request_finished, and
    connections and files stay open.
    """
    for layer in _list_layers(loading):
        if layer.lost_closes:
            yield Finding(
                expected=f"close() called on what {layer.inner} returned",
                observed=f"never called when the response was {_join(layer.lost_closes)}",
                message=f"The layer {layer.name} ({layer.place}) loses close(): "
                f"{layer.inner} is not told that its response was {_join(layer.lost_closes)}.",
                layer=name_layer(layer),
            )


@rule(
    Loading,
    checks="harness-layers-environ",
    binds=Party.APPLICATION,
    when=lambda loading: any(layer.calls for layer in _list_layers(loading)),
)
def wrapping_layers_pass_a_latin_1_environ(loading: Loading) -> Iterator[Finding]:
    """What calls another application hands it an environ whose text is bytes as latin-1.

    Why: Django writes the decoded path back into environ: whoever calls a second application with
    that very dict hands it text that no server could have made, and it fails with
    UnicodeEncodeError on any path that is not ASCII. Call each with a copy: `dict(environ)`.
    """
    for layer in _list_layers(loading):
        if layer.odd_variables:
            names = _join(layer.odd_variables)
            yield Finding(
                expected=f"bytes as latin-1 text for {layer.inner}",
                observed=f"{names} with characters beyond latin-1",
                message=f"The layer {layer.name} ({layer.place}) calls {layer.inner} with an "
                f"environ whose {names} no server could have made: one that was called before may "
                "have decoded it.",
                layer=name_layer(layer),
            )


def _list_layers(loading: Loading) -> tuple[Layer, ...]:
    alone = find_alone(loading)
    return alone.layers if alone is not None else ()


def name_layer(layer: Layer) -> str:
    """Return the name of a layer with its place, as the blame of other rules has it."""
    return ", ".join(filter(None, (layer.name, layer.place)))


def _join(words: tuple[str, ...]) -> str:
    return ", or ".join(words)


def _list_handlers(loading: Loading, name: str) -> list[Handler]:
    """Return the handler of mod_wsgi's of that name, where it is there and could be asked."""
    alone = find_alone(loading)
    handlers = alone.handlers if alone is not None else ()
    return [one for one in handlers if one.name == name and not one.undecided]


def _find_faults(loading: Loading, name: str, expected: str) -> Iterator[Finding]:
    for handler in _list_handlers(loading, name):
        if handler.fault:
            yield Finding(expected=expected, observed=f"{name} {handler.fault}")


@rule(
    Loading,
    checks="harness-mod-wsgi-password",
    binds=Party.APPLICATION,
    when=lambda loading: _list_handlers(loading, "check_password"),
)
def check_password_fits_mod_wsgi(loading: Loading) -> Iterator[Finding]:
    """A check_password beside the application fits mod_wsgi's WSGIAuthUserScript.

    Why: mod_wsgi calls it with environ, user and password; it answers every request with an error
    where that fails or where the answer is not True, False or None.
    """
    yield from _find_faults(loading, "check_password", "None or False for an unknown user")


@rule(
    Loading,
    checks="harness-mod-wsgi-groups",
    binds=Party.APPLICATION,
    when=lambda loading: _list_handlers(loading, "groups_for_user"),
)
def groups_for_user_fits_mod_wsgi(loading: Loading) -> Iterator[Finding]:
    """A groups_for_user beside the application fits mod_wsgi's WSGIAuthGroupScript.

    Why: mod_wsgi calls it with environ and user, and takes an iterable of bytes or latin-1 text;
    anything else is an error for every request.
    """
    yield from _find_faults(loading, "groups_for_user", "no groups for an unknown user")
