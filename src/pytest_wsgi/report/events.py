"""What crossed the boundary in words: one line for every event, one text for every value.

Nothing here raises, whatever a target handed over. The values of headers that carry secrets are
left out, and what is not printable is escaped, so that a text can be shown and sent anywhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_wsgi.catalogue import SECRET_FIELDS, SHOWN, show, show_field
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
    StartResponse,
    Stopped,
    Write,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_wsgi.exchange import Event, ExcInfo, Place

LONGEST_LINE = 240
"""How many characters the line of an event has at most."""

SHOWN_HEADERS = 6
"""How many headers of one start_response call are shown."""

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
_PAIR = 2


def describe_event(event: Event) -> str:
    """Return the event's number and one readable line, such as `5  the iterable ended`."""
    describe = _DESCRIPTIONS.get(type(event))
    text = describe(event) if describe else type(event).__name__
    return cut(printable(f"{event.number}  {text}"), LONGEST_LINE)


def describe_value(value: object) -> str:
    """Return an observed value as Python would write it, cut, without the secrets of headers."""
    if type(value) is tuple or type(value) is list:
        text = describe_items(value)
    else:
        try:
            text = show(value)
        except ValueError:  # CPython refuses to write integers of many thousand digits
            text = f"<{type(value).__name__} too long to show>"
    return printable(text)


def describe_items(value: tuple[object, ...] | list[object]) -> str:
    """Return a tuple or list: a header where it begins with the name of a secret one."""
    if value and names_secret(value[0]):
        return f"({describe_value(value[0])}, <redacted>)"
    if len(value) == _PAIR and all(type(item) is str for item in value):
        return show_field(*value) if type(value) is tuple else show(value)
    items = ", ".join(describe_value(item) for item in value[: SHOWN_HEADERS * _PAIR])
    more = ", ..." if len(value) > SHOWN_HEADERS * _PAIR else ""
    if type(value) is list:
        return cut(f"[{items}{more}]", SHOWN)
    return cut(f"({items}{more}{',' if len(value) == 1 else ''})", SHOWN)


def names_secret(name: object) -> bool:
    """Tell whether `name`, of any type of text, is that of a header that carries secrets."""
    if isinstance(name, Foreign):
        text = name.text.removeprefix("b").strip("'\"")
    elif isinstance(name, bytes):
        text = name.decode("latin-1")
    else:
        text = name if isinstance(name, str) else ""
    return text.strip().lower() in SECRET_FIELDS


def describe_header(header: object) -> str:
    """Return one item of a list of headers, which may be anything."""
    if isinstance(header, str | bytes):
        name = header[: header.find(":" if isinstance(header, str) else b":")]  # type: ignore[arg-type] # the same type as header
        return (
            f"{describe_value(name + name[:0])}: <redacted>"
            if names_secret(name)
            else describe_value(header)
        )
    return describe_value(header)
