"""What effects over a picture are drawn on and with: the frame, the room before the camera, soft spots and shine."""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aigen.types.request import Size

if TYPE_CHECKING:
    import numpy

    from aigen.pipelines.motion.segmentation import Box

    Floats = numpy.ndarray[Any, numpy.dtype[numpy.floating[Any]]]

Colour = tuple[int, int, int]
# Draws on a canvas whose origin is the middle of the frame, at a time in seconds, for a camera at this place.
Draw = Callable[[Any, float, "View"], None]
WARM: Colour = (255, 236, 206)
WHITE: Colour = (255, 255, 255)
# How many seconds the light takes for its slowest way there and back.
SLOW = 11.0
# How far around the frame there are particles, for the camera moves: in widths and heights.
ROOM = 1.3
# What is left of a large particle before something that was seen.
SHY = 0.25


@dataclass(frozen=True)
class View:
    """Where the camera is, in pixels and in distances to what is nearest, and how near what keeps its place is."""

    x: float
    y: float
    z: float
    pivot: float

    def seen(self, x: "Floats", y: "Floats", near: "Floats") -> tuple["Floats", "Floats"]:
        """Where it sees what lies so far from the middle, and is so near."""
        beside, scale = near - self.pivot, 1 / (1 - self.z * near)
        return (x - self.x * beside) * scale, (y - self.y * beside) * scale


@dataclass(frozen=True)
class Stage:
    """What an effect is drawn on: the frame, its picture small,
    where something was seen (from the middle), and for how long.

    `unit` is what sizes are measured by, `sun` from which side light comes (-1 to 1, down to up), `light` how much of
    it.
    """

    size: Size
    seed: str
    seconds: float
    picture: "Floats"
    seen: tuple["Box", ...]

    @property
    def unit(self) -> float:
        return min(self.size.width * 1.1, self.size.height * 1.2)

    @property
    def corner(self) -> tuple[float, float]:
        """Where the upper left corner of the frame is."""
        return -self.size.width / 2, -self.size.height / 2

    @property
    def sun(self) -> int:
        """The brighter side of the upper half: -1 is left, 1 right."""
        half, middle = self.picture[: max(1, len(self.picture) // 2)], self.picture.shape[1] // 2
        return -1 if float(half[:, :middle].mean()) > float(half[:, middle:].mean()) else 1

    @property
    def light(self) -> float:
        """How strong light may be: less over what is bright, which it would wash out."""
        return 1.15 - 0.75 * float(self.picture.mean())

    def scattered(self, what: str, many: int) -> list[tuple[float, float, float, float]]:
        """The same random places in every frame: x and y, a size, a phase."""
        dice = random.Random(f"{what} {self.seed}")
        return [(dice.random(), dice.random(), dice.random(), dice.random() * math.tau) for _ in range(many)]

    def place(self, x: float, y: float, near: float, view: "View") -> tuple[float, float]:
        """Where in the frame the camera sees what hangs in the room at `x` and `y`, which wrap."""
        across, down = (x % 1 - 0.5) * ROOM * self.size.width, (y % 1 - 0.5) * ROOM * self.size.height
        beside, scale = near - view.pivot, 1 / (1 - view.z * near)
        return (across - view.x * beside) * scale, (down - view.y * beside) * scale

    def shy(self, x: float, y: float, reach: float) -> float:
        """How much is left of a particle of this radius here."""
        share = 1.0
        for left, top, right, bottom in self.seen:
            away = max(left - x, x - right, top - y, y - bottom)
            share = min(share, SHY + (1 - SHY) * min(1.0, max(0.0, 0.5 + away / max(reach * 2, self.unit * 0.05))))
        return share


def colour_of(rgb: Colour, alpha: float = 255) -> int:
    import skia

    return int(skia.ColorSetARGB(int(max(0.0, min(255.0, alpha))), *rgb))


def smooth() -> Any:
    import skia

    return skia.SamplingOptions(skia.FilterMode.kLinear, skia.MipmapMode.kLinear)


def light_image(alpha: "Floats", rgb: Colour, size: Size | None = None) -> Any:
    """A picture of one colour, as opaque as a map from 0 to 1 says; of its size, or another."""
    import numpy
    import skia
    from PIL import Image

    alpha = alpha.astype(numpy.float32)
    if size:
        enlarged = Image.fromarray(alpha).resize((size.width, size.height), Image.Resampling.BICUBIC)
        alpha = numpy.asarray(enlarged).clip(0, 1)
    shape = (*alpha.shape, 4)
    pixels = numpy.empty(shape, numpy.float32)
    pixels[..., :3], pixels[..., 3] = numpy.array(rgb, numpy.float32) / 255, 1
    pixels *= alpha[..., None]
    dither = numpy.random.default_rng(1).random((*alpha.shape, 1), dtype=numpy.float32)  # else its steps show
    pixels = (pixels * 255 + dither).clip(0, 255).astype(numpy.uint8)
    image = skia.Image.fromarray(pixels, colorType=skia.kRGBA_8888_ColorType, alphaType=skia.kPremul_AlphaType)
    return image if size else image.withDefaultMipmaps()


def soft_disc(flat: float, rgb: Colour = WHITE) -> Any:
    """A round spot: of one tone as far as `flat` from its middle, and soft from there on."""
    import numpy

    down, right = numpy.mgrid[-1:1:64j, -1:1:64j].astype(numpy.float32)
    away = numpy.hypot(down, right)
    soft = numpy.clip((1 - away) / (1 - flat), 0, 1)
    return light_image(soft * soft * (3 - 2 * soft), rgb)


def add_spot(canvas: Any, spot: Any, x: float, y: float, side: float, alpha: float) -> None:
    """Add the light of a spot of this side, so much of it, around a place."""
    import skia

    paint = skia.Paint(Alphaf=alpha, BlendMode=skia.BlendMode.kScreen)
    canvas.drawImageRect(spot, skia.Rect.MakeXYWH(x - side / 2, y - side / 2, side, side), smooth(), paint)


def shine_on(canvas: Any, x: float, y: float, radius: float, rgb: Colour, alpha: float) -> None:
    """Add a light that has no edge anywhere, `alpha` of it in its middle."""
    import skia

    fall = [colour_of(rgb, 255 * alpha * (1 - step * step / 36) ** 2) for step in range(7)]
    gradient = skia.GradientShader.MakeRadial((x, y), radius, fall)
    paint = skia.Paint(Shader=gradient, BlendMode=skia.BlendMode.kScreen, Dither=True)  # without, its steps show
    canvas.drawRect(skia.Rect.MakeXYWH(x - radius, y - radius, 2 * radius, 2 * radius), paint)
