"""Items become files: each pipeline makes its share of an order, and what is finished is marked, named and recorded.

`generation` decides what is made and when; here nothing is known of locks, or of orders that ended.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from time import monotonic
from typing import Any

from aigen import media, pipelines, provenance
from aigen.errors import Cancelled, ContentError, GenerationError
from aigen.pipelines import catalogue
from aigen.settings import ContentFolder
from aigen.store import Store
from aigen.times import Clock, utc_now
from aigen.types import (
    Failure,
    Finished,
    Generation,
    GenerationRequest,
    Item,
    Kind,
    Output,
    Pipeline,
    Provenance,
    Report,
    Run,
    Said,
    Started,
    Step,
    Task,
)

# Seconds between two looks at whether the order was cancelled.
HEARTBEAT = 1.0


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
    loaded = {model: workshop.load(model) for model in models}
    paces = {
        kind: pace
        for kind, model in dict.fromkeys((item.kind, item.model) for item in items)
        if (pace := workshop.store.pace(kind, model, generation.request))
    }
    workshop.report(Started(generation, tuple(items), pipelines.introduce(loaded), paces))
    for told in _substituted(generation.request, loaded):
        workshop.report(Said(told))
    planned = [item for item in items if item.state == "planned"]
    for (_, model), group in groupby(planned, key=lambda item: (item.kind, item.model)):
        _make_batch(workshop, generation, loaded[model], list(group))


def _substituted(request: GenerationRequest, loaded: dict[str, Pipeline]) -> Iterator[str]:
    """What the built-in illustrator makes because the model of the other kind cannot."""
    others: dict[Kind, str | None] = {"image": request.video_model, "video": request.image_model}
    for kind, other in others.items():
        if request.model_for(kind) == pipelines.FALLBACK and other in loaded and kind not in loaded[other].kinds:
            yield f"{catalogue.shown(other)} makes no {kind}s: those are by {pipelines.FALLBACK}"


def _make_batch(workshop: Workshop, generation: Generation, pipeline: Pipeline, items: list[Item]) -> None:
    """Have one pipeline make items of one kind; while it makes the next, a thread records the last."""
    request, kind = generation.request, items[0].kind
    work = workshop.content.work(generation.generation_id)
    work.mkdir(parents=True, exist_ok=True)
    frames, fps = request.length()
    task = Task(
        kind=kind,
        prompt=generation.prompt,
        style=request.style,
        numbers=tuple(item.number for item in items),
        seeds=tuple(item.seed for item in items),
        size=request.size_for(kind, pipeline.sizes[kind]),
        work=work,
        frames=frames if kind == "video" else 1,
        fps=fps,
        options=request.options(),
    )
    missing = {item.seed: item for item in items}
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="writer") as writer:
        writing: Future[None] | None = None
        watch = _Watch()
        for made in pipeline.generate(task, _run(workshop, items, missing, watch)):
            if writing:
                writing.result()
            item = replace(missing.pop(made.seed), seconds=watch.lap())
            writing = writer.submit(_record, workshop, generation, task, item, made)
        if writing:
            writing.result()
    if missing:
        names = ", ".join(item.name for item in missing.values())
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


def _run(workshop: Workshop, items: list[Item], missing: dict[int, Item], watch: _Watch) -> Run:
    """A pipeline's way up. The item in hand is the first of those still `missing`."""
    beaten_at = monotonic()
    by_seed = {item.seed: item for item in items}

    def in_hand() -> Item:
        return next(iter(missing.values()), items[-1])

    def step(done: int, total: int, text: str, beside: float = 0.0) -> None:
        nonlocal beaten_at
        watch.hear(total)
        item = in_hand()
        reported = Step(item, done, total, text, beside)
        workshop.report(reported)
        if monotonic() - beaten_at >= HEARTBEAT:
            beaten_at = monotonic()
            beat(workshop, item.generation_id, f"{item.name}: {reported}")

    def check() -> None:
        beat(workshop, in_hand().generation_id, in_hand().name)

    return Run(
        step=step,
        say=lambda text: workshop.report(Said(text)),
        remember=lambda seed, key, value: workshop.store.remember(by_seed[seed], key, value),
        recall=lambda seed, key: workshop.store.recall(by_seed[seed], key),
        check=check,
    )


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
            media.publish(made.path, workshop.content.file(path))
            item = replace(item, state="done", path=path, parameters=parameters)
            if not store.record(item):
                workshop.content.file(path).unlink(missing_ok=True)
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
