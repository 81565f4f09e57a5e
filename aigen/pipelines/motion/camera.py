"""A camera that moves before a still picture, and sees it in depth: what is near moves more than what is far.

The still is drawn as a mesh whose points move as a real camera would see them, by how near they are (`depth`). All of it is
one smooth sheet: nothing can tear, no hole opens behind anything, and each frame samples the still between its pixels.
A move of its own is one entry in MOVES.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aigen.pipelines.motion.depth import estimate
from aigen.request import Size

if TYPE_CHECKING:
    from PIL.Image import Image

    from aigen.media import Pixels
    from aigen.pipelines.motion.depth import Floats

# Cells of the mesh a side. More columns than the depth has detail for cost time: skia draws each row of each cell by itself.
CELLS = 40
# How near the far is: 1 is the near, 0 the infinitely far, which only turning moves.
FAR = 0.4
# Pixels of the still to one of a frame. Were it 1, all of the picture would fall on whole pixels at once whenever the camera
# passes such a place, be sharper there, and seem to stop.
DETAIL = 1.15
# A longer video does not move further, but slower.
LONGEST = 8.0


@dataclass(frozen=True)
class Move:
    """Half of a whole way, from the middle: `x` and `y` in widths and heights, `z` in distances to what is nearest.

    What is as near as `pivot` keeps its place in the frame, for the camera turns towards it. At 0 that is the infinitely far;
    below, the camera turns on, and all of the picture moves along.
    """

    name: str
    x: float = 0.0
    y: float = 0.0
    z: float = 0.0
    pivot: float = 0.0


MOVES = (
    Move("pan", x=0.034, pivot=-0.5),
    Move("push in", x=0.006, z=0.1),
    Move("crane up", x=0.006, y=-0.042, pivot=-0.4),
    Move("pull back", x=-0.006, z=-0.1),
    Move("orbit", x=0.036, z=0.03, pivot=0.8),
)


def move_of(number: int) -> str:
    """The name of the move that an order's n-th item (1, 2, …) is filmed with; from the sixth on they come again."""
    return _move(number).name


def frames(picture: "Image", number: int, seed: int, size: Size, frames: int, fps: int) -> Iterator["Pixels"]:
    """Film a still picture: yields so many opaque RGBA frames of shape (height, width, 4), all in one array.

    The picture may have any size; it fills the frame.
    """
    import numpy
    import skia

    from aigen.media import fit

    move = _move(number)
    side = random.Random(seed).choice((-1, 1))
    amount = min(frames / fps / LONGEST, 1.0) ** 0.5
    enlarged = _enlarged(move, amount)
    texture = Size(round(size.width * enlarged * DETAIL), round(size.height * enlarged * DETAIL))
    still = fit(picture, texture)
    mesh = _mesh(estimate(numpy.asarray(still)), texture)
    pixels = numpy.zeros((size.height, size.width, 4), numpy.uint8)
    opaque = {"colorType": skia.kRGBA_8888_ColorType, "alphaType": skia.kOpaque_AlphaType}
    image = skia.Image.fromarray(numpy.asarray(still.convert("RGBA")), **opaque)
    sampling = skia.SamplingOptions(skia.CubicResampler.CatmullRom())
    paint = skia.Paint(Shader=image.makeShader(samplingOptions=sampling, localMatrix=skia.Matrix()))
    canvas = skia.Surface(pixels, **opaque).getCanvas()
    canvas.translate(size.width / 2, size.height / 2)
    for frame in range(frames):
        way = amount * _eased(frame / (frames - 1) if frames > 1 else 0.5)
        x, y = mesh.seen(way * side * move.x * size.width, way * move.y * size.height, way * move.z, move.pivot)
        points = list(map(skia.Point, x.ravel().tolist(), y.ravel().tolist()))
        vertices = skia.Vertices(skia.Vertices.kTriangles_VertexMode, points, mesh.corners, None, mesh.triangles)
        canvas.drawVertices(vertices, paint)
        yield pixels


@dataclass(frozen=True)
class _Mesh:
    """Places from the middle of the still in pixels and how near they are, by point; `corners` are those in the image."""

    x: "Floats"
    y: "Floats"
    near: "Floats"
    corners: list[Any]
    triangles: list[int]

    def seen(self, x: float, y: float, z: float, pivot: float) -> tuple["Floats", "Floats"]:
        """Where a camera at this place, in pixels and distances to what is nearest, sees the points."""
        beside, scale = self.near - pivot, 1 / (1 - z * self.near)
        return (self.x - x * beside) * scale, (self.y - y * beside) * scale


def _mesh(near: "Floats", still: Size) -> _Mesh:
    import numpy
    import skia

    height, width = near.shape
    steps = numpy.linspace(0, 1, CELLS + 1)
    near = numpy.stack([numpy.interp(steps * (width - 1), numpy.arange(width), row) for row in near])
    near = numpy.stack([numpy.interp(steps * (height - 1), numpy.arange(height), row) for row in near.T], axis=1)
    x, y = numpy.meshgrid(steps * still.width, steps * still.height)
    corners = list(map(skia.Point, x.ravel().tolist(), y.ravel().tolist()))
    points = numpy.arange((CELLS + 1) ** 2).reshape(CELLS + 1, CELLS + 1)
    upper, right, lower, last = points[:-1, :-1], points[:-1, 1:], points[1:, :-1], points[1:, 1:]
    triangles = numpy.stack((upper, right, lower, right, last, lower), axis=2).ravel().tolist()
    x, y = (x - still.width / 2) / DETAIL, (y - still.height / 2) / DETAIL
    return _Mesh(x, y, FAR + (1 - FAR) * near, corners, triangles)


def _enlarged(move: Move, amount: float) -> float:
    """How many times larger than the frame the still must be, that the camera never sees past its border."""
    beside = 2 * max(abs(move.x), abs(move.y)) * max(abs(1 - move.pivot), abs(FAR - move.pivot))
    return 1.005 + amount * (abs(move.z) + beside)


def _eased(progress: float) -> float:
    """From -1 to 1, slow at first and at last, but never quite standing."""
    smooth = progress * progress * (3 - 2 * progress)
    return (0.65 * smooth + 0.35 * progress) * 2 - 1


def _move(number: int) -> Move:
    return MOVES[(number - 1) % len(MOVES)]
