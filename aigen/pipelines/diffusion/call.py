"""What a pipeline of diffusers is called with, whatever it makes, and how it tells how far it is."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from inspect import Parameter, signature
from time import monotonic
from typing import Any

from aigen.models.catalogue import Model, display_name
from aigen.pipelines.diffusion.loading import Loaded
from aigen.pipelines.prompts import styled
from aigen.types.pipeline import Picture, Run, Task
from aigen.types.request import Options, Size

# How much of a picture that another starts from is made anew, unless the user says.
STRENGTH = 0.6


@dataclass(frozen=True)
class Call:
    """What is the same for all items of a task: the call of the pipeline, all but its noise and what it starts from."""

    loaded: Loaded
    model: Model
    task: Task
    steps: int
    guidance: float | None  # None: the pipeline knows none
    size: Size  # what the model makes: at least what was asked for

    @classmethod
    def of(cls, loaded: Loaded, model: Model, task: Task, multiple: int) -> "Call":
        """The call for a task; the model's sides are multiples of so many pixels."""
        options, known = task.options, known_to(loaded.pipeline)
        steps = options.steps or model.steps or known["num_inference_steps"].default
        if is_guided(task) and "LatentConsistency" not in type(loaded.pipeline).__name__:  # which takes all its steps
            steps = max(steps, math.ceil(1 / strength(options)))
        guidance = next(
            (
                value
                for value in (options.guidance, model.guidance, getattr(known.get("guidance_scale"), "default", None))
                if value is not None and "guidance_scale" in known
            ),
            None,
        )
        width, height = (math.ceil(side / multiple) * multiple for side in (task.size.width, task.size.height))
        return cls(loaded, model, task, steps, guidance, Size(width, height))

    @property
    def name(self) -> str:
        return display_name(self.model.name)

    @property
    def crop(self) -> tuple[int, int, int, int]:
        """Return left, top, right and bottom of what was asked for: the middle of what the model makes."""
        left, top = (self.size.width - self.task.size.width) // 2, (self.size.height - self.task.size.height) // 2
        return left, top, left + self.task.size.width, top + self.task.size.height

    @property
    def negative(self) -> str | None:
        """The negative prompt that changes anything, if any: the user's, else the one that its makers advise."""
        wanted = self.task.options.negative or self.model.arguments.get("negative_prompt")
        return wanted if wanted and self._heeds_negatives() else None

    def prompt(self, number: int) -> str:
        """What an item is made from, in its style: what the user said and what is seen in a picture of theirs."""
        seen = self.task.seen.caption if self.task.seen else ""
        said = self.task.prompt.strip().rstrip(".")
        together = f"{said}, {seen}" if seen.lower() not in said.lower() else said
        return styled(together, self.task.style_of(number))

    def arguments(self, numbers: Sequence[int]) -> dict[str, Any]:
        """The arguments for these items at once, as far as a pipeline knows them."""
        count = len(numbers)
        return {
            **self.model.arguments,
            "prompt": [self.prompt(number) for number in numbers],
            "num_inference_steps": self.steps,
            "guidance_scale": self.guidance,
            "negative_prompt": [self.negative] * count if self.negative else None,
            "width": self.size.width,
            "height": self.size.height,
        }

    def remarks(self) -> Iterator[str]:
        """What the user should know of how this order is understood."""
        options, name = self.task.options, self.name
        if options.negative and not self._heeds_negatives():
            why = "" if self._is_deaf() else f" at guidance {self.guidance or 0:g}: give --guidance above 1"
            yield f"{name} heeds no negative prompt{why}"
        if options.guidance is not None and self.guidance is None:
            yield f"{name} knows no guidance: it is left out"
        if is_guided(self.task) and self.steps > (options.steps or self.model.steps or self.steps):
            start = "guide" if options.guide else "picture"
            yield f"{name} takes {self.steps} steps, so that of a {start} at strength {strength(options)} one is made"
        if left_out := self._left_out():
            yield f"{name} reads only the first words of so long a prompt; left out: {left_out}"

    def parameters(self, pipeline: Any) -> dict[str, Any]:
        """What an item was made with beside its prompt, seed, size and style."""
        told: dict[str, Any] = {
            "steps": self.steps,
            "guidance": self.guidance,
            "negative_prompt": self.negative,
            "sampler": type(pipeline.scheduler).__name__,
            "precision": self.loaded.setup.precision,
            "guide": self.task.options.guide,
            "strength": strength(self.task.options) if is_guided(self.task) else None,
            "fast": self.loaded.fast or None,
            # Its name says to nobody else which model it was.
            "source": "a folder" if self.model.folder else None,
        }
        return {name: value for name, value in told.items() if value is not None}

    def _is_deaf(self) -> bool:
        """Whether the pipeline takes no negative prompt, or heeds one only in ways that we do not use."""
        known = known_to(self.loaded.pipeline)
        return "negative_prompt" not in known or "true_cfg_scale" in known

    def _heeds_negatives(self) -> bool:
        """Whether a negative prompt changes anything: guidance pulls away from it."""
        least = 0 if "ZImage" in type(self.loaded.pipeline).__name__ else 1
        return self.guidance is not None and self.guidance > least and not self._is_deaf()

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
        tokens = tokenizers[0](self.prompt(self.task.numbers[0]), verbose=False).input_ids
        return str(tokenizers[0].decode(tokens[76:-1], skip_special_tokens=True)).strip()


def source_type_of(picture: Picture | None) -> str:
    """The IPTC digital source type of what a model made, from a picture or none: of the user's own, it says so."""
    own = picture is not None and picture.made_by is None
    return "compositeWithTrainedAlgorithmicMedia" if own else "trainedAlgorithmicMedia"


def is_guided(task: Task) -> bool:
    """Whether pictures are made from other pictures, of which a part stays."""
    return task.kind == "image" and bool(task.options.guide or task.starts_from_picture)


def strength(options: Options) -> float:
    return options.strength or STRENGTH


def known_to(pipeline: Any) -> Mapping[str, Parameter]:
    """The arguments that a pipeline can be called with."""
    return signature(pipeline.__call__).parameters


def only_known(pipeline: Any, arguments: dict[str, Any]) -> dict[str, Any]:
    """Those of the arguments that a pipeline knows and that have a value."""
    known = known_to(pipeline)
    return {name: value for name, value in arguments.items() if name in known and value is not None}


def watched(
    pipeline: Any, run: Run, count: int = 1, rest: int = 1, step: Callable[..., None] | None = None
) -> dict[str, Any]:
    """The arguments that make a pipeline tell each step, where it can, and stop when the order is cancelled.

    So many items are made at once; what follows the steps, which is decoding, counts as `rest` more of them. How long
    it all takes is measured by the second step, where there are several: the first warms up. Steps are told to the run,
    or to `step`.
    """
    step = step or run.step
    stepped_at: list[float] = []

    def tell(done: int) -> None:
        total = max(done, getattr(pipeline, "num_timesteps", None) or len(pipeline.scheduler.timesteps))
        run.check()
        stepped_at.append(monotonic())
        if done == 2:
            run.expect(lambda: (stepped_at[1] - stepped_at[0]) * (total + rest))
        text = f"step {done} of {total}" if done < total else "decoding…"
        step(done, total + rest, text, (count - 1) * done / (total + rest))

    def on_step_end(_: Any, place: int, __: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        tell(place + 1)
        return tensors

    known = known_to(pipeline)
    step(0, 1, "reading the prompt…" if "prompt" in known else "looking at the picture…")
    if "callback_on_step_end" in known:
        return {"callback_on_step_end": on_step_end}
    if "callback" in known:  # PixArt has only this one
        return {"callback": lambda place, *_: tell(place + 1), "callback_steps": 1}
    return {}
