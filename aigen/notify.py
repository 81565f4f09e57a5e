"""Telling the user that an order is ready, at the time it is due.

First version: the terminal that placed the order. Notices for other channels stay ready in the store.
"""

from collections.abc import Callable

from aigen.store import Store
from aigen.times import Clock, from_text
from aigen.types import Generation

# Waiting goes by wall time in short steps: one long sleep would drift over a laptop's sleep or a changed clock.
PAUSE = 5.0


def undelivered(generation: Generation) -> list[str]:
    """The channels of an order that this version keeps in the store but cannot deliver to."""
    return [channel for channel in generation.request.notify if channel != "terminal"]


def wait_until_due(generation: Generation, clock: Clock, sleep: Callable[[float], object]) -> None:
    if generation.request.notify_at is None:
        return
    due = from_text(generation.request.notify_at)
    while (left := (due - clock()).total_seconds()) > 0:
        sleep(min(PAUSE, left))


def tell_terminal(generation: Generation, store: Store, clock: Clock, tell: Callable[[], None]) -> None:
    """Tell by the terminal, if that channel was chosen, and record it."""
    if "terminal" in generation.request.notify:
        tell()
        store.finish_notice(generation.generation_id, "terminal", clock())
