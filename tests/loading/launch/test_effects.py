from __future__ import annotations

import os
import signal
import socket
import sqlite3
import sys
import threading
import time
from types import SimpleNamespace

import pytest

from pytest_wsgi.launches import Effect
from pytest_wsgi.loading.launch import effects
from pytest_wsgi.loading.launch.effects import (
    hear,
    list_effects,
    list_peers,
    look,
    name_address,
    read_output,
    watch_connections,
)


@pytest.fixture
def see():
    """Return a function that tells what an action does."""

    def act(action, *ours, zone=""):
        watch_connections()
        before = look()
        action()
        return list(list_effects(before, ours, zone))

    return act


def test_nothing_is_no_effect(see):
    assert see(lambda: None) == []


def test_thread_is_named(see):
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait, name="refresher", daemon=True)
    assert see(thread.start) == [Effect("thread", "refresher")]
    stop.set()
    thread.join()


def test_signal_handler_is_named(see):
    before = signal.getsignal(signal.SIGUSR1)
    try:
        found = see(lambda: signal.signal(signal.SIGUSR1, lambda *_: None))
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert found == [Effect("signal", "SIGUSR1")]


def test_directory_is_named(see, tmp_path, monkeypatch):
    monkeypatch.chdir(".")
    assert see(lambda: os.chdir(tmp_path)) == [Effect("directory", str(tmp_path.resolve()))]


def test_directory_may_be_gone(see, tmp_path, monkeypatch):
    monkeypatch.chdir(".")

    def leave():
        gone = tmp_path / "gone"
        gone.mkdir()
        os.chdir(gone)
        gone.rmdir()

    assert see(leave) == [Effect("directory", "a directory that is gone")]


def test_entries_of_the_search_path_are_named(see, monkeypatch):
    monkeypatch.setattr(sys, "path", ["/one", "/two"])
    grown = ["/new", "/one", "/one", "/ours", "/two", "/v/site-packages/setuptools/_vendor"]
    found = see(lambda: sys.path.__setitem__(slice(None), grown), "/ours")
    assert found == [Effect("path", "/new"), Effect("path", "/one (again)")]


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="only there can the time zone be set")
@pytest.mark.parametrize(
    ("known", "found"), [("", [Effect("time zone", "Asia/Tokyo")]), ("Asia/Tokyo", [])]
)
def test_time_zone_is_named_unless_it_is_known(see, monkeypatch, known, found):
    def move():
        monkeypatch.setenv("TZ", "Asia/Tokyo")
        time.tzset()

    assert see(move, zone=known) == found
    monkeypatch.undo()
    time.tzset()


def test_time_zone_without_a_name_is_told_by_its_abbreviations(see, monkeypatch):
    monkeypatch.setattr(effects, "time", SimpleNamespace(tzname=("A", "B")))
    monkeypatch.delenv("TZ", raising=False)
    assert see(lambda: setattr(effects.time, "tzname", ("C", "D"))) == [Effect("time zone", "C/D")]


def test_databases_and_sockets_are_named(see, tmp_path):
    held = []

    def connect():
        held.append(sqlite3.connect(tmp_path / "shop.db"))
        held.append(sqlite3.connect(":memory:"))
        listener = socket.create_server(("127.0.0.1", 0))
        held.append(listener)
        held.append(socket.create_connection(listener.getsockname()))

    found = [effect.detail for effect in see(connect)]
    port = held[2].getsockname()[1]
    assert found == [
        "database shop.db",
        "socket bound to 127.0.0.1:0",
        f"connection to 127.0.0.1:{port}",
    ]
    for one in held:
        one.close()


@pytest.mark.skipif(not effects._DESCRIPTORS.is_dir(), reason="only Linux tells of them there")
def test_connections_of_native_code_are_seen_by_their_descriptors(see):
    held = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        place = listener.getsockname()

        def connect():
            held.append(socket.create_connection(place))
            effects._connections.clear()  # as if no Python code had asked for it

        assert see(connect) == [Effect("connection", f"connection to 127.0.0.1:{place[1]}")]
    held[0].close()


def test_without_a_list_of_descriptors_no_peers_are_known(monkeypatch, tmp_path):
    monkeypatch.setattr(effects, "_DESCRIPTORS", tmp_path / "absent")
    assert list(list_peers()) == []


def test_pairs_of_sockets_are_no_connections(see):
    pairs = []
    assert see(lambda: pairs.append(socket.socketpair())) == []
    for one in pairs[0]:
        one.close()


def test_events_of_the_interpreter_are_told_apart():
    watch_connections()
    hear("open", ("a", "r", 0))
    hear("sqlite3.connect", (b":memory:",))
    hear("sqlite3.connect", (5,))
    hear("sqlite3.connect", ("",))
    hear("sqlite3.connect", (b"/home/shop.db",))
    hear("socket.bind", (None, ("127.0.0.1", 80)))
    hear("socket.connect", (None, "/dev/log"))
    assert effects._connections == [
        "database shop.db",
        "socket bound to 127.0.0.1:80",
        "connection to /dev/log",
    ]
    list(list_effects(look()))
    hear("socket.bind", (None, ("127.0.0.1", 80)))
    assert len(effects._connections) == 3


def test_nothing_is_heard_when_nobody_watches(see):
    assert see(lambda: None) == []
    sqlite3.connect("file:x?mode=memory", uri=True).close()
    assert effects._connections == []


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        (("127.0.0.1", 80), "127.0.0.1:80"),
        (("::1", 80, 0, 0), "::1:80"),
        ("/dev/log", "/dev/log"),
        (b"\0abstract", "\0abstract"),
        ((7,), "tuple"),
    ],
)
def test_addresses_are_shown(address, shown):
    assert name_address(address) == shown


def test_what_is_written_and_read_is_seen_in_the_descriptors(see, tmp_path, monkeypatch):
    output = os.open(tmp_path / "output", os.O_RDWR | os.O_CREAT)
    (tmp_path / "input").write_text("a line\nmore\n")
    given = os.open(tmp_path / "input", os.O_RDONLY)
    monkeypatch.setattr(effects, "_STANDARD_OUTPUT", output)
    monkeypatch.setattr(effects, "_STANDARD_INPUT", given)

    def use():
        os.write(output, b"the shop is open\n")
        os.read(given, 7)

    assert see(use) == [Effect("output", "'the shop is open\\n'"), Effect("input", "7 bytes")]
    os.close(output)
    os.close(given)
    assert see(lambda: None) == []  # also where the descriptors are closed
    assert read_output(0) == "something"
