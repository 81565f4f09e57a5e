"""Scenes under a roof: rooms, a kitchen, a stage, a studio."""

from collections.abc import Callable
from itertools import pairwise

import skia

from aigen.pipelines.storybook.drawing.backdrops import stamp
from aigen.pipelines.storybook.drawing.colours import Colour, colour, mix, radial, scaled, vertical
from aigen.pipelines.storybook.drawing.layers import MARGIN
from aigen.pipelines.storybook.drawing.look import Look


def draw_interior(look: Look, canvas: skia.Canvas) -> None:
    wall = mix(look.lit(look.setting.wall), look.take.tone, look.take.strength * 0.3)
    floor = look.lit(look.setting.colour)
    if look.plan.setting == "studio":
        _draw_studio(look, canvas, wall)
        return
    frame = skia.Rect.MakeLTRB(-look.width, -look.height, 2 * look.width, 2 * look.height)
    canvas.drawRect(frame, vertical(0, look.horizon, [colour(scaled(wall, 0.8)), colour(wall)]))
    if look.setting.far:
        FAR[look.setting.far](look, canvas)
    if look.setting.far == "window":
        skirting = skia.Rect.MakeLTRB(-look.width, look.horizon - look.height * 0.022, 2 * look.width, look.horizon)
        canvas.drawRect(skirting, skia.Paint(Color=colour(mix(wall, look.lit((255, 255, 255)), 0.5))))
    if look.on_table:
        _draw_table(look, canvas)
        return
    bottom = look.height * (1 + MARGIN)
    area = skia.Rect.MakeLTRB(-look.width, look.horizon, 2 * look.width, bottom)
    canvas.drawRect(area, vertical(look.horizon, bottom, [colour(scaled(floor, 1.12)), colour(scaled(floor, 0.66))]))
    _draw_boards(look, canvas, floor)
    if look.setting.far == "window":
        _draw_rug(look, canvas)
        _draw_patch_of_light(look, canvas)
    elif look.setting.far == "curtains":
        _draw_spotlights(look, canvas)
    for name in look.setting.scatter:
        x = look.width * (0.08 if look.mirrored else 0.92)
        stamp(look, canvas, name, x, look.horizon + look.height * 0.05, look.unit * 0.22, 0, 0.4)


def _draw_studio(look: Look, canvas: skia.Canvas, wall: Colour) -> None:
    """Paper that runs seamlessly from the wall to the floor, a soft light on it."""
    frame = skia.Rect.MakeLTRB(-look.width, -look.height, 2 * look.width, 2 * look.height)
    tone = mix(wall, look.take.tone, 0.18 + look.take.strength)
    shades = [
        colour(scaled(tone, 0.84)),
        colour(tone),
        colour(mix(tone, (255, 255, 255), 0.4)),
        colour(scaled(tone, 0.9)),
    ]
    canvas.drawRect(frame, vertical(0, look.height, shades, [0, 0.5, look.horizon / look.height, 1]))
    x, y, reach = look.width * look.take.subject, look.height * 0.45, look.unit * 0.75
    canvas.drawCircle(x, y, reach, radial(x, y, reach, [colour((255, 255, 255), 150), colour((255, 255, 255), 0)]))


def _draw_table(look: Look, canvas: skia.Canvas) -> None:
    """A table's top that fills the picture below, its edge in the light of the window."""
    wood, bottom = look.lit((176, 118, 78)), look.height * (1 + MARGIN)
    top = look.horizon - look.height * 0.02
    area = skia.Rect.MakeLTRB(-look.width, top, 2 * look.width, bottom)
    canvas.drawRect(area, vertical(top, bottom, [colour(scaled(wood, 1.16)), colour(scaled(wood, 0.7))]))
    edge = skia.Rect.MakeLTRB(-look.width, top - look.height * 0.006, 2 * look.width, top + look.height * 0.008)
    canvas.drawRect(edge, skia.Paint(Color=colour(mix(wood, look.light.glow, 0.45))))
    grain = skia.Paint(AntiAlias=True, StrokeWidth=max(1.0, look.unit * 0.0016), Color=colour(scaled(wood, 0.72), 70))
    for place in range(22):
        y = top + (bottom - top) * (place / 22) ** 1.5
        x, long = look.random.uniform(-0.2, 0.9) * look.width, look.width * look.random.uniform(0.2, 0.6)
        canvas.drawLine(x, y, x + long, y + look.unit * 0.004, grain)


def _draw_boards(look: Look, canvas: skia.Canvas, floor: Colour) -> None:
    seam = skia.Paint(AntiAlias=True, Color=colour(scaled(floor, 0.55), 110), StrokeWidth=max(1.0, look.unit * 0.002))
    rows = [look.horizon + (look.height * (1 + MARGIN) - look.horizon) * (place / 6) ** 1.6 for place in range(7)]
    for row, (top, bottom) in enumerate(pairwise(rows)):
        canvas.drawLine(-look.width, bottom, 2 * look.width, bottom, seam)
        for place in range(-1, 6):
            x = look.width * (place / 4 + 0.13 * (row % 2) + 0.02)
            spread = (x - look.width / 2) * 0.1
            canvas.drawLine(x, top, x + spread * (row + 1) * 0.3, bottom, seam)


def _draw_window(look: Look, canvas: skia.Canvas) -> None:
    """A window on the day outside, with curtains, and a picture beside it."""
    wide, tall = look.unit * 0.34, min(look.unit * 0.4, look.horizon * 0.62)
    left, top = look.width * (0.58 if look.mirrored else 0.1), max(look.horizon - tall * 1.35, look.height * 0.05)
    pane = skia.Rect.MakeXYWH(left, top, wide, tall)
    canvas.drawRect(pane, vertical(top, top + tall, [colour(part) for part in look.light.sky]))
    canvas.save()
    canvas.clipRect(pane)
    for x, y, size in ((0.2, 1.0, 0.4), (0.75, 1.06, 0.5)):
        canvas.drawCircle(
            left + wide * x,
            top + tall * y,
            wide * size * 0.6,
            skia.Paint(AntiAlias=True, Color=colour(look.far((96, 160, 90), 0.35))),
        )
    if look.plan.weather in ("rain", "storm"):
        drops = skia.Paint(AntiAlias=True, StrokeWidth=max(1.0, look.unit * 0.0018), Color=colour((220, 232, 250), 120))
        for _ in range(46):
            x, y = left + wide * look.random.random(), top + tall * look.random.random()
            canvas.drawLine(x, y, x - wide * 0.02, y + tall * 0.07, drops)
    elif look.dark:
        moon = radial(
            left + wide * 0.7, top + tall * 0.25, wide * 0.1, [colour(look.light.disc), colour((230, 214, 170))]
        )
        canvas.drawCircle(left + wide * 0.7, top + tall * 0.25, wide * 0.09, moon)
    canvas.restore()
    wood = skia.Paint(
        AntiAlias=True,
        Color=colour(look.lit((250, 246, 238))),
        Style=skia.Paint.kStroke_Style,
        StrokeWidth=look.unit * 0.014,
    )
    canvas.drawRect(pane, wood)
    canvas.drawLine(left + wide / 2, top, left + wide / 2, top + tall, wood)
    canvas.drawLine(left, top + tall / 2, left + wide, top + tall / 2, wood)
    sill = skia.Rect.MakeXYWH(left - wide * 0.06, top + tall, wide * 1.12, look.unit * 0.022)
    canvas.drawRect(sill, skia.Paint(AntiAlias=True, Color=colour(look.lit((232, 224, 210)))))
    cloth = mix(look.lit((222, 120, 96)), look.take.tone, 0.25)
    for side in (-1, 1):
        for fold in range(3):
            x = (left if side < 0 else left + wide) + side * wide * (0.11 - 0.075 * fold) - wide * 0.045
            strip = skia.Rect.MakeXYWH(x, top - tall * 0.05, wide * 0.09, tall * 1.12)
            canvas.drawRect(strip, skia.Paint(Color=colour(scaled(cloth, 0.86 + 0.09 * fold))))
    x, y, side_of = look.width * (0.24 if look.mirrored else 0.76), look.horizon * 0.42, look.unit * 0.12
    picture = skia.Rect.MakeXYWH(x - side_of / 2, y - side_of * 0.4, side_of, side_of * 0.8)
    canvas.drawRect(
        picture.makeOutset(side_of * 0.07, side_of * 0.07),
        skia.Paint(AntiAlias=True, Color=colour(look.lit((120, 84, 58)))),
    )
    canvas.drawRect(
        picture,
        vertical(
            picture.top(),
            picture.bottom(),
            [colour(look.lit(part)) for part in ((250, 214, 150), (244, 150, 120), (110, 120, 170))],
        ),
    )


def _draw_rug(look: Look, canvas: skia.Canvas) -> None:
    middle, y = look.width * look.take.subject, look.horizon + (look.height - look.horizon) * 0.62
    wide, tall = look.unit * 0.95, (look.height - look.horizon) * 0.56
    for share, rgb in ((1.0, (176, 84, 84)), (0.9, (236, 208, 170)), (0.84, (194, 104, 96))):
        area = skia.Rect.MakeXYWH(middle - wide * share / 2, y - tall * share / 2, wide * share, tall * share)
        canvas.drawOval(area, skia.Paint(AntiAlias=True, Color=colour(look.lit(rgb))))


def _draw_patch_of_light(look: Look, canvas: skia.Canvas) -> None:
    """What falls in through the window."""
    x = look.width * (0.6 if look.mirrored else 0.2)
    wide, low = look.unit * 0.3, look.height * (1 + MARGIN)
    drift = look.unit * (-0.3 if look.mirrored else 0.3)
    path = skia.Path()
    for point in ((x, look.horizon), (x + wide, look.horizon), (x + wide * 1.5 + drift, low), (x + drift, low)):
        path.lineTo(*point) if not path.isEmpty() else path.moveTo(*point)
    path.close()
    shine = vertical(look.horizon, low, [colour(look.light.glow, 70), colour(look.light.glow, 16)])
    shine.setMaskFilter(skia.MaskFilter.MakeBlur(skia.kNormal_BlurStyle, max(1.0, look.unit * 0.012)))
    canvas.drawPath(path, shine)


def _draw_shelves(look: Look, canvas: skia.Canvas) -> None:
    """A kitchen out of focus behind the table: tiles, a shelf with jars, a window's light."""
    canvas.saveLayer(None, skia.Paint(ImageFilter=skia.ImageFilters.Blur(look.unit * 0.006, look.unit * 0.006)))
    tile = look.unit * 0.085
    line = skia.Paint(Color=colour(look.lit((255, 255, 255)), 70), StrokeWidth=max(1.0, look.unit * 0.003))
    for place in range(-2, int(look.width / tile) + 3):
        canvas.drawLine(place * tile, -look.height, place * tile, look.horizon, line)
    for row in range(int(look.horizon / tile) + 2):
        canvas.drawLine(-look.width, look.horizon - row * tile, 2 * look.width, look.horizon - row * tile, line)
    board = look.horizon * 0.5
    canvas.drawRect(
        skia.Rect.MakeLTRB(-look.width, board, 2 * look.width, board + look.unit * 0.02),
        skia.Paint(Color=colour(look.lit((150, 104, 70)))),
    )
    x = -look.unit * 0.05
    while x < look.width * 1.06:
        wide, tall = look.unit * look.random.uniform(0.04, 0.075), look.unit * look.random.uniform(0.07, 0.14)
        rgb = look.lit(
            look.random.choice([(226, 120, 96), (240, 200, 120), (120, 170, 150), (235, 232, 224), (96, 130, 170)])
        )
        jar = skia.Rect.MakeXYWH(x, board - tall, wide, tall)
        canvas.drawRoundRect(jar, wide * 0.2, wide * 0.2, skia.Paint(AntiAlias=True, Color=colour(rgb)))
        x += wide * look.random.uniform(1.15, 2.6)
    light = look.width * (0.7 if look.mirrored else 0.3)
    canvas.drawCircle(
        light,
        look.horizon * 0.5,
        look.unit * 0.6,
        radial(light, look.horizon * 0.5, look.unit * 0.6, [colour(look.light.glow, 130), colour(look.light.glow, 0)]),
    )
    canvas.restore()


def _draw_curtains(look: Look, canvas: skia.Canvas) -> None:
    red = look.lit((190, 34, 56))
    for place in range(-1, 6):
        for x in (look.width * place * 0.042, look.width * (1 - (place + 1) * 0.042)):
            fold = skia.Rect.MakeXYWH(
                x, -look.height, look.width * 0.046, look.horizon + look.height * (1.03 - 0.004 * place)
            )
            shades = [colour(scaled(red, 0.5)), colour(red), colour(scaled(red, 0.46))]
            shader = skia.GradientShader.MakeLinear([(x, 0), (x + look.width * 0.046, 0)], shades)
            canvas.drawRect(fold, skia.Paint(Shader=shader))
    for place in range(9):
        x = look.width * (place - 0.5) / 8
        swag = skia.Rect.MakeXYWH(x, -look.height * 0.14, look.width / 7.4, look.height * 0.22)
        canvas.drawOval(swag, vertical(0, look.height * 0.09, [colour(scaled(red, 0.55)), colour(red)]))


def _draw_spotlights(look: Look, canvas: skia.Canvas) -> None:
    for x, drift in ((0.26, 0.14), (0.5, 0.0), (0.74, -0.14)):
        beam = skia.Path()
        foot = look.width * (x + drift)
        beam.moveTo(look.width * x, -look.height * 0.1)
        beam.lineTo(foot - look.width * 0.14, look.height * 0.9)
        beam.lineTo(foot + look.width * 0.14, look.height * 0.9)
        beam.close()
        shine = vertical(0, look.height * 0.9, [colour((255, 240, 200), 96), colour((255, 240, 200), 10)])
        shine.setMaskFilter(skia.MaskFilter.MakeBlur(skia.kNormal_BlurStyle, max(1.0, look.unit * 0.01)))
        canvas.drawPath(beam, shine)
        pool = skia.Rect.MakeXYWH(foot - look.width * 0.14, look.height * 0.87, look.width * 0.28, look.height * 0.07)
        canvas.drawOval(
            pool,
            skia.Paint(
                AntiAlias=True,
                Color=colour((255, 240, 200), 70),
                MaskFilter=skia.MaskFilter.MakeBlur(skia.kNormal_BlurStyle, max(1.0, look.unit * 0.012)),
            ),
        )


FAR: dict[str, Callable[[Look, skia.Canvas], None]] = {
    "window": _draw_window,
    "shelves": _draw_shelves,
    "curtains": _draw_curtains,
}
