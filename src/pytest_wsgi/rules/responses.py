"""Reads what an application said of its response: its calls, status lines and header fields.

No rule lives here, only readings that several modules of rules share.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from pytest_wsgi.exchange import Block, Exhausted, Returned, Write

if TYPE_CHECKING:
    from pytest_wsgi.exchange import Exchange, StartResponse

_ARGUMENT_COUNTS = frozenset({2, 3})
_PLAIN = re.compile(r"[\x20-\x7e\x80-\xff]*")
_NUMBER = re.compile(r"[0-9]+")

read_once = lru_cache(maxsize=512)
"""Many rules read the same of an exchange; an Exchange is hashed by its identity."""

Field = tuple["StartResponse", str, str]
"""The call that passed a header, its name and its value."""


@read_once
def list_calls(exchange: Exchange) -> list[StartResponse]:
    """Return the calls with two or three positional arguments; other rules judge the others."""
    return [
        call
        for call in exchange.start_responses
        if not call.keywords and call.argument_count in _ARGUMENT_COUNTS
    ]


@read_once
def list_statuses(exchange: Exchange) -> list[tuple[StartResponse, str]]:
    """Return every status that is a str, with its call."""
    return [(call, call.status) for call in exchange.start_responses if type(call.status) is str]


@read_once
def has_fields(exchange: Exchange) -> bool:
    """Tell whether the application passed any header that is a pair of str."""
    return any(call.fields for call in exchange.start_responses)


def list_fields(exchange: Exchange, *names: str) -> list[Field]:
    """Return the headers, or those with one of `names` (lower case), name by name.

    Only pairs of str are headers; other rules judge the rest of the list.
    """
    by_name = group_fields(exchange)
    if len(names) == 1:
        return by_name.get(names[0], [])
    return [field for name in by_name if not names or name in names for field in by_name[name]]


@read_once
def group_fields(exchange: Exchange) -> dict[str, list[Field]]:
    """Return every header by its name in lower case."""
    by_name: dict[str, list[Field]] = {}
    for call in exchange.start_responses:
        for name, value in call.fields:
            by_name.setdefault(name.lower(), []).append((call, name, value))
    return by_name


def list_values(call: StartResponse, name: str) -> list[str]:
    """Return the values of every header of that name (lower case)."""
    return [value for found, value in call.fields if found.lower() == name]


def is_plain(text: str) -> bool:
    """Tell whether a text is latin-1 without control characters.

    Only of such text is the form judged: of other text it is said first what may not be in it.
    """
    return _PLAIN.fullmatch(text) is not None


def is_readable(exchange: Exchange) -> bool:
    """Tell whether `fields` holds every header of the response, so that one can be missing."""
    response = exchange.response
    return response is not None and response.headers_type == "list" and not response.malformed


def lacks(exchange: Exchange, name: str) -> bool:
    """Tell whether the response has no header of that name (lower case)."""
    return exchange.response is not None and not list_values(exchange.response, name)


def read_length(call: StartResponse) -> str | None:
    """Return the Content-Length in its shortest form, None where it is not one number."""
    values = list_values(call, "content-length")
    if len(values) != 1 or not _NUMBER.fullmatch(values[0]):
        return None
    return values[0].lstrip("0") or "0"


def went_on(exchange: Exchange, call: StartResponse) -> bool:
    """Tell whether the application carried on with its response after the call."""
    return any(
        event.number > call.number and isinstance(event, Block | Exhausted | Returned | Write)
        for event in exchange.events
    )
