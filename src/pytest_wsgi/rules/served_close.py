"""How a middleware takes the iterable of the application behind it, and lets go of it."""

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
    Stopped,
)
from pytest_wsgi.rules.served_start_response import (
    find_own_error,
    has_server_raised,
    is_about_the_iterable,
)
from pytest_wsgi.sandwich import Sandwich

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_wsgi.exchange import Event

_FEW = 2
"""How many blocks may come yet when the client has gone: a thread may have asked for them."""

_BY_SERVER = (Called, Returned, Block, Exhausted, Closed)
"""Events whose thread is one of the server's."""

_TRAPS = frozenset({"empties_environ"})
"""Scripts that many a middleware fails over, which a rule of its own says."""

_CONTAINERS = frozenset({"list", "tuple"})

_AT_THE_END = frozenset({"StopIteration", "RuntimeError", "IndexError", "UnboundLocalError"})
"""What code raises that counts on a first block; a generator makes StopIteration a RuntimeError."""


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


@rule(
    Sandwich,
    checks="middleware-lazy-iteration-stops",
    binds=Party.SERVER,
    when=lambda sandwich: is_left(sandwich) and sandwich.inner,
)
def iterable_is_left_alone_when_the_client_has_left(sandwich: Sandwich) -> Iterator[Finding]:
    """A middleware stops taking blocks when the client has left.

    Why: a close() that reads the rest first goes on for as long as the body does. An endless stream
    then holds its thread for ever, for nobody.
    """
    pulled = [step for step in list_after_leaving(sandwich) if isinstance(step[1], Block)]
    if len(pulled) > _FEW:
        inner, block = pulled[_FEW]
        yield Finding(
            expected="no more blocks to be taken",
            observed=f"{len(pulled)} blocks taken when the client had left",
            at=block,
            exchange=inner,
        )


@rule(
    Exchange,
    checks="body-late-iteration",
    binds=Party.SERVER,
    when=lambda exchange: exchange.complete and not is_container(exchange),
)
def iterable_is_iterated_over_once(exchange: Exchange) -> Iterator[Finding]:
    """A middleware iterates over a body once.

    Why: an iterator gives its blocks once. What counts or looks through the body first and then
    passes the same iterable on sends nothing, or makes the application do all its work again.
    """
    ended = False
    for event in exchange.events:
        if ended and isinstance(event, Block):
            yield Finding(
                expected="one iteration", observed="a block after the end of the body", at=event
            )
            return
        ended = ended or isinstance(event, Exhausted)


@rule(
    Sandwich,
    checks="body-no-other-attributes",
    binds=Party.SERVER,
    when=lambda sandwich: any(
        inner.returned is not None and not is_container(inner) for inner in sandwich.inner
    ),
)
def iterable_is_only_iterated_over(sandwich: Sandwich) -> Iterator[Finding]:
    """A middleware does nothing with an iterable but iterate over it and close it.

    Why: it need not be a list, and not even an iterator. len(), an index or next() without iter()
    work with one framework and fail with the next one.
    """
    error = find_own_error(sandwich)
    if (
        error is not None
        and is_about_the_iterable(sandwich, error)
        and "'close'" not in error.message
        and not all(is_container(inner) for inner in sandwich.inner)
    ):
        yield Finding(
            expected="nothing but iteration",
            observed=f"{error.type_name}: {error.message}",
            at=error,
        )


@rule(
    Sandwich,
    checks="body-empty-items-ok",
    binds=Party.SERVER,
    when=lambda sandwich: sandwich.script == "empty_blocks" and sandwich.inner,
)
def empty_block_is_not_the_end(sandwich: Sandwich) -> Iterator[Finding]:
    """A middleware goes on after an empty block.

    Why: an empty block says that there is nothing yet. Middleware itself yields such while it
    waits. A loop that ends at the first one cuts the body.
    """
    outer = sandwich.outer
    error = find_own_error(sandwich)
    for inner in sandwich.inner:
        last = inner.blocks[-1] if inner.blocks else None
        if last is not None and not last.length and not inner.complete:
            if error is not None:
                yield Finding(
                    expected="an empty block to be taken", observed=error.type_name, at=error
                )
            elif outer.complete and outer.digest == inner.digest:
                yield Finding(
                    expected="the blocks after an empty one",
                    observed=f"the end of the body after {outer.body_length} bytes",
                    at=last,
                    exchange=inner,
                )


@rule(
    Sandwich,
    checks=("start-headers-on-exhaustion", "write-empty-iterable-ok"),
    binds=Party.SERVER,
    when=lambda sandwich: any(has_no_blocks(inner) for inner in sandwich.inner),
)
def empty_iterable_is_a_response(sandwich: Sandwich) -> Iterator[Finding]:
    """A middleware answers when the iterable gives no block at all.

    Why: redirects and answers to HEAD have none, and neither has what was written by write(). Code
    that counts on a first block fails, or never starts the response.
    """
    outer = sandwich.outer
    error = find_own_error(sandwich)
    for inner in sandwich.inner:
        if not has_no_blocks(inner):
            continue
        if error is not None and error.type_name in _AT_THE_END and not lacks_headers(inner):
            yield Finding(
                expected="an empty body to be served",
                observed=f"{error.type_name}: {error.message}",
                at=error,
            )
        elif outer.complete and inner.response is not None and not outer.start_responses:
            yield Finding(
                expected="start_response to be called",
                observed="an end without it",
                at=outer.returned,
            )


@rule(
    Exchange,
    checks="filewrapper-close-propagated",
    binds=Party.SERVER,
    when=lambda exchange: exchange.returned is not None and is_wrapped_file(exchange),
)
def handed_file_wrapper_closes_its_file(exchange: Exchange) -> Iterator[Finding]:
    """What the wsgi.file_wrapper of a middleware makes of a file has that file's close().

    Why: the application returns the wrapper and nothing else, so nobody but the wrapper can close
    the file.
    """
    if exchange.returned is not None and not exchange.returned.has_close:
        yield Finding(
            expected="a close() that closes the file",
            observed=f"{exchange.returned.type_name} without close()",
            at=exchange.returned,
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
    return is_iterator and not exchange.complete and len(list_closes(exchange)) == _FEW


def is_taken(event: object) -> bool:
    """Tell whether an event came of a next()."""
    return isinstance(event, Block | Exhausted) or (
        isinstance(event, Raised) and event.place == "iteration"
    )


def is_left(sandwich: Sandwich) -> bool:
    """Tell whether the server in front went away on purpose."""
    stopped = sandwich.outer.stopped
    return stopped is not None and stopped.reason == "left"


def list_after_leaving(sandwich: Sandwich) -> list[tuple[Exchange, Event]]:
    """Return what happened behind when the server in front had gone away."""
    gone = False
    found: list[tuple[Exchange, Event]] = []
    for step in sandwich.steps:
        if gone and step.is_inner:
            found.append((step.exchange, step.event))
        gone = gone or (not step.is_inner and isinstance(step.event, Stopped))
    return found


def is_container(exchange: Exchange) -> bool:
    """Tell whether an application returned a list or tuple, which bears more than other objects."""
    return exchange.returned is not None and exchange.returned.base in _CONTAINERS


def has_no_blocks(exchange: Exchange) -> bool:
    """Tell whether an iterable was read to its end and gave nothing."""
    return exchange.complete and not any(block.length for block in exchange.blocks)


def lacks_headers(exchange: Exchange) -> bool:
    """Tell whether a response has no headers; code that fails over these has a rule of its own."""
    return exchange.response is not None and not exchange.response.headers


def is_wrapped_file(exchange: Exchange) -> bool:
    """Tell whether an application returned a wrapped file that has a close()."""
    return (
        exchange.returned is not None
        and exchange.returned.is_file_wrapper
        and any("close" in wrap.attributes for wrap in exchange.file_wraps)
    )
