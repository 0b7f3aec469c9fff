from __future__ import annotations

import pytest

from pytest_wsgi.catalogue import CATALOGUE, Level
from pytest_wsgi.selection import ADDOPTS, INI, Selection, SelectionError, choose_rules

STATUS = "status-is-native-string"


def choose(**wanted):
    return choose_rules(Selection(**wanted))


def test_all_rules_are_chosen_where_nothing_is_said():
    choice = choose_rules()
    assert dict(choice.rules) == CATALOGUE
    assert choice.ignored == {}


def test_rules_are_selected_by_id_and_glob_with_commas_in_the_order_of_the_catalogue():
    choice = choose(select=("write-*, " + STATUS, "close-does-not-raise"))
    names = [
        n for n in CATALOGUE if n.startswith("write-") or n in {STATUS, "close-does-not-raise"}
    ]
    assert list(choice.rules) == names


def test_rules_are_ignored_with_and_without_a_reason():
    choice = choose(ignore=(("--wsgi-ignore", STATUS), (INI, "write-*: old framework")))
    assert choice.ignored[STATUS] == ""
    assert choice.ignored["write-is-avoided"] == "old framework"
    assert not set(choice.rules) & set(choice.ignored)
    assert set(choice.rules) | set(choice.ignored) == set(CATALOGUE)


def test_empty_parts_select_and_ignore_nothing():
    choice = choose(select=("write-*,", ""), ignore=(("--wsgi-ignore", ","),))
    assert choice.ignored == {}
    assert all(name.startswith("write-") for name in choice.rules)


def test_what_is_not_selected_is_not_ignored_either():
    choice = choose(select=("write-*",), ignore=(("--wsgi-ignore", STATUS),))
    assert choice.ignored == {}


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        (
            {"select": ("status-is-natve-string",)},
            "--wsgi-select: no rule is called 'status-is-natve-string'. Did you mean: " + STATUS,
        ),
        ({"ignore": (("--wsgi-ignore", "zzz"),)}, "--wsgi-ignore: no rule is called 'zzz'.\nTry:"),
        ({"ignore": (("--wsgi-ignore", "*"),)}, "leave no rule to judge by"),
        ({"ignore": ((ADDOPTS, STATUS),)}, f"Write: --wsgi-ignore '{STATUS}: why"),
        ({"ignore": ((INI, "status-is-natve-string"),)}, "no rule is called"),
        ({"ignore": ((INI, STATUS),)}, f"{STATUS} has no reason"),
        ({"ignore": ((INI, f"{STATUS}: "),)}, f"wsgi_ignore = {STATUS}: why"),
        ({"reading": "mine"}, "--wsgi-reading takes pep, de-facto, wsgiref, but was given 'mine'."),
    ],
)
def test_what_cannot_be_chosen_is_explained(wanted, says):
    with pytest.raises(SelectionError) as caught:
        choose(**wanted)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("reading", "level"),
    [("pep", Level.MUST), ("de-facto", Level.CONVENTION), ("", Level.CONVENTION)],
)
def test_rules_on_ambiguous_points_weigh_as_these_are_read(reading, level):
    rules = choose(reading=reading).rules
    assert rules["header-values-have-no-tab"].level is level
    assert rules["header-values-have-no-tab"].reading == (reading or "de-facto")
    assert rules[STATUS] is CATALOGUE[STATUS]
