"""The dependencies of an order, and its heartbeat."""

from collections.abc import Callable
from dataclasses import dataclass

from aigen import pipelines
from aigen.content import ContentFolder
from aigen.errors import Cancelled
from aigen.store import Store
from aigen.times import Clock, utc_now
from aigen.types.pipeline import Pipeline
from aigen.types.reports import Report

# Seconds between two looks at whether the order was cancelled.
HEARTBEAT = 1.0


@dataclass(frozen=True)
class Context:
    """What placing and running an order need: folder, store, clock, where reports go, and how pipelines are loaded."""

    content: ContentFolder
    store: Store
    report: Callable[[Report], None] = lambda report: None
    load: Callable[[str], Pipeline] = pipelines.load
    clock: Clock = utc_now
    # Whether Ctrl-C was pressed: a library that is just being loaded turns its KeyboardInterrupt into other errors.
    interrupted: Callable[[], bool] = lambda: False


def heartbeat(context: Context, generation_id: str, text: str) -> None:
    """Record that an order is being made, and at which step. Raises Cancelled when somebody has cancelled it."""
    if not context.store.heartbeat(generation_id, text, context.clock()):
        raise Cancelled(f"order {generation_id} was cancelled")
