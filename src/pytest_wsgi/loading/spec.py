"""The SPEC grammar: from the text that a user wrote to what it asks for.

Nothing here imports, evaluates or touches a file.
"""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import dataclass
from typing import Literal, NoReturn

from pytest_wsgi.exchange import Problem
from pytest_wsgi.loading.command import APPLICATION, MIDDLEWARE, pytest_command

Kind = Literal["module", "dotted", "file", "ini", "paste", "django", "auto", "fixture"]
"""module: `pkg.mod:attr`; dotted: `pkg.mod.attr` or `pkg.mod`; the others: what they say."""

_EXAMPLE = "mysite.wsgi.application"
_EXAMPLES = {MIDDLEWARE: "mysite.middleware:Auth"}

_WORDS: dict[str, Kind] = {"django": "django", "auto": "auto", "fixture": "fixture"}
_LABELLED = re.compile(r"([^=:(/\\#'\"]*)=(.*)", re.DOTALL)
_LABEL = re.compile(r"[\w.-]+")
_MODULE = re.compile(r"[\w-]+(\.[\w-]+)*")
_SEPARATOR = re.compile(r":(?![\\/])")  # not the colon of a Windows drive
_URL = re.compile(r"https?://", re.IGNORECASE)
_INI = re.compile(r"(?:config:)?(?P<file>.+\.ini)(?:#(?P<name>.*))?", re.IGNORECASE | re.DOTALL)


class SpecError(Exception):
    """A SPEC cannot be read. `problem` says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Call:
    """A factory call with literal arguments, such as `('dev', debug=True)`; `text` is that."""

    args: tuple[object, ...] = ()
    kwargs: tuple[tuple[str, object], ...] = ()
    text: str = "()"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """What a SPEC asks for.

    `text` is the SPEC as written, without its label. `target` is the module, the dotted name, the
    file or the PasteDeploy URI. `attributes` is the path that follows the colon. `section` is the
    name after the `#` of an ini file. `label` is the one given, or empty.
    """

    text: str
    kind: Kind
    label: str = ""
    target: str = ""
    attributes: tuple[str, ...] = ()
    call: Call | None = None
    section: str = ""


def parse_spec(text: str, option: str = APPLICATION) -> Spec:
    """Read `[LABEL=]SPEC`, which was given to `option`.

    Raises SpecError, whose problem has an id and a message that ends with a corrected command.
    """
    try:
        return _parse(text)
    except SpecError as error:
        if option == APPLICATION:
            raise
        message = error.problem.message.replace(APPLICATION, option)
        message = message.replace(_EXAMPLE, _EXAMPLES.get(option, _EXAMPLE))
        raise SpecError(Problem(error.problem.id, message)) from None


def _parse(text: str) -> Spec:
    label, body = _split_label(text.strip())
    if not body:
        _refuse("spec-empty", text, "it is empty", "mysite.wsgi.application")
    if body in _WORDS:
        return Spec(text=body, kind=_WORDS[body], label=label)
    if body.startswith("paste:"):
        return _parse_paste(body, label)
    if _URL.match(body):
        why = "it is a URL and not a SPEC; an application is loaded here, not asked over HTTP"
        _refuse("spec-url", text, why, "mysite.wsgi.application")
    if ini := _INI.fullmatch(body):
        return Spec(
            text=body, kind="ini", label=label, target=ini["file"], section=ini["name"] or ""
        )
    return _parse_python(body, label)


def parse_attribute(text: str) -> tuple[tuple[str, ...], Call | None]:
    """Read what follows the colon: a name, a chain of attributes, or one call of it.

    Returns the names and the call. Raises ValueError with a phrase that says what is wrong.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # such as an invalid escape in a literal
            node = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ValueError(f"{text!r} is not a name, nor a call of one") from None
    if isinstance(node, ast.Call):
        return _names(node.func), _literal_call(node)
    return _names(node), None


def _split_label(text: str) -> tuple[str, str]:
    """Take a label off. An `=` inside a call is none: a `:` or `(` comes before it."""
    found = _LABELLED.fullmatch(text)
    if not found:
        return "", text
    label, body = found[1].strip(), found[2].strip()
    if not _LABEL.fullmatch(label):
        why = f"the label {label!r} is not made of letters, digits, '_', '-' and '.'"
        _refuse("spec-label", text, why, f"api={body or 'mysite.wsgi.application'}")
    return label, body


def _parse_paste(body: str, label: str) -> Spec:
    uri = body.removeprefix("paste:").strip()
    if not uri:
        _refuse("spec-no-uri", body, "nothing follows 'paste:'", "paste:egg:MyDistribution#main")
    return Spec(text=body, kind="paste", label=label, target=uri)


def _parse_python(body: str, label: str) -> Spec:
    left, colon, right = _split_colon(body)
    if "(" in left:
        _refuse_call(body)
    is_file = _is_file(left)
    if not is_file:
        _demand_module(body, left, right)
    if colon and not right.strip():
        _refuse("spec-no-attribute", body, "nothing follows the ':'", f"{left}:application")
    attributes, call = _attribute(body, left, right) if colon else ((), None)
    kind: Kind = "file" if is_file else "module" if colon else "dotted"
    return Spec(text=body, kind=kind, label=label, target=left, attributes=attributes, call=call)


def _split_colon(body: str) -> tuple[str, str, str]:
    found = _SEPARATOR.search(body)
    if not found:
        return body, "", ""
    return body[: found.start()].strip(), ":", body[found.end() :]


def _is_file(left: str) -> bool:
    """Tell a file from a module: `mysite.wsgi` is a module, `deploy/mysite.wsgi` is a file."""
    folded = left.lower()
    return folded.endswith(".py") or (folded.endswith(".wsgi") and bool(re.search(r"[\\/]", left)))


def _demand_module(body: str, left: str, right: str) -> None:
    if re.search(r"[\\/]", left):
        dotted = ".".join(part for part in re.split(r"[\\/]+", left) if part.strip("."))
        why = "a module is written with dots, and a file ends in .py or .wsgi"
        _refuse("spec-slash", body, why, f"{dotted or 'mysite.wsgi'}:{right or 'application'}")
    if not _MODULE.fullmatch(left):
        dotted = ".".join(re.findall(r"[\w-]+", left)) or "mysite.wsgi"
        why = f"{left!r} is not the name of a module"
        _refuse("spec-module", body, why, f"{dotted}:{right.strip() or 'application'}")


def _attribute(body: str, left: str, right: str) -> tuple[tuple[str, ...], Call | None]:
    try:
        return parse_attribute(right)
    except ValueError as error:
        name = re.match(r"\s*(\w+(?:\.\w+)*)", right)
        is_call = "(" in right
        fixed = f"{name[1] if name else 'application'}{'()' if is_call else ''}"
        if ":" in right and not is_call:
            fixed = ".".join(re.findall(r"\w+", right))
        _refuse("spec-call" if is_call else "spec-attribute", body, str(error), f"{left}:{fixed}")


def _names(node: ast.expr) -> tuple[str, ...]:
    if isinstance(node, ast.Attribute):
        return (*_names(node.value), node.attr)
    if isinstance(node, ast.Name):
        return (node.id,)
    raise ValueError(f"{ast.unparse(node)!r} is not a name, nor a call of one")


def _literal_call(node: ast.Call) -> Call:
    if any(keyword.arg is None for keyword in node.keywords):
        raise ValueError("'**' cannot be used: arguments are literals, written one by one")
    args = tuple(_literal(argument) for argument in node.args)
    kwargs = tuple((str(keyword.arg), _literal(keyword.value)) for keyword in node.keywords)
    written = ast.unparse(node)
    return Call(args, kwargs, written.removeprefix(ast.unparse(node.func)))


def _literal(node: ast.expr) -> object:
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, RecursionError):
        written = ast.unparse(node)
        raise ValueError(f"the argument {written} is not a literal; nothing is evaluated") from None


def _refuse_call(body: str) -> NoReturn:
    callee, _, rest = body.partition("(")
    module, _, name = callee.strip().rpartition(".")
    why = "a call needs a ':' between the module and the factory"
    _refuse("spec-call-without-colon", body, why, f"{module or 'mysite'}:{name}({rest}")


def _refuse(problem: str, text: str, why: str, corrected: str) -> NoReturn:
    message = f"Cannot read the SPEC {text!r}: {why}.\nTry: {pytest_command(corrected)}"
    raise SpecError(Problem(problem, message))
