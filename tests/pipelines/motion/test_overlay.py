from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy
import pytest
from PIL import Image

from aigen.media.provenance import read
from aigen.pipelines import motion
from aigen.pipelines.motion import camera, inpainting, overlay, styled
from aigen.pipelines.motion.layers import split
from aigen.pipelines.motion.segmentation import cut
from aigen.types.pipeline import Output, Picture, Task
from aigen.types.request import Size
from aigen.types.seen import Detection, ImageDescription
from tests.conftest import patiently
from tests.runs import Listener

FRAME = Size(160, 90)
# Where the figure stands in `scene`, exactly, and as a detector would see it.
FIGURE = (130, 54, 190, 170)
BOX = (126, 50, 193, 173)


@cache
def scene(width: int = 320, height: int = 180) -> Image.Image:
    """A red figure with a round head before a green meadow and a blue sky, all with a soft grain."""
    rows, columns = numpy.mgrid[0:height, 0:width]
    grain = Image.fromarray(numpy.random.default_rng(5).integers(0, 256, (45, 80), numpy.uint8))
    waves = numpy.asarray(grain.resize((width, height), Image.Resampling.BICUBIC), numpy.float32) / 8 - 16
    far = numpy.where((rows < 100)[..., None], [120, 160, 220], [80, 150, 70])
    body = (abs(columns - 160) < 30) & (rows >= 90) & (rows < 170)
    head = (columns - 160) ** 2 + (rows - 76) ** 2 < 22**2
    colours = numpy.where((body | head)[..., None], [205, 45, 40], far) + waves[..., None]
    return Image.fromarray(numpy.clip(colours, 0, 255).astype(numpy.uint8))


def figure() -> Any:
    """Where the figure is."""
    pixels = numpy.asarray(scene()).astype(int)
    return pixels[..., 0] > pixels[..., 1:].max(axis=2) + 40


def a_task(work: Path, **changes: Any) -> Task:
    scene().save(work / "source.png")
    seen = ImageDescription(
        width=640, height=360, objects=(Detection("person", 0.9, (252, 100, 386, 346)),), caption="a person"
    )
    task = Task(
        kind="video", prompt="a person", style="plain", numbers=(1,), seeds=(7,), size=FRAME, work=work, frames=3,
        fps=1,
        starts_from_picture=True, from_picture=True, source=work / "source.png", seen=seen,
    )  # fmt: skip
    return replace(task, **changes)


def made(task: Task, picture: Picture | None = None) -> Output:
    given = picture or Picture(task.work / "source.png")
    (output,) = motion.Motion().generate(task, Listener(picture=given))
    assert isinstance(output, Output)
    return output


def drawn(prompt: str, number: int = 1, seed: int = 3) -> overlay.Overlay:
    return overlay.choose(prompt, number, seed, FRAME, 8.0, scene(), [BOX])


def filmed(effect: overlay.Overlay | None) -> Any:
    """A frame of the scene, halfway."""
    return next(camera.frames(scene(), 1, 3, FRAME, 1, 1, overlay=effect)).astype(numpy.int16)


# Cutting and layers


def test_a_cut_follows_the_thing_and_not_its_box() -> None:
    found = cut(scene(), BOX)
    left, top, right, bottom = (round(side) for side in found.window)
    mask = numpy.asarray(Image.fromarray(found.mask).resize((right - left, bottom - top)))
    own = figure()[top:bottom, left:right]
    assert ((mask > 0.5) & own).sum() / ((mask > 0.5) | own).sum() > 0.93
    assert found.clarity > 0.9


def test_where_nothing_stands_out_a_cut_is_not_convincing() -> None:
    noise = numpy.random.default_rng(1).integers(0, 256, (180, 320, 3), numpy.uint8)
    for pixels in (noise, numpy.full_like(noise, 90)):
        assert len(split(Image.fromarray(pixels), [BOX], Image.fromarray(pixels))) == 1


def test_layers_laid_over_one_another_are_the_picture_and_the_farther_has_no_trace_of_the_nearer() -> None:
    behind, before = split(scene(), [BOX], scene())
    share = before.pixels[..., 3:].astype(float) / 255
    both = before.pixels[..., :3] + behind.pixels[..., :3] * (1 - share)
    unlike = abs(both - numpy.asarray(scene()).astype(float))
    assert unlike[figure()].max() < 4
    assert unlike.mean() < 1.5
    assert (behind.pixels[..., 3] == 255).all()
    red = behind.pixels[..., 0].astype(int) - behind.pixels[..., 1:3].max(axis=2)
    assert red[figure()].max() < 30
    assert before.near.min() > behind.near.mean()


def test_a_layer_passes_before_the_other_and_one_sheet_does_not() -> None:
    count, _ = camera.film(scene(), 1, 3, FRAME, 2, 1, boxes=[BOX])
    assert count == 2
    assert camera.film(scene(), 1, 3, FRAME, 2, 1)[0] == 1
    assert camera.film(Image.new("RGB", (320, 180), "gray"), 1, 3, FRAME, 2, 1, boxes=[])[0] == 1


@pytest.mark.parametrize("number", [3, *patiently(4, 5)])
def test_no_border_shows_past_layers(number: int) -> None:
    plain = Image.fromarray(numpy.where(figure()[..., None], [205, 45, 40], [200, 220, 240]).astype(numpy.uint8))
    film = [frame.copy() for frame in camera.frames(plain, number, 3, FRAME, 5, 2, boxes=[BOX])]
    for frame in film:
        edges = numpy.concatenate([frame[0], frame[:, 0], frame[:, -1]]).astype(int)
        assert abs(edges - [200, 220, 240, 255]).max() < 8


@pytest.mark.parametrize("box", [(0, 0, 320, 180), (-20, -20, 60, 60), (319, 179, 340, 200), (10, 10, 11, 11)])
def test_odd_boxes_do_no_harm(box: tuple[float, float, float, float]) -> None:
    film = [frame.copy() for frame in camera.frames(scene(), 5, 3, FRAME, 2, 1, boxes=[box])]
    assert (film[0][..., 3] == 255).all()


def test_a_hole_is_filled_from_around_it() -> None:
    rows, columns = numpy.mgrid[0:60, 0:80].astype(numpy.float32)
    ramp = numpy.stack([columns / 80, rows / 60, columns * 0 + 0.4], axis=2)
    hole = ((rows - 30) ** 2 + (columns - 40) ** 2 < 100).astype(numpy.float32)
    filled = inpainting.fill(numpy.where(hole[..., None] > 0, 1, ramp), hole)
    assert abs(filled - ramp).max() < 0.2
    assert (filled[hole == 0] == ramp[hole == 0]).all()


# Over the picture


@pytest.mark.parametrize(
    ("prompt", "told"),
    [
        ("in the snow", "snow"), ("in the rain", "rain"), ("a thunderstorm", "rain and distant lightning"),
        ("in the fog", "fog"), ("autumn leaves", "falling leaves"), ("at night", "darker light"),
        ("a starry night", "darker light and stars"), ("fireflies at night", "darker light and fireflies"),
        ("at sunset", "warm light that grows"), ("a celebration", "confetti"), ("a campfire", "sparks"),
        ("two people in front of a bus", "a light that wanders over it"), ("", "a light that wanders over it"),
        ("a cat on a sofa in a living room, snow", "a light that wanders over it"),
    ],
)  # fmt: skip
def test_the_prompt_says_what_is_drawn_over_it(prompt: str, told: str) -> None:
    effect = drawn(prompt)
    assert effect.told == told
    film, bare = filmed(effect), filmed(None)
    if told != "darker light":
        assert (film != bare).any()
    assert abs(film - bare)[..., :3].mean() < 40


def test_without_a_word_of_it_each_video_has_its_own() -> None:
    own = [drawn("a person", number).told for number in range(1, 7)]
    assert len(set(own)) == 5
    assert own[5] == own[0]


@pytest.mark.parametrize("number", [2, *patiently(1, 3, 4, 5)])
def test_it_never_flickers_and_the_same_input_gives_the_same_bytes(number: int) -> None:
    def film() -> Any:
        frames = camera.frames(
            Image.new("RGB", (320, 180), "gray"), 1, 3, Size(80, 44), 12, 12, overlay=drawn("", number)
        )
        return numpy.stack([pixels.astype(numpy.int16) for pixels in frames])

    once = film()
    assert (once == film()).all()
    assert abs(numpy.diff(once[..., :3].mean(axis=(1, 2, 3)))).max() < 1.1  # a step of colours
    assert abs(numpy.diff(once[..., :3], axis=0)).mean() < 2


def test_there_are_no_stars_where_there_is_no_smooth_sky() -> None:
    noise = numpy.random.default_rng(1).integers(0, 256, (180, 320, 3), numpy.uint8)
    assert overlay.choose("a starry night", 1, 3, FRAME, 8.0, Image.fromarray(noise)).told == "darker light"


def test_a_seed_places_the_flakes() -> None:
    assert (filmed(drawn("snow", seed=3)) != filmed(drawn("snow", seed=4))).any()


def test_what_is_dark_already_is_not_made_darker() -> None:
    night = drawn("at night")
    day, dark = (Image.new("RGB", (20, 20), (tone, tone, tone)) for tone in (180, 12))
    assert numpy.asarray(night.toned(day)).mean() < 150
    assert (numpy.asarray(night.toned(dark)) == 12).all()


# The pipeline


def test_a_picture_of_the_users_is_told_what_was_done_to_it(tmp_path: Path) -> None:
    output = made(a_task(tmp_path, prompt="a person in the snow"))
    assert output.parameters == {"picture_by": "the user", "move": "pan", "over_it": "snow", "layers": 2}
    assert output.source_type == "algorithmicallyEnhanced"
    task = a_task(tmp_path, prompt="a person in the snow")
    assert task.seen is not None
    shown = made(
        replace(task, seen=replace(task.seen, caption="a person in the snow"))
    )  # it snows in the picture itself
    assert shown.parameters["over_it"] == "a light that wanders over it"
    assert read(output.path).kind == "video"


@pytest.mark.parametrize("source_type", ["trainedAlgorithmicMedia", *patiently("algorithmicMedia")])
def test_the_source_type_of_the_users_file_stays(tmp_path: Path, source_type: str) -> None:
    task = a_task(tmp_path)
    assert task.seen is not None
    assert made(replace(task, seen=replace(task.seen, source_type=source_type))).source_type == source_type


def test_over_a_picture_that_a_model_made_nothing_is_drawn(tmp_path: Path) -> None:
    task = a_task(tmp_path, prompt="in the snow", from_picture=False, seen=None, source=None, style="poster")
    output = made(task, Picture(tmp_path / "source.png", "tiny", "trainedAlgorithmicMedia"))
    assert output.parameters == {"picture_by": "tiny", "move": "pan"}
    assert output.source_type == "trainedAlgorithmicMedia"
    film = motion._film(task, 1, 7, scene()).frames
    for ours, bare in zip(film, camera.frames(scene(), 1, 7, FRAME, 3, 1), strict=True):
        assert (ours == bare).all()


@pytest.mark.parametrize("style", ["cinematic", *patiently("watercolour", "dramatic")])
def test_the_border_of_a_style_stands_still(tmp_path: Path, style: str) -> None:
    task = a_task(tmp_path, styles=("plain", style), numbers=(2,), size=Size(320, 180))
    film = [frame.copy() for frame in motion._film(task, 2, 7, scene()).frames]
    if style == "dramatic":
        assert styled.border(style, task.size) is None
        return
    for line in (film[0][:4], film[0][-4:]):
        assert numpy.ptp(line[..., :3].mean(axis=2)) < 12
    assert (film[0][:3] == film[-1][:3]).all()
    assert (film[0][90] != film[-1][90]).any()


@pytest.mark.parametrize("style", ["cinematic", *patiently("poster")])
def test_a_still_in_a_style_lies_where_it_lay(style: str) -> None:
    still = scene()
    graded = styled.graded(still, style, 1)
    assert graded.size == still.size
    assert abs(styled._lowered(still, graded)) <= 1


def test_it_is_reckoned_how_long_it_takes(tmp_path: Path) -> None:
    assert 0 < motion._measure(a_task(tmp_path)) < 60
    assert 0 < motion._measure(a_task(tmp_path, from_picture=False, source=None, seen=None)) < 60
