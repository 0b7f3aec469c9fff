"""A small project with an application and tests of its own, and pytest run over it."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

# Once for all runs in this process: each of them forgets the modules that it was first to import.
import pytest_wsgi.apart
import pytest_wsgi.baselines
import pytest_wsgi.client
import pytest_wsgi.collection
import pytest_wsgi.gathering
import pytest_wsgi.layering
import pytest_wsgi.loading.middleware
import pytest_wsgi.loading.paste
import pytest_wsgi.probes.middleware
import pytest_wsgi.publishing  # noqa: F401 # they are to be there
from pytest_wsgi.catalogue import CATALOGUE
from pytest_wsgi.matter import choose_for
from pytest_wsgi.proof import load_programs
from pytest_wsgi.report import from_json
from pytest_wsgi.rules import load_rules

load_rules()
load_programs()

ALL = len(choose_for(CATALOGUE, "application"))

GOOD = """
def application(environ, start_response):
    body = b"hello"
    headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))]
    start_response("200 OK", headers)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]
"""

BROKEN = """
def application(environ, start_response):
    start_response(b"200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]
"""

OWN = {
    "tests/test_a.py": "def test_one(): pass\ndef test_two(): pass\n",
    "tests/test_b.py": "class TestThree:\n    def test_three(self): pass\n",
}
OWN_IDS = [
    "tests/test_a.py::test_one",
    "tests/test_a.py::test_two",
    "tests/test_b.py::TestThree::test_three",
]

MAIN = ("--wsgi-app", "mysite.wsgi.application")
BAD = ("--wsgi-app", "mysite.bad.application")
BROKEN_RULE = "status-is-native-string"
BROKEN_ID = f"mysite/bad.py::application::{BROKEN_RULE}"

ISOLATED = ("-p", "no:django", "-p", "no:hypothesispytest")
"""Other plugins that may be installed here and are no part of what is tested."""


UNLAUNCHED = "no fresh process was started in this test"

ENDS = re.compile(r"=|\d+ (failed|passed|skipped)")
"""What comes after our summary."""


class Run:
    """What came of a pytest run: exit status, output, and the outcome of every item by its id."""

    def __init__(self, result):
        self.result = result
        self.status = int(result.ret)
        self.out = result.stdout.str()
        self.err = result.stderr.str()
        get = getattr(result.reprec, "getreports", None)  # there is none after a usage error
        self.reports = get("pytest_runtest_logreport") if get else []
        self.outcomes = {}
        self.texts = {}
        for report in self.reports:
            if report.when == "call" or report.outcome != "passed":
                self.outcomes[report.nodeid] = report.outcome
                self.texts[report.nodeid] = str(report.longrepr or "")

    @property
    def own(self):
        """The ids of the user's own tests, in order."""
        return [name for name in self.outcomes if "test" in name.rpartition("::")[2]]

    @property
    def rules(self):
        """The outcomes of our items by the last part of their ids."""
        return {
            name.rpartition("::")[2]: outcome
            for name, outcome in self.outcomes.items()
            if name not in self.own
        }

    def having(self, outcome):
        """Return the ids with an outcome."""
        return [name for name, found in self.outcomes.items() if found == outcome]

    @property
    def reruns(self):
        """The commands that the failures name, as words after `pytest`."""
        lines = [line for line in self.out.splitlines() if line.startswith("Rerun ")]
        return [shlex.split(line)[2:] for line in lines]

    @property
    def summary(self):
        """The lines of our summary."""
        lines = self.out.splitlines()
        start = next(n for n, line in enumerate(lines) if " WSGI conformance: " in line)
        end = next(n for n in range(start + 1, len(lines)) if ENDS.match(lines[n]))
        return lines[start + 1 : end]


def read_report(path):
    """Return the report in a file."""
    return from_json(Path(path).read_text(encoding="utf-8"))


def write(directory, files):
    """Write files, given by their paths below a directory."""
    for name, text in files.items():
        path = Path(directory, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
