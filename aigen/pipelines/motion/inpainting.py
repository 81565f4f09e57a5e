"""Filling what is behind a subject: from around it, smooth far inside,
and near its edge with what the edge would mirror.

Only what a camera uncovers is ever seen, which is close to the edge.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy

    Floats = numpy.ndarray[Any, numpy.dtype[numpy.floating[Any]]]

# The longer side of the map that finds the nearest edge.
SIDE = 368
# How far inside the mirrored is seen before it gives way to the smooth, as a share of the longer side.
REACH = 0.05


def spread(values: "Floats", known: "Floats") -> "Floats":
    """Values of shape (height, width, channels) where they are known (1), and elsewhere (0) smoothly between those.

    They are averaged to ever smaller maps until nothing is missing, and those fill the larger ones.
    """
    import numpy

    weights: Floats = known[..., None].astype(numpy.float32)
    sums: Floats = values * weights
    levels = [(sums, weights)]
    while max(weights.shape[:2]) > 1:
        sums, weights = (_halved(each) for each in levels[-1])
        most = numpy.maximum(weights, 1.0)  # four that are known weigh no more than one
        levels.append((sums / most, weights / most))
    sums, weights = levels.pop()
    filled = sums / numpy.maximum(weights, 1e-6)
    for sums, weights in reversed(levels):
        filled = sums + (1 - weights) * _doubled(filled, sums.shape[0], sums.shape[1])
    return numpy.asarray(filled, numpy.float32)


def fill(colours: "Floats", hole: "Floats") -> "Floats":
    """A picture (values from 0 to 1) with its hole (1, softly 0) filled."""
    import numpy

    smooth = spread(colours, (hole <= 0).astype(numpy.float32))
    down, right, away = _mirrors(hole > 0)
    height, width = hole.shape
    rows, columns = numpy.nonzero(hole > 0)
    from_rows = rows + down[rows, columns]
    from_columns = columns + right[rows, columns]
    inside = (from_rows >= 0) & (from_rows <= height - 1) & (from_columns >= 0) & (from_columns <= width - 1)
    from_rows, from_columns = from_rows.clip(0, height - 1), from_columns.clip(0, width - 1)
    free = (hole <= 0).astype(numpy.float32)
    given = _sampled(free[..., None], from_rows, from_columns)[:, 0]
    depth = away[rows, columns] / (REACH * max(height, width))
    share = numpy.where(inside & (given > 0.99), numpy.clip(1.5 - depth, 0, 1), 0)[:, None]
    mirrored = _sampled(colours, from_rows, from_columns)
    filled = colours.copy()
    patch = mirrored * share + smooth[rows, columns] * (1 - share)
    own = hole[rows, columns][:, None]
    filled[rows, columns] = patch * own + colours[rows, columns] * (1 - own)
    return filled


def _mirrors(hole: Any) -> tuple["Floats", "Floats", "Floats"]:
    """For each place of a hole the way to where the nearest edge would mirror it,
    down and right, and how far in it is.
    """
    import numpy
    from PIL import Image

    height, width = hole.shape
    step = max(1, round(max(height, width) / SIDE))
    small = hole[::step, ::step]
    rows, columns = numpy.indices(small.shape, numpy.float32)
    near_row, near_column = (numpy.where(small, numpy.float32(-9e4), each) for each in (rows, columns))
    jump = 1 << (max(small.shape) // 2).bit_length()
    while jump:  # jump flooding (Rong and Tan, 2006)
        for down in (-jump, 0, jump):
            for right in (-jump, 0, jump):
                if down or right:
                    here = _cut(small.shape, down, right)
                    there = _cut(small.shape, -down, -right)
                    row, column = near_row[there], near_column[there]
                    nearer = (rows[here] - row) ** 2 + (columns[here] - column) ** 2 < (
                        (rows[here] - near_row[here]) ** 2 + (columns[here] - near_column[here]) ** 2
                    )
                    near_row[here][nearer], near_column[here][nearer] = row[nearer], column[nearer]
        jump //= 2
    ways = [2 * step * (near_row - rows), 2 * step * (near_column - columns)]
    ways.append(numpy.hypot(*ways) / 2)
    size = small.shape[1] * step, small.shape[0] * step
    down, right, away = (
        numpy.asarray(Image.fromarray(each).resize(size, Image.Resampling.BILINEAR))[:height, :width] for each in ways
    )
    return down, right, away


def _cut(shape: tuple[int, ...], down: int, right: int) -> tuple[slice, slice]:
    """The part of a map that something else lies over when it is shifted."""
    height, width = shape
    return slice(max(0, -down), max(0, height - max(0, down))), slice(max(0, -right), max(0, width - max(0, right)))


def _sampled(colours: "Floats", rows: "Floats", columns: "Floats") -> "Floats":
    import numpy

    upper, left = numpy.floor(rows).astype(numpy.intp), numpy.floor(columns).astype(numpy.intp)
    lower, right = numpy.minimum(upper + 1, colours.shape[0] - 1), numpy.minimum(left + 1, colours.shape[1] - 1)
    down, across = (rows - upper)[:, None], (columns - left)[:, None]
    above = colours[upper, left] * (1 - across) + colours[upper, right] * across
    below = colours[lower, left] * (1 - across) + colours[lower, right] * across
    return numpy.asarray(above * (1 - down) + below * down, numpy.float32)


def _halved(values: "Floats") -> "Floats":
    """The sums of two by two; an odd side's last stands for itself."""
    import numpy

    height, width = values.shape[:2]
    values = numpy.pad(values, [(0, height % 2), (0, width % 2), (0, 0)])
    return values[::2, ::2] + values[1::2, ::2] + values[::2, 1::2] + values[1::2, 1::2]


def _doubled(values: "Floats", height: int, width: int) -> "Floats":
    """Twice as large, between its values, and cut to this size."""
    import numpy

    for axis, side in ((0, height), (1, width)):
        before = numpy.concatenate([values.take([0], axis), values], axis)
        after = numpy.concatenate([values, values.take([-1], axis)], axis)
        even, odd = before * 0.25, values * 0.75
        first = odd + even.take(range(values.shape[axis]), axis)
        second = odd + after.take(range(1, values.shape[axis] + 1), axis) * 0.25
        values = numpy.stack([first, second], axis + 1)
        shape = list(first.shape)
        shape[axis] *= 2
        values = values.reshape(shape).take(range(side), axis)
    return values
