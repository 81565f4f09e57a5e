"""What the command that places an order says and does about its notices, and what the next one does in its stead.

A terminal notice belongs to the process that placed the order: it holds a lock for as long as it may show it. When that
process has gone, the next command on a terminal shows the notice.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import tzinfo

from aigen.content import ContentFolder
from aigen.errors import NotDelivered
from aigen.notify import channels, desktop, links
from aigen.notify.daemon import is_running
from aigen.notify.delivery import Courier, deliver_due, deliver_everywhere
from aigen.notify.messages import Message
from aigen.settings import Settings
from aigen.store import Store
from aigen.times import Clock, from_text, spoken
from aigen.types.rows import Generation

# Waiting goes by wall time in short steps: one long sleep would drift over a laptop's sleep or a changed clock.
PAUSE = 1.0


def seconds_early(order: Generation, clock: Clock) -> float:
    """How long it is until the user is to be told; 0 when the time has come or none was given."""
    if order.request.notify_at is None or order.request.notify_at <= order.requested_at:
        return 0.0
    return max(0.0, (from_text(order.request.notify_at) - clock()).total_seconds())


def elsewhere(order: Generation) -> list[str]:
    """The channels of an order that need no terminal."""
    return [channel for channel in order.request.notify if channel != "terminal"]


def announce(
    order: Generation, settings: Settings, content: ContentFolder, waits: bool, zone: tzinfo | None = None
) -> list[str]:
    """What the user is to know about the notices of a new order; `waits`: its command stays until their time."""
    lines = []
    placed_at = from_text(order.requested_at)
    due_at = from_text(order.request.notify_at or order.requested_at)
    later = due_at > placed_at
    if order.request.notify_at:
        when = spoken(due_at, placed_at, zone)
        lines.append(f"you will be told at {when}" if later else _passed(when))
    others = [channels.display_name(channel) for channel in elsewhere(order)]
    delivered, named = is_running(content), " and ".join(others)
    if others and not delivered and later:
        if waits:
            lines.append(f"no notify-daemon runs: this command waits and tells you by {named} itself")
        else:
            lines.append(f"nothing runs that would tell you by {named} then: start aigen notify-daemon")
    if "terminal" in order.request.notify and not waits and (later or order.detached):
        lines.append(f"the first aigen command on a terminal after {'that' if later else 'it is ready'} tells you")
    if "desktop" in others and (reason := desktop.why_not()):
        lines.append(f"{reason}; the notice is tried until there is one")
    if others and (remark := _about_link(order, settings, content)):
        lines.append(remark)
    return lines


def _passed(when: str) -> str:
    hour, _, day = when.partition(" ")
    advice = f"; for tomorrow: --notify-at 'tomorrow {hour}'" if day == "today" else ""
    return f"{when} has passed: you will be told when it is ready{advice}"


def _about_link(order: Generation, settings: Settings, content: ContentFolder) -> str:
    """What keeps the link in the notice from being opened, if anything does."""
    url = links.base_url(settings, content)
    mailed = any(channel not in ("terminal", "desktop") for channel in order.request.notify)
    conditions = []
    if mailed and links.is_loopback(url):
        conditions.append("on this machine only (AIGEN_BASE_URL sets another address)")
    if not links.is_served(content):
        conditions.append("while aigen serve runs, which it does not now")
    return f"the link in the notice, to {url}, opens {' and '.join(conditions)}" if conditions else ""


@contextmanager
def own_terminal(content: ContentFolder, generation_id: str) -> Iterator[None]:
    """Be the process that shows this order's terminal notice."""
    name = _terminal_lock(generation_id)
    with content.hold(name, 1.0, f"order {generation_id} has another terminal"):
        try:
            yield
        finally:
            content.remove_lock(name)


def wait_until_due(order: Generation, clock: Clock, sleep: Callable[[float], object]) -> None:
    while left := seconds_early(order, clock):
        sleep(min(PAUSE, left))


def tell(courier: Courier, store: Store, generation_id: str, said: bool = False) -> list[NotDelivered]:
    """Send the notices of one order that are due, but what a daemon will send; what could not be sent.

    `said`: the terminal has been told already, so that is only recorded.
    """
    terminal = replace(courier, send=_nothing) if said else courier
    failures = deliver_due(terminal, store, "terminal", generation_id)
    return failures if is_running(courier.content) else failures + deliver_everywhere(courier, store, generation_id)


def _nothing(channel: str, message: Message, settings: Settings) -> None:
    """Sends nothing: the user knows."""


def advice(failure: NotDelivered, content: ContentFolder) -> str:
    """What will become of a notice that could not be sent."""
    if failure.lasting:
        return "; it is given up"
    return "; it is tried again" if is_running(content) else "; start aigen notify-daemon to have it tried again"


def show_left_over(courier: Courier, store: Store) -> list[NotDelivered]:
    """Show the terminal notices that are due and whose processes have gone; what could not be shown."""
    failures = []
    for notice in store.due_notices("terminal", courier.clock()):
        lock = _terminal_lock(notice.generation_id)
        if not courier.content.is_locked(lock):
            failures += deliver_due(courier, store, "terminal", notice.generation_id)
            courier.content.remove_lock(lock)
    return failures


def _terminal_lock(generation_id: str) -> str:
    return f"{generation_id}-terminal"
