"""Tables of orders and notices, and what to know or do about them, for people at a terminal."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from aigen.notify.channels import display_name
from aigen.notify.daemon import Status
from aigen.notify.listing import NoticeStatus
from aigen.orders.context import Context
from aigen.orders.status import OrderStatus, follow
from aigen.times import from_text, spoken_at, to_text
from aigen.types.rows import NoticeState
from aigen.wording import shortened

if TYPE_CHECKING:
    from rich.table import Table


def watch(context: Context, user_id: str | None, sleep: Callable[[float], object]) -> None:
    """Follow on the terminal, in place; elsewhere print the table anew whenever it changes."""
    from rich.console import Console, Group
    from rich.live import Live
    from rich.text import Text

    console = Console(emoji=False)
    if not console.is_terminal:
        follow(context, user_id, sleep, lambda statuses: print_orders(statuses, user_id))
        return
    with Live(console=console, auto_refresh=False) as live:

        def show(statuses: list[OrderStatus]) -> None:
            notes = (Text(note) for note in _notes(statuses, user_id))
            live.update(Group(_table(statuses, user_id, console.width), *notes), refresh=True)

        follow(context, user_id, sleep, show)


def print_orders(statuses: list[OrderStatus], user_id: str | None) -> None:
    """One line an order, cut to the terminal; below it what to know or do, uncut."""
    from rich.console import Console

    console = Console(emoji=False, highlight=False)
    if not console.is_terminal:
        console.width = 200  # whatever reads this has no edge to wrap at
    if not statuses:
        found = f"no orders of {user_id}: see aigen users list" if user_id else "no orders"
        Console(stderr=True, emoji=False).print(found, markup=False)
        return
    console.print(_table(statuses, user_id, console.width))
    for note in _notes(statuses, user_id):
        console.print(note, markup=False, soft_wrap=True)


def _notes(statuses: list[OrderStatus], user_id: str | None) -> list[str]:
    """What to know or do about each order, and where a user's files are."""
    remarks = [f"{status.order.generation_id}: {shortened(status.remark, 160)}" for status in statuses if status.remark]
    folders = {str(Path(path).parent) for status in statuses for path in status.images + status.videos}
    return remarks + [f"files: {folder}" for folder in sorted(folders) if user_id]


def _table(statuses: list[OrderStatus], user_id: str | None, width: int) -> "Table":
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading, wide in (("order", 10), ("status", 11), ("done", 8), ("requested", 11)):
        table.add_column(heading, no_wrap=True, min_width=wide)
    if not user_id:
        table.add_column("user", no_wrap=True, min_width=12, max_width=12 if width < 110 else None)
    table.add_column("prompt", no_wrap=True, overflow="ellipsis")
    for status in statuses:
        order = status.order
        requested = from_text(order.requested_at).astimezone().strftime("%m-%d %H:%M")
        cells = [order.generation_id, status.state, f"{status.done} of {len(status.items)}", requested]
        cells += [] if user_id else [order.user_id]
        table.add_row(*(Text(cell) for cell in cells), Text(shortened(order.prompt)))
    return table


def print_notices(statuses: list[NoticeStatus], user_id: str | None, now: datetime, delivered: bool) -> None:
    """One line a notice, cut to the terminal; below it why some failed, and what to do. `delivered`: something runs."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(emoji=False, highlight=False)
    if not console.is_terminal:
        console.width = 200  # whatever reads this has no edge to wrap at
    if not statuses:
        Console(stderr=True, emoji=False).print(f"no notices of {user_id}" if user_id else "no notices", markup=False)
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("order", no_wrap=True, min_width=10)
    table.add_column("how it stands", no_wrap=True, min_width=20, overflow="ellipsis")
    table.add_column("channel", no_wrap=True, min_width=12, max_width=max(12, console.width - 50), overflow="ellipsis")
    table.add_column("prompt", no_wrap=True, min_width=6, overflow="ellipsis")
    for status in statuses:
        notice = status.notice
        cells = (notice.generation_id, status.text(now), display_name(notice.channel), shortened(status.order.prompt))
        table.add_row(*map(Text, cells))
    console.print(table)
    for status in statuses:
        if status.remark:
            console.print(
                f"{status.order.generation_id}: {shortened(status.remark, 300)}", markup=False, soft_wrap=True
            )
    if not delivered and any(s.notice.state == "ready" and s.notice.channel != "terminal" for s in statuses):
        console.print("nothing sends them now: start aigen notify-daemon", markup=False)
    if any(status.notice.state == "failed" for status in statuses):
        console.print("try again what was given up: aigen notices --retry", markup=False)


def status_text(status: Status, now: datetime) -> str:
    """Who delivers and what there is to deliver, in a few lines."""
    if status.running:
        since = f" since {spoken_at(status.started_at, now)}" if status.started_at else ""
        lines = [f"running (process {status.pid}){since}"]
    elif status.served:
        lines = ["not running, but the web gallery is, and sends notices too"]
    else:
        lines = ["not running: start it with aigen notify-daemon"]
    counts = [f"{status.notices[state]} {state}" for state in get_args(NoticeState) if state in status.notices]
    lines.append(f"notices: {', '.join(counts) or 'none'}")
    if status.next_at:
        lines.append(f"next due: {'now' if status.next_at <= to_text(now) else spoken_at(status.next_at, now)}")
    return "\n".join(lines)
