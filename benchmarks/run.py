"""Measure what users wait for: `make benchmark`. Prints figures; asserts nothing, machines differ.

Usage: benchmarks/run.py [--quick]

- the whole order, cold: 5 images and 5 videos, wall time and peak memory of the process
- `aigen --help` beside `llm --help` in the same run
- from `aigen serve` to its first page, beside `datasette serve`
- the first page of a gallery of 10,000 items, beside that of one with 10
- the order form where seven models are installed, the first time and then
- drawing and encoding apart, frames a second, beside diffusers and MoviePy on the same frames
- understanding a prompt
- marking a file, and its thumbnails, beside making it
"""

import json
import os
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PROMPT = "two cats under a full moon in the snow"


@dataclass(frozen=True)
class Scale:
    """How much is measured: turns, orders in a large gallery, frames, and the size of what is made."""

    turns: int = 7
    orders: int = 1000
    frames: int = 96
    size: str = "1280x720"


USUAL, QUICK = Scale(), Scale(turns=1, orders=10, frames=6, size="160x90")


def seconds(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - began


def whole_order(scale: Scale) -> None:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "aigen", "generate", PROMPT, "--seed", "7", "--content", folder]
        command += ["--size", scale.size] if scale is QUICK else []
        began = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        peak = _watch_memory(process.pid)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        assert os.waitstatus_to_exitcode(status) == 0
    processor = usage.ru_utime + usage.ru_stime
    print(
        f"5 images and 5 videos, cold: {wall:.1f} s, {processor / wall:.2f} cores busy, "
        f"peak {peak / 1024**2:.0f} MB together"
    )


def _watch_memory(pid: int) -> int:
    """Bytes that a process and its children hold together at their most, watched until it ends."""
    import psutil

    peak = 0
    parent = psutil.Process(pid)
    while parent.status() != psutil.STATUS_ZOMBIE:
        held = 0
        for process in (parent, *parent.children(recursive=True)):
            with suppress(psutil.Error):
                held += process.memory_info().rss
        peak = max(peak, held)
        time.sleep(0.1)
    return peak


def start_up(scale: Scale) -> None:
    """Median of several, taken in turn so that a busy machine slows both."""
    tools = {name: [str(Path(sys.executable).parent / name), "--help"] for name in ("aigen", "llm")}
    times: dict[str, list[float]] = {name: [] for name in tools}
    for _ in range(scale.turns):
        for name, command in tools.items():
            times[name].append(seconds(command))
    aigen, llm = (statistics.median(times[name]) for name in ("aigen", "llm"))
    print(f"aigen --help: {aigen:.3f} s; llm --help: {llm:.3f} s; ratio {aigen / llm:.2f}")


def first_page(scale: Scale) -> None:
    """From the command to the first page, in turn as above; and what the server then holds in memory."""
    import psutil

    binaries = Path(sys.executable).parent
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "some.db"
        subprocess.run([str(binaries / "sqlite-utils"), "create-database", str(database)], check=True)
        commands = {
            "aigen": [str(binaries / "aigen"), "serve", "--content", folder, "--port"],
            "datasette": [str(binaries / "datasette"), "serve", str(database), "--port"],
        }
        times: dict[str, list[float]] = {name: [] for name in commands}
        held: dict[str, int] = {}
        for _ in range(min(5, scale.turns)):
            for name, command in commands.items():
                port = _free_port()
                began = time.perf_counter()
                with subprocess.Popen(
                    [*command, str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
                ) as process:
                    _first_answer(f"http://127.0.0.1:{port}/")
                    times[name].append(time.perf_counter() - began)
                    held[name] = psutil.Process(process.pid).memory_info().rss
                    process.terminate()
    aigen, datasette = (statistics.median(found) for found in times.values())
    print(
        f"first page of aigen serve: {aigen:.2f} s, {held['aigen'] / 1024**2:.0f} MB; "
        f"datasette serve: {datasette:.2f} s, "
        f"{held['datasette'] / 1024**2:.0f} MB; ratio {aigen / datasette:.2f}"
    )


def large_gallery(scale: Scale) -> None:
    """The first page of a gallery of 10,000 items, beside that of one with 10: the server's time for it."""
    from dataclasses import replace

    from webtest import TestApp

    from aigen.content import ContentFolder
    from aigen.orders import placing
    from aigen.orders.context import Context
    from aigen.settings import Settings
    from aigen.store import Store
    from aigen.types.request import Draft
    from aigen.viewer.app import guarded, make_app
    from aigen.viewer.gallery import Gallery

    with tempfile.TemporaryDirectory() as folder:
        content = ContentFolder(Path(folder))
        with Store.open(content, create=True) as store:
            context = Context(content, store)
            for user, count in (("small", 1), ("large", scale.orders)):
                for number in range(count):
                    request = Draft(prompt=f"{PROMPT} {number}")
                    order = placing.place(context, request, user, detached=True)
                    for item in store.items(order.generation_id):
                        path = f"{user}/{order.generation_id}-{item.kind}-{item.number}.png"
                        store.record(replace(item, state="done", path=path, parameters={"size": "1024x1024"}))
                    store.complete(order.generation_id, context.clock())
        gallery = Gallery(content, Settings({}), frozenset({"localhost:80"}))
        times = {}
        for user in ("small", "large"):
            browser = TestApp(guarded(make_app(gallery), gallery), extra_environ={"REMOTE_ADDR": "127.0.0.1"})
            csrf = browser.get("/login").text.partition('name="csrf" value="')[2].partition('"')[0]
            browser.post("/login", {"csrf": csrf, "user_id": user})
            for path in ("/dash", "/dash?search=moon+cats"):
                found = []
                for _ in range(2 + scale.turns):
                    began = time.perf_counter()
                    browser.get(path)
                    found.append(time.perf_counter() - began)
                times[user, path] = statistics.median(found) * 1000
    small, large = times["small", "/dash"], times["large", "/dash"]
    print(
        f"first page of a gallery of {10 * scale.orders:,} items: {large:.0f} ms; of 10 items: "
        f"{small:.0f} ms; ratio {large / small:.1f}; "
        f"searching {scale.orders:,} prompts: {times['large', '/dash?search=moon+cats']:.0f} ms"
    )


def order_form(scale: Scale) -> None:
    """The order form where seven models of 3,150 tensors are installed: the first time, which reads them, and then."""
    from unittest import mock

    from webtest import TestApp

    from aigen.content import ContentFolder
    from aigen.models import catalogue
    from aigen.settings import Settings
    from aigen.viewer.app import guarded, make_app
    from aigen.viewer.gallery import Gallery

    with tempfile.TemporaryDirectory() as folder, mock.patch("huggingface_hub.constants.HF_HUB_CACHE", f"{folder}/hub"):
        for model in list(catalogue.models().values())[:7]:
            cached = Path(folder) / "hub" / f"models--{str(model.hub).replace('/', '--')}"
            _install(cached, model.pipeline or "", {"unet": 2500, "text_encoder": 400, "vae": 250})
        gallery = Gallery(ContentFolder(Path(folder) / "content"), Settings({}), frozenset({"localhost:80"}))
        browser = TestApp(guarded(make_app(gallery), gallery), extra_environ={"REMOTE_ADDR": "127.0.0.1"})
        csrf = browser.get("/register").text.partition('name="csrf" value="')[2].partition('"')[0]
        browser.post("/register", {"csrf": csrf, "user_id": "ana", "password": ""})
        times = []
        for _ in range(2 + scale.turns):
            began = time.perf_counter()
            browser.get("/text-to-video")
            times.append((time.perf_counter() - began) * 1000)
    first, later = times[0], statistics.median(times[1:])
    print(f"order form with 7 models: first {first:.0f} ms, then {later:.0f} ms; ratio {first / later:.1f}")


def _install(folder: Path, pipeline: str, parts: dict[str, int]) -> None:
    """A model in the hub's cache whose parts have so many tensors, each of one number."""
    snapshot = folder / "snapshots" / "abc"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text("abc")
    for part, count in parts.items():
        (snapshot / part).mkdir(parents=True)
        (snapshot / part / "config.json").write_text("{}")
        tensors = {
            f"layer.{n}": {"dtype": "F16", "shape": [1], "data_offsets": [2 * n, 2 * n + 2]} for n in range(count)
        }
        header = json.dumps(tensors).encode()
        path = snapshot / part / "diffusion_pytorch_model.safetensors"
        path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(2 * count))
    index = {"_class_name": pipeline} | {part: ["diffusers", "Part"] for part in parts}
    (snapshot / "model_index.json").write_text(json.dumps(index))


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def _first_answer(url: str) -> None:
    while True:
        with suppress(OSError), urllib.request.urlopen(url, timeout=10) as answer:
            answer.read()
            return
        time.sleep(0.01)


def frames(scale: Scale) -> None:
    """Drawing and encoding apart, and the same frames through diffusers' `export_to_video` and MoviePy, in this run."""
    import numpy
    import skia
    from diffusers.utils import export_to_video
    from moviepy import ImageSequenceClip

    from aigen.media.encoding import VideoWriter
    from aigen.pipelines.storybook.scene import Scene
    from aigen.pipelines.storybook.takes import TAKES
    from aigen.pipelines.storybook.understanding.plan import make_plan
    from aigen.types.request import Size

    size, count = Size.parse(scale.size), scale.frames
    pixels = numpy.zeros((size.height, size.width, 4), numpy.uint8)
    canvas = skia.Surface(pixels, colorType=skia.kRGBA_8888_ColorType).getCanvas()
    for number, take in enumerate(TAKES, start=1):
        scene = Scene(make_plan(PROMPT), "plain", number, 7, size)
        began = time.perf_counter()
        for frame in range(count):
            scene.draw(canvas, frame / 24, 4.0)
        print(f"{size}, drawing alone, {take.camera}: {count / (time.perf_counter() - began):.0f} frames/s")
    drawn = []
    for frame in range(count):
        scene.draw(canvas, frame / 24, 4.0)
        drawn.append(pixels.copy())

    def save_ours(path: Path) -> None:
        with VideoWriter(path, size, 24) as video:
            for frame in drawn:
                video.write(frame)

    def save_by_diffusers(path: Path) -> None:
        export_to_video([frame[..., :3] / numpy.float32(255) for frame in drawn], str(path), fps=24)

    def save_by_moviepy(path: Path) -> None:
        clip = ImageSequenceClip([frame[..., :3] for frame in drawn], fps=24)
        clip.write_videofile(str(path), logger=None)

    times = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, save in (("ours", save_ours), ("export_to_video", save_by_diffusers), ("MoviePy", save_by_moviepy)):
            path = Path(folder) / f"{name}.mp4"
            began = time.perf_counter()
            save(path)
            times[name] = time.perf_counter() - began
            ratio = times[name] / times["ours"]
            print(
                f"{size}, encoding alone, {name}: {count / times[name]:.0f} frames/s, {ratio:.1f} times our time, "
                f"{path.stat().st_size // 1024} KiB"
            )


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


def marks(scale: Scale) -> None:
    """Medians of several items, each made, marked and reduced in turn."""
    from aigen.content import ContentFolder
    from aigen.media import provenance
    from aigen.media.thumbnails import THUMBNAIL_SIDES, save_thumbnails
    from aigen.pipelines.storybook.items import make_item
    from aigen.types.pipeline import Provenance, Task
    from aigen.types.request import DEFAULT_SIZES, KINDS

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for kind in KINDS:
            times: dict[str, list[float]] = {"making": [], "marking": [], "thumbnails": []}
            for seed in range(1, scale.turns + 1):
                task = Task(
                    kind=kind, prompt=PROMPT, style="plain", numbers=(seed,), seeds=(seed,), size=DEFAULT_SIZES[kind],
                    work=folder, frames=scale.frames,
                )  # fmt: skip
                began = time.perf_counter()
                made = make_item(task, lambda *_: None)
                times["making"].append(time.perf_counter() - began)
                said = Provenance(kind, PROMPT, "storybook", seed, made.source_type, made.parameters)
                began = time.perf_counter()
                provenance.write(made.path, said)
                times["marking"].append(time.perf_counter() - began)
                began = time.perf_counter()
                sides = {folder / f"{size}.webp": side for size, side in THUMBNAIL_SIDES.items()}
                save_thumbnails(made.path, sides, ContentFolder(folder))
                times["thumbnails"].append(time.perf_counter() - began)
            making, marking, thumbnails = (statistics.median(found) for found in times.values())
            print(
                f"{kind}: making {making * 1000:.0f} ms; marking {marking * 1000:.1f} ms, "
                f"{marking / making:.1%} of that; "
                f"thumbnails {thumbnails * 1000:.0f} ms, {thumbnails / making:.0%}"
            )


if __name__ == "__main__":
    chosen = QUICK if "--quick" in sys.argv else USUAL
    whole_order(chosen)
    start_up(chosen)
    first_page(chosen)
    large_gallery(chosen)
    order_form(chosen)
    understanding()
    frames(chosen)
    marks(chosen)
