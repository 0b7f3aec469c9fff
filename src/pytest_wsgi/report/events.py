"""What crossed the boundary in words: one line for every event, one text for every value.

Nothing here raises, whatever a target handed over. Of headers only what `showing` lists is shown,
and what is not printable is escaped, so that a text can be shown and sent anywhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_wsgi.exchange import (
    Block,
    Called,
    Closed,
    ErrorsUsed,
    Exhausted,
    FileWrapped,
    Foreign,
    InputUsed,
    Measured,
    Raised,
    Returned,
    StartExamined,
    StartResponse,
    Stopped,
    Write,
)
from pytest_wsgi.showing import is_secret, read_text, show, show_item

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_wsgi.exchange import Event, ExcInfo, Place

LONGEST_LINE = 240
"""How many characters the line of an event has at most."""

SHOWN_ITEMS = 6
"""How many items of a tuple or list are shown, such as the headers of a response."""

SHOWN_BYTES = 40
"""How many first bytes of a block are shown."""

_PLACES: Mapping[Place, str] = {
    "call": "",
    "iteration": ", while a block was asked for",
    "close": ", in close()",
    "outside": ", outside of any call",
}
_STOPS = {
    "hang": "no answer in time",
    "endless": "no end in time",
    "left": "the server went away",
    "process exit": "the application tried to end the process",
}


def describe_event(event: Event) -> str:
    """Return the event's number and one readable line, such as `5  the iterable ended`."""
    describe = _DESCRIPTIONS.get(type(event))
    text = describe(event) if describe else type(event).__name__
    return cut(printable(f"{event.number}  {text}"), LONGEST_LINE)


def describe_value(value: object) -> str:
    """Return an observed value as Python would write it, cut, without the secrets of headers."""
    if type(value) is tuple or type(value) is list:
        return cut(describe_items(value), LONGEST_LINE)
    return printable(show(value))


def describe_items(value: tuple[object, ...] | list[object]) -> str:
    """Return a tuple or list; only the name where it is a header that carries a secret."""
    if value and is_secret(read_text(value[0])):
        items = f"{describe_value(value[0])}, <redacted>"
    else:
        items = join_items(value, describe_item)
    if type(value) is list:
        return f"[{items}]"
    return f"({items},)" if len(value) == 1 else f"({items})"


def describe_item(item: object) -> str:
    """Return an item of a tuple or list, which may be a line of a header that carries a secret."""
    name, colon, _ = read_text(item).partition(":")
    return printable(show_item(item)) if colon and is_secret(name) else describe_value(item)


def join_items(items: tuple[object, ...] | list[object], describe: Callable[[object], str]) -> str:
    """Return the first items as texts with commas between them."""
    shown = ", ".join(map(describe, items[:SHOWN_ITEMS]))
    return f"{shown}, ..." if len(items) > SHOWN_ITEMS else shown


def name_kind(value: object) -> str:
    """Return the name of a value's type; that of the original for a stand-in."""
    return value.type_name if isinstance(value, Foreign) else type(value).__name__


def printable(text: str) -> str:
    """Return `text` as one line: what is not printable is escaped as Python does it."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def cut(text: str, length: int) -> str:
    """Return `text`, with at most `length` characters."""
    return text if len(text) <= length else f"{text[: length - 3]}..."


def _start_response(event: StartResponse) -> str:
    texts = {
        "status": describe_value(event.status),
        "headers": _headers(event),
        "exc_info": _exc_info(event.exc_info),
    }
    positional = max(event.argument_count - len(event.keywords), 0)
    arguments = list(texts.values())[:positional] + (["..."] if positional > len(texts) else [])
    arguments += [f"{name}={texts.get(name, '...')}" for name in event.keywords]
    return f"start_response({', '.join(arguments)}){_PLACES[event.place]}{_raised(event.raised)}"


def _start_examined(event: StartExamined) -> str:
    if event.name == "__eq__":
        return "start_response was compared"
    return f"start_response.{event.name} was looked at"


def _headers(event: StartResponse) -> str:
    if event.headers_type not in ("list", "tuple"):
        return f"<{event.headers_type}>"
    items = cut(printable(join_items(event.headers, show_item)), LONGEST_LINE)
    if event.headers_type == "list":
        return f"[{items}]"
    return f"({items},)" if len(event.headers) == 1 else f"({items})"


def _exc_info(exc_info: ExcInfo | None) -> str:
    if exc_info is None:
        return "None"
    if exc_info.type_name != "tuple":
        return f"<{exc_info.type_name}>"
    return f"({', '.join(f'<{item}>' for item in exc_info.items)})"


def _raised(name: str | None) -> str:
    return f" raised {name}" if name else ""


def _data(type_name: str, length: int | None) -> str:
    return f"<{type_name}>" if length is None else f"<{type_name} of length {length}>"


def _write(event: Write) -> str:
    late = ", after the last block" if event.after_end else ""
    data = _data(event.type_name, event.length)
    return f"write({data}){late}{_PLACES[event.place]}{_raised(event.raised)}"


def _file_wrapped(event: FileWrapped) -> str:
    size = "" if event.block_size is None else f", {describe_value(event.block_size)}"
    return f"wsgi.file_wrapper(<{event.type_name}>{size}){_raised(event.raised)}"


def _returned(event: Returned) -> str:
    shape = "" if event.iterable else ", which is not iterable"
    wrapper = " made by wsgi.file_wrapper" if event.is_file_wrapper else ""
    return f"the application returned <{event.type_name}>{wrapper}{shape}"


def _measured(event: Measured) -> str:
    length = "" if event.length is None else f" is {event.length}"
    return f"len() of the iterable{length}{_raised(event.raised)}"


def _block(event: Block) -> str:
    if event.type_name != "bytes":
        return f"yielded {_data(event.type_name, event.length)}"
    start = describe_value(event.start[:SHOWN_BYTES])
    rest = "" if event.length == len(event.start[:SHOWN_BYTES]) else "..."
    return f"yielded {start}{rest} ({event.length} bytes)"


def _closed(event: Closed) -> str:
    return f"close() of the {event.on}{_raised(event.raised)}"


def _input_used(event: InputUsed) -> str:
    stream = f"wsgi.input.{event.method}"
    if not event.found:
        return f"{stream} was looked for and is not there"
    if not event.called:
        return f"{stream} was looked at"
    size = describe_value(event.size) if event.argument_count else ""
    returned = "" if event.returned is None else f" returned {event.returned} bytes"
    late = ", after the end" if event.past_end else ""
    return f"{stream}({size}){returned}{late}{_PLACES[event.place]}{_raised(event.raised)}"


def _errors_used(event: ErrorsUsed) -> str:
    stream = f"wsgi.errors.{event.method}"
    if not event.found:
        return f"{stream} was looked for and is not there"
    if not event.called:
        return f"{stream} was looked at"
    kinds = [f"<{name}>" for name in event.types if name != "str"]
    data = describe_value(event.text) if event.types and not kinds else ", ".join(kinds)
    return f"{stream}({data}){_raised(event.raised)}"


def _raised_out(event: Raised) -> str:
    message = f": {event.message}" if event.message else ""
    source = ", raised by the server" if event.by_server else ""
    return f"raised {event.type_name}{message}{_PLACES[event.place]}{source}"


def _stopped(event: Stopped) -> str:
    return f"{_STOPS[event.reason]}{f': {event.detail}' if event.detail else ''}"


_DESCRIPTIONS: Mapping[type[Event], Callable[[Any], str]] = {
    Called: lambda _: "application(environ, start_response)",
    StartResponse: _start_response,
    StartExamined: _start_examined,
    Write: _write,
    FileWrapped: _file_wrapped,
    Returned: _returned,
    Measured: _measured,
    Block: _block,
    Exhausted: lambda _: "the iterable ended",
    Closed: _closed,
    InputUsed: _input_used,
    ErrorsUsed: _errors_used,
    Raised: _raised_out,
    Stopped: _stopped,
}
