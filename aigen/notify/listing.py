"""How notices stand, for people and for programs."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aigen.notify.channels import shown
from aigen.notify.daemon import Status
from aigen.store import NOTICE_ATTEMPTS, Store
from aigen.times import from_text, spoken, to_text
from aigen.types.rows import Generation, Notice
from aigen.wording import shortened


@dataclass(frozen=True)
class Standing:
    """A notice and the order it is about."""

    notice: Notice
    order: Generation

    def as_json(self) -> dict[str, Any]:
        notice = self.notice
        return {
            "generation_id": notice.generation_id,
            "user_id": self.order.user_id,
            "channel": shown(notice.channel),
            "event": notice.event,
            "state": notice.state,
            "due_at": notice.due_at,
            "attempts": notice.attempts,
            "next_at": notice.next_at,
            "sent_at": notice.sent_at,
            "error": notice.error,
        }

    def is_due(self, now: datetime) -> bool:
        notice = self.notice
        return notice.state == "ready" and notice.due_at <= to_text(now) and (notice.next_at or "") <= to_text(now)

    def told(self, now: datetime) -> str:
        """How it stands, in words."""
        failure = "failure " if self.notice.event == "failed" else ""
        return failure + self._stands(now)

    def _stands(self, now: datetime) -> str:
        notice = self.notice
        if notice.state == "waiting":
            return "not needed" if self.order.status == "Failed" else "waits for the order"
        if notice.state == "sent" and notice.sent_at:
            return f"sent at {_spoken(notice.sent_at, now)}"
        if notice.state == "failed":
            return "given up"
        if notice.state == "sending":
            return "is being sent"
        if self.is_due(now):
            return "is due"
        if notice.next_at:
            return f"next try at {_spoken(notice.next_at, now)}"
        return f"due at {_spoken(notice.due_at, now)}"

    @property
    def remark(self) -> str:
        """Why it could not be sent."""
        notice = self.notice
        if not notice.error:
            return ""
        return f"{shown(notice.channel)}: {notice.error} (attempt {notice.attempts} of {NOTICE_ATTEMPTS})"


def look(store: Store, user_id: str | None = None, generation_id: str | None = None) -> list[Standing]:
    """The notices of a user, of an order, or all; those of the oldest order first."""
    orders = {order.generation_id: order for order in store.generations(user_id)}
    return [
        Standing(notice, orders[notice.generation_id])
        for notice in store.notices(generation_id, user_id)
        if notice.generation_id in orders
    ]


def print_table(standings: list[Standing], user_id: str | None, now: datetime, delivered: bool) -> None:
    """One line a notice, cut to the terminal; below it why some failed, and what to do. `delivered`: something runs."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = 200  # whatever reads this has no edge to wrap at
    if not standings:
        Console(stderr=True).print(f"no notices of {user_id}" if user_id else "no notices", markup=False)
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("order", no_wrap=True, min_width=10)
    table.add_column("how it stands", no_wrap=True, min_width=20, overflow="ellipsis")
    table.add_column("channel", no_wrap=True, min_width=12, max_width=max(12, console.width - 50), overflow="ellipsis")
    table.add_column("prompt", no_wrap=True, min_width=6, overflow="ellipsis")
    for standing in standings:
        notice = standing.notice
        cells = (notice.generation_id, standing.told(now), shown(notice.channel), shortened(standing.order.prompt))
        table.add_row(*map(Text, cells))
    console.print(table)
    for standing in standings:
        if standing.remark:
            console.print(
                f"{standing.order.generation_id}: {shortened(standing.remark, 300)}", markup=False, soft_wrap=True
            )
    if not delivered and any(s.notice.state == "ready" and s.notice.channel != "terminal" for s in standings):
        console.print("nothing sends them now: start aigen notify-daemon", markup=False)
    if any(standing.notice.state == "failed" for standing in standings):
        console.print("try again what was given up: aigen notices --retry", markup=False)


def status_text(status: Status, now: datetime) -> str:
    """Who delivers and what there is to deliver, in a few lines."""
    if status.running:
        since = f" since {_spoken(status.started_at, now)}" if status.started_at else ""
        lines = [f"running (process {status.pid}){since}"]
    elif status.served:
        lines = ["not running, but the web gallery is, and sends notices too"]
    else:
        lines = ["not running: start it with aigen notify-daemon"]
    counts = [f"{status.notices[state]} {state}" for state in ("waiting", "ready", "sending", "sent", "failed")
              if state in status.notices]  # fmt: skip
    lines.append(f"notices: {', '.join(counts) or 'none'}")
    if status.next_at:
        lines.append(f"next due: {'now' if status.next_at <= to_text(now) else _spoken(status.next_at, now)}")
    return "\n".join(lines)


def _spoken(moment: str, now: datetime) -> str:
    return spoken(from_text(moment), now)
