"""`narrator`: the pipeline of narrated films. A voice reads a text over pictures, which others make.

For each film it goes through four steps: the text is planned into scenes (`script`), its sentences are spoken
(`speech`), every scene gets its picture (`Run.images`) or is drawn in motion by the built-in illustrator, and all of it
is put together (`production`).
"""

from collections.abc import Generator

from aigen.errors import UsageError
from aigen.pipelines import moving_scenes
from aigen.settings import NO_SETTINGS, Settings
from aigen.types.pipeline import Abilities, Failure, Output, Run, Task
from aigen.types.request import Length, Narration
from aigen.types.styles import PHOTOGRAPH


class Narrator:
    abilities = Abilities(
        label="narrated film: a synthetic voice over pictures",
        kinds=("video",),
        length=Length(100, 25),
        starts_from="picture",
    )

    def __init__(self, settings: Settings = NO_SETTINGS) -> None:
        """Uses no settings."""

    def check(self, task: Task) -> None:
        from aigen.film import script

        script.check_narration(_narration(task))

    def price(self, task: Task) -> float | None:
        """Return the price of one picture a scene; moving scenes cost nothing."""
        if moving_scenes(task.image_model) or not task.image_price:
            return task.image_price
        from aigen.film import script

        told = _narration(task)
        return task.image_price * sum(len(script.plan(told, number)) for number in task.numbers)

    def generate(self, task: Task, run: Run) -> Generator[Output | Failure, None, None]:
        from aigen.film import production, script

        told = _narration(task)
        if moving_scenes(task.image_model) and PHOTOGRAPH in told.styles and not task.from_picture:
            run.say(f"{task.image_model} takes no photographs: scenes in the style {PHOTOGRAPH} are drawn plain")
        for number, seed in zip(task.numbers, task.seeds, strict=True):
            yield production.produce(task, told, script.plan(told, number), number, seed, run)


def _narration(task: Task) -> Narration:
    if task.narration is None:
        raise UsageError("narrator needs words to say: aigen narrate TEXT, or aigen generate … --narrate")
    return task.narration
