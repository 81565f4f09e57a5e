"""Whether a file carries a C2PA manifest: a signature of who made it, which any change of the file would break.

Format: https://spec.c2pa.org/specifications/specifications/2.2/specs/C2PA_Specification.html, appendix A.
"""

import struct
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

_BOX = UUID("d8fec3d6-1b0e-483c-9297-5828877ec481").bytes
_SEGMENT = b"\xeb"  # APP11, which holds JUMBF


def is_signed(path: Path) -> bool:
    """Return whether a PNG, JPEG, WebP or MP4 file carries a manifest; False for damaged and other files."""
    with path.open("rb") as file:
        head = file.read(12)
        file.seek(0)
        try:
            if head.startswith(b"\x89PNG"):
                return _has_chunk(file, 8, b"caBX", ">I4s", trailer=4)
            if head.startswith(b"RIFF"):
                return _has_chunk(file, 12, b"C2PA", "<I4s", name_first=True)
            if head.startswith(b"\xff\xd8"):
                return _has_segment(file)
            return head[4:8] == b"ftyp" and _has_box(file)
        except struct.error:  # it ends too early
            return False


def _has_chunk(
    file: BinaryIO, start: int, wanted: bytes, form: str, *, trailer: int = 0, name_first: bool = False
) -> bool:
    """Look for a chunk of a PNG (length, name, data, checksum) or of a WebP (name, length, data, padding)."""
    file.seek(start)
    while len(header := file.read(8)) == 8:
        if name_first:
            name, length = header[:4], struct.unpack("<I", header[4:])[0]
            length += length % 2
        else:
            length, name = struct.unpack(form, header)
        if name == wanted:
            return True
        file.seek(length + trailer, 1)
    return False


def _has_segment(file: BinaryIO) -> bool:
    """Look for a JUMBF segment of C2PA before the pixels of a JPEG."""
    file.seek(2)
    while True:
        mark, kind = file.read(1), file.read(1)
        while kind == b"\xff":  # bytes that only fill
            kind = file.read(1)
        if mark != b"\xff" or kind in (b"", b"\xda", b"\xd9"):
            return False
        (length,) = struct.unpack(">H", file.read(2))
        if length < 2:
            return False
        data = file.read(length - 2)
        if kind == _SEGMENT and data.startswith(b"JP") and b"c2pa" in data:
            return True


def _has_box(file: BinaryIO) -> bool:
    """Look for the box of C2PA among the outermost ones of an MP4."""
    total, at = file.seek(0, 2), 0
    while at + 8 <= total:
        file.seek(at)
        header = file.read(32)
        size, name = struct.unpack(">I4s", header[:8])
        begin = 8
        if size == 1:
            size, begin = struct.unpack(">Q", header[8:16])[0], 16
        elif size == 0:
            size = total - at
        if name == b"uuid" and header[begin : begin + 16] == _BOX:
            return True
        if size < begin:
            return False
        at += size
    return False
