"""Diffusion models of the catalogue, of a folder or of the hub, run in this process by diffusers.

What a user can ask for is judged here without loading torch; `loading` brings the weights in, `pictures` and
`videos` make what was ordered, by a `call` of their pipeline.
"""

import math
from collections.abc import Generator
from dataclasses import replace

from aigen.errors import GenerationError, UsageError
from aigen.models import machine, weights
from aigen.models.catalogue import (
    Half,
    Model,
    VideoArchitecture,
    classes,
    display_name,
    tiny_decoder,
    video_architectures,
)
from aigen.models.machine import Machine, MemoryNeed, TooLittleMemory
from aigen.models.weights import Contents
from aigen.types.pipeline import Abilities, Failure, Output, Picture, Run, Task
from aigen.types.request import DEFAULT_SIZES, DURATION_LIMITS, Kind, Length, Size


class Diffusion:
    """What makes pictures and what makes videos have in common."""

    kind: Kind = "image"

    def __init__(self, model: Model) -> None:
        self.model = model
        self.name = display_name(model.name)

    @property
    def label(self) -> str:
        return f"{self.model.title}, a generative model" if self.model.listed else "a generative model"

    def check(self, task: Task) -> None:
        contents = self.find()
        if task.options.fast and weights.tiny_decoder(contents.pipeline) is None:
            raise UsageError(self._no_tiny_decoder(contents))

    def price(self, task: Task) -> float | None:
        """Return the price of the pictures that its items start from."""
        if not task.starts_from_picture:
            return 0.0
        return None if task.image_price is None else task.image_price * len(task.numbers)

    def half(self) -> tuple[Half, ...]:
        """The half precisions that its numbers bear. Of models that nobody has listed,
        transformers mostly overflow in float16.
        """
        known = self.model.listed or "unet" in self.find().components
        return self.model.half if known else ("bfloat16",)

    def find(self) -> Contents:
        """What is here of the model. Raises UsageError when it is not here, not whole, or makes nothing of its kind."""
        contents = weights.find(self.model)
        if not self.is_for(contents):
            raise UsageError(
                f"model {self.name!r} holds a {contents.pipeline}, which makes no {self.kind}s from a prompt: "
                "choose another (aigen models)"
            )
        return contents

    def find_whole(self) -> Contents | None:
        """Return the model's contents; None if it cannot be used (`check` raises why)."""
        try:
            return self.find()
        except UsageError:
            return None

    def is_for(self, contents: Contents) -> bool:
        return contents.pipeline in classes("image")

    def begin(self, task: Task, run: Run) -> Contents:
        """What is here of the model when its turn comes."""
        run.step(0, 0, f"loading {self.name}…")
        run.check()
        try:
            return self.find()
        except UsageError as error:
            raise GenerationError(str(error)) from error

    def _no_tiny_decoder(self, contents: Contents) -> str:
        hub = tiny_decoder(contents.pipeline)
        if hub is None:
            return f"there is no tiny decoder for {self.name}: leave out --fast"
        return f"--fast needs the tiny decoder for {self.name}, which is not here: get it with aigen models pull {hub}"


class Pictures(Diffusion):
    @property
    def abilities(self) -> Abilities:
        contents = self.find_whole()
        usual = Size(contents.side, contents.side) if contents else DEFAULT_SIZES["image"]
        return Abilities(
            label=self.label,
            kinds=("image",),
            options=frozenset({"steps", "guidance", "negative", "fast", "guide", "strength"}),
            sizes={**DEFAULT_SIZES, "image": Size(self.model.size, self.model.size) if self.model.size else usual},
            starts_from="either" if contents is None or contents.pipeline in classes("guided") else "prompt",
        )

    def check(self, task: Task) -> None:
        super().check(task)
        contents = self.find()
        if task.options.guide and contents.pipeline not in classes("guided"):
            raise UsageError(
                f"{self.name} cannot start from a picture: leave out --guide, or choose another model (aigen models)"
            )
        machine.check_memory(machine.detect_machine(), contents, self.name)

    def memory_need(self, task: Task) -> MemoryNeed:
        return MemoryNeed.of_picture(self.half(), task.size.width * task.size.height)

    def generate(self, task: Task, run: Run) -> Generator[Output | Failure, None, None]:
        from aigen.pipelines.diffusion import loading, pictures

        contents = self.begin(task, run)
        loaded = loading.prepare(self.model, contents, self.memory_need(task), task.options.fast)
        yield from pictures.make(loaded, self.model, task, run)


class Videos(Diffusion):
    kind: Kind = "video"

    @property
    def architecture(self) -> VideoArchitecture:
        return video_architectures()[self.model.pipeline or weights.pipeline_of(self.model) or ""]

    @property
    def abilities(self) -> Abilities:
        model, architecture, contents = self.model, self.architecture, self.find_whole()
        # Wan's pipeline says so of itself when its network can also start from a picture.
        either = contents is not None and contents.index.get("expand_timesteps")
        return Abilities(
            label=self.label,
            kinds=("video",),
            options=frozenset({"steps", "guidance", "negative", "fast"}),
            sizes={**DEFAULT_SIZES, "video": Size.parse(model.video or architecture.video)},
            length=Length(model.frames or architecture.frames, model.fps or architecture.fps),
            max_frames=self.max_frames,
            starts_from="either" if either else architecture.starts_from,
        )

    @property
    def max_frames(self) -> int:
        return self.model.max_frames or self.architecture.max_frames

    def is_for(self, contents: Contents) -> bool:
        return contents.pipeline in video_architectures()

    def check(self, task: Task) -> None:
        super().check(task)
        usual = self.abilities.sizes["video"]
        if self.architecture.fixed and task.size != usual:
            raise UsageError(f"{self.name} makes videos of {usual} only, not of {task.size}: leave out --size")
        if task.frames > self.max_frames:
            raise UsageError(
                f"{task.frames} frames are too many for {self.name}: it makes at most {self.max_frames}, which last "
                f"{self.max_frames / task.fps:.3g} s at {task.fps} a second: "
                "give a shorter --duration or fewer --frames"
            )
        self._check_memory(task)

    def _check_memory(self, task: Task) -> None:
        """Raise UsageError when all the memory of this machine is too little, with what would fit."""
        here = machine.detect_machine()
        # What is free now may be more when its turn comes;
        # and whether bfloat16 pays is not known before torch is loaded.
        whole = replace(here, free=here.memory, system_free=here.system_memory, bfloat16_time=0.5)
        machine.check_memory(here, self.find(), self.name)
        if not self._fits(whole, task):
            raise UsageError(f"this machine has not enough memory {self._too_large(whole, task)}")

    def _fits(self, here: Machine, task: Task) -> bool:
        try:
            machine.choose(here, self.find(), self.memory_need(task))
        except TooLittleMemory:
            return False
        return True

    def _too_large(self, here: Machine, task: Task) -> str:
        """What does not fit, and what would."""
        least = math.ceil(DURATION_LIMITS[0] * task.fps)
        counts = range(
            self.architecture.round_up(task.frames) - self.architecture.step, least - 1, -self.architecture.step
        )
        fewer = next((count for count in counts if self._fits(here, replace(task, frames=count))), None)
        half = Size(task.size.width // 2 & ~1, task.size.height // 2 & ~1)
        advice = [f"{fewer} frames would fit (--frames {fewer})"] if fewer else []
        if not self.architecture.fixed and self._fits(here, replace(task, size=half)):
            advice.append(f"{half} would fit (--size {half})")
        told = ", ".join([*advice, "or choose a smaller model (aigen models)"])
        return f"for {task.frames} frames of {task.size} by {self.name}: {told}"

    def memory_need(self, task: Task) -> MemoryNeed:
        return MemoryNeed.of_video(self.half(), self.architecture, task.size, self.architecture.round_up(task.frames))

    def generate(self, task: Task, run: Run) -> Generator[Output | Failure, None, None]:
        from aigen.models import device
        from aigen.pipelines.diffusion import loading, videos

        # Before the weights are loaded: what makes the pictures has gone by then.
        pictures: dict[int, Picture] = {}
        if task.starts_from_picture:
            for seed, given in zip(task.seeds, run.pictures(task.seeds, None), strict=True):
                if isinstance(given, Failure):
                    yield given
                else:
                    pictures[seed] = given
            kept = [(number, seed) for number, seed in zip(task.numbers, task.seeds, strict=True) if seed in pictures]
            if not kept:
                return
            numbers, seeds = zip(*kept, strict=True)
            task = replace(task, numbers=numbers, seeds=seeds)
        contents = self.begin(task, run)
        try:
            loaded = loading.prepare(self.model, contents, self.memory_need(task), task.options.fast)
        except TooLittleMemory as error:
            raise GenerationError(f"{error}; {self._too_large(device.detect_machine(), task)}") from error
        yield from videos.make(loaded, self.model, self.architecture, task, run, pictures)


def load(model: Model) -> Pictures | Videos:
    """The pipeline of a model, by what it makes: as the catalogue says, or its own files."""
    makes_videos = "video" in model.kinds
    if not model.listed:
        makes_videos = weights.pipeline_of(model) in video_architectures()
    return Videos(model) if makes_videos else Pictures(model)
