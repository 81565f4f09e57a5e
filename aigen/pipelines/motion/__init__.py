"""`motion`: videos of still pictures, whoever made them: slow camera moves with depth.

It needs no weights, and says what it is: nothing in the picture moves by itself. `depth` guesses from a picture what is
near, `segmentation` finds its subjects, `layers` parts it with what `inpainting` puts behind them, and `camera` moves
over it. Pictures of the user's own are `styled`, and get weather and light laid over them (`overlay`); models have
drawn theirs already.
"""

from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from time import perf_counter
from typing import TYPE_CHECKING

from aigen.settings import NO_SETTINGS, Settings
from aigen.types.pipeline import Abilities, Failure, Output, Picture, Run, Task
from aigen.types.request import Size
from aigen.types.seen import KEPT_SOURCE_TYPES

if TYPE_CHECKING:
    from PIL.Image import Image

    from aigen.media.encoding import Pixels

# What a video of the user's own picture is, unless its file says more.
_OWN = "algorithmicallyEnhanced"
# Frames that are drawn to measure how long one takes.
_MEASURED = 3
# How many pixels of a still of the user's are prepared for one of a frame: as many as the camera ever looks at.
_PREPARED = 1.3
# How sure something must have been seen, and what others stand on or before: part of the background.
_SURE = 0.4
_BEHIND = {"bed", "bench", "bus", "couch", "dining table", "train", "truck"}


class Motion:
    abilities = Abilities(
        label="camera moves over stills, with light and weather; no generative model",
        kinds=("video",),
        starts_from="picture",
    )

    def __init__(self, settings: Settings = NO_SETTINGS) -> None:
        """Uses no settings."""

    def check(self, task: Task) -> None:
        """It can always move."""

    def price(self, task: Task) -> float | None:
        return None if task.image_price is None else task.image_price * len(task.numbers)

    def generate(self, task: Task, run: Run) -> Generator[Output | Failure, None, None]:
        # Before the first picture is painted, of which this is the rest of the work;
        # one of the user's is there already.
        seconds = None if task.from_picture else _measure(task)
        for number, seed in zip(task.numbers, task.seeds, strict=True):
            (picture,) = run.pictures([seed], seconds)
            # Unless whoever made the picture has said more.
            run.expect(lambda: _measure(task) if seconds is None else seconds)
            yield picture if isinstance(picture, Failure) else _move(task, number, seed, picture, run)


def _move(task: Task, number: int, seed: int, picture: Picture, run: Run) -> Output:
    from PIL import Image

    from aigen.media.encoding import VideoWriter

    path = task.work / f"video-{number}.mp4"
    with Image.open(picture.path) as image:
        still = image.convert("RGB")
    filmed = _film(task, number, seed, still)
    with VideoWriter(path, task.size, task.fps) as video:
        for count, pixels in enumerate(filmed.frames, 1):
            video.write(pixels)
            run.step(count, task.frames, "frame")
    own = task.seen.derived_source_type if task.from_picture and task.seen else _OWN
    return Output(
        path,
        seed,
        picture.metadata() | filmed.told,
        picture.source_type if picture.source_type in KEPT_SOURCE_TYPES else own,
    )


@dataclass(frozen=True)
class _Filmed:
    """The frames of a video, and what is said of them in its file."""

    frames: Iterator["Pixels"]
    told: dict[str, str | int]


def _film(task: Task, number: int, seed: int, still: "Image", frames: int | None = None) -> _Filmed:
    """A still filmed for an item; one of the user's own in the style of that, with what the prompt says over it."""
    from aigen.media.encoding import fit
    from aigen.pipelines.motion import camera, overlay, styled

    frames = frames or task.frames
    told: dict[str, str | int] = {"move": camera.move_of(number)}
    if not task.from_picture:
        return _Filmed(camera.frames(still, number, seed, task.size, frames, task.fps), told)
    large = Size(round(task.size.width * _PREPARED), round(task.size.height * _PREPARED))
    boxes = camera.fitted(_boxes(task, still), Size(*still.size), large)
    still = fit(still, large)
    style = task.style_of(number)
    # What only describes the picture is in it already, be it snow.
    wanted = "" if task.seen and task.prompt == task.seen.prompt else task.prompt
    drawn = overlay.choose(wanted, number, seed, task.size, task.frames / task.fps, still, boxes)
    altered = drawn.toned(still if style == "plain" else styled.graded(still, style, seed))
    framed = replace(drawn, border=styled.border(style, task.size))
    count, film = camera.film(
        altered, number, seed, task.size, frames, task.fps, boxes=boxes, original=still, overlay=framed
    )
    return _Filmed(film, told | {"over_it": drawn.told, "layers": count})


def _boxes(task: Task, still: "Image") -> list[tuple[float, float, float, float]]:
    """Where in the still something was seen, in its own pixels."""
    if task.seen is None:
        return []
    across, down = still.width / task.seen.width, still.height / task.seen.height
    boxes = [each.box for each in task.seen.objects if each.score >= _SURE and each.name not in _BEHIND]
    return [(left * across, top * down, right * across, bottom * down) for left, top, right, bottom in boxes]


def _measure(task: Task) -> float:
    """Seconds that the frames of one video will take, judged by a few of them:
    of the user's picture, or of a grey one.
    """
    from PIL import Image

    picture = Image.new("RGB", (task.size.width, task.size.height), "gray")
    times = [perf_counter()]
    if task.from_picture and task.source and task.source.exists():
        with Image.open(task.source) as image:
            picture = image.convert("RGB")
    for _ in _film(task, task.numbers[0], 0, picture, _MEASURED + 1).frames:
        times.append(perf_counter())
    first, last = times[1], times[-1]  # until the first, it is prepared
    return first - times[0] + (last - first) / _MEASURED * task.frames
