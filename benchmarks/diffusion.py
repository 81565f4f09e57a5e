"""How our path compares with a bare call of diffusers: real SD-Turbo architecture, random weights, 512x512, this machine.

Usage: benchmarks/diffusion.py [--steps 1] [--pictures 2] [--folder DIR]     (needs 9 GB of disk for the weights, and minutes)

Times say nothing of quality: the weights are random. What is compared alternates within one process; peak memory is that of
a process of its own.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

PROMPT = "a lighthouse in a storm"
SIDE = 512


def build(folder: Path) -> None:
    """SD-Turbo's architecture with random weights, in float32 and in bfloat16, and the tiny decoder's."""
    import torch
    from diffusers import (
        AutoencoderKL,
        AutoencoderTiny,
        EulerDiscreteScheduler,
        StableDiffusionPipeline,
        UNet2DConditionModel,
    )
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

    torch.manual_seed(0)
    letters = [chr(code) for code in range(33, 127)]
    tokens = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    text = CLIPTextConfig(
        hidden_size=1024, intermediate_size=4096, num_attention_heads=16, num_hidden_layers=23, hidden_act="gelu",
        bos_token_id=188, eos_token_id=189, pad_token_id=1,
    )  # fmt: skip
    pipeline = StableDiffusionPipeline(
        vae=AutoencoderKL(
            block_out_channels=(128, 256, 512, 512), layers_per_block=2, sample_size=768,
            down_block_types=["DownEncoderBlock2D"] * 4, up_block_types=["UpDecoderBlock2D"] * 4,
        ),
        text_encoder=CLIPTextModel(text),
        tokenizer=CLIPTokenizer(vocab={token: place for place, token in enumerate(tokens)}, merges=[], model_max_length=77),
        unet=UNet2DConditionModel(
            sample_size=64, block_out_channels=(320, 640, 1280, 1280), cross_attention_dim=1024,
            attention_head_dim=(5, 10, 20, 20), use_linear_projection=True,
        ),
        scheduler=EulerDiscreteScheduler(
            beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", timestep_spacing="trailing", steps_offset=1
        ),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )  # fmt: skip
    pipeline.save_pretrained(folder / "float32", safe_serialization=True)
    pipeline.to(torch.bfloat16).save_pretrained(folder / "bfloat16", safe_serialization=True)
    AutoencoderTiny().save_pretrained(folder / "tiny", safe_serialization=True)


def bare(folder: Path, work: Path) -> Callable[[int], None]:
    """What a user would write: the pipeline as it is loaded, in float32, and a PNG of each picture."""
    import torch
    from diffusers import StableDiffusionPipeline

    pipeline = StableDiffusionPipeline.from_pretrained(folder, use_safetensors=True)
    pipeline.set_progress_bar_config(disable=True)

    def make(steps: int) -> None:
        generator = torch.Generator("cpu").manual_seed(7)
        found = pipeline(
            PROMPT, num_inference_steps=steps, guidance_scale=0.0, width=SIDE, height=SIDE, generator=generator
        )
        found.images[0].save(work / "bare.png")

    return make


def ours(folder: Path, work: Path, **options: Any) -> Callable[[int], None]:
    """A whole order of one picture, from the request to the marked file, its row and its thumbnails."""
    from aigen import generation
    from aigen.generation import Workshop
    from aigen.settings import ContentFolder
    from aigen.store import Store
    from aigen.types import GenerationRequest

    def make(steps: int) -> None:
        content = ContentFolder(work / "content")
        request = GenerationRequest(
            prompt=PROMPT,
            images=1,
            videos=0,
            seed=7,
            size=f"{SIDE}x{SIDE}",
            model=str(folder),
            steps=steps,
            guidance=0.0,
            **options,
        )
        with Store.open(content, create=True) as store:
            generation.generate(Workshop(content, store), request, "ana")

    return make


def compare(folder: Path, work: Path, steps: int, pictures: int) -> dict[str, float]:
    """Seconds a picture, the ways alternating; the first of each, which loads, is not counted."""
    ways = {"bare": bare(folder / "float32", work), "ours": ours(folder / "float32", work)}
    times: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(pictures + 1):
        for name, make in ways.items():
            start = time.perf_counter()
            make(steps)
            if turn:
                times[name].append(time.perf_counter() - start)
    return {name: median(took) for name, took in times.items()}


def measure(folder: Path, way: str, steps: int, pictures: int) -> dict[str, float]:
    """Seconds a picture and the peak memory in MB of one way, in a process of its own."""
    command = [
        sys.executable,
        __file__,
        "--folder",
        str(folder),
        "--way",
        way,
        "--steps",
        str(steps),
        "--pictures",
        str(pictures),
    ]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found: dict[str, float] = json.loads(printed.splitlines()[-1])
    return found


def run_way(folder: Path, way: str, steps: int, pictures: int) -> None:
    """One way alone; prints its figures."""
    from aigen.pipelines import machine, weights
    from aigen.pipelines.machine import Setup

    weights.tiny_decoder = lambda pipeline: folder / "tiny"  # type: ignore[assignment]
    setups = {
        "packed": Setup("cpu", "float32", (), packed=True),
        "bfloat16": Setup("cpu", "bfloat16", ()),
        "bfloat16 fast": Setup("cpu", "bfloat16", ()),
    }
    with tempfile.TemporaryDirectory() as work:
        if way == "bare":
            make = bare(folder / "float32", Path(work))
        else:
            source = "float32" if way in ("float32", "fast") else "bfloat16"
            make = ours(folder / source, Path(work), **({"fast": True} if "fast" in way else {}))
            if way in setups:
                machine.choose = lambda *figures: setups[way]  # type: ignore[assignment]
        times = []
        for _ in range(pictures + 1):
            start = time.perf_counter()
            make(steps)
            times.append(time.perf_counter() - start)
    print(json.dumps({"first": times[0], "seconds": median(times[1:]), "peak": _peak()}))


def _peak() -> float:
    """The most memory in MB that this process has held; getrusage would also count what its parent held."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=1)
    parser.add_argument("--pictures", type=int, default=2)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--way")
    arguments = parser.parse_args()
    if arguments.way:
        run_way(arguments.folder, arguments.way, arguments.steps, arguments.pictures)
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary)
        if not (folder / "tiny").exists():
            build(folder)
        report(folder, arguments.steps, arguments.pictures)


def report(folder: Path, steps: int, pictures: int) -> None:
    from aigen.pipelines.diffusion import device

    time_of_half = device.bfloat16_time()
    print(
        f"SD-Turbo architecture, {SIDE}x{SIDE}, {steps} step(s), random weights; bfloat16 takes {time_of_half:.2g} of float32's time here"
    )
    with tempfile.TemporaryDirectory() as work:
        times = compare(folder, Path(work), steps, pictures)
    overhead = times["ours"] / times["bare"] - 1
    print(
        f"bare diffusers, float32: {times['bare']:.2f} s a picture; our whole path, same settings: {times['ours']:.2f} s ({overhead:+.1%})"
    )
    ways = ["bare", "float32", "fast", "packed", *(["bfloat16", "bfloat16 fast"] if time_of_half < 1 else [])]
    found = {way: measure(folder, way, steps, pictures) for way in ways}
    for way, figures in found.items():
        faster = found["bare"]["seconds"] / figures["seconds"]
        less = figures["peak"] / found["bare"]["peak"]
        print(
            f"{way:14} {figures['seconds']:6.2f} s a picture ({faster:.2f} times as fast as bare), the first {figures['first']:6.2f} s, "
            f"peak {figures['peak']:5.0f} MB ({less:.2f} of bare)"
        )


if __name__ == "__main__":
    main()
