"""Small things in the room before a filmed picture: dust, soft discs,
sparkles, sparks, fireflies; and stars above it.
"""

import math
from typing import TYPE_CHECKING, Any

from aigen.pipelines.motion.stage import WARM, Draw, Stage, View, add_spot, soft_disc

if TYPE_CHECKING:
    import numpy

    Floats = numpy.ndarray[Any, numpy.dtype[numpy.floating[Any]]]

# Fewer stars are no sky.
FEWEST = 20


def motes(stage: Stage, far: bool) -> Draw:
    """Dust that hangs in the light: brighter towards where that comes from, and out of focus close by."""
    sheets = [(60, 0.0046, 0.7, 0.85)] if far else [(36, 0.0072, 1.1, 0.9), (11, 0.03, 1.8, 0.3)]
    grain, soft = soft_disc(0.25, WARM), soft_disc(0.75, WARM)

    def draw(canvas: Any, time: float, view: "View") -> None:
        for many, size, near, alpha in sheets:
            for x, y, own, phase in stage.scattered(f"motes {many}", many):
                across, down = stage.place(
                    x + math.sin(time * 0.25 + phase) * 0.02 + time * 0.004 * (own - 0.3),
                    y + math.sin(time * 0.31 + phase * 2) * 0.02 + time * 0.006 * (own - 0.6), near, view,
                )  # fmt: skip
                lit = 0.55 + 0.45 * stage.sun * across / stage.size.width * 2
                shine = alpha * max(0.3, lit) * (0.7 + 0.3 * math.sin(time * 0.8 + phase))
                side = stage.unit * size * (0.6 + 0.8 * own)
                left = shine * (stage.shy(across, down, side) if near > 1.5 else 1.0)
                add_spot(canvas, soft if near > 1.5 else grain, across, down, side, left)

    return draw


def bokeh(stage: Stage) -> Draw:
    """Lights far out of focus, towards the corners."""
    disc = soft_disc(0.86, (255, 224, 176))

    def draw(canvas: Any, time: float, view: "View") -> None:
        for x, y, own, phase in stage.scattered("bokeh", 13):
            across, down = stage.place(
                x + math.sin(time * 0.2 + phase) * 0.015, y - time * 0.006 * (0.5 + own), 1.2 + 0.6 * own, view
            )
            side = stage.unit * (0.05 + 0.08 * own)
            corner = min(1.0, math.hypot(across / stage.size.width, down / stage.size.height) * 1.9) ** 2
            shine = 0.2 * corner * (0.65 + 0.35 * math.sin(time * 0.55 + phase)) * stage.shy(across, down, side)
            add_spot(canvas, disc, across, down, side, max(0.0, shine))

    return draw


def sparkles(stage: Stage, far: bool) -> Draw:
    """Fine glints that come and go."""
    many, size, near = (44, 0.006, 0.7) if far else (26, 0.009, 1.25)
    glint = soft_disc(0.05, (255, 246, 224))

    def draw(canvas: Any, time: float, view: "View") -> None:
        for x, y, own, phase in stage.scattered(f"sparkles {many}", many):
            across, down = stage.place(
                x + time * 0.004 + math.sin(time * 0.3 + phase) * 0.01, y - time * 0.008 * (0.4 + own), near, view
            )
            shine = max(0.0, math.sin(time * (0.7 + 0.5 * own) + phase)) ** 2
            side = stage.unit * size * (0.5 + own)
            left = 0.85 * shine * stage.shy(across, down, side)
            if left > 0.02:
                for share, strength in ((1.0, 1.0), (3.0, 0.16)):  # a glint and its glow
                    add_spot(canvas, glint, across, down, side * share, left * strength)

    return draw


def embers(stage: Stage) -> Draw:
    """Sparks that rise and die."""
    spark = soft_disc(0.1, (255, 170, 80))

    def draw(canvas: Any, time: float, view: "View") -> None:
        for x, y, own, phase in stage.scattered("embers", 38):
            risen = (y + time * (0.05 + 0.06 * own)) % 1
            sway = math.sin(time * (1 + own) + phase) * 0.015
            across, down = stage.place(x + sway, 0.98 - risen, 0.8 + 0.7 * own, view)
            shine = math.sin(risen * math.pi) * (0.75 + 0.25 * math.sin(time * 2 + phase))
            side = stage.unit * (0.005 + 0.006 * own)
            add_spot(canvas, spark, across, down, side, 0.9 * shine * stage.shy(across, down, side))

    return draw


def fireflies(stage: Stage) -> Draw:
    glow = soft_disc(0.08, (226, 255, 130))

    def draw(canvas: Any, time: float, view: "View") -> None:
        for x, y, own, phase in stage.scattered("fireflies", 20):
            across, down = stage.place(
                x + math.sin(time * 0.5 + phase) * 0.03, 0.35 + 0.55 * y + math.sin(time * 0.8 + phase * 2) * 0.02,
                0.7 + 0.8 * own, view,
            )  # fmt: skip
            shine = max(0.0, math.sin(time * (0.8 + 0.6 * own) + phase))
            side = stage.unit * 0.022 * (0.6 + own)
            add_spot(canvas, glow, across, down, side, 0.9 * shine * stage.shy(across, down, side))

    return draw


def stars(stage: Stage) -> Draw | None:
    """Stars where the picture has a sky: above, and nothing but a smooth tone around them. None where it has none."""
    import numpy

    height, width = stage.picture.shape
    places = []
    for x, y, own, phase in stage.scattered("stars", 240):
        row, column = int(y * 0.5 * height), int(x * width)
        around = stage.picture[max(0, row - 2) : row + 3, max(0, column - 2) : column + 3]
        if float(numpy.ptp(around)) < 0.09:
            places.append(((column + 0.5) / width - 0.5, (row + 0.5) / height - 0.5, own, phase))
    if len(places) < FEWEST:
        return None
    star = soft_disc(0.2)

    def draw(canvas: Any, time: float, view: "View") -> None:
        for x, y, own, phase in places:
            beside, scale = 0.4 - view.pivot, 1 / (1 - view.z * 0.4)
            across, down = (
                (x * stage.size.width - view.x * beside) * scale,
                (y * stage.size.height - view.y * beside) * scale,
            )
            side = max(1.6, stage.unit * (0.0026 + 0.003 * own * own))
            shine = (0.3 + 0.5 * own) * (0.75 + 0.25 * math.sin(time * (0.8 + own) + phase))
            add_spot(canvas, star, across, down, side, shine)

    return draw
