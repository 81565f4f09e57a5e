"""Pictures that users bring: checked by decoding, and kept as pixels only,
without what else a file may tell of them.
"""

import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from aigen.content import write_whole
from aigen.errors import AigenError, PictureError
from aigen.media import headers
from aigen.wording import spoken_size

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS = ("PNG", "JPEG", "WEBP")
BYTES_LIMIT, PIXELS_LIMIT = 20_000_000, 50_000_000
SIDE_LEAST = 16
# Rows of a picture that are converted at a time.
STRIP = 64
# The most characters of Exif data in a text, as older programs write it, that are looked at.
PROFILE_LIMIT = 20_000


def read(path: Path, *, least: int | None = None, name: str | None = None) -> "Image":
    """A picture as RGB, upright. Raises UsageError, naming its file, when it is none that can be used.

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
    """An open file that may hold a picture, and its name for error messages."""

    file: BinaryIO
    name: str

    @property
    def is_jpeg(self) -> bool:
        self.file.seek(0)
        return self.file.read(2) == b"\xff\xd8"


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
            yield _Opened(file, name)
    except UnidentifiedImageError:
        raise PictureError(f"picture {name} cannot be read: give a PNG, a JPEG or a WebP") from None
    except FileNotFoundError:
        raise PictureError(f"picture {(called or str(path))[:200]!r} is not there: check the path") from None
    except Image.DecompressionBombError:
        raise PictureError(f"picture {name} has too many pixels: the limit is 50 million") from None
    except AigenError:
        raise
    except Exception as error:  # what a decoder says of bytes of strangers can be anything
        raise PictureError(
            f"picture {name} is damaged ({' '.join(str(error).split())[:120]}): give another copy"
        ) from error


def _decode(opened: _Opened, least: int | None) -> "tuple[Image, tuple[int, int]]":
    from PIL import Image
    from PIL.ExifTags import Base

    name, file = opened.name, opened.file
    try:
        headers.check(file)
    except ValueError as error:
        raise PictureError(f"picture {name} is no usual one ({error}): save it anew, as PNG or JPEG") from error
    with warnings.catch_warnings():
        # Pillow warns of large pictures, for which we have our own limit, and of unusual ones, which we try.
        warnings.simplefilter("ignore")
        with Image.open(file, formats=FORMATS) as image:
            width, height = image.size
            if width * height > PIXELS_LIMIT:
                raise PictureError(f"picture {name} has {width}x{height} pixels: the limit is 50 million")
            if min(width, height) < SIDE_LEAST:
                raise PictureError(
                    f"picture {name} has {width}x{height} pixels: at least {SIDE_LEAST} a side are needed"
                )
            if image.format in ("PNG", "WEBP") and getattr(image, "n_frames", 1) > 1:  # a JPEG may hold a preview
                raise PictureError(f"picture {name} is animated: give a still one")
            if least:
                share = least / max(width, height)
                image.draft(None, (max(SIDE_LEAST, int(width * share)), max(SIDE_LEAST, int(height * share))))
            if image.format == "WEBP":
                decoded = _decode_webp(file)
            else:
                image.load()
                decoded = image
            if len(str(image.info.get("Raw profile type exif", ""))) > PROFILE_LIMIT:
                del image.info["Raw profile type exif"]
            orientation = image.getexif().get(Base.Orientation, 1)
            turned = orientation in (5, 6, 7, 8)
            return _upright(_opaque(decoded), orientation), (height, width) if turned else (width, height)


def _decode_webp(file: BinaryIO) -> "Image":
    """Return the pixels of a still WebP as RGBA. Pillow's own decoder takes five times as much memory.

    Raises ValueError if it is damaged.
    """
    import numpy
    import skia
    from PIL import Image

    file.seek(0)
    data = file.read()  # of which the codec makes no copy: it must not go before that
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


def _opaque(image: "Image") -> "Image":
    """RGB without anything beside the pixels; what was transparent is white.

    Takes no more than 8 bytes a pixel: those of the picture and of the result, which may be the same.
    """
    from PIL import Image

    if image.mode == "RGB" and "transparency" not in image.info:
        image.info = {}
        return image
    found = Image.new("RGB", image.size, "white")
    for top in range(0, image.height, STRIP):
        strip = image.crop((0, top, image.width, min(top + STRIP, image.height)))
        if "A" in strip.getbands() or "transparency" in image.info:
            strip = strip.convert("RGBA")
            found.paste(strip, (0, top), strip.getchannel("A"))
        elif strip.mode.startswith(("I", "F")):  # 16 bits a pixel: PIL would cut them off instead of scaling
            found.paste(strip.point(lambda value: value / 257).convert("L").convert("RGB"), (0, top))
        else:
            found.paste(strip.convert("RGB"), (0, top))
    return found
