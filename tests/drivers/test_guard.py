"""A run survives whatever an application does, and leaves the process as it found it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import tracemalloc

import pytest

from pytest_wsgi import recorder
from pytest_wsgi.drivers import application as driving
from pytest_wsgi.drivers import guard as guarding
from pytest_wsgi.drivers import serving
from pytest_wsgi.drivers.application import Driver, Terms, drive
from pytest_wsgi.drivers.guard import Guard, UserInterrupt, refuse_exits, stand_guard
from pytest_wsgi.environ import Site
from pytest_wsgi.exchange import Stopped
from pytest_wsgi.probes import Probe, Request
from pytest_wsgi.probes.application import METHODS
from pytest_wsgi.recorder import Interruption, Recording

SECONDS = 0.05
ASK = Probe(name="ask", purpose="One request.")
LEAVE = Probe(name="leave", purpose="One request, left early.", reading="first block")
needs_alarm = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no alarms here")


def start(start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])


def ask(application, probe=ASK, seconds=SECONDS):
    """Return the exchanges of a probe."""
    with stand_guard(seconds) as guard:
        return Driver(application, guard).serve(probe, Site())


def ask_in_thread(application, probe=ASK, seconds=SECONDS):
    """Return the exchanges of a probe that is driven from another thread than the main one."""
    found = []
    thread = threading.Thread(target=lambda: found.extend(ask(application, probe, seconds)))
    thread.start()
    thread.join()
    return tuple(found)


def sleep():
    time.sleep(60)


def loop():
    while True:
        pass


def lock():
    own = threading.Lock()
    own.acquire()
    own.acquire()


def swallow_in_a_loop():
    while True:
        try:
            time.sleep(60)
        except BaseException:
            pass


def swallow_twice_in_a_loop():
    while True:
        try:
            swallow_in_a_loop()
        except BaseException:
            pass


def swallow_busily():
    while True:
        try:
            while True:
                pass
        except BaseException:
            continue


HANGS = [sleep, loop, lock, swallow_in_a_loop, swallow_twice_in_a_loop, swallow_busily]


def hang_in_call(hang):
    def application(environ, start_response):
        start(start_response)
        hang()

    return application


def hang_in_next(hang):
    def application(environ, start_response):
        start(start_response)
        hang()
        yield b"never"

    return application


class Closing(list):
    def close(self):
        self.hang()


def hang_in_close(hang):
    def application(environ, start_response):
        start(start_response)
        body = Closing([b"x"])
        body.hang = hang
        return body

    return application


@needs_alarm
@pytest.mark.parametrize("hang", HANGS)
@pytest.mark.parametrize("place", [hang_in_call, hang_in_next, hang_in_close])
def test_hang_is_interrupted(place, hang):
    (exchange,) = ask(place(hang))
    assert exchange.stopped.reason == "hang"
    assert exchange.stopped.detail == "no end within 0.05 s"
    assert exchange.stopped.origin[0] == __file__
    assert len([event for event in exchange.events if isinstance(event, Stopped)]) == 1


@needs_alarm
def test_hang_after_a_block_is_endless():
    def application(environ, start_response):
        start(start_response)
        yield b"x"
        sleep()

    (exchange,) = ask(application)
    assert exchange.stopped.reason == "endless"


class Sized(list):
    def __len__(self):
        sleep()


class SlowIterable:
    def __iter__(self):
        sleep()


class SlowAttribute:
    def __iter__(self):
        return iter([])

    @property
    def close(self):
        sleep()


@needs_alarm
@pytest.mark.parametrize("kind", [Sized, SlowIterable, SlowAttribute])
def test_hang_of_the_iterable_is_interrupted(kind):
    (exchange,) = ask(lambda _environ, _start: kind())
    assert exchange.stopped.reason == "hang"


class SlowMessage(Exception):
    def __str__(self):
        sleep()


@needs_alarm
def test_hang_in_a_message_is_interrupted():
    def application(environ, start_response):
        raise SlowMessage

    (exchange,) = ask(application)
    assert exchange.raised[0].message == "<its message cannot be shown>"


def call_from(filename, act):
    """Call `act` from a function whose source file is said to be `filename`."""
    names = {}
    exec(compile("def call(act):\n    return act()\n", filename, "exec"), names)
    return names["call"](act)


@needs_alarm
def test_alarm_spares_all_but_the_application():
    guard = Guard(1000)

    def ring():
        return guard.ring(signal.SIGALRM, sys._getframe())

    with stand_guard(SECONDS):
        assert call_from(recorder.__file__, ring) is None  # no clock was started
        guard.start_clock()
        assert guard.ring(signal.SIGALRM, None) is None
        assert ring() is None
        assert call_from(guarding.__file__, ring) is None
        assert call_from(recorder.__file__, lambda: call_from(guarding.__file__, ring)) is None
        with pytest.raises(Interruption):
            call_from(recorder.__file__, ring)
        guard.is_ringing = True
        assert call_from(recorder.__file__, ring) is None
        guard.stop_clock()


@pytest.mark.parametrize("hang", [threading.Event().wait, lambda: threading.Event().wait()])
@pytest.mark.parametrize("place", [hang_in_call, hang_in_next, hang_in_close])
def test_hang_is_left_behind_where_there_is_no_alarm(place, hang):
    (exchange,) = ask_in_thread(place(hang))
    assert exchange.stopped.reason == "hang"


def test_application_is_served_in_a_thread_where_there_is_no_alarm():
    threads = []

    def application(environ, start_response):
        threads.append(threading.current_thread())
        start(start_response)
        return [b"x"]

    probe = Probe(name="turns", purpose="Two.", requests=(Request(),) * 2, reading="interleaved")
    exchanges = ask_in_thread(application, probe, seconds=10)
    assert [exchange.complete for exchange in exchanges] == [True, True]
    assert threads[0] is threads[1]
    assert threading.main_thread() not in threads


def test_only_what_hangs_of_two_interleaved_is_said_to():
    def application(environ, start_response):
        start(start_response)
        body = Closing([b"x"])
        body.hang = threading.Event().wait if environ["PATH_INFO"] == "/hang" else str
        return body

    requests = (Request(), Request(path="/hang"))
    probe = Probe(name="turns", purpose="Two.", requests=requests, reading="interleaved")
    exchanges = ask_in_thread(application, probe, seconds=0.5)
    assert [bool(exchange.stopped) for exchange in exchanges] == [False, True]


def test_hang_in_concurrent_requests_is_left_behind():
    release = threading.Event()

    def application(environ, start_response):
        start(start_response)
        if environ["PATH_INFO"] == "/hang":
            release.wait()
        return [b"x"]

    requests = (Request(), Request(path="/hang"))
    probe = Probe(name="at once", purpose="Two.", requests=requests, reading="concurrent")
    exchanges = ask(application, probe, seconds=0.5)
    release.set()
    assert [bool(exchange.stopped) for exchange in exchanges] == [False, True]
    assert exchanges[0].complete


def test_concurrent_requests_are_served_though_they_do_not_start_together(monkeypatch):
    def refuse(*_args):
        raise threading.BrokenBarrierError

    monkeypatch.setattr(threading.Barrier, "wait", refuse)
    probe = Probe(name="at once", purpose="Two.", requests=(Request(),) * 2, reading="concurrent")
    exchanges = ask(lambda environ, start_response: start(start_response) or [], probe, seconds=10)
    assert all(exchange.complete for exchange in exchanges)


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, GeneratorExit, RecursionError])
@pytest.mark.parametrize("reading", [ASK, LEAVE])
def test_exceptions_that_end_other_programs_are_survived(kind, reading):
    def application(environ, start_response):
        start(start_response)
        yield b"x"
        raise kind

    def call(environ, start_response):
        raise kind

    (exchange,) = ask(application, reading)
    assert bool(exchange.raised) is (reading is ASK)
    (exchange,) = ask(call, reading)
    assert exchange.raised[0].type_name == kind.__name__


def exit_at_once():
    os._exit(3)


def abort():
    os.abort()


def exec_another():
    os.execv(sys.executable, [sys.executable, "-c", "pass"])  # noqa: S606 # it is refused


def raise_term():
    signal.raise_signal(signal.SIGTERM)


def kill_self():
    os.kill(os.getpid(), signal.SIGTERM if os.name == "nt" else signal.SIGKILL)


def kill_group():
    os.killpg(os.getpgrp(), signal.SIGKILL)


EXITS = [
    (exit_at_once, "os._exit(3)"),
    (abort, "os.abort()"),
    (exec_another, "os.execv("),
    (raise_term, "signal.raise_signal("),
    (kill_self, "os.kill("),
    *([(kill_group, "os.killpg(")] if hasattr(os, "killpg") else []),
]


@pytest.mark.parametrize(("end", "name"), EXITS)
def test_end_of_the_process_is_refused(end, name):
    def application(environ, start_response):
        start(start_response)
        end()

    (exchange,) = ask(application)
    assert exchange.stopped.reason == "process exit"
    assert exchange.stopped.detail.startswith(f"the application called {name}")
    assert exchange.stopped.origin[0] == __file__
    assert len([event for event in exchange.events if isinstance(event, Stopped)]) == 1


def test_end_of_the_process_in_a_thread_of_the_application_is_refused():
    refused = []

    def end():
        try:
            os._exit(3)
        except (Interruption, SystemExit) as error:
            refused.append(str(error))

    def application(environ, start_response):
        thread = threading.Thread(target=end)
        thread.start()
        thread.join()
        start(start_response)
        return []

    (exchange,) = ask(application)
    assert exchange.stopped.reason == "process exit"
    assert refused == [exchange.stopped.detail] == ["the application called os._exit(3)"]


def test_end_of_the_process_is_refused_where_nothing_is_served():
    with refuse_exits():
        kept = os._exit
        with pytest.raises(SystemExit, match=r"os\._exit\(3\)"):
            os._exit(3)
    assert os._exit is not kept
    with stand_guard(SECONDS), pytest.raises(SystemExit, match=r"os\._exit\(4\)"):
        kept(4)


def test_harmless_calls_are_let_through():
    def application(environ, start_response):
        os.kill(os.getpid(), 0)
        with pytest.raises(TypeError):
            os.kill()
        with pytest.raises(TypeError):
            os.kill(os.getpid())
        with pytest.raises(ProcessLookupError):
            os.killpg(2**22 + 1, signal.SIGTERM)
        start(start_response)
        return []

    if os.name != "nt":
        assert ask(application)[0].complete


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork() here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_forked_child_may_end_itself():
    def application(environ, start_response):
        child = os.fork()
        if child == 0:
            os._exit(7)
        _, status = os.waitpid(child, 0)
        start(start_response)
        return [b"%d" % os.waitstatus_to_exitcode(status)]

    (exchange,) = ask(application, seconds=10)
    assert exchange.blocks[0].start == b"7"
    assert exchange.stopped is None


INTERRUPTED = """
import os, signal, threading
from pytest_wsgi.drivers.application import Driver
from pytest_wsgi.drivers.guard import UserInterrupt, stand_guard
from pytest_wsgi.environ import Site
from pytest_wsgi.probes import Probe

def application(environ, start_response):
    threading.Timer(0, press).start()
    threading.Event().wait()

press = lambda: signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
try:
    with stand_guard(60) as guard:
        Driver(application, guard).serve(Probe(name="ask", purpose="One."), Site())
except KeyboardInterrupt as error:
    print(type(error).__name__, signal.getsignal(signal.SIGINT) is signal.default_int_handler)
"""


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="no pthread_kill() here")
def test_interrupt_of_the_user_passes():
    command = [sys.executable, "-c", INTERRUPTED]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "UserInterrupt True\n", done.stderr


def test_interrupt_of_the_user_is_one_of_the_keyboard():
    with pytest.raises(KeyboardInterrupt):
        guarding._interrupt(signal.SIGINT, None)
    assert issubclass(UserInterrupt, KeyboardInterrupt)


@needs_alarm
def test_all_is_put_back():
    def own(*_args):
        """Handle what is not ours."""

    names = [name for module, name in guarding._EXITS if module is os and hasattr(os, name)]
    functions = [getattr(os, name) for name in names]
    before = signal.signal(signal.SIGALRM, own), signal.signal(signal.SIGINT, own)
    signal.setitimer(signal.ITIMER_REAL, 1000, 50)
    try:
        ask(hang_in_call(sleep))
        assert signal.getsignal(signal.SIGALRM) is signal.getsignal(signal.SIGINT) is own
        left, interval = signal.getitimer(signal.ITIMER_REAL)
        assert 0 < left < 1000 - SECONDS
        assert interval == 50
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before[0])
        signal.signal(signal.SIGINT, before[1])
    assert [getattr(os, name) for name in names] == functions
    ask(hang_in_call(sleep))
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def test_a_handler_that_python_did_not_install_is_left_alone():
    before = signal.getsignal(signal.SIGINT)
    guarding._restore(signal.SIGINT, None)
    assert signal.getsignal(signal.SIGINT) is before


def test_guard_stands_where_a_function_is_missing(monkeypatch):
    monkeypatch.delattr(os, "killpg", raising=False)
    (exchange,) = ask(hang_in_call(exit_at_once))
    assert exchange.stopped.reason == "process exit"
    assert not hasattr(os, "killpg")


def test_endless_body_is_left_at_the_bounds():
    def application(environ, start_response):
        start(start_response)
        while True:
            yield b""

    (exchange,) = ask(application, seconds=60)
    assert exchange.stopped.reason == "endless"
    assert exchange.block_count == serving.MOST_BLOCKS + 1
    assert len(exchange.blocks) == 1000


def test_memory_does_not_grow_with_the_body(monkeypatch):
    monkeypatch.setattr(serving, "MOST_BYTES", 100 * 2**20)
    block = bytes(64 * 1024)

    def application(environ, start_response):
        start(start_response)
        for _ in range(1600):
            yield block

    tracemalloc.start()
    try:
        (exchange,) = ask(application, seconds=60)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert exchange.complete
    assert exchange.body_length == 100 * 2**20
    assert peak < 4 * 2**20


@needs_alarm
def test_driving_ends_after_several_hangs():
    battery = drive(hang_in_call(sleep), METHODS, Terms(seconds=0.02))
    assert len(battery.conversations) <= driving.MOST_HANGS
    assert (
        battery.undriven[-1]
        == (
            "again",
            "4 requests before it had no end within 0.02 s",
        )
        or "requests before it had no end" in battery.undriven[-1][1]
    )


def test_an_exit_that_is_swallowed_is_noted_all_the_same():
    def application(environ, start_response):
        try:
            os._exit(3)
        except BaseException:
            start(start_response)
            return [b"x"]

    (exchange,) = ask(application)
    assert exchange.complete
    assert exchange.stopped.reason == "process exit"


def test_recording_takes_a_stop_after_its_end():
    recording = Recording(None)
    recording.finish(probe="test", request="test")
    recording.note_stop("hang", "late")
    assert not recording.log
