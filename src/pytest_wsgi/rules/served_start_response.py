"""start_response and write() as a middleware hands them to the application behind it."""

from __future__ import annotations

import re
from itertools import takewhile
from typing import TYPE_CHECKING

from pytest_wsgi.catalogue import Finding, Party, rule
from pytest_wsgi.exchange import Block, Exchange, Write
from pytest_wsgi.rules.responses import list_values
from pytest_wsgi.sandwich import Sandwich
from pytest_wsgi.showing import show

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_wsgi.exchange import Event, Raised, StartResponse

_THREE = 3

_SIGNATURE = re.compile(r"takes .*argument|missing \d+ required positional|expected .*argument")
"""What Python says of a call with too many or too few arguments."""

_SCRIPTED = "pytest_wsgi.inner.ScriptError"
"""The exception that the scripted applications hand over in exc_info."""

_LOOKS_UP = frozenset({"KeyError", "IndexError"})

_USUAL = frozenset({"Content-Type", "Content-Length", "ETag", "Location", "Last-Modified"})

_PROXIES = ("RecordedResult", "RecordedIterator")
"""The types of the recorder that stand for an iterable, as messages name them."""

_SINGLE = frozenset(name.lower() for name in _USUAL)
"""Headers of which a response has one at most."""


@rule(
    Sandwich,
    checks=("start-accepts-two-and-three", "middleware-start-args-complete"),
    binds=Party.SERVER,
    when=lambda sandwich: [*list_starts(sandwich)],
)
def handed_start_response_takes_two_or_three_arguments(sandwich: Sandwich) -> Iterator[Finding]:
    """The start_response of a middleware takes status, headers and perhaps exc_info, by position.

    Why: a wrapper that takes two works until the application has an error to report: then its error
    page is a TypeError, and the error itself is lost.
    """
    for inner, call in list_starts(sandwich):
        if is_signature_error(inner, call):
            yield Finding(
                expected="start_response(status, headers) and (status, headers, exc_info)",
                observed=f"TypeError for {call.argument_count} arguments",
                at=call,
                exchange=inner,
            )


@rule(
    Exchange,
    checks=("start-returns-write", "middleware-write-works"),
    binds=Party.SERVER,
    when=lambda exchange: any(call.raised is None for call in exchange.start_responses),
)
def handed_start_response_returns_write(exchange: Exchange) -> Iterator[Finding]:
    """The start_response of a middleware returns a callable write().

    Why: a wrapper that forgets to return what start_response gave it works until an application
    calls write(), as old ones and trackers in use do for every page: None is not callable.
    """
    for call in exchange.start_responses:
        if call.write_type:
            yield Finding(expected="a callable", observed=call.write_type, at=call)


@rule(
    Sandwich,
    checks=("write-accepts-bytes", "middleware-write-works"),
    binds=Party.SERVER,
    when=lambda sandwich: any(inner.writes for inner in sandwich.inner),
)
def handed_write_takes_bytes(sandwich: Sandwich) -> Iterator[Finding]:
    """The write() of a middleware takes bytes and raises nothing of its own.

    Why: an application that writes its body has no other way to send it. What the server raises
    when its client has gone is passed on.
    """
    if has_server_raised(sandwich):
        return
    for inner in sandwich.inner:
        for write in inner.writes:
            if write.raised is not None:
                yield Finding(
                    expected="write(bytes) to return",
                    observed=f"{write.raised} for {write.length} bytes",
                    at=write,
                    exchange=inner,
                )


@rule(
    Sandwich,
    checks=("middleware-late-start", "start-may-be-late"),
    binds=Party.SERVER,
    when=lambda sandwich: sandwich.script.startswith("late_") and sandwich.inner,
)
def late_start_response_is_waited_for(sandwich: Sandwich) -> Iterator[Finding]:
    """A middleware works when start_response is called while the first block is made.

    Why: every application that is a generator does so. A middleware that looks at status or
    headers right after the call finds none and fails.
    """
    for inner in sandwich.inner:
        for call in inner.start_responses[:1]:
            if (
                call.place == "iteration"
                and call.raised is not None
                and sandwich.outer.raised
                and not is_refused(sandwich)
                and not is_signature_error(inner, call)
            ):
                yield Finding(
                    expected="start_response to work during the iteration",
                    observed=f"it raised {call.raised}",
                    at=call,
                    exchange=inner,
                )
    error = find_own_error(sandwich)
    if (
        error is not None
        and not any(call.raised is None for _, call in list_starts(sandwich))
        and not is_about_the_iterable(sandwich, error)
    ):
        yield Finding(
            expected="the middleware to wait for start_response",
            observed=f"it failed before that: {error.type_name}: {error.message}",
            at=error,
        )


@rule(
    Sandwich,
    checks=("middleware-late-start", "start-may-be-late"),
    binds=Party.SERVER,
    when=lambda sandwich: any(call.place == "iteration" for _, call in list_starts(sandwich)),
)
def late_status_reaches_the_client(sandwich: Sandwich) -> Iterator[Finding]:
    """A middleware starts its response when it knows the status of what it passes on.

    Why: one that starts right after the call makes the status up, mostly 200, and sends an error
    page of the application under it.
    """
    outer = sandwich.outer
    for inner in sandwich.inner[-1:]:
        given, late = outer.response, inner.response
        if (
            given is not None
            and late is not None
            and late.place == "iteration"
            and late.exc_info is None
            and given.place == "call"
            and given.status != late.status
            and outer.digest == inner.digest
            and is_before(sandwich, outer.returned, late)
        ):
            yield Finding(expected=show(late.status), observed=given.status, at=given)


@rule(
    Sandwich,
    checks="header-empty-list-ok",
    binds=Party.SERVER,
    when=lambda sandwich: any(is_bare(call) for _, call in list_starts(sandwich)),
)
def empty_list_of_headers_is_taken(sandwich: Sandwich) -> Iterator[Finding]:
    """A middleware takes a response without headers.

    Why: a 204 or 304 may have none. A middleware that counts on a Content-Type turns these answers
    into errors.
    """
    error = find_own_error(sandwich)
    for inner, call in list_starts(sandwich):
        for raised in (call.raised, error.type_name if error is not None else None):
            if is_bare(call) and raised in _LOOKS_UP:
                yield Finding(
                    expected="a response without headers to be taken",
                    observed=raised,
                    at=call,
                    exchange=inner,
                )


@rule(
    Sandwich,
    checks="header-names-case-insensitive",
    binds=Party.SERVER,
    when=lambda sandwich: any(has_odd_case(call) for _, call in list_starts(sandwich)),
)
def header_names_are_found_in_any_case(sandwich: Sandwich) -> Iterator[Finding]:
    """A middleware finds a header whatever the case of its name is.

    Why: content-type is Content-Type. A middleware that does not see it fails, or adds a second
    one, and browsers and proxies differ in which of the two they take.
    """
    response = sandwich.outer.response
    given = response.fields if response is not None else ()
    for inner, call in list_starts(sandwich):
        if has_odd_case(call) and call.raised == "KeyError" and not has_server_raised(sandwich):
            yield Finding(
                expected="the headers to be found",
                observed="KeyError",
                at=call,
                exchange=inner,
            )
        for name in sorted({name.lower() for name, _ in call.fields} & _SINGLE):
            found = sorted({field for field, _ in given if field.lower() == name})
            if len(found) > 1 and len(list_values(call, name)) == 1:
                yield Finding(expected=f"one {name}", observed=" and ".join(found), at=response)


@rule(
    Sandwich,
    checks="exc-info-none-is-absent",
    binds=Party.SERVER,
    when=lambda sandwich: any(is_given_none(call) for _, call in list_starts(sandwich)),
)
def none_for_exc_info_is_no_error(sandwich: Sandwich) -> Iterator[Finding]:
    """The start_response of a middleware takes None for exc_info, which means that there is none.

    Why: what wraps start_response often passes three arguments on, whatever it was given. Code
    that counts them and raises exc_info[1] then turns every page into a TypeError.
    """
    for inner, call in list_starts(sandwich):
        if (
            is_given_none(call)
            and call.raised is not None
            and not has_server_raised(sandwich)
            and not is_signature_error(inner, call)
        ):
            yield Finding(expected="no exception", observed=call.raised, at=call, exchange=inner)


@rule(
    Sandwich,
    checks=("exc-info-replaces-headers", "exc-middleware-may-intercept"),
    binds=Party.SERVER,
    when=lambda sandwich: any(not has_sent(sandwich, call) for _, call in list_errors(sandwich)),
)
def exc_info_before_output_is_taken(sandwich: Sandwich) -> Iterator[Finding]:
    """A middleware raises the error in exc_info only when a part of the response was sent.

    Why: before that, exc_info comes with an error page. A middleware that raises anyway throws the
    page away, and the client gets a bare 500. One that catches what it raises may do so.
    """
    for inner, call in list_errors(sandwich):
        if (
            call.raised == _SCRIPTED
            and sandwich.outer.raised
            and not has_server_raised(sandwich)
            and not has_sent(sandwich, call)
        ):
            yield Finding(
                expected="the error page to be taken",
                observed=f"it raised {call.raised}",
                at=call,
                exchange=inner,
            )


@rule(
    Sandwich,
    checks="middleware-start-args-complete",
    binds=Party.SERVER,
    when=lambda sandwich: (
        has_lost_exc_info(sandwich) or any(call.exc_info for call in sandwich.outer.start_responses)
    ),
)
def exc_info_is_passed_on(sandwich: Sandwich) -> Iterator[Finding]:
    """A middleware that calls start_response once more for an error passes exc_info on.

    Why: a second call without it is fatal itself. gunicorn, waitress and wsgiref raise an
    AssertionError, and the error page and the error of the application are lost.
    """
    if has_lost_exc_info(sandwich):
        call = sandwich.outer.start_responses[-1]
        yield Finding(
            expected="exc_info as the third argument",
            observed=f"{show(call.status)} without it, and {call.raised}",
            at=call,
        )


@rule(
    Sandwich,
    checks="exc-info-raises-after-sent",
    binds=Party.SERVER,
    when=lambda sandwich: any(has_sent(sandwich, call) for _, call in list_errors(sandwich)),
)
def exc_info_after_output_stops_the_application(sandwich: Sandwich) -> Iterator[Finding]:
    """A middleware that has sent a part of a response does not add an error page to it.

    Why: start_response has to raise then. Where it returns, the client gets half a page and an
    error page below it, as a whole one with status 200.
    """
    outer = sandwich.outer
    for inner, call in list_errors(sandwich):
        if (
            call.raised is None
            and has_sent(sandwich, call)
            and is_whole(outer)
            and outer.digest == inner.digest
        ):
            yield Finding(
                expected="the exception in exc_info",
                observed="start_response returned, and the response ended as a whole one",
                at=call,
                exchange=inner,
            )


@rule(
    Sandwich,
    checks="exc-server-abort-visible",
    binds=Party.SERVER,
    when=lambda sandwich: any(list_cuts(sandwich, inner) for inner in sandwich.inner),
)
def errors_after_output_break_the_response_off(sandwich: Sandwich) -> Iterator[Finding]:
    """What fails after a part of it was sent does not end as if it were whole.

    Why: a middleware that logs the error and ends its iteration makes half a page, or half a
    download, look complete: caches keep it. Where the exception goes on, the server breaks off.
    """
    for inner in sandwich.inner:
        if is_whole(sandwich.outer) and sandwich.outer.digest == inner.digest:
            for error in list_cuts(sandwich, inner):
                yield Finding(
                    expected="the exception to go on to the server",
                    observed=f"the end of the response after {error.type_name}",
                    at=error,
                    exchange=inner,
                )


def list_starts(sandwich: Sandwich) -> list[tuple[Exchange, StartResponse]]:
    """Return every call of start_response by an application behind, with its exchange."""
    return [(inner, call) for inner in sandwich.inner for call in inner.start_responses]


def list_errors(sandwich: Sandwich) -> list[tuple[Exchange, StartResponse]]:
    """Return those of the calls that report an error."""
    return [(inner, call) for inner, call in list_starts(sandwich) if call.exc_info is not None]


def is_given_none(call: StartResponse) -> bool:
    """Tell whether the third argument of a call was None."""
    return call.argument_count == _THREE and call.exc_info is None


def is_bare(call: StartResponse) -> bool:
    """Tell whether a call has an empty list of headers."""
    return call.headers_type == "list" and not call.headers


def has_odd_case(call: StartResponse) -> bool:
    """Tell whether a call names a header that is well known in another case than is usual."""
    return any(name.lower() in _SINGLE and name not in _USUAL for name, _ in call.fields)


def is_signature_error(inner: Exchange, call: StartResponse) -> bool:
    """Tell whether a call raised because of the number of its arguments."""
    return call.raised == "TypeError" and any(
        error.by_server and _SIGNATURE.search(error.message) for error in inner.raised
    )


def has_server_raised(sandwich: Sandwich) -> bool:
    """Tell whether the server in front of the middleware has raised something."""
    outer = sandwich.outer
    uses: list[StartResponse | Write] = [*outer.start_responses, *outer.writes]
    return any(use.raised for use in uses)


def is_refused(sandwich: Sandwich) -> bool:
    """Tell whether the server in front raised at the first call of its start_response."""
    return any(call.raised for call in sandwich.outer.start_responses[:1])


def find_own_error(sandwich: Sandwich) -> Raised | None:
    """Return the exception that left the middleware by its own fault; None where there is none."""
    if has_server_raised(sandwich) or any(inner.raised for inner in sandwich.inner):
        return None
    return next((error for error in sandwich.outer.raised if not error.by_server), None)


def is_about_the_iterable(sandwich: Sandwich, error: Raised) -> bool:
    """Tell whether an exception says what the iterable of the application cannot do."""
    types = [inner.returned.type_name for inner in sandwich.inner if inner.returned is not None]
    return any(f"'{name.rpartition('.')[2]}'" in error.message for name in (*types, *_PROXIES))


def is_before(sandwich: Sandwich, first: Event | None, second: Event) -> bool:
    """Tell which of two events, of whatever exchanges, came first."""
    both = [step.event for step in sandwich.steps if step.event is first or step.event is second]
    return bool(both) and both[0] is first


def has_sent(sandwich: Sandwich, event: Event) -> bool:
    """Tell whether the server in front had a part of the body before an event."""
    before = takewhile(lambda step: step.event is not event, sandwich.steps)
    return any(
        isinstance(step.event, Block | Write) and step.event.length and not step.is_inner
        for step in before
    )


def has_lost_exc_info(sandwich: Sandwich) -> bool:
    """Tell whether a call that reports an error was passed on without it, and refused for that."""
    outer = sandwich.outer.start_responses
    return any(
        later.raised is not None and later.exc_info is None and later.raised == call.raised
        for later in outer[1:]
        for _, call in list_errors(sandwich)
    )


def is_whole(outer: Exchange) -> bool:
    """Tell whether a response ended in front as if nothing had happened."""
    return outer.complete and not outer.raised


def list_cuts(sandwich: Sandwich, inner: Exchange) -> list[Raised]:
    """Return what broke a response off after a part of it was sent.

    Where all that Content-Length promises had been sent, there is nothing to be seen.
    """
    lengths = list_values(inner.response, "content-length") if inner.response else []
    if str(inner.body_length) in lengths:
        return []
    return [error for error in inner.raised if has_sent(sandwich, error)]
