"""The file of a picture without what else it tells: pixels alone for the decoder, and what matters of the rest.

Whatever stands beside the pixels (texts, Exif data, profiles, previews) may be broken, huge or hostile, and is no
reason to refuse a picture. So decoders never see it. The orientation and the colour profile are read here, in limits.
"""

import html
import re
import struct
import zlib
from dataclasses import dataclass, field

from aigen.media import headers
from aigen.media.exif import (
    DESCRIPTION,
    HEAD,
    MAKE,
    MODEL,
    ORIENTATION,
    SOFTWARE,
    USER_COMMENT,
    decode_comment,
    read_number,
    read_texts,
)

# The largest colour profile that is used, and the most of what is packed that is looked at, in bytes.
PROFILE_LIMIT, TEXT_LIMIT = 4_000_000, 1_000_000
# The most bytes of one text that somebody asks for, such as a workflow.
_WHOLE_TEXT = 32_000_000
_XMP_COMMENT = re.compile(rb"<exif:UserComment>(.*?)</exif:UserComment>", re.DOTALL)
_XMP_ORIENTATION = re.compile(rb"tiff:Orientation(?:=[\"']|>)([1-8])")


@dataclass(frozen=True)
class Bare:
    """A picture's file that holds its pixels alone; how it is turned (1 to 8), and its colour profile (ICC).

    `exif` and `xmp` are its Exif data and XMP, `texts` what it says by name, if that was asked for.
    """

    data: bytes
    orientation: int = 1
    profile: bytes | None = None
    is_animated: bool = False
    exif: bytes = b""
    xmp: bytes = b""
    texts: dict[str, str] = field(default_factory=dict)


@dataclass
class _Beside:
    """What was found beside the pixels."""

    wants_texts: bool
    exif: bytes = b""
    xmp: bytes = b""
    profile: bytes = b""
    texts: dict[str, str] = field(default_factory=dict)

    @property
    def limit(self) -> int:
        """The most bytes of a text that are of interest."""
        return _WHOLE_TEXT if self.wants_texts else TEXT_LIMIT

    def bare(self, data: bytes, is_animated: bool = False) -> Bare:
        profile = self.profile if 128 < len(self.profile) <= PROFILE_LIMIT else None
        orientation = _orientation(self.exif) or _xmp_orientation(self.xmp) or 1
        texts = {**self.texts, **_texts_beside(self)} if self.wants_texts else {}
        return Bare(data, orientation, profile, is_animated, self.exif, self.xmp, texts)


def strip(data: bytes, texts: bool = False) -> Bare:
    """Return the file of a PNG, JPEG or WebP without metadata; other files as they are."""
    found = _Beside(texts)
    if data.startswith(headers.PNG):
        return _strip_png(data, found)
    if data.startswith(headers.JPEG):
        return _strip_jpeg(data, found)
    if headers.is_webp(data):
        return _strip_webp(data, found)
    return Bare(data)


def _texts_beside(found: _Beside) -> dict[str, str]:
    """Return the texts of Exif data and XMP by name."""
    names = {MAKE: "Make", MODEL: "Model", DESCRIPTION: "ImageDescription", SOFTWARE: "Software"}
    told = read_texts(found.exif, {*names, USER_COMMENT})
    texts = {
        names[tag]: text.decode("utf-8", errors="replace").strip("\0 ") for tag, text in told.items() if tag in names
    }
    if USER_COMMENT in told:
        texts["UserComment"] = decode_comment(told[USER_COMMENT])
    if comment := _XMP_COMMENT.search(found.xmp):
        text = re.sub(rb"<[^>]*>", b"", comment[1]).decode("utf-8", errors="replace")
        texts["xmp:UserComment"] = html.unescape(text).strip()
    return {name: text for name, text in texts.items() if text}


def _strip_png(data: bytes, found: _Beside) -> Bare:
    kept, is_animated, name = [data[:8]], False, b""
    for name, start, length in headers.png_chunks(data):
        at, end = start - 8, start + length + 4
        content = data[start : end - 4]
        if end > len(data) and name == b"IDAT":  # cut: what is there of it stands for itself
            kept.append(struct.pack(">I4s", len(data) - at - 8, name) + data[at + 8 :])
            kept.append(struct.pack(">I", zlib.crc32(name + data[at + 8 :])))
        elif name[:1].isupper() or name == b"tRNS":
            kept.append(data[at:end])
        elif name == b"acTL":
            is_animated = len(content) >= 4 and int.from_bytes(content[:4], "big") > 1
        elif name == b"iCCP":
            _, _, packed = content.partition(b"\0")
            found.profile = _unpacked(packed[1:], TEXT_LIMIT)
        elif name == b"eXIf":
            found.exif = content
        elif name in (b"tEXt", b"zTXt", b"iTXt"):
            _read_text(name, content, found)
    if name != b"IEND":  # it ends without saying so: whether all of its rows are there is for the decoder to find out
        kept.append(b"\0\0\0\0IEND\xaeB`\x82")
    return found.bare(b"".join(kept), is_animated)


def _read_text(name: bytes, content: bytes, found: _Beside) -> None:
    """Take a text of a PNG: as what it is, and as Exif data and XMP, which programs have put there."""
    keyword, _, rest = content.partition(b"\0")
    if name == b"iTXt":
        is_packed, rest = rest[:1] == b"\1", rest[2:].partition(b"\0")[2].partition(b"\0")[2]
    else:
        is_packed, rest = name == b"zTXt", rest[1:] if name == b"zTXt" else rest
    is_profile = keyword in (b"XML:com.adobe.xmp", b"Raw profile type exif")
    if not is_profile and not found.wants_texts:
        return
    text = _unpacked(rest, found.limit) if is_packed else rest[: found.limit]
    if keyword == b"XML:com.adobe.xmp":
        found.xmp = text
    elif is_profile and not found.exif:
        digits = b"".join(text.split()[2:])  # behind its name and its length
        found.exif = bytes.fromhex(digits.decode("ascii")) if re.fullmatch(rb"(?:[0-9a-fA-F]{2})+", digits) else b""
    elif not is_profile:
        found.texts.setdefault(keyword.decode("latin-1"), _decode(text))


def _decode(text: bytes) -> str:
    """Return a text; those that should be Latin-1 are often UTF-8."""
    try:
        return text.decode("utf-8").lstrip("\ufeff")
    except UnicodeDecodeError:
        return text.decode("latin-1")


def _strip_jpeg(data: bytes, found: _Beside) -> Bare:
    kept, profile = [data[:2]], {}
    for marker, at in headers.jpeg_markers(data):
        if marker in headers.EMPTY:
            continue
        if marker == headers.SCAN:
            kept.append(data[at - 2 :])
            break
        end = at + int.from_bytes(data[at : at + 2], "big")
        content = data[at + 2 : end]
        if marker == 0xE1 and content.startswith(HEAD):
            found.exif += content[len(HEAD) :] if found.exif else content
        elif marker == 0xE1 and content.startswith(b"http://ns.adobe.com/xap/1.0/\0"):
            found.xmp = content
        elif marker == 0xE2 and content.startswith(b"ICC_PROFILE\0"):
            profile[content[12:13]] = content[14:]
        elif marker == 0xFE:
            if found.wants_texts:
                found.texts.setdefault("comment", _decode(content))
        elif marker in (0xE0, 0xEE) or not 0xE0 <= marker <= 0xEF:
            kept.append(data[at - 2 : end])
    found.profile = b"".join(profile[number] for number in sorted(profile))
    return found.bare(b"".join(kept))


def _strip_webp(data: bytes, found: _Beside) -> Bare:
    if headers.webp_size(data) > len(data):  # it is cut
        return Bare(data)
    kept, is_animated = [], False
    for name, start, length in headers.webp_chunks(data):
        at, end = start - 8, start + length + length % 2
        content = data[start : start + length]
        if name == b"VP8X":
            is_animated = bool(content[:1] and content[0] & 0x02)
            kept.append(data[at : at + 8] + bytes([content[0] & ~0x2C]) + data[at + 9 : end])
        elif name == b"EXIF":
            found.exif = content
        elif name == b"XMP ":
            found.xmp = content
        elif name == b"ICCP":
            found.profile = content
        else:
            kept.append(data[at:end])
    body = b"WEBP" + b"".join(kept)
    return found.bare(b"RIFF" + struct.pack("<I", len(body)) + body, is_animated)


def _unpacked(packed: bytes, limit: int) -> bytes:
    """Return what was packed by zlib; nothing of what is broken, or larger than the limit."""
    try:
        unpacker = zlib.decompressobj()
        text = unpacker.decompress(packed, limit)
        return text if unpacker.eof else b""
    except zlib.error:
        return b""


def _orientation(exif: bytes) -> int | None:
    """Return the orientation that Exif data says, if it can be read."""
    found = read_number(exif, ORIENTATION)
    return found if found and 1 <= found <= 8 else None


def _xmp_orientation(xmp: bytes) -> int | None:
    found = _XMP_ORIENTATION.search(xmp)
    return int(found[1]) if found else None
