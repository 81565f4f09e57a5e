"""Light that falls on a filmed picture: leaks, rays, warmth, a breath, darker edges, distant lightning."""

import math
import random
from typing import TYPE_CHECKING, Any

from aigen.pipelines.motion.stage import SLOW, WARM, Draw, Stage, View, colour_of, light_image, shine_on

if TYPE_CHECKING:
    import numpy

    Floats = numpy.ndarray[Any, numpy.dtype[numpy.floating[Any]]]


def leak(stage: Stage, strength: float) -> Draw:
    """Light that falls in from the brighter side."""

    def draw(canvas: Any, time: float, view: "View") -> None:
        x, y = stage.sun * stage.size.width * 0.5 - view.x * 0.5, -stage.size.height * 0.4
        alpha = strength * stage.light * (0.5 + 0.12 * math.sin(time / SLOW * math.tau))
        shine_on(canvas, x, y, stage.unit * 0.75, (255, 206, 150), alpha)

    return draw


def warmth(stage: Stage) -> Draw:
    """A low sun whose light grows, and colours what is away from it."""
    radius = float(max(stage.size.width, stage.size.height))

    def draw(canvas: Any, time: float, view: "View") -> None:
        import skia

        grown = min(1.0, time / max(0.1, stage.seconds))
        grown = 0.25 + 0.75 * grown * grown * (3 - 2 * grown)
        canvas.drawColor(colour_of((255, 214, 178), 120 * grown), skia.BlendMode.kMultiply)
        x, y = stage.sun * stage.size.width * 0.36 - view.x * 0.4, -stage.size.height * 0.12
        shine_on(canvas, x, y, radius, (255, 150, 70), 0.5 * grown * stage.light)

    return draw


def rays(stage: Stage) -> Draw:
    """Shafts that fall in from the brighter side, and sway as if leaves moved before the sun."""
    import numpy

    width, height = max(2, stage.size.width // 3), max(2, stage.size.height // 3)
    down, right = numpy.mgrid[0:height, 0:width].astype(numpy.float32)
    x = (right if stage.sun < 0 else width - right) + width * 0.12
    y = down + height * 0.55
    angle, away = numpy.arctan2(y, x), numpy.hypot(x / width, y / height)
    fade = numpy.clip(1.45 - away * 0.8, 0, 1) ** 1.5
    images = []
    for turn in range(2):
        dice = random.Random(f"rays {turn} {stage.seed}")
        waves = [(dice.uniform(6, 30), dice.uniform(0, math.tau)) for _ in range(5)]
        shafts = sum(numpy.sin(angle * often + phase) for often, phase in waves) / 5
        shafts = numpy.clip(shafts * 1.5 + 0.1, 0, 1) ** 1.4
        images.append(light_image(shafts * fade, WARM, stage.size))

    def draw(canvas: Any, time: float, view: "View") -> None:
        import skia

        for turn, image in enumerate(images):
            alpha = 0.46 * stage.light * (0.6 + 0.4 * math.sin(time / SLOW * math.tau * 1.4 + turn * math.pi))
            paint = skia.Paint(Alphaf=alpha, BlendMode=skia.BlendMode.kScreen)
            canvas.drawImage(image, *stage.corner, skia.SamplingOptions(), paint)

    return draw


def breath(stage: Stage) -> Draw:
    """It gets a little lighter and darker again, as slowly as one breathes asleep."""
    dim = vignette(stage, 0.42)

    def draw(canvas: Any, time: float, view: "View") -> None:
        import skia

        breath = 0.5 - 0.5 * math.cos(time / 5.5 * math.tau)
        lifted = 20 * breath * stage.light
        canvas.drawColor(
            skia.ColorSetARGB(255, int(lifted), int(lifted * 0.9), int(lifted * 0.74)), skia.BlendMode.kScreen
        )
        dim(canvas, time, view)

    return draw


def vignette(stage: Stage, strength: float) -> Draw:
    """The corners a little darker."""
    import numpy

    down, right = numpy.mgrid[-1:1:90j, -1:1:160j].astype(numpy.float32)
    shade = numpy.clip((numpy.hypot(down * 0.8, right) - 0.55) / 0.75, 0, 1)
    image = light_image(shade * shade * (3 - 2 * shade), (0, 0, 0), stage.size)

    def draw(canvas: Any, time: float, view: "View") -> None:
        import skia

        canvas.drawImage(image, *stage.corner, skia.SamplingOptions(), skia.Paint(Alphaf=strength))

    return draw


def flashes(stage: Stage) -> Draw:
    """Sheet lightning far away: it swells and dies slowly, which does not hurt the eyes."""
    starts = [1.3 + 4.6 * turn + shift for turn in range(int(stage.seconds / 4.6) + 1) for shift in (0.0, 1.9)]

    def draw(canvas: Any, time: float, view: "View") -> None:
        since = [time - start for start in starts if time > start]
        shine = sum(
            math.sin(min(1.0, each / 0.3) * math.pi / 2) ** 2 * math.exp(-max(0.0, each - 0.3) * 2.6) for each in since
        )
        if shine > 0.01:
            x, y, radius = -stage.sun * stage.size.width * 0.3, -stage.size.height * 0.45, stage.size.width * 0.85
            shine_on(canvas, x, y, radius, (206, 220, 255), 0.5 * min(1.0, shine))

    return draw
