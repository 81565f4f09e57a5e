from pathlib import Path

import av
import numpy
import pytest
from PIL import Image

from aigen.media import VideoWriter, publish, save_png
from aigen.types import Size


def gradient(size: Size, shift: int = 0) -> "numpy.ndarray":
    pixels = numpy.zeros((size.height, size.width, 4), numpy.uint8)
    pixels[..., 0] = (numpy.linspace(0, 255, size.width) + shift) % 256
    pixels[..., 1] = numpy.linspace(0, 255, size.height)[:, None]
    pixels[..., 3] = 255
    return pixels


def encode(path: Path, size: Size, frames: int = 12) -> None:
    with VideoWriter(path, size, 24) as video:
        pixels = gradient(size)
        for frame in range(frames):
            pixels[:] = gradient(size, frame)
            video.write(pixels)


@pytest.mark.parametrize("size", [Size(16, 16), Size(17, 33), Size(200, 100)])
def test_a_png_is_read_back_exactly(tmp_path: Path, size: Size) -> None:
    save_png(gradient(size), tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        assert (image.mode, image.size, image.format) == ("RGB", (size.width, size.height), "PNG")
        assert (numpy.asarray(image) == gradient(size)[..., :3]).all()


@pytest.mark.parametrize("size", [Size(16, 16), Size(320, 180)])
def test_a_video_is_h264_that_plays_while_it_loads(tmp_path: Path, size: Size) -> None:
    path = tmp_path / "a.mp4"
    encode(path, size)
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
    for name in ("a.mp4", "b.mp4"):
        encode(tmp_path / name, Size(320, 180), 40)
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


def test_an_error_while_drawing_is_not_hidden(tmp_path: Path) -> None:
    def draw() -> None:
        with VideoWriter(tmp_path / "a.mp4", Size(32, 32), 24) as video:
            video.write(gradient(Size(32, 32)))
            raise RuntimeError("no brush")

    with pytest.raises(RuntimeError, match="brush"):
        draw()


def test_publish_moves_a_file_whole(tmp_path: Path) -> None:
    made, final = tmp_path / "made", tmp_path / "user" / "final"
    made.write_bytes(b"whole")
    publish(made, final)
    assert (final.read_bytes(), made.exists()) == (b"whole", False)
