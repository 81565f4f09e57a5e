"""What is here of a model, whether it is whole and safe to load; judged without torch."""

import json
from pathlib import Path
from typing import Any

import numpy
import pytest
from safetensors.numpy import save_file

from aigen.errors import UsageError
from aigen.models import catalogue, weights
from aigen.models.catalogue import Model
from tests.model_folders import damage, write_model
from tests.tiny_vision import write_seeing

SD_TURBO = catalogue.find("sd-turbo")


def of(folder: Path) -> Model:
    return catalogue.find(str(folder))


def test_a_whole_model_is_known_by_its_components(tmp_path: Path) -> None:
    contents = weights.find(of(write_model(tmp_path / "mine")))
    assert (contents.pipeline, contents.variant) == ("StableDiffusionPipeline", None)
    assert contents.components == {"unet": {"F32": 4000}}
    assert contents.bytes_in(2) == {"unet": 2000}


def test_half_precision_files_come_first(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "mine")
    save_file({"weight": numpy.zeros(1000, "float16")}, folder / "unet" / "diffusion_pytorch_model.fp16.safetensors")
    contents = weights.find(of(folder))
    assert (contents.components, contents.variant) == ({"unet": {"F16": 2000}}, "fp16")


def test_shards_are_all_counted(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "mine")
    unet = folder / "unet"
    (unet / "diffusion_pytorch_model.safetensors").unlink()
    names = ["diffusion_pytorch_model-00001-of-00002.safetensors", "diffusion_pytorch_model-00002-of-00002.safetensors"]
    for name in names:
        save_file({name: numpy.zeros(100, "float32")}, unet / name)
    index = {"weight_map": {name: name for name in names}}
    (unet / "diffusion_pytorch_model.safetensors.index.json").write_text(json.dumps(index))
    assert weights.find(of(folder)).components == {"unet": {"F32": 800}}
    (unet / names[1]).unlink()
    with pytest.raises(UsageError, match=r"not whole: unet: .*00002-of-00002.safetensors is missing"):
        weights.find(of(folder))


def test_headers_are_read_once_and_again_when_a_file_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_model(tmp_path / "mine")
    read: list[str] = []
    whole = weights._read_header

    def watched(path: Path) -> Any:
        read.append(path.name)
        return whole(path)

    monkeypatch.setattr(weights, "_read_header", watched)
    before = [weights.find(of(folder)).components for _ in range(3)]
    assert len(read) == 1
    save_file({"weight": numpy.zeros(500, "float32")}, folder / "unet" / read[0])
    assert weights.find(of(folder)).components == {"unet": {"F32": 2000}} != before[0]
    assert len(read) == 2
    (folder / "unet" / read[0]).write_bytes((folder / "unet" / read[0]).read_bytes()[:-4])
    for _ in range(2):
        with pytest.raises(UsageError, match="is cut off"):
            weights.find(of(folder))


def test_a_model_that_is_not_here_says_how_to_get_it() -> None:
    with pytest.raises(UsageError, match=r"'sd-turbo' is not here: get it with aigen models pull sd-turbo \(2.6 GB\)"):
        weights.find(SD_TURBO)
    assert not weights.is_here(SD_TURBO)


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("no index", "is no model"),
        ("index is no JSON", "is no model"),
        ("cut", "not whole: unet: .*is cut off"),
        ("cut in the header", "not whole: unet: .*is cut off"),
        ("empty", "not whole: unet: .*is no safetensors file"),
        ("text", "not whole: unet: .*is no safetensors file"),
        ("no weights", "not whole: unet: it has no weights"),
        ("no component", "not whole: unet is missing"),
        ("pickle", "pickle only, which could run code"),
        ("index nested too deeply", "is no model"),
        ("configuration nested too deeply", "not whole: unet: it has no weights"),
        ("header nested too deeply", "not whole: unet: .*is no safetensors file"),
        ("shards that are no table", "not whole: unet: .*is no list of files"),
        ("a class that is a list", "is no model"),
        ("code of its own", "brings code of its own"),
        ("pipeline of its own", "brings code of its own"),
    ],
)
def test_what_is_not_whole_or_not_safe_is_refused_in_one_line(tmp_path: Path, how: str, told: str) -> None:
    folder = write_model(tmp_path / "mine")
    damage(folder, how)
    with pytest.raises(UsageError, match=told) as refused:
        weights.find(of(folder))
    assert "\n" not in str(refused.value)
    assert str(tmp_path) not in str(refused.value)


def test_a_model_that_sees_is_known_by_its_class(tmp_path: Path) -> None:
    model = of(write_seeing(tmp_path / "mine", "DFineForObjectDetection"))
    contents = weights.find(model)
    assert (contents.pipeline, contents.components) == ("DFineForObjectDetection", {"network": {"F32": 4000}})
    assert weights.sees(model)
    assert not weights.sees(of(write_model(tmp_path / "other")))
    assert weights.sees(catalogue.find("florence-2"))
    with pytest.raises(
        UsageError, match=r"'florence-2' is not here: get it with aigen models pull florence-2 \(0.5 GB\)"
    ):
        weights.find(catalogue.find("florence-2"))


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("cut", "not whole: model.safetensors is cut off"),
        ("no weights", "not whole: it has no weights"),
        ("no tokenizer", "not whole: tokenizer.json is missing"),
        ("pickle", "pickle only, which could run code"),
        ("code of its own", "brings code of its own"),
        ("another class", "is no model"),
    ],
)
def test_one_that_sees_is_refused_in_one_line_too(tmp_path: Path, how: str, told: str) -> None:
    folder = write_seeing(tmp_path / "mine")
    file = folder / "model.safetensors"
    match how:
        case "cut":
            file.write_bytes(file.read_bytes()[:-1])
        case "no weights":
            file.unlink()
        case "no tokenizer":
            (folder / "tokenizer.json").unlink()
        case "pickle":
            file.rename(folder / "pytorch_model.bin")
        case "code of its own":
            config = {"architectures": ["Florence2ForConditionalGeneration"], "auto_map": {"AutoModel": "theirs.Model"}}
            (folder / "config.json").write_text(json.dumps(config))
        case "another class":
            (folder / "config.json").write_text('{"architectures": "BertModel"}')
    with pytest.raises(UsageError, match=told) as refused:
        weights.find(of(folder))
    assert "\n" not in str(refused.value)
    assert str(tmp_path) not in str(refused.value)
