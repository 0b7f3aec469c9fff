"""What real middleware breaks: every rule with its reason, verified in the source.

`reports/middleware.md` is made of this data, and the tests beside it hold it against real runs: a
rule that is broken and not written down here fails them, and so does one that no longer is.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from shutil import copy
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from pytest_wsgi.catalogue import CATALOGUE, Level
from pytest_wsgi.rules import load_rules
from pytest_wsgi.scripts import SCRIPTS
from real.conftest import APPS, install, make_environ

if TYPE_CHECKING:
    from collections.abc import Iterator

FILE = Path(__file__).parents[2] / "reports" / "middleware.md"
COMMAND = "PYTHONPATH=tests:fixtures python -m real.middleware"
MODULE = "middlewares.py"
STYLE = "static/style.css"

SECONDS = 30
FEW = 10

ALL = tuple(SCRIPTS)
"""Every way in which the application behind may be reached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A rule that a middleware breaks, and why: where it can be read in its source.

    `issue` is where it is known upstream. What `is_chance` is broken in some runs only.
    """

    rule: str
    why: str
    issue: str = ""
    is_chance: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Middleware:
    """A middleware of a package; `seen` is the version that `broken` was verified on.

    `spec` is what the command is given, with `options`. `unreached` are the ways in which the
    application behind was never reached; where `is_racy`, that differs from run to run. `apart` is
    what is installed for this run only.
    """

    name: str
    package: str
    seen: str
    spec: str
    options: tuple[str, ...] = ()
    broken: tuple[Broken, ...] = ()
    unreached: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()
    is_racy: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """What came of a run: its output, and what the report says."""

    output: str
    broken: frozenset[str]
    errors: frozenset[str]
    unreached: tuple[str, ...]


def lazy(where: str) -> tuple[Broken, ...]:
    """Return what a generator function breaks that calls the application when it is iterated."""
    return (
        Broken(
            rule="write-is-called-before-the-return",
            why=f"{where} is a generator: the application runs, and writes, when it is iterated",
        ),
        Broken(
            rule="write-is-handed-on-before-the-return",
            why=f"{where} hands on start_response as it is, whose write() comes too late, as above",
        ),
    )


def buffering(where: str, *, answers_empty: bool = True) -> tuple[Broken, ...]:
    """Return what a middleware breaks that collects the whole body before it returns."""
    empty = Broken(
        rule="middleware-answers-empty-blocks",
        why=f"{where} has taken them all before it yields any, as above",
    )
    return (
        Broken(
            rule="middleware-returns-before-it-iterates",
            why=f"{where} takes all of the body before it returns",
        ),
        Broken(
            rule="middleware-yields-before-it-asks-for-more",
            why=f"{where} yields nothing before it has all of the body",
        ),
        *(() if answers_empty else (empty,)),
    )


_WAYS = (
    *("after-full-iteration", "when-head-is-answered", "when-its-body-is-empty"),
    "when-its-iteration-raises",
)
"""How a body ends while the server is there."""


def never_closes(where: str, *, of: tuple[str, ...], issue: str = "") -> tuple[Broken, ...]:
    """Return the ways in which close() is lost."""
    return tuple(Broken(rule=f"iterable-is-closed-{way}", why=where, issue=issue) for way in of)


def starts_too_late(where: str) -> Broken:
    """Return what a generator around the iterable breaks, whose finally closes it."""
    return Broken(
        rule="iterable-is-closed-when-the-client-leaves-before-the-first-block",
        why=f"{where} closes in a finally clause, which a generator that was never started does "
        "not come to",
    )


def needs_path_info(where: str) -> Broken:
    """Return the advice for what reads PATH_INFO without a default."""
    return Broken(rule="path-info-may-be-absent", why=f"{where} needs PATH_INFO in environ")


def needs_script_name(where: str) -> Broken:
    """Return what is broken by reading SCRIPT_NAME without a default."""
    return Broken(rule="script-name-may-be-absent", why=f"{where} needs SCRIPT_NAME in environ")


def traps_start_response(where: str) -> Broken:
    """Return what an error page breaks that hides what start_response raised."""
    return Broken(
        rule="errors-of-start-response-are-not-trapped",
        why=f"{where} catches what start_response raised again after output, and goes on",
    )


def page_after_output(where: str) -> tuple[Broken, ...]:
    """Return what is broken by an error page that is tried whatever was sent."""
    return (
        traps_start_response(where),
        Broken(
            rule="late-errors-use-exc-info",
            why=f"{where} calls start_response without exc_info for its page, and takes the "
            "exception for a sign that headers were sent",
        ),
        Broken(
            rule="application-stops-when-start-response-raises",
            why=f"{where} catches that exception, as above",
        ),
        Broken(
            rule="errors-after-output-break-the-response-off",
            why=f"{where} then ends the response as if it were whole",
        ),
    )


def makes_body_longer(where: str) -> Broken:
    """Return what an error page at the end of a body breaks."""
    return Broken(
        rule="content-length-is-exact",
        why=f"{where} adds an error page to a body whose Content-Length was sent",
    )


def refuses_what_is_lawful(where: str) -> Broken:
    """Return what a linter breaks that is stricter than the PEP."""
    return Broken(
        rule="application-traps-its-errors",
        why=f"{where} asserts a Content-Type, which an answer of no bytes need not have",
    )


def drops_exc_info(where: str) -> tuple[Broken, ...]:
    """Return what is broken by calling start_response without the third argument."""
    return (
        Broken(
            rule="exc-info-is-passed-on",
            why=f"{where} takes exc_info and calls start_response(status, headers)",
        ),
        Broken(rule="late-errors-use-exc-info", why="As above, seen from the server"),
    )


def swallows_late_status(where: str) -> tuple[Broken, ...]:
    """Return what is broken by a start_response that says nothing after the return."""
    return (
        Broken(
            rule="start-response-comes-before-the-body",
            why=f"{where} swallows a status that it looks for when the application starts late, "
            "and the iterable is returned already",
        ),
        Broken(
            rule="wsgiref-validate-finds-no-broken-must",
            why="wsgiref.validate says the same",
        ),
    )


def fails_by_bytes(where: str) -> Broken:
    """Return the advice for an error over a path or query that is no text."""
    return Broken(rule="undecodable-requests-are-answered", why=where)


def reads_body_first(where: str) -> Broken:
    """Return the advice for who copies the body of the request before the call."""
    return Broken(rule="request-body-waits-for-its-reader", why=where)


MIDDLEWARE: tuple[Middleware, ...] = (
    Middleware(
        name="WhiteNoise",
        package="whitenoise",
        seen="6.12.0",
        spec="whitenoise:WhiteNoise(root='static', prefix='static/')",
    ),
    Middleware(
        name="Werkzeug's ProxyFix",
        package="Werkzeug",
        seen="3.1.9",
        spec="werkzeug.middleware.proxy_fix:ProxyFix(x_for=1, x_proto=1, x_host=1, x_prefix=1)",
    ),
    Middleware(
        name="Werkzeug's DispatcherMiddleware",
        package="Werkzeug",
        seen="3.1.9",
        spec="middlewares:dispatcher",
    ),
    Middleware(
        name="Werkzeug's SharedDataMiddleware",
        package="Werkzeug",
        seen="3.1.9",
        spec="werkzeug.middleware.shared_data:SharedDataMiddleware(exports={'/static': 'static'})",
    ),
    Middleware(
        name="Werkzeug's ProfilerMiddleware",
        package="Werkzeug",
        seen="3.1.9",
        spec="werkzeug.middleware.profiler:ProfilerMiddleware(stream=None)",
        broken=(
            *buffering("ProfilerMiddleware.__call__()", answers_empty=False),
            *never_closes(
                "runapp() in ProfilerMiddleware.__call__() closes after the loop, without finally",
                of=("when-its-iteration-raises",),
            ),
        ),
    ),
    Middleware(
        name="Werkzeug's LintMiddleware",
        package="Werkzeug",
        seen="3.1.9",
        spec="werkzeug.middleware.lint:LintMiddleware",
        broken=(
            Broken(
                rule="input-has-its-four-methods",
                why="InputStream in lint.py has no readlines()",
            ),
        ),
    ),
    Middleware(
        name="WebOb's wsgify.middleware",
        package="WebOb",
        seen="1.8.11",
        spec="middlewares:wsgify",
        broken=(
            Broken(
                rule="middleware-returns-before-it-iterates",
                why="Request.call_application() takes the whole body of an application that starts "
                "its response late",
            ),
            Broken(
                rule="middleware-yields-before-it-asks-for-more",
                why="Request.call_application(), as above",
            ),
            Broken(
                rule="exc-info-before-output-is-taken",
                why="Request.call_application() raises exc_info again at once, although nothing "
                "was sent: the error page of the application is lost",
            ),
            Broken(
                rule="iterable-is-closed-when-the-server-refuses",
                why="Response.__call__() calls start_response when it has the iterable, without "
                "try",
            ),
        ),
    ),
    Middleware(
        name="WebTest's lint",
        package="WebTest",
        seen="3.0.7",
        spec="webtest.lint:middleware",
    ),
    Middleware(
        name="wsgiref.validate",
        package="",
        seen="3.11",
        spec="wsgiref.validate:validator",
        broken=(
            needs_script_name("A message in check_environ()"),
            needs_path_info("A message in check_environ()"),
            refuses_what_is_lawful("check_content_type()"),
            Broken(
                rule="input-methods-take-an-optional-size",
                why="InputWrapper.read() asserts that it is given a size",
            ),
        ),
    ),
    Middleware(
        name="Paste's gzipper",
        package="Paste",
        seen="3.10.1",
        spec="paste.gzipper:middleware",
        broken=(
            *buffering("GzipResponse.finish_response()"),
            Broken(
                rule="declared-compression-is-applied",
                why="gzip_start_response() returns buffer.write: what is written is not compressed",
            ),
            Broken(
                rule="vary-names-what-the-content-depends-on",
                why="gzip_start_response() sets Content-Encoding and no Vary",
            ),
            Broken(
                rule="no-content-has-no-content-length",
                why="finish_response() sets Content-Length: 0 whatever the status is",
            ),
        ),
    ),
    Middleware(
        name="Paste's Cascade",
        package="Paste",
        seen="3.10.1",
        spec="middlewares:cascade",
        broken=(
            *swallows_late_status("repl_start_response() in Cascade.__call__()"),
            Broken(
                rule="head-has-no-body",
                why="HTTPException.wsgi_application(), which answers last here, makes a page for "
                "HEAD too",
            ),
            reads_body_first("Cascade.__call__() copies the body, to give it to each application"),
        ),
    ),
    Middleware(
        name="Paste's URLMap",
        package="Paste",
        seen="3.10.1",
        spec="middlewares:urlmap",
        broken=(
            needs_script_name("URLMap.__call__()"),
            needs_path_info("URLMap.__call__()"),
        ),
    ),
    Middleware(
        name="Paste's errordocument",
        package="Paste",
        seen="3.10.1",
        spec="paste.errordocument:forward(codes={404: '/not-found', 500: '/failed'})",
        broken=(
            *swallows_late_status("change_response() in StatusBasedForward.__call__()"),
            Broken(
                rule="late-errors-use-exc-info",
                why="StatusBasedForward calls the application again after start_response was called"
                " with the first status, and StatusKeeper starts anew without exc_info",
            ),
            Broken(
                rule="error-head-takes-the-place-of-the-first",
                why="change_response() swallows the error of an application that has started",
            ),
            Broken(
                rule="exc-info-after-output-stops-the-application",
                why="change_response() swallows exc_info too, and returns",
            ),
            Broken(
                rule="content-length-is-exact",
                why="StatusKeeper keeps the headers of the first response, with its "
                "Content-Length, for the text of its own that it sends in a loop of errors",
            ),
            Broken(
                rule="second-call-gets-an-environ-of-its-own",
                why="StatusKeeper.__call__() gives the environ of the first call to the second",
            ),
        ),
    ),
    Middleware(
        name="Paste's TransLogger",
        package="Paste",
        seen="3.10.1",
        spec="paste.translogger:TransLogger(setup_console_handler=False)",
        broken=(*drops_exc_info("replacement_start_response() in TransLogger.__call__()"),),
    ),
    Middleware(
        name="Paste's RegistryManager",
        package="Paste",
        seen="3.10.1",
        spec="paste.registry:RegistryManager",
    ),
    Middleware(
        name="Paste's RegistryManager, streaming",
        package="Paste",
        seen="3.10.1",
        spec="paste.registry:RegistryManager(streaming=True)",
        broken=(
            *lazy("RegistryManager.streaming_iter()"),
            *never_closes(
                "RegistryManager.streaming_iter() calls no close()",
                of=(*_WAYS, "when-the-client-leaves-midway"),
            ),
        ),
    ),
    Middleware(
        name="Paste's ConfigMiddleware",
        package="Paste",
        seen="3.10.1",
        spec="paste.config:ConfigMiddleware(config={'debug': 'false'})",
    ),
    Middleware(
        name="Paste's AuthBasicHandler",
        package="Paste",
        seen="3.10.1",
        spec="middlewares:auth_basic",
        unreached=ALL,
        broken=(
            Broken(
                rule="head-has-no-body",
                why="HTTPException.wsgi_application() makes a page for HEAD too",
            ),
        ),
    ),
    Middleware(
        name="Paste's HTTPExceptionHandler",
        package="Paste",
        seen="3.10.1",
        spec="paste.httpexceptions:HTTPExceptionHandler",
    ),
    Middleware(
        name="Paste's RecursiveMiddleware",
        package="Paste",
        seen="3.10.1",
        spec="paste.recursive:RecursiveMiddleware",
    ),
    Middleware(
        name="Paste's SessionMiddleware",
        package="Paste",
        seen="3.10.1",
        spec="paste.session:SessionMiddleware(session_file_path='.')",
        broken=(*drops_exc_info("session_start_response() in SessionMiddleware.__call__()"),),
    ),
    Middleware(
        name="Paste's CgitbMiddleware",
        package="Paste",
        seen="3.10.1",
        spec="paste.cgitb_catcher:CgitbMiddleware(display=True)",
        broken=(
            traps_start_response("CgitbMiddleware.catching_iter()"),
            makes_body_longer("CgitbMiddleware.catching_iter()"),
            *never_closes(
                "CgitbMiddleware.catching_iter() closes in no finally clause: a GeneratorExit "
                "passes by it",
                of=(
                    "when-the-client-leaves-midway",
                    "when-the-client-leaves-before-the-first-block",
                ),
            ),
        ),
    ),
    Middleware(
        name="Paste's ErrorMiddleware",
        package="Paste",
        seen="3.10.1",
        spec="paste.exceptions.errormiddleware:ErrorMiddleware(debug=False)",
        broken=(
            Broken(
                rule="handed-start-response-returns-write",
                why="ResponseStartChecker.__call__() returns nothing",
            ),
            traps_start_response("CatchingIter.next()"),
            makes_body_longer("CatchingIter.next()"),
        ),
    ),
    Middleware(
        name="Paste's lint",
        package="Paste",
        seen="3.10.1",
        spec="paste.lint:middleware",
        broken=(refuses_what_is_lawful("check_content_type()"),),
    ),
    Middleware(
        name="Beaker's SessionMiddleware",
        package="Beaker",
        seen="1.14.1",
        spec="beaker.middleware:SessionMiddleware("
        "config={'session.type': 'memory', 'session.auto': True})",
    ),
    Middleware(
        name="Beaker's CacheMiddleware",
        package="Beaker",
        seen="1.14.1",
        spec="beaker.middleware:CacheMiddleware(config={'cache.type': 'memory'})",
    ),
    Middleware(
        name="Sentry's SentryWsgiMiddleware",
        package="sentry-sdk",
        seen="2.75.0",
        spec="middlewares:sentry",
    ),
    Middleware(
        name="OpenTelemetryMiddleware",
        package="opentelemetry-instrumentation-wsgi",
        seen="0.66b2",
        spec="opentelemetry.instrumentation.wsgi:OpenTelemetryMiddleware",
        broken=(starts_too_late("_end_span_after_iterating()"),),
    ),
    Middleware(
        name="ElasticAPM",
        package="elastic-apm",
        seen="6.26.2",
        spec="middlewares:elastic_apm",
        broken=(
            *lazy("ElasticAPM.__call__()"),
            *never_closes(
                "ElasticAPM.__call__() calls no close()",
                of=(*_WAYS, "when-the-client-leaves-midway"),
            ),
        ),
    ),
    Middleware(
        name="New Relic's WSGIApplicationWrapper, without an agent",
        package="newrelic",
        seen="14.1.0",
        spec="newrelic.agent:WSGIApplicationWrapper",
        broken=(
            Broken(
                rule="input-has-its-four-methods",
                why="_WSGIInputWrapper has no __iter__(), and Python does not ask its __getattr__()"
                " for one",
            ),
        ),
    ),
    Middleware(
        name="Datadog's DDWSGIMiddleware",
        package="ddtrace",
        seen="4.16.0",
        spec="ddtrace.contrib.wsgi:DDWSGIMiddleware",
        options=(
            *("-p", "no:ddtrace", "--wsgi-env", "DD_TRACE_ENABLED=false"),
            *("--wsgi-env", "DD_INSTRUMENTATION_TELEMETRY_ENABLED=false"),
            *("--wsgi-env", "DD_REMOTE_CONFIGURATION_ENABLED=false"),
        ),
        apart=("ddtrace==4.16.0",),
        broken=(
            Broken(
                rule="close-is-called-on-the-iterable-itself",
                why="_TracedIterable in _trace/trace_handlers.py wraps iter(iterable), and closes "
                "that, unless app_is_iterator is set",
                issue="https://github.com/DataDog/dd-trace-py/issues/5325",
            ),
        ),
    ),
    Middleware(
        name="prometheus_client beside an application, by Werkzeug's dispatcher",
        package="prometheus-client",
        seen="0.26.0",
        spec="middlewares:prometheus",
    ),
    Middleware(
        name="repoze.who",
        package="repoze.who",
        seen="3.2.0",
        spec="middlewares:repoze_who",
        broken=(
            Broken(
                rule="middleware-returns-before-it-iterates",
                why="wrap_generator() takes the first block in the call, to learn the status",
            ),
            Broken(
                rule="handed-write-takes-bytes",
                why="StartResponseWrapper.buffer is a StringIO, which takes no bytes",
            ),
            Broken(
                rule="late-starts-are-answered-alike",
                why="wrap_generator() iterates twice over the iterable: one that is no iterator "
                "gives its first block twice",
            ),
            Broken(
                rule="exc-info-after-output-stops-the-application",
                why="StartResponseWrapper keeps what it is given, and calls start_response once, "
                "before the response is sent",
            ),
            *never_closes(
                "wrap_generator() closes in no finally clause",
                of=(
                    "when-its-iteration-raises",
                    "when-the-client-leaves-midway",
                    "when-the-client-leaves-before-the-first-block",
                ),
            ),
            Broken(
                rule="iterable-is-closed-when-the-server-refuses",
                why="PluggableAuthenticationMiddleware.__call__() calls start_response when it has "
                "the iterable, without try",
            ),
        ),
    ),
    Middleware(
        name="repoze.tm2",
        package="repoze.tm2",
        seen="2.3",
        spec="repoze.tm:TM",
        broken=(
            *lazy("TM.__call__()"),
            *never_closes("TM.__call__() calls no close()", of=_WAYS),
            Broken(
                rule="close-is-called-on-the-iterable-itself",
                why="`yield from` in TM.__call__() closes an iterator that is left early, and not "
                "the iterable",
            ),
        ),
    ),
    Middleware(
        name="repoze.profile",
        package="repoze.profile",
        seen="2.3",
        spec="repoze.profile:ProfileMiddleware(log_filename='profile.log')",
        broken=(needs_path_info("MiniRequest in profiler.py"),),
    ),
    Middleware(
        name="repoze.profile, unwinding",
        package="repoze.profile",
        seen="2.3",
        spec="repoze.profile:ProfileMiddleware(log_filename='profile.log', unwind=True)",
        broken=(
            *buffering("PROFILE_EXEC_EAGER in profiler.py", answers_empty=False),
            *never_closes(
                "PROFILE_EXEC_EAGER in profiler.py closes after the loop, without finally",
                of=("when-its-iteration-raises",),
            ),
            needs_path_info("MiniRequest in profiler.py"),
        ),
    ),
    Middleware(
        name="repoze.retry",
        package="repoze.retry",
        seen="2.2",
        spec="repoze.retry:Retry(tries=3)",
        broken=(
            Broken(
                rule="late-start-response-is-waited-for",
                why="Retry.__call__() raises AppMustCallStartResponseBeforeReturning",
            ),
            starts_too_late("close_when_done_generator()"),
            Broken(
                rule="iterable-is-closed-when-the-server-refuses",
                why="Retry.__call__() calls start_response when it has the iterable, without try",
            ),
            reads_body_first("Retry.__call__() copies the body, to give it to each try"),
        ),
    ),
    Middleware(
        name="wsgicors",
        package="wsgicors",
        seen="0.7.0",
        spec="wsgicors:CORS(headers='*', methods='*', origin='copy', maxage='180')",
    ),
    Middleware(
        name="a2wsgi, from WSGI to ASGI and back",
        package="a2wsgi",
        seen="1.10.10",
        spec="middlewares:a2wsgi",
        options=("--wsgi-timeout", "1"),
        is_racy=True,
        broken=(
            Broken(
                rule="application-answers-in-time",
                why="ASGIResponder.__call__() asks for the rest of a body that ended early, for "
                "ever",
            ),
            Broken(
                rule="error-head-takes-the-place-of-the-first",
                why="WSGIResponder.start_response() sends the first head at once, and no second",
            ),
            Broken(
                rule="content-length-is-exact",
                why="WSGIResponder.__call__() cancels its sender when the application raises, with "
                "blocks not sent; where that was noticed first, ASGIResponder ends as if all was "
                "sent",
                is_chance=True,
            ),
            Broken(
                rule="exc-info-after-output-stops-the-application",
                why="WSGIResponder.start_response() returns whatever was sent; the error is raised "
                "when the response is over",
                is_chance=True,
            ),
            Broken(
                rule="reason-phrase-is-handed-on",
                why="ASGI has no reason phrases: StatusStringMapping makes one of the number",
            ),
            fails_by_bytes(
                "build_scope() in a2wsgi/asgi.py takes the path for UTF-8 and the query for ASCII"
            ),
        ),
    ),
    Middleware(
        name="asgiref's WsgiToAsgi behind a2wsgi",
        package="asgiref",
        seen="3.13.0",
        spec="middlewares:asgiref",
        options=("--wsgi-timeout", "1"),
        is_racy=True,
        broken=(
            Broken(
                rule="application-answers-in-time",
                why="ASGIResponder of a2wsgi does not tell its application that the client has "
                "left; that of asgiref waits in the only thread of sync_to_async, for ever",
            ),
            Broken(
                rule="handed-start-response-returns-write",
                why="WsgiToAsgiInstance.start_response() returns nothing",
            ),
            fails_by_bytes(
                "build_scope() in a2wsgi/asgi.py takes the path for UTF-8 and the query for ASCII"
            ),
        ),
    ),
    Middleware(
        name="backlash's debugger",
        package="backlash",
        seen="0.5.1",
        spec="backlash.wsgi:WsgiDebuggedApplication",
        broken=(
            *lazy("WsgiDebuggedApplication.debug_application()"),
            *page_after_output("WsgiDebuggedApplication.debug_application()"),
        ),
    ),
    Middleware(
        name="backlash's TraceErrorsMiddleware",
        package="backlash",
        seen="0.5.1",
        spec="backlash.tracing.errors:TraceErrorsMiddleware(reporters=[], context_injectors=[])",
        broken=(
            *page_after_output("TraceErrorsMiddleware._generate_response()"),
            starts_too_late("_report_errors_while_consuming_iter()"),
        ),
    ),
    Middleware(
        name="backlash's TraceSlowRequestsMiddleware",
        package="backlash",
        seen="0.5.1",
        spec="backlash.tracing.slowrequests:TraceSlowRequestsMiddleware("
        "reporters=[], context_injectors=[])",
        broken=(starts_too_late("TraceSlowRequestsMiddleware._stream_response()"),),
    ),
    Middleware(
        name="dj-static with static3",
        package="dj-static",
        seen="0.0.6",
        spec="middlewares:dj_static",
    ),
)


def find_version(subject: Middleware) -> str:
    """Return the version that is installed here, or an empty text."""
    if not subject.package:
        return ".".join(map(str, sys.version_info[:2]))
    try:
        return metadata.version(subject.package)
    except metadata.PackageNotFoundError:
        return ""


def examine(subject: Middleware, directory: Path, *libraries: Path) -> Found:
    """Run the command on a middleware, in a directory, and return what came of it."""
    copy(APPS / MODULE, directory)
    (directory / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    (directory / STYLE).parent.mkdir(exist_ok=True)
    (directory / STYLE).write_text("body { margin: 0 }\n", encoding="utf-8")
    report = directory / "report.json"
    command = [sys.executable, "-m", "pytest", "--wsgi-middleware", subject.spec]
    try:
        done = subprocess.run(
            [*command, "--wsgi-report", str(report), *subject.options],
            cwd=directory,
            env=make_environ(*libraries),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=SECONDS,
        )
        output = done.stdout
    except subprocess.TimeoutExpired as late:  # threads of the middleware are stuck
        output = str(late.stdout)
    assert report.is_file(), output
    values = json.loads(report.read_text("utf-8"))
    return Found(
        output,
        frozenset(rule["id"] for rule in values["rules"] if rule["verdict"] == "broken"),
        frozenset(rule["id"] for rule in values["rules"] if rule["verdict"] == "harness error"),
        tuple(find_unreached(values["notes"])),
    )


def find_unreached(notes: list[str]) -> Iterator[str]:
    """Yield the scripts that the notes of a report call never reached, in their order."""
    start = "never reached where the application "
    rest = next((note.removeprefix(start) for note in notes if note.startswith(start)), "")
    for name, script in SCRIPTS.items():
        # Some texts have a semicolon of their own, so the note cannot be split.
        if rest == script.text or rest.startswith(f"{script.text}; "):
            rest = rest.removeprefix(script.text).removeprefix("; ")
            yield name


def compare(subject: Middleware, found: Found) -> list[str]:
    """Return what is wrong with what is written down here, after a run."""
    known = {entry.rule for entry in subject.broken}
    sure = {entry.rule for entry in subject.broken if not entry.is_chance}
    is_as_far = subject.is_racy or found.unreached == subject.unreached
    return [
        *(f"{subject.name} breaks {rule}, unexplained" for rule in sorted(found.broken - known)),
        *(f"{subject.name} does not break {rule}" for rule in sorted(sure - found.broken)),
        *(f"{rule} fails over {subject.name}" for rule in sorted(found.errors)),
        *([] if is_as_far else [f"{subject.name} is not reached in {found.unreached}"]),
    ]


_HEAD = f"""\
# Known middleware

What `pytest --wsgi-middleware` finds in real middleware, each around the scripted applications of
the harness. Every line was verified in the source of the version named here; `tests/real` holds
them against real runs. Agents that report to a service are switched off: what they do when they are
on is not on this page.

Generated from `tests/real/middleware.py`: `{COMMAND}`

| middleware | package | verified on | MUST | SHOULD | CONVENTION |
|---|---|---|---|---|---|
"""


def render_page() -> str:
    """Return the text of the page."""
    load_rules()
    rows = "".join(map(render_row, MIDDLEWARE))
    return _HEAD + rows + "".join(map(render_section, MIDDLEWARE))


def render_row(subject: Middleware) -> str:
    """Return the line of a middleware in the table."""
    counts = [len(pick(subject, level)) for level in Level]
    package = subject.package or "Python"
    return f"| {' | '.join((subject.name, package, subject.seen, *map(str, counts)))} |\n"


def render_section(subject: Middleware) -> str:
    """Return how a middleware was called, and what it breaks, in order of weight."""
    lines = [
        f"- {level.name} `{entry.rule}`{' (in some runs)' if entry.is_chance else ''}: "
        f"{entry.why}.{f' Known: <{entry.issue}>.' if entry.issue else ''}\n"
        for level in Level
        for entry in pick(subject, level)
    ]
    missed = [SCRIPTS[name].text for name in subject.unreached]
    texts = "; ".join(missed) if len(missed) < FEW else f"any of the {len(SCRIPTS)} ways"
    reached = f"\nThe application behind was never reached in {texts}.\n" if missed else ""
    if subject.is_racy:
        reached = (
            "\nRequests hang here, so how much of the rest is asked differs from run to run.\n"
        )
    called = " ".join(("--wsgi-middleware", f'"{subject.spec}"', *subject.options))
    listed = "".join(lines) or "Nothing is broken.\n"
    return f"\n## {subject.name}\n\n`{called}`\n\n{listed}{reached}"


def pick(subject: Middleware, level: Level) -> list[Broken]:
    """Return what a middleware breaks on a level."""
    return [entry for entry in subject.broken if CATALOGUE[entry.rule].level is level]


def main() -> int:
    """Run everything that can be run here; write the page where all is as it says."""
    faults = []
    for subject in MIDDLEWARE:
        version = find_version(subject)
        with TemporaryDirectory() as directory:
            home = Path(directory)
            if subject.apart and not version:
                install(home / "apart", *subject.apart)
            elif version != subject.seen:
                faults.append(f"{subject.name} is of version {version or '(none)'} here")
            faults += compare(subject, examine(subject, home, home / "apart"))
    FILE.write_text(render_page(), encoding="utf-8")
    sys.stderr.writelines(f"{fault}\n" for fault in faults)
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
