"""Proves every rule on this machine: each program is driven and judged as a user's would be."""

from __future__ import annotations

import io
import multiprocessing
import os
import platform
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from types import ModuleType
from typing import TYPE_CHECKING

from pytest_wsgi.catalogue import CATALOGUE
from pytest_wsgi.proof import (
    check_control,
    check_mutant,
    check_twin,
    count_programs,
    is_runnable,
    load_programs,
)
from pytest_wsgi.rules import load_rules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_wsgi.report import Proof

_CHECKS = {
    "mutants": check_mutant,
    "projects": check_mutant,
    "twins": check_twin,
    "project_twins": check_twin,
    "controls": check_control,
    "project_controls": check_control,
}

_MOST_WORKERS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTest:
    """What came of a self-test: `problems` is empty where every rule is proved.

    `proof` counts the rules and programs; `seconds` is wall time. `unrun` names rules that a
    program proves which needs what is not installed.
    """

    proof: Proof
    seconds: float
    problems: tuple[str, ...] = ()
    unrun: tuple[str, ...] = ()


def run_selftest() -> SelfTest:
    """Drive and judge every program, in as many processes as there are processors."""
    start = time.monotonic()
    load_rules()
    names = list_names()
    workers = min(os.cpu_count() or 1, _MOST_WORKERS)
    # A fresh interpreter each: a fork would take this process's threads and signals along.
    context = multiprocessing.get_context("spawn")
    with hide_main(), ProcessPoolExecutor(workers, context, silence) as pool:
        problems = tuple(
            problem for found in pool.map(check_program, names, chunksize=8) for problem in found
        )
    return SelfTest(
        proof=count_programs(),
        seconds=time.monotonic() - start,
        unrun=tuple(find_unrun()),
        problems=(*find_unproven(), *problems),
    )


def list_names() -> list[tuple[str, str]]:
    """Return kind and name of every program, spread so that the slow ones share the processes."""
    programs = load_programs()
    return [
        (kind, name)
        for kind in _CHECKS
        for name, program in getattr(programs, kind).items()
        if is_runnable(program)
    ]


@contextmanager
def hide_main() -> Iterator[None]:
    """Keep the processes from running the script again that called pytest, if one did."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def silence() -> None:
    """Drop what the programs of a process write to standard error, which is a part of their oddity.

    Python writes there too what it finds wrong with them, such as files that are never closed.
    """
    sys.stderr = io.StringIO()


def check_program(program: tuple[str, str]) -> list[str]:
    """Return what is wrong with one program, named by its kind and its name."""
    kind, name = program
    return _CHECKS[kind](getattr(load_programs(), kind)[name])


def find_unproven() -> Iterator[str]:
    """Yield a line for every rule without a mutant or a mended twin."""
    programs = load_programs()
    mutants = (*programs.mutants.values(), *programs.projects.values())
    broken = {mutant.rule for mutant in mutants}
    for name in CATALOGUE:
        if name not in broken:
            yield f"{name} has no mutant"
        elif name not in programs.twins and name not in programs.project_twins:
            yield f"{name} has no mended twin"


def find_unrun() -> list[str]:
    """Return the rules whose mended twin needs what is not installed."""
    twins = load_programs().project_twins
    return [name for name, twin in twins.items() if not is_runnable(twin)]


def describe_selftest(test: SelfTest) -> str:
    """Return what a person reads of a self-test, with a newline at the end."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    ours = version("pytest-wsgi")
    proof = test.proof
    programs = f"{proof.mutants} mutants, {proof.twins} mended twins, {proof.controls} controls"
    lines = [
        f"pytest-wsgi {ours} on {python}, {platform.system()}: the proof of its rules",
        f"{proof.rules} rules, {programs}, in {test.seconds:.0f} s",
    ]
    if test.problems:
        lines += [f"{len(test.problems)} of these are not as they should be:", *test.problems]
        lines.append("Please report this with the lines above.")
    else:
        lines.append("Every mutant is caught by the rule that it names, and by none undeclared.")
        lines.append("No mended twin and no control is accused.")
    if test.unrun:
        lines.append(f"Not proved without Django, which is not installed: {', '.join(test.unrun)}")
    return "\n".join(lines) + "\n"
