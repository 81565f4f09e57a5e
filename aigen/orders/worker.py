"""The worker: makes the orders that nobody waits for (detached ones and those of the web).

Orders that use this machine are made one after another; those that only providers make, beside them. Of orders that
were interrupted elsewhere it takes what providers have made, and buys nothing. At most one worker runs on a content
folder. An order whose worker was killed is picked up by the next one, so often and no more.
"""

import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from time import monotonic
from types import TracebackType
from typing import Self

from aigen import pipelines, vision
from aigen.content import ContentFolder
from aigen.errors import AlreadyRunning, Cancelled, GenerationError, Interrupted, StillRunning, UsageError
from aigen.orders import lifecycle, placing
from aigen.orders.context import Context
from aigen.orders.jobs import only_waits, to_collect
from aigen.settings import Settings
from aigen.store import Store
from aigen.times import to_text
from aigen.types.reports import Finished, Report, Said, Started, Waiting
from aigen.types.rows import Generation

# Seconds between two looks for work, and without work before a worker that `--detach` started ends.
PAUSE = 0.5
IDLE_LIMIT = 30.0
# After as many without work it lets go of the weights it holds for the next order of the same model.
RELEASE_AFTER = 60.0
# How many orders by providers are made at the same time.
HOSTED_ORDERS = 4


def work(
    context: Context,
    sleep: Callable[[float], object],
    once: bool = False,
    idle_limit: float | None = None,
    read_settings: Callable[[], Settings] | None = None,
) -> None:
    """Make waiting orders until there are none (`once`), until idle for `idle_limit` seconds, or until interrupted.

    Settings are read anew for each order, such as a key that was stored meanwhile. Raises AlreadyRunning when another
    worker is at it.
    """
    if read_settings is None:
        settings = context.settings
        read_settings = lambda: settings  # noqa: E731
    running = (
        f"a worker is already running on {str(context.content.root)!r}; "
        "one that --detach started ends after half a minute without work"
    )
    while True:
        with context.content.hold("worker", 0.2, running):
            _work_until_idle(context, sleep, 0.0 if once else idle_limit, read_settings)
        # An order placed just before the lock was released found this worker alive and started no other.
        if not due(context):
            return


def due(context: Context) -> list[Generation]:
    """Return the orders that a worker has something to do for now."""
    return [*waiting(context), *collectable(context)]


def waiting(context: Context) -> list[Generation]:
    """Orders for a worker: detached, not being made, not given up; the longest waiting first.

    Those that wait for a provider are among them when it is time to look again.
    """
    return [order for order in _detached(context) if _is_time(context, order)]


def collectable(context: Context) -> list[Generation]:
    """Orders that were interrupted while jobs of theirs go on at a provider, when it is time to look at those."""
    return [order for order in _left_at_providers(context) if _is_time(context, order)]


def _is_time(context: Context, order: Generation) -> bool:
    return order.collect_at is None or order.collect_at <= to_text(context.clock())


def _detached(context: Context) -> list[Generation]:
    return [
        order
        for order in context.store.generations(status="Processing")
        if order.detached and not context.content.is_locked(order.generation_id)
    ]


def _left_at_providers(context: Context) -> list[Generation]:
    return [
        order
        for order in context.store.generations(status="Processing")
        if not order.detached
        and to_collect(context.store.items(order.generation_id))
        and lifecycle.is_interrupted(context, order)
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


def _work_until_idle(
    context: Context,
    sleep: Callable[[float], object],
    idle_limit: float | None,
    read_settings: Callable[[], Settings],
) -> None:
    lifecycle.tidy(context)
    idle_since = used_at = monotonic()
    served: list[str] = []
    with _Beside(context, read_settings) as beside:
        while True:
            beside.check()
            orders = due(context)
            if order := next_order([order for order in orders if uses_device(context, order)], served):
                has_key = _work_on(replace(context, settings=read_settings()), order.generation_id)
                beside.note(order.generation_id, has_key)
                idle_since = used_at = monotonic()
                continue
            if orders or beside.is_busy:
                idle_since = monotonic()
            elif (
                idle_limit is not None
                and monotonic() - idle_since >= idle_limit
                and (not idle_limit or not _waits_for_this_worker(context, beside))
            ):
                return
            if monotonic() - used_at >= RELEASE_AFTER:
                pipelines.release()
            sleep(PAUSE)


def _waits_for_this_worker(context: Context, beside: "_Beside") -> bool:
    """Return whether orders wait that this worker, as it was started, could go on with later."""
    left = [*_detached(context), *_left_at_providers(context)]
    return any(order.generation_id not in beside.without_key for order in left)


def next_order(orders: list[Generation], served: list[str]) -> Generation | None:
    """Whose turn it is: the user's who was not `served` for longest, and of theirs the order that waits longest.

    So who orders much keeps nobody waiting for more than one order. That user is moved to the end of `served`.
    """
    found = min(orders, key=lambda order: served.index(order.user_id) if order.user_id in served else -1, default=None)
    if found:
        served[:] = [user_id for user_id in served if user_id != found.user_id] + [found.user_id]
    return found


def uses_device(context: Context, order: Generation) -> bool:
    """Return whether something of an order is made on this machine, or that cannot be said."""
    request = order.request
    if request.vision_model not in (None, vision.BUILT_IN):
        return True
    models = filter(None, (request.image_model, request.video_model))
    try:
        return any(context.pipeline(model).abilities.local for model in models)
    except UsageError:  # whoever makes it is told
        return True


class _Beside:
    """Makes orders by providers in threads, beside those that use this machine. Use as a context manager."""

    def __init__(self, context: Context, read_settings: Callable[[], Settings]) -> None:
        self.without_key: set[str] = set()  # the orders for which this worker had no key when it last tried
        self._read_settings = read_settings
        self._stop = threading.Event()
        self._context = replace(
            context,
            report=lambda report: _report_beside(context, report),
            interrupted=lambda: self._stop.is_set() or context.interrupted(),
        )
        self._lock = threading.Lock()
        self._orders: dict[str, threading.Thread] = {}
        self._served: list[str] = []
        self._errors: list[BaseException] = []
        self._thread = threading.Thread(target=self._look, name="beside", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        for thread in list(self._orders.values()):
            thread.join()

    @property
    def is_busy(self) -> bool:
        with self._lock:
            return bool(self._orders)

    def check(self) -> None:
        """Raise what ended a thread, if something did: such as a full disk."""
        if self._errors:
            raise self._errors[0]

    def _look(self) -> None:
        """Begin orders for as long as the worker runs."""
        try:
            while not self._stop.is_set():
                self._begin_orders()
                self._stop.wait(PAUSE)
        except BaseException as error:
            self._errors.append(error)

    def _begin_orders(self) -> None:
        """Begin the orders whose turn it is."""
        with self._lock, Store.open(self._context.content) as store:
            context = replace(self._context, store=store)
            while len(self._orders) < HOSTED_ORDERS and not self._errors:
                orders = [
                    order
                    for order in due(context)
                    if order.generation_id not in self._orders and not uses_device(context, order)
                ]
                if (order := next_order(orders, self._served)) is None:
                    break
                self._orders[order.generation_id] = threading.Thread(
                    target=self._make, args=(order.generation_id,), name="hosted order", daemon=True
                )
                self._orders[order.generation_id].start()

    def note(self, generation_id: str, has_key: bool) -> None:
        """Note whether there was a key for what an order needs now."""
        with self._lock:
            (self.without_key.discard if has_key else self.without_key.add)(generation_id)

    def _make(self, generation_id: str) -> None:
        try:
            with Store.open(self._context.content) as store:
                context = replace(self._context, store=store, settings=self._read_settings())
                has_key = _work_on(context, generation_id)
            self.note(generation_id, has_key)
        except Interrupted:
            pass  # the worker ends, which it says itself
        except BaseException as error:
            self._errors.append(error)
        finally:
            with self._lock:
                del self._orders[generation_id]


def _report_beside(context: Context, report: Report) -> None:
    """Report an order that is made beside another: only what stands by itself, with the order's id."""
    match report:
        case Started(generation=order, labels=labels):
            context.report(Said(f"order {order.generation_id}: {'; '.join(labels)}"))
        case Finished(item):
            context.report(Said(f"order {item.generation_id}: {item.name}: {item.error or item.path}"))
        case Said() | Waiting():
            context.report(report)


def _work_on(context: Context, generation_id: str) -> bool:
    """Make one order, unless since it was listed somebody else has taken, cancelled or made it.

    Of one that was interrupted elsewhere, take only what providers have made. Returns False where a key is missing.
    """
    store = context.store
    try:
        with placing.hold(context.content, generation_id):
            order = store.generation(generation_id)
            if order is None or order.status != "Processing":
                return True
            items = store.items(generation_id)
            if not order.detached:
                if to_collect(items):
                    lifecycle.collect(_collecting(context), generation_id)
                return True
            if order.attempts >= lifecycle.ATTEMPTS and not only_waits(items):
                reason = (
                    f"the process that made it died {order.attempts} times: try again with aigen resume {generation_id}"
                )
                store.fail(generation_id, reason, context.clock())
                return True
            lifecycle.run(_collecting(context) if order.collect_at else context, generation_id, detached=True)
    except (Cancelled, AlreadyRunning, GenerationError, StillRunning) as error:
        # The store has it; the next order does not suffer for it.
        context.report(Said(str(error)))
        return not (isinstance(error, StillRunning) and error.lacks_key)
    return True


def _collecting(context: Context) -> Context:
    """Return a context in which an order takes what providers have ready, and waits for nothing."""
    values = {**context.settings.values, "AIGEN_HOSTED_DEADLINE": "0"}
    return replace(context, settings=replace(context.settings, values=values))
