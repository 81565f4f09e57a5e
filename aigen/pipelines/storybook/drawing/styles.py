"""What a style does to pictures and layers when they are made, and what it lays over the finished frame.

A style of its own is an entry in the tables here and its grade in `scenery`.
"""

from collections.abc import Callable

import skia

from aigen.pipelines.storybook.drawing.colours import LINEAR, Colour, colour, mix
from aigen.pipelines.storybook.drawing.layers import new_surface
from aigen.pipelines.storybook.drawing.lettering import draw_title
from aigen.pipelines.storybook.drawing.look import Look

PAPER: Colour = (250, 246, 236)
INK: Colour = (44, 34, 70)


def _stepped(levels: int) -> skia.ColorFilter:
    """Colours in so many steps of each channel instead of gradients."""
    table = [round(round(value / 255 * levels) / levels * 255) for value in range(256)]
    return skia.TableColorFilter.MakeARGB(list(range(256)), table, table, table)


def _surface_like(image: skia.Image) -> skia.Surface:
    return new_surface(image.width(), image.height(), image.isOpaque())


def draw_grain(canvas: skia.Canvas, size: float, strength: float, seed: int) -> None:
    """The tooth of paper, or pigment that settled in it: light and dark, only where something is drawn."""
    noise = skia.PerlinNoiseShader.MakeFractalNoise(1 / size, 1 / size, 3, seed)
    # Its red as a grey between dark and light, around the middle.
    spread = 2.4
    row = [spread, 0, 0, 0, 0.5 - spread / 2]
    grey = skia.ColorFilters.Matrix([*row * 3, 0, 0, 0, 0, strength])
    canvas.drawPaint(skia.Paint(Shader=noise, ColorFilter=grey, BlendMode=skia.BlendMode.kSoftLight))


def _kept_inside(image: skia.Image, draw: Callable[[skia.Canvas], None]) -> skia.Image:
    """What `draw` does to an image, only where the image is."""
    surface = _surface_like(image)
    canvas = surface.getCanvas()
    canvas.drawImage(image, 0, 0)
    draw(canvas)
    if not image.isOpaque():
        canvas.drawImage(image, 0, 0, skia.SamplingOptions(), skia.Paint(BlendMode=skia.BlendMode.kDstIn))
    return surface.makeImageSnapshot()


def wobbled(image: skia.Image, far: float, size: float, seed: int) -> skia.Image:
    """Edges as a hand draws them."""
    surface = _surface_like(image)
    noise = skia.Surface(image.width(), image.height())
    noise.getCanvas().drawPaint(skia.Paint(Shader=skia.PerlinNoiseShader.MakeFractalNoise(1 / size, 1 / size, 2, seed)))
    waves = skia.ImageFilters.Image(noise.makeImageSnapshot(), LINEAR)
    drawn = skia.ImageFilters.Image(image, LINEAR)
    bend = skia.ImageFilters.DisplacementMap(skia.ColorChannel.kR, skia.ColorChannel.kG, far, waves, drawn)
    surface.getCanvas().drawImage(image, 0, 0, LINEAR, skia.Paint(ImageFilter=bend))
    return surface.makeImageSnapshot()


def _inset(image: skia.Image, edge: float) -> skia.Image:
    """A little smaller in its own box, so that an outline has room."""
    surface = _surface_like(image)
    box = skia.Rect.MakeWH(image.width(), image.height()).makeInset(edge, edge)
    surface.getCanvas().drawImageRect(image, box, LINEAR)
    return surface.makeImageSnapshot()


# Watercolour


def _paint_picture(look: Look, image: skia.Image) -> skia.Image:
    side = max(image.width(), image.height())
    image = wobbled(_inset(image, side * 0.012), side * 0.022, max(6.0, side * 0.09), 3)

    def pigment(canvas: skia.Canvas) -> None:
        draw_grain(canvas, max(5.0, side * 0.3), 0.42, 5)
        # Paint gathers and dries darker along its edge.
        edge = _surface_like(image)
        rim = edge.getCanvas()
        rim.drawImage(
            image,
            0,
            0,
            LINEAR,
            skia.Paint(ColorFilter=skia.ColorFilters.Blend(colour((60, 50, 90)), skia.BlendMode.kSrcIn)),
        )
        thin = max(0.8, side * 0.006)
        inner = skia.Paint(
            BlendMode=skia.BlendMode.kDstOut,
            ImageFilter=skia.ImageFilters.Erode(thin, thin, skia.ImageFilters.Blur(thin, thin)),
        )
        rim.drawImage(image, 0, 0, LINEAR, inner)
        canvas.drawImage(edge.makeImageSnapshot(), 0, 0, LINEAR, skia.Paint(Alphaf=0.5))

    return _kept_inside(image, pigment)


def _paint_layer(look: Look, image: skia.Image) -> skia.Image:
    if not image.isOpaque():
        image = wobbled(image, look.unit * 0.012, look.unit * 0.05, 7)

    def pigment(canvas: skia.Canvas) -> None:
        draw_grain(canvas, look.unit * 0.3, 0.5, 11)
        draw_grain(canvas, max(2.0, look.unit * 0.006), 0.16, 13)
        canvas.drawColor(colour(PAPER, 26), skia.BlendMode.kSrcOver)

    return _kept_inside(image, pigment)


def paper_border(width: float, height: float, unit: float) -> skia.Image:
    """White paper around the painting, with a ragged edge, and its grain all over."""
    surface = skia.Surface(int(width), int(height))
    canvas = surface.getCanvas()
    canvas.clear(colour(PAPER))
    edge = unit * 0.05
    hole = skia.Surface(int(width), int(height))
    inner = skia.Rect.MakeWH(width, height).makeInset(edge, edge)
    soft = skia.Paint(
        AntiAlias=True, MaskFilter=skia.MaskFilter.MakeBlur(skia.kNormal_BlurStyle, max(0.6, unit * 0.002))
    )
    hole.getCanvas().drawRoundRect(inner, edge * 0.4, edge * 0.4, soft)
    ragged = wobbled(hole.makeImageSnapshot(), unit * 0.05, unit * 0.06, 17)
    canvas.drawImage(ragged, 0, 0, skia.SamplingOptions(), skia.Paint(BlendMode=skia.BlendMode.kDstOut))
    return surface.makeImageSnapshot()


# Paper cut


def _cut_picture(look: Look, image: skia.Image) -> skia.Image:
    side = max(image.width(), image.height())
    edge = max(1.0, side * 0.012)
    inner = _inset(image, edge * 1.6)
    surface = _surface_like(image)
    canvas = surface.getCanvas()
    white = skia.ColorFilters.Blend(colour(look.lit(PAPER)), skia.BlendMode.kSrcIn)
    shadow = skia.ColorFilters.Blend(colour((20, 10, 40), 120), skia.BlendMode.kSrcIn)
    soft = skia.ImageFilters.Dilate(edge, edge, skia.ImageFilters.Blur(edge * 0.6, edge * 0.6))
    canvas.drawImage(inner, edge * 0.5, edge * 0.7, LINEAR, skia.Paint(ColorFilter=shadow, ImageFilter=soft))
    canvas.drawImage(
        inner, 0, 0, LINEAR, skia.Paint(ColorFilter=white, ImageFilter=skia.ImageFilters.Dilate(edge, edge))
    )
    canvas.drawImage(inner, 0, 0, LINEAR, skia.Paint(ColorFilter=_stepped(6)))
    return _kept_inside(surface.makeImageSnapshot(), lambda inside: draw_grain(inside, max(2.0, side * 0.012), 0.14, 3))


def _cut_layer(look: Look, image: skia.Image) -> skia.Image:
    surface = _surface_like(image)
    canvas = surface.getCanvas()
    if not image.isOpaque():  # each sheet throws a shadow on the one behind it
        blur = look.unit * 0.01
        shadow = skia.ColorFilters.Blend(colour((16, 8, 40), 150), skia.BlendMode.kSrcIn)
        canvas.drawImage(
            image,
            0,
            -look.unit * 0.01,
            LINEAR,
            skia.Paint(ColorFilter=shadow, ImageFilter=skia.ImageFilters.Blur(blur, blur)),
        )
    canvas.drawImage(image, 0, 0, skia.SamplingOptions(), skia.Paint(ColorFilter=_stepped(11)))
    return _kept_inside(
        surface.makeImageSnapshot(), lambda inside: draw_grain(inside, max(2.0, look.unit * 0.005), 0.14, 5)
    )


# Poster


def _print_picture(look: Look, image: skia.Image) -> skia.Image:
    side = max(image.width(), image.height())
    edge = max(0.8, side * 0.007)
    inner = _inset(image, edge * 1.3)
    surface = _surface_like(image)
    canvas = surface.getCanvas()
    ink = skia.ColorFilters.Blend(colour((34, 26, 60)), skia.BlendMode.kSrcIn)
    canvas.drawImage(inner, 0, 0, LINEAR, skia.Paint(ColorFilter=ink, ImageFilter=skia.ImageFilters.Dilate(edge, edge)))
    canvas.drawImage(inner, 0, 0, LINEAR, skia.Paint(ColorFilter=_stepped(4)))
    return surface.makeImageSnapshot()


def _print_layer(look: Look, image: skia.Image) -> skia.Image:
    surface = _surface_like(image)
    surface.getCanvas().drawImage(image, 0, 0, skia.SamplingOptions(), skia.Paint(ColorFilter=_stepped(7)))
    return surface.makeImageSnapshot()


def _print_border(look: Look) -> skia.Image:
    """The poster's margin in the take's tone, broad below where the title is set."""
    low = poster_band(look)
    surface = skia.Surface(int(look.width), int(look.height))
    canvas = surface.getCanvas()
    canvas.drawImage(cream_border(look.width, look.height, look.unit, low, look.take.tone), 0, 0)
    edge = round(look.unit * 0.035)
    if look.plan.caption and low:
        area = skia.Rect.MakeLTRB(
            edge * 1.5, look.height - low + edge * 0.4, look.width - edge * 1.5, look.height - edge * 0.45
        )
        draw_title(canvas, look.plan.caption, area, colour(INK))
    return surface.makeImageSnapshot()


def cream_border(width: float, height: float, unit: float, low: float = 0.0, tone: Colour = PAPER) -> skia.Image:
    """A cream margin with a fine line, below at least `low` pixels broad."""
    surface = skia.Surface(int(width), int(height))
    canvas = surface.getCanvas()
    edge = round(unit * 0.035)
    canvas.clear(colour(mix(PAPER, tone, 0.06)))
    hole = skia.Rect.MakeLTRB(edge, edge, width - edge, height - max(edge, low))
    canvas.drawRect(hole, skia.Paint(BlendMode=skia.BlendMode.kClear))
    line = skia.Paint(
        AntiAlias=True, Style=skia.Paint.kStroke_Style, StrokeWidth=max(1.0, unit * 0.003), Color=colour(INK)
    )
    canvas.drawRect(hole.makeOutset(edge * 0.22, edge * 0.22), line)
    return surface.makeImageSnapshot()


def poster_band(look: Look) -> float:
    """How high the band for a poster's title is, in pixels."""
    return float(round(look.height * 0.19)) if look.plan.caption else 0.0


PICTURES: dict[str, Callable[[Look, skia.Image], skia.Image]] = {
    "watercolour": _paint_picture, "paper-cut": _cut_picture, "poster": _print_picture,
}  # fmt: skip
LAYERS: dict[str, Callable[[Look, skia.Image], skia.Image]] = {
    "watercolour": _paint_layer, "paper-cut": _cut_layer, "poster": _print_layer,
}  # fmt: skip
OVERLAYS: dict[str, Callable[[Look], skia.Image]] = {
    "watercolour": lambda look: paper_border(look.width, look.height, look.unit),
    "poster": _print_border,
}


def finish_picture(look: Look, image: skia.Image) -> skia.Image:
    return PICTURES[look.style](look, image) if look.style in PICTURES else image


def finish_layer(look: Look, image: skia.Image) -> skia.Image:
    return LAYERS[look.style](look, image) if look.style in LAYERS else image


def make_overlay(look: Look) -> skia.Image | None:
    """What lies over every frame of this style, or nothing."""
    return OVERLAYS[look.style](look) if look.style in OVERLAYS else None
