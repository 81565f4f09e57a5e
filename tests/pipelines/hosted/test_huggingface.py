"""Hugging Face: which provider makes an item, and what each is asked and answers."""

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from aigen.content import ContentFolder
from aigen.store import Store
from tests.pipelines.hosted.conftest import QUICK, Shop
from tests.pipelines.hosted.stand_in import HuggingFaceStandIn, Reply, Seen, error, wait_until

pytestmark = pytest.mark.system  # a minute of orders

IMAGES, VIDEOS = "acme/images", "acme/videos"
TASKS = {IMAGES: "text-to-image", VIDEOS: "text-to-video"}


class Everyone(HuggingFaceStandIn):
    """The router with every provider; each job is pending once."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        names = ("fal-ai", "replicate", "together", "wavespeed", "hf-inference", "novita")
        self.mapping = {
            model: {name: {"status": "live", "providerId": f"{name}-own/id", "task": task} for name in names}
            for model, task in TASKS.items()
        }
        self.ends = "completed"
        self.results: list[Reply] = []
        self.looks: dict[str, int] = {}

    def _create(self, request: Seen) -> Reply:
        if planned := self.next(self.creations):
            return planned  # type: ignore[no-any-return]
        provider = request.path.split("/")[1]
        if provider == "hf-inference":
            self.sell()
            return self.image(self.files["image"])
        if provider == "together" and "images" in request.path:
            self.sell()
            return self.json({"data": [{"b64_json": base64.b64encode(self.files["image"]).decode()}]})
        task = self.sell()
        (self.folder / task).write_text("image" if b"1024" in request.body else "video")
        address = f"https://example.org/there/{task}"
        return self.json(
            {
                "fal-ai": {"request_id": task, "response_url": address},
                "replicate": {"id": task, "status": "starting"},
                "together": {"id": task, "status": "queued"},
                "wavespeed": {"data": {"id": task, "urls": {"get": address}}},
            }[provider]
        )

    def _poll(self, path: str) -> Reply:
        provider = path.split("/")[1]
        if planned := self.next(self.polls):
            return planned  # type: ignore[no-any-return]
        if provider == "fal-ai" and not path.endswith("/status") and (planned := self.next(self.results)):
            return planned  # type: ignore[no-any-return]
        task = path.removesuffix("/status").rsplit("/", 1)[-1]
        self.looks[task] = self.looks.get(task, 0) + 1
        url, first = f"{self.address}/files/{task}", self.looks[task] == 1
        failed = self.ends == "failed"
        if provider == "fal-ai":
            if not path.endswith("/status"):
                kind = (self.folder / task).read_text()
                return self.json({"images": [{"url": url}]} if kind == "image" else {"video": {"url": url}})
            done = {"status": "COMPLETED", "error": "it is NSFW"} if failed else {"status": "COMPLETED"}
            return self.json({"status": "IN_QUEUE"} if first else done)
        if provider == "replicate":
            done = {"status": "failed", "error": "it is NSFW"} if failed else {"status": "succeeded", "output": [url]}
            return self.json({"status": "processing"} if first else done)
        if provider == "together":
            broken = {"status": "failed", "error": {"message": "it is NSFW"}}
            done = broken if failed else {"status": "completed", "outputs": {"video_url": url}}
            return self.json({"status": "in_progress"} if first else done)
        done = {"status": "failed", "error": "it is NSFW"} if failed else {"status": "completed", "outputs": [url]}
        return self.json({"data": {"status": "created"} if first else done})

    def answer(self, request: Seen) -> Reply:
        if request.path.startswith("/files/"):
            kind = (self.folder / request.path.split("/")[2]).read_text()
            return Reply(body=self.files[kind], content_type="image/png" if kind == "image" else "video/mp4")
        return super().answer(request)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Everyone]:
    found = Everyone(tmp_path / "stand-in")
    yield found
    found.close()


def shop(server: Everyone, tmp_path: Path, kind: str, provider: str = "") -> Shop:
    model = IMAGES if kind == "image" else VIDEOS
    name = f"huggingface:{model}{'@' * bool(provider)}{provider}"
    return Shop(name, kind, server, tmp_path / "content", QUICK | server.environment)


SENT: dict[tuple[str, str], tuple[str, dict[str, Any]]] = {
    ("fal-ai", "image"): (
        "/fal-ai/fal-ai-own/id?_subdomain=queue",
        {"prompt": "three red kites", "seed": 7, "image_size": {"width": 1024, "height": 1024}},
    ),
    ("fal-ai", "video"): ("/fal-ai/fal-ai-own/id?_subdomain=queue", {"prompt": "three red kites", "seed": 7}),
    ("replicate", "image"): (
        "/replicate/v1/models/replicate-own/id/predictions",
        {"input": {"prompt": "three red kites", "seed": 7, "width": 1024, "height": 1024}},
    ),
    ("replicate", "video"): (
        "/replicate/v1/models/replicate-own/id/predictions",
        {"input": {"prompt": "three red kites", "seed": 7}},
    ),
    ("together", "image"): (
        "/together/v1/images/generations",
        {"model": "together-own/id", "prompt": "three red kites", "seed": 7, "width": 1024, "height": 1024,
            "response_format": "base64"},
    ),
    ("together", "video"): (
        "/together/v2/videos",
        {"model": "together-own/id", "prompt": "three red kites", "seed": 7},
    ),
    ("wavespeed", "image"): (
        "/wavespeed/api/v3/wavespeed-own/id",
        {"prompt": "three red kites", "seed": 7, "size": "1024*1024"},
    ),
    ("hf-inference", "image"): (
        "/hf-inference/models/hf-inference-own/id",
        {"inputs": "three red kites", "parameters": {"seed": 7, "width": 1024, "height": 1024}},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("provider", "kind"), SENT)
def test_each_provider_is_spoken_to_in_its_own_way(server: Everyone, tmp_path: Path, provider: str, kind: str) -> None:
    found = shop(server, tmp_path, kind, provider)
    done = found.order(1, "--size", "1024x1024" if kind == "image" else "1280x720")
    assert done.returncode == 0, done.stderr
    (sent,) = server.submissions()
    assert (sent.path, json.loads(sent.body)) == SENT[provider, kind]
    assert found.status["status"] == "Completed"
    assert found.items[0].model == found.provider, "with the owner of the model"


@pytest.mark.parametrize("provider", ["fal-ai", "replicate", "together", "wavespeed"])
def test_a_job_that_fails_is_told_and_a_worker_can_collect_another(
    server: Everyone, tmp_path: Path, provider: str
) -> None:
    found = shop(server, tmp_path, "video", provider)
    server.ends = "failed"
    done = found.order(1)
    assert (done.returncode, "Hugging Face refused it: it is NSFW" in done.stderr) == (1, True), done.stderr
    server.ends = "completed"
    assert found.run("resume", found.order_id, environment={"AIGEN_HOSTED_DEADLINE": "0.001"}).returncode == 1
    assert found.status["status"] == "Processing"
    wait_until(lambda: found.run("worker", "--once").returncode == 0 and found.status["status"] == "Completed")
    assert len(server.sales) == 2


@pytest.mark.parametrize(("provider", "cancels"), [("fal-ai", True), ("replicate", True), ("together", False)])
def test_a_job_is_cancelled_where_that_can_be(server: Everyone, tmp_path: Path, provider: str, cancels: bool) -> None:
    found = shop(server, tmp_path, "video", provider)
    assert found.order(1, environment={"AIGEN_HOSTED_DEADLINE": "0.0001"}).returncode == 1
    done = found.run("cancel", found.order_id)
    assert done.returncode == 0
    assert server.cancelled == (["task-1"] if cancels else [])
    assert cancels or "together cannot cancel it, so it may be charged" in done.stderr


def test_without_a_provider_the_first_is_asked_that_serves_the_model(server: Everyone, tmp_path: Path) -> None:
    del server.mapping[IMAGES]["fal-ai"]
    server.mapping[IMAGES]["replicate"]["status"] = "staging"
    assert shop(server, tmp_path, "image").order(1).returncode == 0
    assert server.submissions()[0].path.startswith("/together/")


@pytest.mark.parametrize(
    ("provider", "told"),
    [
        ("nonesuch", "nonesuch does not serve acme/images for text-to-image; fal-ai, replicate, together"),
        ("novita", "novita does not serve"),
    ],
)
def test_a_provider_that_cannot_is_told_with_those_that_can(
    server: Everyone, tmp_path: Path, provider: str, told: str
) -> None:
    done = shop(server, tmp_path, "image", provider).order(2)
    assert (done.returncode, told in done.stderr) == (1, True), done.stderr
    assert "add @fal-ai" in done.stderr
    assert server.sales == []


@pytest.mark.parametrize("reply", [error(400), error(422), Reply(302, headers={"location": "https://login.example"})])
def test_no_error_while_polling_fails_a_job(server: Everyone, tmp_path: Path, reply: Reply) -> None:
    found = shop(server, tmp_path, "video", "replicate")
    server.polls = [reply] * 3
    done = found.order(1)
    assert done.returncode == 0, done.stderr
    assert len(server.sales) == 1


def test_a_result_that_there_never_will_be_fails(server: Everyone, tmp_path: Path) -> None:
    server.results = [Reply(422, b'{"detail": [{"msg": "too dark", "type": "other"}]}')]
    done = shop(server, tmp_path, "video", "fal-ai").order(1)
    assert (done.returncode, "too dark" in done.stderr) == (1, True)
    server.results = [error(500), error(404), error(400)]
    assert shop(server, tmp_path / "b", "video", "fal-ai").order(1).returncode == 0


def test_what_was_filtered_is_no_result(server: Everyone, tmp_path: Path) -> None:
    server.results = [server.json({"images": [{"url": "https://x.example/black.png"}], "has_nsfw_concepts": [True]})]
    done = shop(server, tmp_path, "image", "fal-ai").order(1)
    assert (done.returncode, "refused it: it was filtered as NSFW" in done.stderr) == (1, True)


def test_an_adapter_is_not_bought_without_itself(server: Everyone, tmp_path: Path) -> None:
    for entry in server.mapping[IMAGES].values():
        entry["adapterWeightsPath"] = "lora.safetensors"
    done = shop(server, tmp_path, "image").order(1)
    assert (done.returncode, "no provider that aigen knows serves" in done.stderr) == (1, True)


def test_who_ignores_a_picture_is_not_asked(server: Everyone, tmp_path: Path) -> None:
    for entry in server.mapping[IMAGES].values():
        entry["task"] = "image-to-image"
    Image.new("RGB", (64, 48), "red").save(photo := tmp_path / "photo.png")
    for provider in ("hf-inference", "together"):
        done = shop(server, tmp_path, "image", provider).order(1, "--from-image", photo)
        assert (done.returncode, f"{provider} does not serve" in done.stderr) == (1, True)
    assert server.sales == []


def test_a_job_of_a_provider_that_is_not_known_waits(server: Everyone, tmp_path: Path) -> None:
    found = shop(server, tmp_path, "video", "fal-ai")
    assert found.order(1, environment={"AIGEN_HOSTED_DEADLINE": "0.0001"}).returncode == 1
    with Store.open(ContentFolder(found.content)) as store:
        (item,) = store.items(found.order_id)
        job = item.job["item"]
        store.save_job(item, replace(job, id=(job.id or "").replace("fal-ai ", "novita ", 1)))
    done = found.run("resume", found.order_id, environment={"AIGEN_HOSTED_DEADLINE": "0.05"})
    assert (done.returncode, "which this aigen does not know" in done.stderr) == (1, True)
    assert found.status["status"] == "Processing"
    assert len(server.sales) == 1


def test_a_model_that_nobody_serves_is_told(server: Everyone, tmp_path: Path) -> None:
    server.mapping[IMAGES] = {}
    done = shop(server, tmp_path, "image").order(2)
    assert (done.returncode, "no provider that aigen knows serves acme/images" in done.stderr) == (1, True)
    del server.mapping[IMAGES]
    done = shop(server, tmp_path, "image").order(2)
    assert (done.returncode, "Hugging Face has no model" in done.stderr) == (1, True)
    assert server.submissions() == []


def test_a_list_of_providers_is_read_too(server: Everyone, tmp_path: Path) -> None:
    entries: Any = [{"provider": name, **entry} for name, entry in server.mapping[IMAGES].items()]
    server.mapping[IMAGES] = entries
    assert shop(server, tmp_path, "image").order(1).returncode == 0


def test_a_video_starts_from_a_picture(server: Everyone, tmp_path: Path) -> None:
    for entry in server.mapping[VIDEOS].values():
        entry["task"] = "image-to-video"
    Image.new("RGB", (64, 48), "red").save(photo := tmp_path / "photo.png")
    done = shop(server, tmp_path, "video", "fal-ai").order(1, "--from-image", photo)
    assert done.returncode == 0, done.stderr
    body = json.loads(server.submissions()[0].body)
    assert body["image_url"].startswith("data:image/jpeg;base64,")


def test_a_video_says_how_long_it_is_and_not_how_long_it_was_to_be(server: Everyone, tmp_path: Path) -> None:
    found = shop(server, tmp_path, "video", "fal-ai")
    assert found.order(1).returncode == 0
    told = json.loads(found.run("info", found.files[0], "--json").stdout)
    assert (told["parameters"]["duration"], told["parameters"]["fps"]) == (0.25, 24)


def test_an_unknown_price_needs_consent(server: Everyone, tmp_path: Path) -> None:
    found = shop(server, tmp_path, "image")
    arguments = [each for each in found.arguments(1) if each != "--yes"]
    done = found.run(*arguments)
    assert (done.returncode, "the cost of this order is unknown" in done.stderr) == (2, True)
    assert server.seen == []


def test_the_ledger_says_what_it_does_not_know(server: Everyone, tmp_path: Path) -> None:
    found = shop(server, tmp_path, "image")
    assert found.order(2).returncode == 0
    done = found.run("costs")
    assert "unknown  no estimate" in done.stdout
    assert "not in it: 2 jobs whose cost is not known" in done.stderr
    assert [order["unknown"] for order in json.loads(found.run("costs", "--json").stdout)] == [2]


def test_a_model_that_is_loading_is_asked_again(server: Everyone, tmp_path: Path) -> None:
    loading = Reply(503, b'{"error": "Model acme/images is currently loading", "estimated_time": 20.0}')
    server.creations = [loading, error(429)]
    assert shop(server, tmp_path, "image", "hf-inference").order(1).returncode == 0
    assert len(server.submissions()) == 3
