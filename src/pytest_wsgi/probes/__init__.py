"""What we ask: small named stimuli, as data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_wsgi.exchange import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request. `path` is None for the path that the run asks for.

    `set` and `drop` change the environ that a server would build. `note` tells a person how the
    request differs from the plain one. `content_length` is None for the body's own length.
    `inner` names what an application behind a middleware does, one of `scripts.SCRIPTS`.
    `unslashed` takes the slash off the end of the path. `echo` maps keys of environ to a header of
    the first response of the probe, and to the form in which its value is sent back, where `{}`
    stands for it; without that header the request is not sent. `if_different` sends it only where
    the answers before it differ.
    """

    method: str = "GET"
    path: str | None = None
    query: str = ""
    body: bytes = b""
    content_length: str | None = None
    set: Mapping[str, object] = field(default_factory=dict)
    drop: tuple[str, ...] = ()
    note: str = ""
    unslashed: bool = False
    echo: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    if_different: bool = False
    inner: str = "page"


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A named stimulus: its requests, in order, and how the server behaves.

    `unsafe` marks requests that may change the state of the application's world. `unsupported`
    says why it cannot be driven under wsgiref.validate, and is empty where it can.
    `edits_headers` makes the server append to the list of headers that it was given, as the PEP
    allows. `fails_after` makes the server's write fail after that many blocks, as when a client
    has gone; None for never. `refuses_start` makes the first call of start_response raise, as
    servers do with a header that they do not like. `watches_start` records when start_response is
    looked into. `needs` names headers: without any of them in the answer to the plain GET there is
    nothing to ask.
    """

    name: str
    purpose: str
    requests: tuple[Request, ...] = field(default=(Request(),))
    reading: Reading = "complete"
    unsafe: bool = False
    unsupported: str = ""
    edits_headers: bool = False
    fails_after: int | None = None
    refuses_start: bool = False
    watches_start: bool = False
    needs: tuple[str, ...] = ()
