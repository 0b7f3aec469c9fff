from __future__ import annotations

from real.page import COMMAND, FILE, render_page


def test_report_on_frameworks_is_up_to_date():
    assert FILE.read_text("utf-8") == render_page(), f"stale; run: {COMMAND}"
