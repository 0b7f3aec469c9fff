"""What a rule is, what it finds, and the one list of all rules.

A rule is a pure function over an Exchange, a Conversation or a Loading. It yields findings; it
never asserts, prints or does I/O. Rules are written in `rules/`, one module per part of the PEP.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from pytest_wsgi.ambiguities import load_ambiguities
from pytest_wsgi.exchange import Conversation, Event, Exchange, Loading
from pytest_wsgi.requirements import Requirement, load_requirements
from pytest_wsgi.sandwich import Sandwich

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_wsgi.sandwich import Passage

Subject = TypeVar("Subject", Exchange, Conversation, Loading, Sandwich)


class Level(enum.Enum):
    """How much a broken rule weighs: a MUST fails the run, a SHOULD only a strict one."""

    MUST = "must"
    SHOULD = "should"
    CONVENTION = "convention"


class Party(enum.Enum):
    """Who is to blame: everything on the callee's side of a boundary, or on the caller's."""

    APPLICATION = "application"
    SERVER = "server"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was expected, what was observed, and at which event.

    `exchange` is filled in by the judge; a rule over a Conversation names the exchange itself.
    `message` is a sentence of its own where expected and observed do not say it all. `layer` names
    the layer of a wrapped application that is to blame, where there are several. `passage` tells
    what happened at every boundary, where more than one was recorded.
    """

    expected: str
    observed: object
    at: Event | None = None
    exchange: Exchange | None = None
    message: str = ""
    layer: str = ""
    passage: Passage | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule(Generic[Subject]):
    """A check of one or more requirements.

    `when` is the precondition: while it is false of every subject, the rule is not exercised.
    `why` is what goes wrong when the rule is broken. `eased` says why its level is lower than that
    of its requirement. `ambiguity` names the point on which the PEP can be read in more than one
    way; the level is then that of `reading`. `under_validator` marks the few rules that judge the
    exchanges of the run under wsgiref.validate; all others judge the bare ones. `only` names the
    kind of target that it is for, and is empty where its party and its subject tell.
    """

    id: str
    sentence: str
    why: str
    subject: type[Subject]
    checks: tuple[str, ...]
    binds: Party
    level: Level
    inherited: bool
    area: str
    eased: str
    ambiguity: str
    reading: str
    under_validator: bool
    when: Callable[[Subject], object]
    check: Callable[[Subject], Iterator[Finding]]
    only: str = ""

    @property
    def requirements(self) -> tuple[Requirement, ...]:
        """The requirements that the rule checks, the first one naming its level and area."""
        return tuple(load_requirements()[name] for name in self.checks)


AnyRule = Rule[Exchange] | Rule[Conversation] | Rule[Loading] | Rule[Sandwich]
"""A rule over any of the four subjects."""

CATALOGUE: dict[str, AnyRule] = {}
"""Every rule by its id, in the order of the PEP. Filled by importing `pytest_wsgi.rules`."""


def rule(  # noqa: PLR0913 # what a rule says of itself
    subject: type[Subject],
    *,
    checks: str | tuple[str, ...],
    binds: Party,
    when: Callable[[Subject], object],
    eased: str = "",
    ambiguity: str = "",
    under_validator: bool = False,
    only: str = "",
) -> Callable[[Callable[[Subject], Iterator[Finding]]], Callable[[Subject], Iterator[Finding]]]:
    """Enter the decorated function into the catalogue.

    Its name is the rule's id, its docstring's first line the sentence that is true when all is
    well, and what follows "Why:" the reason. `checks` names requirements; the first one gives the
    level and the area. A requirement that only HTTP or CGI makes weighs as a SHOULD. `eased` lowers
    the level to a convention and says why. `ambiguity` names a row of ambiguities.json, which tells
    the level under each reading.
    """
    names = (checks,) if isinstance(checks, str) else checks

    def enter(check: Callable[[Subject], Iterator[Finding]]) -> Callable[..., Iterator[Finding]]:
        requirement = load_requirements()[names[0]]
        sentence, _, why = (check.__doc__ or "").partition("Why:")
        reason = " ".join(why.split())
        name = check.__name__.replace("_", "-")
        CATALOGUE[name] = Rule(
            id=name,
            sentence=" ".join(sentence.split()),
            why=begin_sentence(reason),
            subject=subject,
            checks=names,
            binds=binds,
            level=Level.CONVENTION if eased else weigh(requirement, ambiguity),
            inherited=requirement.basis == "inherited",
            area=requirement.area,
            eased=eased,
            ambiguity=ambiguity,
            reading=load_ambiguities()[ambiguity].default if ambiguity else "",
            under_validator=under_validator,
            only=only,
            when=when,
            check=check,
        )
        return check

    return enter


def weigh(requirement: Requirement, ambiguity: str = "", reading: str = "") -> Level:
    """Return the level that a rule has by its requirement, or by how an ambiguous point is read."""
    if ambiguity:
        return Level(load_ambiguities()[ambiguity].find_level(reading))
    if requirement.basis == "inherited":
        return Level.SHOULD
    return {"MUST": Level.MUST, "SHOULD": Level.SHOULD}.get(requirement.level, Level.CONVENTION)


def begin_sentence(text: str) -> str:
    """Return a text with a capital at its beginning, unless it begins with code."""
    word = text.partition(" ")[0].rstrip(",;:")
    return text[:1].upper() + text[1:] if word.isalpha() else text
