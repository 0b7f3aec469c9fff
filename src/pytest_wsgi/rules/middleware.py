"""Middleware as a whole: heads that it hands on, requests that it keeps apart, late starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_wsgi.catalogue import Finding, Party, rule
from pytest_wsgi.exchange import Conversation, Exchange
from pytest_wsgi.rules.comparison import has_answered
from pytest_wsgi.rules.responses import list_values
from pytest_wsgi.sandwich import Sandwich

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_wsgi.exchange import StartResponse

_PAIR = 2
_RETYPED = 3

_ODD = ("x-empty", "x-latin-1", "x-long", "x-!#$%&'*+-.^_`|~")
"""Headers of the script `odd_headers` that nobody has a reason to treat one by one."""


@rule(
    Sandwich,
    checks="middleware-single-start",
    binds=Party.APPLICATION,
    when=lambda sandwich: sum(len(inner.start_responses) == 1 for inner in sandwich.inner) > 1,
)
def one_of_several_applications_starts_the_response(sandwich: Sandwich) -> Iterator[Finding]:
    """Of several applications that were called for one request, one starts the response.

    Why: each was given the server's own start_response, so the head of the first answer stands
    before the body of the second. Servers raise at the second call, or send both heads.
    """
    starts = [call for call in sandwich.outer.start_responses if call.exc_info is None]
    if len(starts) > 1:
        yield Finding(
            expected="start_response called for the answer that is used",
            observed=f"called {len(starts)} times, for {len(sandwich.inner)} applications",
            at=starts[1],
        )


@rule(
    Sandwich,
    checks="middleware-exc-info-reset",
    binds=Party.APPLICATION,
    when=lambda sandwich: (
        sandwich.script and find_second_head(sandwich) and sandwich.outer.response
    ),
)
def error_head_takes_the_place_of_the_first(sandwich: Sandwich) -> Iterator[Finding]:
    """When start_response is called again with exc_info, nothing is left of the first head.

    Why: status and headers that were kept at the first call say that all is well above a page that
    tells of an error, or promise a length and a type that the page has not.
    """
    outer, (inner,) = sandwich.outer, sandwich.inner
    first, second, response = inner.start_responses[0], inner.start_responses[-1], outer.response
    left = [field for field in first.fields if field not in second.fields]
    for name, value in response.fields if response is not None else ():
        if (name, value) in left:
            yield Finding(
                expected="the headers of the second call",
                observed=f"{name} of the first one",
                at=response,
            )
    is_same_body = outer.body_length and outer.digest == inner.digest
    if is_same_body and is_that_of(response, first, not_of=second):
        yield Finding(
            expected=f"{second.status}", observed=f"{first.status}, of the first call", at=response
        )


@rule(
    Conversation,
    checks="middleware-exc-info-reset",
    binds=Party.APPLICATION,
    only="middleware",
    when=lambda talk: (
        talk.probe == "behind-error-of-another-type"
        and len(talk.exchanges) == _RETYPED
        and all(one.complete for one in talk.exchanges)
        and talk.exchanges[0].digest != talk.exchanges[1].digest
    ),
)
def error_body_is_treated_by_its_own_type(talk: Conversation) -> Iterator[Finding]:
    """An error that took the place of a page is not treated as that page would have been.

    Why: what is to be done with a body was decided by the first head, and not once more by the one
    that exc_info came with: so bytes that are no text are edited, compressed or sent on as text.
    """
    binary, page, error = talk.exchanges
    is_as_long = error.body_length == page.body_length != binary.body_length
    if error.digest != binary.digest and (error.digest == page.digest or is_as_long):
        yield Finding(
            expected="the body as it comes without exc_info",
            observed="it was changed as the page of the first head is",
            at=error.response,
            exchange=error,
        )


@rule(
    Conversation,
    checks=("start-may-be-late", "middleware-late-start", "middleware-transparent"),
    binds=Party.APPLICATION,
    only="middleware",
    when=lambda talk: talk.probe == "behind-late-starts" and are_alike(talk.exchanges[:_PAIR]),
)
def late_starts_are_answered_alike(talk: Conversation) -> Iterator[Finding]:
    """A response that is started when it is iterated over comes out as one started in the call.

    Why: every generator starts late. What middleware does with status and headers after the call
    has returned it then does with none, or with those of another request.
    """
    first, second, *late = talk.exchanges
    names = list_names(first) & list_names(second)
    for exchange in filter(is_whole, late):
        missing = ", ".join(sorted(names - list_names(exchange)))
        if exchange.code != first.code:
            observed = f"status code {exchange.code}"
        elif exchange.digest != first.digest:
            observed = f"another body, of {exchange.body_length} bytes"
        else:
            observed = f"no {missing}" if missing else ""
        if observed:
            yield Finding(
                expected="the response as when it is started in the call",
                observed=observed,
                at=exchange.response,
                exchange=exchange,
            )


@rule(
    Conversation,
    checks=("middleware-transparent", "middleware-isolation-between-requests"),
    binds=Party.APPLICATION,
    only="middleware",
    when=lambda talk: talk.probe.startswith("behind-echo-") and len(list_queries(talk)) > 1,
)
def responses_keep_to_their_own_request(talk: Conversation) -> Iterator[Finding]:
    """Each of several requests gets its own response, at once, in turns and one after the other.

    Why: what is kept on the middleware object is that of the latest request: one user gets the
    page, the headers or the rest of the page of another.
    """
    for exchange in talk.exchanges:
        own = exchange.environ.get("QUERY_STRING")
        for query in sorted(list_queries(talk) - {own}):
            where = find_query(exchange, query)
            if where:
                yield Finding(
                    expected=f"the answer to ?{own}",
                    observed=f"{where} of the answer to ?{query}",
                    at=exchange.response,
                    exchange=exchange,
                )
                break


@rule(
    Sandwich,
    checks="header-multiplicity-preserved",
    binds=Party.APPLICATION,
    when=lambda sandwich: sandwich.script == "odd_headers" and is_body_handed_on(sandwich),
)
def repeated_headers_stay_apart(sandwich: Sandwich) -> Iterator[Finding]:
    """Headers that the application repeats, Set-Cookie above all, are handed on one by one.

    Why: a dict keeps one of them, and joined by commas they are one cookie that no browser reads:
    users are logged out, or not logged in.
    """
    response = sandwich.outer.response
    inner = list_of(sandwich.inner[-1].response, "set-cookie")
    outer = list_of(response, "set-cookie")
    if any(sum(cookie in value for cookie in inner) > 1 for value in outer):
        yield Finding(expected=f"{len(inner)} Set-Cookie headers", observed="joined", at=response)
        return
    kept = {name_cookie(cookie) for cookie in inner} & {name_cookie(cookie) for cookie in outer}
    if 0 < len(kept) < len(inner):
        yield Finding(
            expected=f"{len(inner)} Set-Cookie headers",
            observed=f"{len(kept)} of them",
            at=response,
        )


@rule(
    Sandwich,
    checks=("middleware-transparent", "header-all-transmitted", "unicode-headers-roundtrip"),
    binds=Party.APPLICATION,
    when=lambda sandwich: sandwich.script == "odd_headers" and is_body_handed_on(sandwich),
)
def odd_headers_are_handed_on_unchanged(sandwich: Sandwich) -> Iterator[Finding]:
    """Headers that are empty, long, in latin-1 or have an odd name are handed on as others are.

    Why: what is lost or written anew only for some values is found last: a name in latin-1 comes
    out garbled, and an empty value means something else than none.
    """
    before = {name: list_of(sandwich.inner[0].response, name) for name in _ODD}
    after = {name: list_of(sandwich.outer.response, name) for name in _ODD}
    changed = [name for name in _ODD if before[name] != after[name]]
    # Where none is as it was, they are filtered or renamed on purpose.
    for name in changed if len(changed) < len(_ODD) else ():
        observed = "with another value" if after[name] else "lost"
        yield Finding(expected=f"{name} as it was", observed=observed, at=sandwich.outer.response)


@rule(
    Sandwich,
    checks="status-verbatim",
    binds=Party.APPLICATION,
    when=lambda sandwich: find_source(sandwich) is not None,
    eased="HTTP gives the reason phrase no meaning, and HTTP/2 has none",
)
def reason_phrase_is_handed_on(sandwich: Sandwich) -> Iterator[Finding]:
    """A status whose code is kept keeps its reason phrase.

    Why: middleware that looks the phrase up fails at a code that it does not know, and loses what
    the application had to say.
    """
    inner, outer = sandwich.inner[-1].response, sandwich.outer.response
    if inner is not None and outer is not None and inner.status != outer.status:
        yield Finding(expected=f"{inner.status}", observed=outer.status, at=outer)


def find_source(sandwich: Sandwich) -> Exchange | None:
    """Return the inner exchange that the response was made of, None where that is not sure.

    It is not where several applications were called, or where the response has another status code.
    """
    if len(sandwich.inner) != 1:
        return None
    (inner,) = sandwich.inner
    return inner if inner.code is not None and inner.code == sandwich.outer.code else None


def is_body_handed_on(sandwich: Sandwich) -> bool:
    """Tell whether the response has code and body of that of the one application behind."""
    source = find_source(sandwich)
    return source is not None and source.digest == sandwich.outer.digest


def find_second_head(sandwich: Sandwich) -> StartResponse | None:
    """Return the call with exc_info of the one application that took the place of another.

    After output it takes no place: then start_response has to raise.
    """
    if len(sandwich.inner) != 1 or len(sandwich.inner[0].start_responses) == 1:
        return None
    (inner,) = sandwich.inner
    second = inner.start_responses[-1] if inner.start_responses else None
    if second is None or second.exc_info is None or second.raised is not None:
        return None
    sent = [block.number for block in inner.blocks if block.length]
    sent += [write.number for write in inner.writes if write.length]
    return second if second.number < min(sent, default=second.number + 1) else None


def is_that_of(call: StartResponse | None, first: StartResponse, *, not_of: StartResponse) -> bool:
    """Tell whether a status is that of one call and not that of another."""
    return call is not None and call.status == first.status != not_of.status


def is_whole(exchange: Exchange) -> bool:
    """Tell whether an exchange was answered and read to its end."""
    return has_answered(exchange) and exchange.complete


def are_alike(exchanges: tuple[Exchange, ...]) -> bool:
    """Tell whether two requests had the same whole answer."""
    return (
        len(exchanges) == _PAIR
        and all(map(is_whole, exchanges))
        and len({(exchange.code, exchange.digest) for exchange in exchanges}) == 1
    )


def list_names(exchange: Exchange) -> set[str]:
    """Return the names of the headers in lower case."""
    fields = exchange.response.fields if exchange.response is not None else ()
    return {name.lower() for name, _ in fields}


def list_queries(talk: Conversation) -> set[str]:
    """Return what the requests asked for."""
    queries = (exchange.environ.get("QUERY_STRING") for exchange in talk.exchanges)
    return {query for query in queries if isinstance(query, str) and query}


def find_query(exchange: Exchange, query: str) -> str:
    """Return what of a response tells that query, or an empty text."""
    response = exchange.response
    if response is not None and query in list_values(response, "x-query"):
        return "a header"
    text = f"{query} block".encode("utf-8", "replace")
    return "a block" if any(text in block.start for block in exchange.blocks) else ""


def list_of(call: StartResponse | None, name: str) -> list[str]:
    """Return the values of every header of that name; none where there was no call."""
    return list_values(call, name) if call is not None else []


def name_cookie(value: str) -> str:
    """Return the name of the cookie that a Set-Cookie sets."""
    return value.partition("=")[0]
