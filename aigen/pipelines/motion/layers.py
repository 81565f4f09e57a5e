"""A still picture as the layers that a camera moves over: its background,
and before that the subjects that were cut out.

Laid over one another unmoved they are the picture again. Where no subject can be cut out convincingly, all is one
layer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aigen.pipelines.motion import depth, inpainting
from aigen.pipelines.motion.segmentation import Box, Cut, cut
from aigen.types.seen import area, common_area

if TYPE_CHECKING:
    import numpy
    from PIL.Image import Image

    from aigen.media.encoding import Pixels

    Floats = numpy.ndarray[Any, numpy.dtype[numpy.floating[Any]]]

# How convincing a cut must be; and one of what nobody has recognised.
CONVINCING, UNKNOWN = 0.6, 0.75
# What is smaller stays in the background, and so does what is larger: as shares of the picture.
SMALLEST, LARGEST = 0.006, 0.7
# And so does what is cut off by a side of the picture, of which less than this is to be seen, in widths.
EDGEWAYS, ASIDE = 0.015, 0.25
# How much two boxes share where neither is cut out without the other.
SHARED = 0.3
# The longer side at which the edge is followed, how far around it, and how strong an edge is one.
SIDE, NEARBY, EDGE = 512, 0.014, 2e-4
# How far beyond its soft edge a subject may have left traces in the background, as a share of the longer side.
TRACES = 0.005
# How much nearer a subject is than the ground where it stands; more where it comes before the picture's lower border.
STANDING, CUT_OFF = 0.06, 0.25


@dataclass(frozen=True)
class Layer:
    """Premultiplied RGBA and how near it is, from 1.0 to 0.0, as a smooth map of the same aspect."""

    pixels: "Pixels"
    near: "Floats"


def split(still: "Image", boxes: Sequence[Box], original: "Image") -> list[Layer]:
    """The layers of a picture from the farthest, given where in it something was seen;
    the original shows where that ends.
    """
    import numpy

    cuts = _cuts(original, boxes)
    if not cuts:
        near = depth.estimate(numpy.asarray(original), boxes=boxes)
        return [Layer(numpy.asarray(still.convert("RGBA")), near)]
    mask, near = _joined(cuts, still)
    own = _followed(mask, numpy.asarray(original, numpy.float32) / 255)
    colours = numpy.asarray(still, numpy.float32) / 255
    longer = max(still.size)
    hole = depth.widened(own, round(TRACES * longer) + 1)
    hole = depth.mean(numpy.clip(hole * 4, 0, 1), max(1, round(TRACES * longer / 2)))
    behind = inpainting.fill(colours, numpy.clip((hole - 0.15) / 0.6, 0, 1))
    # What is left of the picture without what shines through is the subject; so there is no halo.
    before = numpy.clip(colours - (1 - own[..., None]) * behind, 0, own[..., None])
    subject = numpy.concatenate([before, own[..., None]], axis=2)
    opaque = numpy.concatenate([behind, numpy.ones_like(own)[..., None]], axis=2)
    # Who stayed behind still stands upright there.
    rest = [box for box in boxes if box not in [each.box for each in cuts]]
    ground = depth.estimate(_bytes(behind), boxes=rest) if rest else depth.sloped(near.shape[0], near.shape[1])
    return [Layer(_bytes(opaque), ground), Layer(_bytes(subject), near)]


def _cuts(picture: "Image", boxes: Sequence[Box]) -> list[Cut]:
    """What can be cut out convincingly of what was seen; where nothing was, of what differs from all around it."""
    wanted, enough = (list(boxes), CONVINCING) if boxes else (_unknown(picture), UNKNOWN)
    found, left = {}, []
    for box in dict.fromkeys(wanted):
        wide = (box[2] - box[0]) / picture.width
        beside = min(box[0], picture.width - box[2]) < EDGEWAYS * picture.width
        if SMALLEST < wide * (box[3] - box[1]) / picture.height < LARGEST and not (beside and wide < ASIDE):
            others = [other for other in wanted if other != box]
            one = cut(picture, box, others)
            if one.clarity >= enough and cut(picture, _tighter(box), others).clarity >= enough:
                found[box] = one
            else:
                left.append(box)
    # Of things that overlap the one would take parts of the other along.
    return [one for box, one in found.items() if not any(_overlap(box, other) > SHARED for other in left)]


def _tighter(box: Box) -> Box:
    """The box a little smaller: what is cut out convincingly only if it is exact was luck."""
    wide, high = 0.02 * (box[2] - box[0]), 0.02 * (box[3] - box[1])
    return box[0] + wide, box[1] + high, box[2] - wide, box[3] - high


def _overlap(box: Box, other: Box) -> float:
    """How much of the smaller of two boxes lies in the other."""
    return common_area(box, other) / max(1.0, min(area(box), area(other)))


def _unknown(picture: "Image") -> list[Box]:
    """The box of what clearly differs from all around it, if there is such a thing."""
    import numpy

    subject = depth.distinct(numpy.asarray(picture))
    if depth.clarity(subject) < UNKNOWN or not (subject > 0.5).any():
        return []
    rows, columns = (numpy.flatnonzero((subject > 0.5).any(axis=axis)) for axis in (1, 0))
    share = picture.width / subject.shape[1]
    left, top, right, bottom = (float(each) * share for each in (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1))
    return [(left, top, right, bottom)]


def _joined(cuts: Sequence[Cut], still: "Image") -> tuple["Floats", "Floats"]:
    """One mask of all that was cut out, and how near each of it is, both as small maps."""
    import numpy
    from PIL import Image

    share = SIDE / max(still.size)
    width, height = (max(2, round(side * share)) for side in still.size)
    mask, near = numpy.zeros((height, width), numpy.float32), numpy.zeros((height, width), numpy.float32)
    ground = depth.sloped(height, width)[:, 0]
    for one in cuts:
        left, top, right, bottom = (round(side * share) for side in one.window)
        size = max(1, right - left), max(1, bottom - top)
        placed = numpy.asarray(Image.fromarray(one.mask).resize(size, Image.Resampling.BICUBIC)).clip(0, 1)
        placed = placed[: height - top, : width - left]
        area = slice(top, top + placed.shape[0]), slice(left, left + placed.shape[1])
        feet = min(height - 1, top + int(numpy.flatnonzero((placed > 0.5).any(axis=1))[-1]))
        level = min(1.0, float(ground[feet]) + (CUT_OFF if feet > height * 0.97 else STANDING))
        mask[area] = numpy.maximum(mask[area], placed)
        near[area] = numpy.maximum(near[area], level * (placed > 0.5))
    near = inpainting.spread(near[..., None], (near > 0).astype(numpy.float32))[..., 0]
    for _ in range(2):
        near = depth.mean(near, round(0.03 * SIDE))
    return mask, near


def _followed(mask: "Floats", colours: "Floats") -> "Floats":
    """A small mask at the size of the picture, along the picture's own edges (He and others' guided filter, 2010)."""
    import numpy
    from PIL import Image

    height, width = mask.shape
    small = Image.fromarray((colours * 255).astype(numpy.uint8)).resize((width, height), Image.Resampling.BOX)
    guide = numpy.asarray(small, numpy.float32) / 255
    radius = max(1, round(NEARBY * max(width, height)))

    def mean(values: "Floats") -> "Floats":
        return depth.mean(values, radius)

    means = numpy.stack([mean(guide[..., channel]) for channel in range(3)], axis=2)
    average = mean(mask)
    spreads = numpy.empty((height, width, 3, 3), numpy.float32)
    for one in range(3):
        for other in range(one, 3):
            shared = mean(guide[..., one] * guide[..., other]) - means[..., one] * means[..., other]
            spreads[..., one, other] = spreads[..., other, one] = shared
    spreads += numpy.eye(3, dtype=numpy.float32) * EDGE
    joint = numpy.stack([mean(guide[..., channel] * mask) for channel in range(3)], axis=2) - means * average[..., None]
    slope = numpy.linalg.solve(spreads, joint[..., None])[..., 0]
    level = average - (slope * means).sum(axis=2)
    size = colours.shape[1], colours.shape[0]

    def enlarged(values: "Floats") -> "Floats":
        image = Image.fromarray(numpy.ascontiguousarray(mean(values), numpy.float32))
        large: Floats = numpy.asarray(image.resize(size, Image.Resampling.BILINEAR))
        return large

    soft = enlarged(level)
    for channel in range(3):
        soft = soft + enlarged(slope[..., channel]) * colours[..., channel]
    followed: Floats = numpy.clip((soft - 0.3) / 0.5, 0, 1).astype(numpy.float32)
    return followed


def _bytes(colours: "Floats") -> "Pixels":
    import numpy

    return numpy.ascontiguousarray((colours * 255 + 0.5).astype(numpy.uint8))
