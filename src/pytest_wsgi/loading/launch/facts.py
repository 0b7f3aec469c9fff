"""What a person should know of how a target behaves in fresh processes, beside the verdicts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_wsgi.loading.django import VARIABLE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_wsgi.launches import Launches, Runserver


def describe_launches(launches: Launches) -> dict[str, str]:
    """Return facts in the order to show them; nothing that is as everyone expects."""
    return dict(list_facts(launches))


def list_facts(launches: Launches) -> Iterator[tuple[str, str]]:
    """Yield what is worth a line."""
    alone = launches.alone
    if launches.sentinel_wins is False:
        yield "override", f"{VARIABLE} from outside is overruled by {alone.settings}"
    names = {name for _, name in launches.named}
    if len(names) > 1:
        yield "settings named", ", ".join(f"{name} in {file}" for file, name in launches.named)
    if alone.runserver is not None:
        yield "runserver", describe_runserver(alone.runserver)
    inner: dict[str, list[str]] = {}
    for layer in alone.layers:
        inner.setdefault(layer.name, []).append(layer.inner)
    if inner:
        yield "layers", "; ".join(f"{outer} calls {', '.join(inner[outer])}" for outer in inner)


def describe_runserver(runserver: Runserver) -> str:
    """Say in a few words what runserver serves."""
    if runserver.trouble:
        return f"stops: {runserver.trouble}"
    if runserver.built_in:
        same = f"identical over {runserver.compared} probes"
        return f"Django's own handler: {'another answer' if runserver.difference else same}"
    setting = "WSGI_APPLICATION is not set" if runserver.setting is None else runserver.setting
    if runserver.is_target:
        return f"serves this application ({setting})"
    if runserver.difference is not None:
        return f"serves another application ({setting})"
    return f"serves the same, identical over {runserver.compared} probes ({setting})"
