"""How a middleware closes the iterable of the application behind it: once, however it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_wsgi.catalogue import Finding, Party, rule
from pytest_wsgi.exchange import (
    Block,
    Called,
    Closed,
    Exchange,
    Exhausted,
    Raised,
    Returned,
)
from pytest_wsgi.rules.served_start_response import (
    find_own_error,
    has_server_raised,
)
from pytest_wsgi.sandwich import Sandwich

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


_TWICE = 2

_BY_SERVER = (Called, Returned, Block, Exhausted, Closed)
"""Events whose thread is one of the server's."""

_TRAPS = frozenset({"empties_environ"})
"""Scripts that many a middleware fails over, which a rule of its own says."""


def situated(situation: str) -> Callable[[Sandwich], bool]:
    """Return the precondition that an iterable with close() came into a situation."""

    def is_exercised(sandwich: Sandwich) -> bool:
        return any(situate(sandwich, inner) == situation for inner in list_closable(sandwich))

    return is_exercised


_NO_CLOSE = "'{}' object has no attribute 'close'"
"""What Python says where an object of that type is closed and cannot be."""


@rule(
    Sandwich,
    checks=("close-middleware-propagates", "close-called"),
    binds=Party.SERVER,
    when=situated("full"),
)
def iterable_is_closed_after_full_iteration(sandwich: Sandwich) -> Iterator[Finding]:
    """A middleware that has read a whole body calls close() on its iterable.

    Why: a for loop closes nothing. Django sends request_finished from close(): without it database
    connections, locks and temporary files stay open, one for each request.
    """
    yield from report_lost(sandwich, "full", "the whole body")


@rule(
    Sandwich,
    checks=("close-middleware-propagates", "close-on-disconnect"),
    binds=Party.SERVER,
    when=situated("midway"),
)
def iterable_is_closed_when_the_client_leaves_midway(sandwich: Sandwich) -> Iterator[Finding]:
    """A middleware calls close() on an iterable that it has read a part of, when it is closed.

    Why: clients break off downloads and streams all the time. Code after a loop does not run then;
    what is in a finally clause or in a close() of the middleware's own does.
    """
    yield from report_lost(sandwich, "midway", "a part of the body, which the client left")


@rule(
    Sandwich,
    checks=("close-middleware-propagates", "close-on-disconnect"),
    binds=Party.SERVER,
    when=situated("before"),
)
def iterable_is_closed_when_the_client_leaves_before_the_first_block(
    sandwich: Sandwich,
) -> Iterator[Finding]:
    """A middleware calls close() on an iterable that it was not asked a block of.

    Why: a generator around the iterable never starts then, and the finally clause in it never
    runs. That is so when a client has gone at once, and with servers that answer HEAD themselves.
    """
    yield from report_lost(sandwich, "before", "no block, as the client had left")


@rule(
    Sandwich,
    checks=("close-after-iteration-error", "close-middleware-propagates"),
    binds=Party.SERVER,
    when=situated("raises"),
)
def iterable_is_closed_when_its_iteration_raises(sandwich: Sandwich) -> Iterator[Finding]:
    """A middleware calls close() on an iterable that raised while it was iterated over.

    Why: errors come in series. When each of them keeps a connection or a lock, one failing view
    brings the whole site to a halt.
    """
    yield from report_lost(sandwich, "raises", "an exception")


@rule(
    Sandwich,
    checks=("close-middleware-propagates", "close-called"),
    binds=Party.SERVER,
    when=situated("empty"),
)
def iterable_is_closed_when_its_body_is_empty(sandwich: Sandwich) -> Iterator[Finding]:
    """A middleware calls close() on an iterable that has no bytes to give.

    Why: code that takes the first block to see whether there is one, and returns an empty list
    when there is none, forgets it: redirects, 204 and 304 leak then, and pages do not.
    """
    yield from report_lost(sandwich, "empty", "an empty body")


@rule(
    Sandwich,
    checks=("close-on-early-stop", "close-middleware-propagates"),
    binds=Party.SERVER,
    when=situated("head"),
)
def iterable_is_closed_when_head_is_answered(sandwich: Sandwich) -> Iterator[Finding]:
    """A middleware calls close() on the iterable that answers HEAD.

    Why: a middleware that drops the body of HEAD drops the iterable with it. Monitors ask by HEAD,
    every few seconds.
    """
    yield from report_lost(sandwich, "head", "an answer to HEAD")


@rule(
    Sandwich,
    checks=("close-middleware-replaced-response", "close-on-early-stop"),
    binds=Party.SERVER,
    when=situated("discarded"),
)
def iterable_of_a_discarded_response_is_closed(sandwich: Sandwich) -> Iterator[Finding]:
    """A middleware that answers with another response calls close() on the one that it discards.

    Why: error pages, redirects and 304s of a middleware's own, and cascades that try the next
    application, leave the first iterable behind with all that it holds.
    """
    yield from report_lost(sandwich, "discarded", "a response that was not sent, or not wholly")


@rule(
    Sandwich,
    checks=("close-middleware-own-error", "close-middleware-propagates"),
    binds=Party.SERVER,
    when=situated("fails"),
)
def iterable_is_closed_when_the_middleware_fails(sandwich: Sandwich) -> Iterator[Finding]:
    """A middleware that raises when it has got an iterable calls close() on it.

    Why: nobody else has the iterable then: the server got an exception in its place.
    """
    yield from report_lost(sandwich, "fails", "an exception of the middleware's own")


@rule(
    Sandwich,
    checks="close-after-start-response-error",
    binds=Party.SERVER,
    when=situated("refused"),
    eased="the PEP speaks of errors in the iteration; that it means these too is a conclusion",
)
def iterable_is_closed_when_the_server_refuses(sandwich: Sandwich) -> Iterator[Finding]:
    """A middleware calls close() on its iterable when the server's start_response raises.

    Why: servers raise there what is wrong with a header. One that a middleware calls when it has
    got the iterable leaves that behind.
    """
    yield from report_lost(sandwich, "refused", "an exception of the server's")


@rule(
    Sandwich,
    checks=("close-on-returned-object", "close-middleware-propagates"),
    binds=Party.SERVER,
    when=lambda sandwich: any(
        inner.returned is not None and not inner.returned.is_iterator
        for inner in list_closable(sandwich)
    ),
)
def close_is_called_on_the_iterable_itself(sandwich: Sandwich) -> Iterator[Finding]:
    """A middleware calls close() on what the application returned, not on an iterator made of it.

    Why: the iterator is another object; Django's responses have a close() and their iterators
    none. `yield from`, too, closes the iterator alone when a client leaves.
    """
    for inner in list_closable(sandwich):
        if inner.closes and not list_closes(inner):
            yield Finding(
                expected="close() of the iterable",
                observed="close() of its iterator",
                at=inner.closes[0],
                exchange=inner,
            )


@rule(
    Sandwich,
    checks="close-at-most-once",
    binds=Party.SERVER,
    when=lambda sandwich: sandwich.outer.reading != "closed twice" and list_closable(sandwich),
)
def iterable_is_closed_once(sandwich: Sandwich) -> Iterator[Finding]:
    """A middleware calls close() on an iterable once.

    Why: the PEP does not ask applications to bear with a second one. Django sends request_finished
    for each, and some release what is another request's by then.
    """
    for inner in list_closable(sandwich):
        closes = list_closes(inner)
        if len(closes) > 1 and not is_closed_by_delegation(inner):
            yield Finding(
                expected="one close()",
                observed=f"{len(closes)} times close()",
                at=closes[1],
                exchange=inner,
            )


@rule(
    Exchange,
    checks="close-no-iteration-after",
    binds=Party.SERVER,
    when=lambda exchange: exchange.reading != "closed twice" and list_closes(exchange),
)
def closed_iterable_is_left_alone(exchange: Exchange) -> Iterator[Finding]:
    """A middleware asks for no block of an iterable that it has closed.

    Why: files and cursors are closed with it. A generator ends at once, so that the body is empty
    without any error.
    """
    closed = list_closes(exchange)[0]
    for event in exchange.events:
        if event.number > closed.number and is_taken(event):
            yield Finding(expected="no next() after close()", observed="next()", at=event)
            return


@rule(
    Sandwich,
    checks="close-optional",
    binds=Party.SERVER,
    when=lambda sandwich: any(
        inner.returned is not None and not inner.returned.has_close for inner in sandwich.inner
    ),
)
def iterable_without_close_is_served(sandwich: Sandwich) -> Iterator[Finding]:
    """A middleware serves an iterable that has no close(), such as a list.

    Why: most small applications return a list. A middleware that calls close() of whatever it gets
    was written for one framework.
    """
    error = find_own_error(sandwich)
    for inner in sandwich.inner:
        if (
            error is not None
            and inner.returned is not None
            and not inner.returned.has_close
            and error.type_name == "AttributeError"
            and error.message == _NO_CLOSE.format(inner.returned.type_name.rpartition(".")[2])
        ):
            yield Finding(
                expected="no close() to be called",
                observed=error.message,
                at=error,
            )


def report_lost(sandwich: Sandwich, situation: str, after: str) -> Iterator[Finding]:
    """Yield a finding for every iterable that was not closed in a situation.

    Where the iterator was closed in its place, another rule says so.
    """
    for inner in list_closable(sandwich):
        if not inner.closes and situate(sandwich, inner) == situation:
            yield Finding(
                expected="close() of the iterable",
                observed=f"no close() after {after}",
                at=inner.returned,
                exchange=inner,
            )


def list_closable(sandwich: Sandwich) -> list[Exchange]:
    """Return the inner exchanges that have something to close, and of which it can be told.

    A thread of the middleware's own may close when nobody looks any more, and who was stopped did
    not come to it.
    """
    outer = sandwich.outer
    threads = {event.thread for event in outer.events if isinstance(event, _BY_SERVER)}
    is_over = outer.stopped is None or outer.stopped.reason == "left"
    return [
        inner
        for inner in sandwich.inner
        if is_over
        and sandwich.script not in _TRAPS
        and inner.returned is not None
        and inner.returned.has_close
        and inner.stopped is None
        and threads.issuperset(event.thread for event in inner.events)
    ]


def situate(sandwich: Sandwich, inner: Exchange) -> str:
    """Return what came between an iterable and its close()."""
    outer = sandwich.outer
    situations = {
        "raises": any(error.place == "iteration" for error in inner.raised),
        "refused": has_server_raised(sandwich),
        "fails": find_own_error(sandwich) is not None,
        "discarded": is_discarded(sandwich, inner),
        "head": outer.method == "HEAD",
        "empty": inner.complete and not inner.body_length,
        "full": inner.complete,
        "cut": outer.complete,
        "midway": outer.block_count > 0,
    }
    found = next((name for name, holds in situations.items() if holds), "before")
    return "discarded" if found == "cut" else found


def is_discarded(sandwich: Sandwich, inner: Exchange) -> bool:
    """Tell whether the response of an inner exchange is not what was sent."""
    outer = sandwich.outer
    is_untouched = not inner.block_count and not inner.complete
    if is_untouched and inner is not sandwich.inner[-1]:
        return True
    if is_untouched and outer.method != "HEAD" and (outer.complete or outer.block_count):
        return True
    if outer.response is None or inner.response is None or outer.digest == inner.digest:
        return False
    return outer.response.status != inner.response.status


def list_closes(exchange: Exchange) -> list[Closed]:
    """Return the calls of close() on the iterable itself."""
    return [closed for closed in exchange.closes if closed.on == "iterable"]


def is_closed_by_delegation(exchange: Exchange) -> bool:
    """Tell whether one of two close() may have come of `yield from`.

    That closes an iterator which is left early, before a finally clause around it does.
    """
    returned = exchange.returned
    is_iterator = returned is not None and returned.is_iterator
    return is_iterator and not exchange.complete and len(list_closes(exchange)) == _TWICE


def is_taken(event: object) -> bool:
    """Tell whether an event came of a next()."""
    return isinstance(event, Block | Exhausted) or (
        isinstance(event, Raised) and event.place == "iteration"
    )
