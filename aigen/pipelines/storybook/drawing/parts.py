"""What moves on a figure by itself: wheels, rotors, wings, sparks. `moving.acting` turns them, each kind in its way."""

import math
from dataclasses import dataclass

import skia

from aigen.pipelines.storybook.drawing import anatomy
from aigen.pipelines.storybook.drawing.colours import Colour, colour, mix, radial, scaled
from aigen.pipelines.storybook.drawing.lighting import EDGE, lit_picture
from aigen.pipelines.storybook.drawing.look import Look


@dataclass(frozen=True)
class Part:
    """What moves on a figure by itself: `x` and `y` of its joint from the middle of the figure's foot, in pixels.

    In its own bitmap the joint is at `joint`.
    """

    kind: str
    image: skia.Image
    x: float
    y: float
    joint: tuple[float, float]


def make_wheels(look: Look, name: str, width: float, height: float) -> list[Part]:
    parts = []
    for x, y, radius in anatomy.WHEELS.get(name, ()):
        r = radius * width
        side = math.ceil(2 * r) + 2 * EDGE
        surface = skia.Surface(side, side)
        canvas, middle = surface.getCanvas(), side / 2
        canvas.translate(middle, middle)
        if name in anatomy.SPOKED:
            spokes = skia.Paint(
                AntiAlias=True, Color=colour(look.lit((150, 140, 170)), 230), StrokeWidth=max(1.0, r * 0.06)
            )
            for turn in range(10):
                angle = turn * math.tau / 10
                canvas.drawLine(0, 0, math.cos(angle) * r * 0.8, math.sin(angle) * r * 0.8, spokes)
        else:  # bolts on the hub, and a worn tyre
            bolt = skia.Paint(AntiAlias=True, Color=colour(look.lit((70, 58, 92)), 235))
            mark = skia.Paint(AntiAlias=True, Color=colour(look.lit((255, 255, 255)), 60))
            for turn in range(5):
                angle = turn * math.tau / 5
                canvas.drawCircle(math.cos(angle) * r * 0.27, math.sin(angle) * r * 0.27, r * 0.085, bolt)
                canvas.drawCircle(math.cos(angle + 0.6) * r * 0.74, math.sin(angle + 0.6) * r * 0.74, r * 0.09, mark)
        at = (x - 0.5) * width, (y - 1) * height
        parts.append(Part("wheel", surface.makeImageSnapshot(), *at, (middle, middle)))
    return parts


def make_rotors(image: skia.Image, name: str, width: float, height: float) -> list[Part]:
    if name not in anatomy.ROTORS:
        return []
    left, top, right, bottom = anatomy.ROTORS[name]
    part = skia.IRect(
        int(left * image.width()), int(top * image.height()), int(right * image.width()), int(bottom * image.height())
    )
    blades = image.makeSubset(part).makeRasterImage()
    at = ((left + right) / 2 - 0.5) * width, (top - 1) * height - EDGE
    return [Part("rotor", blades, *at, (blades.width() / 2, 0.0))]


def make_wings(look: Look, name: str, width: float, height: float, color: str | None) -> list[Part]:
    """A near and a far wing, in the colour that the picture has where they grow."""
    x, y, long = anatomy.WINGS[name]
    picture = lit_picture(look, name, width, height, 0.0, color, shaded=False)
    pixels = picture.toarray(colorType=skia.kRGBA_8888_ColorType)
    red, green, blue, _ = (int(part) for part in pixels[int(y * picture.height()), int(x * picture.width())])
    side = width * long
    parts = []
    for kind, share in (("far wing", 0.72), ("wing", 1.08)):
        surface = skia.Surface(math.ceil(side) + 2 * EDGE, math.ceil(side) + 2 * EDGE)
        _draw_wing(surface.getCanvas(), scaled((red, green, blue), share), side)
        at = (x - 0.5) * width, (y - 1) * height
        parts.append(Part(kind, surface.makeImageSnapshot(), *at, (EDGE + side * 0.06, EDGE + side * 0.9)))
    return parts


def _draw_wing(canvas: skia.Canvas, rgb: Colour, side: float) -> None:
    """Feathers that fan out from the joint at the lower left, the front edge last."""
    canvas.translate(EDGE, EDGE)
    for feather in range(6, -1, -1):
        share = feather / 6
        angle = -1.15 + share * 0.85  # from steep to nearly level
        long = side * (0.98 - 0.4 * share)
        tip = side * 0.06 + math.cos(angle) * long, side * 0.9 + math.sin(angle) * long
        path = skia.Path()
        path.moveTo(side * 0.06, side * 0.9)
        path.lineTo(*tip)
        shade = scaled(mix(rgb, (255, 255, 255), 0.3 * (1 - share)), 1 - 0.14 * (feather % 2))
        paint = skia.Paint(
            AntiAlias=True,
            Style=skia.Paint.kStroke_Style,
            StrokeWidth=side * 0.15,
            StrokeCap=skia.Paint.kRound_Cap,
            Color=colour(shade),
        )
        canvas.drawPath(path, paint)


def make_bursts(width: float, height: float) -> list[Part]:
    """Three rockets' worth of sparks; in their rig each opens and fades in its own time."""
    parts = []
    for x, y, share, rgb in (
        (0.5, 0.42, 1.0, (255, 208, 96)),
        (0.24, 0.66, 0.66, (255, 110, 160)),
        (0.78, 0.68, 0.6, (110, 200, 255)),
    ):
        side = math.ceil(min(width, height) * share) + 2 * EDGE
        surface = skia.Surface(side, side)
        canvas, half = surface.getCanvas(), side / 2
        canvas.drawCircle(half, half, half, radial(half, half, half, [colour(rgb, 110), colour(rgb, 0)]))
        for ring, many in ((0.96, 26), (0.66, 18), (0.38, 11)):
            for spark in range(many):
                angle = (spark + ring * 3) / many * math.tau
                far, near = half * ring * (0.92 + 0.06 * (spark % 2)), half * ring * 0.55
                tip = half + math.cos(angle) * far, half + math.sin(angle) * far
                root = half + math.cos(angle) * near, half + math.sin(angle) * near
                tail = skia.GradientShader.MakeLinear([root, tip], [colour(rgb, 0), colour(rgb, 235)])
                canvas.drawLine(
                    *root, *tip, skia.Paint(AntiAlias=True, Shader=tail, StrokeWidth=max(1.0, side * 0.007))
                )
                canvas.drawCircle(
                    *tip,
                    max(0.8, side * 0.009),
                    skia.Paint(AntiAlias=True, Color=colour(mix(rgb, (255, 255, 255), 0.6))),
                )
        parts.append(Part("burst", surface.makeImageSnapshot(), (x - 0.5) * width, (y - 1) * height, (half, half)))
    return parts
