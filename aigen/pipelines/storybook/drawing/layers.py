"""Layers: bitmaps of what stands still in a scene, placed anew in every frame.

Sampling a bitmap between pixels costs some 13 ns a pixel, copying an opaque one at whole pixels next to nothing. So while
the camera only slides, a layer is drawn at whole pixels from copies that were shifted by quarters of one beforehand, and
where it is opaque it is copied; only a camera that comes nearer samples.
"""

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import skia

from aigen.pipelines.storybook.drawing.colours import LINEAR

if TYPE_CHECKING:
    import numpy

    Alpha = numpy.ndarray[Any, numpy.dtype[numpy.uint8]]

# How much wider than the frame the layers are on each side, for the camera to move over.
MARGIN = 0.08
# Layers further away than this do not grow when the camera comes nearer.
FAR = 0.4
STEPS = 4
# How many pixels wide the tiles are.
TILE = 64


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
class Tile:
    """A part of a layer that is opaque, or as small as what is not opaque allows."""

    image: skia.Image
    left: int
    top: int


@dataclass(frozen=True)
class Layer:
    """A bitmap of part of the scene. `depth` 0 is infinitely far away, 1 is where the things stand."""

    image: skia.Image
    left: int
    top: int
    depth: float
    drift: float = 0.0  # pixels a second that it moves to the right by itself
    shifted: dict[tuple[int, int], list[Tile]] = field(default_factory=dict, compare=False)

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
        left, top = self.left + steps[0] // STEPS, self.top + steps[1] // STEPS
        for tile in self._tiles(steps[0] % STEPS, steps[1] % STEPS):
            canvas.drawImage(tile.image, left + tile.left, top + tile.top)

    def _tiles(self, right: int, down: int) -> list[Tile]:
        """The bitmap shifted by quarters of a pixel, cut into tiles."""
        if (right, down) not in self.shifted:
            self.shifted[right, down] = _cut_into_tiles(_shifted(self.image, right / STEPS, down / STEPS))
        return self.shifted[right, down]


def _shifted(image: skia.Image, x: float, y: float) -> skia.Image:
    if not x and not y:
        return image
    if image.isOpaque():  # what comes in at its edges is outside the frame
        surface = new_surface(image.width(), image.height(), opaque=True)
    else:
        surface = new_surface(image.width() + 1, image.height() + 1)
    surface.getCanvas().drawImage(image, x, y, LINEAR)
    return surface.makeImageSnapshot()


def _cut_into_tiles(image: skia.Image) -> list[Tile]:
    """In each column of tiles: nothing where it is empty, what is opaque down to the bottom, and the rest above that."""
    if image.isOpaque():
        return [Tile(image, 0, 0)]
    wide, tall = image.width(), image.height()
    pixels = image.toarray(colorType=skia.kRGBA_8888_ColorType)
    alpha = pixels[..., 3]
    ground = _opaque_from(alpha[:-2, 1:-2])  # without the edges of a shifted bitmap, which are outside the frame
    ground = ground if ground < tall - 2 else tall
    tiles = []
    for left in range(0, wide, TILE):
        part = alpha[:ground, left : left + TILE]
        seen = part.any(axis=1).nonzero()[0]
        if not len(seen):
            continue
        top, low = int(seen[0]), int(seen[-1]) + 1
        opaque_from = _opaque_from(part)
        right = min(left + TILE, wide)
        if opaque_from > top:
            area = skia.IRect.MakeLTRB(left, top, right, min(low, opaque_from))
            tiles.append(Tile(image.makeSubset(area).makeRasterImage(), left, top))
        if opaque_from < ground:
            tiles.append(Tile(_opaque(image, left, opaque_from, right, ground), left, opaque_from))
    if ground < tall:
        tiles.append(Tile(_opaque(image, 0, ground, wide, tall), 0, ground))
    return tiles


def _opaque_from(alpha: "Alpha") -> int:
    """The row from which on everything below is opaque."""
    import numpy

    holes = numpy.flatnonzero((alpha < 255).any(axis=1))
    return int(holes[-1]) + 1 if len(holes) else 0


def _opaque(image: skia.Image, left: int, top: int, right: int, bottom: int) -> skia.Image:
    surface = new_surface(right - left, bottom - top, opaque=True)
    surface.getCanvas().drawImage(image, -left, -top)
    return surface.makeImageSnapshot()


def new_surface(wide: float, tall: float, opaque: bool = False) -> skia.Surface:
    alpha = skia.kOpaque_AlphaType if opaque else skia.kPremul_AlphaType
    size = max(1, math.ceil(wide)), max(1, math.ceil(tall))
    return skia.Surface.MakeRaster(skia.ImageInfo.Make(*size, skia.kRGBA_8888_ColorType, alpha))


def trimmed(image: skia.Image, margin: int) -> tuple[skia.Image, int]:
    """An image without the empty rows above (but for a margin) and below, and how many were taken away above."""
    seen = image.toarray(colorType=skia.kRGBA_8888_ColorType)[..., 3].any(axis=1).nonzero()[0]
    top, low = (max(0, int(seen[0]) - margin), int(seen[-1]) + 1) if len(seen) else (0, 1)
    return image.makeSubset(skia.IRect.MakeLTRB(0, top, image.width(), low)).makeRasterImage(), top
