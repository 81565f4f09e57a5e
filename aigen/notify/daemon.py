"""The notify-daemon: delivers notices for as long as it runs, one on a content folder.

It sees that a worker runs while orders wait for one, so that there is something to tell.
"""

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from aigen.content import ContentFolder
from aigen.notify import links
from aigen.notify.delivery import Courier, Rounds
from aigen.orders.attendant import Attendant
from aigen.store import Store
from aigen.times import to_text

# The name of its lock and of its note.
DAEMON = "notify-daemon"
# Seconds between two looks whether a thread has failed.
PAUSE = 0.2


@dataclass(frozen=True)
class Status:
    """Who delivers, and what there is to deliver; times are ISO 8601, UTC."""

    running: bool
    pid: int | None
    started_at: str | None
    served: bool
    notices: dict[str, int]
    next_at: str | None


def run(courier: Courier, sleep: Callable[[float], object]) -> None:
    """Deliver what is due until interrupted. Raises AlreadyRunning when another daemon does."""
    content = courier.content
    pid = content.read_note(DAEMON).get("pid")
    running = f"a notify-daemon is already running on {str(content.root)!r}" + (f" (process {pid})" if pid else "")
    Store.open(content, create=True).close()  # what is wrong with the store is told before anything runs
    with content.hold(DAEMON, 0.2, running):
        content.write_note(DAEMON, {"pid": os.getpid(), "started_at": to_text(courier.clock())})
        courier.log(f"delivering the notices of {content.root} (process {os.getpid()})")
        with Rounds(courier) as rounds, Attendant(content, courier.log):
            while True:
                rounds.check()
                sleep(PAUSE)


def is_running(content: ContentFolder) -> bool:
    """Whether something delivers on this folder for as long as it runs: a daemon, or the web gallery."""
    return content.is_locked(DAEMON) or links.is_served(content)


def read_status(content: ContentFolder, store: Store) -> Status:
    """Who delivers now, how many notices are in which state, and when the next is due."""
    running = content.is_locked(DAEMON)
    note = content.read_note(DAEMON) if running else {}
    notices = [notice for notice in store.notices() if notice.channel != "terminal"]
    coming = [max(notice.due_at, notice.next_at or "") for notice in notices if notice.state == "ready"]
    return Status(
        running,
        note.get("pid"),
        note.get("started_at"),
        links.is_served(content),
        dict(Counter(notice.state for notice in notices)),
        min(coming, default=None),
    )
