"""Pictures: batches as memory allows, the same noise for an item whatever is made beside it, progress by step."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from inspect import Parameter, signature
from typing import TYPE_CHECKING, Any

from aigen.errors import AigenError, GenerationError
from aigen.pipelines.catalogue import Model, shown
from aigen.pipelines.diffusion import device
from aigen.pipelines.diffusion.loading import Loaded, explained, quietly, recover, release
from aigen.pipelines.diffusion.prompts import styled
from aigen.types import Failure, Options, Output, Run, Size, Task

if TYPE_CHECKING:
    from PIL.Image import Image

# Sides that every model can make; what is more than asked for is cut off.
_MULTIPLE = 32
# How much of a guiding picture is made anew, unless the user says.
STRENGTH = 0.6
_MARK = "trainedAlgorithmicMedia"


def make(loaded: Loaded, model: Model, task: Task, run: Run) -> Iterator[Output | Failure]:
    """The pictures of a task, in order. On too little memory fewer at a time, then in tiles. Raises GenerationError."""
    order = _Order.of(loaded, model, task)
    for told in order.remarks():
        run.say(told)
    name, decoder = shown(model.name), getattr(loaded.pipeline, "vae", None)
    waiting = list(zip(task.numbers, task.seeds, strict=True))
    batch, tiled = loaded.setup.batch, False
    try:
        while waiting:
            items = waiting[:batch]
            made = _attempt(order, items, run)
            if made is not None:
                yield from made
                waiting = waiting[batch:]
            elif len(items) > 1:
                batch = len(items) // 2
                at_once = f"{batch} at a time" if batch > 1 else "one at a time"
                run.say(f"not enough memory for {len(items)} pictures at once: {name} makes {at_once}")
            elif not tiled and decoder is not None and hasattr(decoder, "enable_tiling"):
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


def _attempt(order: "_Order", items: list[tuple[int, int]], run: Run) -> list[Output | Failure] | None:
    """The pictures of a batch; None where memory is too short for so many."""
    loaded = order.loaded
    try:
        return order.make(items, run)
    except (AigenError, OSError):  # cancelled; the disk is full
        recover(loaded)
        raise
    except Exception as error:
        if not device.is_out_of_memory(error):
            release()  # whatever state it is in, the next order begins anew
            with explained(order.model, loaded.folder, "failed", "try again"):
                raise
    # Not before the error is gone, which holds what was in the making.
    recover(loaded)
    device.free_memory(loaded.setup.device)
    return None


@dataclass(frozen=True)
class _Order:
    """What is the same for all pictures of a task: the call of the pipeline, all but its noise and its first picture."""

    loaded: Loaded
    model: Model
    task: Task
    steps: int
    guidance: float | None  # None: the pipeline knows none
    size: Size  # what the model makes: at least what was asked for

    @classmethod
    def of(cls, loaded: Loaded, model: Model, task: Task) -> "_Order":
        options, known = task.options, _known_to(loaded.pipeline)
        steps = options.steps or model.steps or known["num_inference_steps"].default
        if options.guide and "LatentConsistency" not in type(loaded.pipeline).__name__:  # which takes all its steps
            steps = max(steps, math.ceil(1 / _strength(options)))
        guidance = next(
            (
                value
                for value in (options.guidance, model.guidance, getattr(known.get("guidance_scale"), "default", None))
                if value is not None and "guidance_scale" in known
            ),
            None,
        )
        width, height = (math.ceil(side / _MULTIPLE) * _MULTIPLE for side in (task.size.width, task.size.height))
        return cls(loaded, model, task, steps, guidance, Size(width, height))

    def remarks(self) -> Iterator[str]:
        """What the user should know of how this order is understood."""
        options, name = self.task.options, shown(self.model.name)
        if options.negative and not self._heeds_negatives():
            why = "" if self._is_deaf() else f" at guidance {self.guidance or 0:g}: give --guidance above 1"
            yield f"{name} heeds no negative prompt{why}"
        if options.guidance is not None and self.guidance is None:
            yield f"{name} knows no guidance: it is left out"
        if self.task.options.guide and self.steps > (options.steps or self.model.steps or self.steps):
            yield f"{name} takes {self.steps} steps, so that of a guide at strength {_strength(options)} one is made"
        if left_out := self._left_out():
            yield f"{name} reads only the first words of so long a prompt; left out: {left_out}"

    def make(self, items: list[tuple[int, int]], run: Run) -> list[Output | Failure]:
        """The pictures of these numbers and seeds, made in one batch."""
        import torch

        from aigen.media import save_png

        task, pipeline, count = self.task, self.loaded.pipeline, len(items)
        arguments: dict[str, Any] = {
            "prompt": [styled(task.prompt, task.style)] * count,
            # On the processor whatever runs the model, and one each: the same noise everywhere, in a batch or alone.
            "generator": [torch.Generator("cpu").manual_seed(seed) for _, seed in items],
            "num_inference_steps": self.steps,
            "guidance_scale": self.guidance,
            "negative_prompt": [task.options.negative] * count if self._heeds_negatives() else None,
            "width": self.size.width,
            "height": self.size.height,
            **self.model.arguments,
        }
        if task.options.guide:
            pipeline = _from_picture(pipeline)
            arguments["image"] = [self._drawn(number, seed, run) for number, seed in items]
            arguments["strength"] = _strength(task.options)
        known = _known_to(pipeline)
        arguments = {name: value for name, value in arguments.items() if name in known and value is not None}
        with quietly():
            found = pipeline(**arguments, **_watched(pipeline, run, count))
        replaced = getattr(found, "nsfw_content_detected", None) or [False] * count
        made: list[Output | Failure] = []
        for (number, seed), image, unsafe in zip(items, found.images, replaced, strict=True):
            if unsafe:
                name = shown(self.model.name)
                told = f"the safety checker of {name} took it away: change the prompt or the seed"
                made.append(Failure(seed, told))
                continue
            path = task.work / f"image-{number}.png"
            save_png(_pixels(image, self.size, task.size), path)
            made.append(Output(path, seed, self._parameters(pipeline), _MARK))
        return made

    def _parameters(self, pipeline: Any) -> dict[str, Any]:
        """What a picture was made with beside its prompt, seed, size and style."""
        options = self.task.options
        told: dict[str, Any] = {
            "steps": self.steps,
            "guidance": self.guidance,
            "negative_prompt": options.negative if self._heeds_negatives() else None,
            "sampler": type(pipeline.scheduler).__name__,
            "precision": self.loaded.setup.precision,
            "guide": options.guide,
            "strength": _strength(options) if options.guide else None,
            "fast": self.loaded.fast or None,
            # Its name says to nobody else which model it was.
            "source": "a folder" if self.model.folder else None,
        }
        return {name: value for name, value in told.items() if value is not None}

    def _is_deaf(self) -> bool:
        """Whether the pipeline takes no negative prompt, or heeds one only in ways that we do not use."""
        known = _known_to(self.loaded.pipeline)
        return "negative_prompt" not in known or "true_cfg_scale" in known

    def _heeds_negatives(self) -> bool:
        """Whether there is a negative prompt that changes anything: guidance pulls away from it."""
        least = 0 if "ZImage" in type(self.loaded.pipeline).__name__ else 1
        guided = self.guidance is not None and self.guidance > least
        return bool(self.task.options.negative) and guided and not self._is_deaf()

    def _left_out(self) -> str:
        """The end of the prompt that no text encoder reads: those of Stable Diffusion read 77 tokens."""
        pipeline = self.loaded.pipeline
        tokenizers = [
            tokenizer
            for name in pipeline.components
            if name.startswith("tokenizer") and (tokenizer := getattr(pipeline, name))
        ]
        if not tokenizers or any(tokenizer.model_max_length != 77 for tokenizer in tokenizers):
            return ""
        tokens = tokenizers[0](styled(self.task.prompt, self.task.style), verbose=False).input_ids
        return str(tokenizers[0].decode(tokens[76:-1], skip_special_tokens=True)).strip()

    def _drawn(self, number: int, seed: int, run: Run) -> "Image":
        """The picture that the built-in illustrator draws of the same prompt, to start from."""
        from PIL import Image

        from aigen.pipelines.storybook import make_item

        task = replace(self.task, numbers=(number,), seeds=(seed,), size=self.size, work=self.task.work / "guides")
        task.work.mkdir(exist_ok=True)
        run.step(0, 1, "drawing the guide…")
        return Image.open(make_item(task, lambda *_: None).path).convert("RGB")


def _strength(options: Options) -> float:
    return options.strength or STRENGTH


def _known_to(pipeline: Any) -> Mapping[str, Parameter]:
    """The arguments that a pipeline can be called with."""
    return signature(pipeline.__call__).parameters


def _from_picture(pipeline: Any) -> Any:
    """The same model as a pipeline that starts from a picture; it shares the weights."""
    from diffusers import AutoPipelineForImage2Image

    with quietly():
        guided = AutoPipelineForImage2Image.from_pipe(pipeline)
    guided.set_progress_bar_config(disable=True)
    return guided


def _watched(pipeline: Any, run: Run, count: int) -> dict[str, Any]:
    """The arguments that make a pipeline tell each step of a batch, where it can, and stop when the order is cancelled."""

    def tell(done: int) -> None:
        total = max(done, getattr(pipeline, "num_timesteps", None) or len(pipeline.scheduler.timesteps))
        run.check()
        # Decoding counts as a step: without a GPU it takes as long as several others.
        text = f"step {done} of {total}" if done < total else "decoding…"
        run.step(done, total + 1, text, (count - 1) * done / (total + 1))

    def on_step_end(_: Any, step: int, __: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        tell(step + 1)
        return tensors

    run.step(0, 1, "reading the prompt…")
    known = _known_to(pipeline)
    if "callback_on_step_end" in known:
        return {"callback_on_step_end": on_step_end}
    if "callback" in known:  # PixArt has only this one
        return {"callback": lambda step, *_: tell(step + 1), "callback_steps": 1}
    return {}


def _pixels(image: "Image", made: Size, wanted: Size) -> Any:
    """The middle of a picture, of the size asked for, as RGBA."""
    import numpy

    if image.size != (made.width, made.height):
        image = image.resize((made.width, made.height))  # some models have sizes of their own
    left, top = (made.width - wanted.width) // 2, (made.height - wanted.height) // 2
    return numpy.asarray(image.crop((left, top, left + wanted.width, top + wanted.height)).convert("RGBA"))
