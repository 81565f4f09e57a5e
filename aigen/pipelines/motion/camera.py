"""A camera that moves before a still picture, and sees it in depth: what is near moves more than what is far.

The still is drawn as a mesh whose points move as a real camera would see them, by how near they are (`depth`). All of
it is one smooth sheet: nothing can tear, no hole opens behind anything, and each frame samples the still between its
pixels. A move of its own is one entry in MOVES.
"""

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aigen.pipelines.motion.depth import estimate
from aigen.pipelines.motion.layers import Layer, split
from aigen.pipelines.motion.segmentation import Box
from aigen.pipelines.motion.stage import View
from aigen.types.request import Size

if TYPE_CHECKING:
    from PIL.Image import Image

    from aigen.media.encoding import Pixels
    from aigen.pipelines.motion.depth import Floats
    from aigen.pipelines.motion.overlay import Overlay

# Cells of the mesh a side. More columns than the depth has detail for cost time:
# skia draws each row of each cell by itself.
CELLS = 40
# How near the far is: 1 is the near, 0 the infinitely far, which only turning moves.
FAR = 0.4
# Pixels of the still to one of a frame. Were it 1, all of the picture would fall on whole pixels at once whenever the
# camera passes such a place, be sharper there, and seem to stop.
DETAIL = 1.15
# A longer video does not move further, but slower.
LONGEST = 8.0
# How much further it moves over layers, of which none must stretch.
FURTHER = 1.25
# How many cells from the edge of a layer no camera looks behind it.
HIDING = 4


@dataclass(frozen=True)
class Move:
    """Half of a whole way, from the middle: `x` and `y` in widths and heights, `z` in distances to what is nearest.

    What is as near as `pivot` keeps its place in the frame, for the camera turns towards it. At 0 that is the
    infinitely far; below, the camera turns on, and all of the picture moves along.
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


def frames(
    picture: "Image", number: int, seed: int, size: Size, frames: int, fps: int,
    *, boxes: Sequence[Box] | None = None, original: "Image | None" = None, overlay: "Overlay | None" = None,
) -> Iterator["Pixels"]:  # fmt: skip
    """Film a still picture: yields so many opaque RGBA frames of shape (height, width, 4), all in one array.

    The picture may have any size; it fills the frame. `boxes` are of what was seen in it, in its own pixels: where they
    are given, even if none, its subjects are cut out as a layer of their own if they can be. Where the picture was
    altered, they are looked for in its `original`. `overlay` is drawn over it.
    """
    return film(picture, number, seed, size, frames, fps, boxes=boxes, original=original, overlay=overlay)[1]


def film(
    picture: "Image", number: int, seed: int, size: Size, frames: int, fps: int,
    *, boxes: Sequence[Box] | None = None, original: "Image | None" = None, overlay: "Overlay | None" = None,
) -> tuple[int, Iterator["Pixels"]]:  # fmt: skip
    """How many layers a still picture was parted into, and its `frames`."""
    import numpy

    from aigen.media.encoding import fit

    move = _move(number)
    side = random.Random(seed).choice((-1, 1))
    amount = min(frames / fps / LONGEST, 1.0) ** 0.5
    enlarged = _enlarged(move, amount if boxes is None else amount * FURTHER)
    texture = Size(round(size.width * enlarged * DETAIL), round(size.height * enlarged * DETAIL))
    still = fit(picture, texture)
    if boxes is None:
        layers = [Layer(numpy.asarray(still.convert("RGBA")), estimate(numpy.asarray(still)))]
    else:
        layers = split(
            still, fitted(boxes, Size(*picture.size), texture), fit(original, texture) if original else still
        )
    if len(layers) > 1:
        amount *= FURTHER
    sheets = [_sheet(layer, texture, layers[place + 1 :]) for place, layer in enumerate(layers)]
    ways = [amount * _eased(frame / (frames - 1) if frames > 1 else 0.5) for frame in range(frames)]
    views = (
        View(way * side * move.x * size.width, way * move.y * size.height, way * move.z, move.pivot) for way in ways
    )
    return len(layers), _drawn(sheets, views, size, fps, overlay)


def _drawn(
    sheets: Sequence["_Sheet"], views: Iterable["View"], size: Size, fps: int, overlay: "Overlay | None"
) -> Iterator["Pixels"]:
    import numpy
    import skia

    pixels = numpy.zeros((size.height, size.width, 4), numpy.uint8)
    opaque = {"colorType": skia.kRGBA_8888_ColorType, "alphaType": skia.kOpaque_AlphaType}
    canvas = skia.Surface(pixels, **opaque).getCanvas()
    canvas.translate(size.width / 2, size.height / 2)
    for frame, view in enumerate(views):
        for sheet in sheets:
            if overlay and sheet is not sheets[0]:
                overlay.draw_behind(canvas, frame / fps, view)
            x, y = view.seen(sheet.x, sheet.y, sheet.near)
            points = list(map(skia.Point, x.ravel().tolist(), y.ravel().tolist()))
            vertices = skia.Vertices(skia.Vertices.kTriangles_VertexMode, points, sheet.corners, None, sheet.triangles)
            canvas.drawVertices(vertices, sheet.paint)
        if overlay and len(sheets) == 1:
            overlay.draw_behind(canvas, frame / fps, view)
        if overlay:
            overlay.draw_before(canvas, frame / fps, view)
        yield pixels


@dataclass(frozen=True)
class _Sheet:
    """A layer as a mesh: places from the middle of the still in pixels and how near they are, by point; `corners` are
    those in the image that `paint` draws."""

    x: "Floats"
    y: "Floats"
    near: "Floats"
    corners: list[Any]
    triangles: list[int]
    paint: Any


def _sheet(layer: Layer, still: Size, before: Sequence[Layer]) -> _Sheet:
    import numpy
    import skia

    height, width = layer.near.shape
    steps = numpy.linspace(0, 1, CELLS + 1)
    near = numpy.stack([numpy.interp(steps * (width - 1), numpy.arange(width), row) for row in layer.near])
    near = numpy.stack([numpy.interp(steps * (height - 1), numpy.arange(height), row) for row in near.T], axis=1)
    x, y = numpy.meshgrid(steps * still.width, steps * still.height)
    corners = list(map(skia.Point, x.ravel().tolist(), y.ravel().tolist()))
    points = numpy.arange((CELLS + 1) ** 2).reshape(CELLS + 1, CELLS + 1)
    upper, right, lower, last = points[:-1, :-1], points[:-1, 1:], points[1:, :-1], points[1:, 1:]
    shown = _cells(layer.pixels[..., 3], numpy.max) > 0
    for nearer in before:
        shown &= _cells(nearer.pixels[..., 3], numpy.min, HIDING) < 255
    triangles = numpy.stack((upper, right, lower, right, last, lower), axis=2)[shown]
    x, y = (x - still.width / 2) / DETAIL, (y - still.height / 2) / DETAIL
    alpha = skia.kOpaque_AlphaType if layer.pixels[..., 3].min() == 255 else skia.kPremul_AlphaType
    image = skia.Image.fromarray(layer.pixels, colorType=skia.kRGBA_8888_ColorType, alphaType=alpha)
    sampling = skia.SamplingOptions(skia.CubicResampler.CatmullRom())
    paint = skia.Paint(Shader=image.makeShader(samplingOptions=sampling, localMatrix=skia.Matrix()))
    return _Sheet(x, y, FAR + (1 - FAR) * near, corners, triangles.ravel().tolist(), paint)


def _cells(alpha: "Pixels", of: Callable[..., Any], reach: int = 0) -> Any:
    """The least or greatest opacity in each cell of the mesh and in so many cells around it."""
    import numpy

    height, width = alpha.shape
    rows, columns = (numpy.linspace(0, side, CELLS + 1).round().astype(int) for side in (height, width))
    cells = numpy.zeros((CELLS, CELLS), numpy.uint8)
    for row in range(CELLS):
        band = alpha[max(0, rows[max(0, row - reach)] - 2) : rows[min(CELLS, row + 1 + reach)] + 2]
        line = of(band, axis=0)
        for column in range(CELLS):
            first, last = columns[max(0, column - reach)], columns[min(CELLS, column + 1 + reach)]
            cells[row, column] = of(line[max(0, first - 2) : last + 2])
    return cells


def fitted(boxes: Sequence[Box], picture: Size, still: Size) -> list[Box]:
    """Boxes in a picture as they lie in a still that it fills; what is cut off is left out."""
    share = max(still.width / picture.width, still.height / picture.height)
    beside, above = (picture.width * share - still.width) * 0.5, (picture.height * share - still.height) * 0.3
    fitted = []
    for left, top, right, bottom in boxes:
        box = (
            max(0.0, left * share - beside), max(0.0, top * share - above),
            min(float(still.width), right * share - beside), min(float(still.height), bottom * share - above),
        )  # fmt: skip
        if box[2] - box[0] > 0.01 * still.width and box[3] - box[1] > 0.01 * still.height:
            fitted.append(box)
    return fitted


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
