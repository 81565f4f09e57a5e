"""Figures: artwork at its size in a scene, in the scene's light, with what turns on it and the shadow it throws."""

import math
from dataclasses import dataclass

import skia

from aigen.pipelines.storybook import artwork
from aigen.pipelines.storybook.drawing import anatomy
from aigen.pipelines.storybook.drawing.bodies import has_body
from aigen.pipelines.storybook.drawing.colours import LINEAR, MIPMAPS, Colour, colour, mix, radial, scaled
from aigen.pipelines.storybook.drawing.look import Look, grade
from aigen.pipelines.storybook.drawing.painted import paint_hearth
from aigen.pipelines.storybook.drawing.pictures import cut, dyed, level_for
from aigen.pipelines.storybook.drawing.styles import finish_picture

# Empty pixels around a bitmap of artwork, without which its edges show as steps when it leans.
EDGE = 2
# Of the height of an animal on its legs, how much is seen when it lies.
LYING = 0.74
# What leaves are dyed in.
LEAVES = {"autumn": "orange"}


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


def lies(name: str, action: str | None) -> bool:
    """Whether a thing lies on the ground: a resting animal that is drawn standing on its legs."""
    rests = asleep(action) or action in ("lie", "rest")
    return rests and artwork.index()[name]["subgroup"] == "animal-mammal" and not has_body(name)


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
) -> Figure:
    """A thing in the scene's light; with a colour of the plan it is dyed in it, unless it has that colour by nature."""
    lying = lies(name, action)
    image = lit_picture(look, name, width, height / LYING if lying else height, 0.0, color)
    if asleep(action):
        image = _with_closed_eyes(image, name)
    image = finish_picture(look, image)
    if lying:  # its legs are under it
        image = _faded(image, round(height) + 2 * EDGE)
    parts = [*_wheels(look, name, width, height), *_rotors(image, name, width, height)]
    if wings and name in anatomy.WINGS:
        parts += _wings(look, name, width, height, color)
    if name in anatomy.ROTORS:
        image = _without(image, anatomy.ROTORS[name])
    if name == "fire" and look.setting.ground == "indoor":
        return _fireplace(look, image, width, height)
    if name == "fireworks":
        parts += _bursts(width, height)
    return Figure(image, width, height, tuple(parts), _glow(look, name, width, height))


def lit_picture(
    look: Look, name: str, width: float, height: float, haze: float, color: str | None = None, shaded: bool = True
) -> skia.Image:
    """The artwork at its size (and EDGE around it), in the scene's light and, further away, its haze."""
    surface = skia.Surface(max(1, round(width)) + 2 * EDGE, max(1, round(height)) + 2 * EDGE)
    canvas = surface.getCanvas()
    area = skia.Rect.MakeWH(surface.width(), surface.height()).makeInset(EDGE, EDGE)
    if color is None and name == "deciduous-tree":
        color = LEAVES.get(look.plan.season or "")
    level = level_for(max(width, height))
    picture = dyed(name, color, level) if color else cut(name, level)
    light = _filter(look, name, haze)
    canvas.drawImageRect(picture, area, MIPMAPS, skia.Paint(AntiAlias=True, ColorFilter=light))
    if look.dark and artwork.index()[name]["subgroup"] in ("place-building", "place-religious", "hotel"):
        canvas.drawImageRect(lit_windows(name), area, MIPMAPS, skia.Paint(AntiAlias=True, Alphaf=1 - haze))
    if shaded:
        _shade(look, canvas, surface.makeImageSnapshot(), 1 - haze)
    return surface.makeImageSnapshot()


def _filter(look: Look, name: str, haze: float) -> skia.ColorFilter:
    own_light = look.dark and name in anatomy.LIGHTS
    red, green, blue = (part * (1 - haze) for part in ((1.0, 1.0, 1.0) if own_light else look.light.tint))
    if look.setting.ground == "deep":
        red, green, blue = red * 0.8, green * 0.95, blue * 1.0
    add = [part / 255 * haze for part in look.light.sky[2]]
    light = skia.ColorFilters.Matrix(
        [red, 0, 0, 0, add[0], 0, green, 0, 0, add[1], 0, 0, blue, 0, add[2], 0, 0, 0, 1, 0]
    )
    style = grade(look.style)
    return style.makeComposed(light) if style else light


def lit_windows(name: str) -> skia.Image:
    """Only a building's panes, which artwork has blue, as they shine by night."""
    import numpy

    pixels = cut(name, 384).toarray(colorType=skia.kRGBA_8888_ColorType).astype(numpy.float32)
    red, green, blue = (pixels[..., channel] for channel in range(3))
    panes = numpy.clip((numpy.minimum(blue, green) - red - 40) / 40, 0, 1) * (pixels[..., 3] / 255)
    shine = numpy.zeros_like(pixels)
    shine[..., :3] = (255, 214, 120)
    shine[..., :3] *= panes[..., None]
    shine[..., 3] = panes * 255
    return skia.Image.fromarray(shine.astype(numpy.uint8), colorType=skia.kRGBA_8888_ColorType)


def _shade(look: Look, canvas: skia.Canvas, image: skia.Image, strength: float) -> None:
    """One light for everything: dark on the side away from it and below, and a bright edge towards it."""
    wide, tall = image.width(), image.height()
    left = look.sun[0] < look.width / 2
    shadow = mix(look.light.vignette, (20, 16, 70), 0.5)
    near, far = ((0, 0), (wide, tall)) if left else ((wide, 0), (0, tall))
    dark = colour(shadow, (105 if look.outside else 80) * strength)
    paint = skia.Paint(
        Shader=skia.GradientShader.MakeLinear([near, far], [colour(shadow, 0), colour(shadow, 0), dark], [0, 0.4, 1])
    )
    paint.setBlendMode(skia.BlendMode.kSrcATop)
    canvas.drawPaint(paint)
    if not look.outside or look.light.rim < 0.05 or strength < 0.8 or min(wide, tall) < 24:
        return
    step = max(1.0, max(wide, tall) * 0.014)
    across = step if left else -step
    edge = skia.Surface(wide, tall)
    on_edge = edge.getCanvas()
    tone = skia.ColorFilters.Blend(colour(look.light.glow), skia.BlendMode.kSrcIn)
    on_edge.drawImage(image, 0, 0, LINEAR, skia.Paint(ColorFilter=tone))
    blurred = skia.ImageFilters.Blur(step * 0.5, step * 0.5)
    on_edge.drawImage(
        image, across, step * 0.8, LINEAR, skia.Paint(BlendMode=skia.BlendMode.kDstOut, ImageFilter=blurred)
    )
    lit = skia.Paint(BlendMode=skia.BlendMode.kSrcATop, Alphaf=min(1.0, look.light.rim))
    canvas.drawImage(edge.makeImageSnapshot(), 0, 0, LINEAR, lit)


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
        beside = part[
            min(int(rows.max()) + 3, part.shape[0] - 1), min(half_left + int(columns.mean()), part.shape[1] - 1)
        ]
        canvas.drawCircle(
            *middle,
            half * 1.15,
            skia.Paint(AntiAlias=True, Color=colour((int(beside[0]), int(beside[1]), int(beside[2])))),
        )
        lid = skia.Paint(
            AntiAlias=True,
            Style=skia.Paint.kStroke_Style,
            StrokeWidth=max(1.2, half * 0.42),
            StrokeCap=skia.Paint.kRound_Cap,
            Color=colour((52, 34, 48)),
        )
        canvas.drawArc(
            skia.Rect.MakeLTRB(middle[0] - half, middle[1] - half * 0.9, middle[0] + half, middle[1] + half * 0.6),
            15,
            150,
            False,
            lid,
        )
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


# What turns


def _wheels(look: Look, name: str, width: float, height: float) -> list[Part]:
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


def _rotors(image: skia.Image, name: str, width: float, height: float) -> list[Part]:
    if name not in anatomy.ROTORS:
        return []
    left, top, right, bottom = anatomy.ROTORS[name]
    part = skia.IRect(
        int(left * image.width()), int(top * image.height()), int(right * image.width()), int(bottom * image.height())
    )
    blades = image.makeSubset(part).makeRasterImage()
    at = ((left + right) / 2 - 0.5) * width, (top - 1) * height - EDGE
    return [Part("rotor", blades, *at, (blades.width() / 2, 0.0))]


def _wings(look: Look, name: str, width: float, height: float, color: str | None) -> list[Part]:
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


def _bursts(width: float, height: float) -> list[Part]:
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


# Light and shadow


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


@dataclass(frozen=True)
class Shadow:
    """A bitmap of what a figure throws on the ground; `left` and `top` from the middle of the figure's foot, in pixels."""

    image: skia.Image
    left: float
    top: float


def make_shadow(look: Look, image: skia.Image, x: float) -> Shadow:
    """The shadow of a figure that stands at `x`: dark where it touches the ground, and long where the light is low.

    Sun and moon stand behind the scene, so it falls towards the viewer and away from them.
    """
    width, height = image.width() - 2 * EDGE, image.height() - 2 * EDGE
    long = height * look.light.shadow if look.outside else 0.0
    lean = (x - look.sun[0]) / look.width * 1.6 * long
    soft = max(0.6, min(width, height) * 0.02)
    pad = math.ceil(soft * 4)
    left, right = min(0.0, lean) - width * 0.56 - pad, max(0.0, lean) + width * 0.56 + pad
    top, bottom = -height * 0.07 - pad, max(long, height * 0.07) + pad
    surface = skia.Surface(max(1, math.ceil(right - left)), max(1, math.ceil(bottom - top)))
    canvas = surface.getCanvas()
    canvas.translate(-left, -top)
    tone = mix(look.light.vignette, (6, 10, 34), 0.6)
    wide_blur = skia.MaskFilter.MakeBlur(skia.kNormal_BlurStyle, max(0.5, height * 0.03))
    around = skia.Paint(AntiAlias=True, MaskFilter=wide_blur, Color=colour(tone, 95 if look.dark else 70))
    canvas.drawOval(skia.Rect.MakeLTRB(-width * 0.44, -height * 0.05, width * 0.44, height * 0.04), around)
    tight = skia.MaskFilter.MakeBlur(skia.kNormal_BlurStyle, max(0.5, height * 0.008))
    contact = skia.Paint(AntiAlias=True, MaskFilter=tight, Color=colour(tone, 190 if look.dark else 160))
    for foot_left, foot_right in _feet(image):
        across = max(2.0, (foot_right - foot_left) * 0.12)
        foot = skia.Rect.MakeLTRB(foot_left - across, -height * 0.022, foot_right + across, height * 0.014)
        canvas.drawOval(foot.makeOffset(-width / 2 - EDGE, 0), contact)
    if long > 1:
        canvas.save()
        # Upside down, as long as the light says, leaning away from it.
        canvas.concat(skia.Matrix.MakeAll(1, -lean / height, 0, 0, -long / height, 0, 0, 0, 1))
        canvas.translate(-width / 2 - EDGE, -height - EDGE)
        dark = skia.ColorFilters.Blend(colour(tone, 120 if look.dark else 96), skia.BlendMode.kSrcIn)
        soften = skia.ImageFilters.Blur(soft, soft)
        canvas.drawImage(image, 0, 0, LINEAR, skia.Paint(AntiAlias=True, ColorFilter=dark, ImageFilter=soften))
        canvas.restore()
    return Shadow(surface.makeImageSnapshot(), left, top)


def _feet(image: skia.Image) -> list[tuple[int, int]]:
    """From where to where, in the bitmap's own pixels, a figure touches the ground."""
    import numpy

    alpha = image.toarray(colorType=skia.kRGBA_8888_ColorType)[..., 3]
    low = alpha[-EDGE - max(1, image.height() // 22) :].max(axis=0) > 100
    edges = numpy.flatnonzero(numpy.diff(numpy.concatenate(([False], low, [False])).astype(int)))
    return [(int(left), int(right)) for left, right in zip(edges[::2], edges[1::2], strict=True)]


def make_reflection(look: Look, image: skia.Image) -> skia.Image:
    """What water shows of a figure: upside down, flatter, fading with the distance."""
    wide, tall = image.width(), max(1, round(image.height() * 0.5))
    surface = skia.Surface(wide, tall)
    canvas = surface.getCanvas()
    canvas.save()
    canvas.translate(0, tall)
    canvas.scale(1, -tall / image.height())
    canvas.drawImage(image, 0, 0, LINEAR)
    canvas.restore()
    fade = skia.GradientShader.MakeLinear([(0, 0), (0, tall)], [colour((0, 0, 0), 120), colour((0, 0, 0), 0)])
    canvas.drawPaint(skia.Paint(Shader=fade, BlendMode=skia.BlendMode.kDstIn))
    return surface.makeImageSnapshot()
