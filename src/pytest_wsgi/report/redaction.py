"""Takes secrets out of reports: values of variables and settings, logins in addresses, credentials.

What an application puts into a message or a status cannot be judged by its place, as a header can.
So what is known to be secret is looked for everywhere, and taken out wherever it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MARK = "<redacted>"

SHORTEST = 6
"""How many characters a secret has at least; shorter ones stand in too many words."""

SHORTEST_CUT = 4
"""How many of its first characters are a secret's where a text was cut."""

_NAME = re.compile(
    r"token|secret|passw|pwd|credential|authorization|http_cookie|signature|dsn|private"
    r"|(?:^|[-_.])(?:api|key|pass|auth)(?:$|[-_.])|(?:api|access)[-_]?key",
    re.IGNORECASE,
)
_PLAIN = re.compile(
    r"(?:hashers|validators?|backends?|name|path|file|dir|class|engine|model|type|sock|url|header)$",
    re.IGNORECASE,
)
"""How names end that only tell where a secret is or how it is treated, as PASSWORD_HASHERS."""

_LOGIN = re.compile(r"(?<=://)[^\s/@'\"]*:[^\s/@'\"]*(?=@)")
_CREDENTIALS = re.compile(r"\b(Basic|Bearer|Digest)(\s+)[\w.~+/=-]{6,}", re.IGNORECASE)
_ASSIGNED = re.compile(
    r"""(\b\w*(?:token|secret|passw|pwd|api_?key|credential)\w*["']?\]?\s*[=:]\s*)"""
    r"""([rbfu]{0,2})("(?!<red)[^"]+"|'(?!<red)[^']+')""",
    re.IGNORECASE,
)

_Record = TypeVar("_Record")


@dataclass(frozen=True, slots=True)
class Redactor:
    """What is known to be secret, the longest first, so that none hides behind a part of it."""

    secrets: tuple[str, ...] = ()

    def text(self, text: str) -> str:
        """Return the text without secrets, even where it was cut in the middle of one."""
        for secret in self.secrets:
            text = text.replace(secret, MARK)
        text = _LOGIN.sub(MARK, text)
        text = _CREDENTIALS.sub(rf"\1\2{MARK}", text)
        text = _ASSIGNED.sub(rf'\1"{MARK}"', text)
        return "\n".join(map(self._finish, text.split("\n")))

    def record(self, record: _Record) -> _Record:
        """Return a rule, a subject or a whole report without secrets in any of its texts."""
        clean: _Record = self._clean(record)
        return clean

    def _clean(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, tuple):
            return tuple(map(self._clean, value))
        if isinstance(value, Mapping):
            return {self._clean(key): self._clean(item) for key, item in value.items()}
        if is_dataclass(value) and not isinstance(value, type):
            found = {each.name: self._clean(getattr(value, each.name)) for each in fields(value)}
            return replace(value, **found)
        return value

    def _finish(self, line: str) -> str:
        """Return a line that was cut without the beginning of a secret at its end."""
        head, dots, _ = line.rpartition("...")
        if not dots or not line.endswith("..."):
            return line
        for secret in self.secrets:
            for length in range(len(secret) - 1, SHORTEST_CUT - 1, -1):
                if head.endswith(secret[:length]):
                    return f"{head[:-length]}{MARK}..."
        return line


def make_redactor(*sources: Mapping[str, Any]) -> Redactor:
    """Return what takes out the secrets of the sources, such as os.environ and settings."""
    found = {form for source in sources for text in find_secrets(source) for form in spell(text)}
    return Redactor(tuple(sorted(found, key=lambda text: (-len(text), text))))


def find_secrets(value: Any, *, is_secret: bool = False) -> Iterator[str]:
    """Yield the texts below names that secrets have; in other texts only logins of addresses.

    Only builtin values are looked into: nothing of the target is called.
    """
    kind = type(value)
    if isinstance(value, Mapping) and kind.__module__ in ("builtins", "os"):
        for name, item in value.items():
            yield from find_secrets(item, is_secret=name_tells(name, is_secret=is_secret))
    elif kind in (list, tuple, set, frozenset):
        for item in value:
            yield from find_secrets(item, is_secret=is_secret)
    elif kind is bytes:
        yield from find_secrets(value.decode("latin-1"), is_secret=is_secret)
    elif kind is str:
        secrets = [value] if is_secret else list(list_passwords(value))
        yield from (secret for secret in secrets if len(secret) >= SHORTEST)


def name_tells(name: Any, *, is_secret: bool) -> bool:
    """Tell whether what has this name is secret; `is_secret` tells it of what it is a part of."""
    if type(name) is not str:
        return is_secret
    return _PLAIN.search(name) is None and (is_secret or _NAME.search(name) is not None)


def list_passwords(text: str) -> Iterable[str]:
    """Return the passwords of the addresses in a text, such as `postgres://user:password@host`."""
    return (login.partition(":")[2] for login in _LOGIN.findall(text))


def spell(secret: str) -> set[str]:
    """Return a secret as it may stand in a report: as it is, and as Python writes it."""
    return {secret, repr(secret)[1:-1], secret.encode("unicode_escape").decode()}
