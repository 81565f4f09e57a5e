"""Ordering, watching and getting rid of orders, and that pages show them."""

import io
import re
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from webtest import TestResponse

from aigen import pipelines
from aigen.errors import GenerationError
from aigen.media import thumbnails
from aigen.orders import deletion, lifecycle, placing
from aigen.orders.context import Context
from aigen.settings import Settings
from aigen.types.request import Draft, Narration
from aigen.viewer.gallery import Gallery
from tests.conftest import Scribbler, StillClock, files_in
from tests.web import Browser


def place(browser: Browser, **typed: str) -> TestResponse:
    return browser.post("/text-to-video", **{"prompt": "a kite", "images": "1", "videos": "1", **typed})


def test_an_order_is_placed_shown_while_it_is_made_and_when_it_is_ready(
    ana: Browser, gallery: Gallery, context: Context
) -> None:
    answer = place(ana, prompt="a kite <b>& co</b>", style="night", images="2")
    (order,) = gallery.store.generations("ana")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/dash#{order.generation_id}")
    assert (order.detached, order.request.style, order.request.notify) == (True, "night", ())
    waiting = ana.get("/dash").text
    assert "Your content is being generated. Please check back later." in waiting
    assert "a kite &lt;b&gt;&amp; co&lt;/b&gt;" in waiting
    assert "<b>&" not in waiting
    assert '<progress max="3" value="0"' in waiting
    assert '<meta http-equiv="refresh"' in waiting
    assert list(ana.get("/progress").json) == [order.generation_id]
    assert ana.get("/progress").json[order.generation_id]["total"] == 3

    lifecycle.run(context, order.generation_id, detached=True)
    ready = ana.get("/dash").text
    assert "being generated" not in ready
    assert ana.get("/progress").json == {}
    assert ready.count("<video ") == 1
    assert ready.count('<img src="/media/') == 2
    for path in re.findall(r'(?:src|href|poster)="(/[^"]*)"', ready):
        assert ana.get(path).status_code in (200, 303), path


def test_a_narrated_film_is_ordered_by_form_and_played_with_its_captions(ana: Browser, gallery: Gallery) -> None:
    gallery = replace(gallery, load=pipelines.load)
    refused = place(ana, narrate="yes", script="你好，世界。今天天气很好。")
    assert refused.status_code == 400
    assert 'id="error-script"' in refused.text
    place(ana, images="0", narrate="yes", script="A kite flies. It is <i>windy</i>.", style="night")
    (order,) = gallery.store.generations("ana")
    assert order.request.narration == Narration(script="A kite flies. It is <i>windy</i>.", styles=("night",))
    small = order.request.draft(size="160x90", fps=10, video_model=None)
    told = Narration(script="A kite flies.", captions="srt")
    context = Context(gallery.content, gallery.store)
    film = lifecycle.generate(context, replace(small, narration=told), "ana")
    page = ana.get(f"/videoplayer/{film.generation_id}/1").text
    (track,) = re.findall(r'<track kind="captions"[^>]* src="([^"]*)" default>', page)
    assert " muted" not in page
    assert ana.get(track).text.startswith("WEBVTT")
    assert ana.get(track).headers["Content-Type"].startswith("text/vtt")
    (captions,) = re.findall(r'href="(/media/[^"]*\.srt\?download=1)"', page)
    assert "A kite flies." in ana.get(captions).text
    names = zipfile.ZipFile(io.BytesIO(ana.get(f"/archive/{film.generation_id}.zip").body)).namelist()
    assert sorted(Path(name).suffix for name in names) == [".mp4", ".srt", ".vtt"]
    deletion.erase_item(context, gallery.store.items(film.generation_id)[0])
    assert not [path for path in gallery.content.user("ana").iterdir() if film.generation_id in path.name]


def test_the_newest_order_is_first_and_older_ones_follow(ana: Browser, gallery: Gallery) -> None:
    for number in range(18):
        unlimited = replace(gallery.context, max_orders=None)
        placing.place(unlimited, Draft(prompt=f"kite {number:02}", images=1, videos=0), "ana", detached=True)
    path, shown = "/dash", []
    while True:
        text = ana.get(path).text
        shown.append(re.findall(r">kite (\d\d)</h2>", text))
        older = re.search(r'rel="next" href="([^"]*)"', text)
        if not older:
            break
        path = older[1]
    assert shown == [[f"{number:02}" for number in range(first, max(first - 8, -1), -1)] for first in (17, 9, 1)]
    for before in ("0", "-1", "nonesuch", "9" * 50):
        assert ana.get(f"/dash?before={before}").status_code == 200


def test_prompts_are_searched(ana: Browser, gallery: Gallery) -> None:
    for user, prompt in (("ana", "a red Kite über the sea"), ("ana", "a kitten & co"), ("bob", "a kite of bob's")):
        placing.place(gallery.context, Draft(prompt=prompt, images=1, videos=0), user, detached=True)

    def found(words: str) -> list[str]:
        return re.findall(r"<h2[^>]*>(.*)</h2>", ana.app.get("/dash", {"search": words}).text)

    assert found("kit") == ["a kitten &amp; co", "a red Kite über the sea"]
    assert found("UBER kite") == ["a red Kite über the sea"]
    assert found("bob") == []
    for words in ('"', "NOT", "kite*", "a OR b", "prompt:x", "(", "'; --", "\x00", "x" * 5000):
        assert ana.app.get("/dash", {"search": words}).status_code == 200


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
    alerts = re.findall(r'(?:role="alert"|class="error" id="error-\w+")>(.*)</p>', answer.text)
    assert any(told in alert for alert in alerts)
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
    assert "no usable address: write" in place(eve, notify="mail", address="nobody").text
    (notice,) = gallery.store.notices(user_id="eve")
    assert (notice.channel, notice.state) == ("mailto:eve@example.org", "waiting")


def test_nobody_can_have_any_number_of_mails_sent(gallery: Gallery, clock: StillClock) -> None:
    values = {"AIGEN_SMTP_HOST": "mail.example.org", "AIGEN_SMTP_FROM": "a@example.org", "AIGEN_MAX_ORDERS": "99"}
    eve = Browser(replace(gallery, settings=Settings(values))).register("eve")
    for number in range(20):
        assert place(eve, notify="mail", address=f"victim{number}@example.org").status_code == 303
    assert "which is the limit" in place(eve, notify="mail", address="victim@example.org").text
    assert place(eve).status_code == 303
    clock.advance(3601)
    assert place(eve, notify="mail", address="victim@example.org").status_code == 303


def test_an_order_is_cancelled(ana: Browser, gallery: Gallery) -> None:
    place(ana)
    (order,) = gallery.store.generations()
    assert ana.post(f"/orders/{order.generation_id}/cancel", form="/dash").status_code == 303
    assert "Cancelled" in ana.get("/dash").text
    answer = ana.post(f"/orders/{order.generation_id}/cancel", form="/dash")
    assert (answer.status_code, "nothing to cancel" in answer.text) == (400, True)


def test_a_failed_order_says_why_and_is_tried_again_by_the_worker(
    ana: Browser, gallery: Gallery, context: Context, scribbler: Scribbler
) -> None:
    place(ana, images="2")
    (order,) = gallery.store.generations()
    scribbler.fail.add(2)
    with pytest.raises(GenerationError):
        lifecycle.run(context, order.generation_id, detached=True)
    assert "Image 2: the pen broke" in ana.get("/dash").text
    scribbler.fail.clear()
    assert ana.post(f"/orders/{order.generation_id}/retry", form="/dash").status_code == 303
    again = gallery.store.generation(order.generation_id)
    assert again is not None
    assert (again.status, again.detached, again.attempts) == ("Processing", True, 0)
    assert lifecycle.run(context, order.generation_id, detached=True).status == "Completed"
    assert ana.post(f"/orders/{order.generation_id}/retry", form="/dash").status_code == 400


def test_deleting_an_order_leaves_nothing_of_it(ana: Browser, gallery: Gallery, context: Context) -> None:
    kept = lifecycle.generate(context, Draft(prompt="kept", images=1, videos=1), "ana")
    gone = lifecycle.generate(context, Draft(prompt="gone", images=1, videos=1), "ana")
    thumbnails.thumbnails(gallery.content, gallery.store.items(kept.generation_id)[0])
    assert ana.post(f"/orders/{gone.generation_id}/delete", form="/dash").headers["Location"] == "/dash"
    left = [path.name for path in gallery.content.root.rglob("*") if path.is_file()]
    assert not [name for name in left if gone.generation_id in name]
    assert [name for name in left if name.startswith(kept.generation_id)]
    for table in ("generations", "items", "notices", "links"):
        assert not gallery.store._read(f"SELECT 1 FROM {table} WHERE generation_id = ?", [gone.generation_id])
    assert "gone" not in ana.get("/dash").text
    assert len(files_in(gallery.content.root)) == 2


def test_an_order_that_is_being_made_is_stopped_before_it_is_deleted(
    ana: Browser, gallery: Gallery, context: Context, scribbler: Scribbler
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
        with placing.hold(gallery.content, order.generation_id):
            from aigen.errors import Cancelled
            from aigen.store import Store

            with Store.open(gallery.content) as store, pytest.raises(Cancelled):
                lifecycle.run(replace(context, store=store), order.generation_id, detached=True)

    worker = threading.Thread(target=work)
    worker.start()
    begun.wait(10)
    threading.Timer(0.5, go_on.set).start()
    assert ana.post(f"/orders/{order.generation_id}/delete", form="/dash").status_code == 303
    worker.join()
    assert gallery.store.generation(order.generation_id) is None
    assert files_in(gallery.content.root) == {}


def test_a_video_has_a_page_that_says_what_made_it(ana: Browser, gallery: Gallery, context: Context) -> None:
    order = lifecycle.generate(context, Draft(prompt="a kite", images=0, videos=3, seed=40), "ana")
    text = ana.get(f"/videoplayer/{order.generation_id}/2").text
    assert f'src="/media/{order.generation_id}/{order.generation_id}-video-2.mp4"' in text
    assert "storybook: built-in illustrator, not a generative model" in text
    assert "<dt>Seed</dt><dd>41</dd>" in text
    assert f'href="/videoplayer/{order.generation_id}/3"' in text
    assert 'data-copy="Prompt: a kite\nMade by: storybook' in text
    assert ana.get(f"/videoplayer/{order.generation_id}/4").status_code == 404


def test_what_is_looked_at_and_downloaded_is_logged(ana: Browser, gallery: Gallery, context: Context) -> None:
    order = lifecycle.generate(context, Draft(prompt="a kite", images=1, videos=1), "ana")
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


# Again, more like it, several at once


def test_an_order_is_repeated_from_another_seed(ana: Browser, gallery: Gallery, context: Context) -> None:
    request = Draft(prompt="a kite", images=2, videos=1, style="night", notify_at="tomorrow 07:00")
    order = lifecycle.generate(context, request, "ana")
    answer = ana.post(f"/orders/{order.generation_id}/again", form="/dash")
    assert answer.status_code == 303
    again = gallery.store.generations("ana")[-1]
    assert answer.headers["Location"] == f"/dash#{again.generation_id}"
    assert (again.prompt, again.request.images, again.request.videos, again.request.style) == ("a kite", 2, 1, "night")
    assert again.request.seed != order.request.seed
    assert (again.request.notify, again.request.notify_at, again.detached) == ((), None, True)


def test_more_like_one_picture_is_ordered(ana: Browser, gallery: Gallery, context: Context) -> None:
    order = lifecycle.generate(context, Draft(prompt="a kite", images=2, videos=1, style="night"), "ana")
    for kind, images, videos in (("image", 4, 0), ("video", 0, 1)):
        assert ana.post(f"/like/{order.generation_id}/{kind}/1", form="/dash").status_code == 303
        like = gallery.store.generations("ana")[-1].request
        assert (like.prompt, like.style, like.images, like.videos, like.notify) == (
            "a kite",
            "night",
            images,
            videos,
            (),
        )
        assert like.seed != order.request.seed
    for path in ("image/9", "sound/1", "image/0"):
        assert ana.post(f"/like/{order.generation_id}/{path}", form="/dash").status_code == 404


def select(browser: Browser, what: str, *items: str) -> TestResponse:
    found = re.search(r'name="csrf" value="(\w+)"', browser.get("/dash").text)
    assert found
    fields = [("csrf", found[1]), *(("item", item) for item in items)]
    return browser.app.post(f"/selection/{what}", fields, expect_errors=True)


def test_several_are_downloaded_or_deleted_at_once(ana: Browser, gallery: Gallery, context: Context) -> None:
    first = lifecycle.generate(context, Draft(prompt="one", images=2, videos=1), "ana")
    second = lifecycle.generate(context, Draft(prompt="two", images=1, videos=0), "ana")
    items = (f"{first.generation_id}/image/2", f"{second.generation_id}/image/1")
    answer = select(ana, "download", *items)
    with zipfile.ZipFile(io.BytesIO(answer.body)) as archive:
        assert archive.namelist() == [item.replace("/", "-") + ".png" for item in items]
    assert select(ana, "delete", *items).status_code == 303
    assert len(files_in(gallery.content.root)) == 2
    assert gallery.store.generation(second.generation_id) is None  # its last one is gone
    assert [item.name for item in gallery.store.items(first.generation_id)] == ["image 1", "video 1"]
    assert not list(gallery.content.thumbs("ana").glob(f"{first.generation_id}-image-2*"))
    assert ana.get("/dash").status_code == 200


def test_only_one_s_own_can_be_selected(ana: Browser, gallery: Gallery, context: Context) -> None:
    mine = lifecycle.generate(context, Draft(prompt="mine", images=1, videos=0), "ana")
    bobs = lifecycle.generate(context, Draft(prompt="bob's", images=1, videos=0), "bob")
    for what in ("download", "delete"):
        for items in (
            (f"{bobs.generation_id}/image/1",),
            (f"{mine.generation_id}/image/1", f"{bobs.generation_id}/image/1"),
            (f"{mine.generation_id}/image/9",),
            ("../x",),
        ):
            assert select(ana, what, *items).status_code == 404
        assert select(ana, what).status_code == 400
        assert select(ana, what, *["x/image/1"] + [f"x/image/{number}" for number in range(501)]).status_code == 400
    assert len(files_in(gallery.content.root)) == 2


def test_what_a_typed_time_means_is_told(ana: Browser, clock: StillClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    assert ana.get("/resolve?when=18:30").json == {"told": "18:30 today"}
    assert ana.get("/resolve?when=tomorrow%2007:00").json == {"told": "07:00 tomorrow"}
    assert ana.get("/resolve?when=06:30").json == {"told": "06:30 today has passed: as soon as they are ready"}
    assert "25:00" in ana.get("/resolve?when=25:00").json["error"]


def test_how_long_it_takes_is_reckoned_from_what_the_model_made_of_late(
    ana: Browser, context: Context, scribbler: Scribbler, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aigen.orders.run.monotonic", lambda: clock().timestamp())
    assert "It takes about" not in ana.get("/text-to-video").text
    scribbler.before = lambda task, run, number: clock.advance(2 if task.kind == "image" else 8)
    lifecycle.generate(context, Draft(prompt="a kite", images=1, videos=1), "ana")
    assert "It takes about 50 s, like recent orders." in ana.get("/text-to-video").text
    assert "about 18 s" in place(ana, images="1", videos="2", style="nonesuch").text


def test_paid_models_are_offered_only_where_that_is_wished(
    gallery: Gallery, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = pipelines.registered() | {"golden": pipelines.Registered("somewhere:Golden", "aigen-golden")}
    monkeypatch.setattr(pipelines, "registered", lambda: known)
    scribbler, golden = Scribbler(), Scribbler(paid=True, cost=0.5)
    gallery = replace(gallery, load=lambda name, settings: golden if name == "golden" else scribbler)
    default = {"AIGEN_MODEL": "golden"}
    ana = Browser(replace(gallery, settings=Settings(default))).register()
    assert 'value="golden"' not in ana.get("/text-to-video").text
    assert "is not known: choose one of these" in place(ana, model="golden").text
    place(ana)  # not even where it is the default of whoever serves
    (order,) = gallery.store.generations()
    assert (order.request.image_model, order.request.video_model) == ("storybook", "storybook")
    lifecycle.run(replace(context, load=gallery.load), order.generation_id, detached=True)
    item = gallery.store.items(order.generation_id)[0]

    bought = placing.place(replace(gallery.context, paid=True), Draft(prompt="x", model="golden", yes=True), "ana")
    for path in (f"/orders/{bought.generation_id}/again", f"/like/{order.generation_id}/image/{item.number}"):
        gallery.store._change("UPDATE items SET model = 'golden' WHERE kind = 'image'", [])
        refused = ana.post(path)
        assert refused.status_code == 400
        assert "costs money, and paid models are not offered here" in refused.text

    gallery.store.fail(bought.generation_id, "no reason", gallery.clock())
    assert ana.post(f"/orders/{bought.generation_id}/retry").status_code == 400
    assert [order.status for order in gallery.store.generations("ana")] == ["Completed", "Failed"]

    eve = Browser(replace(gallery, settings=Settings(default | {"AIGEN_WEB_PAID": "1"}))).register("eve")
    assert 'value="golden"' in eve.get("/text-to-video").text
    assert place(eve, model="golden", agreed="9").status_code == place(eve, agreed="9").status_code == 303
    assert {order.request.image_model for order in gallery.store.generations("eve")} == {"golden"}


def test_a_default_model_that_is_gone_stops_only_orders_that_name_none(gallery: Gallery) -> None:
    ana = Browser(replace(gallery, load=pipelines.load, settings=Settings({"AIGEN_MODEL": "nonesuch"}))).register()
    assert place(ana, model="storybook").status_code == 303
    refused = place(ana)
    assert refused.status_code == 400
    assert "nonesuch" in refused.text
