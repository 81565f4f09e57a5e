"""What stands far behind a scene: hills, dunes, peaks, towers, and rows of trees or houses.

A backdrop of its own is one painter here and its name in FAR; `scenery` says which setting has which.
"""

import math
from collections.abc import Callable

import skia

from aigen.pipelines.storybook.drawing.colours import LINEAR, Colour, colour, mix, scaled, vertical
from aigen.pipelines.storybook.drawing.layers import MARGIN
from aigen.pipelines.storybook.drawing.lighting import EDGE, lit_picture
from aigen.pipelines.storybook.drawing.look import Look
from aigen.pipelines.storybook.drawing.pictures import cut

# How high rows of these stand, in shares of the picture's height; others are of usual height.
TALL = {"evergreen-tree": 1.15, "deciduous-tree": 1.05, "palm-tree": 1.2, "hut": 0.7, "church": 1.15, "house": 0.85}


# Rows by density: how many, how high (shares of the picture's height,
# from and to), and their haze; the further one first.
ROWS = {
    "woods": ((15, 0.15, 0.2, 0.42), (10, 0.2, 0.28, 0.22)),
    "houses": ((9, 0.13, 0.17, 0.34), (6, 0.17, 0.22, 0.14)),
    "few": ((11, 0.07, 0.11, 0.45), (5, 0.12, 0.18, 0.25)),
}


def ridge(look: Look, y: float, swell: float, waves: float, phase: float) -> skia.Path:
    """The outline of a hill that goes on beyond both sides and down to the bottom."""
    path = skia.Path()
    path.moveTo(-look.width * 0.2, look.height * 1.2)
    for step in range(97):
        share = step / 96 * 1.4 - 0.2
        level = y + swell * math.sin(phase + share * waves) + swell * 0.4 * math.sin(2.3 * phase + share * waves * 2.7)
        path.lineTo(share * look.width, level)
    path.lineTo(look.width * 1.2, look.height * 1.2)
    path.close()
    return path


def hill(look: Look, canvas: skia.Canvas, y: float, swell: float, waves: float, top: Colour, bottom: Colour) -> None:
    path = ridge(look, y, swell, waves, look.random.uniform(0, math.tau))
    reach = max(look.height * 0.12, (look.height - y) * 0.8)
    canvas.drawPath(path, vertical(y - swell, y + reach, [colour(top), colour(bottom)]))


def stamp(
    look: Look, canvas: skia.Canvas, name: str, x: float, base: float, side: float, haze: float, shadow: float
) -> None:
    """Draw a thing into a layer for good."""
    picture = cut(name, 96)
    longest = max(picture.width(), picture.height())
    width, height = picture.width() * side / longest, picture.height() * side / longest
    if shadow:
        blur = skia.MaskFilter.MakeBlur(skia.kNormal_BlurStyle, max(0.5, height * 0.03))
        paint = skia.Paint(AntiAlias=True, MaskFilter=blur, Color=colour((8, 12, 36), 255 * shadow))
        lean = (x - look.sun[0]) / look.width * height * look.light.shadow
        area = skia.Rect.MakeLTRB(
            x - width * 0.42 + min(0, lean), base - height * 0.05, x + width * 0.42 + max(0, lean), base + height * 0.07
        )
        canvas.drawOval(area, paint)
    image = lit_picture(look, name, width, height, haze, shaded=haze < 0.3)
    mirrored = look.random.random() < 0.5
    canvas.save()
    canvas.translate(x, base)
    canvas.scale(-1 if mirrored else 1, 1)
    canvas.drawImageRect(image, skia.Rect.MakeXYWH(-width / 2, -height, width, height).makeOutset(EDGE, EDGE), LINEAR)
    canvas.restore()


def draw_haze(look: Look, canvas: skia.Canvas, tall: float, strength: float) -> None:
    """Air that thickens towards the horizon."""
    haze, top = look.light.sky[2], look.horizon - tall
    band = [colour(haze, 0), colour(haze, strength), colour(haze, strength)]
    area = skia.Rect.MakeLTRB(-look.width, top, 2 * look.width, look.height * 1.2)
    canvas.drawRect(area, vertical(top, look.horizon, band, [0, 0.9, 1]))


def _draw_hills(look: Look, canvas: skia.Canvas) -> None:
    for distance, rise, swell in ((0.78, 0.115, 0.035), (0.56, 0.055, 0.03)):
        rgb = look.far(look.setting.colour if look.setting.ground == "land" else (112, 168, 96), distance)
        blue = mix(rgb, look.light.sky[1], distance * 0.4)
        hill(
            look,
            canvas,
            look.horizon - look.height * rise,
            look.height * swell,
            4.5,
            blue,
            mix(blue, look.light.sky[2], 0.5),
        )


def _draw_dunes(look: Look, canvas: skia.Canvas) -> None:
    """Sand in the light on one side of each crest, in shadow on the other."""
    left = look.sun[0] < look.width / 2
    for distance, rise in ((0.6, 0.1), (0.35, 0.045)):
        rgb = look.far(look.setting.colour, distance)
        for _ in range(3):
            x = look.random.uniform(0.0, 1.0) * look.width
            half, tall = look.width * look.random.uniform(0.22, 0.4), look.height * rise * look.random.uniform(0.7, 1.3)
            foot = look.horizon + look.height * 0.03
            for side, shade in ((-1, 1.0 if left else 0.84), (1, 0.84 if left else 1.0)):
                path = skia.Path()
                path.moveTo(x, foot - tall)
                path.quadTo(x + side * half * 0.35, foot - tall * 0.75, x + side * half, foot)
                path.lineTo(x, foot)
                path.quadTo(x + half * 0.12, foot - tall * 0.5, x, foot - tall)
                canvas.drawPath(path, skia.Paint(AntiAlias=True, Color=colour(scaled(rgb, shade))))


def _draw_peaks(look: Look, canvas: skia.Canvas) -> None:
    """Three ranges, each with its lit and its dark side, and snow on top."""
    left = look.sun[0] < look.width / 2
    for distance, many, low, high in ((0.74, 4, 0.36, 0.5), (0.52, 3, 0.26, 0.42), (0.32, 3, 0.14, 0.24)):
        for place in range(many):
            x = look.width * ((place + look.random.uniform(0.1, 0.9)) / many * 1.2 - 0.1)
            _draw_peak(look, canvas, x, look.height * look.random.uniform(low, high), distance, left)
    draw_haze(look, canvas, look.height * 0.16, 120)


def _draw_peak(look: Look, canvas: skia.Canvas, x: float, tall: float, distance: float, left: bool) -> None:
    foot = look.horizon + look.height * 0.03
    half = tall * look.random.uniform(0.8, 1.15)
    rock, snow = look.far((98, 106, 142), distance), look.far((246, 250, 255), distance * 0.55)
    ridges = [look.random.uniform(-0.05, 0.05) for _ in range(4)]
    for side, dark in ((-1, not left), (1, left)):
        shade = 0.82 if dark else 1.05
        path, cap = skia.Path(), skia.Path()
        path.moveTo(x, foot - tall)
        path.lineTo(x + side * half * 0.42, foot - tall * (0.56 + ridges[1]))
        path.lineTo(x + side * half, foot)
        path.lineTo(x + half * 0.1, foot)
        path.lineTo(x + half * ridges[2], foot - tall * 0.5)
        path.close()
        canvas.drawPath(
            path, vertical(foot - tall, foot, [colour(scaled(rock, shade)), colour(mix(rock, look.light.sky[2], 0.4))])
        )
        cap.moveTo(x, foot - tall)
        cap.lineTo(x + side * half * 0.24, foot - tall * (0.745 + ridges[1] * 0.5))
        cap.lineTo(x + side * half * 0.15, foot - tall * 0.71)
        cap.lineTo(x + side * half * 0.1, foot - tall * 0.77)
        cap.lineTo(x + side * half * 0.05, foot - tall * 0.68)
        cap.lineTo(x + half * ridges[2] * 0.6, foot - tall * 0.74)
        cap.close()
        canvas.drawPath(cap, skia.Paint(AntiAlias=True, Color=colour(scaled(snow, 0.88 if dark else 1.0))))


def _draw_towers(look: Look, canvas: skia.Canvas) -> None:
    for distance, high in ((0.68, 0.46), (0.4, 0.36), (0.16, 0.26)):
        x = -look.width * MARGIN
        while x < look.width * (1 + MARGIN):
            wide = look.unit * look.random.uniform(0.06, 0.12)
            tall = look.height * high * look.random.uniform(0.45, 1.0)
            body = look.far(
                look.random.choice([(146, 156, 180), (176, 152, 150), (120, 136, 170), (190, 180, 162)]), distance
            )
            _draw_tower(look, canvas, x, wide, tall, body, distance)
            x += wide * look.random.uniform(1.0, 1.15)
        draw_haze(look, canvas, look.height * 0.12, 70)


def _draw_tower(
    look: Look, canvas: skia.Canvas, x: float, wide: float, tall: float, body: Colour, distance: float
) -> None:
    top, left = look.horizon - tall, look.sun[0] < look.width / 2
    bottom = look.horizon + look.height * 0.04
    front = skia.Rect.MakeLTRB(x, top, x + wide, bottom)
    canvas.drawRect(
        front, vertical(top, bottom, [colour(scaled(body, 1.05)), colour(mix(body, look.light.sky[2], 0.25))])
    )
    side = (
        skia.Rect.MakeLTRB(x + wide * 0.72, top, x + wide, bottom)
        if left
        else skia.Rect.MakeLTRB(x, top, x + wide * 0.28, bottom)
    )
    canvas.drawRect(side, skia.Paint(Color=colour(scaled(body, 0.8), 150)))
    style = look.random.random()
    if style < 0.3:  # a mast
        canvas.drawRect(
            skia.Rect.MakeXYWH(x + wide * 0.48, top - tall * 0.12, wide * 0.05, tall * 0.12),
            skia.Paint(Color=colour(body)),
        )
    elif style < 0.55:  # a step
        canvas.drawRect(
            skia.Rect.MakeXYWH(x + wide * 0.2, top - wide * 0.22, wide * 0.6, wide * 0.23),
            skia.Paint(Color=colour(scaled(body, 0.96))),
        )
    step = look.unit * 0.019
    for row in range(1, int(tall / step / 1.3)):
        for column in range(max(1, int(wide / step) - 1)):
            lit = look.dark and look.random.random() < 0.55
            pane = (255, 218, 126) if lit else mix(look.light.sky[1], (30, 40, 70), 0.4 if look.dark else 0.12)
            alpha = (235 if lit else 120) * (1 - distance * 0.7)
            area = skia.Rect.MakeXYWH(x + step * (column + 0.75), top + row * step * 1.3, step * 0.5, step * 0.72)
            canvas.drawRect(area, skia.Paint(Color=colour(pane, alpha)))


FAR: dict[str, Callable[[Look, skia.Canvas], None]] = {
    "hills": _draw_hills, "dunes": _draw_dunes, "peaks": _draw_peaks, "towers": _draw_towers,
}  # fmt: skip


def draw_far(look: Look, canvas: skia.Canvas) -> None:
    """The furthest of what stands on the horizon."""
    FAR[look.setting.far](look, canvas)
    if look.plan.weather == "fog":
        draw_haze(look, canvas, look.height * 0.5, 235)


def draw_rows(look: Look, canvas: skia.Canvas) -> None:
    """Trees or houses along the horizon: the further row smaller, hazier and closer together."""
    low = look.horizon - look.height * 0.012
    if look.setting.ground == "land":
        far = look.far(look.setting.colour, 0.4)
        hill(look, canvas, low, look.height * 0.012, 4, far, look.far(look.setting.colour, 0.3))
    rows = ROWS[look.setting.density]
    fog = 0.3 if look.plan.weather == "fog" else 0.0
    narrow = min(1.0, look.width / look.height)
    for row, (many, least, most, haze) in enumerate(rows):
        many = max(3, round(many * min(1.4, look.width / look.height / 1.4)))
        for place in range(many):
            name = look.random.choice(look.setting.rows)
            x = look.width * ((place + look.random.uniform(0.2, 0.8)) / many * 1.2 - 0.1)
            side = look.height * look.random.uniform(least, most) * TALL.get(name, 1.0) * (0.6 + 0.4 * narrow)
            base = look.horizon + look.height * (0.006 + 0.016 * row) + look.random.uniform(0, 0.008) * look.height
            stamp(look, canvas, name, x, base, side, haze=min(0.8, haze + fog), shadow=0)
        draw_haze(look, canvas, look.height * 0.12, 200 if fog else 46)
