"""What crossed one WSGI boundary, as values.

Two laws hold here. Nothing in an Exchange can call back into the target: it holds exact builtin
values, and a `Foreign` stand-in for everything else. And nothing here behaves: the recorder fills
every view once, so that no rule filters events by hand.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_wsgi.launches import Launches, LayerFault

Place = Literal["call", "iteration", "close", "outside"]
"""Where the application was running: in its call, in a `next()`, in a `close()`, or in none."""

Origin = tuple[str, int]
"""File name and line number in the target's source that caused an event."""


@dataclass(frozen=True, slots=True)
class Foreign:
    """A stand-in for an object that is not an exact builtin value.

    `base` names the builtin type that it derives from (`str`, `int`, `list`, ...), or is empty.
    `text` is that builtin's own rendering, never the object's `repr()`.
    """

    type_name: str
    base: str = ""
    text: str = ""

    def __repr__(self) -> str:
        """Render for messages: `<http.HTTPStatus 200>`."""
        return f"<{self.type_name} {self.text}>" if self.text else f"<{self.type_name} object>"


Value = object
"""None, an exact bool, int, float, str or bytes, an exact tuple or list of them, or a Foreign."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that crossed the boundary: its number in the exchange and the thread it was in."""

    number: int
    thread: int


@dataclass(frozen=True, slots=True)
class Called(Event):
    """The server called the application, with so many arguments, those of `keywords` by name.

    Only what stands behind a middleware can be called in another way than with two by position.
    """

    argument_count: int = 2
    keywords: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StartResponse(Event):
    """The application called start_response.

    `fields` are the pairs of exact str among `headers`, in order; `malformed` are the other items.
    `headers_type` is the type's name ("list" for an exact list); `headers` is then a tuple of its
    items as they were at the call. `exc_info` is None when absent. `raised` names the exception
    that start_response raised. `handling` tells whether an exception was being handled at the call.
    `headers_after` are the list's items when the exchange ended, None where they are the same.
    `write_type` is empty where start_response returned something that can be called, or raised;
    else it names the type of what it returned.
    """

    status: Value
    headers_type: str
    headers: tuple[Value, ...]
    fields: tuple[tuple[str, str], ...]
    malformed: tuple[Value, ...]
    exc_info: ExcInfo | None
    argument_count: int
    keywords: tuple[str, ...]
    place: Place
    handling: bool
    raised: str | None
    origin: Origin | None
    headers_after: tuple[Value, ...] | None = None
    write_type: str = ""


@dataclass(frozen=True, slots=True)
class StartExamined(Event):
    """The application looked into start_response: `name` is the attribute that it asked for.

    "__eq__" means that it compared start_response with something. Only a few probes watch for this.
    """

    name: str
    origin: Origin | None


@dataclass(frozen=True, slots=True)
class ExcInfo:
    """The third argument of start_response.

    `type_name` is that of the argument ("tuple" for an exact tuple), `length` its length where it
    has one. `items` names what the three items are: "class", "instance", "traceback", "None" or a
    type's name; `matches` tells whether the instance is one of the class.
    """

    type_name: str
    length: int | None = None
    items: tuple[str, ...] = ()
    matches: bool = False


@dataclass(frozen=True, slots=True)
class Write(Event):
    """The application called the write callable that start_response returned."""

    type_name: str
    length: int | None
    place: Place
    after_end: bool
    raised: str | None
    origin: Origin | None


@dataclass(frozen=True, slots=True)
class FileWrapped(Event):
    """The application called `wsgi.file_wrapper`.

    `attributes` are those of read, close, fileno, seek, tell, mode, name that the object has.
    """

    type_name: str
    attributes: frozenset[str]
    block_size: Value
    raised: str | None


@dataclass(frozen=True, slots=True)
class Returned(Event):
    """The application's call returned.

    `base` names the builtin type that the result is or derives from, or is empty.
    `is_file_wrapper` is true when it is what `wsgi.file_wrapper` had made.
    """

    type_name: str
    base: str
    iterable: bool
    is_iterator: bool
    has_close: bool
    is_file_wrapper: bool
    is_file: bool


@dataclass(frozen=True, slots=True)
class Measured(Event):
    """The server asked for `len()` of the iterable: what came, or the name of what it raised."""

    length: int | None
    raised: str | None


@dataclass(frozen=True, slots=True)
class Block(Event):
    """The iterable yielded a block. `start` holds its first bytes (at most 64)."""

    type_name: str
    base: str
    length: int | None
    start: bytes


@dataclass(frozen=True, slots=True)
class Exhausted(Event):
    """The iterable ended."""


@dataclass(frozen=True, slots=True)
class Closed(Event):
    """The server called `close()` on the iterable, or on the iterator made from it."""

    on: Literal["iterable", "iterator"]
    raised: str | None


@dataclass(frozen=True, slots=True)
class InputUsed(Event):
    """The application used `wsgi.input`.

    `found` is False when it asked for a method that the input has not; `called` is False when it
    only looked at an attribute. `size` is the size argument, None when there was none. `returned`
    is the number of bytes handed over, None where not bytes. `past_end` is true when everything
    had been handed over before and still more was asked for.
    """

    method: str
    found: bool
    called: bool
    size: Value
    argument_count: int
    returned: int | None
    past_end: bool
    place: Place
    raised: str | None
    origin: Origin | None


@dataclass(frozen=True, slots=True)
class ErrorsUsed(Event):
    """The application used `wsgi.errors`.

    `types` are the type names of what was written. `text` holds the first 1000 characters.
    """

    method: str
    found: bool
    called: bool
    types: tuple[str, ...]
    text: str
    raised: str | None
    origin: Origin | None


@dataclass(frozen=True, slots=True)
class Raised(Event):
    """An exception left the application, at `place`.

    `bases` are the names of its classes, itself first. `traceback` is the text of the frames from
    the application on. `by_server` is true when it is one that the server itself had raised.
    """

    type_name: str
    bases: tuple[str, ...]
    message: str
    traceback: str
    origin: Origin | None
    place: Place
    by_server: bool


@dataclass(frozen=True, slots=True)
class Stopped(Event):
    """The server stopped the exchange.

    "hang": no answer in time. "endless": more than the server would take. "left": it went away on
    purpose, as the probe asked. "process exit": the application tried to end the process.
    """

    reason: Literal["hang", "endless", "left", "process exit"]
    detail: str
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class ValidatorFinding:
    """What wsgiref.validate said in a run under it.

    `check` is the stable id of its check, `requirement` what that stands for. `strictness` tells
    whether the PEP asks for it or only wsgiref.validate. `party` is who is to blame: "application",
    "server", or "validator" where wsgiref.validate itself failed.
    """

    message: str
    check: str
    requirement: str
    strictness: Literal["pep", "stricter"]
    party: str


Reading = Literal[
    "complete",
    "first block",
    "no block",
    "interleaved",
    "concurrent",
    "threads apart",
    "closed twice",
]
"""How the server read the iterable: "threads apart" means call, iteration and close in a thread of
their own each."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Exchange:
    """One call of the application and all that followed, in order. It equals only itself.

    `number` tells the exchanges of a run apart. `request` is what a person would call it, such as
    `GET / (empty PATH_INFO)`. `environ` holds the values as handed over, `environ_after` as they
    were when the exchange ended. `response` is the start_response call that took effect, and `code`
    its status code where it has one. `body_length` counts the bytes yielded and written;
    `digest` is their BLAKE2 digest in hex. `complete` is true when the iterable was exhausted.
    `ended` is when the exchange was over, in seconds since 1970.
    `blocks` are the first thousand, and all that are not exact bytes; `block_count` counts all.
    `boundary` tells whose callee was recorded: "application" is the target, "inner" what a
    middleware under test called. `environ_type` names the type of environ, "dict" for an exact one.
    """

    number: int = 0
    probe: str
    request: str
    method: str
    boundary: str = "application"
    reading: Reading = "complete"
    under_validator: bool = False
    environ: Mapping[str, Value]
    environ_after: Mapping[str, Value]
    environ_type: str = "dict"
    request_body_length: int = 0
    events: tuple[Event, ...] = ()
    start_responses: tuple[StartResponse, ...] = ()
    start_examined: tuple[StartExamined, ...] = ()
    writes: tuple[Write, ...] = ()
    returned: Returned | None = None
    measured: Measured | None = None
    blocks: tuple[Block, ...] = ()
    block_count: int = 0
    closes: tuple[Closed, ...] = ()
    input_used: tuple[InputUsed, ...] = ()
    errors_used: tuple[ErrorsUsed, ...] = ()
    file_wraps: tuple[FileWrapped, ...] = ()
    raised: tuple[Raised, ...] = ()
    stopped: Stopped | None = None
    response: StartResponse | None = None
    code: int | None = None
    body_length: int = 0
    digest: str = ""
    ended: float = 0.0
    complete: bool = False
    validator_findings: tuple[ValidatorFinding, ...] = ()

    def __repr__(self) -> str:
        """Name the exchange without its contents, which may hold secrets."""
        return f"<Exchange {self.number} {self.probe}: {self.request}>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """Several exchanges of one probe, in the order of their calls.

    `baseline` is the plain GET of the same path, driven before: what a fault that shows only as an
    exception is compared with.
    """

    probe: str
    exchanges: tuple[Exchange, ...]
    baseline: Exchange | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a target could not be found or loaded: a stable id and one clear message."""

    id: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Loading:
    """How a target was asked for, found and loaded.

    `origin` says where the SPEC came from. `file` is the target's source file, `line` the line that
    binds its name. `facts` are what a person should know of the subject, such as
    ("settings module", "mysite.settings (set by mysite/wsgi.py)"), in the order to show them.
    `launches` is what came of loading it in fresh processes, None where that was not done.
    `layer_faults` is what its layers do wrong to each other, None where it has no layers.
    """

    spec: str
    label: str
    origin: str
    kind: str = "application"
    file: str | None = None
    line: int | None = None
    object_type: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    problem: Problem | None = None
    launches: Launches | None = None
    layer_faults: tuple[LayerFault, ...] | None = None
