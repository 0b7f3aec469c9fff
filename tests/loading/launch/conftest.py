from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from pytest_wsgi.loading import django, locate, parse_spec, search_path
from pytest_wsgi.loading.launch.launcher import Circumstances, Launcher

if TYPE_CHECKING:
    from pathlib import Path

HELLO = """
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]
"""

SETTINGS = """
SECRET_KEY = "only for tests"
DEBUG = True
ROOT_URLCONF = "mysite.urls"
"""

DJANGO = {
    "manage.py": "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'mysite.settings')\n",
    "mysite/__init__.py": "",
    "mysite/settings.py": SETTINGS,
    "mysite/urls.py": "from django.http import HttpResponse\nfrom django.urls import path\n"
    "urlpatterns = [path('', lambda request: HttpResponse('hello'))]\n",
    "mysite/wsgi.py": "import os\nfrom django.core.wsgi import get_wsgi_application\n"
    "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'mysite.settings')\n"
    "application = get_wsgi_application()\n",
}


class Home:
    """A directory with a project in it, launched as a run would."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, files):
        """Write files by their names."""
        for name, text in files.items():
            file = self.root / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")

    @property
    def paths(self):
        """Return the search path."""
        return tuple(search_path(self.root, self.root))

    def make_launcher(self, spec="wsgi:application", **more):
        """Return the launcher of a SPEC."""
        around = Circumstances(
            origin="--wsgi-app",
            paths=self.paths,
            rootdir=self.root,
            directory=self.root,
            **{"environ": dict(os.environ), **more},
        )
        parsed = parse_spec(spec)
        place = locate(parsed, paths=self.paths, rootdir=self.root)
        return Launcher(parsed, place.file, around)

    def launch(self, spec="wsgi:application", **more):
        """Return what fresh processes tell of a SPEC."""
        launcher = self.make_launcher(spec, **more)
        launcher.start()
        return launcher.collect(200)


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path.resolve())


@pytest.fixture
def own_modules():
    """Take what a test imports away again, with what it does to sys.path and the environment.

    Django is imported afresh: it keeps its settings for as long as its modules live.
    """
    django._owners.clear()
    kept, path, environ = dict(sys.modules), sys.path[:], dict(os.environ)
    for name in [name for name in sys.modules if name.partition(".")[0] == "django"]:
        del sys.modules[name]
    os.environ.pop("DJANGO_SETTINGS_MODULE", None)
    yield
    sys.modules.clear()
    sys.modules.update(kept)
    sys.path[:] = path
    os.environ.clear()
    os.environ.update(environ)
    django._owners.clear()
