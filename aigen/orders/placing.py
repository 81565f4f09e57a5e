"""The one entrance for orders: a draft is resolved once, then written.

`prepare` opens and describes the user's picture, checks names, and resolves models, seed, time and price. It writes
nothing. `write` stores the order with its planned items and waiting notices. `place` does both.
"""

import secrets
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

from aigen import pipelines, vision
from aigen.content import ContentFolder
from aigen.errors import UsageError
from aigen.media import uploads
from aigen.models import catalogue
from aigen.orders import costs, quotas, source, tasks
from aigen.orders.advice import suggest
from aigen.orders.context import Context
from aigen.orders.items import MUSIC
from aigen.times import resolve as resolve_time
from aigen.times import to_text
from aigen.types.markup import read_markup
from aigen.types.pipeline import Pipeline
from aigen.types.reports import Placed, Said
from aigen.types.request import (
    KINDS,
    NO_ATTACHMENTS,
    SEED_LIMIT,
    Attachments,
    BaseRequest,
    Draft,
    GenerationRequest,
    Kind,
    Narration,
    check_user_id,
)
from aigen.types.rows import Generation, Notice, Terms
from aigen.types.seen import ImageDescription
from aigen.types.styles import STYLES_IN_TURN
from aigen.wording import visible

if TYPE_CHECKING:
    from PIL.Image import Image

# Easy to read and to type: no letters or digits that look like others. 20 of them hold 98 bits.
_READABLE = "abcdefghjkmnpqrstvwxyz23456789"


def new_user_id() -> str:
    """A random id that is itself the secret: 98 bits, in groups of four."""
    letters = "".join(secrets.choice(_READABLE) for _ in range(20))
    return "-".join(letters[start : start + 4] for start in range(0, 20, 4))


def new_generation_id() -> str:
    return "".join(secrets.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(10))


@dataclass(frozen=True)
class Prepared:
    """A resolved order, ready to be written.

    `price` is its estimated cost in USD: 0 for free models, None if a model has no known price. `advice` names what
    would make better pictures, where the built-in illustrator makes them because nobody chose.
    """

    request: GenerationRequest
    user_id: str | None
    price: float | None
    image: "Image | None" = None
    music: Path | None = None
    yes: bool = False
    advice: str | None = None


def place(
    context: Context,
    draft: Draft,
    user_id: str | None = None,
    attachments: Attachments = NO_ATTACHMENTS,
    *,
    detached: bool = False,
) -> Generation:
    """Resolve an order and write it. Raises what `prepare`, `costs.check_cost` and `write` raise."""
    prepared = prepare(context, draft, user_id, attachments)
    costs.check_cost(context, prepared.request, prepared.user_id, prepared.price, prepared.yes)
    if prepared.advice:
        context.report(Said(f"{pipelines.FALLBACK}, the built-in illustrator, makes it; {prepared.advice}"))
    return write(context, prepared, detached=detached)


def prepare(
    context: Context, draft: Draft, user_id: str | None = None, attachments: Attachments = NO_ATTACHMENTS
) -> Prepared:
    """Resolve a draft. Raises UsageError. Writes nothing."""
    if user_id is not None:
        check_user_id(user_id)
    if draft.from_picture and attachments.picture is None:
        raise UsageError("it started from a picture, which is not kept: order it anew from that picture (--from-image)")
    if draft.narration and draft.narration.music and attachments.music is None:
        raise UsageError("its music is not kept: order it anew with that music (--music)")
    if attachments.music:
        from aigen.film.music import check_music

        check_music(attachments.music)
    image, seen = vision.read(attachments.picture) if attachments.picture else (None, None)
    if seen:
        context.report(Said(f"seen in it: {visible(seen.text)}"))
        draft = replace(draft, from_picture=True)
    request, used = _resolve(context, draft, seen, attachments.music)
    _say_ignored(context, request)
    price = costs.price_of(request, used)
    advice = suggest(context, draft, request, lambda name: _price_by(context, draft, request, name))
    return Prepared(request, user_id, price, image, attachments.music, draft.yes, advice)


def _price_by(context: Context, draft: Draft, request: GenerationRequest, name: str) -> float | None:
    """Return what an order would cost if this model made it. Raises UsageError if it cannot."""
    models = _choose(context, replace(draft, model=name))
    chosen = replace(request, image_model=models.get("image"), video_model=models.get("video"))
    used = {kind: context.pipeline(each) for kind, each in models.items()}
    _check_options(chosen, used.values())
    for kind, pipeline in used.items():
        _check_task(chosen, kind, pipeline, asks_keyring=False)
    price = costs.price_of(chosen, used)
    costs.check_limits(context, chosen, None, price)
    return price


def estimate(context: Context, draft: Draft) -> Prepared:
    """Resolve a draft without the picture it may start from, for estimates. Raises UsageError."""
    request, used = _resolve(context, draft, None, None)
    return Prepared(request, None, costs.price_of(request, used))


def _resolve(
    context: Context, draft: Draft, seen: ImageDescription | None, music: Path | None
) -> tuple[GenerationRequest, dict[Kind, Pipeline]]:
    """Return the resolved request, and the pipeline of each kind."""
    models = _choose(context, draft)
    common = {each.name: getattr(draft, each.name) for each in fields(BaseRequest)}
    asked = common | {
        "prompt": (seen.prompt if seen else "any") if draft.prompt is None else draft.prompt,
        "style": draft.style or "plain",
        "styles": STYLES_IN_TURN if draft.from_picture and draft.style is None else (),
        "seen": seen,
        "image_model": models.get("image"),
        "video_model": models.get("video"),
        "vision_model": vision.choose(draft.vision_model) if draft.from_picture else None,
        "seed": draft.seed if draft.seed is not None else secrets.randbelow(SEED_LIMIT + 1),
        "notify_at": to_text(resolve_time(draft.notify_at, context.clock())) if draft.notify_at else None,
        "narration": _narration(draft, seen, music),
    }
    request = GenerationRequest(**asked)
    used = {kind: context.pipeline(name) for kind, name in models.items()}
    request = _heed_negative(request, used)
    costs.check_paid(context, request)
    _check_options(request, used.values())
    for kind, pipeline in used.items():
        _check_task(request, kind, pipeline)
    return request, used


def _heed_negative(request: GenerationRequest, used: Mapping[Kind, Pipeline]) -> GenerationRequest:
    """Return the request with the negative prompt that its prompt holds, where a model heeds one."""
    prompt = tasks.prompt_of(request)
    if not prompt.text.strip():
        raise UsageError("the prompt is only markup: say what the pictures and videos shall show")
    heeds = any("negative" in pipeline.abilities.options for pipeline in used.values())
    return replace(request, negative=prompt.negative) if prompt.negative and heeds and not request.negative else request


def _say_ignored(context: Context, request: GenerationRequest) -> None:
    """Report, in one line, what of a prompt's markup is not heeded."""
    prompt = tasks.prompt_of(request)
    left = [*prompt.ignored, *([f"not: {prompt.negative}"] if prompt.negative and not request.negative else [])]
    if left:
        context.report(Said(f"in the prompt, this is not heeded: {visible(', '.join(left))}"))


def _choose(context: Context, draft: Draft) -> dict[Kind, str]:
    """Return the model of each kind, including the one for the pictures that videos start from."""
    load, default = context.pipeline, context.settings.model
    models: dict[Kind, str] = {}
    for kind in KINDS:
        if draft.count(kind):
            models[kind], _ = pipelines.choose(
                kind,
                draft.model_for(kind),
                draft.model,
                default,
                load=load,
                image_model=models.get("image") or draft.image_model,
                from_picture=draft.from_picture,
                narrated=draft.is_narrated,
                paid=context.paid,
            )
    starts_from = load(models["video"]).abilities.starts_from if "video" in models else "prompt"
    if "image" not in models and starts_from == "picture" and not draft.from_picture:
        # The image model makes the pictures that the videos start from, though no images are ordered.
        asked_for_both = draft.model if draft.model and "image" in load(draft.model).abilities.kinds else None
        models["image"], _ = pipelines.choose(
            "image", draft.image_model, asked_for_both, default, load=load, paid=context.paid
        )
    return models


def _narration(draft: Draft, seen: ImageDescription | None, music: Path | None) -> Narration | None:
    """Return the narration: the one given, or the prompt, or the description of the picture as its script."""
    told = draft.narration
    if told is None and draft.narrate:
        words = read_markup(draft.prompt).choose(draft.seed or 0) if draft.prompt else ""
        told = Narration(script=words or (seen.description if seen else "any"))
        told = replace(told, styles=(draft.style,)) if draft.style else told
    return replace(told, music=music.suffix.lower() if music else None) if told else None


def _check_options(request: GenerationRequest, used: Iterable[Pipeline]) -> None:
    """Raise UsageError for an option that none of the models heeds."""
    heeded = frozenset[str]().union(*(pipeline.abilities.options for pipeline in used))
    for name in request.explicit():
        if name not in heeded:
            makers = " and ".join(
                f"{catalogue.display_name(model)}, which makes the {kind}s"
                for kind in KINDS
                if (model := request.model_for(kind))
            )
            raise UsageError(
                f"{name} means nothing to {makers}: leave it out, "
                "or name a diffusion model with --model (see aigen models)"
            )


def _check_task(request: GenerationRequest, kind: Kind, pipeline: Pipeline, asks_keyring: bool = True) -> None:
    """Raise UsageError for what a pipeline cannot make."""
    starts_from = pipeline.abilities.starts_from
    if kind == "image" and starts_from == "picture" and not request.from_picture:
        raise UsageError(
            f"{catalogue.display_name(request.image_model or '')}, which makes the images, needs a picture to start "
            "from: add --from-image"
        )
    if kind == "video" and request.from_picture and starts_from == "prompt":
        raise UsageError(
            f"{catalogue.display_name(request.video_model or '')}, which makes the videos, cannot start from a "
            "picture: add --videos 0, or name a model that can with --video-model (see aigen models)"
        )
    check = pipeline.check if asks_keyring else getattr(pipeline, "check_without_keyring", pipeline.check)
    check(tasks.task_of(request, kind, pipeline, tasks.planned(request, kind)))


def write(
    context: Context,
    prepared: Prepared,
    *,
    detached: bool = False,
    generation_id: str | None = None,
) -> Generation:
    """Write an order: its row, planned items and waiting notices, in one transaction.

    Raises UsageError, before it writes anything, if it exceeds a limit of its user. Keeps a copy of the picture,
    without the metadata of its file, and of the music.
    """
    request, image, music = prepared.request, prepared.image, prepared.music
    requested_at = to_text(context.clock())
    due_at = request.notify_at or requested_at
    generation = Generation(
        generation_id=generation_id or new_generation_id(),
        user_id=prepared.user_id or new_user_id(),
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
        price=prepared.price,
        budgets=context.budgets,
    )
    items = [item for kind in KINDS for item in tasks.planned(request, kind, generation.generation_id)]
    notices = [
        Notice(generation.generation_id, channel, "completed", due_at) for channel in dict.fromkeys(request.notify)
    ]
    context.content.check_writable()
    context.content.check_no_links(generation.user_id)
    work = context.content.work(generation.generation_id)
    with ExitStack() as stack:
        if (image or music) and detached:  # else its lock is held already; without, others would clear its folder away
            stack.enter_context(hold(context.content, generation.generation_id))
        try:
            if image:  # first, so that no order waits for what is not there
                uploads.save(image, work / source.SOURCE)
            if music and request.narration:
                uploads.keep(music, work / f"{MUSIC}{request.narration.music}")
            terms = Terms(
                context.max_orders,
                tuple(costs.find_budgets(context, generation.user_id, generation.price)),
                quotas.quota_for(context, request, generation.user_id),
                context.confirms_mail,
            )
            context.store.place(generation, prepared.user_id is None, items, notices, terms)
        except BaseException:
            context.content.remove_work(generation.generation_id)
            context.content.remove_lock(generation.generation_id)
            raise
    context.report(Placed(generation))
    return generation


def hold(content: ContentFolder, generation_id: str) -> AbstractContextManager[None]:
    """Hold an order's lock. Raises AlreadyRunning when another process does."""
    held = f"order {generation_id} is being made by another process: aigen status --watch"
    return content.hold(generation_id, 1.0, held)  # longer than a mere look at the lock takes
