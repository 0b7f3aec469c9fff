from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def read_command(name):
    (command,) = re.findall(rf"<!-- {name} -->\n    (.+)\n", README)
    return command


def test_ci_runs_the_test_command_to_the_letter():
    assert read_command("test command") in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_main_job_runs_on_a_project_that_ships():
    command = read_command("main job")
    directory = ROOT / re.search(r"cd (\S+)", command)[1]
    assert (directory / "mysite" / "wsgi.py").is_file()


def test_every_option_is_in_the_readme():
    listed = subprocess.run(
        [sys.executable, "-m", "pytest", "--help"], capture_output=True, text=True, check=True
    ).stdout
    options = set(re.findall(r"^ +(--wsgi-\w+)", listed, re.MULTILINE))
    assert options
    assert {name for name in options if f"`{name}" not in README} == set()
