"""Pictures: batches as memory allows, the same noise for an item whatever is made beside it, progress by step."""

import math
from collections.abc import Iterator
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING, Any

from aigen.errors import GenerationError
from aigen.models import device
from aigen.models.catalogue import Model, display_name
from aigen.models.device import explained, quietly
from aigen.pipelines.diffusion.call import Call, is_guided, only_known, source_type_of, strength, watched
from aigen.pipelines.diffusion.loading import Loaded, guarded, recover
from aigen.types.pipeline import Failure, Output, Picture, Run, Task
from aigen.types.request import Size

if TYPE_CHECKING:
    from PIL.Image import Image

# Sides that every model can make; what is more than asked for is cut off.
_MULTIPLE = 32
# The least side of a picture that is made to see how long others take.
_SMALLEST = 64


def make(loaded: Loaded, model: Model, task: Task, run: Run) -> Iterator[Output | Failure]:
    """The pictures of a task, in order. On too little memory fewer at a time, then in tiles. Raises GenerationError."""
    call = Call.of(loaded, model, task, _MULTIPLE)
    for told in call.remarks():
        run.say(told)
    with explained(model.name, loaded.folder, "failed", "try again"):
        run.expect(lambda: _measure(call, run))
    name, decoder = display_name(model.name), getattr(loaded.pipeline, "vae", None)
    waiting = list(zip(task.numbers, task.seeds, strict=True))
    batch, tiled = loaded.setup.batch, False
    try:
        while waiting:
            items = waiting[:batch]
            made = _attempt(call, items, run)
            if made is not None:
                yield from made
                waiting = waiting[batch:]
            elif len(items) > 1:
                batch = len(items) // 2
                at_once = f"{batch} at a time" if batch > 1 else "one at a time"
                run.say(f"not enough memory for {len(items)} pictures at once: {name} makes {at_once}")
            elif not tiled and decoder is not None and hasattr(decoder, "use_tiling"):
                tiled = True
                decoder.enable_tiling()
                run.say(f"not enough memory for {task.size} as a whole: {name} decodes it in tiles")
            else:
                raise GenerationError(
                    f"not enough memory for one picture of {task.size}: give a smaller --size, add --fast, or choose a "
                    "smaller model (aigen models)"
                )
    finally:
        if tiled and decoder is not None:
            decoder.disable_tiling()  # the next order may have smaller pictures


def _attempt(call: Call, items: list[tuple[int, int]], run: Run) -> list[Output | Failure] | None:
    """The pictures of a batch; None where memory is too short for so many."""
    loaded = call.loaded
    try:
        with guarded(loaded, call.model):
            return _make(call, items, run)
    except Exception as error:
        if not device.is_out_of_memory(error):
            raise
    # Not before the error is gone, which holds what was in the making.
    recover(loaded)
    device.free_memory(loaded.setup.device)
    return None


def _make(call: Call, items: list[tuple[int, int]], run: Run) -> list[Output | Failure]:
    """The pictures of these numbers and seeds, made in one batch."""
    import torch

    from aigen.media.encoding import open_fitting, save_png

    task, pipeline, count = call.task, call.loaded.pipeline, len(items)
    starts = _starts(call, items, run)
    # On the processor whatever runs the model, and one each: the same noise everywhere, in a batch or alone.
    arguments = call.arguments([number for number, _ in items]) | {
        "generator": [torch.Generator("cpu").manual_seed(seed) for _, seed in items]
    }
    if starts:
        pipeline = _from_picture(pipeline)
        arguments |= {
            "image": [open_fitting(start.path, call.size) for start in starts],
            "strength": strength(task.options),
        }
    with quietly():
        found = pipeline(**only_known(pipeline, arguments), **watched(pipeline, run, count))
    replaced = getattr(found, "nsfw_content_detected", None) or [False] * count
    if starts:
        recover(call.loaded)  # what waits outside a GPU does so only for the pipeline that it was loaded by
    source_type = source_type_of(starts[0] if starts else None)
    made: list[Output | Failure] = []
    for (number, seed), image, unsafe in zip(items, found.images, replaced, strict=True):
        if unsafe:
            told = f"the safety checker of {call.name} took it away: change the prompt or the seed"
            made.append(Failure(seed, told))
            continue
        path = task.work / f"image-{number}.png"
        save_png(_pixels(image, call), path)
        made.append(Output(path, seed, call.parameters(pipeline), source_type))
    return made


def _measure(call: Call, run: Run) -> float:
    """The seconds that a picture will take, judged by one step of a picture of a quarter of its sides."""
    import torch

    times: list[float] = []
    small = Size(*(max(_SMALLEST, side // 4 // _MULTIPLE * _MULTIPLE) for side in (call.size.width, call.size.height)))
    pipeline, once = call.loaded.pipeline, replace(call, size=small, steps=1)
    arguments = once.arguments(call.task.numbers[:1]) | {"generator": torch.Generator("cpu").manual_seed(0)}
    with quietly():
        pipeline(**only_known(pipeline, arguments), **watched(pipeline, run, step=lambda *_: times.append(monotonic())))
    times.append(monotonic())
    began, stepped, ended = times[0], times[-2], times[-1]
    larger = call.size.width * call.size.height / (small.width * small.height)
    steps = math.ceil(call.steps * strength(call.task.options)) if is_guided(call.task) else call.steps
    return larger * (steps * (stepped - began) + ended - stepped)


def _starts(call: Call, items: list[tuple[int, int]], run: Run) -> list[Picture]:
    """What the pictures of these numbers and seeds start from: the user's picture, or those that a guide draws."""
    if call.task.starts_from_picture:
        return [given for given in run.pictures([seed for _, seed in items], None) if isinstance(given, Picture)]
    return [_drawn(call, number, seed, run) for number, seed in items] if is_guided(call.task) else []


def _drawn(call: Call, number: int, seed: int, run: Run) -> Picture:
    """The picture that the built-in illustrator draws of the same prompt."""
    from aigen.pipelines.storybook.items import make_item

    work = call.task.work / "guides"
    work.mkdir(exist_ok=True)
    run.step(0, 1, "drawing the guide…")
    task = replace(call.task, numbers=(number,), seeds=(seed,), size=call.size, work=work)
    drawn = make_item(task, lambda *_: None)
    return Picture(drawn.path, call.task.options.guide, drawn.source_type)


def _from_picture(pipeline: Any) -> Any:
    """The same model as a pipeline that starts from a picture; it shares the weights."""
    from diffusers import AutoPipelineForImage2Image

    with quietly():
        guided = AutoPipelineForImage2Image.from_pipe(pipeline)
    guided.set_progress_bar_config(disable=True)
    return guided


def _pixels(image: "Image", call: Call) -> Any:
    """The middle of a picture, of the size asked for, as RGBA."""
    import numpy

    if image.size != (call.size.width, call.size.height):
        image = image.resize((call.size.width, call.size.height))  # some models have sizes of their own
    return numpy.asarray(image.crop(call.crop).convert("RGBA"))
