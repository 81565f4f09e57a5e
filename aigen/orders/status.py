"""Where orders stand, for people and for programs."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from aigen.orders.context import Context
from aigen.orders.jobs import describe_running, jobs_at_providers
from aigen.orders.lifecycle import files, is_interrupted
from aigen.orders.worker import is_running
from aigen.times import to_text
from aigen.types.request import KINDS
from aigen.types.rows import Generation, Item, sum_costs

# Seconds between two looks of --watch.
PAUSE = 0.5
# Seconds that a worker may take to start.
STARTING = 10


@dataclass(frozen=True)
class OrderStatus:
    """Where one order stands; `images` and `videos` are the paths of what is finished.

    `stranded`: it waits for a worker and none runs. `elsewhere`: what goes on at providers, if anything.
    """

    order: Generation
    items: tuple[Item, ...]
    interrupted: bool
    stranded: bool
    images: tuple[str, ...]
    videos: tuple[str, ...]
    elsewhere: str = ""

    @property
    def done(self) -> int:
        return sum(item.state == "done" for item in self.items)

    @property
    def active(self) -> bool:
        return self.order.status == "Processing" and not self.interrupted and not self.stranded

    @property
    def state(self) -> str:
        return "interrupted" if self.interrupted else self.order.status

    @property
    def remark(self) -> str:
        """What to know or do about it now."""
        order = self.order
        resume = f"aigen resume {order.generation_id}"
        if self.interrupted:
            return f"{self.elsewhere}: {resume}" if self.elsewhere else resume
        if order.error:
            return order.error
        waits = "; ".join(filter(None, (self.elsewhere, order.step if order.collect_at else "")))
        if self.stranded and order.collect_at:
            return f"{waits}: {resume}"
        if self.stranded:
            return "no worker runs: aigen worker"
        if order.status == "Processing":
            return waits or order.step or ("waiting for its turn" if _waits(order) else "starting")
        return ""

    def as_json(self) -> dict[str, Any]:
        return {
            "generation_id": self.order.generation_id,
            "user_id": self.order.user_id,
            "prompt": self.order.prompt,
            "status": self.order.status,
            "interrupted": self.interrupted,
            "done": self.done,
            "total": len(self.items),
            "requested_at": self.order.requested_at,
            "generated_at": self.order.generated_at,
            "images": list(self.images),
            "videos": list(self.videos),
            "error": self.order.error,
            "cost": sum_costs(item.paid for item in self.items),
            "jobs": [
                {
                    "item": item.name,
                    "part": part,
                    "provider": job.server,
                    "id": job.id,
                    "since": job.intended_at,
                    "progress": job.progress,
                }
                for item, part, job in jobs_at_providers(self.items)
            ],
        }


def _waits(order: Generation) -> bool:
    """Whether a worker is to make it and none has begun."""
    return order.status == "Processing" and order.detached and not order.attempts


def list_orders(context: Context, user_id: str | None, status: str | None = None) -> list[OrderStatus]:
    """Where the orders of a user, or all, stand; oldest first; only those with a `status`, if one is given."""
    worked = is_running(context.content)
    return [status_of(context, order, worked) for order in context.store.generations(user_id, status)]


def status_of(context: Context, order: Generation, worked: bool | None = None) -> OrderStatus:
    """Where one order stands; `worked`: a worker runs (None: it is looked up)."""
    items = tuple(context.store.items(order.generation_id))
    images, videos = (tuple(files(context, items, kind)) for kind in KINDS)
    # A worker that was started just now takes a moment.
    lately = to_text(context.clock() - timedelta(seconds=STARTING))
    stranded = _waits(order) and order.requested_at < lately
    if stranded:
        stranded = not (is_running(context.content) if worked is None else worked)
    elsewhere = describe_running(items, context.clock()) if order.status == "Processing" else ""
    return OrderStatus(order, items, is_interrupted(context, order), stranded, images, videos, elsewhere)


def follow(
    context: Context,
    user_id: str | None,
    sleep: Callable[[float], object],
    show: Callable[[list[OrderStatus]], object],
) -> None:
    """Show where the orders stand, again whenever that has changed, until none is being made."""
    shown: list[OrderStatus] | None = None
    while True:
        statuses = list_orders(context, user_id)
        if statuses != shown:
            show(statuses)
            shown = statuses
        if not any(status.active for status in statuses):
            return
        sleep(PAUSE)
