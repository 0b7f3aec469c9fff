"""The proof of the rules: programs that break one each, their mended twins, and lawful oddities.

The programs ship beside this package; in a checkout they are under `fixtures/`.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import TYPE_CHECKING, Any

from pytest_wsgi.catalogue import CATALOGUE, Level
from pytest_wsgi.drivers.middleware import Inner
from pytest_wsgi.examination import Examination, Wishes
from pytest_wsgi.exchange import Loading
from pytest_wsgi.judge import judge
from pytest_wsgi.loading import examine, locate, parse_spec
from pytest_wsgi.loading.boundaries import find_boundaries
from pytest_wsgi.loading.launch.launcher import Circumstances, Errand, Launcher
from pytest_wsgi.loading.launch.process import scrub
from pytest_wsgi.matter import LOADS, choose_for, needs_launches
from pytest_wsgi.report import Proof

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_wsgi.judge import Verdict
    from pytest_wsgi.launches import Launches
    from pytest_wsgi.loading import Spec

PACKAGE = "pytest_wsgi_proof"
"""The name under which the programs are imported, and that of their directory in the wheel."""

_PARTS = ("mutants", "controls")

SECONDS = 1.0
"""How long one exchange with a program may take; those that hang are meant to."""


@dataclass(frozen=True, slots=True)
class Programs:
    """Mutants and controls by their names, mended twins by the rule that they hold.

    Their attributes are those of the classes in `fixtures/mutants` and `fixtures/controls`. The
    projects are those that fresh processes load, for the rules over what such tell.
    """

    mutants: Mapping[str, Any]
    twins: Mapping[str, Any]
    controls: Mapping[str, Any]
    projects: Mapping[str, Any]
    project_twins: Mapping[str, Any]
    project_controls: Mapping[str, Any]

    def find_pair(self, rule: str) -> tuple[Any, Any]:
        """Return the bad and the good program of a rule."""
        if rule in self.twins:
            return self.mutants[self.twins[rule].mutant], self.twins[rule]
        return self.projects[self.project_twins[rule].mutant], self.project_twins[rule]


def find_programs() -> Path:
    """Return the directory of the programs."""
    # Not within this package: what is there counts as the harness's own, and not as a program's.
    installed = Path(__file__).parents[1] / PACKAGE
    return installed if installed.is_dir() else Path(__file__).parents[2] / "fixtures"


@cache
def load_programs() -> Programs:
    """Import every program and return them all."""
    # A package of this name, wherever the programs are: nobody else's modules are called so.
    home = sys.modules[PACKAGE] = ModuleType(PACKAGE)
    home.__path__ = [str(find_programs())]
    mutants, controls = (importlib.import_module(f"{PACKAGE}.{name}") for name in _PARTS)
    return Programs(
        mutants=mutants.load_mutants(),
        twins=mutants.load_twins(),
        controls=controls.load_controls(),
        projects=mutants.load_projects(),
        project_twins=mutants.load_project_twins(),
        project_controls=controls.load_projects(),
    )


def count_programs() -> Proof:
    """Return how many rules there are, and how many programs of each kind prove them."""
    programs = load_programs()
    return Proof(
        rules=len(CATALOGUE),
        mutants=len(programs.mutants) + len(programs.projects),
        twins=len(programs.twins) + len(programs.project_twins),
        controls=len(programs.controls) + len(programs.project_controls),
    )


def judge_program(program: object, *, rule: str = "") -> Mapping[str, Verdict]:
    """Return the verdict of every rule over a program, which is asked everything.

    What is no application is only seen where the program is about `rule` application-loads: others
    are driven whatever they are.
    """
    spec = parse_spec("fixture")
    if rule == LOADS:
        loading = examine(program, spec, origin="the proof", paths=(), rootdir=find_programs())
    else:
        loading = Loading(spec=spec.text, label=spec.kind, origin="the proof")
    examination = Examination(
        load=lambda: (program, loading),
        wishes=Wishes(unsafe=True, seconds=SECONDS),
        root=str(find_programs()),
        find_layers=lambda application: tuple(find_boundaries(application)),
        proof="",  # which is what the programs are for
    )
    return examination.obtain_verdicts()


def judge_middleware(middleware: Any) -> Mapping[str, Verdict]:
    """Return the verdict of every rule over a middleware, which is called with an application."""
    inner = Inner()
    loading = Loading(spec="fixture", label="fixture", origin="the proof", kind="middleware")
    examination = Examination(
        load=lambda: (middleware(inner), loading),
        inner=inner,
        rules=choose_for(CATALOGUE, "middleware"),
        wishes=Wishes(seconds=SECONDS),
        proof="",
    )
    return examination.obtain_verdicts()


def judge_any(program: Any) -> Mapping[str, Verdict]:
    """Return the verdicts over a mutant, a twin or a control of either kind."""
    if hasattr(program, "files"):
        return judge_project(program)
    if program.around:
        return judge_middleware(program.make())
    return judge_program(program.make(), rule=getattr(program, "rule", ""))


def judge_project(project: Any) -> Mapping[str, Verdict]:
    """Return the verdicts of the rules over what fresh processes told of a project.

    It is written into a directory of its own, and never loaded in this process: what would be the
    answer here is that of a process with all of the project's `around`.
    """
    with TemporaryDirectory(prefix="pytest-wsgi-") as directory:
        home = Path(directory).resolve()
        for name, text in project.files.items():
            (home / name).parent.mkdir(parents=True, exist_ok=True)
            (home / name).write_text(text, encoding="utf-8")
        around = Circumstances(
            origin="the proof",
            paths=(str(home),),
            rootdir=home,
            directory=home,
            environ={**scrub(os.environ, {}), **project.around},
            given=project.given,
            overrides=project.overrides,
            seconds=SECONDS,
        )
        launches = launch(parse_spec(project.spec), around)
    loading = Loading(spec=project.spec, label="project", origin="the proof", launches=launches)
    rules = [rule for rule in CATALOGUE.values() if needs_launches(rule)]
    return {verdict.rule.id: verdict for verdict in judge(rules, [loading])}


def launch(spec: Spec, around: Circumstances) -> Launches:
    """Launch a target under all circumstances, and once as if it were loaded here."""
    place = locate(spec, paths=around.paths, rootdir=around.rootdir)
    launcher = Launcher(spec, place.file, around)
    launcher.start()
    launcher.launch("here", Errand(environ=around.environ, deep=True))
    here = launcher.await_launch("here")
    return launcher.collect(here.code)


def is_runnable(program: Any) -> bool:
    """Tell whether what a program needs is installed."""
    needs = getattr(program, "needs", "")
    return not needs or importlib.util.find_spec(needs) is not None


def check_mutant(mutant: Any) -> list[str]:
    """Return what is wrong with a mutant: nothing where its rule catches it, and no other does."""
    verdicts = judge_any(mutant)
    broken = find_broken(verdicts)
    # Whatever is broken, wsgiref.validate may say so as well.
    second = {name for name, rule in CATALOGUE.items() if rule.under_validator}
    expected = {mutant.rule, *mutant.also}
    others = broken - expected - (set() if mutant.rule in second else second)
    return [
        *([] if mutant.rule in broken else [f"{mutant.name} survives {mutant.rule}"]),
        *(f"{mutant.name} is caught by {name}, which it does not break" for name in sorted(others)),
        *(f"{mutant.name} does not break {name}" for name in sorted({*mutant.also} - broken)),
        *find_errors(mutant.name, verdicts),
    ]


def check_twin(twin: Any) -> list[str]:
    """Return what is wrong with a mended twin: nothing where its rule holds."""
    verdicts = judge_any(twin)
    outcome = verdicts[twin.rule].outcome
    return [
        *([] if outcome == "held" else [f"{twin.name} leaves {twin.rule} {outcome}"]),
        *check_notes(twin, verdicts),
    ]


def check_control(control: Any) -> list[str]:
    """Return what is wrong with a control: nothing where it is noted for what it says, if any."""
    return check_notes(control, judge_any(control))


def check_notes(program: Any, verdicts: Mapping[str, Verdict]) -> list[str]:
    """Return what a program is accused of beside what it is noted for, and the other way round."""
    broken, noted = find_broken(verdicts), set(program.notes)
    heavy = {name for name in noted if CATALOGUE[name].level is not Level.CONVENTION}
    return [
        *(f"{program.name} is accused by {name}" for name in sorted(broken - noted)),
        *(f"{program.name} is not noted for {name}" for name in sorted(noted - broken)),
        *(f"{program.name} is noted for {name}, which is no convention" for name in sorted(heavy)),
        *find_errors(program.name, verdicts),
    ]


def find_broken(verdicts: Mapping[str, Verdict]) -> set[str]:
    """Return the rules that are broken."""
    return {name for name, verdict in verdicts.items() if verdict.outcome == "broken"}


def find_errors(name: str, verdicts: Mapping[str, Verdict]) -> list[str]:
    """Return a line for every rule that failed by itself over the program `name`."""
    return [
        f"{verdict.rule.id} fails over {name}: {verdict.reason}"
        for verdict in verdicts.values()
        if verdict.outcome == "harness error"
    ]
