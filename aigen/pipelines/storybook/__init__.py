"""`storybook`, the built-in illustrator: understands the prompt, plans a scene, draws and animates it from artwork.

It needs no weights, no GPU and no network, and it says what it is: no generative model. From words to frames it goes
through four packages: `understanding` (words to a plan), `composing` (a plan to places), `drawing` (artwork, light,
everything that stands still), `moving` (rigs, camera, weather). `scene` brings them together, `pool` has items made
side by side, `items` makes files of them. CONTRIBUTING.md shows where a new setting, rig or style goes.
"""

from collections.abc import Generator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from aigen.errors import GenerationError
from aigen.settings import NO_SETTINGS, Settings
from aigen.types.pipeline import Abilities, Output, Run, Task
from aigen.types.request import Size
from aigen.types.seen import ImageDescription

if TYPE_CHECKING:
    from aigen.pipelines.storybook.pool import Pool

# What to do where skia cannot be loaded, most often for want of system libraries that it does not bring along.
DRAWING_ADVICE = (
    "install the system's OpenGL libraries (Debian: apt-get install libgl1 libegl1 libexpat1 libfontconfig1)"
)


class Storybook:
    abilities = Abilities(
        label="built-in illustrator, not a generative model",
        kinds=("image", "video"),
        starts_from="either",
        seconds={"image": 0.6, "video": 1.8},
    )

    def __init__(self, settings: Settings = NO_SETTINGS) -> None:
        self._pool: Pool | None = None

    def check(self, task: Task) -> None:
        """It can always draw."""

    def price(self, task: Task) -> float:
        return 0.0

    def plan(self, prompt: str, seen: ImageDescription | None = None) -> dict[str, Any]:
        """The scene that would be drawn for a prompt, and for what is seen in a picture."""
        from aigen.pipelines.storybook.understanding.from_photo import plan_of
        from aigen.pipelines.storybook.understanding.plan import make_plan

        return plan_of(prompt, seen).plan.as_json() if seen else make_plan(prompt).as_json()

    def compose(self, prompt: str, number: int, seed: int, size: Size) -> dict[str, Any]:
        """The scene of one item with the boxes of its things, without making a file."""
        from aigen.pipelines.storybook.scene import Scene
        from aigen.pipelines.storybook.understanding.plan import make_plan, with_boxes

        plan = make_plan(prompt)
        return with_boxes(plan, Scene(plan, "plain", number, seed, size).boxes())

    def generate(self, task: Task, run: Run) -> Generator[Output, None, None]:
        from aigen.pipelines.storybook.items import make_item, remarks
        from aigen.pipelines.storybook.pool import Pool, pool_size

        try:
            import skia  # noqa: F401
        except ImportError as error:
            raise GenerationError(f"drawing does not work here ({error}): {DRAWING_ADVICE}") from error
        for told in dict.fromkeys(remarks(task)):
            run.say(told)
        count = pool_size(task)
        if count > 1:
            pool = self._pool or Pool()
            self._pool = None  # where this task fails or is given up, so is the pool
            yield from pool.make(task, run, count)
            self._pool = pool
            return
        for number, seed in zip(task.numbers, task.seeds, strict=True):
            yield make_item(replace(task, numbers=(number,), seeds=(seed,)), run.step)
