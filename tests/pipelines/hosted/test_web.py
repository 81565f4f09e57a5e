"""Hosted models in the gallery: offered only where that is allowed and a key is there."""

from dataclasses import replace

from aigen import pipelines
from aigen.orders import worker
from aigen.orders.context import Context
from aigen.settings import Settings
from aigen.store import Store
from aigen.viewer.gallery import Gallery
from tests.pipelines.hosted.conftest import Shop
from tests.web import Browser


def test_a_web_order_by_a_hosted_model_is_made_by_the_worker(gallery: Gallery, runway: Shop) -> None:
    values = runway.environment | {"AIGEN_WEB_PAID": "1"}
    shown = replace(gallery, settings=Settings(values), load=pipelines.load)
    ana = Browser(shown).register()
    page = ana.get("/text-to-video")
    assert 'value="runway"' in page.text
    assert 'value="openai"' not in page.text, "there is no key"
    answer = ana.post("/text-to-video", prompt="a kite", model="runway", images="1", videos="1")
    assert answer.status_code == 303, answer.text
    with Store.open(gallery.content) as store:
        context = Context(gallery.content, store, settings=Settings(values), load=pipelines.load)
        worker.work(context, lambda seconds: None, once=True)
        (order,) = store.generations()
        assert order.status == "Completed"
        assert {item.model for item in store.items(order.generation_id)} == {"runway:gen4_image", "runway:gen4.5"}
    assert len(runway.server.sales) == 2
    assert ana.get(f"/media/{order.generation_id}/{order.generation_id}-video-1.mp4").status_code == 200


def test_without_leave_no_hosted_model_is_offered(gallery: Gallery, runway: Shop) -> None:
    shown = replace(gallery, settings=Settings(runway.environment), load=pipelines.load)
    assert "runway" not in Browser(shown).register().get("/text-to-video").text
