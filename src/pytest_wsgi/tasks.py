"""What can be asked for instead of a test run: explanations, the self-test, the missing wsgi.py."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from pytest_wsgi.explaining import explain_rule
from pytest_wsgi.loading import parse_spec, search_path
from pytest_wsgi.loading.asked import LoadError
from pytest_wsgi.loading.command import pytest_command
from pytest_wsgi.loading.proposal import EXISTS, Proposal, propose
from pytest_wsgi.loading.writing import describe_proposal, write_proposal
from pytest_wsgi.option_values import OptionError, read_pair
from pytest_wsgi.rendering.explanation import render_explanation
from pytest_wsgi.rules import load_rules
from pytest_wsgi.selection import Selection, SelectionError, choose_rules, match_ids
from pytest_wsgi.selftest import describe_selftest, run_selftest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def explain_rules(glob: str, reading: str = "") -> int:
    """Write what the rules mean that an id or a glob names; return pytest's exit status.

    Their levels are those of a reading. Raises SelectionError for a rule or reading that is none.
    """
    load_rules()
    names = match_ids([glob], "--wsgi-explain")
    if not names:
        raise SelectionError(
            "--wsgi-explain takes the id of a rule, or a glob, but was given nothing.\n"
            "Try: pytest --wsgi-explain status-is-native-string"
        )
    rules = choose_rules(Selection(select=tuple(names), reading=reading)).rules
    for number, rule in enumerate(rules.values()):
        write("\n\n" * bool(number) + render_explanation(explain_rule(rule)))
    return 0


def prove_rules() -> int:
    """Run the self-test and write what came of it; return pytest's exit status."""
    outcome = run_selftest()
    write(describe_selftest(outcome))
    return 1 if outcome.problems else 0


def show_file(options: Mapping[str, Any], directory: Path, rootdir: Path) -> str:
    """Write the missing wsgi.py to standard output; return the empty SPEC, as nothing is made.

    `options` are the fields of `planning.Options`, `directory` is where pytest was started. Raises
    LoadError, SpecError and OptionError.
    """
    try:
        write(describe_proposal(make_proposal(options, directory, rootdir)))
    except LoadError as error:
        if error.problem.id != EXISTS:
            raise
        write(f"{error.problem.message}\n")
    return ""


def write_file(options: Mapping[str, Any], directory: Path, rootdir: Path) -> str:
    """Write the missing wsgi.py into the project, say so, and return its SPEC; as `show_file`."""
    proposal = make_proposal(options, directory, rootdir)
    write(write_proposal(proposal))
    return proposal.spec


def make_proposal(options: Mapping[str, Any], directory: Path, rootdir: Path) -> Proposal:
    """Return the wsgi.py that is missing for the only SPEC of a run; as `show_file`."""
    (origin, text), *others = options["asked"]
    if others:
        specs = ", ".join(spec for _, spec in options["asked"])
        raise OptionError(
            f"--wsgi-propose makes one wsgi.py, but {1 + len(others)} applications are asked for: "
            f"{specs}.\nTry: {pytest_command(text)} --wsgi-propose"
        )
    return propose(
        parse_spec(text),
        origin=origin,
        env=dict(read_pair(pair) for pair in options["env"]),
        paths=search_path(directory, rootdir),
        rootdir=rootdir,
    )


def write(text: str) -> None:
    """Write a text to standard output, whatever that can encode."""
    encoding = sys.stdout.encoding or "ascii"
    sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
    sys.stdout.flush()
