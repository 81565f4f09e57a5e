"""The artwork as things that can stand in a scene: without a ground or sky of its own, whole, and on feet.

Artwork that cannot is mended in one of the tables here, by name.
"""

import math
from functools import lru_cache

import skia

from aigen.pipelines.storybook import artwork
from aigen.pipelines.storybook.drawing.bodies import has_body, with_body
from aigen.pipelines.storybook.drawing.colours import COLOURS

# Pictures that bring their own ground: the part of their height, from the top, that is kept.
KEPT = {
    "sailboat": 0.78, "canoe": 0.62, "motor-boat": 0.68, "speedboat": 0.62, "ferry": 0.88, "ship": 0.9, "airplane-arrival": 0.66,
    "airplane-departure": 0.68, "person-rowing-boat": 0.62,
    "man-rowing-boat": 0.62, "woman-rowing-boat": 0.62, "snow-capped-mountain": 0.84, "mountain": 0.84,
    "desert-island": 0.93,
}  # fmt: skip
# Pictures cut off at their right side: their mirror image goes on there.
DOUBLED = frozenset("bullet-train light-rail monorail passenger-ship ferry".split())
# Pictures on a square ground, of which only what has these hues (degrees) or is this bright stays.
KEYED = {
    "fireworks": (0, 60, 0.45), "sparkler": (20, 70, 0.6), "shooting-star": (20, 70, 0.8), "bridge-at-night": (-25, 28, 0.5),
    "umbrella-on-ground": (-40, 26, 0.2),
}  # fmt: skip
# What of a picture is wiped away: left, top, right and bottom in shares.
ERASED = {"bridge-at-night": (0.3, 0.0, 0.7, 0.24)}
# Another picture of the same that has a whole body.
WHOLE = {
    "chicken": "rooster", "beach-with-umbrella": "umbrella-on-ground", "dragon-face": "dragon", "horse-face": "horse", "person-mountain-biking": "person-biking",
    "man-mountain-biking": "man-biking", "woman-mountain-biking": "woman-biking", "cow-face": "cow",
}  # fmt: skip
# Heads on the body of another picture: which, in what colour, and where the head lies on it (left, top, width).
HEADS_ON = {
    "unicorn": ("horse", "white", (-0.16, -0.2, 0.62)), "moose": ("ox", None, (-0.2, -0.22, 0.62)), "boar": ("pig", "brown", (-0.14, -0.12, 0.6)),
}  # fmt: skip
# Bitmaps are drawn in these sizes only: a small thing must not cost what a large one does.
LEVELS = (96, 192, 384, 640, 1024, 1600)


def level_for(side: float) -> int:
    """The size of bitmap that is sharp for a thing whose longer side has so many pixels in the scene."""
    return next((level for level in LEVELS if side <= level * 1.15), LEVELS[-1])


@lru_cache(maxsize=160)  # a worker that lives long draws many things
def cut(name: str, pixels: int = 384) -> skia.Image:
    """A thing as it stands in scenes, about `pixels` on its longer side."""
    if name in WHOLE:
        return cut(WHOLE[name], pixels)
    picture = artwork.picture(name, pixels)
    if name in ERASED:
        picture = _erased(picture, *ERASED[name])
    if name in KEYED:
        picture = _keyed(picture, *KEYED[name])
    if name in KEPT:
        picture = picture.makeSubset(skia.IRect(0, 0, picture.width(), max(1, int(picture.height() * KEPT[name]))))
    if name in DOUBLED:
        return _doubled(picture)
    if name in HEADS_ON:
        return _on_body(picture, *HEADS_ON[name])
    return with_body(name, picture) if has_body(name) else picture


def _keyed(picture: skia.Image, low: float, high: float, least: float) -> skia.Image:
    """What of a picture is of these hues and bright enough; the rest becomes clear."""
    import numpy

    pixels = picture.toarray(colorType=skia.kRGBA_8888_ColorType).astype(numpy.float32)
    red, green, blue = (pixels[..., channel] / 255 for channel in range(3))
    top, bottom = numpy.maximum(numpy.maximum(red, green), blue), numpy.minimum(numpy.minimum(red, green), blue)
    span = numpy.where(top > bottom, top - bottom, 1.0)
    hue = numpy.where(top == red, (green - blue) / span, numpy.where(top == green, 2 + (blue - red) / span, 4 + (red - green) / span)) * 60
    hue = (hue + 180) % 360 - 180
    inside = (hue >= low) & (hue <= high) & (top - bottom > 0.18)
    if low == -40:  # white stays too
        inside |= (top - bottom < 0.24) & (top > 0.5)
    kept = numpy.where(inside, numpy.clip((top - least) / 0.12, 0, 1), 0.0)
    pixels[..., 3] *= kept
    pixels[..., :3] *= kept[..., None]
    clear = skia.Image.fromarray(pixels.astype(numpy.uint8), colorType=skia.kRGBA_8888_ColorType)
    return artwork.trimmed(clear)


def _erased(picture: skia.Image, left: float, top: float, right: float, bottom: float) -> skia.Image:
    surface = skia.Surface(picture.width(), picture.height())
    canvas = surface.getCanvas()
    canvas.drawImage(picture, 0, 0)
    area = skia.Rect.MakeLTRB(
        left * picture.width(), top * picture.height(), right * picture.width(), bottom * picture.height()
    )
    canvas.drawRect(area, skia.Paint(BlendMode=skia.BlendMode.kClear))
    return surface.makeImageSnapshot()


def _doubled(picture: skia.Image) -> skia.Image:
    wide = picture.width()
    surface = skia.Surface(wide * 2 - 2, picture.height())
    canvas = surface.getCanvas()
    canvas.drawImage(picture, 0, 0)
    canvas.translate(wide * 2 - 2, 0)
    canvas.scale(-1, 1)
    canvas.drawImage(picture, 0, 0)
    return surface.makeImageSnapshot()


def _on_body(head: skia.Image, body: str, color: str | None, place: tuple[float, float, float]) -> skia.Image:
    """A head on another's body; both look to the left."""
    body_image = cut(body, max(head.width(), head.height()))
    wide, tall = body_image.width(), body_image.height()
    left, top, share = place
    across = wide * share
    margin_left, margin_top = max(0.0, -left * wide), max(0.0, -top * tall)
    surface = skia.Surface(int(wide + margin_left), int(tall + margin_top))
    canvas = surface.getCanvas()
    paint = skia.Paint(ColorFilter=dye(body, color)) if color else None
    canvas.drawImage(body_image, margin_left, margin_top, skia.SamplingOptions(), paint)
    area = skia.Rect.MakeXYWH(
        margin_left + left * wide, margin_top + top * tall, across, across * head.height() / head.width()
    )
    canvas.drawImageRect(head, area, skia.SamplingOptions(skia.FilterMode.kLinear, skia.MipmapMode.kLinear))
    return surface.makeImageSnapshot()


@lru_cache(maxsize=64)
def dye(name: str, color: str) -> skia.ColorFilter | None:
    """What turns a picture's colours into shades of one; None where it has that colour already."""
    pixels = cut(name, 192).toarray(colorType=skia.kRGBA_8888_ColorType).astype(float)
    seen = pixels[pixels[..., 3] > 128][::4, :3]
    names = list(COLOURS)
    distances = ((seen[:, None, :] - [COLOURS[other] for other in names]) ** 2).sum(axis=2)
    own = float((distances.argmin(axis=1) == names.index(color)).mean())
    if own > 0.5 or color in name.split("-"):
        return None
    shares = (0.2126, 0.7152, 0.0722)
    middle = min(0.9, max(0.1, float((seen @ shares).mean()) / 255))
    bend = math.log(0.5) / math.log(middle)  # the picture's own middle tone becomes the colour itself
    target = COLOURS[color]
    tables = []
    for part in target:
        dark, light = part * 0.22, part + (255 - part) * 0.85
        shades = [(place / 255) ** bend for place in range(256)]
        tables.append(
            [
                round(dark + (part - dark) * tone * 2 if tone < 0.5 else part + (light - part) * (tone - 0.5) * 2)
                for tone in shades
            ]
        )
    luma = skia.ColorFilters.Matrix([*([*shares, 0.0, 0.0] * 3), 0, 0, 0, 1, 0])
    return skia.TableColorFilter.MakeARGB(list(range(256)), *tables).makeComposed(luma)
