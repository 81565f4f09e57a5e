"""Pictures that users bring: checked by decoding, and kept as pixels only,
without what else a file may tell of them.
"""

import hashlib
import io
import shutil
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aigen.content import write_whole
from aigen.errors import AigenError, PictureError
from aigen.media import headers
from aigen.media.bare import Bare, strip
from aigen.wording import spoken_size

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS = ("PNG", "JPEG", "WEBP")
BYTES_LIMIT, PIXELS_LIMIT = 20_000_000, 64_000_000
_MILLIONS = f"{PIXELS_LIMIT // 1_000_000} million"
SIDE_LEAST = 16
# The last marker of a JPEG.
_END = b"\xff\xd9"
# Rows of a picture that are converted at a time.
STRIP = 64
# Other formats of phones, by the brands that stand at the start of their files. They are read with the extra `heif`.
_PHONES = {
    "HEIC": (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"),
    "AVIF": (b"avif", b"avis"),
}


def read(path: Path, *, least: int | None = None, name: str | None = None) -> "Image":
    """A picture as RGB (sRGB), upright. Raises UsageError, naming its file, when it is none that can be used.

    Its size is judged before it is decoded: a small file can hold a picture that fills the memory. Whoever needs but
    `least` pixels on its longer side gets a JPEG as small as that allows, which is decoded several times as fast.
    `name` is what the file is called in errors, if not as its path: what came by the web lies under another name.
    """
    with _opened(path, name) as file:
        return _decode(file, least)[0]


def glance(path: Path, least: int, *, name: str | None = None) -> "tuple[Image, tuple[int, int]]":
    """A picture that may be smaller, as `read` gives it, and the width and height of the full upright one."""
    with _opened(path, name) as file:
        return _decode(file, least)


def read_with_copy(path: Path, least: int) -> "tuple[Image, Image]":
    """Return a picture as `read` does and the smaller copy of `glance`; opens the file once."""
    with _opened(path, None) as file:
        whole, _ = _decode(file, None)
        return whole, _decode(file, least)[0] if file.is_jpeg else whole


@dataclass(frozen=True)
class _Opened:
    """What a file holds beside its metadata, and its name for error messages."""

    bare: Bare
    name: str

    @property
    def is_jpeg(self) -> bool:
        return self.bare.data.startswith(headers.JPEG)


@contextmanager
def _opened(path: Path, called: str | None) -> "Iterator[_Opened]":
    """Open the file of a picture. Raises PictureError, also for errors of decoders while it is open."""
    from PIL import Image, UnidentifiedImageError

    name = repr((called or path.name)[:80])
    try:
        size = path.stat().st_size
        if not path.is_file():
            raise PictureError(f"picture {name} is no file: give a PNG, a JPEG or a WebP")
        if size > BYTES_LIMIT:
            raise PictureError(f"picture {name} has {spoken_size(size)}: the limit is {spoken_size(BYTES_LIMIT)}")
        with path.open("rb") as file:
            data = file.read()
        _check(data, name)
        bare = strip(data)
        del data
        yield _Opened(bare, name)
    except UnidentifiedImageError:
        raise PictureError(f"picture {name} cannot be read: give a PNG, a JPEG or a WebP") from None
    except FileNotFoundError:
        raise PictureError(f"picture {(called or str(path))[:200]!r} is not there: check the path") from None
    except Image.DecompressionBombError:
        raise PictureError(f"picture {name} has too many pixels: the limit is {_MILLIONS}") from None
    except AigenError:
        raise
    except Exception as error:  # what a decoder says of bytes of strangers can be anything
        raise PictureError(f"picture {name} is damaged: give another copy") from error


def _check(data: bytes, name: str) -> None:
    """Raise PictureError for a file that no camera or program writes."""
    try:
        headers.check(data)
    except ValueError as error:
        raise PictureError(f"picture {name} is no usual one ({error}): save it anew, as PNG or JPEG") from error


def _decode(opened: _Opened, least: int | None) -> "tuple[Image, tuple[int, int]]":
    from PIL.ExifTags import Base

    name, bare = opened.name, opened.bare
    formats = _formats(bare.data, name)
    with warnings.catch_warnings():
        # Pillow warns of large pictures, for which we have our own limit, and of unusual ones, which we try.
        warnings.simplefilter("ignore")
        with open_bytes(bare.data, formats) as image:
            width, height = image.size
            if width * height > PIXELS_LIMIT:
                raise PictureError(f"picture {name} has {width}x{height} pixels: the limit is {_MILLIONS}")
            if min(width, height) < SIDE_LEAST:
                raise PictureError(
                    f"picture {name} has {width}x{height} pixels: at least {SIDE_LEAST} a side are needed"
                )
            if bare.is_animated or (image.format == "AVIF" and getattr(image, "n_frames", 1) > 1):
                raise PictureError(f"picture {name} is animated: give a still one")
            orientation, profile = bare.orientation, bare.profile
            if image.format not in FORMATS:
                orientation, profile = image.getexif().get(Base.Orientation, 1), image.info.get("icc_profile")
        decoded = _decode_webp(bare.data) if image.format == "WEBP" else load(bare.data, formats, least)
        turned = orientation in (5, 6, 7, 8)
        return _upright(_opaque(decoded, profile), orientation), (height, width) if turned else (width, height)


def _formats(data: bytes, name: str) -> tuple[str, ...]:
    """Return the formats that a file may have. Raises PictureError for a format that is known and cannot be read."""
    brands = [data[at : at + 4] for at in (8, 16, 20, 24, 28)] if data[4:8] == b"ftyp" else []
    phone = next((known for brand in brands for known, names in _PHONES.items() if brand in names), None)
    if phone is None:
        return FORMATS
    try:
        import pillow_heif
    except ImportError:
        raise PictureError(
            f"picture {name} is a {phone} file: save it as JPEG, or install what reads it: pip install 'aigen[heif]'"
        ) from None
    pillow_heif.register_heif_opener()
    return ("HEIF", "AVIF")


def open_bytes(data: bytes, formats: tuple[str, ...]) -> "Image":
    """Return a picture whose pixels are not decoded yet. Raises what Pillow raises."""
    from PIL import Image

    return Image.open(io.BytesIO(data), formats=formats)


def load(data: bytes, formats: tuple[str, ...], least: int | None) -> "Image":
    """Return a decoded picture; a JPEG no larger than it must be for `least` pixels on its longer side."""
    try:
        return _draft(data, formats, least)
    except OSError:
        # Some cameras leave out the marker of the end.
        if not data.startswith(headers.JPEG) or not _has_all_rows(data):
            raise
        return _draft(data.rstrip(b"\xff") + _END, formats, least)


def _draft(data: bytes, formats: tuple[str, ...], least: int | None) -> "Image":
    image = open_bytes(data, formats)
    if least:
        share = least / max(image.size)
        width, height = (max(SIDE_LEAST, int(side * share)) for side in image.size)
        image.draft(None, (width, height))
    image.load()
    return image


def _has_all_rows(data: bytes) -> bool:
    """Return whether a JPEG without an end has all of its pixels.

    What a decoder needs beyond the data it takes from what follows: then the picture depends on that.
    """
    found = set()
    for filler in (b"\x00", b"\x55"):
        with open_bytes(data.rstrip(b"\xff") + 64 * filler + _END, ("JPEG",)) as image:
            image.load()
            found.add(hashlib.sha256(image.tobytes()).digest())
    return len(found) == 1


def _decode_webp(data: bytes) -> "Image":
    """Return the pixels of a still WebP as RGBA. Pillow's own decoder takes five times as much memory.

    Raises ValueError if it is damaged.
    """
    import numpy
    import skia
    from PIL import Image

    # Of the data the codec makes no copy: it must not go before that.
    codec = skia.Codec.MakeFromData(skia.Data.MakeWithoutCopy(data))
    if codec is None:
        raise ValueError("it cannot be decoded")
    width, height = codec.getInfo().width(), codec.getInfo().height()
    pixels = numpy.empty((height, width, 4), numpy.uint8)
    opaque = codec.getInfo().alphaType() == skia.kOpaque_AlphaType
    alpha = skia.kOpaque_AlphaType if opaque else skia.kUnpremul_AlphaType
    # Into the colour space of its own, so that nothing is converted, as with the other formats.
    wanted = skia.ImageInfo.Make(width, height, skia.kRGBA_8888_ColorType, alpha, codec.getInfo().colorSpace())
    if (result := codec.getPixels(wanted, pixels, width * 4)) != skia.Codec.kSuccess:
        raise ValueError(skia.Codec.ResultToString(result))
    return Image.frombuffer("RGBA", (width, height), pixels, "raw", "RGBA", 0, 1)


def save(image: "Image", path: Path) -> None:
    """Write a picture as PNG, whole or not at all."""
    with write_whole(path) as unfinished:
        image.save(unfinished, format="PNG", compress_level=1)


def keep(file: Path, path: Path) -> None:
    """Copy a file as it is, whole or not at all."""
    with write_whole(path) as unfinished:
        shutil.copyfile(file, unfinished)


def _upright(image: "Image", orientation: int) -> "Image":
    """A picture turned as its Exif data says."""
    from PIL.Image import Transpose

    turns = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
    return image.transpose(turns[orientation]) if orientation in turns else image


def _opaque(image: "Image", profile: bytes | None) -> "Image":
    """Return a picture in sRGB without anything beside the pixels; what was transparent is white.

    Takes no more than 8 bytes a pixel: those of the picture and of the result, which may be the same.
    """
    from PIL import Image

    convert = _converter(image, profile)
    transparency = image.info.get("transparency")
    if image.mode == "RGB" and transparency is None and convert is None:
        image.info = {}
        return image
    found = Image.new("RGB", image.size, "white")
    for top in range(0, image.height, STRIP):
        colours, alpha = _split(image.crop((0, top, image.width, min(top + STRIP, image.height))), transparency)
        found.paste(convert(colours) if convert else colours.convert("RGB"), (0, top), alpha)
    return found


def _split(rows: "Image", transparency: Any) -> "tuple[Image, Image | None]":
    """Return the colours of some rows, and how opaque they are where that differs."""
    import numpy
    from PIL import Image

    if rows.mode.startswith(("I", "F")):  # 16 bits a pixel: PIL would cut them off instead of scaling
        values = numpy.asarray(rows)
        grey = Image.fromarray(numpy.clip(values / 257 + 0.5, 0, 255).astype(numpy.uint8))
        if not isinstance(transparency, int):
            return grey, None
        return grey, Image.fromarray(numpy.where(values == transparency, 0, 255).astype(numpy.uint8))
    if "A" in rows.getbands() or transparency is not None:
        if isinstance(transparency, tuple) and max(transparency) > 255:  # of 16 bits, as the pixels were
            rows.info["transparency"] = tuple(value >> 8 for value in transparency)
        colours = rows.convert("RGBA")
        return colours.convert("RGB"), colours.getchannel("A")
    return (rows if rows.mode in ("L", "RGB", "CMYK") else rows.convert("RGB")), None


def _converter(image: "Image", profile: bytes | None) -> "Callable[[Image], Image] | None":
    """Return what converts rows of a picture to sRGB; None where its profile is that, does not fit, or is broken."""
    from PIL import ImageCms

    if profile is None:
        return None
    try:
        own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        mode = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}.get(own.profile.xcolor_space.strip())
        is_grey = image.mode in ("1", "L", "LA") or image.mode.startswith(("I", "F"))
        if mode is None or (mode == "CMYK") != (image.mode == "CMYK") or (mode == "L" and not is_grey):
            return None
        if ImageCms.getProfileDescription(own).startswith("sRGB"):
            return None
        transform = ImageCms.buildTransform(
            own,
            ImageCms.createProfile("sRGB"),
            mode,
            "RGB",
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
        return None
    # Of the mode that was built, so that nothing is None.
    return lambda rows: ImageCms.applyTransform(rows.convert(mode), transform)  # type: ignore[return-value]
