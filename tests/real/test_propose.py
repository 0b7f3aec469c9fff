"""The missing wsgi.py of projects that `django-admin startproject` makes, on every Django."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from real.conftest import make_environ
from real.djangos import DJANGO_PYTHONS

pytestmark = pytest.mark.slow

SERIES = {"3.2": (8, 10), **DJANGO_PYTHONS}
"""As DJANGO_PYTHONS, and the oldest Django whose projects can be brought on."""

SPEC = ("--wsgi-app", "mysite.wsgi.application")
SETTING = "WSGI_APPLICATION = 'mysite.wsgi.application'\n"


class Upgrade:
    """A project as startproject makes it, but without its wsgi.py, and what is done with it."""

    def __init__(self, root, django):
        self.root = root
        self.django = django
        self.wsgi, self.settings = root / "mysite" / "wsgi.py", root / "mysite" / "settings.py"
        # Formatters that are on PATH would change what startproject writes.
        self.run("-m", "django", "startproject", "mysite", ".", PATH=os.devnull)
        (root / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
        self.made = self.wsgi.read_bytes(), self.settings.read_bytes()
        self.wsgi.unlink()
        self.settings.write_bytes(self.made[1].replace(SETTING.encode(), b""))
        assert self.settings.read_bytes() != self.made[1]

    def run(self, *command, status=0, **environ):
        """Run Python and return what it printed."""
        done = subprocess.run(
            [sys.executable, *command],
            cwd=self.root,
            env={**make_environ(self.django), **environ},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout

    def pytest(self, *options, status=0):
        """Run the real command and return what it printed."""
        return self.run("-m", "pytest", *options, status=status)


@pytest.fixture(params=SERIES)
def upgrade(request, tmp_path, obtain_library):
    """Return a project of each series that supports this Python."""
    first, last = SERIES[request.param]
    if not first <= sys.version_info[1] <= last:
        pytest.skip(f"Django {request.param} supports Python 3.{first} to 3.{last}")
    django = obtain_library(f"django-{request.param}", f"Django~={request.param}.0")
    return Upgrade(tmp_path, django)


def added(text, name):
    """Return what a diff adds to a file."""
    _, _, hunk = text.partition(f"+++ b/{name}\n")
    lines = hunk.partition("--- a/")[0].splitlines(keepends=True)
    return "".join(line[1:] for line in lines if line.startswith("+"))


def test_project_without_wsgi_py_gets_the_one_of_startproject(upgrade):
    for spec in ("mysite.wsgi.application", "django"):
        failed = upgrade.pytest("--wsgi-app", spec, status=1)
        assert "(settings: mysite.settings, as manage.py says)" in failed
        assert "as WSGI_APPLICATION is unset: it uses Django's own" in failed
        assert "Try: pytest --wsgi-app mysite.wsgi.application --wsgi-propose\n" in failed

    shown = upgrade.pytest("--wsgi-propose")
    assert added(shown, "mysite/wsgi.py").encode() == upgrade.made[0]
    assert added(shown, "mysite/settings.py") == SETTING
    assert not upgrade.wsgi.exists()

    said = upgrade.pytest(*SPEC, "--wsgi-propose=write", "-v")
    assert (upgrade.wsgi.read_bytes(), upgrade.settings.read_bytes()) == upgrade.made
    assert "mysite/wsgi.py::application::application-loads PASSED" in said
    assert "keeps PEP 3333" in said

    assert "mysite/wsgi.py is there already" in upgrade.pytest("--wsgi-propose")
    upgrade.pytest(*SPEC, "--wsgi-propose=write", status=4)


def test_setting_without_wsgi_py_is_left_as_it_is(upgrade):
    upgrade.settings.write_bytes(upgrade.made[1])
    failed = upgrade.pytest(*SPEC, status=1)
    assert "runserver fails as well, as WSGI_APPLICATION is 'mysite.wsgi.application'" in failed
    upgrade.pytest("--wsgi-propose=write", "-k", "application-loads")
    assert (upgrade.wsgi.read_bytes(), upgrade.settings.read_bytes()) == upgrade.made
