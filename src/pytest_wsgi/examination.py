"""The examination of one target: loaded, driven and judged once, each when first asked for."""

from __future__ import annotations

import gc
import os
import warnings
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from operator import is_not
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_wsgi.canary import CANARY_RULE, canary
from pytest_wsgi.catalogue import CATALOGUE, Party
from pytest_wsgi.drivers.application import Terms, drive
from pytest_wsgi.drivers.guard import refuse_exits
from pytest_wsgi.exchange import Exchange, Loading, Problem
from pytest_wsgi.judge import Verdict, judge
from pytest_wsgi.loading import hosts
from pytest_wsgi.loading.asked import LoadError
from pytest_wsgi.loading.launch.facts import describe_launches
from pytest_wsgi.matter import (
    LOADS,
    OF_THE_WHOLE,
    SERVED,
    choose_for,
    drop_passed_on,
    list_behind,
    list_subjects,
)
from pytest_wsgi.passages import show_passages
from pytest_wsgi.probes.application import BATTERY, METHODS, PATH_PROBES
from pytest_wsgi.reach import LOADING, PROBE
from pytest_wsgi.reasons import explain, find_code, find_cut, note_behind, note_run
from pytest_wsgi.report import report_subject, report_verdict
from pytest_wsgi.rules import load_rules
from pytest_wsgi.secrecy import read_config, watch_secrets
from pytest_wsgi.selection import choose_rules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from pytest_wsgi.apart import Account
    from pytest_wsgi.catalogue import AnyRule
    from pytest_wsgi.drivers.application import Battery
    from pytest_wsgi.drivers.middleware import Inner
    from pytest_wsgi.judge import Subject as Judged
    from pytest_wsgi.layering import Layered
    from pytest_wsgi.loading.boundaries import Boundary
    from pytest_wsgi.loading.launch.launcher import Launcher
    from pytest_wsgi.probes import Probe
    from pytest_wsgi.reach import Watch
    from pytest_wsgi.recorder import Recording
    from pytest_wsgi.report import RuleReport, Subject
    from pytest_wsgi.report.reach import Reach
    from pytest_wsgi.report.redaction import Redactor

DEFAULT_HOSTS = ("localhost", "testserver")


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

    `inner` is the application that the target was put around, where the target is a middleware.
    `rules` are those that it is judged by. `launcher` starts fresh processes with the target, where
    there is a SPEC to load; `unlaunched` is why it is not used. `proof` is what is wrong with the
    engine, empty for nothing, and None where that was not asked yet. Reports name files relative to
    `root`. `find_layers` returns the boundaries within the loaded target, whose layers are judged
    by `layer_rules`. `examine_apart` returns the account of another process, None where it needs
    none. `environ` are the variables as they were before the target was loaded, which may take its
    secrets out of them. `watch` tells what is reached of the user's own code, None where nobody
    asks.
    """

    load: Callable[[], tuple[object | None, Loading]]
    inner: Inner | None = None
    rules: Mapping[str, AnyRule] = field(
        default_factory=lambda: choose_for(choose_rules().rules, "application")
    )
    wishes: Wishes = field(default_factory=Wishes)
    launcher: Launcher | None = None
    unlaunched: str = ""
    root: str = "."
    find_layers: Callable[[Any], Sequence[Boundary]] = lambda _application: ()
    layer_rules: Mapping[str, AnyRule] = field(
        default_factory=lambda: choose_for(CATALOGUE, "middleware")
    )
    examine_apart: Callable[[], Account | None] = lambda: None
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    application: Any = None
    proof: str | None = None
    watch: Watch | None = None
    _account: Account | None = None
    _loading: Loading | None = None
    _battery: Battery | None = None
    _verdicts: Mapping[str, Verdict] | None = None
    _notes: tuple[str, ...] = ()
    _refused: bool = False
    _boundaries: tuple[Boundary, ...] = ()
    _count: int = 0
    _redactor: Redactor | None = None
    _subject: Subject | None = None
    _known: tuple[object, ...] = ()

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
        self._redactor = None

    def describe_run(self) -> dict[str, Any]:
        """Return how the run went as builtin values: "exchanges", "notes" and "unproven"."""
        if self._account is not None:
            return self._account.run
        return {
            "exchanges": self._count,
            "notes": list(map(self.obtain_redactor().text, self._notes)),
            "unproven": "no request was answered with a page" if self._refused else "",
        }

    def watching(self, name: str) -> AbstractContextManager[None]:
        """Return what is entered while code of the user's runs, which counts as reached."""
        return nullcontext() if self.watch is None else self.watch.enter(name)

    def take_reach(self) -> Reach | None:
        """Return what was reached so far; None where nothing was since this was last asked."""
        if self._account is not None:
            account, self._account = self._account, replace(self._account, reach=None)
            return account.reach
        return None if self.watch is None else self.watch.take()

    def describe_site(self) -> dict[str, str]:
        """Return where the application was asked for; nothing before it was."""
        if self._battery is None:
            return {}
        site = self._battery.site
        return {"host": f"{site.host}, asked at {site.scheme}://{site.host}{site.path}"}

    def start_launches(self, *, spare_database: bool = False) -> None:
        """Launch the target in fresh processes, which work beside all that is done here.

        With `spare_database`, they keep from databases, because the tests have one of their own.
        """
        if self.launcher is not None and not self.unlaunched:
            self.launcher.start(spare_database=spare_database)

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
            with self.watching(LOADING), plain_warnings(), refuse_exits():
                self.application, self._loading = self.load()
            self._redactor = None
        return self._loading

    def obtain_battery(self) -> Battery:
        """Drive the battery when that was not done yet; the target must have loaded."""
        if self._battery is None:
            self._battery = self.drive(self.list_probes(), "/")
            behind = () if self.inner is None else note_behind(self.inner.seen)
            self._notes = (*note_run(self._battery), *behind)
        return self._battery

    def list_probes(self) -> Iterable[Probe]:
        """Return the battery of the target's kind."""
        if self.inner is None:
            return BATTERY
        from pytest_wsgi.probes.middleware import (  # noqa: PLC0415 # only for middleware
            MIDDLEWARE_BATTERY,
        )

        return MIDDLEWARE_BATTERY

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
        known = self.obtain_loading(), self._battery, self.obtain_redactor()
        if self._subject is None or any(map(is_not, known, self._known)):
            loading, _, redactor = self._known = known
            told = replace(loading, facts={**loading.facts, **self.describe_site()})
            self._subject = report_subject(told, redactor)
        return self._subject

    def obtain_redactor(self) -> Redactor:
        """Return what takes out of texts what was secret when the target was last asked."""
        if self._redactor is None:
            layers = (read_config(boundary.inner) for boundary in self._boundaries)
            known = watch_secrets(self.root, self.application, self.environ, *layers)
            self._redactor = known.spare(self._loading.spec if self._loading else "")
        return self._redactor

    def obtain_report(self, name: str) -> RuleReport:
        """Return what came of a rule, by its id, wherever it was judged."""
        account = self.obtain_account()
        if account is not None:
            return account.rules[name]
        return self._report(self.obtain_verdicts()[name])

    def obtain_path_reports(self, path: str) -> tuple[RuleReport, ...]:
        """Return what came of every rule over a further path; the target must have loaded."""
        account = self.obtain_account()
        if account is not None:
            return account.paths[path]
        return tuple(map(self._report, self.judge_path(path)))

    def judge_path(self, path: str) -> tuple[Verdict, ...]:
        """Return the verdicts over the few exchanges that a further path is asked for."""
        rules = [rule for rule in self.rules.values() if rule.id not in OF_THE_WHOLE]
        failure = self.obtain_proof()
        if failure:
            return fail_all(rules, failure)
        return judge_battery(rules, self.drive(PATH_PROBES, path))

    def drive(self, probes: Iterable[Probe], path: str) -> Battery:
        """Drive probes against the loaded target."""
        terms = self.make_terms(path)
        strict = any(action == "error" for action, *_ in warnings.filters)
        with plain_warnings():
            crossings = self.inner.crossings if self.inner is not None else None
            battery = drive(self.application, probes, terms, crossings)
            self._redactor = None
            if strict:
                gc.collect()  # what is left unclosed warns here, and not in a test of the user's
        self._count += sum(len(talk.exchanges) for talk in battery.conversations)
        return battery

    def make_terms(self, path: str) -> Terms:
        """Return the terms on which the loaded target is driven."""
        found = hosts() or DEFAULT_HOSTS
        wishes = self.wishes
        return Terms(
            hosts=(wishes.host,) if wishes.host else tuple(dict.fromkeys((*found, *DEFAULT_HOSTS))),
            path=path,
            unsafe=wishes.unsafe or self.inner is not None,  # it is ours that is asked then
            seconds=wishes.seconds,
            one_thread=wishes.one_thread,
            watch=lambda probe: self.watching(
                f"{PROBE}{probe}" if path == "/" else name_path(path)
            ),
        )

    def look_for_layers(self, loading: Loading) -> Loading:
        """Find the layers of a loaded target; one that was named and is missing is a problem."""
        if loading.problem is None and self.inner is None:
            try:
                self._boundaries = tuple(self.find_layers(self.application))
            except LoadError as error:
                self._loading = loading = replace(loading, problem=error.problem)
        return loading

    def obtain_layered(self, loading: Loading) -> tuple[Loading, Layered | None]:
        """Return what the layers of the target did, and what is to be known of them."""
        if not self._boundaries:
            return loading, None
        from pytest_wsgi.layering import drive_layers  # noqa: PLC0415 # only where there are layers

        with plain_warnings():
            layered = drive_layers(
                self.application, self._boundaries, BATTERY, self.make_terms("/"), Path(self.root)
            )
        faults = layered.list_faults(self.layer_rules.values())
        facts = {**loading.facts, "layers": layered.name_all()}
        self._loading = replace(loading, layer_faults=faults, facts=facts)
        return self._loading, layered

    def obtain_proof(self) -> str:
        """Return what is wrong with the engine, or an empty text; proved when first asked for."""
        if self.proof is None:
            self.proof = prove_engine()
        return self.proof

    def _report(self, verdict: Verdict) -> RuleReport:
        return report_verdict(verdict, self.root, self.obtain_redactor())

    def _judge(self) -> Iterator[Verdict]:
        loading = self.look_for_layers(self.obtain_loading())
        rules = list(self.rules.values())
        failure = self.obtain_proof()
        if failure:
            self.stop_launches("the engine failed")
            yield from fail_all(rules, failure)
        elif loading.problem is not None:
            self.stop_launches("it did not load")
            reason = f"the {loading.kind} did not load ({loading.problem.id})"
            for rule in rules:
                if rule.id == LOADS:
                    yield from judge([rule], [loading])
                else:
                    yield Verdict(rule=rule, outcome="blocked", reason=reason)
        else:
            battery = self.obtain_battery()
            loading = self.collect_launches(loading, battery)
            # Whatever rules were chosen: without a page none of them says much.
            (served,) = judge([CATALOGUE[SERVED]], list_subjects(battery.conversations))
            self._refused = self.inner is None and served.outcome == "broken"
            loading, layered = self.obtain_layered(loading)
            for verdict in judge_battery(rules, battery, loading):
                named = layered.blame(verdict) if layered is not None else verdict
                yield explain(named, battery, self.unlaunched or find_cut(loading))
            if self.watch is not None:
                self.watch.attribute(rules, list_judged(battery, loading))


def judge_battery(
    rules: Iterable[AnyRule], battery: Battery, *more: Loading
) -> tuple[Verdict, ...]:
    """Return the verdicts over all that was driven, and over `more`."""
    verdicts = judge(rules, list_judged(battery, *more))
    own = (drop_passed_on(verdict, battery.sandwiches) for verdict in verdicts)
    return tuple(show_passages(verdict, battery.sandwiches) for verdict in own)


def list_judged(battery: Battery, *more: Loading) -> list[Judged]:
    """Return what rules judge of all that was driven, and `more`."""
    outer = list_subjects(battery.conversations, battery.sandwiches)
    return [*more, *outer, *list_behind(battery.sandwiches)]


def name_path(path: str) -> str:
    """Return the name of what runs while a further path is asked for: the end of its item's id."""
    return f"every-rule@{path}"


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
