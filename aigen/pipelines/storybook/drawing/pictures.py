"""The artwork as things that can stand in a scene: without a ground or sky of its own, whole, and on feet.

Artwork that cannot is mended in one of the tables here, by name.
"""

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import skia

from aigen.pipelines.storybook import artwork
from aigen.pipelines.storybook.drawing.bodies import has_body, with_body
from aigen.pipelines.storybook.drawing.colours import COLOURS, MIPMAPS
from aigen.pipelines.storybook.drawing.painted import paint_bridge

if TYPE_CHECKING:
    import numpy

    Pixels = numpy.ndarray[Any, Any]

# Pictures that bring their own ground: the part of their height, from the top, that is kept.
KEPT = {
    "flying-saucer": 0.68, "sailboat": 0.78, "canoe": 0.62, "motor-boat": 0.68, "speedboat": 0.62, "ferry": 0.88,
    "ship": 0.9, "airplane-arrival": 0.66, "airplane-departure": 0.68, "person-rowing-boat": 0.62,
    "man-rowing-boat": 0.62, "woman-rowing-boat": 0.62, "snow-capped-mountain": 0.84, "mountain": 0.84,
    "desert-island": 0.93,
}  # fmt: skip
# Pictures cut off at their right side: their mirror image goes on there.
DOUBLED = frozenset("bullet-train light-rail monorail passenger-ship ferry".split())
# Pictures on a ground of their own, of which stays what has these hues (degrees, from and to) and is this bright; and
# white, where the last says so.
KEYED = {
    "fireworks": (0, 60, 0.45, False), "sparkler": (20, 70, 0.6, False), "shooting-star": (20, 70, 0.8, False),
    "umbrella-on-ground": (-40, 26, 0.2, True),
}  # fmt: skip
# What is painted instead.
PAINTED = {"bridge-at-night": paint_bridge}
# Another picture of the same that has a whole body.
WHOLE = {
    "chicken": "rooster", "beach-with-umbrella": "umbrella-on-ground", "dragon-face": "dragon", "horse-face": "horse",
    "person-mountain-biking": "person-biking", "man-mountain-biking": "man-biking",
    "woman-mountain-biking": "woman-biking",
}  # fmt: skip
# Heads on the body of another picture: which, in what colour, and where the head lies on it (left, top, width).
HEADS_ON = {
    "unicorn": ("horse", "white", (-0.16, -0.2, 0.62)), "moose": ("ox", None, (-0.2, -0.22, 0.62)),
    "boar": ("pig", "brown", (-0.14, -0.12, 0.6)),
}  # fmt: skip
# Bitmaps are drawn in these sizes only: a small thing must not cost what a large one does.
LEVELS = (96, 192, 320, 512, 768, 1100, 1600)


def level_for(side: float) -> int:
    """The size of bitmap that is sharp for a thing whose longer side has so many pixels in the scene."""
    return next((level for level in LEVELS if side <= level * 1.1), LEVELS[-1])


@lru_cache(maxsize=160)  # a worker that lives long draws many things
def cut(name: str, pixels: int = 320) -> skia.Image:
    """A thing as it stands in scenes, about `pixels` on its longer side."""
    if name in WHOLE:
        return cut(WHOLE[name], pixels)
    if name in PAINTED:
        return PAINTED[name](pixels)
    picture = artwork.picture(name, pixels)
    if name in KEYED:
        picture = _keyed(picture, *KEYED[name])
    if name in KEPT:
        picture = picture.makeSubset(skia.IRect(0, 0, picture.width(), max(1, int(picture.height() * KEPT[name]))))
    if name in DOUBLED:
        return _doubled(picture)
    if name in HEADS_ON:
        return _on_body(picture, *HEADS_ON[name])
    return with_body(name, picture) if has_body(name) else picture


def _keyed(picture: skia.Image, low: float, high: float, least: float, white: bool) -> skia.Image:
    """What of a picture is of these hues and bright enough; the rest becomes clear."""
    import numpy

    pixels = picture.toarray(colorType=skia.kRGBA_8888_ColorType).astype(numpy.float32)
    hue, _ = _hue(pixels[..., :3])
    hue = (hue + 180) % 360 - 180
    top, bottom = pixels[..., :3].max(axis=2) / 255, pixels[..., :3].min(axis=2) / 255
    inside = (hue >= low) & (hue <= high) & (top - bottom > 0.18)
    if white:
        inside |= (top - bottom < 0.24) & (top > 0.5)
    kept = numpy.where(inside, numpy.clip((top - least) / 0.12, 0, 1), 0.0)
    pixels[..., 3] *= kept
    clear = skia.Image.fromarray(pixels.astype(numpy.uint8), colorType=skia.kRGBA_8888_ColorType)
    return artwork.trimmed(clear)


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
    pixels = max(head.width(), head.height())
    body_image = dyed(body, color, pixels) if color else cut(body, pixels)
    wide, tall = body_image.width(), body_image.height()
    left, top, share = place
    across = wide * share
    margin_left, margin_top = max(0.0, -left * wide), max(0.0, -top * tall)
    surface = skia.Surface(int(wide + margin_left), int(tall + margin_top))
    canvas = surface.getCanvas()
    canvas.drawImage(body_image, margin_left, margin_top)
    area = skia.Rect.MakeXYWH(
        margin_left + left * wide, margin_top + top * tall, across, across * head.height() / head.width()
    )
    canvas.drawImageRect(head, area, MIPMAPS)
    return surface.makeImageSnapshot()


@lru_cache(maxsize=64)
def dyed(name: str, color: str, pixels: int) -> skia.Image:
    """A thing in a colour of the plan, unless it has that colour by nature; eyes, tyres and panes keep their own."""
    import numpy

    picture = cut(name, pixels)
    values = picture.toarray(colorType=skia.kRGBA_8888_ColorType).astype(numpy.float32)
    seen = values[values[..., 3] > 128][::4, :3]
    if color in name.split("-") or _is_mostly(seen, color):
        return picture
    luma = values[..., :3] @ numpy.array([0.2126, 0.7152, 0.0722], numpy.float32) / 255
    middle = min(0.9, max(0.1, float((seen @ [0.2126, 0.7152, 0.0722]).mean()) / 255))
    bend = math.log(0.5) / math.log(middle)  # the picture's own middle tone becomes the colour itself
    tone = numpy.clip(luma, 1e-4, 1)[..., None] ** bend
    target = numpy.array(COLOURS[color], numpy.float32)
    low, high = target * 0.22, target + (255 - target) * 0.85
    shades = numpy.where(tone < 0.5, low + (target - low) * tone * 2, target + (high - target) * (tone - 0.5) * 2)
    kept = _body_of(values, seen)[..., None]
    values[..., :3] = values[..., :3] * (1 - kept) + shades * kept
    return skia.Image.fromarray(values.astype(numpy.uint8), colorType=skia.kRGBA_8888_ColorType)


def _is_mostly(seen: "Pixels", color: str) -> bool:
    names = list(COLOURS)
    distances = ((seen[:, None, :] - [COLOURS[other] for other in names]) ** 2).sum(axis=2)
    return float((distances.argmin(axis=1) == names.index(color)).mean()) > 0.5


def _body_of(values: "Pixels", seen: "Pixels") -> "Pixels":
    """How much each pixel is of the hue that most of the picture has;
    of a grey picture, all that is not nearly black.
    """
    import numpy

    hue, strength = _hue(values[..., :3])
    own, vivid = _hue(seen)
    if float((vivid > 0.3).mean()) < 0.35:
        dark = values[..., :3].max(axis=2) / 255
        share: Pixels = numpy.clip((dark - 0.16) / 0.12, 0, 1) * numpy.clip((0.75 - strength) / 0.2, 0, 1)
        return share
    counts, edges = numpy.histogram(own[vivid > 0.3], bins=24, range=(0, 360))
    smooth = counts + numpy.roll(counts, 1) + numpy.roll(counts, -1)
    main = edges[int(smooth.argmax())] + 7.5
    off = numpy.abs((hue - main + 180) % 360 - 180)
    near: Pixels = numpy.clip((62 - off) / 18, 0, 1) * numpy.clip((strength - 0.1) / 0.12, 0, 1)
    return near


def _hue(rgb: "Pixels") -> tuple["Pixels", "Pixels"]:
    """The hue in degrees and the saturation (0 to 1) of colours along the last axis."""
    import numpy

    red, green, blue = (rgb[..., channel] for channel in range(3))
    top, bottom = rgb.max(axis=-1), rgb.min(axis=-1)
    span = numpy.where(top > bottom, top - bottom, 1.0)
    sixth = numpy.where(
        top == red, (green - blue) / span, numpy.where(top == green, 2 + (blue - red) / span, 4 + (red - green) / span)
    )
    return sixth * 60 % 360, (top - bottom) / numpy.where(top > 0, top, 1.0)
