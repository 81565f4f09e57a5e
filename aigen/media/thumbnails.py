"""Small copies of finished pictures and videos, for the gallery; derived, so that they may be deleted at any time."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from aigen.content import OUT_OF_SPACE, ContentFolder, publish
from aigen.errors import ContentError
from aigen.types.rows import Item

if TYPE_CHECKING:
    from PIL.Image import Image

# What lies beside a narrated film, under its name; and beside a file that came signed.
CAPTIONS, METADATA = (".srt", ".vtt"), (".json",)
# The longer side of a thumbnail in pixels: one for a grid, one to look at and as a video's poster.
THUMBNAIL_SIDES = {"small": 320, "large": 960}
# Seconds into a video at which its poster is taken: past what fades in.
POSTER_AT = 1.0


def thumbnails(content: ContentFolder, item: Item) -> dict[str, Path]:
    """The thumbnails of a finished item by the name of their size, made again where they are missing.

    Raises ContentError when they cannot be made, as when the item's file is gone or damaged.
    """
    assert item.path
    paths = thumbnail_paths(content, item)
    missing = {path: THUMBNAIL_SIDES[name] for name, path in paths.items() if not os.access(path, os.F_OK)}
    if missing:
        save_thumbnails(content.file(item.path), missing, content)
    return paths


def thumbnail_paths(content: ContentFolder, item: Item) -> dict[str, Path]:
    """Where the thumbnails of a finished item are, by the name of their size."""
    return {name: content.thumbnail(item.path or "", name) for name in THUMBNAIL_SIDES}


def captions(content: ContentFolder, item: Item) -> list[Path]:
    """The files of captions that lie beside a finished film."""
    return _with_suffixes(content, item, CAPTIONS)


def companions(content: ContentFolder, item: Item) -> list[Path]:
    """All files that lie beside a finished item and belong to it."""
    return _with_suffixes(content, item, (*CAPTIONS, *METADATA))


def _with_suffixes(content: ContentFolder, item: Item, suffixes: tuple[str, ...]) -> list[Path]:
    file = content.file(item.path or "")
    return [path for suffix in suffixes if item.path and os.access(path := file.with_suffix(suffix), os.F_OK)]


def save_thumbnails(file: Path, sides: Mapping[Path, int], content: ContentFolder) -> None:
    """Write WebP thumbnails of a picture or MP4, each with its longer side of so many pixels, never larger than it.

    They are whole when they get their names; until then they are in a work folder of their own. Raises
    ContentError, naming the file, when it cannot be done; but an OSError when the disk is full.
    """
    from PIL.Image import Resampling

    try:
        picture = _picture(file)
        with content.temporary("thumbnails") as folder:
            for path, side in sorted(
                sides.items(), key=lambda entry: -entry[1]
            ):  # a smaller one is made of a larger one
                picture.thumbnail((side, side), Resampling.LANCZOS, reducing_gap=3.0)
                picture.save(folder / path.name, format="WEBP", quality=80, method=1)
                publish(folder / path.name, path)
    except Exception as error:
        if isinstance(error, OSError) and error.errno in OUT_OF_SPACE:
            raise
        raise ContentError(f"no thumbnail of {file.name} can be made: {' '.join(str(error).split())}") from error


def _picture(file: Path) -> "Image":
    """A picture itself, or the frame of a video that stands for it."""
    import av
    from PIL import Image

    if file.suffix in (".png", ".jpg", ".webp"):
        with Image.open(file) as image:
            opaque: Image.Image = image.convert("RGB")
            return opaque
    with av.open(str(file)) as container:
        frame = None
        for frame in container.decode(video=0):  # from the start on: seeking would land on a key frame before
            if frame.time is not None and frame.time >= POSTER_AT:
                break
        if frame is None:
            raise ValueError(f"{file.name} has no frames")
        picture: Image.Image = Image.fromarray(frame.to_ndarray(format="rgb24"))
        return picture
