"""The link in a notification opens its order, and no more than that for users who have no password."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from aigen.notify import links
from aigen.orders import lifecycle
from aigen.orders.context import Context
from aigen.store.hashing import hash_password
from aigen.types.request import Draft
from aigen.types.rows import Generation
from aigen.viewer.app import make_app
from aigen.viewer.gallery import Gallery
from tests.conftest import StillClock
from tests.web import Browser


@pytest.fixture
def orders(context: Context, request_two: Draft) -> list[Generation]:
    """Two finished orders of ana's."""
    return [lifecycle.generate(context, replace(request_two, prompt=prompt), "ana") for prompt in ("kite", "boat")]


@pytest.fixture
def by_link(gallery: Gallery, orders: list[Generation]) -> Callable[[], Browser]:
    """Somebody who has come by a link to the first order."""

    def come() -> Browser:
        somebody = Browser(gallery)
        token = links.make(gallery.store, orders[0], gallery.clock).token
        assert somebody.post(f"/open/{token}").headers["Location"] == f"/dash#{orders[0].generation_id}"
        return somebody

    return come


def test_a_link_shows_its_order_only(by_link: Callable[[], Browser], orders: list[Generation]) -> None:
    first, second = (order.generation_id for order in orders)
    somebody = by_link()
    page = somebody.get("/dash").text
    assert "kite" in page
    assert "boat" not in page
    assert "Your link opens this order only" in page
    assert "boat" not in somebody.get("/dash?search=boat").text
    assert "boat" not in somebody.get(f"/dash?before={first}").text
    paths = ("/orders/{0}", "/videoplayer/{0}/1", "/picture/{0}/1", "/media/{0}/{0}-image-1.png", "/archive/{0}.zip")
    for path in paths:
        assert somebody.get(path.format(first)).status_code == 200, path
        assert somebody.get(path.format(second)).status_code == 404, path
    chosen = somebody.post("/selection/download", form="/dash", item=f"{first}/image/1")
    assert chosen.content_type == "application/zip"
    assert somebody.post("/selection/download", form="/dash", item=f"{second}/image/1").status_code == 404


def test_a_link_changes_nothing_and_shows_no_other_page(
    by_link: Callable[[], Browser], gallery: Gallery, orders: list[Generation]
) -> None:
    somebody, first = by_link(), orders[0].generation_id
    values = {"<generation_id>": first, "<kind>": "image", "<number:int>": "1"}
    refused = []
    for route in make_app(gallery).routes:
        if route.config.get("public") or route.config.get("one_order"):
            continue
        path = route.rule
        for name, value in values.items():
            path = path.replace(name, value)
        answer = somebody.get(path) if route.method == "GET" else somebody.post(path, form="/dash")
        assert (answer.status_code, "opens one order only" in answer.text) == (403, True), path
        refused.append(path)
    assert len(refused) == 14, refused
    page = somebody.get("/dash").text
    for gone in ("New order", "Delete", "Again, differently", "Activity", "Search your prompts"):
        assert gone not in page
    assert "More like this" not in somebody.get(f"/picture/{first}/1").text
    assert len(gallery.store.generations("ana")) == 2


def test_a_link_does_not_tell_a_generated_id_which_is_the_secret(
    gallery: Gallery, context: Context, request_two: Draft
) -> None:
    order = lifecycle.generate(context, request_two)
    somebody = Browser(gallery)
    somebody.post(f"/open/{links.make(gallery.store, order, gallery.clock).token}")
    for path in ("/dash?new=1", f"/videoplayer/{order.generation_id}/1", "/progress", "/activity"):
        answer = somebody.get(path)
        assert order.user_id not in answer.text + str(answer.headers), path


def test_whoever_logs_in_after_a_link_sees_everything(by_link: Callable[[], Browser]) -> None:
    somebody = by_link()
    assert somebody.post("/login", user_id="ana").status_code == 303
    assert "boat" in somebody.get("/dash").text


def test_a_link_narrows_no_session(gallery: Gallery, orders: list[Generation]) -> None:
    ana = Browser(gallery)
    ana.post("/login", user_id="ana")
    ana.post(f"/open/{links.make(gallery.store, orders[0], gallery.clock).token}", form="/dash")
    assert "boat" in ana.get("/dash").text


def test_who_has_a_password_is_logged_in_by_a_link(gallery: Gallery, orders: list[Generation]) -> None:
    gallery.store.set_password("ana", hash_password("long enough"))
    token = links.make(gallery.store, orders[0], gallery.clock).token
    ana = Browser(gallery)
    assert "logs you in to your gallery" in ana.get(f"/open/{token}").text
    ana.post(f"/open/{token}")
    assert "boat" in ana.get("/dash").text


def test_logging_out_everywhere_is_for_who_has_logged_in(by_link: Callable[[], Browser]) -> None:
    here, there = by_link(), by_link()
    here.post("/logout", form="/dash", everywhere="1")
    assert here.get("/dash").status_code == 303
    assert there.get("/dash").status_code == 200


def test_what_a_link_opened_ends_after_a_week_and_with_its_order(
    by_link: Callable[[], Browser], gallery: Gallery, orders: list[Generation], clock: StillClock
) -> None:
    somebody, other = by_link(), by_link()
    gallery.store.delete_order(orders[0].generation_id)
    assert somebody.get("/dash").status_code == 303
    clock.advance(7 * 86400)
    assert other.get("/dash").status_code == 303
