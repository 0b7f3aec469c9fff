"""Renders the explanation of a rule, as plain text for a terminal and as Markdown for a page."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from pytest_wsgi.rendering.failure import WIDTH, render_finding
from pytest_wsgi.rendering.markdown import escape, fence, quote

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_wsgi.explanation import Example, Explanation

_LABEL = 12


def render_explanation(explanation: Explanation) -> str:
    """Return the explanation for a terminal, with a newline at the end."""
    rule = explanation.rule
    head = f"{rule.id}  ({rule.level.value.upper()})"
    lines = [
        head,
        "=" * len(head),
        *wrap("", rule.sentence),
        "",
        *list_sources(explanation),
        "",
        *wrap("Judges", describe_side(explanation)),
        *wrap("Why", rule.why),
        *wrap("Level", describe_level(explanation)),
        *list_readings(explanation),
        *render_example("Bad", explanation.bad),
        *render_example("Good", explanation.good),
        "",
        "How to mend it",
        *(line for place, text in explanation.fixes.items() for line in wrap(f"  {place}", text)),
        "",
        "How to silence it",
        *(f"  {line}" for line in list_silencers(explanation)),
    ]
    return "\n".join(lines) + "\n"


def wrap(label: str, text: str) -> list[str]:
    """Return a labelled paragraph, wrapped; nothing where there is no text."""
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=f"{label:{_LABEL}}" if label else "",
        subsequent_indent=" " * _LABEL if label else "",
        break_long_words=False,
        break_on_hyphens=False,
    )


def list_sources(explanation: Explanation) -> list[str]:
    """Return the sections that the rule comes from, and the requirements that it checks."""
    lines = [*wrap("Source", explanation.section), *wrap("", " " * _LABEL + explanation.link)]
    for requirement in explanation.rule.requirements:
        text = f"{requirement.requirement} ({requirement.level}, {requirement.id})"
        lines += wrap("Requires", text)
    return lines


def describe_level(explanation: Explanation) -> str:
    """Return what a broken rule of this level comes to, and why it has this level."""
    rule = explanation.rule
    effect = {
        "must": "A MUST: where it is broken the run fails.",
        "should": "A SHOULD: where it is broken the run fails only with --wsgi-strict.",
        "convention": "A CONVENTION: advice, which never fails a run.",
    }[rule.level.value]
    inherited = "HTTP or CGI asks for it, and the PEP does not." if rule.inherited else ""
    eased = f"It weighs less than its requirement: {rule.eased}." if rule.eased else ""
    return " ".join(filter(None, (effect, inherited, eased)))


def describe_side(explanation: Explanation) -> str:
    """Return which side of a middleware is judged; nothing where applications are judged too."""
    if not explanation.of_middleware:
        return ""
    is_inner = explanation.rule.binds.value == "server"
    return f"a middleware, towards the {'application behind it' if is_inner else 'server'}."


def list_readings(explanation: Explanation) -> Iterator[str]:
    """Yield how the PEP can be read, where the rule is on an ambiguous point."""
    point = explanation.ambiguity
    if point is None:
        return
    yield from wrap("Ambiguous", point.question)
    for name, reading in point.readings.items():
        ours = ", our choice" if name == point.default else ""
        text = f"{reading.says} ({reading.level.upper()}{ours})"
        yield from wrap(f"  {name}", text)


def render_example(label: str, example: Example) -> Iterator[str]:
    """Yield an example's source, and what a run finds in it."""
    yield ""
    yield f"{label} ({example.name})"
    yield from (f"    {line}".rstrip() for line in example.source.splitlines())
    yield f"  A run says: {example.outcome}"
    if example.finding is not None:
        yield from (f"  {line}" for line in render_finding(example.finding))


def list_silencers(explanation: Explanation) -> tuple[str, ...]:
    """Return how a rule is left out: for one run, and for good."""
    name = explanation.rule.id
    target = "--wsgi-app mysite.wsgi.application"
    if explanation.of_middleware:
        target = "--wsgi-middleware mysite.middleware:Middleware"
    return (
        f"pytest {target} --wsgi-ignore {name}",
        "or for good, with a reason, in pyproject.toml below [tool.pytest.ini_options]:",
        f'wsgi_ignore = ["{name}: why this is right here"]',
    )


def render_chapter(explanation: Explanation) -> str:
    """Return the explanation as a chapter of a Markdown page, with a newline at the end."""
    rule = explanation.rule
    section = f"[{escape(explanation.section)}]({explanation.link})"
    requirements = "; ".join(
        f"{escape(row.requirement)} ({row.level}, {quote(row.id)})" for row in rule.requirements
    )
    side = describe_side(explanation)
    blocks = [
        f"### {rule.id}",
        f"**{rule.level.value.upper()}** {escape(rule.sentence)} {section}",
        f"Requires: {requirements}",
        *([f"Judges {side}"] if side else []),
        f"Why: {escape(rule.why)}",
        escape(describe_level(explanation)),
        *list_chapter_readings(explanation),
        *render_chapter_example("Bad", explanation.bad),
        *render_chapter_example("Good", explanation.good),
        "\n".join(f"- {place}: {escape(text)}" for place, text in explanation.fixes.items()),
    ]
    return "\n\n".join(blocks) + "\n"


def list_chapter_readings(explanation: Explanation) -> list[str]:
    """Return how the PEP can be read, as a list."""
    point = explanation.ambiguity
    if point is None:
        return []
    items = [
        f"- {name}: {escape(reading.says)} ({reading.level.upper()})"
        for name, reading in point.readings.items()
    ]
    return [f"Ambiguous: {escape(point.question)} Ours is {point.default}.", "\n".join(items)]


def render_chapter_example(label: str, example: Example) -> list[str]:
    """Return an example's source, and what a run finds in it."""
    source = f"```python\n{example.source}\n```"
    said = f"A run says: {example.outcome}"
    if example.finding is None:
        return [f"{label}:", source, said]
    found = fence("\n".join(render_finding(example.finding)))
    return [f"{label}:", source, said, "\n".join(found)]
