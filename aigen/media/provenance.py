"""What a file says about itself: written into every file before it gets its final name, and read back.

A PNG carries the text that other programs read (`foreign`) and a chunk `aigen` of our own, exact, as JSON; a JPEG has
the text in its Exif data and the JSON as comment; an MP4 has its prompt as title and the same JSON as comment. All
carry XMP with the IPTC digital source type: whether a trained model made it. A file that came signed (C2PA) is not
touched: the JSON stands beside it. Nothing names the user, the order or the time, so that the same request gives the
same file.
"""

import io
import json
import re
import struct
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

from aigen.errors import GenerationError, UsageError
from aigen.media import c2pa, foreign, headers, jpeg, programs, uploads
from aigen.media.bare import strip
from aigen.media.json_texts import parse_json
from aigen.types.pipeline import Provenance
from aigen.types.request import Kind

# IPTC digital source types (https://cv.iptc.org/newscodes/digitalsourcetype/), in our words.
SOURCE_TYPES = {
    "algorithmicMedia": "drawn by a program, not by a trained model",
    "trainedAlgorithmicMedia": "made by a trained model",
    "compositeWithTrainedAlgorithmicMedia": "made by a trained model from somebody's picture",
    "algorithmicallyEnhanced": "somebody's picture, changed by a program",
}
_SOURCE_TYPE_URL = "http://cv.iptc.org/newscodes/digitalsourcetype/"
_XMP_PACKET = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
    ' xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:CreatorTool="aigen"'
    f' Iptc4xmpExt:DigitalSourceType="{_SOURCE_TYPE_URL}%s"/>'
    '</rdf:RDF></x:xmpmeta><?xpacket end="r"?>'
)
# The suffix of the file beside a signed one.
BESIDE = ".json"
_PARAMETERS = "parameters"
_EXACT = "aigen"
_XMP = "XML:com.adobe.xmp"
_XMP_BOX = UUID("be7acfcb-97a9-42e8-9c71-999491e3afac").bytes
_PNG_TEXTS = {b"tEXt", b"zTXt", b"iTXt"}
# What also begins like an MP4 and is none: pictures and sound.
_OTHER_BRANDS = {b"avif", b"avis", b"heic", b"heix", b"hevc", b"heim", b"mif1", b"msf1", b"crx", b"M4A", b"M4B", b"M4P"}
# The names of texts that programs use for how they made a picture.
_OF_PROGRAMS = {
    "parameters", "prompt", "workflow", "invokeai_metadata", "invokeai_workflow", "invokeai_graph", "sd-metadata",
    "Dream", "dream", "generation_data", "fooocus_scheme", "postprocessing", "extras", "sui_image_params",
}  # fmt: skip
_READABLE = "a PNG, JPEG, WebP or MP4 file"
# The keys of our JSON, each with the field of Provenance that it holds and what its value must be.
_FIELDS: dict[str, tuple[str, Any]] = {
    "prompt": ("prompt", str | None),
    "model": ("model", str | None),
    "seed": ("seed", int | None),
    "mark": ("source_type", str | None),
    "parameters": ("parameters", dict),
}


def as_json(provenance: Provenance) -> dict[str, Any]:
    """What `aigen info --json` prints, and what our files carry."""
    return {name: getattr(provenance, field) for name, (field, _) in _FIELDS.items()}


def explain(source_type: str | None) -> str | None:
    """Return a source type with its meaning in our words, or with where to look it up."""
    return source_type and f"{source_type}: {SOURCE_TYPES.get(source_type, f'see {_SOURCE_TYPE_URL}{source_type}')}"


# Written


def write(path: Path, provenance: Provenance, bought: bool = False) -> tuple[Path, ...]:
    """Write what it is into a finished PNG, JPEG or MP4; its picture stays as it is, bit by bit.

    A signed file stays as it is: what it is goes into a JSON file beside it, which is returned. So does one that was
    `bought` and that cannot be written into. Raises GenerationError for another kind of file, or a source type that is
    not among SOURCE_TYPES.
    """
    if provenance.source_type not in SOURCE_TYPES:
        raise GenerationError(
            f"model {provenance.model!r} says its source type is {provenance.source_type!r}: not a known one"
        )
    if c2pa.is_signed(path):
        return _write_beside(path, provenance)
    try:
        _write_into(path, provenance, xmp(provenance.source_type))
    except Exception:
        if not bought:
            raise
        return _write_beside(path, provenance)  # better than to lose it
    return ()


def _write_beside(path: Path, provenance: Provenance) -> tuple[Path, ...]:
    path.with_suffix(BESIDE).write_text(_exact(provenance), encoding="utf-8")
    return (path.with_suffix(BESIDE),)


def _write_into(path: Path, provenance: Provenance, packet: bytes) -> None:
    marked = path.with_name(f"{path.stem}.marked{path.suffix}")
    if path.suffix == ".png":
        _mark_png(path, marked, provenance, packet)
    elif path.suffix == ".mp4":
        _mark_mp4(path, marked, provenance, packet)
    elif path.suffix == ".jpg":
        jpeg.mark(path, marked, _exact(provenance), foreign.write_parameters(provenance), packet)
    else:
        raise GenerationError(f"model {provenance.model!r} made {path.name}: only .png, .jpg and .mp4 can be marked")
    marked.replace(path)


def xmp(source_type: str) -> bytes:
    """Return the XMP packet that states a source type."""
    return (_XMP_PACKET % source_type).encode()


def _exact(provenance: Provenance) -> str:
    return json.dumps(as_json(provenance), ensure_ascii=False)


def _mark_png(path: Path, marked: Path, provenance: Provenance, packet: bytes) -> None:
    """Put our chunks behind the first, which must stay the first;
    to save the picture anew costs a third of making it.
    """
    from PIL.PngImagePlugin import PngInfo, putchunk

    ours = PngInfo()
    ours.add_text(_PARAMETERS, foreign.write_parameters(provenance))
    ours.add_itxt(_EXACT, _exact(provenance))
    ours.add_itxt(_XMP, packet.decode())
    with path.open("rb") as source, marked.open("wb") as target:
        target.write(headers.PNG)
        for name, start, end in _chunks(source):
            source.seek(start)
            chunk = source.read(end - start)
            if name not in _PNG_TEXTS or chunk[8:].split(b"\0")[0].decode("latin-1") not in (_PARAMETERS, _EXACT, _XMP):
                target.write(chunk)
            if name == b"IHDR":
                for our_name, data, _ in ours.chunks:
                    putchunk(target, our_name, data)


def _mark_mp4(path: Path, marked: Path, provenance: Provenance, packet: bytes) -> None:
    """Copy the streams into a file with tags, and append the XMP as a box that players skip."""
    import av

    with (
        av.open(str(path)) as source,
        av.open(str(marked), "w", format="mp4", options={"movflags": "+faststart"}) as target,
    ):
        prompt = provenance.prompt or ""
        target.metadata["title"] = " ".join("".join(part if part.isprintable() else " " for part in prompt).split())
        target.metadata["comment"] = _exact(provenance)
        # A timecode or other data cannot be copied.
        kept = [stream for stream in source.streams if stream.type in ("video", "audio", "subtitle")]
        streams = {stream.index: target.add_stream_from_template(stream) for stream in kept}
        for part in source.demux(kept):
            if part.dts is not None:  # else it only flushes
                part.stream = streams[part.stream.index]
                target.mux(part)
    with marked.open("ab") as file:
        file.write(struct.pack(">I4s16s", 24 + len(packet), b"uuid", _XMP_BOX) + packet)


# Read


class _Unreadable(Exception):
    """Not a broken file, but one of a kind that is not read."""


def read(path: Path) -> Provenance:
    """What a picture or video says about itself, by us or by others.

    Raises UsageError when it is none, or not whole.
    """
    name = repr(str(path))
    try:
        if path.is_dir():
            raise UsageError(f"{name} is a folder: give {_READABLE}")
        if not path.exists():
            raise UsageError(f"{name} is not there: give {_READABLE}")
        if not path.is_file():
            raise UsageError(f"{name} is no regular file: save what it holds as {_READABLE} first")
        if not path.stat().st_size:
            raise UsageError(f"{name} is empty: give {_READABLE}")
        file = path.open("rb")
    except OSError as error:
        raise UsageError(f"{name} cannot be read ({error.strerror}): give {_READABLE}") from error
    with file:
        try:
            return _read(file, _read_beside(path))
        except _Unreadable as error:
            raise UsageError(f"{name} is no picture or video that aigen can read{error}: give {_READABLE}") from None
        except Exception as error:  # whatever the libraries stumble over in a broken file
            raise UsageError(f"{name} is cut short or damaged: give a whole one") from error


def _read_beside(path: Path) -> str:
    """Return what stands in a file beside one that could not be written into; nothing where there is none."""
    try:
        return path.with_suffix(BESIDE).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""


def _read(file: BinaryIO, beside: str) -> Provenance:
    head = file.read(12)
    kind: Kind = "video" if head[4:8] == b"ftyp" else "image"
    texts, packet = _read_mp4(file, head[8:12]) if kind == "video" else _read_picture(file)
    found = (
        _read_exact(texts, kind)
        or _read_exact({_EXACT: beside}, kind)
        or foreign.read_parameters(texts.get(_PARAMETERS, ""), kind)
        or programs.read_programs(texts, kind)
        or foreign.read_parameters(texts.get("UserComment", ""), kind)
        or foreign.read_parameters(texts.get("comment", ""), kind)
        or foreign.read_graph(_graph(texts), kind)
        or Provenance(kind, is_partly_read=any(map(_is_made_by_program, texts.items())))
    )
    source_type = re.search(rf"{_SOURCE_TYPE_URL}(\w{{1,64}})".encode(), packet)
    return replace(found, source_type=source_type[1].decode()) if source_type else found


def _read_exact(texts: dict[str, str], kind: Kind) -> Provenance | None:
    """What our own JSON says; of a later version with more fields, those that are known."""
    for place in (_EXACT, "comment"):
        said = parse_json(texts.get(place, ""))
        if isinstance(said, dict) and all(
            name in said and isinstance(said[name], form) and not isinstance(said[name], bool)
            for name, (_, form) in _FIELDS.items()
        ):
            return Provenance(kind=kind, **{field: said[name] for name, (field, _) in _FIELDS.items()})
    return None


def _graph(texts: dict[str, str]) -> str:
    """Return the graph of ComfyUI, which stands in texts of the camera where a file has no others."""
    for place in ("Model", "Make", "ImageDescription", "UserComment"):
        name, _, text = texts.get(place, "").partition(":")
        if name.strip().lower() == "prompt":
            return text
    return texts.get("prompt", "")


def _is_made_by_program(named: tuple[str, str]) -> bool:
    """Return whether a text, with its name, looks like what a program that makes pictures has written."""
    name, text = named
    return name in _OF_PROGRAMS or text.lstrip()[:1] in ("{", "[") or "workflow:" in text[:20]


def _read_picture(file: BinaryIO) -> tuple[dict[str, str], bytes]:
    """The texts of a picture by name, and its XMP. It is decoded to the end,
    since most formats say nothing at their end.
    """
    import warnings

    from PIL import Image, UnidentifiedImageError

    file.seek(0)
    data = file.read()
    headers.check(data)
    bare = strip(data, texts=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of odd and of large pictures; one twice as large is refused
        try:
            if headers.is_webp(data):
                if headers.webp_size(data) > len(data):  # its pixels need not be decoded to know that
                    raise ValueError("its end is missing")
                with uploads.open_bytes(bare.data, uploads.FORMATS):
                    pass
            else:  # as small as can be: only whether all of it is there matters
                uploads.load(bare.data, uploads.FORMATS, 1)
        except UnidentifiedImageError:
            raise _Unreadable("") from None
        except Image.DecompressionBombError:
            raise _Unreadable(", it has too many pixels") from None
    exact = jpeg.read_exact(data) if data.startswith(headers.JPEG) else None
    return {**bare.texts, **({_EXACT: exact} if exact else {})}, bare.xmp


def _chunks(file: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """The chunks of a PNG: name, and where each starts and ends, with its length and checksum."""
    total = file.seek(0, io.SEEK_END)
    at, name = len(headers.PNG), b""
    file.seek(0)
    if file.read(at) != headers.PNG:
        raise ValueError("it is no PNG")
    while name != b"IEND":
        file.seek(at)
        length, name = struct.unpack(">I4s", file.read(8))
        end = at + 12 + length
        if end > total:
            raise ValueError("it ends too early")
        yield name, at, end
        at = end


def _read_mp4(file: BinaryIO, brand: bytes) -> tuple[dict[str, str], bytes]:
    """The tags of an MP4 by name, and its XMP.

    Nothing is decoded: a box that is not whole tells a file that was cut.
    """
    import av

    if brand.rstrip() in _OTHER_BRANDS:
        raise _Unreadable("")
    found: set[bytes] = set()
    packet = b""
    for name, start, end in _boxes(file):
        found.add(name)
        if name == b"uuid":
            file.seek(start)
            if file.read(16) == _XMP_BOX:
                packet = file.read(end - start - 16)
    if missing := {b"moov", b"mdat"} - found:
        raise ValueError(f"it has no {min(missing).decode()}")
    file.seek(0)
    with av.open(file) as container:
        if not container.streams.video:
            raise _Unreadable(", it has no picture")
        return dict(container.metadata), packet


def _boxes(file: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """The outermost boxes of an MP4: name, and where its content starts and ends."""
    total = file.seek(0, io.SEEK_END)
    at = 0
    while at < total:
        file.seek(at)
        start = file.read(16)
        if len(start) < 8:
            raise ValueError("it ends too early")
        size, name = struct.unpack(">I4s", start[:8])
        header = 8
        if size == 1:  # a long box has its size behind its name
            size, header = int.from_bytes(start[8:]), 16
        elif size == 0:  # it reaches to the end
            size = total - at
        if size < header or at + size > total:
            raise ValueError("it ends too early")
        yield name, at + header, at + size
        at += size
