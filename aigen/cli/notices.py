"""Notices: what was sent and what waits, the daemon that sends them, and telling about an order made here."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aigen.cli.program import Content, Json, app, load_settings, open_context, print_json, say
from aigen.errors import UsageError

if TYPE_CHECKING:
    from aigen.content import ContentFolder
    from aigen.notify.delivery import Courier
    from aigen.orders.context import Context
    from aigen.types.rows import Generation


@app.command()
def notices(
    user_id: Annotated[str | None, typer.Argument(help="Whose [all].")] = None,
    retry: Annotated[bool, typer.Option("--retry", help="Try again what was given up.")] = False,
    as_json: Json = False,
    content: Content = None,
) -> None:
    """Show which notices were sent, which wait, and which failed and why."""
    from aigen.cli import tables
    from aigen.notify import daemon, listing

    with open_context(content) as context:
        if retry:
            say(f"notices to be tried again: {context.store.retry_notices(user_id)}")
        found = listing.list_notices(context.store, user_id)
        if as_json:
            print_json([notice.as_json() for notice in found])
        else:
            tables.print_notices(found, user_id, context.clock(), daemon.is_running(context.content))


@app.command("notify-daemon")
def notify_daemon(
    once: Annotated[bool, typer.Option("--once", help="Send what is due now, and end.")] = False,
    status: Annotated[bool, typer.Option("--status", help="Say whether one runs and what there is to send.")] = False,
    print_unit: Annotated[
        str | None,
        typer.Option(
            "--print-unit", metavar="SYSTEM", help="Print what starts it at login: systemd, launchd or windows."
        ),
    ] = None,
    as_json: Json = False,
    content: Content = None,
) -> None:
    """Send notices when they are due, for all orders, until Ctrl-C."""
    from aigen.notify import units
    from aigen.settings import settings_file

    if once + status + (print_unit is not None) > 1:
        raise UsageError("--once, --status and --print-unit: give one of them")
    if as_json and not status:
        raise UsageError("--json is for --status")
    folder = load_settings().content(content)
    if print_unit is not None:
        typer.echo(units.text(print_unit, folder, Path.cwd(), settings_file()), nl=False)
    elif status:
        _print_status(content, as_json)
    elif once:
        _send_once(folder)
    else:
        _run_daemon(folder)


def _courier(content: "ContentFolder") -> "Courier":
    """Who delivers and says so, each line with its time."""
    from datetime import datetime

    from aigen.notify.delivery import Courier
    from aigen.wording import visible

    def log(text: str) -> None:
        say(f"{datetime.now().astimezone():%Y-%m-%d %H:%M:%S} {visible(text)}")

    return Courier(content, load_settings, log=log)


def _print_status(content: Path | None, as_json: bool) -> None:
    from dataclasses import asdict

    from aigen.cli import tables
    from aigen.notify import daemon

    with open_context(content) as context:
        found = daemon.read_status(context.content, context.store)
    if as_json:
        print_json(asdict(found))
        return
    typer.echo(tables.status_text(found, context.clock()))


def _send_once(folder: "ContentFolder") -> None:
    from aigen.notify.delivery import deliver_everywhere, giving_back
    from aigen.store import Store

    courier = _courier(folder)
    with Store.open(folder) as store:
        count = len(store.notices())
        with giving_back(courier, store):
            failures = deliver_everywhere(courier, store)
        courier.log(f"that was all that is due; aigen notices shows all {count}" if count else "there are no notices")
    if failures:
        raise typer.Exit(1)


def _run_daemon(folder: "ContentFolder") -> None:
    import time

    from aigen.notify import daemon, mail

    courier = _courier(folder)
    try:
        mail.read_server(load_settings(), needed_for="mailto:ADDRESS")
    except UsageError as error:
        courier.log(f"no mail can be sent: {error}")
    try:
        daemon.run(courier, time.sleep)
    except KeyboardInterrupt:  # Ctrl-C and SIGTERM are how it is meant to end
        courier.log("ended")


# Telling about an order that was made by this process


def announce(context: "Context", order: "Generation", waits: bool) -> None:
    """Say when the user will be told, by what, and what may be in the way of it."""
    from aigen.notify import foreground

    for line in foreground.announce(order, load_settings(), context.content, waits):
        say(line)


def tell(context: "Context", generation_id: str, said: bool = False) -> None:
    """Send the notices of this order that are due; one that cannot be sent does not fail the order.

    `said`: what this terminal is to be told has been said on it, as an error is.
    """
    from aigen.notify import foreground
    from aigen.notify.delivery import Courier, giving_back

    courier = Courier(context.content, load_settings, context.clock)
    with giving_back(courier, context.store):
        failures = foreground.tell(courier, context.store, generation_id, said)
    for failure in failures:
        say(f"{failure}{foreground.advice(failure, context.content)}")
