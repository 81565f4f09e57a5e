"""What is seen in a picture: its things, what it shows in a few words, its colours. `vision` is who looks."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Sight:
    """A thing in a picture: what it is, how sure that is (0 to 1), and where: left, top, right and bottom in pixels."""

    name: str
    score: float
    box: tuple[int, int, int, int]


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What is seen in an upright picture of `width` by `height` pixels. `objects` are the surest first.

    `caption` says in a few words what it shows, as in a prompt ("two people in front of a bus"), and is empty where nothing was
    recognised. `colours` are names, the most of it first. `description` is in sentences for people: what, in which colours, how
    sure that is, and what its file says of it. `model` is who looked. `mark` is the IPTC digital source type that its file says.
    """

    width: int
    height: int
    objects: tuple[Sight, ...] = ()
    caption: str = ""
    colours: tuple[str, ...] = ()
    description: str = ""
    model: str = "nanodet"
    mark: str | None = None

    @property
    def prompt(self) -> str:
        """What is asked for where the picture alone is given."""
        return self.caption or f"a picture, mostly {' and '.join(self.colours[:2]) or 'of one colour'}"

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> "Seen":
        """What `as_json` gave, as the store or a file keeps it."""
        objects = tuple(Sight(each["name"], each["score"], _box(each["box"])) for each in told.get("objects", ()))
        return cls(**{**told, "objects": objects, "colours": tuple(told.get("colours", ()))})

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def _box(values: Any) -> tuple[int, int, int, int]:
    left, top, right, bottom = values
    return left, top, right, bottom
