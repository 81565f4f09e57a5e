"""A photograph in a style: what a darkroom, a brush, scissors or a printing press would make of it.

Colours are arrays of shape (height, width, 3) from 0 to 1, as they are stored (not linear). Lengths are measured by the
same `unit` as scenes, so that both have the same margins. A style of its own is an entry in GRADERS.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy  # noqa: TID253 (this module is only loaded where something is graded)
import skia
from PIL import Image, ImageFilter  # noqa: TID253

from aigen.pipelines.storybook.drawing.colours import CUBIC
from aigen.pipelines.storybook.drawing.filters import (
    LUMINANCE,
    Colours,
    as_colours,
    as_image,
    as_large_as,
    blurred,
    boxed,
    clear,
    curved,
    dimmed,
    drawn,
    filmed,
    glowing,
    luminance_of,
    noise_like,
    painted,
    resized,
    saturated,
    sharp,
    shifted,
    softened,
    stretched,
    toned,
)
from aigen.pipelines.storybook.drawing.styles import INK, PAPER, cream_border, draw_grain, paper_border

# How many sheets of paper, and how many inks.
SHEETS, INKS = 9, 7
# Pixels that are painted: what has more is painted smaller and then enlarged.
PAINTED = 560_000
# Cinematic bars, as a share of the height.
BARS = 0.09


@dataclass(frozen=True)
class Print:
    """What is graded: its measures in pixels, and what its grain is made of."""

    width: int
    height: int
    seed: int

    @property
    def unit(self) -> float:
        return min(self.width * 1.1, self.height * 1.2)


def grade(picture: Image.Image, style: str, seed: int = 0) -> Image.Image:
    """A photograph in a style, of the same size; a style that is not known leaves it as it is."""
    picture = picture.convert("RGB")
    shape = Print(*picture.size, seed)
    return as_image(GRADERS.get(style, _as_it_is)(shape, as_colours(picture)))


# Photographs


def _as_it_is(shape: Print, colours: Colours) -> Colours:
    return clear(colours, shape.unit, 0.18)


def _photograph(shape: Print, colours: Colours) -> Colours:
    colours = clear(stretched(colours, 0.6), shape.unit, 0.5)
    colours = saturated(curved(colours, 0.35), 1.18)
    return sharp(toned(colours, (-0.004, 0.0, 0.008), (0.012, 0.004, -0.008)), shape.unit, 0.9)


def _dramatic(shape: Print, colours: Colours) -> Colours:
    colours = clear(stretched(colours, 0.9), shape.unit, 1.1, 0.045)
    colours = curved(curved(colours.clip(0, 1) ** 1.12, 0.9), 0.25)
    colours = toned(saturated(saturated(colours, 0.82), 1.15), (-0.012, -0.004, 0.014), (0.035, 0.012, -0.03))
    return sharp(dimmed(colours, 0.72), shape.unit, 0.5)


def _cinematic(shape: Print, colours: Colours) -> Colours:
    bar = round(shape.height * BARS)
    colours = shifted(colours, -round(bar * 0.4), 0)  # heads are above
    colours = curved(clear(stretched(colours, 0.8), shape.unit, 0.4), 0.55)
    colours = saturated(colours, 0.86) * 0.97 + 0.015  # blacks of film are not quite black
    colours = toned(colours, (-0.085, 0.016, 0.075), (0.09, 0.015, -0.1))
    colours = filmed(dimmed(glowing(colours, shape.unit, (1.0, 0.78, 0.5), 0.4), 0.42), shape.unit, shape.seed, 0.022)
    if bar:
        colours[:bar] = colours[-bar:] = 0
    return colours


def _night(shape: Print, colours: Colours) -> Colours:
    """Day for night: blue and dark, but what shines goes on shining, and warmly."""
    colours = clear(stretched(colours, 0.8), shape.unit, 0.7, 0.03).clip(0, 1)
    luminance = luminance_of(colours)[..., None]
    # A light picture is made darker than a dark one, in which something must still be seen.
    gamma = 0.95 + 0.55 * float(luminance.mean())
    moonlit = (luminance + (colours - luminance) * 0.5).clip(0, 1) ** gamma
    moonlit = moonlit * _tone(0.36, 0.50, 0.84) + _tone(0.008, 0.016, 0.055)
    around = luminance_of(blurred(colours, shape.unit * 0.06))[..., None]
    alone = ((luminance - around - 0.08) * 3).clip(0, 1)  # no white sky, a lamp
    shining = ((luminance - 0.75) / 0.25).clip(0, 1) * alone
    warm = colours * _tone(1.0, 0.86, 0.58)
    lit = moonlit + 0.85 * shining * (warm - moonlit)
    lit = 1 - (1 - lit) * (1 - 0.9 * blurred(warm * shining, shape.unit * 0.03))
    dusk = numpy.linspace(0.76, 1.06, shape.height, dtype=numpy.float32)[:, None, None]  # darker above
    return filmed(dimmed(lit * dusk, 0.6), shape.unit, shape.seed, 0.012)


def _tone(red: float, green: float, blue: float) -> Colours:
    return numpy.array((red, green, blue), numpy.float32)


# Paint


def _sketched(shape: Print, colours: Colours) -> tuple[Colours, float]:
    """The picture as large as painting needs it, and its unit: a brush has no use for more, and it is slow."""
    share = min(1.0, math.sqrt(PAINTED / (shape.width * shape.height)))
    size = max(1, round(shape.width * share)), max(1, round(shape.height * share))
    return resized(colours, *size, Image.Resampling.BOX), shape.unit * share


def _watercolour(shape: Print, colours: Colours) -> Colours:
    small, unit = _sketched(shape, colours)
    small = clear(stretched(small, 0.9), unit, 0.5).clip(0, 1)
    calm = softened(small, max(1, round(unit * 0.006)), 0.003)
    broad = painted(painted(calm, max(1, round(unit * 0.006))), max(1, round(unit * 0.004)))
    fine = painted(calm, max(1, round(unit * 0.0018)))
    # A fine brush where there is much to see, a broad one elsewhere.
    busy = abs(luminance_of(fine) - luminance_of(broad))
    busy = ((boxed(busy, max(1, round(unit * 0.008))) - 0.012) * 30).clip(0, 1)[..., None]
    washes = broad + (fine - broad) * busy
    luminance = luminance_of(washes)
    # Paint gathers where a wash ends: darker than what is around it.
    rim = (boxed(luminance, max(1, round(unit * 0.004))) - luminance).clip(-0.03, 0.14)
    paint = 1 - (1 - saturated(washes, 1.7).clip(0, 1)) * 0.94
    water = noise_like(paint, unit * 0.2, shape.seed + 5) * 0.5 + noise_like(paint, unit * 0.05, shape.seed + 9) * 0.22
    density = (0.92 + 0.55 * water + 2.6 * rim).clip(0.35, 1.6)
    paint = paint.clip(0.02, 1) ** density[..., None]
    paint = (0.055 + 0.945 * paint) * (_tone(*PAPER) / 255) ** 0.6

    def finish(canvas: skia.Canvas) -> None:
        draw_grain(canvas, max(2.0, shape.unit * 0.012), 0.16, 11)
        draw_grain(canvas, max(1.6, shape.unit * 0.003), 0.24, 13)
        border = paper_border(max(1.0, shape.width / 2), max(1.0, shape.height / 2), shape.unit / 2)  # it is soft
        canvas.drawImageRect(border, skia.Rect.MakeWH(shape.width, shape.height), CUBIC)

    return drawn(as_large_as(paint, colours), finish)


# Paper and print


def _cut_up(shape: Print, colours: Colours, count: int, reach: float) -> tuple[Colours, Colours]:
    """Which of so many flat colours each point has, in calm shapes, and the colours, the lightest first."""
    tiny = as_image(colours)
    tiny.thumbnail((160, 160), Image.Resampling.BOX)
    cut = tiny.quantize(count, Image.Quantize.MEDIANCUT, kmeans=8, dither=Image.Dither.NONE)
    palette = numpy.array((cut.getpalette() or [])[: 3 * count], numpy.float32).reshape(-1, 3) / 255
    palette = palette[numpy.argsort(-luminance_of(palette), kind="stable")]
    weights = numpy.array(LUMINANCE, numpy.float32) + 0.25  # eyes see green best, and blue least
    found = numpy.stack([((colours - own) ** 2) @ weights for own in palette]).argmin(axis=0)
    best = numpy.zeros((shape.height, shape.width), numpy.uint8)
    labels = numpy.zeros_like(best)
    for place in range(len(palette)):  # each shape grows and shrinks until its outline is smooth
        mask = Image.fromarray(numpy.where(found == place, 255, 0).astype(numpy.uint8))
        mask = mask.filter(ImageFilter.GaussianBlur(reach))
        plane = numpy.asarray(mask.resize((shape.width, shape.height), Image.Resampling.BICUBIC))
        labels[plane > best] = place
        best = numpy.maximum(best, plane)
    return labels, palette


def _paper_cut(shape: Print, colours: Colours) -> Colours:
    small, unit = _sketched(shape, colours)
    calm = softened(curved(stretched(small, 0.9), 0.3).clip(0, 1), max(1, round(unit * 0.007)), 0.004)
    flat = saturated(painted(calm, max(1, round(unit * 0.003))), 1.7).clip(0, 1)
    # The lightest sheet lies at the back, as in a box with a lamp in it.
    labels, palette = _cut_up(shape, flat, SHEETS, unit * 0.0034)
    inks = saturated(palette[None], 1.5)[0].clip(0, 1) * 0.95 + 0.045
    unit = shape.unit
    edge, far = max(1, round(unit * 0.0016)), unit * 0.007
    light = numpy.ones(labels.shape, numpy.float32)
    for place in range(1, len(palette)):
        above = labels >= place
        cast = shifted(blurred(above.astype(numpy.float32), far * 0.6), -round(far * 0.8), -round(far * 0.5))
        light *= 1 - 0.36 * cast
        light[above] = 1
        light[above & ~shifted(above, -edge, -edge)] = 1.3  # light on its edge
    sheet = blurred((inks[labels] * light[..., None]).clip(0, 1), max(0.5, edge * 0.4))

    def finish(canvas: skia.Canvas) -> None:
        draw_grain(canvas, max(2.0, unit * 0.004), 0.2, 5)
        draw_grain(canvas, max(3.0, unit * 0.05), 0.12, 9)

    return dimmed(drawn(sheet, finish), 0.16)


def _poster(shape: Print, colours: Colours) -> Colours:
    small, unit = _sketched(shape, colours)
    calm = softened(stretched(small, 0.9).clip(0, 1), max(1, round(unit * 0.005)), 0.004)
    smooth = painted(calm, max(1, round(unit * 0.0024)))
    flat = saturated(curved(clear(smooth, unit, 0.7, 0.03), 0.5), 1.7).clip(0, 1)
    labels, palette = _cut_up(shape, flat, INKS, unit * 0.0026)
    inks = saturated(curved(palette[None], 0.4), 1.35)[0].clip(0, 1)
    cream, dark = _tone(*PAPER) / 255, _tone(*INK) / 255
    inks[0] = inks[0] * 0.35 + cream * 0.65
    inks[-1] = inks[-1] * 0.3 + dark * 0.56
    printed = blurred(inks[labels], max(0.5, shape.unit * 0.0007))
    near, far = luminance_of(blurred(smooth, unit * 0.0014)), luminance_of(blurred(smooth, unit * 0.0044))
    line = as_large_as((far * 0.985 - near - 0.012) * 34, labels).clip(0, 1)  # a brush's line where dark meets light
    printed = printed + (dark * 0.85 - printed) * line[..., None]

    def finish(canvas: skia.Canvas) -> None:
        draw_grain(canvas, max(2.0, shape.unit * 0.0035), 0.12, 3)
        canvas.drawImage(cream_border(shape.width, shape.height, shape.unit), 0, 0)

    return drawn(printed, finish)


GRADERS: dict[str, Callable[[Print, Colours], Colours]] = {
    "plain": _as_it_is, "photorealistic": _photograph, "dramatic": _dramatic, "cinematic": _cinematic,
    "watercolour": _watercolour, "paper-cut": _paper_cut, "night": _night, "poster": _poster,
}  # fmt: skip
