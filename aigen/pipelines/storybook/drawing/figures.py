"""Figures: artwork at its size in a scene and its light, with what moves on it by itself and the light it sheds."""

from dataclasses import dataclass

import skia

from aigen.pipelines.storybook.drawing import anatomy
from aigen.pipelines.storybook.drawing.bodies import has_body
from aigen.pipelines.storybook.drawing.colours import MIPMAPS, Colour, colour, radial
from aigen.pipelines.storybook.drawing.lighting import EDGE, lit_picture
from aigen.pipelines.storybook.drawing.look import Look
from aigen.pipelines.storybook.drawing.painted import paint_hearth
from aigen.pipelines.storybook.drawing.parts import Part, make_bursts, make_rotors, make_wheels, make_wings
from aigen.pipelines.storybook.drawing.pictures import level_for
from aigen.pipelines.storybook.drawing.styles import finish_picture


@dataclass(frozen=True)
class Glow:
    """Light that a figure sheds: where, from the middle of its foot, and how far, in pixels."""

    image: skia.Image
    x: float
    y: float
    radius: float


@dataclass(frozen=True)
class Figure:
    """A thing's bitmap (with EDGE around it) and what belongs to it."""

    image: skia.Image
    width: float
    height: float
    parts: tuple[Part, ...] = ()
    glow: Glow | None = None
    rigid: bool = False  # only its parts move


def asleep(action: str | None) -> bool:
    return action in ("sleep", "nap", "snooze", "doze", "dream")


def make_figure(
    look: Look,
    name: str,
    width: float,
    height: float,
    color: str | None,
    wings: bool = False,
    action: str | None = None,
    shown: float = 1.0,
) -> Figure:
    """A thing in the scene's light; with a colour of the plan it is dyed in it, unless it has that colour by nature.

    Of its picture's height only the share `shown`, from the top, is seen: what lies has its legs under it.
    """
    image = lit_picture(look, name, width, height / shown, 0.0, color)
    if asleep(action):
        image = _with_closed_eyes(image, name)
    image = finish_picture(look, image)
    if shown < 1:
        image = _faded(image, round(height) + 2 * EDGE)
    parts = [*make_wheels(look, name, width, height), *make_rotors(image, name, width, height)]
    if wings and name in anatomy.WINGS:
        parts += make_wings(look, name, width, height, color)
    if name in anatomy.ROTORS:
        image = _without(image, anatomy.ROTORS[name])
    if name == "fire" and look.setting.ground == "indoor":
        return _fireplace(look, image, width, height)
    if name == "fireworks":
        parts += make_bursts(width, height)
    return Figure(image, width, height, tuple(parts), _glow(look, name, width, height))


def _fireplace(look: Look, fire: skia.Image, width: float, height: float) -> Figure:
    """A fire under a roof burns in a hearth."""
    surface = skia.Surface(fire.width(), fire.height())
    hearth = paint_hearth(level_for(max(width, height)))
    red, green, blue = look.light.tint
    light = skia.ColorFilters.Matrix([red, 0, 0, 0, 0, 0, green, 0, 0, 0, 0, 0, blue, 0, 0, 0, 0, 0, 1, 0])
    box = skia.Rect.MakeWH(fire.width(), fire.height()).makeInset(EDGE, EDGE)
    surface.getCanvas().drawImageRect(hearth, box, MIPMAPS, skia.Paint(ColorFilter=light))
    small = skia.Surface(max(1, round(fire.width() * 0.44)), max(1, round(fire.height() * 0.44)))
    small.getCanvas().drawImageRect(fire, skia.Rect.MakeWH(small.width(), small.height()), MIPMAPS)
    flame = Part("flame", small.makeImageSnapshot(), 0.0, -height * 0.02, (small.width() / 2, small.height()))
    image = finish_picture(look, surface.makeImageSnapshot())
    glow = Glow(_soft_light((255, 150, 60), 0.8), 0.0, -height * 0.25, height * 0.75)
    return Figure(image, width, height, (flame,), glow, rigid=True)


def _without(image: skia.Image, area: tuple[float, float, float, float]) -> skia.Image:
    surface = skia.Surface(image.width(), image.height())
    canvas = surface.getCanvas()
    canvas.drawImage(image, 0, 0)
    left, top, right, bottom = area
    hole = skia.Rect.MakeLTRB(
        left * image.width(), top * image.height(), right * image.width(), bottom * image.height()
    )
    canvas.drawRect(hole, skia.Paint(BlendMode=skia.BlendMode.kClear))
    return surface.makeImageSnapshot()


def _with_closed_eyes(image: skia.Image, name: str) -> skia.Image:
    """The dark eyes of a picture, found near where the table of heads has them, as arcs."""
    import numpy

    if not (has_body(name) or name in anatomy.HEADS):
        return image
    x, y, _, across = anatomy.HEAD_ON_BODY if has_body(name) else anatomy.HEADS[name]
    pixels = image.toarray(colorType=skia.kRGBA_8888_ColorType)
    tall, wide = pixels.shape[:2]
    reach = across * wide * 0.34
    left, right = int(max(0, x * wide - reach)), int(min(wide, x * wide + reach))
    top, bottom = int(max(0, y * tall - reach * 0.5)), int(min(tall, y * tall + reach * 0.5))
    part = pixels[top:bottom, left:right]
    dark = (part[..., :3].max(axis=2) < 96) & (part[..., 3] > 200)
    surface = skia.Surface(wide, tall)
    canvas = surface.getCanvas()
    canvas.drawImage(image, 0, 0)
    for half_left, half_right in ((0, dark.shape[1] // 2), (dark.shape[1] // 2, dark.shape[1])):
        rows, columns = numpy.nonzero(dark[:, half_left:half_right])
        if not 6 < len(rows) < dark.size * 0.3:
            continue
        middle = left + half_left + float(columns.mean()), top + float(rows.mean())
        half = max(2.0, float(columns.max() - columns.min()) * 0.75, float(rows.max() - rows.min()) * 0.5)
        bright = (part[:, half_left:half_right, 3] > 200) & (part[:, half_left:half_right, :3].max(axis=2) > 130)
        if not bright.any():  # too dark to tell an eye from the fur
            continue
        red, green, blue, _ = (int(value) for value in numpy.median(part[:, half_left:half_right][bright], axis=0))
        skin = skia.Paint(AntiAlias=True, Color=colour((red, green, blue)))
        skin.setMaskFilter(skia.MaskFilter.MakeBlur(skia.kNormal_BlurStyle, half * 0.2))
        canvas.drawCircle(*middle, half * 1.35, skin)
        lid = skia.Paint(AntiAlias=True, Style=skia.Paint.kStroke_Style, StrokeWidth=max(1.2, half * 0.42))
        lid.setStrokeCap(skia.Paint.kRound_Cap)
        lid.setColor(colour((52, 34, 48)))
        arc = skia.Rect.MakeXYWH(middle[0] - half, middle[1] - half * 0.9, 2 * half, half * 1.5)
        canvas.drawArc(arc, 15, 150, False, lid)
    return surface.makeImageSnapshot()


def _faded(image: skia.Image, tall: int) -> skia.Image:
    """The upper part of an image, its corners below rounded."""
    surface = skia.Surface(image.width(), tall)
    canvas = surface.getCanvas()
    around = image.width() * 0.16
    box = skia.Rect.MakeLTRB(0, -around, image.width(), tall - EDGE)
    canvas.clipRRect(skia.RRect.MakeRectXY(box, around, around), skia.ClipOp.kIntersect, True)
    canvas.drawImage(image, 0, 0)
    return surface.makeImageSnapshot()


def _glow(look: Look, name: str, width: float, height: float) -> Glow | None:
    if name not in anatomy.LIGHTS or not (look.dark or look.setting.ground == "space" or name in ("fire", "candle")):
        return None
    x, y, far, rgb = anatomy.LIGHTS[name]
    strength = 0.75 if look.dark else 0.4
    return Glow(_soft_light(rgb, strength), (x - 0.5) * width, (y - 1) * height, far * max(width, height) * 0.6)


def _soft_light(rgb: Colour, strength: float) -> skia.Image:
    surface = skia.Surface(128, 128)
    shades = [colour(rgb, 190 * strength), colour(rgb, 70 * strength), colour(rgb, 0)]
    surface.getCanvas().drawPaint(radial(64, 64, 64, shades, [0, 0.4, 1]))
    return surface.makeImageSnapshot()
