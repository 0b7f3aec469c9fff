from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from pytest_wsgi.loading.problems import public_names, similar_names

APP = "def application(environ, start_response): ...\n"
NAME_ONE = "Name a WSGI application: pytest --wsgi-app PKG.MODULE:NAME"


def commands(problem):
    lines = problem.message.splitlines()
    start = next(index for index, line in enumerate(lines) if ": pytest " in line)
    first, *rest = lines[start:]
    return [first.removeprefix("Try: "), *(line.removeprefix("  or ") for line in rest)]


@pytest.mark.parametrize(
    ("text", "headline", "found"),
    [
        ("gone.wsgi.application", "No module gone.wsgi.", "found: no gone at all"),
        ("gone", "No module gone.", "found: no gone at all"),
        ("gone.wsgi:app", "No module gone.wsgi.", "found: no gone at all"),
        ("pkg.gone:app", "No module pkg.gone.", "found: pkg (pkg/__init__.py), which has no gone"),
        ("pkg.gone.app", "No module pkg.gone.", "found: pkg (pkg/__init__.py), which has no gone"),
        ("pkg.wsgi", "No module pkg.wsgi.", "found: pkg (pkg/__init__.py), which has no wsgi"),
        ("space.gone.x.app", "No module space.gone.x.", "found: space (space), which has no gone"),
        ("space.gone", "No module space.gone.", "found: space (space), which has no gone"),
    ],
)
def test_a_missing_module(project, text, headline, found):
    project.write_file("pkg/__init__.py")
    project.write_file("space/m.py")
    problem = project.problem(text)
    assert problem.id == "module-missing"
    lines = problem.message.splitlines()
    assert lines[0] == headline
    assert lines[1] == f"  asked for: {text} (--wsgi-app)"
    assert lines[2] == f"  {found}"
    assert f"sys.path: {project.root}" in problem.message
    assert project.locate(text).file is None


def test_a_missing_module_that_lies_elsewhere(project):
    project.write_file("web/mysite/wsgi.py", APP)
    problem = project.problem("mysite.wsgi.application")
    assert "nearest: web/mysite/wsgi.py; it is found from web" in problem.message
    assert commands(problem) == ["pytest -o pythonpath=web --wsgi-app mysite.wsgi.application"]


@pytest.mark.parametrize(
    ("text", "corrected"),
    [
        ("mysit.wsgi.application", "mysite.wsgi.application"),
        ("mysit.wsgi:application", "mysite.wsgi:application"),
        ("mysit.wsgi", "mysite.wsgi"),
        ("one=mysit.wsgi", "one=mysite.wsgi"),
    ],
)
def test_a_missing_module_with_a_near_name(project, text, corrected):
    project.write_file("mysite/__init__.py")
    project.write_file("mysite/wsgi.py", APP)
    problem = project.problem(text)
    assert f"did you mean: {corrected.removeprefix('one=')}" in problem.message
    assert commands(problem) == [f"pytest --wsgi-app {corrected}"]


def test_a_module_that_is_no_package(project):
    project.write_file("mysite.py", APP)
    problem = project.problem("mysite.application:app")
    assert problem.message.startswith(
        "No module mysite.application: mysite is a module (mysite.py)"
    )
    assert commands(problem)[:2] == [
        "pytest --wsgi-app mysite:application",
        "gunicorn mysite:application",
    ]
    project.write_file("deep.py", "a = 1")
    assert commands(project.problem("deep.a.b:app")) == ["pytest --wsgi-app deep:a.b"]
    assert commands(project.problem("sys.a.b:app")) == [NAME_ONE]


def test_a_missing_wsgi_py_needs_no_settings_file_to_be_told(project, monkeypatch):
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE", raising=False)
    manage = 'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")'
    project.write_file("manage.py", manage)
    project.write_file("shop/settings.py", "WSGI_APPLICATION = 'shop.wsgi.application'")
    for text in ("shop.wsgi.application", "shop.wsgi:app", "shop.wsgi"):
        problem = project.problem(text)
        assert problem.id == "wsgi-file-missing"
        reason = "runserver fails as well, as WSGI_APPLICATION is 'shop.wsgi.application'"
        assert f"  {reason}: with its reloader\n  it prints the error" in problem.message
        assert commands(problem) == ["pytest --wsgi-app shop.wsgi.application --wsgi-propose"]
    project.write_file("shop/__init__.py")
    for text in ("shop.wsgi.application", "shop.wsgi:app", "shop.wsgi"):
        assert project.problem(text).id == "wsgi-file-missing"
    assert project.problem("shop.web.application").id == "module-missing"


def test_a_missing_wsgi_py_beside_other_settings(project, monkeypatch):
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "shop.test")
    manage = 'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")'
    project.write_file("manage.py", manage)
    project.write_file("shop/test.py", "WSGI_APPLICATION = 'shop.web.application'")
    message = project.problem("shop.wsgi.application").message
    told = "shop.test, as DJANGO_SETTINGS_MODULE says; shop.settings, as manage.py says"
    assert f"This Django project has no wsgi.py (settings: {told}).\n" in message
    assert "  runserver uses what WSGI_APPLICATION names: 'shop.web.application'.\n" in message
    (project.root / "manage.py").unlink()
    assert (
        "(settings: shop.test, as DJANGO_SETTINGS_MODULE says)"
        in project.problem("shop.wsgi.application").message
    )


def test_a_missing_wsgi_py_of_a_flat_project(project, monkeypatch):
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "settings_of_shop")
    for text in ("wsgi.application", "wsgi", "wsgi:application", "django"):
        problem = project.problem(text)
        assert problem.id == "wsgi-file-missing"
        assert "--wsgi-propose shows wsgi.py as" in problem.message
    project.subject("shop/wsgi.py")
    assert "nearest: shop/wsgi.py" in project.problem("wsgi.application").message


def test_a_missing_file(project):
    project.write_file("deploy/wsgi.py", APP)
    problem = project.problem("wsgi.py:application")
    assert problem.id == "file-missing"
    assert "nearest: deploy/wsgi.py" in problem.message
    assert commands(problem) == ["pytest --wsgi-app deploy/wsgi.py:application"]
    assert commands(project.problem("x/gone.wsgi")) == [NAME_ONE]
    assert commands(project.problem("gone.py")) == [NAME_ONE]


def test_a_missing_attribute(project):
    project.write_file("m.py", "# django\ndef create_app(): ...\nappliance = 1\n" + APP)
    problem = project.problem("m:aplication")
    assert problem.id == "attribute-missing"
    assert problem.message.startswith("m has no 'aplication'.\n")
    assert "did you mean: application, appliance" in problem.message
    assert "m has: create_app, appliance, application" in problem.message
    assert commands(problem) == [
        "pytest --wsgi-app m:application",
        "gunicorn m:application",
        "uwsgi --module m:application",
        'WSGI_APPLICATION = "m.application"',
    ]
    assert commands(project.problem("m.aplication"))[0] == "pytest --wsgi-app m.application"
    assert commands(project.problem("m.py:aplication"))[0] == "pytest --wsgi-app m.py:application"


def test_a_missing_attribute_with_an_application_of_another_name(project):
    project.write_file("m.py", "def app(environ, start_response): ...\n")
    assert commands(project.problem("m:application")) == [
        "pytest --wsgi-app m:app",
        "gunicorn m:app",
        "uwsgi --module m:app",
        "mod_wsgi: WSGICallableObject app",
    ]


def test_a_missing_nested_attribute(project):
    project.write_file("m.py", "class A:\n    wsgi = 1\n\na = A()\n")
    problem = project.problem("m:A.wsgy")
    assert problem.message.startswith("m.A has no 'wsgy'.\n")
    assert commands(problem) == ["pytest --wsgi-app m:A.wsgi"]


def test_a_missing_attribute_of_a_package_or_of_nothing(project):
    project.write_file("p/__init__.py")
    assert project.problem("p.app").id == "attribute-missing"
    problem = project.problem("p:app.x")
    assert problem.id == "attribute-missing"
    assert "p has: no public names" in problem.message
    assert commands(problem) == [NAME_ONE]


def test_a_module_without_an_application(project):
    project.write_file("m.py", "import os\n")
    problem = project.problem("m")
    assert problem.id == "application-missing"
    assert problem.message.startswith("m has neither 'application' nor 'app'.\n")
    assert commands(problem) == [NAME_ONE]
    project.write_file("n.py", "def create_application(): ...\n")
    problem = project.problem("n.py")
    assert "did you mean: create_application" in problem.message
    assert commands(problem)[0] == "pytest --wsgi-app n.py:create_application"
    project.write_file("sub/o.py")
    assert project.problem("sub/o.py").message.startswith("sub/o.py has neither")


def test_a_module_with_several_applications(project):
    project.write_file("m.py", "def one(environ, start_response): ...\ntwo = one\n")
    problem = project.problem("m")
    assert problem.id == "several-candidates"
    assert "but 2 applications." in problem.message
    assert "did you mean: one, two" in problem.message
    assert commands(problem)[0] == "pytest --wsgi-app m.one"


def test_a_module_that_hides_the_application_of_its_package(project):
    project.write_file("p/__init__.py", "from p.web import web\n")
    project.write_file("p/web.py", "class web: ...\n")
    problem = project.problem("p.web")
    assert "p.web is a module; p also binds that name." in problem.message
    assert commands(problem) == ["pytest --wsgi-app p:web"]


def test_two_files_of_one_name(project):
    project.write_file("one/m.py", APP)
    project.write_file("m.py", APP)
    sys.path.insert(0, str(project.root / "one"))
    __import__("m")
    sys.path.pop(0)
    for text in ("m", "m.py", "m:application"):
        problem = project.problem(text)
        assert problem.id == "module-found-twice"
        assert "m.py was asked for, but one/m.py is imported" in problem.message
        assert commands(problem) == [f"When that is mended: pytest --wsgi-app {text}"]


OBJECTS = """
import os as module
def factory(config=None): return application
class Site:
    def __call__(self, environ, start_response): ...
async def asgi(scope, receive, send): ...
def asgi_two(scope): ...
async def coroutine(environ, start_response): ...
def one(environ): ...
def keyword(*, environ): ...
def forgot(): pass
def arguments(a, *, b): ...
def application(environ, start_response): ...
nothing, text, number, applications = None, "m:app", 1, {}
"""


@pytest.mark.parametrize(
    ("text", "name", "said", "corrected"),
    [
        ("m:nothing", "object-is-none", "is None", "m:application"),
        ("m:forgot()", "object-is-none", "return statement, or it is no factory", "m:application"),
        ("m:text", "object-is-text", "is a str", "m:application"),
        ("m:number", "object-not-callable", "is a int, which cannot be called", "m:application"),
        ("m:applications", "object-is-mapping", "applications of uWSGI", "m:application"),
        ("m.module", "object-is-module", "is a module", "m.application"),
        ("m:factory", "object-is-factory", "is (config=None)", "'m:factory()'"),
        ("m.factory", "object-is-factory", "Append '()'", "'m:factory()'"),
        ("m:Site", "object-is-class", "did you mean: Site(), application", "'m:Site()'"),
        ("m:asgi", "object-is-asgi", "is (scope, receive, send)", "m:application"),
        ("m:asgi_two", "object-is-asgi", "ASGI 2", "m:application"),
        ("m:coroutine", "object-is-async", "asynchronous", "m:application"),
        ("m:one", "object-arity", "signature is (environ)", "m:application"),
        ("m:keyword", "object-keyword-only", "(*, environ)", "m:application"),
        ("m:arguments()", "factory-arity", "(a, *, b)", "\"m:arguments(a='...', b='...')\""),
        ("m:factory(1, 2)", "factory-arity", "too many positional", "'m:factory()'"),
        ("m:number()", "factory-arity", "it is not callable", "m:number"),
    ],
)
def test_what_is_no_application(project, text, name, said, corrected):
    project.write_file("m.py", OBJECTS)
    problem = project.problem(text)
    assert problem.id == name
    assert said in problem.message
    assert commands(problem)[0] == f"pytest --wsgi-app {corrected}"


@pytest.mark.parametrize(
    ("text", "corrected"),
    [
        ("n:Bare", "'n:Bare()'"),
        ("n:Named", "\"n:Named(name='...')\""),
        ("n.py:Bare", "'n.py:Bare()'"),
    ],
)
def test_a_class_is_made_an_instance_of(project, text, corrected):
    project.write_file("n.py", "class Bare: ...\nclass Named:\n    def __init__(self, name): ...\n")
    problem = project.problem(text)
    assert problem.id == "object-is-class"
    assert commands(problem)[0] == f"pytest --wsgi-app {corrected}"
    assert len(commands(problem)) == (3 if "Bare" in text else 1)


def test_a_class_in_a_file_of_its_own_is_made_an_instance_of(project):
    project.write_file("deploy/site.wsgi", "class application: ...")
    problem = project.problem("deploy/site.wsgi")
    assert commands(problem) == ["pytest --wsgi-app 'deploy/site.wsgi:application()'"]
    for name in [name for name in sys.modules if name.startswith("_pytest_wsgi_")]:
        del sys.modules[name]


def test_a_long_signature_is_cut(project):
    names = ", ".join(f"parameter_{number}" for number in range(30))
    project.write_file("m.py", f"def app({names}): ...")
    assert max(map(len, project.problem("m").message.splitlines())) < 250


def test_a_factory_is_spelt_for_servers_too(project):
    project.write_file("m.py", OBJECTS)
    assert commands(project.problem("m:factory"))[1:] == [
        "gunicorn 'm:factory()'",
        "uwsgi --module 'm:factory()'",
    ]


@pytest.mark.parametrize(
    ("text", "corrected"),
    [
        ("site_asgi:application", "site_wsgi:application"),
        ("site_asgi.application", "site_wsgi.application"),
    ],
)
def test_the_wsgi_module_beside_an_asgi_module_is_named(project, text, corrected):
    for name in ("site_asgi.py", "lone_asgi.py"):
        project.write_file(name, "async def application(scope, receive, send): ...\n")
    project.write_file("site_wsgi.py", APP)
    assert commands(project.problem(text)) == [f"pytest --wsgi-app {corrected}"]
    for other in ("site_asgi.py:application", "lone_asgi:application"):
        assert commands(project.problem(other)) == [NAME_ONE]


def test_names_are_told_of_any_object():
    class Slotted:
        __slots__ = ("inner",)

    class Hostile:
        __slots__ = ()

        @property
        def __dict__(self):
            raise RuntimeError

    class Site:
        def wsgi_app(self): ...

    assert public_names(SimpleNamespace(a=1, _b=2)) == ["a"]
    assert similar_names(Site(), "wsgi_ap") == ["wsgi_app"]
    assert similar_names(Site, "wsgi_ap") == ["wsgi_app"]
    assert similar_names(Slotted(), "iner") == ["inner"]
    assert public_names(Hostile()) == []


def test_a_target_that_is_no_application_and_has_none_beside_it(project):
    project.write_file("m.py", "number = 1\ndef make(): ...\nfactory = make\n")
    assert commands(project.problem("m:number")) == [NAME_ONE]
    assert commands(project.problem("m:make()")) == [NAME_ONE]
    assert commands(project.problem("api=m:number")) == [NAME_ONE.replace("PKG", "api=PKG")]


def test_forgotten_parentheses_are_shown_where_they_belong(project):
    project.write_file("shop/wsgi.py", "def get(): ...\n\napplication = get\n")
    problem = project.problem("shop.wsgi")
    assert problem.id == "parentheses-missing"
    assert "is get itself, not what it returns: the parentheses are missing.\n" in problem.message
    assert "  add () in shop/wsgi.py:3: application = get()\n" in problem.message
    assert commands(problem) == [
        "pytest --wsgi-app 'shop.wsgi:application()'",
        "gunicorn 'shop.wsgi:application()'",
        "uwsgi --module 'shop.wsgi:application()'",
    ]
    problem = project.problem("shop.wsgi:get")
    assert (problem.id, "add ()" in problem.message) == ("object-is-factory", False)


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("application = functions.get  # not called", "functions.get"),
        ("application = get; other = 1", "get"),
        ("other = application = get", "get"),
        ("application = (\n    get\n)", None),
        ("from functions import get as application", None),
    ],
)
def test_what_was_not_called_is_named_as_it_is_written(project, line, value):
    project.write_file("functions.py", "def get(): ...\n")
    project.write_file("m.py", f"import functions\nfrom functions import get\n{line}\n")
    message = project.problem("m:application").message
    assert f"  add () in m.py:3: application = {value}()\n" in message or value is None
    assert message.startswith(
        f"The object at m:application is {value} itself, not what it returns"
        if value
        else "The object at m:application is called without arguments, so it is a factory"
    )


@pytest.mark.parametrize(
    ("line", "advice", "corrected"),
    [
        ("Bare", "add () in m.py:6: application = Bare()", "'m:application()'"),
        (
            "Named",
            "add (name='...') in m.py:6: application = Named(name='...')",
            "\"m:application(name='...')\"",
        ),
    ],
)
def test_a_class_that_was_not_called_is_shown_where_that_belongs(project, line, advice, corrected):
    text = "class Bare:\n    def __call__(self, environ, start_response): ...\n"
    text += "class Named(Bare):\n    def __init__(self, name): ...\n\n"
    project.write_file("m.py", f"{text}application = {line}\n")
    problem = project.problem("m.application")
    assert problem.id == "object-is-class"
    assert f" is a class, not an instance: it is {line} itself.\n" in problem.message
    assert f"  {advice}\n" in problem.message
    assert commands(problem)[0] == f"pytest --wsgi-app {corrected}"
    assert ("have it called" in problem.message) is (line == "Bare")


def test_djangos_handler_is_not_to_be_called(project):
    text = "class WSGIHandler: ...\nWSGIHandler.__module__ = 'django.core.handlers.wsgi'\n"
    project.write_file("m.py", f"{text}application = WSGIHandler\n")
    problem = project.problem("m:application")
    assert problem.id == "object-is-class"
    assert "Make an instance by get_wsgi_application()" in problem.message
    assert commands(problem) == ["When that is mended: pytest --wsgi-app m:application"]


CLASSES = """
class Cls:
    def __call__(self, environ, start_response): ...
class Inner(Cls): ...
class Named(Cls):
    def __init__(self, name): ...
class Odd(Cls):
    __call__ = None
class Slow:
    async def __call__(self, environ, start_response): ...
class Other:
    def __call__(self, a, b): ...
class Less:
    def __call__(self, environ): ...
one = two = three = four = Cls()
"""


@pytest.mark.parametrize(
    ("text", "names", "corrected"),
    [
        ("shapes:Cls", "Cls(), one, two", "'shapes:Cls()'"),
        ("shapes.Inner", "Inner(), one, two", "'shapes:Inner()'"),
        ("shapes:Named", "one, two, three", "shapes:one"),
        ("shapes:Odd", "one, two, three", "shapes:one"),
        ("shapes:Slow", "one, two, three", "shapes:one"),
        ("shapes:Other", "one, two, three", "shapes:one"),
        ("shapes:Less", "one, two, three", "shapes:one"),
    ],
)
def test_a_class_whose_instances_are_applications_is_called(project, text, names, corrected):
    project.write_file("shapes.py", CLASSES)
    problem = project.problem(text)
    assert f"  did you mean: {names}\n" in problem.message
    assert commands(problem)[0] == f"pytest --wsgi-app {corrected}"


@pytest.mark.parametrize(
    ("text", "corrected"),
    [
        ("mysite", "mysite.wsgi.application"),
        ("mysite.settings", "mysite.wsgi.application"),
        ("mysite.wsg.application", "mysite.wsgi.application"),
        ("mysite.wsg", "mysite.wsgi.application"),
        ("mysite.server:app", "mysite.wsgi:application"),
        ("mysite:applcatn", "mysite.wsgi:application"),
        ("mysite.asg.application", "mysite.wsgi.application"),
    ],
)
def test_a_near_application_is_suggested(project, text, corrected):
    for name in ("__init__", "urls", "settings"):
        project.write_file(f"mysite/{name}.py")
    project.write_file("mysite/wsgi.py", APP)
    project.write_file("mysite/asgi.py", "async def application(scope, receive, send): ...")
    assert commands(project.problem(text))[0] == f"pytest --wsgi-app {corrected}"


@pytest.mark.parametrize(
    "text", ["mysite", "mysite.settings", "mysite.wsg.application", "mysite.url:application"]
)
def test_nothing_is_suggested_that_is_not_there(project, text):
    for name in ("__init__", "urls", "settings", "asgi"):
        project.write_file(f"mysite/{name}.py")
    problem = project.problem(text)
    assert "did you mean" not in problem.message
    assert commands(problem) == [NAME_ONE]


def test_an_application_that_is_not_bound_in_its_own_module_is_not_suggested_again(project):
    project.write_file("mysite/wsgi.py", "if False:\n    application = 1\n")
    assert commands(project.problem("mysite.wsgi")) == [NAME_ONE]
