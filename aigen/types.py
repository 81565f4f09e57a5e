"""The nouns: what a pipeline gets and gives, the rows of the store, and what is reported of an order while it is made.

Everything here is frozen and knows nothing of files, database or models. Times are ISO 8601, UTC, seconds. What can be asked
for is in `request`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from aigen.request import GenerationRequest, Kind, Length, Narration, Options, Size
from aigen.sight import Seen

Status = Literal["Processing", "Completed", "Failed", "Cancelled"]
State = Literal["planned", "done", "failed"]
Event = Literal["completed", "failed"]
NoticeState = Literal["waiting", "ready", "sending", "sent", "failed"]

# What a pipeline gets and gives


@dataclass(frozen=True, kw_only=True)
class Task:
    """A batch of items of one kind for one pipeline. `numbers[i]` is to be made from `seeds[i]`.

    What distinguishes items of one order may depend on number and seed only, so that any can be made alone.
    `pictured`: they start from pictures, which `Run.pictures` gives. A narrated film has a `narration`; `painter` is the model
    that makes its pictures, unless `Run.pictures` gives one of the user's (`from_picture`). `source` is where that lies, and
    `seen` what is seen in it. Where there are `styles`, the items are in these in turn.
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
    pictured: bool = False
    narration: Narration | None = None
    painter: str | None = None
    from_picture: bool = False
    source: Path | None = None
    seen: Seen | None = None
    styles: tuple[str, ...] = ()

    def style_of(self, number: int) -> str:
        """The style of the item with this number."""
        return self.styles[(number - 1) % len(self.styles)] if self.styles else self.style


@dataclass(frozen=True)
class Sketch:
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
    media: str | None = None
    parameters: dict[str, Any] = field(default_factory=dict)

    def told(self) -> dict[str, Any]:
        """What is said of it in a file that was made from it."""
        own = dict(self.parameters)
        source = {"picture_source": own.pop("source")} if "source" in own else {}
        return own | source | {"picture_by": self.made_by or "the user"}


@dataclass(frozen=True)
class Output:
    """A finished file in the task's work folder, and those that go with it under its name (`beside`).

    `media` is its IPTC digital source type.
    """

    path: Path
    seed: int
    parameters: dict[str, Any]
    media: str
    beside: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Failure:
    """This item cannot be made; the others go on."""

    seed: int
    error: str


@dataclass(frozen=True)
class Run:
    """What a pipeline may do besides yielding.

    `step(done, total, text)` tells how far the item in hand is (a total of 0: what is done, such as loading, is of no item),
    and in a fourth argument, where others are being made beside it, how much of those (1.0: one of them); `say(text)` tells the user something once;
    `remember(seed, key, value)` and `recall(seed, key)` keep an item's checkpoint over a crash (values are JSON);
    `check()` raises `Cancelled` when the order was cancelled, and is also called by `step`.
    `pictures(seeds, rest)` gives what the items of these seeds start from, made by another pipeline where the user gave none;
    an item then takes `rest` seconds more (None: far more, so that its picture does not count). `paint(seed, sketches, before,
    part)` has pictures made for one item, which is `part` of the work on it, after so much `before`. `expect(measure)` has the
    seconds that an item takes measured where nobody knows them from orders before.
    """

    step: Callable[..., None]
    say: Callable[[str], None]
    remember: Callable[[int, str, Any], None]
    recall: Callable[[int, str], Any]
    check: Callable[[], None]
    pictures: Callable[[Sequence[int], float | None], list[Picture | Failure]] = lambda seeds, rest: []
    expect: Callable[[Callable[[], float]], None] = lambda measure: None
    paint: Callable[[int, Sequence[Sketch], float, float], list[Picture | Failure]] = lambda *_: []


Start = Literal["prompt", "picture", "either"]


class Pipeline(Protocol):
    """Makes the items of a task, one `Output` or `Failure` per seed, each as soon as it is done.

    `label` says in a few words what made a picture; `sizes` and `length` are those of items for which nobody gave any, and
    `most` the frames that a video can have; `options` names the fields of `Options` that it heeds, `start` what its items
    start from. `check` raises UsageError when it cannot make a task (which has no folder yet), because its weights are
    missing, say; that is called before an order is written. An exception of `generate` ends the whole order.
    """

    kinds: tuple[Kind, ...]
    label: str
    options: frozenset[str]

    @property
    def sizes(self) -> Mapping[Kind, Size]: ...

    @property
    def length(self) -> Length: ...

    @property
    def most(self) -> int | None: ...

    @property
    def start(self) -> Start: ...

    def check(self, task: Task) -> None: ...

    def generate(self, task: Task, run: Run) -> Iterator[Output | Failure]: ...


@dataclass(frozen=True)
class Provenance:
    """What a file says about itself; None where it does not say.

    `mark` is its IPTC digital source type, such as `algorithmicMedia`; `parameters` are JSON.
    """

    kind: Kind
    prompt: str | None = None
    model: str | None = None
    seed: int | None = None
    mark: str | None = None
    parameters: dict[str, Any] = field(default_factory=dict)


# Rows of the store


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
    cost: float | None = None
    error: str | None = None
    seconds: float | None = None  # that it took to make it

    @property
    def name(self) -> str:
        return f"{self.kind} {self.number}"


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


@dataclass(frozen=True)
class Notice:
    """One message about one order by one channel. It is due at `due_at`, but not before the order has ended.

    `waiting` for the order to end, `ready` to be sent, `sending`, `sent`, or `failed` for good. `attempts` were made
    to send it; after one that failed it is tried again at `next_at`. While it is `sending` it is `claimed_by` a process.
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


# What `generation.run` reports while it works


@dataclass(frozen=True)
class Placed:
    generation: Generation


@dataclass(frozen=True)
class Waiting:
    text: str


@dataclass(frozen=True)
class Started:
    """The order's items in the order they are made; only the `planned` ones are.

    `labels` say what makes them, `paces` how many seconds an item of a kind took of late.
    """

    generation: Generation
    items: tuple[Item, ...]
    labels: tuple[str, ...]
    paces: Mapping[Kind, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """How far the item in hand is: `done` of `total` of whatever `text` names; `beside` it, so much of other items.

    That is `part` of the work on the item, and so much was `before` it.
    """

    item: Item
    done: int
    total: int
    text: str
    beside: float = 0.0
    before: float = 0.0
    part: float = 1.0

    @property
    def share(self) -> float:
        """How much of an item is done, with what is done of others."""
        return self.before + self.part * ((self.done / self.total if self.total else 0.0) + self.beside)

    def __str__(self) -> str:
        """`frame 5 of 96`; a text that counts by itself, or ends with …, stands for itself."""
        alone = self.text.endswith("…") or self.text[-1:].isdigit()
        return f"{self.text} {self.done} of {self.total}" if self.total > 1 and self.done and not alone else self.text


@dataclass(frozen=True)
class Expected:
    """How many seconds an item of a kind will take, as this machine was just measured."""

    kind: Kind
    seconds: float


@dataclass(frozen=True)
class Said:
    text: str


@dataclass(frozen=True)
class Finished:
    """An item is recorded, as done (with its path) or as failed (with its error)."""

    item: Item


Report = Placed | Waiting | Started | Expected | Step | Said | Finished
