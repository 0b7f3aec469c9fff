"""What `wsgiref.validate` says about the environ: all of it concerns the server."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wsgiref_validate_wrappers.checks.check import Check

if TYPE_CHECKING:
    from collections.abc import Callable

    from wsgiref_validate_wrappers.checks.check import Locals

__all__ = ["ENVIRON"]

# RFC 3875, section 4.1. "HTTP_*" are CGI's too (4.1.18). PEP 3333 wants these to be str, and
# leaves every other name without a dot to whoever defines it.
_CGI_NAMES = frozenset(
    {
        "AUTH_TYPE",
        "CONTENT_LENGTH",
        "CONTENT_TYPE",
        "GATEWAY_INTERFACE",
        "PATH_INFO",
        "PATH_TRANSLATED",
        "QUERY_STRING",
        "REMOTE_ADDR",
        "REMOTE_HOST",
        "REMOTE_IDENT",
        "REMOTE_USER",
        "REQUEST_METHOD",
        "SCRIPT_NAME",
        "SERVER_NAME",
        "SERVER_PORT",
        "SERVER_PROTOCOL",
        "SERVER_SOFTWARE",
    }
)

_REQUIRED_KEYS = {
    "REQUEST_METHOD": "environ-request-method-present",
    "SERVER_NAME": "environ-server-name-present",
    "SERVER_PORT": "environ-server-port-present",
    "wsgi.version": "environ-wsgi-version",
    "wsgi.input": "environ-wsgi-input-present",
    "wsgi.errors": "environ-wsgi-errors-present",
    "wsgi.multithread": "environ-wsgi-multithread-present",
    "wsgi.multiprocess": "environ-wsgi-multiprocess-present",
    "wsgi.run_once": "environ-wsgi-run-once-present",
}


def _is_cgi_variable(names: Locals) -> bool:
    key = names["key"]
    return key in _CGI_NAMES or key.startswith("HTTP_")


def _is_attribute(name: str) -> Callable[[Locals], bool]:
    return lambda names: names["attr"] == name


ENVIRON = (
    Check(
        "environ-is-dict",
        "environ-builtin-dict",
        "pep",
        "server",
        function="check_environ",
        begins="Environment is not of the right type",
    ),
    *(
        Check(
            "environ-has-" + re.sub("[._]", "-", key.lower()),
            requirement,
            "pep",
            "server",
            function="check_environ",
            begins=f"Environment missing required key: {key!r}",
        )
        for key, requirement in _REQUIRED_KEYS.items()
    ),
    Check(
        "environ-has-wsgi-url-scheme",
        "environ-wsgi-url-scheme",
        "pep",
        "server",
        function="check_environ",
        raises=(KeyError,),
        when=lambda names: "wsgi.url_scheme" not in names["environ"],
        message="The environ has no wsgi.url_scheme",
    ),
    Check(
        # A client can cause it, with a header that is called Content_Type.
        "environ-without-http-content-headers",
        "environ-no-http-content-headers",
        "stricter",
        "server",
        function="check_environ",
        begins="Environment should not have the key",
    ),
    Check(
        # The PEP lets it be absent, CGI does not.
        "environ-has-query-string",
        "environ-query-string-set",
        "stricter",
        "server",
        function="check_environ",
        begins="QUERY_STRING is not in the WSGI environment",
    ),
    Check(
        "environ-keys-are-str",
        "environ-keys-native-str",
        "stricter",
        "server",
        function="check_environ",
        raises=(TypeError,),
        when=lambda names: not isinstance(names["key"], str),
        message="A key of the environ is a {kinds[key]}, not a str",
    ),
    Check(
        "cgi-variables-are-str",
        "environ-cgi-values-str",
        "pep",
        "server",
        function="check_environ",
        begins="Environmental variable ",
        when=_is_cgi_variable,
    ),
    Check(
        "undotted-variables-are-str",
        "environ-cgi-values-str",
        "stricter",
        "server",
        function="check_environ",
        begins="Environmental variable ",
    ),
    Check(
        "wsgi-version-is-exact-tuple",
        "environ-wsgi-version",
        "stricter",
        "server",
        function="check_environ",
        begins="wsgi.version should be a tuple",
        when=lambda names: isinstance(names["environ"]["wsgi.version"], tuple),
    ),
    Check(
        "wsgi-version-is-tuple",
        "environ-wsgi-version",
        "pep",
        "server",
        function="check_environ",
        begins="wsgi.version should be a tuple",
    ),
    Check(
        # "normally", says the PEP: wss is lawful.
        "url-scheme-is-http",
        "environ-url-scheme-value",
        "stricter",
        "server",
        function="check_environ",
        begins="wsgi.url_scheme unknown",
        when=lambda names: type(names["environ"]["wsgi.url_scheme"]) is str,
    ),
    Check(
        "url-scheme-is-str",
        "environ-wsgi-url-scheme",
        "pep",
        "server",
        function="check_environ",
        begins="wsgi.url_scheme unknown",
    ),
    Check(
        # Methods are open tokens: RFC 9110, section 9.1.
        "request-method-is-known",
        "environ-request-method-extension",
        "stricter",
        "server",
        function="check_environ",
        begins="Unknown REQUEST_METHOD",
    ),
    Check(
        "script-name-begins-with-slash",
        "environ-script-name-form",
        "stricter",
        "server",
        function="check_environ",
        begins="SCRIPT_NAME doesn't start with /",
    ),
    Check(
        # "OPTIONS *" gives "*" on most servers.
        "path-info-begins-with-slash",
        "environ-path-info-leading-slash",
        "stricter",
        "server",
        function="check_environ",
        begins="PATH_INFO doesn't start with /",
    ),
    Check(
        "content-length-is-not-negative",
        "environ-content-length-digits",
        "pep",
        "server",
        function="check_environ",
        begins="Invalid CONTENT_LENGTH",
    ),
    Check(
        "content-length-is-a-number",
        "environ-content-length-digits",
        "pep",
        "server",
        function="check_environ",
        raises=(ValueError,),
        message="CONTENT_LENGTH is not a number",
    ),
    Check(
        # Out of reach up to Python 3.13: a message before it trips over the absent PATH_INFO.
        "script-name-or-path-info",
        "environ-path-info-root-slash",
        "stricter",
        "server",
        function="check_environ",
        begins="One of SCRIPT_NAME or PATH_INFO are required",
    ),
    Check(
        "script-name-is-not-slash",
        "environ-script-name-not-slash",
        "stricter",
        "server",
        function="check_environ",
        begins="SCRIPT_NAME cannot be '/'",
    ),
    Check(
        "input-has-its-methods",
        "input-stream-methods-complete",
        "pep",
        "server",
        function="check_input",
        begins="wsgi.input (",
    ),
    *(
        Check(
            f"errors-has-{name}",
            f"errors-{name}",
            "pep",
            "server",
            function="check_errors",
            begins="wsgi.errors (",
            when=_is_attribute(name),
        )
        for name in ("flush", "write", "writelines")
    ),
)
