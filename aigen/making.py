"""Items become files: each pipeline makes its share of an order, and what is finished is marked, named and recorded.

`generation` decides what is made and when; here nothing is known of locks, or of orders that ended.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from time import monotonic
from typing import Any

from aigen import media, pipelines, provenance
from aigen.errors import Cancelled, ContentError, GenerationError
from aigen.pipelines import catalogue
from aigen.request import DEFAULT_LENGTH, SIDE_LIMITS, GenerationRequest, Kind, Length, Size
from aigen.settings import ContentFolder
from aigen.store import Store
from aigen.times import Clock, utc_now
from aigen.types import (
    Expected,
    Failure,
    Finished,
    Generation,
    Item,
    Output,
    Picture,
    Pipeline,
    Provenance,
    Report,
    Run,
    Said,
    Sketch,
    Started,
    Step,
    Task,
)

# Seconds between two looks at whether the order was cancelled.
HEARTBEAT = 1.0
# In an order's work folder: the picture of the user's that it starts from, and the pictures that others made for it.
SOURCE, PICTURES = "source.png", "pictures"
# What lies beside a narrated film, under its name.
CAPTIONS = (".srt", ".vtt")
# And the music of a narrated film, with the suffix of its file.
MUSIC = "music"


@dataclass(frozen=True)
class Workshop:
    """The world an order is made in."""

    content: ContentFolder
    store: Store
    report: Callable[[Report], None] = lambda report: None
    load: Callable[[str], Pipeline] = pipelines.load
    clock: Clock = utc_now
    # Whether Ctrl-C was pressed: a library that is just being loaded turns its KeyboardInterrupt into other errors.
    interrupted: Callable[[], bool] = lambda: False


def make(workshop: Workshop, generation: Generation) -> None:
    """Make what is missing of an order. Raises what a pipeline raises, and Cancelled."""
    items = workshop.store.items(generation.generation_id)
    models = dict.fromkeys(item.model for item in items)
    used = dict.fromkeys([*models, feeder]) if (feeder := generation.request.image_model) else models
    loaded = {model: workshop.load(model) for model in used}
    paces = {
        kind: pace
        for kind, model in dict.fromkeys((item.kind, item.model) for item in items)
        if model != pipelines.NARRATOR  # which takes as long as the words do
        and (
            pace := workshop.store.pace(kind, model, generation.request, picture_by(generation.request, loaded[model]))
        )
    }
    workshop.report(Started(generation, tuple(items), pipelines.introduce(loaded), paces))
    for told in _substituted(generation.request, loaded):
        workshop.report(Said(told))
    planned = [item for item in items if item.state == "planned"]
    for (kind, model), group in groupby(planned, key=lambda item: (item.kind, item.model)):
        _make_batch(workshop, generation, loaded[model], list(group), paces.get(kind))


def picture_by(request: GenerationRequest, pipeline: Pipeline) -> str | None:
    """The model whose pictures a pipeline makes its items from, if it does."""
    return request.image_model if pipeline.start == "picture" and not request.from_picture else None


def _substituted(request: GenerationRequest, loaded: dict[str, Pipeline]) -> Iterator[str]:
    """What is made in another way because the model of the other kind cannot."""
    image, video = request.image_model, request.video_model
    if request.images and image == pipelines.FALLBACK and video in loaded and "image" not in loaded[video].kinds:
        yield f"{catalogue.shown(video)} makes no images: those are by {image}"
    if video == pipelines.MOTION and image in loaded and "video" not in loaded[image].kinds:
        yield f"{catalogue.shown(image)} makes no videos: those are slow camera moves over its pictures"


def task_of(request: GenerationRequest, kind: Kind, pipeline: Pipeline, items: Iterable[Item] = ()) -> Task:
    """What a pipeline is to make of an order; its folder is for others to say. Raises UsageError for what no video can be."""
    length = request.length(pipeline.length, pipeline.most) if kind == "video" else Length(1, DEFAULT_LENGTH.fps)
    return Task(
        kind=kind,
        prompt=request.prompt,
        style=request.style,
        numbers=tuple(item.number for item in items),
        seeds=tuple(item.seed for item in items),
        size=request.size_for(kind, pipeline.sizes[kind]),
        work=Path(),
        frames=length.frames,
        fps=length.fps,
        options=request.options(),
        pictured=request.from_picture or pipeline.start == "picture",
        narration=request.narration if kind == "video" else None,
        painter=request.image_model,
        from_picture=request.from_picture,
    )


def usual_task(kind: Kind, pipeline: Pipeline) -> Task:
    """What a pipeline makes when nobody says more than what kind."""
    return task_of(GenerationRequest(prompt="any"), kind, pipeline)


def _make_batch(
    workshop: Workshop, generation: Generation, pipeline: Pipeline, items: list[Item], pace: float | None
) -> None:
    """Have one pipeline make items of one kind; while it makes the next, a thread records the last."""
    work = workshop.content.work(generation.generation_id)
    work.mkdir(parents=True, exist_ok=True)
    task = replace(task_of(generation.request, items[0].kind, pipeline, items), work=work)
    hands = _Hands(workshop, generation, task, items, pace)
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="writer") as writer:
        writing: Future[None] | None = None
        for made in pipeline.generate(task, hands.run):
            if writing:
                writing.result()
            writing = writer.submit(_record, workshop, generation, task, hands.finish(made.seed), made)
        if writing:
            writing.result()
    if hands.missing:
        names = ", ".join(item.name for item in hands.missing.values())
        raise GenerationError(f"model {catalogue.shown(items[0].model)!r} ended without making {names}")


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


class _Hands:
    """A pipeline's way up while it makes a task. The item in hand is the first of those still `missing`."""

    def __init__(
        self, workshop: Workshop, generation: Generation, task: Task, items: list[Item], pace: float | None
    ) -> None:
        self._workshop, self._generation, self._task = workshop, generation, task
        self._items = {item.seed: item for item in items}
        self.missing = dict(self._items)
        self._pace = pace
        self._watch = _Watch()
        self._beaten_at = monotonic()
        self._before = 0.0  # so much of the item in hand was the making of its picture
        self._share = 0.8  # of any item; as long as nobody knows better, most
        self.run = Run(
            self.step, self.say, self.remember, self.recall, self.check, self.pictures, self.expect, self.paint
        )

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
        self._watch.hear(step.total)
        self._workshop.report(step)
        if monotonic() - self._beaten_at >= HEARTBEAT:
            self._beaten_at = monotonic()
            beat(self._workshop, step.item.generation_id, f"{step.item.name}: {step}")

    def say(self, text: str) -> None:
        self._workshop.report(Said(text))

    def remember(self, seed: int, key: str, value: Any) -> None:
        self._workshop.store.remember(self._items[seed], key, value)

    def recall(self, seed: int, key: str) -> Any:
        return self._workshop.store.recall(self._items[seed], key)

    def check(self) -> None:
        beat(self._workshop, self._item.generation_id, self._item.name)

    def expect(self, measure: Callable[[], float]) -> None:
        if self._pace is None:
            self._pace = measure()
            self._workshop.report(Expected(self._task.kind, self._pace))

    def pictures(self, seeds: Sequence[int], rest: float | None) -> list[Picture | Failure]:
        """What the items of these seeds start from. What was made before a crash is not made again."""
        if self._generation.request.from_picture:
            path = self._task.work / SOURCE
            if not path.exists():
                raise GenerationError("the picture that it starts from is gone")
            return [Picture(path)] * len(seeds)
        known = {seed: self._kept(seed) for seed in seeds}
        missing = [self._items[seed] for seed in seeds if known[seed] is None]
        made: dict[int, Picture | Failure] = {seed: kept for seed, kept in known.items() if kept}
        if missing:
            made |= self._feed(missing, rest)
        if lacking := [self._items[seed].name for seed in seeds if seed not in made]:
            raise GenerationError(f"model {self._painter!r} ended without making the picture of {', '.join(lacking)}")
        return [made[seed] for seed in seeds]

    @property
    def _painter(self) -> str:
        """The model that makes what items start from, as files may say it."""
        return catalogue.shown(self._generation.request.image_model or "")

    def paint(self, seed: int, sketches: Sequence[Sketch], before: float, part: float) -> list[Picture | Failure]:
        """Pictures for one item, each made once, also over a crash."""
        model = self._generation.request.image_model
        assert model
        pipeline = self._workshop.load(model)
        usual = task_of(replace(self._generation.request, size=None, narration=None), "image", pipeline)
        made: list[Picture | Failure] = []
        for place, sketch in enumerate(sketches, 1):
            key = f"picture-{place}"
            if kept := self._kept(seed, key):
                made.append(kept)
                continue
            work = self._task.work / PICTURES / f"{self._items[seed].number}-{place}"
            work.mkdir(parents=True, exist_ok=True)
            task = replace(
                usual,
                prompt=sketch.prompt,
                style=sketch.style,
                numbers=(sketch.number,),
                seeds=(sketch.seed,),
                size=_fit(sketch.size, usual.size),
                work=work,
                pictured=False,
            )
            gone, share = before + part * (place - 1) / len(sketches), part / len(sketches)
            step = self._painting(f"picture {place} of {len(sketches)}", gone, share)
            run = replace(self.run, step=step, expect=lambda measure: None)
            made += [self._keep(seed, output, key) for output in pipeline.generate(task, run)]
            if len(made) < place:
                raise GenerationError(
                    f"model {self._painter!r} ended without making picture {place} of {self._item.name}"
                )
        return made

    def _painting(self, name: str, before: float, part: float) -> Callable[..., None]:
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
        self.remember(seed, key, {"name": name, "media": output.media, "parameters": output.parameters})
        kept = self._kept(seed, key)
        assert kept
        return kept

    def _kept(self, seed: int, key: str = "picture") -> Picture | None:
        kept = self.recall(seed, key)
        path = self._task.work / PICTURES / kept["name"] if kept else None
        if path is None or not path.exists():
            return None
        return Picture(path, self._painter, kept["media"], kept["parameters"])

    def _feed(self, items: list[Item], rest: float | None) -> dict[int, Picture | Failure]:
        """Have the model of the images make what these items start from; after it an item takes `rest` seconds."""
        model = self._generation.request.image_model
        assert model
        pipeline = self._workshop.load(model)
        task = task_of(replace(self._generation.request, size=None), "image", pipeline, items)
        task = replace(task, size=_fit(self._task.size, task.size), work=self._task.work / PICTURES)
        task.work.mkdir(exist_ok=True)
        made: dict[int, Picture | Failure] = {}
        share = self._share if rest is not None else 0.0
        began = monotonic()

        def step(done: int, total: int, text: str, beside: float = 0.0) -> None:
            if share:
                self._painting("picture", 0.0, share)(done, total, text, beside)
            else:
                self._report(Step(self._item, 0, 0, f"picture {len(made) + 1} of {len(items)} to start from…"))

        def expect(measure: Callable[[], float]) -> None:
            nonlocal share
            if rest is not None and self._pace is None:
                seconds = measure()
                share = seconds / (seconds + rest)
                self.expect(lambda: seconds + rest)

        for output in pipeline.generate(task, replace(self.run, step=step, expect=expect)):
            made[output.seed] = self._keep(output.seed, output, "picture")
        self._before = share
        if rest is not None:
            self._share = (took := monotonic() - began) / (took + rest)
        return made


def _fit(wanted: Size, usual: Size) -> Size:
    """A size of the same shape, with no more pixels than is usual."""
    scale = min(1.0, math.sqrt(usual.width * usual.height / (wanted.width * wanted.height)))
    low, _ = SIDE_LIMITS
    return Size(max(low, round(wanted.width * scale)), max(low, round(wanted.height * scale)))


def _record(workshop: Workshop, generation: Generation, task: Task, item: Item, made: Output | Failure) -> None:
    """Mark a finished file, give it its final name, record it (in the writer's thread: it has a connection of its own)."""
    with Store.open(workshop.content) as store:
        if isinstance(made, Failure):
            item = replace(item, state="failed", error=made.error)
            store.record(item)
        else:
            path = f"{generation.user_id}/{_stem(item)}{made.path.suffix}"
            parameters = _parameters(task, item) | made.parameters
            provenance.mark(
                made.path,
                Provenance(task.kind, task.prompt, catalogue.shown(item.model), item.seed, made.media, parameters),
            )
            for each in made.beside:  # first: whoever finds the item finds them too
                media.publish(each, workshop.content.file(f"{generation.user_id}/{_stem(item)}{each.suffix}"))
            media.publish(made.path, workshop.content.file(path))
            item = replace(item, state="done", path=path, parameters=parameters)
            if not store.record(item):
                for suffix in (made.path.suffix, *(each.suffix for each in made.beside)):
                    workshop.content.file(path).with_suffix(suffix).unlink(missing_ok=True)
                raise Cancelled(f"order {item.generation_id} was cancelled")
            make_thumbnails(workshop, [item])
    workshop.report(Finished(item))


def _parameters(task: Task, item: Item) -> dict[str, Any]:
    """What a pipeline need not say of an item, so that it can be made again."""
    parameters: dict[str, Any] = {"number": item.number, "style": task.style, "size": str(task.size)}
    if task.kind == "video":
        parameters |= {"duration": task.frames / task.fps, "fps": task.fps}
    return parameters


def _stem(item: Item) -> str:
    return f"{item.generation_id}-{item.kind}-{item.number}"


def beat(workshop: Workshop, generation_id: str, text: str) -> None:
    if not workshop.store.heartbeat(generation_id, text, workshop.clock()):
        raise Cancelled(f"order {generation_id} was cancelled")


def thumbnails(content: ContentFolder, item: Item) -> dict[str, Path]:
    """The thumbnails of a finished item by the name of their size, made again where they are missing.

    Raises ContentError when they cannot be made, as when the item's file is gone or damaged.
    """
    assert item.path
    paths = thumbnail_paths(content, item)
    missing = {path: media.THUMBNAIL_SIDES[name] for name, path in paths.items() if not path.exists()}
    if missing:
        media.save_thumbnails(content.file(item.path), missing, content.making)
    return paths


def thumbnail_paths(content: ContentFolder, item: Item) -> dict[str, Path]:
    """Where the thumbnails of a finished item are, by the name of their size."""
    return {name: content.thumbnail(item.path or "", name) for name in media.THUMBNAIL_SIDES}


def captions(content: ContentFolder, item: Item) -> list[Path]:
    """The files of captions that lie beside a finished film."""
    file = content.file(item.path or "")
    return [path for suffix in CAPTIONS if item.path and (path := file.with_suffix(suffix)).exists()]


def make_thumbnails(workshop: Workshop, items: Iterable[Item]) -> None:
    """Make missing thumbnails. They are derived, so one that cannot be made is told and stops nothing."""
    for item in items:
        if item.state == "done":
            try:
                thumbnails(workshop.content, item)
            except ContentError as error:
                workshop.report(Said(str(error)))


def clear(workshop: Workshop, generation_id: str) -> None:
    """Remove what an ended order leaves: its work folder, its lock, files that were never recorded."""
    content = workshop.content
    generation = workshop.store.generation(generation_id)
    if generation is not None:
        for item in workshop.store.items(generation_id):
            if item.state != "done":
                for file in content.user(generation.user_id).glob(f"{_stem(item)}.*"):
                    file.unlink(missing_ok=True)
    content.remove_work(generation_id)
    content.remove_lock(generation_id)
