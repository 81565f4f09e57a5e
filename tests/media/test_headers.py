"""Small files that would take minutes or fill the memory are refused by their headers; usual ones never are."""

import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageOps

from aigen.errors import PictureError, UsageError
from aigen.media import provenance, uploads
from aigen.vision import facts

SIDE = 5000


def saved(name: str, image: Image.Image | None = None, **options: Any) -> bytes:
    data = BytesIO()
    (image or Image.new("RGB", (64, 48), "red")).save(data, name, **options)
    return data.getvalue()


def chunk(name: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(before: bytes) -> bytes:
    """A PNG with chunks before its pixels."""
    data = saved("PNG")
    at = data.index(b"IDAT") - 4
    return data[:at] + before + data[at:]


def jpeg(before: bytes = b"", after: bytes = b"") -> bytes:
    """A JPEG with segments before its pixels and after them."""
    data = saved("JPEG", progressive=True)
    return data[:2] + before + data[2:-2] + after + data[-2:]


def webp(chunks: bytes) -> bytes:
    body = saved("WEBP")[12:] + chunks
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def exif_bomb() -> bytes:
    """Exif data of which every value is nearly all of it."""
    entries = b"".join(struct.pack("<HHII", 0x1000 + number, 7, 60_000, 8) for number in range(100))
    return (b"II*\0" + struct.pack("<IH", 8, 100) + entries + bytes(4)).ljust(61_000, b"\0")


def last_scan() -> bytes:
    data = jpeg()
    return data[data.rindex(b"\xff\xda") : -2]


BOMBS: dict[str, Callable[[], bytes]] = {
    "a PNG of many texts": lambda: png(chunk(b"tEXt", b"a\0b") * 20_000),
    "a PNG of many unknown chunks": lambda: png(chunk(b"abCd") * 20_000),
    "a PNG of many empty chunks of pixels": lambda: png(chunk(b"IDAT") * 20_000),
    "a JPEG of many comments": lambda: jpeg(b"\xff\xfe\0\2" * 20_000),
    "a JPEG of bytes that only fill": lambda: jpeg(b"\xff" * 20_000),
    "a JPEG of many scans": lambda: jpeg(after=last_scan() * 100),
    "a JPEG of many scans behind a marker without content": lambda: jpeg(b"\xff\xd0\xff\xd8", last_scan() * 100),
    "a JPEG of many scans behind bytes that mean nothing": lambda: jpeg(b"\0\xff\0\xff\xff", last_scan() * 100),
    "a PNG with overlapping Exif values": lambda: png(chunk(b"eXIf") + chunk(b"eXIf", exif_bomb())),
    "a JPEG with overlapping Exif values": lambda: jpeg(
        b"\xff\xe1" + struct.pack(">H", 61_008) + b"Exif\0\0" + exif_bomb()
    ),
    "a WebP with overlapping Exif values": lambda: webp(b"EXIF" + struct.pack("<I", 61_000) + exif_bomb()),
    "a WebP of many chunks": lambda: webp(b"abcd\0\0\0\0" * 20_000),
}


@pytest.mark.parametrize("name", BOMBS)
def test_what_no_program_writes_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(BOMBS[name]())
    if "Exif" in name:  # which is no part of its pixels
        assert uploads.read(path).size == (64, 48)
        assert facts.read(path, camera=True).sentences == ()
    else:
        usual = r"picture 'a\.png' is no usual one \(.*\): save it anew, as PNG or JPEG$"
        with pytest.raises(PictureError, match=usual):
            uploads.read(path)
    if "Exif" in name:
        assert provenance.read(path).prompt is None
    else:
        with pytest.raises(UsageError, match="is cut short or damaged"):
            provenance.read(path)


def test_what_programs_write_is_read(tmp_path: Path) -> None:
    noise = Image.effect_noise((700, 500), 90).convert("RGB")
    exif = Image.Exif()
    exif[271], exif.get_ifd(34665)[37500] = "Camera", bytes(40_000)  # a maker's note
    usual = (
        saved("PNG", noise), saved("PNG", noise, exif=exif), saved("JPEG", noise, quality=95, exif=exif),
        saved("JPEG", noise, progressive=True, icc_profile=bytes(200_000)), saved("WEBP", noise, lossless=True),
        saved("JPEG", noise, comment=b"\xff\xda" * 9), saved("WEBP", noise, exif=exif),
    )  # fmt: skip
    behind = bytes(200_000) + b"\xff\xda" * 100  # such as the clip of a photo that moves
    for data in (*usual, *(each + behind for each in usual)):
        (path := tmp_path / "a").write_bytes(data)
        assert uploads.read(path).size == (700, 500)
        if not data.endswith(behind):
            provenance.read(path)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("orientation", range(10))
def test_a_picture_is_turned_as_its_metadata_says(tmp_path: Path, orientation: int, order: str) -> None:
    image = Image.effect_noise((64, 48), 90).convert("RGB")
    head = b"II*\0" if order == "<" else b"MM\0*"
    exif = head + struct.pack(f"{order}IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)
    for name in ("PNG", "JPEG", "WEBP"):
        (path := tmp_path / "a").write_bytes(saved(name, image, exif=b"Exif\0\0" + exif, lossless=True))
        with Image.open(path) as whole:
            upright = ImageOps.exif_transpose(whole).convert("RGB")
        assert uploads.read(path).tobytes() == upright.tobytes(), name
        assert uploads.glance(path, 1000)[1] == upright.size


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("lossless", [True, False])
def test_a_webp_has_the_pixels_that_pillow_finds(tmp_path: Path, mode: str, lossless: bool) -> None:
    image = Image.effect_noise((301, 203), 90).convert("RGB")
    if mode == "RGBA":
        image.putalpha(Image.effect_noise((301, 203), 90))
    image.save(path := tmp_path / "a.webp", lossless=lossless)
    with Image.open(path) as found:
        white = Image.new("RGB", found.size, "white")
        white.paste(found, mask=found.getchannel("A") if mode == "RGBA" else None)
    assert uploads.read(path).tobytes() == white.tobytes()


def test_a_webp_that_is_cut_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "a.webp"
    whole = saved("WEBP", Image.effect_noise((301, 203), 90).convert("RGB"))
    for end in (len(whole) - 1, len(whole) // 2, 40, 20):
        path.write_bytes(whole[:end])
        for read in (uploads.read, provenance.read):
            with pytest.raises(UsageError, match=r"damaged|cannot be read|no picture"):
                read(path)


LARGE: dict[str, Callable[[Path], None]] = {
    "WebP": lambda path: Image.new("RGB", (SIDE, SIDE)).save(path, "WEBP", lossless=True, method=0),
    "lossy WebP": lambda path: Image.new("RGB", (SIDE, SIDE)).save(path, "WEBP", method=0),
    "transparent PNG": lambda path: Image.new("RGBA", (SIDE, SIDE)).save(path, "PNG"),
    "PNG of 16 bits": lambda path: Image.new("I;16", (SIDE, SIDE)).save(path, "PNG"),
    "grey PNG with transparency": lambda path: Image.new("LA", (SIDE, SIDE)).save(path, "PNG"),
    "PNG with a palette": lambda path: Image.new("P", (SIDE, SIDE)).save(path, "PNG", transparency=0),
    "JPEG of print colours": lambda path: Image.new("CMYK", (SIDE, SIDE)).save(path, "JPEG"),
    "progressive JPEG": lambda path: Image.new("RGB", (SIDE, SIDE)).save(path, "JPEG", progressive=True),
}


@pytest.mark.system
@pytest.mark.parametrize("name", LARGE)
def test_reading_takes_8_bytes_a_pixel(tmp_path: Path, name: str) -> None:
    LARGE[name](tmp_path / "a")
    script = """if True:
        import re, sys
        from pathlib import Path
        import numpy, skia
        from PIL import Image
        from aigen.media import uploads
        Image.init()
        peak = lambda: 1024 * int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
        before = peak()
        image = uploads.read(Path(sys.argv[1]))
        print((peak() - before) / image.width / image.height)
    """
    command = [sys.executable, "-c", script, str(tmp_path / "a")]
    printed = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout
    assert 0 < float(printed) < 8.5
