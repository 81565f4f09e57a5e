"""Folders that look like models of diffusers, without torch: whole ones,
and ones damaged in all the ways that happen.
"""

import json
import shutil
import struct
from pathlib import Path
from typing import Any

import numpy
from safetensors.numpy import save_file


def write_model(folder: Path, pipeline: str = "StableDiffusionPipeline", numbers: int = 1000) -> Path:
    """A folder that looks like a model of diffusers, with a network of so many numbers in single precision."""
    index: dict[str, Any] = {
        "_class_name": pipeline,
        "_diffusers_version": "0.42.1",
        "unet": ["diffusers", "UNet2DConditionModel"],
        "scheduler": ["diffusers", "EulerDiscreteScheduler"],
        "safety_checker": [None, None],
    }
    (folder / "unet").mkdir(parents=True)
    (folder / "scheduler").mkdir()
    (folder / "model_index.json").write_text(json.dumps(index))
    (folder / "unet" / "config.json").write_text("{}")
    (folder / "scheduler" / "scheduler_config.json").write_text("{}")
    save_file({"weight": numpy.zeros(numbers, "float32")}, folder / "unet" / "diffusion_pytorch_model.safetensors")
    return folder


def write_decoder(folder: Path) -> Path:
    folder.mkdir()
    (folder / "config.json").write_text('{"_class_name": "AutoencoderTiny"}')
    save_file({"weight": numpy.zeros(10, "float32")}, folder / "diffusion_pytorch_model.safetensors")
    return folder


def damage(folder: Path, how: str) -> None:
    unet = folder / "unet"
    file = unet / "diffusion_pytorch_model.safetensors"
    index = json.loads((folder / "model_index.json").read_text())
    match how:
        case "no index":
            (folder / "model_index.json").unlink()
        case "index is no JSON":
            (folder / "model_index.json").write_text("{")
        case "cut":
            file.write_bytes(file.read_bytes()[:-7])
        case "cut in the header":
            file.write_bytes(file.read_bytes()[:20])
        case "empty":
            file.write_bytes(b"")
        case "text":
            file.write_text("version https://git-lfs.github.com/spec/v1")
        case "no weights":
            file.unlink()
        case "no component":
            shutil.rmtree(unet)
        case "pickle":
            file.unlink()
            (unet / "diffusion_pytorch_model.bin").write_bytes(b"\x80\x04.")
        case "index nested too deeply":
            (folder / "model_index.json").write_text("[" * 100_000 + "]" * 100_000)
        case "configuration nested too deeply":
            (unet / "config.json").write_text("[" * 100_000 + "]" * 100_000)
            file.unlink()
        case "header nested too deeply":
            header = b"[" * 100_000 + b"]" * 100_000
            file.write_bytes(struct.pack("<Q", len(header)) + header)
        case "shards that are no table":
            file.rename(unet / "diffusion_pytorch_model-00001-of-00002.safetensors")
            (unet / "diffusion_pytorch_model.safetensors.index.json").write_text('{"weight_map": ["a"]}')
        case "a class that is a list":
            (folder / "model_index.json").unlink()
            (folder / "config.json").write_text('{"architectures": [["DFineForObjectDetection"], {}, null]}')
        case "code of its own":
            index["unet"] = ["my_unet", "MyUnet"]
            (unet / "my_unet.py").write_text("raise SystemExit")
            (folder / "model_index.json").write_text(json.dumps(index))
        case "pipeline of its own":
            index["_class_name"] = ["my_pipeline", "MyPipeline"]
            (folder / "model_index.json").write_text(json.dumps(index))


def repositories(tmp_path: Path, numbers: int = 1000) -> dict[str, Path]:
    return {
        "stabilityai/sd-turbo": write_model(tmp_path / "original", numbers=numbers),
        "madebyollin/taesd": write_decoder(tmp_path / "decoder"),
    }
