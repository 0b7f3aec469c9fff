"""Hypothesis strategies for exchanges of any kind, also such as no application brings about."""

from __future__ import annotations

import dataclasses
import typing

from hypothesis import strategies as st

from pytest_wsgi import exchange as values
from pytest_wsgi.exchange import (
    Block,
    Called,
    Closed,
    Conversation,
    ErrorsUsed,
    Exchange,
    ExcInfo,
    Exhausted,
    FileWrapped,
    Foreign,
    InputUsed,
    Loading,
    Measured,
    Problem,
    Raised,
    Returned,
    StartExamined,
    StartResponse,
    Stopped,
    ValidatorFinding,
    Write,
)
from pytest_wsgi.probes.application import BATTERY
from pytest_wsgi.requirements import load_requirements
from pytest_wsgi.transcript import choose_response, is_field, read_code

KEYS = [
    "REQUEST_METHOD",
    "SCRIPT_NAME",
    "PATH_INFO",
    "QUERY_STRING",
    "CONTENT_TYPE",
    "CONTENT_LENGTH",
    "SERVER_NAME",
    "SERVER_PORT",
    "SERVER_PROTOCOL",
    "HTTP_HOST",
    "HTTPS",
    "wsgi.version",
    "wsgi.url_scheme",
    "wsgi.input",
    "wsgi.errors",
    "wsgi.multithread",
    "wsgi.multiprocess",
    "wsgi.run_once",
    "wsgi.file_wrapper",
]
NAMES = [
    "Content-Type",
    "content-length",
    "Content-Length",
    "Transfer-Encoding",
    "Connection",
    "Location",
    "Set-Cookie",
    "Date",
    "Status",
    "WWW-Authenticate",
    "Allow",
    "Content-Range",
    "Content-Encoding",
    "Vary",
    "ETag",
    "Last-Modified",
]
STATUSES = ["200 OK", "204 No Content", "304 Not Modified", "302 Found", "100 Continue", "2000", ""]
LENGTHS = ["0", "5", "-1", " 5", "5, 5", "\u0665", "9" * 30, ""]

texts = st.sampled_from([*NAMES, *STATUSES, *LENGTHS, "GET", "HEAD", "/", "http"]) | st.text(
    max_size=8
)
numbers = st.integers() | st.integers(-2, 20)
foreign = st.builds(
    Foreign, st.sampled_from(["app.Odd", "http.HTTPStatus"]), st.sampled_from(["", "str", "int"])
)
plain = st.none() | st.booleans() | numbers | st.floats() | texts | st.binary(max_size=8) | foreign
odd = st.recursive(
    plain,
    lambda inner: st.lists(inner, max_size=3) | st.lists(inner, max_size=3).map(tuple),
    max_leaves=5,
)
fields = st.tuples(st.sampled_from(NAMES) | texts, texts)
origins = st.none() | st.tuples(texts, st.integers(0, 99))
places = st.sampled_from(typing.get_args(values.Place))
type_names = st.sampled_from(
    [
        "bytes",
        "str",
        "list",
        "tuple",
        "int",
        "generator",
        "app.Bytes",
        "NoneType",
        "TypeError",
        "AssertionError",
    ]
)
bases = st.sampled_from(["", "bytes", "str", "list", "int", "tuple", "bytearray"])
counts = st.integers(0, 10_000)
raised = st.none() | type_names
exc_infos = st.none() | st.builds(
    ExcInfo,
    type_names,
    st.none() | st.integers(0, 4),
    st.lists(st.sampled_from(["class", "instance", "traceback", "None", "int"]), max_size=4).map(
        tuple
    ),
    st.booleans(),
)

BY_TYPE = {
    "int": counts,
    "int | None": st.none() | counts,
    "str": type_names | texts,
    "str | None": raised,
    "bool": st.booleans(),
    "bytes": st.binary(max_size=64),
    "Value": odd,
    "Place": places,
    "Origin | None": origins,
    "ExcInfo | None": exc_infos,
    "tuple[Value, ...]": st.lists(odd, max_size=3).map(tuple),
    "tuple[Value, ...] | None": st.none() | st.lists(odd, max_size=3).map(tuple),
    "tuple[str, ...]": st.lists(texts | type_names, max_size=3).map(tuple),
    "frozenset[str]": st.frozensets(st.sampled_from(["read", "close", "fileno"])),
}


def build(kind, **special):
    """Return a strategy for events of a type: each field by its annotation, or as told."""
    chosen = {}
    for field in dataclasses.fields(kind):
        if field.name in special:
            chosen[field.name] = special[field.name]
        elif field.type.startswith("Literal"):
            chosen[field.name] = st.sampled_from(literal_of(kind, field.name))
        else:
            chosen[field.name] = BY_TYPE[field.type]
    return st.builds(kind, **chosen)


def literal_of(kind, name):
    return typing.get_args(typing.get_type_hints(kind, vars(values))[name])


@st.composite
def start_responses(draw):
    """Draw a call whose `fields` and `malformed` are those of its `headers`, as recorded."""
    headers = tuple(draw(st.lists(fields | odd, max_size=4)))
    return draw(
        build(
            StartResponse,
            status=st.sampled_from(STATUSES) | odd,
            headers=st.just(headers),
            fields=st.just(tuple(item for item in headers if is_field(item))),
            malformed=st.just(tuple(item for item in headers if not is_field(item))),
        )
    )


events = st.one_of(
    build(Called),
    start_responses(),
    build(StartExamined),
    build(Write),
    build(FileWrapped),
    build(Returned, base=bases),
    build(Measured),
    build(Block, base=bases),
    build(Exhausted),
    build(Closed),
    build(InputUsed),
    build(ErrorsUsed),
    build(Raised),
    build(Stopped),
)


validator_findings = build(
    ValidatorFinding,
    requirement=st.sampled_from(sorted(load_requirements())),
    party=st.sampled_from(["application", "server", "validator"]),
)


@st.composite
def exchanges(draw):
    """Draw an exchange with any events, its views filled as the recorder does."""
    found = tuple(draw(st.lists(events, max_size=8)))

    def view(kind):
        return tuple(event for event in found if type(event) is kind)

    response = choose_response(list(view(StartResponse)))
    environ = st.dictionaries(st.sampled_from(KEYS) | texts, odd, max_size=8)
    return Exchange(
        probe=draw(st.sampled_from([probe.name for probe in BATTERY]) | texts),
        request=draw(texts),
        method=draw(texts),
        reading=draw(st.sampled_from(typing.get_args(values.Reading))),
        under_validator=draw(st.booleans()),
        environ=draw(environ),
        environ_after=draw(environ),
        request_body_length=draw(counts),
        events=found,
        start_responses=view(StartResponse),
        start_examined=view(StartExamined),
        writes=view(Write),
        returned=next(iter(view(Returned)), None),
        measured=next(iter(view(Measured)), None),
        blocks=view(Block),
        block_count=len(view(Block)),
        closes=view(Closed),
        input_used=view(InputUsed),
        errors_used=view(ErrorsUsed),
        file_wraps=view(FileWrapped),
        raised=view(Raised),
        stopped=next(iter(view(Stopped)), None),
        response=response,
        code=read_code(response.status) if response is not None else None,
        body_length=draw(counts),
        digest=draw(st.sampled_from(["", "aa", "bb"])),
        complete=bool(view(Exhausted)),
        validator_findings=tuple(draw(st.lists(validator_findings, max_size=2))),
    )


@st.composite
def conversations(draw):
    """Draw a conversation of a few exchanges."""
    found = tuple(draw(st.lists(exchanges(), min_size=1, max_size=4)))
    return Conversation(
        probe=draw(st.sampled_from(["battery", *(probe.name for probe in BATTERY)])),
        exchanges=found,
        baseline=draw(st.none() | st.sampled_from(found)),
    )


loadings = st.builds(
    Loading,
    spec=texts,
    label=texts,
    origin=texts,
    kind=texts,
    file=st.none() | texts,
    line=st.none() | counts,
    object_type=texts,
    facts=st.dictionaries(texts, texts, max_size=2),
    problem=st.none() | st.builds(Problem, texts, texts),
)
