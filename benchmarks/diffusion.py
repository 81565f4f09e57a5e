"""How our path compares with a bare call of diffusers: real SD-Turbo architecture,
random weights, 512x512, this machine.

Usage: benchmarks/diffusion.py [--steps 1] [--pictures 2] [--side 512] [--ways WAY …] [--folder DIR] [--quick]
It needs 11 GB of disk for the weights, and some ten minutes.

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
from dataclasses import dataclass
from pathlib import Path
from statistics import median

PROMPT = "a lighthouse in a storm"
# The ways that are measured each in a process of its own; those in bfloat16 only where it pays, unless they are named.
WAYS = ["bare", "float32", "from float16", "fast", "layerwise", "bfloat16", "bfloat16 fast"]


def build(folder: Path, small: bool) -> None:
    """SD-Turbo's architecture with random weights, in three precisions, and the tiny decoder's.

    A `small` one has the same parts, a tenth as wide.
    """
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
    width, layers = (64, 2) if small else (1024, 23)
    channels, heads = ((32, 64, 64, 64), (1, 2, 2, 2)) if small else ((320, 640, 1280, 1280), (5, 10, 20, 20))
    text = CLIPTextConfig(
        hidden_size=width, intermediate_size=4 * width, num_attention_heads=16, num_hidden_layers=layers,
        hidden_act="gelu",
        bos_token_id=188, eos_token_id=189, pad_token_id=1,
    )  # fmt: skip
    pipeline = StableDiffusionPipeline(
        vae=AutoencoderKL(
            block_out_channels=(32, 32, 64, 64) if small else (128, 256, 512, 512), layers_per_block=2, sample_size=768,
            down_block_types=["DownEncoderBlock2D"] * 4, up_block_types=["UpDecoderBlock2D"] * 4,
        ),
        text_encoder=CLIPTextModel(text),
        tokenizer=CLIPTokenizer(vocab={token: place for place, token in enumerate(tokens)}, merges=[],
            model_max_length=77),
        unet=UNet2DConditionModel(
            sample_size=64, block_out_channels=channels, cross_attention_dim=width,
            attention_head_dim=heads, use_linear_projection=True,
        ),
        scheduler=EulerDiscreteScheduler(
            beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", timestep_spacing="trailing",
            steps_offset=1
        ),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )  # fmt: skip
    pipeline.save_pretrained(folder / "float32", safe_serialization=True)
    for kind in ("bfloat16", "float16"):
        pipeline.to(getattr(torch, kind)).save_pretrained(folder / kind, safe_serialization=True)
    AutoencoderTiny().save_pretrained(folder / "tiny", safe_serialization=True)


@dataclass(frozen=True)
class Case:
    """What is made: pictures of so many pixels a side in so many steps, from the weights in a folder."""

    folder: Path
    side: int
    steps: int
    pictures: int

    @property
    def arguments(self) -> list[str]:
        return [f"--{name}={value}" for name, value in vars(self).items()]


def bare(case: Case, work: Path) -> Callable[[], None]:
    """What a user would write: the pipeline as it is loaded, in float32, and a PNG of each picture."""
    import torch
    from diffusers import StableDiffusionPipeline

    pipeline = StableDiffusionPipeline.from_pretrained(case.folder / "float32", use_safetensors=True)
    pipeline.set_progress_bar_config(disable=True)

    def make() -> None:
        generator = torch.Generator("cpu").manual_seed(7)
        found = pipeline(
            PROMPT,
            num_inference_steps=case.steps,
            guidance_scale=0.0,
            width=case.side,
            height=case.side,
            generator=generator,
        )
        found.images[0].save(work / "bare.png")

    return make


def ours(case: Case, work: Path, source: str = "float32", fast: bool = False) -> Callable[[], None]:
    """A whole order of one picture, from the request to the marked file, its row and its thumbnails."""
    from aigen.content import ContentFolder
    from aigen.orders import lifecycle
    from aigen.orders.context import Context
    from aigen.store import Store
    from aigen.types.request import Draft

    content = ContentFolder(work / "content")
    request = Draft(
        prompt=PROMPT,
        images=1,
        videos=0,
        seed=7,
        size=f"{case.side}x{case.side}",
        model=str(case.folder / source),
        steps=case.steps,
        guidance=0.0,
        fast=fast,
    )

    def make() -> None:
        with Store.open(content, create=True) as store:
            lifecycle.generate(Context(content, store), request, "ana")

    return make


def compare(case: Case) -> dict[str, float]:
    """Seconds a picture, the ways alternating in one process; the first of each, which loads, is not counted."""
    with tempfile.TemporaryDirectory() as work:
        ways = {"bare": bare(case, Path(work)), "ours": ours(case, Path(work))}
        times: dict[str, list[float]] = {name: [] for name in ways}
        for turn in range(case.pictures + 1):
            for name, make in ways.items():
                start = time.perf_counter()
                make()
                if turn:
                    times[name].append(time.perf_counter() - start)
    return {name: median(took) for name, took in times.items()}


def measure(case: Case, way: str) -> dict[str, float]:
    """Seconds a picture and the peak memory in MB of one way, in a process of its own."""
    command = [sys.executable, __file__, *case.arguments, "--alone", way]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found: dict[str, float] = json.loads(printed.splitlines()[-1])
    return found


def run_alone(case: Case, way: str) -> None:
    """One way in this process; prints its figures."""
    from aigen.models import machine, weights
    from aigen.models.machine import Setup

    weights.tiny_decoder = lambda pipeline: case.folder / "tiny"  # type: ignore[assignment]
    setups = {
        "layerwise": Setup("cpu", "float32", (), layerwise_casting=True),
        "bfloat16": Setup("cpu", "bfloat16", ()),
        "bfloat16 fast": Setup("cpu", "bfloat16", ()),
    }
    if way in setups:
        machine.choose = lambda *figures: setups[way]  # type: ignore[assignment]
    with tempfile.TemporaryDirectory() as work:
        # Models are pulled in float16, where the hub has them so.
        source = {
            "layerwise": "float16",
            "bfloat16": "bfloat16",
            "bfloat16 fast": "bfloat16",
            "from float16": "float16",
        }.get(way, "float32")
        make = bare(case, Path(work)) if way == "bare" else ours(case, Path(work), source, fast="fast" in way)
        times = []
        for _ in range(case.pictures + 1):
            start = time.perf_counter()
            make()
            times.append(time.perf_counter() - start)
    print(json.dumps({"first": times[0], "seconds": median(times[1:] or times), "peak": peak_memory()}))


def peak_memory() -> float:
    """The most memory in MB that this process has held; getrusage would also count what its parent held."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def report(case: Case, ways: list[str], quick: bool) -> None:
    from aigen.models import device

    half = device.bfloat16_time()
    print(f"SD-Turbo architecture, {case.side}x{case.side}, {case.steps} step(s), random weights")
    print(f"bfloat16 takes {half:.2g} of float32's time on this processor")
    if not ways:
        times = compare(case)
        overhead = times["ours"] / times["bare"] - 1
        print(
            f"bare diffusers, float32, {times['bare']:.2f} s a picture; "
            f"our whole path {times['ours']:.2f} s ({overhead:+.1%})"
        )
    usual = ["bare", "fast"] if quick else [way for way in WAYS if half < 1 or not way.startswith("bfloat16")]
    found = {way: measure(case, way) for way in ways or usual}
    first = next(iter(found.values()))
    for way, figures in found.items():
        print(
            f"{way:14} {figures['seconds']:6.2f} s a picture "
            f"({first['seconds'] / figures['seconds']:.2f} times as fast as the "
            f"first), the one that loads {figures['first']:6.2f} s, peak {figures['peak']:5.0f} MB "
            f"({figures['peak'] / first['peak']:.2f} of the first)"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=1)
    parser.add_argument("--pictures", type=int, default=2)
    parser.add_argument("--side", type=int, default=512)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--quick", action="store_true", help="Take seconds: little work, so figures of little use.")
    parser.add_argument("--ways", nargs="*", choices=WAYS, default=[])
    parser.add_argument("--alone", choices=WAYS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.pictures, arguments.side = 1, 64
    with tempfile.TemporaryDirectory() as temporary:
        case = Case(arguments.folder or Path(temporary), arguments.side, arguments.steps, arguments.pictures)
        if arguments.alone:
            run_alone(case, arguments.alone)
            return
        if not (case.folder / "tiny").exists():
            build(case.folder, arguments.quick)
        report(case, arguments.ways, arguments.quick)


if __name__ == "__main__":
    main()
