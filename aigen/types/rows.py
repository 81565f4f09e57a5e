"""The rows of the store: an order, its items and its notices; and sessions."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from aigen.types.pipeline import Job
from aigen.types.request import GenerationRequest, Kind

Status = Literal["Processing", "Completed", "Failed", "Cancelled"]
State = Literal["planned", "done", "failed"]
Event = Literal["completed", "failed", "confirm"]
NoticeState = Literal["unconfirmed", "waiting", "ready", "sending", "sent", "failed"]


def sum_costs(costs: Iterable[float | None]) -> float | None:
    """Return the sum of the known costs in USD, rounded to 5 decimals; None if none is known."""
    known = [cost for cost in costs if cost is not None]
    return round(sum(known), 5) if known else None


@dataclass(frozen=True)
class Item:
    generation_id: str
    kind: Kind
    number: int
    seed: int
    model: str
    state: State = "planned"
    path: str | None = None
    parameters: dict[str, Any] | None = None
    checkpoint: dict[str, Any] = field(default_factory=dict)
    job: dict[str, Job] = field(default_factory=dict)  # by the part of the item it makes
    cost: float | None = None  # in USD, including its parts; None: nothing was paid
    error: str | None = None
    seconds: float | None = None  # that it took to make it

    @property
    def name(self) -> str:
        return f"{self.kind} {self.number}"

    @property
    def paid(self) -> float | None:
        """Return its cost so far in USD, also if it is unfinished; None if nothing was paid."""
        return sum_costs(job.cost for job in self.job.values())


@dataclass(frozen=True)
class Generation:
    """One order. `request` is frozen: models, seed and times in it are resolved."""

    generation_id: str
    user_id: str
    prompt: str
    request: GenerationRequest
    status: Status
    error: str | None
    requested_at: str
    generated_at: str | None
    detached: bool
    attempts: int
    heartbeat_at: str | None
    step: str | None
    price: float | None = None  # estimated when it was placed, in USD; None: unknown
    reserved_at: str | None = None  # when it was tried again, if it was: its price counts from then on
    budgets: tuple[str, ...] = ()  # the settings that limit what it may cost in a month
    collect_at: str | None = None  # it only waits for jobs at a provider; a worker looks again at this time


@dataclass(frozen=True)
class Budget:
    """A limit in USD on what the orders placed since a time may cost: of one user, or of all."""

    name: str
    amount: float
    since: str
    user_id: str | None = None


@dataclass(frozen=True)
class Workload:
    """What an order takes, as far as can be said when it is placed."""

    seconds: float
    bytes: int


@dataclass(frozen=True)
class Quota:
    """Limits on what a user may take, of which None is none: seconds of work within a day, and bytes on the disk.

    `used_bytes` have the user's files now. `expected` is what the order at hand takes.
    """

    seconds: float | None
    bytes: int | None
    used_bytes: int
    expected: Workload


@dataclass(frozen=True)
class Terms:
    """What holds for an order when it is placed: so many unfinished orders of its user, budgets and a quota.

    `confirms_mail`: mails about it wait until the owners of their addresses have confirmed them.
    """

    orders: int | None = None
    budgets: tuple[Budget, ...] = ()
    quota: Quota | None = None
    confirms_mail: bool = False


@dataclass(frozen=True)
class Session:
    """A login in the web gallery. With a `generation_id` it shows that one order only."""

    session_hash: str
    user_id: str
    expires_at: str
    address: str
    user_agent: str
    generation_id: str | None = None


@dataclass(frozen=True)
class Notice:
    """One message about one order by one channel. It is due at `due_at`, but not before the order has ended.

    The event `confirm` asks the owner of a mail address to confirm it. `unconfirmed` until that was done, `waiting` for
    the order to end, `ready` to be sent, `sending`, `sent`, or `failed` for good. `attempts` were made to
    send it; after one that failed it is tried again at `next_at`. While it is `sending` it is `claimed_by` a process.
    """

    generation_id: str
    channel: str
    event: Event
    due_at: str
    state: NoticeState = "waiting"
    attempts: int = 0
    next_at: str | None = None
    sent_at: str | None = None
    error: str | None = None
    claimed_by: str | None = None
    id: int | None = None
