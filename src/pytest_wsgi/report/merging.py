"""Puts reports together: shards of one run as one report, several subjects side by side.

A file may hold one report or a set of them:
`{"format": "pytest-wsgi-set", "version": 1, "reports": [...]}`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pytest_wsgi.report.baseline import merge_standings
from pytest_wsgi.report.plain import (
    InvalidJsonError,
    NotAReportError,
    ReportError,
    ReportVersionError,
    from_json,
    shorten,
    to_json,
)
from pytest_wsgi.report.reach import merge_reaches
from pytest_wsgi.report.values import Report
from pytest_wsgi.report.verdicts import merge_rules

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_wsgi.report.values import Subject

SET_FORMAT = "pytest-wsgi-set"
SET_VERSION = 1


def to_json_set(reports: Sequence[Report]) -> str:
    """Return one report as itself and several as a set: pure ASCII, a newline at the end."""
    if len(reports) == 1:
        return to_json(reports[0])
    plain = {
        "format": SET_FORMAT,
        "version": SET_VERSION,
        "reports": [json.loads(to_json(report)) for report in reports],
    }
    return json.dumps(plain, indent=2) + "\n"


def from_json_set(text: str) -> tuple[Report, ...]:
    """Return the reports of a text that holds one report or a set of them.

    Raises InvalidJsonError, NotAReportError or ReportVersionError.
    """
    try:
        plain = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidJsonError(f"The report is not JSON, or is cut off: {error}.") from None
    if not isinstance(plain, dict) or plain.get("format") != SET_FORMAT:
        return (from_json(text),)
    version = plain.get("version")
    if type(version) is not int or version != SET_VERSION:
        raise ReportVersionError(
            f"The set of reports has version {shorten(version)} of the format; only "
            f"{SET_VERSION} can be read here."
        )
    rows = plain.get("reports")
    if not isinstance(rows, list):
        raise NotAReportError(f"reports should be a list, found {shorten(rows)}.")
    return tuple(read_row(index, row) for index, row in enumerate(rows))


def read_row(index: int, row: Any) -> Report:
    """Return a report of a set; the message of an error says which one it is about."""
    try:
        return from_json(json.dumps(row))
    except ReportError as error:
        raise type(error)(f"reports[{index}]: {error}") from None


def merge_reports(reports: Iterable[Report]) -> tuple[Report, ...]:
    """Return one report for every subject in every environment, in the order of the first.

    Reports of one kind, SPEC, label and environment are shards of one run and are merged; those
    that were made with another Python or other packages stay apart.
    """
    groups: dict[str, list[Report]] = {}
    for report in reports:
        groups.setdefault(identify(report), []).append(report)
    return tuple(merge_shards(shards) for shards in groups.values())


def identify(report: Report) -> str:
    """Return a text that the shards of one run have in common, and no other report has."""
    subject = report.subject
    parts = [subject.kind, subject.spec, subject.label, flatten(report.environment)]
    return json.dumps(parts, sort_keys=True)


def merge_shards(shards: Sequence[Report]) -> Report:
    """Return one report for the shards of one run.

    Where one of them did not load its subject or proved nothing, neither does the whole.
    """
    if len(shards) == 1:
        return shards[0]
    rules = merge_rules(rule for shard in shards for rule in shard.rules)
    musts = sum(rule.level == "must" for rule in rules)
    return Report(
        subject=choose_subject(shards),
        environment=shards[0].environment,
        rules=rules,
        ignored=merge_ignored(shards, {rule.id for rule in rules}),
        unjudged=max(min(map(count_musts, shards)) - musts, 0),
        notes=merge_notes([shard.notes for shard in shards]),
        exchanges=sum(shard.exchanges for shard in shards),
        unproven=next((shard.unproven for shard in shards if shard.unproven), ""),
        proof=next((shard.proof for shard in shards if shard.proof), None),
        reach=merge_reaches([shard.reach for shard in shards]),
        standing=merge_standings(shard.standing for shard in shards),
    )


def count_musts(report: Report) -> int:
    """Return how many MUSTs there are to judge, as far as one shard tells; never too few."""
    return report.unjudged + sum(rule.level == "must" for rule in report.rules)


def choose_subject(shards: Sequence[Report]) -> Subject:
    """Return the subject as the shard tells it that did not load it, else as the first does."""
    subjects = [shard.subject for shard in shards]
    return next((subject for subject in subjects if subject.problem), subjects[0])


def merge_ignored(shards: Sequence[Report], judged: set[str]) -> dict[str, str]:
    """Return the rules that were left out on purpose and that no shard judged."""
    return {
        name: reason
        for shard in shards
        for name, reason in shard.ignored.items()
        if name not in judged
    }


def merge_notes(notes: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """Return the notes of all shards; those that not all of them have say where they are from."""
    common = [note for note in dict.fromkeys(notes[0]) if all(note in own for own in notes)]
    return (
        *common,
        *(
            f"shard {number} of {len(notes)}: {note}"
            for number, own in enumerate(notes, start=1)
            for note in dict.fromkeys(own)
            if note not in common
        ),
    )


def name_reports(reports: Sequence[Report]) -> list[str]:
    """Return a name for each report that none of the others has, such as for a table's columns.

    It is the SPEC, with what differs in the environment where several have the same SPEC.
    """
    names: list[str] = []
    for report in reports:
        name = call(report)
        alike = [other for other in reports if call(other) == name]
        if len(alike) > 1:
            found = tell_apart(report, alike)
            name = f"{name} ({', '.join(found)})" if found else name
        names.append(number_name(name, names))
    return names


def call(report: Report) -> str:
    """Return what a report is called where it is alone."""
    return report.subject.spec or report.subject.kind or "report"


def tell_apart(report: Report, alike: Sequence[Report]) -> list[str]:
    """Return what of a report's environment is not the same in all that are alike."""
    environments = [flatten(other.environment) for other in alike]
    keys = dict.fromkeys(key for environment in environments for key in environment)
    own = flatten(report.environment)
    return [
        f"{key} {own.get(key) or 'absent'}"
        for key in keys
        if len({environment.get(key, "") for environment in environments}) > 1
    ]


def flatten(environment: Mapping[str, str | Mapping[str, str]]) -> dict[str, str]:
    """Return the environment in one level, sorted, the packages under their own names."""
    flat: dict[str, str] = {}
    for key, value in sorted(environment.items()):
        if isinstance(value, Mapping):
            flat.update({name: value[name] for name in sorted(value)})
        else:
            flat[key] = value
    return flat


def number_name(name: str, taken: Sequence[str]) -> str:
    """Return the name, with a number where it is taken."""
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name} #{number}"
    return free
