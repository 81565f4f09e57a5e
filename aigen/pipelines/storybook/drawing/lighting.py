"""Artwork in the light of a scene: tinted, dyed, shaded on the far side,
bright at the edge, its windows lit at night.
"""

import skia

from aigen.pipelines.storybook import artwork
from aigen.pipelines.storybook.drawing import anatomy
from aigen.pipelines.storybook.drawing.colours import LINEAR, MIPMAPS, colour, mix
from aigen.pipelines.storybook.drawing.look import Look, grade
from aigen.pipelines.storybook.drawing.pictures import cut, dyed, level_for

# Empty pixels around a bitmap of artwork, without which its edges show as steps when it leans.
EDGE = 2
# What leaves are dyed in.
LEAVES = {"autumn": "orange"}


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

    pixels = cut(name, 320).toarray(colorType=skia.kRGBA_8888_ColorType).astype(numpy.float32)
    red, green, blue = (pixels[..., channel] for channel in range(3))
    panes = numpy.clip((numpy.minimum(blue, green) - red - 40) / 40, 0, 1) * (pixels[..., 3] / 255)
    shine = numpy.zeros_like(pixels)
    shine[..., :3] = (255, 214, 120)
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
