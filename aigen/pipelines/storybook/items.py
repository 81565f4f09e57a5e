"""Make the files of a task: drawn scenes, or the user's picture itself, graded."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aigen.errors import GenerationError
from aigen.pipelines.storybook.understanding.from_photo import PhotoPlan, plan_of
from aigen.pipelines.storybook.understanding.plan import Plan, make_plan, with_boxes
from aigen.types.pipeline import Output, Task
from aigen.types.request import Size
from aigen.types.seen import ImageDescription

if TYPE_CHECKING:
    from aigen.media.encoding import Pixels
    from aigen.pipelines.storybook.drawing.tinting import Tones
    from aigen.pipelines.storybook.scene import Scene

# Of images that are made from a picture, the third of five is the picture itself: the photorealistic one, where they
# are in several styles, since no scene can be that.
OF_FIVE, GRADED = 5, 3
# Where all five are the picture itself, each shows another part of it: its share, and from where.
FRAMINGS = ((0.92, 0.5, 0.4), (0.84, 0.1, 0.3), (1.0, 0.5, 0.5), (0.84, 0.9, 0.5), (0.75, 0.5, 0.5))


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
    from aigen.media.encoding import VideoWriter, save_png
    from aigen.pipelines.storybook.scene import STILL_AT, Scene

    (number,), (seed,) = task.numbers, task.seeds
    photo_plan = _photo_plan(task)
    if _is_graded(task, number, photo_plan):
        return _grade_item(task, step)
    step(0, task.frames, "planning the scene")
    style = _style(task.style_of(number))
    plan = _planned(task.prompt, task.style_of(number), photo_plan)
    scene = Scene(plan, style, number, seed, task.size, photo_plan, _tones(task))
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


def _grade_item(task: Task, step: Callable[[int, int, str], None]) -> Output:
    """The picture itself, in the style of the one item that a task is of."""
    from aigen.media.encoding import PNG_LEVEL, open_fitting
    from aigen.pipelines.storybook.drawing.grading import grade

    (number,), (seed,) = task.numbers, task.seeds
    step(0, 1, "grading the picture")
    style = task.style_of(number)
    path = task.work / f"{task.kind}-{number}.png"
    share, across, down = FRAMINGS[(number - 1) % OF_FIVE]
    width, height = round(task.size.width / share), round(task.size.height / share)
    left, top = round((width - task.size.width) * across), round((height - task.size.height) * down)
    framed = open_fitting(_source(task), Size(width, height))
    framed = framed.crop((left, top, left + task.size.width, top + task.size.height))
    graded = grade(framed, style, seed)
    graded.save(path, format="PNG", compress_level=PNG_LEVEL)
    source_type = task.seen.derived_source_type if task.seen else "algorithmicallyEnhanced"
    return Output(path, seed, {"style": style, "graded": "the picture itself"}, source_type)


def _is_graded(task: Task, number: int, photo_plan: PhotoPlan | None) -> bool:
    """Whether an item is the picture itself: one of five, and all where nothing is known that could be drawn."""
    if task.kind != "image" or not task.from_picture:
        return False
    return number % OF_FIVE == GRADED or not (photo_plan and photo_plan.plan.objects)


def _photo_plan(task: Task) -> PhotoPlan | None:
    """What is seen in the picture that a task starts from, and where."""
    if not task.from_picture:
        return None
    return plan_of(task.prompt, task.seen or ImageDescription(width=task.size.width, height=task.size.height))


def _tones(task: Task) -> "Tones | None":
    """The colours of the picture that a task starts from."""
    if not task.from_picture:
        return None
    from PIL import Image

    from aigen.pipelines.storybook.drawing.tinting import tones_of

    with Image.open(_source(task)) as picture:
        return tones_of(picture)


def _source(task: Task) -> Path:
    if task.source is None or not task.source.exists():
        raise GenerationError("the picture that it starts from is gone")
    return task.source


def _style(style: str) -> str:
    """The style that is drawn where one is asked for."""
    from aigen.pipelines.storybook.drawing.scenery import STYLE_INSTEAD

    return STYLE_INSTEAD.get(style, style)


def _planned(prompt: str, style: str, photo_plan: PhotoPlan | None = None) -> Plan:
    """The plan of a prompt, or of what is seen; the style `night` makes it one by night."""
    plan = photo_plan.plan if photo_plan else make_plan(prompt)
    return replace(plan, time="night") if style == "night" else plan


def remarks(task: Task) -> Iterator[str]:
    """Yield what the user should know before a task is drawn."""
    yield from _told_of_styles(task)
    if task.from_picture:
        yield from _told_of_picture(task, _photo_plan(task))
    else:
        yield from _told(make_plan(task.prompt))


def _told_of_styles(task: Task) -> Iterator[str]:
    """In which styles no scene is drawn."""
    photo_plan = _photo_plan(task)
    for number in task.numbers:
        asked = task.style_of(number)
        if _style(asked) != asked and not _is_graded(task, number, photo_plan):
            yield f"storybook has no style {asked!r}: it draws {_style(asked)!r} instead"


def _told_of_picture(task: Task, photo_plan: PhotoPlan | None) -> Iterator[str]:
    """What a user should know of what is seen and said: what of it is not drawn."""
    assert photo_plan
    if not photo_plan.plan.objects and task.kind == "image":
        yield "storybook recognises nothing that it could draw: the images are the picture itself, graded in its styles"
    elif photo_plan.missing:
        yield f"storybook has no picture of: {', '.join(photo_plan.missing)}"
    own = task.seen is None or task.prompt != task.seen.prompt
    language = photo_plan.plan.language if own else "en"
    yield from _told(replace(photo_plan.plan, unmatched=photo_plan.unplaced, language=language))


def _told(plan: Plan) -> Iterator[str]:
    """What a user should know of a plan: what of the prompt is not in it."""
    from aigen.pipelines.storybook.drawing.lettering import can_set

    if plan.language is None:
        yield (
            "storybook cannot read this language (it reads English, German, Spanish, "
            "French, Hindi) and draws a scene of its own"
        )
    elif plan.unmatched:
        words = ", ".join(plan.unmatched)
        yield f"storybook could not place: {words}; a generative model would try: aigen models"
    if plan.caption and not can_set(plan.caption):
        yield "storybook has no letters for the caption and leaves it out"
