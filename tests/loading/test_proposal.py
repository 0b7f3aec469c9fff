"""The wsgi.py that is missing: what it would be, where, and how it is written."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from loading.conftest import Project, checked
from pytest_wsgi.loading import parse_spec
from pytest_wsgi.loading.asked import LoadError
from pytest_wsgi.loading.proposal import EXISTS, propose
from pytest_wsgi.loading.settings import add_application
from pytest_wsgi.loading.writing import describe_proposal, write_proposal

MANAGE = 'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "{0}")\n'
SETTINGS = """DEBUG = True
ROOT_URLCONF = 'shop.urls'

TEMPLATES = [
    {},
]



# Database
DATABASES = {}
"""
ADDED = SETTINGS.replace("]\n\n", "]\n\nWSGI_APPLICATION = 'shop.wsgi.application'\n")
TEXT = '''"""
WSGI config for {package} project.

It exposes the WSGI callable as a module-level variable named ``application``.

For more information on this file, see
https://docs.djangoproject.com/en/{series}/howto/deployment/wsgi/
"""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault('DJANGO_SETTINGS_MODULE', '{settings}')

application = get_wsgi_application()
'''


def fill(settings="shop.settings", package="shop"):
    """Return what Django's template says since 1.8, for the series that is installed."""
    version = pytest.importorskip("django.utils.version", reason="Django is not installed")
    return TEXT.format(settings=settings, package=package, series=version.get_docs_version())


@pytest.fixture
def shop(project, monkeypatch):
    pytest.importorskip("django", reason="Django is not installed")
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE", raising=False)
    project.write_file("manage.py", MANAGE.format("shop.settings"))
    project.write(shop___init_="", shop__urls="")
    project.write_file("shop/settings.py", SETTINGS)
    return project


def propose_in(project, spec="django", **env):
    return propose(
        parse_spec(spec),
        origin="--wsgi-app",
        env=env,
        paths=project.paths,
        rootdir=project.root,
    )


def refusal(project, spec="django", **env):
    with pytest.raises(LoadError) as caught:
        propose_in(project, spec, **env)
    return checked(caught.value.problem, spec)


def last_line(problem):
    return problem.message.splitlines()[-1]


def names(project, proposal):
    edit = proposal.edit and proposal.edit.file.relative_to(project.root).as_posix()
    return proposal.file.relative_to(project.root).as_posix(), proposal.module, edit


def list_files(directory):
    return sorted(str(file.relative_to(directory)) for file in directory.rglob("*"))


def test_the_file_is_what_startproject_makes(shop):
    proposal = propose_in(shop)
    assert proposal.text == fill()
    assert names(shop, proposal) == ("shop/wsgi.py", "shop.wsgi", "shop/settings.py")
    assert proposal.edit.after.decode() == ADDED
    assert describe_proposal(proposal).splitlines() == [
        "--- /dev/null",
        "+++ b/shop/wsgi.py",
        "@@ -0,0 +1,16 @@",
        *(f"+{line}" for line in fill().splitlines()),
        "--- a/shop/settings.py",
        "+++ b/shop/settings.py",
        "@@ -5,6 +5,7 @@",
        "     {},",
        " ]",
        " ",
        "+WSGI_APPLICATION = 'shop.wsgi.application'",
        " ",
        " ",
        " # Database",
        "",
        "To write it and try it: pytest --wsgi-app shop.wsgi.application --wsgi-propose=write",
    ]


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not there")
def test_the_diff_can_be_applied(shop):
    shop.write_file("shop/settings.py", "ROOT_URLCONF = 'shop.urls'")
    text = describe_proposal(propose_in(shop)).encode()
    subprocess.run(["git", "apply", "-"], cwd=shop.root, input=text, check=True)
    assert (shop.root / "shop/wsgi.py").read_text() == fill()
    assert (shop.root / "shop/settings.py").read_text() == (
        "ROOT_URLCONF = 'shop.urls'\nWSGI_APPLICATION = 'shop.wsgi.application'"
    )


def test_it_is_written(shop):
    proposal = propose_in(shop)
    before = {*list_files(shop.root), "shop/wsgi.py"}
    (shop.root / "shop/settings.py").chmod(0o640)
    said = write_proposal(proposal)
    assert said.splitlines() == [
        f"wsgi: wrote shop/wsgi.py, as the startproject of Django {proposal.series} makes it",
        "wsgi: wrote WSGI_APPLICATION into shop/settings.py",
    ]
    assert (shop.root / "shop/wsgi.py").read_text() == fill()
    assert (shop.root / "shop/settings.py").read_text() == ADDED
    assert (shop.root / "shop/settings.py").stat().st_mode & 0o777 == 0o640
    made = (shop.root / "shop/wsgi.py").stat()
    assert made.st_mode & 0o777 == (shop.root / "shop/urls.py").stat().st_mode & 0o777
    assert made.st_nlink == 1
    assert set(list_files(shop.root)) == before
    assert shop.locate("django").file == shop.root / "shop/wsgi.py"


@pytest.mark.parametrize(
    ("spec", "file"),
    [
        ("auto", "shop/wsgi.py"),
        ("one=django", "shop/wsgi.py"),
        ("shop.wsgi", "shop/wsgi.py"),
        ("shop.wsgi.application", "shop/wsgi.py"),
        ("shop.wsgi:application", "shop/wsgi.py"),
        ("shop/wsgi.py", "shop/wsgi.py"),
        ("shop/wsgi.py:application", "shop/wsgi.py"),
        ("shop.deploy", "shop/deploy.py"),
        ("shop.deploy:application", "shop/deploy.py"),
        ("shop.deploy.application", "shop/deploy.py"),
        ("wsgi", "wsgi.py"),
        ("wsgi.application", "wsgi.py"),
        ("site_of_shop", "site_of_shop.py"),
        ("site_of_shop.py", "site_of_shop.py"),
    ],
)
def test_the_file_goes_where_the_spec_says(shop, spec, file):
    proposal = propose_in(shop, spec)
    module = file.removesuffix(".py").replace("/", ".")
    assert names(shop, proposal) == (file, module, "shop/settings.py")
    assert f"WSGI_APPLICATION = '{module}.application'" in proposal.edit.after.decode()


def move_into_src(project, *names):
    (project.root / "src").mkdir()
    for name in names:
        (project.root / name).rename(project.root / "src" / name)


def test_a_project_in_src(shop):
    move_into_src(shop, "manage.py", "shop")
    proposal = propose_in(shop)
    assert names(shop, proposal) == ("src/shop/wsgi.py", "shop.wsgi", "src/shop/settings.py")
    assert "+++ b/src/shop/wsgi.py" in describe_proposal(proposal)


def test_a_package_in_src_that_pytest_does_not_know(shop):
    move_into_src(shop, "shop")
    problem = refusal(shop)
    assert problem.id == "propose-settings-elsewhere"
    assert "src/shop/settings.py is, with src on sys.path." in problem.message
    assert last_line(problem) == "Try: pytest -o pythonpath=src --wsgi-app django --wsgi-propose"


def test_a_package_in_src_that_pytest_knows(shop, monkeypatch):
    move_into_src(shop, "shop")
    monkeypatch.syspath_prepend(shop.root / "src")
    assert names(shop, propose_in(shop))[::2] == ("src/shop/wsgi.py", "src/shop/settings.py")


def test_split_settings(shop):
    shop.write_file("manage.py", MANAGE.format("shop.settings.dev"))
    (shop.root / "shop/settings.py").rename(shop.root / "base.py")
    shop.write(
        shop__settings___init_="",
        shop__settings__dev="from .base import *\nfrom .gone import *\nfrom .dev import *\n",
    )
    (shop.root / "base.py").rename(shop.root / "shop/settings/base.py")
    proposal = propose_in(shop)
    assert names(shop, proposal) == ("shop/wsgi.py", "shop.wsgi", "shop/settings/base.py")
    assert proposal.text == fill("shop.settings.dev")


def test_settings_outside_of_the_package(shop):
    shop.write_file("manage.py", MANAGE.format("config.dev"))
    (shop.root / "config").mkdir()
    (shop.root / "shop/settings.py").rename(shop.root / "config/dev.py")
    proposal = propose_in(shop)
    assert names(shop, proposal) == ("shop/wsgi.py", "shop.wsgi", "config/dev.py")
    assert proposal.text == fill("config.dev")


@pytest.mark.parametrize("kind", ["module", "package", "gone"])
def test_a_flat_project(project, monkeypatch, kind):
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE", raising=False)
    root = project.root / "old site"
    flat = Project(root)
    flat.write_file("manage.py", MANAGE.format("settings_of_shop"))
    flat.write_file("settings_of_shop.py", "ROOT_URLCONF = 'urls_of_shop'\n")
    places = {"module": "urls_of_shop.py", "package": "urls_of_shop/__init__.py", "gone": "x"}
    flat.write_file(places[kind])
    proposal = propose_in(flat)
    assert names(flat, proposal) == ("wsgi.py", "wsgi", "settings_of_shop.py")
    assert proposal.text == fill("settings_of_shop", "old-site")


def test_manage_py_in_a_parent_directory(shop):
    (shop.root / "shop" / "tests").mkdir()
    inner = Project(shop.root / "shop" / "tests")
    proposal = propose_in(inner)
    assert proposal.file == shop.root / "shop/wsgi.py"
    text = describe_proposal(proposal)
    assert "+++ b/shop/wsgi.py\n" in text
    assert f"\nThe names start from {shop.root.as_posix()}.\n" in text


def test_the_name_may_come_from_the_environment(shop, monkeypatch):
    (shop.root / "manage.py").unlink()
    proposal = propose_in(shop, DJANGO_SETTINGS_MODULE="shop.settings")
    assert proposal.text == fill()
    option = "--wsgi-env DJANGO_SETTINGS_MODULE=shop.settings"
    assert f"pytest {option} --wsgi-app shop.wsgi.application" in describe_proposal(proposal)
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "shop.settings")
    assert "pytest --wsgi-app shop.wsgi.app" in describe_proposal(propose_in(shop))
    assert propose_in(shop, "wsgi").file == shop.root / "wsgi.py"


def test_manage_py_goes_before_the_environment(shop):
    proposal = propose_in(shop, DJANGO_SETTINGS_MODULE="shop.other")
    assert proposal.text == fill()
    (note,) = proposal.notes
    assert note == (
        "DJANGO_SETTINGS_MODULE is shop.other here; manage.py names shop.settings, "
        "and so does the file."
    )


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("'shop.web.application'", ""),
        ("'other.web.application'", "is 'other.web.application' in shop/settings.py, line 2"),
        ("'shop.wsgi:application'", "is 'shop.wsgi:application' in shop/settings.py, line 2"),
        ("'shop.wsgi'", "is 'shop.wsgi' in shop/settings.py, line 2"),
        ("None", "is set in shop/settings.py, line 2"),
        ("''", "is '' in shop/settings.py, line 2"),
    ],
)
def test_a_setting_that_is_there_is_left_alone(shop, value, said):
    shop.write_file("shop/settings.py", f"ROOT_URLCONF = 'shop.urls'\nWSGI_APPLICATION = {value}\n")
    spec = "shop.web.application" if not said else "shop.wsgi.application"
    proposal = propose_in(shop, spec)
    assert proposal.edit is None
    expected = f"WSGI_APPLICATION {said}, and is left so. runserver wants:"
    assert proposal.notes == ((expected, f'    WSGI_APPLICATION = "{spec}"') if said else ())
    text = describe_proposal(proposal)
    assert "settings.py\n" not in text
    assert write_proposal(proposal).count("\n") == 1 + len(proposal.notes)


@pytest.mark.parametrize(
    ("value", "file"),
    [
        ("shop.web.application", "shop/web.py"),
        ("shop.web", "shop/web.py"),
        ("shop.wsgi:application", "shop/wsgi.py"),
        ("", "shop/wsgi.py"),
    ],
)
def test_the_setting_says_where_it_goes(shop, value, file):
    text = f"ROOT_URLCONF = 'shop.urls'\nWSGI_APPLICATION = '{value}'\n"
    shop.write_file("shop/settings.py", text)
    assert names(shop, propose_in(shop))[0] == file


def test_the_setting_asks_for_another_name(shop):
    shop.write_file("shop/settings.py", "WSGI_APPLICATION = 'shop.web.site'\n")
    problem = refusal(shop)
    assert problem.id == "propose-name"
    assert "  WSGI_APPLICATION is 'shop.web.site'.\n" in problem.message
    assert last_line(problem) == "Try: pytest --wsgi-app shop.web.application --wsgi-propose"


@pytest.mark.parametrize("text", ["", "ROOT_URLCONF = f()\n", None])
def test_urls_that_cannot_be_read(shop, text):
    shop.write_file("shop/settings.py", text or "")
    if text is None:
        (shop.root / "shop/settings.py").unlink()
    proposal = propose_in(shop)
    assert proposal.file == shop.root / "shop/wsgi.py"
    if text:
        assert proposal.edit.after.decode() == (
            'ROOT_URLCONF = f()\nWSGI_APPLICATION = "shop.wsgi.application"\n'
        )
    else:
        assert proposal.notes[0].startswith("No file of this project assigns ROOT_URLCONF")


def test_settings_of_a_library_are_not_edited(shop, monkeypatch):
    shop.write_file("venv/site-packages/company/settings.py", SETTINGS)
    monkeypatch.syspath_prepend(shop.root / "venv/site-packages")
    shop.write_file("shop/settings.py", "from company.settings import *\n")
    proposal = propose_in(shop)
    assert proposal.edit is None
    note, line = proposal.notes
    assert note.startswith("No file of this project assigns ROOT_URLCONF, as far as can be read.")
    assert note.endswith(" runserver wants in the settings:")
    assert line == '    WSGI_APPLICATION = "shop.wsgi.application"'
    problem = refusal(shop, "company.wsgi.application")
    assert problem.id == "propose-no-package"
    assert "company is no package of this project, it is " in problem.message
    assert last_line(problem) == "Try: pytest --wsgi-app shop.wsgi.application --wsgi-propose"


def test_there_is_no_project(project, monkeypatch):
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE", raising=False)
    problem = refusal(project)
    assert problem.id == "django-not-found"
    assert problem.message.startswith("No Django project: found no manage.py.\n")
    for name in ("one", "two"):
        project.write_file(f"{name}/manage.py", MANAGE.format(f"{name}.settings"))
    problem = refusal(project)
    expected = "Several Django projects: found one/manage.py, two/manage.py.\n"
    assert problem.message.startswith(expected)
    assert last_line(problem) == "When that is mended: pytest --wsgi-app django --wsgi-propose"


@pytest.mark.parametrize("guess", ["shop.settings", "PKG.settings"])
def test_settings_that_have_no_name(shop, guess):
    shop.write_file("manage.py", "import os\nNAME = 'x'\nos.environ['OTHER'] = NAME\n")
    if guess == "PKG.settings":
        (shop.root / "shop/settings.py").unlink()
    problem = refusal(shop)
    assert problem.id == "propose-settings-unnamed"
    assert problem.message.startswith("manage.py names no settings module that can be read.\n")
    option = f"--wsgi-env DJANGO_SETTINGS_MODULE={guess}"
    assert last_line(problem) == f"Try: pytest {option} --wsgi-app django --wsgi-propose"


def test_a_name_that_is_none(shop, monkeypatch):
    (shop.root / "manage.py").unlink()
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "no name")
    assert refusal(shop).message.startswith("DJANGO_SETTINGS_MODULE names no settings module")


@pytest.mark.parametrize(
    ("spec", "name", "said", "corrected"),
    [
        ("fixture", "propose-no-module", "fixture is no module", "django"),
        ("a.ini", "propose-no-module", "a.ini is no module", "django"),
        ("paste:egg:A", "propose-no-module", "paste:egg:A is no module", "django"),
        ("deep/er/wsgi.py", "propose-no-module", "would be no module", "django"),
        ("shop.wsgi.app", "propose-name", "and not 'app'", "shop.wsgi.application"),
        ("shop.wsgi:a.b", "propose-name", "and not 'a.b'", "shop.wsgi.application"),
        ("shop/wsgi.py:app", "propose-name", "and not 'app'", "shop.wsgi.application"),
        ("shop.wsgi:f()", "propose-name", "and not 'f'", "shop.wsgi.application"),
        ("gone.wsgi", "propose-no-package", "there is no such directory", "shop.wsgi.application"),
        ("shop.urls.wsgi", "propose-no-package", "no such directory", "shop.wsgi.application"),
        ("shop.sub.wsgi.application", "propose-no-package", "shop.sub", "shop.wsgi.application"),
    ],
)
def test_what_is_asked_for_cannot_be_made(shop, spec, name, said, corrected):
    problem = refusal(shop, spec)
    assert problem.id == name
    assert said in problem.message
    assert last_line(problem).endswith(f": pytest --wsgi-app {corrected} --wsgi-propose")


def test_a_package_that_is_not_there(shop):
    shutil.rmtree(shop.root / "shop")
    problem = refusal(shop)
    assert problem.message.startswith("shop.wsgi cannot be made: shop is no package")
    expected = "When that is mended: pytest --wsgi-app django --wsgi-propose"
    assert last_line(problem) == expected


@pytest.mark.parametrize("name", ["wsgi.py", "wsgi/x.py", "wsgi/__init__.py", "link"])
@pytest.mark.parametrize("spec", ["django", "shop.wsgi.application", "shop/wsgi.py"])
def test_what_is_there_is_not_proposed(shop, spec, name):
    if name == "link":
        name = "wsgi.py"
        (shop.root / "shop/wsgi.py").symlink_to("nowhere")
    else:
        shop.write_file(f"shop/{name}", "application = None\n")
    with pytest.raises(LoadError) as caught:
        propose_in(shop, spec)
    problem = caught.value.problem
    assert problem.id == EXISTS
    assert problem.message.startswith("There is nothing to propose: shop/wsgi")
    assert problem.message.splitlines()[0].endswith(" is there already.")
    assert last_line(problem) == "To try it: pytest --wsgi-app shop.wsgi.application"


def test_a_module_made_of_no_file_is_there(shop):
    assert "nothing to propose: builtins is" in refusal_of_existing(shop, "builtins:application")


def refusal_of_existing(project, spec):
    with pytest.raises(LoadError) as caught:
        propose_in(project, spec)
    assert caught.value.problem.id == EXISTS
    return caught.value.problem.message


@pytest.fixture
def fake_django(shop, monkeypatch):
    """Return what puts a Django of a test's own before the one that is installed."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "django"]:
        monkeypatch.delitem(sys.modules, name)

    def write(**files):
        shop.write(**{f"lib__django__{name}": text for name, text in files.items()})
        monkeypatch.syspath_prepend(shop.root / "lib")

    return write


VERSION = "def get_docs_version(): return '9.9'\n"
TEMPLATE = "lib/django/conf/project_template/project_name/wsgi.py-tpl"


def test_django_is_not_installed(shop, fake_django, monkeypatch):
    places = [place for place in sys.path if not Path(place, "django").is_dir()]
    monkeypatch.setattr(sys, "path", places)
    problem = refusal(shop)
    assert problem.id == "django-missing"
    assert problem.message.startswith("Django is not installed in the environment that runs")
    assert last_line(problem) == "When that is mended: pytest --wsgi-app django --wsgi-propose"


def test_django_has_no_template(shop, fake_django):
    fake_django(_init_="", utils__version=VERSION)
    assert refusal(shop).message.startswith("The Django that is installed has no project template")
    (shop.root / "lib/django/__init__.py").unlink()
    shutil.rmtree(shop.root / "lib/django")
    shop.write_file("lib/django.py", "")
    assert refusal(shop).message.startswith("The Django that is installed has no project template")


def test_django_cannot_be_imported(shop, fake_django):
    fake_django(_init_="raise OSError('no good')\n")
    shop.write_file(TEMPLATE, "")
    expected = "The Django that is installed cannot be imported: no good.\n"
    assert refusal(shop).message.startswith(expected)


def test_a_template_of_another_kind(shop, fake_django):
    fake_django(_init_="", utils__version=VERSION)
    shop.write_file(TEMPLATE, "# {{ project_name }} {{ docs_version }} {{ year }}\n")
    expected = "The template of Django 9.9 asks for more than is known here.\n"
    assert refusal(shop).message.startswith(expected)
    shop.write_file(TEMPLATE, "# {{ project_name }} {{ docs_version }}\n")
    assert propose_in(shop).text == "# shop 9.9\n"


LINE = b'WSGI_APPLICATION = "w.application"'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'ROOT_URLCONF = "u"\n', b'ROOT_URLCONF = "u"\n%s\n'),
        (b'ROOT_URLCONF = "u"', b'ROOT_URLCONF = "u"\n%s'),
        (b'ROOT_URLCONF = "u"\r\n', b'ROOT_URLCONF = "u"\r\n%s\r\n'),
        (b'A = 1\r\nROOT_URLCONF = "u"', b'A = 1\r\nROOT_URLCONF = "u"\r\n%s'),
        (b'ROOT_URLCONF = "u"\n\nA = 1\n', b'ROOT_URLCONF = "u"\n%s\n\nA = 1\n'),
        (b'ROOT_URLCONF = "u"\n\n\nA = 1\n', b'ROOT_URLCONF = "u"\n\n%s\n\nA = 1\n'),
        (
            b'ROOT_URLCONF = "u"; A = """\n"""\nB = 1\n',
            b'ROOT_URLCONF = "u"; A = """\n"""\n%s\nB = 1\n',
        ),
        (
            b'ROOT_URLCONF = "u"\nTEMPLATES = []\nA = 1\n',
            b'ROOT_URLCONF = "u"\nTEMPLATES = []\n%s\nA = 1\n',
        ),
        (
            b'if A:\n  ROOT_URLCONF = "u"\nelse:\n  ROOT_URLCONF = "v"\nB = 1\n',
            b'if A:\n  ROOT_URLCONF = "u"\nelse:\n  ROOT_URLCONF = "v"\n%s\nB = 1\n',
        ),
        (
            b'ROOT_URLCONF = "u"\nROOT_URLCONF = (\n"v")\n',
            b'ROOT_URLCONF = "u"\nROOT_URLCONF = (\n"v")\n%s\n',
        ),
        (
            b'# coding: latin-1\nROOT_URLCONF = "u"  # \xe9\n',
            b'# coding: latin-1\nROOT_URLCONF = "u"  # \xe9\n%s\n',
        ),
        (b'\xef\xbb\xbfROOT_URLCONF = "u"\n', b'\xef\xbb\xbfROOT_URLCONF = "u"\n%s\n'),
    ],
)  # fmt: skip
def test_a_line_is_added(tmp_path, before, after):
    file = tmp_path / "settings.py"
    file.write_bytes(before)
    edit = add_application(file, "w.application")
    assert (edit.file, edit.before) == (file, before)
    assert edit.after == after.replace(b"%s", LINE)
    assert edit.after.decode(edit.encoding)
    compile(edit.after, "settings.py", "exec")


@pytest.mark.parametrize(
    ("before", "module"),
    [
        (b'ROOT_URLCONF = "u" \\\n\nA = 1\n', "w"),
        (b"# coding: ascii\nROOT_URLCONF = 'u'\n", "\xfc"),
    ],
)
def test_a_line_that_cannot_be_added(tmp_path, before, module):
    file = tmp_path / "settings.py"
    file.write_bytes(before)
    assert add_application(file, f"{module}.application") is None


def test_what_to_add_is_said_where_it_cannot_be(shop):
    shop.write_file("shop/settings.py", "ROOT_URLCONF = 'shop.urls' \\\n\nA = 1\n")
    proposal = propose_in(shop)
    assert proposal.edit is None
    assert proposal.notes == (
        "shop/settings.py cannot be changed safely. runserver wants in it:",
        '    WSGI_APPLICATION = "shop.wsgi.application"',
    )


def refused_write(proposal):
    with pytest.raises(LoadError) as caught:
        write_proposal(proposal)
    return caught.value.problem


def test_nothing_is_written_over(shop):
    proposal = propose_in(shop)
    shop.write_file("shop/wsgi.py", "mine = 1\n")
    before = list_files(shop.root)
    problem = refused_write(proposal)
    assert problem.id == EXISTS
    assert (shop.root / "shop/wsgi.py").read_text() == "mine = 1\n"
    assert (shop.root / "shop/settings.py").read_text() == SETTINGS
    assert list_files(shop.root) == before


def test_settings_that_change_meanwhile_are_kept(shop):
    proposal = propose_in(shop)
    shop.write_file("shop/settings.py", "NEW = 1\n")
    before = list_files(shop.root)
    problem = checked(refused_write(proposal), "django")
    assert problem.message.startswith("shop/settings.py has just been changed.\n")
    assert last_line(problem) == "Try: pytest --wsgi-app django --wsgi-propose"
    assert list_files(shop.root) == before
    assert (shop.root / "shop/settings.py").read_text() == "NEW = 1\n"


@contextmanager
def nobody():
    """Be a user who may write nowhere, as root may write everywhere."""
    if os.getuid() == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(os.getuid())


def test_a_directory_that_cannot_be_written(shop):
    proposal = propose_in(shop)
    before = list_files(shop.root)
    (shop.root / "shop").chmod(0o500)
    with nobody():
        problem = refused_write(proposal)
    (shop.root / "shop").chmod(0o700)
    assert problem.id == "propose-not-writable"
    assert problem.message.startswith("Nothing can be written in shop: Permission denied.\n")
    assert last_line(checked(problem, "django")).startswith("When that is mended: pytest ")
    assert list_files(shop.root) == before


def test_a_directory_that_is_gone(shop):
    proposal = propose_in(shop)
    shutil.rmtree(shop.root / "shop")
    assert refused_write(proposal).message.startswith("Nothing can be written in shop: No such")


def test_linked_settings_stay_linked(shop):
    (shop.root / "shop/settings.py").rename(shop.root / "shop/real.py")
    (shop.root / "shop/settings.py").symlink_to("real.py")
    write_proposal(propose_in(shop))
    assert (shop.root / "shop/settings.py").is_symlink()
    assert (shop.root / "shop/real.py").read_text() == ADDED


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_settings_keep_their_owner(shop):
    os.chown(shop.root / "shop/settings.py", 65534, 65534)
    write_proposal(propose_in(shop))
    found = (shop.root / "shop/settings.py").stat()
    assert (found.st_uid, found.st_gid) == (65534, 65534)


def test_a_file_system_without_links(shop, monkeypatch):
    def refuse(*_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)  # there is none such on a machine of ours
    proposal = propose_in(shop)
    write_proposal(proposal)
    assert (shop.root / "shop/wsgi.py").read_text() == fill()
    assert refused_write(proposal).id == "propose-changed"
    shop.write_file("shop/settings.py", SETTINGS)
    assert refused_write(proposal).id == EXISTS
