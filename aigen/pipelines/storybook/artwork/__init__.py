"""The pictures that storybook draws with, and what they are called.

Sources and licences: README.md beside this file.
"""

import json
from functools import cache, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile

if TYPE_CHECKING:
    import skia


@cache
def _archive() -> ZipFile:
    return ZipFile(str(files(__package__) / "artwork.zip"))


@cache
def index() -> dict[str, dict[str, Any]]:
    """By picture name: its `label`, `tags`, `group` and `subgroup` (the last two null for a few)."""
    entries: dict[str, dict[str, Any]] = json.loads(_archive().read("index.json"))
    return entries


@lru_cache(maxsize=64)
def picture(name: str, pixels: int) -> "skia.Image":
    """A picture drawn `pixels` high and wide and cut to what is visible of it. Drawing takes about 0.2 s."""
    import resvg_py
    import skia

    svg = _archive().read(f"{name}.svg").decode()
    png = resvg_py.svg_to_bytes(svg_string=svg, width=pixels, height=pixels, skip_system_fonts=True)
    image = skia.Image.MakeFromEncoded(skia.Data.MakeWithCopy(bytes(png)))
    return trimmed(image)


def trimmed(image: "skia.Image") -> "skia.Image":
    """An image without the empty pixels around it."""
    import numpy
    import skia

    alpha = image.toarray(colorType=skia.kRGBA_8888_ColorType)[..., 3]
    rows, columns = numpy.where(alpha > 8)
    return image.makeSubset(
        skia.IRect(int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1)
    ).makeRasterImage()
