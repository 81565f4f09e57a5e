"""What orders cost: `aigen costs`."""

from typing import Annotated

import typer

from aigen.cli.program import Content, Json, app, open_context, print_json, say


@app.command()
def costs(
    user: Annotated[str | None, typer.Option("--user", metavar="ID", help="Whose orders [all].")] = None,
    as_json: Json = False,
    content: Content = None,
) -> None:
    """Show what orders by paid models cost."""
    from aigen.times import from_text, start_of_month
    from aigen.wording import shortened, spoken_price, visible

    with open_context(content) as context:
        found = context.store.costs(user)
        month = context.store.spent(start_of_month(context.clock()), user)
        limit = context.settings.amount("AIGEN_MONTHLY_COST")
    if as_json:
        print_json(found)
        return
    for order in found:
        estimate = "no estimate" if order["price"] is None else f"estimate {spoken_price(order['price'])}"
        when = f"{from_text(order['requested_at']).astimezone():%Y-%m-%d %H:%M}"
        name, prompt = order["generation_id"], shortened(order["prompt"], 40)
        cost = f"${order['cost']:.2f}" if order["cost"] or not order["unknown"] else "unknown"
        line = f"{name}  {when}  {cost:>9}  {estimate:15}  {order['status']:10}  {order['user_id']}  {prompt}"
        typer.echo(visible(line))
        if order["unknown"] and order["cost"]:
            typer.echo(f"{'':12}and {order['unknown']} jobs whose cost is not known")
        if order["uncertain"]:
            typer.echo(
                f"{'':12}up to {spoken_price(order['uncertain'])} more: jobs that are not done, or of unknown outcome"
            )
    unknown = sum(order["unknown"] for order in found)
    total = sum(order["cost"] for order in found)
    of_limit = f" of AIGEN_MONTHLY_COST ${limit:.2f}" if limit is not None and user is None else ""
    say(f"total: ${total:.2f}; this month, with what is reserved: ${month:.2f}{of_limit}")
    if unknown:
        say(f"not in it: {unknown} jobs whose cost is not known; look at the provider's own account")
