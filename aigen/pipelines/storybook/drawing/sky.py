"""The sky: its colours, sun or moon, stars, clouds, and space."""

import math

import skia

from aigen.pipelines.storybook.drawing.colours import colour, mix, radial, scaled, vertical
from aigen.pipelines.storybook.drawing.layers import MARGIN, new_surface
from aigen.pipelines.storybook.drawing.look import Look

CLOUDS = {"clear": 5, "cloudy": 12, "storm": 14, "rain": 12, "snow": 7, "wind": 8, "fog": 3}


def draw_sky(look: Look, canvas: skia.Canvas) -> None:
    frame = skia.Rect.MakeLTRB(-look.width, -look.height, 2 * look.width, 2 * look.height)
    if look.setting.ground == "space":
        _draw_space(look, canvas, frame)
    else:
        top, middle, low = look.light.sky
        bottom = min(look.horizon * 1.04, look.height)
        shades = [colour(part) for part in (top, mix(top, middle, 0.55), middle, mix(middle, low, 0.6), low)]
        # One column of the gradient, drawn broad: five times as fast as a gradient over all of it.
        above = look.height * MARGIN + 2
        column = new_surface(1, look.height + 2 * above)
        column.getCanvas().translate(0, above)
        column.getCanvas().drawPaint(vertical(0, bottom, shades, [0, 0.3, 0.55, 0.8, 1]))
        area = skia.Rect.MakeLTRB(frame.left(), -above, frame.right(), column.height() - above)
        canvas.drawImageRect(column.makeImageSnapshot(), area)
    if look.setting.ground == "space" or (look.dark and look.plan.weather in ("clear", "snow", "wind")):
        _draw_stars(look, canvas)
    if look.outside and look.disc:
        _draw_disc(look, canvas, *look.disc)
    elif look.outside and not look.dark and look.plan.weather == "clear":
        x, y = look.sun
        glow = [colour(look.light.glow, 90), colour(look.light.glow, 0)]
        canvas.drawCircle(x, y, look.unit * 0.5, radial(x, y, look.unit * 0.5, glow))


def _draw_disc(look: Look, canvas: skia.Canvas, x: float, y: float, radius: float) -> None:
    far = radius * (7 if not look.dark else 5)
    glow = [
        colour(look.light.glow, 170 if not look.dark else 110),
        colour(look.light.glow, 50),
        colour(look.light.glow, 0),
    ]
    canvas.drawCircle(x, y, far, radial(x, y, far, glow, [0.1, 0.35, 1]))
    edge = mix(look.light.disc, (226, 206, 160) if look.dark else (255, 214, 120), 0.75)
    body = radial(x - radius * 0.3, y - radius * 0.3, radius * 1.6, [colour(look.light.disc), colour(edge)])
    canvas.drawCircle(x, y, radius, body)
    if look.dark:  # seas of the moon
        for dx, dy, size in ((-0.3, -0.2, 0.24), (0.25, 0.1, 0.3), (-0.1, 0.42, 0.18), (0.32, -0.42, 0.13)):
            canvas.drawCircle(
                x + dx * radius,
                y + dy * radius,
                size * radius,
                skia.Paint(AntiAlias=True, Color=colour(scaled(edge, 0.92), 110)),
            )


def _draw_space(look: Look, canvas: skia.Canvas, frame: skia.Rect) -> None:
    canvas.drawRect(frame, vertical(0, look.height, [colour((6, 6, 26)), colour((30, 18, 74)), colour((12, 8, 44))]))
    hues = look.random.sample([(120, 60, 190), (40, 90, 200), (200, 70, 140), (30, 140, 160)], 3)
    for hue in (*hues, *hues):
        x, y = look.random.uniform(0, look.width), look.random.uniform(0, look.height)
        radius = look.unit * look.random.uniform(0.25, 0.6)
        canvas.save()
        canvas.rotate(look.random.uniform(-30, 30), x, y)
        canvas.scale(1, 0.6)
        y /= 0.6
        canvas.drawCircle(
            x, y, radius, radial(x, y, radius, [colour(hue, 100), colour(hue, 30), colour(hue, 0)], [0, 0.5, 1])
        )
        canvas.restore()
    x, y = look.width * (0.84 if look.mirrored else 0.14), look.height * look.random.uniform(0.14, 0.3)
    radius = look.unit * look.random.uniform(0.05, 0.09)
    hue = look.random.choice([(222, 140, 90), (110, 170, 230), (190, 150, 220)])
    shades = [colour(mix(hue, (255, 255, 255), 0.3)), colour(hue), colour(scaled(hue, 0.25))]
    canvas.drawCircle(x, y, radius, radial(x - radius * 0.4, y - radius * 0.4, radius * 1.7, shades, [0, 0.4, 1]))


def _draw_stars(look: Look, canvas: skia.Canvas) -> None:
    low = min(look.horizon, look.height)
    for _ in range(260):
        x, y = look.random.uniform(-0.1, 1.1) * look.width, look.random.uniform(-0.1, 0.97) * low
        size = look.unit * look.random.choice([0.0008, 0.001, 0.0014, 0.002])
        tone = look.random.choice([(255, 252, 232), (220, 232, 255), (255, 236, 214)])
        paint = skia.Paint(AntiAlias=True, Color=colour(tone, look.random.uniform(70, 225)))
        canvas.drawCircle(x, y, size, paint)


def draw_clouds(look: Look, canvas: skia.Canvas, far: bool, reach: float) -> None:
    """Some of a scene's clouds, the nearer or the further ones, as far to the left as they may drift into the scene."""
    many = CLOUDS[look.plan.weather] + (5 if look.setting.ground == "air" else 0)
    many = 3 if look.dark and look.plan.weather == "clear" else many
    deep = min(look.horizon, look.height) * (0.95 if look.setting.ground == "air" else 0.62)
    for _ in range(math.ceil(many / 2)):
        wide = look.unit * (look.random.uniform(0.16, 0.3) if far else look.random.uniform(0.3, 0.52))
        x = look.random.uniform(-reach - wide * 0.3, look.width - wide * 0.4)
        y = look.bars + (look.random.uniform(0.5, 1.0) if far else look.random.uniform(0.05, 0.6)) * deep
        if look.disc:
            disc_x, disc_y, radius = look.disc
            passes = x < disc_x + radius * 1.4 and x + wide + reach * 0.5 > disc_x - radius * 1.4
            if passes and abs(y + wide * 0.1 - disc_y) < radius * 1.3 + wide * 0.2:
                continue  # it would pass before the sun or moon
        _draw_cloud(look, canvas, x, y, wide, far)


def _draw_cloud(look: Look, canvas: skia.Canvas, x: float, y: float, wide: float, far: bool) -> None:
    """Puffs on a flat foot, the higher the nearer to the middle; lit from where the sun stands, grey-blue below."""
    dice = look.random
    lit = mix(look.light.cloud, look.light.glow, 0.3)
    under = mix(scaled(look.light.cloud, 0.82), look.light.sky[1], 0.45)
    foot = y + wide * 0.36
    puffs = []
    for place in range(7):
        share = 0.13 + 0.74 * (place + dice.uniform(0.1, 0.9)) / 7
        bell = math.exp(-(((share - 0.5 + dice.uniform(-0.08, 0.08)) / 0.3) ** 2))
        puffs.append((x + wide * share, wide * (0.06 + 0.125 * bell * dice.uniform(0.7, 1.15))))
    towards = -1 if look.sun[0] < x + wide / 2 else 1
    body = skia.Path()
    body.addRoundRect(
        skia.Rect.MakeLTRB(x + wide * 0.06, foot - wide * 0.1, x + wide * 0.94, foot), wide * 0.05, wide * 0.05
    )
    lights = skia.Path()
    for middle, radius in puffs:
        body.addCircle(middle, foot - radius * 0.95, radius)
        lights.addCircle(middle + towards * radius * 0.22, foot - radius * 1.12, radius * 0.72)
    blur = skia.MaskFilter.MakeBlur(skia.kNormal_BlurStyle, max(0.5, wide * (0.014 if not far else 0.02)))
    alpha = 150 if far else 215
    shades = [colour(look.light.cloud, alpha), colour(look.light.cloud, alpha), colour(under, alpha * 0.85)]
    paint = vertical(foot - wide * 0.3, foot, shades, [0, 0.55, 1])
    paint.setMaskFilter(blur)
    canvas.drawPath(body, paint)
    glow = skia.MaskFilter.MakeBlur(skia.kNormal_BlurStyle, max(0.5, wide * 0.022))
    canvas.drawPath(lights, skia.Paint(AntiAlias=True, MaskFilter=glow, Color=colour(lit, alpha * 0.75)))
