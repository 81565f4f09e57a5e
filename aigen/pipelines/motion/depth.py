"""How near everything in a still picture is, guessed from the picture alone: no weights, no network.

Three guesses make one map. What is lower stands nearer. What differs from everything that reaches the picture's border
is its subject. And a subject is as near as the place where it stands, from its feet to its head. The map is smooth: a
camera that moves over it must bend nothing, and where the guess is wrong that must not be seen.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from aigen.pipelines.motion.segmentation import Box, cut

if TYPE_CHECKING:
    import numpy

    from aigen.media.encoding import Pixels

    Floats = numpy.ndarray[Any, numpy.dtype[numpy.floating[Any]]]

# The map's longer side: enough for soft edges, and quick.
SIDE = 160
# Where the ground ends and everything is equally far, as a share of the picture's height, and how near it comes below.
# A gentle slope: a lamp post that nobody took for a subject leans by it when the camera moves.
HORIZON, GROUND = 0.3, 0.7
# How much nearer the subject is than the ground it stands on.
# It could not be seen to slide, but it is seen to be before it.
BEFORE = 0.25
# How much of its surroundings the subject takes along, and how softly those then give way, as shares of the longer
# side: what must stretch between near and far is the background, not the subject's edge.
MARGIN, SOFT = 0.045, 0.035
# How long an outline is, in roots of its area, of what is surely no subject, and of what surely is one.
RAGGED = (12.0, 8.0)


def estimate(pixels: "Pixels", *, boxes: Sequence[Box] = ()) -> "Floats":
    """Guess how near things are, from 1.0 (near) to 0.0 (far).

    Takes RGB of shape (height, width, 3) and, where something was seen in it, the boxes of that; the map has the same
    aspect and is at most SIDE wide and high.
    """
    import numpy

    colours = _small(pixels)
    height, width = colours.shape[:2]
    ground = numpy.repeat(_rise(height)[:, None], width, axis=1)
    subject = _barred(colours)
    clear = clarity(subject)
    if boxes:
        subject, clear = _seen(pixels, boxes, subject * clear), 1.0
    risen = widened(_standing(ground, subject) - ground + BEFORE * subject, round(MARGIN * SIDE))
    near = ground * (2 + clear) / 3 + risen * clear
    return numpy.clip(_smooth(near), 0, 1).astype(numpy.float32)


def sloped(height: int, width: int) -> "Floats":
    """How near the ground is where nothing stands on it, as a map of this size."""
    import numpy

    return numpy.repeat(_smooth(numpy.repeat(_rise(height)[:, None], 2, axis=1))[:, :1], width, axis=1)


def distinct(pixels: "Pixels") -> "Floats":
    """How much each place belongs to what differs from its surroundings, as a map at most SIDE wide and high."""
    return _barred(_small(pixels))


def _seen(pixels: "Pixels", boxes: Sequence[Box], subject: "Floats") -> "Floats":
    """The subject with what was seen: what is cut out of the boxes, and where that is not convincing, less of it."""
    import numpy
    from PIL import Image

    picture = Image.fromarray(pixels)
    height, width = subject.shape
    share = width / picture.width
    for box in boxes:
        found = cut(picture, box, [other for other in boxes if other != box])
        left, top, right, bottom = (round(side * share) for side in found.window)
        size = max(1, right - left), max(1, bottom - top)
        mask = numpy.asarray(Image.fromarray(found.mask).resize(size, Image.Resampling.BILINEAR))
        area = slice(top, min(bottom, height)), slice(left, min(right, width))
        mask = mask[: area[0].stop - top, : area[1].stop - left] * (0.5 + 0.5 * found.clarity)
        subject[area] = numpy.maximum(subject[area], mask)
    return subject


def _small(pixels: "Pixels") -> "Floats":
    import numpy
    from PIL import Image

    picture = Image.fromarray(pixels)
    share = SIDE / max(picture.size)
    width, height = (max(2, round(side * share)) for side in picture.size)
    small = picture.resize((width, height), Image.Resampling.BOX if share < 1 else Image.Resampling.BILINEAR)
    return numpy.asarray(small, numpy.float32) / 255


def _rise(height: int) -> "Floats":
    """How near the ground is in each row."""
    import numpy

    rise: Floats = GROUND * numpy.clip(
        (numpy.linspace(0, 1, height, dtype=numpy.float32) - HORIZON) / (1 - HORIZON), 0, 1
    )
    return rise


def _smooth(near: "Floats") -> "Floats":
    """Three means are nearly a Gaussian blur."""
    for _ in range(3):
        near = mean(near, round(SOFT * SIDE))
    return near


def _barred(colours: "Floats") -> "Floats":
    """How much each place belongs to the subject: how far its colour is from all ways to the border.

    That is the minimum barrier distance (Zhang and others, 2015): of all paths to the border, the least difference
    between a path's brightest and darkest, by channel. What is enclosed has what encloses it as a barrier; a smooth sky
    or ground has none. Below and in the middle above, the border does not count: there stand bodies, and there heads
    are cut off.
    """
    import numpy

    height, width = colours.shape[:2]
    smooth = numpy.stack([mean(colours[..., channel], 1) for channel in range(3)], axis=2)
    barrier = numpy.full((height, width), 9, numpy.float32)
    barrier[:, 0], barrier[:, -1], barrier[0, : width // 4], barrier[0, -(width // 4) :] = 0, 0, 0, 0
    highest, lowest = smooth.copy(), smooth.copy()
    for _ in range(2):
        for (_, high, low, _), (here, top, bottom, colour) in _ways(barrier, highest, lowest, smooth):
            high, low = numpy.maximum(high, colour), numpy.minimum(low, colour)
            distance = (high - low).sum(axis=1)
            less = distance < here
            here[less], top[less], bottom[less] = distance[less], high[less], low[less]
    x, y = numpy.linspace(-1, 1, width)[None, :], numpy.linspace(-1, 1, height)[:, None]
    central = numpy.exp(-1.2 * x**2 - 0.7 * (y - 0.15) ** 2)
    distinct = barrier * central
    # Something always differs most: where that is little, there is no subject.
    strong = max(0.35, float(numpy.percentile(distinct, 96)))
    return numpy.clip((distinct / strong - 0.3) / 0.4, 0, 1).astype(numpy.float32)


def clarity(subject: "Floats") -> float:
    """From 1 for a subject of one piece down to 0 for tatters: windows of a street,
    twigs, what nobody would call a thing.

    A thing's outline is short for its area (4 times the root of it for a square); where it is not, better no subject at
    all than one that bends.
    """
    import numpy

    outline = sum(float(numpy.abs(numpy.diff(subject, axis=axis)).sum()) for axis in (0, 1))
    longest, short = RAGGED
    return float(numpy.clip((longest - outline / max(1.0, float(subject.sum()) ** 0.5)) / (longest - short), 0, 1))


def _standing(ground: "Floats", subject: "Floats") -> "Floats":
    """The ground, and on it the subject, as near in all its parts as its nearest: it stands upright."""
    import numpy

    near = ground.copy()
    for _ in range(2):
        for (before, _), (here, held) in _ways(near, subject):
            numpy.maximum(here, before * held, out=here)
    return near


def _ways(*maps: Any) -> Iterator[tuple[tuple[Any, ...], tuple[Any, ...]]]:
    """Walk down, up, right and left through maps at once: each line, as views, after the one before it."""
    turned = tuple(each.swapaxes(0, 1) for each in maps)
    for way in (maps, tuple(each[::-1] for each in maps), turned, tuple(each[::-1] for each in turned)):
        for line in range(1, len(way[0])):
            yield tuple(each[line - 1] for each in way), tuple(each[line] for each in way)


def widened(values: "Floats", reach: int) -> "Floats":
    """The greatest value around each place."""
    import numpy

    values = values.copy()
    for _ in range(reach):
        for line in (values, values.T):
            greater = numpy.maximum(line[1:], line[:-1])
            line[1:] = numpy.maximum(line[1:], greater)
            line[:-1] = numpy.maximum(line[:-1], greater)
    return values


def mean(values: "Floats", radius: int) -> "Floats":
    """The mean around each place; beyond the border, the border goes on."""
    import numpy

    for axis in (0, 1):
        padding = [(0, 0), (0, 0)]
        padding[axis] = (radius + 1, radius)
        sums = numpy.cumsum(numpy.pad(values, padding, mode="edge"), axis=axis, dtype=numpy.float64)
        span = 2 * radius + 1
        upper, lower = (sums[span:], sums[:-span]) if axis == 0 else (sums[:, span:], sums[:, :-span])
        values = ((upper - lower) / span).astype(numpy.float32)
    return values
