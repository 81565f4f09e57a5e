"""Scripts planned into scenes, and whole narrated films as orders: made, interrupted, resumed, refused."""

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigen import pipelines
from aigen.errors import Cancelled, UsageError
from aigen.film import script
from aigen.media import provenance
from aigen.orders import lifecycle, placing, reorder
from aigen.types.reports import Report, Step
from aigen.types.request import Attachments, Draft, Narration
from tests.conftest import Scribbler, run_aigen
from tests.watched_orders import Orders

KEEPER = "The keeper lit the lamp. A ship passed by. A whale sang to the moon. Then it was morning."


# Sentences into scenes


@given(st.lists(st.floats(0.3, 15), min_size=1, max_size=60), st.none() | st.integers(1, 40))
def test_every_sentence_is_in_one_scene_and_no_scene_is_empty(seconds: list[float], wanted: int | None) -> None:
    groups = script.group(seconds, wanted)
    assert [place for each in groups for place in each] == list(range(len(seconds)))
    assert all(groups)
    if wanted:
        assert len(groups) == min(wanted, len(seconds))
    if sum(seconds) >= 8 and len(seconds) >= 3:
        assert wanted or len(groups) >= 3


def test_scenes_last_as_long_as_is_good_to_watch() -> None:
    lengths = [sum([3.0] * len(each)) for each in script.group([3.0] * 400)]
    assert all(script.SCENE_LEAST <= length <= script.SCENE_MOST for length in lengths)
    assert len(script.group([20.0, 20.0])) == 2
    assert script.group([0.6]) == [[0]]


def test_a_scene_has_its_words_and_its_style_in_turn() -> None:
    scenes = script.plan(Narration(script=KEEPER, scenes=4))
    assert [scene.number for scene in scenes] == [1, 2, 3, 4]
    assert [scene.style for scene in scenes] == ["plain", "dramatic", "photorealistic", "plain"]
    assert [scene.sentences[0].text for scene in scenes] == [
        "The keeper lit the lamp.", "A ship passed by.", "A whale sang to the moon.", "Then it was morning.",
    ]  # fmt: skip
    # Where nothing is named, what was seen last is seen still.
    assert "whale" in scenes[3].prompt
    assert {scene.style for scene in script.plan(Narration(script=KEEPER, styles=("watercolour",)))} == {"watercolour"}


def test_one_word_and_ten_thousand_make_a_film() -> None:
    (scene,) = script.plan(Narration(script="Hello"))
    assert scene.sentences[0].text == "Hello"
    scenes = script.plan(Narration(script="The ship sails on over the wide sea. " * 1250))
    assert len(scenes) > 100
    assert sum(len(scene.sentences) for scene in scenes) == 1250


def test_a_pause_is_longer_where_a_paragraph_ends() -> None:
    within, end, _ = script.split("One day. It rained.\n\nThen it stopped.")
    assert end.pause > within.pause > 0


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (b"", "is empty: write what shall be said"),
        (b" \n\t ", "is empty"),
        (b"\x89PNG\r\n\x1a\n\x00\xff", "is no text in UTF-8"),
        (b"a\0b", "it has zero bytes in it"),
        (b"a" * 200_001, "has 200001 characters: the limit is 200000"),
    ],
)
def test_what_is_no_script_is_refused(raw: bytes, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        script.read(raw, "'a.txt'")
    assert script.read("\ufeffHé".encode(), "'a.txt'") == "Hé"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"script": "  "}, "the script is empty"),
        ({"scenes": 0}, "scenes is 0: give a number from 1 to 500"),
        ({"captions": "loud"}, "captions 'loud' is not known: choose from burned, srt, off"),
        ({"transition": "wipe"}, "transition 'wipe' is not known: choose from fade, cut"),
        ({"styles": ("odd",)}, "style 'odd' is not known"),
    ],
)
def test_what_a_narration_cannot_be_is_refused(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        Narration(**{"script": "Hello."} | changes)


# Whole films


def with_image_model(root: Path) -> Orders:
    """Orders for which `scribbler` makes pictures."""
    scribbler = Scribbler(kinds=("image",))
    return Orders(
        root, load=lambda name, settings: scribbler if name == "scribbler" else pipelines.load(name, settings)
    )


def image_model_of(orders: Orders) -> Any:
    return orders.context.pipeline("scribbler")


@pytest.fixture
def orders(tmp_path: Path) -> Any:
    made = with_image_model(tmp_path / "content")
    with made.store:
        yield made


def a_film(**changes: Any) -> Draft:
    told = Narration(script=KEEPER, **changes.pop("told", {"scenes": 2}))
    usual: dict[str, Any] = {
        "prompt": "the keeper", "images": 0, "videos": 1, "seed": 5, "size": "160x90", "fps": 10, "narration": told,
    }  # fmt: skip
    return Draft(**usual | changes)


def test_a_film_is_an_order_like_any_other(orders: Orders) -> None:
    order = lifecycle.generate(orders.context, a_film(), "ana")
    assert (order.status, order.request.video_model, order.request.image_model) == (
        "Completed",
        "narrator",
        "storybook",
    )
    with av.open(str(orders.file(".mp4"))) as container:
        assert {stream.type for stream in container.streams} == {"video", "audio"}
        seconds = float(container.duration) / av.time_base
    told = provenance.read(orders.file(".mp4"))
    assert (told.model, told.source_type, told.parameters["picture_by"]) == (
        "narrator",
        "algorithmicMedia",
        "storybook",
    )
    assert abs(told.parameters["duration"] - seconds) < 0.15
    assert 5 < seconds < 15
    assert orders.file(".vtt").read_text().startswith("WEBVTT")
    assert "A whale sang to the moon." in orders.file(".srt").read_text()
    assert not orders.content.works()
    again = reorder.reorder(told, {"size": "160x90"})
    assert replace(again, model=None) == order.request.draft(video_model=None)
    anew = reorder.reorder(told, {"prompt": "It snows.", "narrate": True})
    assert (anew.narration, anew.fps, anew.duration) == (Narration(script="It snows."), 10, None)
    shares = [report.share for report in orders.reports if isinstance(report, Step)]
    assert shares == sorted(shares)
    assert orders.steps()[0] == "speech 1 of 4"
    assert orders.steps()[-1].startswith("film: frame")


def test_a_models_pictures_are_filmed(orders: Orders) -> None:
    request = a_film(image_model="scribbler", told={"scenes": 3, "captions": "off"})
    order = lifecycle.generate(orders.context, request, "ana")
    assert order.status == "Completed"
    assert [number for kind, number in image_model_of(orders).made] == [1, 2, 3]
    assert "picture 2 of 3: scribbling" in orders.steps()
    assert [path.suffix for path in (orders.root / "ana").iterdir()] == [".mp4"]  # no captions


@pytest.mark.parametrize("place", ["speech 3 of 4", "picture 2 of 2: scribbling", "film: frame"])
def test_resume_makes_only_what_is_missing(orders: Orders, place: str) -> None:
    def crash(report: Report) -> None:
        if isinstance(report, Step) and str(report).startswith(place):
            raise KeyboardInterrupt

    request = a_film(image_model="scribbler")
    orders.before = crash
    with pytest.raises(Exception, match="interrupted"):
        lifecycle.generate(orders.context, request, "ana")
    (placed,) = orders.store.generations()
    work = orders.content.work(placed.generation_id)
    spoken = {path: path.stat().st_mtime_ns for path in work.rglob("*.wav")}
    assert len(spoken) == (2 if place.startswith("speech") else 4)
    painted = len(image_model_of(orders).made)
    orders.before = lambda report: None
    kept = {}

    def look(report: Report) -> None:
        kept.update({path: path.stat().st_mtime_ns for path in spoken if path.exists()})

    orders.before = look
    assert lifecycle.resume(orders.context, placed.generation_id).status == "Completed"
    assert kept == spoken
    assert len(image_model_of(orders).made) == (2 if painted < 2 else painted)
    undisturbed = with_image_model(orders.root.parent / "undisturbed")
    with undisturbed.store:
        lifecycle.generate(undisturbed.context, request, "ana")
    assert orders.file(".mp4").read_bytes() == undisturbed.file(".mp4").read_bytes()


def test_a_film_is_cancelled_while_it_is_made(orders: Orders) -> None:
    def cancel(report: Report) -> None:
        if isinstance(report, Step) and str(report).startswith("film: frame"):
            orders.store.cancel(report.item.generation_id)
            orders.before = lambda report: None

    orders.before = cancel
    with pytest.raises(Cancelled):
        lifecycle.generate(orders.context, a_film(fps=60, told={"scenes": 1}), "ana")
    assert not orders.content.works()
    assert not list((orders.root / "ana").glob("*"))


def test_music_is_kept_with_the_order(orders: Orders, tmp_path: Path) -> None:
    import wave

    music = tmp_path / "calm.WAV"
    with wave.open(str(music), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(os.urandom(16000))
    order = placing.place(orders.context, a_film(), "ana", Attachments(music=music), detached=True)
    music.unlink()
    assert order.request.narration
    assert order.request.narration.music == ".wav"
    assert lifecycle.resume(orders.context, order.generation_id).status == "Completed"
    with pytest.raises(UsageError, match="its music is not kept: order it anew with that music"):
        placing.place(orders.context, order.request.draft(seed=None), "ana")


# By hand


def test_a_text_is_narrated_from_the_command_line(tmp_path: Path) -> None:
    script = tmp_path / "talk.txt"
    script.write_text("A red kite flies over the sea.\n\nIt is windy.")
    options = ("--size", "160x90", "--fps", "10", "--user", "ana", "--no-wait", "--json", "--captions", "srt")
    made = run_aigen("narrate", "--file", script, *options)
    assert made.returncode == 0, made.stderr
    (video,) = json.loads(made.stdout)["videos"]
    assert Path(video).with_suffix(".vtt").exists()
    assert json.loads(made.stdout)["prompt"] == "A red kite flies over the sea. It is windy."


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["narrate"], "give a text or --file FILE"),
        (["narrate", "Hello.", "--file", "x"], "give a text or --file FILE"),
        (["narrate", ""], "the script is empty"),
        (["narrate", "Hello.", "--scenes", "0"], "scenes is 0: give a number from 1 to 500"),
        (["narrate", "Hello.", "--scenes", "few"], "scenes is 'few': give a number from 1, or auto"),
        (["narrate", "Hello.", "--music", "none.mp3"], "none.mp3"),
        (["narrate", "--file", "none.txt"], "script 'none.txt' cannot be read"),
        (["narrate", "Hello.", "--voice", "nobody"], "nobody"),
        (["narrate", "你好，世界。今天天气很好。"], "hibari"),
        (["narrate", "🙂🙂🙂"], ""),
        (["generate", "a kite", "--narrate", "--videos", "0"], "it is the videos that are narrated"),
        (["generate", "a kite", "--narrate", "--duration", "5"], "lasts as long as its words"),
        (["generate", "a kite", "--narrate", "--video-model", "storybook"], "put together from pictures"),
    ],
)
def test_what_cannot_be_narrated_is_one_line_and_nothing_is_written(
    arguments: list[str], told: str, tmp_path: Path
) -> None:
    refused = run_aigen(*arguments)
    assert refused.returncode == 2, refused.stderr
    assert told in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "generated_content").exists()
    assert not Path("generated_content").exists()
