"""The nouns of a film: what is said, what is seen, and when. Times are seconds from the film's first frame."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aigen.types.request import Captions, Size, Transition

if TYPE_CHECKING:
    from aigen.media.encoding import Pixels


@dataclass(frozen=True)
class Planes:
    """A frame as the encoder takes it, BT.709 in limited range: lightness,
    and two planes of colour half as wide and high.
    """

    y: "Pixels"
    u: "Pixels"
    v: "Pixels"


Frames = Callable[[Size, int, int], Iterator[Planes]]


@dataclass(frozen=True)
class Line:
    """A spoken sentence: its sound is the WAV file, and its caption stands for so many seconds."""

    text: str
    path: Path
    begin: float
    seconds: float

    @property
    def end(self) -> float:
        return self.begin + self.seconds


@dataclass(frozen=True)
class Shot:
    """What is seen from a time on until the next shot begins;
    `frames` gives so many frames of a size at so many a second.

    It is fully seen at `begin`: a fade to it starts before, so it is asked for some more frames than there are until
    the next.
    """

    begin: float
    frames: Frames


@dataclass(frozen=True)
class Film:
    """All that a film is made of; both sides of its size are even.

    Captions are drawn into the picture where they are `burned`; files of them are `write_captions`'s.
    """

    size: Size
    fps: int
    seconds: float
    shots: Sequence[Shot]
    lines: Sequence[Line] = ()
    music: Path | None = None
    captions: Captions = "burned"
    transition: Transition = "fade"

    @property
    def count(self) -> int:
        """How many frames it has."""
        return max(1, round(self.seconds * self.fps))
