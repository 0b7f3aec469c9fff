"""Renders reports/kills.md: every mutant and control before this suite and before other linters.

Run as a script it writes the file; with `--check` it tells whether the file is what it would write.
Here lives the page; what the other linters say is found out in `peers`.
"""

from __future__ import annotations

import os
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from difflib import unified_diff
from importlib import metadata
from itertools import islice
from pathlib import Path

from peers import LINTERS, find_prejudice, judge
from pytest_wsgi.catalogue import CATALOGUE, Level
from pytest_wsgi.proof import (
    SECONDS,
    find_broken,
    find_errors,
    judge_any,
    judge_project,
    load_programs,
)
from pytest_wsgi.rules import load_rules

FILE = Path(__file__).parents[1] / "reports" / "kills.md"
COMMAND = "PYTHONPATH=tests:fixtures python -m proof_page"
PYTHON = (3, 11)
"""The Python that the page is made with: wsgiref.validate differs from one to the next."""

PEERS = tuple(linter.name for linter in LINTERS)
PROJECTS = "## Projects that fresh processes load\n"
CONTROLS = "## Controls that a linter accuses\n"
MIDDLEWARE = "## Middleware\n"
CONTROLS_AROUND = "### Controls of middleware that a linter accuses\n"

load_rules()
SECOND_OPINION = {name for name, rule in CATALOGUE.items() if rule.under_validator}

_ON_PROJECTS = f"""\
{PROJECTS}
What the rules of the area `config` are proved by: small projects, each loaded in processes of its
own. The other linters look at requests only, and at none of this.

"""

_ON_FLAWLESS = "## What is said of flawless applications"

_ON_MIDDLEWARE = f"""\
{MIDDLEWARE}
Mutants and controls that are middleware. What a linter says on either side of one counts: as an
application towards the server, or as a server towards the application behind it, which plays every
part that PEP 3333 allows an application. What it says in the same probe of middleware that only
hands on, or that answers by itself and calls nothing, counts neither way.

"""

_HEAD = """\
# Proof by broken programs

Every rule has mutants: programs that break this one rule and are otherwise flawless. Controls are
odd but lawful. This page shows what becomes of each of them here, and what other linters make of
the very same programs. Generated from `fixtures/mutants` and `fixtures/controls`, with
{versions}:

    {command}

All are asked the same: every probe of the battery, those that may change state included, in the
same in-process server. wsgiref.validate is part of this suite, as its second opinion; that opinion
is not counted as ours here.

Programs are applications and middleware. Around an application stands one linter, between it and
the server. A middleware is put around the scripted applications of this suite, and stands between
two linters of the same kind: one between it and the server, one between it and the application.
That is all that a user can do with them. [Middleware](#middleware) has a section of its own, at the
end; all others are about applications.

- A linter has *found* a mutant when its own module raises an AssertionError or gives a warning of
  its own, whatever about: also what is no fault, and also where the program swallows it.
- It has *crashed* on one that it did not find when it was left by any other exception of its own
  package, of a kind that the program without it does not raise in the same probe.
- What a linter says of flawless applications in the same probe counts neither way. That is listed
  at the end.
- *Accused* is a control of which it says something on purpose. We count a broken MUST or SHOULD;
  rules of level CONVENTION note a few controls, which is advice and fails no run.
- These linters were not written to find all of this: most rules are none of theirs. And where one
  accuses many controls, that may be a single check of it.

"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one program: the rules that it breaks, and each linter's verdict by its name."""

    broken: frozenset[str]
    peers: dict[str, str]

    def cells(self):
        """Return a cell for each linter."""
        return [self.peers.get(name, "") for name in PEERS]


def judge_mutant(name):
    """Drive a mutant in this process."""
    return judge_both(load_programs().mutants[name])


def judge_control(name):
    """Drive a control in this process."""
    return judge_both(load_programs().controls[name])


def judge_both(program):
    """Return our verdicts and those of the linters."""
    verdicts = judge_any(program)
    assert not find_errors(program.name, verdicts)
    return Outcome(frozenset(find_broken(verdicts)), judge(program, SECONDS))


def judge_all():
    """Return the outcomes of all mutants and of all controls, each by name."""
    programs = load_programs()
    workers = 2 * (os.cpu_count() or 1)  # for some only wait, for a program that hangs
    with ProcessPoolExecutor(workers) as pool:
        mutants = pool.map(judge_mutant, programs.mutants)
        controls = pool.map(judge_control, programs.controls)
        return (
            dict(zip(programs.mutants, mutants, strict=True)),
            dict(zip(programs.controls, controls, strict=True)),
        )


def find_kills(mutant, outcome):
    """Return the rules that kill a mutant, without those that it is declared to break also."""
    own = set() if mutant.rule in SECOND_OPINION else SECOND_OPINION
    return outcome.broken - own - set(mutant.also)


def choose(outcomes, programs, *, around):
    """Return the outcomes of middleware, or those of applications, by the program's name."""
    return {name: one for name, one in outcomes.items() if programs[name].around is around}


def render_page(mutants, controls, projects):
    """Return what the page says of applications, but for its head and what is said of flawless."""
    programs = load_programs()
    mutants = choose(mutants, programs.mutants, around=False)
    controls = choose(controls, programs.controls, around=False)
    parts = [render_figures(mutants, controls), "\n## Rules\n\n", render_rules(mutants)]
    parts.append("\n## Mutants\n")
    parts.extend(render_mutants(rule, mutants) for rule in list_rules(mutants))
    return "".join(
        [*parts, "\n", render_projects(projects), "\n", CONTROLS, render_controls(controls)]
    )


def render_middleware(mutants, controls):
    """Return what the page says of middleware, but for what is said of flawless ones."""
    programs = load_programs()
    mutants = choose(mutants, programs.mutants, around=True)
    controls = choose(controls, programs.controls, around=True)
    parts = ["\n", _ON_MIDDLEWARE, render_figures(mutants, controls)]
    parts += ["\n### Rules that middleware breaks\n\n", render_rules(mutants)]
    parts.append("\n### Mutants that are middleware\n")
    parts.extend(render_mutants(rule, mutants, "####") for rule in list_rules(mutants))
    return "".join([*parts, "\n", CONTROLS_AROUND, render_controls(controls)])


def render_projects(broken):
    """Return the table of the projects that fresh processes load, with what kills each."""
    projects = load_programs().projects
    rows = [_ON_PROJECTS, render_row("rule", "level", "mutant", "killed by"), "|---|---|---|---|\n"]
    for rule in CATALOGUE:
        for name, project in projects.items():
            if project.rule == rule:
                level = CATALOGUE[rule].level.name
                rows.append(render_row(f"`{rule}`", level, f"`{name}`", list_ids(broken[name])))
    return "".join(rows)


def judge_projects():
    """Return the rules that each project breaks, by its name."""
    projects = load_programs().projects
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        return dict(zip(projects, pool.map(judge_project_by_name, projects), strict=True))


def judge_project_by_name(name):
    """Return the rules that a project breaks; one that needs Django is judged with it."""
    return find_broken(judge_project(load_programs().projects[name]))


def list_rules(mutants):
    """Return the rules that these mutants break, in the order of the PEP."""
    named = {load_programs().mutants[name].rule for name in mutants}
    return [name for name in CATALOGUE if name in named]


def pick(rule, mutants):
    """Return those of these mutants that are of a rule."""
    entries = [load_programs().mutants[name] for name in mutants]
    return [mutant for mutant in entries if mutant.rule == rule]


def count(outcomes, verdict):
    """Return how many of some outcomes have a verdict, for each linter."""
    return [sum(outcome.peers.get(name) == verdict for outcome in outcomes) for name in PEERS]


def render_row(*cells):
    """Return a line of a table."""
    return f"| {' | '.join(map(str, cells))} |\n"


def render_table(*titles):
    """Return the head of a table that ends with a column for each linter."""
    return render_row(*titles, *PEERS) + render_row(*["---"] * (len(titles) + len(PEERS)))


def render_figures(mutants, controls):
    """Return the table of totals."""
    entries = load_programs().mutants
    kills = {name: find_kills(entries[name], outcome) for name, outcome in mutants.items()}
    killed = {name for name in mutants if entries[name].rule in kills[name]}
    musts = {name for name in mutants if CATALOGUE[entries[name].rule].level is Level.MUST}
    unexpected = sum(bool(kills[name] - {entries[name].rule}) for name in mutants)
    accused = [outcome for outcome in controls.values() if find_accusations(outcome)]
    unnoted = [outcome for outcome in controls.values() if not find_notes(outcome)]
    none = [""] * len(PEERS)
    rows = (
        ("rules", len(list_rules(mutants)), *none),
        ("mutants", len(mutants), *none),
        (
            "mutants killed by the rule that they name, or found",
            len(killed),
            *count(mutants.values(), "found"),
        ),
        (
            f"the same of the {len(musts)} mutants of rules that are a MUST",
            len(killed & musts),
            *count([mutants[name] for name in musts], "found"),
        ),
        ("mutants on which it crashed instead", 0, *count(mutants.values(), "crashed")),
        ("mutants killed by a rule that they do not declare", unexpected, *none),
        ("controls", len(controls), *none),
        ("controls accused", len(accused), *count(controls.values(), "found")),
        ("the same of controls that we do not even note", "", *count(unnoted, "found")),
    )
    return render_table("", "this suite") + "".join(render_row(*row) for row in rows)


def find_accusations(outcome):
    """Return the rules above a CONVENTION that an outcome has broken."""
    return [rule for rule in outcome.broken if CATALOGUE[rule].level is not Level.CONVENTION]


def find_notes(outcome):
    """Return our rules that note a control, in order."""
    return sorted(outcome.broken - SECOND_OPINION)


def render_rules(mutants):
    """Return the table of rules: how many of its mutants are killed, and found."""
    rows = [render_table("rule", "level", "mutants", "killed")]
    for rule in list_rules(mutants):
        own = pick(rule, mutants)
        killed = sum(rule in find_kills(mutant, mutants[mutant.name]) for mutant in own)
        found = count([mutants[mutant.name] for mutant in own], "found")
        level = CATALOGUE[rule].level.name
        rows.append(render_row(f"`{rule}`", level, len(own), killed, *found))
    return "".join(rows)


def render_mutants(rule, mutants, heading="###"):
    """Return the table of a rule's mutants."""
    rows = [f"\n{heading} `{rule}`\n\n", render_table("mutant", "killed by", "also breaks")]
    for mutant in pick(rule, mutants):
        outcome = mutants[mutant.name]
        kills, also = find_kills(mutant, outcome), outcome.broken & set(mutant.also)
        cells = [f"`{mutant.name}`", list_ids(kills), list_ids(also)]
        rows.append(render_row(*cells, *outcome.cells()))
    return "".join(rows)


def render_controls(controls):
    """Return the table of controls that a linter accuses, or on which it crashes."""
    rows = ["\nTheir false alarms.\n\n", render_table("control", "noted by")]
    for name, outcome in sorted(controls.items()):
        if any(outcome.peers.values()):
            rows.append(render_row(f"`{name}`", list_ids(find_notes(outcome)), *outcome.cells()))
    return "".join(rows).replace(" found ", " accused ")


def list_ids(rules):
    """Return ids as code."""
    return ", ".join(f"`{rule}`" for rule in sorted(rules))


def render_prejudices(*, around):
    """Return what the linters say of flawless programs, by linter and in which probes."""
    title = "### What is said of flawless middleware" if around else _ON_FLAWLESS
    rows = [f"\n{title}\n\n", render_row("linter", "says", "probes"), render_row(*["---"] * 3)]
    for linter in LINTERS:
        said = {}
        for remark in sorted(find_prejudice(linter, around=around)):
            text = remark.text if remark.is_meant else f"crashes in {remark.text}()"
            said.setdefault(f"{remark.kind}: {text}", set()).add(remark.probe)
        rows += [render_row(linter.name, text, ", ".join(sorted(said[text]))) for text in said]
    return "".join(rows)


def render_head():
    """Return the head of the page, with the versions that it was made with."""
    names = [linter.distribution for linter in LINTERS if linter.distribution]
    versions = [f"{name} {metadata.version(name)}" for name in names]
    python = ".".join(map(str, sys.version_info[:2]))
    listed = f"Python {python}, {', '.join(versions[:-1])} and {versions[-1]}"
    return _HEAD.format(versions=listed, command=COMMAND)


def main(arguments):
    """Write the page, or with `--check` compare it; return what is wrong, if anything is."""
    if sys.version_info[:2] != PYTHON:
        return f"the page is made with Python {PYTHON[0]}.{PYTHON[1]}, and this is another"
    mutants, controls = judge_all()
    page = "".join(
        [
            render_head(),
            render_page(mutants, controls, judge_projects()),
            render_prejudices(around=False),
            render_middleware(mutants, controls),
            render_prejudices(around=True),
        ]
    )
    if arguments == ["--check"]:
        return compare(page)
    FILE.write_text(page, encoding="utf-8")
    return None


def compare(page):
    """Return how the file differs from the page, or None."""
    kept = FILE.read_text(encoding="utf-8") if FILE.exists() else ""
    if kept == page:
        return None
    lines = unified_diff(kept.splitlines(), page.splitlines(), "kept", "fresh", n=0, lineterm="")
    return "\n".join([f"{FILE.name} is stale; run: {COMMAND}", *islice(lines, 40)])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
