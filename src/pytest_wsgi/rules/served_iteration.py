"""How a middleware iterates over what the application behind it returned, files included."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_wsgi.catalogue import Finding, Party, rule
from pytest_wsgi.exchange import Block, Exchange, Exhausted, Stopped
from pytest_wsgi.rules.served_start_response import find_own_error, is_about_the_iterable
from pytest_wsgi.sandwich import Sandwich

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_wsgi.exchange import Event

_FEW = 2
"""How many blocks may come yet when the client has gone: a thread may have asked for them."""

_CONTAINERS = frozenset({"list", "tuple"})


_AT_THE_END = frozenset({"StopIteration", "RuntimeError", "IndexError", "UnboundLocalError"})
"""What code raises that counts on a first block; a generator makes StopIteration a RuntimeError."""


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
