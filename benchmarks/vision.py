"""How long it takes to describe a photo of 12 megapixels, beside PIL's mere decoding of the same file in the same run.

Usage: benchmarks/vision.py [--photo PHOTO.jpg] [--turns 20] [--quick]

Without a photo it takes the cat that scikit-image brings, enlarged. Loading is that of a process of its own, as for the
first photo; the rest has the networks loaded, as in a worker or in the gallery. Medians; the ways take turns, so that
whatever else the machine does meets all of them.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from statistics import median

from PIL import Image

from aigen import vision
from aigen.media import uploads
from aigen.vision import classification, colours, detection, facts

SIZE = (4000, 3000)
LOADING = """
import time
began = time.perf_counter()
import numpy, PIL.Image, onnxruntime
imported = time.perf_counter()
from aigen.vision import networks
for name in ("nanodet", "efficientnet-lite0"):
    networks.load(name)
print(imported - began, time.perf_counter() - imported)
"""


def prepare(folder: Path) -> Path:
    """A photo of 12 megapixels with as much detail as a camera's."""
    found = find_spec("skimage")
    if not found or not found.origin:
        sys.exit("scikit-image, which brings a photo, is not installed: give one with --photo")
    path = folder / "photo.jpg"
    with Image.open(Path(found.origin).parent / "data" / "chelsea.png") as cat:
        large = cat.convert("RGB").resize(SIZE, Image.Resampling.BICUBIC)
    grain = Image.effect_noise(SIZE, 20).convert("RGB")
    Image.blend(large, grain, 0.1).save(path, quality=90)
    return path


def loading(turns: int) -> None:
    """The libraries and the networks, in processes of their own."""
    imports, loads = [], []
    for _ in range(turns):
        printed = subprocess.run([sys.executable, "-c", LOADING], capture_output=True, text=True, check=True).stdout
        imported, loaded = map(float, printed.split())
        imports.append(imported)
        loads.append(loaded)
    print(
        f"importing onnxruntime, numpy and PIL: {median(imports) * 1000:.0f} ms; loading both networks: "
        f"{median(loads) * 1000:.0f} ms"
    )


def describing(path: Path, turns: int) -> None:
    """The whole and its parts, beside decoding alone."""
    model = vision.load(vision.BUILT_IN)
    small, (width, height) = uploads.glance(path, detection.SIDE)

    def decode() -> None:
        with Image.open(path) as image:
            image.load()

    ways: dict[str, Callable[[], object]] = {
        "PIL decodes all of it": decode,
        "describe": lambda: vision.describe(path, model),
        "  reading it small": lambda: uploads.glance(path, detection.SIDE),
        "  what its file says": lambda: facts.read(path, camera=True),
        "  finding things, in it and mirrored": lambda: detection.find(small),
        "  classifying it": lambda: classification.classify(small, 0.0),
        "  colours": lambda: colours.names(small),
    }
    times: dict[str, list[float]] = {way: [] for way in ways}
    for turn in range(turns + 1):
        for way, do in ways.items():
            began = time.perf_counter()
            do()
            if turn:  # the first one also loads
                times[way].append(time.perf_counter() - began)
    usual = median(times["PIL decodes all of it"])
    print(f"{width}x{height}, {path.stat().st_size / 1e6:.1f} MB, looked at as {small.width}x{small.height}")
    for way, taken in times.items():
        took = median(taken)
        print(
            f"{way:36} {took * 1000:6.1f} ms ({min(taken) * 1000:.1f} to {max(taken) * 1000:.1f}), "
            f"{took / usual:5.2f} times decoding"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photo", type=Path)
    parser.add_argument("--turns", type=int, default=20)
    parser.add_argument("--quick", action="store_true", help="Take seconds: little work, so figures of little use.")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.turns = 1
    loading(min(5, arguments.turns))
    with tempfile.TemporaryDirectory() as folder:
        describing(arguments.photo or prepare(Path(folder)), arguments.turns)


if __name__ == "__main__":
    main()
