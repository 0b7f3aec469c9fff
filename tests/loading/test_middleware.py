from __future__ import annotations

import os
import re
import shlex
import sys
from types import SimpleNamespace

import pytest

from pytest_wsgi.exchange import Loading
from pytest_wsgi.loading import django, parse_spec, put_on_path
from pytest_wsgi.loading.command import pytest_command
from pytest_wsgi.loading.middleware import load_middleware, load_stack
from pytest_wsgi.loading.middleware_ways import explain_misfit

ENDS = ("Try: pytest ", "When that is mended: pytest ", "Name a middleware: pytest ")
NAME_ONE = "Name a middleware: pytest --wsgi-middleware PKG.MODULE:NAME"

GOOD = """
import functools


class Auth:
    def __init__(self, app, realm="none", *, mode="open"):
        self.app, self.given = app, (realm, mode)

    def __call__(self, environ, start_response):
        return [*self.app(environ, start_response), self.given]


def plain(app):
    def wrapped(environ, start_response):
        return [*app(environ, start_response), "plain"]
    return wrapped


def unchanged(application):
    return application


def deco(realm="none", strict=False):
    def wrap(function):
        return Auth(function, realm, mode=strict)
    return wrap


def demanding(realm, strict=False):
    realm.upper()
    return deco(realm, strict)


def optional(function=None):
    return plain(function) if function else plain


def sites(inner=None):
    return Auth(inner)


class Last:
    def __init__(self, realm, app):
        self.given, self.app = realm, app

    __call__ = Auth.__call__


class Keyword(Auth):
    def __init__(self, *, wsgi_app):
        super().__init__(wsgi_app, "keyword")


class Unnamed(Auth):
    def __init__(self, inner, realm=None):
        super().__init__(inner, realm)


class Maker:
    def __init__(self, realm="none"):
        self.realm = realm

    def __call__(self, function):
        return Auth(function, self.realm)

    def method(self, app):
        return Auth(app, "method")


def by_position(app, realm, /):
    return Auth(app, realm)


def late(realm, app=None):
    return Auth(app, realm) if app else functools.partial(Auth, realm=realm)


def anything(*args, **kwargs):
    return Auth(*args, **kwargs)


def make_filter(app, global_conf, **local):
    return Auth(app, (global_conf, local))


def filter_factory(global_config, **local):
    return lambda app: Auth(app, (global_config, local))


def make_nothing(*args, **kwargs):
    def factory(*_, **__):
        return plain(args[0])
    return factory


class Untold:
    @property
    def __signature__(self):
        raise RuntimeError

    def __call__(self, *args):
        return args[0] and Auth(*args)


def iterates(app):
    class Response:
        def __init__(self, environ, start_response):
            self.result = app(environ, start_response)

        def __iter__(self):
            return iter(self.result)
    return Response


holder = Maker()
partial = functools.partial(Auth, realm="partial")
untold = Untold()
"""


def application(environ, start_response):
    return ["inner"]


class Loader:
    """Loads what a project has."""

    def __init__(self, project):
        self.project = project

    def around(self, env):
        put_on_path(self.project.paths)
        return {
            "origin": "--wsgi-middleware",
            "env": env,
            "paths": self.project.paths,
            "rootdir": self.project.root,
        }

    def load(self, text, **env):
        return load_middleware(parse_spec(text), application, **self.around(env))

    def stack(self, *texts):
        return load_stack(list(map(parse_spec, texts)), application, **self.around({}))

    def call(self, text):
        """Return what the wrapped application answers."""
        target, loading = self.load(text)
        assert loading.problem is None, loading.problem.message
        return list(target({}, None))

    def problem(self, text):
        """Demand that a SPEC fails, and what holds for every message; return the problem."""
        target, loading = self.load(text)
        assert target is None
        return checked(loading.problem, text)


def checked(problem, text):
    *_, command = [line for line in problem.message.splitlines() if line.startswith(ENDS)]
    assert command != f"Try: pytest --wsgi-middleware {shlex.quote(text)}"
    for line in problem.message.splitlines():
        assert line == line.rstrip()
        if "pytest --" in line:
            parse_spec(shlex.split(line)[-1])
    assert f"\n  asked for: {parse_spec(text).text} (--wsgi-middleware)\n" in problem.message
    assert "loading/" not in problem.message
    assert "--wsgi-app PKG" not in problem.message
    return problem


def command(spec):
    return pytest_command(spec, option="--wsgi-middleware")


def last(problem):
    return problem.message.splitlines()[-1]


@pytest.fixture
def loader(project):
    return Loader(project)


@pytest.fixture
def mw(loader):
    loader.project.write_file("pkg/__init__.py")
    loader.project.write_file("pkg/mw.py", GOOD)
    return loader


@pytest.mark.parametrize(
    ("text", "answer", "called"),
    [
        ("Auth", ("none", "open"), "(application)"),
        ("Auth()", ("none", "open"), "(application)"),
        ("Auth(realm='x')", ("x", "open"), "(application, realm='x')"),
        ("Auth('x', mode='y')", ("x", "y"), "(application, 'x', mode='y')"),
        ("plain", "plain", "(application)"),
        ("deco()", ("none", False), "()(application)"),
        ("deco('x')", ("x", False), "('x')(application)"),
        ("deco('x', strict=True)", ("x", True), "('x', strict=True)(application)"),
        ("deco(realm='x')", ("x", False), "(realm='x')(application)"),
        ("demanding('x')", ("x", False), "('x')(application)"),
        ("optional", "plain", "(application)"),
        ("optional()", "plain", "()(application)"),
        ("sites()", ("none", "open"), "(application)"),
        ("Last('x')", "x", "('x', app=application)"),
        ("Last(realm='x')", "x", "(realm='x', app=application)"),
        ("Keyword", ("keyword", "open"), "(wsgi_app=application)"),
        ("Keyword()", ("keyword", "open"), "(wsgi_app=application)"),
        ("Unnamed('x')", ("x", "open"), "(application, 'x')"),
        ("Maker()", ("none", "open"), "()(application)"),
        ("Maker('x')", ("x", "open"), "('x')(application)"),
        ("holder", ("none", "open"), "(application)"),
        ("holder.method", ("method", "open"), "(application)"),
        ("Maker.method", None, None),
        ("by_position('x')", ("x", "open"), "(application, 'x')"),
        ("late('x')", ("x", "open"), "('x', app=application)"),
        ("partial", ("partial", "open"), "(application)"),
        ("partial(mode='y')", ("partial", "y"), "(application, mode='y')"),
        ("anything('x')", ("x", "open"), "(application, 'x')"),
        ("anything(realm='x')", ("x", "open"), "(application, realm='x')"),
        ("make_filter", (({}, {}), "open"), "(application, global_conf={})"),
        (
            "make_filter(realm='x')",
            (({}, {"realm": "x"}), "open"),
            "(application, realm='x', global_conf={})",
        ),
        (
            "make_filter({'a': 1}, realm='x')",
            (({"a": 1}, {"realm": "x"}), "open"),
            "(application, {'a': 1}, realm='x')",
        ),
        ("filter_factory", (({}, {}), "open"), "(global_config={})(application)"),
        (
            "filter_factory({'a': 1}, realm='x')",
            (({"a": 1}, {"realm": "x"}), "open"),
            "({'a': 1}, realm='x')(application)",
        ),
        (
            "filter_factory(global_config={'a': 1})",
            (({"a": 1}, {}), "open"),
            "(global_config={'a': 1})(application)",
        ),
        ("untold", ("none", "open"), "(application)"),
        ("untold('x')", ("x", "open"), "(application, 'x')"),
    ],
)
def test_a_middleware_is_put_around_the_application(mw, text, answer, called):
    if called is None:
        assert mw.problem(f"pkg.mw:{text}").id == "middleware-arguments"
        return
    assert mw.call(f"pkg.mw:{text}") == ["inner", answer]
    _, loading = mw.load(f"pkg.mw:{text}")
    assert loading.facts["called"] == f"pkg.mw:{text.partition('(')[0]}{called}"


def test_a_class_that_is_the_response_is_an_application(mw):
    assert mw.call("pkg.mw:iterates") == ["inner"]
    assert mw.load("pkg.mw:iterates")[1].object_type.startswith("class pkg.mw.iterates.")


@pytest.mark.parametrize("text", ["pkg.mw.Auth", "pkg/mw.py:Auth", "pkg.mw:Auth"])
def test_what_is_told_of_a_middleware(mw, text):
    _, loading = mw.load(f"name={text}")
    assert loading == Loading(
        spec=text,
        label="name",
        origin="--wsgi-middleware",
        kind="middleware",
        file="pkg/mw.py",
        line=5,
        object_type="pkg.mw.Auth",
        facts={"object": "pkg.mw.Auth", "called": f"{text}(application)"},
    )
    assert mw.load(text)[1].label == "Auth"


def test_a_middleware_may_return_the_application_as_it_is(mw):
    target, loading = mw.load("pkg.mw:unchanged")
    assert target is application
    assert loading.object_type == "function"
    assert loading.facts["wraps"] == "nothing: it returns the application as it is"


def test_variables_are_set_before_the_import(loader):
    loader.project.write(m="import os\nos.environ['THE_NAME']\ndef mw(app): return app\n")
    assert loader.load("m:mw", THE_NAME="x")[1].problem is None


def test_a_module_may_be_a_middleware(loader):
    body = "import sys\ndef mw(app, *a): return app\nsys.modules[__name__] = mw\n"
    loader.project.write(m=body)
    assert loader.load("m")[0] is application
    loader.project.write(n=body.replace("*a", "realm"))
    problem = loader.problem("n")
    assert problem.id == "middleware-arguments"
    assert last(problem) == "When that is mended: pytest --wsgi-middleware n"
    del sys.modules["m"], sys.modules["n"]


def test_a_script_without_a_directory_is_a_file(loader):
    loader.project.write_file("mw.wsgi", "def mw(app): return app\n")
    assert loader.load("mw.wsgi:mw")[0] is application


@pytest.mark.parametrize("text", ["m:a", "m:b", "m:c('x')", "broken:a"])
def test_the_users_own_interrupt_passes(loader, text):
    loader.project.write(
        m="""
        def __getattr__(name): raise KeyboardInterrupt
        def b(app): raise KeyboardInterrupt
        def c(realm):
            def wrap(app): raise KeyboardInterrupt
            return wrap
        """,
        broken="raise KeyboardInterrupt",
    )
    with pytest.raises(KeyboardInterrupt):
        loader.load(text)


# ---- what is no middleware

WRONG = """
import asyncio

number, nothing, text = 3, None, "Auth"


class Asgi:
    def __init__(self, app, secret):
        raise AssertionError("it is told without an instance")

    async def __call__(self, scope, receive, send): ...


class OldAsgi:
    def __init__(self, app): ...
    def __call__(self, scope, receive, send): ...


def to_asgi(app):
    async def wrapped(scope, receive, send): ...
    return wrapped


async def coroutine(app): ...


async def dispatch(request, call_next): ...


def to_async(app):
    async def wrapped(environ, start_response): ...
    return wrapped


def django_function(get_response):
    raise AssertionError("it is told without a call")


class Django:
    def __init__(self, get_response, extra): ...
    def __call__(self, request): ...


def to_django(app):
    def wrapped(request): ...
    return wrapped


def site(environ, start_response): ...


class Site:
    def __call__(self, environ, start_response): ...


class AppClass:
    def __init__(self, environ, start_response): ...
    def __iter__(self): ...


def create_app(config=None):
    return Site()


def build():
    return Site()


class Auth:
    def __init__(self, app, realm): ...
    def __call__(self, environ, start_response): ...


instance, a_site = Auth(None, "x"), Site()


def make_local():
    class Local(Auth): ...
    return Local(None, "x")


local = make_local()


def forgot(app):
    def wrapped(environ, start_response): ...


def forgot_twice(realm): ...


def names(app): return "wrapped"


def numbers(realm): return 3


def three(app):
    def wrapped(environ, start_response, more): ...
    return wrapped


def a_class(app): return Auth


def demands(realm, app): ...


def many(realm, mode, deep=1):
    return lambda app: site


def none_at_all():
    return lambda app: site


def deco(realm="x"):
    return lambda app: site


class Empty: ...


def curried(app, environ, start_response): ...


def by_position(app, realm, /): ...


def two(realm, app, mode=None): ...


def global_only(global_conf=None, *, app=None): ...


def makes_conf():
    return lambda global_conf=None: site


def makes_demanding():
    return lambda app, more: site


def raises(app):
    raise ValueError("the middleware's own")


def raises_ever(*args):
    raise ValueError(f"with {len(args)}")


def ends(app):
    raise SystemExit(3)


class Odd:
    def __init__(self, inner, realm=None):
        raise ValueError("first") if inner else TypeError


class Meta(type):
    def __call__(cls, app, realm): ...


class Metal(metaclass=Meta): ...


class Weird:
    def __repr__(self): raise RuntimeError


def weird(app, realm, other=Weird()): ...
"""


@pytest.fixture
def wrong(loader):
    loader.project.write_file("pkg/__init__.py")
    loader.project.write_file("pkg/mw.py", WRONG)
    return loader


NO_MIDDLEWARE = {
    "not-callable": [
        ("number", "@ is a value of type int: nothing to call.", NAME_ONE),
        ("nothing", "@ is None: nothing to call.", NAME_ONE),
        ("text", "@ is a value of type str: nothing to call.", NAME_ONE),
        ("number(3)", "@ is a value of type int: nothing to call.", NAME_ONE),
    ],
    "not-named": [
        (
            "asyncio",
            "pkg.mw:asyncio is a module: a middleware is a class or a function in one.",
            NAME_ONE,
        ),
    ],
    "is-asgi": [
        ("Asgi", "@ is of ASGI, which is not WSGI.", NAME_ONE),
        ("OldAsgi", "@ is of ASGI, which is not WSGI.", NAME_ONE),
        ("to_asgi", "What @(application) returned is of ASGI, which is not WSGI.", NAME_ONE),
        ("coroutine", "@ is of ASGI, which is not WSGI.", NAME_ONE),
        ("dispatch", "@ is of ASGI, which is not WSGI.", NAME_ONE),
        ("to_async", "What @(application) returned is of ASGI, which is not WSGI.", NAME_ONE),
    ],
    "is-django": [
        (
            "django_function",
            "@ is a middleware of Django's, not one of WSGI.",
            "Try: pytest --wsgi-app django",
        ),
        (
            "Django",
            "@ is a middleware of Django's, not one of WSGI.",
            "Try: pytest --wsgi-app django",
        ),
        (
            "to_django",
            "What @(application) returned is a middleware of Django's, not one of WSGI.",
            "Try: pytest --wsgi-app django",
        ),
    ],
    "is-application": [
        (
            "site",
            "@ is a WSGI application, not a middleware.",
            "Try: pytest --wsgi-app pkg.mw:site",
        ),
        (
            "a_site",
            "@ is a WSGI application, not a middleware.",
            "Try: pytest --wsgi-app pkg.mw:a_site",
        ),
        (
            "AppClass",
            "@ is a WSGI application, not a middleware.",
            "Try: pytest --wsgi-app pkg.mw:AppClass",
        ),
        (
            "create_app()",
            "What @() returned is a WSGI application, not a middleware.",
            "Try: pytest --wsgi-app 'pkg.mw:create_app()'",
        ),
        (
            "build()",
            "What @() returned is a WSGI application, not a middleware.",
            "Try: pytest --wsgi-app 'pkg.mw:build()'",
        ),
    ],
    "is-instance": [
        (
            "local",
            "@ is an instance, which is an application: it can be given no other.",
            "  or pytest --wsgi-app pkg.mw:local",
        ),
        (
            "instance",
            "@ is an instance, which is an application: it can be given no other.",
            "  or pytest --wsgi-app pkg.mw:instance",
        ),
    ],
    "returned-none": [
        (
            "forgot",
            "What @(application) returned is None: a return statement may be missing.",
            "mended",
        ),
        (
            "forgot_twice(realm='x')",
            "What @(realm='x') returned is None: a return statement may be missing.",
            "mended",
        ),
    ],
    "result-not-callable": [
        (
            "names",
            "What @(application) returned is a value of type str: nothing to call.",
            "mended",
        ),
        (
            "numbers(realm=1)",
            "What @(realm=1) returned is a value of type int: nothing to call.",
            "mended",
        ),
    ],
    "result-arity": [
        (
            "three",
            "What @(application) returned cannot be called with (environ, start_response).",
            "mended",
        ),
        (
            "a_class",
            "What @(application) returned cannot be called with (environ, start_response).",
            "mended",
        ),
    ],
    "arguments": [
        (
            "Auth",
            "@ cannot be given the application: missing a required argument: 'realm'.",
            "mw Auth(realm='...')",
        ),
        (
            "demands",
            "@ cannot be given the application: missing a required argument: 'realm'.",
            "mw demands(realm='...')",
        ),
        (
            "Auth('x', 'y')",
            "@ cannot be given the application: too many positional arguments.",
            "mw Auth(realm='x')",
        ),
        (
            "many(mode=1, dep=2)",
            "@ cannot be given the application: got an unexpected keyword argument 'dep'.",
            "mw many(mode=1)",
        ),
        (
            "many(realm=1, dep=2)",
            "@ cannot be given the application: missing a required argument: 'mode'.",
            "mw many(realm=1, mode='...')",
        ),
        (
            "two('x', 'y')",
            "@ cannot be given the application: nothing tells where the application goes.",
            "mw two(realm='x', mode='y')",
        ),
        ("Empty", "@ cannot be given the application: too many positional arguments.", NAME_ONE),
        (
            "Metal",
            "@ cannot be given the application: missing a required argument: 'realm'.",
            "mw Metal(realm='...')",
        ),
        (
            "weird",
            "@ cannot be given the application: missing a required argument: 'realm'.",
            "mw weird(realm='...')",
        ),
        (
            "by_position",
            "@ cannot be given the application: missing a required argument: 'realm'.",
            "mw by_position('...')",
        ),
        (
            "makes_demanding()",
            (
                "What @() returned cannot be given the application:"
                " missing a required argument: 'more'."
            ),
            "mended",
        ),
    ],
    "is-factory": [
        (
            "makes_conf()",
            "What @() returned does not take the application: it seems to make a middleware.",
            "mended",
        ),
        (
            "none_at_all",
            "@ does not take the application: it seems to make a middleware.",
            "mw none_at_all()",
        ),
        ("deco", "@ does not take the application: it seems to make a middleware.", "mw deco()"),
        (
            "many('x')",
            "@ does not take the application: it seems to make a middleware.",
            "mw many(realm='x', mode='...')",
        ),
    ],
    "raised": [
        ("raises", "Calling @(application) failed: ValueError: the middleware's own", "mended"),
        ("raises_ever('x')", "Calling @(application, 'x') failed: ValueError: with 2", "mended"),
        ("Odd('x')", "Calling @(application, 'x') failed: ValueError: first", "mended"),
    ],
    "import-failed-exit": [
        ("ends", "Calling @(application) ended the process: SystemExit(3).", "mended"),
    ],
}
"""By id: SPECs in `pkg.mw`, how the message begins, and the command that it ends with.

`@` is the object that is named; `mw X` a command for X, `mended` the one that failed.
"""


@pytest.mark.parametrize(
    ("name", "text", "begins", "ends"),
    [(name, *row) for name, rows in NO_MIDDLEWARE.items() for row in rows],
)
def test_what_is_no_middleware_is_told(wrong, name, text, begins, ends):
    problem = wrong.problem(f"pkg.mw:{text}")
    named = f"pkg.mw:{text.partition('(')[0]}"
    begins = begins.replace("@ ", "The object at @ ", begins.startswith("@"))
    headline = problem.message.splitlines()[0].replace("required positional-only", "required")
    assert headline == begins.replace("@", named, 1)
    assert problem.id == (name if name.startswith("import-") else f"middleware-{name}")
    if ends == "mended":
        ends = f"When that is mended: {command(f'pkg.mw:{text}')}"
    assert last(problem) == re.sub(
        "^mw (.*)", lambda found: f"Try: {command(f'pkg.mw:{found[1]}')}", ends
    )


def test_the_signature_and_what_a_middleware_is_are_told(wrong):
    assert wrong.problem("pkg.mw:Auth").message.splitlines()[1:-1] == [
        "  asked for: pkg.mw:Auth (--wsgi-middleware)",
        "  Its signature is (app, realm).",
        (
            "  A middleware takes the application, and returns a callable that takes"
            " (environ, start_response)."
        ),
    ]
    assert "signature" not in wrong.problem("pkg.mw:weird").message
    assert wrong.problem("pkg.mw:instance").message.splitlines()[2:4] == [
        "  Its class takes the application: pkg.mw:Auth(app, realm).",
        "Try: pytest --wsgi-middleware \"pkg.mw:Auth(realm='...')\"",
    ]


def test_a_proxy_that_stands_for_nothing_yet_is_tried(loader):
    loader.project.write(
        m="""
        class Proxy:
            def __getattribute__(self, name): raise RuntimeError
            __class__ = property(__getattribute__)
            def __call__(self, *args): return args[0] if len(args) == 1 else []
        class Meta(type):
            def __getattribute__(cls, name): raise RuntimeError
        class Hidden(metaclass=Meta):
            def __init__(self, app): ...
            def __call__(self, environ, start_response): ...
        proxy, hidden = Proxy(), Hidden
        def gives(app): return proxy
        def hides(app): return Hidden
        """
    )
    assert loader.load("m:proxy")[0] is application
    assert loader.load("m:gives")[1].problem is None
    assert loader.load("m:hidden")[1].problem is None
    assert loader.load("m:hides")[1].problem is None


def test_the_traceback_of_a_middleware_is_its_own(wrong):
    message = wrong.problem("pkg.mw:raises").message
    assert 'raise ValueError("the middleware\'s own")' in message
    assert message.count("  File ") == 1


def test_nothing_remains_of_a_call_that_was_tried_in_vain(wrong):
    assert "with 1" not in wrong.problem("pkg.mw:raises_ever('x')").message


def test_what_has_no_signature_says_nothing():
    class Untold:
        __signature__ = 1

        def __call__(self, app): ...

    reason = explain_misfit(Untold(), application, None)
    assert reason == "nothing tells where the application goes"


@pytest.mark.parametrize("word", ["django", "auto", "fixture"])
def test_words_are_for_applications(loader, word):
    problem = loader.problem(word)
    assert problem.id == "middleware-word"
    assert problem.message.splitlines()[-2:] == [NAME_ONE, f"  or pytest --wsgi-app {word}"]
    _, loading = loader.load(word)
    assert (loading.kind, loading.label, loading.file) == ("middleware", word, None)


# ---- what is not there


@pytest.mark.parametrize(
    ("text", "name", "command"),
    [
        (
            "pkg.mv:Auth(realm='x')",
            "module-missing",
            "Try: pytest --wsgi-middleware \"pkg.mw:Auth(realm='x')\"",
        ),
        ("pkg.mv.Auth", "module-missing", "Try: pytest --wsgi-middleware pkg.mw.Auth"),
        ("x=pkg.mv:Auth", "module-missing", "Try: pytest --wsgi-middleware x=pkg.mw:Auth"),
        ("gone:Auth", "module-missing", NAME_ONE),
        ("gone.py:Auth", "file-missing", NAME_ONE),
        ("pkg.mw.Auth.x:y", "module-missing", "Try: pytest --wsgi-middleware pkg.mw:Auth.x"),
        ("pkg.mw.Auth:y", "module-missing", "Try: pytest --wsgi-middleware pkg.mw:Auth"),
        (
            "pkg.mw:Auht(realm='x')",
            "attribute-missing",
            "Try: pytest --wsgi-middleware \"pkg.mw:Auth(realm='x')\"",
        ),
        ("pkg.mw.Auht", "attribute-missing", "Try: pytest --wsgi-middleware pkg.mw.Auth"),
        ("pkg/mw.py:Auht", "attribute-missing", "Try: pytest --wsgi-middleware pkg/mw.py:Auth"),
        (
            "pkg.mw:holdr.method",
            "attribute-missing",
            "Try: pytest --wsgi-middleware pkg.mw:holder.method",
        ),
        (
            "pkg.mw:holder.metod",
            "attribute-missing",
            "Try: pytest --wsgi-middleware pkg.mw:holder.method",
        ),
        ("pkg.mw:zzzz", "attribute-missing", NAME_ONE),
        ("pkg.mw", "middleware-not-named", "Try: pytest --wsgi-middleware pkg.mw.Auth"),
        ("pkg/mw.py", "middleware-not-named", "Try: pytest --wsgi-middleware pkg/mw.py:Auth"),
        ("pkg", "middleware-not-named", NAME_ONE),
    ],
)
def test_what_is_not_there_is_told_for_this_option(mw, text, name, command):
    mw.project.subject("pkg/wsgi.py")  # which no message may suggest
    problem = mw.problem(text)
    assert problem.id == name
    assert last(problem) == command


def test_a_module_shows_what_takes_an_application(mw):
    message = mw.problem("pkg.mw").message
    assert "  did you mean: Auth, plain, unchanged, " in message
    mw.project.write(only="number = 3\n")
    assert "  it has: number\n" in mw.problem("only").message
    mw.project.write(bare="")
    assert "  it has: no public names\n" in mw.problem("bare").message


def test_a_missing_wsgi_py_is_not_proposed(loader, monkeypatch):
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "shop.settings")
    loader.project.write_file("shop/__init__.py")
    problem = loader.problem("shop.wsgi:Auth")
    assert problem.id == "module-missing"
    assert last(problem) == NAME_ONE


def test_a_module_that_lies_elsewhere(loader):
    loader.project.write_file("web/shop/mw.py", "def mw(app): return app\n")
    problem = loader.problem("shop.mw:mw")
    assert last(problem) == "Try: pytest -o pythonpath=web --wsgi-middleware shop.mw:mw"


def test_an_import_that_fails(loader):
    loader.project.write(m="import os\nos.environ['THE_NAME']\n")
    problem = loader.problem("m:mw")
    assert problem.id == "environment-variable-missing"
    assert last(problem) == "Try: pytest --wsgi-env THE_NAME=... --wsgi-middleware m:mw"


def test_a_middleware_that_sets_django_up_is_remembered(loader, monkeypatch):
    settings = SimpleNamespace(configured=False, SETTINGS_MODULE="")
    monkeypatch.setitem(sys.modules, "django.conf", SimpleNamespace(settings=settings))
    loader.project.write(
        m="""
        import sys
        sys.modules["django.conf"].settings.configured = True
        def mw(app): return app
        """
    )
    loader.load("m:mw")
    assert django.find_owner().target == "m.py"
    assert "DJANGO_SETTINGS_MODULE" not in os.environ


# ---- several


def test_the_first_of_a_stack_is_outermost(mw):
    target, loading = mw.stack("pkg.mw:Auth('out')", "pkg.mw:plain", "pkg.mw:deco('in')")
    assert target({}, None) == ["inner", ("in", False), "plain", ("out", "open")]
    assert loading == Loading(
        spec="pkg.mw:Auth('out') > pkg.mw:plain > pkg.mw:deco('in')",
        label="stack",
        origin="--wsgi-middleware",
        kind="middleware",
        file="pkg/mw.py",
        line=5,
        object_type="pkg.mw.Auth",
        facts={
            "object": "pkg.mw.Auth",
            "layer 1": "pkg.mw:Auth(application, 'out')",
            "layer 2": "pkg.mw:plain(application)",
            "layer 3": "pkg.mw:deco('in')(application)",
        },
    )


def test_a_stack_fails_with_its_first_problem(mw):
    target, loading = mw.stack("pkg.mw:Auth", "gone:b", "pkg.mw:plain")
    assert target is None
    assert (loading.kind, loading.label) == ("middleware", "stack")
    assert loading.spec == "pkg.mw:Auth > gone:b > pkg.mw:plain"
    assert checked(loading.problem, "gone:b").id == "module-missing"


# ---- what is installed


def test_werkzeug(loader):
    pytest.importorskip("werkzeug", reason="Werkzeug is not installed")
    proxy = "werkzeug.middleware.proxy_fix:ProxyFix"
    target, loading = loader.load(f"{proxy}(x_for=2, x_prefix=1)")
    assert (target.app, target.x_for, target.x_prefix) == (application, 2, 1)
    assert loading.object_type == "werkzeug.middleware.proxy_fix.ProxyFix"
    assert loading.facts["called"] == f"{proxy}(application, x_for=2, x_prefix=1)"
    assert last(loader.problem(f"{proxy}(x_fro=2)")) == f"Try: pytest --wsgi-middleware {proxy}"
    shared = "werkzeug.middleware.shared_data:SharedDataMiddleware"
    assert last(loader.problem(shared)) == (
        f"Try: pytest --wsgi-middleware \"{shared}(exports='...')\""
    )


def test_whitenoise(loader):
    pytest.importorskip("whitenoise", reason="WhiteNoise is not installed")
    target, loading = loader.load("whitenoise:WhiteNoise(root=None, prefix='/static')")
    assert target.application is application
    assert loading.object_type == "whitenoise.base.WhiteNoise"


def test_django(loader):
    pytest.importorskip("django", reason="Django is not installed")
    problem = loader.problem("django.middleware.gzip.GZipMiddleware")
    assert problem.id == "middleware-is-django"


# ---- PasteDeploy

INI = """
[DEFAULT]
debug = true

[filter:main]
paste.filter_factory = pasted:filter_factory

[filter:app_first]
paste.filter_app_factory = pasted:filter_app_factory
name = one

[filter:with]
paste.filter_factory = pasted:filter_factory
name = inside
filter-with = app_first

[filter-app:pair]
paste.filter_factory = pasted:filter_factory
next = site
name = pair

[filter-app:both]
paste.filter_factory = pasted:filter_factory
next = site
name = inside
filter-with = app_first

[filter:broken]
paste.filter_factory = pasted:broken

[filter:nothing]
paste.filter_factory = pasted:nothing

[filter:site_in_filter]
paste.filter_factory = pasted:site

[app:site]
paste.app_factory = pasted:app_factory
"""


@pytest.fixture
def pasted(loader):
    pytest.importorskip("paste.deploy", reason="PasteDeploy is not installed")
    loader.project.write_file("dev.ini", INI)
    loader.project.write(
        pasted="""
        class Named:
            def __init__(self, app, name):
                self.app, self.name = app, name
            def __call__(self, environ, start_response):
                return [*self.app(environ, start_response), self.name]
        def filter_factory(global_conf, name="main"):
            return lambda app: Named(app, name + global_conf["debug"])
        def filter_app_factory(app, global_conf, name):
            return Named(app, name)
        def broken(global_conf):
            raise KeyError("no such thing")
        def nothing(global_conf):
            pass
        def site(global_conf):
            return lambda environ, start_response: []
        def app_factory(global_conf):
            raise AssertionError("the application behind is not made")
        """
    )
    return loader


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("dev.ini", ["maintrue"]),
        ("dev.ini#main", ["maintrue"]),
        ("config:dev.ini#app_first", ["one"]),
        ("paste:config:dev.ini#app_first", ["one"]),
        ("dev.ini#with", ["insidetrue", "one"]),
        ("dev.ini#pair", ["pairtrue"]),
        ("dev.ini#both", ["insidetrue", "one"]),
    ],
)
def test_a_filter_of_an_ini_file(pasted, text, answer):
    assert pasted.call(text) == ["inner", *answer]
    _, loading = pasted.load(text)
    assert loading.label == (text.partition("#")[2] or "main")
    assert loading.object_type == "pasted.Named"
    assert loading.file == (None if text.startswith("paste:") else "dev.ini")


def test_a_filter_that_is_named_in_python(pasted):
    assert pasted.call("pasted:filter_app_factory(name='x')") == ["inner", "x"]


@pytest.mark.parametrize(
    ("text", "name", "headline", "ends"),
    [
        (
            "dev.ini#site",
            "middleware-is-application",
            "[app:site] of dev.ini is an application, not a filter.",
            [
                "Try: pytest --wsgi-middleware 'dev.ini#main'",
                "  or pytest --wsgi-app 'dev.ini#site'",
            ],
        ),
        (
            "paste:config:dev.ini#site",
            "middleware-is-application",
            "paste:config:dev.ini#site is an application, not a filter.",
            ["Try: pytest --wsgi-app 'paste:config:dev.ini#site'"],
        ),
        (
            "dev.ini#wiht",
            "ini-section-missing",
            "dev.ini has no section [filter:wiht].",
            ["Try: pytest --wsgi-middleware 'dev.ini#with'"],
        ),
        ("gone.ini#x", "ini-missing", "No file gone.ini.", [NAME_ONE]),
        ("bare.ini#x", "ini-section-missing", "bare.ini has no section [filter:x].", [NAME_ONE]),
        (
            "bare.ini#main",
            "middleware-is-application",
            "[app:main] of bare.ini is an application, not a filter.",
            ["Try: pytest --wsgi-app 'bare.ini#main'"],
        ),
        (
            "dev.ini#broken",
            "factory-raised",
            "Building dev.ini#broken failed: KeyError: 'no such thing'",
            ["When that is mended: pytest --wsgi-middleware 'dev.ini#broken'"],
        ),
        (
            "paste:config:dev.ini#gone",
            "factory-raised",
            None,
            ["When that is mended: pytest --wsgi-middleware 'paste:config:dev.ini#gone'"],
        ),
        (
            "dev.ini#site_in_filter",
            "middleware-is-application",
            "What dev.ini#site_in_filter returned is a WSGI application, not a middleware.",
            ["When that is mended: pytest --wsgi-middleware 'dev.ini#site_in_filter'"],
        ),
        (
            "dev.ini#nothing",
            "middleware-returned-none",
            "What dev.ini#nothing returned is None: a return statement may be missing.",
            ["When that is mended: pytest --wsgi-middleware 'dev.ini#nothing'"],
        ),
    ],
)
def test_a_filter_that_is_none(pasted, text, name, headline, ends):
    pasted.project.write_file("bare.ini", "[app:main]\nuse = egg:x\n")
    problem = pasted.problem(text)
    assert problem.id == name
    assert headline in (None, problem.message.splitlines()[0])
    assert problem.message.splitlines()[-len(ends) :] == ends


def test_a_file_that_is_no_ini(pasted):
    pasted.project.write_file("odd.ini", "no section\n")
    assert pasted.problem("odd.ini#x").id == "factory-raised"


def test_a_distribution_that_is_not_there(pasted):
    problem = pasted.problem("paste:egg:AbsentDistribution#main")
    assert "AbsentDistribution" in problem.message.splitlines()[0]


def test_without_pastedeploy_the_extra_is_named(loader, monkeypatch):
    monkeypatch.setitem(sys.modules, "paste.deploy", None)
    problem = loader.problem("dev.ini#x")
    assert problem.id == "paste-not-installed"
    assert last(problem) == "When that is mended: pytest --wsgi-middleware 'dev.ini#x'"
