"""Make the README's pictures anew, with the program itself: .venv/bin/python scripts/make_pictures.py

The two pictures are as `aigen generate` leaves them, marks and all; the moving one is a video of its, made smaller.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import av
from PIL import Image

from aigen.provenance import xmp

FOLDER = Path(__file__).parent.parent / "docs" / "pictures"
PICTURES = {"whale.png": "a whale under the stars", "sailboat.png": "a sailboat on the sea at sunset"}
VIDEO = {"cats.webp": "two cats under a full moon in the snow"}


def make(prompt: str, kind: str, size: str, folder: str) -> Path:
    """The first item that an order of this prompt has."""
    count = ["--images", "1", "--videos", "0"] if kind == "image" else ["--images", "0", "--videos", "1"]
    command = [sys.executable, "-m", "aigen", "generate", prompt, *count, "--seed", "7", "--size", size]
    result = subprocess.run([*command, "--content", folder], check=True, stdout=subprocess.PIPE, text=True)
    return Path(result.stdout.splitlines()[-1])


def save_preview(video: Path, path: Path) -> None:
    """Every second frame, half as large."""
    with av.open(str(video)) as container:
        frames = [Image.fromarray(frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)][::2]
    small = [frame.resize((frame.width // 2, frame.height // 2), Image.Resampling.LANCZOS) for frame in frames]
    animation = {"save_all": True, "append_images": small[1:], "duration": 1000 // 12, "loop": 0}
    small[0].save(path, **animation, quality=60, method=6, xmp=xmp("algorithmicMedia"))


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for name, prompt in PICTURES.items():
            shutil.copyfile(make(prompt, "image", "800x600", folder), FOLDER / name)
        for name, prompt in VIDEO.items():
            save_preview(make(prompt, "video", "960x540", folder), FOLDER / name)
