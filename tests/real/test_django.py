"""Projects that `django-admin startproject` makes, on every Django under support."""

from __future__ import annotations

import functools
import shutil
import subprocess
import sys

import pytest

from real.conftest import make_environ
from real.djangos import (
    ANSWERS_BROKEN,
    ANSWERS_PAGES,
    DJANGO_BROKEN,
    DJANGO_PAGES,
    DJANGO_PYTHONS,
    LAYERED_BROKEN,
    LAYERED_PAGES,
)
from real.subjects import list_broken

pytestmark = pytest.mark.slow

USER = ("--username=editor", "--email=editor@example.org")

SETTINGS = {
    "pages": """
ROOT_URLCONF = "django_pages"
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
""",
    "production": """
from mysite.pages import *
DEBUG = False
ALLOWED_HOSTS = ["www.example.org"]
SECURE_SSL_REDIRECT = True
""",
    "refusing": """
DEBUG = False
ALLOWED_HOSTS = []
""",
    "layered": """
from mysite.pages import *
DEBUG = False
ALLOWED_HOSTS = [".example.org"]
STATIC_ROOT = BASE_DIR
MIDDLEWARE = [
    "django.middleware.gzip.GZipMiddleware",
    "django.middleware.http.ConditionalGetMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    *MIDDLEWARE,
    "django.middleware.locale.LocaleMiddleware",
]
""",
    "answers": """
import os
ROOT_URLCONF = "django_answers"
FRONT = os.environ.get("FRONT", "streamed")
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("ja", "Nihongo")]
MIDDLEWARE = [
    "django.middleware.gzip.GZipMiddleware",
    "django.middleware.http.ConditionalGetMiddleware",
    *MIDDLEWARE,
    "django.middleware.locale.LocaleMiddleware",
]
""",
    "guarded": """
from mysite.pages import *
DEBUG = False
ALLOWED_HOSTS = ["*"]
LOGIN_URL = "admin:login"
MIDDLEWARE = [*MIDDLEWARE, "django.contrib.auth.middleware.LoginRequiredMiddleware"]
""",
}
"""Settings modules beside the project's own; each builds on it."""


@pytest.fixture(params=DJANGO_PYTHONS)
def series(request):
    """Return a series of Django that supports this Python."""
    first, last = DJANGO_PYTHONS[request.param]
    if not first <= sys.version_info[1] <= last:
        pytest.skip(f"Django {request.param} supports Python 3.{first} to 3.{last}")
    return request.param


@pytest.fixture(scope="session")
def start_project(obtain_library, tmp_path_factory):
    """Return a function that makes a project as Django's tutorial does: one for each series.

    Its database is there, with the tables of the admin and of sessions, and a user.
    """

    @functools.cache
    def start(series):
        django = obtain_library(f"django-{series}", f"Django~={series}.0")
        directory = tmp_path_factory.mktemp("project")
        environ = {**make_environ(django), "DJANGO_SUPERUSER_PASSWORD": "secret"}
        for command in (
            ["-m", "django", "startproject", "mysite", "."],
            ["manage.py", "migrate", "--verbosity=0"],
            ["manage.py", "createsuperuser", "--noinput", *USER],
        ):
            subprocess.run([sys.executable, *command], cwd=directory, env=environ, check=True)
        return django, directory

    return start


@pytest.fixture
def examine_project(start_project, tmp_path, bring, examine):
    """Return a function that runs the command on a copy of a new project.

    Without `settings` the project is as startproject made it.
    """

    def run(series, settings, *options, pages=(), libraries=(), spec="mysite.wsgi.application"):
        django, project = start_project(series)
        shutil.copytree(project, tmp_path, dirs_exist_ok=True)
        bring("django_pages.py")
        bring("django_answers.py")
        bring("as_browsers_ask.py")
        if settings:
            add_settings(tmp_path / "mysite")
            options = (f"--wsgi-env=DJANGO_SETTINGS_MODULE=mysite.{settings}", *options)
        asked = [f"--wsgi-path={page}" for page in pages]
        return examine(spec, *options, *asked, libraries=(django, *libraries))

    return run


def add_settings(package):
    """Write settings modules beside the project's own."""
    for name, text in SETTINGS.items():
        source = f"from mysite.settings import *\n{text}"
        (package / f"{name}.py").write_text(source, encoding="utf-8")


def test_new_project_breaks_what_is_known(series, examine_project):
    run = examine_project(series, "")
    assert run.list_broken() == list_broken(DJANGO_BROKEN[series]), run.output
    assert run.exit_code == 0, run.output


@pytest.mark.parametrize(
    ("settings", "place"),
    [("pages", "http://localhost/"), ("production", "https://www.example.org/")],
)
def test_pages_and_forms_break_what_is_known(settings, place, series, examine_project):
    run = examine_project(series, settings, "--wsgi-unsafe", pages=DJANGO_PAGES)
    expected = list_broken(DJANGO_BROKEN[series], "pages", "unsafe")
    assert run.list_broken() == expected, run.output
    assert run.exit_code == 0, run.output
    assert f"asked at {place}" in run.output


def test_project_that_accepts_no_host_fails_with_the_reason(series, examine_project):
    run = examine_project(series, "refusing")
    assert run.list_broken("must") == {"requests-are-served"}, run.output
    assert run.exit_code == 1
    assert "got 400" in run.output
    assert "ALLOWED_HOSTS" in run.output


def test_204_with_a_content_type_fails_not_even_a_strict_run(series, examine_project):
    run = examine_project(series, "production", "--wsgi-strict", "-k", "empty", pages=["/empty/"])
    advised = {"wsgiref-validate-has-no-advice", "no-content-has-no-content-length"}
    assert advised <= run.list_broken("convention"), run.output
    assert not run.list_broken("must", "should"), run.output
    assert run.exit_code == 0, run.output


@pytest.mark.parametrize("spec", ["mysite.wsgi.application", "as_browsers_ask.application"])
@pytest.mark.parametrize(
    ("settings", "pages"),
    [("layered", LAYERED_PAGES), ("guarded", ("/stream/", "/admin/login/"))],
)
def test_middleware_adds_nothing_to_what_is_known(
    settings, pages, spec, obtain_library, examine_project
):
    whitenoise = obtain_library("whitenoise", "whitenoise~=6.7")
    run = examine_project(
        "5.2", settings, "--wsgi-unsafe", pages=pages, libraries=[whitenoise], spec=spec
    )
    assert run.list_broken() <= list_broken(LAYERED_BROKEN, "pages", "unsafe"), run.output
    assert run.exit_code == 0, run.output


def test_files_conditions_languages_and_forms_break_what_is_known(series, examine_project):
    run = examine_project(series, "answers", "--wsgi-unsafe", pages=ANSWERS_PAGES)
    assert run.list_broken() == list_broken(ANSWERS_BROKEN[series], "pages"), run.output
    assert run.exit_code == 0, run.output


@pytest.mark.parametrize(
    "front", ["disk", "tagged_and_dated", "packed", "language", "visits", "login", "upload"]
)
def test_page_adds_nothing_when_it_is_asked_in_every_way(front, examine_project):
    run = examine_project("5.2", "answers", "--wsgi-unsafe", f"--wsgi-env=FRONT={front}")
    assert run.list_broken() <= list_broken(ANSWERS_BROKEN["5.2"], "pages"), run.output
    assert run.exit_code == 0, run.output


VISIT = """
def test_user_logs_in_and_sends_a_file(wsgi_client):
    form = wsgi_client.get("/admin/login/").form
    form["username"], form["password"] = "editor", "secret"
    form.submit(status=302).follow().mustcontain("Site administration")
    sent = [("file", "picture.bin", b"x" * (3 << 20))]
    page = wsgi_client.post("/upload/", {"name": "value"}, upload_files=sent)
    assert page.json == {"files": {"file": 3 << 20}, "fields": ["name"]}
"""


def test_login_and_upload_pass_by_the_client(series, examine_project, tmp_path):
    (tmp_path / "test_visit.py").write_text(VISIT, encoding="utf-8")
    run = examine_project(series, "answers", "test_visit.py", "-rA")
    assert "PASSED test_visit.py::test_user_logs_in_and_sends_a_file" in run.output, run.output
    assert run.exit_code == 0, run.output
