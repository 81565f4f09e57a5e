"""What falls, rises, twinkles and changes: snow, rain, lightning, leaves,
bubbles, rays, glints on the water, the light.

Each is a function of a look and a time; `draw_behind` and `draw_before` say which belong to a scene.
"""

import math
import random
from functools import cache, lru_cache

import skia

from aigen.pipelines.storybook.drawing.colours import LINEAR, colour, mix, soft_disc, vertical
from aigen.pipelines.storybook.drawing.look import Look


def _scattered(look: Look, what: str, many: int) -> tuple[tuple[float, float, float, float], ...]:
    """The same random places in every frame of a scene: x and y, a size of its own, a phase."""
    return _random_places(f"{what} {look.weather_seed}", many)


@lru_cache(maxsize=32)
def _random_places(seed: str, many: int) -> tuple[tuple[float, float, float, float], ...]:
    dice = random.Random(seed)
    return tuple((dice.random(), dice.random(), dice.random(), dice.random() * math.tau) for _ in range(many))


@cache
def _flake() -> skia.Image:
    return soft_disc(32, (255, 255, 255))


def draw_behind(look: Look, canvas: skia.Canvas, time: float) -> None:
    """What moves behind the things."""
    if look.setting.ground in ("water", "shore"):
        _draw_glints(look, canvas, time)
    elif look.setting.ground == "deep":
        _draw_rays(look, canvas, time)
    if look.setting.ground == "space" or (
        look.dark and look.outside and look.plan.weather in ("clear", "snow", "wind")
    ):
        _draw_twinkling(look, canvas, time)


def draw_before(look: Look, canvas: skia.Canvas, time: float, duration: float) -> None:
    """What moves before the things, and how the light changes."""
    weather, ground = look.plan.weather, look.setting.ground
    if ground == "deep":
        _draw_bubbles(look, canvas, time)
    elif look.outside and weather == "snow":
        _draw_snow(look, canvas, time)
    elif look.outside and weather in ("rain", "storm"):
        _draw_rain(look, canvas, time)
    elif look.outside and (look.plan.season in ("autumn", "spring") or weather == "wind") and ground == "land":
        _draw_leaves(look, canvas, time)
    elif look.outside and ground == "land" and not look.dark and look.plan.setting not in ("snow", "desert"):
        _draw_motes(look, canvas, time)
    elif look.dark and look.outside and ground == "land" and look.plan.setting != "snow":
        _draw_fireflies(look, canvas, time)
    if any(thing.name in ("confetti-ball", "party-popper") for thing in look.plan.objects):
        _draw_confetti(look, canvas, time)
    if weather == "fog" and look.outside:
        _draw_fog(look, canvas, time)
    _draw_light(look, canvas, time, duration)


def _draw_light(look: Look, canvas: skia.Canvas, time: float, duration: float) -> None:
    """Dusk falls, dawn breaks, clouds pass before the sun, lightning flashes."""
    if look.plan.weather == "storm" and look.outside:
        flash = sum(_flash(time, at + 4 * turn) for turn in range(int(time / 4) + 1) for at in (1.1, 3.0))
        if flash > 0.01:
            canvas.drawColor(colour((214, 226, 255), 105 * min(1.0, flash)), skia.BlendMode.kSrcOver)
    if not look.outside or not duration:
        return
    share = time / duration
    if look.plan.time == "sunset" and not look.dark:
        canvas.drawColor(colour((44, 20, 80), 44 * share), skia.BlendMode.kSrcOver)
    elif look.plan.time == "sunrise" and not look.dark:
        canvas.drawColor(colour((40, 30, 90), 44 * (1 - share)), skia.BlendMode.kSrcOver)
    elif look.plan.weather in ("cloudy", "wind", "rain"):
        canvas.drawColor(colour((20, 26, 50), 18 + 16 * math.sin(share * math.tau)), skia.BlendMode.kSrcOver)


def _flash(time: float, at: float) -> float:
    """Lightning that swells over five frames and dies away over twenty:
    sheet lightning, which does not hurt the eyes.
    """
    since = time - at
    if since <= 0:
        return 0.0
    return math.sin(min(1.0, since / 0.21) * math.pi / 2) ** 2 * math.exp(-max(0.0, since - 0.25) * 3)


def _draw_glints(look: Look, canvas: skia.Canvas, time: float) -> None:
    """Light on the waves: most of it on the path of sun or moon."""
    bright = mix(look.light.glow, (255, 255, 255), 0.35)
    low, many = min(look.shore, look.height) - look.horizon, 84
    strong, weak = skia.Path(), skia.Path()
    for place, (x, own, size, phase) in enumerate(_scattered(look, "glints", many)):
        near = ((place + own) / many) ** 1.7
        y = look.horizon + look.height * 0.008 + near * low
        on_path = look.disc is not None and place % 3 != 0
        middle = (
            look.disc[0] + (x - 0.5) * look.unit * (0.1 + 0.4 * near) if on_path and look.disc else x * look.width * 1.1
        )
        middle += math.sin(time * 1.3 + phase) * look.unit * 0.012
        open_ = 0.5 + 0.5 * math.sin(time * 2.2 + phase * 3)
        wide = look.unit * (0.008 + 0.045 * near) * (0.4 + size) * open_
        tall = max(0.9, look.unit * (0.001 + 0.0035 * near))
        (strong if on_path else weak).addOval(skia.Rect.MakeXYWH(middle - wide / 2, y, wide, tall))
    canvas.drawPath(strong, skia.Paint(AntiAlias=True, Color=colour(bright, 165)))
    canvas.drawPath(weak, skia.Paint(AntiAlias=True, Color=colour(bright, 80)))


def _draw_rays(look: Look, canvas: skia.Canvas, time: float) -> None:
    """Shafts of light that sway with the waves above."""
    sun = look.sun[0]
    for x, own, size, phase in _scattered(look, "rays", 5):
        top = sun + (x - 0.5) * look.width * 0.9 + math.sin(time * 0.5 + phase) * look.unit * 0.02
        wide = look.unit * (0.04 + 0.07 * size)
        lean = (top - sun) * 0.6 + math.sin(time * 0.35 + phase) * look.unit * 0.03
        low = look.height * (0.6 + 0.35 * own)
        ray = skia.Path()
        ray.moveTo(top - wide * 0.4, -2)
        ray.lineTo(top + wide * 0.4, -2)
        ray.lineTo(top + lean + wide * 1.4, low)
        ray.lineTo(top + lean - wide * 1.4, low)
        ray.close()
        alpha = 46 + 26 * math.sin(time * 0.9 + phase * 2)
        canvas.drawPath(ray, vertical(0, low, [colour((225, 255, 250), alpha), colour((225, 255, 250), 0)]))


def _draw_twinkling(look: Look, canvas: skia.Canvas, time: float) -> None:
    low = min(look.horizon * 0.9, look.height)
    for x, y, size, phase in _scattered(look, "stars", 26):
        alpha = 110 + 130 * math.sin(time * (1.2 + 2 * size) + phase)
        if alpha > 12:
            canvas.drawCircle(
                x * look.width,
                y * low,
                look.unit * (0.0012 + 0.0016 * size),
                skia.Paint(AntiAlias=True, Color=colour((255, 253, 238), min(255, alpha))),
            )


def _draw_bubbles(look: Look, canvas: skia.Canvas, time: float) -> None:
    path = skia.Path()
    for x, y, size, phase in _scattered(look, "bubbles", 40):
        level = 1.06 - (1.12 - y * 1.12 + time * (0.035 + 0.05 * size)) % 1.12
        radius = look.unit * (0.0025 + 0.008 * size * size)
        path.addCircle(x * look.width + math.sin(time * 2 + phase) * look.unit * 0.006, level * look.height, radius)
    width = max(1.0, look.unit * 0.0018)
    canvas.drawPath(
        path,
        skia.Paint(
            AntiAlias=True, Style=skia.Paint.kStroke_Style, StrokeWidth=width, Color=colour((230, 252, 255), 150)
        ),
    )


def _draw_snow(look: Look, canvas: skia.Canvas, time: float) -> None:
    for many, size, speed, alpha in ((150, 0.0028, 0.05, 170), (70, 0.0052, 0.09, 215), (20, 0.019, 0.15, 205)):
        places = [
            (
                ((x + time * speed * 0.15 + math.sin(time * 1.2 + phase) * 0.008) % 1.04 - 0.02) * look.width,
                ((y + time * speed * (0.8 + 0.4 * own)) % 1.06 - 0.03) * look.height,
            )
            for x, y, own, phase in _scattered(look, f"snow {many}", many)
        ]
        if size < 0.01:  # as dots in one call: each bitmap costs as much as all of them
            paint = skia.Paint(AntiAlias=True, Color=colour((255, 255, 255), alpha), StrokeCap=skia.Paint.kRound_Cap)
            for part, share in ((places[::2], 0.8), (places[1::2], 1.25)):
                paint.setStrokeWidth(max(1.0, look.unit * size * share))
                canvas.drawPoints(skia.Canvas.kPoints_PointMode, [skia.Point(*place) for place in part], paint)
            continue
        side = look.unit * size
        for x, y in places:
            canvas.drawImageRect(_flake(), skia.Rect.MakeXYWH(x, y, side, side), LINEAR, skia.Paint(Alphaf=0.8))


def _draw_rain(look: Look, canvas: skia.Canvas, time: float) -> None:
    slant = 0.25 if look.plan.weather == "storm" else 0.1
    for many, long, speed, alpha in ((150, 0.035, 1.1, 70), (75, 0.06, 1.6, 115)):
        path = skia.Path()
        for x, y, own, _ in _scattered(look, f"rain {many}", many):
            level = (y + time * speed * (0.85 + 0.3 * own)) % 1.15 - 0.1
            across = ((x - time * speed * slant * 0.5) % 1.1 - 0.05) * look.width
            path.moveTo(across, level * look.height)
            path.lineTo(across - slant * long * look.height, (level + long) * look.height)
        width = max(1.0, look.unit * 0.0016)
        canvas.drawPath(
            path,
            skia.Paint(
                AntiAlias=True, Style=skia.Paint.kStroke_Style, StrokeWidth=width, Color=colour((214, 226, 246), alpha)
            ),
        )
    if look.setting.ground in ("street", "water", "shore"):
        _draw_splashes(look, canvas, time)


def _draw_splashes(look: Look, canvas: skia.Canvas, time: float) -> None:
    """Rings where drops hit."""
    low = look.height - look.horizon
    for x, y, size, _ in _scattered(look, "splashes", 26):
        share = (time * 1.4 + size * 7) % 1
        level = look.horizon + low * (0.1 + 0.9 * y)
        wide = look.unit * (0.006 + 0.026 * share) * (0.5 + y)
        paint = skia.Paint(
            AntiAlias=True,
            Style=skia.Paint.kStroke_Style,
            StrokeWidth=max(0.8, look.unit * 0.0014),
            Color=colour((226, 236, 250), 130 * (1 - share)),
        )
        canvas.drawOval(skia.Rect.MakeXYWH(x * look.width - wide / 2, level, wide, wide * 0.32), paint)


def _draw_fog(look: Look, canvas: skia.Canvas, time: float) -> None:
    """Banks that drift before everything, thicker near the ground."""
    haze = look.light.sky[2]
    veil = [colour(haze, 26), colour(haze, 92), colour(haze, 50)]
    canvas.drawPaint(vertical(0, look.height, veil, [0, 0.75, 1]))
    for x, y, size, phase in _scattered(look, "fog", 3):
        wide, tall = look.width * (0.7 + 0.4 * size), look.height * 0.16
        left = (x * 1.6 - 0.6 + time * 0.012) * look.width + math.sin(time * 0.4 + phase) * look.unit * 0.02
        area = skia.Rect.MakeXYWH(left, look.height * (0.5 + 0.35 * y), wide, tall)
        canvas.drawImageRect(_flake(), area, LINEAR, skia.Paint(Alphaf=0.3))


def _draw_leaves(look: Look, canvas: skia.Canvas, time: float) -> None:
    """Leaves in autumn, petals in spring, turning as they fall."""
    autumn = look.plan.season == "autumn"
    tones = (
        [(232, 120, 44), (214, 72, 40), (244, 186, 70)]
        if autumn
        else [(255, 196, 214), (255, 224, 232), (250, 168, 196)]
    )
    gust = 2.6 if look.plan.weather == "wind" else 1.0
    for place, (x, y, size, phase) in enumerate(_scattered(look, "leaves", 26)):
        level = ((y + time * (0.05 + 0.05 * size)) % 1.1 - 0.05) * look.height
        across = ((x + time * 0.03 * gust + math.sin(time * 1.4 + phase) * 0.02) % 1.08 - 0.04) * look.width
        side = look.unit * (0.007 + 0.009 * size)
        canvas.save()
        canvas.translate(across, level)
        canvas.rotate(math.degrees(phase + time * 1.7))
        canvas.scale(1, 0.35 + 0.5 * abs(math.sin(time * 2.3 + phase)))
        leaf = skia.Path()
        leaf.moveTo(-side, 0)
        leaf.quadTo(0, -side * 0.8, side, 0)
        leaf.quadTo(0, side * 0.8, -side, 0)
        canvas.drawPath(leaf, skia.Paint(AntiAlias=True, Color=colour(look.lit(tones[place % 3]), 235)))
        canvas.restore()


def _draw_confetti(look: Look, canvas: skia.Canvas, time: float) -> None:
    tones = [(255, 92, 120), (255, 210, 70), (90, 200, 250), (150, 220, 110), (200, 130, 250)]
    for place, (x, y, size, phase) in enumerate(_scattered(look, "confetti", 70)):
        level = ((y + time * (0.07 + 0.08 * size)) % 1.1 - 0.05) * look.height
        across = (x + math.sin(time * 1.8 + phase) * 0.015) * look.width
        side = look.unit * (0.006 + 0.006 * size)
        canvas.save()
        canvas.translate(across, level)
        canvas.rotate(math.degrees(phase + time * 2.5))
        canvas.scale(1, 0.25 + 0.75 * abs(math.sin(time * 4 + phase)))
        canvas.drawRect(
            skia.Rect.MakeXYWH(-side, -side * 0.6, side * 2, side * 1.2),
            skia.Paint(AntiAlias=True, Color=colour(tones[place % 5])),
        )
        canvas.restore()


def _draw_motes(look: Look, canvas: skia.Canvas, time: float) -> None:
    """Pollen or dust that floats in the light."""
    for x, y, size, phase in _scattered(look, "motes", 14):
        across = (x + math.sin(time * 0.5 + phase) * 0.03 + time * 0.006) % 1.0 * look.width
        level = (y + math.sin(time * 0.7 + phase * 2) * 0.02) % 1.0 * look.height
        alpha = 70 + 60 * math.sin(time * 1.1 + phase)
        side = look.unit * (0.007 + 0.009 * size)
        if alpha > 4:
            area = skia.Rect.MakeXYWH(across - side / 2, level - side / 2, side, side)
            canvas.drawImageRect(_flake(), area, LINEAR, skia.Paint(Alphaf=alpha / 255))


def _draw_fireflies(look: Look, canvas: skia.Canvas, time: float) -> None:
    for x, y, size, phase in _scattered(look, "fireflies", 16):
        across = (x + math.sin(time * 0.8 + phase) * 0.02) * look.width
        level = (
            look.horizon * 0.8
            + (look.height - look.horizon * 0.8) * y
            + math.sin(time * 1.1 + phase * 2) * look.unit * 0.02
        )
        shine = max(0.0, math.sin(time * (1 + size) + phase))
        side = look.unit * 0.022
        if shine > 0.03:
            tint = skia.ColorFilters.Blend(colour((240, 255, 130)), skia.BlendMode.kModulate)
            paint = skia.Paint(Alphaf=0.9 * shine, ColorFilter=tint)
            canvas.drawImageRect(
                _flake(), skia.Rect.MakeXYWH(across - side / 2, level - side / 2, side, side), LINEAR, paint
            )
