"""The layers of a scene: all that stands still, from the sky to what grows right before the camera, each drawn once."""

import math
from collections.abc import Callable

import skia

from aigen.pipelines.storybook.drawing.backdrops import draw_far, draw_rows, stamp
from aigen.pipelines.storybook.drawing.colours import CUBIC, LINEAR, colour, radial
from aigen.pipelines.storybook.drawing.fronts import draw_front
from aigen.pipelines.storybook.drawing.grounds import GROUNDS, ICE, draw_footing
from aigen.pipelines.storybook.drawing.interiors import draw_interior
from aigen.pipelines.storybook.drawing.layers import FAR, MARGIN, Layer, new_surface, trimmed
from aigen.pipelines.storybook.drawing.look import Look, grade
from aigen.pipelines.storybook.drawing.sky import draw_clouds, draw_sky
from aigen.pipelines.storybook.drawing.styles import LAYERS, finish_layer
from aigen.pipelines.storybook.drawing.waters import draw_deep, draw_icebergs, draw_swell, draw_water

# Seconds of drifting that clouds are drawn for.
DRIFT = 8.0

Painter = Callable[[Look, skia.Canvas], None]


def make_layers(look: Look) -> list[Layer]:
    """What stands behind and below the things, the furthest first."""
    ground, horizon = look.setting.ground, look.horizon / look.height
    if ground == "indoor":
        return [_layer(look, 0.6, draw_interior, opaque=True)]
    if ground == "deep":
        return [_layer(look, 0.2, draw_deep, opaque=True), _layer(look, 0.85, GROUNDS["deep"], top=horizon - 0.06)]
    layers = [_layer(look, 0.0, _draw_clouded_sky, opaque=True)]
    if look.outside:
        layers.append(_clouds(look))
    if look.setting.far:
        layers.append(_layer(look, 0.2, draw_far, top=horizon - 0.56, bottom=horizon + 0.12))
    if look.setting.rows:
        layers.append(_layer(look, 0.38, draw_rows, top=horizon - 0.4, bottom=horizon + 0.12))
    if ground in ("water", "shore"):
        shown = [layer for layer in layers if layer.depth >= 0.2]
        layers.append(_layer(look, 0.45, lambda look, canvas: _draw_mirror(look, canvas, shown), top=horizon - 0.2))
    if look.has_footing:
        layers.append(_layer(look, 0.85, draw_footing, top=look.footing / look.height - 0.05))
    if look.plan.setting == "planet surface":
        layers.append(_layer(look, 0.8, GROUNDS["planet"], top=horizon - 0.08))
    elif ground in GROUNDS:
        tall = 0.34 if ground == "street" else 0.3 if ground == "shore" else 0.12
        layers.append(_layer(look, 0.8, GROUNDS[ground], top=horizon - tall))
    return layers


def make_front(look: Look) -> list[Layer]:
    """What is nearer than the things, out of focus: something in each lower corner,
    branches in the upper ones, or nothing.
    """
    if not look.setting.front or not look.take.front or look.plan.caption:
        return []
    side = look.unit * 0.46
    found = []
    for left in (True, False):

        def paint(look: Look, canvas: skia.Canvas, left: bool = left) -> None:
            _draw_soft(look, canvas, lambda small: draw_front(look, small, left))

        high = look.setting.front == "branches"
        top, bottom = (-MARGIN, side * 0.9 / look.height) if high else (1 - side * 0.72 / look.height, 1 + MARGIN)
        beyond = look.width * MARGIN * 1.4
        across = (-beyond, side) if left else (look.width - side, look.width + beyond)
        found.append(_layer(look, 1.25, paint, top=top, bottom=bottom, across=across))
    return found


def _draw_soft(look: Look, canvas: skia.Canvas, draw: Callable[[skia.Canvas], None]) -> None:
    """Out of focus: drawn at a fraction of its size and stretched, which is much faster than a blur."""
    share = min(1.0, 90 / look.unit)
    area = canvas.getLocalClipBounds()
    small = new_surface(area.width() * share + 1, area.height() * share + 1)
    small.getCanvas().scale(share, share)
    small.getCanvas().translate(-area.left(), -area.top())
    draw(small.getCanvas())
    stretched = skia.Rect.MakeXYWH(area.left(), area.top(), small.width() / share, small.height() / share)
    canvas.drawImageRect(small.makeImageSnapshot(), stretched, CUBIC)


def make_screen(look: Look, base: float) -> Layer:
    """A row of the setting's trees or houses before what stands behind them,
    as tall as to leave its upper half free.
    """

    def paint(look: Look, canvas: skia.Canvas) -> None:
        many = max(3, round(6 * look.width / look.height / 1.4))
        for place in range(many):
            x = look.width * ((place + look.random.uniform(0.3, 0.7)) / many * 1.16 - 0.08)
            side = look.height * look.random.uniform(0.2, 0.27)
            stamp(
                look,
                canvas,
                look.random.choice(look.setting.rows),
                x,
                base + look.height * 0.03,
                side,
                haze=0.06,
                shadow=0.3,
            )

    return _layer(look, 0.9, paint, top=base / look.height - 0.4, bottom=base / look.height + 0.1)


def _layer(
    look: Look,
    depth: float,
    draw: Painter,
    top: float = -1.0,
    bottom: float = 2.0,
    opaque: bool = False,
    across: tuple[float, float] | None = None,
    drift: float = 0.0,
) -> Layer:
    """Draw, in frame coordinates, a bitmap that reaches over the frame's sides, from `top` down to `bottom`.

    The less of the frame a layer covers, the faster are the frames.
    """
    beyond = look.height * MARGIN
    left, right = across or (-look.width * MARGIN, look.width * (1 + MARGIN))
    left, right = math.floor(left), math.ceil(right)
    high = math.floor(max(top * look.height, -beyond))
    low = math.ceil(min(bottom * look.height, look.height + beyond))
    surface = new_surface(right - left, low - high, opaque)
    canvas = surface.getCanvas()
    canvas.translate(-left, -high)
    style = grade(look.style)
    if style:
        canvas.saveLayer(None, skia.Paint(ColorFilter=style))
    draw(look, canvas)
    if style:
        canvas.restore()
    if opaque:
        _dim_corners(look, canvas)
        return Layer(finish_layer(look, surface.makeImageSnapshot()), left, high, depth, drift)
    image, above = trimmed(surface.makeImageSnapshot(), math.ceil(look.unit * 0.04) if look.style in LAYERS else 0)
    if depth >= FAR and across is None:  # only what reaches into the corners gets dark in them
        surface = new_surface(image.width(), image.height())
        canvas = surface.getCanvas()
        canvas.drawImage(image, 0, 0)
        canvas.translate(-left, -high - above)
        _dim_corners(look, canvas)
        image = surface.makeImageSnapshot()
    return Layer(finish_layer(look, image), left, high + above, depth, drift)


def _dim_corners(look: Look, canvas: skia.Canvas) -> None:
    clear, dim = colour(look.light.vignette, 0), colour(look.light.vignette, 110 * look.contrast**2)
    reach = math.hypot(look.width, look.height) * 0.58
    paint = radial(look.width / 2, look.height * 0.48, reach, [clear, clear, dim], [0, 0.6, 1])
    paint.setBlendMode(skia.BlendMode.kSrcATop)
    canvas.drawPaint(paint)


def _clouds(look: Look) -> Layer:
    """The nearer clouds, which drift; the further ones are part of the sky."""
    drift = look.unit * 0.012 * (3.0 if look.plan.weather in ("wind", "storm") else 1.0)
    reach = drift * DRIFT + look.width * MARGIN
    bottom = min(1.0, look.horizon / look.height * (1.0 if look.setting.ground == "air" else 0.8) + 0.05)

    def paint(look: Look, canvas: skia.Canvas) -> None:
        draw_clouds(look, canvas, False, reach)

    # At the sky's own depth: a layer that moved both ways would need many more shifted copies.
    return _layer(look, 0.0, paint, bottom=bottom, across=(-reach, look.width * (1 + MARGIN)), drift=drift)


def _draw_clouded_sky(look: Look, canvas: skia.Canvas) -> None:
    draw_sky(look, canvas)
    if look.outside:
        draw_clouds(look, canvas, True, look.width * MARGIN)


def _draw_mirror(look: Look, canvas: skia.Canvas, shown: list[Layer]) -> None:
    """Water, and in it what stands behind it, upside down."""
    draw_water(look, canvas)
    if look.plan.setting == "open sea" and ICE & {thing.name for thing in look.plan.objects}:
        draw_icebergs(look, canvas)
    tone = skia.ColorFilters.Blend(colour(look.lit(look.setting.colour), 110), skia.BlendMode.kSrcATop)
    for layer in shown:
        canvas.save()
        canvas.translate(0, look.horizon)
        canvas.scale(1, -0.55)
        canvas.translate(0, -look.horizon)
        canvas.clipRect(skia.Rect.MakeLTRB(-look.width, -look.height, 2 * look.width, look.horizon))
        soft = skia.ImageFilters.Blur(look.unit * 0.004, look.unit * 0.002)
        paint = skia.Paint(Alphaf=0.5 if look.setting.ground == "water" else 0.2, ColorFilter=tone, ImageFilter=soft)
        canvas.drawImage(layer.image, layer.left, layer.top, LINEAR, paint)
        canvas.restore()
    draw_swell(look, canvas)
