"""The battery: what an application is asked, in this order.

The plain GET comes first, because the answers to odd requests are compared with it.
"""

from __future__ import annotations

from pytest_wsgi.probes import Probe, Request
from pytest_wsgi.probes.negotiation import NEGOTIATIONS

ABSENT_PATH = "/pytest-wsgi/absent"

OPTIONAL_KEYS = (
    "QUERY_STRING",
    "CONTENT_TYPE",
    "CONTENT_LENGTH",
    "HTTP_HOST",
    "HTTP_USER_AGENT",
    "HTTP_ACCEPT",
    "HTTP_ACCEPT_LANGUAGE",
    "REMOTE_ADDR",
    "REMOTE_PORT",
    "SERVER_SOFTWARE",
)
"""Keys that servers usually set and the PEP does not promise."""

REQUIRED_KEYS = (
    "REQUEST_METHOD",
    "SERVER_NAME",
    "SERVER_PORT",
    "SERVER_PROTOCOL",
)
"""CGI variables that the PEP promises; every `wsgi.` variable is promised too, but file_wrapper."""

_BROKEN = "&".join(f"{name}=a%0D%0AX-Injected:%201" for name in ("a", "name", "next", "q", "url"))
_CRASHES = "wsgiref.validate fails with KeyError on an environ without SCRIPT_NAME or PATH_INFO"
_BODY = b"name=value&text=hello"
_FORM = {"CONTENT_TYPE": "application/x-www-form-urlencoded"}


def _post(name: str, purpose: str, request: Request) -> Probe:
    return Probe(name=name, purpose=purpose, requests=(request,), unsafe=True)


def _one(name: str, purpose: str, request: Request) -> Probe:
    return Probe(name=name, purpose=purpose, requests=(request,))


METHODS = (
    _one("get", "The plain GET, which everything else is compared with.", Request()),
    _one("head", "HEAD must be answered like GET.", Request(method="HEAD")),
    _one("options", "A safe method that many applications forget.", Request(method="OPTIONS")),
    _one("absent", "The error page is a response too.", Request(path=ABSENT_PATH)),
    _one("absent-head", "HEAD of an error page.", Request(method="HEAD", path=ABSENT_PATH)),
    Probe(
        name="again",
        purpose="The same request three times: one application serves many.",
        requests=(Request(), Request(note="second time"), Request(note="third time")),
        edits_headers=True,
    ),
)

PATHS = (
    _one("path-empty", "PATH_INFO may be empty.", Request(path="", note="empty PATH_INFO")),
    Probe(
        name="path-missing",
        purpose="PATH_INFO may be absent when it would be empty.",
        requests=(
            Request(
                drop=("PATH_INFO",),
                set={"SCRIPT_NAME": "/mounted"},
                note="no PATH_INFO, mounted at /mounted",
            ),
        ),
        unsupported=_CRASHES,
    ),
    Probe(
        name="script-name-missing",
        purpose="SCRIPT_NAME may be absent when it would be empty.",
        requests=(Request(drop=("SCRIPT_NAME",), note="no SCRIPT_NAME"),),
        unsupported=_CRASHES,
    ),
    _one(
        "mounted",
        "An application may live below a prefix.",
        Request(set={"SCRIPT_NAME": "/mounted"}, note="mounted at /mounted"),
    ),
    _one(
        "utf8-path",
        "Bytes of a UTF-8 path arrive as latin-1 text.",
        Request(path="/caf\xc3\xa9/\xe2\x98\x83", note="UTF-8 path"),
    ),
    _one(
        "undecodable-path",
        "A path may hold bytes that are no UTF-8.",
        Request(path="/\xff\xfe\x80", note="undecodable path"),
    ),
    _one(
        "undecodable-query",
        "A query may hold bytes that are no UTF-8.",
        Request(query="\xff=\xfe&a=%FF", note="undecodable query"),
    ),
    Probe(
        name="line-breaks",
        purpose="What a client sends may hold line breaks, which no header may.",
        requests=(
            Request(query=_BROKEN, note="line breaks in the query"),
            Request(path="/a\r\nX-Injected: 1", query="a=1", note="line break in the path"),
        ),
    ),
    _one(
        "undecodable-cookie",
        "A cookie may hold bytes that are no UTF-8.",
        Request(set={"HTTP_COOKIE": "a=\xff\xfe; b"}, note="undecodable cookie"),
    ),
)

ENVIRONS = (
    *(
        _one(
            f"without-{key.lower().replace('_', '-')}",
            f"{key} is not promised.",
            Request(drop=(key,), note=f"no {key}"),
        )
        for key in OPTIONAL_KEYS
    ),
    _one(
        "minimal",
        "Nothing in environ but what the PEP promises.",
        Request(drop=(*OPTIONAL_KEYS, "wsgi.file_wrapper"), note="only the required environ"),
    ),
    _one(
        "content-length-empty",
        "CONTENT_LENGTH may be empty.",
        Request(set={"CONTENT_LENGTH": ""}, note="empty CONTENT_LENGTH"),
    ),
    _one(
        "extra-keys",
        "A server may add any variables, such as its own and the system's.",
        Request(
            set={
                "PATH": "/usr/bin:/bin",
                "EMPTY": "",
                "NON_ASCII": "caf\xe9",
                "myserver.option": ("a tuple", 1),
                "myserver.nothing": None,
                "myserver.object": object,
            },
            note="extra environ keys",
        ),
    ),
    _one(
        "without-file-wrapper",
        "wsgi.file_wrapper is optional.",
        Request(drop=("wsgi.file_wrapper",), note="no wsgi.file_wrapper"),
    ),
    _one(
        "https",
        "A request over TLS.",
        Request(
            set={"wsgi.url_scheme": "https", "SERVER_PORT": "443", "HTTPS": "on"},
            note="https",
        ),
    ),
    _one(
        "http-1.0",
        "An old client.",
        Request(set={"SERVER_PROTOCOL": "HTTP/1.0"}, drop=("HTTP_HOST",), note="HTTP/1.0"),
    ),
    Probe(
        name="run-once",
        purpose="A server may say that it calls once, and call again.",
        requests=(
            Request(set={"wsgi.run_once": True}, note="wsgi.run_once"),
            Request(set={"wsgi.run_once": True}, note="wsgi.run_once, second time"),
        ),
    ),
    _one(
        "multithread",
        "A server with threads.",
        Request(set={"wsgi.multithread": True}, note="wsgi.multithread"),
    ),
    _one(
        "multiprocess",
        "A server with processes.",
        Request(set={"wsgi.multiprocess": True}, note="wsgi.multiprocess"),
    ),
    _one(
        "multithread-multiprocess",
        "A server with threads and processes.",
        Request(
            set={"wsgi.multithread": True, "wsgi.multiprocess": True},
            note="wsgi.multithread and wsgi.multiprocess",
        ),
    ),
)

READINGS = (
    Probe(
        name="first-block",
        purpose="The client leaves after the first block: close() must release everything.",
        requests=(Request(note="left after the first block"),),
        reading="first block",
    ),
    Probe(
        name="no-block",
        purpose="The client leaves before the first block.",
        requests=(Request(note="left before the first block"),),
        reading="no block",
    ),
    Probe(
        name="client-lost",
        purpose="Sending fails after the first block.",
        requests=(Request(note="sending fails after the first block"),),
        fails_after=1,
    ),
    Probe(
        name="interleaved",
        purpose="Two responses are read in turns, in one thread.",
        requests=(Request(note="interleaved"), Request(path=ABSENT_PATH, note="interleaved")),
        reading="interleaved",
    ),
    Probe(
        name="concurrent",
        purpose="Two requests at once, in two threads.",
        requests=(
            Request(set={"wsgi.multithread": True}, note="concurrent"),
            Request(set={"wsgi.multithread": True}, path=ABSENT_PATH, note="concurrent"),
        ),
        reading="concurrent",
    ),
    Probe(
        name="threads-apart",
        purpose="Call, iteration and close happen in three threads, one after the other.",
        requests=(Request(note="threads apart"),),
        reading="threads apart",
    ),
    Probe(
        name="closed-twice",
        purpose="close() is called once more.",
        requests=(Request(note="closed twice"),),
        reading="closed twice",
    ),
    Probe(
        name="start-refused",
        purpose="start_response raises at its first call.",
        requests=(Request(note="start_response raises"),),
        refuses_start=True,
    ),
    Probe(
        name="start-watched",
        purpose="Callables are to be called, not looked into.",
        requests=(Request(note="start_response is watched"),),
        watches_start=True,
        unsupported="wsgiref.validate puts a start_response of its own before it",
    ),
)

UNSAFE = (
    _post("post", "A form is sent.", Request(method="POST", body=_BODY, set=_FORM)),
    _post(
        "post-length-empty",
        "An empty CONTENT_LENGTH means no body.",
        Request(method="POST", content_length="", set=_FORM, note="empty CONTENT_LENGTH"),
    ),
    _post(
        "post-length-missing",
        "An absent CONTENT_LENGTH means no body.",
        Request(method="POST", drop=("CONTENT_LENGTH",), set=_FORM, note="no CONTENT_LENGTH"),
    ),
    _post(
        "post-length-zero",
        "A body of no bytes.",
        Request(method="POST", content_length="0", set=_FORM, note="CONTENT_LENGTH 0"),
    ),
    _post(
        "post-short",
        "The client leaves before it has sent all that it promised.",
        Request(
            method="POST",
            body=_BODY,
            content_length=str(2 * len(_BODY)),
            set=_FORM,
            note="body shorter than promised",
        ),
    ),
    _post("put", "A method with a body.", Request(method="PUT", body=b"{}")),
    _post("delete", "A method that may have none.", Request(method="DELETE")),
    _post("unknown-method", "Methods are open.", Request(method="XPROBE")),
)

BATTERY: tuple[Probe, ...] = (*METHODS, *PATHS, *ENVIRONS, *NEGOTIATIONS, *READINGS, *UNSAFE)
"""Every probe of an application, at its front page."""

_OF_PAGES = {"get", "head", "again", "conditional", "encodings", "range"}
"""Probes of what differs from page to page."""

PATH_PROBES: tuple[Probe, ...] = (
    *(probe for probe in METHODS if probe.name in _OF_PAGES),
    next(probe for probe in ENVIRONS if probe.name == "minimal"),
    next(probe for probe in READINGS if probe.name == "first-block"),
    next(probe for probe in READINGS if probe.name == "no-block"),
    *(probe for probe in NEGOTIATIONS if probe.name in _OF_PAGES),
    _one(
        "unslashed",
        "A page without its final slash, and with a query.",
        Request(unslashed=True, query="pytest=wsgi", note="no final slash"),
    ),
)
"""What every further path is asked."""
