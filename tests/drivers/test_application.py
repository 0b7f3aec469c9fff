from __future__ import annotations

import itertools
import threading

import pytest

from pytest_wsgi.drivers.application import (
    MOST_REDIRECTS,
    Driver,
    Terms,
    drive,
    follow,
)
from pytest_wsgi.drivers.guard import UserInterrupt, stand_guard
from pytest_wsgi.environ import Site
from pytest_wsgi.exchange import Called, Closed
from pytest_wsgi.probes import Probe, Request
from pytest_wsgi.probes.application import ABSENT_PATH, BATTERY, METHODS, PATH_PROBES, READINGS

PROBES = {probe.name: probe for probe in BATTERY}
TEXT = ("Content-Type", "text/plain")


def good(environ, start_response):
    """Answer every lawful request with two blocks."""
    length = environ.get("CONTENT_LENGTH") or "0"
    environ["wsgi.input"].read(int(length))
    body = [b"hello ", b"world"]
    start_response("200 OK", [TEXT, ("Content-Length", "11")])
    return [] if environ["REQUEST_METHOD"] == "HEAD" else body


def moved(choose):
    """Return an application that redirects to where `choose(environ)` says, if anywhere."""

    def application(environ, start_response):
        location = choose(environ)
        if location is None:
            return good(environ, start_response)
        start_response("302 Found", [TEXT, ("location", location)])
        return []

    return application


def converse(application, probe, **terms):
    return drive(application, [probe], Terms(**terms)).conversations


def test_every_probe_has_a_name_of_its_own_and_a_purpose():
    assert len(PROBES) == len(BATTERY)
    assert all(probe.purpose.endswith(".") for probe in BATTERY)
    assert BATTERY[0].name == "get"
    assert BATTERY[0].requests == (Request(),)
    assert [probe.name for probe in PATH_PROBES if probe not in BATTERY] == ["unslashed"]


@pytest.mark.parametrize("probe", BATTERY, ids=lambda probe: probe.name)
def test_no_probe_is_at_fault(probe):
    for conversation in converse(good, probe, unsafe=True, seconds=10):
        for exchange in conversation.exchanges:
            assert all(error.by_server for error in exchange.raised)
            assert bool(exchange.raised) == probe.refuses_start
            assert exchange.stopped is None or exchange.stopped.reason == "left"
            assert [
                finding
                for finding in exchange.validator_findings
                if finding.party == "server" and finding.strictness == "pep"
            ] == []


@pytest.mark.parametrize("probe", BATTERY, ids=lambda probe: probe.name)
def test_every_probe_is_driven_bare_and_under_the_validator(probe):
    battery = drive(good, [probe], Terms(unsafe=True))
    under = [exchange.under_validator for c in battery.conversations for exchange in c.exchanges]
    if probe.needs:  # and the application has no such header
        assert (under, battery.undriven) == ([], ())
    elif probe.unsupported:
        assert under == [False] * len(probe.requests)
        assert battery.undriven == ((f"{probe.name} under wsgiref.validate", probe.unsupported),)
    else:
        assert set(under) == {False, True}
        assert battery.undriven == ()


def test_requests_that_ask_the_same_are_sent_once_under_the_validator():
    counts = {}
    for conversation in converse(good, PROBES["again"]):
        (under,) = {exchange.under_validator for exchange in conversation.exchanges}
        counts[under] = len(conversation.exchanges)
    assert counts == {False: 3, True: 1}


def in_turns(*bodies):
    """Return an application that answers with these bodies in turn, over and over."""
    turns = itertools.cycle(bodies)

    def application(_environ, start_response):
        start_response("200 OK", [TEXT])
        return [next(turns)]

    return application


@pytest.mark.parametrize(("bodies", "count"), [((b"a",), 2), ((b"a", b"b"), 3)])
def test_a_request_is_sent_once_more_where_the_answers_differ(bodies, count):
    # The first turn finds the host, and so it begins with the second one.
    driven = converse(in_turns(*bodies), PROBES["languages"])[0]
    assert len(driven.exchanges) == count


def test_a_header_that_was_sent_is_asked_with():
    def tagged(environ, start_response):
        start_response("200 OK", [TEXT, ("ETag", 'W/"a"'), ("Last-Modified", "today")])
        return []

    asked = [
        (e.environ.get("HTTP_IF_NONE_MATCH"), e.environ.get("HTTP_IF_MODIFIED_SINCE"))
        for e in converse(tagged, PROBES["conditional"])[0].exchanges
    ]
    assert asked == [
        (None, None),
        ('W/"a"', None),
        ('W/"a"', None),
        ('"pytest-wsgi", W/"a"', None),
        ('"pytest-wsgi"', "today"),
        (None, "today"),
    ]


def test_other_threads_are_left_out_where_there_may_be_but_one():
    battery = drive(good, BATTERY, Terms(one_thread="so it is"))
    refused = [name for name, reason in battery.undriven if reason == "so it is"]
    assert refused == ["concurrent", "threads-apart"]
    threads = {e.thread for c in battery.conversations for x in c.exchanges for e in x.events}
    assert threads == {threading.get_ident()}


def test_unsafe_probes_are_refused_unless_wanted():
    battery = drive(good, BATTERY, Terms())
    unsafe = [probe.name for probe in BATTERY if probe.unsafe]
    refused = [name for name, reason in battery.undriven if "--wsgi-unsafe" in reason]
    assert refused == unsafe != []
    methods = {e.method for c in battery.conversations for e in c.exchanges}
    assert methods == {"GET", "HEAD", "OPTIONS"}


def test_exchanges_are_numbered_and_compared_with_the_first():
    battery = drive(good, METHODS[:2], Terms())
    numbers = [exchange.number for c in battery.conversations for exchange in c.exchanges]
    assert numbers == [1, 2, 3, 4]  # the first one found out the host as well
    baselines = {conversation.baseline.number for conversation in battery.conversations}
    assert baselines == {1}


def read(name, application=good):
    return converse(application, PROBES[name])[0].exchanges


def test_complete_reading():
    (exchange,) = read("get")
    assert exchange.complete
    assert exchange.body_length == 11


def test_first_block_is_read_alone():
    (exchange,) = read("first-block")
    assert exchange.block_count == 1
    assert exchange.stopped.reason == "left"
    assert not exchange.complete


def test_first_block_may_be_missing():
    (exchange,) = read(
        "first-block", lambda _environ, start_response: start_response("204 ", []) and []
    )
    assert exchange.complete
    assert exchange.stopped is None


def test_no_block_is_read():
    (exchange,) = read("no-block")
    assert exchange.block_count == 0
    assert exchange.stopped.reason == "left"
    assert exchange.returned


def fail(environ, start_response):
    raise ValueError("no")


@pytest.mark.parametrize("name", [probe.name for probe in READINGS])
def test_failure_in_the_call_is_recorded_in_every_reading(name):
    for exchange in read(name, fail):
        assert [raised.place for raised in exchange.raised] == ["call"]
        assert exchange.stopped is None


def test_client_is_lost_after_a_block():
    (exchange,) = read("client-lost")
    assert exchange.block_count == 2
    assert not exchange.complete


def test_interleaved_responses_are_read_in_turns():
    order = []

    def application(environ, start_response):
        name = environ["PATH_INFO"]
        start_response("200 OK", [TEXT])
        for number in range(2):
            order.append((name, number))
            yield b"x"

    first, second = converse(application, PROBES["interleaved"])[0].exchanges
    assert order[-8:-4] == [("/", 0), (ABSENT_PATH, 0), ("/", 1), (ABSENT_PATH, 1)]
    assert first.complete
    assert second.complete


def test_interleaved_response_without_end_is_left():
    def application(environ, start_response):
        start_response("200 OK", [TEXT])
        while environ["PATH_INFO"] == ABSENT_PATH:
            yield bytes(1024 * 1024)

    first, second = converse(application, PROBES["interleaved"])[0].exchanges
    assert first.complete
    assert second.stopped.reason == "endless"


def test_concurrent_requests_come_in_two_threads():
    exchanges = read("concurrent")
    threads = {exchange.events[0].thread for exchange in exchanges}
    assert len(threads) == 2
    assert threading.get_ident() not in threads


class Watching(list):
    """Notes the thread of every step; `wait` is called when it is read."""

    def __init__(self, blocks, threads, wait):
        super().__init__(blocks)
        self.threads = threads
        self.wait = wait

    def __iter__(self):
        self.threads.append(threading.current_thread())
        self.wait()
        yield from super().__iter__()

    def close(self):
        self.threads.append(threading.current_thread())


def watch(threads, wait=int):
    def application(environ, start_response):
        threads.append(threading.current_thread())
        start_response("200 OK", [TEXT])
        return Watching([b"x"], threads, wait)

    return application


def test_threads_apart_are_three_that_live_at_once():
    threads = []
    (exchange,) = read("threads-apart", watch(threads))
    assert exchange.complete
    # The first contact comes before, the run under the validator after.
    called, read_by, closed_by = threads[3:6]
    assert len({called.ident, read_by.ident, closed_by.ident, threading.get_ident()}) == 4
    assert (exchange.events[0].thread, exchange.closes[0].thread) == (called.ident, closed_by.ident)
    for thread in threads[3:6]:
        thread.join(10)
        assert not thread.is_alive()


def test_threads_apart_end_when_one_of_them_hangs():
    freed = threading.Event()
    battery = drive(
        watch([], lambda: threading.current_thread() is threading.main_thread() or freed.wait(10)),
        [PROBES["threads-apart"]],
        Terms(seconds=0.05),
    )
    exchange = battery.conversations[0].exchanges[0]
    freed.set()
    assert exchange.stopped.reason == "hang"
    assert exchange.closes == ()


def test_what_is_closed_twice_is_read_before():
    (exchange,) = read("closed-twice", watch([]))
    assert exchange.complete
    assert [close.raised for close in exchange.closes] == [None, None]


def test_start_response_is_watched_where_the_probe_wants_it():
    def application(environ, start_response):
        hasattr(start_response, "headers")
        return good(environ, start_response)

    assert [look.name for look in read("start-watched", application)[0].start_examined] == [
        "headers"
    ]
    assert read("get", application)[0].start_examined == ()


class Sized(list):
    def __len__(self):
        raise ValueError("no length today")


def test_server_goes_on_when_there_is_no_length():
    def application(environ, start_response):
        start_response("200 OK", [TEXT])
        return Sized([b"x"])

    (exchange,) = read("get", application)
    assert exchange.measured.raised == "ValueError"
    assert exchange.complete


def test_what_is_returned_is_closed():
    class Body(list):
        def close(self):
            """Do nothing."""

    def application(environ, start_response):
        start_response("200 OK", [TEXT])
        return Body([b"x"])

    for name in ("get", "first-block", "no-block", "client-lost", "interleaved"):
        for exchange in read(name, application):
            assert isinstance(exchange.events[-1], Closed)
            assert len(exchange.closes) == 1
            assert isinstance(exchange.events[0], Called)


def test_result_that_is_no_iterable_is_survived():
    (exchange,) = read("get", lambda _environ, start_response: start_response("200 OK", []))
    assert not exchange.returned.iterable


def test_interrupt_of_the_user_ends_the_run():
    def application(environ, start_response):
        raise UserInterrupt

    with pytest.raises(KeyboardInterrupt):
        drive(application, METHODS, Terms())


def find(application, **terms):
    with stand_guard(10) as guard:
        return Driver(application, guard).find_site(Terms(**terms))


def test_site_is_the_first_host_that_is_accepted():
    def application(environ, start_response):
        status = "200 OK" if environ["HTTP_HOST"] == "third" else "400 Bad Request"
        start_response(status, [TEXT])
        return []

    site, notes = find(application, hosts=("first", "second", "third", "fourth"))
    assert site == Site(host="third")
    assert notes == (
        "400 for host first, so asked as second",
        "400 for host second, so asked as third",
    )
    assert find(application, hosts=("first", "second"))[0] == Site(host="second")


def test_good_answer_is_no_reason_to_look_further():
    assert find(good, path="/page") == (Site(path="/page"), ())


@pytest.mark.parametrize(
    ("choose", "site"),
    [
        (
            lambda environ: "https://LOCALHOST/" if environ["wsgi.url_scheme"] == "http" else None,
            Site(scheme="https"),
        ),
        (lambda environ: "/en/" if environ["PATH_INFO"] == "/" else None, Site(path="/en/")),
        (
            lambda environ: "/caf%C3%A9" if environ["PATH_INFO"] == "/" else None,
            Site(path="/caf\xc3\xa9"),
        ),
        (
            lambda environ: "http://localhost/x" if environ["PATH_INFO"] == "/" else None,
            Site(path="/x"),
        ),
        (lambda environ: "https://elsewhere.example/", Site()),
        (lambda environ: "ftp://localhost/x", Site()),
        (lambda environ: "http://[::1/", Site()),
        (lambda environ: "relative", Site()),
        (lambda environ: "/", Site()),
        (lambda environ: "", Site()),
        (lambda environ: "?page=2", Site()),
    ],
)
def test_redirects_on_the_site_are_followed(choose, site):
    found, notes = find(moved(choose))
    assert found == site
    assert len(notes) == int(site != Site())


def test_redirects_in_a_circle_are_left():
    site, notes = find(moved(lambda environ: "/b" if environ["PATH_INFO"] == "/a" else "/a"))
    assert site.path == "/b"
    assert len(notes) == 2


def test_redirects_without_end_are_left():
    site, notes = find(moved(lambda environ: environ["PATH_INFO"] + "x"))
    assert len(notes) == MOST_REDIRECTS
    assert site.path == "/" + "x" * MOST_REDIRECTS


def test_redirect_without_a_place_is_no_redirect():
    def application(environ, start_response):
        start_response("302 Found", [TEXT])
        return []

    assert find(application) == (Site(), ())
    (exchange,) = read("get", application)
    assert follow(exchange, Site()) is None


def test_requests_are_sent_in_order():
    probe = Probe(name="two", purpose="Two.", requests=(Request(note="a"), Request(note="b")))
    (talk, _) = converse(good, probe)
    assert [exchange.request for exchange in talk.exchanges] == ["GET / (a)", "GET / (b)"]
