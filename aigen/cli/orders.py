"""Orders that are there: where they stand, finishing, giving up, and the worker."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aigen.cli.notices import announce, tell
from aigen.cli.program import Content, Json, app, load_settings, open_context, print_json, say, say_report
from aigen.errors import AlreadyRunning, Cancelled, GenerationError, StillRunning, UsageError

if TYPE_CHECKING:
    from aigen.orders.context import Context
    from aigen.types.rows import Generation


@app.command()
def status(
    user_id: Annotated[str | None, typer.Argument(help="Whose orders [all].")] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Follow until nothing is being made any more.")] = False,
    as_json: Json = False,
    content: Content = None,
) -> None:
    """Show where orders stand."""
    import time

    from aigen.cli import tables
    from aigen.orders import status as orders

    with open_context(content) as context:
        if watch and as_json:
            orders.follow(context, user_id, time.sleep, lambda found: print_json([order.as_json() for order in found]))
        elif watch:
            tables.watch(context, user_id, time.sleep)
        elif as_json:
            print_json([order.as_json() for order in orders.list_orders(context, user_id)])
        else:
            tables.print_orders(orders.list_orders(context, user_id), user_id)


@app.command()
def resume(
    generation_id: Annotated[str | None, typer.Argument(help="One order, also a failed one [all interrupted].")] = None,
    buy_again: Annotated[
        bool, typer.Option("--buy-again", help="Buy again what may have been bought: its outcome is unknown.")
    ] = False,
    as_json: Json = False,
    content: Content = None,
) -> None:
    """Finish what was interrupted."""
    from aigen.cli.progress import Display
    from aigen.notify.foreground import seconds_early
    from aigen.orders import lifecycle
    from aigen.orders import worker as workers

    if buy_again and not generation_id:
        raise UsageError("--buy-again needs an order: aigen resume ID --buy-again (see aigen status)")
    load_settings().read_base_url()  # what is wrong with it is told before anything is made
    failures: list[str] = []
    finished: list[Generation] = []
    with Display() as display, open_context(content, display) as context:
        lifecycle.tidy(context)
        wanted = [order.generation_id for order in lifecycle.interrupted(context)]
        try:
            for each in [generation_id] if generation_id else wanted:
                try:
                    finished.append(lifecycle.resume(context, each, buy_again))
                    if seconds_early(finished[-1], context.clock):
                        announce(context, finished[-1], waits=False)
                    tell(context, each)
                    say_cost(context, finished[-1])
                except (GenerationError, StillRunning, AlreadyRunning, Cancelled, UsageError) as error:
                    if isinstance(error, GenerationError):
                        tell(context, each, said=True)
                    if generation_id:
                        raise
                    failures.append(str(error))  # the others are finished all the same
        finally:
            display.stop()
            if as_json:
                print_json([order_json(context, order) for order in finished])
            for order in [] if as_json else finished:
                print_order(context, order, as_json)
        if not generation_id and not wanted:
            now = len(context.store.generations(status="Processing"))
            say(
                "nothing was interrupted"
                + (f"; being made or collected by others: {now} (aigen status)" if now else "")
            )
        if not generation_id and not workers.is_running(context.content) and (left := workers.waiting(context)):
            say(f"orders that wait for a worker: {len(left)}; make them with aigen worker --once")
    if failures:
        raise GenerationError("; ".join(failures))


@app.command()
def cancel(
    generation_id: Annotated[str, typer.Argument(help="The order to give up.")], content: Content = None
) -> None:
    """Give up an order; what is finished stays."""
    from aigen.orders import lifecycle
    from aigen.types.rows import sum_costs
    from aigen.wording import spoken_price

    with open_context(content, say_report) as context:
        lifecycle.cancel(context, generation_id)
        cost = sum_costs(item.paid for item in context.store.items(generation_id))
    say(f"order {generation_id} is cancelled; nobody will be told of it")
    if cost is not None:
        say(f"it cost {spoken_price(cost)}")


@app.command()
def worker(
    once: Annotated[bool, typer.Option("--once", help="End when nothing waits.")] = False,
    idle_limit: Annotated[float | None, typer.Option("--idle-limit", hidden=True)] = None,
    content: Content = None,
) -> None:
    """Make detached orders, one after another, until Ctrl-C."""
    import time

    from aigen.cli.progress import Display
    from aigen.notify.delivery import Courier, Rounds, deliver_everywhere, giving_back
    from aigen.orders import worker as workers
    from aigen.store import NOTICE_LEASE

    with Display() as display, open_context(content, display) as context:
        courier = Courier(context.content, load_settings, context.clock, log=say)
        with Rounds(courier, patience=NOTICE_LEASE.total_seconds()) as rounds:
            workers.work(context, time.sleep, once, idle_limit, load_settings)
            rounds.check()
        with giving_back(courier, context.store):
            deliver_everywhere(courier, context.store)  # what has become due with the last order


def order_json(context: "Context", order: "Generation") -> dict[str, Any]:
    """What `generate --json` prints of an order."""
    from aigen.notify import links
    from aigen.notify.listing import list_notices
    from aigen.orders.lifecycle import files
    from aigen.types.rows import sum_costs

    url = links.base_url(load_settings(), context.content)
    items = context.store.items(order.generation_id)
    return {
        "user_id": order.user_id,
        "generation_id": order.generation_id,
        "status": order.status,
        "prompt": order.prompt,
        "model": ", ".join(dict.fromkeys(item.model for item in items)),
        "images": files(context, items, "image"),
        "videos": files(context, items, "video"),
        "link": links.make(context.store, order, context.clock).address(url),
        "notices": [notice.as_json() for notice in list_notices(context.store, generation_id=order.generation_id)],
        "cost": sum_costs(item.paid for item in items),
    }


def say_cost(context: "Context", order: "Generation") -> None:
    """Say what a paid order has cost, beside its estimate."""
    from aigen.types.rows import sum_costs
    from aigen.wording import spoken_price

    items = context.store.items(order.generation_id)
    cost = sum_costs(item.paid for item in items)
    if cost is None and not any(item.job for item in items):
        return
    estimate = f" (estimated: {spoken_price(order.price)})" if order.price is not None else ""
    say(f"it cost {spoken_price(cost)}{estimate}")


def print_order(context: "Context", order: "Generation", as_json: bool) -> None:
    """The result of an order on stdout: paths, relative where that is shorter to read."""
    from aigen.orders.lifecycle import files
    from aigen.types.request import KINDS

    if as_json:
        print_json(order_json(context, order))
        return
    here, items = Path.cwd(), context.store.items(order.generation_id)
    for path in (Path(name) for kind in KINDS for name in files(context, items, kind)):
        typer.echo(path.relative_to(here) if path.is_relative_to(here) else path)
