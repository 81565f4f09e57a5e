"""Orders that start from a picture of the user's: what is seen in it, and what is made of it."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from aigen import vision
from aigen.errors import Cancelled, UsageError
from aigen.media import provenance, uploads
from aigen.orders import lifecycle, placing, reorder, source, tasks
from aigen.pipelines.motion import Motion
from aigen.pipelines.storybook import Storybook
from aigen.store import Store
from aigen.types.reports import Finished, Report, Step
from aigen.types.request import Attachments, Draft, GenerationRequest, Size
from aigen.types.seen import Detection, ImageDescription
from aigen.types.styles import STYLES_IN_TURN
from tests.conftest import files_in, left_in_work, run_aigen
from tests.photos import photo
from tests.tiny_vision import save_florence
from tests.watched_orders import Orders

CAT = photo("chelsea.png")
SEEN = ImageDescription(
    width=451,
    height=300,
    objects=(Detection("cat", 0.8, (60, 10, 400, 290)),),
    caption="a cat",
    colours=("brown", "grey"),
    description="A cat, mostly brown and grey.",
)


def a_request(**changes: Any) -> Draft:
    told: dict[str, Any] = {
        "prompt": "a cat",
        "images": 5,
        "videos": 1,
        "seed": 3,
        "size": "96x64",
        "frames": 6,
        "fps": 12,
    }
    return Draft(**told | {"from_picture": True} | changes)


def seeing(monkeypatch: pytest.MonkeyPatch, seen: ImageDescription) -> None:
    """Have this seen in whatever is looked at."""
    monkeypatch.setattr(vision, "read", lambda path: (uploads.read(path), seen))


RESOLVED = GenerationRequest(prompt="a cat", seed=3, from_picture=True)


class Crash(BaseException):
    """What no order gets over."""


def stop_after(kind: str, number: int) -> Callable[[Report], None]:
    def stop(report: Report) -> None:
        if isinstance(report, Finished) and (report.item.kind, report.item.number) == (kind, number):
            raise Crash

    return stop


@pytest.fixture
def orders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Orders]:
    seeing(monkeypatch, SEEN)
    found = Orders(tmp_path / "content")
    with found.store:
        yield found


def test_five_images_and_a_video_are_made_of_a_picture(orders: Orders) -> None:
    order = lifecycle.generate(orders.context, a_request(), "ana", Attachments(picture=CAT))
    assert (order.status, order.request.image_model, order.request.video_model) == ("Completed", "storybook", "motion")
    told = [provenance.read(path) for path in (*orders.files(".png"), *orders.files(".mp4"))]
    assert [each.parameters["style"] for each in told] == [*STYLES_IN_TURN, "plain"]
    assert {each.parameters["picture_by"] for each in told} == {"the user"}
    assert {each.parameters["seen"]["description"] for each in told} == {SEEN.description}
    # The third is the picture itself, graded; the others are drawings, and the video moves over it.
    drawn, graded = "algorithmicMedia", "algorithmicallyEnhanced"
    assert [each.source_type for each in told] == [drawn, drawn, graded, drawn, drawn, graded]
    assert told[0].parameters["scene"]["objects"][0]["name"].startswith("cat")
    assert not orders.content.works()
    assert source.thumbnail(orders.content, order).exists()


def test_what_is_made_has_the_shape_of_the_picture_unless_a_size_is_given() -> None:
    storybook, motion = Storybook(), Motion()
    high = replace(SEEN, width=3000, height=4000)
    sizes = [
        tasks.task_of(replace(RESOLVED, size=size, seen=seen), "image" if made is storybook else "video", made).size
        for made in (storybook, motion)
        for size, seen in ((None, high), (None, replace(SEEN, width=9000, height=90)), ("200x100", high), (None, None))
    ]
    assert sizes == [
        Size(880, 1184), Size(1456, 720), Size(200, 100), Size(1024, 1024), Size(832, 1104), Size(1360, 672),
        Size(200, 100), Size(1280, 720),
    ]  # fmt: skip


def test_it_is_looked_at_once_when_it_is_placed(orders: Orders, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    placed = placing.place(orders.context, a_request(), "ana", Attachments(picture=CAT), detached=True)
    assert placed.request.seen
    assert [each.name for each in placed.request.seen.objects] == ["cat"]
    assert placed.request.vision_model == "nanodet"
    assert lifecycle.find(orders.store, placed.generation_id).request.seen == placed.request.seen


@pytest.mark.parametrize("crash", [("image", 3), ("video", 1)])
def test_a_crash_costs_only_what_was_in_the_making(orders: Orders, crash: tuple[str, int]) -> None:
    request = a_request(videos=2)
    orders.before = stop_after(*crash)
    with pytest.raises(Crash):
        lifecycle.generate(orders.context, request, "ana", Attachments(picture=CAT))
    (placed,) = orders.store.generations()
    assert (orders.content.work(placed.generation_id) / source.SOURCE).exists()
    orders.before = lambda report: None
    assert lifecycle.resume(orders.context, placed.generation_id).status == "Completed"
    undisturbed = Orders(orders.root.parent / "undisturbed")
    with undisturbed.store:
        lifecycle.generate(undisturbed.context, request, "ana", Attachments(picture=CAT))
    assert files_in(orders.root) == files_in(undisturbed.root)
    assert left_in_work(orders.root) == []


@pytest.mark.system
def test_a_vision_model_of_ones_choice_looks_once_when_the_order_is_made(orders: Orders, tmp_path: Path) -> None:
    folder = save_florence(tmp_path / "watcher", "A red bus on the street.")
    request = a_request(images=2, videos=0, frames=None, fps=None, vision_model=str(folder))
    orders.before = stop_after("image", 1)
    with pytest.raises(Crash):
        lifecycle.generate(orders.context, request, "ana", Attachments(picture=CAT))
    assert orders.said()[1:3] == ["watcher looks at the picture …", "watcher sees a red bus on the street"]
    (placed,) = orders.store.generations()
    orders.before = lambda report: None
    orders.reports.clear()
    lifecycle.resume(orders.context, placed.generation_id)
    assert "watcher looks at the picture …" not in orders.said()
    told = [provenance.read(path).parameters["seen"] for path in orders.files(".png")]
    assert [each["caption"] for each in told] == ["a red bus on the street"] * 2
    assert (told[0]["model"], str(tmp_path) in str(told)) == ("watcher", False)
    assert left_in_work(orders.root) == []


def test_a_crash_at_the_very_end_is_got_over_without_the_picture(
    orders: Orders, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> None:
        raise Crash

    request = a_request(images=1, videos=0, frames=None, fps=None)
    with monkeypatch.context() as patched:
        patched.setattr(Store, "complete", crash)
        with pytest.raises(Crash):
            lifecycle.generate(orders.context, request, "ana", Attachments(picture=CAT))
    (placed,) = orders.store.generations()
    assert not orders.content.work(placed.generation_id).exists()
    assert lifecycle.resume(orders.context, placed.generation_id).status == "Completed"


def test_a_picture_that_a_model_made_stays_one(orders: Orders, monkeypatch: pytest.MonkeyPatch) -> None:
    seeing(monkeypatch, replace(SEEN, source_type="trainedAlgorithmicMedia"))
    request = a_request(images=3)
    lifecycle.generate(orders.context, request, "ana", Attachments(picture=CAT))
    told = [provenance.read(path).source_type for path in (*orders.files(".png"), *orders.files(".mp4"))]
    assert told == ["algorithmicMedia", "algorithmicMedia", "trainedAlgorithmicMedia", "trainedAlgorithmicMedia"]


def test_a_vision_model_that_is_gone_stops_nothing(orders: Orders) -> None:
    request = a_request(images=1, videos=0, frames=None, fps=None)
    placed = placing.place(orders.context, request, "ana", Attachments(picture=CAT), detached=True)
    orders.store._change(
        "UPDATE generations SET request = json_set(request, '$.vision_model', '/gone/watcher') WHERE generation_id = ?",
        [placed.generation_id],
    )
    assert lifecycle.resume(orders.context, placed.generation_id).status == "Completed"
    assert any("made of what nanodet has seen" in text for text in orders.said())
    assert not any("/gone/" in text for text in orders.said())


def test_what_another_version_has_seen_can_be_read() -> None:
    told = {**SEEN.as_json(), "mood": "calm"}
    assert ImageDescription.from_json(told) == SEEN
    assert replace(SEEN, facts="Its file says nothing.").text == "A cat, mostly brown and grey. Its file says nothing."


def test_cancelled_it_leaves_nothing_behind(orders: Orders) -> None:
    def cancel(report: Report) -> None:
        if isinstance(report, Step) and report.item.number == 3:
            orders.store.cancel(report.item.generation_id)

    orders.before = cancel
    with pytest.raises(Cancelled):
        lifecycle.generate(orders.context, a_request(videos=0, frames=None, fps=None), "ana", Attachments(picture=CAT))
    assert left_in_work(orders.root) == []
    assert orders.files(".png")


def test_a_file_is_made_again_from_the_same_picture(orders: Orders) -> None:
    lifecycle.generate(orders.context, a_request(), "ana", Attachments(picture=CAT))
    before = files_in(orders.root)
    for path in (orders.files(".png")[0], orders.files(".png")[2], orders.files(".mp4")[0]):
        told = provenance.read(path)
        with pytest.raises(UsageError, match="it started from a picture of yours, which is not in it: give that"):
            reorder.reorder(told, {})
        again = reorder.reorder(
            told,
            {"from_picture": True, "fps": 12, "frames": 6} if told.kind == "video" else {"from_picture": True},
        )
        other = Orders(orders.root.parent / f"again-{path.stem[-7:]}")
        with other.store:
            lifecycle.generate(other.context, again, "ana", Attachments(picture=CAT))
        ((name, made),) = files_in(other.root).items()
        assert made == before[name]


@pytest.mark.system
def test_what_cannot_be_looked_at_is_refused_and_nothing_is_written() -> None:
    refused = run_aigen("generate", "--from-image", CAT, "--vision-model", "nonesuch")
    assert (refused.returncode, Path("generated_content").exists()) == (2, False)
    assert "vision model 'nonesuch' is not known" in refused.stderr
    with pytest.raises(UsageError, match="a vision model is of no use without a picture: add --from-image"):
        Draft(prompt="a kite", vision_model="nanodet")
    refused = run_aigen("generate", "--from-image", "none.jpg")
    assert (refused.returncode, Path("generated_content").exists()) == (2, False)
    assert "picture 'none.jpg' is not there: check the path" in refused.stderr


def test_describe_says_what_is_in_a_picture() -> None:
    told = run_aigen("describe", CAT)
    assert told.returncode == 0, told.stderr
    assert "cat" in told.stdout.splitlines()[0]
    answer = json.loads(run_aigen("describe", CAT, "--json").stdout)
    assert {"objects", "description"} <= set(answer)
    (cat,) = answer["objects"]
    assert (set(cat), cat["name"]) == ({"name", "score", "box"}, "cat")
    left, top, right, bottom = cat["box"]
    assert 0 <= left < right <= 451
    assert 0 <= top < bottom <= 300
    assert answer["description"] == told.stdout.splitlines()[0]
    refused = run_aigen("describe", __file__)
    assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (2, "", 1)


def test_an_order_needs_no_words() -> None:
    made = run_aigen(
        "generate", "--from-image", CAT, "--user", "ana", "--images", 2, "--videos", 1, "--size", "96x64",
        "--frames", 4, "--fps", 8, "--seed", 1, "--json",
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    answer = json.loads(made.stdout)
    assert "cat" in answer["prompt"]
    assert (len(answer["images"]), len(answer["videos"])) == (2, 1)
    assert "seen in it: " in made.stderr
    with Image.open(answer["images"][1]) as image:
        assert image.size == (96, 64)
