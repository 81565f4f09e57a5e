import os
import subprocess
import sys
from pathlib import Path

import av
import numpy
import pytest
from PIL import Image

from aigen.media.encoding import VideoWriter, save_png
from aigen.types.request import Size
from tests.conftest import gradient, scribble


@pytest.mark.parametrize("size", [Size(16, 16), Size(17, 33), Size(200, 100)])
def test_a_png_is_read_back_exactly(tmp_path: Path, size: Size) -> None:
    save_png(gradient(size), tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        assert (image.mode, image.size, image.format) == ("RGB", (size.width, size.height), "PNG")
        assert (numpy.asarray(image) == gradient(size)[..., :3]).all()


@pytest.mark.parametrize("size", [Size(16, 16), Size(320, 180)])
def test_a_video_is_h264_that_plays_while_it_loads(tmp_path: Path, size: Size) -> None:
    path = scribble("video", tmp_path / "a", size, 12)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert (stream.width, stream.height, stream.average_rate) == (size.width, size.height, 24)
        frames = list(container.decode(stream))
    assert len(frames) == 12
    data = path.read_bytes()
    assert 0 < data.index(b"moov") < data.index(b"mdat")


def test_colours_survive_encoding(tmp_path: Path) -> None:
    size = Size(320, 180)
    pixels = numpy.zeros((180, 320, 4), numpy.uint8)
    pixels[...] = (200, 60, 30, 255)
    with VideoWriter(tmp_path / "a.mp4", size, 24) as video:
        video.write(pixels)
    with av.open(str(tmp_path / "a.mp4")) as container:
        seen = next(container.decode(video=0)).to_ndarray(format="rgb24")
    assert numpy.abs(seen[90, 160].astype(int) - (200, 60, 30)).max() <= 6


def test_the_same_frames_give_the_same_bytes(tmp_path: Path) -> None:
    first, second = (scribble("video", tmp_path / name, Size(320, 180), 40).read_bytes() for name in ("a", "b"))
    assert first == second


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc fills new memory with a byte on demand")
def test_what_lies_in_fresh_memory_does_not_reach_a_video(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from tests.conftest import Size, scribble; scribble('video', "
        "Path(sys.argv[1]), Size(320, 180), 40)"
    )
    for byte in (0, 85, 170):
        subprocess.run(
            [sys.executable, "-c", script, tmp_path / str(byte)],
            check=True,
            env={**os.environ, "MALLOC_PERTURB_": str(byte), "PYTHONPATH": str(Path(__file__).parents[2])},
        )
    assert len({path.read_bytes() for path in tmp_path.glob("*.mp4")}) == 1


def test_an_error_while_drawing_is_not_hidden(tmp_path: Path) -> None:
    def draw() -> None:
        with VideoWriter(tmp_path / "a.mp4", Size(32, 32), 24) as video:
            video.write(gradient(Size(32, 32)))
            raise RuntimeError("no brush")

    with pytest.raises(RuntimeError, match="brush"):
        draw()
