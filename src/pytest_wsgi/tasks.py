"""What can be asked for instead of a test run: to explain rules, and the self-test."""

from __future__ import annotations

import sys

from pytest_wsgi.explaining import explain_rule
from pytest_wsgi.rendering.explanation import render_explanation
from pytest_wsgi.rules import load_rules
from pytest_wsgi.selection import Selection, SelectionError, choose_rules, match_ids
from pytest_wsgi.selftest import describe_selftest, run_selftest


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


def write(text: str) -> None:
    """Write a text to standard output, whatever that can encode."""
    encoding = sys.stdout.encoding or "ascii"
    sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
    sys.stdout.flush()
