"""A `Run` for tests: records what a pipeline reports and gives it a picture to start from."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from aigen.types.pipeline import ITEM, Failure, ImageSpec, Job, Picture
from aigen.types.reports import Step


@dataclass
class Listener:
    """A `Run` without an order."""

    steps: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    measures: bool = False
    expected: list[float] = field(default_factory=list)
    picture: Picture | Failure | None = None
    before_step: Callable[[str], None] = lambda text: None
    jobs: dict[tuple[int, str], Job] = field(default_factory=dict)

    order_id = "order"

    def step(self, done: int, total: int, text: str, beside: float = 0.0) -> None:
        nobodys: Any = None
        shown = str(Step(item=nobodys, done=done, total=total, text=text))
        self.steps.append(shown)
        self.before_step(shown)

    def check(self) -> None:
        """It is never cancelled, but by `before_step`."""

    def say(self, text: str) -> None:
        self.said.append(text)

    def expect(self, measure: Callable[[], float]) -> None:
        if self.measures:
            self.expected.append(measure())

    def pictures(self, seeds: Sequence[int], rest: float | None) -> list[Picture | Failure]:
        return [self.picture] * len(seeds) if self.picture else []

    def images(self, seed: int, wanted: Sequence[ImageSpec], before: float, part: float) -> list[Picture | Failure]:
        return []

    def job(self, seed: int, part: str = ITEM) -> Job | None:
        return self.jobs.get((seed, part))

    def save_job(self, seed: int, job: Job, part: str = ITEM) -> Job:
        self.jobs[seed, part] = job
        return job
