"""Filters: what is done to the colours of a photograph. `grading` makes styles of it.

Colours are arrays of shape (height, width, 3), planes are of shape (height, width); both from 0 to 1, as they are
stored (not linear). What has no limits of its own may leave that range. Lengths are in pixels.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy  # noqa: TID253 (this module is only loaded where something is graded)
import skia
from PIL import Image, ImageFilter  # noqa: TID253

Colours = numpy.ndarray[Any, Any]

LUMINANCE = (0.2126, 0.7152, 0.0722)
# Noise without its own alpha.
OPAQUE = (1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1)


def as_colours(picture: Image.Image) -> Colours:
    return numpy.asarray(picture, numpy.float32) / numpy.float32(255)


def as_image(colours: Colours) -> Image.Image:
    return Image.fromarray((colours * 255 + 0.5).clip(0, 255).astype(numpy.uint8))


# What several styles do


def luminance_of(colours: Colours) -> Colours:
    return colours @ numpy.array(LUMINANCE, numpy.float32)


def resized(colours: Colours, width: int, height: int, way: Image.Resampling) -> Colours:
    """Colours or a plane in another size; a plane may have any values."""
    if colours.shape[:2] == (height, width):
        return colours
    if colours.ndim == 3:
        return as_colours(as_image(colours).resize((width, height), way))
    plane: Colours = numpy.asarray(Image.fromarray(colours).resize((width, height), way))
    return plane


def smaller(colours: Colours, times: int) -> Colours:
    height, width = colours.shape[:2]
    return resized(colours, max(1, width // times), max(1, height // times), Image.Resampling.BOX)


def as_large_as(colours: Colours, other: Colours) -> Colours:
    return resized(colours, other.shape[1], other.shape[0], Image.Resampling.BICUBIC)


def blurred(colours: Colours, radius: float) -> Colours:
    """Out of focus, which is quick: far from sharp it is done on a smaller picture."""
    less = max(1, int(radius / 3))
    image = as_image(smaller(colours, less)).filter(ImageFilter.GaussianBlur(radius / less))
    return as_large_as(as_colours(image), colours)


def boxed(plane: Colours, radius: int) -> Colours:
    """The mean of each square of a plane."""
    for axis in (0, 1):
        side = plane.shape[axis]
        reach = min(radius, side - 1)
        padded = numpy.pad(plane, [(reach + 1, reach) if each == axis else (0, 0) for each in (0, 1)], mode="edge")
        total = padded.cumsum(axis=axis, dtype=numpy.float64)
        over = 2 * reach + 1
        sums = total[over:] - total[:-over] if axis == 0 else total[:, over:] - total[:, :-over]
        plane = (sums / over).astype(numpy.float32)
    return plane


def softened(colours: Colours, radius: int, edge: float) -> Colours:
    """Colours (or a plane) without fine texture, but with the edges of their luminance, so that nothing gets a halo.

    A guided filter, whose coefficients are found in a smaller picture.
    """
    guide = luminance_of(colours) if colours.ndim == 3 else colours
    less = max(1, radius // 3)
    small, reach = smaller(guide, less), max(1, round(radius / less))
    mean = boxed(small, reach)
    spread = (boxed(small * small, reach) - mean * mean).clip(0) + edge
    parts = []
    for part in numpy.moveaxis(colours, 2, 0) if colours.ndim == 3 else (colours,):
        part = smaller(numpy.ascontiguousarray(part), less)
        own = boxed(part, reach)
        share = (boxed(small * part, reach) - mean * own) / spread
        slope, level = boxed(share, reach), boxed(own - share * mean, reach)
        parts.append(as_large_as(slope, guide) * guide + as_large_as(level, guide))
    return numpy.stack(parts, axis=2).clip(0, 1) if colours.ndim == 3 else parts[0]


def clear(colours: Colours, unit: float, strength: float, far: float = 0.02) -> Colours:
    """With more of what tells near tones apart."""
    luminance = luminance_of(colours)
    detail = luminance - softened(luminance, max(1, round(unit * far)), 0.01)
    room = 4 * luminance * (1 - luminance) * 0.7 + 0.3  # little in the lightest and the darkest
    changed: Colours = colours + (strength * detail * room)[..., None]
    return changed


def sharp(colours: Colours, unit: float, strength: float) -> Colours:
    luminance = luminance_of(colours)
    detail = luminance - luminance_of(blurred(colours, max(0.6, unit * 0.0012)))
    changed: Colours = colours + (strength * detail.clip(-0.08, 0.08))[..., None]
    return changed


def stretched(colours: Colours, share: float) -> Colours:
    """With the darkest nearer to black and the lightest nearer to white."""
    low, high = numpy.percentile(luminance_of(colours[::4, ::4]), (0.5, 99.5))
    if high - low < 0.2:  # of one tone, as fog or a wall
        return colours
    low, high = low * share, 1 - (1 - high) * share
    changed: Colours = (colours - numpy.float32(low)) / numpy.float32(high - low)
    return changed


def curved(colours: Colours, strength: float) -> Colours:
    """An S-shaped curve: darker darks and lighter lights."""
    colours = colours.clip(0, 1)
    changed: Colours = colours + strength * (colours * colours * (3 - 2 * colours) - colours)
    return changed


def saturated(colours: Colours, strength: float) -> Colours:
    """More (above 1) or less of each colour; more only where there is little, so that nothing glares."""
    luminance = luminance_of(colours)[..., None]
    if strength <= 1:
        return luminance + (colours - luminance) * strength
    spread = colours.max(axis=2, keepdims=True) - colours.min(axis=2, keepdims=True)
    changed: Colours = luminance + (colours - luminance) * (1 + (strength - 1) * (1 - spread.clip(0, 1)))
    return changed


def dimmed(colours: Colours, strength: float, reach: float = 0.62) -> Colours:
    """Darker towards the corners."""
    height, width = colours.shape[:2]
    down = ((numpy.arange(height, dtype=numpy.float32) + 0.5) / height * 2 - 1)[:, None]
    right = ((numpy.arange(width, dtype=numpy.float32) + 0.5) / width * 2 - 1)[None, :]
    away = numpy.sqrt((down * down + right * right) / 2)
    dim = ((away - reach * 0.6) / (1 - reach * 0.6)).clip(0, 1)
    changed: Colours = colours * (1 - strength * dim * dim * (3 - 2 * dim))[..., None]
    return changed


def toned(colours: Colours, shadows: tuple[float, ...], lights: tuple[float, ...]) -> Colours:
    """Shadows and lights of different colours, which are added; middle tones of neither."""
    luminance = luminance_of(colours).clip(0, 1)[..., None]
    dark, light = (1 - luminance) ** 2, luminance**1.5
    changed: Colours = colours + dark * numpy.array(shadows, numpy.float32) + light * numpy.array(lights, numpy.float32)
    return changed


def glowing(colours: Colours, unit: float, tone: tuple[float, ...], strength: float) -> Colours:
    """With light that spreads from what is bright."""
    bright = ((luminance_of(colours) - 0.72) / 0.28).clip(0, 1)[..., None] * colours
    glow = blurred(bright, unit * 0.025) * numpy.array(tone, numpy.float32) * strength
    changed: Colours = 1 - (1 - colours.clip(0, 1)) * (1 - glow)
    return changed


def filmed(colours: Colours, unit: float, seed: int, strength: float) -> Colours:
    """With the grain of film, most in its middle tones."""
    height, width = colours.shape[:2]
    size = max(1, round(unit / 1100))
    noise = numpy.random.default_rng(seed).standard_normal((-(-height // size), -(-width // size)), numpy.float32)
    noise = noise.repeat(size, 0).repeat(size, 1)[:height, :width]
    luminance = luminance_of(colours).clip(0, 1)
    changed: Colours = colours + (strength * noise * (0.35 + 2.6 * luminance * (1 - luminance)))[..., None]
    return changed


def painted(colours: Colours, radius: int) -> Colours:
    """In strokes: each point as the calmest of the squares around it (Kuwahara's filter, softly)."""
    less = max(1, radius // 3)
    small, reach = smaller(colours, less), max(1, round(radius / less))
    height, width = small.shape[:2]
    luminance = luminance_of(small)
    level = boxed(luminance, reach)
    calm = 1 / ((boxed(luminance * luminance, reach) - level * level).clip(0) + 1e-4) ** 2
    mean = as_colours(as_image(small).filter(ImageFilter.BoxBlur(reach))) * calm[..., None]
    mean = numpy.pad(mean, [(reach, reach), (reach, reach), (0, 0)], mode="edge")
    calm = numpy.pad(calm, reach, mode="edge")
    total, weights = numpy.zeros_like(small), numpy.zeros_like(luminance)
    for down in (0, 2 * reach):
        for right in (0, 2 * reach):
            total += mean[down : down + height, right : right + width]
            weights += calm[down : down + height, right : right + width]
    return as_large_as(total / weights[..., None], colours)


def shifted(plane: Colours, down: int, right: int) -> Colours:
    """What is so far below and to the right of each point."""
    height, width = plane.shape[:2]
    rows = (numpy.arange(height) + down).clip(0, height - 1)
    return plane.take(rows, 0).take((numpy.arange(width) + right).clip(0, width - 1), 1)


def canvas_of(colours: Colours) -> tuple[Colours, skia.Canvas]:
    """Pixels of a picture, and a canvas that draws on them."""
    pixels = numpy.dstack([numpy.asarray(as_image(colours)), numpy.full(colours.shape[:2], 255, numpy.uint8)])
    pixels = numpy.ascontiguousarray(pixels)
    return pixels, skia.Surface(pixels, colorType=skia.kRGBA_8888_ColorType).getCanvas()


def drawn(colours: Colours, draw: Callable[[skia.Canvas], None]) -> Colours:
    """What `draw` does to a picture."""
    pixels, canvas = canvas_of(colours)
    draw(canvas)
    return pixels[..., :3].astype(numpy.float32) / 255


def noise_like(colours: Colours, size: float, seed: int) -> Colours:
    """Clouds of this size, from -1 to 1, mostly near 0."""
    height, width = colours.shape[:2]
    scale = max(1.0, size / 12)
    small = skia.Surface(math.ceil(width / scale), math.ceil(height / scale))
    shader = skia.PerlinNoiseShader.MakeFractalNoise(scale / size, scale / size, 3, seed % 997)
    small.getCanvas().drawPaint(skia.Paint(Shader=shader, ColorFilter=skia.ColorFilters.Matrix(OPAQUE)))
    pixels = small.makeImageSnapshot().toarray(colorType=skia.kRGBA_8888_ColorType)
    image = Image.fromarray(numpy.ascontiguousarray(pixels[..., 0]))
    large = image.resize((width, height), Image.Resampling.BICUBIC)
    noise: Colours = numpy.asarray(large, numpy.float32) / 63.75 - 2
    return noise
