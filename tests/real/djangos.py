"""What Django projects break: every rule with its reason, verified in the source or on the wire.

Data only, as in subjects.py.
"""

from __future__ import annotations

from real.subjects import TYPED_204, Broken, Subject

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

ANSWERS_PAGES = (
    *("/streamed/", "/sized/", "/disk/", "/memory/", "/download/", "/large/", "/large_stream/"),
    *("/tagged_and_dated/", "/tagged/", "/dated/", "/hand_made/", "/cached/", "/fresh/"),
    *("/packed/", "/packed_stream/", "/language/", "/en/home/", "/home/", "/visits/", "/signed/"),
    *("/form/", "/upload/", "/body/", "/read/", "/streamed", "/away/", "/admin/", "/admin/login/"),
    *("/static/admin/css/base.css", "/static/absent.css"),
)
"""What fixtures/apps/django_answers.py has beside `/`."""

_ANSWERS = (
    Broken(
        rule="not-modified-repeats-headers-for-caches",
        why="ConditionalGetMiddleware adds an ETag to a page, and none to the 304 that "
        "@last_modified makes of it (django/middleware/http.py: it takes content for that)",
        only="pages",
    ),
    Broken(
        rule="content-length-of-not-modified-is-that-of-ok",
        why="CommonMiddleware adds Content-Length: 0 to a 304, which has no content to count "
        "(django/middleware/common.py)",
        only="pages",
    ),
    *_DJANGO[:2],
)

ANSWERS_BROKEN = {
    "4.2": (*_ANSWERS, _COOKIE_SPACE),
    "5.2": (*_ANSWERS, _COOKIE_SPACE),
    "6.0": _ANSWERS,
}
"""What each breaks with GZipMiddleware, ConditionalGetMiddleware and LocaleMiddleware."""

_WHITENOISE_GZIP = (
    "WhiteNoiseMiddleware.serve() makes a streaming response of its 304, and GZipMiddleware "
    "compresses each of those: some 20 bytes with Content-Encoding: gzip"
)

LAYERED_PAGES = ("/", "/empty/", "/stream/", "/file/", "/count/", "/static/manage.py")

LAYERED_BROKEN = (
    *DJANGO_BROKEN["5.2"],
    Broken(rule="contentless-statuses-have-no-body", why=_WHITENOISE_GZIP, only="pages"),
    Broken(rule="not-modified-has-no-content-type", why=_WHITENOISE_GZIP, only="pages"),
    Broken(
        rule="content-has-a-content-type",
        why="So does its 416, which has no Content-Type: compressed, it is no longer empty",
        only="pages",
    ),
    Broken(
        rule="not-modified-repeats-headers-for-caches",
        why="GZipMiddleware adds Vary to a long page, and not to the 304 that "
        "ConditionalGetMiddleware makes of it (django/middleware/gzip.py: it is short)",
        only="pages",
    ),
)
"""What Django 5.2 breaks with its own middleware and WhiteNoise's around it."""

SUBJECTS = (
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
    *(
        Subject(
            name=f"Django {series}, files, conditions, languages and forms",
            seen=seen,
            module="django_answers.py",
            spec="mysite.wsgi.application",
            pages=ANSWERS_PAGES,
            broken=ANSWERS_BROKEN[series],
        )
        for series, seen in DJANGO_SEEN.items()
    ),
    Subject(
        name="Django 5.2 with WhiteNoise",
        seen=f"{DJANGO_SEEN['5.2']}, 6.12.0",
        module="django_pages.py",
        spec="mysite.wsgi.application",
        pages=LAYERED_PAGES,
        broken=LAYERED_BROKEN,
    ),
)
"""Every series with both of its applications, and one with middleware around it."""
