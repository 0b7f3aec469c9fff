"""Drives an application through the battery: every probe bare, and again under wsgiref.validate.

The second run is a run of its own, because wsgiref.validate hides `len()` and file wrappers and
stops at what it finds.
"""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from pytest_wsgi.drivers.guard import stand_guard
from pytest_wsgi.drivers.readings import (
    run_aside,
    serve_alone,
    serve_apart,
    serve_at_once,
    serve_in_turns,
)
from pytest_wsgi.drivers.serving import Serving
from pytest_wsgi.environ import Site
from pytest_wsgi.exchange import Conversation
from pytest_wsgi.probes import Probe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from pytest_wsgi.drivers.guard import Guard
    from pytest_wsgi.drivers.middleware import Crossings
    from pytest_wsgi.exchange import Exchange
    from pytest_wsgi.probes import Request
    from pytest_wsgi.sandwich import Sandwich

MOST_HANGS = 3
"""After how many exchanges without an end the rest is not driven."""

MOST_REDIRECTS = 5

_TOGETHER = frozenset({"concurrent", "interleaved"})
"""The readings in which the requests of a probe do not wait for each other."""

_THREADED = frozenset({"concurrent", "threads apart"})
"""The readings in which threads of their own serve a request."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_SCHEMES = frozenset({"", "http", "https"})
_BAD_REQUEST = 400
_FIRST_CONTACT = Probe(name="get", purpose="Finds out under which host it answers.")
"""The plain GET: the last of them is judged as the probe of that name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Battery:
    """What came of driving an application.

    `site` is where it answered and `notes` how that was found out. `undriven` holds the names of
    probes that were not driven, each with the reason. `sandwiches` hold the exchanges of the
    conversations once more, with what happened behind them, where a middleware was driven.
    """

    site: Site
    conversations: tuple[Conversation, ...]
    notes: tuple[str, ...] = ()
    undriven: tuple[tuple[str, str], ...] = ()
    sandwiches: tuple[Sandwich, ...] = ()


def watch_nothing(_name: str) -> AbstractContextManager[None]:
    """Return what does nothing around a probe."""
    return nullcontext()


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """On what terms a battery is driven: `seconds` are the most that one exchange may take.

    `one_thread` is the reason why all must happen in one thread, if there is one. `watch` returns
    by a probe's name what is entered while its requests are served.
    """

    hosts: tuple[str, ...] = ("localhost", "testserver")
    path: str = "/"
    unsafe: bool = False
    seconds: float = 10.0
    one_thread: str = ""
    watch: Callable[[str], AbstractContextManager[None]] = watch_nothing


def drive(
    application: Any,
    probes: Iterable[Probe],
    terms: Terms,
    crossings: Crossings | None = None,
) -> Battery:
    """Drive every probe that the terms allow; never raises but for the user's own interrupt.

    `crossings` records what crosses to applications behind this one, where it is around others.
    """
    with stand_guard(terms.seconds) as guard, keep_open(guard, crossings):
        driver = Driver(application, guard, crossings, terms.watch)
        site, notes = driver.find_site(terms)
        conversations: list[Conversation] = []
        undriven: list[tuple[str, str]] = []
        for probe in probes:
            reason = driver.refuse(probe, terms)
            if reason:
                undriven.append((probe.name, reason))
                continue
            conversations.extend(driver.converse(probe, site))
            if probe.unsupported:
                undriven.append((f"{probe.name} under wsgiref.validate", probe.unsupported))
    judged = {id(exchange) for talk in conversations for exchange in talk.exchanges}
    return Battery(
        site=site,
        conversations=tuple(conversations),
        notes=notes,
        undriven=tuple(undriven),
        sandwiches=tuple(one for one in driver.sandwiches if id(one.outer) in judged),
    )


@contextmanager
def keep_open(guard: Guard, crossings: Crossings | None) -> Iterator[None]:
    """Let the crossings know who is served, while the block runs."""
    if crossings is None:
        yield
        return
    crossings.guard = guard
    try:
        yield
    finally:
        crossings.guard = crossings.latest = None


class Driver:
    """Serves probes to one application and counts its exchanges; the first plain GET is kept.

    `first` is what finding the site ended with: an application that is used up by one request has
    given its only good answer then.
    """

    def __init__(
        self,
        application: Any,
        guard: Guard,
        crossings: Crossings | None = None,
        watch: Callable[[str], AbstractContextManager[None]] = watch_nothing,
    ) -> None:
        self.application = application
        self.guard = guard
        self.crossings = crossings
        self.watch = watch
        self.sandwiches: list[Sandwich] = []
        self.count = 0
        self.hangs = 0
        self.first: Exchange | None = None
        self.baseline: Exchange | None = None

    def refuse(self, probe: Probe, terms: Terms) -> str:
        """Return why a probe is not driven, or an empty text."""
        if probe.unsafe and not terms.unsafe:
            return "may change state; sent only with --wsgi-unsafe"
        if terms.one_thread and probe.reading in _THREADED:
            return terms.one_thread
        if self.hangs >= MOST_HANGS:
            return f"{self.hangs} requests before it had no end within {terms.seconds:g} s"
        return ""

    def converse(self, probe: Probe, site: Site) -> Iterator[Conversation]:
        """Drive a probe bare and, where that can be, under wsgiref.validate."""
        if probe.needs and read_headers(self.baseline or self.first).keys().isdisjoint(probe.needs):
            return
        if probe.name == _FIRST_CONTACT.name and self.first is not None:
            exchanges: tuple[Exchange, ...] = (self.first,)
        else:
            exchanges = self.serve(probe, site)
        if self.baseline is None:
            self.baseline = exchanges[0]
        yield Conversation(probe=probe.name, exchanges=exchanges, baseline=self.baseline)
        if not probe.unsupported and self.hangs < MOST_HANGS:
            validated = self.serve(probe, site, under_validator=True)
            yield Conversation(probe=probe.name, exchanges=validated, baseline=self.baseline)

    def serve(
        self, probe: Probe, site: Site, *, under_validator: bool = False
    ) -> tuple[Exchange, ...]:
        """Serve every request of a probe in the way that it asks for."""

        def prepare(request: Request) -> Serving:
            return Serving(
                self.application,
                probe,
                request,
                site,
                self.guard,
                under_validator=under_validator,
                crossings=self.crossings,
            )

        with self.watch(probe.name):
            if probe.reading in _TOGETHER:
                exchanges = self.serve_together([prepare(request) for request in probe.requests])
            else:
                requests = drop_repeats(probe.requests) if under_validator else probe.requests
                exchanges = self.serve_in_order(requests, prepare)
        self.hangs += sum(is_hang(exchange) for exchange in exchanges)
        return exchanges

    def serve_together(self, servings: Sequence[Serving]) -> tuple[Exchange, ...]:
        """Serve several requests at once or in turns, as their probe asks."""
        if servings[0].probe.reading == "concurrent":
            serve_at_once(servings, self.guard)
        else:
            self.limit(servings, serve_in_turns)
        return tuple(self.finish(serving) for serving in servings)

    def serve_in_order(
        self, requests: Iterable[Request], prepare: Callable[[Request], Serving]
    ) -> tuple[Exchange, ...]:
        """Serve one request after the other; one that would tell nothing is left out."""
        exchanges: list[Exchange] = []
        for request in requests:
            told = echo(request, exchanges[0] if exchanges else None)
            if told is None or (request.if_different and are_alike(exchanges)):
                continue
            serving = prepare(told)
            if serving.probe.reading == "threads apart":
                serve_apart(serving, self.guard)
            else:
                self.limit([serving], serve_alone)
            exchanges.append(self.finish(serving))
        return tuple(exchanges)

    def limit(
        self, servings: Sequence[Serving], serve: Callable[[Sequence[Serving]], None]
    ) -> None:
        """Serve within the time limit, in a thread of its own where there is no alarm.

        A target whose objects are bound to a thread (database connections) may notice that.
        """
        if self.guard.alarm:
            serve(servings)
        else:
            run_aside([(serve, servings)], self.guard)

    def finish(self, serving: Serving) -> Exchange:
        """Return the Exchange of a serving that is over."""
        self.count += 1
        if self.crossings is None:
            return serving.finish(self.count)
        sandwich = serving.finish_sandwich(self.count, self.crossings.forget(serving.recording))
        self.sandwiches.append(sandwich)
        return sandwich.outer

    def find_site(self, terms: Terms) -> tuple[Site, tuple[str, ...]]:
        """Return where the application answers: the host it accepts, and where it redirects to."""
        site, notes = Site(host=terms.hosts[0], path=terms.path), []
        answer = self.ask(site)
        for host in terms.hosts[1:]:
            if answer.code != _BAD_REQUEST:
                break
            notes.append(f"400 for host {site.host}, so asked as {host}")
            site = replace(site, host=host)
            answer = self.ask(site)
        seen = {site}
        for _ in range(MOST_REDIRECTS):
            moved = follow(answer, site)
            # A further path that redirects elsewhere is itself what was asked for.
            elsewhere = moved is not None and moved.path != site.path and terms.path != "/"
            if moved is None or moved in seen or elsewhere:
                break
            notes.append(
                f"{name_site(site)} redirects to {name_site(moved)}, which is asked instead"
            )
            seen.add(moved)
            site = moved
            answer = self.ask(site)
        self.first = answer
        return site, tuple(notes)

    def ask(self, site: Site) -> Exchange:
        """Send one plain GET."""
        return self.serve(_FIRST_CONTACT, site)[0]


def name_site(site: Site) -> str:
    """Return scheme and path, for a note."""
    return f"{site.scheme}://{site.host}{site.path}"


def is_hang(exchange: Exchange) -> bool:
    """Tell whether an exchange took all of its time."""
    return exchange.stopped is not None and exchange.stopped.reason in {"hang", "endless"}


def follow(answer: Exchange, site: Site) -> Site | None:
    """Return the place on the same site that an answer redirects to, or None."""
    if answer.code not in _REDIRECTS or answer.response is None:
        return None
    fields = {name.lower(): value for name, value in answer.response.fields}
    try:
        parts = urlsplit(fields.get("location", ""))
        host = parts.hostname
    except ValueError:
        return None
    if (host or site.host).lower() != site.host.lower() or parts.scheme not in _SCHEMES:
        return None
    path = unquote(parts.path or "/", "latin-1")  # as servers hand it over, PEP 3333 Unicode Issues
    moved = replace(site, scheme=parts.scheme or site.scheme, path=path)
    return moved if moved != site and path.startswith("/") else None


def read_headers(exchange: Exchange | None) -> dict[str, str]:
    """Return the headers of a response by their names in lower case; none without a response."""
    response = exchange.response if exchange is not None else None
    return {name.lower(): value for name, value in response.fields} if response else {}


def are_alike(exchanges: Sequence[Exchange]) -> bool:
    """Tell whether all these exchanges had the same response."""
    return len({(e.code, e.digest, *read_headers(e).items()) for e in exchanges}) == 1


def drop_repeats(requests: Sequence[Request]) -> list[Request]:
    """Return the requests but for those that ask the same once more, which tells no validator more.

    What is left may not depend on what was left out.
    """
    kept: list[Request] = []
    for request in requests:
        asked = replace(request, note="", if_different=False)
        if all(asked != replace(earlier, note="") for earlier in kept):
            kept.append(request)
    return kept


def echo(request: Request, first: Exchange | None) -> Request | None:
    """Return a request that sends headers of the first response back; None where one is missing."""
    if not request.echo:
        return request
    sent = read_headers(first)
    if any(name not in sent for name, _ in request.echo.values()):
        return None
    told = {
        # An ETag that is weak already needs no W/ before it.
        key: form.replace("{}", sent[name]).replace("W/W/", "W/")
        for key, (name, form) in request.echo.items()
    }
    return replace(request, set={**request.set, **told})
