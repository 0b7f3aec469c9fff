from __future__ import annotations

import sqlite3
from types import SimpleNamespace

import pytest

from pytest_wsgi.launches import Handler
from pytest_wsgi.loading.launch.handlers import check_handlers, is_of_database


def check(**functions):
    return list(check_handlers(SimpleNamespace(**functions)))


def fault(name, function):
    (found,) = check(**{name: function})
    assert not found.undecided
    return found.fault


def test_module_without_handlers_has_nothing_to_check():
    assert check() == []
    assert list(check_handlers(None)) == []


@pytest.mark.parametrize("answer", [None, False])
def test_password_of_nobody_is_refused(answer):
    assert fault("check_password", lambda environ, user, password: answer) == ""


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda environ, user, password: True, "lets a user in"),
        (lambda environ, user, password: "admin", "lets a user in"),
        (lambda environ, user, password: 0, "returned int"),
        (lambda user, password: None, "has the signature (user, password), and is called with"),
        (lambda environ, user, password: {}[user], "raised KeyError"),
        ("secret", "is a str, which cannot be called"),
        (dict.update, "raised TypeError"),
    ],
)
def test_faults_of_check_password(function, words):
    assert words in fault("check_password", function)


@pytest.mark.parametrize("answer", [[], (), ["a", b"b"], iter([])])
def test_groups_are_names(answer):
    assert fault("groups_for_user", lambda environ, user: answer) == ""


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("customers", "returned str, not a list"),
        (b"customers", "returned bytes"),
        (None, "returned NoneType, which is no iterable"),
        ([7], "has int among its names"),
        (["\u6f22"], "has str among its names"),
    ],
)
def test_faults_of_groups_for_user(answer, words):
    assert words in fault("groups_for_user", lambda environ, user: answer)


def test_function_without_a_signature_is_just_called():
    class Odd:
        __signature__ = 5

        def __call__(self, *arguments):
            return []

    assert fault("groups_for_user", Odd()) == ""


def test_database_that_is_not_there_decides_nothing():
    def ask_database(environ, user):
        raise RuntimeError from sqlite3.OperationalError("no such table")

    (found,) = check(groups_for_user=ask_database)
    assert found == Handler(name="groups_for_user", undecided="its database raised RuntimeError")


def test_errors_of_databases_are_told_from_others():
    assert is_of_database(sqlite3.OperationalError())
    assert not is_of_database(ValueError())
    assert not is_of_database(None)
