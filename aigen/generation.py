"""The one use case: an order becomes items, files and rows, and survives whatever happens meanwhile.

Who runs an order holds the OS lock named after it; a started order whose lock is free was interrupted. The store says
what is missing, so running an order again makes exactly that.
"""

import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import replace
from datetime import tzinfo
from pathlib import Path

from aigen import making, pipelines, sources, tasks, vision
from aigen.content import ContentFolder
from aigen.errors import (
    AigenError,
    Cancelled,
    ContentError,
    GenerationError,
    Interrupted,
    StoreError,
    UsageError,
)
from aigen.media import uploads
from aigen.media.files import OUT_OF_SPACE
from aigen.models import catalogue
from aigen.store import Store
from aigen.times import Clock, resolve, to_text, utc_now
from aigen.types.pipeline import Pipeline
from aigen.types.reports import Placed, Waiting
from aigen.types.request import KINDS, SEED_LIMIT, GenerationRequest, Kind, check_style, check_user_id
from aigen.types.rows import Generation, Item, Notice
from aigen.workshop import HEARTBEAT, Workshop, beat

# Attempts that workers make at an order; after as many crashes it needs a person.
ATTEMPTS = 3
# Easy to read and to type: no letters or digits that look like others. 20 of them hold 98 bits.
_READABLE = "abcdefghjkmnpqrstvwxyz23456789"


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
    check_style(request.style)
    models: dict[Kind, str] = {}
    for kind in KINDS:
        if kind == "video" and request.narration:
            models[kind] = _narrator(request)
        elif request.count(kind):
            models[kind], _ = pipelines.choose(
                kind,
                request.model_for(kind),
                request.model,
                default_model,
                load,
                painter=models.get("image") or request.image_model,
                from_picture=request.from_picture,
            )
    used = {name: load(name) for name in models.values()}
    if (
        not request.images
        and "video" in models
        and used[models["video"]].start == "picture"
        and not request.from_picture
    ):
        # It has its pictures made by the model of the images, though none are asked for.
        asked_for_both = request.model if request.model and "image" in load(request.model).kinds else None
        models["image"] = pipelines.choose("image", request.image_model, asked_for_both, default_model, load)[0]
        used[models["image"]] = load(models["image"])
    request = replace(
        request,
        model=None,
        image_model=models.get("image"),
        video_model=models.get("video"),
        vision_model=vision.choose(request.vision_model) if request.from_picture else None,
        seed=request.seed if request.seed is not None else secrets.randbelow(SEED_LIMIT + 1),
        notify_at=to_text(resolve(request.notify_at, clock(), zone)) if request.notify_at else None,
    )
    _check_options(request, used)
    for kind, name in models.items():
        _check_task(request, kind, name, used[name])
    return request


def _narrator(request: GenerationRequest) -> str:
    if request.video_model not in (None, pipelines.NARRATOR):
        raise UsageError(
            f"narrated videos are put together from pictures, not by {catalogue.shown(request.video_model or '')}: name what makes "
            "the pictures with --image-model"
        )
    return pipelines.NARRATOR


def _check_options(request: GenerationRequest, used: dict[str, Pipeline]) -> None:
    """Raise UsageError for an option that none of the models heeds."""
    for name in request.given():
        if not any(name in pipeline.options for pipeline in used.values()):
            makers = " and ".join(
                f"{catalogue.shown(model)}, which makes the {kind}s"
                for kind in KINDS
                if (model := request.model_for(kind))
            )
            raise UsageError(
                f"{name} means nothing to {makers}: leave it out, or name a diffusion model with --model (see aigen models)"
            )


def _check_task(request: GenerationRequest, kind: Kind, name: str, pipeline: Pipeline) -> None:
    """Raise UsageError for what a pipeline cannot make."""
    if kind == "video" and request.from_picture and pipeline.start == "prompt":
        raise UsageError(
            f"{catalogue.shown(name)}, which makes the videos, cannot start from a picture: add --videos 0, or name a model "
            "that can with --video-model (see aigen models)"
        )
    pipeline.check(tasks.task_of(request, kind, pipeline))


def place(
    workshop: Workshop,
    request: GenerationRequest,
    user_id: str | None,
    *,
    detached: bool = False,
    picture: Path | None = None,
    music: Path | None = None,
    generation_id: str | None = None,
    limit: int | None = None,
) -> Generation:
    """Check an order and write it: the order, its planned items and waiting notices, in one transaction.

    Raises UsageError before anything is written, also when `limit` orders of this user are unfinished already. Of a
    `picture` that they start from a copy is kept, without what else is in its file; also of the `music` of a narrated film.
    """
    if request.from_picture and picture is None:
        raise UsageError("it started from a picture, which is not kept: order it anew from that picture (--from-image)")
    image = uploads.read(picture) if picture else None
    seen = request.seen
    if picture and seen is None:
        seen = vision.describe(picture, camera=False)
    request = replace(request, from_picture=image is not None, seen=seen if image else None)
    if request.narration:
        if request.narration.music and music is None:
            raise UsageError("its music is not kept: order it anew with that music (--music)")
        told = replace(request.narration, music=music.suffix.lower() if music else None)
        request = replace(request, narration=told)
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
    work = workshop.content.work(generation.generation_id)
    with ExitStack() as stack:
        if (image or music) and detached:  # else its lock is held already; without, others would clear its folder away
            stack.enter_context(hold(workshop.content, generation.generation_id))
        if image:  # first, so that no order waits for what is not there
            uploads.save(image, work / sources.SOURCE)
        if music and request.narration:
            uploads.keep(music, work / f"{making.MUSIC}{request.narration.music}")
        try:
            workshop.store.place(generation, user_id is None, items, notices, limit)
        except BaseException:
            workshop.content.remove_work(generation.generation_id)
            raise
    workshop.report(Placed(generation))
    return generation


def generate(
    workshop: Workshop,
    request: GenerationRequest,
    user_id: str | None,
    picture: Path | None = None,
    music: Path | None = None,
) -> Generation:
    """Place an order and make it, here and now. Its lock is held before it exists, so it is never taken for interrupted."""
    generation_id = new_generation_id()
    with hold(workshop.content, generation_id):
        try:
            place(workshop, request, user_id, picture=picture, music=music, generation_id=generation_id)
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
            making.make(workshop, find(workshop.store, generation_id))
            return _conclude(workshop, generation_id)
    except Cancelled:
        making.clear(workshop, generation_id)
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
        if isinstance(error, OSError) and error.errno in OUT_OF_SPACE:
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
            making.make_thumbnails(workshop, workshop.store.items(generation_id))
            return generation
        if generation.status == "Cancelled":
            raise UsageError(f"order {generation_id} was cancelled: place it again with aigen generate")
        planned = any(item.state != "done" for item in workshop.store.items(generation_id))
        if (
            planned
            and generation.request.from_picture
            and not (workshop.content.work(generation_id) / sources.SOURCE).exists()
        ):
            raise UsageError("the picture that it starts from is gone: order it anew from that picture (--from-image)")
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


def tidy(workshop: Workshop) -> None:
    """Remove what a killed process left of orders that have ended."""
    for generation_id in workshop.content.works():
        generation = workshop.store.generation(generation_id)
        ended = generation is None or generation.status in ("Completed", "Cancelled")
        if ended and not workshop.content.is_locked(generation_id):
            making.clear(workshop, generation_id)


def find(store: Store, generation_id: str) -> Generation:
    generation = store.generation(generation_id)
    if generation is None:
        raise UsageError(f"order {generation_id[:80]!r} is not known: see aigen status")
    return generation


def files(workshop: Workshop, items: Iterable[Item], kind: Kind) -> list[str]:
    """The paths of the finished items of one kind."""
    return [str(workshop.content.file(item.path)) for item in items if item.path and item.kind == kind]


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
            beat(workshop, generation_id, "waiting for another order to finish")
            if not told:
                workshop.report(Waiting("another order is being made; this one starts when it has finished"))
                told = True
    try:
        yield
    finally:
        lock.release()


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
    making.make_thumbnails(workshop, items)  # a crash may have come between an item and its thumbnails
    # The folder goes first: a crash between the two leaves an order that resume completes, not a stray folder.
    workshop.content.remove_work(generation_id)
    if not store.complete(generation_id, workshop.clock()):
        raise Cancelled(f"order {generation_id} was cancelled")
    workshop.content.remove_lock(generation_id)
    return find(store, generation_id)
