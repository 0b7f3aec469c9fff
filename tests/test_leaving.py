"""A hanging application does not keep the process from ending."""

from __future__ import annotations

import threading

from pytest_wsgi import leaving

HANGING = """
import threading
from concurrent.futures import ThreadPoolExecutor

pool = ThreadPoolExecutor()


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [pool.submit(threading.Event().wait).result()]
"""


def test_run_ends_although_a_pool_of_the_application_hangs(pytester):
    pytester.makepyfile(wsgi=HANGING)
    result = pytester.runpytest_subprocess(
        *("--wsgi-app", "wsgi", "--wsgi-timeout", "0.2"),
        *("--wsgi-select", "application-answers-in-time"),
        timeout=60,
    )
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*1 failed*"])
    result.stderr.fnmatch_lines(["wsgi: threads of the application that hangs are left behind"])


def test_main_thread_at_work_is_not_shutting_down():
    assert not leaving.is_shutting_down(threading.main_thread().ident)
    assert not leaving.is_shutting_down(0)


def test_process_is_ended_with_the_status_once_the_main_thread_waits(monkeypatch, capsys):
    monkeypatch.setattr(leaving, "GRACE", 0.0)
    looks = iter([False, True])
    monkeypatch.setattr(leaving, "is_shutting_down", lambda _thread: next(looks))
    ended = []
    leaving.leave(1, ended.append)
    assert ended == [1]
    assert "left behind" in capsys.readouterr().err
