"""The environ that an application is handed: its type, its variables and what they hold."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_wsgi.catalogue import Finding, Party, rule
from pytest_wsgi.exchange import Called, Conversation, Exchange
from pytest_wsgi.rules.environ import has_decoded, name_kind

if TYPE_CHECKING:
    from collections.abc import Iterator

_REQUIRED = ("REQUEST_METHOD", "SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL")
"""The CGI variables that can never be empty, and so never be left out."""

_CGI = frozenset(
    {
        *_REQUIRED,
        *("AUTH_TYPE", "CONTENT_LENGTH", "CONTENT_TYPE", "GATEWAY_INTERFACE", "PATH_INFO"),
        *("PATH_TRANSLATED", "QUERY_STRING", "REMOTE_ADDR", "REMOTE_HOST", "REMOTE_IDENT"),
        *("REMOTE_USER", "SCRIPT_NAME", "SERVER_SOFTWARE"),
    }
)
"""The variables of RFC 3875, beside those of request headers."""

_OBJECTS = ("wsgi.version", "wsgi.input", "wsgi.errors")
_FLAGS = ("wsgi.multithread", "wsgi.multiprocess", "wsgi.run_once")

_WSGI = frozenset(
    {
        *(*_OBJECTS, *_FLAGS, "wsgi.url_scheme", "wsgi.file_wrapper"),
        *("wsgi.input_terminated", "wsgi.early_hints", "wsgi.websocket"),
    }
)
"""What the PEP names, and names that servers of different makers share."""

_BYTES = re.compile(r"b(['\"]).*\1", re.DOTALL)
"""How a key that was bytes is written down."""

_HEADER = re.compile(r"HTTP_[^a-z-]*")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")
_DIGITS = re.compile(r"[0-9]+")

_AGAIN = "behind-changes-environ-again"
"""The probe whose two requests must not know of each other."""

_OF_THE_FIRST = ("pytest_wsgi.of_the_application", "HTTP_X_PYTEST_WSGI_FIRST")
"""What its application adds to environ, and what only its first request has."""


@rule(
    Exchange,
    checks="server-positional-call",
    binds=Party.SERVER,
    when=lambda exchange: exchange.events,
)
def application_is_called_by_position(exchange: Exchange) -> Iterator[Finding]:
    """The application is called with environ and start_response by position.

    Why: what an application calls its parameters is its own affair; the call by name is a
    TypeError for one that says `env` or `start`.
    """
    for event in exchange.events:
        if isinstance(event, Called) and event.keywords:
            yield Finding(
                expected="two arguments by position",
                observed=f"{', '.join(event.keywords)} by name",
                at=event,
            )


@rule(
    Exchange,
    checks="environ-builtin-dict",
    binds=Party.SERVER,
    when=lambda exchange: exchange.environ_type,
)
def environ_is_a_builtin_dict(exchange: Exchange) -> Iterator[Finding]:
    """The environ is a dict of Python's own, and no object of another type.

    Why: applications copy, change and pass it on as the dict that it is promised to be; a default
    for missing keys, or a layer that hides changes, makes them see what is not there.
    """
    if exchange.environ_type != "dict":
        yield Finding(expected="a dict", observed=exchange.environ_type)


@rule(
    Exchange,
    checks="environ-keys-native-str",
    binds=Party.SERVER,
    when=lambda exchange: exchange.environ,
)
def environ_keys_are_native_strings(exchange: Exchange) -> Iterator[Finding]:
    """Every key of environ is a str.

    Why: code that looks through the keys, as for those that begin with HTTP_, fails with a
    TypeError at one in bytes; wsgiref.validate does.
    """
    for key in exchange.environ:
        if is_bytes(key):
            yield Finding(expected="a str", observed=f"the key {key}")


@rule(
    Exchange,
    checks=(
        "environ-request-method-present",
        "environ-request-method-nonempty",
        "environ-server-name-present",
        "environ-server-port-present",
        "environ-server-protocol-present",
    ),
    binds=Party.SERVER,
    when=lambda exchange: exchange.environ_type,
)
def required_cgi_variables_are_there(exchange: Exchange) -> Iterator[Finding]:
    """The environ has REQUEST_METHOD and the name, port and protocol of the server, none empty.

    Why: they are the only CGI variables that an application may use unasked. Django, Werkzeug and
    WebOb do, and answer a KeyError or a URL without a host.
    """
    for key in _REQUIRED:
        if exchange.environ.get(key, "") == "":
            yield Finding(expected=f"{key}, not empty", observed=tell_of(exchange, key))


@rule(
    Exchange,
    checks=("environ-cgi-values-str", "environ-http-values-bytes"),
    binds=Party.SERVER,
    when=lambda exchange: exchange.environ,
)
def cgi_variables_are_exact_strings(exchange: Exchange) -> Iterator[Finding]:
    """Every CGI variable and every header of the request is a str, and no object like one.

    Why: a port that is an int or a user that is an object fails where it is joined to a URL or a
    log line, in an application that works everywhere else.
    """
    for key, value in list_cgi(exchange):
        if value is not None and type(value) is not str:
            yield Finding(expected="a str", observed=f"{key} is a {name_kind(value)}")


@rule(
    Exchange,
    checks=("environ-cgi-values-str", "environ-absent-not-none"),
    binds=Party.SERVER,
    when=lambda exchange: exchange.environ,
)
def variables_without_a_value_are_left_out(exchange: Exchange) -> Iterator[Finding]:
    """A CGI variable that has no value is not in environ, or is empty; it is never None.

    Why: applications ask `"REMOTE_USER" in environ`, or take the value for text. None is then a
    user of that name, or a TypeError.
    """
    for key, value in list_cgi(exchange):
        if value is None:
            yield Finding(expected=f"no {key}", observed=f"{key} is None")


@rule(
    Exchange,
    checks="unicode-environ-latin1",
    binds=Party.SERVER,
    when=lambda exchange: exchange.environ,
)
def cgi_variables_are_latin_1_text(exchange: Exchange) -> Iterator[Finding]:
    """CGI variables and headers of the request hold no characters beyond latin-1.

    Why: native strings hold bytes as latin-1. Frameworks encode them back to get at the bytes; text
    that was decoded as UTF-8 before is a UnicodeEncodeError there, and so a 500.
    """
    for key, value in list_cgi(exchange):
        if type(value) is str and has_decoded(value):
            yield Finding(
                expected="bytes as latin-1 text", observed=f"{key} has characters beyond latin-1"
            )


@rule(
    Exchange,
    checks=(
        "environ-wsgi-url-scheme",
        "environ-wsgi-input-present",
        "environ-wsgi-errors-present",
        "environ-wsgi-multithread-present",
        "environ-wsgi-multiprocess-present",
        "environ-wsgi-run-once-present",
    ),
    binds=Party.SERVER,
    when=lambda exchange: exchange.environ_type,
)
def required_wsgi_variables_are_there(exchange: Exchange) -> Iterator[Finding]:
    """The environ has every variable of wsgi. that the PEP lists but the optional file wrapper.

    Why: applications use them unasked. wsgi.errors is looked for only when something else has
    failed already, so that its absence hides that error.
    """
    environ = exchange.environ
    for key in (*_OBJECTS[1:], *_FLAGS):
        if key not in environ or (key in _OBJECTS and environ[key] is None):
            yield Finding(expected=key, observed=tell_of(exchange, key))
    scheme = environ.get("wsgi.url_scheme")
    if type(scheme) is not str or not scheme:
        yield Finding(
            expected="wsgi.url_scheme, a str", observed=tell_of(exchange, "wsgi.url_scheme")
        )


@rule(
    Exchange,
    checks="environ-wsgi-version",
    binds=Party.SERVER,
    when=lambda exchange: exchange.environ_type,
)
def wsgi_version_is_one_zero(exchange: Exchange) -> Iterator[Finding]:
    """The variable wsgi.version is the tuple (1, 0).

    Why: it tells an application which interface it is called by; there is no other version.
    """
    version = exchange.environ.get("wsgi.version")
    if type(version) is not tuple or version != (1, 0):
        yield Finding(expected="(1, 0)", observed=tell_of(exchange, "wsgi.version"))


@rule(
    Exchange,
    checks=("environ-url-scheme-value", "environ-server-port-digits"),
    binds=Party.SERVER,
    when=lambda exchange: exchange.environ,
)
def scheme_and_port_are_fit_for_a_url(exchange: Exchange) -> Iterator[Finding]:
    """The variable wsgi.url_scheme is a scheme in lower case, and SERVER_PORT a number.

    Why: URLs are made of them. What is copied from X-Forwarded-Proto may be `HTTPS` or
    `https, http`: then links are broken, and code that compares with "https" takes a safe
    connection for an unsafe one.
    """
    forms = (("wsgi.url_scheme", _SCHEME, "a scheme"), ("SERVER_PORT", _DIGITS, "digits"))
    for key, form, expected in forms:
        value = exchange.environ.get(key)
        if type(value) is str and value and not form.fullmatch(value):
            yield Finding(expected=f"{key}: {expected}", observed=value)


@rule(
    Exchange,
    checks="environ-content-length-digits",
    binds=Party.SERVER,
    when=lambda exchange: type(exchange.environ.get("CONTENT_LENGTH")) is str,
)
def content_length_is_made_of_digits(exchange: Exchange) -> Iterator[Finding]:
    """CONTENT_LENGTH is empty, or a number in ASCII digits.

    Why: int() takes -1, +5 and 1_0 too; an application that reads -1 bytes reads without end, and
    one whose framework takes ASCII digits only sees no body.
    """
    value = exchange.environ.get("CONTENT_LENGTH")
    if type(value) is str and value and not _DIGITS.fullmatch(value):
        yield Finding(expected="digits", observed=value)


@rule(
    Exchange,
    checks="environ-no-http-content-headers",
    binds=Party.SERVER,
    when=lambda exchange: exchange.environ,
)
def content_headers_have_no_second_name(exchange: Exchange) -> Iterator[Finding]:
    """Type and length of the body of a request are not told as HTTP_ variables too.

    Why: an application may believe either name, and only one of the two is kept up to date when a
    body is changed on its way. wsgiref.validate takes the second name for an error.
    """
    for key in ("HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH"):
        if key in exchange.environ:
            yield Finding(expected=f"{key[5:]} alone", observed=key)


@rule(
    Exchange,
    checks="environ-http-vars-naming",
    binds=Party.SERVER,
    when=lambda exchange: exchange.environ,
)
def http_variables_are_named_as_in_cgi(exchange: Exchange) -> Iterator[Finding]:
    """The variable of a request header is HTTP_ and its name in capitals, with underscores.

    Why: frameworks look for HTTP_X_USER when they are asked for X-User. Under HTTP_X-User or
    HTTP_x_user no application finds it.
    """
    for key in exchange.environ:
        if key.startswith("HTTP_") and not _HEADER.fullmatch(key):
            name = key.upper().replace("-", "_")
            yield Finding(expected=name, observed=key)


@rule(
    Exchange,
    checks="environ-wsgi-namespace-reserved",
    binds=Party.SERVER,
    when=lambda exchange: exchange.environ,
)
def wsgi_names_are_left_to_the_specification(exchange: Exchange) -> Iterator[Finding]:
    """No variable is named wsgi. but those that the PEP names, and a few that servers share.

    Why: the next server, or the next version of the PEP, may use the name for something else.
    """
    for key in exchange.environ:
        if key.startswith("wsgi.") and key not in _WSGI:
            yield Finding(expected="a prefix of its own", observed=key)


@rule(
    Exchange,
    checks=("environ-script-name-form", "environ-script-name-not-slash"),
    binds=Party.SERVER,
    when=lambda exchange: exchange.environ.get("SCRIPT_NAME"),
)
def script_name_is_empty_or_a_path_without_end(exchange: Exchange) -> Iterator[Finding]:
    """SCRIPT_NAME is empty, or begins with a slash and does not end with one.

    Why: it is put before PATH_INFO to make URLs; `/` gives `//page`, which a browser takes for a
    host called `page`, and `app` gives an address that is relative.
    """
    name = exchange.environ.get("SCRIPT_NAME")
    if type(name) is str and not (name.startswith("/") and name == name.rstrip("/")):
        yield Finding(expected="empty, or as /app", observed=name)


@rule(
    Exchange,
    checks="environ-path-info-leading-slash",
    binds=Party.SERVER,
    when=lambda exchange: exchange.environ.get("PATH_INFO"),
)
def path_info_is_empty_or_begins_with_a_slash(exchange: Exchange) -> Iterator[Finding]:
    """PATH_INFO is empty, or begins with a slash.

    Why: routes begin with a slash, so that `users` is found nowhere; joined to SCRIPT_NAME it gives
    another path, `/apiusers`.
    """
    path = exchange.environ.get("PATH_INFO")
    if type(path) is str and not path.startswith("/") and path != "*":
        yield Finding(expected="empty, or as /page", observed=path)


@rule(
    Conversation,
    checks="environ-fresh-per-request",
    binds=Party.SERVER,
    when=lambda talk: talk.probe == _AGAIN and len({one.number for one in talk.exchanges}) > 1,
)
def environ_of_a_request_starts_afresh(conversation: Conversation) -> Iterator[Finding]:
    """A request finds nothing in its environ that belongs to the request before it.

    Why: what leaks is a user, a session or a header of somebody else's.
    """
    seen = {conversation.exchanges[0].number}
    for exchange in conversation.exchanges:
        if exchange.number in seen:
            continue
        seen.add(exchange.number)
        for key in _OF_THE_FIRST:
            if key in exchange.environ:
                yield Finding(
                    expected="an environ of its own",
                    observed=f"{key} of the request before",
                    exchange=exchange,
                )


def list_cgi(exchange: Exchange) -> list[tuple[str, object]]:
    """Return the CGI variables and headers of the request, by name."""
    return [
        (key, value)
        for key, value in exchange.environ.items()
        if key in _CGI or key.startswith("HTTP_")
    ]


def is_bytes(key: str) -> bool:
    """Tell whether a key of environ was bytes."""
    return _BYTES.fullmatch(key) is not None


def tell_of(exchange: Exchange, key: str) -> str:
    """Return what is wrong with a variable: it is absent, empty, or of another type or value."""
    if key not in exchange.environ:
        return "absent"
    value = exchange.environ[key]
    return f"a {name_kind(value)}" if type(value) is not tuple and value != "" else repr(value)
