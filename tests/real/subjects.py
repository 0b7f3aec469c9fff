"""What real applications break: every rule with its reason, verified in the source or on the wire.

Data only. `reports/frameworks.md` is made of it, and the tests beside it hold it against real runs:
a rule that is broken and not written down here fails them, and so does one that no longer is.
"""

from __future__ import annotations

from dataclasses import dataclass

PAGES = ("/stream", "/file", "/redirect", "/empty", "/error")
"""What the applications of fixtures/apps have beside `/`."""


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
        broken=(TYPED_204,),
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

DJANGO_SEEN = {"4.2": "4.2.30", "5.2": "5.2.19", "6.0": "6.0.10"}
"""The series of Django under test, and the version that DJANGO_BROKEN was verified on."""

DJANGO_PYTHONS = {"4.2": (8, 12), "5.2": (10, 14), "6.0": (12, 14)}
"""The first and last minor version of Python 3 that each supports, as its metadata says."""

DJANGO_PAGES = (
    "/empty/",
    "/stream/",
    "/stream",
    "/file/",
    "/redirect/",
    "/count/",
    "/error/",
    "/admin/login/",
)
"""What fixtures/apps/django_pages.py has beside `/`; `/stream` is for APPEND_SLASH."""

_COOKIE_SPACE = Broken(
    rule="header-values-have-no-surrounding-whitespace",
    why="WSGIHandler takes cookie.output(header=''), which begins with a space, as Set-Cookie",
    only="pages",
)

_DJANGO = (
    Broken(
        rule="head-has-no-body",
        why="Since 1.10 the handler leaves it to the server to drop the body",
    ),
    Broken(
        rule="variables-stay-bytes-as-text",
        why="WSGIRequest writes the decoded path back into environ['PATH_INFO']",
    ),
    Broken(
        rule="no-content-has-no-content-length",
        why="CommonMiddleware adds Content-Length: 0 to a 204; RFC 9110 wants none",
        only="pages",
    ),
    TYPED_204,
)

DJANGO_BROKEN = {
    "4.2": (*_DJANGO, _COOKIE_SPACE),
    "5.2": (*_DJANGO, _COOKIE_SPACE),
    "6.0": _DJANGO,
}
"""What each series breaks, with DEBUG and without."""

SHOWN = (
    *FRAMEWORKS,
    *(
        Subject(
            name=f"Django {series}",
            seen=seen,
            module="django_pages.py",
            spec="mysite.wsgi.application",
            pages=DJANGO_PAGES,
            broken=DJANGO_BROKEN[series],
        )
        for series, seen in DJANGO_SEEN.items()
    ),
)
"""Every subject, as reports/frameworks.md shows them."""


def list_broken(broken: tuple[Broken, ...], *also: str) -> set[str]:
    """Return the ids of the rules that every run breaks, and of those that only `also` shows."""
    return {entry.rule for entry in broken if not entry.only or entry.only in also}
