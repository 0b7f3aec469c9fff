from __future__ import annotations

import gc
import sys
import weakref

import pytest

import hostile
from pytest_wsgi import snapshot
from pytest_wsgi.exchange import ExcInfo, Foreign
from pytest_wsgi.snapshot import (
    cut_bytes,
    derives,
    describe_exc_info,
    find_in_class,
    measure,
    name_base,
    name_type,
    snapshot_environ,
    take_snapshot,
)


@pytest.mark.parametrize("value", [None, True, 0, -5, 1.5, "text", b"bytes", (), [], (1, ["a"])])
def test_plain_values_are_kept(value):
    assert take_snapshot(value) == value
    assert type(take_snapshot(value)) is type(value)


@pytest.mark.parametrize(
    ("make", "base", "text"),
    [
        (lambda: hostile.HostileStr("hello"), "str", "hello"),
        (lambda: hostile.HostileBytes(b"hello"), "bytes", "b'hello'"),
        (lambda: hostile.HostileBytearray(b"hello"), "bytearray", "b'hello'"),
        (lambda: memoryview(b"hello"), "memoryview", "b'hello'"),
        (lambda: hostile.HostileInt(200), "int", "200"),
        (lambda: hostile.HostileInt(1 << 20_000), "int", "of 20001 bits"),
        (lambda: 1 << 20_000, "int", "of 20001 bits"),
        (lambda: {"a": 1}, "dict", ""),
        (lambda: hostile.Hostile(), "", ""),
        (lambda: hostile.HostileError(), "", ""),
    ],
)
def test_other_values_get_a_stand_in(make, base, text):
    value = make()
    found = take_snapshot(value)
    assert type(found) is Foreign
    assert found.base == base
    assert found.text == text
    assert found.type_name.endswith(type.__dict__["__name__"].__get__(type(value)))


def test_nested_values_are_cut_in_depth_and_breadth():
    endless = []
    endless.extend([endless] * 500)
    found = take_snapshot(endless)
    assert len(found) == snapshot.KEPT_ITEMS
    assert len(found[0]) == len(found[0][0]) == snapshot.KEPT_INNER_ITEMS
    assert found[0][0][0] == Foreign("list", "list")


def test_a_stand_in_shows_its_type_and_text():
    assert repr(Foreign("http.HTTPStatus", "int", "200")) == "<http.HTTPStatus 200>"
    assert repr(Foreign("app.Thing")) == "<app.Thing object>"


def test_a_type_may_lie_about_its_names():
    class Odd:
        __module__ = hostile.Hostile()

    Odd.__qualname__ = hostile.HostileStr("Odd")
    assert name_type(Odd) == "Odd"
    assert type(name_type(Odd)) is str
    assert name_base(type(hostile.Hostile())) == ""


def test_types_are_remembered_but_not_kept_alive():
    class Passing(str):
        __slots__ = ("__weakref__",)

    assert name_type(Passing).endswith("Passing")
    assert name_type(Passing) is name_type(Passing)
    reference = weakref.ref(Passing)
    del Passing
    gc.collect()
    assert reference() is None


def test_memory_of_types_is_bounded(monkeypatch):
    monkeypatch.setattr(snapshot, "KNOWN_TYPES", 1)
    types = [type(name, (base,), {}) for name, base in (("A", str), ("B", bytes), ("C", list))]
    assert [name_base(kind) for kind in types * 2] == ["str", "bytes", "list"] * 2


def test_a_new_type_at_the_place_of_an_old_one_is_looked_at_anew():
    look = snapshot.remember_by_type(lambda kind: kind.number)
    for number in range(10):  # the allocator hands out the same place sooner or later
        kind = type("Passing", (), {"number": number})
        assert look(kind) == number
        del kind
        gc.collect()


def test_lengths_come_from_the_builtin_type():
    released = memoryview(b"x")
    released.release()
    assert measure(hostile.HostileStr("abc"), "str") == 3
    assert measure(hostile.HostileBytes(b"abcd"), "bytes") == 4
    assert measure(5, "int") is None
    assert measure(hostile.Hostile(), "") is None
    assert measure(released, "memoryview") is None


def test_bytes_are_cut_by_the_builtin_type():
    released = memoryview(b"x")
    released.release()
    square = memoryview(b"abcd").cast("B", (2, 2))
    assert cut_bytes(hostile.HostileBytes(b"abcd"), "bytes", 2) == b"ab"
    assert type(cut_bytes(hostile.HostileBytes(b"abcd"), "bytes")) is bytes
    assert cut_bytes(hostile.HostileBytearray(b"abcd"), "bytearray", 2) == b"ab"
    assert cut_bytes(memoryview(b"abcd")[::2], "memoryview", 5) == b"ac"
    assert cut_bytes(square, "memoryview", 3) == b"abc"
    assert cut_bytes(released, "memoryview", 3) == b""
    assert cut_bytes("abcd", "str", 3) == b""


def test_environ_is_copied_with_plain_keys_and_values():
    environ = {"A": "a", 5: None, ("x",): hostile.Hostile(), "big": 1 << 5000}
    hostile.put(environ, "B", "b")
    found = snapshot_environ(environ)
    assert found["A"] == "a"
    assert found["B"] == "b"
    assert found["5"] is None
    assert found["big"] == Foreign("int", "int", "of 5001 bits")
    assert all(type(key) is str for key in found)
    assert found["('x',)"] == Foreign("hostile.Hostile")


def test_attributes_are_found_without_calling_anything():
    assert find_in_class(type(hostile.Hostile()), "__len__") is not None
    assert find_in_class(type(hostile.Hostile()), "absent") is None
    assert find_in_class(list, "__hash__") is None
    assert derives(type(hostile.HostileStr("")), str)
    assert not derives(type(hostile.Hostile()), str)


def make_exc_info():
    try:
        raise ValueError("x")
    except ValueError:
        return sys.exc_info()


EXC_INFO = make_exc_info()


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: None, None),
        (lambda: EXC_INFO, ExcInfo("tuple", 3, ("class", "instance", "traceback"), matches=True)),
        (
            lambda: (KeyError, EXC_INFO[1], None),
            ExcInfo("tuple", 3, ("class", "instance", "None"), matches=False),
        ),
        (lambda: (None, None, None), ExcInfo("tuple", 3, ("None", "None", "None"), matches=False)),
        (
            lambda: (hostile.Hostile(), hostile.Hostile(), hostile.Hostile()),
            ExcInfo("tuple", 3, ("hostile.Hostile",) * 3),
        ),
        (
            lambda: (type(hostile.HostileError()), hostile.HostileError(), 5),
            ExcInfo("tuple", 3, ("class", "instance", "int"), matches=True),
        ),
        (lambda: (), ExcInfo("tuple", 0)),
        (lambda: (int,), ExcInfo("tuple", 1, ("type",))),
        (list, ExcInfo("list")),
        (lambda: hostile.Hostile(), ExcInfo("hostile.Hostile")),
        (lambda: True, ExcInfo("bool")),
    ],
    ids=map(str, range(11)),
)
def test_exc_info_is_described(make, expected):
    assert describe_exc_info(make()) == expected
