"""What `wsgiref.validate` says about wsgi.input, wsgi.errors and write(), when they are used."""

from __future__ import annotations

from wsgiref_validate_wrappers.checks.check import Check

__all__ = ["STREAMS"]

STREAMS = (
    Check(
        "input-returns-bytes",
        "input-returns-bytes",
        "pep",
        "server",
        function="read",
        when=lambda names: "v" in names,
        message="wsgi.input.read() returned a {kinds[v]}, not bytes",
    ),
    Check(
        # The PEP: a server SHOULD allow it.
        "input-read-with-size",
        "input-read-noarg",
        "stricter",
        "application",
        function="read",
        when=lambda names: not names["args"],
        message="wsgi.input.read() was called without a size",
    ),
    Check(
        "input-read-with-one-argument",
        "input-app-only-listed-methods",
        "pep",
        "application",
        function="read",
        message="wsgi.input.read() was called with more than one argument",
    ),
    Check(
        "input-readline-returns-bytes",
        "input-returns-bytes",
        "pep",
        "server",
        function="readline",
        when=lambda names: "v" in names,
        message="wsgi.input.readline() returned a {kinds[v]}, not bytes",
    ),
    Check(
        "input-readline-with-at-most-one-argument",
        "input-app-only-listed-methods",
        "pep",
        "application",
        function="readline",
        message="wsgi.input.readline() was called with more than one argument",
    ),
    Check(
        "input-readlines-returns-list-of-bytes",
        "input-returns-bytes",
        "pep",
        "server",
        function="readlines",
        when=lambda names: "line" in names,
        message="wsgi.input.readlines() returned a list with a {kinds[line]}, not bytes",
    ),
    Check(
        "input-readlines-returns-exact-list",
        "input-readlines",
        "stricter",
        "server",
        function="readlines",
        when=lambda names: isinstance(names.get("lines"), list),
        message="wsgi.input.readlines() returned a {kinds[lines]}, which is more than a list",
    ),
    Check(
        "input-readlines-returns-list",
        "input-readlines",
        "pep",
        "server",
        function="readlines",
        when=lambda names: "lines" in names,
        message="wsgi.input.readlines() returned a {kinds[lines]}, not a list",
    ),
    Check(
        "input-readlines-with-at-most-one-argument",
        "input-app-only-listed-methods",
        "pep",
        "application",
        function="readlines",
        message="wsgi.input.readlines() was called with more than one argument",
    ),
    Check(
        "input-is-not-closed",
        "input-app-no-close",
        "pep",
        "application",
        function="close",
        begins="input.close() must not be called",
    ),
    Check(
        "errors-is-not-closed",
        "errors-app-no-close",
        "pep",
        "application",
        function="close",
        begins="errors.close() must not be called",
    ),
    Check(
        "errors-is-written-str",
        "errors-app-str-only",
        "pep",
        "application",
        function="write",
        message="wsgi.errors.write() was given a {kinds[s]}, not a str",
    ),
    Check(
        "write-is-given-bytes",
        "write-app-bytes-only",
        "pep",
        "application",
        function="__call__",
        message="write() was given a {kinds[s]}, not bytes",
    ),
)
