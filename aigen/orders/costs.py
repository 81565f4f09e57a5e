"""What orders cost: their price, limits and budgets, and consent to it."""

from dataclasses import replace

from aigen.errors import CostError, UsageError
from aigen.models import catalogue
from aigen.orders import tasks
from aigen.orders.context import USER_BUDGET, Context
from aigen.times import start_of_month
from aigen.types.pipeline import Pipeline
from aigen.types.reports import Said
from aigen.types.request import GenerationRequest, Kind
from aigen.types.rows import Budget, Generation
from aigen.wording import spoken_price


def price_of(request: GenerationRequest, used: dict[Kind, Pipeline]) -> float | None:
    """Return the estimated cost of an order in USD; None if a price is unknown."""
    total = 0.0
    image_price = tasks.image_price(request, used["image"]) if "video" in used and "image" in used else 0.0
    for kind, pipeline in used.items():
        if request.count(kind):
            task = tasks.task_of(request, kind, pipeline, tasks.planned(request, kind))
            price = pipeline.price(replace(task, image_price=image_price))
            if price is None:
                return None
            total += price
    return round(total, 5)


def check_cost(
    context: Context, request: GenerationRequest, user_id: str | None, price: float | None, agreed: bool
) -> None:
    """Raise UsageError for an order that costs more than a limit; ask for consent to one that costs anything.

    `--yes` is consent, and so is `--max-cost` where the price is known. AIGEN_MAX_COST is a limit only.
    """
    if price == 0:
        return
    check_limits(context, request, user_id, price)
    if not agreed and (request.max_cost is None or price is None):
        context.agree(price)
    else:
        context.report(Said(f"estimated cost: {spoken_price(price)}"))


def check_limits(context: Context, request: GenerationRequest, user_id: str | None, price: float | None) -> None:
    """Raise CostError for an order that costs more than a limit or what is left of a budget."""
    budgets = find_budgets(context, user_id, price)
    limits = find_limits(context, request)
    if price is None and (named := [*limits, *(budget.name for budget in budgets)]):
        advice = "choose another model" + (", or add --yes instead" if named[0] == "--max-cost" else "")
        raise CostError(f"the cost of this order is unknown, so it may exceed {named[0]}: {advice}")
    for name, amount in limits.items():
        if price is not None and price > amount:
            raise CostError(
                f"this order costs about {spoken_price(price)}, more than {name} {amount:g}: raise it, or order less"
            )
    for budget in budgets:  # once more in the transaction that places it
        context.store.check_budget(budget, price)


def check_paid(context: Context, request: GenerationRequest) -> None:
    """Raise UsageError for a paid model where paid models are not allowed."""
    for name in filter(None, (request.image_model, request.video_model)):
        if not context.paid and context.pipeline(name).abilities.paid:
            raise UsageError(
                f"model {catalogue.display_name(name)!r} costs money, and paid models are not offered here: "
                "choose another"
            )


def check_again(context: Context, order: Generation) -> list[Budget]:
    """Check an order that failed before it is tried again; return the budgets it counts against. Raises UsageError."""
    check_paid(context, order.request)
    if order.price is None:
        context.agree(None)
    return find_budgets(context, order.user_id, order.price)


def find_limits(context: Context, request: GenerationRequest) -> dict[str, float]:
    """Return the limits on what an order may cost in USD, by the option or setting that sets them."""
    limits = {"--max-cost": request.max_cost, "AIGEN_MAX_COST": context.settings.amount("AIGEN_MAX_COST")}
    return {name: amount for name, amount in limits.items() if amount is not None}


def find_budgets(
    context: Context, user_id: str | None, price: float | None, names: tuple[str, ...] = ()
) -> list[Budget]:
    """Return the budgets for this month that an order counts against; a free one counts against none.

    Beside those of the context, these are the budgets of these `names`, by which it was placed.
    """
    since = start_of_month(context.clock())
    return [
        Budget(name, amount, since, (user_id or "") if name == USER_BUDGET else None)
        for name in dict.fromkeys((*context.budgets, *names))
        if price != 0 and (amount := context.settings.amount(name)) is not None
    ]
