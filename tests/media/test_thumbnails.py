import errno
from pathlib import Path

import numpy
import pytest
from PIL import Image

from aigen.content import ContentFolder
from aigen.errors import ContentError
from aigen.media.encoding import VideoWriter
from aigen.media.thumbnails import save_thumbnails
from aigen.types.request import Size
from tests.conftest import scribble


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
    save_thumbnails(scribble("image", tmp_path / "a", size), paths, ContentFolder(tmp_path))
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
    save_thumbnails(tmp_path / "a.mp4", {tmp_path / "a.webp": 320}, ContentFolder(tmp_path))
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
        save_thumbnails(video, {tmp_path / "thumbs" / "a.webp": 320}, ContentFolder(tmp_path))
    assert sorted(tmp_path.iterdir()) == [tmp_path / ".work", video]
    assert list((tmp_path / ".work").iterdir()) == []


def test_a_full_disk_is_no_matter_of_one_thumbnail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "no space left on device")

    monkeypatch.setattr(Image.Image, "save", fail)
    with pytest.raises(OSError, match="space"):
        save_thumbnails(scribble("image", tmp_path / "a"), {tmp_path / "a.webp": 320}, ContentFolder(tmp_path))


@pytest.mark.parametrize("content", [None, b"", b"no picture"])
def test_there_is_no_thumbnail_of_what_is_no_picture(tmp_path: Path, content: bytes | None) -> None:
    for name in ("a.png", "a.mp4"):
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(ContentError, match=name):
            save_thumbnails(tmp_path / name, {tmp_path / "a.webp": 320}, ContentFolder(tmp_path))
