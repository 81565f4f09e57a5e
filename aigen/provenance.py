"""What a file says about itself: written into every file before it gets its final name, and read back.

A PNG carries the text that other programs read (`foreign`) and a chunk `aigen` of our own, exact, as JSON; an MP4 has its
prompt as title and the same JSON as comment; both carry XMP with the IPTC digital source type: whether a trained model
made it. Nothing names the user, the order or the time, so that the same request gives the same file.
"""

import io
import json
import re
import shutil
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO
from uuid import UUID

from aigen import foreign
from aigen.errors import GenerationError, UsageError
from aigen.types import COUNT_LIMIT, GenerationRequest, Kind, Provenance

if TYPE_CHECKING:
    from PIL.Image import Image

# IPTC digital source types (https://cv.iptc.org/newscodes/digitalsourcetype/), in our words.
MARKS = {
    "algorithmicMedia": "drawn by a program, not by a trained model",
    "trainedAlgorithmicMedia": "made by a trained model",
    "compositeWithTrainedAlgorithmicMedia": "made by a trained model from somebody's picture",
    "algorithmicallyEnhanced": "somebody's picture, changed by a program",
}
_SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/"
_XMP = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
    ' xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:CreatorTool="aigen"'
    f' Iptc4xmpExt:DigitalSourceType="{_SOURCE_TYPE}%s"/>'
    '</rdf:RDF></x:xmpmeta><?xpacket end="r"?>'
)
_CHUNK = "aigen"
_XMP_CHUNK = "XML:com.adobe.xmp"
_XMP_BOX = UUID("be7acfcb-97a9-42e8-9c71-999491e3afac").bytes
_PNG_HEADER = 8 + 25  # the signature and the first chunk, which must stay the first
_PNG_END = b"\0\0\0\0IEND\xaeB`\x82"
_READABLE = "a PNG, JPEG, WebP or MP4 file"


def as_json(provenance: Provenance) -> dict[str, Any]:
    """What `aigen info --json` prints, and what our files carry."""
    return {
        "prompt": provenance.prompt,
        "model": provenance.model,
        "seed": provenance.seed,
        "mark": provenance.mark,
        "parameters": provenance.parameters,
    }


def explain(mark: str | None) -> str | None:
    """A mark with its meaning in our words, or with where to look it up."""
    return mark and f"{mark}: {MARKS.get(mark, f'see {_SOURCE_TYPE}{mark}')}"


# Written


def mark(path: Path, provenance: Provenance) -> None:
    """Write what it is into a finished PNG or MP4 that has no marks yet; its picture stays as it is, bit by bit."""
    assert provenance.mark in MARKS, provenance.mark
    marked = path.with_name(f"{path.stem}.marked{path.suffix}")
    if path.suffix == ".png":
        _mark_png(path, marked, provenance)
    elif path.suffix == ".mp4":
        _mark_mp4(path, marked, provenance)
    else:
        raise GenerationError(f"model {provenance.model!r} made {path.name}: only .png and .mp4 can be marked")
    marked.replace(path)


def _exact(provenance: Provenance) -> str:
    return json.dumps(as_json(provenance), ensure_ascii=False, sort_keys=True)


def _mark_png(path: Path, marked: Path, provenance: Provenance) -> None:
    """Put the chunks behind the header; to save the picture anew would cost a third of making it."""
    from PIL.PngImagePlugin import PngInfo, putchunk

    texts = PngInfo()
    texts.add_text("parameters", foreign.write_parameters(provenance))
    texts.add_itxt(_CHUNK, _exact(provenance))
    texts.add_itxt(_XMP_CHUNK, _XMP % provenance.mark)
    with path.open("rb") as source, marked.open("wb") as target:
        target.write(source.read(_PNG_HEADER))
        for name, data, _ in texts.chunks:
            putchunk(target, name, data)
        shutil.copyfileobj(source, target)


def _mark_mp4(path: Path, marked: Path, provenance: Provenance) -> None:
    """Copy the streams into a file with tags, and append the XMP as a box that players skip."""
    import av

    with (
        av.open(str(path)) as source,
        av.open(str(marked), "w", format="mp4", options={"movflags": "+faststart"}) as target,
    ):
        prompt = provenance.prompt or ""
        target.metadata["title"] = " ".join("".join(part if part.isprintable() else " " for part in prompt).split())
        target.metadata["comment"] = _exact(provenance)
        streams = {stream.index: target.add_stream_from_template(stream) for stream in source.streams}
        for packet in source.demux():
            if packet.dts is not None:  # else it only flushes
                packet.stream = streams[packet.stream.index]
                target.mux(packet)
    xmp = (_XMP % provenance.mark).encode()
    with marked.open("ab") as file:
        file.write(struct.pack(">I4s16s", 24 + len(xmp), b"uuid", _XMP_BOX) + xmp)


# Read


def read(path: Path) -> Provenance:
    """What a picture or video says about itself, by us or by others. Raises UsageError when it is none, or not whole."""
    if path.is_dir():
        raise UsageError(f"{str(path)!r} is a folder: give {_READABLE}")
    if not path.exists():
        raise UsageError(f"{str(path)!r} is not there: give {_READABLE}")
    if not path.is_file() or not path.stat().st_size:
        raise UsageError(f"{str(path)!r} is empty: give {_READABLE}")
    kind: Kind = "image"
    try:
        with path.open("rb") as file:
            if file.read(12)[4:8] == b"ftyp":
                kind = "video"
                texts, xmp = _read_mp4(file)
            else:
                texts, xmp = _read_picture(path)
    except UsageError:
        raise
    except PermissionError as error:
        raise UsageError(f"{str(path)!r} cannot be read ({error.strerror}): check whose it is") from error
    except Exception as error:  # whatever the libraries stumble over in a broken file
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UsageError(f"{str(path)!r} is cut short or damaged ({reason}): give a whole one") from error
    found = _read_exact(texts, kind) or _read_foreign(texts, kind)
    source_type = re.search(rf"{_SOURCE_TYPE}(\w+)".encode(), xmp)
    stated = source_type[1].decode() if source_type else found.mark
    return Provenance(kind, found.prompt, found.model, found.seed, stated, found.parameters)


def _read_exact(texts: dict[str, str], kind: Kind) -> Provenance | None:
    for name in (_CHUNK, "comment"):
        said = foreign.parse_json(texts.get(name, ""))
        if isinstance(said, dict) and set(said) == set(as_json(Provenance(kind))):
            found = Provenance(kind=kind, **said)
            if (
                isinstance(found.prompt, str | None)
                and isinstance(found.model, str | None)
                and isinstance(found.seed, int | None)
                and isinstance(found.mark, str | None)
                and isinstance(found.parameters, dict)
            ):
                return found
    return None


def _read_foreign(texts: dict[str, str], kind: Kind) -> Provenance:
    return (
        foreign.read_parameters(texts.get("parameters", ""), kind)
        or foreign.read_graph(texts.get("prompt", ""), kind)
        or Provenance(kind)
    )


def _read_picture(path: Path) -> tuple[dict[str, str], bytes]:
    """The texts of a picture by name, and its XMP. It is decoded to the end, since most formats say nothing at their end."""
    import warnings

    from PIL import Image, UnidentifiedImageError

    data = path.read_bytes()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # above twice that size it is an error
        try:
            image = Image.open(io.BytesIO(data), formats=["PNG", "JPEG", "WEBP"])
        except UnidentifiedImageError:
            raise UsageError(f"{str(path)!r} is no picture or video that aigen can read: give {_READABLE}") from None
        with image:
            image.load()
            texts = {str(name): value for name, value in image.info.items() if isinstance(value, str)}
            xmp = image.info.get("xmp", b"")
            comment = _read_comment(image)
            is_png = image.format == "PNG"
    if is_png:
        with Image.open(io.BytesIO(data), formats=["PNG"]) as again:
            again.verify()
        if _PNG_END not in data:
            raise ValueError("its end is missing")
    return ({"parameters": comment} if comment else {}) | texts, xmp if isinstance(xmp, bytes) else str(xmp).encode()


def _read_comment(image: "Image") -> str | None:
    """The comment of a JPEG's or WebP's Exif data, where AUTOMATIC1111's web UI puts its text."""
    from PIL.ExifTags import IFD, Base

    comment = image.getexif().get_ifd(IFD.Exif).get(Base.UserComment)
    if not isinstance(comment, bytes):
        return None
    return comment[8:].decode("utf-16-be" if comment.startswith(b"UNICODE") else "utf-8", errors="replace")


def _read_mp4(file: BinaryIO) -> tuple[dict[str, str], bytes]:
    """The tags of an MP4 by name, and its XMP. Nothing is decoded: a box that is not whole tells a file that was cut."""
    import av

    found: set[bytes] = set()
    xmp = b""
    for name, start, end in _boxes(file):
        found.add(name)
        if name == b"uuid":
            file.seek(start)
            if file.read(16) == _XMP_BOX:
                xmp = file.read(end - start - 16)
    if missing := {b"moov", b"mdat"} - found:
        raise ValueError(f"it has no {min(missing).decode()}")
    file.seek(0)
    with av.open(file) as container:
        if not container.streams.video:
            raise ValueError("it has no picture")
        return dict(container.metadata), xmp


def _boxes(file: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """The outermost boxes of an MP4: name, and where its content starts and ends."""
    total = file.seek(0, io.SEEK_END)
    at = 0
    while at < total:
        file.seek(at)
        size, name = struct.unpack(">I4s", file.read(8))
        header = 8
        if size == 1:  # a long box has its size behind its name
            (size,) = struct.unpack(">Q", file.read(8))
            header = 16
        elif size == 0:  # it reaches to the end
            size = total - at
        if size < header or at + size > total:
            raise ValueError(f"{total} bytes are not all")
        yield name, at + header, at + size
        at += size


# Ordered again


def reorder(provenance: Provenance, given: dict[str, Any]) -> GenerationRequest:
    """The request that makes this very item again. What is `given` wins, by the names of a request.

    Given how many images or videos, it asks for so many more like it: from other seeds.
    """
    parameters = provenance.parameters
    said: dict[str, Any] = {"prompt": provenance.prompt, "model": provenance.model}
    said |= {name: parameters.get(name) for name in ("style", "size")}
    for name, value in said.items():
        if not isinstance(value, str | None):
            raise UsageError(f"the file's {name} is {value!r}, which is no text: give your own")
    said |= {"images": 0, "videos": 0}
    if not {"images", "videos"} & set(given):
        number = parameters.get("number", 1)
        if type(number) is not int or not 1 <= number <= COUNT_LIMIT:
            raise UsageError(f"the file's number is {number!r}: it must be from 1 to {COUNT_LIMIT}")
        said |= {f"{provenance.kind}s": 1, "seed": provenance.seed, "first": number}
    request = {name: value for name, value in (said | given).items() if value is not None}
    if "prompt" not in request:
        raise UsageError("the file says no prompt: give one, or another file")
    return GenerationRequest(**request)
