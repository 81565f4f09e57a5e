"""Getting and removing models. The hub is a stand-in, spoken to by its own library."""

import hashlib
import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from aigen.errors import AigenError, AlreadyRunning, GenerationError, UsageError
from aigen.models import catalogue, downloads, weights
from tests.hub import REVISION, Hub, serve
from tests.model_folders import damage, repositories, write_model
from tests.tiny_vision import write_seeing

SD_TURBO = catalogue.find("sd-turbo")
FLORENCE = catalogue.find("florence-2")


def test_of_a_repository_only_what_is_needed_is_got() -> None:
    names = [
        "README.md", "model_index.json", "sd_turbo.safetensors", "sd_turbo.ckpt", "image.jpg", "unet/config.json",
        "unet/diffusion_pytorch_model.safetensors", "unet/diffusion_pytorch_model.fp16.safetensors",
        "unet/diffusion_pytorch_model.bin", "unet/model.onnx", "unet/diffusion_pytorch_model.non_ema.safetensors",
        "text_encoder/config.json", "text_encoder/model.fp16-00001-of-00002.safetensors",
        "text_encoder/model.fp16-00002-of-00002.safetensors", "text_encoder/model.safetensors.index.fp16.json",
        "text_encoder/model-00001-of-00002.safetensors", "text_encoder/model-00002-of-00002.safetensors",
        "text_encoder/model.safetensors.index.json", "vae/config.json", "vae/diffusion_pytorch_model.safetensors",
        "tokenizer/vocab.json", "tokenizer/merges.txt", "tokenizer/spiece.model", "scheduler/scheduler_config.json",
        "assets/deep/one.json", "vae_1_0/config.json", "vae_1_0/diffusion_pytorch_model.safetensors",
        "safety_checker/config.json",
    ]  # fmt: skip
    parts = ("unet", "text_encoder", "vae", "tokenizer", "scheduler")
    index = {"_class_name": "X", **{part: ["diffusers", "Y"] for part in parts}, "safety_checker": [None, None]}
    chosen = {file.name for file in downloads.choose_files(dict.fromkeys(names, 1), index)}
    assert chosen == {
        "model_index.json", "unet/config.json", "unet/diffusion_pytorch_model.fp16.safetensors",
        "text_encoder/config.json", "text_encoder/model.fp16-00001-of-00002.safetensors",
        "text_encoder/model.fp16-00002-of-00002.safetensors", "text_encoder/model.safetensors.index.fp16.json",
        "vae/config.json", "vae/diffusion_pytorch_model.safetensors", "tokenizer/vocab.json", "tokenizer/merges.txt",
        "tokenizer/spiece.model", "scheduler/scheduler_config.json",
    }  # fmt: skip


def test_of_a_repository_with_pickles_only_nothing_is_got() -> None:
    with pytest.raises(UsageError, match="unet has its weights as a pickle only"):
        downloads.choose_files(
            {"model_index.json": 1, "unet/config.json": 1, "unet/diffusion_pytorch_model.bin": 1},
            {"unet": ["diffusers", "U"]},
        )


class Told:
    """What a download reports."""

    def __init__(self) -> None:
        self.steps: list[tuple[int, int]] = []

    def __call__(self, done: int, total: int, text: str) -> None:
        assert 0 <= done <= total
        self.steps.append((done, total))


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Have the hub's library, which reads its environment when it is loaded, ask this one."""

    def use(url: str) -> None:
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", url)
        monkeypatch.setattr(
            "huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", url + "/{repo_id}/resolve/{revision}/{filename}"
        )

    return use


def test_a_model_is_pulled_with_its_tiny_decoder_and_not_got_twice(tmp_path: Path, endpoint: Any) -> None:
    told = Told()
    with serve(Hub(repositories(tmp_path))) as hub:
        endpoint(hub.url)
        folder = downloads.pull(SD_TURBO, None, told)
        got = [line.split("/")[-1] for line in hub.asked if line.startswith("GET /stabilityai")]
        assert sorted(got) == [
            "config.json",
            "diffusion_pytorch_model.safetensors",
            "model_index.json",
            "scheduler_config.json",
        ]
        hub.asked.clear()
        downloads.pull(SD_TURBO, None, told)
        again = [line.split("/")[-1] for line in hub.asked if line.startswith("GET /stabilityai")]
        assert again == ["model_index.json"]  # which says whether anything else is wanted
    assert weights.find(SD_TURBO).folder == folder
    assert weights.tiny_decoder("StableDiffusionPipeline")
    assert told.steps[-1][0] == told.steps[-1][1]


@pytest.mark.system
def test_a_download_that_was_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    """A process of its own, killed for good in the middle of a file of 120 MB."""
    hub = Hub(repositories(tmp_path, numbers=30_000_000), stall_after=60_000_000)
    with serve(hub):
        environment = {"HF_HOME": str(tmp_path / "hub"), "PATH": "/usr/bin:/bin", **hub.environment}
        command = [sys.executable, "-m", "aigen", "models", "pull", "sd-turbo"]
        process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
        assert process.stderr
        while "40 %" not in process.stderr.readline():
            assert process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert not weights.is_here(SD_TURBO)
        time.sleep(0.1)
        again = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60)
        assert "100 %" in again.stderr
    (resumed,) = hub.ranges
    name, start = resumed.split(" bytes=")
    assert name == "diffusion_pytorch_model.safetensors"
    assert int(start.rstrip("-")) > 40_000_000
    contents = weights.find(SD_TURBO)
    original = tmp_path / "original" / "unet" / name
    assert (contents.folder / "unet" / name).read_bytes() == original.read_bytes()


def test_a_file_that_was_damaged_on_its_way_is_not_kept(tmp_path: Path, endpoint: Any) -> None:
    with serve(Hub(repositories(tmp_path))) as hub:
        endpoint(hub.url)
        folder = tmp_path / "hub" / "hub" / "models--stabilityai--sd-turbo" / "snapshots" / REVISION / "unet"
        folder.mkdir(parents=True)
        original = tmp_path / "original" / "unet" / "diffusion_pytorch_model.safetensors"
        etag = hashlib.sha256(original.read_bytes()).hexdigest()[:16]
        (folder / f"{original.name}.{etag}.incomplete").write_bytes(b"x" * 100)
        with pytest.raises(GenerationError, match="was damaged on its way"):
            downloads.pull(SD_TURBO, None, Told())
        downloads.pull(SD_TURBO, None, Told())
    assert weights.is_here(SD_TURBO)


def test_what_another_program_has_pulled_is_not_got_again(tmp_path: Path, endpoint: Any) -> None:
    """Of an older revision, as the hub's own library keeps it: files by their hash, for all revisions."""
    original = tmp_path / "original" / "unet" / "diffusion_pytorch_model.safetensors"
    with serve(Hub(repositories(tmp_path))) as hub:
        endpoint(hub.url)
        blob = (
            tmp_path
            / "hub"
            / "hub"
            / "models--stabilityai--sd-turbo"
            / "blobs"
            / hashlib.sha256(original.read_bytes()).hexdigest()
        )
        blob.parent.mkdir(parents=True)
        shutil.copy(original, blob)
        downloads.pull(SD_TURBO, None, Told())
        assert not [line for line in hub.asked if line.startswith("GET") and line.endswith(original.name)][1:]
    assert weights.is_here(SD_TURBO)


@pytest.mark.parametrize(
    ("name", "token", "told"),
    [
        ("nobody/nothing", None, "is not on the hub"),
        ("black-forest-labs/FLUX.1-schnell", None, "is gated: accept its licence on https://huggingface.co/"),
        ("black-forest-labs/FLUX.1-schnell", "wrong", "is gated"),
        ("some/pictures", None, "is no model in the layout of diffusers"),
        ("some/pickles", None, "pickle only"),
    ],
)
def test_what_cannot_be_pulled_says_why(tmp_path: Path, endpoint: Any, name: str, token: str | None, told: str) -> None:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "a.png").touch()
    damage(write_model(tmp_path / "pickles"), "pickle")
    flux = "black-forest-labs/FLUX.1-schnell"
    hub = Hub(
        {flux: tmp_path, "some/pictures": tmp_path / "pictures", "some/pickles": tmp_path / "pickles"},
        gated={flux: "right"},
    )
    with serve(hub):
        endpoint(hub.url)
        with pytest.raises(AigenError, match=told) as refused:
            downloads.pull(catalogue.find(name), token, Told())
    assert "\n" not in str(refused.value)


def test_without_a_network_it_says_what_to_do(endpoint: Any) -> None:
    endpoint("http://127.0.0.1:9")
    with pytest.raises(GenerationError, match=r"the hub does not answer .* give it with --from DIR"):
        downloads.pull(SD_TURBO, None, Told())


def test_too_full_a_disk_is_told_before_anything_is_got(
    tmp_path: Path, endpoint: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = type("Usage", (), {"free": 400_000_000})
    monkeypatch.setattr(shutil, "disk_usage", lambda place: usage)
    with serve(Hub(repositories(tmp_path))) as hub:
        endpoint(hub.url)
        with pytest.raises(GenerationError, match=r"has 400 MB free, and 500 MB are needed: free some space"):
            downloads.pull(SD_TURBO, None, Told())
        assert {line.split("/")[-1] for line in hub.asked if "resolve" in line} == {"model_index.json"}


def test_two_do_not_pull_the_same_at_once(tmp_path: Path, endpoint: Any) -> None:
    from filelock import FileLock

    cached = tmp_path / "hub" / "hub" / "models--stabilityai--sd-turbo"
    cached.mkdir(parents=True)
    with serve(Hub(repositories(tmp_path))) as hub, FileLock(cached / ".aigen.lock"):
        endpoint(hub.url)
        with pytest.raises(AlreadyRunning, match="another process is getting stabilityai/sd-turbo"):
            downloads.pull(SD_TURBO, None, Told())


def test_a_tiny_decoder_is_pulled_by_itself(tmp_path: Path, endpoint: Any) -> None:
    with serve(Hub(repositories(tmp_path))) as hub:
        endpoint(hub.url)
        downloads.pull(catalogue.find("madebyollin/taesd"), None, Told())
    assert weights.tiny_decoder("StableDiffusionPipeline")
    assert weights.tiny_decoder("StableDiffusionXLPipeline") is None


def test_a_hub_that_names_files_elsewhere_is_none(
    tmp_path: Path, endpoint: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = iter(["x", "../../../evil.json"])
    monkeypatch.setattr("tests.hub.Path.as_posix", lambda path: next(names, "y"), raising=True)
    with serve(Hub(repositories(tmp_path))) as hub:
        endpoint(hub.url)
        with pytest.raises(GenerationError, match="names files that cannot be"):
            downloads.pull(SD_TURBO, None, Told())


def test_a_model_is_taken_from_a_folder(tmp_path: Path) -> None:
    source = write_model(tmp_path / "stick")
    (source / "README.md").write_text("not needed")
    folder = downloads.take(SD_TURBO, source, Told())
    assert weights.find(SD_TURBO).folder == folder
    assert not (folder / "README.md").exists()
    assert downloads.take(SD_TURBO, source, Told()) == folder


@pytest.mark.parametrize("how", ["missing", "another model", "empty", "cut"])
def test_a_wrong_folder_is_not_taken(tmp_path: Path, how: str) -> None:
    source = tmp_path / "stick"
    if how == "another model":
        write_model(source, "FluxPipeline")
    elif how == "empty":
        source.mkdir()
    elif how == "cut":
        damage(write_model(source), "cut")
    told = {
        "missing": "is no folder",
        "another model": "holds a FluxPipeline",
        "empty": "no model",
        "cut": "is cut off",
    }
    with pytest.raises(UsageError, match=told[how]):
        downloads.take(SD_TURBO, source, Told())
    assert not weights.is_here(SD_TURBO)


def test_a_model_is_removed(tmp_path: Path) -> None:
    downloads.take(SD_TURBO, write_model(tmp_path / "stick"), Told())
    assert downloads.remove(SD_TURBO) > 4000
    assert not weights.is_here(SD_TURBO)
    assert list((tmp_path / "hub" / "hub").iterdir()) == []
    with pytest.raises(UsageError, match="nothing to remove"):
        downloads.remove(SD_TURBO)
    with pytest.raises(UsageError, match="is a folder of your own"):
        downloads.remove(catalogue.find(str(tmp_path / "stick")))
    assert (tmp_path / "stick").is_dir()


def test_of_a_model_that_sees_nothing_is_got_that_is_code(tmp_path: Path, endpoint: Any) -> None:
    original = write_seeing(tmp_path / "original")
    for name in ("modeling_florence2.py", "README.md", "pytorch_model.bin", "onnx/model.onnx", "onnx/config.json"):
        (original / name).parent.mkdir(exist_ok=True)
        (original / name).touch()
    with serve(Hub({FLORENCE.hub or "": original})) as hub:
        endpoint(hub.url)
        folder = downloads.pull(FLORENCE, None, Told())
    assert sorted(path.name for path in folder.rglob("*")) == [
        "config.json", "model.safetensors", "preprocessor_config.json", "processor_config.json", "tokenizer.json",
    ]  # fmt: skip
    assert weights.find(FLORENCE).folder == folder
    assert [model.name for model in weights.others()] == []
    assert downloads.remove(FLORENCE) > 4000
    assert not weights.is_here(FLORENCE)


@pytest.mark.parametrize("how", ["pickle", "another class", "code"])
def test_what_cannot_see_safely_is_not_taken_for_a_model_that_sees(tmp_path: Path, endpoint: Any, how: str) -> None:
    original = write_seeing(tmp_path / "original")
    if how == "pickle":
        (original / "model.safetensors").rename(original / "pytorch_model.bin")
    else:
        config = {"architectures": ["Florence2ForConditionalGeneration" if how == "code" else "BertModel"]}
        (original / "config.json").write_text(json.dumps(config | ({"auto_map": {}} if how == "code" else {})))
    told = {"pickle": "pickle only", "another class": "is none that sees", "code": "code of its own"}[how]
    with serve(Hub({FLORENCE.hub or "": original})) as hub:
        endpoint(hub.url)
        with pytest.raises(UsageError, match=told):
            downloads.pull(FLORENCE, None, Told())
    with pytest.raises(UsageError, match=told):
        downloads.take(FLORENCE, original, Told())
    assert not weights.is_here(FLORENCE)


def test_a_model_that_sees_is_taken_from_a_folder_that_holds_it_and_no_other(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds a DFineForObjectDetection; florence-2 is a Florence2"):
        downloads.take(FLORENCE, write_seeing(tmp_path / "other", "DFineForObjectDetection"), Told())
    with pytest.raises(UsageError, match="holds a StableDiffusionPipeline"):
        downloads.take(FLORENCE, write_model(tmp_path / "painter"), Told())
    with pytest.raises(UsageError, match=r"not whole: it has no readable config.json; copy it again"):
        downloads.take(FLORENCE, tmp_path, Told())
    folder = downloads.take(FLORENCE, write_seeing(tmp_path / "stick"), Told())
    assert weights.find(FLORENCE).folder == folder
