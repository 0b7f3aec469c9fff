"""What a middleware is asked, beside all that an application is asked: other inner applications.

Every request names the script that the application behind the middleware plays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_wsgi.inner import ABSENT, FORM, INPUT
from pytest_wsgi.probes import Probe, Request
from pytest_wsgi.probes.application import BATTERY
from pytest_wsgi.scripts import SCRIPTS

if TYPE_CHECKING:
    from pytest_wsgi.exchange import Reading

_POSTED = {"CONTENT_TYPE": "application/octet-stream"}
_FORM = {"CONTENT_TYPE": "application/x-www-form-urlencoded"}
_GZIP = {"HTTP_ACCEPT_ENCODING": "gzip"}
_OWN = "wsgiref.validate does not let the application do this"

NOT_VALIDATED = frozenset({"returns_sequence", "reads_in_every_way", "reads_all", "reads_lines"})
"""Scripts that wsgiref.validate refuses to run, lawful as they are."""


def _ask(script: str, reading: Reading = "complete", *, suffix: str = "", **more: object) -> Probe:
    """Return the probe of one request behind which `script` is played."""
    text = SCRIPTS[script].text
    request = Request(**{"inner": script, "note": f"the application {text}", **more})  # type: ignore[arg-type] # the fields of Request, which the callers below give
    name = "-".join(filter(None, ("behind", script.replace("_", "-"), suffix)))
    return Probe(
        name=name,
        purpose=f"The application behind {text}.",
        requests=(request,),
        reading=reading,
        unsupported=_OWN if script in NOT_VALIDATED else "",
    )


_PLAIN = (
    *("returns_list", "returns_tuple", "returns_nothing", "returns_sequence"),
    *("separate_iterator", "own_iterator", "generator", "stream"),
    *("late_start", "late_iterable", "late_iterator", "late_not_found", "late_and_empty"),
    *("empty_blocks", "only_empty_blocks", "only_written"),
    *("error_page", "late_error_page", "first_call_with_exc_info", "exc_info_none"),
    *("error_after_output", "error_after_write", "fails_at_once", "fails_after_start"),
    *("fails_before_first_block", "fails_between_blocks", "fails_after_last_block"),
    *("wrapped_file", "wrapped_file_from_the_middle", "big_body", "no_content", "not_modified"),
    *("odd_headers", "compressed", "not_ascii", "writes_errors", "changes_environ"),
    *("split_letters", "empties_environ", "wrapped_reader"),
)

COMPLETE = tuple(_ask(script) for script in _PLAIN)
"""Every script that a plain GET is enough for, read to its end."""

_LEFT = (
    *("returns_list", "separate_iterator", "own_iterator", "generator", "stream"),
    *("late_start", "late_iterable", "late_iterator", "empty_blocks", "written", "wrapped_file"),
    *("error_page", "big_body"),
)

LEFT = (
    *(_ask(script, "first block", suffix="first-block") for script in _LEFT),
    *(_ask(script, "no block", suffix="no-block") for script in _LEFT),
)
"""What is left early: the five ways to lose close() show here."""

_HEADS = (
    *("returns_list", "separate_iterator", "own_iterator", "generator", "late_start"),
    *("late_iterable", "written", "wrapped_file", "odd_headers", "error_page", "stream"),
)

HEADS = tuple(_ask(script, suffix="head", method="HEAD") for script in _HEADS)
"""What HEAD asks for."""

WRITES = Probe(
    name="behind-written",
    purpose="What the application writes comes first, in its order, as if it had been returned.",
    requests=(
        Request(inner="unwritten", note="the application returns its body"),
        Request(inner="unwritten", note="the application returns its body, second time"),
        Request(inner="written", note="the application writes a part of its body"),
        Request(inner="only_written", note="the application writes its body"),
    ),
)
"""The first two tell whether the answers can be compared at all."""

LATES = Probe(
    name="behind-late-starts",
    purpose="An application may start its response when it is iterated over.",
    requests=tuple(
        Request(inner=script, note=f"the application {SCRIPTS[script].text}")
        for script in (
            *("separate_iterator", "own_iterator"),
            *("late_start", "late_iterable", "late_iterator"),
        )
    ),
)
"""All answers have the same content; the first two tell whether they can be compared."""

RETYPED = Probe(
    name="behind-error-of-another-type",
    purpose="An error is treated as what it is, and not as the page that it took the place of.",
    requests=tuple(
        Request(inner=script, set=_GZIP, note=f"the application {SCRIPTS[script].text}")
        for script in ("binary_page", "html_page", "error_of_another_type")
    ),
)
"""All bodies are the same; the first two tell how one is treated by its type and status."""

INPUTS = (
    *(
        _ask(script, method="POST", body=INPUT, set=_POSTED, suffix="post")
        for script in (
            *("reads_in_every_way", "reads_all", "reads_lines", "reads_late"),
            *("reads_by_line", "reads_odd_sizes"),
        )
    ),
    _ask("reads_nothing", method="POST", body=INPUT, set=_POSTED, suffix="post"),
    _ask("reads_in_every_way", method="POST", body=b"", content_length="0", suffix="empty"),
    _ask("reads_all", method="POST", drop=("CONTENT_LENGTH",), suffix="no-length"),
    _ask("reads_all", method="POST", content_length="", suffix="length-empty"),
    _ask("reads_all", method="POST", body=FORM, set=_FORM, suffix="form"),
    _ask("reads_in_every_way", suffix="get"),
)
"""What is done with the body of a request."""

COMPRESSIBLE = tuple(
    _ask(script, set=_GZIP, suffix="gzip")
    for script in (
        *("big_body", "stream", "compressed", "late_start", "written", "no_content"),
        "wrapped_file",
    )
)
"""What a client asks for that takes compressed answers."""

_ECHO = "the application tells the query"

OVERLAPS = (
    Probe(
        name="behind-echo-in-turns",
        purpose="Two responses are read in turns, and each keeps its own content.",
        requests=(
            Request(inner="echo", query="one", note=_ECHO),
            Request(inner="echo", query="two", note=_ECHO),
        ),
        reading="interleaved",
    ),
    Probe(
        name="behind-echo-at-once",
        purpose="Two requests at once, and each answer keeps its own content.",
        requests=tuple(
            Request(inner="echo", query=query, set={"wsgi.multithread": True}, note=_ECHO)
            for query in ("one", "two", "three")
        ),
        reading="concurrent",
    ),
    Probe(
        name="behind-echo-again",
        purpose="Each of several requests gets an answer of its own.",
        requests=tuple(
            Request(inner="echo", query=query, note=_ECHO) for query in ("one", "two", "one")
        ),
    ),
    Probe(
        name="behind-echo-left",
        purpose="What was left unread of a response is no part of the next one.",
        requests=tuple(Request(inner="echo", query=query, note=_ECHO) for query in ("one", "two")),
        reading="first block",
    ),
)
"""Requests that must not meet."""

LOST = tuple(
    Probe(
        name=f"behind-{script.replace('_', '-')}-client-lost",
        purpose="Sending fails after the first block, or at the first write().",
        requests=(Request(inner=script, note="sending fails after the first block"),),
        fails_after=1,
    )
    for script in ("stream", "late_start", "written", "separate_iterator", "wrapped_file")
)
"""What happens when the client has gone."""

MOUNTED = (
    _ask("returns_list", set={"SCRIPT_NAME": "/mounted"}, suffix="mounted"),
    _ask("returns_list", path=ABSENT, suffix="elsewhere"),
    _ask("changes_environ", set={"SCRIPT_NAME": "/mounted"}, path="/a/b", suffix="mounted"),
    _ask("returns_list", set={"SCRIPT_NAME": "/mounted"}, path="", suffix="mount-point"),
    _ask("declines", path="/a/b"),
    _ask("returns_list", path="/caf\xc3\xa9/50%25", query="q=%C3%A9+%26", suffix="quoted"),
)
"""Where the application is."""

AGAIN = Probe(
    name="behind-changes-environ-again",
    purpose="A request knows nothing of the one before it.",
    requests=(
        Request(
            inner="changes_environ",
            set={"HTTP_X_PYTEST_WSGI_FIRST": "yes"},
            note="the application changes environ",
        ),
        Request(inner="changes_environ", note="the application changes environ, second time"),
    ),
)
"""What must not leak."""

SANDWICHES: tuple[Probe, ...] = (
    *(*COMPLETE, WRITES, LATES, RETYPED, *LEFT, *HEADS, *INPUTS),
    *(*COMPRESSIBLE, *OVERLAPS, *LOST, *MOUNTED, AGAIN),
)
"""What only a middleware is asked."""

MIDDLEWARE_BATTERY: tuple[Probe, ...] = (*BATTERY, *SANDWICHES)
"""Every probe of a middleware: behind those of an application stands a page."""
