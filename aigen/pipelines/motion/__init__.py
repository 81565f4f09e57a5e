"""`motion`: videos of still pictures, whoever made them: slow camera moves with depth.

It needs no weights, and says what it is: nothing in the picture moves by itself. `depth` guesses from a picture what is near,
`camera` moves over it.
"""

from collections.abc import Iterator, Mapping
from time import perf_counter

from aigen.request import DEFAULT_LENGTH, DEFAULT_SIZES, Kind, Size
from aigen.types import Failure, Output, Picture, Run, Start, Task

# What a video of a picture by a model is, and of one that was drawn, or is the user's own.
_MARKS = {"trainedAlgorithmicMedia": "trainedAlgorithmicMedia", "algorithmicMedia": "algorithmicMedia"}
_OWN = "algorithmicallyEnhanced"
# Frames that are drawn to measure how long one takes.
_MEASURED = 3


class Motion:
    kinds: tuple[Kind, ...] = ("video",)
    label = "camera moves over still pictures, not a generative model of videos"
    sizes: Mapping[Kind, Size] = DEFAULT_SIZES
    length = DEFAULT_LENGTH
    most = None
    start: Start = "picture"
    options: frozenset[str] = frozenset()

    def check(self, task: Task) -> None:
        """It can always move."""

    def generate(self, task: Task, run: Run) -> Iterator[Output | Failure]:
        seconds = _measure(task)
        for number, seed in zip(task.numbers, task.seeds, strict=True):
            (picture,) = run.pictures([seed], seconds)
            run.expect(lambda: seconds)  # unless whoever made the picture has said more
            yield picture if isinstance(picture, Failure) else _move(task, number, seed, picture, run)


def _move(task: Task, number: int, seed: int, picture: Picture, run: Run) -> Output:
    from PIL import Image

    from aigen.media import VideoWriter
    from aigen.pipelines.motion import camera

    path = task.work / f"video-{number}.mp4"
    with Image.open(picture.path) as image, VideoWriter(path, task.size, task.fps) as video:
        frames = camera.frames(image.convert("RGB"), number, seed, task.size, task.frames, task.fps)
        for count, pixels in enumerate(frames, 1):
            video.write(pixels)
            run.step(count, task.frames, "frame")
    parameters = picture.told() | {"move": camera.move_of(number)}
    return Output(path, seed, parameters, _MARKS.get(picture.media or "", _OWN))


def _measure(task: Task) -> float:
    """Seconds that the frames of one video will take, judged by a few of them."""
    from PIL import Image

    from aigen.pipelines.motion import camera

    picture = Image.new("RGB", (task.size.width, task.size.height), "gray")
    times = [perf_counter()]
    for _ in camera.frames(picture, 1, 0, task.size, _MEASURED + 1, task.fps):
        times.append(perf_counter())
    first, last = times[1], times[-1]  # until the first, it is prepared
    return first - times[0] + (last - first) / _MEASURED * task.frames
