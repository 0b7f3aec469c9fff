"""What `wsgiref.validate` says about start_response: the status, the headers, exc_info."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wsgiref_validate_wrappers.checks.check import Check

if TYPE_CHECKING:
    from wsgiref_validate_wrappers.checks.check import Locals

__all__ = ["HEADERS", "START"]

# RFC 9110, section 5.6.2.
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")


def _is_token(names: Locals) -> bool:
    return _TOKEN.fullmatch(names["name"]) is not None


def _is_only_tab(names: Locals) -> bool:
    return not any(character < " " and character != "\t" for character in names["value"])


def _is_line_break(names: Locals) -> bool:
    return "\r" in names["value"] or "\n" in names["value"]


START = (
    Check(
        "start-response-with-two-or-three-arguments",
        "start-arg-count",
        "pep",
        "application",
        function="start_response_wrapper",
        begins="Invalid number of arguments",
        message="start_response() was called with neither two nor three arguments",
    ),
    Check(
        "start-response-without-keywords",
        "start-positional-args",
        "pep",
        "application",
        function="start_response_wrapper",
        begins="No keyword arguments allowed",
        message="start_response() was called with keyword arguments",
    ),
    Check(
        "status-is-str",
        "status-native-str",
        "pep",
        "application",
        function="check_string_type",
        begins="Status must be of type str",
    ),
    Check(
        "status-has-three-digits",
        "status-three-digits",
        "pep",
        "application",
        function="check_status",
        begins="Status codes must be three characters",
    ),
    Check(
        "status-has-a-number",
        "status-three-digits",
        "pep",
        "application",
        function="check_status",
        raises=(ValueError, IndexError),
        message="The status does not begin with a number",
    ),
    Check(
        "status-is-at-least-100",
        "status-code-range",
        "stricter",
        "application",
        function="check_status",
        begins="Status code is invalid",
        when=lambda names: names["status_code"].isdecimal(),
    ),
    Check(
        "status-has-only-digits",
        "status-three-digits",
        "pep",
        "application",
        function="check_status",
        begins="Status code is invalid",
    ),
    Check(
        "status-has-a-reason",
        "status-form",
        "pep",
        "application",
        function="check_status",
        begins="The status string (",
        when=lambda names: names["status"] == names["status_code"],
    ),
    Check(
        "status-begins-with-its-code",
        "status-no-surrounding-ws",
        "pep",
        "application",
        function="check_status",
        begins="The status string (",
        when=lambda names: not names["status"].startswith(names["status_code"]),
    ),
    Check(
        "status-has-a-space",
        "status-single-space",
        "pep",
        "application",
        function="check_status",
        begins="The status string (",
    ),
    Check(
        "exc-info-is-tuple",
        "exc-info-tuple",
        "pep",
        "application",
        function="check_exc_info",
        begins="exc_info (",
        message="exc_info is a {kinds[exc_info]}, not a tuple",
    ),
)

HEADERS = (
    Check(
        "headers-are-list",
        "header-list-type",
        "pep",
        "application",
        function="check_headers",
        begins="Headers (",
        message="The headers are a {kinds[headers]}, not a list",
    ),
    Check(
        "header-is-exact-tuple",
        "header-item-tuple",
        "stricter",
        "application",
        function="check_headers",
        begins="Individual headers (",
        when=lambda names: isinstance(names["item"], tuple),
        message="A header is a {kinds[item]}, which is more than a tuple",
    ),
    Check(
        "header-is-tuple",
        "header-item-tuple",
        "pep",
        "application",
        function="check_headers",
        begins="Individual headers (",
        message="A header is a {kinds[item]}, not a tuple",
    ),
    Check(
        "header-is-pair",
        "header-item-tuple",
        "pep",
        "application",
        function="check_headers",
        message="An individual header has not exactly two items",
    ),
    Check(
        "header-name-is-str",
        "header-name-native-str",
        "pep",
        "application",
        function="check_string_type",
        begins="Header name must be of type str",
        message="A header name is a {kinds[value]}, not a str",
    ),
    Check(
        "header-value-is-str",
        "header-value-native-str",
        "pep",
        "application",
        function="check_string_type",
        begins="Header value must be of type str",
        message="A header value is a {kinds[value]}, not a str",
    ),
    Check(
        "header-is-not-status",
        "header-no-status",
        "stricter",
        "application",
        function="check_headers",
        begins="The Status header cannot be used",
    ),
    Check(
        "header-name-has-no-newline",
        "header-name-no-crlf",
        "pep",
        "application",
        function="check_headers",
        begins="Header names may not contain",
        when=lambda names: "\n" in names["name"],
    ),
    Check(
        "header-name-has-no-colon",
        "header-name-no-colon",
        "pep",
        "application",
        function="check_headers",
        begins="Header names may not contain",
    ),
    Check(
        # "3d", "X.Foo" and "X!y" are tokens.
        "header-name-is-plain",
        "header-name-token",
        "stricter",
        "application",
        function="check_headers",
        begins="Bad header name",
        when=_is_token,
    ),
    Check(
        "header-name-is-token",
        "header-name-token",
        "pep",
        "application",
        function="check_headers",
        begins="Bad header name",
    ),
    Check(
        # The PEP's "or other punctuation" is not defined anywhere; "-" and "_" belong to a token.
        "header-name-ends-in-letter-or-digit",
        "header-name-no-colon",
        "stricter",
        "application",
        function="check_headers",
        begins="Names may not end in",
    ),
    Check(
        # A control character by the letter of the PEP; HTTP allows it: RFC 9110, section 5.5.
        "header-value-has-no-tab",
        "header-value-tab",
        "stricter",
        "application",
        function="check_headers",
        begins="Bad header value",
        when=_is_only_tab,
        message="The value of the header {values[name]} has a TAB",
    ),
    Check(
        "header-value-has-no-line-break",
        "header-value-no-crlf",
        "pep",
        "application",
        function="check_headers",
        begins="Bad header value",
        when=_is_line_break,
        message="The value of the header {values[name]} has a line break",
    ),
    Check(
        "header-value-has-no-control-character",
        "header-value-no-control-chars",
        "pep",
        "application",
        function="check_headers",
        begins="Bad header value",
        message="The value of the header {values[name]} has a control character",
    ),
    Check(
        "content-type-not-with-304",
        "header-content-type-304",
        "stricter",
        "application",
        function="check_content_type",
        begins="Content-Type header found in a 304 response",
    ),
    Check(
        # RFC 9110, section 15.3.5, has no such rule.
        "content-type-not-with-204",
        "status-204-205-304-consistent",
        "stricter",
        "application",
        function="check_content_type",
        begins="Content-Type header found in a 204 response",
    ),
    Check(
        # Nobody knows yet whether there is a body, and RFC 9110, section 8.3, says SHOULD.
        "content-type-present",
        "header-content-type-with-body",
        "stricter",
        "application",
        function="check_content_type",
        begins="No Content-Type header found",
        message="There is no Content-Type header",
    ),
)
