"""Takes secrets out of reports: values of variables and settings, logins in addresses, credentials.

What an application puts into a message or a status cannot be judged by its place, as a header can.
So what is known to be secret is looked for everywhere, and taken out wherever it is. Where its home
is, the user's name is: that is taken out as well.

Of a secret of less than SHORTEST characters nothing is known here: it stands in too many words. One
that is a plain word, such as the password "postgres", is only found where it stands as a word.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, unquote

from pytest_wsgi.snapshot import derives

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MARK = "<redacted>"

SHORTEST = 6
"""How many characters a secret has at least; shorter ones stand in too many words."""

SHORTEST_CUT = 4
"""How many of its first characters are a secret's where a text was cut."""

SHORTEST_RANDOM = 16
"""How many characters a value has at least that looks like a key, whatever it is called."""

LONGEST_WORD = 15

IDENTITY = frozenset(
    [
        "id",
        "level",
        "area",
        "party",
        "requirements",
        "verdict",
        "section",
        "link",
        "sentence",
        "why",
        "eased",
        "ambiguity",
        "fixes",
        "rerun",
        "expected",
        "observed_type",
        "file",
        "line",
        "probe",
        "layer",
        "lanes",
        "source",
        "target",
        "kind",
        "spec",
        "label",
        "origin",
        "object",
        "reading",
    ]
)
"""The fields that stay as they are: our own words, and what a finding is found again by."""

_NAME = re.compile(
    r"token|secret|passw|pwd|credential|authorization|http_cookie|signature|dsn|private|salt"
    r"|(?:^|[-_.])(?:api|key|pass|auth)(?:$|[-_.])|(?:api|access)[-_]?key",
    re.IGNORECASE,
)
_PLAIN = re.compile(
    r"(?:hashers|validators?|backends?|name|path|file|dir|class|classes|engine|model|types?|sock|url|"
    r"header|prefix|location|host|port|version|title|claim|serializer|pipeline|namespace|algorithms?|"
    r"realm)$|^(?:old)?pwd$",
    re.IGNORECASE,
)
"""Names that only tell where a secret is or how it is treated, as PASSWORD_HASHERS."""

_ORDINARY = re.compile(
    r"(?:path|home|user|logname|shell|lang|language|lc_\w+|tz|hostname|tmpdir|temp|tmp|term\w*|"
    r"python\w*|pytest_\w+|xdg_\w+|virtual_env\w*|django_settings_module|debug|\w*_?module)",
    re.IGNORECASE,
)
"""Names of variables that are no secret, whatever they hold."""

_LOGIN = re.compile(r"(?<=://)[^\s/@'\"]*:[^\s/@'\"]*(?=@)")
_SCHEMES = ("basic", "bearer", "digest", "authorization:")
_TELLING = ("token", "secret", "passw", "pwd", "apikey", "api_key", "credential")
_CREDENTIALS = re.compile(
    rf"\b({'|'.join(_SCHEMES[:-1])}|authorization:\s*\w+)(\s+)[\w.~+/=-]{{6,}}", re.IGNORECASE
)
_ASSIGNED = re.compile(
    rf"""((?:{"|".join(_TELLING)})\w*["']?\]?\s*[=:]\s*)"""
    r"""([rbfu]{0,2})("(?!<red|\$|\.\.\.)[^"]+"|'(?!<red|\$|\.\.\.)[^']+')""",
    re.IGNORECASE,
)
_BARE = re.compile(
    rf"""((?:{"|".join(_TELLING)})\w*=)(?!<red)[\w%~+/!#$^*@-]{{6,}}(?![\w%~+/!#$^*@.(\['"-])""",
    re.IGNORECASE,
)
"""A value without quotes, as in the query of an address; not what is looked up or called."""

_COOKIE = re.compile(r"(cookie:\s*[^\s=;,'\"<>]+=)[^\s;,'\"<>]{4,}", re.IGNORECASE)
_RANDOM = re.compile(r"(?=(?:[^a-z]*[a-z]){4})(?=(?:\D*\d){4})[^\s/\\:]+", re.IGNORECASE)
_CUT = re.compile(r"['\"]?\.\.\.")
_LIBRARY = re.compile(r'(?<=File ")[^"\n]*[\\/](?=(?:site|dist)-packages[\\/])')
_FILE = 'File "'
"""How Python names a file in a traceback."""

_NAMELESS = 2
"""How many parts a home has, as /root or /app, that names no user; requests may begin with it."""

_MARKS = re.compile(r"<redacted[^<>]*>")

_PROXIES = (MappingProxyType, type(os.environ))

_Record = TypeVar("_Record")
_Part = tuple[Any, str, bool]
"""A value, the name that it stands below, and whether all that stands there is secret."""


@dataclass(frozen=True, slots=True)
class Place:
    """A directory that is not shown: what stands wherever it does, its pattern, and the mark."""

    sign: str
    pattern: re.Pattern[str]
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Redactor:
    """What is known to be secret, the longest first, so that none hides behind a part of it.

    `places` are directories that are shown in a shorter way.
    """

    secrets: tuple[str, ...] = ()
    places: tuple[Place, ...] = ()

    def text(self, text: str) -> str:
        """Return the text without secrets, even where it was cut in the middle of one."""
        for secret in self.secrets:
            if secret in text:
                text = take_out(secret, text)
        if "://" in text:
            text = _LOGIN.sub(MARK, text)
        small = text.lower()  # to look for words is far faster than to search for a pattern
        if any(word in small for word in _SCHEMES):
            text = _CREDENTIALS.sub(rf"\1\2{MARK}", text)
        if any(word in small for word in _TELLING):
            text = _BARE.sub(rf"\1{MARK}", _ASSIGNED.sub(rf'\1"{MARK}"', text))
        if "cookie:" in small:
            text = _COOKIE.sub(rf"\1{MARK}", text)
        if "..." in text:
            text = self._finish(text)
        for place in self.places:
            if place.sign in text:
                text = place.pattern.sub(place.mark, text)
        return text

    def spare(self, shown: str) -> Redactor:
        """Return one that leaves the plain words of a text alone, which is shown anyway."""
        words = {*re.findall(r"\w+", shown)}
        left = (one for one in self.secrets if not (is_word(one) and one in words))
        return replace(self, secrets=tuple(left))

    def record(self, record: _Record) -> _Record:
        """Return a finding, a subject or a part of them without secrets in any of its texts.

        What it is found again by stays; see IDENTITY.
        """
        clean: _Record = self._clean(record)
        return clean

    def _clean(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, tuple):
            return tuple(map(self._clean, value))
        if isinstance(value, Mapping):
            return {name: self._clean(item) for name, item in value.items()}
        if is_dataclass(value) and not isinstance(value, type):
            names = [each.name for each in fields(value) if each.name not in IDENTITY]
            return replace(value, **{name: self._clean(getattr(value, name)) for name in names})
        return value

    def _finish(self, text: str) -> str:
        """Return a text without the beginning of a secret before "...", where it was cut."""
        parts, start = [], 0
        for cut in _CUT.finditer(text):
            head = text[start : cut.start()]
            parts += [self._drop_beginning(head), cut[0]]
            start = cut.end()
        return "".join([*parts, text[start:]])

    def _drop_beginning(self, head: str) -> str:
        for secret in self.secrets:
            first = secret[:SHORTEST_CUT]
            start = head.find(first, max(len(head) - len(secret) + 1, 0))
            while start >= 0:
                if secret.startswith(head[start:]):
                    return f"{head[:start]}{MARK}"
                start = head.find(first, start + 1)
        return head


def forget_marks(text: str) -> str:
    """Return a text in which every mark is the same, whatever it stands for."""
    return _MARKS.sub(MARK, text)


def take_out(secret: str, text: str) -> str:
    """Return a text without a secret; one that is a plain word only where it stands as a word."""
    if is_word(secret):
        return re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", MARK, text)
    return text.replace(secret, MARK)


def is_word(secret: str) -> bool:
    """Tell whether a secret is a plain word, which stands in texts that say nothing of it."""
    return secret.isalpha() and len(secret) <= LONGEST_WORD


def make_redactor(*sources: Mapping[str, Any], root: str = "") -> Redactor:
    """Return what takes out the secrets of the sources, such as os.environ and settings.

    In tracebacks it names files below `root` relative to it, and those of libraries by what follows
    `site-packages`.
    """
    found = {form for source in sources for text in find_secrets(source) for form in spell(text)}
    home = os.path.expanduser("~")  # noqa: PTH111 # Path.home() may raise
    places = find_places(os.path.abspath(root) if root else "", home)  # noqa: PTH100 # Path.resolve() would follow links
    return Redactor(tuple(sorted(found, key=lambda text: (-len(text), text))), places)


@lru_cache(maxsize=16)
def find_places(root: str, home: str) -> tuple[Place, ...]:
    """Return the directories that are not shown: `root`, those of libraries, the user's `home`.

    `root` is absolute, or empty for none.
    """
    bases = {root, os.path.realpath(root)} if root else set()
    below = [
        Place(_FILE, re.compile(rf'(?<=File "){re.escape(base.rstrip(os.sep))}[\\/]'))
        for base in sorted(bases)
    ]
    homes = {home, os.path.realpath(home)} if len(Path(home).parts) > _NAMELESS else set()
    marked = [
        Place(one, re.compile(rf"(?<![\w./\\-]){re.escape(one)}(?![\w.-])"), "~")
        for one in sorted(homes)
    ]
    return (*below, Place(_FILE, _LIBRARY), *marked)


def find_secrets(value: Any, name: str = "", *, is_secret: bool = False) -> Iterator[str]:
    """Yield the texts below names that secrets have, and keys that look like it below any name.

    Of other texts it yields only the passwords of addresses. Only what builtin values hold is
    looked into: nothing of the target is called. What holds itself comes to an end.
    """
    left: list[_Part] = [(value, name, is_secret)]
    seen: set[tuple[int, str, bool]] = set()
    while left:
        one, called, tells = part = left.pop()
        inside = list_inside(part)
        if inside is None:
            yield from read_secrets(one, called, is_secret=tells)
        elif (id(one), called, tells) not in seen:
            seen.add((id(one), called, tells))
            left += reversed(inside)


def list_inside(part: _Part) -> list[_Part] | None:
    """Return what a mapping or collection holds, each with its name; None for any other value.

    A proxy may be one of a mapping of the target's, which fails as it likes.
    """
    value, name, is_secret = part
    kind = type(value)
    is_dict = derives(kind, dict)
    if is_dict or any(kind is one for one in _PROXIES):
        found: list[_Part] = []
        with suppress(Exception):
            for key, item in list(dict.items(value) if is_dict else value.items()):
                known = type(key) is str  # the hash of any other may be the target's
                tells = name_tells(key, is_secret=is_secret) if known else is_secret
                found.append((item, key if known else name, tells))
        return found
    if any(kind is one for one in (list, tuple, set, frozenset)):
        return [(item, name, is_secret) for item in list(value)]
    return None


def read_secrets(value: object, name: str, *, is_secret: bool) -> Iterator[str]:
    """Yield what is secret in a str, or in bytes; other values hold nothing."""
    kind = type(value)
    if derives(kind, bytes):
        text = bytes.decode(value, "latin-1")  # type: ignore[arg-type] # it is such a one
    elif derives(kind, str):
        text = str.__str__(value)
    else:
        return
    if len(text) < SHORTEST:
        return
    if is_secret or looks_random(text, name):
        yield text
    elif "://" in text:
        yield from (one for one in list_passwords(text) if len(one) >= SHORTEST)


@lru_cache(maxsize=4096)
def name_tells(name: str, *, is_secret: bool) -> bool:
    """Tell whether what has this name is secret; `is_secret` tells it of what it is a part of."""
    return _PLAIN.search(name) is None and (is_secret or _NAME.search(name) is not None)


@lru_cache(maxsize=4096)
def looks_random(value: str, name: str) -> bool:
    """Tell whether a value looks like a key, and its name does not say that it is none."""
    if len(value) < SHORTEST_RANDOM or _RANDOM.fullmatch(value) is None:
        return False
    return not (_ORDINARY.fullmatch(name) or _PLAIN.search(name))


def list_passwords(text: str) -> Iterable[str]:
    """Return the passwords of the addresses in a text, such as `postgres://user:password@host`."""
    return (login.partition(":")[2] for login in _LOGIN.findall(text))


def spell(secret: str) -> set[str]:
    """Return a secret as it may stand in a report: as it is, as Python writes it, as in an address.

    That of an address stands without its escapes where a database tells of it.
    """
    plain = unquote(secret)
    return {
        secret,
        repr(secret)[1:-1],
        secret.encode("unicode_escape").decode(),
        quote(secret, safe="", errors="replace"),
        *([plain] if len(plain) >= SHORTEST else []),
    }
