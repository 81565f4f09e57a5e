"""Items become files: each pipeline makes its share of an order, and what is finished is marked, named and recorded.

`lifecycle` decides what is made and when; here nothing is known of locks, or of orders that ended.
"""

import queue
import shutil
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

from aigen import pipelines, vision
from aigen.content import publish
from aigen.errors import ContentError, GenerationError, StillRunning, UsageError
from aigen.media import provenance
from aigen.media.thumbnails import thumbnails
from aigen.models import catalogue
from aigen.orders import source
from aigen.orders.context import Context, ended, heartbeat
from aigen.orders.device import Device
from aigen.orders.run import OrderRun
from aigen.orders.tasks import picture_by, prompt_of, task_of
from aigen.store import Store
from aigen.times import to_text
from aigen.types.pipeline import Failure, Output, Pipeline, Provenance, Task
from aigen.types.reports import Finished, Said, Started
from aigen.types.request import GenerationRequest, Kind
from aigen.types.rows import Generation, Item

# The music of a narrated film in its work folder, without the suffix of its file.
MUSIC = "music"


def begins_here(context: Context, generation_id: str) -> bool:
    """Return whether the first planned item needs the device of this machine."""
    planned = (item for item in context.store.items(generation_id) if item.state == "planned")
    first = next(planned, None)
    return first is not None and context.pipeline(first.model).abilities.local


def make_items(
    context: Context,
    generation: Generation,
    device: Device,
    advice: str | None = None,
    only: Callable[[Item], bool] = lambda item: True,
) -> None:
    """Make what is missing of an order, or `only` some of it. Raises what a pipeline raises, and Cancelled.

    Raises StillRunning only after everything else is made. `advice` is shown with what makes the order.
    """
    items = context.store.items(generation.generation_id)
    request = generation.request
    makers = {item.kind: item.model for item in items}
    loaded = {model: context.pipeline(model) for model in (*makers.values(), request.image_model) if model}
    paces = {kind: pace for kind, model in makers.items() if (pace := _pace(context, request, kind, loaded[model]))}
    usual = {
        kind: seconds
        for kind, model in makers.items()
        if len(loaded) > 1 and (seconds := loaded[model].abilities.seconds.get(kind))
    }
    context.report(Started(generation, tuple(items), pipelines.introduce(loaded, advice), paces, usual))
    if generation.request.from_picture and any(item.state == "planned" for item in items):
        _keep_thumbnail(context, generation)
        generation = replace(generation, request=_look_closer(context, generation, device))
    for told in pipelines.substitutions(generation.request, loaded):
        context.report(Said(told))
    planned = [item for item in items if item.state == "planned" and only(item)]
    prompt = prompt_of(generation.request)
    batches = [
        list(group) for _, group in groupby(planned, key=lambda item: (item.kind, item.model, prompt.choose(item.seed)))
    ]

    def make(batch: list[Item], context: Context, stop: threading.Event) -> None:
        pipeline = loaded[batch[0].model]
        device.use(pipeline.abilities.local)
        _make_batch(context, generation, pipeline, batch, paces.get(batch[0].kind), device, stop)

    with ExitStack() as stack:
        for pipeline in loaded.values():
            if hasattr(pipeline, "session"):  # of hosted ones: what one batch learns of a provider holds for the next
                stack.enter_context(pipeline.session(generation.generation_id))
        if len(batches) > 1 and not any(pipeline.abilities.local for pipeline in loaded.values()):
            _make_side_by_side(context, batches, make)
        else:
            _make_in_turn(context, batches, make)


Make = Callable[[list[Item], Context, threading.Event], None]


def _make_in_turn(context: Context, batches: list[list[Item]], make: Make) -> None:
    waiting: StillRunning | None = None
    for batch in batches:
        try:
            make(batch, context, threading.Event())
        except StillRunning as error:
            waiting = error
    if waiting:
        raise waiting


def _make_side_by_side(context: Context, batches: list[list[Item]], make: Make) -> None:
    """Make batches at the same time, each in a thread with its own connection to the store.

    The first that fails stops the others.
    """
    stop = threading.Event()
    ended: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()

    def run(batch: list[Item]) -> None:
        try:
            with Store.open(context.content) as store:
                make(batch, replace(context, store=store), stop)
            ended.put(None)
        except BaseException as error:
            ended.put(error)

    # Daemons: a second Ctrl-C ends the program although a request is under way.
    threads = [threading.Thread(target=run, args=(batch,), name="batch", daemon=True) for batch in batches]
    errors: list[BaseException] = []
    try:
        for thread in threads:
            thread.start()
        for _ in threads:
            if error := ended.get():
                errors.append(error)
                if not isinstance(error, StillRunning):
                    stop.set()
    finally:
        stop.set()
        for thread in threads:
            if thread.ident:
                thread.join()
    if errors:
        raise next((error for error in errors if not isinstance(error, StillRunning)), errors[0])


def _pace(context: Context, request: GenerationRequest, kind: Kind, pipeline: Pipeline) -> float | None:
    """Return the seconds an item of this kind took recently; None without a comparable order."""
    if kind == "video" and request.narration:  # its time depends on its words
        return None
    model = request.model_for(kind)
    return context.store.pace(kind, model, request, picture_by(request, pipeline)) if model else None


def _look_closer(context: Context, generation: Generation, device: Device) -> GenerationRequest:
    """The request with what the vision model that was chosen for it sees in its picture;
    it looks once, also over a crash.

    Where that cannot be, with what the built-in one saw when the order was placed.
    """
    request, work = generation.request, context.content.work(generation.generation_id)
    model, before = request.vision_model, request.seen
    if model in (None, vision.BUILT_IN) or before is None:
        return request
    seen = source.recall_seen(work)
    if seen is None:
        context.report(Said(f"{catalogue.display_name(model)} looks at the picture …"))
        heartbeat(context, generation.generation_id, "looking at the picture")
        try:
            with device.used(True):
                seen = source.describe_source(work, model)
        except (GenerationError, UsageError) as error:
            context.report(Said(f"{error}; so it is made of what {before.model} has seen"))
            return request
        context.report(Said(f"{catalogue.display_name(model)} sees {seen.prompt}"))
    seen = replace(seen, facts=before.facts, source_type=before.source_type)
    # What was not the user's own prompt is no prompt any more.
    return replace(request, seen=seen, prompt=seen.prompt if request.prompt == before.prompt else request.prompt)


def _keep_thumbnail(context: Context, generation: Generation) -> None:
    try:
        source.keep_thumbnail(context.content, generation)
    except ContentError as error:
        context.report(Said(str(error)))


def _make_batch(
    context: Context,
    generation: Generation,
    pipeline: Pipeline,
    items: list[Item],
    pace: float | None,
    device: Device,
    stop: threading.Event,
) -> None:
    """Have one pipeline make items of one kind; while it makes the next, a thread records the last."""
    work = context.content.work(generation.generation_id)
    work.mkdir(parents=True, exist_ok=True)
    picture = work / source.SOURCE if generation.request.from_picture else None
    task = replace(task_of(generation.request, items[0].kind, pipeline, items), work=work, source=picture)
    run, began_at = OrderRun(context, generation, task, items, pace, device, stop), to_text(context.clock())
    with (
        ThreadPoolExecutor(max_workers=1, thread_name_prefix="writer") as writer,
        closing(pipeline.generate(task, run)) as outputs,
    ):
        writing: Future[None] | None = None
        for made in outputs:
            if writing:
                writing.result()
            writing = writer.submit(_record, context, generation, task, run.finish(made.seed), made, began_at)
        if writing:
            writing.result()
    if run.missing:
        names = ", ".join(item.name for item in run.missing.values())
        raise GenerationError(f"model {catalogue.display_name(items[0].model)!r} ended without making {names}")


def _record(
    context: Context, generation: Generation, task: Task, item: Item, made: Output | Failure, began_at: str
) -> None:
    """Mark a finished file, give it its final name, record it (in the writer's thread:
    it has a connection of its own). `began_at` is when the batch was begun.
    """
    with Store.open(context.content) as store:
        if isinstance(made, Failure):
            item = replace(item, state="failed", error=made.error)
            store.record(item)
        else:
            context.content.check_no_links(generation.user_id)
            item = replace(item, model=made.model or item.model)
            job = store.job(item)
            bought = job is not None
            if job and job.intended_at and job.intended_at < began_at:
                item = replace(item, seconds=None)  # it was only collected, which says nothing of how long it takes
            if bought:
                # What was bought stays as it came until the order is done: a crash may come before it is recorded.
                made = replace(made, path=_copied(made.path))
            path = f"{generation.user_id}/{_stem(item)}{made.path.suffix}"
            parameters = _parameters(task, item) | made.parameters
            said = Provenance(
                task.kind, task.prompt, catalogue.display_name(item.model), item.seed, made.source_type, parameters
            )
            beside = (*made.beside, *provenance.write(made.path, said, bought))
            for each in beside:  # first: whoever finds the item finds them too
                publish(each, context.content.file(f"{generation.user_id}/{_stem(item)}{each.suffix}"))
            publish(made.path, context.content.file(path))
            item = replace(item, state="done", path=path, parameters=parameters, cost=made.cost)
            if not store.record(item):
                for suffix in (made.path.suffix, *(each.suffix for each in beside)):
                    context.content.file(path).with_suffix(suffix).unlink(missing_ok=True)
                raise ended(context.content, item.generation_id)
            make_thumbnails(context, [item])
    context.report(Finished(item))


def _copied(path: Path) -> Path:
    copy = path.with_name(f"{path.stem}.copy{path.suffix}")
    shutil.copyfile(path, copy)
    return copy


def _parameters(task: Task, item: Item) -> dict[str, Any]:
    """What a pipeline need not say of an item, so that it can be made again."""
    parameters: dict[str, Any] = {
        "number": item.number,
        "style": task.style_of(item.number),
        "size": str(task.size),
    }
    if task.from_picture:
        parameters |= {"picture_by": "the user", "seen": task.seen.as_json() if task.seen else None}
    if task.kind == "video":
        parameters |= {"duration": task.frames / task.fps, "fps": task.fps}
    return parameters


def _stem(item: Item) -> str:
    return f"{item.generation_id}-{item.kind}-{item.number}"


def make_thumbnails(context: Context, items: Iterable[Item]) -> None:
    """Make missing thumbnails. They are derived, so one that cannot be made is told and stops nothing."""
    for item in items:
        if item.state == "done":
            try:
                thumbnails(context.content, item)
            except ContentError as error:
                context.report(Said(str(error)))


def clear(context: Context, generation_id: str) -> None:
    """Remove what an ended order leaves: its work folder, its lock, files that were never recorded."""
    content = context.content
    generation = context.store.generation(generation_id)
    if generation is not None:
        for item in context.store.items(generation_id):
            if item.state != "done":
                for file in content.user(generation.user_id).glob(f"{_stem(item)}.*"):
                    file.unlink(missing_ok=True)
        if generation.request.from_picture and not any(
            item.state == "done" for item in context.store.items(generation_id)
        ):
            source.thumbnail(content, generation).unlink(missing_ok=True)
    content.remove_work(generation_id)
    content.remove_lock(generation_id)
