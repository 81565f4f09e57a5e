"""`storybook`, the built-in illustrator: understands the prompt, plans a scene, draws and animates it from artwork.

It needs no weights, no GPU and no network, and it says what it is: no generative model. From words to frames it goes through
four rooms: `understanding` (words to a plan), `composing` (a plan to places), `drawing` (artwork, light, everything that stands
still), `moving` (rigs, camera, weather). `scene` brings them together, `crew` has items made side by side; this module makes
files of them. CONTRIBUTING.md shows where a new setting, rig or style goes.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from aigen.errors import GenerationError
from aigen.pipelines.storybook.understanding.plan import Plan, make_plan, with_boxes
from aigen.request import DEFAULT_LENGTH, DEFAULT_SIZES, Kind, Size
from aigen.types import Output, Run, Start, Task

if TYPE_CHECKING:
    from aigen.media import Pixels
    from aigen.pipelines.storybook.crew import Crew
    from aigen.pipelines.storybook.scene import Scene

# What to do where skia cannot be loaded, most often for want of system libraries that it does not bring along.
DRAWING_ADVICE = (
    "install the system's OpenGL libraries (Debian: apt-get install libgl1 libegl1 libexpat1 libfontconfig1)"
)


class Storybook:
    kinds: tuple[Kind, ...] = ("image", "video")
    label = "built-in illustrator, not a generative model"
    sizes = DEFAULT_SIZES
    length = DEFAULT_LENGTH
    most = None
    start: Start = "prompt"
    options: frozenset[str] = frozenset()

    def __init__(self) -> None:
        self._crew: Crew | None = None

    def check(self, task: Task) -> None:
        """It can always draw."""

    def plan(self, prompt: str) -> dict[str, Any]:
        """The scene that would be drawn for a prompt."""
        return make_plan(prompt).as_json()

    def compose(self, prompt: str, number: int, seed: int, size: Size) -> dict[str, Any]:
        """The scene of one item with the boxes of its things, without making a file."""
        from aigen.pipelines.storybook.scene import Scene

        plan = make_plan(prompt)
        return with_boxes(plan, Scene(plan, "plain", number, seed, size).boxes())

    def generate(self, task: Task, run: Run) -> Iterator[Output]:
        from aigen.pipelines.storybook.crew import Crew, hands_for

        try:
            import skia  # noqa: F401
        except ImportError as error:
            raise GenerationError(f"drawing does not work here ({error}): {DRAWING_ADVICE}") from error
        plan, style = _planned(task.prompt, task.style), _style(task.style)
        if style != task.style:
            run.say(f"storybook has no style {task.style!r}: it draws {style!r} instead")
        for told in _told(plan):
            run.say(told)
        hands = hands_for(task)
        if hands > 1:
            crew = self._crew or Crew()
            self._crew = None  # where this task fails or is given up, so are they
            yield from crew.make(task, run, hands)
            self._crew = crew
            return
        for number, seed in zip(task.numbers, task.seeds, strict=True):
            yield make_item(replace(task, numbers=(number,), seeds=(seed,)), run.step)


def film(prompt: str, style: str, number: int, seed: int, size: Size, frames: int, fps: int) -> Iterator["Pixels"]:
    """A scene of a prompt in motion: so many opaque RGBA frames of shape (height, width, 4), all in one array."""
    from aigen.pipelines.storybook.scene import Scene

    return _frames(Scene(_planned(prompt, style), _style(style), number, seed, size), size, frames, fps)


def _frames(scene: "Scene", size: Size, frames: int, fps: int) -> Iterator["Pixels"]:
    pixels, canvas = _paper(size)
    for frame in range(frames):
        scene.draw(canvas, frame / fps, frames / fps)
        yield pixels


def _paper(size: Size) -> tuple["Pixels", Any]:
    """Pixels, and a canvas that draws on them."""
    import numpy
    import skia

    pixels = numpy.zeros((size.height, size.width, 4), numpy.uint8)
    return pixels, skia.Surface(pixels, colorType=skia.kRGBA_8888_ColorType).getCanvas()


def make_item(task: Task, step: Callable[[int, int, str], None]) -> Output:
    """Draw the one item that a task is of, and tell each step."""
    from aigen.media import VideoWriter, save_png
    from aigen.pipelines.storybook.scene import STILL_AT, Scene

    (number,), (seed,) = task.numbers, task.seeds
    step(0, task.frames, "planning the scene")
    plan, style = _planned(task.prompt, task.style), _style(task.style)
    scene = Scene(plan, style, number, seed, task.size)
    if task.kind == "image":
        duration = 0.0
        path = task.work / f"{task.kind}-{number}.png"
        step(0, 1, "drawing")
        pixels, canvas = _paper(task.size)
        scene.draw(canvas, STILL_AT, duration)
        save_png(pixels, path)
    else:
        duration = task.frames / task.fps
        path = task.work / f"{task.kind}-{number}.mp4"
        with VideoWriter(path, task.size, task.fps) as video:
            for count, pixels in enumerate(_frames(scene, task.size, task.frames, task.fps), 1):
                video.write(pixels)
                step(count, task.frames, "frame")
    return Output(path, seed, {"style": style, "scene": with_boxes(plan, scene.boxes(duration))}, "algorithmicMedia")


def _style(style: str) -> str:
    """The style that is drawn where one is asked for."""
    from aigen.pipelines.storybook.drawing.scenery import STYLE_INSTEAD

    return STYLE_INSTEAD.get(style, style)


def _planned(prompt: str, style: str) -> Plan:
    """The plan of a prompt; the style `night` makes it one by night."""
    plan = make_plan(prompt)
    return replace(plan, time="night") if style == "night" else plan


def _told(plan: Plan) -> Iterator[str]:
    """What a user should know of a plan: what of the prompt is not in it."""
    from aigen.pipelines.storybook.drawing.lettering import can_set

    if plan.language is None:
        yield "storybook cannot read this language (it reads English, German, Spanish, French, Hindi) and draws a scene of its own"
    elif plan.unmatched:
        words = ", ".join(plan.unmatched)
        yield f"storybook could not place: {words}; a generative model would try: aigen models"
    if plan.caption and not can_set(plan.caption):
        yield "storybook has no letters for the caption and leaves it out"
