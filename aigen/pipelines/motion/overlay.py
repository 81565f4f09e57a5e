"""What is drawn over a filmed picture: light, weather and particles, as the prompt says,
and else a little of each video's own.

Particles hang in the room before the camera, each at its own distance, and pass as it moves. None is brighter or larger
than it must be to be seen, and where something was seen in the picture the large ones fade. An effect of its own is a
function that gives a `Draw`, and an entry in `_asked` or in OWN.
"""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aigen.pipelines.motion import lights, particles, weather
from aigen.pipelines.motion.stage import SLOW, WARM, Colour, Draw, Stage, View, shine_on
from aigen.types.request import Size

if TYPE_CHECKING:
    import numpy
    from PIL.Image import Image

    from aigen.pipelines.motion.segmentation import Box

    Floats = numpy.ndarray[Any, numpy.dtype[numpy.floating[Any]]]

INDOORS = {"room", "kitchen table", "stage", "studio", "underwater", "space", "planet surface"}
EMBERS = re.compile(r"\b(sparks?|sparklers?|embers?|bonfires?|campfires?)\b", re.IGNORECASE)
FIREFLIES = re.compile(r"\b(fireflies|firefly|glow-?worms?)\b", re.IGNORECASE)
STARS = re.compile(r"\b(stars?|starry|starlight|starlit)\b", re.IGNORECASE)
AUTUMN: tuple[Colour, ...] = ((196, 92, 30), (170, 58, 30), (214, 150, 50), (128, 74, 34))
PETALS: tuple[Colour, ...] = ((255, 214, 226), (255, 236, 240), (250, 190, 208))
# How a picture is toned before light falls on it, which on a bright one could not be seen.
ROOM_FOR_LIGHT = (0.86, 0.85, 0.83, 0.0)


@dataclass(frozen=True)
class Overlay:
    """What is drawn over a picture: `told` in a few words, `behind` and `before` its nearest layer.

    `tone` changes the colours of the picture itself before it is filmed: by so much each, and so much less colourful.
    `border`, an image of skia, stands still before everything.
    """

    told: str
    behind: tuple[Draw, ...] = ()
    before: tuple[Draw, ...] = ()
    tone: tuple[float, float, float, float] | None = None
    border: Any = None

    def toned(self, picture: "Image") -> "Image":
        """The picture in the light of the time or weather; what is dark already stays as it is."""
        import numpy
        from PIL import Image

        if self.tone is None:
            return picture
        colours = numpy.asarray(picture, numpy.float32) / 255
        grey = (colours @ numpy.array((0.2126, 0.7152, 0.0722), numpy.float32))[..., None]
        *tint, dull = self.tone
        toned = (colours + (grey - colours) * dull) * numpy.array(tint, numpy.float32)
        share = min(1.0, max(0.0, float(grey.mean()) - 0.08) / 0.2)
        mixed = colours + (toned - colours) * share
        return Image.fromarray((mixed * 255 + 0.5).clip(0, 255).astype(numpy.uint8))

    def draw_behind(self, canvas: Any, time: float, view: "View") -> None:
        for draw in self.behind:
            draw(canvas, time, view)

    def draw_before(self, canvas: Any, time: float, view: "View") -> None:
        for draw in self.before:
            draw(canvas, time, view)
        if self.border:
            canvas.drawImage(self.border, -self.border.width() / 2, -self.border.height() / 2)


def choose(
    prompt: str, number: int, seed: int, size: Size, seconds: float, picture: "Image", boxes: Sequence["Box"] = ()
) -> Overlay:
    """What is drawn over an order's n-th video (1, 2, …) of a picture;
    the boxes are of what was seen in it, in its pixels.
    """
    import numpy

    from aigen.media.encoding import fit

    larger = 160 / max(size.width, size.height)
    small = fit(picture, Size(max(8, round(size.width * larger)), max(8, round(size.height * larger))))
    share = max(size.width / picture.width, size.height / picture.height)
    beside, above = picture.width * share * 0.5, (picture.height * share - size.height) * 0.3 + size.height / 2
    seen = tuple(
        (left * share - beside, top * share - above, right * share - beside, bottom * share - above)
        for left, top, right, bottom in boxes
    )
    lightness = numpy.asarray(small.convert("L"), numpy.float32) / 255
    stage = Stage(size, f"{seed} {number}", seconds, lightness, seen)
    return _asked(stage, prompt) or OWN[(number - 1) % len(OWN)](stage)


def _asked(stage: Stage, prompt: str) -> Overlay | None:
    """What the prompt says of weather, season, time and mood; None where it says nothing of them."""
    from aigen.pipelines.storybook.understanding.plan import make_plan

    plan = make_plan(prompt)
    outside = plan.setting not in INDOORS
    names = {thing.name for thing in plan.objects}
    told: list[str] = []
    behind: list[Draw] = []
    before: list[Draw] = []
    tone = None
    if outside and plan.time == "night":
        told.append("darker light")
        tone = (0.5, 0.58, 0.78, 0.3)
        stars = particles.stars(stage) if STARS.search(prompt) and plan.weather == "clear" else None
        if stars:
            told.append("stars")
            behind.append(stars)
        if FIREFLIES.search(prompt):
            told.append("fireflies")
            before.append(particles.fireflies(stage))
    elif outside and plan.time in ("sunset", "sunrise") and plan.weather not in ("rain", "storm", "fog"):
        told.append("warm light that grows")
        before.append(lights.warmth(stage))
    if outside and plan.weather == "snow":
        told.append("snow")
        tone = tone or (0.93, 0.97, 1.02, 0.2)
        behind.append(weather.snow(stage, far=True))
        before.append(weather.snow(stage, far=False))
    elif outside and plan.weather in ("rain", "storm"):
        storm = plan.weather == "storm"
        told += ["rain", "distant lightning"] if storm else ["rain"]
        tone = tone or ((0.66, 0.72, 0.8, 0.4) if storm else (0.8, 0.85, 0.9, 0.3))
        behind += (
            [lights.flashes(stage), weather.rain(stage, True, storm)] if storm else [weather.rain(stage, True, storm)]
        )
        before.append(weather.rain(stage, False, storm))
    elif outside and plan.weather == "fog":
        told.append("fog")
        tone = tone or (0.95, 0.97, 1.0, 0.25)
        behind.append(weather.fog(stage, 0.5))
        before.append(weather.fog(stage, 0.3))
    elif outside and plan.season in ("autumn", "spring"):
        autumn = plan.season == "autumn"
        told.append("falling leaves" if autumn else "petals")
        behind.append(weather.leaves(stage, AUTUMN if autumn else PETALS, far=True, gust=plan.weather == "wind"))
        before.append(weather.leaves(stage, AUTUMN if autumn else PETALS, far=False, gust=plan.weather == "wind"))
    if names & {"confetti-ball", "party-popper"} or plan.mood == "festive":
        told.append("confetti")
        before.append(weather.confetti(stage))
    if EMBERS.search(prompt):
        told.append("sparks")
        before.append(particles.embers(stage))
    if not told and plan.mood == "magical":
        return _sparkling(stage)
    if not told and plan.mood == "romantic":
        return _breathing(stage)
    return Overlay(" and ".join(told), tuple(behind), tuple(before), tone) if told else None


# What suits any picture


def _wandering(stage: Stage) -> Overlay:
    """A soft light that goes slowly over the picture, and the rest a little darker."""
    dim = lights.vignette(stage, 0.34)

    def draw(canvas: Any, time: float, view: "View") -> None:
        turn = time / max(SLOW, stage.seconds) * math.tau * 0.5
        x = -stage.sun * math.cos(turn) * stage.size.width * 0.42 - view.x
        y = (-0.22 + 0.08 * math.sin(turn * 1.3)) * stage.size.height
        shine_on(canvas, x, y, stage.unit * 0.75, WARM, 0.24 * stage.light)

    return Overlay("a light that wanders over it", before=(dim, draw))


def _dusty(stage: Stage) -> Overlay:
    before = (lights.leak(stage, 0.5), particles.motes(stage, False))
    return Overlay("dust in the light", behind=(particles.motes(stage, True),), before=before, tone=ROOM_FOR_LIGHT)


def _beaming(stage: Stage) -> Overlay:
    return Overlay("rays of light", before=(lights.rays(stage),), tone=ROOM_FOR_LIGHT)


def _breathing(stage: Stage) -> Overlay:
    return Overlay("light that breathes, with soft discs", before=(lights.breath(stage), particles.bokeh(stage)))


def _sparkling(stage: Stage) -> Overlay:
    return Overlay(
        "fine sparkles", behind=(particles.sparkles(stage, True),), before=(particles.sparkles(stage, False),)
    )


OWN: tuple[Callable[[Stage], Overlay], ...] = (_wandering, _dusty, _beaming, _breathing, _sparkling)
