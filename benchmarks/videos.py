"""How our path to a video compares with a bare call of diffusers:
Wan 2.1's real architecture, random weights, this machine.

Usage: benchmarks/videos.py [--layers 30] [--steps 2] [--folder DIR] [--quick]

It needs 12 GB of disk and some ten minutes. What reads the prompt is a small one: it is run once a video, and its real
weights alone would take 23 GB. With a GPU it is run as it is used: 832x480, 81 frames, bfloat16.

Times say nothing of quality: the weights are random. What is compared alternates within one process; peak memory is
that of a process of its own.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

from diffusion import peak_memory

PROMPT = "a lighthouse in a storm"
WAYS = ("bare", "ours")


@dataclass(frozen=True)
class Case:
    """What is made: a video of so many frames and pixels in so many steps, by a network of so many layers."""

    folder: Path
    layers: int
    steps: int
    frames: int
    width: int
    height: int

    @property
    def model(self) -> Path:
        return self.folder / f"layers-{self.layers}"

    @property
    def arguments(self) -> list[str]:
        return [f"--{name}={value}" for name, value in vars(self).items()]


def build(case: Case) -> None:
    """Wan 2.1 1.3B's transformer and decoder, but for the number of layers, with a small reader of prompts."""
    import torch
    from diffusers import AutoencoderKLWan, UniPCMultistepScheduler, WanPipeline, WanTransformer3DModel
    from transformers import T5Tokenizer, UMT5Config, UMT5EncoderModel

    torch.manual_seed(0)
    letters = [chr(code) for code in range(33, 127)]
    vocabulary = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("\u2581", -1.0), *((each, -2.0) for each in letters)]
    pipeline = WanPipeline(
        tokenizer=T5Tokenizer(vocab=vocabulary, extra_ids=0, model_max_length=512),
        text_encoder=UMT5EncoderModel(
            UMT5Config(vocab_size=128, d_model=4096, d_kv=64, d_ff=1024, num_layers=1, num_heads=8)
        ),
        vae=AutoencoderKLWan(),
        transformer=WanTransformer3DModel(num_attention_heads=12, ffn_dim=8960, num_layers=case.layers),
        scheduler=UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0),
    )
    pipeline.save_pretrained(case.model, safe_serialization=True)


def bare(case: Case, work: Path) -> Callable[[], None]:
    """What a user would write, with our encoder: the pipeline as it is loaded, then every frame into a file."""
    import numpy
    import torch
    from diffusers import WanPipeline

    from aigen.media.encoding import VideoWriter
    from aigen.types.request import Size

    on_gpu = torch.cuda.is_available()
    parts: Any = {"default": torch.bfloat16, "vae": torch.float32} if on_gpu else torch.float32
    pipeline = WanPipeline.from_pretrained(case.model, dtype=parts, use_safetensors=True)
    pipeline.to("cuda" if on_gpu else "cpu")
    pipeline.set_progress_bar_config(disable=True)

    def make() -> None:
        found = pipeline(
            PROMPT,
            num_inference_steps=case.steps,
            guidance_scale=5.0,
            num_frames=case.frames,
            width=case.width,
            height=case.height,
            generator=torch.Generator("cpu").manual_seed(7),
        )
        with VideoWriter(work / "bare.mp4", Size(case.width, case.height), 16) as video:
            for frame in found.frames[0]:
                pixels = numpy.full((*frame.shape[:2], 4), 255, numpy.uint8)
                pixels[..., :3] = (frame * 255).round()
                video.write(pixels)

    return make


def ours(case: Case, work: Path) -> Callable[[], None]:
    """A whole order of one video, from the request to the marked file, its row and its thumbnails."""
    from aigen.content import ContentFolder
    from aigen.orders import lifecycle
    from aigen.orders.context import Context
    from aigen.store import Store
    from aigen.types.request import Draft

    content = ContentFolder(work / "content")
    request = Draft(
        prompt=PROMPT,
        images=0,
        videos=1,
        seed=7,
        size=f"{case.width}x{case.height}",
        frames=case.frames,
        fps=16,
        video_model=str(case.model),
        steps=case.steps,
        guidance=5.0,
    )

    def make() -> None:
        with Store.open(content, create=True) as store:
            lifecycle.generate(Context(content, store), request, "ana")

    return make


def compare(case: Case, times: int) -> dict[str, float]:
    """Seconds a video, the ways alternating in one process; the first of each, which loads, is not counted."""
    took: dict[str, list[float]] = {name: [] for name in WAYS}
    with tempfile.TemporaryDirectory() as work:
        ways = {"bare": bare(case, Path(work)), "ours": ours(case, Path(work))}
        for turn in range(times + 1):
            for name, make in ways.items():
                start = time.perf_counter()
                make()
                if turn:
                    took[name].append(time.perf_counter() - start)
    return {name: median(each) for name, each in took.items()}


def measure(case: Case, way: str) -> float:
    """The peak memory in MB of one video, in a process of its own (on a GPU: the GPU's)."""
    command = [sys.executable, __file__, *case.arguments, "--alone", way]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return float(json.loads(printed.splitlines()[-1]))


def run_alone(case: Case, way: str) -> None:
    """One way in this process; prints its peak."""
    import torch

    with tempfile.TemporaryDirectory() as work:
        (bare if way == "bare" else ours)(case, Path(work))()
    print(torch.cuda.max_memory_allocated() / 2**20 if torch.cuda.is_available() else peak_memory())


def report(case: Case, times: int, counts: tuple[int, ...]) -> None:
    told = f"{case.width}x{case.height}, {case.frames} frames, {case.steps} steps, {case.layers} layers"
    print(f"Wan 2.1 architecture, random weights: {told}")
    took = compare(case, times)
    overhead = took["ours"] / took["bare"] - 1
    print(f"bare diffusers {took['bare']:.2f} s a video; our whole path {took['ours']:.2f} s ({overhead:+.1%})")
    # Few layers take as much memory as many, beside their weights, and less time.
    for frames in counts:
        few = replace(case, layers=1, steps=1, frames=frames)
        peaks = {way: measure(few, way) for way in WAYS}
        print(
            f"peak memory of {frames} frames, 1 layer: bare {peaks['bare']:.0f} MB, ours {peaks['ours']:.0f} MB "
            f"({peaks['ours'] / peaks['bare']:.2f})"
        )


def main() -> None:
    import torch

    on_gpu = torch.cuda.is_available()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--layers", type=int, default=30)
    parser.add_argument("--steps", type=int, default=20 if on_gpu else 2)
    parser.add_argument("--frames", type=int, default=81 if on_gpu else 9)
    parser.add_argument("--width", type=int, default=832 if on_gpu else 256)
    parser.add_argument("--height", type=int, default=480 if on_gpu else 160)
    parser.add_argument("--times", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="Take seconds: little work, so figures of little use.")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--alone", choices=WAYS, help=argparse.SUPPRESS)
    found = parser.parse_args()
    if found.quick:
        found.layers, found.steps, found.frames, found.width, found.height, found.times = 1, 1, 5, 64, 64, 1
    with tempfile.TemporaryDirectory() as temporary:
        folder = found.folder or Path(temporary)
        case = Case(folder, found.layers, found.steps, found.frames, found.width, found.height)
        if found.alone:
            run_alone(case, found.alone)
            return
        for each in (case, replace(case, layers=1)):
            if not each.model.exists():
                build(each)
        report(case, found.times, (5,) if found.quick else (9, 49))


if __name__ == "__main__":
    main()
