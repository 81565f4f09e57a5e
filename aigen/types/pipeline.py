"""What a pipeline gets and gives: tasks, pictures to start from, finished files, and what they say about themselves."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from aigen.types.request import Kind, Length, Narration, Options, Size
from aigen.types.seen import ImageDescription


@dataclass(frozen=True, kw_only=True)
class Task:
    """A batch of items of one kind for one pipeline. `numbers[i]` is to be made from `seeds[i]`.

    What distinguishes items of one order may depend on number and seed only, so that any can be made alone. Items that
    `starts_from_picture` get their pictures from `Run.pictures`. The order may be `from_picture`: `source` is where the
    user's picture lies, and `seen` what is in it. A narrated film has a `narration`; `image_model` makes its pictures,
    unless the order is from a picture. Where there are `styles`, the items are in these in turn.
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

    `source_type` is its IPTC digital source type.
    """

    path: Path
    seed: int
    parameters: dict[str, Any]
    source_type: str
    beside: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Failure:
    """This item cannot be made; the others go on."""

    seed: int
    error: str


@dataclass(frozen=True)
class Run:
    """What a pipeline may call while it makes a task.

    step(done, total, text, beside)  Report how far the current item is. A total of 0: the work is of no item, such as
                                     loading. `beside`: how much of other items is done meanwhile (1.0: one of them).
    say(text)                        Tell the user something, once.
    remember(seed, key, value)       Keep a part of an item's checkpoint over a crash (values are JSON).
    recall(seed, key)                Return what was remembered, else None.
    check()                          Raise Cancelled when the order was cancelled; `step` does so too.
    pictures(seeds, rest)            Return what the items of these seeds start from, made by another pipeline unless
                                     the user gave a picture. An item then takes `rest` seconds more (None: so many
                                     that its picture does not count).
    images(seed, specs, before, part)
                                     Have pictures made for one item: `part` of its work, after so much `before`.
    expect(measure)                  Measure the seconds that an item takes, if no earlier order tells.
    """

    step: Callable[..., None]
    say: Callable[[str], None]
    remember: Callable[[int, str, Any], None]
    recall: Callable[[int, str], Any]
    check: Callable[[], None]
    pictures: Callable[[Sequence[int], float | None], list[Picture | Failure]] = lambda seeds, rest: []
    expect: Callable[[Callable[[], float]], None] = lambda measure: None
    images: Callable[[int, Sequence[ImageSpec], float, float], list[Picture | Failure]] = lambda *_: []


StartsFrom = Literal["prompt", "picture", "either"]


class Pipeline(Protocol):
    """Makes the items of a task, one `Output` or `Failure` per seed, each as soon as it is done.

    `label` says in a few words what made a picture. `default_sizes` and `default_length` are for items that nobody gave
    any, `max_frames` is how many frames a video can have. `options` names the fields of `Options` that it heeds,
    `starts_from` what its items start from. `check` raises UsageError when it cannot make a task (which has no folder
    yet), for example because its weights are missing; it is called before an order is written. An exception of
    `generate` ends the whole order.
    """

    kinds: tuple[Kind, ...]
    label: str
    options: frozenset[str]

    @property
    def default_sizes(self) -> Mapping[Kind, Size]: ...

    @property
    def default_length(self) -> Length: ...

    @property
    def max_frames(self) -> int | None: ...

    @property
    def starts_from(self) -> StartsFrom: ...

    def check(self, task: Task) -> None: ...

    def generate(self, task: Task, run: Run) -> Iterator[Output | Failure]: ...


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
