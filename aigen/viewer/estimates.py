"""What an order that stands in a form takes and costs, before it is placed."""

from collections.abc import Mapping
from dataclasses import replace

from aigen.errors import UsageError
from aigen.media import provenance
from aigen.orders import costs, placing, reorder, tasks
from aigen.orders.context import USER_BUDGET
from aigen.orders.placing import Prepared
from aigen.types.request import KINDS, Draft
from aigen.types.rows import Budget, Generation, Item
from aigen.viewer import forms
from aigen.viewer.forms import Estimate, Form
from aigen.viewer.gallery import Gallery
from aigen.wording import spoken_duration, spoken_price

MORE_LIKE_IT = 4


def estimate(gallery: Gallery, form: Form, typed: Mapping[str, str], user_id: str) -> Estimate:
    """Return what an order takes and costs; nothing for one that is not complete, which whoever orders is told."""
    typed = {**form.fields, **typed}
    try:
        prepared = placing.estimate(gallery.context, _draft(form, typed))
    except UsageError:
        return Estimate()
    time = _time(gallery, prepared)
    cost = _cost(gallery, prepared.price, user_id)
    return Estimate(" ".join(filter(None, (time, cost.text))), cost.refused, prepared.price or 0.0)


def more_like(gallery: Gallery, order: Generation, item: Item) -> Draft:
    """Return the draft of an order for more like one item. Raises UsageError."""
    found = provenance.read(gallery.content.file(item.path or ""))
    # The model by its row: of a folder, the file has only the last name.
    given = {f"{item.kind}s": MORE_LIKE_IT if item.kind == "image" else 1, f"{item.kind}_model": item.model}
    if image_model := tasks.picture_by(order.request, gallery.context.pipeline(item.model)):
        given["image_model"] = image_model
    return replace(reorder.reorder(found, given), model=None, notify=())


def price_of_more(gallery: Gallery, order: Generation, item: Item) -> float | None:
    """Return what more like a paid item would cost in USD; 0 for a free one, None if it cannot be ordered."""
    if order.price == 0:
        return 0.0
    try:
        return placing.estimate(gallery.context, more_like(gallery, order, item)).price
    except UsageError:
        return None


def _draft(form: Form, typed: Mapping[str, str]) -> Draft:
    prompt = typed["prompt"].strip() or "any"
    return Draft(
        prompt=prompt,
        images=forms.read_count(typed, "images"),
        videos=forms.read_count(typed, "videos"),
        from_picture=form.from_picture,
        model=typed["model"] or None,
        narration=forms.read_narration(typed, None, prompt),
        narrate=bool(typed["narrate"]),
        seed=0,
    )


def _time(gallery: Gallery, prepared: Prepared) -> str:
    """Return how long it takes, as far as that is known; films depend on their words."""
    request, seconds = prepared.request, 0.0
    for kind in KINDS:
        if not request.count(kind):
            continue
        model = request.model_for(kind) or ""
        image_model = tasks.picture_by(request, gallery.context.pipeline(model))
        pace = gallery.store.pace(kind, model, request, image_model)
        if pace is None or request.narration:
            return ""
        seconds += pace * request.count(kind)
    return f"It takes about {spoken_duration(seconds)}, like recent orders." if seconds else ""


def _cost(gallery: Gallery, price: float | None, user_id: str) -> Estimate:
    if price == 0:
        return Estimate("It is free." if gallery.offers_paid else "")
    if price is None:
        return Estimate("What it costs is not known, so it cannot be ordered here.", True)
    told = f"It costs about {spoken_price(price)}"
    limit = gallery.settings.amount("AIGEN_MAX_COST")
    if limit is not None and price > limit:
        return Estimate(f"{told}, more than one order may cost here ({spoken_price(limit)}).", True)
    budgets = costs.find_budgets(gallery.context, user_id, price)
    spent = [gallery.store.spent(budget.since, budget.user_id) for budget in budgets]
    lefts = [(budget, max(0.0, budget.amount - each)) for budget, each in zip(budgets, spent, strict=True)]
    for budget, left in lefts:
        if round(price, 5) > round(left, 5):
            return Estimate(f"{told}, but only {_left(budget, left)}.", True)
    own = next((f"; {_left(budget, left)}" for budget, left in lefts if budget.name == USER_BUDGET), "")
    return Estimate(f"{told}{own}.")


def _left(budget: Budget, left: float) -> str:
    whose = "your" if budget.name == USER_BUDGET else "the gallery's"
    return f"${left:.2f} of {whose} ${budget.amount:.2f} for this month is left"
