"""What is seen in a picture: its things, what it shows in a few words, its colours. `vision` is who looks."""

from dataclasses import asdict, dataclass, fields
from typing import Any

# What a picture stays that a model or a program made, however it is graded or moved over.
KEPT_SOURCE_TYPES = ("trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia", "algorithmicMedia")


@dataclass(frozen=True)
class Detection:
    """A thing in a picture: what it is, how sure that is (0 to 1), and where: left, top, right and bottom in pixels."""

    name: str
    score: float
    box: tuple[int, int, int, int]


@dataclass(frozen=True, kw_only=True)
class ImageDescription:
    """What is seen in an upright picture of `width` by `height` pixels. `objects` are the surest first.

    `caption` says in a few words what it shows, as in a prompt ("two people in front of a bus"), and is empty where
    nothing was recognised. `colours` are names, the most of it first. `description` is in sentences for people: what,
    in which colours, how sure that is; `facts` are those on what its file says of it. `model` is who looked.
    `source_type` is the IPTC digital source type that its file says (`mark` in JSON).
    """

    width: int
    height: int
    objects: tuple[Detection, ...] = ()
    caption: str = ""
    colours: tuple[str, ...] = ()
    description: str = ""
    facts: str = ""
    model: str = "nanodet"
    source_type: str | None = None

    @property
    def text(self) -> str:
        """All that is told of it."""
        return f"{self.description} {self.facts}".strip()

    @property
    def derived_source_type(self) -> str:
        """The IPTC digital source type of the picture itself,
        when a program has changed or moved it: what it was before.
        """
        return self.source_type if self.source_type in KEPT_SOURCE_TYPES else "algorithmicallyEnhanced"

    @property
    def prompt(self) -> str:
        """What is asked for where the picture alone is given."""
        return self.caption or f"a picture, mostly {' and '.join(self.colours[:2]) or 'of one colour'}"

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> "ImageDescription":
        """What `as_json` gave, as the store keeps it; what another version has put beside it is passed over."""
        known = {each.name for each in fields(cls)}
        told = {("source_type" if name == "mark" else name): value for name, value in told.items()}
        objects = tuple(Detection(each["name"], each["score"], _box(each["box"])) for each in told.get("objects", ()))
        kept = {name: value for name, value in told.items() if name in known}
        return cls(**{**kept, "objects": objects, "colours": tuple(told.get("colours", ()))})

    def as_json(self) -> dict[str, Any]:
        """Return it as the store and the files keep it, where the source type goes by the name `mark`."""
        values = asdict(self)
        return {("mark" if name == "source_type" else name): value for name, value in values.items()}


def area(box: tuple[float, float, float, float]) -> float:
    """The area of a box, given by its left, top, right and bottom; 0 where these are the wrong way round."""
    left, top, right, bottom = box
    return max(0.0, right - left) * max(0.0, bottom - top)


def common_area(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> float:
    """The area that two boxes have in common."""
    return area((max(one[0], other[0]), max(one[1], other[1]), min(one[2], other[2]), min(one[3], other[3])))


def _box(values: Any) -> tuple[int, int, int, int]:
    left, top, right, bottom = values
    return left, top, right, bottom
