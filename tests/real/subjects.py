"""What real applications break: every rule with its reason, verified in the source or on the wire.

Data only; what Django breaks is in djangos.py. `reports/frameworks.md` is made of both, and the
tests beside it hold it against real runs: a rule that is broken and not written down here fails
them, and so does one that no longer is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

PAGES = ("/stream", "/file", "/redirect", "/empty", "/error")
"""What the applications of fixtures/apps have beside `/`."""

FLASK_FILES = (
    *("/context", "/decorated", "/cursor", "/disk", "/unconditional", "/memory", "/download"),
    *("/directory", "/tagged", "/large", "/streamed", "/upload", "/body"),
)
"""What fixtures/apps/flask_files.py has beside `/`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A rule that a subject breaks, and why: where it can be read or seen.

    `only` is empty for what every run shows, "pages" for what a page beside `/` shows, and "unsafe"
    for what requests with bodies show.
    """

    rule: str
    why: str
    only: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """An application of fixtures/apps. `seen` is the version that `broken` was verified on."""

    name: str
    seen: str
    module: str
    spec: str
    pages: tuple[str, ...] = PAGES
    broken: tuple[Broken, ...] = ()


def fails_without_path_info(why: str) -> Broken:
    """Return the advice for a framework that needs PATH_INFO in environ."""
    return Broken(rule="path-info-may-be-absent", why=why)


def fails_by_path_bytes(why: str) -> Broken:
    """Return the advice for a framework that lets the error of a path that is no UTF-8 out."""
    return Broken(rule="undecodable-requests-are-answered", why=why)


def lets_errors_out(why: str) -> Broken:
    """Return the SHOULD that a framework breaks which leaves exceptions to the server."""
    return Broken(rule="application-traps-its-errors", why=why, only="pages")


def names_any_host(why: str) -> Broken:
    """Return the advice for a framework that makes links of whatever Host it is asked for."""
    return Broken(rule="urls-name-no-host-that-is-not-ours", why=why)


HOST_BY_WERKZEUG = names_any_host(
    "Asked for the empty path, MapAdapter.make_redirect_url() of Werkzeug redirects to the Host of "
    "the request; trusted hosts are a setting"
)

SHORT_HEAD = Broken(
    rule="content-length-of-head-is-that-of-get",
    why="WebOb's WSGIHTTPException makes no page for HEAD: Content-Length 0, where GET has more; "
    "seen through waitress",
)

TYPED_204 = Broken(
    rule="wsgiref-validate-has-no-advice",
    why="Its 204 has a Content-Type: lawful, but wsgiref.validate refuses it",
    only="pages",
)

FRAMEWORKS = (
    Subject(
        name="Flask",
        seen="3.1.3",
        module="flask_app.py",
        spec="flask_app:create_app()",
        pages=(*PAGES, "/memory", "/session"),
        broken=(TYPED_204, HOST_BY_WERKZEUG),
    ),
    Subject(
        name="Pyramid",
        seen="2.1",
        module="pyramid_app.py",
        spec="pyramid_app",
        broken=(
            lets_errors_out(
                "Without an exception view, router.py raises what a view raised; waitress sends "
                "its own 500"
            ),
            fails_by_path_bytes(
                "urldispatch.py raises URLDecodeError for GET /%ff; waitress sends its own 500"
            ),
        ),
    ),
    Subject(
        name="Falcon",
        seen="4.4.0",
        module="falcon_app.py",
        spec="falcon_app.application",
        broken=(
            Broken(
                rule="head-is-answered-like-get",
                why="A resource without on_head answers HEAD with 405, where GET is 200; seen "
                "through waitress",
            ),
            fails_without_path_info("request.py reads env['PATH_INFO']: a KeyError leaves the app"),
        ),
    ),
    Subject(
        name="Bottle",
        seen="0.13.4",
        module="bottle_app.py",
        spec="bottle_app:application",
        broken=(
            Broken(
                rule="etag-is-quoted",
                why="static_file() sends a bare SHA-1 as ETag, without quotes; seen through "
                "waitress",
                only="pages",
            ),
            Broken(
                rule="status-416-has-a-content-range",
                why="static_file() makes a bare HTTPError of a range past the end; seen through "
                "waitress",
                only="pages",
            ),
            Broken(
                rule="if-none-match-overrides-if-modified-since",
                why="static_file() goes on to If-Modified-Since when the ETag is another; seen "
                "through waitress",
                only="pages",
            ),
            Broken(
                rule="variables-stay-bytes-as-text",
                why="Bottle._handle() decodes environ['PATH_INFO'] in place",
            ),
            fails_without_path_info(
                "Bottle._handle() reads environ['PATH_INFO']: a KeyError, and a 500"
            ),
        ),
    ),
    Subject(
        name="CherryPy",
        seen="18.10.0",
        module="cherrypy_app.py",
        spec="cherrypy_app",
        broken=(
            Broken(
                rule="input-is-not-read-past-its-end",
                why="An empty CONTENT_LENGTH is no number for _cpreqbody.py, which then reads "
                "until the stream ends",
                only="unsafe",
            ),
            TYPED_204,
        ),
    ),
    Subject(
        name="Werkzeug",
        seen="3.1.9",
        module="werkzeug_app.py",
        spec="werkzeug_app.application",
        broken=(
            lets_errors_out(
                "Request.application makes responses of HTTPException only; waitress sends its "
                "own 500"
            ),
            TYPED_204,
            HOST_BY_WERKZEUG,
        ),
    ),
    Subject(
        name="WebOb",
        seen="1.8.11",
        module="webob_app.py",
        spec="webob_app",
        broken=(
            lets_errors_out(
                "wsgify makes responses of HTTPException only; waitress sends its own 500"
            ),
            Broken(
                rule="content-length-of-head-is-that-of-get",
                why="WSGIHTTPException.__call__ makes no page for HEAD: Content-Length 0, where "
                "GET has 64; seen through waitress",
            ),
            fails_by_path_bytes(
                "Request.path_info raises UnicodeDecodeError for GET /%ff; waitress sends its own "
                "500"
            ),
            fails_without_path_info(
                "Request.path_info reads environ['PATH_INFO']: a KeyError leaves the app"
            ),
        ),
    ),
    Subject(
        name="Flask, files and streams",
        seen="3.1.3",
        module="flask_files.py",
        spec="flask_files:create_app()",
        pages=FLASK_FILES,
        broken=(HOST_BY_WERKZEUG,),
    ),
    Subject(
        name="Pyramid, traversal",
        seen="2.1",
        module="traversal_app.py",
        spec="traversal_app",
        pages=(
            *("/folder", "/folder/page", "/folder/page/cached", "/stream", "/download", "/count"),
            *("/redirect", "/empty", "/error", "/static/traversal_app.py"),
        ),
        broken=(
            fails_by_path_bytes(
                "traversal.py raises URLDecodeError for GET /%ff: the exception view's 500; seen "
                "through waitress"
            ),
            names_any_host("resource_url() takes the Host of the request; seen through waitress"),
        ),
    ),
    Subject(
        name="Pecan",
        seen="1.8.0",
        module="pecan_app.py",
        spec="pecan_app",
        pages=(*PAGES, "/data"),
        broken=(
            lets_errors_out(
                "Pecan.__call__() lets out what is no HTTPException; waitress sends its own 500"
            ),
            SHORT_HEAD,
            fails_without_path_info(
                "core.py reads WebOb's Request.path_info: a KeyError leaves the app"
            ),
            Broken(
                rule="no-content-has-no-content-length",
                why="_handle_empty_response_body() in core.py makes a 204 of the empty answer to "
                "HEAD /file, and keeps the Content-Length of the file",
                only="pages",
            ),
            names_any_host(
                "Asked for the empty path, redirect() in core.py takes the Host of the request"
            ),
        ),
    ),
    Subject(
        name="TurboGears",
        seen="2.5.1",
        module="turbogears_app.py",
        spec="turbogears_app",
        pages=(
            *("/stream", "/turbogears_app.py", "/data", "/redirect", "/empty", "/forbidden"),
            "/error",
        ),
        broken=(
            lets_errors_out(
                "The minimal configuration reports no errors; waitress sends its own 500"
            ),
            replace(SHORT_HEAD, only="pages"),
            Broken(
                rule="matching-etag-gives-not-modified",
                why="FileServeApp.has_been_modified() in support/statics.py compares If-None-Match "
                "as one text: W/ and lists give 200; seen through waitress",
                only="pages",
            ),
            Broken(
                rule="not-modified-repeats-headers-for-caches",
                why="FileServeApp sends Expires with its 200 and not with its 304; seen through "
                "waitress",
                only="pages",
            ),
            fails_without_path_info(
                "StaticsMiddleware reads environ['PATH_INFO']: a KeyError leaves the app"
            ),
            fails_by_path_bytes(
                "quoted_path_info in request_local.py raises UnicodeDecodeError for GET /%ff; "
                "waitress sends its own 500"
            ),
            Broken(
                rule="application-serves-two-responses-in-turns",
                why="support/registry.py keeps a stack for each thread, and pops it when a "
                "response ends: an AssertionError when that is not the last one",
            ),
            Broken(
                rule="response-is-not-bound-to-a-thread",
                why="RegistryManager.streaming_iter() pops from the stack of the thread that "
                "reads: an AssertionError when another one called",
            ),
            Broken(
                rule="head-has-no-body",
                why="FileServeApp looks at no method",
                only="pages",
            ),
            Broken(
                rule="no-content-has-no-content-length",
                why="WebOb's Response has Content-Length: 0, and TurboGears leaves it there",
                only="pages",
            ),
            TYPED_204,
        ),
    ),
    Subject(
        name="Morepath",
        seen="1.0.0",
        module="morepath_app.py",
        spec="morepath_app",
        pages=("/items/1", *PAGES),
        broken=(
            lets_errors_out(
                "Without an exception view, core.py raises what a view raised; waitress sends its "
                "own 500"
            ),
            Broken(
                rule="status-405-names-allowed-methods",
                why="method_not_allowed() in core.py raises WebOb's HTTPMethodNotAllowed without "
                "Allow; seen through waitress",
            ),
            SHORT_HEAD,
            Broken(
                rule="head-is-answered-like-get",
                why="A view answers GET only unless it names HEAD: 405, seen through waitress",
            ),
            fails_without_path_info(
                "request.py reads WebOb's Request.path_info: a KeyError leaves the app"
            ),
            fails_by_path_bytes(
                "Request.path_info raises UnicodeDecodeError for GET /%ff; waitress sends its own "
                "500"
            ),
            names_any_host("Request.link() takes the Host of the request; seen through waitress"),
        ),
    ),
    Subject(
        name="web.py",
        seen="0.76",
        module="webpy_app.py",
        spec="webpy_app",
        pages=(*PAGES, "/cached"),
        broken=(
            Broken(
                rule="location-is-a-uri-reference",
                why="Without a Host application.load() makes it [unknown], and redirects to "
                "http://[unknown]/; seen through waitress, by HTTP/1.0",
                only="pages",
            ),
            Broken(
                rule="matching-etag-gives-not-modified",
                why="modified() in http.py strips quotes and no W/; seen through waitress",
                only="pages",
            ),
            Broken(
                rule="if-none-match-overrides-if-modified-since",
                why="modified() in http.py takes either for a match; seen through waitress",
                only="pages",
            ),
            fails_without_path_info(
                "application.load() takes bytes(env.get('PATH_INFO'), 'latin1'): a TypeError"
            ),
            Broken(
                rule="content-has-a-content-type",
                why="It adds no Content-Type to a page that sets none, such as our form",
                only="unsafe",
            ),
            Broken(
                rule="not-modified-has-no-content-type",
                why="modified() keeps what the page has set before; seen through waitress",
                only="pages",
            ),
            Broken(
                rule="head-has-no-body",
                why="application._delegate() calls GET for HEAD, and leaves it to the server to "
                "drop the body",
            ),
            Broken(
                rule="wsgiref-validate-has-no-advice",
                why="It misses the Content-Type, as above",
                only="unsafe",
            ),
        ),
    ),
    Subject(
        name="a bare function",
        seen="",
        module="bare_function.py",
        spec="bare_function",
    ),
    Subject(
        name="a class",
        seen="",
        module="class_based.py",
        spec="class_based:Application",
        pages=("/stream", "/file", "/redirect"),
    ),
)
"""Every application of fixtures/apps but those for Django."""


def list_broken(broken: tuple[Broken, ...], *also: str) -> set[str]:
    """Return the ids of the rules that every run breaks, and of those that only `also` shows."""
    return {entry.rule for entry in broken if not entry.only or entry.only in also}
