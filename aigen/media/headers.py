"""The parts of a picture's file, judged before it is decoded: a small file may take minutes or fill the memory.

Pillow decodes all of a progressive JPEG once for each of its scans. Here files are refused that have many times more
scans or parts than any camera or program writes. What else may be wrong with a file, and what follows the end of the
picture in it, is left to the decoder.
"""

import re
import struct
from collections.abc import Iterable, Iterator

PNG, JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8"
# A progressive JPEG has about ten scans. The limit on other parts grows with the file: encoders cut it into parts of
# 8 KiB or more.
SCANS_LIMIT, PARTS_LIMIT, BYTES_PER_PART = 32, 10_000, 1024
# The next marker of a JPEG: bytes that only fill, and those within a scan, are passed over, as decoders do.
_MARKER = re.compile(rb"\xff([\x01-\xcf\xd8-\xfe])")
# Markers without content, that of a scan, and that of the end.
EMPTY, SCAN, _END = (0x01, 0xD8), 0xDA, 0xD9


def is_webp(data: bytes) -> bool:
    return data[:4] == b"RIFF" and data[8:12] == b"WEBP"


def check(data: bytes) -> None:
    """Raise ValueError for a PNG, JPEG or WebP that no camera or program writes."""
    limit = max(PARTS_LIMIT, len(data) // BYTES_PER_PART)
    if data.startswith(PNG[:4]):
        _check_count(png_chunks(data), limit)
    elif is_webp(data):
        _check_count(webp_chunks(data), limit)
    elif data.startswith(JPEG):
        scans = 0
        for number, (marker, _) in enumerate(jpeg_markers(data)):
            scans += marker == SCAN
            if scans > SCANS_LIMIT:
                raise ValueError(f"it has more than {SCANS_LIMIT} scans")
            if number >= limit:
                raise ValueError(f"it has more than {limit} parts")


def _check_count(parts: Iterable[object], limit: int) -> None:
    if any(number >= limit for number, _ in enumerate(parts)):
        raise ValueError(f"it has more than {limit} parts")


def png_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield the name of each chunk up to the end of the picture, where its content begins, and its length."""
    at, name = 8, b""
    while name != b"IEND" and at + 8 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        yield name, at + 8, length
        at += 12 + length


def webp_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield the name of each chunk, where its content begins, and its length."""
    at, end = 12, webp_size(data)
    while at < end and at + 8 <= len(data):
        name, length = struct.unpack_from("<4sI", data, at)
        yield name, at + 8, length
        at += 8 + length + length % 2


def webp_size(data: bytes) -> int:
    """Return the bytes that a WebP says to have."""
    return 8 + int.from_bytes(data[4:8], "little")


def jpeg_markers(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield the markers up to the end of the picture, and what stands behind each.

    Raises ValueError for many bytes that mean nothing.
    """
    at, between, before_pixels = 2, 0, True
    while (found := _MARKER.search(data, at)) and (marker := found[1][0]) != _END:
        between += found.start() - at if before_pixels else 0
        if between > PARTS_LIMIT:
            raise ValueError(f"it has {between} bytes that mean nothing")
        yield marker, found.end()
        before_pixels = before_pixels and marker != SCAN
        at = found.end()
        if marker not in EMPTY:
            at += int.from_bytes(data[at : at + 2], "big")
