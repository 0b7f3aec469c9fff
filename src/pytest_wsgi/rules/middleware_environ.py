"""What a middleware makes of the environ and the input that it was handed."""

from __future__ import annotations

import re
from itertools import takewhile
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, unquote_plus

from pytest_wsgi.catalogue import Finding, Party, rule
from pytest_wsgi.exchange import InputUsed
from pytest_wsgi.rules.served_environ import is_bytes
from pytest_wsgi.rules.served_input import has_answered, is_length, list_used
from pytest_wsgi.sandwich import Sandwich

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_wsgi.exchange import Exchange, Raised

_BEHIND = re.compile(r"'Inner' object has no attribute '(\w+)'")
"""What the AttributeError says when the application behind is looked into: an object of a class of
ours, with a __call__ method and nothing more."""

_METHODS = frozenset(
    {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"}
)

_PATH = ("SCRIPT_NAME", "PATH_INFO")
_ENDS = frozenset({"", "/"})

_OF_THE_APPLICATION = "pytest_wsgi.of_the_application"
"""What scripts add to environ that change it."""

_LINES = ("reads_lines", "reads_by_line")
_LINE_COUNT = 7
_LINES_LENGTH = 76
"""How many lines and bytes the body has that those scripts read."""


@rule(
    Sandwich,
    checks="app-any-callable-kind",
    binds=Party.SERVER,
    when=lambda sandwich: sandwich.script,
)
def any_callable_can_stand_behind_a_middleware(sandwich: Sandwich) -> Iterator[Finding]:
    """A middleware calls the application and asks nothing else of it.

    Why: an application may be a function, an object, a method or a partial, and the next middleware
    is one as well. `app.__name__` in a log line is an AttributeError for most of them.
    """
    for error in sandwich.outer.raised:
        found = _BEHIND.search(error.message)
        if found:
            yield Finding(expected="a call", observed=f"the attribute {found[1]}", at=error)


@rule(
    Sandwich,
    checks="environ-mutable-by-app",
    binds=Party.SERVER,
    when=lambda sandwich: (
        sandwich.script == "empties_environ"
        and sandwich.inner
        and not any(inner.raised for inner in sandwich.inner)
    ),
    eased="applications go down their path and take a variable away, and none is known to do more",
)
def environ_may_be_emptied(sandwich: Sandwich) -> Iterator[Finding]:
    """A middleware needs nothing of an environ that the application behind it may have changed.

    Why: environ is the application's to change in any way. One that goes down its path, or takes a
    variable away, makes of a KeyError in the middleware a 500 after its work was done.
    """
    outer = sandwich.outer
    own = [error for error in outer.raised if not error.by_server]
    for error in (error for error in own if misses_variable(error, outer)):
        yield Finding(
            expected="what it needs, read before the call",
            observed=f"{error.type_name}: {error.message}",
            at=error,
        )


@rule(
    Sandwich,
    checks="environ-request-method-extension",
    binds=Party.SERVER,
    when=lambda sandwich: (
        sandwich.outer.method and sandwich.outer.method not in _METHODS and sandwich.inner
    ),
)
def unknown_methods_keep_their_name(sandwich: Sandwich) -> Iterator[Finding]:
    """A request with a method that a middleware does not know keeps that method.

    Why: it is for the application to refuse with a 405 or 501; as GET it is answered as if all was
    well.
    """
    for inner in sandwich.inner:
        if inner.method != sandwich.outer.method:
            yield Finding(expected=sandwich.outer.method, observed=inner.method, exchange=inner)


@rule(
    Sandwich,
    checks=(
        "unicode-environ-bytes-tunnelled",
        "environ-path-info-decoded",
        "environ-query-string-raw",
    ),
    binds=Party.SERVER,
    when=lambda sandwich: sandwich.inner,
)
def request_text_keeps_its_bytes(sandwich: Sandwich) -> Iterator[Finding]:
    """Path and query are handed on as they came: not encoded, quoted or unquoted once more.

    Why: the path is unquoted already and the query is not, and both are bytes as latin-1. Once
    more is once too often: letters beyond ASCII, `%` and `&` come out as others.
    """
    for key in ("PATH_INFO", "QUERY_STRING"):
        before = sandwich.outer.environ.get(key)
        for inner in sandwich.inner:
            after = inner.environ.get(key)
            if type(before) is str and type(after) is str and after != before:
                how = find_recoding(before, after)
                if how:
                    yield Finding(expected=f"{key} as it came", observed=how, exchange=inner)


@rule(
    Sandwich,
    checks=("environ-script-path-concat", "middleware-path-shift"),
    binds=Party.SERVER,
    when=lambda sandwich: sandwich.inner,
    eased="a middleware may rewrite paths on purpose, as a front server does",
)
def path_that_is_taken_off_goes_to_script_name(sandwich: Sandwich) -> Iterator[Finding]:
    """What a middleware takes off the beginning of PATH_INFO it adds to SCRIPT_NAME.

    Why: applications make links and redirects of SCRIPT_NAME and their routes. Without the prefix
    they lead out of the place where the application is.
    """
    name, path = read_path(sandwich.outer)
    for inner in sandwich.inner:
        name_inside, path_inside = read_path(inner)
        is_cut = path != path_inside and path.endswith(path_inside) and path not in _ENDS
        if is_cut and name_inside == name:
            taken = path[: len(path) - len(path_inside)]
            yield Finding(
                expected=f"SCRIPT_NAME {name + taken}", observed=name or "empty", exchange=inner
            )


@rule(
    Sandwich,
    checks=("environ-path-info-mount-root", "environ-path-info-root-slash"),
    binds=Party.SERVER,
    when=lambda sandwich: sandwich.inner and read_path(sandwich.outer)[1] in _ENDS,
    eased="a middleware may rewrite paths on purpose, as a front server does",
)
def empty_path_and_slash_stay_apart(sandwich: Sandwich) -> Iterator[Finding]:
    """A middleware does not turn an empty PATH_INFO below a SCRIPT_NAME into a slash, nor back.

    Why: relative links on the page mean other addresses with the slash than without. An application
    redirects from one to the other; told the wrong one, it redirects for ever or never.
    """
    name, path = read_path(sandwich.outer)
    for inner in sandwich.inner:
        name_inside, path_inside = read_path(inner)
        is_turned = {path, path_inside} == _ENDS and name_inside == name
        # The path of the root is a slash: a middleware may put right what a server left out.
        if is_turned and (name or path):
            yield Finding(expected=path or "empty", observed=path_inside or "empty", exchange=inner)


@rule(
    Sandwich,
    checks="environ-extension-names",
    binds=Party.SERVER,
    when=lambda sandwich: sandwich.inner,
    eased="such names are common, and seldom do two of them meet",
)
def added_variables_have_dotted_names(sandwich: Sandwich) -> Iterator[Finding]:
    """What a middleware adds to environ has a name of its own, a dot and a name of its choice.

    Why: two layers that both say `session` or `user` overwrite each other's; `mymodule.session` is
    nobody else's.
    """
    known = sandwich.outer.environ
    for inner in sandwich.inner:
        for key in inner.environ:
            is_named = "." in key or key == key.upper() or key.startswith("HTTP_")
            if key not in known and not is_named and not is_bytes(key):
                yield Finding(expected="a name as mymodule.user", observed=key, exchange=inner)


@rule(
    Sandwich,
    checks="middleware-environ-restored",
    binds=Party.APPLICATION,
    when=lambda sandwich: sandwich.inner,
    eased="the PEP lets whom it is handed to change environ in any way",
)
def environ_of_the_caller_is_left_as_it_was(sandwich: Sandwich) -> Iterator[Finding]:
    """A middleware changes paths, and takes variables away, in a copy or until the call is over.

    Why: who has called it uses the same environ: an access log then shows the wrong path, and a
    cascade hands the next application what was meant for this one.
    """
    before, after = sandwich.outer.environ, sandwich.outer.environ_after
    for key in before:
        is_own = not key.startswith("HTTP_") and "." not in key
        is_changed = key not in after or (key in _PATH and after[key] != before[key])
        if is_own and is_changed and not is_changed_inside(sandwich, key):
            is_there = "changed" if key in after else "gone"
            yield Finding(expected=f"{key} as it was", observed=f"{key} is {is_there}")


@rule(
    Sandwich,
    checks="middleware-environ-restored",
    binds=Party.SERVER,
    when=lambda sandwich: sandwich.script == "declines" and len(sandwich.inner) > 1,
)
def second_call_gets_an_environ_of_its_own(sandwich: Sandwich) -> Iterator[Finding]:
    """A middleware that calls an application again does so without what the first call changed.

    Why: the first one may have moved its path to SCRIPT_NAME or stored what it found; the second
    looks for a page in the wrong place, or believes that it has been asked already.
    """
    for inner in sandwich.inner[1:]:
        if _OF_THE_APPLICATION in inner.environ:
            yield Finding(
                expected="a copy of environ for each call",
                observed="what the call before left in it",
                exchange=inner,
            )


@rule(
    Sandwich,
    checks="middleware-input-restored",
    binds=Party.SERVER,
    when=lambda sandwich: has_body(sandwich) and any(map(read_body, sandwich.inner)),
)
def request_body_is_as_long_as_content_length(sandwich: Sandwich) -> Iterator[Finding]:
    """The application can read as many bytes of wsgi.input as CONTENT_LENGTH tells.

    Why: a middleware that has read the body and handed on the empty stream loses every form and
    upload. On a server whose input has no end of its own the application waits for bytes that
    never come.
    """
    length = sandwich.outer.request_body_length
    found = read_body(sandwich.outer)
    if found is not None and found[1] and found[0] < length:
        return  # it was handed no more itself
    for inner in sandwich.inner:
        body, told = read_body(inner), inner.environ.get("CONTENT_LENGTH")
        if body is None or type(told) is not str or not is_length(told):
            continue
        total, has_ended = body
        if (has_ended and total < int(told)) or total > int(told):
            yield Finding(expected=f"{told} bytes", observed=f"{total} bytes", exchange=inner)


@rule(
    Sandwich,
    checks=("input-readline", "input-iter"),
    binds=Party.SERVER,
    when=lambda sandwich: sandwich.script in _LINES and list_lines(sandwich),
)
def input_gives_one_line_at_a_time(sandwich: Sandwich) -> Iterator[Finding]:
    r"""Of wsgi.input, readline() and iteration give one line each, up to its newline.

    Why: parsers of multipart forms look for a line that is a boundary; what gives the whole body
    for a line, or parts of one, makes them find none.
    """
    for inner, count in list_lines(sandwich):
        if count != _LINE_COUNT:
            yield Finding(expected=f"{_LINE_COUNT} lines", observed=f"{count}", exchange=inner)


@rule(
    Sandwich,
    checks="middleware-input-lazy",
    binds=Party.APPLICATION,
    when=lambda sandwich: (
        sandwich.script == "reads_nothing" and has_body(sandwich) and sandwich.inner
    ),
)
def request_body_waits_for_its_reader(sandwich: Sandwich) -> Iterator[Finding]:
    """A middleware does not read the body of a request that nobody has asked for.

    Why: an application may refuse an upload by its headers. A body that was read before costs the
    time and the memory of all of it, and a client that waits for `100 Continue` sends it.
    """
    for step in takewhile(lambda step: not step.is_inner, sandwich.steps):
        event = step.event
        if isinstance(event, InputUsed) and event.returned:
            observed = f"{event.returned} bytes read before the application was called"
            yield Finding(expected="the body left unread", observed=observed, at=event)
            return


@rule(
    Sandwich,
    checks="middleware-file-wrapper-aware",
    binds=Party.APPLICATION,
    when=lambda sandwich: any(
        inner.returned is not None and inner.returned.is_file_wrapper for inner in sandwich.inner
    ),
)
def wrapped_file_is_sent_in_the_coding_of_its_headers(sandwich: Sandwich) -> Iterator[Finding]:
    """A middleware that changes Content-Encoding does not hand on the wrapped file as it is.

    Why: the server sends the file itself, past the middleware: the client takes plain bytes for
    compressed ones, and sees an error.
    """
    outer = sandwich.outer
    if outer.returned is None or not outer.returned.is_file_wrapper:
        return
    codings = {find_coding(inner) for inner in sandwich.inner}
    coding = find_coding(outer)
    if coding not in codings:
        yield Finding(
            expected="blocks of its own, or the Content-Encoding of the application",
            observed=f"Content-Encoding: {coding}, and the file",
            at=outer.returned,
        )


def misses_variable(error: Raised, exchange: Exchange) -> bool:
    """Tell whether an exception says that a variable of environ is not there, or is None."""
    is_key = "KeyError" in error.bases and error.message.strip("'") in exchange.environ
    return is_key or "'NoneType'" in error.message


def find_recoding(before: str, after: str) -> str:
    """Return what was done to a text that should have stayed as it was; empty for anything else."""
    raw = before.encode("utf-8", "surrogatepass")
    forms = {
        "encoded once more": (raw.decode("latin-1"),),
        "quoted": (quote(before, encoding="latin-1", errors="replace"), quote(raw)),
        "unquoted": (unquote(before, "latin-1"), unquote(before), unquote_plus(before, "latin-1")),
    }
    return next((how for how, texts in forms.items() if after in texts), "")


def read_path(exchange: Exchange) -> tuple[str, str]:
    """Return SCRIPT_NAME and PATH_INFO, empty where they are no text."""
    values = [exchange.environ.get(key) for key in _PATH]
    name, path = (value if type(value) is str else "" for value in values)
    return name, path


def is_changed_inside(sandwich: Sandwich, key: str) -> bool:
    """Tell whether a variable is another one, or gone, when an application behind was done."""
    return any(
        key in inner.environ and inner.environ[key] != inner.environ_after.get(key)
        for inner in sandwich.inner
    )


def has_body(sandwich: Sandwich) -> bool:
    """Tell whether the request has a body, as long as it says."""
    outer = sandwich.outer
    length = str(outer.request_body_length)
    return length != "0" and outer.environ.get("CONTENT_LENGTH") == length


def read_body(exchange: Exchange) -> tuple[int, bool] | None:
    """Return how many bytes of the input were read, and whether its end was met.

    None where nothing was read, or reading failed.
    """
    used = [one for one in list_used(exchange) if one.called]
    if not used or not all(map(has_answered, used)) or any(one.returned is None for one in used):
        return None
    # At its end an input gives no bytes, for any size but 0.
    has_ended = any(not one.returned and one.size != 0 for one in used)
    return sum(one.returned or 0 for one in used), has_ended


def list_lines(sandwich: Sandwich) -> list[tuple[Exchange, int]]:
    """Return the exchanges in which the whole body was read, and how many times that gave bytes."""
    return [
        (inner, sum(bool(one.returned) for one in list_used(inner)))
        for inner in sandwich.inner
        if (read_body(inner) or (0,))[0] == _LINES_LENGTH
    ]


def find_coding(exchange: Exchange) -> str:
    """Return the Content-Encoding of a response, empty for none."""
    fields = exchange.response.fields if exchange.response is not None else ()
    values = (value for name, value in fields if name.lower() == "content-encoding")
    return next((value for value in values if value.lower() != "identity"), "")
