"""What a pipeline gets and gives: tasks, pictures to start from, finished files, and what they say about themselves."""

import math
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, get_args

from aigen.types.request import DEFAULT_LENGTH, DEFAULT_SIZES, KINDS, Kind, Length, Narration, Options, Size
from aigen.types.seen import ImageDescription


@dataclass(frozen=True, kw_only=True)
class Task:
    """A batch of items of one kind for one pipeline. `numbers[i]` is to be made from `seeds[i]`.

    What distinguishes items of one order may depend on number and seed only, so that any can be made alone. Items that
    `starts_from_picture` get their pictures from `Run.pictures`. The order may be `from_picture`: `source` is where the
    user's picture lies, and `seen` what is in it. A narrated film has a `narration`; `image_model` makes its pictures,
    unless the order is from a picture; each costs `image_price` in USD (None: not known). Where there are `styles`, the
    items are in these in turn. `weights` says which parts of the prompt count more than others (1.0), or less.
    """

    kind: Kind
    prompt: str
    style: str
    numbers: tuple[int, ...]
    seeds: tuple[int, ...]
    size: Size
    work: Path
    frames: int = 1
    fps: int = 24
    options: Options = field(default_factory=Options)
    starts_from_picture: bool = False
    narration: Narration | None = None
    image_model: str | None = None
    from_picture: bool = False
    source: Path | None = None
    seen: ImageDescription | None = None
    styles: tuple[str, ...] = ()
    image_price: float | None = 0.0
    weights: tuple[tuple[str, float], ...] = ()

    def style_of(self, number: int) -> str:
        """The style of the item with this number."""
        return self.styles[(number - 1) % len(self.styles)] if self.styles else self.style


@dataclass(frozen=True)
class ImageSpec:
    """A picture that another pipeline is to make for an item."""

    prompt: str
    style: str
    number: int
    seed: int
    size: Size


@dataclass(frozen=True)
class Picture:
    """What an item starts from: a file, and who made it with what. `made_by` is None for the user's own."""

    path: Path
    made_by: str | None = None
    source_type: str | None = None
    parameters: dict[str, Any] = field(default_factory=dict)

    def metadata(self) -> dict[str, Any]:
        """What is said of it in a file that was made from it."""
        own = dict(self.parameters)
        source = {"picture_source": own.pop("source")} if "source" in own else {}
        return own | source | {"picture_by": self.made_by or "the user"}


def _check_cost(cost: float | None) -> None:
    if cost is not None and not 0 <= cost < math.inf:
        raise ValueError(f"cost is {cost}: give an amount in USD")


@dataclass(frozen=True)
class Output:
    """A finished file in the task's work folder, and those that go with it under its name (`beside`).

    `source_type` is its IPTC digital source type. `cost` is what it cost in USD, without parts
    that have jobs of their own. `model` is the one that made it, if not the one that was ordered.
    """

    path: Path
    seed: int
    parameters: dict[str, Any]
    source_type: str
    beside: tuple[Path, ...] = ()
    cost: float | None = None
    model: str | None = None

    def __post_init__(self) -> None:
        _check_cost(self.cost)


@dataclass(frozen=True)
class Failure:
    """This item cannot be made; the others go on."""

    seed: int
    error: str


# The part that is the whole item; other parts are, for example, the pictures of a film.
ITEM = "item"

# A `failed` job ended without a result, at the provider. A `lost` one is no longer known there.
JobState = Literal["intended", "submitted", "ready", "fetched", "failed", "lost"]


@dataclass(frozen=True)
class Job:
    """Work on an item, or on a part of it, by another computer.

    `key` is our idempotency key. `id` is the server's id for the job; None means that we do not know whether it was
    submitted. `server` is the provider, by the name of its pipeline. `cost` and the estimated `price` are in USD; the
    price counts against limits until the cost is known. `result` is where the result is: its URL, then the name of its
    file in the work folder. `intended_at` is a time in UTC. `model` is the one asked for, if not the one ordered.
    `progress` is how far it is there, in words.
    """

    key: str
    id: str | None = None
    server: str | None = None
    state: JobState = "intended"
    cost: float | None = None
    price: float | None = None
    result: str | None = None
    intended_at: str | None = None
    model: str | None = None
    progress: str | None = None

    def __post_init__(self) -> None:
        _check_cost(self.cost)
        _check_cost(self.price)

    @property
    def is_running(self) -> bool:
        """Return whether it goes on at the server, as far as is known."""
        return self.state == "submitted" and bool(self.id and self.server)

    @property
    def is_there(self) -> bool:
        """Return whether it goes on at the server, or its result is there and not fetched yet."""
        return self.is_running or (self.state == "ready" and bool(self.id and self.server))

    @property
    def is_unknown(self) -> bool:
        """Return whether it may have been bought, but nobody can fetch it."""
        return self.state == "lost" or (self.state == "intended" and self.id is None)


StartsFrom = Literal["prompt", "picture", "either"]


@dataclass(frozen=True, kw_only=True)
class Abilities:
    """What a pipeline can do.

    `label` describes it in a few words. `options` names the fields of `Options` it supports. `sizes` and `length` are
    defaults. `seconds` is the usual time of one item, if it is about the same on every machine. A `local` pipeline uses
    the device of this machine, so it waits for other local orders. A `paid` one costs money: it is used only when
    somebody names it, and the web offers it only where that is allowed. One that makes `films` makes whole narrated
    films of a text, so that nobody else makes their pictures.
    """

    label: str
    kinds: tuple[Kind, ...]
    options: frozenset[str] = frozenset()
    sizes: Mapping[Kind, Size] = field(default_factory=lambda: DEFAULT_SIZES)
    length: Length = DEFAULT_LENGTH
    max_frames: int | None = None
    starts_from: StartsFrom = "prompt"
    seconds: Mapping[Kind, float] = field(default_factory=dict)
    local: bool = True
    paid: bool = False
    films: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.kinds, tuple) or not self.kinds or not set(self.kinds) <= set(KINDS):
            raise ValueError(f"kinds is {self.kinds!r}: give a tuple of {', '.join(KINDS)}")
        if missing := set(self.kinds) - set(self.sizes):
            raise ValueError(f"sizes has none for {', '.join(missing)}")
        if self.starts_from not in get_args(StartsFrom):
            raise ValueError(f"starts_from is {self.starts_from!r}: give one of {', '.join(get_args(StartsFrom))}")


class Run(Protocol):
    """Callbacks a pipeline uses while it makes a task, in the thread that runs its `generate`.

    Only `job`, `save_job` and `drop_job` may be called from other threads. `pictures` and `images` need abilities that
    start from a picture: only then an order has an image model.
    """

    @property
    def order_id(self) -> str:
        """The order that the task is part of."""

    def step(self, done: int, total: int, text: str, beside: float = 0.0) -> None:
        """Report the progress of the current item. Raises Cancelled if the order was cancelled.

        A total of 0 means preparation, such as loading. `beside` is the progress on other items (1.0: one item).
        """

    def check(self) -> None:
        """Raise Cancelled if the order was cancelled. (`step` checks once a second.)"""

    def say(self, text: str) -> None:
        """Tell the user something, once."""

    def expect(self, measure: Callable[[], float]) -> None:
        """Call `measure` for the seconds an item takes, if no earlier order tells."""

    def pictures(self, seeds: Sequence[int], rest: float | None) -> list[Picture | Failure]:
        """Return the picture each of these items starts from: the user's, or one by the image model.

        The item takes `rest` more seconds after its picture; None if the picture's time is negligible.
        """

    def images(self, seed: int, wanted: Sequence[ImageSpec], before: float, part: float) -> list[Picture | Failure]:
        """Return pictures made for one item by the image model. They are `part` of its work, after `before`."""

    def job(self, seed: int, part: str = ITEM) -> Job | None:
        """Return the saved job of an item. Jobs survive a crash, a failure and cancelling.

        An item with several jobs tells them apart by `part`, which must be the same on every attempt.
        """

    def save_job(self, seed: int, job: Job, part: str = ITEM) -> Job:
        """Replace the saved job of an item and return it; committed when it returns.

        One that is only intended is checked first: raises CostError if its price exceeds what is left of a limit, and
        Cancelled if the order was cancelled.
        """

    def drop_job(self, seed: int, job: Job, part: str = ITEM) -> None:
        """Remove an intended job that was certainly not sold; committed when it returns."""


class Pipeline(Protocol):
    """Makes the items of a task.

    Its class is called with the user's `Settings`; it reads no environment. `check` raises UsageError for a task it
    cannot make (which has no folder yet), before the order is written. `price` returns the cost of a task in USD,
    including the pictures made for it: 0.0 if it is free, None if unknown. `generate` yields one `Output` or `Failure`
    for each seed as soon as it is done; an exception ends the whole order. When an order is cancelled, the generator is
    closed.
    """

    @property
    def abilities(self) -> Abilities: ...

    def check(self, task: Task) -> None: ...

    def price(self, task: Task) -> float | None: ...

    def generate(self, task: Task, run: Run) -> Generator[Output | Failure, None, None]: ...


@dataclass(frozen=True)
class Provenance:
    """What a file says about itself; None where it does not say.

    `source_type` is its IPTC digital source type, such as `algorithmicMedia`; `parameters` are JSON. `is_partly_read`:
    it holds metadata that nobody here understands.
    """

    kind: Kind
    prompt: str | None = None
    model: str | None = None
    seed: int | None = None
    source_type: str | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    is_partly_read: bool = field(default=False, compare=False)
