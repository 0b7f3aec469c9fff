"""The values that a report is made of, and what follows from them.

All texts are for people and hold no object of the target. The order of the fields is the order of
the keys in JSON.
"""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 # `plain` reads the annotations at run time
from dataclasses import dataclass, field

from pytest_wsgi.catalogue import Level
from pytest_wsgi.exchange import Problem  # noqa: TC001 # `plain` reads the annotations at run time
from pytest_wsgi.judge import Outcome  # noqa: TC001 # `plain` reads the annotations at run time
from pytest_wsgi.ledger import count_requirements
from pytest_wsgi.report.reach import Reach  # noqa: TC001 # `plain` reads the annotations at run time

COUNTED: tuple[Outcome, ...] = ("held", "broken", "not exercised", "known", "blocked")
"""The verdicts that the totals count; a harness error is none on the target."""

EXERCISED: frozenset[Outcome] = frozenset({"held", "broken", "known"})
"""The verdicts of rules whose precondition came up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpt:
    """Some lines of a source file, as they were when the report was made; `first` numbers one."""

    first: int
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEvent:
    """One event of an exchange: who did something to whom, and what, in a few words.

    `source` and `target` are "server", "application", "middleware" or "inner application", or name
    the layers of a wrapped application.
    `offending` marks the event that a finding is about; `skipped` counts the events before this
    one that are left out.
    """

    number: int
    source: str
    target: str
    text: str
    offending: bool = False
    skipped: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stimulus:
    """What an exchange was asked with, so that it can be asked again.

    `environ` holds the variables that are safe to show, written as Python does it; `withheld` names
    those of the request's other headers that are not shown. `reading` tells how the server read the
    iterable; see `exchange.Reading`.
    """

    environ: Mapping[str, str]
    withheld: tuple[str, ...] = ()
    body_length: int = 0
    reading: str = "complete"
    under_validator: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingReport:
    """One way in which a rule was broken; it stands for every request in which that was seen.

    `message` may have several lines and may be empty. `observed_type` names the type of what was
    observed. `event` is the line of the event, `2  start_response(...)`, or empty. `file` is
    relative to the root, with `/`; None with `line` where the source is not below the root.
    `traceback` is the application's own, or empty. `also` are the other requests. `layer` names the
    layer of a wrapped application that is to blame, with its place; empty where that is not known.
    `excerpt` is the source around `line`, None where it could not be read. `timeline` holds the
    events of the exchange around the one that it is about, `stimulus` what it was asked with; empty
    and None where the finding is about no exchange. `lanes` are those who take part in the
    timeline, from the server inwards.
    """

    message: str
    request: str
    expected: str
    observed: str
    file: str | None = None
    line: int | None = None
    probe: str = ""
    event: str = ""
    observed_type: str = ""
    also: tuple[str, ...] = ()
    traceback: str = ""
    layer: str = ""
    excerpt: Excerpt | None = None
    timeline: tuple[TimelineEvent, ...] = ()
    stimulus: Stimulus | None = None
    lanes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleReport:
    """What came of one rule.

    `level` is "must", "should" or "convention", `party` who is bound. `requirements` are ids;
    `section` names where the first of them stands and `link` is its address. `reason` says why a
    rule was not exercised, is blocked, or ended in a harness error. `exercised` counts the subjects
    over which it was judged. `inherited` marks requirements of HTTP and CGI; `eased` says why the
    level is lower than that of the requirement, and `ambiguity` how an ambiguous point is read.
    `fixes` says how to mend it, by what the program is made with; `rerun` is the command that
    judges it again. Both may be empty.
    """

    id: str
    level: str
    area: str
    party: str
    requirements: tuple[str, ...] = ()
    verdict: Outcome
    section: str = ""
    link: str = ""
    sentence: str = ""
    why: str = ""
    reason: str = ""
    exercised: int = 0
    inherited: bool = False
    eased: str = ""
    ambiguity: str = ""
    findings: tuple[FindingReport, ...] = ()
    fixes: Mapping[str, str] = field(default_factory=dict)
    rerun: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What was judged, how it was asked for and where it was found; see `exchange.Loading`.

    `object` names the type of the loaded object. `facts` are shown in their order.
    """

    kind: str
    spec: str
    file: str | None = None
    line: int | None = None
    label: str = ""
    origin: str = ""
    object: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    problem: Problem | None = None

    @property
    def place(self) -> str:
        """File and line, as `mysite/wsgi.py:12`; the file alone, or empty."""
        return name_place(self.file, self.line)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What the rules were proved with: how many there are, and how many programs of each kind.

    Each mutant breaks one rule, its mended twin keeps it, and controls are odd but lawful.
    """

    rules: int
    mutants: int
    twins: int
    controls: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A finding as the baseline has it, or has it not, and as the run found it.

    `state` is "new": broken, and not in the baseline; "expired" or "unexplained": broken, and the
    entry does not count; "known": broken, and it does; "fixed": listed, and broken no longer; or
    "not exercised": listed, and nothing called for the rule. `shows` reminds of what was seen.
    `first_seen` and `expires` are dates such as "2027-01-31", `issue` is an address; each of
    them and `reason` may be empty.
    """

    state: str
    rule: str
    finding: str
    shows: str = ""
    reason: str = ""
    first_seen: str = ""
    expires: str = ""
    issue: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a subject stands to its baseline: the `file`, and what changed since, worst first."""

    file: str
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a run found out about one subject.

    `environment` holds "python", "platform", "pytest", "pytest_wsgi" and "packages". `notes` say
    how the run came about: how the site was found, what was not driven and why. `ignored` holds the
    rules that were left out on purpose, with the reason where one was given; `unjudged` counts the
    other MUSTs that the run did not select or did not come to. `exchanges` counts
    what was driven. `unproven` says why nothing counts as proven although rules were exercised,
    such as "every request was refused with 400"; empty where there is no such reason. `proof` tells
    what the rules of this version were proved with, None where that was not asked. `standing` is
    None where there is no baseline, and `reach` where the user's code was not measured.
    """

    subject: Subject
    environment: Mapping[str, str | Mapping[str, str]]
    rules: tuple[RuleReport, ...]
    ignored: Mapping[str, str] = field(default_factory=dict)
    unjudged: int = 0
    notes: tuple[str, ...] = ()
    exchanges: int = 0
    unproven: str = ""
    proof: Proof | None = None
    standing: Standing | None = None
    reach: Reach | None = None

    @property
    def totals(self) -> dict[str, dict[str, int]]:
        """How many rules of each level have each verdict."""
        return {
            level.value: {
                verdict: sum(
                    rule.level == level.value and rule.verdict == verdict for rule in self.rules
                )
                for verdict in COUNTED
            }
            for level in Level
        }

    @property
    def exercised_requirements(self) -> frozenset[str]:
        """The requirements that this run exercised."""
        return frozenset(
            name for rule in self.rules if rule.verdict in EXERCISED for name in rule.requirements
        )

    @property
    def requirement_coverage(self) -> dict[str, int]:
        """How many requirements the rules check, and how many of them this run exercised."""
        checked = {name for rule in self.rules for name in rule.requirements}
        return {"checked": len(checked), "exercised": len(self.exercised_requirements)}

    @property
    def ledger(self) -> dict[str, dict[str, int]]:
        """How many requirements of each level were exercised, can be checked, and are there."""
        actor = "middleware" if self.subject.kind == "middleware" else "application"
        return count_requirements(self.exercised_requirements, actor)

    @property
    def harness_errors(self) -> tuple[RuleReport, ...]:
        """The rules that ended in a harness error."""
        return tuple(rule for rule in self.rules if rule.verdict == "harness error")

    @property
    def is_proven(self) -> bool:
        """Tell whether the run says anything: the subject loaded and a rule was exercised."""
        return (
            self.subject.problem is None
            and not self.unproven
            and any(rule.verdict in EXERCISED for rule in self.rules)
        )

    @property
    def sentence(self) -> str:
        """The verdict in one sentence, and one more where the harness itself failed."""
        failed = len(self.harness_errors)
        if not failed or self.subject.problem is not None:
            return self._tell_verdict()
        return f"{self._tell_verdict()} Harness errors: {failed}, which say nothing of it."

    def _tell_verdict(self) -> str:
        if self.subject.problem is not None:
            return f"Nothing was proven: the {self.subject.kind} did not load."
        name = self.subject.spec or f"the {self.subject.kind}"
        must = self.totals["must"]
        total = sum(must.values())
        left = must["not exercised"] + must["blocked"]
        unjudged = f", {self.unjudged} not judged" if self.unjudged else ""
        ignored = f"; rules ignored: {len(self.ignored)}" if self.ignored else ""
        if must["broken"]:
            rest = f", {left} not exercised" if left else ""
            return f"{name} breaks {must['broken']} of {total} MUSTs{rest}{unjudged}{ignored}."
        if not self.is_proven:
            return f"Nothing was proven: {self.unproven or 'no rule was exercised'}."
        if not total:
            return f"Nothing was proven of the MUSTs of PEP 3333: none was judged{ignored}."
        if not must["held"] + must["known"]:
            return f"Nothing was proven of the {total} MUSTs of PEP 3333: none was exercised."
        known = f"{must['known']} known, " if must["known"] else ""
        return (
            f"{name} keeps PEP 3333 as far as it was exercised: {must['held']} of {total} MUSTs "
            f"held, none broken, {known}{left} not exercised{unjudged}{ignored}."
        )

    def broken(self, level: str) -> tuple[RuleReport, ...]:
        """Return the rules of a level that are broken."""
        return tuple(
            rule for rule in self.rules if rule.level == level and rule.verdict == "broken"
        )


def fails(report: Report, *, strict: bool) -> bool:
    """Tell whether a run fails: a MUST broken, a harness error, or nothing proven.

    With `strict` a broken SHOULD fails it too.
    """
    return bool(
        report.broken("must")
        or report.harness_errors
        or not report.is_proven
        or (strict and report.broken("should"))
    )


def name_place(file: str | None, line: int | None) -> str:
    """Return `file:line`, the file alone, or an empty text."""
    if file is None:
        return ""
    return file if line is None else f"{file}:{line}"
