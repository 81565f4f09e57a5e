"""What the headers of a picture tell before it is decoded: a small file may take minutes or fill the memory.

Pillow keeps every chunk of a PNG and every value of Exif data, and decodes all of a JPEG once for each of its scans.
Here files are refused that have many times more of them than any camera or program writes.
"""

import io
import struct
from collections.abc import Iterator
from typing import BinaryIO

# Encoders cut a PNG into chunks of 8 KiB or more, and a JPEG's metadata into segments of 64 KiB. A progressive JPEG has
# about ten scans.
CHUNKS_LIMIT, SCANS_LIMIT = 10_000, 32
# The bytes of one value of each type in Exif data.
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8}
_ORIENTATION = 0x0112
_APP1, _SCAN = 0xE1, 0xDA


def check(file: BinaryIO) -> int:
    """Return how a picture is to be turned, as its Exif data says it (1: not at all); leave the file at its start.

    Raises ValueError for a PNG, JPEG or WebP that no camera or program would write. What else may be wrong with it is
    left to the decoder.
    """
    file.seek(0)
    start = file.read(12)
    exif = b""
    try:
        if start.startswith(b"\x89PNG"):
            exif = _read_exif(file, _png_chunks(file), b"eXIf")
        elif start.startswith(b"\xff\xd8"):
            exif = _check_jpeg(file)
        elif start[:4] == b"RIFF" and start[8:] == b"WEBP":
            exif = _read_exif(file, _webp_chunks(file), b"EXIF")
    finally:
        file.seek(0)
    return _check_exif(exif.removeprefix(b"Exif\0\0"))


def _png_chunks(file: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """Yield the name of each chunk, where it starts and its length."""
    at = 8
    while True:
        file.seek(at)
        if len(head := file.read(8)) < 8:
            return
        length, name = struct.unpack(">I4s", head)
        yield name, at + 8, length
        at += 12 + length


def _webp_chunks(file: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    at = 12
    while True:
        file.seek(at)
        if len(head := file.read(8)) < 8:
            return
        name, length = struct.unpack("<4sI", head)
        yield name, at + 8, length
        at += 8 + length + length % 2


def _read_exif(file: BinaryIO, chunks: Iterator[tuple[bytes, int, int]], name: bytes) -> bytes:
    """Return the Exif data in a chunk of this name. Raises ValueError if there are too many chunks."""
    exif = b""
    for number, (found, at, length) in enumerate(chunks):
        if number >= CHUNKS_LIMIT:
            raise ValueError(f"it has more than {CHUNKS_LIMIT} parts")
        if found == name and not exif:
            file.seek(at)
            exif = file.read(length)
    return exif


def _check_jpeg(file: BinaryIO) -> bytes:
    """Return the Exif data of a JPEG. Raises ValueError if it has too many segments or scans."""
    exif, at, number = b"", 2, 0
    file.seek(0)
    data = file.read()
    while data[at : at + 1] == b"\xff" and number < CHUNKS_LIMIT:
        if data[at + 1 : at + 2] == b"\xff":  # a byte that only fills
            at, number = at + 1, number + 1
            continue
        kind, length = struct.unpack(">xBH", data[at : at + 4].ljust(4, b"\0"))
        if kind == _SCAN or length < 2:
            break
        segment = data[at + 4 : at + 2 + length]
        if kind == _APP1 and segment.startswith(b"Exif\0\0"):
            exif += segment[6:]  # what is longer than a segment goes on in the next
        at, number = at + 2 + length, number + 1
    if number >= CHUNKS_LIMIT:
        raise ValueError(f"it has more than {CHUNKS_LIMIT} parts")
    # Within the data of a scan these two bytes do not occur.
    if (scans := data.count(bytes((0xFF, _SCAN)), at)) > SCANS_LIMIT:
        raise ValueError(f"it has {scans} scans")
    return exif


def _check_exif(exif: bytes) -> int:
    """Return the orientation. Raises ValueError if the values of the first directory overlap many times over."""
    order = {b"II": "<", b"MM": ">"}.get(exif[:2])
    if order is None or len(exif) < 8:
        return 1
    (at,) = struct.unpack(f"{order}I", exif[4:8])
    if at + 2 > len(exif):
        return 1
    (count,) = struct.unpack(f"{order}H", exif[at : at + 2])
    total, orientation = 0, 1
    for number in range(count):
        entry = exif[at + 2 + 12 * number : at + 14 + 12 * number]
        if len(entry) < 12:
            break
        tag, kind, values, short = struct.unpack(f"{order}HHIH2x", entry)
        total += _SIZES.get(kind, 1) * values
        if tag == _ORIENTATION and kind == 3 and 1 <= short <= 8:
            orientation = short
    if total > 2 * len(exif) + io.DEFAULT_BUFFER_SIZE:
        raise ValueError("its Exif data is longer than its file says")
    return orientation
