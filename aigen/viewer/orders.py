"""Orders from the web: placing, repeating, cancelling, trying again, deleting; and their progress for scripts."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

from bottle import Bottle, FileUpload, HTTPResponse, request

from aigen.errors import GenerationError, PictureError, UsageError
from aigen.notify import mail
from aigen.orders import costs, deletion, lifecycle, placing, status
from aigen.times import resolve, spoken
from aigen.types.request import KINDS, Attachments, Draft
from aigen.viewer import estimates, forms, visits
from aigen.viewer.gallery import Gallery
from aigen.viewer.memory import give_back_memory
from aigen.viewer.pages import own_order
from aigen.viewer.web import not_found, redirect, visit

MAILS_AN_HOUR = 20
# Seconds that a request may wait for an order to stop: there are only so many threads.
PATIENCE = 2.0
# Large pictures take much memory as long as they are read: one after another, and only one waits, for so many seconds,
# since whoever waits takes one of the few threads that answer everybody.
_reading, _places = threading.Lock(), threading.BoundedSemaphore(2)
READING_PATIENCE = 20.0


def add_routes(app: Bottle, gallery: Gallery) -> None:
    def place(wanted: Draft, picture: Path | None = None) -> str:
        """Place an order of the visitor's; its id. Raises UsageError, also when it is one too many, or when it costs
        more than what the visitor was shown.
        """
        user_id = visit().user_id
        assert user_id
        _check_limits(gallery, user_id, wanted)
        context = gallery.agreeing(_agreed())
        placed = placing.place(context, wanted, user_id, Attachments(picture=picture), detached=True)
        visits.log(gallery, visit(), "order", placed.generation_id)
        return placed.generation_id

    def show(form: forms.Form, typed: dict[str, str], errors: dict[str, str], code: int = 200) -> HTTPResponse:
        return forms.show(gallery, form, typed, errors, estimate(form, typed), code)

    def estimate(form: forms.Form, typed: dict[str, str]) -> forms.Estimate:
        user_id = visit().user_id
        assert user_id
        return estimates.estimate(gallery, form, typed, user_id)

    @app.get("/text-to-video", changes=True)
    def text_to_video() -> HTTPResponse:
        prompt = request.query.getunicode("prompt") or ""
        return show(forms.FROM_WORDS, {"prompt": prompt[:2000]}, {})

    @app.post("/text-to-video")
    def order_from_words() -> HTTPResponse:
        typed = _typed(forms.FROM_WORDS)
        wanted, errors = forms.read(gallery, forms.FROM_WORDS, typed)
        if wanted:
            errors = attempt(wanted)
        return show(forms.FROM_WORDS, typed, errors, 400)

    @app.get("/image-to-video", changes=True)
    def image_to_video() -> HTTPResponse:
        return show(forms.FROM_PICTURE, {}, {})

    @app.post("/image-to-video", form="multipart/form-data")
    def order_from_picture() -> HTTPResponse:
        typed, upload = _typed(forms.FROM_PICTURE), request.files.get("picture")
        wanted, errors = forms.read(gallery, forms.FROM_PICTURE, typed)
        if upload is None:
            errors["picture"] = "a picture is missing: choose a PNG, a JPEG or a WebP"
        elif wanted:  # to read a picture takes much; what is wrong beside it is known before
            with _saved(gallery, upload) as picture:
                errors = attempt(wanted, picture)
        return show(forms.FROM_PICTURE, typed, errors, 400)

    def attempt(wanted: Draft, picture: Path | None = None) -> dict[str, str]:
        """Place an order and go there; else why it cannot be, by the field that is wrong."""
        try:
            generation_id = place(wanted, picture)
        except PictureError as error:
            return {"picture": str(error)}
        except UsageError as error:
            return {"": str(error)}
        redirect(f"/dash#{generation_id}")

    @app.post("/orders/<generation_id>/again")
    def again(generation_id: str) -> None:
        """The same order once more, from another seed, told as it would be now: on this page."""
        request_before = own_order(gallery, generation_id).order.request
        redirect(f"/dash#{place(request_before.draft(seed=None, notify_at=None, notify=()))}")

    @app.post("/like/<generation_id>/<kind>/<number:int>")
    def like(generation_id: str, kind: str, number: int) -> None:
        """More like one picture or video: the same request, from other seeds."""
        before = own_order(gallery, generation_id)
        for item in before.items:
            if (item.kind, item.number) == (kind, number) and item.path:
                redirect(f"/dash#{place(estimates.more_like(gallery, before.order, item))}")
        not_found()

    @app.post("/orders/<generation_id>/cancel")
    def cancel(generation_id: str) -> None:
        own_order(gallery, generation_id)
        lifecycle.cancel(gallery.context, generation_id)
        visits.log(gallery, visit(), "cancel", generation_id)
        redirect(f"/dash#{generation_id}")

    @app.post("/orders/<generation_id>/retry")
    def retry(generation_id: str) -> None:
        budgets = costs.check_again(gallery.context, own_order(gallery, generation_id).order)
        if not gallery.store.requeue(generation_id, gallery.clock(), gallery.order_limit, budgets):
            raise UsageError("this order has not failed: there is nothing to try again")
        visits.log(gallery, visit(), "retry", generation_id)
        redirect(f"/dash#{generation_id}")

    @app.post("/orders/<generation_id>/delete")
    def delete(generation_id: str) -> None:
        own_order(gallery, generation_id)
        deletion.erase_order(gallery.context, generation_id, PATIENCE)
        visits.log(gallery, visit(), "delete", generation_id)
        redirect("/dash")

    @app.get("/progress", no_page=True, one_order=True)
    def progress() -> HTTPResponse:
        """The orders of the visitor that are being made, for the script of the gallery."""
        user_id, only = visit().user_id, visit().only
        assert user_id
        return _json(
            {
                found.order.generation_id: {
                    "done": found.done,
                    "total": len(found.items),
                    "state": found.state,
                    "remark": found.remark,
                }
                for found in status.list_orders(gallery.context, user_id, "Processing")
                if only in (None, found.order.generation_id)
            }
        )

    @app.post("/text-to-video/estimate")
    def estimate_from_words() -> HTTPResponse:
        """What the order that is being typed takes and costs."""
        return _json(asdict(estimate(forms.FROM_WORDS, _typed(forms.FROM_WORDS))))

    @app.post("/image-to-video/estimate")
    def estimate_from_picture() -> HTTPResponse:
        return _json(asdict(estimate(forms.FROM_PICTURE, _typed(forms.FROM_PICTURE))))

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


def _typed(form: forms.Form) -> dict[str, str]:
    """What was typed into a form. Raises UsageError for what is longer than Bottle takes for text."""
    if form.from_picture and (large := [name for name in form.fields if name in request.files]):
        raise UsageError(f"what was typed into {large[0]} is too long: shorten it")
    return {name: request.forms.getunicode(name) or "" for name in form.fields}


@contextmanager
def _saved(gallery: Gallery, upload: FileUpload) -> Iterator[Path]:
    """A file that was uploaded, by its own name in a folder of its own,
    as long as it is read. After a crash it is tidied up.

    Raises GenerationError when others are being read.
    """
    with _turn_to_read(), gallery.content.temporary("upload") as folder:
        path = folder / upload.filename  # which is of harmless letters
        upload.save(str(path))
        yield path


@contextmanager
def _turn_to_read() -> Iterator[None]:
    busy = GenerationError("Others are uploading pictures right now. Try again in a moment.")
    if not _places.acquire(blocking=False):
        raise busy
    try:
        if not _reading.acquire(timeout=READING_PATIENCE):
            raise busy
        try:
            yield
        finally:
            _reading.release()
            give_back_memory()
    finally:
        _places.release()


def _check_limits(gallery: Gallery, user_id: str, wanted: Draft) -> None:
    limit = forms.item_limit(gallery)
    if (asked := sum(wanted.count(kind) for kind in KINDS)) > limit:
        raise UsageError(f"{asked} images and videos are more than one order may have here: the limit is {limit}")
    if any(map(mail.is_mail, wanted.notify)):
        mails = gallery.store.count_notices(user_id, "mailto:*", gallery.clock() - timedelta(hours=1))
        if mails >= MAILS_AN_HOUR:
            raise UsageError(f"{mails} of your orders within an hour asked for a mail, which is the limit")


def _agreed() -> float:
    """Return the price that the visitor was shown, in USD."""
    try:
        return max(0.0, float(request.forms.getunicode("agreed") or 0))
    except ValueError:
        return 0.0


def _json(value: Any) -> HTTPResponse:
    return HTTPResponse(json.dumps(value), headers={"Content-Type": "application/json"})
