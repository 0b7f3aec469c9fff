"""How a server reads responses: whole or in part, alone, in turns, at once, in several threads."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from pytest_wsgi.drivers.serving import Serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pytest_wsgi.drivers.guard import Guard

_WHOLE = frozenset({"complete", "closed twice"})
"""The readings that take the whole body, in one thread."""


def serve_alone(servings: Sequence[Serving]) -> None:
    """Serve one request: complete, or left early as the probe asks."""
    (serving,) = servings
    reading = serving.probe.reading
    serving.open()
    if reading in _WHOLE:
        serving.read_all()
    elif reading == "first block":
        if serving.step():
            serving.leave()
    elif not serving.failed:
        serving.leave()
    serving.close()


def serve_in_turns(servings: Sequence[Serving]) -> None:
    """Call all, then take a block of each in turns, then close all."""
    for serving in servings:
        serving.open()
    unfinished = list(servings)
    while unfinished:
        unfinished = [serving for serving in unfinished if serving.step()]
    for serving in servings:
        serving.close()


def serve_at_once(servings: Sequence[Serving], guard: Guard) -> None:
    """Serve each in a thread of its own, all starting together."""
    start = threading.Barrier(len(servings))

    def serve(own: Sequence[Serving]) -> None:
        with suppress(threading.BrokenBarrierError):
            start.wait(guard.seconds)
        for serving in own:
            serving.open()
            serving.read_all()
            serving.close()

    run_aside([(serve, [serving]) for serving in servings], guard)


def serve_apart(serving: Serving, guard: Guard) -> None:
    """Call, iterate and close, each in a thread of its own, one after the other."""
    is_over = threading.Event()
    for step in (Serving.open, Serving.read_all, Serving.close):
        is_done = threading.Event()

        def serve(
            step: Callable[[Serving], None] = step, is_done: threading.Event = is_done
        ) -> None:
            try:
                step(serving)
            finally:
                is_done.set()
            is_over.wait()  # a thread that starts when this one has ended may get its ident

        threading.Thread(target=serve, daemon=True).start()
        if not is_done.wait(guard.seconds):
            serving.give_up()
            break
    is_over.set()


def run_aside(
    works: Iterable[tuple[Callable[[Sequence[Serving]], None], Sequence[Serving]]], guard: Guard
) -> None:
    """Serve in threads; one that does not end in time is left behind."""
    threads = [
        (threading.Thread(target=serve, args=(servings,), daemon=True), servings)
        for serve, servings in works
    ]
    for thread, _ in threads:
        thread.start()
    for thread, servings in threads:
        thread.join(guard.seconds)
        if thread.is_alive():
            for serving in servings:
                serving.give_up()
