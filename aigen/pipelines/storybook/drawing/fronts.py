"""What grows right before the camera, out of focus: blades, leaves, seaweed, branches."""

import math

import skia

from aigen.pipelines.storybook.drawing.colours import Colour, colour, mix, scaled
from aigen.pipelines.storybook.drawing.layers import MARGIN
from aigen.pipelines.storybook.drawing.look import Look


def draw_front(look: Look, canvas: skia.Canvas, left: bool) -> None:
    """What grows right before the camera, out of focus, in a lower corner (branches: in an upper one)."""
    side = look.unit * 0.42
    x0 = 0.0 if left else look.width
    into = 1 if left else -1
    dark = scaled(look.ground if look.setting.ground == "land" else look.lit((60, 120, 70)), 0.55)
    kind = look.setting.front
    if kind == "seaweed":
        dark = mix(look.lit((20, 90, 100)), (4, 40, 80), 0.5)
    if kind == "branches":
        _draw_branch(look, canvas, x0, into, side, look.lit((40, 84, 74)))
        return
    for _ in range(30 if kind != "leaves" else 9):
        share = look.random.random()
        x = x0 + into * side * (share * 0.95 - 0.12)
        tall = side * (0.62 - 0.45 * share) * look.random.uniform(0.6, 1.1)
        lean = look.random.uniform(-0.1, 0.5) * into * tall
        rgb = scaled(dark, look.random.uniform(0.8, 1.5))
        path, low = skia.Path(), look.height * (1 + MARGIN)
        wide = side * (0.03 if kind != "leaves" else 0.1)
        path.moveTo(x - wide, low)
        path.quadTo(x + lean * 0.2 - wide, low - tall * 0.6, x + lean, low - tall - look.height * MARGIN)
        path.quadTo(x + lean * 0.2 + wide, low - tall * 0.6, x + wide, low)
        path.close()
        canvas.drawPath(path, skia.Paint(AntiAlias=True, Color=colour(rgb, 235)))


def _draw_branch(look: Look, canvas: skia.Canvas, x0: float, into: int, side: float, rgb: Colour) -> None:
    """A twig of needles with snow on it that hangs in from above."""
    for twig in range(3):
        angle = 0.25 + 0.33 * twig
        long = side * (0.85 - 0.18 * twig)
        start = x0 - into * side * 0.12, -look.height * MARGIN + twig * side * 0.05
        for step in range(26):
            share = step / 26
            x, y = start[0] + into * math.cos(angle) * long * share, start[1] + math.sin(angle) * long * share
            size = side * 0.12 * (1 - 0.6 * share)
            for lean in (-0.9, 0.9):
                end = x + into * math.cos(angle + lean) * size, y + math.sin(angle + lean) * size
                paint = skia.Paint(AntiAlias=True, StrokeWidth=side * 0.018, StrokeCap=skia.Paint.kRound_Cap)
                paint.setColor(colour(scaled(rgb, 0.6 + 0.5 * share), 235))
                canvas.drawLine(x, y, *end, paint)
        snow = skia.Paint(
            AntiAlias=True,
            StrokeWidth=side * 0.03,
            StrokeCap=skia.Paint.kRound_Cap,
            Color=colour(look.lit((240, 246, 255)), 225),
        )
        canvas.drawLine(
            *start, start[0] + into * math.cos(angle) * long * 0.9, start[1] + math.sin(angle) * long * 0.9, snow
        )
