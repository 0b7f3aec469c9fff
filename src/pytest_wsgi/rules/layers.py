"""Layers of a wrapped application: each is a middleware, and judged as one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_wsgi.catalogue import Finding, Party, rule
from pytest_wsgi.exchange import Loading

if TYPE_CHECKING:
    from collections.abc import Iterator


@rule(
    Loading,
    checks="harness-layers-middleware",
    binds=Party.APPLICATION,
    when=lambda loading: loading.layer_faults is not None,
)
def wrapping_layers_keep_pep_3333(loading: Loading) -> Iterator[Finding]:
    """Every layer of the application treats the one below it as a server must.

    Why: what a layer does wrong to the application below it cannot be seen from outside: a body
    that is never closed, input that is gone, blocks that are held back. The layers were recorded
    one by one; `pytest --wsgi-middleware` asks a layer much more.
    """
    for fault in loading.layer_faults or ():
        yield Finding(
            expected=fault.expected,
            observed=fault.observed,
            message=f"{fault.rule} is broken by {fault.layer}, at {fault.request}",
            layer=fault.layer,
        )
