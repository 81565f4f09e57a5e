"""What a pipeline gets and gives: tasks, pictures to start from, finished files, and what they say about themselves."""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from aigen.types.request import DEFAULT_LENGTH, DEFAULT_SIZES, Kind, Length, Narration, Options, Size
from aigen.types.seen import ImageDescription


@dataclass(frozen=True, kw_only=True)
class Task:
    """A batch of items of one kind for one pipeline. `numbers[i]` is to be made from `seeds[i]`.

    What distinguishes items of one order may depend on number and seed only, so that any can be made alone. Items that
    `starts_from_picture` get their pictures from `Run.pictures`. The order may be `from_picture`: `source` is where the
    user's picture lies, and `seen` what is in it. A narrated film has a `narration`; `image_model` makes its pictures,
    unless the order is from a picture; each costs `image_price` in USD (None: not known). Where there are `styles`, the
    items are in these in turn.
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


@dataclass(frozen=True)
class Output:
    """A finished file in the task's work folder, and those that go with it under its name (`beside`).

    `source_type` is its IPTC digital source type. `cost` is what was paid for it in USD; None: nothing was.
    """

    path: Path
    seed: int
    parameters: dict[str, Any]
    source_type: str
    beside: tuple[Path, ...] = ()
    cost: float | None = None


@dataclass(frozen=True)
class Failure:
    """This item cannot be made; the others go on."""

    seed: int
    error: str


# The part of an item that is the item itself; others are, for example, the pictures of a film.
ITEM = "item"

JobState = Literal["intended", "submitted", "ready", "fetched"]


@dataclass(frozen=True)
class Job:
    """What somebody else's computer does for an item, or for a part of it.

    `key` is ours and is sent along, so that the same job is not done twice; `id` is theirs (None: it was sent or not,
    nobody knows). `server` is where it is, and `cost` what it costs in USD, as far as known.
    """

    key: str
    id: str | None = None
    server: str | None = None
    state: JobState = "intended"
    cost: float | None = None


StartsFrom = Literal["prompt", "picture", "either"]


@dataclass(frozen=True, kw_only=True)
class Abilities:
    """What a pipeline can do.

    `label` says in a few words what made a picture. `options` names the fields of `Options` that it heeds, `sizes` and
    `length` are for items that nobody gave any, `max_frames` is how many frames a video can have, and `starts_from`
    what its items start from. `seconds` is what an item takes, where that is much the same on any machine. One that is
    `local` uses the device of this machine, which one order at a time may. One
    that is `paid` costs money: it is never chosen for somebody who did not name it, and not offered on the web.
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


class Run(Protocol):
    """What a pipeline may call while it makes a task."""

    def step(self, done: int, total: int, text: str, beside: float = 0.0) -> None:
        """Report how far the current item is; raise Cancelled when the order was cancelled.

        A total of 0: the work is of no item, such as loading. `beside`: how much of other items is done meanwhile (1.0:
        one of them).
        """

    def check(self) -> None:
        """Raise Cancelled when the order was cancelled; `step` looks once a second, this one always."""

    def say(self, text: str) -> None:
        """Tell the user something, once."""

    def expect(self, measure: Callable[[], float]) -> None:
        """Measure the seconds that an item takes, if no earlier order tells."""

    def pictures(self, seeds: Sequence[int], rest: float | None) -> list[Picture | Failure]:
        """Return what the items of these seeds start from: the user's picture, or one that another pipeline makes.

        An item then takes `rest` seconds more (None: so many that its picture does not count).
        """

    def images(self, seed: int, wanted: Sequence[ImageSpec], before: float, part: float) -> list[Picture | Failure]:
        """Have pictures made for one item: `part` of its work, after so much `before`."""

    def job(self, seed: int, part: str = ITEM) -> Job | None:
        """Return the job that was saved for an item, also before a crash, a failure or Ctrl-C.

        An item of several jobs tells them apart by `part`, a name that is the same whenever it is made.
        """

    def save_job(self, seed: int, job: Job, part: str = ITEM) -> Job:
        """Keep a job in place of the one that was saved before; it is committed when this returns it."""


class Pipeline(Protocol):
    """Makes the items of a task, one `Output` or `Failure` per seed, each as soon as it is done.

    It is made with the settings of the user, and reads no environment. `check` raises UsageError when it cannot make a
    task (which has no folder yet), for example because its weights are missing; it is called before an order is
    written. `price` is what the task will cost in USD with all that is made for it: 0 where nothing is paid, None where
    it is not known. An exception of `generate` ends the whole order. Of an order that is cancelled, what `generate`
    gives is closed: GeneratorExit is raised where it stands.
    """

    @property
    def abilities(self) -> Abilities: ...

    def check(self, task: Task) -> None: ...

    def price(self, task: Task) -> float | None: ...

    def generate(self, task: Task, run: Run) -> Generator[Output | Failure, None, None]: ...


@dataclass(frozen=True)
class Provenance:
    """What a file says about itself; None where it does not say.

    `source_type` is its IPTC digital source type, such as `algorithmicMedia`; `parameters` are JSON.
    """

    kind: Kind
    prompt: str | None = None
    model: str | None = None
    seed: int | None = None
    source_type: str | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
