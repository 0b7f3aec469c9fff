"""What `wsgiref.validate` says about the call itself and the iterable that comes back."""

from __future__ import annotations

from wsgiref_validate_wrappers.checks.check import Check

__all__ = ["BODY", "CALL", "UNCLOSED"]

CALL = (
    Check(
        "called-with-two-arguments",
        "server-positional-call",
        "pep",
        "server",
        function="lint_app",
        begins="Two arguments required",
    ),
    Check(
        "called-without-keywords",
        "server-positional-call",
        "pep",
        "server",
        function="lint_app",
        begins="No keyword arguments allowed",
    ),
    Check(
        "application-returns-something",
        "body-iterable-returned",
        "pep",
        "application",
        function="lint_app",
        begins="The application must return an iterator",
    ),
    Check(
        "application-returns-iterable",
        "body-iterable-returned",
        "pep",
        "application",
        function="__init__",
        raises=(TypeError,),
        message="The application returned a {kinds[wsgi_iterator]}, which is not iterable",
    ),
    Check(
        "application-returns-no-string",
        "body-not-plain-bytes",
        "pep",
        "application",
        function="check_iterator",
        begins="You should not return a string",
    ),
)

UNCLOSED = Check(
    "iterable-is-closed",
    "close-called",
    "pep",
    "server",
    function="__del__",
    begins="Iterator garbage collected without being closed",
    message="The iterable was not closed",
)

BODY = (
    Check(
        # The PEP is silent.
        "iterable-is-not-read-after-close",
        "close-no-iteration-after",
        "stricter",
        "server",
        function="__next__",
        begins="Iterator read after closed",
    ),
    Check(
        "blocks-are-bytes",
        "body-items-bytes",
        "pep",
        "application",
        function="__next__",
        begins="Iterator yielded non-bytestring",
        message="The iterable yielded a {kinds[v]}, not bytes",
    ),
    Check(
        # The gateway in the PEP accepts it, and so do most servers.
        "empty-block-after-start-response",
        "start-empty-before",
        "stricter",
        "application",
        function="__next__",
        begins="The application returns and we started iterating",
        when=lambda names: names["v"] == b"",
        message="The iterable yielded b'' before start_response() was called",
    ),
    Check(
        "block-after-start-response",
        "start-before-first-body",
        "pep",
        "application",
        function="__next__",
        begins="The application returns and we started iterating",
        message="The iterable yielded a block before start_response() was called",
    ),
    UNCLOSED,
)
