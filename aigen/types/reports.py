"""What is reported of an order while it is made."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from aigen.types.request import Kind
from aigen.types.rows import Generation, Item


@dataclass(frozen=True)
class Placed:
    generation: Generation


@dataclass(frozen=True)
class Waiting:
    text: str


@dataclass(frozen=True)
class Started:
    """The order's items in the order they are made; only the `planned` ones are.

    `labels` say what makes them, `paces` how many seconds an item of a kind took of late, and `usual` how many it takes
    anywhere, where kinds are made by models of quite another pace.
    """

    generation: Generation
    items: tuple[Item, ...]
    labels: tuple[str, ...]
    paces: Mapping[Kind, float] = field(default_factory=dict)
    usual: Mapping[Kind, float] = field(default_factory=dict)


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
