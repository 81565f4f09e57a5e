"""Limits on what a web user may take: minutes of work within a day, and bytes on the disk."""

from dataclasses import replace
from pathlib import Path

import pytest
from webtest import TestResponse

from aigen import pipelines
from aigen.errors import UsageError
from aigen.orders import deletion, lifecycle, placing, quotas
from aigen.orders.context import Context
from aigen.settings import Settings
from aigen.types.request import Draft, Narration
from aigen.viewer import server
from aigen.viewer.gallery import Gallery
from tests.conftest import StillClock
from tests.web import Browser


def limited(gallery: Gallery, user_id: str = "ana", **values: str) -> Browser:
    settings = Settings({"AIGEN_MAX_ORDERS": "99", **{f"AIGEN_MAX_{name}": value for name, value in values.items()}})
    return Browser(replace(gallery, settings=settings)).register(user_id)


def place(browser: Browser, images: int = 1, videos: int = 0, **typed: str) -> TestResponse:
    return browser.post("/text-to-video", **{"prompt": "a kite", "images": str(images), "videos": str(videos), **typed})


def test_the_minutes_that_a_user_may_order_within_a_day_are_limited(
    gallery: Gallery, context: Context, clock: StillClock
) -> None:
    ana = limited(gallery, MINUTES="1")
    assert [place(ana, images=4).status_code for _ in range(4)] == [303, 303, 303, 400], "of 5 s for each image"
    refused = place(ana, images=1)
    told = "takes about 5 s of work: the limit is 1 min 0 s within a day, of which you have ordered 1 min 0 s"
    assert told in refused.text
    assert place(limited(gallery, "bob", MINUTES="1"), images=4).status_code == 303
    for order in gallery.store.generations("ana"):
        lifecycle.cancel(context, order.generation_id)
        deletion.erase_order(context, order.generation_id)
    assert place(ana, images=1).status_code == 400, "what was erased may have been made"
    clock.advance(86400)
    assert place(ana, images=4).status_code == 303
    assert len(gallery.store._read("SELECT * FROM workload")) == 2, "what is past goes"


def test_the_bytes_of_a_user_are_limited(gallery: Gallery, context: Context) -> None:
    ana = limited(gallery, DISK="4MB")
    assert [place(ana).status_code for _ in range(3)] == [303, 303, 400], "of 1.6 MB for each image"
    for order in gallery.store.generations("ana"):
        lifecycle.run(context, order.generation_id, detached=True)
    assert quotas.size_of(gallery.content, "ana") < 100_000
    assert place(ana).status_code == 303, "what was made is smaller"
    (gallery.content.user("ana") / "large.png").write_bytes(bytes(2_000_000))
    refused = place(ana)
    assert (
        "take about 2 MB: the limit is 4 MB, of which yours take 4 MB; delete what you no longer need" in refused.text
    )


def test_again_and_more_like_it_count_too(gallery: Gallery, context: Context) -> None:
    ana = limited(gallery, MINUTES="1")
    place(ana, images=7)
    (order,) = gallery.store.generations("ana")
    lifecycle.run(context, order.generation_id, detached=True)
    context.store._change("UPDATE items SET seconds = 5 WHERE generation_id = ?", [order.generation_id])
    for path in (f"/orders/{order.generation_id}/again", f"/like/{order.generation_id}/image/1"):
        codes = [ana.post(path, form="/dash").status_code for _ in range(9)]
        assert codes[-1] == 400, path
    assert "within a day" in ana.post(path, form="/dash").text


def test_the_pace_of_late_counts_where_it_is_known(gallery: Gallery, context: Context) -> None:
    seconds = replace(context, max_seconds=1e9)
    request = placing.estimate(context, Draft(prompt="a kite", images=2, videos=0, seed=1)).request
    assert quotas.expect(seconds, request).seconds == 10
    order = lifecycle.generate(context, Draft(prompt="a kite", images=1, videos=0), "bob")
    context.store._change("UPDATE items SET seconds = 60 WHERE generation_id = ?", [order.generation_id])
    assert quotas.expect(seconds, request).seconds == 120


def test_a_film_counts_by_the_length_of_its_words(gallery: Gallery) -> None:
    context = replace(gallery, load=pipelines.load).context

    def expect(words: int) -> float:
        told = Narration(script="A fox sleeps in the snow. " * words)
        draft = Draft(prompt="a fox", images=0, videos=1, narration=told, seed=1)
        return quotas.expect(context, placing.estimate(context, draft).request).seconds

    assert expect(10) == pytest.approx(expect(100) / 10, rel=0.1)
    ana = limited(replace(gallery, load=pipelines.load), MINUTES="60")
    script = ("A fox sleeps in the snow. " * 2300)[:59_400]
    refused = place(ana, images=0, videos=1, narrate="yes", script=script)
    assert (refused.status_code, "within a day" in refused.text) == (400, True)


def test_a_public_gallery_has_limits_without_settings_and_the_command_line_has_none(gallery: Gallery) -> None:
    assert quotas.read_limits(Settings({}), public=False) == (None, None)
    assert quotas.read_limits(Settings({}), public=True) == (480 * 60, 20 * 10**9)
    assert (gallery.context.max_seconds, replace(gallery, public=True).context.max_seconds) == (None, 28800)
    assert Context(gallery.content, gallery.store).max_bytes is None


@pytest.mark.parametrize(
    ("name", "value"),
    [("MINUTES", "0"), ("MINUTES", "x"), ("DISK", "0GB"), ("DISK", "10"), ("DISK", "GB"), ("DISK", "-5GB")],
)
def test_a_limit_that_means_nothing_is_told_before_anybody_comes(gallery: Gallery, name: str, value: str) -> None:
    with pytest.raises(UsageError, match=f"AIGEN_MAX_{name}.*is not usable: give"):
        server.gallery(gallery.content, Settings({f"AIGEN_MAX_{name}": value}), "127.0.0.1", 80)


def test_links_in_the_folder_count_as_links(gallery: Gallery, tmp_path: Path) -> None:
    (folder := gallery.content.user("ana")).mkdir(parents=True)
    (large := tmp_path / "large").write_bytes(bytes(1_000_000))
    (folder / "link").symlink_to(large)
    assert quotas.size_of(gallery.content, "ana") < 1000
