"""Hosts in the URLs that an application builds: its own one, and none that anybody may name.

What is seen of those URLs are redirects, and the first bytes of a body.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_wsgi.catalogue import Finding, Party, rule
from pytest_wsgi.exchange import Exchange
from pytest_wsgi.rules.url import read_text

if TYPE_CHECKING:
    from collections.abc import Iterator

_URL = re.compile(r"https?://([A-Za-z0-9.\[\]:_-]+)(?=[/?#\s\"'<>]|$)", re.IGNORECASE)
"""A URL with its host, and port if there is one."""

_REFUSALS = frozenset({400, 421})
"""What an application answers that knows its hosts (RFC 9110, 15.5.1 and 15.5.20)."""


def list_hosts(exchange: Exchange) -> list[str]:
    """Return host and port, as written but in lower case, of each URL in the response."""
    fields = exchange.response.fields if exchange.response is not None else ()
    texts = [value for name, value in fields if name.lower() == "location"]
    texts += [block.start.decode("latin-1") for block in exchange.blocks[:1]]
    return [host.lower() for text in texts for host in _URL.findall(text)]


@rule(
    Exchange,
    checks="url-host-preferred",
    binds=Party.APPLICATION,
    when=lambda exchange: exchange.probe == "behind-proxy" and list_hosts(exchange),
)
def urls_name_the_host_of_the_request(exchange: Exchange) -> Iterator[Finding]:
    """URLs that the application builds name the host that the client asked for.

    Why: behind a proxy SERVER_NAME and SERVER_PORT are those of a machine that no client can
    reach; HTTP_HOST is what the client knows.
    """
    asked = read_text(exchange, "HTTP_HOST").lower()
    name, port = read_text(exchange, "SERVER_NAME").lower(), read_text(exchange, "SERVER_PORT")
    inner = {name, f"{name}:{port}", f"{asked.partition(':')[0]}:{port}"} - {asked, ""}
    for host in list_hosts(exchange):
        if host in inner:
            yield Finding(expected=asked, observed=host, at=exchange.response)


@rule(
    Exchange,
    checks="url-no-host-trust",
    binds=Party.APPLICATION,
    when=lambda exchange: (
        exchange.probe == "other-host" and (exchange.code in _REFUSALS or list_hosts(exchange))
    ),
)
def urls_name_no_host_that_is_not_ours(exchange: Exchange) -> Iterator[Finding]:
    """URLs that the application builds name no host that it does not know.

    Why: anybody can send any Host. In a link to reset a password, or in a page that a cache keeps,
    it leads users elsewhere. Django has ALLOWED_HOSTS, Flask TRUSTED_HOSTS; a server may check it.
    """
    for host in list_hosts(exchange):
        if host == read_text(exchange, "HTTP_HOST"):
            yield Finding(
                expected="a refusal, or its own host", observed=host, at=exchange.response
            )
