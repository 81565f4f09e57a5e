import math
from functools import cache
from typing import Any

import numpy
import pytest
from PIL import Image

from aigen.pipelines.motion.camera import MOVES, frames, move_of
from aigen.pipelines.motion.depth import estimate
from aigen.types.request import Size

SMALL = Size(160, 90)
NUMBERS = range(1, len(MOVES) + 1)


@cache
def textured(width: int = 320, height: int = 180) -> Image.Image:
    """A green wall and a red block that stands before it, both with soft patterns that movement can be measured by."""
    rows, columns = numpy.mgrid[0:height, 0:width]
    grain = Image.fromarray(numpy.random.default_rng(5).integers(0, 256, (45, 80), numpy.uint8))
    waves = numpy.asarray(grain.resize((width, height), Image.Resampling.BICUBIC), numpy.float32) / 6 - 20
    red, green = numpy.array([210, 40, 40]), numpy.array([60, 150, 90])
    inside = (abs(columns - width / 2) < width * 0.16) & (rows > height * 0.3)
    colours = numpy.where(inside[..., None], red, green) + waves[..., None]
    return Image.fromarray(numpy.clip(colours, 0, 255).astype(numpy.uint8))


def filmed(
    picture: Image.Image, number: int = 1, count: int = 5, fps: int = 1, seed: int = 3, size: Size = SMALL
) -> "numpy.ndarray[Any, numpy.dtype[numpy.int16]]":
    return numpy.stack([pixels.astype(numpy.int16) for pixels in frames(picture, number, seed, size, count, fps)])


def moved(
    before: Any, after: Any, top: int, left: int, reach: tuple[int, int] = (14, 24), side: int = 18
) -> tuple[int, int]:
    """By how many pixels (down, right) what is in a square of one frame is elsewhere in another."""
    square = before[top : top + side, left : left + side, :3]
    found, least = (0, 0), math.inf
    for down in range(-reach[0], reach[0] + 1):
        for right in range(-reach[1], reach[1] + 1):
            there = after[top + down :, left + right :, :3][:side, :side]
            unlike = float(abs(there - square).sum())
            if unlike < least:
                found, least = (down, right), unlike
    return found


@pytest.mark.parametrize("count", [1, 2, 7])
def test_there_are_as_many_opaque_frames_as_asked_for(count: int) -> None:
    film = filmed(textured(), count=count, fps=24)
    assert film.shape == (count, 90, 160, 4)
    assert (film[..., 3] == 255).all()


def test_frames_are_bytes() -> None:
    assert next(frames(textured(), 1, 0, SMALL, 1, 24)).dtype == numpy.uint8


def test_the_same_input_gives_the_same_bytes() -> None:
    assert (filmed(textured()) == filmed(textured())).all()


def test_a_seed_chooses_the_side() -> None:
    ends = [filmed(textured(), count=2, seed=seed)[0] for seed in range(3)]
    assert len({end.tobytes() for end in ends}) == 2


def test_the_five_moves_differ_and_come_again() -> None:
    assert len({move_of(number) for number in NUMBERS}) == len(MOVES) == 5
    films = [filmed(textured(), number, count=2).tobytes() for number in (*NUMBERS, 6)]
    assert len(set(films)) == 5
    assert (films[5], move_of(6)) == (films[0], move_of(1))


@pytest.mark.parametrize("number", NUMBERS)
def test_near_and_far_move_by_different_amounts(number: int) -> None:
    film = filmed(textured(), number, count=8, size=Size(320, 180))[[0, -1]]
    block, left, right = (numpy.array(moved(film[0], film[-1], 130, column)) for column in (151, 30, 272))
    # However a flat picture is shifted and zoomed: what is in the middle moves by the mean of what is to both sides.
    assert abs(block - (left + right) / 2).max() >= 1


@pytest.mark.parametrize("number", NUMBERS)
def test_a_move_is_gentle_and_never_stands(number: int) -> None:
    film = filmed(textured(), number, count=24, fps=12)
    steps = abs(numpy.diff(film[..., :3], axis=0)).mean(axis=(1, 2, 3))
    assert abs(film[-1] - film[0])[..., :3].mean() > 3
    assert steps.min() > 0
    assert steps.max() < 3
    assert steps.max() < 4 * numpy.median(steps)
    assert steps[0] < steps[len(steps) // 2]
    assert steps[-1] < steps[len(steps) // 2]


@pytest.mark.parametrize("number", NUMBERS)
def test_no_border_ever_shows(number: int) -> None:
    size = Size(16, 60) if number % 2 else Size(160, 26)
    film = filmed(Image.new("RGB", (300, 200), (200, 30, 60)), number, count=8, size=size)
    assert (film == (200, 30, 60, 255)).all()


@pytest.mark.parametrize("size", [(10, 400), (4000, 300), (1, 1)])
def test_pictures_of_any_size_fill_the_frame(size: tuple[int, int]) -> None:
    film = filmed(textured().resize(size), 5, count=2)
    assert film.shape == (2, 90, 160, 4)
    assert (film[..., :3].sum(axis=-1) > 60).all()


@pytest.mark.parametrize("number", [1, 2])
def test_a_long_video_moves_no_further_than_one_of_eight_seconds(number: int) -> None:
    eight, longer, short = (filmed(textured(), number, count) for count in (8, 20, 2))
    assert (eight[[0, -1]] == longer[[0, -1]]).all()
    assert abs(short[-1] - short[0]).sum() < abs(eight[-1] - eight[0]).sum()


def test_the_depth_of_a_plain_picture_is_a_slope_only() -> None:
    near = estimate(numpy.full((90, 160, 3), 120, numpy.uint8))
    assert near.dtype == numpy.float32
    assert numpy.ptp(near, axis=1).max() < 1e-6
    assert (numpy.diff(near[:, 0]) >= -1e-6).all()
    assert numpy.ptp(near[:25]) < 0.02  # a sky moves as one


def test_what_stands_below_is_nearer_than_what_is_behind_it() -> None:
    near = estimate(numpy.asarray(textured()))
    height, width = near.shape
    assert 0 <= near.min() < near.max() <= 1
    middle = near[:, width // 2]
    assert middle[int(height * 0.8)] > near[int(height * 0.1)].max() + 0.5
    # From its foot to its head it is as near, and nearer than the wall at the same height.
    assert abs(middle[int(height * 0.5)] - middle[int(height * 0.8)]) < 0.12
    assert middle[int(height * 0.5)] > near[int(height * 0.5), 8] + 0.3


def test_a_mirrored_picture_has_the_mirrored_depth() -> None:
    pixels = numpy.asarray(textured())
    assert abs(estimate(pixels[:, ::-1].copy())[:, ::-1] - estimate(pixels)).max() < 0.02


def test_depth_is_smooth() -> None:
    noise = numpy.random.default_rng(1).integers(0, 256, (180, 320, 3), numpy.uint8)
    for pixels in (noise, numpy.asarray(textured())):
        near = estimate(pixels)
        assert max(abs(numpy.diff(near, axis=axis)).max() for axis in (0, 1)) < 0.08


@pytest.mark.parametrize("shape", [(1, 1), (3, 200), (200, 3)])
def test_depth_of_odd_pictures(shape: tuple[int, int]) -> None:
    assert numpy.isfinite(estimate(numpy.zeros((*shape, 3), numpy.uint8))).all()
