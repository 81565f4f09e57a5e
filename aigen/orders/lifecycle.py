"""An order is run, resumed and cancelled.

Who runs an order holds the OS lock named after it; a started order whose lock is free was interrupted. The store says
what is missing, so running an order again makes exactly that.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from aigen.content import OUT_OF_SPACE, READ_ONLY
from aigen.errors import (
    AigenError,
    Cancelled,
    ContentError,
    GenerationError,
    Interrupted,
    KeyMissing,
    NothingBought,
    StillRunning,
    StoreError,
    UsageError,
)
from aigen.orders import costs, source
from aigen.orders.context import Context, ended
from aigen.orders.device import Device
from aigen.orders.items import begins_here, clear, make_items, make_thumbnails
from aigen.orders.jobs import cancel_jobs, count_running, only_waits, running_jobs, to_collect
from aigen.orders.placing import hold, new_generation_id, prepare, write
from aigen.store import Store
from aigen.times import to_text
from aigen.types.reports import Said
from aigen.types.request import NO_ATTACHMENTS, Attachments, Draft, Kind
from aigen.types.rows import Generation, Item

# Attempts that workers make at an order; after as many crashes it needs a person.
ATTEMPTS = 3
# Seconds that cancelling waits for the process that makes an order with jobs at a provider.
CANCEL_PATIENCE = 10.0
# Seconds after which a worker looks again at jobs that it could not ask about.
COLLECT_AGAIN = 60.0


def generate(
    context: Context, draft: Draft, user_id: str | None = None, attachments: Attachments = NO_ATTACHMENTS
) -> Generation:
    """Place an order and make it, here and now. Its lock is held before it exists,
    so it is never taken for interrupted.
    """
    prepared = prepare(context, draft, user_id, attachments)
    costs.check_cost(context, prepared.request, prepared.user_id, prepared.price, prepared.yes)
    context.content.check_writable()
    generation_id = new_generation_id()
    with hold(context.content, generation_id):
        write(context, prepared, generation_id=generation_id)
        advice = prepared.advice
        del prepared  # with the picture, which may be large
        return run(context, generation_id, advice=advice)


def is_interrupted(context: Context, generation: Generation) -> bool:
    """Whether an order was begun (or was to begin at once) and nobody is making it any more."""

    def unfinished(order: Generation | None) -> bool:
        return order is not None and order.status == "Processing" and (order.attempts > 0 or not order.detached)

    if not unfinished(generation) or context.content.is_locked(generation.generation_id):
        return False
    # The lock is also free because the order has ended since its row was read.
    return unfinished(context.store.generation(generation.generation_id))


def run(context: Context, generation_id: str, detached: bool = False, advice: str | None = None) -> Generation:
    """Make what is missing of an order. The caller holds its lock. `advice` is shown with what makes it.

    Raises Cancelled, Interrupted (Ctrl-C), GenerationError when the order or some of its items failed, StillRunning
    when it waits for jobs at a provider, and ContentError when the disk is full, which leaves the order interrupted.
    """
    store = context.store
    counts = detached and not only_waits(store.items(generation_id))
    started = False
    try:
        with Device(context, generation_id) as device:
            device.use(begins_here(context, generation_id))
            if not store.start(generation_id, detached, counts or not detached):
                raise Cancelled(f"order {generation_id} was cancelled")
            started = True
            make_items(context, find(context.store, generation_id), device, advice)
        return _conclude(context, generation_id)
    except Cancelled:
        cancel_jobs(context, generation_id)
        clear(context, generation_id)
        raise
    except StillRunning as error:
        # It may have been cancelled while something was sent.
        if not store.postpone(generation_id, _after(context, error.seconds), error.reason):
            cancel_jobs(context, generation_id)
            clear(context, generation_id)
            raise ended(context.content, generation_id) from None
        told = f"order {generation_id} waits: {error}; a worker collects them, or aigen resume {generation_id}"
        raise StillRunning(told, error.seconds, lacks_key=error.lacks_key) from None
    except (ContentError, StoreError):
        with suppress(ContentError, StoreError):
            if counts and started:
                store.give_back(generation_id)  # it is not the order's fault
        raise
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt) or context.interrupted():
            if counts and started:
                store.give_back(generation_id)
            raise Interrupted(_interruption(context, generation_id)) from None
        if not isinstance(error, Exception):
            raise
        if isinstance(error, OSError) and (problem := _disk_problem(context, generation_id, error)):
            raise problem from error
        reason = _reason(context, error)
        if isinstance(error, KeyMissing) and detached:  # another worker may have it
            store.postpone(generation_id, _after(context, COLLECT_AGAIN), reason)
            raise StillRunning(f"order {generation_id} waits: {reason}", COLLECT_AGAIN, lacks_key=True) from error
        store.fail(generation_id, reason, context.clock())
        raise GenerationError(
            f"order {generation_id} failed: {reason}; try again: aigen resume {generation_id}"
        ) from error


def collect(context: Context, generation_id: str) -> None:
    """Take what providers have made of an interrupted order; end the order if that was all. The caller holds its lock.

    Buys nothing, and makes nothing else. Raises StillRunning if something is not done, and Cancelled.
    """
    store = context.store
    wanted = {(item.kind, item.number) for item in to_collect(store.items(generation_id))}
    try:
        with Device(context, generation_id) as device:
            order = find(store, generation_id)
            make_items(
                replace(context, buys=False), order, device, only=lambda item: (item.kind, item.number) in wanted
            )
    except NothingBought:
        pass
    except Cancelled:
        cancel_jobs(context, generation_id)
        clear(context, generation_id)
        raise
    except (ContentError, StoreError, Interrupted):
        raise
    except Exception as error:
        if isinstance(error, OSError) and (problem := _disk_problem(context, generation_id, error)):
            raise problem from error
        # Whatever it is, it ends no order that somebody may resume.
        seconds, lacks_key = COLLECT_AGAIN, isinstance(error, KeyMissing)
        if isinstance(error, StillRunning):
            seconds, lacks_key = error.seconds, error.lacks_key
        store.collect_later(generation_id, _after(context, seconds))
        told = f"order {generation_id} was interrupted, nothing is bought for it; {_reason(context, error)}"
        raise StillRunning(told, seconds, lacks_key=lacks_key) from error
    items = store.items(generation_id)
    if to_collect(items):
        store.collect_later(generation_id, _after(context, COLLECT_AGAIN))
    elif not any(item.state == "planned" for item in items):
        run(context, generation_id)


def _reason(context: Context, error: Exception) -> str:
    """Return an error in words, without secrets."""
    return context.settings.redact(str(error) if isinstance(error, AigenError) else f"{type(error).__name__}: {error}")


def _disk_problem(context: Context, generation_id: str, error: OSError) -> ContentError | None:
    """Return what an error means that is the disk's, not the order's."""
    root = str(context.content.root)
    if error.errno in OUT_OF_SPACE:
        return ContentError(
            f"the disk of {root!r} is full ({error.strerror}): free some space, then aigen resume {generation_id}"
        )
    if error.errno in READ_ONLY:
        return ContentError(
            f"the content folder {root!r} cannot be written any more ({error.strerror}): "
            f"when it can, aigen resume {generation_id}"
        )
    return None


def _after(context: Context, seconds: float) -> str:
    """Return the time after so many seconds; at least the next second, since the store keeps no parts of one."""
    return to_text(context.clock() + timedelta(seconds=max(1.0, seconds)))


def _interruption(context: Context, generation_id: str) -> str:
    """Return what to know and do after Ctrl-C."""
    left = count_running(context.store.items(generation_id))
    if not left:
        return f"interrupted: what is finished stays; make the rest with aigen resume {generation_id}"
    worker = "goes on with the order"
    if not find(context.store, generation_id).detached:
        worker = "collects the results and buys nothing"
    return (
        f"interrupted: {left}; aigen resume {generation_id} collects the results and buys what is missing, "
        f"aigen worker {worker}"
    )


def resume(context: Context, generation_id: str, buy_again: bool = False) -> Generation:
    """Finish an interrupted, a failed or a waiting order, here and now;
    of a completed one, files and thumbnails that are missing.

    `buy_again` is consent to buy again what may have been bought already.
    """
    find(context.store, generation_id)  # what does not exist has no lock
    with hold(context.content, generation_id):
        generation = find(context.store, generation_id)
        if generation.status == "Completed" and not _lose_missing(context, generation_id):
            make_thumbnails(context, context.store.items(generation_id))
            return generation
        if generation.status == "Cancelled":
            raise UsageError(f"order {generation_id} was cancelled: place it again with aigen generate")
        planned = any(item.state != "done" for item in context.store.items(generation_id))
        if (
            planned
            and generation.request.from_picture
            and not (context.content.work(generation_id) / source.SOURCE).exists()
        ):
            raise UsageError("the picture that it starts from is gone: order it anew from that picture (--from-image)")
        budgets = costs.find_budgets(context, generation.user_id, generation.price)
        context.store.reopen(generation_id, context.clock(), budgets)
        if buy_again and not context.store.release_jobs(generation_id):
            context.report(Said("nothing has to be bought again"))
        return run(context, generation_id)


def interrupted(context: Context) -> list[Generation]:
    """Every interrupted order, oldest first."""
    return [
        generation
        for generation in context.store.generations(status="Processing")
        if is_interrupted(context, generation)
    ]


def cancel(context: Context, generation_id: str) -> None:
    """Give up an order; who is making it stops within a second or two. Finished items stay.

    Jobs at providers are cancelled there, by the process that makes the order if it does not end in time.
    """
    generation = find(context.store, generation_id)
    runs = any(running_jobs(context.store.items(generation_id)))
    # The provider of one that was cancelled before could perhaps not be asked then.
    if not context.store.cancel(generation_id) and not (generation.status == "Cancelled" and runs):
        tidy(context)  # a killed process may have cancelled it
        raise UsageError(f"order {generation_id} is {generation.status}: there is nothing to cancel")
    if runs:
        try:
            with context.content.lock(generation_id, timeout=CANCEL_PATIENCE):
                cancel_jobs(context, generation_id)
        except TimeoutError:
            context.report(Said("the process that makes it cancels its jobs at the provider"))
    tidy(context)


def tidy(context: Context) -> None:
    """Remove what a killed process left of orders that have ended."""
    for generation_id in context.content.works():
        generation = context.store.generation(generation_id)
        ended = generation is None or generation.status in ("Completed", "Cancelled")
        if ended and not context.content.is_locked(generation_id):
            clear(context, generation_id)


def find(store: Store, generation_id: str) -> Generation:
    generation = store.generation(generation_id)
    if generation is None:
        raise UsageError(f"order {generation_id[:80]!r} is not known: see aigen status")
    return generation


def files(context: Context, items: Iterable[Item], kind: Kind) -> list[str]:
    """The paths of the finished items of one kind."""
    return [str(context.content.file(item.path)) for item in items if item.path and item.kind == kind]


def _conclude(context: Context, generation_id: str) -> Generation:
    """End an order: completed when every item is done, else failed, naming the items and why."""
    store = context.store
    _lose_missing(context, generation_id)
    items = store.items(generation_id)
    failed = [item for item in items if item.state == "failed"]
    if failed:
        names: dict[str | None, list[str]] = {}
        for item in failed:
            names.setdefault(item.error, []).append(item.name)
        raise GenerationError("; ".join(f"{', '.join(each)}: {error}" for error, each in names.items()))
    make_thumbnails(context, items)  # a crash may have come between an item and its thumbnails
    # The folder goes first: a crash between the two leaves an order that resume completes, not a stray folder.
    context.content.remove_work(generation_id)
    if not store.complete(generation_id, context.clock()):
        raise ended(context.content, generation_id)
    context.content.remove_lock(generation_id)
    return find(store, generation_id)


def _lose_missing(context: Context, generation_id: str) -> bool:
    """Record the finished items whose files are gone, so that they are made again; return whether there are any."""
    lost = missing_files(context, generation_id)
    if lost:
        context.store.lose(generation_id, lost, "its file is gone")
    return bool(lost)


def missing_files(context: Context, generation_id: str) -> list[Item]:
    """Return the finished items of an order whose files are not there."""
    return [
        item
        for item in context.store.items(generation_id)
        if item.state == "done" and not (item.path and context.content.file(item.path).is_file())
    ]
