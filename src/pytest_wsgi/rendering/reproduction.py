"""How a finding is seen again: a pytest line, a curl line, and a script without this package.

What is not known, or could not be trusted as code, is left out; then the text is empty.
"""

from __future__ import annotations

import ast
import re
import shlex
from typing import TYPE_CHECKING
from urllib.parse import quote

from pytest_wsgi.rendering import printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_wsgi.report.values import RuleReport, Stimulus, Subject

BASE = "http://localhost:8000"
"""Where the curl line expects a server with the application."""

READ = {
    "complete": "for block in blocks: print('block:', block)",
    "first block": "print('block:', next(iter(blocks), None))",
    "no block": "",
    "closed twice": "for block in blocks: print('block:', block)",
}
"""The line of the script that reads the iterable, by how the server did; others take more."""

BEHIND = (
    "Blocks = type('Blocks', (list,), {'close': lambda blocks: print('close() was called')})",
    "def application(environ, start_response):",
    "    start_response('200 OK', [('Content-Type', 'text/plain')])",
    "    return Blocks([b'first', b'', b'last'])",
)
"""The lines of the application that the script puts a middleware around."""

_USED = frozenset({"Blocks", "application", "blocks", "environ", "io", "start_response", "sys"})
"""The names that the script gives to something."""

_DOTTED = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*", re.ASCII)
_FILE = re.compile(r"(?P<file>[\w./ -]+\.py)(:(?P<name>[^\W\d]\w*))?", re.ASCII)
_HEADER = re.compile(r"HTTP_[A-Z0-9_]+", re.ASCII)
_METHOD = re.compile(r"[A-Z]+", re.ASCII)
_OWN = {"HTTP_USER_AGENT", "HTTP_ACCEPT", "HTTP_CONTENT_LENGTH", "HTTP_CONTENT_TYPE"}
"""What curl sends by itself, or what only a faulty server would set."""

_FIXTURE = "the fixture wsgi_app"
_QUERY = "/:@!$&'()*+,;=~?%"
"""What a query has as it is."""


def write_pytest(rule: RuleReport, subject: Subject) -> str:
    """Return the command that judges a rule again."""
    if rule.rerun:
        return printable(rule.rerun)
    option = "--wsgi-middleware" if subject.kind == "middleware" else "--wsgi-app"
    words = ["pytest", option, printable(subject.spec), "--wsgi-select", printable(rule.id)]
    return shlex.join(words)


def write_curl(stimulus: Stimulus) -> str:
    """Return the command that sends the request to a server; empty where HTTP cannot carry it."""
    environ = read_environ(stimulus)
    method, path = environ.get("REQUEST_METHOD"), environ.get("PATH_INFO")
    query = environ.get("QUERY_STRING", "")
    if not (isinstance(method, str) and _METHOD.fullmatch(method) and isinstance(query, str)):
        return ""
    if not (isinstance(path, str) and path.startswith("/")):
        return ""
    script = environ.get("SCRIPT_NAME")
    path = f"{script if isinstance(script, str) else ''}{path}"
    words = ["curl", "-i", *{"GET": [], "HEAD": ["-I"]}.get(method, ["-X", method])]
    for name, value in environ.items():
        if _HEADER.fullmatch(name) and name not in _OWN and isinstance(value, str):
            words += ["-H", f"{name[5:].replace('_', '-').title()}: {printable(value)}"]
    if environ.get("CONTENT_TYPE"):
        words += ["-H", f"Content-Type: {printable(str(environ['CONTENT_TYPE']))}"]
    if stimulus.body_length > 0:
        words += ["--data-binary", "@body"]
    return shlex.join([*words, write_address(path, query)])


def write_address(path: str, query: str) -> str:
    """Return the address; servers hand the bytes of a path over as latin-1, which is undone."""
    address = BASE + quote(path.encode("latin-1", "replace"), safe="/:@!$&'()*+,;=~")
    more = quote(query.encode("latin-1", "replace"), safe=_QUERY)
    return f"{address}?{more}" if more else address


def write_script(stimulus: Stimulus, subject: Subject) -> str:
    """Return a script of at most twelve lines that asks the same; empty where none would do."""
    imports = import_subject(subject)
    if not imports or stimulus.reading not in READ:
        return ""
    validator = "wsgiref.validate.validator(application)"
    application = validator if stimulus.under_validator else "application"
    close = "getattr(blocks, 'close', bool)()"
    lines = [
        f"import io, sys{', wsgiref.validate' if stimulus.under_validator else ''}",
        *imports,
        write_environ(stimulus),
        "start_response = lambda *arguments: print('start_response:', arguments) or print",
        f"blocks = {application}(environ, start_response)",
        READ[stimulus.reading],
        f"{close}; {close}" if stimulus.reading == "closed twice" else close,
    ]
    return "\n".join(filter(None, lines))


def write_environ(stimulus: Stimulus) -> str:
    """Return the line that makes environ: variables of the request, those of WSGI, the streams."""
    environ = read_environ(stimulus)
    plain = {name: value for name, value in environ.items() if name.isidentifier()}
    rest = {name: value for name, value in environ.items() if name not in plain}
    body = f"b'x' * {stimulus.body_length}" if stimulus.body_length > 0 else ""
    items = [f"{name}={value!r}" for name, value in plain.items()]
    streams = [f"'wsgi.input': io.BytesIO({body})", "'wsgi.errors': sys.stderr"]
    other = ", ".join([*(f"{name!r}: {value!r}" for name, value in rest.items()), *streams])
    return f"environ = dict({', '.join([*items, f'**{{{other}}}'])})"


def read_environ(stimulus: Stimulus) -> dict[str, object]:
    """Return the variables as values; what is no plain literal is left out."""
    return {
        name: value
        for name, text in stimulus.environ.items()
        if name.replace(".", "_").replace("-", "_").isidentifier()
        for value in [read_literal(text)]
        if value is not None
    }


def read_literal(text: str) -> object:
    """Return a text, a number, a truth or a tuple of numbers as written; None for all else."""
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None
    if type(value) is tuple and all(type(item) is int for item in value):
        return value
    return value if type(value) in (str, int, bool) else None


def import_subject(subject: Subject) -> list[str]:
    """Return the lines that bind the subject to `application`; none where its SPEC says too little.

    A middleware is put around an application of three blocks, which tells of its close().
    """
    if subject.origin == _FIXTURE or subject.problem is not None:
        return []
    return import_middleware(subject) if subject.kind == "middleware" else import_spec(subject)


def import_middleware(subject: Subject) -> list[str]:
    """Return the lines that put a middleware around an application, called as it was in the run."""
    module, colon, name = subject.spec.partition(":")
    if not colon:
        module, _, name = subject.spec.rpartition(".")
    if not (_DOTTED.fullmatch(module) and is_harmless(name) and "#" not in name):
        return []
    called, root = subject.facts.get("called", "").partition(":")[2], find_root(name)
    if not (is_harmless(called, "application") and find_root(called) == root):
        called = f"{name}(application)"
    # A name that is used below would no longer be that of the middleware.
    return (
        []
        if root in _USED
        else [f"from {module} import {root}", *BEHIND, f"application = {called}"]
    )


def find_root(expression: str) -> str:
    """Return the name that an expression of attributes and calls begins with."""
    return re.split(r"[.(]", expression, maxsplit=1)[0]


def import_spec(subject: Subject) -> list[str]:
    """Return the lines that bind what the SPEC names to `application`."""
    spec = subject.spec
    found = _FILE.fullmatch(spec)
    if found:
        name = found["name"] or find_label(subject)
        return ["import runpy", f"application = runpy.run_path({found['file']!r})[{name!r}]"]
    module, colon, name = spec.partition(":")
    if not _DOTTED.fullmatch(module):
        return []
    if colon:
        return import_expression(module, name)
    if is_module(subject):
        return import_expression(module, find_label(subject))
    module, _, name = spec.rpartition(".")
    return import_expression(module, name) if module else []


def import_expression(module: str, expression: str) -> list[str]:
    """Return the lines that bind an expression over a module's names to `application`."""
    if expression == "application":
        return [f"from {module} import application"]
    if expression.isidentifier() and expression.isascii():
        return [f"from {module} import {expression} as application"]
    if not is_harmless(expression):
        return []
    return [f"from {module} import {find_root(expression)}", f"application = {expression}"]


def is_harmless(expression: str, *names: str) -> bool:
    """Tell whether an expression is attributes and calls of a name.

    Their arguments must be literals, or one of `names`.
    """
    try:
        node = ast.parse(expression, mode="eval").body
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return False
    while isinstance(node, ast.Attribute | ast.Call):
        if isinstance(node, ast.Call):
            values = [*node.args, *(keyword.value for keyword in node.keywords)]
            if not all(is_plain(value, names) for value in values):
                return False
            node = node.func
        else:
            node = node.value
    return isinstance(node, ast.Name) and expression.isascii() and "\n" not in expression


def is_plain(node: ast.expr, names: Sequence[str]) -> bool:
    """Tell whether an expression is a literal, or one of some names."""
    return isinstance(node, ast.Constant) or (isinstance(node, ast.Name) and node.id in names)


def is_module(subject: Subject) -> bool:
    """Tell whether the SPEC names a module alone, as the file of the subject shows."""
    path = (subject.file or "").removesuffix(".py").removesuffix("/__init__")
    return bool(path) and f"/{path}".endswith("/" + subject.spec.replace(".", "/"))


def find_label(subject: Subject) -> str:
    """Return the name that the subject has in its module, as far as is known."""
    name = subject.label.rpartition(".")[2]
    return name if name.isidentifier() and name.isascii() else "application"


def describe_limits(stimulus: Stimulus | None, subject: Subject) -> list[str]:
    """Return what a curl line and a script leave out of the request."""
    if stimulus is None:
        return []
    limits = []
    if subject.kind == "middleware":
        limits.append("Only with the pytest line the application behind does what it did here.")
    if stimulus.withheld:
        names = ", ".join(map(printable, stimulus.withheld))
        limits.append(f"Left out, because it may be secret: {names}.")
    if stimulus.body_length > 0:
        limits.append(f"The body is a stand-in of the same length, {stimulus.body_length} bytes.")
    if stimulus.reading not in READ:
        reading = printable(stimulus.reading)
        limits.append(f"Only the pytest line reads the iterable as it was read: {reading}.")
    return limits


def choose_silencers(rule: RuleReport, subject: Subject) -> Mapping[str, str]:
    """Return how a rule is left out, by where that is written."""
    option = "--wsgi-middleware" if subject.kind == "middleware" else "--wsgi-app"
    words = ["pytest", option, printable(subject.spec), "--wsgi-ignore", printable(rule.id)]
    reason = f"{printable(rule.id)}: why this is right here"
    return {
        "For one run": shlex.join(words),
        "For good, in pyproject.toml": (f'[tool.pytest.ini_options]\nwsgi_ignore = ["{reason}"]'),
    }
