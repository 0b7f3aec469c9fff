"""Applications of the frameworks in this environment, and two of none."""

from __future__ import annotations

import pytest

from real.subjects import FRAMEWORKS, list_broken

pytestmark = [
    pytest.mark.slow,
    pytest.mark.parametrize("subject", FRAMEWORKS, ids=lambda subject: subject.module[:-3]),
]


def test_plain_run_breaks_what_is_known(subject, examine, bring):
    bring(subject.module)
    run = examine(subject.spec)
    assert run.list_broken() == list_broken(subject.broken), run.output
    assert run.exit_code == 0, run.output


def test_unsafe_run_over_all_pages_breaks_what_is_known(subject, examine, bring):
    bring(subject.module)
    pages = (f"--wsgi-path={page}" for page in subject.pages)
    run = examine(subject.spec, "--wsgi-unsafe", *pages)
    assert run.list_broken() == list_broken(subject.broken, "pages", "unsafe"), run.output
    assert not run.list_broken("must"), run.output
    assert run.exit_code == 0, run.output
