r"""What a message shows of a value: of headers only what is on a list, of all others the shape.

What is not shown becomes a mark, which tells the length and the characters that a rule may be
about, such as `<redacted: length 19, \r at 4>`.
"""

from __future__ import annotations

import re

from pytest_wsgi.exchange import Foreign

SHOWN = 120
"""How many characters of an observed value a message shows."""

SHOWN_HEADERS = frozenset(
    [
        "accept",
        "accept-charset",
        "accept-encoding",
        "accept-language",
        "accept-ranges",
        "age",
        "allow",
        "alt-svc",
        "cache-control",
        "connection",
        "content-disposition",
        "content-encoding",
        "content-language",
        "content-length",
        "content-location",
        "content-range",
        "content-type",
        "date",
        "etag",
        "expect",
        "expires",
        "host",
        "if-match",
        "if-modified-since",
        "if-none-match",
        "if-range",
        "if-unmodified-since",
        "keep-alive",
        "last-modified",
        "location",
        "origin",
        "pragma",
        "proxy-connection",
        "range",
        "referrer-policy",
        "retry-after",
        "server",
        "status",
        "strict-transport-security",
        "te",
        "trailer",
        "trailers",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        "vary",
        "via",
        "x-content-type-options",
        "x-frame-options",
    ]
)
"""The headers whose values are shown, in small letters; those of all others may be secret."""

_ADDRESSES = frozenset({"location", "content-location"})
"""Headers of which the query and the fragment are not shown: they hold tokens."""

_SECRET = re.compile(
    r"\s*[^:\s]*"
    r"(?:auth|cookie|token|secret|passw|credential|session|csrf|api[-_]?key|signature)"
    r"[^:\s]*\s*",
    re.IGNORECASE,
)
"""Names of what is surely secret, wherever such a pair stands."""

_BEGINS_VALUE = re.compile(r"[:=\r\n]\s*")
"""What ends a name, where a name holds more than that."""

_QUERY = re.compile(r"[?#]")
_ODD = re.compile(r"[^\x20-\x7e]|^ | $")
_MOST_ODD = 3
_TEXTS = ("str", "bytes", "bytearray", "memoryview")


def show(value: object) -> str:
    """Return a value for a message, cut to a readable length."""
    try:
        text = repr(value)
    except ValueError:  # Python refuses to write an int of many thousand digits
        text = f"<{type(value).__name__} too long to show>"
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."


def is_secret(name: str) -> bool:
    """Tell whether what has that name, such as a parameter or a header, is surely secret."""
    return _SECRET.fullmatch(name) is not None


def is_shown(name: str) -> bool:
    """Tell whether the values of a header of that name are shown."""
    return name.strip().lower() in SHOWN_HEADERS


def show_field(name: object, value: object) -> str:
    """Return a header for a message; the value only where its name is on the list."""
    return f"({show_name(name)}, {show_value(name, value)})"


def show_name(name: object) -> str:
    """Return the name of a header for a message.

    Of one that holds a value too, as "X-Token: abc" does, that is treated as the value of a header.
    """
    text = read_text(name)
    end = _BEGINS_VALUE.search(text)
    if end is None or end.end() == len(text) or is_shown(text[: end.start()]):
        return show(name)
    if isinstance(name, Foreign):
        return hide(name)
    head, rest = text[: end.end()], text[end.end() :]
    return f"{show(head if isinstance(name, str) else head.encode('latin-1'))} {hide(rest)}"


def show_value(name: object, value: object) -> str:
    """Return the value of a header for a message, hidden where its name is not on the list."""
    text = read_text(name)
    if not is_shown(text):
        return hide(value)
    query = _QUERY.search(value) if isinstance(value, str) else None
    if query is None or text.strip().lower() not in _ADDRESSES or not isinstance(value, str):
        return show(value)
    return f"{show(value[: query.end()])} {hide(value[query.end() :])}"


def show_item(item: object) -> str:
    """Return an item of a list of headers, whatever it is: a pair where all is well."""
    if type(item) is tuple or type(item) is list:
        name, *rest = item or [""]
        parts = [show_name(name), *(show_value(name, part) for part in rest)] if item else []
        inside = ", ".join(parts)
        if type(item) is list:
            return f"[{inside}]"
        return f"({inside},)" if len(parts) == 1 else f"({inside})"
    text = read_text(item)
    return show_name(item) if not text or ":" in text or is_shown(text) else hide(item)


def hide(value: object) -> str:
    """Return the mark for a value that is not shown; an empty one or None has nothing to hide."""
    if value is None or isinstance(value, bool) or value in ("", b""):
        return show(value)
    if isinstance(value, str):
        return f"<redacted: {', '.join([f'length {len(value)}', *list_odd(value)])}>"
    if isinstance(value, Foreign):
        return f"<redacted: {value.type_name}>"
    length = f", length {len(value)}" if isinstance(value, (bytes, tuple, list)) else ""
    return f"<redacted: {type(value).__name__}{length}>"


def list_odd(text: str) -> list[str]:
    """Return the first characters that a header value had better not have, and where they are."""
    found = list(_ODD.finditer(text))
    shown = [f"{name_character(odd[0])} at {odd.start()}" for odd in found[:_MOST_ODD]]
    return [*shown, f"{len(found) - _MOST_ODD} more"] if len(found) > _MOST_ODD else shown


def name_character(character: str) -> str:
    """Return a character as Python writes it; a space by its name."""
    return "space" if character == " " else character.encode("unicode_escape").decode()


def read_text(value: object) -> str:
    """Return the text of a str or bytes, or of the stand-in for one; empty for all else."""
    if isinstance(value, Foreign):
        if value.base not in _TEXTS:
            return ""
        return value.text if value.base == "str" else value.text.removeprefix("b").strip("\"'")
    if isinstance(value, bytes):
        return value.decode("latin-1")
    return value if isinstance(value, str) else ""
