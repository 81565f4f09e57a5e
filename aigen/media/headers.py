"""What the parts of a picture tell before it is decoded: a small file may take minutes or fill the memory.

Pillow keeps every chunk of a PNG, and decodes all of a progressive JPEG once for each of its scans. Here files are
refused that have many times more of them than any camera or program writes. What else may be wrong with a file, and
what follows the end of the picture in it, is left to the decoder.
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
_EMPTY, _SCAN, _END = (0x01, 0xD8), 0xDA, 0xD9


def check(file: BinaryIO) -> None:
    """Raise ValueError for a PNG, JPEG or WebP that no camera or program writes. Leaves the file at its start."""
    size = file.seek(0, 2)
    file.seek(0)
    start = file.read(12)
    try:
        if start.startswith(b"\x89PNG"):
            _check_parts(_png_chunks(file), size)
        elif start.startswith(b"\xff\xd8"):
            _check_jpeg(file, size)
        elif start[:4] == b"RIFF" and start[8:] == b"WEBP":
            _check_parts(_webp_chunks(file), size)
    finally:
        file.seek(0)


def _check_parts(parts: Iterator[object], size: int) -> None:
    limit = max(PARTS_LIMIT, size // BYTES_PER_PART)
    for number, _ in enumerate(parts):
        if number >= limit:
            raise ValueError(f"it has more than {limit} parts")


def _png_chunks(file: BinaryIO) -> Iterator[bytes]:
    """Yield the name of each chunk up to the end of the picture."""
    at, name = 8, b""
    while name != b"IEND":
        file.seek(at)
        if len(head := file.read(8)) < 8:
            return
        length, name = struct.unpack(">I4s", head)
        yield name
        at += 12 + length


def _webp_chunks(file: BinaryIO) -> Iterator[bytes]:
    file.seek(4)
    (length,) = struct.unpack("<I", file.read(4))
    at, end = 12, 8 + length
    while at < end:
        file.seek(at)
        if len(head := file.read(8)) < 8:
            return
        name, length = struct.unpack("<4sI", head)
        yield name
        at += 8 + length + length % 2


def _check_jpeg(file: BinaryIO, size: int) -> None:
    scans = 0

    def parts() -> Iterator[int]:
        nonlocal scans
        for marker in _jpeg_markers(file.read()):
            scans += marker == _SCAN
            if scans > SCANS_LIMIT:
                raise ValueError(f"it has more than {SCANS_LIMIT} scans")
            yield marker

    file.seek(0)
    _check_parts(parts(), size)


def _jpeg_markers(data: bytes) -> Iterator[int]:
    """Yield the markers up to the end of the picture. Raises ValueError for many bytes that mean nothing."""
    at, between, before_pixels = 2, 0, True
    while (found := _MARKER.search(data, at)) and (marker := found[1][0]) != _END:
        between += found.start() - at if before_pixels else 0
        if between > PARTS_LIMIT:
            raise ValueError(f"it has {between} bytes that mean nothing")
        yield marker
        before_pixels = before_pixels and marker != _SCAN
        at = found.end()
        if marker not in _EMPTY:
            at += int.from_bytes(data[at : at + 2], "big")
