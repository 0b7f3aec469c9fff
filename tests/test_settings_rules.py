"""What rules/settings.py says of runserver; what it catches is in test_kills.py."""

from __future__ import annotations

import pytest

from pytest_wsgi.catalogue import CATALOGUE
from pytest_wsgi.exchange import Loading
from pytest_wsgi.launches import Difference, Launch, Launches, Runserver
from pytest_wsgi.rules import load_rules

load_rules()
DIFFERENCE = Difference(request="GET /", what="status", target="200 OK", other="404 Not Found")


@pytest.mark.parametrize(
    ("setting", "built_in", "words"),
    [
        (None, False, "WSGI_APPLICATION is not set, so runserver serves Django's own handler"),
        ("a.b", False, "runserver serves WSGI_APPLICATION = 'a.b'"),
        ("a.b", True, "Django's own handler served this project before"),
    ],
)
def test_difference_to_runserver_is_told_with_its_cause(setting, built_in, words):
    runserver = Runserver(setting=setting, built_in=built_in, compared=1, difference=DIFFERENCE)
    launches = Launches(alone=Launch(runserver=runserver))
    loading = Loading(spec="a", label="a", origin="a", launches=launches)
    (finding,) = CATALOGUE["runserver-serves-the-application"].check(loading)
    assert finding.message == (
        f"{words}, and GET / is answered otherwise there: status is '404 Not Found', "
        "and here '200 OK'."
    )
