"""What a figure throws on the ground and shows in the water."""

import math
from dataclasses import dataclass

import skia

from aigen.pipelines.storybook.drawing.colours import LINEAR, colour, mix
from aigen.pipelines.storybook.drawing.lighting import EDGE
from aigen.pipelines.storybook.drawing.look import Look


@dataclass(frozen=True)
class Shadow:
    """A bitmap of what a figure throws on the ground;
    `left` and `top` from the middle of the figure's foot, in pixels.
    """

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


def make_reflection(image: skia.Image) -> skia.Image:
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
