"""What a pipeline is to make of an order, as a task."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from aigen.orders import source
from aigen.types.markup import Prompt, read_markup
from aigen.types.pipeline import Pipeline, Task
from aigen.types.request import DEFAULT_LENGTH, GenerationRequest, Kind, Length
from aigen.types.rows import Item


def task_of(request: GenerationRequest, kind: Kind, pipeline: Pipeline, items: Iterable[Item] = ()) -> Task:
    """What a pipeline is to make of an order; its folder is for others to say.

    The items must have one prompt (`prompt_of`). Raises UsageError for what no video can be.
    """
    abilities, items = pipeline.abilities, tuple(items)
    prompt = prompt_of(request)
    length = (
        request.length(abilities.length, abilities.max_frames) if kind == "video" else Length(1, DEFAULT_LENGTH.fps)
    )
    usual = abilities.sizes[kind]
    # A model of short videos has sizes of its own too.
    if request.seen and (kind == "image" or abilities.max_frames is None):
        usual = source.shaped(request.seen, usual)
    return Task(
        kind=kind,
        prompt=prompt.choose(items[0].seed if items else request.seed or 0),
        weights=prompt.weights,
        style=request.style,
        numbers=tuple(item.number for item in items),
        seeds=tuple(item.seed for item in items),
        size=request.size_for(kind, usual),
        work=Path(),
        frames=length.frames,
        fps=length.fps,
        options=request.options(),
        starts_from_picture=abilities.starts_from == "picture"
        or (request.from_picture and abilities.starts_from == "either"),
        narration=request.narration if kind == "video" else None,
        image_model=request.image_model,
        from_picture=request.from_picture,
        seen=request.seen,
        styles=request.styles if kind == "image" else (),
    )


def prompt_of(request: GenerationRequest) -> Prompt:
    """Return the prompt of an order without markup; what was seen in a picture is nobody's markup."""
    if request.seen and request.prompt == request.seen.prompt:
        return Prompt(request.prompt)
    return read_markup(request.prompt)


def planned(request: GenerationRequest, kind: Kind, generation_id: str = "") -> list[Item]:
    """Return the planned items of one kind."""
    model = request.model_for(kind)
    return [
        Item(generation_id, kind, request.first + place, request.seed + place, model)
        for place in range(request.count(kind))
        if model
    ]


def usual_task(kind: Kind, pipeline: Pipeline) -> Task:
    """What a pipeline makes when nobody says more than what kind."""
    return task_of(GenerationRequest(prompt="any", seed=0), kind, pipeline)


def image_price(request: GenerationRequest, pipeline: Pipeline) -> float | None:
    """Return the price of one picture that an item starts from, in USD; None if unknown. The user's own is free."""
    if request.from_picture:
        return 0.0
    one = replace(task_of(request, "image", pipeline), numbers=(1,), seeds=(request.seed,))
    return pipeline.price(one)


def picture_by(request: GenerationRequest, pipeline: Pipeline) -> str | None:
    """The model whose pictures a pipeline makes its items from, if it does."""
    return request.image_model if pipeline.abilities.starts_from == "picture" and not request.from_picture else None
