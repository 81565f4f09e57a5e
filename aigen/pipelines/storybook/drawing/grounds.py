"""What things stand on: land, streets, shores, banks and floes, the sea's bottom,
other planets. Painters by name in GROUNDS.
"""

import math
from collections.abc import Callable

import skia

from aigen.pipelines.storybook.drawing.backdrops import hill, ridge, stamp
from aigen.pipelines.storybook.drawing.colours import Colour, colour, mix, radial, scaled, vertical
from aigen.pipelines.storybook.drawing.layers import MARGIN
from aigen.pipelines.storybook.drawing.look import Look

# Who stands on ice at sea.
ICE = frozenset(["penguin", "polar-bear", "seal"])
# Scattered things of these kinds are large and keep to the sides.
LARGE = {"palm-tree": 6.5, "umbrella-on-ground": 3.0, "evergreen-tree": 4.0, "cactus": 3.0}


def draw_land(look: Look, canvas: skia.Canvas) -> None:
    near, top = look.ground, look.horizon
    swell = look.height * 0.02
    light = mix(near, look.light.sky[2], 0.34)
    hill(look, canvas, top, swell, 4, light, mix(near, light, 0.3))
    second = top + (look.height - top) * 0.3
    hill(look, canvas, second, swell * 1.2, 3, mix(near, light, 0.5), scaled(near, 0.82))
    if look.plan.setting == "snow" or look.plan.season == "winter":
        _draw_sparkles(look, canvas, top)
    elif look.plan.setting != "desert":
        _draw_tufts(look, canvas, top, near)
    else:
        _draw_ripples(look, canvas, second, near)
    _draw_light_on_ground(look, canvas)
    _scatter(look, canvas, top + swell)


def _draw_tufts(look: Look, canvas: skia.Canvas, top: float, near: Colour) -> None:
    """Short strokes of grass, larger where they are nearer."""
    for _ in range(170):
        share = look.random.random() ** 0.8
        x = look.random.uniform(-MARGIN, 1 + MARGIN) * look.width
        y = top + look.height * 0.03 + (look.height * (1 + MARGIN) - top) * share
        size = look.unit * (0.006 + 0.014 * share)
        shade = scaled(near, 1.16) if look.random.random() < 0.5 else scaled(near, 0.8)
        paint = skia.Paint(
            AntiAlias=True, Style=skia.Paint.kStroke_Style, StrokeWidth=max(0.7, size * 0.16), Color=colour(shade, 150)
        )
        path = skia.Path()
        for lean in (-0.5, 0.05, 0.55):
            path.moveTo(x + lean * size * 0.3, y)
            path.quadTo(x + lean * size * 0.5, y - size * 0.6, x + lean * size, y - size * (1 - abs(lean) * 0.3))
        canvas.drawPath(path, paint)


def _draw_sparkles(look: Look, canvas: skia.Canvas, top: float) -> None:
    """Snow that glitters, and soft blue hollows."""
    blue = mix(look.ground, look.lit((120, 150, 220)), 0.5)
    for _ in range(9):
        x, y = look.random.random() * look.width, top + (look.height - top) * look.random.uniform(0.12, 1)
        wide, tall = look.unit * look.random.uniform(0.2, 0.45), look.unit * look.random.uniform(0.015, 0.035)
        canvas.save()
        canvas.translate(x, y)
        canvas.scale(1, tall / wide)
        canvas.drawCircle(0, 0, wide, radial(0, 0, wide, [colour(blue, 90), colour(blue, 0)]))
        canvas.restore()
    for _ in range(120):
        x, y = look.random.random() * look.width, top + (look.height - top) * look.random.uniform(0.1, 1)
        canvas.drawCircle(
            x,
            y,
            look.unit * 0.0012,
            skia.Paint(AntiAlias=True, Color=colour((255, 255, 255), look.random.uniform(60, 220))),
        )


def _draw_ripples(look: Look, canvas: skia.Canvas, top: float, near: Colour) -> None:
    for _ in range(46):
        share = look.random.random()
        x, y = look.random.uniform(-0.1, 1) * look.width, top + look.height * 0.04 + (look.height - top) * share
        wide = look.unit * (0.05 + 0.16 * share) * look.random.uniform(0.6, 1.3)
        path = skia.Path()
        path.moveTo(x, y)
        path.quadTo(x + wide / 2, y - wide * 0.05, x + wide, y)
        paint = skia.Paint(
            AntiAlias=True, Style=skia.Paint.kStroke_Style, StrokeWidth=max(0.8, look.unit * 0.003 * (0.4 + share)),
            Color=colour(scaled(near, 0.85), 110), StrokeCap=skia.Paint.kRound_Cap,
        )  # fmt: skip
        canvas.drawPath(path, paint)


def _draw_light_on_ground(look: Look, canvas: skia.Canvas) -> None:
    """A pool of light towards sun or moon, and darkness right before the camera."""
    if look.outside:
        x = look.sun[0]
        canvas.save()
        canvas.translate(x, look.horizon)
        canvas.scale(1, 0.34)
        reach = look.unit * 0.9
        shine = radial(
            0, 0, reach, [colour(look.light.glow, 110 if look.light.shadow > 0.5 else 60), colour(look.light.glow, 0)]
        )
        shine.setBlendMode(skia.BlendMode.kSrcATop)
        canvas.drawCircle(0, 0, reach, shine)
        canvas.restore()
    dark = colour(mix(look.light.vignette, (0, 10, 20), 0.5), 90)
    low = skia.Rect.MakeLTRB(-look.width, look.height * 0.8, 2 * look.width, look.height * 1.2)
    canvas.drawRect(low, vertical(look.height * 0.8, look.height * 1.06, [colour(look.light.vignette, 0), dark]))


def _scatter(look: Look, canvas: skia.Canvas, top: float) -> None:
    """What lies about, in little groups, the further ones first; large things at the sides."""
    if not look.setting.scatter:
        return
    places = []
    for place in range(8):
        # Of large things one at each side.
        small = [name for name in look.setting.scatter if name not in LARGE]
        name = look.random.choice(look.setting.scatter if place < 2 or not small else small)
        near_by = look.random.random()
        if name in LARGE:
            x = look.random.uniform(-0.03, 0.1) if (place % 2 == 0) == look.mirrored else look.random.uniform(0.9, 1.03)
            near_by = 0.1 + 0.4 * near_by
            places.append((near_by, name, x))
            continue
        x = look.random.choice([look.random.uniform(0, 0.3), look.random.uniform(0.7, 1), look.random.random()])
        for _ in range(look.random.randint(1, 3)):
            places.append(
                (min(1.0, near_by + look.random.uniform(-0.06, 0.06)), name, x + look.random.uniform(-0.05, 0.05))
            )
    for near_by, name, x in sorted(places):
        base = top + (look.height - top) * (0.06 + 0.94 * max(0.0, near_by))
        side = look.unit * (0.03 + 0.05 * near_by) * LARGE.get(name, 1.0)
        stamp(look, canvas, name, x * look.width, base, side, haze=0.2 * (1 - near_by), shadow=0.35)


def draw_street(look: Look, canvas: skia.Canvas) -> None:
    """A pavement and a road across the picture, wet when it rains."""
    near, bottom = look.ground, look.height * (1 + MARGIN)
    walk = look.horizon + look.height * 0.07
    country = look.plan.setting == "road"
    verge = look.lit((120, 184, 96)) if country else mix(near, look.lit((214, 208, 200)), 0.75)
    area = skia.Rect.MakeLTRB(-look.width, look.horizon, 2 * look.width, bottom)
    canvas.drawRect(area, vertical(look.horizon, walk, [colour(mix(verge, look.light.sky[2], 0.35)), colour(verge)]))
    kerb = skia.Rect.MakeLTRB(-look.width, walk, 2 * look.width, walk + look.height * 0.014)
    canvas.drawRect(kerb, skia.Paint(Color=colour(scaled(verge, 0.72))))
    road = skia.Rect.MakeLTRB(-look.width, kerb.bottom(), 2 * look.width, bottom)
    canvas.drawRect(
        road, vertical(walk, bottom, [colour(mix(near, look.light.sky[2], 0.22)), colour(scaled(near, 0.66))])
    )
    if look.plan.weather in ("rain", "storm"):
        canvas.drawRect(road, vertical(walk, bottom, [colour(look.light.sky[2], 110), colour(look.light.sky[1], 30)]))
    line = walk + (look.height - walk) * 0.62
    paint = skia.Paint(AntiAlias=True, Color=colour(look.lit((246, 236, 206)), 190))
    for place in range(-2, 9):
        x = look.width * place / 6
        dash = skia.Path()
        for dx, dy in ((0.0, 0.0), (0.09, 0.0), (0.1, 0.018), (-0.01, 0.018)):
            point = x + dx * look.width, line + dy * look.height
            dash.lineTo(*point) if not dash.isEmpty() else dash.moveTo(*point)
        dash.close()
        canvas.drawPath(dash, paint)
    if not country:
        for x in (0.04, 0.5, 0.96):
            _draw_lamp(look, canvas, look.width * x, walk)
    _draw_light_on_ground(look, canvas)


def _draw_lamp(look: Look, canvas: skia.Canvas, x: float, base: float) -> None:
    """A street lamp, lit at night."""
    tall, iron = look.height * 0.3, colour(look.lit((62, 66, 84)))
    thick = max(1.0, look.unit * 0.006)
    canvas.drawRect(skia.Rect.MakeXYWH(x - thick / 2, base - tall, thick, tall), skia.Paint(AntiAlias=True, Color=iron))
    head = skia.Rect.MakeXYWH(x - thick * 2.2, base - tall - thick * 3, thick * 4.4, thick * 3.4)
    lit = look.dark or look.plan.time == "sunset"
    canvas.drawRoundRect(head, thick, thick, skia.Paint(AntiAlias=True, Color=colour((255, 230, 160)) if lit else iron))
    if lit:
        far = look.unit * 0.13
        shine = radial(x, head.centerY(), far, [colour((255, 214, 130), 150), colour((255, 214, 130), 0)])
        canvas.drawCircle(x, head.centerY(), far, shine)


def draw_shore(look: Look, canvas: skia.Canvas) -> None:
    """Sand, wet and dark where the water ends."""
    sand, top = look.ground, look.horizon + (look.height - look.horizon) * 0.3
    hill(look, canvas, top, look.height * 0.01, 3, scaled(sand, 0.76), scaled(sand, 0.84))
    hill(
        look,
        canvas,
        top + look.height * 0.035,
        look.height * 0.012,
        3,
        mix(sand, (255, 255, 255), 0.14),
        scaled(sand, 0.88),
    )
    _draw_ripples(look, canvas, top + look.height * 0.08, sand)
    _draw_light_on_ground(look, canvas)
    _scatter(look, canvas, top + look.height * 0.06)


def draw_footing(look: Look, canvas: skia.Canvas) -> None:
    """What things stand on in a scene on the water: a green bank, a quay, a floe, or sand."""
    top = look.footing
    names = {thing.name for thing in look.plan.objects}
    if names & ICE or look.plan.weather == "snow" or look.plan.season == "winter":
        face, flat = look.lit((120, 180, 222)), look.lit((238, 247, 255))
    elif look.plan.setting == "skyline":
        face, flat = look.lit((96, 98, 112)), look.lit((160, 158, 162))
    elif look.plan.setting in ("lake", "river"):
        face, flat = look.lit((88, 120, 66)), look.lit((118, 182, 88))
    else:
        face, flat = look.lit((206, 172, 116)), look.lit((246, 220, 162))
    deep = look.height * 0.022
    phase = look.random.uniform(0, math.tau)
    swell = 0.0 if look.plan.setting == "skyline" else look.height * 0.012
    mirror = ridge(look, top + deep * 2.2, swell, 7, phase)
    canvas.drawPath(mirror, skia.Paint(AntiAlias=True, Color=colour(scaled(face, 0.5), 120)))
    canvas.drawPath(
        ridge(look, top + deep, swell, 7, phase), skia.Paint(AntiAlias=True, Color=colour(scaled(face, 0.8)))
    )
    shades = [colour(mix(flat, look.light.sky[2], 0.25)), colour(flat), colour(scaled(flat, 0.84))]
    canvas.drawPath(ridge(look, top, swell, 7, phase), vertical(top, look.height, shades))
    if look.plan.setting in ("lake", "river") and flat != look.lit((238, 247, 255)):
        _draw_tufts(look, canvas, top, flat)
    _draw_light_on_ground(look, canvas)


def draw_bottom(look: Look, canvas: skia.Canvas) -> None:
    sand = mix(look.ground, look.lit((20, 96, 156)), 0.42)
    hill(look, canvas, look.horizon, look.height * 0.014, 4, mix(sand, (120, 210, 230), 0.3), scaled(sand, 0.72))
    hill(
        look,
        canvas,
        look.horizon + (look.height - look.horizon) * 0.5,
        look.height * 0.012,
        3,
        mix(sand, (140, 214, 230), 0.15),
        scaled(sand, 0.6),
    )
    for _ in range(16):  # nets of light
        share = look.random.random()
        wide = look.unit * (0.05 + 0.1 * share)
        x, y = (
            look.random.uniform(0, 1) * look.width,
            look.horizon + look.height * 0.03 + (look.height - look.horizon) * share,
        )
        canvas.drawOval(
            skia.Rect.MakeXYWH(x, y, wide, wide * 0.12), skia.Paint(AntiAlias=True, Color=colour((220, 255, 250), 34))
        )
    _scatter(look, canvas, look.horizon + look.height * 0.01)


def draw_planet(look: Look, canvas: skia.Canvas) -> None:
    """Dust and craters under a black sky."""
    dust = look.setting.colour
    hill(look, canvas, look.horizon - look.height * 0.03, look.height * 0.02, 5, scaled(dust, 0.62), scaled(dust, 0.5))
    hill(look, canvas, look.horizon, look.height * 0.012, 3, mix(dust, (255, 255, 255), 0.22), scaled(dust, 0.6))
    for _ in range(13):
        share = look.random.random()
        wide = look.unit * (0.03 + 0.14 * share) * look.random.uniform(0.6, 1.2)
        x, y = (
            look.random.uniform(-0.05, 1.05) * look.width,
            look.horizon + look.height * 0.05 + (look.height - look.horizon) * share,
        )
        hollow = skia.Rect.MakeXYWH(x - wide / 2, y, wide, wide * 0.26)
        canvas.drawOval(
            hollow.makeOffset(0, wide * 0.03),
            skia.Paint(AntiAlias=True, Color=colour(mix(dust, (255, 255, 255), 0.35), 200)),
        )
        canvas.drawOval(
            hollow, vertical(hollow.top(), hollow.bottom(), [colour(scaled(dust, 0.42)), colour(scaled(dust, 0.8))])
        )
    _scatter(look, canvas, look.horizon + look.height * 0.03)


GROUNDS: dict[str, Callable[[Look, skia.Canvas], None]] = {
    "land": draw_land, "street": draw_street, "shore": draw_shore, "deep": draw_bottom, "planet": draw_planet,
}  # fmt: skip
