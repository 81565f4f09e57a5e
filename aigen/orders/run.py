"""Callbacks a pipeline uses while it makes the items of an order: report steps, keep jobs, get pictures."""

import math
import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from time import monotonic

from aigen.errors import GenerationError, Interrupted, NothingBought
from aigen.models import catalogue
from aigen.orders import costs, source
from aigen.orders.context import HEARTBEAT, Context, heartbeat
from aigen.orders.device import Device
from aigen.orders.tasks import task_of
from aigen.store import Store
from aigen.times import to_text
from aigen.types.pipeline import ITEM, Failure, ImageSpec, Job, Output, Picture, Pipeline, Task
from aigen.types.reports import Expected, Said, Step
from aigen.types.request import SIDE_LIMITS, Size
from aigen.types.rows import Generation, Item

# In an order's work folder: the pictures that others made for it.
PICTURES = "pictures"


class OrderRun:
    """The `Run` of the items of one task. The item in hand is the first of those still `missing`.

    Once `stop` is set, it ends the pipeline where it stands.
    """

    def __init__(
        self,
        context: Context,
        generation: Generation,
        task: Task,
        items: list[Item],
        pace: float | None,
        device: Device,
        stop: threading.Event | None = None,
    ) -> None:
        self._context, self._generation, self._task, self._device = context, generation, task, device
        self._stop = stop or threading.Event()
        self._items = {item.seed: item for item in items}
        self.missing = dict(self._items)
        self._pace = pace
        self._watch = _Watch()
        self._beaten_at = monotonic()
        self._before = 0.0  # so much of the item in hand was the making of its picture
        self._share = 0.8  # of any item; as long as nobody knows better, most

    @property
    def order_id(self) -> str:
        return self._generation.generation_id

    @property
    def _item(self) -> Item:
        return next(iter(self.missing.values()), list(self._items.values())[-1])

    def finish(self, seed: int) -> Item:
        """The item of a seed, with the seconds that it took."""
        self._before = 0.0
        return replace(self.missing.pop(seed), seconds=self._watch.lap())

    def step(self, done: int, total: int, text: str, beside: float = 0.0) -> None:
        self._report(Step(self._item, done, total, text, beside, self._before, 1 - self._before))

    def _report(self, step: Step) -> None:
        self._check_stop()
        self._watch.hear(step.total)
        self._context.report(step)
        if monotonic() - self._beaten_at >= HEARTBEAT:
            self._beaten_at = monotonic()
            heartbeat(self._context, step.item.generation_id, f"{step.item.name}: {step}")

    def say(self, text: str) -> None:
        self._context.report(Said(text))

    def check(self) -> None:
        self._check_stop()
        heartbeat(self._context, self._item.generation_id, self._item.name)

    def _check_stop(self) -> None:
        if self._stop.is_set():
            raise Interrupted("another part of the order ended it")
        if self._context.interrupted():  # of a thread that hears no Ctrl-C
            raise Interrupted("it was interrupted")

    def expect(self, measure: Callable[[], float]) -> None:
        if self._pace is None:
            self._pace = measure()
            self._context.report(Expected(self._task.kind, self._pace))

    def job(self, seed: int, part: str = ITEM) -> Job | None:
        with self._open_store() as store:
            return store.job(self._items[seed], part)

    def save_job(self, seed: int, job: Job, part: str = ITEM) -> Job:
        item = self._items[seed]
        with self._open_store() as store:
            if job.state == "intended" and job.id is None:
                self._check_stop()
                if not self._context.buys:
                    raise NothingBought(f"{item.name} is not bought: the order was interrupted")
                job = replace(job, intended_at=to_text(self._context.clock()))
                limits = costs.find_limits(self._context, self._generation.request)
                order = self._generation
                budgets = costs.find_budgets(self._context, order.user_id, job.price, order.budgets)
                store.intend_job(item, job, part, limits, budgets)
            else:
                store.save_job(item, job, part)
            return store.job(item, part) or job

    def drop_job(self, seed: int, job: Job, part: str = ITEM) -> None:
        with self._open_store() as store:
            store.drop_job(self._items[seed], job, part)

    def _open_store(self) -> Store:
        """Open a connection of its own: a pipeline saves jobs in threads."""
        return Store.open(self._context.content)

    def pictures(self, seeds: Sequence[int], rest: float | None) -> list[Picture | Failure]:
        """What the items of these seeds start from. What was made before a crash is not made again."""
        if self._generation.request.from_picture:
            path = self._task.work / source.SOURCE
            if not path.exists():
                raise GenerationError("the picture that it starts from is gone")
            return [Picture(path)] * len(seeds)
        known = {seed: self._kept(seed) for seed in seeds}
        missing = [self._items[seed] for seed in seeds if known[seed] is None]
        made: dict[int, Picture | Failure] = {seed: kept for seed, kept in known.items() if kept}
        if missing:
            made |= self._make_pictures(missing, rest)
        if lacking := [self._items[seed].name for seed in seeds if seed not in made]:
            raise GenerationError(
                f"model {self._image_model!r} ended without making the picture of {', '.join(lacking)}"
            )
        return [made[seed] for seed in seeds]

    def _load_image_model(self) -> Pipeline:
        model = self._generation.request.image_model
        if model is None:
            raise GenerationError("the order has no image model, but its video model needs pictures")
        return self._context.pipeline(model)

    @property
    def _image_model(self) -> str:
        """The model that makes what items start from, as files may say it."""
        return catalogue.display_name(self._generation.request.image_model or "")

    def images(self, seed: int, wanted: Sequence[ImageSpec], before: float, part: float) -> list[Picture | Failure]:
        """Pictures for one item, each made once, also over a crash."""
        kept = [self._kept(seed, f"picture-{place}") for place in range(1, len(wanted) + 1)]
        if all(kept):
            return [picture for picture in kept if picture]
        pipeline = self._load_image_model()
        share = part / len(wanted)
        with self._device.used(pipeline.abilities.local):
            return [
                picture or self._make_image(pipeline, seed, spec, place, len(wanted), before + share * place, share)
                for place, (spec, picture) in enumerate(zip(wanted, kept, strict=True))
            ]

    def _make_image(
        self, pipeline: Pipeline, seed: int, spec: ImageSpec, place: int, count: int, before: float, share: float
    ) -> Picture | Failure:
        """Make the picture at this place (from 0) of so many for an item, as a `share` of its work."""
        key, name = f"picture-{place + 1}", f"picture {place + 1} of {count}"
        usual = task_of(replace(self._generation.request, size=None, narration=None), "image", pipeline)
        work = self._task.work / PICTURES / f"{self._items[seed].number}-{place + 1}"
        work.mkdir(parents=True, exist_ok=True)
        task = replace(
            usual,
            prompt=spec.prompt,
            style=spec.style,
            numbers=(spec.number,),
            seeds=(spec.seed,),
            size=_fit(spec.size, usual.size),
            work=work,
            starts_from_picture=False,
        )
        run = PictureRun(self, key, {spec.seed: seed}, self._image_step(name, before, share))
        with closing(pipeline.generate(task, run)) as outputs:
            made = [self._keep(seed, output, key) for output in outputs]
        if not made:
            raise GenerationError(
                f"model {self._image_model!r} ended without making picture {place + 1} of {self._item.name}"
            )
        return made[0]

    def _image_step(self, name: str, before: float, part: float) -> Callable[..., None]:
        """How a pipeline that makes a picture tells its steps, as part of an item's."""

        def step(done: int, total: int, text: str, beside: float = 0.0) -> None:
            shown = f"{name}: {Step(self._item, done, total, text)}"
            self._report(Step(self._item, done, total, shown, beside, before, part))

        return step

    def _keep(self, seed: int, output: Output | Failure, key: str) -> Picture | Failure:
        """Remember a picture that was made; as the store gives it, so that a file is the same after a crash."""
        if isinstance(output, Failure):
            return replace(output, seed=seed)
        name = output.path.relative_to(self._task.work / PICTURES).as_posix()
        # In stores the source type goes by the name `media`.
        told = {"name": name, "media": output.source_type, "parameters": output.parameters}
        self._context.store.remember(self._items[seed], key, told, output.cost)
        kept = self._kept(seed, key)
        assert kept
        return kept

    def _kept(self, seed: int, key: str = "picture") -> Picture | None:
        kept = self._context.store.recall(self._items[seed], key)
        path = self._task.work / PICTURES / kept["name"] if kept else None
        if path is None or not path.exists():
            return None
        return Picture(path, self._image_model, kept["media"], kept["parameters"])

    def _make_pictures(self, items: list[Item], rest: float | None) -> dict[int, Picture | Failure]:
        """Have the model of the images make what these items start from; after it an item takes `rest` seconds."""
        pipeline = self._load_image_model()
        task = task_of(replace(self._generation.request, size=None), "image", pipeline, items)
        task = replace(task, size=_fit(self._task.size, task.size), work=self._task.work / PICTURES)
        task.work.mkdir(exist_ok=True)
        made: dict[int, Picture | Failure] = {}
        share = self._share if rest is not None else 0.0
        began = monotonic()

        def step(done: int, total: int, text: str, beside: float = 0.0) -> None:
            if share:
                self._image_step("picture", 0.0, share)(done, total, text, beside)
            else:
                self._report(Step(self._item, 0, 0, f"picture {len(made) + 1} of {len(items)} to start from…"))

        def expect(measure: Callable[[], float]) -> None:
            nonlocal share
            if rest is not None and self._pace is None:
                seconds = measure()
                share = seconds / (seconds + rest)
                self.expect(lambda: seconds + rest)

        run = PictureRun(self, "picture", {item.seed: item.seed for item in items}, step, expect)
        with self._device.used(pipeline.abilities.local), closing(pipeline.generate(task, run)) as outputs:
            for output in outputs:
                made[output.seed] = self._keep(output.seed, output, "picture")
        self._before = share
        if rest is not None:
            self._share = (took := monotonic() - began) / (took + rest)
        return made


class PictureRun:
    """The `Run` of pictures that are made for the items of another run. Their jobs are stored with those items.

    `part` names the picture within its item. `items` maps the seeds of the pictures to the seeds of the items.
    """

    def __init__(
        self,
        run: OrderRun,
        part: str,
        items: dict[int, int],
        step: Callable[..., None],
        expect: Callable[[Callable[[], float]], None] = lambda measure: None,
    ) -> None:
        self._run, self._part, self._items = run, part, items
        self._step, self._expect = step, expect

    @property
    def order_id(self) -> str:
        return self._run.order_id

    def step(self, done: int, total: int, text: str, beside: float = 0.0) -> None:
        self._step(done, total, text, beside)

    def say(self, text: str) -> None:
        self._run.say(text)

    def check(self) -> None:
        self._run.check()

    def expect(self, measure: Callable[[], float]) -> None:
        self._expect(measure)

    def job(self, seed: int, part: str = ITEM) -> Job | None:
        return self._run.job(self._items[seed], self._name(part))

    def save_job(self, seed: int, job: Job, part: str = ITEM) -> Job:
        return self._run.save_job(self._items[seed], job, self._name(part))

    def drop_job(self, seed: int, job: Job, part: str = ITEM) -> None:
        self._run.drop_job(self._items[seed], job, self._name(part))

    def _name(self, part: str) -> str:
        return self._part if part == ITEM else f"{self._part}/{part}"

    def pictures(self, seeds: Sequence[int], rest: float | None) -> list[Picture | Failure]:
        return self._run.pictures([self._items[seed] for seed in seeds], rest)

    def images(self, seed: int, wanted: Sequence[ImageSpec], before: float, part: float) -> list[Picture | Failure]:
        raise GenerationError("a pipeline that makes the picture of an item cannot ask for pictures itself")


class _Watch:
    """Measures what each item takes; what is not of an item, such as loading a model, does not count."""

    def __init__(self) -> None:
        self._began = monotonic()
        self._preparing = False

    def hear(self, total: int) -> None:
        if self._preparing:
            self._began = monotonic()
        self._preparing = total == 0

    def lap(self) -> float:
        now = monotonic()
        seconds, self._began = now - self._began, now
        return seconds


def _fit(wanted: Size, usual: Size) -> Size:
    """A size of the same shape, with no more pixels than is usual."""
    scale = min(1.0, math.sqrt(usual.width * usual.height / (wanted.width * wanted.height)))
    low, _ = SIDE_LIMITS
    return Size(max(low, round(wanted.width * scale)), max(low, round(wanted.height * scale)))
