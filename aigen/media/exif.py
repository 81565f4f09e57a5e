"""Reads single values of Exif data, within limits: whatever is broken in the rest does not matter."""

import struct
from collections.abc import Collection

ORIENTATION, DESCRIPTION, MAKE, MODEL, SOFTWARE, USER_COMMENT = 0x0112, 0x010E, 0x010F, 0x0110, 0x0131, 0x9286
TAKEN = 0x9003
_EXIF_DIRECTORY = 0x8769
HEAD = b"Exif\0\0"
# The types of values that are texts, and those that are whole numbers, as `struct` names them.
_TEXTS, _NUMBERS = (1, 2, 7), {3: "H", 4: "I"}


def read_texts(exif: bytes, tags: Collection[int]) -> dict[int, bytes]:
    """Return the texts of these tags in the first directory and in that of the camera's settings."""
    found: dict[int, bytes] = {}
    for tag, kind, count, at, order in _entries(exif):
        if tag in tags and kind in _TEXTS:
            body = exif.removeprefix(HEAD)
            (start,) = struct.unpack_from(f"{order}I", body, at) if count > 4 else (at,)
            found.setdefault(tag, body[start : start + count])
    return found


def read_number(exif: bytes, wanted: int) -> int | None:
    """Return a whole number; None where there is none."""
    for tag, kind, _, at, order in _entries(exif):
        if tag == wanted and kind in _NUMBERS:
            (value,) = struct.unpack_from(f"{order}{_NUMBERS[kind]}", exif.removeprefix(HEAD), at)
            return int(value)
    return None


def _entries(exif: bytes) -> list[tuple[int, int, int, int, str]]:
    """Return tag, type and count of each entry, where its value is, and the order of bytes."""
    body = exif.removeprefix(HEAD)
    order = {b"II": "<", b"MM": ">"}.get(body[:2])
    if order is None or len(body) < 8:
        return []
    (first,) = struct.unpack_from(f"{order}I", body, 4)
    found = _directory(body, first, order)
    for tag, kind, _, at, _ in found:
        if tag == _EXIF_DIRECTORY and kind == 4:
            (second,) = struct.unpack_from(f"{order}I", body, at)
            return found + _directory(body, second, order)
    return found


def _directory(body: bytes, at: int, order: str) -> list[tuple[int, int, int, int, str]]:
    if at + 2 > len(body):
        return []
    (count,) = struct.unpack_from(f"{order}H", body, at)
    ends = min(at + 2 + 12 * count, len(body) - 11)
    return [(*struct.unpack_from(f"{order}HHI", body, entry), entry + 8, order) for entry in range(at + 2, ends, 12)]


def decode_comment(comment: bytes) -> str:
    """Return a user comment as text. What it says of its encoding is often not true."""
    code, text = comment[:8], comment[8:]
    if code not in (b"UNICODE\0", b"ASCII\0\0\0", b"JIS\0\0\0\0\0", bytes(8)):
        text = comment
    if text[:3] == b"\xef\xbb\xbf" or b"\0" not in text.rstrip(b"\0"):
        found = text.decode("utf-8", errors="replace")
    else:
        wide = text[: len(text) // 2 * 2]
        if wide[:2] in (b"\xff\xfe", b"\xfe\xff"):
            found = wide.decode("utf-16", errors="replace")
        else:  # the higher byte of most letters is 0
            order = "utf-16-be" if wide[::2].count(0) >= wide[1::2].count(0) else "utf-16-le"
            found = wide.decode(order, errors="replace")
    return found.replace("\0", "").lstrip("\ufeff").strip()
