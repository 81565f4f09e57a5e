"""Weather before and behind what is in a filmed picture: snow, rain, fog, leaves and petals; and confetti."""

import math
import random
from typing import TYPE_CHECKING, Any

from aigen.pipelines.motion.stage import ROOM, Colour, Draw, Stage, View, colour_of, light_image, smooth, soft_disc
from aigen.types.request import Size

if TYPE_CHECKING:
    import numpy

    Floats = numpy.ndarray[Any, numpy.dtype[numpy.floating[Any]]]

PAPER: tuple[Colour, ...] = ((236, 84, 110), (250, 204, 80), (90, 184, 236), (146, 206, 112), (190, 130, 236))


def snow(stage: Stage, far: bool) -> Draw:
    """Flakes at all distances; those close by are large, out of focus and few."""
    sheets = (
        [(260, 0.0034, 0.04, 0.5), (140, 0.0056, 0.065, 0.75)]
        if far
        else [(70, 0.0088, 0.1, 1.1), (18, 0.028, 0.17, 1.7)]
    )
    flake, soft = soft_disc(0.5), soft_disc(0.15)

    def draw(canvas: Any, time: float, view: "View") -> None:
        import skia

        for many, size, speed, near in sheets:
            alpha = 0.6 if size < 0.005 else 0.85 if size < 0.01 else 0.45
            for x, y, own, phase in stage.scattered(f"snow {many}", many):
                sway = math.sin(time * (0.6 + 0.5 * own) + phase) * 0.012
                across, down = stage.place(
                    x + sway + time * speed * 0.18, y + time * speed * (0.75 + 0.5 * own), near, view
                )
                side = max(2.2, stage.unit * size * (0.7 + 0.7 * own))
                left = alpha * (stage.shy(across, down, side) if size > 0.007 else 1.0)
                area = skia.Rect.MakeXYWH(across - side / 2, down - side / 2, side, side)
                canvas.drawImageRect(soft if size > 0.01 else flake, area, smooth(), skia.Paint(Alphaf=left))

    return draw


def rain(stage: Stage, far: bool, storm: bool) -> Draw:
    """Streaks, as a shutter sees drops: fine and many far away, few and fainter close by."""
    sheets = (
        [(260, 0.035, 1.0, 0.6, 0.0011, 78)]
        if far
        else [(110, 0.07, 1.55, 1.0, 0.0016, 92), (18, 0.15, 2.3, 1.6, 0.0034, 38)]
    )
    lean = 0.22 if storm else 0.08

    def draw(canvas: Any, time: float, view: "View") -> None:
        import skia

        for many, long, speed, near, thick, alpha in sheets:
            path = skia.Path()
            for x, y, own, _ in stage.scattered(f"rain {many}", many):
                fallen = y + time * speed * (0.85 + 0.3 * own) / ROOM
                across, down = stage.place(x - lean * time * speed / ROOM * 0.5, fallen, near, view)
                tall = long * stage.size.height * (0.7 + 0.6 * own)
                path.moveTo(across, down)
                path.lineTo(across - lean * tall * 0.9, down + tall)
            paint = skia.Paint(
                AntiAlias=True, Style=skia.Paint.kStroke_Style, StrokeWidth=max(0.9, stage.unit * thick),
                StrokeCap=skia.Paint.kRound_Cap, Color=colour_of((222, 230, 242), alpha),
            )  # fmt: skip
            canvas.drawPath(path, paint)

    return draw


def fog(stage: Stage, strength: float) -> Draw:
    """Banks that drift past one another, thickest where the ground ends."""
    import numpy
    from PIL import Image

    dice = numpy.random.default_rng(random.Random(f"fog {strength} {stage.seed}").getrandbits(32))
    banks = numpy.zeros((96, 256), numpy.float32)
    for cells, share in ((4, 0.55), (8, 0.3), (16, 0.15)):
        grain = dice.random((max(2, cells // 2), cells), dtype=numpy.float32)
        grain = numpy.concatenate([grain, grain, grain], axis=1)  # so that its ends join
        wide = Image.fromarray(grain).resize((768, 96), Image.Resampling.BICUBIC)
        banks += numpy.asarray(wide)[:, 256:512] * share
    level = numpy.linspace(0, 1, 96, dtype=numpy.float32)[:, None]
    height = numpy.exp(-(((level - 0.52) / 0.34) ** 2)) * 0.85 + 0.15
    across, tall = round(stage.size.width * 1.6), round(stage.size.height * 1.1)
    image = light_image(numpy.clip(0.25 + banks * 0.9, 0, 1) * height, (226, 230, 236), Size(across, tall))

    def draw(canvas: Any, time: float, view: "View") -> None:
        import skia

        # On whole pixels, which is quick, and not seen of what has no edges.
        begin = round((time * 0.012 * stage.size.width - view.x * strength) % across) - across
        for left in (begin, begin + across):
            if left < stage.size.width:
                x, y = stage.corner[0] + left, round(-tall / 2 - view.y * 0.5)
                canvas.drawImage(image, x, y, skia.SamplingOptions(), skia.Paint(Alphaf=strength))

    return draw


def leaves(stage: Stage, tones: tuple[Colour, ...], far: bool, gust: bool) -> Draw:
    """They turn as they fall; those close by are out of focus."""
    sheets = [(26, 0.011, 0.045, 0.7, 0)] if far else [(20, 0.017, 0.065, 1.1, 1), (5, 0.044, 0.11, 1.8, 5)]
    images = {blur: [_leaf(tone, blur) for tone in tones] for *_, blur in sheets}
    wind = 2.4 if gust else 1.0

    def draw(canvas: Any, time: float, view: "View") -> None:
        import skia

        for many, size, speed, near, blur in sheets:
            for count, (x, y, own, phase) in enumerate(stage.scattered(f"leaves {many}", many)):
                sway = math.sin(time * (0.8 + 0.5 * own) + phase) * 0.025
                across, down = stage.place(
                    x + sway + time * 0.018 * wind, y + time * speed * (0.7 + 0.6 * own), near, view
                )
                side = stage.unit * size * (0.8 + 0.5 * own)
                left = (0.5 if blur > 2 else 0.92) * (stage.shy(across, down, side) if blur else 1.0)
                canvas.save()
                canvas.translate(across, down)
                canvas.rotate(math.degrees(phase + time * (0.7 + 0.6 * own)))
                canvas.scale(1, 0.35 + 0.65 * abs(math.sin(time * (0.9 + own) + phase)))
                area = skia.Rect.MakeXYWH(-side, -side, 2 * side, 2 * side)
                canvas.drawImageRect(images[blur][count % len(tones)], area, smooth(), skia.Paint(Alphaf=left))
                canvas.restore()

    return draw


def confetti(stage: Stage) -> Draw:
    sheets = ((44, 0.0045, 0.07, 0.9), (14, 0.009, 0.11, 1.4))

    def draw(canvas: Any, time: float, view: "View") -> None:
        import skia

        for many, size, speed, near in sheets:
            for count, (x, y, own, phase) in enumerate(stage.scattered(f"confetti {many}", many)):
                sway = math.sin(time * 1.3 + phase) * 0.012
                across, down = stage.place(x + sway, y + time * speed * (0.7 + 0.6 * own), near, view)
                side = stage.unit * size * (0.7 + 0.6 * own)
                canvas.save()
                canvas.translate(across, down)
                canvas.rotate(math.degrees(phase + time * 1.6))
                canvas.scale(1, 0.25 + 0.75 * abs(math.sin(time * 2.2 + phase)))
                alpha = 215 * stage.shy(across, down, side)
                paint = skia.Paint(AntiAlias=True, Color=colour_of(PAPER[count % len(PAPER)], alpha))
                canvas.drawRect(skia.Rect.MakeXYWH(-side, -side * 0.6, side * 2, side * 1.2), paint)
                canvas.restore()

    return draw


def _leaf(tone: Colour, blur: int) -> Any:
    """A leaf with its rib, a little darker towards its stem, and out of focus by so many of its 96 pixels."""
    import numpy
    from PIL import Image, ImageFilter

    down, right = numpy.mgrid[-1:1:96j, -1:1:96j].astype(numpy.float32)
    along = (right + 0.8) / 1.6
    half = 0.42 * numpy.sin(numpy.clip(along, 0, 1) * math.pi).clip(0) ** 0.8 * (1.15 - 0.5 * along)
    inside = numpy.clip((half - abs(down + 0.06 * numpy.sin(right * 3))) * 24, 0, 1) * (along > 0) * (along < 1)
    shade = 0.72 + 0.3 * along - 0.22 * numpy.exp(-((down / 0.03) ** 2))
    colours = numpy.array(tone, numpy.float32) * shade[..., None]
    pixels = numpy.concatenate([colours.clip(0, 255) * inside[..., None], 255 * inside[..., None]], axis=2)
    planes = [
        numpy.asarray(Image.fromarray(pixels[..., channel].astype(numpy.uint8)).filter(ImageFilter.GaussianBlur(blur)))
        for channel in range(4)
    ]
    import skia

    image = skia.Image.fromarray(
        numpy.ascontiguousarray(numpy.stack(planes, axis=2)), colorType=skia.kRGBA_8888_ColorType,
        alphaType=skia.kPremul_AlphaType,
    )  # fmt: skip
    return image.withDefaultMipmaps()
