"""Why a rule was not exercised, and what a person should know of a run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_wsgi.matter import needs_launches

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from pytest_wsgi.catalogue import AnyRule
    from pytest_wsgi.drivers.application import Battery
    from pytest_wsgi.exchange import Loading
    from pytest_wsgi.judge import Verdict

OF_LAUNCHES = "its configuration did not call for it"
"""Why a rule over what fresh processes told was not exercised, where there is no other reason."""

OF_THREADS = {
    "application-serves-two-threads": "concurrent",
    "response-is-not-bound-to-a-thread": "threads-apart",
}
"""Rules over what happens in other threads, by the probe that they are about."""

_SUCCESS = 2
"""The first digit of a status code that tells success."""


def explain(verdict: Verdict, battery: Battery, unlaunched: str = "") -> Verdict:
    """Return a verdict that says why its rule was not exercised.

    `unlaunched` is why no fresh process was started, if none was.
    """
    rule = verdict.rule
    if verdict.outcome != "not exercised":
        return verdict
    of_launches = unlaunched or OF_LAUNCHES
    reason = of_launches if needs_launches(rule) else find_reason(rule, battery)
    return replace(verdict, reason=reason)


def find_reason(rule: AnyRule, battery: Battery) -> str:
    """Return why a rule over what was driven was not exercised."""
    undriven = dict(battery.undriven)
    probe = OF_THREADS.get(rule.id, "")
    if probe in undriven:
        return undriven[probe]
    withheld = any("--wsgi-unsafe" in reason for _, reason in battery.undriven)
    if withheld and needs_body(rule):
        return "needs a request with a body: --wsgi-unsafe"
    if battery.sandwiches and not any(sandwich.inner for sandwich in battery.sandwiches):
        return "the application behind the middleware was never called"
    return "nothing that the application did called for it"


def find_code(battery: Battery) -> int | None:
    """Return the status code of the plain GET, None without a response."""
    return next(
        (talk.baseline.code for talk in battery.conversations if talk.baseline is not None), None
    )


def find_cut(loading: Loading) -> str:
    """Return why a fresh process did not tell all, an empty text where it did."""
    end = loading.launches.alone.cut_short if loading.launches is not None else ""
    return f"a fresh process {end}" if end else ""


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


def note_behind(seen: Collection[str]) -> Iterator[str]:
    """Yield what a person should know of the scripts that were played behind a middleware."""
    from pytest_wsgi.scripts import SCRIPTS  # noqa: PLC0415 # only for middleware

    missed = [script.text for name, script in SCRIPTS.items() if name not in seen]
    yield f"the application behind was reached in {len(seen)} of {len(SCRIPTS)} ways"
    if missed:
        yield f"never reached where the application {'; '.join(missed)}"
