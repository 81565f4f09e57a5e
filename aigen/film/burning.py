"""Captions drawn into the picture: white letters with a dark edge on a soft dark plate,
within the part that every screen shows.

Each is drawn once, and laid over frames only where it is.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from aigen.errors import UsageError
from aigen.film.captions import WIDTH, Caption, captions
from aigen.film.plan import Film
from aigen.types.request import Size

if TYPE_CHECKING:
    import numpy

    from aigen.media.encoding import Pixels

    Floats = numpy.ndarray[Any, numpy.dtype[numpy.floating[Any]]]

# Size of the letters, of the frame's height, or its width where that is short; and the height of a line of them.
LETTERS, NARROW, LEADING = 0.05, 0.8, 1.24
# Of the frame's width and height, what stays free beside and below; on telephones, buttons lie over upright films.
BESIDE, BELOW, BELOW_UPRIGHT = 0.06, 0.065, 0.12
# A column is so wide, in sizes of the letters.
COLUMN = 0.54


def check_captions(text: str) -> None:
    """Raise UsageError where a text cannot be drawn as captions, because the font has no such letters."""
    missing = [letter for letter in dict.fromkeys(_shown(text)) if not _has(letter)]
    if missing:
        scripts = dict.fromkeys(unicodedata.name(letter, "unknown").split()[0].title() for letter in missing)
        names = ", ".join("Chinese" if script == "Cjk" else script for script in scripts)
        raise UsageError(
            f"captions cannot be burned into the picture: the font has no letters for {names} "
            f"({' '.join(missing[:5])}{' …' if len(missing) > 5 else ''}); "
            "ask for them as a file (srt), or for none (off)"
        )


@dataclass(frozen=True)
class Stamp:
    """A drawn caption as planes, to be added to what is `kept` of the frame
    in its box; it stands until frame `last`.
    """

    last: int
    boxes: tuple[tuple[slice, slice], ...]
    added: tuple["Pixels", ...]
    kept: tuple["Pixels", ...]

    def lay(self, planes: Sequence["Pixels"]) -> None:
        """Lay it over the planes of a frame."""
        import numpy

        for plane, box, added, kept in zip(planes, self.boxes, self.added, self.kept, strict=True):
            under = plane[box] * kept
            under += 128
            under >>= 8
            under += added
            plane[box] = numpy.minimum(under, 255)


class Stamps:
    """The captions of a film, each drawn when its time comes."""

    def __init__(self, film: Film) -> None:
        unit = LETTERS * min(film.size.height, NARROW * film.size.width)
        columns = min(WIDTH, int((1 - 2 * BESIDE) * film.size.width / (COLUMN * unit)))
        self._size, self._fps, self._unit = film.size, film.fps, unit
        self._waiting = captions(film.lines, columns)[::-1] if film.captions == "burned" else []
        self._standing: Stamp | None = None

    def at(self, frame: int) -> Stamp | None:
        """The caption that stands in a frame; frames are asked for one after another."""
        while self._waiting and round(self._waiting[-1].begin * self._fps) <= frame:
            self._standing = self._drawn(self._waiting.pop())
        return self._standing if self._standing and frame < self._standing.last else None

    def _drawn(self, caption: Caption) -> Stamp | None:
        lines = [text for text in (_drawable(line) for line in caption.lines) if text]
        if not lines:
            return None
        return _stamp(lines, self._size, self._unit, round(caption.end * self._fps))


def _stamp(lines: list[str], size: Size, unit: float, last: int) -> Stamp:
    import numpy
    import skia

    font = skia.Font(_typeface(), unit)
    font.setSubpixel(True)
    widest = max(map(font.measureText, lines))
    room = size.width * (1 - 2 * BESIDE)
    if widest > room:
        font.setSize(unit * room / widest)
        widest = room
    letters = font.getSize()
    step, around = letters * LEADING, letters * 0.42
    wide, tall = widest + 2.6 * around, step * len(lines) + 1.1 * around
    width, height = min(_even(wide), size.width), min(_even(tall), size.height)
    left = (size.width - width) // 4 * 2
    below = BELOW if size.width >= size.height else BELOW_UPRIGHT
    top = max(0, int(size.height * (1 - below) - height) // 2 * 2)
    surface = skia.Surface(width, height)
    canvas = surface.getCanvas()
    plate = skia.Paint(AntiAlias=True, Color=skia.ColorSetARGB(122, 9, 11, 20))
    canvas.drawRoundRect(skia.Rect.MakeWH(width, height), around, around, plate)
    edge = skia.Paint(
        AntiAlias=True, Color=skia.ColorSetARGB(225, 6, 8, 16), Style=skia.Paint.kStroke_Style,
        StrokeWidth=letters * 0.12, StrokeJoin=skia.Paint.kRound_Join,
    )  # fmt: skip
    ascent = letters * 0.36  # from the middle of a line to where its letters stand
    for place, line in enumerate(lines):
        x = (width - font.measureText(line)) / 2
        y = height / 2 + (place - (len(lines) - 1) / 2) * step + ascent
        canvas.drawString(line, x, y, font, edge)
        canvas.drawString(line, x, y, font, skia.Paint(AntiAlias=True, Color=skia.ColorWHITE))
    drawn = surface.makeImageSnapshot().toarray(colorType=skia.kRGBA_8888_ColorType).astype(numpy.float32)
    added, kept = _planes(drawn)
    whole, half = (
        (slice(top, top + height), slice(left, left + width)),
        (
            slice(top // 2, (top + height) // 2),
            slice(left // 2, (left + width) // 2),
        ),
    )
    return Stamp(last, (whole, half, half), added, kept)


def _planes(drawn: "Floats") -> tuple[tuple["Pixels", ...], tuple["Pixels", ...]]:
    """What is added to each plane, and how much of it, of 256, is kept before."""
    import numpy

    alpha = drawn[..., 3:] / 255
    red, green, blue = numpy.moveaxis(drawn[..., :3] * alpha, 2, 0)
    share = alpha[..., 0]
    lightness = 16 * share + 0.1826 * red + 0.6142 * green + 0.0620 * blue
    bluish = 128 * share - 0.1006 * red - 0.3386 * green + 0.4392 * blue
    reddish = 128 * share + 0.4392 * red - 0.3989 * green - 0.0403 * blue
    small = _halved(share)
    added = [numpy.round(plane) for plane in (lightness, _halved(bluish), _halved(reddish))]
    kept = [numpy.round(256 * (1 - plane)) for plane in (share, small, small)]
    return tuple(plane.astype(numpy.uint16) for plane in added), tuple(plane.astype(numpy.uint16) for plane in kept)


def _halved(plane: "Floats") -> "Floats":
    height, width = plane.shape
    mean: Floats = plane.reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3))
    return mean


def _even(side: float) -> int:
    return -(-round(side) // 2) * 2


@cache
def _typeface() -> Any:
    from importlib.resources import files

    import skia

    data = (files("aigen.pipelines.storybook.drawing.lettering") / "Nunito_700Bold.ttf").read_bytes()
    return skia.FontMgr.New_Custom_Empty().makeFromData(skia.Data.MakeWithCopy(data))


@cache
def _has(letter: str) -> bool:
    return bool(_typeface().unicharsToGlyphs([ord(letter)])[0])


def _shown(text: str) -> str:
    """What of a text is read: letters, digits and punctuation; without signs, such as emoji, that nobody speaks."""
    return "".join(letter for letter in unicodedata.normalize("NFC", text) if unicodedata.category(letter)[0] in "LNMP"
                   and not "\ufe00" <= letter <= "\ufe0f")  # fmt: skip


def _drawable(text: str) -> str:
    """A line without what the font has not."""
    kept = (letter for letter in unicodedata.normalize("NFC", text) if letter == " " or _has(letter))
    return " ".join("".join(kept).split())
