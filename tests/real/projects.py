"""The projects of fixtures/projects: what is right or wrong in each, and what comes of a run.

Data only. `fixtures/projects/README.md` and `reports/deployment.md` are made of it, and the tests
beside it hold it against real runs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

USUAL = frozenset(
    {
        "head-has-no-body",
        "urls-name-no-host-that-is-not-ours",
        "variables-stay-bytes-as-text",
    }
)
"""Advice on what Django and Flask themselves do, as subjects.py and djangos.py explain it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One run of the command on a project, and what must come of it.

    `environ` are variables of the shell. `broken` are the rules that are broken beside USUAL, all
    of them. Each of `says` stands in the output; the first is what a user reads first.
    """

    spec: str
    options: tuple[str, ...] = ()
    environ: Mapping[str, str] = field(default_factory=dict)
    exit_code: int = 0
    broken: tuple[str, ...] = ()
    says: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A directory of fixtures/projects. `what` says in one sentence what is right or wrong in it.

    The first case is the plain one. The rest is for servers: they are started in `base`, or
    elsewhere with that on PYTHONPATH, with `environ`, and asked for `path`.
    """

    name: str
    what: str
    cases: tuple[Case, ...]
    base: str = "."
    is_served_elsewhere: bool = False
    path: str = "/"
    environ: Mapping[str, str] = field(default_factory=dict)

    @property
    def served(self) -> str:
        """What servers are told to serve: the first SPEC with a colon."""
        spec = self.cases[0].spec
        return spec if ":" in spec else ":".join(spec.rsplit(".", 1))


def refuse(spec: str, *says: str) -> Case:
    """Return a run in which the application does not load, for the reason that it says."""
    return Case(spec=spec, exit_code=1, broken=("application-loads",), says=says)


MYSITE = "mysite.wsgi.application"
PORTAL = "portal.wsgi.application"
SHOP = "shop.wsgi.application"

GOOD = (
    Project(
        name="hello",
        what="What Django's startproject makes, with one page.",
        cases=(Case(spec=MYSITE),),
    ),
    Project(
        name="wrapped",
        what="Its wsgi.py wraps Django's application in a middleware, as Django's page shows it.",
        cases=(Case(spec=MYSITE),),
    ),
    Project(
        name="delegating",
        what="Its wsgi.py gives /api to Flask and all else to Django, each a copy of environ.",
        cases=(Case(spec=PORTAL, options=("--wsgi-path", "/api/items")),),
        path="/api/%E2%82%AC",
    ),
    Project(
        name="split_settings",
        what="manage.py names local settings and wsgi.py production's, of one package.",
        cases=(
            Case(spec="config.wsgi.application"),
            Case(
                spec="config.wsgi.application",
                options=("--wsgi-override", "DJANGO_SETTINGS_MODULE=config.settings.local"),
            ),
        ),
    ),
    Project(
        name="src_layout",
        what="The package lies in src/, and has another name than the directory.",
        cases=(Case(spec="storefront.wsgi.application"),),
        base="src",
    ),
    Project(
        name="flask_factory",
        what="A Flask application that a factory makes.",
        cases=(Case(spec="shop:create_app()"),),
    ),
    Project(
        name="auth_handlers",
        what="Its wsgi.py exports Django's handlers for mod_wsgi, imported after the setup.",
        cases=(Case(spec=MYSITE),),
    ),
    Project(
        name="two_sites",
        what="Two Django sites in one directory, each with its own settings and wsgi.py.",
        cases=(Case(spec="site_a.wsgi.application"), Case(spec="site_b.wsgi.application")),
    ),
)
"""Nothing is wrong with these."""

NO_WSGI = (
    Project(
        name="no_wsgi",
        what="No wsgi.py, and WSGI_APPLICATION is not set: as before Django 1.4.",
        cases=(
            refuse(
                SHOP,
                "No module shop.wsgi.",
                "This Django project has no wsgi.py (settings: shop.settings, as manage.py says).",
                "runserver works all the same, as WSGI_APPLICATION is unset",
            ),
            refuse("django", "No module shop.wsgi."),
        ),
    ),
    Project(
        name="no_wsgi_but_setting",
        what="No wsgi.py, although WSGI_APPLICATION names it.",
        cases=(
            refuse(
                SHOP,
                "No module shop.wsgi.",
                "This Django project has no wsgi.py (settings: shop.settings, as manage.py says).",
            ),
            refuse("django", "No module shop.wsgi."),
        ),
    ),
)
"""The file that servers load is not there."""

UNLOADED = (
    Project(
        name="placeholder",
        what="Its wsgi.py names mysite.settings, as in Django's documentation; "
        "the project is called shop.",
        cases=(
            refuse(
                SHOP,
                "No settings module mysite.settings.",
                "django-settings-missing",
                "manage.py says 'shop.settings'",
            ),
        ),
    ),
    Project(
        name="settings_directory",
        what="The settings are a directory without __init__.py, which holds no settings.",
        cases=(
            refuse(
                SHOP,
                "The settings module shop.settings is a directory without __init__.py",
                "django-settings-are-directory",
                "DJANGO_SETTINGS_MODULE=shop.settings.base",
            ),
        ),
    ),
    Project(
        name="environment_too_late",
        what="Its wsgi.py names the settings after it has called get_wsgi_application().",
        cases=(
            refuse(
                SHOP,
                "Django's settings were needed before DJANGO_SETTINGS_MODULE was set",
                "django-settings-not-configured",
            ),
        ),
    ),
    Project(
        name="missing_variable",
        what="The settings need the environment variable SHOP_SECRET.",
        cases=(
            refuse(
                SHOP,
                "The environment variable SHOP_SECRET is not set",
                "environment-variable-missing",
                "--wsgi-env SHOP_SECRET=...",
            ),
            Case(
                spec=SHOP,
                options=("--wsgi-env", "SHOP_SECRET=a secret"),
            ),
            Case(
                spec=SHOP,
                environ={"SHOP_SECRET": "a secret"},
                broken=("environment-needs-are-declared",),
                says=("SHOP_SECRET",),
            ),
        ),
    ),
    Project(
        name="forgotten_parentheses",
        what="application = get_wsgi_application, without parentheses.",
        cases=(
            refuse(
                SHOP,
                "The object at shop.wsgi.application is get_wsgi_application itself",
                "parentheses-missing",
                "add () in shop/wsgi.py:9",
            ),
        ),
    ),
    Project(
        name="handler_class",
        what="application = WSGIHandler: the class, and no instance.",
        cases=(
            refuse(
                SHOP,
                "The object at shop.wsgi.application is a class, not an instance",
                "object-is-class",
            ),
        ),
    ),
    Project(
        name="factory_not_called",
        what="The function called application takes no arguments, and returns one.",
        cases=(
            refuse(
                SHOP,
                "The object at shop.wsgi.application is called without arguments, so it is a "
                "factory",
                "object-is-factory",
                "--wsgi-app 'shop.wsgi:application()'",
            ),
        ),
    ),
    Project(
        name="asgi_application",
        what="The ASGI application is asked for; a WSGI application lies beside it.",
        cases=(
            refuse(
                "mysite.asgi.application",
                "The object at mysite.asgi.application is an ASGI application",
                "object-is-asgi",
                "Try: pytest --wsgi-app mysite.wsgi.application",
            ),
        ),
    ),
    Project(
        name="application_is_none",
        what="The factory forgot its return statement.",
        cases=(refuse(SHOP, "The object at shop.wsgi.application is None.", "object-is-none"),),
    ),
    Project(
        name="application_is_text",
        what="application is the name of one, in quotes.",
        cases=(
            refuse(
                SHOP,
                "The object at shop.wsgi.application is a str, not an application.",
                "object-is-text",
                "did you mean: handler",
            ),
        ),
    ),
    Project(
        name="wrong_arity",
        what="A middleware of Django's kind, which takes a request, around a WSGI application.",
        cases=(
            refuse(
                SHOP,
                "The object at shop.wsgi.application cannot be called with (environ, "
                "start_response)",
                "object-arity",
                "its signature is (request)",
            ),
        ),
    ),
    Project(
        name="old_handler",
        what="application = WSGIHandler(), as for Django 1.3: nothing sets Django up.",
        cases=(
            refuse(
                MYSITE,
                "mysite/wsgi.py:9 calls WSGIHandler() itself, which does not set Django up.",
                "django-handler-without-setup",
                "Use get_wsgi_application() instead",
            ),
        ),
    ),
    Project(
        name="apache_auth",
        what="The example of Django's page on Apache's users: models are imported before a setup.",
        cases=(
            refuse(
                MYSITE,
                "mysite/wsgi.py:7 imports django.contrib.auth.handlers.modwsgi before Django is "
                "set up.",
                "django-imported-before-setup",
                "Call get_wsgi_application() first",
            ),
        ),
    ),
)
"""These do not load where nothing but themselves sets Django up."""

SETTINGS = (
    Project(
        name="hard_assignment",
        what="Its wsgi.py assigns DJANGO_SETTINGS_MODULE, whatever the environment says.",
        cases=(
            Case(spec=MYSITE, broken=("settings-can-be-overridden",)),
            Case(
                spec=MYSITE,
                options=("--wsgi-env", "DJANGO_SETTINGS_MODULE=mysite.other"),
                broken=("given-environment-reaches-the-application",),
                says=("DJANGO_SETTINGS_MODULE",),
            ),
            Case(
                spec=MYSITE,
                options=("--wsgi-override", "DJANGO_SETTINGS_MODULE=mysite.other"),
                exit_code=1,
                broken=(
                    "declared-overrides-change-the-configuration",
                    "settings-can-be-overridden",
                ),
                says=("Overriding DJANGO_SETTINGS_MODULE changed no setting",),
            ),
        ),
        environ={"DJANGO_SETTINGS_MODULE": "mysite.other"},
    ),
    Project(
        name="other_site",
        what="Its wsgi.py names the settings of another package than manage.py; both are there.",
        cases=(
            Case(
                spec=SHOP,
                broken=("settings-modules-agree",),
                says=("blog.settings", "shop.settings"),
            ),
        ),
    ),
    Project(
        name="setting_unset",
        what="Its wsgi.py wraps a middleware, but WSGI_APPLICATION is not set.",
        cases=(
            Case(
                spec=SHOP, broken=("runserver-serves-the-application",), says=("WSGI_APPLICATION",)
            ),
            Case(
                spec="django",
                broken=("runserver-serves-the-application",),
            ),
        ),
    ),
    Project(
        name="setting_with_colon",
        what='WSGI_APPLICATION = "shop.wsgi:application", as servers want it; Django wants dots.',
        cases=(
            Case(
                spec=SHOP,
                broken=("wsgi-application-setting-loads",),
                says=("shop.wsgi:application",),
            ),
            refuse(
                "django",
                "has a colon, as servers want it: Django wants dots.",
            ),
        ),
    ),
    Project(
        name="setting_wrong",
        what="WSGI_APPLICATION still names the module of a project that was renamed.",
        cases=(
            Case(
                spec=SHOP,
                broken=("wsgi-application-setting-loads",),
                says=("store.wsgi.application",),
            ),
            refuse("django", "No module store.wsgi."),
        ),
    ),
    Project(
        name="setting_names_another",
        what="WSGI_APPLICATION names another application, which answers differently.",
        cases=(
            Case(
                spec=SHOP,
                broken=("runserver-serves-the-application",),
                says=("shop.preview.application",),
            ),
        ),
    ),
)
"""These load, but not with the settings, or not under runserver, as one would think."""

LAYERS = (
    Project(
        name="loses_close",
        what="Its middleware takes the blocks out of the response, and never calls close().",
        cases=(
            Case(
                spec=MYSITE,
                exit_code=1,
                broken=("wrapping-layers-call-close", "wrapping-layers-keep-pep-3333"),
                says=(
                    "The layer mysite.wsgi.HelloWorldApplication (mysite/wsgi.py:16) loses close()",
                ),
            ),
        ),
    ),
    Project(
        name="rewritten_environ",
        what="What Django answers with 404 goes to Flask, with the environ that Django has "
        "rewritten.",
        cases=(
            Case(
                spec=PORTAL,
                exit_code=1,
                broken=(
                    "utf-8-paths-are-answered",
                    "wrapping-layers-keep-pep-3333",
                    "wrapping-layers-pass-a-latin-1-environ",
                ),
                says=("The layer portal.wsgi.Fallback (portal/wsgi.py:22) calls flask.app.Flask",),
            ),
        ),
        path="/%E2%82%AC",
    ),
    Project(
        name="auth_handlers_broken",
        what="check_password takes no password, and groups_for_user returns a number.",
        cases=(
            Case(
                spec=MYSITE,
                broken=("check-password-fits-mod-wsgi", "groups-for-user-fits-mod-wsgi"),
                says=("check_password", "groups_for_user"),
            ),
        ),
    ),
)
"""These break a contract between their own parts, or that with mod_wsgi."""

PROCESSES = (
    Project(
        name="side_effects",
        what="Its import starts a thread, takes SIGTERM, changes directory and TZ, reads, prints "
        "and opens connections.",
        cases=(
            Case(
                spec="shop.application",
                broken=(
                    "import-keeps-the-time-zone",
                    "import-keeps-the-working-directory",
                    "import-leaves-signal-handlers-alone",
                    "import-leaves-sys-path-alone",
                    "import-opens-no-connections",
                    "import-reads-nothing-from-stdin",
                    "import-starts-no-threads",
                    "import-writes-nothing-to-stdout",
                ),
                says=("shop-refresh", "SIGTERM", "importing the shop", "shop.sqlite3"),
            ),
        ),
    ),
    Project(
        name="factory_once",
        what="The factory works once: it changes a blueprint that is registered by then.",
        cases=(Case(spec="shop:create_app()", broken=("factory-may-be-called-twice",)),),
    ),
    Project(
        name="import_once",
        what="A second import fails: it makes a second counter of the same name.",
        cases=(
            Case(
                spec="shop.application",
                broken=("second-import-changes-nothing",),
                says=("there is a counter requests already",),
            ),
        ),
    ),
    Project(
        name="relative_path",
        what="The settings read data.txt from wherever the server was started.",
        cases=(
            Case(spec=SHOP, broken=("loading-works-from-another-directory",)),
            Case(
                spec=SHOP,
                options=("--wsgi-strict",),
                exit_code=1,
                broken=("loading-works-from-another-directory",),
                says=("No such file or directory: 'data.txt'",),
            ),
        ),
        is_served_elsewhere=True,
    ),
    Project(
        name="c_locale",
        what="The settings read a text in whatever encoding the locale names.",
        cases=(
            Case(spec=SHOP, broken=("loading-works-in-the-c-locale",)),
            Case(
                spec=SHOP,
                options=("--wsgi-strict",),
                exit_code=1,
                broken=("loading-works-in-the-c-locale",),
                says=("UnicodeDecodeError: 'ascii' codec can't decode byte",),
            ),
        ),
        environ={"LC_ALL": "C"},
    ),
)
"""These depend on the process that loads them, or change it."""

PROJECTS = (*GOOD, *NO_WSGI, *UNLOADED, *SETTINGS, *LAYERS, *PROCESSES)
