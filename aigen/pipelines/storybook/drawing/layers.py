"""Layers: bitmaps of what stands still in a scene, placed anew in every frame.

Sampling a bitmap between pixels costs some 13 ns a pixel, copying an opaque one at whole pixels next to nothing. So
while the camera only slides, a layer is drawn at whole pixels from copies that were shifted by quarters of one
beforehand, and where it is opaque it is copied; only a camera that comes nearer samples.
"""

import math
from dataclasses import dataclass, field
from functools import cached_property
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
    """A part of a layer's bitmap, in whole pixels: all of it opaque, or as small as what is seen allows."""

    left: int
    top: int
    right: int
    bottom: int
    opaque: bool


@dataclass(frozen=True)
class Layer:
    """A bitmap of part of the scene. `depth` 0 is infinitely far away, 1 is where the things stand."""

    image: skia.Image
    left: int
    top: int
    depth: float
    drift: float = 0.0  # pixels a second that it moves to the right by itself
    shifted: dict[tuple[int, int], list[skia.Image]] = field(default_factory=dict, compare=False)

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
        images = self._shifted_by(steps[0] % STEPS, steps[1] % STEPS)
        for tile, image in zip(self.tiles, images, strict=True):
            canvas.drawImage(image, left + tile.left, top + tile.top)

    @cached_property
    def tiles(self) -> list[Tile]:
        return _cut_into_tiles(self.image)

    def _shifted_by(self, right: int, down: int) -> list[skia.Image]:
        """The tiles' bitmaps, shifted by quarters of a pixel."""
        if (right, down) not in self.shifted:
            self.shifted[right, down] = [self._shifted_tile(tile, right / STEPS, down / STEPS) for tile in self.tiles]
        return self.shifted[right, down]

    def _shifted_tile(self, tile: Tile, x: float, y: float) -> skia.Image:
        surface = new_surface(tile.right - tile.left, tile.bottom - tile.top, tile.opaque)
        surface.getCanvas().drawImage(self.image, x - tile.left, y - tile.top, LINEAR)
        return surface.makeImageSnapshot()


def _cut_into_tiles(image: skia.Image) -> list[Tile]:
    """In each column of tiles: nothing where it is empty, what is opaque down to the bottom, and the rest above that.

    A shift mixes each pixel with the one left of it and above it, so a tile is opaque only where those are too, and one
    pixel larger than what is seen.
    """
    wide, tall = image.width(), image.height()
    if image.isOpaque():
        return [Tile(0, 0, wide, tall, True)]
    alpha = image.toarray(colorType=skia.kRGBA_8888_ColorType)[..., 3]
    ground = _opaque_from(alpha)
    tiles = [Tile(0, ground, wide, tall, True)] if ground < tall else []
    for left in range(0, wide, TILE):
        right = min(left + TILE, wide)
        part = alpha[:ground, max(0, left - 1) : right]
        seen = part.any(axis=1).nonzero()[0]
        if not len(seen):
            continue
        top, bottom = int(seen[0]), min(ground, int(seen[-1]) + 2)
        opaque_from = min(ground, _opaque_from(part))
        if opaque_from > top:
            tiles.append(Tile(left, top, right, min(bottom, opaque_from), False))
        if opaque_from < ground:
            tiles.append(Tile(left, opaque_from, right, ground, True))
    return tiles


def _opaque_from(alpha: "Alpha") -> int:
    """The row from which on everything below, and the row above it, is opaque."""
    import numpy

    holes = numpy.flatnonzero((alpha < 255).any(axis=1))
    return int(holes[-1]) + 2 if len(holes) else 1


def new_surface(wide: float, tall: float, opaque: bool = False) -> skia.Surface:
    alpha = skia.kOpaque_AlphaType if opaque else skia.kPremul_AlphaType
    size = max(1, math.ceil(wide)), max(1, math.ceil(tall))
    return skia.Surface.MakeRaster(skia.ImageInfo.Make(*size, skia.kRGBA_8888_ColorType, alpha))


def trimmed(image: skia.Image, margin: int) -> tuple[skia.Image, int]:
    """An image without the empty rows above (but for a margin) and below, and how many were taken away above."""
    seen = image.toarray(colorType=skia.kRGBA_8888_ColorType)[..., 3].any(axis=1).nonzero()[0]
    top, low = (max(0, int(seen[0]) - margin), int(seen[-1]) + 1) if len(seen) else (0, 1)
    return image.makeSubset(skia.IRect.MakeLTRB(0, top, image.width(), low)).makeRasterImage(), top
