"""Middleware of real packages around the scripted applications, as reports/middleware.md has it."""

from __future__ import annotations

import pytest

from real.middleware import (
    COMMAND,
    FILE,
    MIDDLEWARE,
    compare,
    examine,
    find_version,
    render_page,
)


@pytest.fixture
def needs_packages():
    """Skip where the dependency group `middleware` is not installed: parts of it may be."""
    missing = [one.package for one in MIDDLEWARE if not (one.apart or find_version(one))]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")


@pytest.mark.slow
@pytest.mark.usefixtures("needs_packages")
@pytest.mark.parametrize("subject", MIDDLEWARE, ids=lambda subject: subject.name)
def test_middleware_breaks_what_is_known(subject, tmp_path, obtain_library):
    libraries = ()
    if subject.apart and not find_version(subject):
        libraries = (obtain_library(subject.package, *subject.apart),)
    found = examine(subject, tmp_path, *libraries)
    assert not compare(subject, found), found.output


def test_report_on_middleware_is_up_to_date():
    assert FILE.read_text("utf-8") == render_page(), f"stale; run: {COMMAND}"
