"""The worker: makes the orders that nobody waits for (detached ones and those of the web), one after another.

At most one runs on a content folder. An order whose worker was killed is picked up by the next one, so often and no
more.
"""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from time import monotonic

from aigen import pipelines
from aigen.content import ContentFolder
from aigen.errors import AlreadyRunning, Cancelled, GenerationError, StillRunning
from aigen.orders import lifecycle, placing
from aigen.orders.context import Context
from aigen.times import to_text
from aigen.types.reports import Said
from aigen.types.rows import Generation

# Seconds between two looks for work, and without work before a worker that `--detach` started ends.
PAUSE = 0.5
IDLE_LIMIT = 30.0
# After as many without work it lets go of the weights it holds for the next order of the same model.
RELEASE_AFTER = 60.0


def work(
    context: Context,
    sleep: Callable[[float], object],
    once: bool = False,
    idle_limit: float | None = None,
) -> None:
    """Make waiting orders until there are none (`once`), until idle for `idle_limit` seconds, or until interrupted.

    Raises AlreadyRunning when another worker is at it.
    """
    running = (
        f"a worker is already running on {str(context.content.root)!r}; "
        "one that --detach started ends after half a minute without work"
    )
    while True:
        with context.content.hold("worker", 0.2, running):
            _work_until_idle(context, sleep, 0.0 if once else idle_limit)
        # An order placed just before the lock was released found this worker alive and started no other.
        if not waiting(context):
            return


def waiting(context: Context) -> list[Generation]:
    """Orders for a worker: detached, not being made, not given up; the longest waiting first.

    Those that wait for a provider are among them when it is time to look again.
    """
    now = to_text(context.clock())
    return [order for order in _detached(context) if order.collect_at is None or order.collect_at <= now]


def _detached(context: Context) -> list[Generation]:
    return [
        order
        for order in context.store.generations(status="Processing")
        if order.detached and not context.content.is_locked(order.generation_id)
    ]


def is_running(content: ContentFolder) -> bool:
    return content.is_locked("worker")


def start(content: ContentFolder) -> subprocess.Popen[bytes]:
    """Start a worker in the background that ends when it has had nothing to do for a while; if one runs, it stays."""
    # -P: without it Python would load modules that lie in the current folder.
    command = [
        sys.executable,
        "-P",
        "-m",
        "aigen",
        "worker",
        "--idle-limit",
        str(IDLE_LIMIT),
        "--content",
        str(content.root),
    ]
    if sys.platform == "win32":
        return subprocess.Popen(command, stdin=-3, stdout=-3, stderr=-3, creationflags=subprocess.DETACHED_PROCESS)
    nowhere = subprocess.DEVNULL
    return subprocess.Popen(command, stdin=nowhere, stdout=nowhere, stderr=nowhere, start_new_session=True)


def _work_until_idle(context: Context, sleep: Callable[[float], object], idle_limit: float | None) -> None:
    lifecycle.tidy(context)
    idle_since = monotonic()
    served: list[str] = []
    while True:
        if order := next_order(waiting(context), served):
            served = [user_id for user_id in served if user_id != order.user_id] + [order.user_id]
            _work_on(context, order.generation_id)
            idle_since = monotonic()
            continue
        if (
            idle_limit is not None
            and monotonic() - idle_since >= idle_limit
            and (not idle_limit or not _detached(context))
        ):
            return
        if monotonic() - idle_since >= RELEASE_AFTER:
            pipelines.release()
        sleep(PAUSE)


def next_order(orders: list[Generation], served: list[str]) -> Generation | None:
    """Whose turn it is: the user's who was not `served` for longest, and of theirs the order that waits longest.

    So who orders much keeps nobody waiting for more than one order.
    """
    return min(orders, key=lambda order: served.index(order.user_id) if order.user_id in served else -1, default=None)


def _work_on(context: Context, generation_id: str) -> None:
    """Make one order, unless since it was listed somebody else has taken, cancelled or made it."""
    store = context.store
    try:
        with placing.hold(context.content, generation_id):
            order = store.generation(generation_id)
            if order is None or order.status != "Processing" or not order.detached:
                return
            if order.attempts >= lifecycle.ATTEMPTS:
                reason = (
                    f"the process that made it died {order.attempts} times: try again with aigen resume {generation_id}"
                )
                store.fail(generation_id, reason, context.clock())
                return
            lifecycle.run(_collecting(context) if order.collect_at else context, generation_id, detached=True)
    except (Cancelled, AlreadyRunning, GenerationError, StillRunning) as error:
        # The store has it; the next order does not suffer for it.
        context.report(Said(str(error)))


def _collecting(context: Context) -> Context:
    """Return a context in which an order takes what providers have ready, and waits for nothing."""
    values = {**context.settings.values, "AIGEN_HOSTED_DEADLINE": "0"}
    return replace(context, settings=replace(context.settings, values=values))
