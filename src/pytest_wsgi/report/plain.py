"""Reports as builtin values and as JSON, and back.

The JSON is `"format": "pytest-wsgi", "version": 1`: keys are added, never renamed. What is read is
checked against the annotations of the values; keys that this version does not know are passed over.
"""

from __future__ import annotations

import json
import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from pytest_wsgi.report.values import Report, RuleReport, Subject

FORMAT = "pytest-wsgi"
VERSION = 1

_Record = TypeVar("_Record")


class ReportError(ValueError):
    """A text is no report that can be read. The message says what was found."""


class InvalidJsonError(ReportError):
    """The text is not JSON, or only the beginning of it."""


class NotAReportError(ReportError):
    """The JSON is not a report of pytest-wsgi, or a part of it is missing or of a wrong type."""


class ReportVersionError(ReportError):
    """The report has a version of the format that is not known here."""


def to_json(report: Report) -> str:
    """Return the report as JSON: pure ASCII, keys in fixed order, with a newline at the end."""
    plain = {
        "format": FORMAT,
        "version": VERSION,
        "subject": to_plain(report.subject),
        "environment": sort_keys(report.environment),
        "totals": report.totals,
        "rules": to_plain(report.rules),
        "ignored": to_plain(report.ignored),
        "unjudged": report.unjudged,
        "notes": to_plain(report.notes),
        "exchanges": report.exchanges,
        "unproven": report.unproven,
        "proof": to_plain(report.proof),
        "standing": to_plain(report.standing),
        "reach": to_plain(report.reach),
        "sentence": report.sentence,
        "harness_errors": len(report.harness_errors),
        "requirement_coverage": report.requirement_coverage,
        "ledger": report.ledger,
    }
    return json.dumps(plain, indent=2) + "\n"


def from_json(text: str) -> Report:
    """Return the report that `to_json` wrote; what follows from other values is not read.

    Two lone surrogates that make a pair come back as the one character that they are in JSON.
    Raises InvalidJsonError, NotAReportError or ReportVersionError.
    """
    try:
        plain = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidJsonError(f"The report is not JSON, or is cut off: {error}.") from None
    if not isinstance(plain, dict) or plain.get("format") != FORMAT:
        found = plain.get("format") if isinstance(plain, dict) else plain
        raise NotAReportError(
            f'This JSON is no report of pytest-wsgi: "format" should be "{FORMAT}", '
            f"found {shorten(found)}."
        )
    version = plain.get("version")
    if type(version) is not int or version != VERSION:
        raise ReportVersionError(
            f"The report has version {shorten(version)} of the format; only {VERSION} can be read "
            "here. Write it anew, or read it with the pytest-wsgi that wrote it."
        )
    return read_record(Report, plain, "report")


def rule_to_dict(rule: RuleReport) -> dict[str, Any]:
    """Return a rule's report in builtin values only: dict, list, str, int, bool, None."""
    return dict(to_plain(rule))


def rule_from_dict(plain: Mapping[str, Any]) -> RuleReport:
    """Return the rule's report that `rule_to_dict` made; raises NotAReportError."""
    return read_record(RuleReport, plain, "rule")


def subject_to_dict(subject: Subject) -> dict[str, Any]:
    """Return a subject in builtin values only: dict, str, int, None."""
    return dict(to_plain(subject))


def subject_from_dict(plain: Mapping[str, Any]) -> Subject:
    """Return the subject that `subject_to_dict` made; raises NotAReportError."""
    return read_record(Subject, plain, "subject")


def to_plain(value: Any) -> Any:
    """Return a record as a dict, a tuple as a list, a mapping as a dict, all else as it is."""
    if isinstance(value, Mapping):
        return {key: to_plain(item) for key, item in value.items()}
    if is_dataclass(value):
        return {field.name: to_plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple):
        return [to_plain(item) for item in value]
    return value


def sort_keys(value: Any) -> Any:
    """Return a mapping as a dict with sorted keys, all the way down."""
    if isinstance(value, Mapping):
        return {key: sort_keys(value[key]) for key in sorted(value)}
    return value


def read_record(kind: type[_Record], plain: Any, where: str) -> _Record:
    """Return the record that `plain` holds; `where` names it in the message of NotAReportError."""
    if not isinstance(plain, Mapping):
        raise NotAReportError(f"{where} should be an object, found {shorten(plain)}.")
    found: dict[str, Any] = {}
    for name, (annotation, required) in describe_fields(kind).items():  # type: ignore[arg-type] # a class is hashable
        if name in plain:
            found[name] = read_value(annotation, plain[name], f"{where}.{name}")
        elif required:
            raise NotAReportError(f"{where}.{name} is missing.")
    return kind(**found)


@cache
def describe_fields(kind: Any) -> Mapping[str, tuple[Any, bool]]:
    """Return the annotation of every field of a record, and whether it has no default."""
    hints = get_type_hints(kind)
    return {
        field.name: (
            hints[field.name],
            field.default is MISSING and field.default_factory is MISSING,
        )
        for field in fields(kind)
    }


def read_value(annotation: Any, value: Any, where: str) -> Any:
    """Return `value` as the annotation asks for; raises NotAReportError where it cannot be."""
    if is_dataclass(annotation):
        return read_record(annotation, value, where)  # type: ignore[arg-type] # it is a class here
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is tuple and isinstance(value, list):
        return tuple(
            read_value(arguments[0], item, f"{where}[{index}]") for index, item in enumerate(value)
        )
    if origin is Mapping and isinstance(value, dict):
        return {key: read_value(arguments[1], value[key], f"{where}.{key}") for key in value}
    if origin in (Union, types.UnionType):
        return read_alternative(arguments, value, where)
    if value in arguments if origin is Literal else type(value) is annotation:
        return value
    raise NotAReportError(f"{where} should be {name_kind(annotation)}, found {shorten(value)}.")


def read_alternative(alternatives: tuple[Any, ...], value: Any, where: str) -> Any:
    """Return `value` as the first of the annotations that fits, else raise as the first does."""
    errors = []
    for annotation in alternatives:
        try:
            return read_value(annotation, value, where)
        except NotAReportError as error:  # noqa: PERF203 # at most two annotations
            errors.append(error)
    raise errors[0]


def name_kind(annotation: Any) -> str:
    """Return what JSON calls a value of the annotation."""
    origin = get_origin(annotation)
    if origin is Literal:
        return " or ".join(map(str, get_args(annotation)))
    names = {tuple: "a list", Mapping: "an object", str: "a text", int: "an integer"}
    return names.get(origin or annotation, "true or false")


def shorten(value: Any) -> str:
    """Return a value that was read, as JSON, for a message."""
    text = json.dumps(value, default=lambda _: "...")
    return text if len(text) <= 60 else f"{text[:57]}..."  # noqa: PLR2004 # fits a line with the rest
