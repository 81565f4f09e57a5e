"""Orders from the web: placing, cancelling, trying again, deleting, and their progress for scripts."""

import json
from typing import Any

from bottle import Bottle, HTTPResponse, request

from aigen import generation, pipelines, status
from aigen.errors import UsageError
from aigen.notify import channels, mail
from aigen.types import KINDS, STYLES, GenerationRequest
from aigen.viewer import visits
from aigen.viewer.app import Gallery, go, page, visit
from aigen.viewer.pages import own

WAITING_LIMIT, ITEM_LIMIT = 10, 40


def add_routes(app: Bottle, gallery: Gallery) -> None:
    def form(typed: dict[str, Any], message: str | None = None, code: int = 200) -> HTTPResponse:
        return page(
            "text-to-video",
            code,
            title="Text to video",
            typed={**_EMPTY, **typed},
            styles=STYLES,
            models=pipelines.registered(),
            mails=_mails(gallery),
            desktop=not gallery.public,
            limit=item_limit(gallery),
            message=message,
        )

    @app.get("/text-to-video")
    def text_to_video() -> HTTPResponse:
        return form({})

    @app.post("/text-to-video")
    def order() -> HTTPResponse:
        user_id = visit().user_id
        assert user_id
        typed = {name: request.forms.getunicode(name) or "" for name in _EMPTY}
        try:
            wanted = _request(typed, gallery)
            _check_limits(gallery, user_id, wanted)
            wanted = generation.check(wanted, user_id, gallery.settings.model, load=gallery.load, clock=gallery.clock)
            placed = generation.place(gallery.workshop, wanted, user_id, detached=True)
        except UsageError as error:
            return form(typed, str(error), 400)
        visits.log(gallery.store, gallery.clock, visit(), "order", placed.generation_id)
        go(f"/dash#{placed.generation_id}")

    @app.post("/orders/<generation_id>/cancel")
    def cancel(generation_id: str) -> None:
        own(gallery, generation_id)
        generation.cancel(gallery.workshop, generation_id)
        visits.log(gallery.store, gallery.clock, visit(), "cancel", generation_id)
        go(f"/dash#{generation_id}")

    @app.post("/orders/<generation_id>/retry")
    def retry(generation_id: str) -> None:
        own(gallery, generation_id)
        if not gallery.store.requeue(generation_id):
            raise UsageError("this order has not failed: there is nothing to try again")
        visits.log(gallery.store, gallery.clock, visit(), "retry", generation_id)
        go(f"/dash#{generation_id}")

    @app.post("/orders/<generation_id>/delete")
    def delete(generation_id: str) -> None:
        own(gallery, generation_id)
        generation.erase_order(gallery.workshop, generation_id)
        visits.log(gallery.store, gallery.clock, visit(), "delete", generation_id)
        go("/dash")

    @app.get("/progress", no_page=True)
    def progress() -> HTTPResponse:
        """The orders of the visitor that are being made, for the script of the dash."""
        user_id = visit().user_id
        assert user_id
        found = {
            standing.order.generation_id: {
                "done": standing.done,
                "total": len(standing.items),
                "state": standing.state,
                "remark": standing.remark,
            }
            for standing in status.look(gallery.workshop, user_id, "Processing")
        }
        return HTTPResponse(json.dumps(found), headers={"Content-Type": "application/json"})


_EMPTY = {
    "prompt": "", "images": "5", "videos": "5", "style": "plain", "model": "", "notify_at": "", "notify": "", "address": "",
}  # fmt: skip


def _request(typed: dict[str, str], gallery: Gallery) -> GenerationRequest:
    """What a form asks for. Raises UsageError."""
    wanted = GenerationRequest(
        prompt=typed["prompt"],
        style=typed["style"] or "plain",
        model=typed["model"] or None,
        notify_at=typed["notify_at"].strip() or None,
        notify=_channel(typed, gallery),
        images=_count(typed, "images"),
        videos=_count(typed, "videos"),
    )
    channels.check(wanted.notify, gallery.settings)
    return wanted


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
    if chosen.startswith("mailto:"):
        return (chosen,)
    if chosen == "desktop" and not gallery.public:
        return ("desktop",)
    raise UsageError(f"notification {chosen[:40]!r} is not possible here: choose from the list")


def item_limit(gallery: Gallery) -> int:
    return gallery.settings.number("AIGEN_MAX_ITEMS", ITEM_LIMIT)


def _check_limits(gallery: Gallery, user_id: str, wanted: GenerationRequest) -> None:
    limit = item_limit(gallery)
    if (asked := sum(wanted.count(kind) for kind in KINDS)) > limit:
        raise UsageError(f"{asked} images and videos are more than one order may have here: the limit is {limit}")
    waiting, limit = (
        len(gallery.store.generations(user_id, "Processing")),
        gallery.settings.number("AIGEN_MAX_ORDERS", WAITING_LIMIT),
    )
    if waiting >= limit:
        raise UsageError(
            f"{waiting} of your orders are waiting or being made, which is the limit: order again when one is done"
        )


def _mails(gallery: Gallery) -> bool:
    """Whether this gallery can send mail."""
    try:
        mail.read_server(gallery.settings, needed_for="mail")
    except UsageError:
        return False
    return True
