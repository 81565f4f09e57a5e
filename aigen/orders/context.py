"""The dependencies of an order, and its heartbeat."""

from collections.abc import Callable
from dataclasses import dataclass

from aigen import pipelines
from aigen.content import ContentFolder
from aigen.errors import AigenError, Cancelled, CostError, StoreError
from aigen.settings import NO_SETTINGS, Settings
from aigen.store import Store
from aigen.times import Clock, utc_now
from aigen.types.pipeline import Pipeline
from aigen.types.reports import Report
from aigen.wording import spoken_price

# The setting that limits what the orders of one web user cost in a month.
USER_BUDGET = "AIGEN_USER_MONTHLY_COST"
# Seconds between two looks at whether the order was cancelled.
HEARTBEAT = 1.0


def refuse_to_pay(price: float | None) -> None:
    """Refuse an order that nobody has agreed to pay."""
    if price is None:
        raise CostError("the cost of this order is unknown: add --yes to order it all the same")
    spoken = spoken_price(price)
    raise CostError(f"this order costs about {spoken}: add --yes, or a limit such as --max-cost {spoken[1:]}")


@dataclass(frozen=True)
class Context:
    """Dependencies of placing and running an order."""

    content: ContentFolder
    store: Store
    report: Callable[[Report], None] = lambda report: None
    settings: Settings = NO_SETTINGS
    load: Callable[[str, Settings], Pipeline] = pipelines.load
    clock: Clock = utc_now
    paid: bool = True  # whether models that cost money may be used
    buys: bool = True  # whether an order that is made may buy; else it only takes what is bought already
    # Limits of one user: unfinished orders, seconds of work ordered within a day, bytes on the disk.
    max_orders: int | None = None
    max_seconds: float | None = None
    max_bytes: int | None = None
    confirms_mail: bool = False  # whether mail is sent only to addresses that their owners have confirmed
    budgets: tuple[str, ...] = ("AIGEN_MONTHLY_COST",)  # the settings that limit what orders cost in a month
    # Ask whether an order of this price in USD (None: unknown) may be placed. Raises UsageError or Cancelled if not.
    agree: Callable[[float | None], None] = refuse_to_pay
    # Whether Ctrl-C was pressed: a library that is just being loaded turns its KeyboardInterrupt into other errors.
    interrupted: Callable[[], bool] = lambda: False

    def pipeline(self, name: str) -> Pipeline:
        """Return the pipeline of this name. Raises UsageError."""
        return self.load(name, self.settings)


def heartbeat(context: Context, generation_id: str, text: str) -> None:
    """Record that an order is being made, and at which step. Raises what `ended` returns when it is not any more."""
    if not context.store.heartbeat(generation_id, text, context.clock()):
        raise ended(context.content, generation_id)


def ended(content: ContentFolder, generation_id: str) -> AigenError:
    """Return why an order that was being made is not Processing any more: cancelled, or its store is gone."""
    if not content.database.exists():
        return StoreError(
            f"the store {str(content.database)!r} was removed while an order was made: "
            "restore a backup, or run aigen repair"
        )
    return Cancelled(f"order {generation_id} was cancelled")
