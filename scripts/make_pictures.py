"""Make the pictures of the README and of the web gallery anew, with the program itself:

.venv/bin/python scripts/make_pictures.py [docs | gallery] [--quick]

Pictures of the README are as `aigen generate` leaves them, marks and all; the moving one is a video of its, made
smaller. Those of the gallery are made smaller; the video is as it was made. With --quick all are tiny, and go to a
temporary folder: to see that it works.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import av
from PIL import Image

from aigen.media.provenance import xmp
from aigen.types.styles import STYLES, STYLES_IN_TURN

FOLDER = Path(__file__).parent.parent / "docs" / "pictures"
PICTURES = {"whale.png": "a whale under the stars", "sailboat.png": "a sailboat on the sea at sunset"}
GALLERY = Path(__file__).parent.parent / "aigen" / "viewer" / "static"
EXAMPLES = {
    "whale": ("a whale under the stars", "plain"),
    "astronaut": ("an astronaut riding a horse on the moon", "cinematic"),
    "foxes": ("two foxes in the snow", "watercolour"),
    "castle": ("a castle behind the forest", "paper-cut"),
}
EXAMPLE_VIDEO = "a sailboat on the sea at sunset"
STYLED = "a fox in the forest"
VIDEO = {"cats.webp": "two cats under a full moon in the snow"}


def make(prompt: str, kind: str, size: str, folder: str, style: str = "plain") -> Path:
    """The first item that an order of this prompt has."""
    count = ["--images", "1", "--videos", "0"] if kind == "image" else ["--images", "0", "--videos", "1"]
    command = [
        sys.executable,
        "-m",
        "aigen",
        "generate",
        prompt,
        *count,
        "--seed",
        "7",
        "--size",
        size,
        "--style",
        style,
    ]
    result = subprocess.run([*command, "--content", folder], check=True, stdout=subprocess.PIPE, text=True)
    return Path(result.stdout.splitlines()[-1])


def save_small(picture: Path, path: Path, width: int) -> None:
    with Image.open(picture) as opened:
        small = opened.convert("RGB").resize((width, opened.height * width // opened.width), Image.Resampling.LANCZOS)
    small.save(path, quality=72, method=6, xmp=xmp("algorithmicMedia"))


def save_in_turn(paths: list[Path], path: Path) -> None:
    """A stripe of each picture, side by side."""
    together = Image.open(paths[0]).convert("RGB")
    width = together.width // len(paths)
    for place, each in enumerate(paths):
        with Image.open(each) as opened:
            area = (place * width, 0, (place + 1) * width, together.height)
            together.paste(opened.convert("RGB").crop(area), area[:2])
    together.save(path, quality=80, method=6, xmp=xmp("algorithmicMedia"))


def save_preview(video: Path, path: Path) -> None:
    """Every second frame, half as large."""
    with av.open(str(video)) as container:
        frames = [Image.fromarray(frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)][::2]
    small = [frame.resize((frame.width // 2, frame.height // 2), Image.Resampling.LANCZOS) for frame in frames]
    animation = {"save_all": True, "append_images": small[1:], "duration": 1000 // 12, "loop": 0}
    small[0].save(path, **animation, quality=60, method=6, xmp=xmp("algorithmicMedia"))


def make_docs(folder: str, target: Path, shrink: int) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for name, prompt in PICTURES.items():
        shutil.copyfile(make(prompt, "image", smaller(800, 600, shrink), folder), target / name)
    for name, prompt in VIDEO.items():
        save_preview(make(prompt, "video", smaller(960, 540, shrink), folder), target / name)


def make_gallery(folder: str, target: Path, shrink: int) -> None:
    for name, (prompt, style) in EXAMPLES.items():
        picture = make(prompt, "image", smaller(960, 960, shrink), folder, style)
        save_small(picture, target / f"example-{name}.webp", 480 // shrink)
    video = make(EXAMPLE_VIDEO, "video", smaller(854, 480, shrink), folder)
    shutil.copyfile(video, target / "example.mp4")
    with av.open(str(video)) as container:
        first = next(container.decode(video=0))
        Image.fromarray(first.to_ndarray(format="rgb24")).save(target / "example.webp", quality=70, method=6)
    for style in STYLES:
        picture = make(STYLED, "image", smaller(640, 480, shrink), folder, style)
        save_small(picture, target / f"style-{style}.webp", 240 // shrink)
    save_in_turn([target / f"style-{style}.webp" for style in STYLES_IN_TURN], target / "style-in-turn.webp")


def smaller(width: int, height: int, shrink: int) -> str:
    return f"{width // shrink}x{height // shrink}"


def main(names: list[str], quick: bool) -> None:
    with tempfile.TemporaryDirectory() as made, tempfile.TemporaryDirectory() as elsewhere:
        for name, makes, target in (("docs", make_docs, FOLDER), ("gallery", make_gallery, GALLERY)):
            if name in names or not names:
                makes(made, Path(elsewhere) if quick else target, 10 if quick else 1)


if __name__ == "__main__":
    main([name for name in sys.argv[1:] if name != "--quick"], "--quick" in sys.argv)
