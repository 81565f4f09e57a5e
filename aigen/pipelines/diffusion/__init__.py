"""Diffusion models of the catalogue, of a folder or of the hub, run in this process by diffusers.

What a user can ask for is judged here without loading torch; `device` sees the machine, `loading` brings the weights in,
`pictures` makes what was ordered.
"""

from collections.abc import Iterator, Mapping

from aigen.errors import GenerationError, UsageError
from aigen.pipelines import machine, weights
from aigen.pipelines.catalogue import Model, classes, shown
from aigen.pipelines.weights import Contents
from aigen.types import DEFAULT_SIZES, Failure, Kind, Options, Output, Run, Size, Task


class Diffusion:
    options = frozenset({"steps", "guidance", "negative", "fast", "guide", "strength"})

    def __init__(self, model: Model) -> None:
        self.model = model
        self.kinds = model.kinds
        self.label = f"{model.title}, a generative model" if model.listed else "a generative model"

    @property
    def sizes(self) -> Mapping[Kind, Size]:
        side = self.model.size or self._find().side
        return {**DEFAULT_SIZES, "image": Size(side, side)}

    def check(self, options: Options) -> None:
        contents = self._find()
        name = shown(self.model.name)
        if options.fast and weights.tiny_decoder(contents.pipeline) is None:
            raise UsageError(self._no_tiny_decoder(contents))
        if options.guide and contents.pipeline not in classes("guided"):
            raise UsageError(
                f"{name} cannot start from a picture: leave out --guide, or choose another model (aigen models)"
            )
        machine.check_memory(machine.look(), contents, name)

    def generate(self, task: Task, run: Run) -> Iterator[Output | Failure]:
        from aigen.pipelines.diffusion import loading, pictures

        try:
            contents = self._find()
        except UsageError as error:
            raise GenerationError(str(error)) from error
        name = shown(self.model.name)
        run.step(0, 0, f"loading {name}…")
        run.check()
        # Of models that nobody has listed, transformers mostly overflow in float16.
        half = self.model.half if self.model.listed or "unet" in contents.components else ("bfloat16",)
        pixels = task.size.width * task.size.height
        loaded = loading.prepare(self.model, contents, half, pixels, task.options.fast)
        yield from pictures.make(loaded, self.model, task, run)

    def _find(self) -> Contents:
        contents = weights.find(self.model)
        if contents.pipeline not in classes("image"):
            raise UsageError(
                f"model {shown(self.model.name)!r} holds a {contents.pipeline}, which makes no pictures from a prompt: "
                "choose another (aigen models)"
            )
        return contents

    def _no_tiny_decoder(self, contents: Contents) -> str:
        from aigen.pipelines.catalogue import tiny_decoder

        name, hub = shown(self.model.name), tiny_decoder(contents.pipeline)
        if hub is None:
            return f"there is no tiny decoder for {name}: leave out --fast"
        return f"--fast needs the tiny decoder for {name}, which is not here: get it with aigen models pull {hub}"
