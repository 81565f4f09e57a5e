"""Measure what users wait for: `make benchmark`. Prints figures; asserts nothing, machines differ.

- the whole order, cold: 5 images and 5 videos, wall time and peak memory of the process
- `aigen --help` beside `llm --help` in the same run
- drawing and encoding apart, frames a second
- understanding a prompt
- marking a file, and its thumbnails, beside making it
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

PROMPT = "two cats under a full moon in the snow"


def seconds(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - began


def whole_order() -> None:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "aigen", "generate", PROMPT, "--seed", "7", "--content", folder]
        began = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        assert os.waitstatus_to_exitcode(status) == 0
    processor = usage.ru_utime + usage.ru_stime
    print(
        f"5 images and 5 videos, cold: {wall:.1f} s, {processor / wall:.2f} cores busy, peak {usage.ru_maxrss / 1024:.0f} MB"
    )


def start_up() -> None:
    """Median of several, taken in turn so that a busy machine slows both."""
    tools = {name: [str(Path(sys.executable).parent / name), "--help"] for name in ("aigen", "llm")}
    times: dict[str, list[float]] = {name: [] for name in tools}
    for _ in range(7):
        for name, command in tools.items():
            times[name].append(seconds(command))
    aigen, llm = (statistics.median(times[name]) for name in ("aigen", "llm"))
    print(f"aigen --help: {aigen:.3f} s; llm --help: {llm:.3f} s; ratio {aigen / llm:.2f}")


def frames() -> None:
    import numpy
    import skia

    from aigen.media import VideoWriter
    from aigen.pipelines.storybook.scene import Scene
    from aigen.pipelines.storybook.understanding.plan import make_plan
    from aigen.types import Size

    size, count = Size(1280, 720), 96
    pixels = numpy.zeros((size.height, size.width, 4), numpy.uint8)
    surface = skia.Surface(pixels, colorType=skia.kRGBA_8888_ColorType)
    scene = Scene(make_plan(PROMPT), "plain", 1, 7, size)

    def draw(use: Callable[[], object]) -> float:
        began = time.perf_counter()
        for frame in range(count):
            scene.draw(surface.getCanvas(), frame / 24, 4.0)
            use()
        return count / (time.perf_counter() - began)

    drawing = draw(lambda: None)
    with tempfile.TemporaryDirectory() as folder:
        video = VideoWriter(Path(folder) / "a.mp4", size, 24)
        with video:
            both = draw(lambda: video.write(pixels))
    print(f"1280x720: drawing alone {drawing:.0f} frames/s; drawing and encoding {both:.0f} frames/s")


def understanding() -> None:
    """The first prompt also loads the vocabulary; the others are as many as there are in prompts.jsonl."""
    from aigen.pipelines.storybook.understanding.plan import make_plan

    lines = (Path(__file__).parent / "prompts.jsonl").read_text().splitlines()
    times = []
    for prompt in [PROMPT, "ein Schiff", *(json.loads(line)["prompt"] for line in lines), "cat on a dog, " * 140]:
        began = time.perf_counter()
        make_plan(prompt)
        times.append((time.perf_counter() - began) * 1000)
    first, foreign, *others = times
    print(
        f"a plan: first {first:.0f} ms; first in another language {foreign:.0f} ms; "
        f"then median {statistics.median(others):.2f} ms, of 1,960 characters {others[-1]:.1f} ms"
    )


def marks() -> None:
    """Medians of several items, each made, marked and reduced in turn."""
    from aigen import provenance
    from aigen.media import THUMBNAIL_SIDES, save_thumbnails
    from aigen.pipelines.storybook import Storybook
    from aigen.types import DEFAULT_SIZES, KINDS, Output, Provenance, Run, Task

    quiet = Run(lambda *_: None, lambda _: None, lambda *_: None, lambda *_: None, lambda: None)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for kind in KINDS:
            numbers = tuple(range(1, 7))
            task = Task(
                kind=kind, prompt=PROMPT, style="plain", numbers=numbers, seeds=numbers, size=DEFAULT_SIZES[kind],
                work=folder, frames=96,
            )  # fmt: skip
            times: dict[str, list[float]] = {"making": [], "marking": [], "thumbnails": []}
            outputs = Storybook().generate(task, quiet)
            next(outputs)  # the first also loads libraries and artwork
            for seed in numbers[1:]:
                began = time.perf_counter()
                made = next(outputs)
                assert isinstance(made, Output)
                times["making"].append(time.perf_counter() - began)
                said = Provenance(kind, PROMPT, "storybook", seed, made.media, made.parameters)
                began = time.perf_counter()
                provenance.mark(made.path, said)
                times["marking"].append(time.perf_counter() - began)
                began = time.perf_counter()
                save_thumbnails(
                    made.path, {folder / f"{size}.webp": side for size, side in THUMBNAIL_SIDES.items()}, folder
                )
                times["thumbnails"].append(time.perf_counter() - began)
            making, marking, thumbnails = (statistics.median(found) for found in times.values())
            print(
                f"{kind}: making {making * 1000:.0f} ms; marking {marking * 1000:.1f} ms, {marking / making:.1%} of that; "
                f"thumbnails {thumbnails * 1000:.0f} ms, {thumbnails / making:.0%}"
            )


if __name__ == "__main__":
    whole_order()
    start_up()
    understanding()
    frames()
    marks()
