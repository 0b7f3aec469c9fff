"""The HTML report in a real browser: Debian's Chromium, driven headless."""

from __future__ import annotations

import base64
import json
import os
import shutil
from itertools import pairwise

import pytest

from html_samples import (
    MARKUP,
    make_full_report,
    make_full_rule,
    make_layered_finding,
    spoil,
)
from pytest_wsgi.rendering.html import render_html
from sample_reports import (
    make_report,
    make_rule,
    make_rules,
    make_subject,
    make_unloaded_report,
)

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
DRIVER = shutil.which("chromedriver")
INSTALL = "apt-get install -y chromium chromium-driver, and pip install selenium"
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",  # containers have little of it
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SCHEMES = ("light", "dark")
WIDTHS = (1280, 390)
MOST_TABS = 900
PATIENCE = 30

LANDMARKS = {"banner", "main", "navigation", "contentinfo"}

KEYS = {
    "Tab": {"key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9},
    "Enter": {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"},
    "Space": {"key": " ", "code": "Space", "windowsVirtualKeyCode": 32, "text": " "},
}

FOCUSABLE = "a[href], summary, input, [tabindex='0']"
FOCUS = """
const one = document.activeElement;
if (!one || one === document.body) return null;
return {
  text: one.innerText, outline: getComputedStyle(one).outlineStyle,
  left: one.getBoundingClientRect().left,
  closed: one.matches('summary') && !one.parentElement.open,
};
"""

REPORTS = {
    "one": [make_full_report()],
    "layers": [make_report(make_full_rule(findings=(make_layered_finding(),)))],
    "several": [
        make_full_report(),
        make_report(*make_rules("held", 3), subject=make_subject(spec="other.wsgi:app")),
        make_report(
            make_rule(id="held-1"),
            *make_rules("blocked", 2),
            subject=make_subject(spec="third", kind="middleware"),
        ),
    ],
    "hostile": [spoil(make_full_report())],
    "unloaded": [make_unloaded_report()],
    "empty": [make_report()],
}

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(
        not (BROWSER and DRIVER) and not os.environ.get("CI"),
        reason=f"there is no Chromium to look with: {INSTALL}",
    ),
]

ARROWS = """
const lines = [...document.querySelectorAll('.lines i')].map(
  one => one.getBoundingClientRect().left + 1);
const arrows = [...document.querySelectorAll('.arrow')].map(one => {
  const box = one.getBoundingClientRect(), style = getComputedStyle(one, '::before');
  return [box.left + parseFloat(style.left), box.right - parseFloat(style.right)];
});
return [lines, arrows];
"""

CONTRASTS = """
const canvas = new OffscreenCanvas(1, 1).getContext('2d', {willReadFrequently: true});
function mix(colours) {
  canvas.clearRect(0, 0, 1, 1);
  for (const colour of colours) { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); }
  return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
}
function light(rgb) {
  const [r, g, b] = rgb.map(x => x / 255).map(
    x => x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
const poor = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const element = walker.currentNode.parentElement;
  if (!walker.currentNode.data.trim() || !element.checkVisibility()) continue;
  if (element.closest('.unseen, .skip, style')) continue;
  const layers = [];
  for (let one = element; one; one = one.parentElement)
    layers.unshift(getComputedStyle(one).backgroundColor);
  const back = light(mix(layers)), front = light(mix([...layers, getComputedStyle(element).color]));
  const contrast = (Math.max(back, front) + 0.05) / (Math.min(back, front) + 0.05);
  if (contrast < 4.5) poor.push([walker.currentNode.data.trim(), contrast]);
}
return poor;
"""


@pytest.fixture(scope="module")
def chrome(tmp_path_factory):
    if not (BROWSER and DRIVER):
        pytest.fail(f"CI is set, and there is no Chromium to look with: {INSTALL}")
    if not os.environ.get("CI"):
        pytest.importorskip("selenium", reason=INSTALL)
    from selenium import webdriver  # noqa: PLC0415 # it may be missing

    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    driver.get("about:blank")  # the page that it starts with asks for much
    yield driver
    driver.quit()


@pytest.fixture
def show(chrome, tmp_path):
    """Show reports in the browser, and return it; the page is all that may be asked for."""

    def show_page(*reports, width=1280, scheme="light", media="screen"):
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        colours = [{"name": "prefers-color-scheme", "value": scheme}]
        chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": colours})
        chrome.get_log("browser")
        chrome.get_log("performance")
        path = tmp_path / "wsgi.html"
        path.write_text(render_html(reports), encoding="utf-8")
        chrome.get(path.as_uri())
        return chrome

    yield show_page
    assert set(list_requests(chrome)) == {(tmp_path / "wsgi.html").as_uri()}
    assert chrome.get_log("browser") == []


def list_requests(chrome):
    """Return the addresses that were asked for since the last look.

    The icon is empty and in the page; what the page's policy stops is never asked for.
    """
    rows = [json.loads(row["message"])["message"] for row in chrome.get_log("performance")]
    stopped = {
        row["params"]["requestId"]
        for row in rows
        if row["method"] == "Network.loadingFailed" and row["params"].get("blockedReason") == "csp"
    }
    addresses = [
        row["params"]["request"]["url"].partition("#")[0]
        for row in rows
        if row["method"] == "Network.requestWillBeSent"
        and row["params"]["requestId"] not in stopped
    ]
    return [address for address in addresses if address != "data:,"]


def list_roles(chrome):
    """Return what a screen reader is told: the names of the elements by their roles."""
    roles = {}
    for node in chrome.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]:
        if not node["ignored"]:
            name = node.get("name", {}).get("value", "")
            roles.setdefault(node["role"]["value"], []).append(name)
    return roles


def wait(chrome, script):
    """Wait until a script, an expression, is true: the browser follows a key when it has time."""
    wait_until(chrome, lambda driver: driver.execute_script(f"return {script}"))


def wait_until(chrome, condition):
    """Wait until a function of the browser returns something true."""
    from selenium.webdriver.support.wait import WebDriverWait  # noqa: PLC0415 # it may be missing

    WebDriverWait(chrome, PATIENCE).until(condition)


def press(chrome, key):
    """Press a key where the focus is."""
    for kind in ("keyDown", "keyUp"):
        chrome.execute_cdp_cmd("Input.dispatchKeyEvent", {"type": kind, **KEYS[key]})


def walk(chrome):
    """Press Tab until the page was left, and yield every element that had the focus.

    Enter opens each closed part on the way.
    """
    for _ in range(MOST_TABS):
        press(chrome, "Tab")
        found = chrome.execute_script(FOCUS)
        if found is None:
            return
        yield found
        if found["closed"]:
            press(chrome, "Enter")
            wait(chrome, "document.activeElement.parentElement.open")
    pytest.fail("the focus never leaves the page")


def test_all_can_be_reached_and_opened_with_the_keyboard(show):
    chrome = show(make_full_report())
    focused = list(walk(chrome))
    assert (
        chrome.execute_script("return document.querySelectorAll('details:not([open])').length") == 0
    )
    wanted = chrome.execute_script(f"return [...document.querySelectorAll({FOCUSABLE!r})].length")
    assert len(focused) == wanted
    assert all(found["outline"] not in {"none", ""} for found in focused)
    assert focused[0]["text"] == "Skip to the results"
    assert focused[0]["left"] >= 0


def test_enter_follows_links_and_opens_what_they_lead_into(show):
    chrome = show(make_full_report())
    press(chrome, "Tab")
    press(chrome, "Enter")
    wait(chrome, "location.hash === '#main'")
    chrome.execute_script("document.querySelector('a[href=\"#area-status\"]').focus()")
    press(chrome, "Enter")
    wait(chrome, "document.getElementById('area-status').closest('details').open")


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("kind", ["one", "layers", "several"])
def test_every_text_has_contrast(show, scheme, kind):
    chrome = show(*REPORTS[kind], scheme=scheme)
    chrome.execute_script("for (const d of document.querySelectorAll('details')) d.open = true")
    assert chrome.execute_script(CONTRASTS) == []


def test_the_schemes_differ(show):
    backs = {
        show(make_report(), scheme=scheme).execute_script(
            "return getComputedStyle(document.body).backgroundColor"
        )
        for scheme in SCHEMES
    }
    assert len(backs) == 2


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("kind", ["one", "layers", "several", "hostile", "unloaded", "empty"])
def test_nothing_is_wider_than_the_window(show, width, kind):
    chrome = show(*REPORTS[kind], width=width)
    chrome.execute_script("for (const d of document.querySelectorAll('details')) d.open = true")
    wide, window = chrome.execute_script(
        "return [document.documentElement.scrollWidth, innerWidth]"
    )
    assert wide <= window
    assert window == width


@pytest.mark.parametrize("width", WIDTHS)
def test_arrows_go_from_lane_to_lane(show, width):
    chrome = show(*REPORTS["layers"], width=width)
    lines, arrows = chrome.execute_script(ARROWS)
    assert len(lines) == 7
    wanted = [*pairwise(lines), *pairwise(reversed(lines))]
    assert len(arrows) == len(wanted)
    for ends, (source, target) in zip(arrows, wanted, strict=True):
        assert sorted(ends) == pytest.approx(sorted((source, target)), abs=1.5)


def test_a_hostile_report_is_only_text(show):
    chrome = show(*REPORTS["hostile"])
    assert chrome.execute_script("return document.querySelectorAll('script, img').length") == 0
    assert "<script>" in chrome.execute_script("return document.body.innerText")
    assert chrome.execute_script("return document.title").endswith(MARKUP)


def test_scripts_and_requests_are_forbidden_even_if_one_got_in(chrome, tmp_path):
    evil = "<script>document.title = 'evil'</script><img src='file:///evil.png'>"
    path = tmp_path / "wsgi.html"
    page = render_html([make_report()])
    path.write_text(page.replace("</main>", f"{evil}</main>"), encoding="utf-8")
    chrome.get_log("performance")
    chrome.get(path.as_uri())
    assert chrome.title != "evil"
    assert list_requests(chrome) == [path.as_uri()]
    refused = [row["message"] for row in chrome.get_log("browser")]
    assert len(refused) == 2
    assert all("Content Security Policy" in message for message in refused)


def test_only_the_rules_on_which_subjects_disagree(show):
    chrome = show(*REPORTS["several"])
    count = (
        "return [...document.querySelectorAll('#overview tbody tr')]"
        ".filter(row => row.offsetHeight).length"
    )
    before = chrome.execute_script(count)
    chrome.execute_script("document.getElementById('only-different').focus()")
    press(chrome, "Space")
    wait(chrome, "document.getElementById('only-different').checked")
    assert 0 < chrome.execute_script(count) < before
    press(chrome, "Space")
    wait(chrome, "!document.getElementById('only-different').checked")
    assert chrome.execute_script(count) == before


def test_closed_parts_are_printed(show):
    chrome = show(make_full_report(), media="print")
    hidden = chrome.execute_script(
        "return [...document.querySelectorAll('details > :not(summary)')]"
        ".filter(e => !e.getBoundingClientRect().height).length"
    )
    assert hidden == 0
    assert chrome.execute_cdp_cmd("Page.printToPDF", {})["data"].startswith("JVBERi")


def test_the_accessibility_tree_has_the_landmarks(show):
    chrome = show(*REPORTS["several"])
    wait_until(chrome, lambda driver: list_roles(driver).keys() >= LANDMARKS)
    roles = list_roles(chrome)
    named = ("link", "image", "heading", "checkbox", "region", "table", "rowheader")
    unnamed = [role for role in named if not all(roles[role])]
    assert unnamed == []


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_pictures_for_people(show, tmp_path, width, scheme):
    """Writes the pictures to look at, with `--basetemp`; here is only seen that they are some."""
    for kind, reports in REPORTS.items():
        chrome = show(*reports, width=width, scheme=scheme)
        picture = chrome.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True})
        data = base64.b64decode(picture["data"])
        (tmp_path / f"{kind}-{width}-{scheme}.png").write_bytes(data)
        assert len(data) > 5_000
