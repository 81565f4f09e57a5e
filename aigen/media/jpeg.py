"""What a JPEG says about itself: segments are written and read as bytes, so that its pixels stay as they are."""

import struct
from collections.abc import Iterator
from pathlib import Path

_EXIF, _XMP, _APP1, _COMMENT, _APP0 = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0", 0xE1, 0xFE, 0xE0
_SCAN = 0xDA
_SEGMENT_LIMIT = 65533
# Begins a comment of ours, which may be one of several that belong together.
_OURS = b"aigen\0"


def mark(path: Path, marked: Path, exact: str, parameters: str, packet: bytes) -> None:
    """Write a copy with our metadata: `exact` as comments, `parameters` as Exif user comment, and the XMP packet."""
    data = path.read_bytes()
    kept = [(kind, segment) for kind, segment in _segments(data) if not _is_replaced(kind, segment)]
    exif = next((segment for kind, segment in kept if kind == _APP1 and segment.startswith(_EXIF)), b"")
    kept = [(kind, segment) for kind, segment in kept if segment is not exif]
    first = [each for each in kept if each[0] == _APP0]
    others = [each for each in kept if each[0] != _APP0]
    ours = [(_APP1, _with_comment(exif, parameters)), (_APP1, _XMP + packet)]
    ours += [(_COMMENT, _OURS + part) for part in _parts(exact.encode())]
    with marked.open("wb") as file:
        file.write(b"\xff\xd8")
        for kind, segment in (*first, *ours, *others):
            if len(segment) <= _SEGMENT_LIMIT:  # what is too long for Exif stands in the comments
                file.write(struct.pack(">BBH", 0xFF, kind, len(segment) + 2) + segment)
        file.write(data[_scan_at(data) :])


def read_exact(data: bytes) -> str | None:
    """Return what `mark` wrote as `exact`; None for other JPEGs."""
    parts = [
        segment[len(_OURS) :] for kind, segment in _segments(data) if kind == _COMMENT and segment.startswith(_OURS)
    ]
    return b"".join(parts).decode(errors="replace") if parts else None


def _is_replaced(kind: int, segment: bytes) -> bool:
    return (kind == _COMMENT and segment.startswith(_OURS)) or (kind == _APP1 and segment.startswith(_XMP))


def _parts(data: bytes) -> Iterator[bytes]:
    length = _SEGMENT_LIMIT - len(_OURS)
    for start in range(0, len(data), length):
        yield data[start : start + length]


def _with_comment(exif: bytes, text: str) -> bytes:
    """Return Exif data with a user comment, where other programs look for their parameters."""
    from PIL import Image
    from PIL.ExifTags import IFD, Base

    found = Image.Exif()
    if exif:
        try:
            found.load(exif)
            found.get_ifd(IFD.Exif)
        except Exception:  # whatever Pillow stumbles over in odd data; then it is left out
            found = Image.Exif()
    found.get_ifd(IFD.Exif)[Base.UserComment] = b"UNICODE\0" + text.encode("utf-16-be")
    return bytes(found.tobytes())


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the segments before the pixels: their kind and content."""
    for kind, start, end in _places(data):
        yield kind, data[start:end]


def _scan_at(data: bytes) -> int:
    """Return where the pixels begin."""
    return max((end for _, _, end in _places(data)), default=2)


def _places(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield the kind of each segment before the pixels, and where its content begins and ends."""
    at = 2
    while True:
        mark = at
        while data[at + 1 : at + 2] == b"\xff":  # bytes that only fill
            at += 1
        kind, length = struct.unpack(">xBH", data[at : at + 4])
        if data[mark] != 0xFF or kind == _SCAN or length < 2:
            return
        yield kind, at + 4, at + 2 + length
        at += 2 + length
