"""A plugin for runs of pytest in processes of their own: no fresh process is started there.

For runs in this process conftest.py does the same.
"""

from __future__ import annotations

UNLAUNCHED = "no fresh process was started in this test"


def pytest_sessionstart():
    from pytest_wsgi.examination import Examination  # noqa: PLC0415 # as late as ours

    Examination.start_launches = lambda self, **_: self.stop_launches(UNLAUNCHED)
