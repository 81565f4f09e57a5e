"""What stands behind and below the things of a scene: sky, hills, towers, water, rooms.

None of it moves by itself, so each layer is drawn once and then only placed. A new setting is an entry in `scenery`; a
new kind of ground is a painter here.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import skia

from aigen.pipelines.storybook.drawing import scenery
from aigen.pipelines.storybook.drawing.look import (
    EDGE,
    LINEAR,
    Look,
    colour,
    cut,
    grade,
    mix,
    radial,
    scaled,
    tinted,
    vertical,
)
from aigen.pipelines.storybook.drawing.scenery import Colour

# How much wider than the frame the layers are on each side, for the camera to move over.
MARGIN = 0.07


@dataclass(frozen=True)
class Layer:
    """A bitmap of part of the scene. `depth` 0 is infinitely far away, 1 moves with the camera."""

    image: skia.Image
    left: int
    top: int
    depth: float


def make_layers(look: Look) -> list[Layer]:
    """What does not move by itself, the furthest first."""
    ground, horizon = look.setting.ground, look.horizon / look.height
    if ground == "indoor":
        return [_layer(look, 0.5, _draw_interior)]
    if ground == "deep":
        return [_layer(look, 0.3, _draw_deep), _layer(look, 0.8, _draw_land, top=horizon - 0.1)]
    layers = [_layer(look, 0.0, _draw_sky)]
    if look.setting.backdrop:
        tall = {"hills": 0.14, "peaks": 0.5, "towers": 0.52}.get(look.setting.backdrop, 0.34)
        tall = max(tall, 0.42 if look.plan.weather == "fog" else 0.22)
        layers.append(_layer(look, 0.4, _draw_backdrop, top=horizon - tall, bottom=horizon + 0.1))
    if ground in ("water", "shore"):
        layers.append(_layer(look, 0.5, _draw_water, top=horizon))
    if ground in ("land", "street", "shore") or look.plan.setting == "planet surface":
        layers.append(_layer(look, 0.8, _draw_land, top=horizon - 0.1))
    return layers


def _layer(
    look: Look, depth: float, draw: Callable[[Look, skia.Canvas], None], top: float = -1.0, bottom: float = 2.0
) -> Layer:
    """Draw, in frame coordinates, a bitmap that reaches over the frame's sides, from `top` down to `bottom`.

    The less of the frame a layer covers, the faster are the frames.
    """
    margin = MARGIN if depth else 0.0
    side, beyond = math.ceil(look.width * margin), look.height * margin
    top = math.floor(max(top * look.height, -beyond))
    height = max(1, math.ceil(min(bottom * look.height, look.height + beyond)) - top)
    # At depth 0 it never moves; where it is opaque too, skia copies it a hundred times faster than it can move it.
    alpha = skia.kPremul_AlphaType if depth else skia.kOpaque_AlphaType
    info = skia.ImageInfo.Make(int(look.width) + 2 * side, height, skia.kRGBA_8888_ColorType, alpha)
    surface = skia.Surface.MakeRaster(info)
    canvas = surface.getCanvas()
    canvas.translate(side, -top)
    style = grade(look.style)
    canvas.saveLayer(None, skia.Paint(ColorFilter=style) if style else None)
    draw(look, canvas)
    canvas.restore()
    _dim_corners(look, canvas)
    return Layer(surface.makeImageSnapshot(), -side, top, depth)


def _dim_corners(look: Look, canvas: skia.Canvas) -> None:
    clear, dim = colour(look.light.vignette, 0), colour(look.light.vignette, 120 * look.contrast**2)
    reach = math.hypot(look.width, look.height) * 0.56
    paint = radial(look.width / 2, look.height * 0.48, reach, [clear, clear, dim], [0, 0.6, 1])
    paint.setBlendMode(skia.BlendMode.kSrcATop)
    canvas.drawPaint(paint)


def _draw_sky(look: Look, canvas: skia.Canvas) -> None:
    frame = skia.Rect.MakeLTRB(-look.width, -look.height, 2 * look.width, 2 * look.height)
    if look.setting.ground == "space":
        canvas.drawRect(
            frame, vertical(0, look.height, [colour((6, 6, 26)), colour((26, 16, 66)), colour((10, 8, 40))])
        )
        for _ in range(5):
            x, y = look.random.uniform(0, look.width), look.random.uniform(0, look.height)
            radius = look.unit * look.random.uniform(0.2, 0.5)
            nebula = look.random.choice([(120, 60, 190), (40, 90, 200), (200, 70, 140)])
            canvas.drawCircle(x, y, radius, radial(x, y, radius, [colour(nebula, 90), colour(nebula, 0)]))
    else:
        bottom = min(look.horizon * 1.06, look.height)
        canvas.drawRect(frame, vertical(0, bottom, [colour(part) for part in look.light.sky]))
    if look.setting.ground == "space" or (look.dark and look.plan.weather in ("clear", "snow", "wind")):
        _draw_stars(look, canvas)
    if look.disc:
        x, y, radius = look.disc
        glow = [colour(look.light.glow, 130), colour(look.light.glow, 40), colour(look.light.glow, 0)]
        canvas.drawCircle(x, y, radius * 4.5, radial(x, y, radius * 4.5, glow, [0.15, 0.45, 1]))
        edge = mix(look.light.disc, (226, 206, 160) if look.dark else (255, 214, 120), 0.75)
        body = radial(x - radius * 0.3, y - radius * 0.3, radius * 1.6, [colour(look.light.disc), colour(edge)])
        canvas.drawCircle(x, y, radius, body)


def _draw_stars(look: Look, canvas: skia.Canvas) -> None:
    for _ in range(220):
        x, y = (
            look.random.uniform(-0.07, 1.07) * look.width,
            look.random.uniform(-0.07, 0.95) * min(look.horizon, look.height),
        )
        size = look.unit * look.random.choice([0.0008, 0.0011, 0.0016, 0.0022])
        paint = skia.Paint(AntiAlias=True, Color=colour((255, 252, 232), look.random.uniform(90, 235)))
        canvas.drawCircle(x, y, size, paint)


def _draw_backdrop(look: Look, canvas: skia.Canvas) -> None:
    kind = look.setting.backdrop
    far = look.lit(mix(look.setting.colour, look.light.sky[2], 0.5))
    if kind == "hills":
        _hill(
            look,
            canvas,
            look.horizon - look.height * 0.05,
            look.height * 0.05,
            5,
            mix(far, look.light.sky[2], 0.35),
            far,
        )
    elif kind == "peaks":
        _draw_peaks(look, canvas)
    elif kind == "towers":
        _draw_towers(look, canvas)
    else:
        low, haze = look.horizon - look.height * 0.02, mix(far, look.light.sky[2], 0.3)
        _hill(look, canvas, low, look.height * 0.02, 4, haze, far)
        _draw_row(look, canvas, kind.split())
    haze = look.light.sky[2]
    strength = 225 if look.plan.weather == "fog" else 80
    band = [colour(haze, 0), colour(haze, strength), colour(haze, strength * 0.9)]
    top = look.horizon - look.height * (0.4 if look.plan.weather == "fog" else 0.2)
    area = skia.Rect.MakeLTRB(-look.width, top, 2 * look.width, look.height * 1.1)
    canvas.drawRect(area, vertical(top, look.horizon, band))


def _draw_row(look: Look, canvas: skia.Canvas, names: list[str]) -> None:
    """A row of trees or houses along the horizon, the further ones smaller and hazier."""
    wooded = look.plan.setting in ("forest", "jungle", "snow")
    for row, (many, low, high) in enumerate(((13, 0.13, 0.2), (9, 0.19, 0.28)) if wooded else ((9, 0.12, 0.19),)):
        for place in range(many):
            x = look.width * ((place + 0.5) / many * 1.16 - 0.08) + look.random.uniform(-0.03, 0.03) * look.width
            side = look.height * look.random.uniform(low, high)
            base = look.horizon + look.height * (0.012 + 0.02 * row) + look.random.uniform(0, 0.01) * look.height
            _stamp(look, canvas, look.random.choice(names), x, base, side, haze=0.34 - 0.16 * row, shadow=0)


def _draw_peaks(look: Look, canvas: skia.Canvas) -> None:
    for distance in (0.62, 0.34):
        for _ in range(4):
            x = look.random.uniform(-0.05, 1.05) * look.width
            tall = look.height * look.random.uniform(0.22, 0.4) * (1.15 - distance * 0.5)
            half = tall * look.random.uniform(0.75, 1.1)
            rock = mix(look.lit((104, 112, 146)), look.light.sky[2], distance)
            snow = mix(look.lit((246, 250, 255)), look.light.sky[2], distance * 0.6)
            foot = look.horizon + look.height * 0.03
            for shape, rgb in (((-1, 0, 1), rock), ((0, 0, 1), scaled(rock, 0.88))):
                path = skia.Path()
                path.moveTo(x + shape[0] * half, foot)
                path.lineTo(x, foot - tall)
                path.lineTo(x + half, foot)
                path.close()
                canvas.drawPath(path, skia.Paint(AntiAlias=True, Color=colour(rgb)))
            cap = skia.Path()
            cap.moveTo(x, foot - tall)
            for dx, dy in ((0.3, 0.3), (0.16, 0.25), (0.05, 0.34), (-0.09, 0.26), (-0.3, 0.3)):
                cap.lineTo(x + dx * half, foot - tall + dy * tall)
            cap.close()
            canvas.drawPath(cap, skia.Paint(AntiAlias=True, Color=colour(snow)))


def _draw_towers(look: Look, canvas: skia.Canvas) -> None:
    for distance in (0.55, 0.2):
        x = -look.width * MARGIN
        while x < look.width * (1 + MARGIN):
            wide = look.unit * look.random.uniform(0.06, 0.13)
            tall = look.height * look.random.uniform(0.16, 0.44) * (1.1 - distance * 0.4)
            body = look.lit(look.random.choice([(146, 156, 180), (170, 150, 150), (126, 140, 170), (184, 176, 160)]))
            body = mix(body, look.light.sky[2], distance)
            top = look.horizon - tall
            tower = skia.Rect.MakeLTRB(x, top, x + wide, look.horizon + look.height * 0.05)
            canvas.drawRect(tower, vertical(top, look.horizon, [colour(scaled(body, 1.06)), colour(scaled(body, 0.9))]))
            _draw_windows(look, canvas, x, top, wide, tall, distance)
            x += wide * look.random.uniform(1.0, 1.12)


def _draw_windows(
    look: Look, canvas: skia.Canvas, x: float, top: float, wide: float, tall: float, distance: float
) -> None:
    step = look.unit * 0.021
    for row in range(1, int(tall / step / 1.3)):
        for column in range(int(wide / step) - 1):
            lit = look.dark and look.random.random() < 0.5
            pane = (255, 222, 130) if lit else mix(look.light.sky[1], (30, 40, 70), 0.35 if look.dark else 0.15)
            alpha = (230 if lit else 110) * (1 - distance * 0.5)
            left, up = x + step * (column + 0.75), top + row * step * 1.3
            canvas.drawRect(skia.Rect.MakeXYWH(left, up, step * 0.5, step * 0.7), skia.Paint(Color=colour(pane, alpha)))


def _draw_land(look: Look, canvas: skia.Canvas) -> None:
    near = look.lit(look.setting.colour)
    if look.setting.ground == "deep":
        near = mix(near, (20, 90, 150), 0.45)
    top = look.horizon + (look.height * 0.12 if look.setting.ground == "shore" else 0)
    if look.setting.ground == "street":
        _draw_street(look, canvas, near)
        return
    swell = look.height * (0.02 if look.setting.ground != "deep" else 0.012)
    light = mix(near, look.light.sky[2], 0.28)
    _hill(look, canvas, top, swell, 4, light, mix(near, light, 0.3))
    _hill(look, canvas, top + (look.height - top) * 0.3, swell * 1.2, 3, mix(near, light, 0.45), scaled(near, 0.72))
    for _ in range(14 if look.setting.scatter else 0):
        name = look.random.choice(look.setting.scatter)
        near_by = look.random.random()
        base = top + swell + (look.height - top) * (0.08 + 0.95 * near_by)
        tall = 2.6 if name.endswith("tree") or name == "umbrella-on-ground" else 1.0
        x = look.width * look.random.choice(
            [look.random.uniform(0, 0.26), look.random.uniform(0.74, 1), look.random.random()]
        )
        if tall > 1 and 0.3 < x / look.width < 0.7:
            x = look.width * look.random.choice([0.08, 0.93])
        _stamp(
            look,
            canvas,
            name,
            x,
            base,
            look.unit * (0.035 + 0.06 * near_by) * tall,
            haze=0.12 * (1 - near_by),
            shadow=0.35,
        )


def _draw_street(look: Look, canvas: skia.Canvas, near: Colour) -> None:
    bottom = look.height * (1 + MARGIN)
    walk = look.horizon + look.height * 0.06
    wide = skia.Rect.MakeLTRB(-look.width, look.horizon, 2 * look.width, bottom)
    verge = look.lit((120, 184, 96)) if look.plan.setting == "road" else mix(near, look.lit((210, 206, 200)), 0.7)
    canvas.drawRect(wide, skia.Paint(Color=colour(verge)))
    road = skia.Rect.MakeLTRB(-look.width, walk, 2 * look.width, bottom)
    canvas.drawRect(
        road, vertical(walk, bottom, [colour(mix(near, look.light.sky[2], 0.15)), colour(scaled(near, 0.7))])
    )
    line = look.height * 0.9
    for place in range(-2, 9):
        x = look.width * place / 6
        dash = skia.Path()
        for dx, dy in ((0.0, 0.0), (0.09, 0.0), (0.1, 0.016), (-0.01, 0.016)):
            point = x + dx * look.width, line + dy * look.height
            dash.lineTo(*point) if not dash.isEmpty() else dash.moveTo(*point)
        dash.close()
        canvas.drawPath(dash, skia.Paint(AntiAlias=True, Color=colour(look.lit((244, 236, 210)), 190)))


def _draw_water(look: Look, canvas: skia.Canvas) -> None:
    water = look.lit(look.setting.colour)
    bottom = look.height * (1 + MARGIN)
    shades = [mix(look.light.sky[2], water, 0.25), mix(look.light.sky[1], water, 0.7), scaled(water, 0.62)]
    area = skia.Rect.MakeLTRB(-look.width, look.horizon, 2 * look.width, bottom)
    canvas.drawRect(area, vertical(look.horizon, bottom, [colour(shade) for shade in shades]))


def _draw_deep(look: Look, canvas: skia.Canvas) -> None:
    frame = skia.Rect.MakeLTRB(-look.width, -look.height, 2 * look.width, 2 * look.height)
    shades = [scaled(shade, *look.light.tint) for shade in ((96, 204, 234), (24, 116, 190), (8, 50, 116))]
    canvas.drawRect(frame, vertical(0, look.height, [colour(shade) for shade in shades]))
    for _ in range(6):
        x, wide = look.random.uniform(-0.1, 1.0) * look.width, look.unit * look.random.uniform(0.05, 0.14)
        ray = skia.Path()
        ray.moveTo(x, -look.height * MARGIN)
        for dx, dy in ((wide, 0.0), (wide * 2.6 - look.unit * 0.2, 0.9), (-look.unit * 0.25, 0.9)):
            ray.lineTo(x + dx, look.height * dy)
        ray.close()
        canvas.drawPath(ray, vertical(0, look.height * 0.9, [colour((230, 255, 255), 60), colour((230, 255, 255), 0)]))


def _draw_interior(look: Look, canvas: skia.Canvas) -> None:
    wall, floor = look.lit(scenery.WALLS[look.plan.setting]), look.lit(look.setting.colour)
    frame = skia.Rect.MakeLTRB(-look.width, -look.height, 2 * look.width, 2 * look.height)
    canvas.drawRect(frame, vertical(0, look.horizon, [colour(scaled(wall, 0.86)), colour(wall)]))
    if look.setting.backdrop == "window":
        _draw_window(look, canvas)
    bottom = look.height * (1 + MARGIN)
    area = skia.Rect.MakeLTRB(-look.width, look.horizon, 2 * look.width, bottom)
    canvas.drawRect(area, vertical(look.horizon, bottom, [colour(scaled(floor, 1.12)), colour(scaled(floor, 0.72))]))
    if look.plan.setting != "studio":
        seam = skia.Paint(
            AntiAlias=True, Color=colour(scaled(floor, 0.55), 110), StrokeWidth=max(1.0, look.unit * 0.002)
        )
        for place in range(1, 6):
            y = look.horizon + (look.height - look.horizon) * (place / 5) ** 1.6
            canvas.drawLine(-look.width, y, 2 * look.width, y, seam)
    if look.setting.backdrop == "curtains":
        _draw_curtains(look, canvas)
    for name in look.setting.scatter:
        _stamp(
            look,
            canvas,
            name,
            look.width * (0.1 if look.mirrored else 0.9),
            look.horizon + look.height * 0.06,
            look.unit * 0.22,
            0,
            0.4,
        )


def _draw_window(look: Look, canvas: skia.Canvas) -> None:
    wide, tall = look.unit * 0.34, look.unit * 0.36
    left, top = look.width * (0.56 if look.mirrored else 0.12), look.horizon - tall * 1.25
    pane = skia.Rect.MakeXYWH(left, top, wide, tall)
    canvas.drawRect(pane, vertical(top, top + tall, [colour(part) for part in look.light.sky]))
    wood = skia.Paint(
        AntiAlias=True,
        Color=colour(look.lit((250, 246, 238))),
        Style=skia.Paint.kStroke_Style,
        StrokeWidth=look.unit * 0.014,
    )
    canvas.drawRect(pane, wood)
    canvas.drawLine(left + wide / 2, top, left + wide / 2, top + tall, wood)
    canvas.drawLine(left, top + tall / 2, left + wide, top + tall / 2, wood)


def _draw_curtains(look: Look, canvas: skia.Canvas) -> None:
    for place in range(-1, 5):
        for x in (look.width * place * 0.045, look.width * (1 - (place + 1) * 0.045)):
            fold = skia.Rect.MakeXYWH(x, -look.height, look.width * 0.05, look.horizon + look.height * 1.03)
            shader = skia.GradientShader.MakeLinear(
                [(x, 0), (x + look.width * 0.05, 0)],
                [colour((118, 14, 34)), colour((196, 38, 60)), colour((110, 10, 30))],
            )
            canvas.drawRect(fold, skia.Paint(Shader=shader))
    for x in (0.3, 0.5, 0.7):
        beam = skia.Path()
        beam.moveTo(look.width * x, -look.height * 0.05)
        beam.lineTo(look.width * (x - 0.16), look.height * 0.94)
        beam.lineTo(look.width * (x + 0.16), look.height * 0.94)
        beam.close()
        canvas.drawPath(
            beam, vertical(0, look.height * 0.94, [colour((255, 240, 200), 90), colour((255, 240, 200), 6)])
        )


def _hill(look: Look, canvas: skia.Canvas, y: float, swell: float, waves: float, top: Colour, bottom: Colour) -> None:
    phase = look.random.uniform(0, math.tau)
    path = skia.Path()
    path.moveTo(-look.width * 0.1, look.height * 1.2)
    for step in range(81):
        share = step / 80 * 1.2 - 0.1
        level = y + swell * math.sin(phase + share * waves) + swell * 0.4 * math.sin(2.3 * phase + share * waves * 2.7)
        path.lineTo(share * look.width, level)
    path.lineTo(look.width * 1.1, look.height * 1.2)
    path.close()
    canvas.drawPath(path, vertical(y - swell, look.height, [colour(top), colour(bottom)]))


def _stamp(
    look: Look, canvas: skia.Canvas, name: str, x: float, base: float, side: float, haze: float, shadow: float
) -> None:
    """Draw a thing into a layer for good."""
    picture = cut(name)
    longest = max(picture.width(), picture.height())
    width, height = picture.width() * side / longest, picture.height() * side / longest
    if shadow:
        blur = skia.MaskFilter.MakeBlur(skia.kNormal_BlurStyle, max(0.5, height * 0.025))
        paint = skia.Paint(AntiAlias=True, MaskFilter=blur, Color=colour((8, 12, 36), 255 * shadow))
        canvas.drawOval(skia.Rect.MakeXYWH(x - width * 0.42, base - height * 0.05, width * 0.84, height * 0.1), paint)
    image = tinted(look, name, width, height, haze)
    canvas.drawImageRect(
        image, skia.Rect.MakeXYWH(x - width / 2, base - height, width, height).makeOutset(EDGE, EDGE), LINEAR
    )
