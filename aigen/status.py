"""Where orders stand, for people and for programs."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from aigen.display import shortened
from aigen.generation import Workshop, is_interrupted
from aigen.times import from_text, to_text
from aigen.types import Generation, Item
from aigen.worker import is_running

if TYPE_CHECKING:
    from rich.table import Table

# Seconds between two looks of --watch.
PAUSE = 0.5
# Seconds that a worker may take to start.
STARTING = 10


@dataclass(frozen=True)
class Standing:
    """Where one order stands; `images` and `videos` are the paths of what is finished.

    `stranded`: it waits for a worker and none runs.
    """

    order: Generation
    items: tuple[Item, ...]
    interrupted: bool
    stranded: bool
    images: tuple[str, ...]
    videos: tuple[str, ...]

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
        if self.interrupted:
            return f"aigen resume {order.generation_id}"
        if order.error:
            return order.error
        if self.stranded:
            return "no worker runs: aigen worker"
        if order.status == "Processing":
            return order.step or ("waiting for a worker" if order.detached and not order.attempts else "starting")
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
        }


def look(workshop: Workshop, user_id: str | None) -> list[Standing]:
    """Where the orders of a user, or all, stand; oldest first."""
    standings = []
    # A worker that was started just now takes a moment.
    worked = is_running(workshop.content)
    lately = to_text(workshop.clock() - timedelta(seconds=STARTING))
    for order in workshop.store.generations(user_id):
        items = tuple(workshop.store.items(order.generation_id))
        paths = {
            kind: tuple(str(workshop.content.file(item.path)) for item in items if item.path and item.kind == kind)
            for kind in ("image", "video")
        }
        interrupted = is_interrupted(workshop, order)
        waiting = order.status == "Processing" and order.detached and not order.attempts
        stranded = waiting and not worked and order.requested_at < lately
        standings.append(Standing(order, items, interrupted, stranded, paths["image"], paths["video"]))
    return standings


def follow(
    workshop: Workshop, user_id: str | None, sleep: Callable[[float], object], show: Callable[[list[Standing]], object]
) -> None:
    """Show where the orders stand, again whenever that has changed, until none is being made."""
    shown: list[Standing] | None = None
    while True:
        standings = look(workshop, user_id)
        if standings != shown:
            show(standings)
            shown = standings
        if not any(standing.active for standing in standings):
            return
        sleep(PAUSE)


def watch(workshop: Workshop, user_id: str | None, sleep: Callable[[float], object]) -> None:
    """Follow on the terminal, in place; elsewhere print the table anew whenever it changes."""
    from rich.console import Console
    from rich.live import Live

    console = Console()
    if not console.is_terminal:
        follow(workshop, user_id, sleep, print_table)
        return
    with Live(console=console, auto_refresh=False) as live:
        follow(workshop, user_id, sleep, lambda standings: live.update(_table(standings), refresh=True))


def print_table(standings: list[Standing]) -> None:
    from rich.console import Console

    console = Console()
    if not console.is_terminal:
        console.width = 200  # whatever reads this has no edge to wrap at
    if standings:
        console.print(_table(standings))
    else:
        Console(stderr=True).print("no orders")


def _table(standings: list[Standing]) -> "Table":
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("order", "user", "status", "done", "requested", "prompt", ""):
        table.add_column(heading, no_wrap=heading not in ("prompt", ""))
    for standing in standings:
        requested = from_text(standing.order.requested_at).astimezone().strftime("%Y-%m-%d %H:%M")
        done = f"{standing.done} of {len(standing.items)}"
        cells = (standing.order.generation_id, standing.order.user_id, standing.state, done, requested)
        remark = shortened(standing.remark, 120)
        table.add_row(*(Text(cell) for cell in cells), Text(shortened(standing.order.prompt, 40)), Text(remark))
    return table
