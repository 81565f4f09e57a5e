"""Pictures of dots: the smallest pipelines there are, one of them at a price."""

import random
from collections.abc import Generator

from PIL import Image

from aigen.settings import Settings
from aigen.types.pipeline import Abilities, Job, Output, Run, Task


class Dots:
    """Dots in the colour that the setting DOTS_COLOUR names."""

    abilities = Abilities(label="dots, for tests", kinds=("image",))

    def __init__(self, settings: Settings) -> None:
        self.colour = settings.values.get("DOTS_COLOUR", "navy")

    def check(self, task: Task) -> None:
        """Everything can be dotted."""

    def price(self, task: Task) -> float:
        return 0.0

    def generate(self, task: Task, run: Run) -> Generator[Output, None, None]:
        for number, seed in zip(task.numbers, task.seeds, strict=True):
            run.step(0, 1, "dotting")
            picture = Image.new("RGB", (task.size.width, task.size.height), "white")
            for _ in range(20):
                place = random.Random(f"{seed} {_}")
                picture.putpixel((place.randrange(picture.width), place.randrange(picture.height)), self._ink())
            path = task.work / f"image-{number}.png"
            picture.save(path)
            yield Output(path, seed, {"colour": self.colour}, "algorithmicMedia")

    def _ink(self) -> tuple[int, ...]:
        from PIL import ImageColor

        return ImageColor.getrgb(self.colour)


class GoldenDots(Dots):
    """The same, bought from somebody: each picture is a job that costs a dime."""

    abilities = Abilities(label="golden dots, for tests", kinds=("image",), local=False, paid=True)

    def price(self, task: Task) -> float:
        return 0.1 * len(task.numbers)

    def generate(self, task: Task, run: Run) -> Generator[Output, None, None]:
        for output in super().generate(task, run):
            run.save_job(output.seed, Job(f"dots-{output.seed}", "sold", "dots.example.org", "fetched", 0.1))
            yield output
