"""Where orders stand, for people and for programs."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aigen.generation import files, is_interrupted
from aigen.times import from_text, to_text
from aigen.types.request import KINDS
from aigen.types.rows import Generation, Item
from aigen.wording import shortened
from aigen.worker import is_running
from aigen.workshop import Workshop

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
            return order.step or ("waiting for its turn" if _waits(order) else "starting")
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


def _waits(order: Generation) -> bool:
    """Whether a worker is to make it and none has begun."""
    return order.status == "Processing" and order.detached and not order.attempts


def look(workshop: Workshop, user_id: str | None, status: str | None = None) -> list[Standing]:
    """Where the orders of a user, or all, stand; oldest first; only those with a `status`, if one is given."""
    worked = is_running(workshop.content)
    return [standing(workshop, order, worked) for order in workshop.store.generations(user_id, status)]


def standing(workshop: Workshop, order: Generation, worked: bool | None = None) -> Standing:
    """Where one order stands; `worked`: a worker runs (None: it is looked up)."""
    items = tuple(workshop.store.items(order.generation_id))
    images, videos = (tuple(files(workshop, items, kind)) for kind in KINDS)
    # A worker that was started just now takes a moment.
    lately = to_text(workshop.clock() - timedelta(seconds=STARTING))
    stranded = _waits(order) and order.requested_at < lately
    if stranded:
        stranded = not (is_running(workshop.content) if worked is None else worked)
    return Standing(order, items, is_interrupted(workshop, order), stranded, images, videos)


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
    from rich.console import Console, Group
    from rich.live import Live
    from rich.text import Text

    console = Console()
    if not console.is_terminal:
        follow(workshop, user_id, sleep, lambda standings: print_table(standings, user_id))
        return
    with Live(console=console, auto_refresh=False) as live:

        def show(standings: list[Standing]) -> None:
            notes = (Text(note) for note in _notes(standings, user_id))
            live.update(Group(_table(standings, user_id, console.width), *notes), refresh=True)

        follow(workshop, user_id, sleep, show)


def print_table(standings: list[Standing], user_id: str | None) -> None:
    """One line an order, cut to the terminal; below it what to know or do, uncut."""
    from rich.console import Console

    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = 200  # whatever reads this has no edge to wrap at
    if not standings:
        found = f"no orders of {user_id}: see aigen users list" if user_id else "no orders"
        Console(stderr=True).print(found, markup=False)
        return
    console.print(_table(standings, user_id, console.width))
    for note in _notes(standings, user_id):
        console.print(note, markup=False, soft_wrap=True)


def _notes(standings: list[Standing], user_id: str | None) -> list[str]:
    """What to know or do about each order, and where a user's files are."""
    remarks = [
        f"{standing.order.generation_id}: {shortened(standing.remark, 160)}"
        for standing in standings
        if standing.remark
    ]
    folders = {str(Path(path).parent) for standing in standings for path in standing.images + standing.videos}
    return remarks + [f"files: {folder}" for folder in sorted(folders) if user_id]


def _table(standings: list[Standing], user_id: str | None, width: int) -> "Table":
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading, wide in (("order", 10), ("status", 11), ("done", 8), ("requested", 11)):
        table.add_column(heading, no_wrap=True, min_width=wide)
    if not user_id:
        table.add_column("user", no_wrap=True, min_width=12, max_width=12 if width < 110 else None)
    table.add_column("prompt", no_wrap=True, overflow="ellipsis")
    for standing in standings:
        order = standing.order
        requested = from_text(order.requested_at).astimezone().strftime("%m-%d %H:%M")
        cells = [order.generation_id, standing.state, f"{standing.done} of {len(standing.items)}", requested]
        cells += [] if user_id else [order.user_id]
        table.add_row(*(Text(cell) for cell in cells), Text(shortened(order.prompt)))
    return table
