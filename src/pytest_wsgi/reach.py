"""How much of the user's own code is reached by loading a target and probing it.

coverage.py measures that. Where it measures already (pytest-cov, `coverage run`), its own instance
is used: a second one would take its place. It is told under which context a line runs, and later
which rule was exercised by that; lines are added to no file that it does not measure.

Lines outside of functions count wherever they ran, because a module is imported once, be it by the
target or by a test before; so does all that ran before the first test, such as Django's setup.
"""

from __future__ import annotations

import re
import sys
import warnings
from collections import defaultdict
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_wsgi.exchange import Conversation, Loading
from pytest_wsgi.judge import list_exercised
from pytest_wsgi.matter import needs_launches
from pytest_wsgi.own_code import list_imported
from pytest_wsgi.report.reach import Reach, describe_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from coverage import Coverage, CoverageData

    from pytest_wsgi.catalogue import AnyRule
    from pytest_wsgi.judge import Subject
    from pytest_wsgi.own_code import OwnCode
    from pytest_wsgi.report.reach import FileReach

LOADING = "loading"
"""The name of what runs while the target is loaded."""

PROBE = "probe:"
"""What the name of what runs while a probe is driven begins with."""

_ANY = r"(^|\|)wsgi:"
"""What our contexts begin with, after the static context of the user's, if there is one."""


class ReachError(Exception):
    """Nothing can be measured; the message says why, and what to do."""


def begin(root: Path) -> Gauge:
    """Measure from now on; raises ReachError where coverage.py is missing or cannot start."""
    try:
        import coverage  # noqa: PLC0415 # optional, and only when asked for
    except ImportError:
        raise ReachError(
            "--wsgi-reach needs coverage.py, which is not installed.\n"
            "Try: pip install 'pytest-wsgi[reach]'"
        ) from None
    try:
        current = coverage.Coverage.current
        return Gauge(current, None if current() else make_own(root.resolve()))
    except coverage.CoverageException as error:  # its configuration cannot be read, say
        raise ReachError(f"--wsgi-reach: coverage.py says: {error}") from None


def make_own(root: Path) -> Coverage:
    """Return a Coverage of files below a directory that keeps its data in memory.

    The user's configuration tells what to leave out and how threads are made, and nothing else.
    """
    told = make_coverage(data_file=None)
    left_out = [*(told.get_option("run:omit") or ()), f"{escape(str(Path(__file__).parent))}/*"]  # type: ignore[misc] # a list
    own = make_coverage(
        data_file=None, config_file=False, include=[f"{escape(str(root))}/*"], omit=left_out
    )
    ways = [way for way in told.get_option("run:concurrency") or () if way != "multiprocessing"]  # type: ignore[union-attr] # as above
    own.set_option("run:concurrency", ways)
    own.set_option("run:core", "ctrace")  # sys.monitoring knows no contexts yet
    return own


def make_coverage(**how: Any) -> Coverage:
    """Return a new Coverage; where one was begun with the process, that still saves its data.

    coverage.py takes it that a newer one is meant to take its place, and would drop them.
    """
    from coverage import Coverage, process_startup  # noqa: PLC0415 # optional, only when asked for

    kept = vars(process_startup)
    begun = kept.pop("coverage", None)
    try:
        return Coverage(**how)
    finally:
        if begun is not None:
            kept["coverage"] = begun


class Gauge:
    """Reads what coverage.py measured in this process, by `own` or by whatever else measures.

    `current` returns the Coverage that measures now, if any does. `before` holds the lines of each
    file that ran before the first test.
    """

    def __init__(self, current: Callable[[], Coverage | None], own: Coverage | None) -> None:
        self.current = current
        self.own = own
        self.before: dict[Path, set[int]] = {}
        if own is not None:
            with quiet():
                own.start()

    def stop(self) -> None:
        """Measure no more, as far as that was begun here."""
        if self.own is not None and self.current() is self.own:
            with quiet():
                self.own.stop()
            obtain_data(self.own).close(force=True)

    def note_start(self) -> None:
        """Take all that ran so far for what loading needs: call this before the first test."""
        self.before = self.read()

    def read(self, own: OwnCode | None = None, context: str | None = None) -> dict[Path, set[int]]:
        """Return which lines ran under contexts that match, or any, of own files, or of all."""
        found: dict[Path, set[int]] = defaultdict(set)
        for one in dict.fromkeys((self.own, self.current())):
            if one is not None:
                data = obtain_data(one)
                for file, lines in read_lines(data, list_files(data, own), context).items():
                    found[file] |= lines
        return found

    @contextmanager
    def enter(self, context: str) -> Iterator[None]:
        """Have what runs meanwhile recorded under a context."""
        active = self.current()
        if active is None:  # somebody has stopped it
            yield
            return
        previous = switch(active, context)
        try:
            yield
        finally:
            if self.current() is active:
                switch(active, previous)


class Watch:
    """Tells what one target reached: `label` is the target's, `own` tells the user's files.

    What it enters has names: LOADING, PROBE and a probe's name, and the path items by their own.
    """

    def __init__(self, gauge: Gauge, label: str, own: OwnCode) -> None:
        self.gauge = gauge
        self.label = label
        self.own = own
        self.is_told = True
        self.ran: dict[Path, set[int]] = {}
        self.known: dict[Path, FileReach] = {}

    def name(self, name: str) -> str:
        """Return the context of a name or of a rule: it ends as the item's id does."""
        return f"wsgi:{self.label}::{name}"

    @contextmanager
    def enter(self, name: str) -> Iterator[None]:
        """Count what runs meanwhile as reached."""
        self.is_told = False
        with self.gauge.enter(self.name(name)):
            yield

    def attribute(self, rules: Iterable[AnyRule], subjects: Iterable[Subject]) -> None:
        """Give each rule a context with the lines that ran for what it was exercised over.

        Nobody sees those of a measurement of our own, so there are none.
        """
        active = self.gauge.current()
        if active is None or active is self.gauge.own:
            return
        # What fresh processes ran is not measured.
        exercised = list_exercised((one for one in rules if not needs_launches(one)), subjects)
        named = {rule: set().union(*map(list_names, found)) for rule, found in exercised.items()}
        sources = {self.name(rule): {*map(self.name, n)} for rule, n in named.items()}
        add_contexts(active, sources, self.own)

    def take(self) -> Reach | None:
        """Return what was reached so far; None where nothing was entered since this was asked."""
        if self.is_told:
            return None
        self.is_told = True
        label = re.escape(self.label)
        reached = self.gauge.read(self.own, rf"{_ANY}{label}::")
        others = self.gauge.read(self.own, rf"{_ANY}(?!{label}::)")
        ran: dict[Path, set[int]] = {}
        for file, lines in sorted(self.gauge.read(self.own).items()):
            mine = reached[file] | self.gauge.before.get(file, set())
            if lines and (mine or not others[file]):
                ran[file] = mine | (lines & list_imported(file))
        changed = {file: lines for file, lines in ran.items() if self.ran.get(file) != lines}
        self.known |= read_files(changed, self.own.root)  # which takes far longer than the rest
        self.ran = ran
        return Reach(files=tuple(self.known[file] for file in ran if file in self.known))


def list_names(subject: Subject) -> set[str]:
    """Return the names of what was entered for a subject."""
    if isinstance(subject, Loading):
        return {LOADING}
    if isinstance(subject, Conversation):
        return {f"{PROBE}{exchange.probe}" for exchange in subject.exchanges}
    return {f"{PROBE}{subject.probe}"}


@contextmanager
def quiet() -> Iterator[None]:
    """Let coverage.py not warn: not of contexts, and not yet of what was not measured."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def obtain_data(measuring: Coverage) -> CoverageData:
    """Return all that was measured so far."""
    with quiet():
        return measuring.get_data()


def switch(measuring: Coverage, context: str) -> str:
    """Switch to a context, and return the one before; empty where coverage.py does not tell it."""
    static = str(measuring.get_option("run:context") or "")
    with quiet():
        previous = measuring.switch_context(context) or ""
    monitoring: Any = getattr(sys, "monitoring", None)
    if monitoring is not None:  # it tells of each line once, whatever the context is
        monitoring.restart_events()
    return previous.removeprefix(static).removeprefix("|")


def list_files(data: CoverageData, own: OwnCode | None) -> dict[str, Path]:
    """Return the measured files by the names that they have there; the user's own, or all."""
    files = {name: Path(name).absolute() for name in data.measured_files()}
    return {name: file for name, file in files.items() if own is None or own.holds(file)}


def read_lines(
    data: CoverageData, files: Mapping[str, Path], context: str | None
) -> dict[Path, set[int]]:
    """Return which lines of files ran, under contexts that match or under any."""
    data.set_query_contexts(None if context is None else [context])
    try:
        return {file: set(data.lines(name) or ()) for name, file in files.items()}
    finally:
        data.set_query_contexts(None)


def add_contexts(measuring: Coverage, sources: Mapping[str, set[str]], own: OwnCode) -> None:
    """Add contexts to what was measured of the user's own code, each with what ran for it.

    The sources of a context are those under which that ran.
    """
    data = obtain_data(measuring)
    static = str(measuring.get_option("run:context") or "")
    prefix = f"{static}|" if static else ""
    ran = read_contexts(data, set().union(*sources.values()), prefix, list_files(data, own))
    add = data.add_arcs if data.has_arcs() else data.add_lines
    previous = data.set_context(None)
    for context, names in sources.items():
        found: dict[str, set[Any]] = defaultdict(set)
        for name in names:
            for file, steps in ran[name].items():
                found[file] |= steps
        if found:
            data.set_context(f"{prefix}{context}")
            add(found)
    data.set_context(previous)


def read_contexts(
    data: CoverageData, contexts: Iterable[str], prefix: str, files: Mapping[str, Path]
) -> dict[str, dict[str, set[Any]]]:
    """Return what ran of each file under each of some contexts, which have a prefix there."""
    # Loading runs lines of nearly every file, a probe those of few.
    probed = read_lines(data, files, f"{_ANY}.*::{PROBE}")
    few = [name for name, file in files.items() if probed[file]]
    return {
        context: read_context(data, f"{prefix}{context}", few if PROBE in context else files)
        for context in contexts
    }


def read_context(data: CoverageData, context: str, files: Iterable[str]) -> dict[str, set[Any]]:
    """Return what ran of each file under one context: arcs where these are measured, or lines."""
    data.set_query_context(context)
    read = data.arcs if data.has_arcs() else data.lines
    try:
        ran: dict[str, set[Any]] = {file: set(read(file) or ()) for file in files}
    finally:
        data.set_query_contexts(None)
    return {file: steps for file, steps in ran.items() if steps}


def read_files(ran: Mapping[Path, set[int]], root: Path) -> dict[Path, FileReach]:
    """Return what was reached of files by the lines that ran; nothing of what is no Python.

    The user's configuration of coverage.py tells which lines do not count.
    """
    from coverage import CoverageException  # noqa: PLC0415 # optional, and only when asked for

    reader = make_coverage(data_file=None, branch=False)
    reader.set_option("run:plugins", [])
    reader.set_option("run:relative_files", False)  # noqa: FBT003 # coverage.py has it so
    data = obtain_data(reader)
    data.add_lines({str(file): lines for file, lines in ran.items()})
    found: dict[Path, FileReach] = {}
    for file in ran:
        with suppress(CoverageException):
            _, lines, _, missing, _ = reader.analysis2(str(file))
            if lines:
                name = file.relative_to(root).as_posix()
                found[file] = describe_file(name, len(lines), missing)
    data.close(force=True)
    return found
