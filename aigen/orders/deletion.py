"""Erasing items, orders and users: rows and files, also of an order that is being made.

Files go before rows: after a crash between the two, what is erased is still listed, and erasing again finishes it.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from aigen.errors import GenerationError, UsageError
from aigen.media.thumbnails import companions, thumbnail_paths
from aigen.orders.context import Context
from aigen.orders.jobs import cancel_jobs
from aigen.orders.lifecycle import find
from aigen.types.request import check_user_id
from aigen.types.rows import Item


def erase_order(context: Context, generation_id: str, patience: float = 30) -> None:
    """Erase one order: every row and every file. When it is being made, it is stopped first.

    Raises GenerationError when it does not stop within `patience` seconds.
    """
    content, store = context.content, context.store
    order = find(store, generation_id)
    with _stopped(context, generation_id, patience):
        content.remove_order(order.user_id, generation_id)
        store.delete_order(generation_id)
    content.remove_lock(generation_id)


def erase_item(context: Context, item: Item) -> None:
    """Erase one finished item of an order that has ended, and the order with its last one."""
    assert item.path
    derived = (*companions(context.content, item), *thumbnail_paths(context.content, item).values())
    for path in (context.content.file(item.path), *derived):
        path.unlink(missing_ok=True)
    context.store.delete_item(item)
    if not context.store.items(item.generation_id):
        erase_order(context, item.generation_id)


def erase_user(context: Context, user_id: str) -> list[str]:
    """Erase a user: every row and every file. An order of theirs that is being made is stopped first.

    Gives the names of files in the user's folder that this program has not made; they stay, with the folder.
    """
    content, store = context.content, context.store
    check_user_id(user_id)
    if not store.has_user(user_id):
        raise UsageError(f"user {user_id!r} is not known: see aigen users list")
    stopped: list[str] = []
    # Again until nothing new was ordered meanwhile; the last look and the erasing are one transaction.
    while True:
        for generation in store.generations(user_id):
            with _stopped(context, generation.generation_id):
                stopped.append(generation.generation_id)
        kept = content.remove_user(user_id, stopped)
        if store.delete_user(user_id, stopped):
            break
    for generation_id in stopped:
        content.remove_lock(generation_id)
    return kept


@contextmanager
def _stopped(context: Context, generation_id: str, patience: float = 30) -> Iterator[None]:
    """Cancel an order, wait until nobody makes it any more, and hold it; its work folder is gone."""
    context.store.cancel(generation_id)
    try:
        with context.content.lock(generation_id, timeout=patience):
            cancel_jobs(context, generation_id)
            context.content.remove_work(generation_id)
            yield
    except TimeoutError:
        raise GenerationError(
            f"order {generation_id} has been cancelled but does not stop: try again in a minute"
        ) from None
