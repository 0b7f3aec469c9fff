"""The status: its type and form, and what its code means for headers and body.

Each flaw has one rule: control characters, line breaks and what is not latin-1 come before the
form; the form is digits, then one space, then a reason.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_wsgi.catalogue import Finding, Party, rule
from pytest_wsgi.exchange import Exchange
from pytest_wsgi.rules.responses import (
    is_plain,
    is_readable,
    lacks,
    list_calls,
    list_statuses,
    list_values,
    read_once,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_wsgi.exchange import StartResponse

_LINE_BREAK = re.compile(r"[\r\n]")
_CONTROL = re.compile(r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f]")
"""Control characters but for CR and LF, which have a rule of their own."""

_CODE = re.compile(r"[0-9]{3}(?![0-9])")
_CODE_LENGTH = 3
_CODES = range(100, 600)
_INTERIM = range(100, 200)
_WITHOUT_CONTENT = frozenset({204, 205, 304})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@read_once
def list_plain(exchange: Exchange) -> list[tuple[StartResponse, str]]:
    """Return every status whose form can be judged: latin-1 without control characters."""
    return [(call, status) for call, status in list_statuses(exchange) if is_plain(status)]


@read_once
def list_coded(exchange: Exchange) -> list[tuple[StartResponse, int, str]]:
    """Return call, code and what follows it, of every status that begins with three digits."""
    return [
        (call, int(bare[:_CODE_LENGTH]), bare[_CODE_LENGTH:])
        for call, bare in ((call, status.lstrip(" ")) for call, status in list_plain(exchange))
        if _CODE.match(bare)
    ]


@rule(
    Exchange,
    checks=("status-native-str", "unicode-native-str-exact"),
    binds=Party.APPLICATION,
    when=list_calls,
)
def status_is_native_string(exchange: Exchange) -> Iterator[Finding]:
    """The status is a str.

    Why: servers write it to the client as text. Bytes, an int or an HTTPStatus become a 500;
    Werkzeug's server sends "200 b'OK'", and granian dies.
    """
    for call in list_calls(exchange):
        if type(call.status) is not str:
            yield Finding(expected="a str", observed=call.status, at=call)


@rule(Exchange, checks="status-no-crlf", binds=Party.APPLICATION, when=list_statuses)
def status_has_no_line_break(exchange: Exchange) -> Iterator[Finding]:
    """The status has no CR and no LF.

    Why: what follows a line break becomes a header of its own: response splitting. wsgiref,
    cheroot, uWSGI, bjoern, Twisted and Werkzeug send the injected header to the client.
    """
    for call, status in list_statuses(exchange):
        if _LINE_BREAK.search(status):
            yield Finding(expected="one line", observed=status, at=call)


@rule(Exchange, checks="status-no-control-chars", binds=Party.APPLICATION, when=list_statuses)
def status_has_no_control_characters(exchange: Exchange) -> Iterator[Finding]:
    """The status has no control characters.

    Why: HTTP forbids them there, and clients and proxies may cut the status or refuse the
    response. Of 15 servers only mod_wsgi refuses a tab; it answers 500.
    """
    for call, status in list_statuses(exchange):
        if _CONTROL.search(status):
            yield Finding(expected="no control characters", observed=status, at=call)


@rule(
    Exchange,
    checks="status-three-digits",
    binds=Party.APPLICATION,
    when=list_plain,
)
def status_code_is_three_digits(exchange: Exchange) -> Iterator[Finding]:
    """The status begins with a code of exactly three ASCII digits.

    Why: clients read three digits. waitress, cheroot, uWSGI, gevent, bjoern, Twisted and Werkzeug
    send "2000 OK" as it is; granian shuts down, and with it every other page.
    """
    for call, status in list_plain(exchange):
        if not _CODE.match(status.lstrip(" ")):
            yield Finding(expected="a code of three digits", observed=status, at=call)


@rule(
    Exchange,
    checks="status-form",
    binds=Party.APPLICATION,
    when=list_coded,
)
def status_has_a_space_after_its_code(exchange: Exchange) -> Iterator[Finding]:
    """A space follows the code of the status, and then a reason.

    Why: a bare "200" is an error on wsgiref, mod_wsgi, Hypercorn, a2wsgi and asgiref, and Twisted
    sends nothing at all.
    """
    for call, _, rest in list_coded(exchange):
        if not rest.startswith(" "):
            yield Finding(expected="code, space and reason", observed=call.status, at=call)


@rule(
    Exchange,
    checks="status-single-space",
    binds=Party.APPLICATION,
    when=list_coded,
)
def status_has_a_single_space(exchange: Exchange) -> Iterator[Finding]:
    """One space, and not more, stands between code and reason.

    Why: the PEP asks for a single one; with more, the reason that a client reads begins with a
    space.
    """
    for call, _, rest in list_coded(exchange):
        if rest.startswith("  ") and rest.strip(" "):
            yield Finding(expected="a single space", observed=call.status, at=call)


@rule(
    Exchange,
    checks="status-no-surrounding-ws",
    binds=Party.APPLICATION,
    when=list_plain,
)
def status_has_no_surrounding_whitespace(exchange: Exchange) -> Iterator[Finding]:
    """No space stands before the code or after the reason of the status.

    Why: servers cut the code out of the first three characters, and clients take what is before
    it for part of the code.
    """
    for call, status in list_plain(exchange):
        bare = status.strip(" ")
        # The space before an empty reason belongs to the form.
        form = f"{bare} " if len(bare) == _CODE_LENGTH else bare
        if _CODE.match(bare) and status not in {bare, form}:
            yield Finding(expected="no space at either end", observed=status, at=call)


@rule(
    Exchange,
    checks="status-reason-present",
    binds=Party.APPLICATION,
    ambiguity="empty-reason",
    when=list_coded,
)
def status_has_a_reason(exchange: Exchange) -> Iterator[Finding]:
    """The status ends in a reason.

    Why: HTTP allows an empty one, and 14 of 15 servers send it; Twisted sends nothing.
    """
    for call, _, rest in list_coded(exchange):
        if rest == " ":
            yield Finding(expected="a reason after the code", observed=call.status, at=call)


@rule(
    Exchange,
    checks="status-code-range",
    binds=Party.APPLICATION,
    when=list_coded,
)
def status_code_is_in_range(exchange: Exchange) -> Iterator[Finding]:
    """The status code lies between 100 and 599.

    Why: RFC 9110 calls other codes invalid, and a client may take them for a server's error.
    """
    for call, code, _ in list_coded(exchange):
        if code not in _CODES:
            yield Finding(expected="100 to 599", observed=call.status, at=call)


@rule(
    Exchange,
    checks="status-no-interim",
    binds=Party.APPLICATION,
    when=list_coded,
)
def status_is_final(exchange: Exchange) -> Iterator[Finding]:
    """The status is not 1xx: interim responses are the server's.

    Why: a call gives one response. All servers measured but granian and uvicorn send
    "100 Continue" as if it were that, and the client waits for the real one.
    """
    for call, code, _ in list_coded(exchange):
        if code in _INTERIM:
            yield Finding(expected="a final status", observed=call.status, at=call)


@rule(
    Exchange,
    checks="status-204-205-304-consistent",
    binds=Party.APPLICATION,
    # What a body means in an answer to HEAD has a rule of its own.
    when=lambda exchange: exchange.code in _WITHOUT_CONTENT and exchange.method != "HEAD",
)
def contentless_statuses_have_no_body(exchange: Exchange) -> Iterator[Finding]:
    """A response 204, 205 or 304 has no body.

    Why: clients read none, so that on a connection that is kept its bytes are taken for the
    beginning of the next response. wsgiref, cheroot, uWSGI, bjoern and Werkzeug's server send the
    bytes after a 204 or 304, gevent answers 500, the others drop them.
    """
    if exchange.body_length:
        yield Finding(
            expected="no body", observed=f"{exchange.body_length} bytes", at=exchange.response
        )


@rule(
    Exchange,
    checks="status-401-challenge",
    binds=Party.APPLICATION,
    when=lambda exchange: exchange.code == 401 and is_readable(exchange),  # noqa: PLR2004 # Unauthorized
)
def status_401_has_a_challenge(exchange: Exchange) -> Iterator[Finding]:
    """A response 401 has a WWW-Authenticate header.

    Why: it tells the client how to authenticate; without it browsers cannot ask (RFC 9110, 15.5.2).
    """
    yield from report_missing(exchange, "WWW-Authenticate")


@rule(
    Exchange,
    checks="status-405-allow",
    binds=Party.APPLICATION,
    when=lambda exchange: exchange.code == 405 and is_readable(exchange),  # noqa: PLR2004 # Method Not Allowed
)
def status_405_names_allowed_methods(exchange: Exchange) -> Iterator[Finding]:
    """A response 405 has an Allow header.

    Why: it tells the client which methods there are instead (RFC 9110, 15.5.6).
    """
    yield from report_missing(exchange, "Allow")


@rule(
    Exchange,
    checks="status-3xx-location",
    binds=Party.APPLICATION,
    when=lambda exchange: exchange.code in _REDIRECTS and is_readable(exchange),
)
def redirects_have_a_location(exchange: Exchange) -> Iterator[Finding]:
    """A redirect (301, 302, 303, 307, 308) has a Location header.

    Why: without it a client has nowhere to go (RFC 9110, 15.4).
    """
    yield from report_missing(exchange, "Location")


@rule(
    Exchange,
    checks="status-206-content-range",
    binds=Party.APPLICATION,
    when=lambda exchange: (
        exchange.code == 206  # noqa: PLR2004 # Partial Content
        and is_readable(exchange)
        and not is_multipart(exchange)
    ),
)
def status_206_has_a_content_range(exchange: Exchange) -> Iterator[Finding]:
    """A response 206 of one part has a Content-Range header.

    Why: without it a client cannot tell which part it has and may store it as the whole
    (RFC 9110, 15.3.7).
    """
    yield from report_missing(exchange, "Content-Range")


@rule(
    Exchange,
    checks="status-416-content-range",
    binds=Party.APPLICATION,
    when=lambda exchange: exchange.code == 416 and is_readable(exchange),  # noqa: PLR2004 # Range Not Satisfiable
)
def status_416_has_a_content_range(exchange: Exchange) -> Iterator[Finding]:
    """A response 416 has a Content-Range header with the whole length.

    Why: it lets a client ask for a range that there is (RFC 9110, 15.5.17).
    """
    yield from report_missing(exchange, "Content-Range")


def is_multipart(exchange: Exchange) -> bool:
    """Tell whether the body has several parts, each with a Content-Range of its own."""
    types = list_values(exchange.response, "content-type") if exchange.response else []
    return any(value.lower().startswith("multipart/byteranges") for value in types)


def report_missing(exchange: Exchange, name: str) -> Iterator[Finding]:
    """Yield a finding where the response has no header of that name."""
    if lacks(exchange, name.lower()):
        yield Finding(
            expected=f"the header {name}",
            observed=f"{exchange.code} without it",
            at=exchange.response,
        )
