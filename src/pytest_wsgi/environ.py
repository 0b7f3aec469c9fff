"""Builds environs as PEP 3333 servers do: a builtin dict of native strings for each request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_wsgi.probes import Request

_DEFAULT_PORTS = {"http": "80", "https": "443"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where the application is asked for: host name, port, scheme and path."""

    host: str = "localhost"
    port: str = "80"
    scheme: str = "http"
    path: str = "/"


def build_environ(request: Request, site: Site) -> dict[str, Any]:
    """Return the environ of `request`, without the streams.

    PEP 3333, environ Variables: the required variables, those that servers usually add, and then
    what the request sets and drops. Text is native: bytes of the request as latin-1.
    """
    port = site.port if site.scheme == "http" else _DEFAULT_PORTS["https"]
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": find_path(request, site),
        "QUERY_STRING": request.query,
        "CONTENT_TYPE": "",
        "CONTENT_LENGTH": build_length(request),
        "SERVER_NAME": site.host,
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_SOFTWARE": "pytest-wsgi",
        "REMOTE_ADDR": "127.0.0.1",
        "REMOTE_PORT": "49152",
        "HTTP_HOST": build_host(site, port),
        "HTTP_USER_AGENT": "pytest-wsgi",
        "HTTP_ACCEPT": "*/*",
        "HTTP_ACCEPT_LANGUAGE": "en",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": site.scheme,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    environ.update(request.set)
    for key in request.drop:
        environ.pop(key, None)
    return environ


def find_path(request: Request, site: Site) -> str:
    """Return the path that is asked for."""
    path = site.path if request.path is None else request.path
    return path.removesuffix("/") if request.unslashed else path


def build_length(request: Request) -> str:
    """Return CONTENT_LENGTH: as the request says, the body's own length, or empty for none."""
    if request.content_length is not None:
        return request.content_length
    return str(len(request.body)) if request.body else ""


def build_host(site: Site, port: str) -> str:
    """Return the Host header: without the port where it is the scheme's own."""
    return site.host if port == _DEFAULT_PORTS[site.scheme] else f"{site.host}:{port}"


def name_request(request: Request, site: Site) -> str:
    """Return what a person would call the request, such as `GET / (empty PATH_INFO)`."""
    shown = find_path(request, site).encode("ascii", "backslashreplace").decode()
    shown = shown or "(empty path)"
    query = (
        f"?{request.query.encode('ascii', 'backslashreplace').decode()}" if request.query else ""
    )
    note = f" ({request.note})" if request.note else ""
    return f"{request.method} {shown}{query}{note}"
