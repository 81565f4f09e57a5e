import errno
import os
import subprocess
import sys
from pathlib import Path

import av
import numpy
import pytest
from conftest import gradient, scribble
from PIL import Image

from aigen.content import publish
from aigen.errors import ContentError
from aigen.media.encoding import VideoWriter, save_png
from aigen.media.thumbnails import save_thumbnails
from aigen.types.request import Size


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
        "import sys; from pathlib import Path; from conftest import Size, scribble; scribble('video', "
        "Path(sys.argv[1]), Size(320, 180), 40)"
    )
    for byte in (0, 85, 170):
        subprocess.run(
            [sys.executable, "-c", script, tmp_path / str(byte)],
            check=True,
            env={**os.environ, "MALLOC_PERTURB_": str(byte), "PYTHONPATH": str(Path(__file__).parent)},
        )
    assert len({path.read_bytes() for path in tmp_path.glob("*.mp4")}) == 1


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


@pytest.mark.parametrize(
    ("size", "small", "large"),
    [
        (Size(1024, 1024), (320, 320), (960, 960)),
        (Size(1280, 720), (320, 180), (960, 540)),
        (Size(300, 600), (160, 320), (300, 600)),
        (Size(16, 16), (16, 16), (16, 16)),
        (Size(1600, 16), (320, 3), (960, 10)),
    ],
)
def test_thumbnails_have_the_shape_of_the_picture(
    tmp_path: Path, size: Size, small: tuple[int, int], large: tuple[int, int]
) -> None:
    paths = {tmp_path / "thumbs" / "small.webp": 320, tmp_path / "thumbs" / "large.webp": 960}
    save_thumbnails(scribble("image", tmp_path / "a", size), paths, tmp_path)
    for path, wanted in zip(paths, (small, large), strict=True):
        with Image.open(path) as thumbnail:
            assert (thumbnail.format, thumbnail.size) == ("WEBP", wanted)
            corner = thumbnail.convert("RGB").getpixel((thumbnail.width - 1, 0))
            assert corner[0] > 200 > 60 > corner[1]
    assert len(list((tmp_path / "thumbs").iterdir())) == 2


@pytest.mark.parametrize(("frames", "poster"), [(36, 24), (5, 4), (1, 0)])
def test_a_poster_is_the_frame_at_one_second_or_the_last(tmp_path: Path, frames: int, poster: int) -> None:
    """Every frame has a grey of its own."""
    size = Size(64, 48)
    with VideoWriter(tmp_path / "a.mp4", size, 24) as video:
        for frame in range(frames):
            video.write(numpy.full((48, 64, 4), (frame * 6, frame * 6, frame * 6, 255), numpy.uint8))
    save_thumbnails(tmp_path / "a.mp4", {tmp_path / "a.webp": 320}, tmp_path)
    with Image.open(tmp_path / "a.webp") as thumbnail:
        grey = numpy.asarray(thumbnail.convert("RGB")).mean()
    assert abs(grey - poster * 6) < 3


@pytest.mark.parametrize("error", [OSError("input/output error"), ValueError("no such colour")])
def test_a_thumbnail_that_cannot_be_made_says_of_what_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    video = scribble("video", tmp_path / "a")

    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(Image.Image, "save", fail)
    with pytest.raises(ContentError, match=rf"a\.mp4 can be made: {error}"):
        save_thumbnails(video, {tmp_path / "thumbs" / "a.webp": 320}, tmp_path)
    assert list(tmp_path.iterdir()) == [video]


def test_a_full_disk_is_no_matter_of_one_thumbnail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "no space left on device")

    monkeypatch.setattr(Image.Image, "save", fail)
    with pytest.raises(OSError, match="space"):
        save_thumbnails(scribble("image", tmp_path / "a"), {tmp_path / "a.webp": 320}, tmp_path)


@pytest.mark.parametrize("content", [None, b"", b"no picture"])
def test_there_is_no_thumbnail_of_what_is_no_picture(tmp_path: Path, content: bytes | None) -> None:
    for name in ("a.png", "a.mp4"):
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(ContentError, match=name):
            save_thumbnails(tmp_path / name, {tmp_path / "a.webp": 320}, tmp_path)
