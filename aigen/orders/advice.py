"""What makes better pictures than the built-in illustrator, for those who did not choose it."""

from collections.abc import Callable

from aigen import pipelines
from aigen.errors import UsageError
from aigen.models import catalogue, machine, weights
from aigen.models.machine import GB
from aigen.orders.context import Context
from aigen.pipelines import hosted
from aigen.types.request import Draft, GenerationRequest
from aigen.wording import spoken_price, spoken_size

# What an order by a provider costs in USD (None: unknown). Raises UsageError if it cannot make it.
PriceBy = Callable[[str], float | None]


def suggest(context: Context, draft: Draft, request: GenerationRequest, price_by: PriceBy) -> str | None:
    """Return a provider that has a key, or a model that fits this machine, with its price or size and the command.

    None where somebody chose what makes the order, and where nothing is better.
    """
    named = draft.model or draft.image_model or draft.video_model or context.settings.model
    if named or pipelines.FALLBACK not in (request.image_model, request.video_model):
        return None
    priced = {name: price for name in _with_key(context, draft) if (price := _price(name, price_by)) != -1}
    known = {name: price for name, price in priced.items() if price is not None}
    local = _fitting()
    cheapest = min(known, key=lambda name: known[name], default=None if local else next(iter(priced), None))
    choices = []
    if cheapest:
        about = f"about {spoken_price(known[cheapest])} for this order" if cheapest in known else "price unknown"
        consent = "" if cheapest in known else " --yes"
        choices.append(f"add --model {cheapest}{consent} ({about})")
    if local:
        choices.append(f"{'or ' if choices else ''}get a model: aigen models pull {local}")
    return f"for generated pictures, {', '.join(choices)}" if choices else None


def _price(name: str, price_by: PriceBy) -> float | None:
    """Return the price of an order by a provider; -1 if it cannot make it."""
    try:
        return price_by(name)
    except UsageError:
        return -1


def _with_key(context: Context, draft: Draft) -> list[str]:
    """Return the providers that could make an order and have a key."""
    kind = "image" if draft.count("image") or draft.is_narrated else "video"
    return [
        name
        for name in (hosted.names() if context.paid else ())
        if kind in hosted.find(name).kinds and context.settings.first(hosted.find(name).keys)
    ]


def _fitting() -> str | None:
    """Return the name and the size of the first model of images that would suit this machine."""
    here = machine.detect_machine()
    for model in catalogue.models().values():
        suits = machine.fits(here, model)[0] and (here.device != "cpu" or model.light)
        if suits and "image" in model.kinds and not model.gated and not weights.is_here(model):
            return f"{model.name} ({spoken_size((model.download or 0.0) * GB)})"
    return None
