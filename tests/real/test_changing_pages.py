"""Lawful applications that answer the same request differently, or show little of themselves."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.slow

APPLICATIONS = (
    "nonces",
    "make_counter()",
    "make_rotation()",
    "make_warm_up()",
    "make_limited()",
    "make_overloaded()",
    "login_required",
    "password_required",
    "large",
)


@pytest.mark.parametrize("application", APPLICATIONS)
def test_nothing_is_held_against_it(application, examine, bring):
    bring("changing_pages.py")
    run = examine(f"changing_pages:{application}", "--wsgi-unsafe")
    assert not run.list_broken(), run.output
    assert run.exit_code == 0, run.output


def test_page_that_names_the_method_may_be_longer_for_head(examine, bring):
    bring("changing_pages.py")
    run = examine("changing_pages:method_shown")
    assert run.list_broken() == {"head-has-no-body"}, run.output


def test_stream_of_events_is_survived_and_only_advised_against(examine, bring):
    bring("changing_pages.py")
    run = examine("changing_pages:events", "--wsgi-timeout", "0.5")
    assert run.list_broken() == {"response-comes-to-an-end"}, run.output
    assert run.exit_code == 0, run.output
