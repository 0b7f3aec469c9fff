from __future__ import annotations

import os
import sys
from types import ModuleType, SimpleNamespace

import pytest

from pytest_wsgi.loading import examine, load, parse_spec, put_on_path

FACTORY = """
class Site:
    def __init__(self, name, debug=False):
        self.name, self.debug = name, debug
        self.wsgi_app = self.answer

    def answer(self, environ, start_response):
        return []

    def __call__(self, environ, start_response):
        return self.wsgi_app(environ, start_response)


def create_app(name="main", *, debug=False):
    return Site(name, debug)


app = create_app()


class Holder:
    make = staticmethod(create_app)
    inner = app
"""


@pytest.fixture
def web(project):
    project.write_file("pkg/__init__.py")
    project.write_file("pkg/web.py", FACTORY)
    return project


@pytest.mark.parametrize(
    ("text", "line", "label"),
    [
        ("pkg.web.app", 18, "app"),
        ("pkg.web:app", 18, "app"),
        ("pkg.web", 18, "app"),
        ("pkg.web:app.wsgi_app", 18, "wsgi_app"),
        ("pkg.web.Holder.inner", 23, "inner"),
        ("pkg.web:create_app('x', debug=True)", 14, "create_app"),
        ("pkg.web:Holder.make()", 22, "make"),
        ("pkg.web:Site('x')", 2, "Site"),
        ("pkg/web.py", 18, "app"),
        ("pkg/web.py:create_app()", 14, "create_app"),
        ("api=pkg.web", 18, "api"),
    ],
)
def test_a_target_is_loaded(web, text, line, label):
    target, loading = web.load(text)
    assert loading.problem is None
    assert callable(target)
    assert (loading.file, loading.line, loading.label) == ("pkg/web.py", line, label)
    assert loading.spec == text.removeprefix("api=")
    assert loading.origin == "--wsgi-app"
    assert loading.object_type in ("pkg.web.Site", "method")
    assert dict(loading.facts) == {"object": loading.object_type}
    assert web.locate(text).label == label


def test_the_arguments_of_a_call_arrive(web):
    target, _ = web.load("pkg.web:create_app('x', debug=True)")
    assert (target.name, target.debug) == ("x", True)


def test_a_module_is_imported_once_whatever_its_spelling(web):
    first, _ = web.load("pkg.web.app")
    second, _ = web.load("pkg/web.py:app")
    assert first is second


@pytest.mark.parametrize("name", ["deploy/site.wsgi", "deploy/my.app.py", "deploy/plain.py"])
def test_a_file_outside_of_packages_is_loaded_by_its_path_and_once(project, name):
    project.subject(name)
    target, loading = project.load(name)
    assert loading.file == name
    assert project.load(f"{name}:application")[0] is target
    (synthetic,) = [module for module in sys.modules if module.startswith("_pytest_wsgi_")]
    del sys.modules[synthetic]


def test_a_script_without_a_directory_is_a_file_where_no_module_has_its_name(project):
    project.subject("site.wsgi")
    target, loading = project.load("site.wsgi")
    assert target is not None
    assert loading.file == "site.wsgi"


def test_a_file_in_a_package_off_the_path_is_imported_by_its_dotted_name(project):
    project.write_file("lib/tool/__init__.py")
    project.subject("lib/tool/web.py")
    target, _ = project.load("lib/tool/web.py")
    assert target.__module__ == "tool.web"
    assert sys.path[0] == str(project.root / "lib")


def test_variables_are_set_before_the_import(project):
    project.write(m="import os\nvalue = os.environ['THE_NAME']\ndef app(e, s): return [value]\n")
    target, loading = project.load("m", THE_NAME="x")
    assert target({}, None) == ["x"]
    assert loading.object_type == "function"


def test_the_only_application_of_a_module_is_found(project):
    project.write(m="from wsgiref.util import FileWrapper\ndef add(a, b): ...\n")
    project.write_file("one.py", "def site(environ, start_response): ...\ndef add(a, b): ...\n")
    _, loading = project.load("one")
    assert (loading.label, loading.line) == ("site", 1)
    assert project.problem("m").id == "application-missing"


def test_a_module_may_replace_itself(project):
    project.write(
        m="""
        import sys
        class Site:
            def __getattr__(self, name):
                if name == "site":
                    return lambda environ, start_response: []
                raise AttributeError(name)
        sys.modules[__name__] = Site()
        """
    )
    assert project.load("m:site")[0] is not None
    assert project.problem("m").id == "application-missing"
    del sys.modules["m"]


def test_a_module_wins_over_a_name_in_its_package_and_says_so(project):
    project.write_file("p/__init__.py", "def application(environ, start_response): ...\n")
    project.subject("p/application.py")
    target, loading = project.load("p.application")
    assert target.__module__ == "p.application"
    assert loading.facts["note"] == "p.application is a module; p also binds that name"


def test_an_object_that_was_obtained_otherwise_is_examined(project):
    def look(target):
        spec = parse_spec("fixture")
        paths = project.paths
        return examine(target, spec, origin="conftest.py", paths=paths, rootdir=project.root)

    good = look(lambda environ, start_response: [])
    assert (good.problem, good.label, good.object_type) == (None, "wsgi_app", "function")
    assert look(None).problem.id == "object-is-none"


def test_a_fixture_is_not_loaded(project):
    with pytest.raises(ValueError, match="examined"):
        project.load("fixture")


@pytest.mark.parametrize("text", ["m:app", "m:create()", "m", "m:lazy"])
def test_the_users_own_interrupt_passes(project, text):
    body = {
        "m:app": "raise KeyboardInterrupt",
        "m:create()": "def create(): raise KeyboardInterrupt",
        "m": "def __getattr__(name): raise KeyboardInterrupt",
        "m:lazy": "def __getattr__(name): raise KeyboardInterrupt",
    }[text]
    project.write(m=body)
    with pytest.raises(KeyboardInterrupt):
        project.load(text)


def test_a_factory_whose_signature_cannot_be_told_is_tried(project):
    project.write(
        m="""
        class Factory:
            __signature__ = 1
            def __call__(self):
                return application
        def application(environ, start_response): ...
        class Broken:
            @property
            def __signature__(self):
                raise ValueError
            def __call__(self):
                return application
        factory, broken = Factory(), Broken()
        """
    )
    assert project.load("m:broken()")[0] is not None


@pytest.fixture
def fake_django(project, monkeypatch):
    """Stand for settings that the target configures, as Django's are: once in a process."""
    settings = SimpleNamespace(configured=False, SETTINGS_MODULE=None, DEBUG=True)
    conf = ModuleType("django.conf")
    conf.settings = settings
    monkeypatch.setitem(sys.modules, "django.conf", conf)
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE", raising=False)
    for site in ("one", "two"):
        project.write_file(
            f"{site}.py",
            f"""
            import os, sys  # django
            os.environ.setdefault("DJANGO_SETTINGS_MODULE", "{site}.settings")
            settings = sys.modules["django.conf"].settings
            if not settings.configured:
                settings.configured = True
                settings.SETTINGS_MODULE = os.environ["DJANGO_SETTINGS_MODULE"]
            def application(environ, start_response): ...
            """,
        )
    project.settings = settings
    return project


def test_the_settings_module_is_told(fake_django):
    _, loading = fake_django.load("one")
    assert loading.facts["settings module"] == "one.settings (set by one.py)"
    assert loading.facts["DEBUG"] == "True"


def test_a_second_site_in_one_process_is_refused(fake_django):
    fake_django.load("one")
    problem = fake_django.problem("two")
    assert problem.id == "django-settings-in-use"
    assert problem.message.startswith(
        "Django is already set up with one.settings (set by one.py), but two.settings is asked for."
    )
    assert fake_django.load("again=one")[1].facts["settings module"].endswith("(set by one.py)")


COMPUTED = """
import os, sys  # django
{before}
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "%s.settings" % __name__)
settings = sys.modules["django.conf"].settings
settings.SETTINGS_MODULE = settings.SETTINGS_MODULE or os.environ["DJANGO_SETTINGS_MODULE"]
settings.configured = True
{after}
def application(environ, start_response): ...
"""


def test_a_second_site_shows_its_settings_also_where_their_name_is_computed(fake_django):
    fake_django.write(a=COMPUTED.format(before="", after=""))
    fake_django.write(b=COMPUTED.format(before="", after="raise ValueError"))
    fake_django.load("a")
    problem = fake_django.problem("b")
    assert problem.id == "django-settings-in-use"
    assert "already set up with a.settings (set by a.py), but b.settings is" in problem.message
    assert os.environ["DJANGO_SETTINGS_MODULE"] == "a.settings"
    fake_django.write(c=COMPUTED.format(before="raise ValueError", after=""))
    assert fake_django.problem("c").id == "import-failed"


def test_a_target_that_fails_may_have_set_django_up(fake_django):
    fake_django.write(a=COMPUTED.format(before="", after="raise ValueError"))
    assert fake_django.problem("a").id == "import-failed"
    assert "a.settings (set by a.py)" in fake_django.problem("two").message


def test_settings_that_another_target_made_by_hand_are_in_use(fake_django):
    fake_django.write(
        a="""
        import sys  # django
        sys.modules["django.conf"].settings.configured = True
        def application(environ, start_response): ...
        """
    )
    _, loading = fake_django.load("a")
    assert loading.facts["settings module"] == "settings.configure() (set by a.py)"
    problem = fake_django.problem("two")
    assert problem.id == "django-settings-in-use"
    assert "with settings.configure() (set by a.py), but two.settings" in problem.message
    fake_django.write(b="raise RuntimeError('Settings already configured.')")
    problem = fake_django.problem("b")
    assert problem.id == "django-settings-in-use"
    assert problem.message.startswith(
        "Django is already set up with settings.configure() (set by a.py), but importing b "
        "configures it by hand."
    )


def test_a_variable_that_comes_too_late_is_refused(fake_django, monkeypatch):
    monkeypatch.setitem(sys.modules, "pytest_django", ModuleType("pytest_django"))
    fake_django.settings.configured = True
    fake_django.settings.SETTINGS_MODULE = "test.settings"
    problem = fake_django.problem("two", DJANGO_SETTINGS_MODULE="two.settings")
    assert problem.id == "django-settings-in-use"
    assert problem.message.endswith("Try: pytest --ds two.settings --wsgi-app two")
    assert "DJANGO_SETTINGS_MODULE" not in os.environ


def test_a_hard_assignment_against_the_settings_in_use_is_refused(fake_django):
    fake_django.settings.configured = True
    fake_django.settings.SETTINGS_MODULE = "test.settings"
    fake_django.write(
        m='import os\nos.environ["DJANGO_SETTINGS_MODULE"] = "m.settings"\napp = print'
    )
    assert fake_django.problem("m").id == "django-settings-in-use"


def test_the_settings_in_use_go_before_a_setdefault(fake_django, monkeypatch):
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "test.settings")
    monkeypatch.delitem(sys.modules, "pytest_django", raising=False)
    fake_django.settings.configured = True
    fake_django.settings.SETTINGS_MODULE = "test.settings"
    _, loading = fake_django.load("one")
    assert loading.facts["settings module"] == "test.settings (configured before loading)"


def test_the_settings_in_use_are_not_those_of_a_target_without_django(fake_django):
    fake_django.settings.configured = True
    fake_django.subject("flask_app.py", "app")
    _, loading = fake_django.load("flask_app")
    assert list(loading.facts) == ["object"]


def test_settings_that_are_a_directory_are_refused(fake_django, monkeypatch):
    module = ModuleType("one.settings")
    module.__path__ = []
    monkeypatch.setitem(sys.modules, "one.settings", module)
    problem = fake_django.problem("one")
    assert problem.id == "django-settings-are-directory"
    assert "one.settings is a directory without __init__.py" in problem.message
    assert problem.message.endswith("\nWhen that is mended: pytest --wsgi-app one")


def test_warnings_as_errors_do_not_break_the_load(project):
    project.write_file("m.py", "text = '\\d'\ndef app(environ, start_response): ...\n")
    import warnings  # noqa: PLC0415 - the filters of this test only

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert project.locate("m").label == "app"
        spec = parse_spec("m:app")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            put_on_path(project.paths)
            __import__("m")
        paths, root = project.paths, project.root
        target, loading = load(spec, origin="x", env={}, paths=paths, rootdir=root)
    assert target is not None
    assert loading.line == 2
