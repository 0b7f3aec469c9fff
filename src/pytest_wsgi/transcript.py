"""Makes the log of a recording into an Exchange, filling every view in one pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_wsgi.exchange import (
    Block,
    Closed,
    ErrorsUsed,
    Exchange,
    Exhausted,
    FileWrapped,
    InputUsed,
    Measured,
    Raised,
    Returned,
    StartExamined,
    StartResponse,
    Stopped,
    Write,
)
from pytest_wsgi.snapshot import take_snapshot

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_wsgi.exchange import Event, Value
    from pytest_wsgi.recorder import Recording

_STATUS_DIGITS = 3


def write_exchange(
    recording: Recording,
    *,
    environ: Mapping[str, Value],
    environ_after: Mapping[str, Value],
    probe: str,
    request: str,
    **more: Any,
) -> Exchange:
    """Return the Exchange that `recording` wrote down. `more` are further fields of it."""
    events: list[Event] = []
    views: dict[type, list[Any]] = {}
    for index, entry in enumerate(tuple(recording.log)):
        kind = entry[0]
        event = write_start(index, entry) if kind is StartResponse else kind(index + 1, *entry[1:])
        events.append(event)
        views.setdefault(kind, []).append(event)
    starts = views.get(StartResponse, [])
    response = choose_response(starts)
    method = environ.get("REQUEST_METHOD")
    return Exchange(
        probe=probe,
        request=request,
        method=method if type(method) is str else "",
        environ_type=recording.environ_type,
        environ=environ,
        environ_after=environ_after,
        events=tuple(events),
        start_responses=tuple(starts),
        start_examined=tuple(views.get(StartExamined, ())),
        writes=tuple(views.get(Write, ())),
        returned=views.get(Returned, (None,))[0],
        measured=views.get(Measured, (None,))[0],
        blocks=tuple(views.get(Block, ())),
        block_count=recording.block_count,
        closes=tuple(views.get(Closed, ())),
        input_used=tuple(views.get(InputUsed, ())),
        errors_used=tuple(views.get(ErrorsUsed, ())),
        file_wraps=tuple(views.get(FileWrapped, ())),
        raised=tuple(views.get(Raised, ())),
        stopped=views.get(Stopped, (None,))[0],
        response=response,
        code=read_code(response.status) if response is not None else None,
        body_length=recording.body_length,
        digest=recording.digest.hexdigest() if recording.digest is not None else "",
        complete=Exhausted in views,
        **more,
    )


def write_start(index: int, entry: tuple[Any, ...]) -> StartResponse:
    """Return the event of a start_response call.

    The entry ends with the live list of headers and the type of what was returned.
    """
    _, thread, status, headers_type, headers, *rest, live, write_type = entry
    items = headers if type(headers) is tuple else ()
    fields = tuple(item for item in items if is_field(item))
    malformed: tuple[Value, ...] = ()
    if len(fields) < len(items):
        malformed = tuple(take_snapshot(item) for item in items if not is_field(item))
        items = tuple(take_snapshot(item) for item in items)
    after = None
    if live is not None and is_changed(headers, tuple(live)):
        after = tuple(take_snapshot(item) for item in live)
    start = (index + 1, thread, status, headers_type, items, fields, malformed)
    values: tuple[Any, ...] = (*start, *rest, after, write_type)
    return StartResponse(*values)


def is_changed(before: tuple[Any, ...], after: tuple[Any, ...]) -> bool:
    """Tell whether headers differ; only fields are compared, other items are told apart."""
    return len(before) != len(after) or any(
        old is not new and not (is_field(old) and is_field(new) and old == new)
        for old, new in zip(before, after, strict=True)
    )


def is_field(item: Any) -> bool:
    """Tell whether a header is what the PEP asks for: a tuple of two str, all exact types."""
    return (
        type(item) is tuple and len(item) == 2 and type(item[0]) is str and type(item[1]) is str  # noqa: PLR2004 # a pair
    )


def choose_response(starts: list[StartResponse]) -> StartResponse | None:
    """Return the start_response call that took effect: the last one that did not raise."""
    for start in reversed(starts):
        if start.raised is None:
            return start
    return None


def read_code(status: Value) -> int | None:
    """Return the status code, or None where the status does not start with three digits."""
    if type(status) is not str:
        return None
    digits = status[:_STATUS_DIGITS]
    return (
        int(digits)
        if len(digits) == _STATUS_DIGITS and digits.isascii() and digits.isdigit()
        else None
    )
