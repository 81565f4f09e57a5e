"""Cutting the subjects out of a still picture: which part of each place belongs to them, from 0 to 1.

Where something was seen, its box says where to look, and the colours inside and outside say where it ends: they are
counted, the cut that parts them best is found, and both again, as GrabCut does (Rother and others, 2004). The cut
itself is that of the least outline along the picture's edges, relaxed (Chan and others, 2006), so that it needs neither
a graph nor a network.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy
    from PIL.Image import Image

    Floats = numpy.ndarray[Any, numpy.dtype[numpy.floating[Any]]]

Box = tuple[float, float, float, float]

# The longer side of what is cut at once: a box and what is around it.
SIDE = 192
# How much of the surroundings is looked at around a box,
# and by how much a box may be too small, as shares of its sides.
AROUND, SLACK = 0.35, 0.05
# How softly a mask ends at the border of that, as a share of half the box.
FADING = 0.1
# Colours are counted in so many steps of each channel, and differences below this are grain.
STEPS, GRAIN = 20, 0.035
# How often colours are counted anew, and how long each cut is sought.
ROUNDS, STRIDES = 5, 60
# How much the middle of a box is believed to be the thing's, at first and at last.
LEANING = (1.5, 0.9)
# Notches narrower than twice this are filled: heads have lost less of themselves than the background gets on them.
# If they are more than so much of it, something is wrong.
CLOSED, MENDED = 0.05, 0.4
# What an outline costs where nothing differs, and the most that a colour says about a place.
OUTLINE, SURE = 1.1, 3.0


@dataclass(frozen=True)
class Cut:
    """What was cut out of a box: how much of each place is its own, at most SIDE wide and high;
    where that lies; and how convincing it is."""

    box: Box
    mask: "Floats"
    window: Box
    clarity: float


def cut(picture: "Image", box: Box, others: Sequence[Box] = ()) -> Cut:
    """Cut what is in a box out of a picture. What is in the boxes of others says nothing of the background."""
    import numpy
    from PIL import Image

    left, top, right, bottom = box
    wide, high = AROUND * (right - left), AROUND * (bottom - top)
    window = (
        max(0.0, left - wide), max(0.0, top - high), min(float(picture.width), right + wide),
        min(float(picture.height), bottom + high),
    )  # fmt: skip
    share = min(1.0, SIDE / max(window[2] - window[0], window[3] - window[1]))
    size = max(8, round((window[2] - window[0]) * share)), max(8, round((window[3] - window[1]) * share))
    small = picture.resize(size, Image.Resampling.BOX, window)
    colours = _opponent(numpy.asarray(small, numpy.float32) / 255)

    def inside(area: Box, slack: float = 0.0) -> tuple["Floats", "Floats"]:
        """How far inside a box each column and row is: 0 at its border, 1 in its middle, negative outside."""
        wide, high = (area[2] - area[0]) * (1 + 2 * slack), (area[3] - area[1]) * (1 + 2 * slack)
        x = window[0] + (numpy.arange(size[0], dtype=numpy.float32) + 0.5) / share - (area[0] + area[2]) / 2
        y = window[1] + (numpy.arange(size[1], dtype=numpy.float32) + 0.5) / share - (area[1] + area[3]) / 2
        return 1 - abs(x / wide)[None, :] * 2, 1 - abs(y / high)[:, None] * 2

    # A box that reaches the border of the picture is that of a thing that goes on beyond it: there it has no edge.
    edge = 0.02 * max(picture.size)
    whole = (
        left - 4 * wide * (left < edge), top - 4 * high * (top < edge),
        right + 4 * wide * (right > picture.width - edge), bottom + 4 * high * (bottom > picture.height - edge),
    )  # fmt: skip
    across, along = inside(whole)
    deep = numpy.minimum(across, along)
    beyond = numpy.minimum(*inside(whole, SLACK))
    allowed = beyond > 0
    alone = numpy.ones(allowed.shape, bool)
    for other in others:
        alone &= numpy.minimum(*inside(other)) <= 0
    known = alone | (deep > 0)
    # Things stand upright: they are as surely in the middle of their box near its top as half-way up.
    likely = numpy.clip(across * 1.6, 0, 1) * numpy.clip(along * 5, 0, 1) - 0.3
    barriers = _barriers(colours)
    soft = numpy.clip(deep * 3, 0, 1) * allowed
    for leaning in numpy.linspace(*LEANING, ROUNDS, dtype=numpy.float32):
        says = _likelihood(colours, soft * known, (1 - soft) * known)
        soft = _least(numpy.where(allowed, says + leaning * likely, -4 * SURE), barriers, soft)
    found = _pieces(soft, deep)
    mask = _pieces(_closed(found, round(CLOSED * SIDE)) * allowed, deep)
    added = float(mask.sum() / max(1.0, float(found.sum()))) - 1
    clarity = min(_clarity(mask, colours, (deep > 0) & alone, says), max(0.0, (MENDED - added) / 0.15))
    # What goes on beyond its box has no edge there, so it gets none.
    return Cut(box, mask * numpy.clip(beyond / FADING, 0, 1), window, clarity)


def _opponent(colours: "Floats") -> "Floats":
    """Lightness, red against green, and blue against yellow; hues weigh more, for shadows change only lightness."""
    import numpy

    red, green, blue = (numpy.sqrt(colours[..., channel]) for channel in range(3))
    light = (red + green + blue) / 3
    opponent: Floats = numpy.stack((light, 0.5 + (red - green) * 0.9, 0.5 + ((red + green) / 2 - blue) * 0.7), axis=2)
    return opponent.clip(0, 1)


def _likelihood(colours: "Floats", own: "Floats", other: "Floats") -> "Floats":
    """How much more a place's colour is found among its own than among the others, as a logarithm within ±SURE."""
    import numpy

    places = numpy.minimum((colours * STEPS).astype(numpy.intp), STEPS - 1)
    index = ((places[..., 0] * STEPS + places[..., 1]) * STEPS + places[..., 2]).ravel()
    found = []
    for weights in (own, other):
        counts = numpy.bincount(index, weights.ravel(), STEPS**3).reshape((STEPS,) * 3)
        for axis in range(3):
            padded = numpy.pad(counts, [(1, 1) if each == axis else (0, 0) for each in range(3)], mode="edge")
            lower, upper = (numpy.take(padded, range(begin, begin + STEPS), axis) for begin in (0, 2))
            counts = counts * 0.5 + (lower + upper) * 0.25
        found.append(counts / max(1e-6, counts.sum()))
    ratio = numpy.log((found[0] + 2e-5) / (found[1] + 2e-5)).clip(-SURE, SURE).astype(numpy.float32)
    says: Floats = ratio.ravel()[index].reshape(own.shape)
    return says


def _barriers(colours: "Floats") -> tuple["Floats", "Floats"]:
    """What an outline costs between a place and the next one below and to the right: little where colours change."""
    import numpy

    changes = [(numpy.diff(colours, axis=axis, append=colours.take([-1], axis)) ** 2).sum(axis=2) for axis in (0, 1)]
    usual = 2 * max(GRAIN**2, float(changes[0].mean() + changes[1].mean()) / 2)
    down, right = (OUTLINE * (0.12 + 0.88 * numpy.exp(-change / usual)) for change in changes)
    return down, right


def _least(gain: "Floats", barriers: tuple["Floats", "Floats"], start: "Floats") -> "Floats":
    """The mask that gains most for the least outline, by Chambolle and Pock's steps (2011)."""
    import numpy

    down, right = barriers
    mask: Floats = start.astype(numpy.float32)
    ahead = mask
    fall, run = numpy.zeros_like(mask), numpy.zeros_like(mask)
    step = 0.35
    for _ in range(STRIDES):
        fall[:-1] += step * (ahead[1:] - ahead[:-1])
        run[:, :-1] += step * (ahead[:, 1:] - ahead[:, :-1])
        numpy.clip(fall, -down, down, out=fall)
        numpy.clip(run, -right, right, out=run)
        spread = fall + run
        spread[1:] -= fall[:-1]
        spread[:, 1:] -= run[:, :-1]
        better = numpy.clip(mask + step * (spread + gain), 0, 1)
        ahead, mask = 2 * better - mask, better
    return mask


def _pieces(mask: "Floats", deep: "Floats") -> "Floats":
    """Of a mask the pieces that reach the middle of the box, without holes."""
    import numpy

    piece = _reached((mask > 0.5) & (deep > 0.35), mask > 0.5)
    border = numpy.ones(mask.shape, bool)
    border[1:-1, 1:-1] = False
    hole = ~piece & ~_reached(border, ~piece)
    near = _reached(piece, mask > 0)
    whole: Floats = numpy.maximum(numpy.where(near, mask, 0), hole).astype(numpy.float32)
    return whole


def _closed(mask: "Floats", radius: int) -> "Floats":
    """With its notches filled that no disc of this radius fits into."""
    import numpy

    padded = numpy.pad(mask, 2 * radius, mode="edge")

    def greatest(values: "Floats") -> "Floats":
        greater = values
        for down in range(-radius, radius + 1):
            reach = int((radius**2 - down**2) ** 0.5)
            line = numpy.roll(values, down, 0)
            wide = line
            for right in range(1, reach + 1):
                wide = numpy.maximum(wide, numpy.maximum(numpy.roll(line, right, 1), numpy.roll(line, -right, 1)))
            greater = numpy.maximum(greater, wide)
        return greater

    closed: Floats = 1 - greatest(1 - greatest(padded))
    return closed[2 * radius : -2 * radius, 2 * radius : -2 * radius]


def _reached(seeds: Any, ground: Any) -> Any:
    """What of the ground is joined to the seeds."""
    reached = seeds & ground
    count = -1
    while count != (count := int(reached.sum())):
        for places, floor in ((reached, ground), (reached[::-1], ground[::-1])):
            for line in range(1, len(places)):
                places[line] |= places[line - 1] & floor[line]
        for places, floor in ((reached.T, ground.T), (reached.T[::-1], ground.T[::-1])):
            for line in range(1, len(places)):
                places[line] |= places[line - 1] & floor[line]
    return reached


def _clarity(mask: "Floats", colours: "Floats", inside: Any, says: "Floats") -> float:
    """From 1 for a thing that fills its box and differs from what is around it, down to 0 for tatters and blots.

    A box tells how far a thing reaches: what reaches less far has lost its head, say. Its outline is no longer than a
    few times that of the box, runs where colours change, and its own colours are not those of its surroundings.
    """
    import numpy

    own = (mask > 0.5) & inside
    if not own.any():
        return 0.0
    gaps = []
    for axis in (0, 1):
        mine, all_of_it = (numpy.flatnonzero(places.any(axis=1 - axis)) for places in (own, inside))
        gaps += [(mine[0] - all_of_it[0]) / len(all_of_it), (all_of_it[-1] - mine[-1]) / len(all_of_it)]
    outline, seen = 0.0, 0.0
    for axis in (0, 1):
        turns = abs(numpy.diff(mask, axis=axis))
        places, length = numpy.arange(mask.shape[axis] - 1), mask.shape[axis] - 1
        before, after = (colours.take((places + step).clip(0, length), axis) for step in (-2, 3))
        outline += float(turns.sum())
        seen += float((turns * numpy.sqrt(((after - before) ** 2).sum(axis=2)).clip(0, 0.25)).sum())
    around = 2 * float(inside.any(axis=0).sum() + inside.any(axis=1).sum())
    doubt = float((mask * (says < 0)).sum() / mask.sum())
    shares = (
        (0.14 - max(gaps)) / 0.06, (2.2 - outline / around) / 0.6, (seen / max(1.0, outline) - 0.06) / 0.06,
        (0.4 - doubt) / 0.15,
    )  # fmt: skip
    return float(numpy.clip(min(shares), 0, 1))
