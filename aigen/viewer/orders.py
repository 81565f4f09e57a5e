"""Orders from the web: placing, repeating, cancelling, trying again, deleting; and their progress for scripts."""

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from bottle import Bottle, HTTPResponse, request

from aigen import erasing, generation, making, narration, pipelines, provenance, status
from aigen.errors import UsageError
from aigen.notify import channels, mail
from aigen.request import KINDS, STYLES, GenerationRequest, Kind, Narration, check_channel, check_prompt
from aigen.times import resolve, spoken
from aigen.viewer import visits
from aigen.viewer.app import Gallery, go, missing, page, visit
from aigen.viewer.pages import own
from aigen.wording import spoken_duration

WAITING_LIMIT, ITEM_LIMIT = 10, 40
MAILS_AN_HOUR = 20
MORE_LIKE_IT = 4
# Seconds that a request may wait for an order to stop: there are only so many threads.
PATIENCE = 2.0
# What models make, for their picker.
MODEL_PICTURES = {"storybook": "example-whale.webp"}
FIELDS = {
    "prompt": "", "images": "5", "videos": "5", "style": "plain", "model": "", "notify_at": "", "notify": "", "address": "", "narrate": "",
    "script": "",
}  # fmt: skip


def add_routes(app: Bottle, gallery: Gallery) -> None:
    def form(typed: dict[str, str], errors: dict[str, str], code: int = 200) -> HTTPResponse:
        models = _models()
        paces = _paces(gallery, models)
        return page(
            "text-to-video",
            code,
            title="Text to video",
            typed={**FIELDS, **typed},
            errors=errors,
            styles=STYLES,
            models=models,
            paces=paces,
            pictures=MODEL_PICTURES,
            mails=_mails(gallery),
            desktop=not gallery.public,
            limit=item_limit(gallery),
            estimate=_estimate(paces, {**FIELDS, **typed}),
            message=errors.get("") or ("Something below needs another look." if errors else None),
        )

    def place(wanted: GenerationRequest) -> str:
        """Place an order of the visitor's; its id. Raises UsageError, also when it is one too many."""
        user_id = visit().user_id
        assert user_id
        _check_limits(gallery, user_id, wanted)
        wanted = generation.check(wanted, user_id, gallery.settings.model, load=gallery.load, clock=gallery.clock)
        placed = generation.place(gallery.workshop, wanted, user_id, detached=True, limit=order_limit(gallery))
        visits.log(gallery, visit(), "order", placed.generation_id)
        return placed.generation_id

    @app.get("/text-to-video")
    def text_to_video() -> HTTPResponse:
        prompt = request.query.getunicode("prompt") or ""
        return form({"prompt": prompt[:2000]}, {})

    @app.post("/text-to-video")
    def order() -> HTTPResponse:
        typed = {name: request.forms.getunicode(name) or "" for name in FIELDS}
        wanted, errors = read(typed, gallery)
        if wanted:
            try:
                generation_id = place(wanted)
            except UsageError as error:
                errors[""] = str(error)
            else:
                go(f"/dash#{generation_id}")
        return form(typed, errors, 400)

    @app.post("/orders/<generation_id>/again")
    def again(generation_id: str) -> None:
        """The same order once more, from another seed, told as it would be now: on this page."""
        request_before = own(gallery, generation_id).order.request
        go(f"/dash#{place(replace(request_before, seed=None, notify_at=None, notify=()))}")

    @app.post("/like/<generation_id>/<kind>/<number:int>")
    def like(generation_id: str, kind: str, number: int) -> None:
        """More like one picture or video: the same request, from other seeds."""
        before = own(gallery, generation_id)
        for item in before.items:
            if (item.kind, item.number) == (kind, number) and item.path:
                found = provenance.read(gallery.content.file(item.path))
                # The model by its row: of a folder, the file has only the last name.
                given = {f"{kind}s": MORE_LIKE_IT if kind == "image" else 1, f"{kind}_model": item.model}
                if painter := making.picture_by(before.order.request, gallery.load(item.model)):
                    given["image_model"] = painter
                go(f"/dash#{place(replace(provenance.reorder(found, given), model=None, notify=()))}")
        missing()

    @app.post("/orders/<generation_id>/cancel")
    def cancel(generation_id: str) -> None:
        own(gallery, generation_id)
        generation.cancel(gallery.workshop, generation_id)
        visits.log(gallery, visit(), "cancel", generation_id)
        go(f"/dash#{generation_id}")

    @app.post("/orders/<generation_id>/retry")
    def retry(generation_id: str) -> None:
        own(gallery, generation_id)
        if not gallery.store.requeue(generation_id, order_limit(gallery)):
            raise UsageError("this order has not failed: there is nothing to try again")
        visits.log(gallery, visit(), "retry", generation_id)
        go(f"/dash#{generation_id}")

    @app.post("/orders/<generation_id>/delete")
    def delete(generation_id: str) -> None:
        own(gallery, generation_id)
        erasing.erase_order(gallery.workshop, generation_id, PATIENCE)
        visits.log(gallery, visit(), "delete", generation_id)
        go("/dash")

    @app.get("/progress", no_page=True)
    def progress() -> HTTPResponse:
        """The orders of the visitor that are being made, for the script of the gallery."""
        user_id = visit().user_id
        assert user_id
        return _json(
            {
                standing.order.generation_id: {
                    "done": standing.done,
                    "total": len(standing.items),
                    "state": standing.state,
                    "remark": standing.remark,
                }
                for standing in status.look(gallery.workshop, user_id, "Processing")
            }
        )

    @app.get("/resolve", no_page=True)
    def resolved() -> HTTPResponse:
        """What a time that is being typed means, for the script of the form."""
        now = gallery.clock()
        try:
            moment = resolve(request.query.getunicode("when"), now)
        except UsageError as error:
            return _json({"error": str(error)})
        passed = moment < now
        return _json({"told": f"{spoken(moment, now)}{' has passed: as soon as they are ready' if passed else ''}"})


def read(typed: dict[str, str], gallery: Gallery) -> tuple[GenerationRequest | None, dict[str, str]]:
    """What a form asks for, or by the names of its fields what is wrong with them."""
    errors: dict[str, str] = {}

    def attempt(name: str, check: Callable[[], object]) -> Any:
        try:
            return check()
        except UsageError as error:
            errors[name] = str(error)
            return None

    attempt("prompt", lambda: check_prompt(typed["prompt"]))
    images = attempt("images", lambda: _count(typed, "images"))
    videos = attempt("videos", lambda: _count(typed, "videos"))
    typed = {**typed, "style": typed["style"] or "plain"}
    if typed["style"] not in STYLES:
        errors["style"] = f"style {typed['style'][:40]!r} is not known: choose one of these"
    if typed["model"] and typed["model"] not in pipelines.offered():
        errors["model"] = f"model {typed['model'][:40]!r} is not known: choose one of these"
    told = attempt("script", lambda: _narration(typed))
    attempt("notify_at", lambda: resolve(typed["notify_at"], gallery.clock()))
    notify = attempt("notify", lambda: _channel(typed, gallery)) or ()
    if notify and mail.is_mail(notify[0]) and _mails(gallery):
        attempt("address", lambda: check_channel(notify[0]))
    else:
        attempt("notify", lambda: channels.check(notify, gallery.settings))
    if errors:
        return None, errors
    wanted = attempt(
        "images",
        lambda: GenerationRequest(
            prompt=typed["prompt"],
            images=images,
            videos=videos,
            style=typed["style"],
            model=typed["model"] or None,
            notify_at=typed["notify_at"].strip() or None,
            notify=notify,
            narration=told,
        ),
    )
    return wanted, errors


def _narration(typed: dict[str, str]) -> Narration | None:
    if not typed["narrate"]:
        return None
    script = typed["script"] if typed["script"].strip() else typed["prompt"]
    told = Narration(script=script) if typed["style"] == "plain" else Narration(script=script, styles=(typed["style"],))
    narration.check(told)
    return told


def _count(typed: dict[str, str], name: str) -> int:
    text = typed[name].strip()
    if not text.isascii() or not text.isdigit() or len(text) > 4:
        raise UsageError(f"{name} is {text[:20]!r}: give a whole number")
    return int(text)


def _channel(typed: dict[str, str], gallery: Gallery) -> tuple[str, ...]:
    """By what the user is told. A URL would have this machine talk to whomever the visitor likes: never from a form."""
    chosen = typed["notify"]
    if not chosen:
        return ()
    if chosen == "mail":
        return (f"mailto:{typed['address'].strip()}",)
    if chosen == "desktop" and not gallery.public:
        return ("desktop",)
    raise UsageError(f"notification {chosen[:40]!r} is not possible here: choose from the list")


def order_limit(gallery: Gallery) -> int:
    return gallery.settings.number("AIGEN_MAX_ORDERS", WAITING_LIMIT)


def item_limit(gallery: Gallery) -> int:
    return gallery.settings.number("AIGEN_MAX_ITEMS", ITEM_LIMIT)


def _check_limits(gallery: Gallery, user_id: str, wanted: GenerationRequest) -> None:
    limit = item_limit(gallery)
    if (asked := sum(wanted.count(kind) for kind in KINDS)) > limit:
        raise UsageError(f"{asked} images and videos are more than one order may have here: the limit is {limit}")
    if any(map(mail.is_mail, wanted.notify)):
        mails = gallery.store.count_notices(user_id, "mailto:*", gallery.clock() - timedelta(hours=1))
        if mails >= MAILS_AN_HOUR:
            raise UsageError(f"{mails} of your orders within an hour asked for a mail, which is the limit")


def _estimate(known: dict[str, dict[Kind, float]], typed: dict[str, str]) -> str:
    """How long it would take, from how long the last orders took."""
    paces = known.get(typed["model"])
    try:
        images, videos = _count(typed, "images"), _count(typed, "videos")
    except UsageError:
        return ""
    return (
        f"about {spoken_duration(paces['image'] * images + paces['video'] * videos)}, as it lately was" if paces else ""
    )


def _models() -> dict[str, str]:
    """The models that can be chosen, each with what it is."""
    found = {name: pipelines.load(name) for name in pipelines.offered()}
    rest: dict[tuple[Kind, ...], str] = {
        ("image",): "; videos are camera moves over its pictures",
        ("video",): "; videos only, pictures by others",
    }
    return {name: f"{each.label}{rest.get(each.kinds, '')}" for name, each in found.items()}


def _paces(gallery: Gallery, models: Iterable[str]) -> dict[str, dict[Kind, float]]:
    """Seconds an item of each kind of late, by the model that can be chosen (empty: none is), where both are known."""
    found = {}
    for name in ("", *models):
        paces: dict[Kind, float] = {}
        usual = GenerationRequest(prompt="any", model=name or None, seed=0)
        try:
            usual = generation.check(usual, None, gallery.settings.model, load=gallery.load)
        except UsageError:  # the default is no model: whoever orders is told
            continue
        for kind in KINDS:
            model = usual.model_for(kind) or ""
            painter = making.picture_by(usual, gallery.load(model))
            if pace := gallery.store.pace(kind, model, usual, painter):
                paces[kind] = pace
        if len(paces) == len(KINDS):
            found[name] = paces
    return found


def _mails(gallery: Gallery) -> bool:
    """Whether this gallery can send mail."""
    try:
        mail.read_server(gallery.settings, needed_for="mail")
    except UsageError:
        return False
    return True


def _json(value: Any) -> HTTPResponse:
    return HTTPResponse(json.dumps(value), headers={"Content-Type": "application/json"})
