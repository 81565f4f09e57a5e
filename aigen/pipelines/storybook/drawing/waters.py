"""Water: its colours, its swell, ice far out on it, and the deep below."""

import skia

from aigen.pipelines.storybook.drawing.backdrops import hill
from aigen.pipelines.storybook.drawing.colours import Colour, colour, mix, radial, scaled, vertical
from aigen.pipelines.storybook.drawing.layers import MARGIN
from aigen.pipelines.storybook.drawing.look import Look


def water_colours(look: Look) -> list[Colour]:
    """Of water, from the horizon to the viewer."""
    water = look.lit(look.setting.colour if look.setting.ground == "water" else (40, 150, 200))
    low = 0.55 if look.light.shadow > 0.5 else 0.25  # at sunset the sea is the sky's colour
    top, middle, horizon = look.light.sky
    return [mix(water, horizon, 0.45 + low * 0.6), mix(water, middle, low), scaled(mix(water, top, low), 0.66)]


def draw_water(look: Look, canvas: skia.Canvas) -> None:
    bottom = look.height * (1 + MARGIN)
    area = skia.Rect.MakeLTRB(-look.width, look.horizon, 2 * look.width, bottom)
    shades = [colour(shade) for shade in water_colours(look)]
    canvas.drawRect(area, vertical(look.horizon, look.height, shades, [0, 0.4, 1]))
    if look.disc:  # its path of light
        x, _, radius = look.disc
        path = skia.Path()
        path.moveTo(x - radius * 0.5, look.horizon)
        path.lineTo(x + radius * 0.5, look.horizon)
        path.lineTo(x + radius * 3, bottom)
        path.lineTo(x - radius * 3, bottom)
        path.close()
        shine = vertical(look.horizon, look.height, [colour(look.light.glow, 150), colour(look.light.glow, 0)])
        shine.setMaskFilter(skia.MaskFilter.MakeBlur(skia.kNormal_BlurStyle, max(1.0, radius * 0.5)))
        canvas.drawPath(path, shine)


def draw_icebergs(look: Look, canvas: skia.Canvas) -> None:
    """Far ice on the horizon, lit on the sun's side."""
    left = look.sun[0] < look.width / 2
    for x, size in ((0.12, 0.16), (0.34, 0.09), (0.7, 0.2), (0.93, 0.12)):
        half, tall = look.width * size * 0.6, look.height * size * 0.9
        middle = look.width * x
        for side, shade in ((-1, 1.0 if left else 0.82), (1, 0.82 if left else 1.0)):
            path = skia.Path()
            path.moveTo(middle - half * 0.1, look.horizon - tall)
            path.lineTo(middle + side * half * 0.45, look.horizon - tall * 0.62)
            path.lineTo(middle + side * half, look.horizon + look.height * 0.006)
            path.lineTo(middle, look.horizon + look.height * 0.006)
            path.close()
            canvas.drawPath(
                path, skia.Paint(AntiAlias=True, Color=colour(scaled(look.far((232, 244, 255), 0.3), shade)))
            )


def draw_swell(look: Look, canvas: skia.Canvas) -> None:
    """Long thin waves over the water and over what it mirrors, light and dark."""
    light, dark = mix(look.light.sky[1], (255, 255, 255), 0.35), water_colours(look)[2]
    for place in range(150):
        share = (place / 150) ** 1.5
        y = look.horizon + look.height * 0.006 + share * (look.height * (1 + MARGIN) - look.horizon)
        x = look.random.uniform(-0.1, 1.1) * look.width
        wide, tall = (
            look.unit * (0.03 + 0.16 * share) * look.random.uniform(0.5, 1.5),
            max(0.7, look.unit * (0.0015 + 0.005 * share)),
        )
        rgb = light if look.random.random() < 0.55 else scaled(dark, 0.85)
        area = skia.Rect.MakeXYWH(x - wide / 2, y, wide, tall)
        canvas.drawOval(area, skia.Paint(AntiAlias=True, Color=colour(rgb, look.random.uniform(26, 70))))
    edge = skia.Rect.MakeLTRB(
        -look.width, look.horizon - 1, 2 * look.width, look.horizon + max(1.5, look.height * 0.004)
    )
    canvas.drawRect(edge, skia.Paint(Color=colour(mix(look.light.sky[2], (255, 255, 255), 0.3), 130)))


def draw_deep(look: Look, canvas: skia.Canvas) -> None:
    frame = skia.Rect.MakeLTRB(-look.width, -look.height, 2 * look.width, 2 * look.height)
    shades = [
        mix(scaled(shade, *look.light.tint), look.take.tone, look.take.strength * 0.35)
        for shade in ((110, 216, 240), (24, 122, 196), (6, 44, 108))
    ]
    canvas.drawRect(frame, vertical(0, look.height, [colour(shade) for shade in shades]))
    x = look.sun[0]
    canvas.drawCircle(
        x,
        -look.height * 0.1,
        look.unit * 0.8,
        radial(x, -look.height * 0.1, look.unit * 0.8, [colour((235, 255, 250), 150), colour((235, 255, 250), 0)]),
    )
    far = mix(shades[1], shades[2], 0.6)
    for rise, share in ((0.3, 0.3), (0.17, 0.6)):  # rocks in the haze of the water
        rock = mix(far, scaled(shades[2], 0.8), share)
        hill(look, canvas, look.height * (1 - rise), look.height * 0.08, 5, rock, mix(rock, shades[2], 0.5))
