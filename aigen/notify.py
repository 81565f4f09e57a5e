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


def seconds_early(generation: Generation, clock: Clock) -> float:
    """How long it is until the user is to be told; 0 when the time has come or none was given."""
    if generation.request.notify_at is None:
        return 0.0
    return max(0.0, (from_text(generation.request.notify_at) - clock()).total_seconds())


def wait_until_due(generation: Generation, clock: Clock, sleep: Callable[[float], object]) -> None:
    while left := seconds_early(generation, clock):
        sleep(min(PAUSE, left))


def tell_terminal(generation: Generation, store: Store, clock: Clock, tell: Callable[[], None]) -> None:
    """Tell by the terminal, and record it."""
    tell()
    store.finish_notice(generation.generation_id, "terminal", clock())
