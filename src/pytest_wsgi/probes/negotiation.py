"""Probes of what a client and an application agree on: conditions, codings, ranges, hosts."""

from __future__ import annotations

from pytest_wsgi.probes import Probe, Request

INNER_NAME = "inner.invalid"
"""The name that a server has behind a proxy."""

OTHER_HOST = "other.invalid"
"""A Host that no application is asked for in earnest (RFC 2606)."""

_INNER = {"SERVER_NAME": INNER_NAME, "SERVER_PORT": "8001"}

NEGOTIATIONS = (
    Probe(
        name="conditional",
        purpose="The page is asked for again on the condition that it has changed.",
        needs=("etag", "last-modified"),
        requests=(
            Request(note="before the conditional requests"),
            Request(echo={"HTTP_IF_NONE_MATCH": ("etag", "{}")}, note="If-None-Match"),
            Request(echo={"HTTP_IF_NONE_MATCH": ("etag", "W/{}")}, note="weak If-None-Match"),
            Request(
                echo={"HTTP_IF_NONE_MATCH": ("etag", '"pytest-wsgi", {}')},
                note="If-None-Match with a list",
            ),
            Request(
                echo={
                    "HTTP_IF_NONE_MATCH": ("etag", '"pytest-wsgi"'),
                    "HTTP_IF_MODIFIED_SINCE": ("last-modified", "{}"),
                },
                note="another If-None-Match, but If-Modified-Since",
            ),
            Request(
                echo={"HTTP_IF_MODIFIED_SINCE": ("last-modified", "{}")}, note="If-Modified-Since"
            ),
        ),
    ),
    Probe(
        name="encodings",
        purpose="A client may take compressed content, or not.",
        requests=(
            Request(set={"HTTP_ACCEPT_ENCODING": "gzip"}, note="gzip"),
            Request(set={"HTTP_ACCEPT_ENCODING": "identity"}, note="uncompressed"),
            Request(set={"HTTP_ACCEPT_ENCODING": "gzip"}, note="gzip again", if_different=True),
        ),
    ),
    Probe(
        name="languages",
        purpose="Clients speak several languages.",
        requests=(
            Request(set={"HTTP_ACCEPT_LANGUAGE": "de"}, note="in German"),
            Request(set={"HTTP_ACCEPT_LANGUAGE": "ja"}, note="in Japanese"),
            Request(set={"HTTP_ACCEPT_LANGUAGE": "de"}, note="in German again", if_different=True),
        ),
    ),
    Probe(
        name="range",
        purpose="A part of the page is asked for: one that is there, and one that is not.",
        requests=(
            Request(set={"HTTP_RANGE": "bytes=0-0"}, note="first byte only"),
            Request(
                echo={"HTTP_RANGE": ("content-range", "bytes=999999999999-")},
                note="range past the end",
            ),
        ),
    ),
    Probe(
        name="hop-by-hop",
        purpose="Headers of the connection say nothing to an application.",
        requests=(
            Request(
                set={
                    "HTTP_CONNECTION": "close, te",
                    "HTTP_KEEP_ALIVE": "timeout=1",
                    "HTTP_TE": "trailers",
                    "HTTP_TRANSFER_ENCODING": "chunked",
                    "HTTP_UPGRADE": "h2c",
                },
                note="hop-by-hop headers",
            ),
        ),
    ),
    Probe(
        name="behind-proxy",
        purpose="The server has another name than the one that the client knows.",
        requests=(
            Request(set=_INNER, note="behind a proxy"),
            Request(set=_INNER, unslashed=True, query="pytest=wsgi", note="behind a proxy"),
        ),
    ),
    Probe(
        name="other-host",
        purpose="A client asks for a host that is none of ours.",
        # Many an application redirects such a path to the page.
        requests=(Request(set={"HTTP_HOST": OTHER_HOST}, unslashed=True, note="another Host"),),
    ),
)
