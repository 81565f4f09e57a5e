"""Layers: bitmaps of what stands still in a scene, placed anew in every frame.

Sampling a bitmap between pixels costs some 13 ns a pixel, copying an opaque one at whole pixels next to nothing. So while
the camera only slides, a layer is drawn at whole pixels from copies that were shifted by quarters of one beforehand, and
where it is opaque it is copied; only a camera that comes nearer samples.
"""

import math
from dataclasses import dataclass, field

import skia

from aigen.pipelines.storybook.drawing.colours import LINEAR

# How much wider than the frame the layers are on each side, for the camera to move over.
MARGIN = 0.08
# Layers further away than this do not grow when the camera comes nearer.
FAR = 0.4
STEPS = 4


@dataclass(frozen=True)
class View:
    """Where the camera looks (pixels from the middle of the scene) and how near it has come.

    What is nearer than `pivot` moves against the camera, what is further away moves with it.
    """

    x: float = 0.0
    y: float = 0.0
    zoom: float = 1.0
    pivot: float = 0.0

    def offset(self, depth: float) -> tuple[float, float]:
        """How far things at this depth are moved in the picture."""
        return -self.x * (depth - self.pivot), -self.y * (depth - self.pivot)

    def near(self, depth: float) -> float:
        """How many times larger things at this depth are."""
        return 1 + (self.zoom - 1) * depth if depth >= FAR else 1.0


@dataclass(frozen=True)
class Strip:
    image: skia.Image
    top: int


@dataclass(frozen=True)
class Layer:
    """A bitmap of part of the scene. `depth` 0 is infinitely far away, 1 is where the things stand."""

    image: skia.Image
    left: int
    top: int
    depth: float
    drift: float = 0.0  # pixels a second that it moves to the right by itself
    shifted: dict[tuple[int, int], list[Strip]] = field(default_factory=dict, compare=False)

    def draw(self, canvas: skia.Canvas, view: View, middle: tuple[float, float], time: float) -> None:
        x, y = view.offset(self.depth)
        x += self.drift * time
        near = view.near(self.depth)
        if near != 1:
            canvas.save()
            canvas.translate(middle[0] + x, middle[1] + y)
            canvas.scale(near, near)
            canvas.drawImage(self.image, self.left - middle[0], self.top - middle[1], LINEAR)
            canvas.restore()
            return
        steps = round(x * STEPS), round(y * STEPS)
        for strip in self._strips(steps[0] % STEPS, steps[1] % STEPS):
            canvas.drawImage(strip.image, self.left + steps[0] // STEPS, self.top + strip.top + steps[1] // STEPS)

    def _strips(self, right: int, down: int) -> list[Strip]:
        """The bitmap shifted by quarters of a pixel, the rows from which on it is opaque apart."""
        if (right, down) not in self.shifted:
            self.shifted[right, down] = _cut_into_strips(_shifted(self.image, right / STEPS, down / STEPS))
        return self.shifted[right, down]


def _shifted(image: skia.Image, x: float, y: float) -> skia.Image:
    if not x and not y:
        return image
    surface = skia.Surface(image.width() + 1, image.height() + 1)
    surface.getCanvas().drawImage(image, x, y, LINEAR)
    return surface.makeImageSnapshot()


def _cut_into_strips(image: skia.Image) -> list[Strip]:
    if image.isOpaque():
        return [Strip(image, 0)]
    wide, tall = image.width(), image.height()
    alpha = image.toarray(colorType=skia.kRGBA_8888_ColorType)[..., 3]
    full = (alpha[:, 1:-2] == 255).all(axis=1) if wide > 4 else alpha.all(axis=1)
    full[-2:] = True  # the edge of a shifted bitmap, outside the frame
    holes, seen = (~full).nonzero()[0], alpha.any(axis=1).nonzero()[0]
    if not len(seen):
        return []
    opaque_from = int(holes[-1]) + 1 if len(holes) else 0
    strips = []
    if opaque_from > seen[0]:
        part = skia.IRect(0, int(seen[0]), wide, min(opaque_from, int(seen[-1]) + 1))
        strips.append(Strip(image.makeSubset(part).makeRasterImage(), part.top()))
    if tall - opaque_from > 2:
        info = skia.ImageInfo.Make(wide, tall - opaque_from, skia.kRGBA_8888_ColorType, skia.kOpaque_AlphaType)
        surface = skia.Surface.MakeRaster(info)
        surface.getCanvas().drawImage(image, 0, -opaque_from)
        strips.append(Strip(surface.makeImageSnapshot(), opaque_from))
    return strips


def new_surface(wide: float, tall: float, opaque: bool = False) -> skia.Surface:
    alpha = skia.kOpaque_AlphaType if opaque else skia.kPremul_AlphaType
    size = max(1, math.ceil(wide)), max(1, math.ceil(tall))
    return skia.Surface.MakeRaster(skia.ImageInfo.Make(*size, skia.kRGBA_8888_ColorType, alpha))
