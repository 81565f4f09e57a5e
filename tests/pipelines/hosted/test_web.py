"""Hosted models in the gallery: offered only where that is allowed and a key is there, with what they cost."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from aigen import pipelines
from aigen.orders import placing, worker
from aigen.orders.context import Context
from aigen.settings import Settings
from aigen.store import Store
from aigen.types.pipeline import Job
from aigen.types.request import Draft
from aigen.viewer.gallery import Gallery
from tests.conftest import kill, kill_worker
from tests.pipelines.hosted.conftest import Shop
from tests.viewer.test_browser import page  # noqa: F401
from tests.viewer.test_server import Server
from tests.web import Browser

if TYPE_CHECKING:
    from playwright.sync_api import Page

RUNNING = {"status": "RUNNING", "progress": 0.4, "estimatedCost": {"credits": 25}}


def offering(
    gallery: Gallery, environment: dict[str, str], prices: dict[str, float] | None = None, **more: str
) -> Gallery:
    values = {**environment, "AIGEN_WEB_PAID": "1", **more}
    return replace(gallery, settings=Settings(values, prices or {}), load=pipelines.load)


def work(gallery: Gallery) -> None:
    with Store.open(gallery.content) as store:
        context = Context(gallery.content, store, settings=gallery.settings, load=pipelines.load)
        worker.work(context, lambda seconds: None, once=True)


def test_a_web_order_by_a_hosted_model_is_made_by_the_worker(gallery: Gallery, runway: Shop) -> None:
    shown = offering(gallery, runway.environment)
    ana = Browser(shown).register()
    form = ana.get("/text-to-video")
    assert 'value="runway"' in form.text
    assert 'value="openai"' not in form.text, "there is no key"
    answer = ana.post("/text-to-video", prompt="a kite", model="runway", images="1", videos="1", agreed="0.68")
    assert answer.status_code == 303, answer.text
    assert "about $0.68" in ana.get("/dash").text
    work(shown)
    with Store.open(gallery.content) as store:
        (order,) = store.generations()
        assert order.status == "Completed"
        assert {item.model for item in store.items(order.generation_id)} == {"runway:gen4_image", "runway:gen4.5"}
    assert len(runway.server.sales) == 2
    assert ana.get(f"/media/{order.generation_id}/{order.generation_id}-video-1.mp4").status_code == 200
    assert "cost $0.50" in ana.get("/dash").text
    assert re.search(r"<dt>Cost</dt><dd>\$0.25</dd>", ana.get(f"/videoplayer/{order.generation_id}/1").text)


def test_without_leave_no_hosted_model_is_offered(gallery: Gallery, runway: Shop) -> None:
    shown = replace(gallery, settings=Settings(runway.environment), load=pipelines.load)
    ana = Browser(shown).register()
    assert "runway" not in ana.get("/text-to-video").text
    assert estimate(ana, model="runway") == {"text": "", "refused": False, "price": 0.0}


def test_what_has_no_known_price_is_not_offered(gallery: Gallery) -> None:
    keys = {"PICTORY_API_KEY": "key_0123456789", "HF_TOKEN": "hf_0123456789"}
    form = Browser(offering(gallery, keys)).register().get("/text-to-video").text
    assert "pictory" not in form
    assert "huggingface" not in form
    priced = offering(gallery, keys, {"pictory:pixverse5.5": 0.02})
    assert 'value="pictory"' in Browser(priced).register("bob").get("/text-to-video").text


def estimate(visitor: Browser, form: str = "/text-to-video", **typed: str) -> dict[str, Any]:
    values = {"prompt": "a kite", "images": "5", "videos": "0", "model": ""} | typed
    answer = visitor.post(f"{form}/estimate", "/activity", **values)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json
    return found


def test_the_estimate_is_shown_with_what_is_left_of_the_budget(gallery: Gallery, runway: Shop) -> None:
    shown = offering(gallery, runway.environment, AIGEN_USER_MONTHLY_COST="10")
    ana = Browser(shown).register()
    assert estimate(ana) == {"text": "It is free.", "refused": False, "price": 0.0}
    told: dict[str, Any] = {
        "text": "It costs about $0.40; $10.00 of your $10.00 for this month is left.",
        "refused": False,
    }
    told["price"] = 0.4
    assert estimate(ana, model="runway") == told
    assert estimate(ana, model="runway", videos="5")["text"].startswith("It costs about $3.40;")
    assert "about $1.25" in estimate(ana, "/image-to-video", prompt="", model="runway", images="0", videos="5")["text"]
    assert (
        ana.post("/text-to-video", prompt="a kite", model="runway", images="5", videos="5", agreed="3.4").status_code
        == 303
    )
    assert "$6.60 of your $10.00 for this month is left" in estimate(ana, model="runway")["text"]
    assert estimate(ana, model="runway", images="many") == {"text": "", "refused": False, "price": 0.0}


def test_a_user_over_budget_is_told_so_and_refused_before_anything_is_sent(gallery: Gallery, runway: Shop) -> None:
    shown = offering(gallery, runway.environment, AIGEN_USER_MONTHLY_COST="0.50", AIGEN_MONTHLY_COST="100")
    ana = Browser(shown).register()
    text = "It costs about $0.60, but only $0.50 of your $0.50 for this month is left."
    assert estimate(ana, model="runway", images="0", videos="1") == {"text": text, "refused": True, "price": 0.6}
    refused = ana.post("/text-to-video", prompt="a kite", model="runway", images="0", videos="1")
    assert refused.status_code == 400
    assert "this costs about $0.60, but only $0.50 of your $0.50 for this month is left" in refused.text
    assert text in refused.text
    assert gallery.store.generations() == []
    assert runway.server.seen == []


def test_what_the_gallery_itself_may_spend_is_told_too(gallery: Gallery, runway: Shop) -> None:
    limited = offering(gallery, runway.environment, AIGEN_MAX_COST="0.20")
    told = estimate(Browser(limited).register(), model="runway")
    assert told["text"] == "It costs about $0.40, more than one order may cost here ($0.20)."
    assert told["refused"]
    limited = offering(gallery, runway.environment, AIGEN_MONTHLY_COST="0.10")
    told = estimate(Browser(limited).register("bob"), model="runway")
    assert "but only $0.10 of the gallery's $0.10 for this month is left" in told["text"]


def test_an_item_of_unknown_outcome_says_what_happened_and_who_can_decide(context: Context, ana: Browser) -> None:
    order = placing.place(context, Draft(prompt="a kite", images=2, videos=1), "ana", detached=True).generation_id
    first, second, third = context.store.items(order)
    context.store.save_job(first, Job("key", server="runway", intended_at="2026-11-26T10:42:00+00:00"))
    context.store.save_job(third, Job("other", "task-1", "runway", "lost", price=0.6))
    for item in (first, third):
        context.store.record(replace(item, state="failed", error="add --buy-again to buy it again"))
    context.store.record(replace(second, state="failed", error="Runway refused it: too scary"))
    context.store.fail(order, "what the terminal is told", context.clock())
    shown = ana.get("/dash").text
    assert "Image 1: it was ordered from Runway at" in shown
    assert "and the answer was lost. It may have been paid for, so it is not bought again by itself." in shown
    assert "Video 1: it was ordered from Runway, and Runway cannot deliver it any more." in shown
    assert "Image 2: Runway refused it: too scary" in shown
    assert "The person who runs this gallery can decide" in shown
    assert f"<code>aigen resume {order} --buy-again</code>" in shown


def test_without_a_script_the_price_is_shown_before_an_order_is_placed(gallery: Gallery, runway: Shop) -> None:
    ana = Browser(offering(gallery, runway.environment)).register()
    assert "hosted by Runway, paid: about $0.08 an image, about $0.60 a video" in ana.get("/text-to-video").text
    values = {"prompt": "a kite", "model": "runway", "images": "1", "videos": "1"}
    for agreed in ("", "0", "0.67", "-1", "nan", "much"):
        asked = ana.post("/text-to-video", agreed=agreed, **values)
        assert (asked.status_code, "this order costs about $0.68: order again to agree" in asked.text) == (400, True)
    assert gallery.store.generations() == []
    agreed = re.search(r'name="agreed" value="([\d.]+)"', asked.text)
    assert agreed
    assert ana.post("/text-to-video", agreed=agreed[1], **values).status_code == 303


def test_what_is_ordered_again_shows_its_price_first(gallery: Gallery, runway: Shop) -> None:
    shown = offering(gallery, runway.environment)
    ana = Browser(shown).register()
    ana.post("/text-to-video", prompt="a kite", model="runway", images="1", videos="0", agreed="1")
    work(shown)
    (order,) = gallery.store.generations()
    assert "Again, differently (about $0.08)" in ana.get("/dash").text
    assert "More like this (about $0.32)" in ana.get(f"/picture/{order.generation_id}/1").text
    again, like = f"/orders/{order.generation_id}/again", f"/like/{order.generation_id}/image/1"
    for path in (again, like):
        assert ana.post(path, "/activity").status_code == 400
    assert ana.post(again, "/activity", agreed="0.08").status_code == 303
    assert ana.post(like, "/activity", agreed="0.32").status_code == 303
    assert [each.price for each in gallery.store.generations()] == [0.08, 0.08, 0.32]


@pytest.fixture
def server(runway: Shop, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A gallery that offers Runway, whose stand-in takes its time."""
    environment = runway.environment | {"AIGEN_WEB_PAID": "1", "AIGEN_USER_MONTHLY_COST": "1"}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    runway.server.polls = [RUNNING] * 100_000
    found = Server()
    yield found
    kill(found.process)
    kill_worker(Path("generated_content"), 9)


@pytest.mark.system
def test_in_a_browser_an_order_shows_its_estimate_its_progress_and_its_cost(
    page: "Page",  # noqa: F811
    server: Server,
    runway: Shop,
) -> None:
    page.goto("/register")
    page.get_by_label("User id").fill("ana")
    page.get_by_role("button", name="Register").click()
    page.goto("/text-to-video")
    assert page.locator("#estimate").inner_text() == "It is free."
    page.get_by_label("What shall they show?").fill("a kite")
    page.get_by_label("Images").fill("0")
    page.get_by_label("Videos").fill("2")
    page.get_by_text("runway").check()
    page.get_by_text("It costs about $1.20, but only $1.00 of your $1.00 for this month is left.").wait_for()
    page.get_by_role("button", name="Order").click()
    page.get_by_text("this costs about $1.20, but only $1.00 of your $1.00").wait_for()
    assert runway.server.seen == []
    page.get_by_label("Videos").fill("1")
    page.get_by_text("It costs about $0.60; $1.00 of your $1.00 for this month is left.").wait_for()
    page.get_by_role("button", name="Order").click()
    page.get_by_text(re.compile(r"at Runway since \d\d:\d\d, 40 %")).wait_for()
    assert "about $0.60" in page.locator("header .cost").inner_text()
    runway.server.polls = []
    page.get_by_role("link", name="Watch video 1").wait_for()
    page.get_by_text("cost $0.25").wait_for()
    page.get_by_role("link", name="Watch video 1").click()
    assert page.locator("dt:has-text('Cost') + dd").inner_text() == "$0.25"
    assert len(runway.server.sales) == 1
