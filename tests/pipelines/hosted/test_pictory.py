"""Pictory: clips, whole films by `aigen narrate`, and what it says of the account."""

import json
import threading
import wave
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import run_aigen, run_process
from tests.pipelines.hosted.conftest import QUICK, Shop
from tests.pipelines.hosted.stand_in import PictoryStandIn, Reply, error, standing_in

pytestmark = pytest.mark.system  # a minute of orders

TEXT = "The keeper lit the lamp. A ship passed by in the dark."


@pytest.fixture
def pictory(tmp_path: Path) -> Iterator[Shop]:
    server = PictoryStandIn(tmp_path / "stand-in")
    yield Shop("pictory", "video", server, tmp_path / "content", QUICK | server.environment)
    server.close()


def narrate(shop: Shop, *more: object) -> tuple[int, str]:
    done = shop.run("narrate", TEXT, "--video-model", "pictory", "--user", "ana", "--yes", *more)
    return done.returncode, done.stderr


def sent(shop: Shop) -> tuple[str, dict[str, object]]:
    (request,) = shop.server.submissions()
    return request.path, json.loads(request.body)


def test_a_clip_is_made_by_the_studio(pictory: Shop) -> None:
    done = pictory.order(1, "--size", "720x1280")
    assert done.returncode == 0, done.stderr
    body = {"prompt": "three red kites", "model": "pixverse5.5", "aspectRatio": "9:16", "duration": "5s"}
    assert sent(pictory) == ("/pictoryapis/v1/aistudio/videos", body)
    assert "authorization" not in next(seen for seen in pictory.server.seen if "/files/" in seen.path).headers


def test_a_film_is_made_whole(pictory: Shop) -> None:
    code, told = narrate(pictory)
    assert code == 0, told
    path, body = sent(pictory)
    assert path == "/pictoryapis/v2/video/storyboard/render"
    assert body["scenes"] == [{"story": TEXT, "createSceneOnEndOfSentence": True}]
    assert body["videoName"] == "The keeper lit the lamp A ship passed by in the dark"
    assert body["voiceOver"]["aiVoices"][0]["speaker"] == "Martin"  # type: ignore[index]
    item = pictory.items[0]
    assert (item.model, item.kind, item.state) == ("pictory:film", "video", "done")
    told = json.loads(pictory.run("info", pictory.files[0], "--json").stdout)
    assert told["mark"] == "compositeWithTrainedAlgorithmicMedia"
    assert told["parameters"]["narration"] == {"script": TEXT, "captions": "off"}
    assert [path.suffix for path in pictory.files] == [".mp4"]


def test_a_voice_of_its_own_can_be_named(pictory: Shop) -> None:
    assert narrate(pictory, "--voice", "Brian")[0] == 0
    assert sent(pictory)[1]["voiceOver"]["aiVoices"][0]["speaker"] == "Brian"  # type: ignore[index]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--music", "song.wav"], "takes no files of yours"),
        (["--video-model", "pictory:veo3.1"], "narrated videos are put together from pictures"),
        (["--video-model", "runway"], "narrated videos are put together from pictures"),
    ],
)
def test_what_cannot_be_is_told_and_nothing_is_sent(
    pictory: Shop, arguments: list[str], told: str, tmp_path: Path
) -> None:
    with wave.open(str(tmp_path / "song.wav"), "wb") as song:
        song.setparams((1, 2, 16_000, 0, "NONE", ""))
        song.writeframes(bytes(32_000))
    code, said = narrate(pictory, *arguments)
    assert (code, told in said) == (2, True), said
    assert pictory.server.seen == []


def test_a_script_that_is_too_long_is_told(pictory: Shop) -> None:
    done = pictory.run("narrate", "A ship. " * 2000, "--video-model", "pictory", "--yes")
    assert (done.returncode, "its limit is 15000" in done.stderr) == (2, True)


def test_its_film_model_makes_no_clips(pictory: Shop) -> None:
    done = pictory.order(1, "--video-model", "pictory:film")
    assert (done.returncode, "give it a text with aigen narrate" in done.stderr) == (2, True)


def test_an_empty_account_is_told_whatever_its_status(pictory: Shop) -> None:
    body = {"success": False, "error": {"error_code": "INSUFFICIENT_CREDITS", "error_message": "no credits"}}
    for reply in (Reply(body=json.dumps(body).encode()), Reply(400, json.dumps(body).encode())):
        pictory.server.creations = [reply] * 3
        done = pictory.order(2)
        assert (done.returncode, "no credit left (no credits" in done.stderr) == (1, True), done.stderr
    assert len(pictory.server.submissions()) == 2
    assert pictory.server.sales == []


def test_a_field_that_is_wrong_is_told(pictory: Shop) -> None:
    body = {"message": "Validation failed", "fields": [{"message": "duration must be 5s or 8s"}]}
    pictory.server.creations = [Reply(400, json.dumps(body).encode())]
    done = pictory.order(1)
    assert (done.returncode, "Validation failed; duration must be 5s or 8s" in done.stderr) == (1, True)


@pytest.mark.parametrize("status", [{"status": "failed"}, {}])
def test_a_job_that_ended_without_a_result_fails(pictory: Shop, status: dict[str, str]) -> None:
    data = {**status, "error_code": "SCENE_BACKGROUND_VISUAL_NOT_FOUND", "error_message": "no visual"}
    pictory.server.polls = [Reply(body=json.dumps({"success": False, "data": data}).encode())]
    done = pictory.order(1)
    assert (done.returncode, "no visual [SCENE_BACKGROUND_VISUAL_NOT_FOUND]" in done.stderr) == (1, True)


def test_a_result_that_was_removed_is_not_bought_again_by_itself(pictory: Shop) -> None:
    cleaned = Reply(body=json.dumps({"success": True, "data": {"status": "cleaned"}}).encode())
    pictory.server.polls = [cleaned] * 5
    done = pictory.order(1)
    assert (done.returncode, "it has removed the result" in done.stderr) == (1, True)
    pictory.server.polls = [cleaned] * 5
    assert pictory.resume().returncode == 1
    assert len(pictory.server.sales) == 1
    assert pictory.resume("--buy-again").returncode == 0


def test_an_answer_that_says_no_more_than_no_fails_nothing(pictory: Shop) -> None:
    pictory.server.polls = [Reply(body=json.dumps({"success": False, "data": {}}).encode())] * 3
    assert pictory.order(1).returncode == 0


def test_doctor_says_what_is_left(pictory: Shop) -> None:
    done = pictory.run("doctor")
    assert "12.5 of 120 minutes of video used, 30 of 500 AI credits used" in done.stdout
    broken = run_aigen("doctor", environment={**pictory.environment, "PICTORY_BASE_URL": "http://127.0.0.1:9"})
    assert "Pictory cannot be reached" in broken.stdout


def test_two_orders_by_four_makers_add_up(pictory: Shop, tmp_path: Path) -> None:
    """OpenAI's images and Runway's videos; Gemini's images and a film by Pictory, at the same time."""
    with (
        standing_in("runway", tmp_path / "r") as runway,
        standing_in("openai", tmp_path / "o") as openai,
        standing_in("gemini", tmp_path / "g") as gemini,
    ):
        for server in (runway, openai, gemini):
            pictory.environment |= server.environment
        second = ("generate", TEXT, "--narrate", "--images", "2", "--videos", "1", "--image-model", "gemini",
                  "--video-model", "pictory", "--user", "ana", "--yes")  # fmt: skip
        first = ("generate", "kites", "--images", "2", "--videos", "2", "--image-model", "openai",
                 "--video-model", "runway", "--user", "ana", "--yes")  # fmt: skip
        codes: list[int] = []

        def start(arguments: tuple[str, ...]) -> None:
            done = run_process(*arguments, "--content", pictory.content, environment=pictory.environment)
            codes.append(done.returncode)

        threads = [threading.Thread(target=start, args=(each,)) for each in (first, second)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert codes == [0, 0]
        assert [len(server.sales) for server in (openai, runway, gemini, pictory.server)] == [2, 2, 2, 1]
    costs = json.loads(pictory.run("costs", "--json").stdout)
    assert json.dumps(costs).count("generation_id") >= 2
    orders = json.loads(pictory.run("status", "--json").stdout)
    assert {order["status"] for order in orders} == {"Completed"}
    assert sum(order["cost"] for order in orders) == pytest.approx(2 * 0.01323 + 2 * 0.25 + 2 * 0.0336, abs=1e-4)


def test_a_wrong_key_is_told(pictory: Shop) -> None:
    pictory.server.creations = [error(401, "Unauthorized")]
    done = pictory.order(2)
    assert (done.returncode, "does not accept the key" in done.stderr) == (1, True)
