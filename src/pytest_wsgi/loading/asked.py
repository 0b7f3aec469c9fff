"""What was asked for and where it is looked for; the refusal that every message is made by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from pytest_wsgi.exchange import Problem
from pytest_wsgi.loading.command import APPLICATION, LAYER, MIDDLEWARE, pytest_command

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from pytest_wsgi.loading.spec import Spec


class LoadError(Exception):
    """A target cannot be found or loaded. `problem` says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Corrected:
    """What to try instead: a SPEC (empty: as asked), more options for pytest, what servers want.

    `when` says when that helps, or when it is right to repeat what was asked: such as `MENDED`.
    `option` is the one that the SPEC belongs to, where that is another than was used.
    """

    spec: str = ""
    options: Sequence[str] = ()
    others: Sequence[str] = ()
    when: str = ""
    option: str = ""


AS_ASKED = Corrected()
MENDED = "When that is mended"

_WANTED = {MIDDLEWARE: "middleware", LAYER: "layer"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for: the text and where it came from, the SPEC it stands for.

    `paths` are the directories looked in before sys.path, the invocation directory first. `option`
    is the one that takes such a SPEC.
    """

    text: str
    origin: str
    spec: Spec
    paths: tuple[str, ...]
    rootdir: Path
    option: str = APPLICATION

    @property
    def wants_application(self) -> bool:
        """True unless a middleware is asked for."""
        return self.option == APPLICATION

    def problem(
        self,
        name: str,
        headline: str,
        details: Iterable[str] = (),
        corrected: Corrected = AS_ASKED,
    ) -> Problem:
        """Compose a problem: what is wrong, what was asked, details, and what to do."""
        asked_for = f"  asked for: {self.text} ({self.origin})"
        if self.text != self.spec.text:
            asked_for += f", which stands for {self.spec.text}"
        notes = [f"  {line}" for detail in details for line in detail.splitlines()]
        rest = [f"  or {line}" for line in corrected.others]
        lines = [headline, asked_for, *notes, self._what_to_do(corrected), *rest]
        return Problem(name, "\n".join(lines))

    def refuse(
        self,
        name: str,
        headline: str,
        details: Iterable[str] = (),
        corrected: Corrected = AS_ASKED,
    ) -> NoReturn:
        """Raise LoadError for `problem(...)`."""
        raise LoadError(self.problem(name, headline, details, corrected))

    def _what_to_do(self, corrected: Corrected) -> str:
        """Return the command to try. It is never the one that failed, unless after mending."""
        spec, words = corrected.spec or self.text, "Try"
        if corrected.options or corrected.option:
            pass
        elif corrected.when or (self.spec.kind == "fixture" and self.wants_application):
            words = corrected.when or MENDED
        elif spec in (self.text, self.spec.text):
            wanted = _WANTED.get(self.option, "WSGI application")
            spec, words = "PKG.MODULE:NAME", f"Name a {wanted}"
        label = f"{self.spec.label}=" if self.spec.label else ""
        option = corrected.option or self.option
        return f"{words}: {pytest_command(label + spec, *corrected.options, option=option)}"
