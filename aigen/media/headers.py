"""What the parts of a picture tell before it is decoded: a small file may take minutes or fill the memory.

Pillow keeps every chunk of a PNG, decodes all of a progressive JPEG once for each of its scans, and before version 13
keeps every value of Exif data, however often these overlap. Here files are refused that have many times more of that
than any camera or program writes. What else may be wrong with a file, and what follows the end of the picture in it,
is left to the decoder.
"""

import re
import struct
from collections.abc import Iterator
from typing import BinaryIO

# A progressive JPEG has about ten scans. The limit on other parts grows with the file: encoders cut it into parts of
# 8 KiB or more.
SCANS_LIMIT, PARTS_LIMIT, BYTES_PER_PART = 32, 10_000, 1024
# The next marker of a JPEG: bytes that only fill, and those within a scan, are passed over, as decoders do.
_MARKER = re.compile(rb"\xff([\x01-\xcf\xd8-\xfe])")
# Markers without content, that of a scan, and that of the end.
_EMPTY, _SCAN, _END, _APP1 = (0x01, 0xD8), 0xDA, 0xD9, 0xE1
_EXIF = b"Exif\0\0"
# The bytes of one value of each type in Exif data.
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8}


def check(file: BinaryIO, exif: bool = True) -> None:
    """Raise ValueError for a PNG, JPEG or WebP that no camera or program writes. Leaves the file at its start.

    `exif`: also for its Exif data, for those who have Pillow read that.
    """
    size = file.seek(0, 2)
    file.seek(0)
    start = file.read(12)
    try:
        if start.startswith(b"\x89PNG"):
            _check_parts(file, _png_chunks(file), size, b"eXIf" if exif else b"")
        elif start.startswith(b"\xff\xd8"):
            _check_jpeg(file, size, exif)
        elif start[:4] == b"RIFF" and start[8:] == b"WEBP":
            _check_parts(file, _webp_chunks(file), size, b"EXIF" if exif else b"")
    finally:
        file.seek(0)


def _check_parts(file: BinaryIO, parts: Iterator[tuple[bytes, int, int]], size: int, exif: bytes) -> None:
    """Check the number of parts, and those of the name `exif`."""
    limit = max(PARTS_LIMIT, size // BYTES_PER_PART)
    for number, (name, at, length) in enumerate(parts):
        if number >= limit:
            raise ValueError(f"it has more than {limit} parts")
        if name == exif:
            file.seek(at)
            _check_exif(file.read(length))


def _png_chunks(file: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """Yield the name of each chunk up to the end of the picture, where its content begins, and its length."""
    at, name = 8, b""
    while name != b"IEND":
        file.seek(at)
        if len(head := file.read(8)) < 8:
            return
        length, name = struct.unpack(">I4s", head)
        yield name, at + 8, length
        at += 12 + length


def _webp_chunks(file: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    file.seek(4)
    (length,) = struct.unpack("<I", file.read(4))
    at, end = 12, 8 + length
    while at < end:
        file.seek(at)
        if len(head := file.read(8)) < 8:
            return
        name, length = struct.unpack("<4sI", head)
        yield name, at + 8, length
        at += 8 + length + length % 2


def _check_jpeg(file: BinaryIO, size: int, with_exif: bool) -> None:
    file.seek(0)
    data, exif = file.read(), bytearray()
    scans, limit = 0, max(PARTS_LIMIT, size // BYTES_PER_PART)
    for number, (marker, at) in enumerate(_jpeg_markers(data)):
        scans += marker == _SCAN
        if scans > SCANS_LIMIT:
            raise ValueError(f"it has more than {SCANS_LIMIT} scans")
        if number >= limit:
            raise ValueError(f"it has more than {limit} parts")
        if marker == _APP1 and data.startswith(_EXIF, at + 2):  # what is longer than a segment goes on in the next
            exif += data[at + 8 : at + int.from_bytes(data[at : at + 2], "big")]
    if with_exif:
        _check_exif(bytes(exif))


def _jpeg_markers(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield the markers up to the end of the picture, and what stands behind each.

    Raises ValueError for many bytes that mean nothing.
    """
    at, between, before_pixels = 2, 0, True
    while (found := _MARKER.search(data, at)) and (marker := found[1][0]) != _END:
        between += found.start() - at if before_pixels else 0
        if between > PARTS_LIMIT:
            raise ValueError(f"it has {between} bytes that mean nothing")
        yield marker, found.end()
        before_pixels = before_pixels and marker != _SCAN
        at = found.end()
        if marker not in _EMPTY:
            at += int.from_bytes(data[at : at + 2], "big")


def _check_exif(exif: bytes) -> None:
    """Raise ValueError if the values of the first directory of Exif data overlap many times over."""
    exif = exif.removeprefix(_EXIF)
    order = {b"II": "<", b"MM": ">"}.get(exif[:2])
    if order is None or len(exif) < 8:
        return
    (at,) = struct.unpack(f"{order}I", exif[4:8])
    (count,) = struct.unpack(f"{order}H", exif[at : at + 2].ljust(2, b"\0"))
    total = 0
    for number in range(count):
        entry = exif[at + 2 + 12 * number : at + 14 + 12 * number]
        if len(entry) < 12:
            break
        kind, values = struct.unpack(f"{order}2xHI4x", entry)
        total += _SIZES.get(kind, 1) * values
    if total > 2 * len(exif) + 8192:
        raise ValueError("its Exif data is longer than its file says")
