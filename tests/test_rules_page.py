from __future__ import annotations

import sys

import pytest

import rules_page


@pytest.mark.skipif(
    sys.version_info[:2] != (3, 11), reason="what Python says of errors differs; 3.11 made the page"
)
def test_the_page_is_what_the_catalogue_says():
    assert rules_page.FILE.read_text("utf-8") == rules_page.render_page(), rules_page.COMMAND
