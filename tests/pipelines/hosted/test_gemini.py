"""Gemini: what is asked of it, what its answers mean, and where its key goes."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.pipelines.hosted.conftest import Shop, make_shop
from tests.pipelines.hosted.stand_in import KEY, Reply, Seen, error


@pytest.fixture
def images(tmp_path: Path) -> Iterator[Shop]:
    yield from make_shop("gemini", "image", tmp_path)


@pytest.fixture
def videos(tmp_path: Path) -> Iterator[Shop]:
    yield from make_shop("gemini", "video", tmp_path)


def bodies(shop: Shop) -> list[dict[str, Any]]:
    return [json.loads(seen.body) for seen in shop.server.submissions()]


def asked(shop: Shop) -> Seen:
    return shop.server.submissions()[0]


def test_an_image_is_asked_for_in_its_shape(images: Shop) -> None:
    done = images.order(1, "--size", "1280x720")
    assert done.returncode == 0, done.stderr
    assert "gemini:gemini-nano-banana-2.1 makes images of 1376x768" in done.stderr
    assert asked(images).path == "/v1/models/gemini-nano-banana-2.1:generateContent"
    (body,) = bodies(images)
    assert body["contents"] == [{"parts": [{"text": "three red kites"}], "role": "user"}]
    assert body["generationConfig"] == {
        "responseModalities": ["IMAGE"],
        "imageConfig": {"aspectRatio": "16:9", "imageSize": "1K"},
    }
    assert images.items[0].cost == pytest.approx(0.0336, abs=1e-5)


def test_a_video_is_asked_for_with_length_and_shape(videos: Shop) -> None:
    done = videos.order(1, "--size", "720x1280", "--duration", "7")
    assert done.returncode == 0, done.stderr
    assert "about $0.91" in done.stderr or "$0.91" in done.stderr
    (body,) = bodies(videos)
    assert (body["model"], body["background"]) == ("gemini-omni-1.2-flash", True)
    assert body["response_format"] == {
        "type": "video", "aspect_ratio": "9:16", "resolution": "720p", "duration": "7s", "delivery": "uri",
    }  # fmt: skip
    assert body["generation_config"] == {"seed": 7, "video_config": {"task": "text_to_video"}}
    assert body["input"][0]["content"] == [{"type": "text", "text": "three red kites"}]


@pytest.mark.parametrize("kind", ["image", "video"])
def test_a_picture_goes_along(images: Shop, videos: Shop, kind: str, tmp_path: Path) -> None:
    shop = images if kind == "image" else videos
    Image.new("RGB", (64, 48), "red").save(photo := tmp_path / "photo.png")
    done = shop.order(1, "--from-image", photo)
    assert done.returncode == 0, done.stderr
    assert "your picture goes to Gemini" in done.stderr
    (body,) = bodies(shop)
    if kind == "image":
        part = body["contents"][0]["parts"][0]["inlineData"]
        data, name = part["data"], part.get("mimeType") or part.get("mime_type")
    else:
        part = body["input"][0]["content"][1]
        data, name = part["data"], part["mime_type"]
        assert body["generation_config"]["video_config"] == {"task": "image_to_video"}
    assert (base64.urlsafe_b64decode(data + "==")[:3], name) == (b"\xff\xd8\xff", "image/jpeg")


def test_where_the_usual_model_is_missing_the_one_before_is_used(videos: Shop) -> None:
    videos.server.creations = [error(404, "models/gemini-omni-1.2-flash is not found")]
    done = videos.order(1)
    assert done.returncode == 0, done.stderr
    assert [body["model"] for body in bodies(videos)] == ["gemini-omni-1.2-flash", "gemini-omni-1.1-flash"]
    assert len(videos.server.sales) == 1
    assert "Gemini has no gemini-omni-1.2-flash for this key: gemini-omni-1.1-flash is used" in done.stderr
    assert videos.items[0].model == "gemini:gemini-omni-1.1-flash", "no file says what is not true"
    told = videos.run("info", videos.files[0], "--json").stdout
    assert json.loads(told)["model"] == "gemini:gemini-omni-1.1-flash"


def test_where_both_are_missing_nothing_more_is_asked(videos: Shop) -> None:
    videos.server.creations = [error(404, "not found")] * 9
    done = videos.order(3)
    assert (done.returncode, "Gemini has no model" in done.stderr) == (1, True)
    assert len(videos.server.submissions()) == 2


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (error(400, "API key not valid. Please pass a valid API key."), "does not accept the key"),
        (
            Reply(400, b'{"error": {"code": 400, "message": "enable billing", "status": "FAILED_PRECONDITION"}}'),
            "no credit left (enable billing)",
        ),
        (error(400, "the prompt is too long"), "does not allow it: the prompt is too long"),
    ],
)
@pytest.mark.parametrize("kind", ["image", "video"])
def test_what_it_refuses_is_told(images: Shop, videos: Shop, kind: str, reply: Reply, told: str) -> None:
    shop = images if kind == "image" else videos
    shop.server.creations = [reply] * 5
    done = shop.order(3)
    assert (done.returncode, told in done.stderr) == (1, True), done.stderr
    assert len(shop.server.submissions()) == 1


def test_it_says_in_its_details_how_long_to_wait(images: Shop) -> None:
    details = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "0.05s"}]
    body = {"error": {"code": 429, "message": "slower", "status": "RESOURCE_EXHAUSTED", "details": details}}
    images.server.creations = [Reply(429, json.dumps(body).encode())]
    assert images.order(1).returncode == 0
    assert len(images.server.submissions()) == 2


@pytest.mark.parametrize("reason", ["IMAGE_SAFETY", "SAFETY", "RECITATION"])
def test_what_it_blocks_in_the_end_fails_alone(images: Shop, reason: str) -> None:
    images.server.creations = [Reply(body=json.dumps({"candidates": [{"finishReason": reason}]}).encode())]
    done = images.order(2)
    assert (done.returncode, f"Gemini refused it: {reason}" in done.stderr) == (1, True)
    assert images.status["done"] == 1


@pytest.mark.parametrize("reason", ["STOP", "OTHER", "NO_IMAGE", "A_NEW_REASON"])
def test_an_answer_without_an_image_may_be_charged(images: Shop, reason: str) -> None:
    text = {"candidates": [{"content": {"parts": [{"text": "Here it is."}]}, "finishReason": reason}]}
    images.server.creations = [Reply(body=json.dumps(text).encode(), sells=True)]
    done = images.order(1)
    assert (done.returncode, "its answer has no image" in done.stderr) == (1, True)
    assert "may have been paid for" in done.stderr


def test_a_draft_is_not_taken_and_thinking_is_paid_for(images: Shop) -> None:
    def part(data: bytes, **more: bool) -> dict[str, Any]:
        return {"inlineData": {"mimeType": "image/png", "data": base64.b64encode(data).decode()}, **more}

    final = images.server.files["image"]
    content = {"parts": [part(b"draft", thought=True), part(b"first"), part(final)]}
    usage = {"promptTokenCount": 7, "candidatesTokenCount": 1120, "thoughtsTokenCount": 1000}
    body = {"candidates": [{"content": content, "finishReason": "STOP"}], "usageMetadata": usage}
    images.server.creations = [Reply(body=json.dumps(body).encode(), sells=True)]
    images.server.sell()
    assert images.order(1).returncode == 0
    assert images.items[0].cost == pytest.approx(0.0636, abs=1e-4)


def test_the_environment_changes_nothing_that_is_asked(images: Shop) -> None:
    odd = {
        "GOOGLE_GENAI_API_VERSION": "v1alpha", "GOOGLE_GENAI_CLIENT_MODE": "replay", "GOOGLE_API_KEY": "other_key",
        "GOOGLE_GENAI_USE_VERTEXAI": "true",
    }  # fmt: skip
    done = images.order(1, environment=odd)
    assert done.returncode == 0, done.stderr
    assert asked(images).path.startswith("/v1/models/")
    assert "GOOGLE_API_KEY" not in done.stderr


def test_a_model_before_that_cannot_make_it_is_not_asked(videos: Shop) -> None:
    videos.server.creations = [error(404, "not found")] * 9
    done = videos.order(1, "--duration", "12")
    assert (done.returncode, "Gemini has no model" in done.stderr) == (1, True)
    assert len(videos.server.submissions()) == 1


def test_a_wrong_address_is_no_missing_model(videos: Shop) -> None:
    videos.server.creations = [Reply(404, b"<html>", content_type="text/html")] * 9
    done = videos.order(1)
    assert (done.returncode, "check its base URL" in done.stderr) == (1, True)
    assert len(videos.server.submissions()) == 1


def test_an_odd_failure_fails_that_item_alone(videos: Shop) -> None:
    videos.server.polls = [Reply(body=json.dumps({"id": "task-1", "status": "failed", "errors": [{}]}).encode())]
    done = videos.order(2)
    assert (done.returncode, videos.status["done"]) == (1, 1)
    assert "its video ended as failed" in done.stderr


def test_a_video_that_comes_with_the_answer_is_taken(videos: Shop) -> None:
    video = {"type": "video", "mime_type": "video/mp4", "data": base64.b64encode(videos.server.files["video"]).decode()}
    steps = [{"type": "model_output", "content": [video]}]
    videos.server.polls = [Reply(body=json.dumps({"id": "task-1", "status": "completed", "steps": steps}).encode())]
    done = videos.order(1)
    assert done.returncode == 0, done.stderr
    assert not any(seen.path.startswith("/files/") for seen in videos.server.seen)


def test_the_key_fetches_files_and_goes_nowhere_else(videos: Shop, tmp_path: Path) -> None:
    elsewhere = videos.server.__class__(tmp_path / "elsewhere")
    try:
        videos.server.downloads = [Reply(302, headers={"location": f"{videos.server.address}/files/there"})]
        assert videos.order(1).returncode == 0
        fetched = [seen for seen in videos.server.seen if seen.path.startswith("/files/")]
        assert [seen.headers["x-goog-api-key"] for seen in fetched] == [KEY, KEY]
        videos.server.downloads = [Reply(302, headers={"location": f"{elsewhere.address}/files/there"})] * 9
        assert videos.run("resume").returncode == 0
        assert videos.order(1).returncode == 1
        assert not any("x-goog-api-key" in seen.headers for seen in elsewhere.seen)
    finally:
        elsewhere.close()


def test_it_is_cancelled_there(videos: Shop) -> None:
    videos.server.polls = [{"status": "RUNNING"}] * 1000
    assert videos.order(2, environment={"AIGEN_HOSTED_DEADLINE": "0.05"}).returncode == 1
    done = videos.run("cancel", videos.order_id)
    assert done.returncode == 0
    assert sorted(videos.server.cancelled) == ["task-1", "task-2"]
    assert "cost unknown" in done.stderr or "unknown" in done.stderr
