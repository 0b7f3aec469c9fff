"""The checks are complete: each place where wsgiref.validate speaks is in CHECKS.

A new Python that adds a check fails here, and gives the finding "unknown" until CHECKS has it.
"""

from __future__ import annotations

import ast
import inspect
import wsgiref.validate
from collections import Counter

import pytest

from wsgiref_validate_wrappers import CHECKS

SPOKEN = {
    "lint_app": 3,
    "start_response_wrapper": 2,
    "read": 2,
    "readline": 2,
    "readlines": 3,
    "close": 2,
    "write": 1,
    "__call__": 1,
    "__next__": 3,
    "__del__": 1,
    "check_environ": 13,
    "check_input": 1,
    "check_errors": 1,
    "check_status": 3,
    "check_headers": 8,
    "check_content_type": 2,
    "check_exc_info": 1,
    "check_iterator": 1,
    "check_string_type": 1,
    "assert_": 1,
}


def places():
    """Yield (function, message) of every assertion, warning and raise; `message` may be cut."""
    tree = ast.parse(inspect.getsource(wsgiref.validate))
    yield from walk(tree, None)


def walk(node, function):
    if isinstance(node, ast.FunctionDef):
        function = node.name
    if isinstance(node, ast.Raise):
        yield function, message_of([node.exc])
    elif isinstance(node, ast.Call) and ast.unparse(node.func) == "assert_":
        yield function, message_of(node.args[1:])
    elif isinstance(node, ast.Call) and ast.unparse(node.func) == "warnings.warn":
        yield function, message_of(node.args)
    for child in ast.iter_child_nodes(node):
        yield from walk(child, function)


def message_of(nodes):
    """Return the literal text up to the first value that is formatted into it."""
    texts = [
        part.value
        for node in nodes
        for part in ast.walk(node)
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    ]
    return texts[0].partition("%")[0] if texts else ""


def test_every_place_is_counted():
    assert Counter(function for function, _ in places()) == SPOKEN


@pytest.mark.parametrize(("function", "message"), list(places()))
def test_every_place_has_a_check(function, message):
    if function in ("assert_", "check_string_type"):
        return  # both are replaced; the next test is about the second
    assert [
        check.id
        for check in CHECKS.values()
        if check.function == function
        and not check.raises
        and (
            check.begins.startswith(message) or message.startswith(check.begins)
            if check.begins and message
            else check.begins == message
        )
    ]


def test_every_title_of_check_string_type_has_a_check():
    tree = ast.parse(inspect.getsource(wsgiref.validate))
    titles = {
        node.args[1].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "check_string_type"
    }
    begins = {check.begins for check in CHECKS.values() if check.function == "check_string_type"}
    assert begins == {f"{title} must be of type str" for title in titles}


def test_every_check_has_a_place():
    spoken = {function for function, _ in places()}
    defined = {
        node.name
        for node in ast.walk(ast.parse(inspect.getsource(wsgiref.validate)))
        if isinstance(node, ast.FunctionDef)
    }
    for check in CHECKS.values():
        if check.function:
            assert check.function in (defined if check.raises else spoken)
