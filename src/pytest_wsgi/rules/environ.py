"""The environ: which variables may be absent, which may be there, and what is left in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_wsgi.catalogue import Finding, Party, rule
from pytest_wsgi.exchange import Conversation, Exchange
from pytest_wsgi.rules.comparison import (
    against_plain_get,
    has_answered,
    pick,
    report_failures,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_WITHOUT_HOST = ("without-http-host", "http-1.0")

_WITHOUT_OTHERS = (
    "without-content-type",
    "without-http-user-agent",
    "without-http-accept",
    "without-http-accept-language",
    "without-remote-addr",
    "without-remote-port",
    "without-server-software",
)

_ONE_BY_ONE = (
    *_WITHOUT_HOST,
    *_WITHOUT_OTHERS,
    "without-query-string",
    "without-content-length",
    "without-file-wrapper",
)
"""The probes that leave out one variable each of those that the minimal environ has not."""

_LENGTH_EMPTY = ("get", "content-length-empty")
_LENGTH_ABSENT = ("without-content-length",)
_POSTS_WITHOUT_LENGTH = ("post-length-empty", "post-length-missing")

_LATIN_1 = 255


@rule(
    Conversation,
    checks="environ-query-string-optional",
    binds=Party.APPLICATION,
    ambiguity="query-string-absent",
    when=against_plain_get("without-query-string"),
)
def query_string_may_be_absent(conversation: Conversation) -> Iterator[Finding]:
    """The application takes an absent QUERY_STRING for an empty one.

    Why: the PEP lets servers leave it out, and bjoern does for every request without a query.
    """
    yield from report_failures(conversation.exchanges, "an answer as with an empty QUERY_STRING")


@rule(
    Conversation,
    checks="environ-content-length-optional",
    binds=Party.APPLICATION,
    ambiguity="content-length-absent",
    when=lambda conversation: (
        conversation.probe == "battery"
        and pick(conversation, *_LENGTH_ABSENT)
        and any(map(has_answered, pick(conversation, *_LENGTH_EMPTY, *_LENGTH_ABSENT)))
    ),
)
def content_length_may_be_absent_or_empty(conversation: Conversation) -> Iterator[Finding]:
    """The application takes an absent CONTENT_LENGTH and an empty one alike.

    Why: both occur for requests without a body. wsgiref and Twisted set an empty text, all others
    measured set nothing, so that code that was tried on the one kind fails on the other.
    """
    exchanges = pick(conversation, *_LENGTH_EMPTY, *_LENGTH_ABSENT)
    yield from report_failures(exchanges, "an answer, be CONTENT_LENGTH absent or empty")


@rule(
    Conversation,
    checks="environ-content-length-optional",
    binds=Party.APPLICATION,
    ambiguity="content-length-absent",
    when=lambda conversation: (
        conversation.probe == "battery"
        and pick(conversation, *_POSTS_WITHOUT_LENGTH)
        and any(map(has_answered, pick(conversation, "post-length-zero")))
    ),
)
def content_length_may_be_absent_from_a_post(conversation: Conversation) -> Iterator[Finding]:
    """The application takes a POST without CONTENT_LENGTH for one without a body.

    Why: int(environ["CONTENT_LENGTH"]) dies of an empty or an absent value, so that a client that
    sends no length gets a 500. Of a body sent in chunks only waitress says the length; gunicorn,
    gevent, granian and most others leave it out. Refusing such a request (411) is fine.
    """
    exchanges = pick(conversation, *_POSTS_WITHOUT_LENGTH)
    yield from report_failures(exchanges, "an answer, as there is one to CONTENT_LENGTH '0'")


@rule(
    Conversation,
    checks="environ-app-fallback",
    binds=Party.APPLICATION,
    when=against_plain_get(*_WITHOUT_HOST, *_WITHOUT_OTHERS),
)
def optional_variables_may_be_absent(conversation: Conversation) -> Iterator[Finding]:
    """The application has a fallback for each variable that a server need not set.

    Why: old clients send no Host, Unix sockets have no REMOTE_ADDR, and few headers are sent by
    every client; a KeyError there is a 500 that only some servers and clients see. Of 100 faults
    found in released packages 13 were a variable that was taken for granted.
    """
    yield from report_failures(conversation.exchanges, "an answer as with the variable")


@rule(
    Conversation,
    checks="environ-app-fallback",
    binds=Party.APPLICATION,
    when=against_plain_get("script-name-missing"),
)
def script_name_may_be_absent(conversation: Conversation) -> Iterator[Finding]:
    """The application takes an absent SCRIPT_NAME for an empty one.

    Why: the PEP lets servers leave out a variable that would be empty, and SCRIPT_NAME is empty
    wherever an application is not mounted below a prefix. The 15 servers measured set it, but
    middleware, test clients and servers of one's own may not.
    """
    yield from report_failures(conversation.exchanges, "an answer as with an empty SCRIPT_NAME")


@rule(
    Conversation,
    checks="environ-app-fallback",
    binds=Party.APPLICATION,
    when=against_plain_get("path-empty"),
)
def path_info_may_be_empty(conversation: Conversation) -> Iterator[Finding]:
    """The application answers when PATH_INFO is empty.

    Why: PATH_INFO is empty when the URL of an application is asked for without the slash at its
    end, and on gunicorn and waitress for a target such as http://example.com; code such as path[0]
    then is a 500.
    """
    yield from report_failures(conversation.exchanges, "an answer, a redirect or a 404")


@rule(
    Conversation,
    checks="environ-app-fallback",
    binds=Party.APPLICATION,
    ambiguity="path-info-absent",
    when=lambda conversation: (
        conversation.probe == "battery"
        and pick(conversation, "path-missing")
        and all(map(has_answered, pick(conversation, "get", "mounted", "path-empty")))
    ),
)
def path_info_may_be_absent(conversation: Conversation) -> Iterator[Finding]:
    """The application takes an absent PATH_INFO for an empty one.

    Why: bjoern sets no PATH_INFO where it would be empty, for example for a target such as
    http://example.com without a path.
    """
    exchanges = pick(conversation, "path-missing")
    yield from report_failures(exchanges, "an answer as with an empty PATH_INFO")


@rule(
    Conversation,
    checks="environ-run-once-not-relied",
    binds=Party.APPLICATION,
    when=lambda conversation: (
        conversation.probe == "run-once" and any(map(has_answered, conversation.exchanges[:1]))
    ),
)
def run_once_is_not_relied_on(conversation: Conversation) -> Iterator[Finding]:
    """The application answers again after a request with wsgi.run_once.

    Why: wsgi.run_once says what the server expects, not what it promises: an application that
    shuts down after such a request fails in the next one.
    """
    yield from report_failures(conversation.exchanges[1:], "an answer like the first one")


@rule(
    Conversation,
    checks="environ-extra-keys-tolerated",
    binds=Party.APPLICATION,
    when=against_plain_get("extra-keys"),
)
def extra_variables_are_tolerated(conversation: Conversation) -> Iterator[Finding]:
    """The application is not disturbed by variables that it does not know.

    Why: servers add their own, of any type under a dotted name, and wsgiref and granian add the
    whole environment of the process.
    """
    yield from report_failures(conversation.exchanges, "an answer as without them")


@rule(
    Conversation,
    checks=("environ-app-fallback", "environ-nonportable-vars", "config-minimal-required"),
    binds=Party.APPLICATION,
    when=lambda conversation: (
        conversation.probe == "battery"
        and pick(conversation, "minimal")
        and all(map(has_answered, pick(conversation, "get", *_ONE_BY_ONE)))
    ),
)
def required_variables_are_enough(conversation: Conversation) -> Iterator[Finding]:
    """The application answers when environ has only what the PEP promises.

    Why: a fallback that needs another optional variable fails on the server that has neither.
    """
    exchanges = pick(conversation, "minimal")
    yield from report_failures(exchanges, "an answer as with the optional variables")


@rule(
    Exchange,
    checks="unicode-native-str-exact",
    binds=Party.APPLICATION,
    when=lambda exchange: exchange.returned,
    eased="after the call environ is the application's to change; only what wraps it sees that",
)
def variables_stay_native_strings(exchange: Exchange) -> Iterator[Finding]:
    """The application leaves no CGI variable in environ that is not a str.

    Why: middleware around the application reads environ after the call, for logs and errors, and
    counts on native strings.
    """
    for key, before, after in list_changes(exchange):
        if type(before) is str and type(after) is not str:
            yield Finding(expected="a str", observed=f"{key} is a {name_kind(after)}")


@rule(
    Exchange,
    checks="unicode-app-recodes",
    binds=Party.APPLICATION,
    when=lambda exchange: exchange.returned,
)
def variables_stay_bytes_as_text(exchange: Exchange) -> Iterator[Finding]:
    """The application leaves no decoded text in a CGI variable of environ.

    Why: native strings hold bytes as latin-1. Middleware around the application that encodes such
    a variable for a log or a link fails with a UnicodeEncodeError.
    """
    for key, _, after in list_changes(exchange):
        if type(after) is str and has_decoded(after):
            yield Finding(
                expected="bytes as latin-1 text", observed=f"{key} has characters beyond latin-1"
            )


def list_changes(exchange: Exchange) -> list[tuple[str, object, object]]:
    """Return name, value before and value after of the CGI variables that are others afterwards."""
    before, after = exchange.environ, exchange.environ_after
    if after is before:
        return []
    return [
        (key, value, after[key])
        for key, value in before.items()
        if "." not in key and key in after and after[key] != value
    ]


def has_decoded(text: str) -> bool:
    """Tell whether a text has characters that no byte decodes to as latin-1."""
    return any(ord(character) > _LATIN_1 for character in text)


def name_kind(value: object) -> str:
    """Return the name of a value's type, as it was in the target."""
    return str(getattr(value, "type_name", type(value).__name__))
