"""Ordering, watching and getting rid of orders, and that pages show them."""

import re
from dataclasses import replace

import pytest
from conftest import Scribbler, StillClock, files_in
from web import HOST, Browser
from webtest import TestResponse

from aigen import generation
from aigen.errors import GenerationError
from aigen.generation import Workshop
from aigen.settings import ContentFolder, Settings
from aigen.types import GenerationRequest
from aigen.viewer.app import Gallery


@pytest.fixture
def gallery(content: ContentFolder, clock: StillClock, scribbler: Scribbler) -> Gallery:
    return Gallery(content, Settings({}), frozenset({HOST}), clock=clock, load=lambda name: scribbler)


@pytest.fixture
def ana(gallery: Gallery) -> Browser:
    return Browser(gallery).register()


def place(browser: Browser, **typed: str) -> TestResponse:
    return browser.post("/text-to-video", **{"prompt": "a kite", "images": "1", "videos": "1", **typed})


def test_an_order_is_placed_shown_while_it_is_made_and_when_it_is_ready(
    ana: Browser, gallery: Gallery, workshop: Workshop
) -> None:
    answer = place(ana, prompt="a kite <b>& co</b>", style="night", images="2")
    (order,) = gallery.store.generations("ana")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/dash#{order.generation_id}")
    assert (order.detached, order.request.style, order.request.notify) == (True, "night", ())
    waiting = ana.get("/dash").text
    assert "Your content is being generated. Please check back later." in waiting
    assert "a kite &lt;b&gt;&amp; co&lt;/b&gt;" in waiting
    assert "<b>&" not in waiting
    assert '<progress max="3" value="0">' in waiting
    assert '<meta http-equiv="refresh"' in waiting
    assert list(ana.get("/progress").json) == [order.generation_id]
    assert ana.get("/progress").json[order.generation_id]["total"] == 3

    generation.run(workshop, order.generation_id, detached=True)
    ready = ana.get("/dash").text
    assert "being generated" not in ready
    assert "progress.js" not in ready
    assert ana.get("/progress").json == {}
    assert ready.count("<video ") == 1
    assert ready.count("-small.webp") == 2
    for path in re.findall(r'(?:src|href|poster)="(/[^"]*)"', ready):
        assert ana.get(path).status_code in (200, 303), path


def test_the_newest_order_is_first_and_older_ones_are_on_other_pages(ana: Browser, gallery: Gallery) -> None:
    for number in range(12):
        with_room = replace(gallery, settings=Settings({"AIGEN_MAX_ORDERS": "99"}))
        generation.place(
            with_room.workshop, GenerationRequest(prompt=f"kite {number:02}", images=1, videos=0), "ana", detached=True
        )
    first, second = (re.findall(r"kite \d\d(?=</h2>)", ana.get(path).text) for path in ("/dash", "/dash?page=2"))
    assert first == [f"kite {number:02}" for number in range(11, 1, -1)]
    assert second == ["kite 01", "kite 00"]
    for page in ("0", "-1", "x", "9" * 50, "99"):
        assert ana.get(f"/dash?page={page}").status_code == 200


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"prompt": "  "}, "the prompt is empty"),
        ({"prompt": "x" * 2001}, "2000"),
        ({"images": "0", "videos": "0"}, "at least one"),
        ({"images": "-1"}, "images is &#039;-1&#039;"),
        ({"images": "٣"}, "give a whole number"),
        ({"videos": "many"}, "videos is"),
        ({"images": "40"}, "the limit is 40"),
        ({"style": "cubist"}, "cubist"),
        ({"model": "nonesuch"}, "nonesuch"),
        ({"notify_at": "25:00"}, "25:00"),
        ({"notify": "pigeon"}, "pigeon"),
        ({"notify": "json://169.254.169.254/"}, "not possible here"),
        ({"notify": "terminal"}, "not possible here"),
        ({"notify": "mail", "address": "nobody"}, "no usable address"),
        ({"notify": "mail", "address": "ana@example.org"}, "AIGEN_SMTP_HOST"),
    ],
)
def test_what_cannot_be_ordered_is_told_and_what_was_typed_stays(
    gallery: Gallery, typed: dict[str, str], told: str
) -> None:
    from aigen import pipelines

    ana = Browser(replace(gallery, load=pipelines.load)).register()
    answer = place(ana, **{"prompt": "a red <kite>", **typed})
    assert answer.status_code == 400
    alert = re.search(r'role="alert">(.*)</p>', answer.text)
    assert alert
    assert told in alert[1]
    if "prompt" not in typed:
        assert "a red &lt;kite&gt;</textarea>" in answer.text
    assert gallery.store.generations() == []


def test_a_user_may_have_only_so_many_orders_waiting(ana: Browser, gallery: Gallery) -> None:
    for _ in range(10):
        assert place(ana).status_code == 303
    assert "which is the limit" in place(ana).text
    assert place(Browser(gallery).register("bob")).status_code == 303
    strict = replace(gallery, settings=Settings({"AIGEN_MAX_ORDERS": "1", "AIGEN_MAX_ITEMS": "2"}))
    eve = Browser(strict).register("eve")
    assert "the limit is 2" in place(eve, images="2").text
    assert place(eve).status_code == 303
    assert "which is the limit" in place(eve).text


def test_the_form_offers_only_what_is_possible(gallery: Gallery) -> None:
    assert 'value="desktop"' in Browser(gallery).register().get("/text-to-video").text
    public = Browser(replace(gallery, public=True)).register("bob", "long enough")
    text = public.get("/text-to-video").text
    assert 'value="desktop"' not in text
    assert 'value="mail"' not in text
    assert "not possible here" in place(public, notify="desktop").text
    mails = {"AIGEN_SMTP_HOST": "mail.example.org", "AIGEN_SMTP_FROM": "aigen@example.org"}
    eve = Browser(replace(gallery, settings=Settings(mails))).register("eve")
    assert 'type="email"' in eve.get("/text-to-video").text
    assert place(eve, notify="mail", address="eve@example.org", notify_at="tomorrow 07:00").status_code == 303
    (notice,) = gallery.store.notices(user_id="eve")
    assert (notice.channel, notice.state) == ("mailto:eve@example.org", "waiting")


def test_an_order_is_cancelled(ana: Browser, gallery: Gallery) -> None:
    place(ana)
    (order,) = gallery.store.generations()
    assert ana.post(f"/orders/{order.generation_id}/cancel", form="/dash").status_code == 303
    assert "Cancelled" in ana.get("/dash").text
    answer = ana.post(f"/orders/{order.generation_id}/cancel", form="/dash")
    assert (answer.status_code, "nothing to cancel" in answer.text) == (400, True)


def test_a_failed_order_says_why_and_is_tried_again_by_the_worker(
    ana: Browser, gallery: Gallery, workshop: Workshop, scribbler: Scribbler
) -> None:
    place(ana, images="2")
    (order,) = gallery.store.generations()
    scribbler.fail.add(2)
    with pytest.raises(GenerationError):
        generation.run(workshop, order.generation_id, detached=True)
    assert "image 2: the pen broke" in ana.get("/dash").text
    scribbler.fail.clear()
    assert ana.post(f"/orders/{order.generation_id}/retry", form="/dash").status_code == 303
    again = gallery.store.generation(order.generation_id)
    assert again is not None
    assert (again.status, again.detached, again.attempts) == ("Processing", True, 0)
    assert generation.run(workshop, order.generation_id, detached=True).status == "Completed"
    assert ana.post(f"/orders/{order.generation_id}/retry", form="/dash").status_code == 400


def test_deleting_an_order_leaves_nothing_of_it(ana: Browser, gallery: Gallery, workshop: Workshop) -> None:
    kept = generation.generate(workshop, GenerationRequest(prompt="kept", images=1, videos=1), "ana")
    gone = generation.generate(workshop, GenerationRequest(prompt="gone", images=1, videos=1), "ana")
    generation.thumbnails(gallery.content, gallery.store.items(kept.generation_id)[0])
    assert ana.post(f"/orders/{gone.generation_id}/delete", form="/dash").headers["Location"] == "/dash"
    left = [path.name for path in gallery.content.root.rglob("*") if path.is_file()]
    assert not [name for name in left if gone.generation_id in name]
    assert [name for name in left if name.startswith(kept.generation_id)]
    for table in ("generations", "items", "notices", "links"):
        assert not gallery.store._read(f"SELECT 1 FROM {table} WHERE generation_id = ?", [gone.generation_id])
    assert "gone" not in ana.get("/dash").text
    assert len(files_in(gallery.content.root)) == 2


def test_an_order_that_is_being_made_is_stopped_before_it_is_deleted(
    ana: Browser, gallery: Gallery, workshop: Workshop, scribbler: Scribbler
) -> None:
    import threading

    place(ana, images="3", videos="0")
    (order,) = gallery.store.generations()
    begun, go_on = threading.Event(), threading.Event()

    def wait(task: object, run: object, number: int) -> None:
        begun.set()
        go_on.wait(10)
        run.check()  # type: ignore[attr-defined]

    scribbler.before = wait

    def work() -> None:
        with generation.hold(gallery.content, order.generation_id):
            from aigen.errors import Cancelled
            from aigen.store import Store

            with Store.open(gallery.content) as store, pytest.raises(Cancelled):
                generation.run(replace(workshop, store=store), order.generation_id, detached=True)

    worker = threading.Thread(target=work)
    worker.start()
    begun.wait(10)
    threading.Timer(0.5, go_on.set).start()
    assert ana.post(f"/orders/{order.generation_id}/delete", form="/dash").status_code == 303
    worker.join()
    assert gallery.store.generation(order.generation_id) is None
    assert files_in(gallery.content.root) == {}


def test_a_video_has_a_page_that_says_what_made_it(ana: Browser, gallery: Gallery, workshop: Workshop) -> None:
    order = generation.generate(workshop, GenerationRequest(prompt="a kite", images=0, videos=3, seed=40), "ana")
    text = ana.get(f"/videoplayer/{order.generation_id}/2").text
    assert f'src="/media/{order.generation_id}/{order.generation_id}-video-2.mp4"' in text
    assert "storybook: built-in illustrator, not a generative model" in text
    assert "<dt>Seed</dt><dd>41</dd>" in text
    assert f'href="/videoplayer/{order.generation_id}/3"' in text
    assert ana.get(f"/videoplayer/{order.generation_id}/4").status_code == 404


def test_what_is_looked_at_and_downloaded_is_logged(ana: Browser, gallery: Gallery, workshop: Workshop) -> None:
    order = generation.generate(workshop, GenerationRequest(prompt="a kite", images=1, videos=1), "ana")
    name = f"{order.generation_id}-image-1.png"
    ana.get("/dash")
    ana.get(f"/videoplayer/{order.generation_id}/1")
    ana.get(f"/media/{order.generation_id}/{name}")
    ana.get(f"/media/{order.generation_id}/{name}?download=1")
    ana.get(f"/archive/{order.generation_id}.zip")
    logged = [(row["action"], row["target"]) for row in gallery.store.activity("ana", 100)][::-1]
    assert logged == [
        ("register", None),
        ("login", None),
        ("view", "/dash"),
        ("view", f"/videoplayer/{order.generation_id}/1"),
        ("view", f"ana/{name}"),
        ("download", f"ana/{name}"),
        ("download", order.generation_id),
    ]
    assert all(row["address"] == "127.0.0.1" for row in gallery.store.activity("ana", 100))
    Browser(gallery).post("/login", user_id="ana")
    assert f"ana/{name}" in ana.get("/activity").text
