"""Ratios of recording and judging one exchange to the same exchange under wsgiref.validate.

Every figure of a line is measured within one run, the rounds of the candidates taking turns, so
that the noise of the machine falls on all alike. Run with `python benchmarks/exchange.py`.
"""

from __future__ import annotations

import statistics
import time
from threading import get_ident
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

from pytest_wsgi.catalogue import CATALOGUE, Party
from pytest_wsgi.drivers.middleware import Crossings
from pytest_wsgi.exchange import Exchange
from pytest_wsgi.judge import judge
from pytest_wsgi.recorder import Recording
from pytest_wsgi.rules import load_rules

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_wsgi.drivers.guard import Guard
    from pytest_wsgi.drivers.middleware import Crossing

ROUNDS = 31
CALLS = 300

RUN = 50
"""How many exchanges are judged together: as many as a run drives bare."""


def application(_environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    """Answer in the shortest way."""
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "5")])
    return [b"hello"]


BASE: dict[str, Any] = {"QUERY_STRING": ""}
setup_testing_defaults(BASE)


def start_response(_status: str, _headers: list[tuple[str, str]], _exc_info: Any = None) -> Any:
    """Take the response, as a server does."""
    return lambda _data: None


def serve(called: Any) -> None:
    """Play the server: call, join the blocks, close."""
    result = called(BASE.copy(), start_response)
    try:
        b"".join(result)
    finally:
        if hasattr(result, "close"):
            result.close()


VALIDATED = validator(application)


def bare() -> None:
    """Serve the application as it is."""
    serve(application)


def validated() -> None:
    """Serve it under wsgiref.validate."""
    serve(VALIDATED)


def recorded() -> Recording:
    """Serve it under a recording."""
    recording = Recording(application)
    serve(recording)
    return recording


def middleware(inner: Any) -> Any:
    """Wrap an application as a small middleware does: another start_response, the same body."""

    def wrapping(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            return start_response(status, [*headers, ("X-Wrapped", "yes")], exc_info)

        return inner(environ, start)

    return wrapping


BOTH_VALIDATED = validator(middleware(validator(application)))
SERVED: dict[int, Recording] = {}
CROSSINGS = Crossings()
CROSSINGS.guard = cast("Guard", SimpleNamespace(serving=SERVED))


def behind(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
    """Stand behind the middleware, as `Inner` does, with the same trivial application."""
    crossing = cast("Crossing", CROSSINGS.find())
    return crossing.call(application, "inner", (environ, start_response), ())


WRAPPED = middleware(behind)


def both_validated() -> None:
    """Serve a middleware with wsgiref.validate on both sides."""
    serve(BOTH_VALIDATED)


def sandwiched() -> None:
    """Serve a middleware with a recorder on both sides, into one log."""
    recording = Recording(WRAPPED)
    CROSSINGS.expect(recording, "page", under_validator=False)
    SERVED[get_ident()] = recording
    serve(recording)
    CROSSINGS.forget(recording)


def judged() -> None:
    """Serve a run's worth of exchanges under recordings, and judge them by every rule over them."""
    judge(RULES, [recorded().finish(probe="get", request="GET /") for _ in range(RUN)])


def measure(candidates: tuple[Callable[[], object], ...], calls: int) -> dict[str, float]:
    """Return the median seconds of one call of each, in rounds of `calls` that take turns."""
    rounds: dict[str, list[float]] = {candidate.__name__: [] for candidate in candidates}
    for _ in range(ROUNDS):
        for candidate in candidates:
            begin = time.perf_counter()
            for _ in range(calls):
                candidate()
            rounds[candidate.__name__].append((time.perf_counter() - begin) / calls)
    return {name: statistics.median(seconds) for name, seconds in rounds.items()}


load_rules()
RULES = [
    rule
    for rule in CATALOGUE.values()
    if rule.subject is Exchange and rule.binds is Party.APPLICATION
]


def main() -> None:
    """Print each candidate as microseconds and as a ratio to wsgiref.validate."""
    seconds = measure((bare, validated, recorded), CALLS)
    seconds["judged"] = measure((validated, judged), CALLS // RUN)["judged"] / RUN
    print(f"one exchange of a trivial application; {len(RULES)} rules over exchanges")
    for name, value in seconds.items():
        ratio = value / seconds["validated"]
        print(f"  {name:<10} {value * 1e6:7.1f} us   {ratio:5.2f} x wsgiref.validate")
    seconds = measure((both_validated, sandwiched), CALLS)
    print("one exchange of a middleware around it")
    for name, value in seconds.items():
        ratio = value / seconds["both_validated"]
        print(f"  {name:<14} {value * 1e6:7.1f} us   {ratio:5.2f} x wsgiref.validate on both sides")


if __name__ == "__main__":
    main()
