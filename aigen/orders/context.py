"""The world that an order is made in, and the sign of life of who makes it."""

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
class Workshop:
    """The world an order is made in."""

    content: ContentFolder
    store: Store
    report: Callable[[Report], None] = lambda report: None
    load: Callable[[str], Pipeline] = pipelines.load
    clock: Clock = utc_now
    # Whether Ctrl-C was pressed: a library that is just being loaded turns its KeyboardInterrupt into other errors.
    interrupted: Callable[[], bool] = lambda: False


def beat(workshop: Workshop, generation_id: str, text: str) -> None:
    if not workshop.store.heartbeat(generation_id, text, workshop.clock()):
        raise Cancelled(f"order {generation_id} was cancelled")
