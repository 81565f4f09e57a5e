"""Pictures that users bring: what is a picture, and what is left of it."""

import os
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from aigen.errors import UsageError
from aigen.media import uploads


def a_picture(path: Path, size: tuple[int, int] = (40, 20), mode: str = "RGB", **options: Any) -> Path:
    """A picture whose left half is dark, the right one bright."""
    image = Image.new("L", size, 30)
    image.paste(220, (size[0] // 2, 0, *size))
    image.convert(mode).save(path, **options)
    return path


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp"])
def test_png_jpeg_and_webp_are_read(tmp_path: Path, name: str) -> None:
    image = uploads.read(a_picture(tmp_path / name))
    assert (image.mode, image.size) == ("RGB", (40, 20))
    (left, *_), (right, *_) = image.getpixel((2, 10)), image.getpixel((37, 10))  # type: ignore[misc]
    assert left < 60 < 190 < right


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "LA", "1", "CMYK"])
def test_whatever_its_pixels_are_they_become_rgb(tmp_path: Path, mode: str) -> None:
    path = a_picture(tmp_path / ("a.jpg" if mode == "CMYK" else "a.png"), mode=mode)
    assert uploads.read(path).mode == "RGB"


def test_sixteen_bits_are_scaled_and_not_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.new("I;16", (20, 20), 32768).save(path)
    (value, *_) = uploads.read(path).getpixel((5, 5))  # type: ignore[misc]
    assert 120 < value < 136


def test_what_is_transparent_becomes_white(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.new("RGBA", (20, 20), (200, 0, 0, 0)).save(path)
    assert uploads.read(path).getpixel((5, 5)) == (255, 255, 255)


def test_it_stands_upright_and_tells_nothing_else(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[274] = 6  # turned by a quarter
    exif.get_ifd(34853)[2] = (48.0, 8.0, 0.0)  # where it was taken
    path = a_picture(tmp_path / "a.jpg", exif=exif, comment=b"secret")
    image = uploads.read(path)
    assert image.size == (20, 40)
    saved = tmp_path / "work" / "source.png"
    uploads.save(image, saved)
    with Image.open(saved) as kept:
        kept.load()
        assert not kept.getexif()
        assert not {name for name in kept.info if name not in ("gamma", "srgb")}
    assert b"secret" not in saved.read_bytes()
    assert [path.name for path in saved.parent.iterdir()] == ["source.png"]


def test_a_jpeg_with_a_preview_is_no_animation(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    Image.new("RGB", (40, 20)).save(path, format="MPO", save_all=True, append_images=[Image.new("RGB", (20, 10))])
    assert uploads.read(path).size == (40, 20)


def bomb(path: Path, width: int, height: int) -> Path:
    """A PNG that says to be large and is small."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1000))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b""))
    return path


def test_what_cannot_be_used_is_one_clear_line(tmp_path: Path) -> None:
    text = tmp_path / "a.txt"
    text.write_text("a kite")
    whole = a_picture(tmp_path / "whole.jpg", (300, 300)).read_bytes()
    (cut := tmp_path / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "blue")]
    frames[0].save(moving := tmp_path / "moving.webp", save_all=True, append_images=frames[1:])
    frames[0].save(other := tmp_path / "other.gif")
    with (large := tmp_path / "large.png").open("wb") as file:
        os.truncate(file.fileno(), uploads.BYTES_LIMIT + 1)
    for path, told in (
        (tmp_path / "none.png", "is not there: check the path"),
        (tmp_path, "is no file"),
        (text, r"picture 'a.txt' cannot be read: give a PNG, a JPEG or a WebP"),
        (other, "cannot be read"),
        (cut, r"^picture 'cut.jpg' is damaged: give another copy$"),
        (moving, "is animated: give a still one"),
        (large, r"has 20 MB: the limit is 20 MB"),
        (bomb(tmp_path / "bomb.png", 10_000, 10_000), "has 10000x10000 pixels: the limit is 64 million"),
        (bomb(tmp_path / "huge.png", 60_000, 60_000), "too many pixels: the limit is 64 million"),
        (a_picture(tmp_path / "thin.png", (400, 4)), "has 400x4 pixels: at least 16 a side are needed"),
    ):
        with pytest.raises(UsageError, match=told) as refused:
            uploads.read(path)
        assert "\n" not in str(refused.value)


def test_a_large_jpeg_can_be_read_smaller(tmp_path: Path) -> None:
    path = a_picture(tmp_path / "a.jpg", (1600, 800))
    assert uploads.read(path).size == (1600, 800)
    assert uploads.read(path, least=400).size == (400, 200)
    assert uploads.read(path, least=401).size == (800, 400)
    assert uploads.read(path, least=5000).size == (1600, 800)
    image, size = uploads.glance(path, 400)
    assert (image.size, image.mode, size) == ((400, 200), "RGB", (1600, 800))
    (left, *_), (right, *_) = image.getpixel((20, 100)), image.getpixel((380, 100))  # type: ignore[misc]
    assert left < 60 < 190 < right


def test_a_glance_tells_the_upright_size(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[274] = 8
    image, size = uploads.glance(a_picture(tmp_path / "a.jpg", (1600, 800), exif=exif), 400)
    assert (image.size, size) == ((200, 400), (800, 1600))
    image, size = uploads.glance(a_picture(tmp_path / "a.png", (1600, 800)), 400)
    assert image.size == size == (1600, 800)


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_a_jpeg_of_other_pixels_can_be_read_smaller_too(tmp_path: Path, mode: str) -> None:
    image = uploads.read(a_picture(tmp_path / "a.jpg", (1600, 800), mode=mode), least=400)
    assert (image.size, image.mode) == ((400, 200), "RGB")


def test_a_narrow_jpeg_keeps_its_width(tmp_path: Path) -> None:
    assert uploads.read(a_picture(tmp_path / "a.jpg", (4000, 16)), least=400).size == (4000, 16)


def test_a_glance_refuses_what_reading_does(tmp_path: Path) -> None:
    whole = a_picture(tmp_path / "whole.jpg", (300, 300)).read_bytes()
    (cut := tmp_path / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    for path, told in (
        (cut, r"picture 'holiday\.jpg' is damaged: give another copy"),
        (a_picture(tmp_path / "thin.png", (400, 4)), r"picture 'holiday\.jpg' has 400x4 pixels"),
        (bomb(tmp_path / "bomb.png", 10_000, 10_000), r"picture 'holiday\.jpg' has 10000x10000 pixels: the limit is"),
        (tmp_path / "none.png", r"picture 'holiday\.jpg' is not there"),
    ):
        for look in (
            lambda at: uploads.glance(at, 100, name="holiday.jpg"),
            lambda at: uploads.read(at, name="holiday.jpg"),
        ):
            with pytest.raises(UsageError, match=told):
                look(path)
