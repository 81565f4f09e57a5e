"""Orders from a picture by form, and how their pages show what was seen in it."""

import re
from dataclasses import replace

import pytest
from PIL import Image
from webtest import TestResponse

from aigen.orders import deletion, lifecycle
from aigen.orders.context import Context
from aigen.types.styles import STYLES_IN_TURN
from aigen.viewer import orders as viewer_orders
from aigen.viewer.gallery import Gallery
from tests.conftest import Scribbler
from tests.photos import as_jpeg
from tests.web import Browser


@pytest.fixture
def scribbler() -> Scribbler:
    return Scribbler(starts_from="either")


@pytest.fixture(scope="session")
def cat() -> bytes:
    return as_jpeg("chelsea.png")


def bring(browser: Browser, picture: bytes, name: str = "cat.jpg", **typed: str) -> TestResponse:
    found = re.search(r'name="csrf" value="(\w+)"', browser.get("/image-to-video").text)
    assert found
    values = {"csrf": found[1], "images": "1", "videos": "1", **typed}
    return browser.app.post("/image-to-video", values, upload_files=[("picture", name, picture)], expect_errors=True)


def test_an_order_from_a_picture_is_placed_made_and_shown(
    ana: Browser, gallery: Gallery, context: Context, cat: bytes
) -> None:
    answer = bring(ana, cat)
    (order,) = gallery.store.generations("ana")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/dash#{order.generation_id}")
    seen = order.request.seen
    assert seen
    assert (seen.width, seen.height, [each.name for each in seen.objects]) == (451, 300, ["cat"])
    assert (order.prompt, order.request.styles) == (seen.caption, STYLES_IN_TURN)
    assert "cat" in order.prompt
    with Image.open(gallery.content.work(order.generation_id) / "source.png") as kept:
        assert kept.size == (451, 300)

    lifecycle.run(context, order.generation_id, detached=True)
    assert not gallery.content.works()
    page = ana.get(f"/videoplayer/{order.generation_id}/1").text
    assert seen.description in page
    left, top, right, bottom = seen.objects[0].box
    assert '<svg viewBox="0 0 451 300"' in page
    assert f'<rect x="{left}" y="{top}" width="{right - left}" height="{bottom - top}"' in page
    assert "?download=1" in page
    assert "More like this" not in page  # the picture is gone
    small = f"/media/{order.generation_id}/{order.generation_id}-picture.webp"
    assert f'src="{small}"' in page
    assert ana.get(small).content_type == "image/webp"
    assert Browser(gallery).register("bob").get(small).status_code == 404
    deletion.erase_order(context, order.generation_id)
    assert not list(gallery.content.root.rglob(f"{order.generation_id}-*"))


def test_what_is_typed_goes_into_the_order(ana: Browser, gallery: Gallery, cat: bytes) -> None:
    bring(ana, cat, prompt="in the snow", style="night", narrate="yes")
    bring(ana, cat, narrate="yes", images="0")
    second, first = sorted(gallery.store.generations("ana"), key=lambda order: order.request.images)
    assert (first.prompt, first.request.style, first.request.styles) == ("in the snow", "night", ())
    assert first.request.narration
    assert (first.request.narration.script, first.request.narration.styles) == ("in the snow", ("night",))
    assert second.request.seen
    assert second.request.narration
    assert second.request.narration.script == second.request.seen.description


def test_what_is_no_picture_is_told_beside_the_field(ana: Browser, gallery: Gallery, cat: bytes) -> None:
    for picture, name, told in (
        (b"", "", "a picture is missing: choose a PNG, a JPEG or a WebP"),
        (b"hello", "hello.txt", "picture &#039;hello.txt&#039; cannot be read: give a PNG, a JPEG or a WebP"),
        (cat[: len(cat) // 2], "../../<b>half.jpg", "picture &#039;bhalf.jpg&#039; is damaged"),
    ):
        answer = bring(ana, picture, name, prompt="in the <snow>")
        assert answer.status_code == 400
        assert told in answer.text
        assert 'aria-describedby="picture-hint error-picture"' in answer.text
        assert "in the &lt;snow&gt;" in answer.text
    both = bring(ana, b"", "", images="many")
    assert 'id="error-picture"' in both.text
    assert 'id="error-images"' in both.text
    assert 'id="error-picture"' not in bring(ana, b"hello", images="many").text  # what is wrong beside it comes first
    assert bring(ana, cat, prompt="x" * 150_000).status_code == 400  # of which Bottle makes no text
    assert gallery.store.generations() == []
    assert not gallery.content.works()


def test_the_form_is_of_its_own_sort(ana: Browser, gallery: Gallery, cat: bytes) -> None:
    refused = ana.app.post("/image-to-video", {"csrf": "x"}, expect_errors=True)
    assert refused.status_code == 415
    refused = ana.app.post(
        "/image-to-video", {"csrf": "x"}, upload_files=[("picture", "cat.jpg", cat)], expect_errors=True
    )
    assert refused.status_code == 403
    found = re.search(r'name="csrf" value="(\w+)"', ana.get("/text-to-video").text)
    assert found
    refused = ana.app.post(
        "/text-to-video", {"csrf": found[1]}, upload_files=[("picture", "cat.jpg", cat)], expect_errors=True
    )
    assert refused.status_code == 415
    assert gallery.store.generations() == []


def test_while_two_pictures_are_read_others_come_back_later(ana: Browser, gallery: Gallery, cat: bytes) -> None:
    for _ in range(2):
        viewer_orders._places.acquire()
    try:
        answer = bring(ana, cat)
    finally:
        for _ in range(2):
            viewer_orders._places.release()
    assert answer.status_code == 503
    assert "Others are uploading pictures right now." in answer.text
    assert bring(ana, cat).status_code == 303


def test_a_crash_while_a_picture_is_read_leaves_nothing_for_long(context: Context, ana: Browser, cat: bytes) -> None:
    left = context.content.work("upload-0123456789abcdef")
    left.mkdir(parents=True)
    (left / "cat.jpg").write_bytes(cat)
    with context.content.hold(left.name, 1.0, "held"):  # as long as somebody reads it
        lifecycle.tidy(context)
        assert left.exists()
    lifecycle.tidy(context)
    assert not left.exists()


def test_one_too_many_is_refused_and_leaves_nothing(ana: Browser, gallery: Gallery, cat: bytes) -> None:
    strict = replace(gallery, settings=replace(gallery.settings, values={"AIGEN_MAX_ITEMS": "1"}))
    answer = bring(Browser(strict).register("bob"), cat)
    assert answer.status_code == 400
    assert "the limit is 1" in answer.text
    assert not gallery.content.works()


def test_landing_and_form_lead_there(ana: Browser, gallery: Gallery) -> None:
    assert 'href="/image-to-video"' in Browser(gallery).get("/").text
    assert 'href="/image-to-video"' in ana.get("/text-to-video").text
    text = ana.get("/image-to-video").text
    assert 'enctype="multipart/form-data"' in text
    assert '<input type="radio" name="style" value="" checked>' in text
