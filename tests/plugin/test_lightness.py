"""Nothing is imported before it is asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest

import pytest_wsgi
from pytest_wsgi.judge import judge

LIST = "import sys; print([m for m in sys.modules if m.startswith(('pytest_wsgi', 'wsgiref'))])"


def run_python(code):
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout


def test_the_plugin_imports_no_sibling():
    found = run_python(f"import pytest_wsgi.plugin; {LIST}")
    assert eval(found) == ["pytest_wsgi", "pytest_wsgi.plugin"]  # noqa: S307 # what we printed


@pytest.mark.usefixtures("launches")  # what stops them is a sibling
def test_a_run_without_a_target_imports_no_sibling(run_apart, add):
    add({"tests/test_b.py": f"def test_modules(): {LIST.replace('; print', '; assert')} == "
                            "['pytest_wsgi', 'pytest_wsgi.plugin']\n"})  # fmt: skip
    run_apart().assert_outcomes(passed=3)


NEEDLESS = ("apart", "baselines", "layering", "loading.middleware", "publishing", "rendering.files")


@pytest.mark.parametrize("asked", [(), ("--wsgi-report", "report.json")], ids=["plain", "report"])
def test_a_run_imports_what_it_needs(run_apart, add, asked):
    names = {f"pytest_wsgi.{name}" for name in NEEDLESS[: -2 if asked else None]}
    check = (
        "import sys\ndef pytest_unconfigure():\n"
        "    assert 'pytest_wsgi.planning' in sys.modules\n"
        f"    assert not {names} & {{*sys.modules}}\n"
    )
    add({"conftest.py": check})
    result = run_apart("--wsgi-app", "mysite.wsgi.application", *asked)
    assert result.ret == 0, result.stderr.str()


def test_the_package_imports_nothing():
    assert eval(run_python(f"import pytest_wsgi; {LIST}")) == ["pytest_wsgi"]  # noqa: S307 # as above


@pytest.mark.parametrize("name", pytest_wsgi.__all__)
def test_public_names(name):
    value = getattr(pytest_wsgi, name)
    assert value is getattr(pytest_wsgi, name) or isinstance(value, str)
    assert name in dir(pytest_wsgi)


def test_public_names_in_a_new_process():
    code = "from pytest_wsgi import *; print(sorted(n for n in dir() if n[:2] != '__'))"
    names = sorted(name for name in pytest_wsgi.__all__ if name[:2] != "__")
    assert eval(run_python(code)) == names  # noqa: S307 # as above


def test_a_name_that_is_none():
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        pytest_wsgi.nothing  # noqa: B018 # the access is the test


def test_the_library_by_its_public_names():
    def application(_environ, start_response):
        start_response(b"200 OK", [])
        return []

    pytest_wsgi.load_rules()
    battery = pytest_wsgi.drive(application, pytest_wsgi.BATTERY, pytest_wsgi.Terms())
    exchanges = [exchange for talk in battery.conversations for exchange in talk.exchanges]
    rule = pytest_wsgi.CATALOGUE["status-is-native-string"]
    (verdict,) = judge([rule], exchanges)
    assert isinstance(verdict, pytest_wsgi.Verdict)
    assert verdict.outcome == "broken"
