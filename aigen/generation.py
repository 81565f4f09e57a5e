"""The one use case: an order becomes items, files and rows, and survives whatever happens meanwhile.

Who runs an order holds the OS lock named after it; a started order whose lock is free was interrupted. The store says
what is missing, so running an order again makes exactly that.
"""

import secrets
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import tzinfo
from itertools import groupby
from pathlib import Path
from time import monotonic
from typing import Any

from aigen import media, pipelines, provenance
from aigen.errors import (
    AigenError,
    Cancelled,
    ContentError,
    GenerationError,
    Interrupted,
    StoreError,
    UsageError,
)
from aigen.pipelines import catalogue
from aigen.settings import ContentFolder
from aigen.store import Store
from aigen.times import Clock, resolve, to_text, utc_now
from aigen.types import (
    KINDS,
    SEED_LIMIT,
    STYLES,
    Failure,
    Finished,
    Generation,
    GenerationRequest,
    Item,
    Kind,
    Notice,
    Output,
    Pipeline,
    Placed,
    Provenance,
    Report,
    Run,
    Said,
    Started,
    Step,
    Task,
    Waiting,
    check_user_id,
)

# Attempts that workers make at an order; after as many crashes it needs a person.
ATTEMPTS = 3
# Seconds between two looks at whether the order was cancelled.
HEARTBEAT = 1.0
# Easy to read and to type: no letters or digits that look like others. 20 of them hold 98 bits.
_READABLE = "abcdefghjkmnpqrstvwxyz23456789"


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


def new_user_id() -> str:
    """A random id that is itself the secret: 98 bits, in groups of four."""
    letters = "".join(secrets.choice(_READABLE) for _ in range(20))
    return "-".join(letters[start : start + 4] for start in range(0, 20, 4))


def new_generation_id() -> str:
    return "".join(secrets.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(10))


def check(
    request: GenerationRequest,
    user_id: str | None,
    default_model: str | None = None,
    *,
    load: Callable[[str], Pipeline] = pipelines.load,
    clock: Clock = utc_now,
    zone: tzinfo | None = None,
) -> GenerationRequest:
    """The request with models, seed and time resolved; what is resolved already stays. Raises UsageError; writes nothing."""
    if user_id is not None:
        check_user_id(user_id)
    if request.style not in STYLES:
        raise UsageError(f"style {request.style!r} is not known: choose from {', '.join(STYLES)}")
    models = {
        kind: pipelines.choose(kind, request.model_for(kind), request.model, default_model, load)[0]
        for kind in KINDS
        if request.count(kind)
    }
    _check_options(request, models, {name: load(name) for name in dict.fromkeys(models.values())})
    return replace(
        request,
        model=None,
        image_model=models.get("image"),
        video_model=models.get("video"),
        seed=request.seed if request.seed is not None else secrets.randbelow(SEED_LIMIT + 1),
        notify_at=to_text(resolve(request.notify_at, clock(), zone)) if request.notify_at else None,
    )


def _check_options(request: GenerationRequest, models: dict[Kind, str], used: dict[str, Pipeline]) -> None:
    """Raise UsageError for an option that none of the models heeds, and for what one of them cannot do."""
    for name in request.given():
        if not any(name in pipeline.options for pipeline in used.values()):
            makers = " and ".join(
                f"{catalogue.shown(model)}, which makes the {kind}s" for kind, model in models.items()
            )
            raise UsageError(
                f"{name} means nothing to {makers}: leave it out, or name a diffusion model with --model (see aigen models)"
            )
    for pipeline in used.values():
        pipeline.check(request)


def place(
    workshop: Workshop,
    request: GenerationRequest,
    user_id: str | None,
    *,
    detached: bool = False,
    generation_id: str | None = None,
    limit: int | None = None,
) -> Generation:
    """Check an order and write it: the order, its planned items and waiting notices, in one transaction.

    Raises UsageError before anything is written, also when `limit` orders of this user are unfinished already.
    """
    request = check(request, user_id, load=workshop.load, clock=workshop.clock)
    assert request.seed is not None
    requested_at = to_text(workshop.clock())
    due_at = request.notify_at or requested_at
    generation = Generation(
        generation_id=generation_id or new_generation_id(),
        user_id=user_id or new_user_id(),
        prompt=request.prompt,
        request=request,
        status="Processing",
        error=None,
        requested_at=requested_at,
        generated_at=None,
        detached=detached,
        attempts=0,
        heartbeat_at=None,
        step=None,
    )
    items = [
        Item(generation.generation_id, kind, request.first + place, request.seed + place, model)
        for kind in KINDS
        if (model := request.model_for(kind))
        for place in range(request.count(kind))
    ]
    notices = [
        Notice(generation.generation_id, channel, "completed", due_at) for channel in dict.fromkeys(request.notify)
    ]
    workshop.store.place(generation, user_id is None, items, notices, limit)
    workshop.report(Placed(generation))
    return generation


def generate(workshop: Workshop, request: GenerationRequest, user_id: str | None) -> Generation:
    """Place an order and make it, here and now. Its lock is held before it exists, so it is never taken for interrupted."""
    generation_id = new_generation_id()
    with hold(workshop.content, generation_id):
        try:
            place(workshop, request, user_id, generation_id=generation_id)
        except BaseException:
            workshop.content.remove_lock(generation_id)
            raise
        return run(workshop, generation_id)


def hold(content: ContentFolder, generation_id: str) -> AbstractContextManager[None]:
    """Hold an order's lock. Raises AlreadyRunning when another process does."""
    held = f"order {generation_id} is being made by another process: aigen status --watch"
    return content.hold(generation_id, 1.0, held)  # longer than a mere look at the lock takes


def is_interrupted(workshop: Workshop, generation: Generation) -> bool:
    """Whether an order was begun (or was to begin at once) and nobody is making it any more."""

    def unfinished(order: Generation | None) -> bool:
        return order is not None and order.status == "Processing" and (order.attempts > 0 or not order.detached)

    if not unfinished(generation) or workshop.content.is_locked(generation.generation_id):
        return False
    # The lock is also free because the order has ended since its row was read.
    return unfinished(workshop.store.generation(generation.generation_id))


def run(workshop: Workshop, generation_id: str, detached: bool = False) -> Generation:
    """Make what is missing of an order. The caller holds its lock.

    Raises Cancelled, Interrupted (Ctrl-C), GenerationError when the order or some of its items failed, and
    ContentError when the disk is full, which leaves the order interrupted.
    """
    store = workshop.store
    started = False
    try:
        with _device(workshop, generation_id):
            started = store.start(generation_id, detached)
            if not started:
                raise Cancelled(f"order {generation_id} was cancelled")
            _make(workshop, generation_id)
            return _conclude(workshop, generation_id)
    except Cancelled:
        _clear(workshop, generation_id)
        raise
    except (ContentError, StoreError):
        with suppress(ContentError, StoreError):
            if detached and started:
                store.give_back(generation_id)  # it is not the order's fault
        raise
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt) or workshop.interrupted():
            if detached and started:
                store.give_back(generation_id)
            raise Interrupted(
                f"interrupted: what is finished stays; make the rest with aigen resume {generation_id}"
            ) from None
        if not isinstance(error, Exception):
            raise
        if isinstance(error, OSError) and error.errno in media.OUT_OF_SPACE:
            raise ContentError(
                f"the disk of {str(workshop.content.root)!r} is full ({error.strerror}): "
                f"free some space, then aigen resume {generation_id}"
            ) from error
        reason = str(error) if isinstance(error, AigenError) else f"{type(error).__name__}: {error}"
        store.fail(generation_id, reason, workshop.clock())
        raise GenerationError(
            f"order {generation_id} failed: {reason}; try again: aigen resume {generation_id}"
        ) from error


def resume(workshop: Workshop, generation_id: str) -> Generation:
    """Finish an interrupted, a failed or a waiting order, here and now; of a completed one, thumbnails that are missing."""
    find(workshop.store, generation_id)  # what does not exist has no lock
    with hold(workshop.content, generation_id):
        generation = find(workshop.store, generation_id)
        if generation.status == "Completed":
            _make_thumbnails(workshop, workshop.store.items(generation_id))
            return generation
        if generation.status == "Cancelled":
            raise UsageError(f"order {generation_id} was cancelled: place it again with aigen generate")
        workshop.store.reopen(generation_id)
        return run(workshop, generation_id)


def interrupted(workshop: Workshop) -> list[Generation]:
    """Every interrupted order, oldest first."""
    return [
        generation
        for generation in workshop.store.generations(status="Processing")
        if is_interrupted(workshop, generation)
    ]


def cancel(workshop: Workshop, generation_id: str) -> None:
    """Give up an order; who is making it stops within a second or two. Finished items stay."""
    generation = find(workshop.store, generation_id)
    if not workshop.store.cancel(generation_id):
        raise UsageError(f"order {generation_id} is {generation.status}: there is nothing to cancel")
    tidy(workshop)


def find(store: Store, generation_id: str) -> Generation:
    generation = store.generation(generation_id)
    if generation is None:
        raise UsageError(f"order {generation_id[:80]!r} is not known: see aigen status")
    return generation


def files(workshop: Workshop, items: Iterable[Item], kind: Kind) -> list[str]:
    """The paths of the finished items of one kind."""
    return [str(workshop.content.file(item.path)) for item in items if item.path and item.kind == kind]


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


def _make_thumbnails(workshop: Workshop, items: Iterable[Item]) -> None:
    """Make missing thumbnails. They are derived, so one that cannot be made is told and stops nothing."""
    for item in items:
        if item.state == "done":
            try:
                thumbnails(workshop.content, item)
            except ContentError as error:
                workshop.report(Said(str(error)))


def tidy(workshop: Workshop) -> None:
    """Remove what a killed process left of orders that have ended."""
    for generation_id in workshop.content.works():
        generation = workshop.store.generation(generation_id)
        ended = generation is None or generation.status in ("Completed", "Cancelled")
        if ended and not workshop.content.is_locked(generation_id):
            _clear(workshop, generation_id)


def _clear(workshop: Workshop, generation_id: str) -> None:
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


@contextmanager
def _device(workshop: Workshop, generation_id: str) -> Iterator[None]:
    """Hold the device: one order at a time uses it, the others wait and say so."""
    lock = workshop.content.lock("device")
    told = False
    while True:
        try:
            lock.acquire(timeout=HEARTBEAT, poll_interval=0.1)
            break
        except TimeoutError:
            _beat(workshop, generation_id, "waiting for another order to finish")
            if not told:
                workshop.report(Waiting("another order is being made; this one starts when it has finished"))
                told = True
    try:
        yield
    finally:
        lock.release()


def _beat(workshop: Workshop, generation_id: str, text: str) -> None:
    if not workshop.store.heartbeat(generation_id, text, workshop.clock()):
        raise Cancelled(f"order {generation_id} was cancelled")


def _make(workshop: Workshop, generation_id: str) -> None:
    generation = find(workshop.store, generation_id)
    items = workshop.store.items(generation_id)
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
            _beat(workshop, item.generation_id, f"{item.name}: {reported}")

    def check() -> None:
        _beat(workshop, in_hand().generation_id, in_hand().name)

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
            _make_thumbnails(workshop, [item])
    workshop.report(Finished(item))


def _parameters(task: Task, item: Item) -> dict[str, Any]:
    """What a pipeline need not say of an item, so that it can be made again."""
    parameters: dict[str, Any] = {"number": item.number, "style": task.style, "size": str(task.size)}
    if task.kind == "video":
        parameters |= {"duration": task.frames / task.fps, "fps": task.fps}
    return parameters


def _stem(item: Item) -> str:
    return f"{item.generation_id}-{item.kind}-{item.number}"


def _conclude(workshop: Workshop, generation_id: str) -> Generation:
    """End an order: completed when every item is done, else failed, naming the items and why."""
    store = workshop.store
    items = store.items(generation_id)
    failed = [item for item in items if item.state == "failed"]
    if failed:
        names: dict[str | None, list[str]] = {}
        for item in failed:
            names.setdefault(item.error, []).append(item.name)
        raise GenerationError("; ".join(f"{', '.join(each)}: {error}" for error, each in names.items()))
    _make_thumbnails(workshop, items)  # a crash may have come between an item and its thumbnails
    # The folder goes first: a crash between the two leaves an order that resume completes, not a stray folder.
    workshop.content.remove_work(generation_id)
    if not store.complete(generation_id, workshop.clock()):
        raise Cancelled(f"order {generation_id} was cancelled")
    workshop.content.remove_lock(generation_id)
    return find(store, generation_id)
