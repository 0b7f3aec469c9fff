from __future__ import annotations

import sys
from difflib import unified_diff

import pytest

import rules_page

MOST_SHOWN = 30
"""Lines of a difference that are shown: the page has thousands."""


@pytest.mark.examples
@pytest.mark.skipif(
    sys.version_info[:2] != (3, 11), reason="what Python says of errors differs; 3.11 made the page"
)
def test_the_page_is_what_the_catalogue_says():
    page, fresh = rules_page.FILE.read_text("utf-8"), rules_page.render_page()
    if page != fresh:
        stale = list(unified_diff(page.splitlines(), fresh.splitlines(), n=1, lineterm=""))
        shown = "\n".join(stale[:MOST_SHOWN])
        pytest.fail(f"stale; run: {rules_page.COMMAND}\n{shown}", pytrace=False)
