"""An order is checked, resolved and written: what was asked for becomes a row, planned items and waiting notices."""

import secrets
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from datetime import tzinfo

from aigen import pipelines, vision
from aigen.content import ContentFolder
from aigen.errors import UsageError
from aigen.media import uploads
from aigen.models import catalogue
from aigen.orders import source, tasks
from aigen.orders.context import Context
from aigen.orders.items import MUSIC
from aigen.times import Clock, resolve, to_text, utc_now
from aigen.types.pipeline import Pipeline
from aigen.types.reports import Placed
from aigen.types.request import (
    KINDS,
    NO_ATTACHMENTS,
    SEED_LIMIT,
    Attachments,
    GenerationRequest,
    Kind,
    check_style,
    check_user_id,
)
from aigen.types.rows import Generation, Item, Notice

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
    """The request with models, seed and time resolved; what is resolved already stays.

    Raises UsageError; writes nothing.
    """
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
                image_model=models.get("image") or request.image_model,
                from_picture=request.from_picture,
            )
    used = {name: load(name) for name in models.values()}
    if (
        not request.images
        and "video" in models
        and used[models["video"]].abilities.starts_from == "picture"
        and not request.from_picture
    ):
        # It has its pictures made by the model of the images, though none are asked for.
        asked_for_both = request.model if request.model and "image" in load(request.model).abilities.kinds else None
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
            "narrated videos are put together from pictures, not by "
            f"{catalogue.display_name(request.video_model or '')}: name what makes "
            "the pictures with --image-model"
        )
    return pipelines.NARRATOR


def _check_options(request: GenerationRequest, used: dict[str, Pipeline]) -> None:
    """Raise UsageError for an option that none of the models heeds."""
    for name in request.explicit():
        if not any(name in pipeline.abilities.options for pipeline in used.values()):
            makers = " and ".join(
                f"{catalogue.display_name(model)}, which makes the {kind}s"
                for kind in KINDS
                if (model := request.model_for(kind))
            )
            raise UsageError(
                f"{name} means nothing to {makers}: leave it out, "
                "or name a diffusion model with --model (see aigen models)"
            )


def _check_task(request: GenerationRequest, kind: Kind, name: str, pipeline: Pipeline) -> None:
    """Raise UsageError for what a pipeline cannot make."""
    if kind == "video" and request.from_picture and pipeline.abilities.starts_from == "prompt":
        raise UsageError(
            f"{catalogue.display_name(name)}, which makes the videos, cannot start from a picture: "
            "add --videos 0, or name a model "
            "that can with --video-model (see aigen models)"
        )
    pipeline.check(tasks.task_of(request, kind, pipeline))


def place(
    context: Context,
    request: GenerationRequest,
    user_id: str | None,
    attachments: Attachments = NO_ATTACHMENTS,
    *,
    detached: bool = False,
    generation_id: str | None = None,
    limit: int | None = None,
) -> Generation:
    """Check an order and write it: the order, its planned items and waiting notices, in one transaction.

    Raises UsageError before anything is written, also when `limit` orders of this user are unfinished already. Of the
    picture that they start from a copy is kept, without what else is in its file; also of the music of a narrated film.
    """
    picture, music = attachments.picture, attachments.music
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
    request = check(request, user_id, load=context.load, clock=context.clock)
    assert request.seed is not None
    requested_at = to_text(context.clock())
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
    work = context.content.work(generation.generation_id)
    with ExitStack() as stack:
        if (image or music) and detached:  # else its lock is held already; without, others would clear its folder away
            stack.enter_context(hold(context.content, generation.generation_id))
        if image:  # first, so that no order waits for what is not there
            uploads.save(image, work / source.SOURCE)
        if music and request.narration:
            uploads.keep(music, work / f"{MUSIC}{request.narration.music}")
        try:
            context.store.place(generation, user_id is None, items, notices, limit)
        except BaseException:
            context.content.remove_work(generation.generation_id)
            raise
    context.report(Placed(generation))
    return generation


def hold(content: ContentFolder, generation_id: str) -> AbstractContextManager[None]:
    """Hold an order's lock. Raises AlreadyRunning when another process does."""
    held = f"order {generation_id} is being made by another process: aigen status --watch"
    return content.hold(generation_id, 1.0, held)  # longer than a mere look at the lock takes
