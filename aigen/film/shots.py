"""What is seen: stills filmed by a slowly moving camera, frames drawn by others, and one shot fading into the next.

A still is scaled plane by plane, which takes a third of the time that RGB would, and sampled between its pixels, so
that it moves smoothly however slow. A move of its own is one entry in MOVES.
"""

import math
import random
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import pairwise, repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aigen.errors import GenerationError
from aigen.film.plan import Film, Frames, Planes
from aigen.types.request import Size

if TYPE_CHECKING:
    from PIL.Image import Image

    from aigen.media.encoding import Pixels

Box = tuple[float, float, float, float]

# Seconds of a fade.
FADE = 0.6
# Pixels of the still to one of a frame where it is closest. Were it 1, all of the picture would fall on whole pixels at
# once whenever the camera passes such a place, be sharper there, and seem to stop.
DETAIL = 1.12
# Of the frame's side, how much of the still is out of sight where the camera is closest; a shorter shot moves less far.
CLOSEST = 0.2
LONGEST = 8.0
# Never all of the still, so that rounding shows no border.
MARGIN = 1.004


@dataclass(frozen=True)
class Move:
    """Where the camera is at first and at last: `close` from 0 to 1, `x` and `y` from -1 to 1, where the still ends."""

    close: tuple[float, float]
    x: tuple[float, float] = (0.0, 0.0)
    y: tuple[float, float] = (0.0, 0.0)


MOVES = (
    Move((0.0, 1.0), x=(0.0, 0.35), y=(0.0, -0.3)),
    Move((0.75, 0.75), x=(-0.95, 0.95)),
    Move((1.0, 0.0), x=(-0.35, 0.0), y=(-0.3, 0.0)),
    Move((0.75, 0.75), y=(0.95, -0.95)),
    Move((0.1, 1.0), x=(-0.4, -0.5), y=(0.0, 0.3)),
    Move((0.75, 0.75), x=(0.95, -0.95)),
    Move((1.0, 0.1), x=(0.4, 0.4), y=(0.2, 0.0)),
    Move((0.75, 0.75), y=(-0.95, 0.95)),
)


def still(picture: Path, number: int, seed: int) -> Frames:
    """A picture filmed with the move that a film's n-th shot (1, 2, …) has; the seed decides its side."""
    return partial(_filmed, picture, MOVES[(number - 1) % len(MOVES)], random.Random(seed).choice((-1, 1)))


def painted(frames: Callable[[Size, int, int], Iterator["Pixels"]]) -> Frames:
    """Frames drawn as opaque RGBA arrays of shape (height, width, 4), which may all be one array drawn over."""

    def convert(size: Size, count: int, fps: int) -> Iterator[Planes]:
        planes = _converter()
        for pixels in frames(size, count, fps):
            yield planes(pixels)

    return convert


def sequence(film: Film) -> Iterator[Planes]:
    """Every frame of a film but for the captions, exactly as many as it has."""
    shots = sorted(film.shots, key=lambda shot: shot.begin)
    firsts = [0, *(min(round(shot.begin * film.fps), film.count) for shot in shots[1:])]
    spans = list(zip(shots, firsts, [*firsts[1:], film.count], strict=True))
    seen = [(number, shot, last - first) for number, (shot, first, last) in enumerate(spans, 1) if last > first]
    longest = round(FADE * film.fps) if film.transition == "fade" else 0
    fades = [0, *(min(longest, count - 1) for _, _, count in seen[:-1]), 0]
    before: Iterator[Planes] = iter(())
    for (number, shot, count), (fade, next_fade) in zip(seen, pairwise(fades), strict=True):
        frames = _lasting(shot.frames(film.size, count + fade, film.fps), number)
        for frame in range(fade):
            yield _mixed(next(before), next(frames), _smooth((frame + 1) / (fade + 1)))
        for _ in range(count - next_fade):
            yield next(frames)
        before = frames


def _lasting(frames: Iterator[Planes], number: int) -> Iterator[Planes]:
    """The frames, and the last of them for as long as one is asked for."""
    frame = None
    for frame in frames:
        yield frame
    if frame is None:
        raise GenerationError(f"shot {number} of the film has no frames")
    yield from repeat(frame)


def _filmed(picture: Path, move: Move, side: int, size: Size, count: int, fps: int) -> Iterator[Planes]:
    amount = CLOSEST * min(count / fps / LONGEST, 1.0) ** 0.5
    largest = DETAIL * MARGIN * (1 + amount * max(move.close))
    still = Size(_even(size.width * largest), _even(size.height * largest))
    near, far = (math.log(MARGIN * (1 + amount * close)) for close in move.close)

    def seen(progress: float) -> Box:
        """The part of the still that a frame shows."""
        # A zoom is even where each frame is larger than the one before by the same factor.
        share = 1 / math.exp(near + (far - near) * progress)
        left = still.width * (1 - share) * (1 + side * _between(move.x, progress)) / 2
        top = still.height * (1 - share) * (1 + _between(move.y, progress)) / 2
        return left, top, left + still.width * share, top + still.height * share

    # Where the camera goes only sideways, or only up or down,
    # the other way is scaled once: half the work of each frame.
    (left, top, right, bottom), last = seen(0.0), seen(1.0)
    level, upright = (top, bottom) == (last[1], last[3]), (left, right) == (last[0], last[2])
    planes = _opened(picture, still)
    if level:
        planes = _scaled(planes, Size(still.width, size.height), (0, top, still.width, bottom))
    elif upright:
        planes = _scaled(planes, Size(size.width, still.height), (left, 0, right, still.height))
    with ThreadPoolExecutor(1, "colours") as helper:
        for frame in range(count):
            left, top, right, bottom = seen(_eased(frame / (count - 1) if count > 1 else 0.5))
            top, bottom = (0, size.height) if level else (top, bottom)
            left, right = (0, size.width) if upright and not level else (left, right)
            yield Planes(*map(_array, _scaled(planes, size, (left, top, right, bottom), helper)))


def _scaled(planes: list["Image"], size: Size, box: Box, helper: Executor | None = None) -> list["Image"]:
    """A box of three planes at another size; with a helper, colour is scaled beside lightness."""
    from PIL.Image import Resampling  # HAMMING: nearly as sharp as BICUBIC and as steady, in four fifths of its time

    half, half_box = (size.width // 2, size.height // 2), (box[0] / 2, box[1] / 2, box[2] / 2, box[3] / 2)

    def colours() -> list["Image"]:
        return [plane.resize(half, Resampling.HAMMING, half_box) for plane in planes[1:]]

    waiting = helper.submit(colours) if helper else None
    lightness = planes[0].resize((size.width, size.height), Resampling.HAMMING, box)
    return [lightness, *(waiting.result() if waiting else colours())]


def _array(plane: "Image") -> "Pixels":
    import numpy

    return numpy.asarray(plane)


def _opened(picture: Path, size: Size) -> list["Image"]:
    """A picture that fills this size, as three planes."""
    import numpy
    from PIL import Image

    from aigen.media.encoding import open_fitting

    planes = _converter()(numpy.asarray(open_fitting(picture, size).convert("RGBA")))
    return [Image.fromarray(plane) for plane in (planes.y, planes.u, planes.v)]


def _converter() -> Callable[["Pixels"], Planes]:
    """What turns RGBA arrays into planes of their own."""
    from av import VideoFrame
    from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

    reformatter = VideoReformatter()

    def convert(pixels: "Pixels") -> Planes:
        import numpy

        frame = reformatter.reformat(
            VideoFrame.from_numpy_buffer(numpy.ascontiguousarray(pixels), format="rgba"),
            format="yuv420p",
            src_colorspace=Colorspace.ITU709,
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
            interpolation=Interpolation.AREA,  # four pixels make one of colour: their mean
        )
        return Planes(*plane_arrays(frame))

    return convert


def plane_arrays(frame: Any) -> list["Pixels"]:
    """The three planes of a frame of PyAV, as arrays that show its own memory."""
    import numpy

    return [
        numpy.frombuffer(plane, numpy.uint8).reshape(-1, plane.line_size)[: plane.height, : plane.width]
        for plane in frame.planes
    ]


def _mixed(first: Planes, second: Planes, share: float) -> Planes:
    """So much of the second, the rest of the first."""
    return Planes(*(_blended(*pair, share) for pair in ((first.y, second.y), (first.u, second.u), (first.v, second.v))))


def _blended(first: "Pixels", second: "Pixels", share: float) -> "Pixels":
    import numpy

    weight = round(share * 256)
    mixed = first * numpy.uint16(256 - weight)
    mixed += second * numpy.uint16(weight)
    mixed += 128
    mixed >>= 8
    return mixed.astype(numpy.uint8)


def _between(ends: tuple[float, float], progress: float) -> float:
    return ends[0] + (ends[1] - ends[0]) * progress


def _eased(progress: float) -> float:
    """From 0 to 1, slow at first and at last, but never quite standing."""
    return 0.65 * _smooth(progress) + 0.35 * progress


def _smooth(progress: float) -> float:
    return progress * progress * (3 - 2 * progress)


def _even(side: float) -> int:
    return math.ceil(side / 2) * 2
