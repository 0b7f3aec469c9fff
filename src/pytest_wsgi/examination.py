"""The examination of one target: loaded, driven and judged once, each when first asked for."""

from __future__ import annotations

import gc
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pytest_wsgi.canary import CANARY_RULE, canary
from pytest_wsgi.catalogue import CATALOGUE, Party
from pytest_wsgi.drivers.application import Terms, drive
from pytest_wsgi.drivers.guard import refuse_exits
from pytest_wsgi.exchange import Conversation, Exchange, Loading, Problem
from pytest_wsgi.judge import Verdict, judge
from pytest_wsgi.loading import hosts
from pytest_wsgi.loading.launch.facts import describe_launches
from pytest_wsgi.probes.application import BATTERY, METHODS, PATH_PROBES
from pytest_wsgi.report import report_subject, report_verdict
from pytest_wsgi.rules import load_rules
from pytest_wsgi.selection import choose_rules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from pytest_wsgi.apart import Account
    from pytest_wsgi.catalogue import AnyRule
    from pytest_wsgi.drivers.application import Battery
    from pytest_wsgi.loading.launch.launcher import Launcher
    from pytest_wsgi.probes import Probe
    from pytest_wsgi.recorder import Recording
    from pytest_wsgi.report import RuleReport, Subject

LOADS = "application-loads"
"""The rule over the Loading; every other one is over exchanges."""

SERVED = "requests-are-served"
"""The rule that is broken where no request shows a page: then no other one says much."""

OF_THE_WHOLE = frozenset({LOADS, SERVED})
"""Rules that say nothing of one further path: it may be an error page or a redirect by design."""

OF_LAUNCHES = "its configuration did not call for it"
"""Why a rule over what fresh processes told was not exercised, where there is no other reason."""

OF_THREADS = {
    "application-serves-two-threads": "concurrent",
    "response-is-not-bound-to-a-thread": "threads-apart",
}
"""Rules over what happens in other threads, by the probe that they are about."""

DEFAULT_HOSTS = ("localhost", "testserver")

_SUCCESS = 2
"""The first digit of a status code that tells success."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the user asked for: an empty `host` is found out, `seconds` bound one exchange.

    `one_thread` is the reason why all must happen in one thread, if there is one.
    """

    host: str = ""
    unsafe: bool = False
    seconds: float = 10.0
    one_thread: str = ""


@dataclass(kw_only=True)
class Examination:
    """One target's examination. `load` returns the application and how it was loaded.

    `rules` are those that it is judged by. `launcher` starts fresh processes with the target, where
    there is a SPEC to load; `unlaunched` is why it is not used. `proof` is what is wrong with the
    engine, empty for nothing, and None where that was not asked yet. Reports name files relative to
    `root`. `examine_apart` returns the account of another process, None where it needs none.
    """

    load: Callable[[], tuple[object | None, Loading]]
    rules: Mapping[str, AnyRule] = field(default_factory=lambda: choose_rules().rules)
    wishes: Wishes = field(default_factory=Wishes)
    launcher: Launcher | None = None
    unlaunched: str = ""
    root: str = "."
    examine_apart: Callable[[], Account | None] = lambda: None
    application: Any = None
    proof: str | None = None
    _account: Account | None = None
    _loading: Loading | None = None
    _battery: Battery | None = None
    _verdicts: Mapping[str, Verdict] | None = None
    _notes: tuple[str, ...] = ()
    _refused: bool = False
    _count: int = 0

    @property
    def is_loaded(self) -> bool:
        """Whether loading was tried."""
        return self._loading is not None

    @property
    def is_judged(self) -> bool:
        """Whether there are verdicts."""
        return self._verdicts is not None or self.is_apart

    @property
    def is_apart(self) -> bool:
        """Whether it was examined in a process of its own."""
        return self._account is not None

    def adopt(self, application: object, loading: Loading, problem: Problem | None = None) -> None:
        """Take an application that was made in another way, or the problem with making it."""
        self.stop_launches("it was made by a fixture, which a fresh process does not have")
        self.application = application
        self._loading = loading if problem is None else replace(loading, problem=problem)

    def describe_run(self) -> dict[str, Any]:
        """Return how the run went as builtin values: "exchanges", "notes" and "unproven"."""
        if self._account is not None:
            return self._account.run
        return {
            "exchanges": self._count,
            "notes": list(self._notes),
            "unproven": "no request was answered with a page" if self._refused else "",
        }

    def describe_site(self) -> dict[str, str]:
        """Return where the application was asked for; nothing before it was."""
        if self._battery is None:
            return {}
        site = self._battery.site
        return {"host": f"{site.host}, asked at {site.scheme}://{site.host}{site.path}"}

    def start_launches(self) -> None:
        """Launch the target in fresh processes, which work beside all that is done here."""
        if self.launcher is not None and not self.unlaunched:
            self.launcher.start(spare_database=bool(self.wishes.one_thread))

    def stop_launches(self, reason: str = "") -> None:
        """End the fresh processes; with a reason, none is started any more."""
        self.unlaunched = self.unlaunched or reason
        if self.launcher is not None:
            self.launcher.stop()

    def collect_launches(self, loading: Loading, battery: Battery) -> Loading:
        """Return how the target was loaded with what the fresh processes told."""
        if self.launcher is None or self.unlaunched:
            return loading
        launches = self.launcher.collect(find_code(battery))
        facts = {**loading.facts, **describe_launches(launches)}
        self._loading = replace(loading, launches=launches, facts=facts)
        return self._loading

    def obtain_loading(self) -> Loading:
        """Load the target when that was not done yet, and return how that went."""
        if self._loading is None:
            with plain_warnings(), refuse_exits():
                self.application, self._loading = self.load()
        return self._loading

    def obtain_battery(self) -> Battery:
        """Drive the battery when that was not done yet; the target must have loaded."""
        if self._battery is None:
            self._battery = self.drive(BATTERY, "/")
            self._notes = tuple(note_run(self._battery))
        return self._battery

    def obtain_verdicts(self) -> Mapping[str, Verdict]:
        """Return the verdict of every rule by its id; all but one are blocked without a target."""
        if self._verdicts is None:
            try:
                self._verdicts = {verdict.rule.id: verdict for verdict in self._judge()}
            finally:
                self.stop_launches()  # an interrupt leaves no process behind
        return self._verdicts

    def obtain_account(self) -> Account | None:
        """Return what another process found out; None where the target is examined in this one."""
        if self._account is None:
            self._account = self.examine_apart()
        return self._account

    def obtain_subject(self) -> Subject:
        """Return what is to be known of the target; loads it where that was not done yet."""
        account = self.obtain_account()
        if account is not None:
            return account.subject
        subject = report_subject(self.obtain_loading())
        return replace(subject, facts={**subject.facts, **self.describe_site()})

    def obtain_report(self, name: str) -> RuleReport:
        """Return what came of a rule, by its id, wherever it was judged."""
        account = self.obtain_account()
        if account is not None:
            return account.rules[name]
        return report_verdict(self.obtain_verdicts()[name], self.root)

    def obtain_path_reports(self, path: str) -> tuple[RuleReport, ...]:
        """Return what came of every rule over a further path; the target must have loaded."""
        account = self.obtain_account()
        if account is not None:
            return account.paths[path]
        return tuple(report_verdict(verdict, self.root) for verdict in self.judge_path(path))

    def judge_path(self, path: str) -> tuple[Verdict, ...]:
        """Return the verdicts over the few exchanges that a further path is asked for."""
        rules = [rule for rule in self.rules.values() if rule.id not in OF_THE_WHOLE]
        failure = self.obtain_proof()
        if failure:
            return fail_all(rules, failure)
        battery = self.drive(PATH_PROBES, path)
        return judge(rules, list_subjects(battery.conversations))

    def drive(self, probes: Iterable[Probe], path: str) -> Battery:
        """Drive probes against the loaded target."""
        found = hosts() or DEFAULT_HOSTS
        wishes = self.wishes
        terms = Terms(
            hosts=(wishes.host,) if wishes.host else tuple(dict.fromkeys((*found, *DEFAULT_HOSTS))),
            path=path,
            unsafe=wishes.unsafe,
            seconds=wishes.seconds,
            one_thread=wishes.one_thread,
        )
        strict = any(action == "error" for action, *_ in warnings.filters)
        with plain_warnings():
            battery = drive(self.application, probes, terms)
            if strict:
                gc.collect()  # what is left unclosed warns here, and not in a test of the user's
        self._count += sum(len(talk.exchanges) for talk in battery.conversations)
        return battery

    def obtain_proof(self) -> str:
        """Return what is wrong with the engine, or an empty text; proved when first asked for."""
        if self.proof is None:
            self.proof = prove_engine()
        return self.proof

    def _judge(self) -> Iterator[Verdict]:
        loading = self.obtain_loading()
        rules = list(self.rules.values())
        failure = self.obtain_proof()
        if failure:
            self.stop_launches("the engine failed")
            yield from fail_all(rules, failure)
        elif loading.problem is not None:
            self.stop_launches("it did not load")
            reason = f"the application did not load ({loading.problem.id})"
            for rule in rules:
                if rule.id == LOADS:
                    yield from judge([rule], [loading])
                else:
                    yield Verdict(rule=rule, outcome="blocked", reason=reason)
        else:
            battery = self.obtain_battery()
            loading = self.collect_launches(loading, battery)
            subjects = [loading, *list_subjects(battery.conversations)]
            # Whatever rules were chosen: without a page none of them says much.
            (served,) = judge([CATALOGUE[SERVED]], subjects)
            self._refused = served.outcome == "broken"
            for verdict in judge(rules, subjects):
                yield explain(verdict, battery, self.unlaunched or find_cut(loading))


def list_subjects(
    conversations: Iterable[Conversation],
) -> list[Exchange | Conversation | Loading]:
    """Return what rules judge: exchanges, conversations, and one of all bare exchanges."""
    conversations = tuple(conversations)
    exchanges = [exchange for talk in conversations for exchange in talk.exchanges]
    bare = tuple(exchange for exchange in exchanges if not exchange.under_validator)
    whole = Conversation(probe="battery", exchanges=bare, baseline=bare[0] if bare else None)
    return [*exchanges, *conversations, whole]


def judge_recordings(
    rules: Iterable[AnyRule], recordings: Iterable[Recording], name: str
) -> tuple[Verdict, ...]:
    """Return the verdicts over what a user's test called `name` exchanged."""
    exchanges = [
        recording.finish(
            probe="test", request=f"{recording.name_request()} in {name}", number=number
        )
        for number, recording in enumerate(recordings, 1)
    ]
    applicable = [
        rule for rule in rules if rule.subject is Exchange and rule.binds is Party.APPLICATION
    ]
    return judge(applicable, exchanges)


def explain(verdict: Verdict, battery: Battery, unlaunched: str = "") -> Verdict:
    """Return a verdict that says why its rule was not exercised.

    `unlaunched` is why no fresh process was started, if none was.
    """
    if verdict.outcome != "not exercised":
        return verdict
    if verdict.rule.subject is Loading:
        return replace(verdict, reason=unlaunched or OF_LAUNCHES)
    undriven = dict(battery.undriven)
    probe = OF_THREADS.get(verdict.rule.id, "")
    if probe in undriven:
        return replace(verdict, reason=undriven[probe])
    withheld = any("--wsgi-unsafe" in reason for _, reason in battery.undriven)
    if withheld and needs_body(verdict.rule):
        return replace(verdict, reason="needs a request with a body: --wsgi-unsafe")
    return replace(verdict, reason="nothing that the application did called for it")


def find_code(battery: Battery) -> int | None:
    """Return the status code of the plain GET, None without a response."""
    return next(
        (talk.baseline.code for talk in battery.conversations if talk.baseline is not None), None
    )


def find_cut(loading: Loading) -> str:
    """Return why a fresh process did not tell all, an empty text where it did."""
    end = loading.launches.alone.cut_short if loading.launches is not None else ""
    return f"a fresh process {end}" if end else ""


def needs_launches(rule: AnyRule) -> bool:
    """Tell whether a rule is over what fresh processes told."""
    return rule.subject is Loading and rule.id != LOADS


def needs_body(rule: AnyRule) -> bool:
    """Tell whether a rule is about what an application does with a request's body."""
    return rule.area == "input" or "environ-content-length-optional" in rule.checks


def note_run(battery: Battery) -> Iterator[str]:
    """Yield what a person should know of how an application was driven."""
    bare = [
        exchange
        for talk in battery.conversations
        for exchange in talk.exchanges
        if not exchange.under_validator
    ]
    codes = sorted({exchange.code for exchange in bare if exchange.code is not None})
    if codes and all(code // 100 != _SUCCESS for code in codes):
        answers = ", ".join(map(str, codes))
        yield f"no request succeeded (answers: {answers}); --wsgi-path PATH asks for more pages"
    yield from battery.notes
    reasons: dict[str, list[str]] = {}
    for name, reason in battery.undriven:
        reasons.setdefault(reason, []).append(name)
    for reason, names in reasons.items():
        yield f"not driven, {reason}: {', '.join(names)}"


def fail_all(rules: Iterable[AnyRule], failure: str) -> tuple[Verdict, ...]:
    """Return a harness error for every rule: nothing may be said of the target."""
    return tuple(Verdict(rule=rule, outcome="harness error", reason=failure) for rule in rules)


def prove_engine() -> str:
    """Drive and judge the canary; return what is wrong with the engine, or an empty text."""
    load_rules()
    battery = drive(canary, METHODS[:1], Terms())
    (verdict,) = judge([CATALOGUE[CANARY_RULE]], list_subjects(battery.conversations))
    if verdict.outcome == "broken":
        return ""
    return f"the canary, which breaks {CANARY_RULE}, was not flagged: {verdict.outcome}"


@contextmanager
def plain_warnings() -> Iterator[None]:
    """Let the target warn as it would under a server, also where pytest runs with `-W error`."""
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        yield
