"""What is drawn over a filmed picture: light, weather and particles, as the prompt says, and else a little of each video's own.

Particles hang in the room before the camera, each at its own distance, and pass as it moves. None is brighter or larger than
it must be to be seen, and where something was seen in the picture the large ones fade. An effect of its own is a function
that gives a `Draw`, and an entry in `_asked` or in OWN.
"""

import math
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aigen.request import Size

if TYPE_CHECKING:
    import numpy
    from PIL.Image import Image

    from aigen.pipelines.motion.camera import View
    from aigen.pipelines.motion.cutting import Box

    Floats = numpy.ndarray[Any, numpy.dtype[numpy.floating[Any]]]

Colour = tuple[int, int, int]
# Draws on a canvas whose origin is the middle of the frame, at a time in seconds, for a camera at this place.
Draw = Callable[[Any, float, "View"], None]

INDOORS = {"room", "kitchen table", "stage", "studio", "underwater", "space", "planet surface"}
EMBERS = re.compile(r"\b(sparks?|sparklers?|embers?|bonfires?|campfires?)\b", re.IGNORECASE)
FIREFLIES = re.compile(r"\b(fireflies|firefly|glow-?worms?)\b", re.IGNORECASE)
STARS = re.compile(r"\b(stars?|starry|starlight|starlit)\b", re.IGNORECASE)
WARM: Colour = (255, 236, 206)
WHITE: Colour = (255, 255, 255)
AUTUMN: tuple[Colour, ...] = ((196, 92, 30), (170, 58, 30), (214, 150, 50), (128, 74, 34))
PETALS: tuple[Colour, ...] = ((255, 214, 226), (255, 236, 240), (250, 190, 208))
PAPER: tuple[Colour, ...] = ((236, 84, 110), (250, 204, 80), (90, 184, 236), (146, 206, 112), (190, 130, 236))
# How a picture is toned before light falls on it, which on a bright one could not be seen.
ROOM_FOR_LIGHT = (0.86, 0.85, 0.83, 0.0)
# How many seconds the light takes for its slowest way there and back.
SLOW = 11.0
# How far around the frame there are particles, for the camera moves: in widths and heights.
ROOM = 1.3
# What is left of a large particle before something that was seen.
SHY = 0.25
# Fewer stars are no sky.
FEWEST = 20


@dataclass(frozen=True)
class Over:
    """What is drawn over a picture: `told` in a few words, `behind` and `before` its nearest layer.

    `tone` changes the colours of the picture itself before it is filmed: by so much each, and so much less colourful. `border`,
    an image of skia, stands still before everything.
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


@dataclass(frozen=True)
class Stage:
    """What an effect is drawn on: the frame, its picture small, where something was seen (from the middle), and for how long.

    `unit` is what sizes are measured by, `sun` from which side light comes (-1 to 1, down to up), `light` how much of it.
    """

    size: Size
    seed: str
    seconds: float
    picture: "Floats"
    seen: tuple["Box", ...]

    @property
    def unit(self) -> float:
        return min(self.size.width * 1.1, self.size.height * 1.2)

    @property
    def corner(self) -> tuple[float, float]:
        """Where the upper left corner of the frame is."""
        return -self.size.width / 2, -self.size.height / 2

    @property
    def sun(self) -> int:
        """The brighter side of the upper half: -1 is left, 1 right."""
        half, middle = self.picture[: max(1, len(self.picture) // 2)], self.picture.shape[1] // 2
        return -1 if float(half[:, :middle].mean()) > float(half[:, middle:].mean()) else 1

    @property
    def light(self) -> float:
        """How strong light may be: less over what is bright, which it would wash out."""
        return 1.15 - 0.75 * float(self.picture.mean())

    def scattered(self, what: str, many: int) -> list[tuple[float, float, float, float]]:
        """The same random places in every frame: x and y, a size, a phase."""
        dice = random.Random(f"{what} {self.seed}")
        return [(dice.random(), dice.random(), dice.random(), dice.random() * math.tau) for _ in range(many)]

    def place(self, x: float, y: float, near: float, view: "View") -> tuple[float, float]:
        """Where in the frame the camera sees what hangs in the room at `x` and `y`, which wrap."""
        across, down = (x % 1 - 0.5) * ROOM * self.size.width, (y % 1 - 0.5) * ROOM * self.size.height
        beside, scale = near - view.pivot, 1 / (1 - view.z * near)
        return (across - view.x * beside) * scale, (down - view.y * beside) * scale

    def shy(self, x: float, y: float, reach: float) -> float:
        """How much is left of a particle of this radius here."""
        share = 1.0
        for left, top, right, bottom in self.seen:
            away = max(left - x, x - right, top - y, y - bottom)
            share = min(share, SHY + (1 - SHY) * min(1.0, max(0.0, 0.5 + away / max(reach * 2, self.unit * 0.05))))
        return share


def choose(
    prompt: str, number: int, seed: int, size: Size, seconds: float, picture: "Image", boxes: Sequence["Box"] = ()
) -> Over:
    """What is drawn over an order's n-th video (1, 2, …) of a picture; the boxes are of what was seen in it, in its pixels."""
    import numpy

    from aigen.media import fit

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


def _asked(stage: Stage, prompt: str) -> Over | None:
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
        stars = _stars(stage) if STARS.search(prompt) and plan.weather == "clear" else None
        if stars:
            told.append("stars")
            behind.append(stars)
        if FIREFLIES.search(prompt):
            told.append("fireflies")
            before.append(_fireflies(stage))
    elif outside and plan.time in ("sunset", "sunrise") and plan.weather not in ("rain", "storm", "fog"):
        told.append("warm light that grows")
        before.append(_warmth(stage))
    if outside and plan.weather == "snow":
        told.append("snow")
        tone = tone or (0.93, 0.97, 1.02, 0.2)
        behind.append(_snow(stage, far=True))
        before.append(_snow(stage, far=False))
    elif outside and plan.weather in ("rain", "storm"):
        storm = plan.weather == "storm"
        told += ["rain", "distant lightning"] if storm else ["rain"]
        tone = tone or ((0.66, 0.72, 0.8, 0.4) if storm else (0.8, 0.85, 0.9, 0.3))
        behind += [_flashes(stage), _rain(stage, True, storm)] if storm else [_rain(stage, True, storm)]
        before.append(_rain(stage, False, storm))
    elif outside and plan.weather == "fog":
        told.append("fog")
        tone = tone or (0.95, 0.97, 1.0, 0.25)
        behind.append(_fog(stage, 0.5))
        before.append(_fog(stage, 0.3))
    elif outside and plan.season in ("autumn", "spring"):
        autumn = plan.season == "autumn"
        told.append("falling leaves" if autumn else "petals")
        behind.append(_leaves(stage, AUTUMN if autumn else PETALS, far=True, gust=plan.weather == "wind"))
        before.append(_leaves(stage, AUTUMN if autumn else PETALS, far=False, gust=plan.weather == "wind"))
    if names & {"confetti-ball", "party-popper"} or plan.mood == "festive":
        told.append("confetti")
        before.append(_confetti(stage))
    if EMBERS.search(prompt):
        told.append("sparks")
        before.append(_embers(stage))
    if not told and plan.mood == "magical":
        return _sparkling(stage)
    if not told and plan.mood == "romantic":
        return _breathing(stage)
    return Over(" and ".join(told), tuple(behind), tuple(before), tone) if told else None


# What suits any picture


def _wandering(stage: Stage) -> Over:
    """A soft light that goes slowly over the picture, and the rest a little darker."""
    dim = _vignette(stage, 0.34)

    def draw(canvas: Any, time: float, view: "View") -> None:
        turn = time / max(SLOW, stage.seconds) * math.tau * 0.5
        x = -stage.sun * math.cos(turn) * stage.size.width * 0.42 - view.x
        y = (-0.22 + 0.08 * math.sin(turn * 1.3)) * stage.size.height
        _shine(canvas, x, y, stage.unit * 0.75, WARM, 0.24 * stage.light)

    return Over("a light that wanders over it", before=(dim, draw))


def _dusty(stage: Stage) -> Over:
    before = (_leak(stage, 0.5), _motes(stage, False))
    return Over("dust in the light", behind=(_motes(stage, True),), before=before, tone=ROOM_FOR_LIGHT)


def _beaming(stage: Stage) -> Over:
    return Over("rays of light", before=(_rays(stage),), tone=ROOM_FOR_LIGHT)


def _breathing(stage: Stage) -> Over:
    return Over("light that breathes, with soft discs", before=(_breath(stage), _bokeh(stage)))


def _sparkling(stage: Stage) -> Over:
    return Over("fine sparkles", behind=(_sparkles(stage, True),), before=(_sparkles(stage, False),))


OWN: tuple[Callable[[Stage], Over], ...] = (_wandering, _dusty, _beaming, _breathing, _sparkling)


# Light


def _leak(stage: Stage, strength: float) -> Draw:
    """Light that falls in from the brighter side."""

    def draw(canvas: Any, time: float, view: "View") -> None:
        x, y = stage.sun * stage.size.width * 0.5 - view.x * 0.5, -stage.size.height * 0.4
        alpha = strength * stage.light * (0.5 + 0.12 * math.sin(time / SLOW * math.tau))
        _shine(canvas, x, y, stage.unit * 0.75, (255, 206, 150), alpha)

    return draw


def _warmth(stage: Stage) -> Draw:
    """A low sun whose light grows, and colours what is away from it."""
    radius = float(max(stage.size.width, stage.size.height))

    def draw(canvas: Any, time: float, view: "View") -> None:
        import skia

        grown = min(1.0, time / max(0.1, stage.seconds))
        grown = 0.25 + 0.75 * grown * grown * (3 - 2 * grown)
        canvas.drawColor(_colour((255, 214, 178), 120 * grown), skia.BlendMode.kMultiply)
        x, y = stage.sun * stage.size.width * 0.36 - view.x * 0.4, -stage.size.height * 0.12
        _shine(canvas, x, y, radius, (255, 150, 70), 0.5 * grown * stage.light)

    return draw


def _rays(stage: Stage) -> Draw:
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
        images.append(_light_image(shafts * fade, WARM, stage.size))

    def draw(canvas: Any, time: float, view: "View") -> None:
        import skia

        for turn, image in enumerate(images):
            alpha = 0.46 * stage.light * (0.6 + 0.4 * math.sin(time / SLOW * math.tau * 1.4 + turn * math.pi))
            paint = skia.Paint(Alphaf=alpha, BlendMode=skia.BlendMode.kScreen)
            canvas.drawImage(image, *stage.corner, skia.SamplingOptions(), paint)

    return draw


def _breath(stage: Stage) -> Draw:
    """It gets a little lighter and darker again, as slowly as one breathes asleep."""
    dim = _vignette(stage, 0.42)

    def draw(canvas: Any, time: float, view: "View") -> None:
        import skia

        breath = 0.5 - 0.5 * math.cos(time / 5.5 * math.tau)
        lifted = 20 * breath * stage.light
        canvas.drawColor(
            skia.ColorSetARGB(255, int(lifted), int(lifted * 0.9), int(lifted * 0.74)), skia.BlendMode.kScreen
        )
        dim(canvas, time, view)

    return draw


def _vignette(stage: Stage, strength: float) -> Draw:
    """The corners a little darker."""
    import numpy

    down, right = numpy.mgrid[-1:1:90j, -1:1:160j].astype(numpy.float32)
    shade = numpy.clip((numpy.hypot(down * 0.8, right) - 0.55) / 0.75, 0, 1)
    image = _light_image(shade * shade * (3 - 2 * shade), (0, 0, 0), stage.size)

    def draw(canvas: Any, time: float, view: "View") -> None:
        import skia

        canvas.drawImage(image, *stage.corner, skia.SamplingOptions(), skia.Paint(Alphaf=strength))

    return draw


def _flashes(stage: Stage) -> Draw:
    """Sheet lightning far away: it swells and dies slowly, which does not hurt the eyes."""
    starts = [1.3 + 4.6 * turn + shift for turn in range(int(stage.seconds / 4.6) + 1) for shift in (0.0, 1.9)]

    def draw(canvas: Any, time: float, view: "View") -> None:
        since = [time - start for start in starts if time > start]
        shine = sum(
            math.sin(min(1.0, each / 0.3) * math.pi / 2) ** 2 * math.exp(-max(0.0, each - 0.3) * 2.6) for each in since
        )
        if shine > 0.01:
            x, y, radius = -stage.sun * stage.size.width * 0.3, -stage.size.height * 0.45, stage.size.width * 0.85
            _shine(canvas, x, y, radius, (206, 220, 255), 0.5 * min(1.0, shine))

    return draw


# Weather


def _snow(stage: Stage, far: bool) -> Draw:
    """Flakes at all distances; those close by are large, out of focus and few."""
    sheets = (
        [(260, 0.0034, 0.04, 0.5), (140, 0.0056, 0.065, 0.75)]
        if far
        else [(70, 0.0088, 0.1, 1.1), (18, 0.028, 0.17, 1.7)]
    )
    flake, soft = _disc(0.5), _disc(0.15)

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
                canvas.drawImageRect(soft if size > 0.01 else flake, area, _linear(), skia.Paint(Alphaf=left))

    return draw


def _rain(stage: Stage, far: bool, storm: bool) -> Draw:
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
                StrokeCap=skia.Paint.kRound_Cap, Color=_colour((222, 230, 242), alpha),
            )  # fmt: skip
            canvas.drawPath(path, paint)

    return draw


def _fog(stage: Stage, strength: float) -> Draw:
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
    image = _light_image(numpy.clip(0.25 + banks * 0.9, 0, 1) * height, (226, 230, 236), Size(across, tall))

    def draw(canvas: Any, time: float, view: "View") -> None:
        import skia

        # On whole pixels, which is quick, and not seen of what has no edges.
        begin = round((time * 0.012 * stage.size.width - view.x * strength) % across) - across
        for left in (begin, begin + across):
            if left < stage.size.width:
                x, y = stage.corner[0] + left, round(-tall / 2 - view.y * 0.5)
                canvas.drawImage(image, x, y, skia.SamplingOptions(), skia.Paint(Alphaf=strength))

    return draw


def _leaves(stage: Stage, tones: tuple[Colour, ...], far: bool, gust: bool) -> Draw:
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
                canvas.drawImageRect(images[blur][count % len(tones)], area, _linear(), skia.Paint(Alphaf=left))
                canvas.restore()

    return draw


def _confetti(stage: Stage) -> Draw:
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
                paint = skia.Paint(AntiAlias=True, Color=_colour(PAPER[count % len(PAPER)], alpha))
                canvas.drawRect(skia.Rect.MakeXYWH(-side, -side * 0.6, side * 2, side * 1.2), paint)
                canvas.restore()

    return draw


# Particles


def _motes(stage: Stage, far: bool) -> Draw:
    """Dust that hangs in the light: brighter towards where that comes from, and out of focus close by."""
    sheets = [(60, 0.0046, 0.7, 0.85)] if far else [(36, 0.0072, 1.1, 0.9), (11, 0.03, 1.8, 0.3)]
    grain, soft = _disc(0.25, WARM), _disc(0.75, WARM)

    def draw(canvas: Any, time: float, view: "View") -> None:
        import skia

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
                area = skia.Rect.MakeXYWH(across - side / 2, down - side / 2, side, side)
                paint = skia.Paint(Alphaf=left, BlendMode=skia.BlendMode.kScreen)
                canvas.drawImageRect(soft if near > 1.5 else grain, area, _linear(), paint)

    return draw


def _bokeh(stage: Stage) -> Draw:
    """Lights far out of focus, towards the corners."""
    disc = _disc(0.86, (255, 224, 176))

    def draw(canvas: Any, time: float, view: "View") -> None:
        import skia

        for x, y, own, phase in stage.scattered("bokeh", 13):
            across, down = stage.place(
                x + math.sin(time * 0.2 + phase) * 0.015, y - time * 0.006 * (0.5 + own), 1.2 + 0.6 * own, view
            )
            side = stage.unit * (0.05 + 0.08 * own)
            corner = min(1.0, math.hypot(across / stage.size.width, down / stage.size.height) * 1.9) ** 2
            shine = 0.2 * corner * (0.65 + 0.35 * math.sin(time * 0.55 + phase)) * stage.shy(across, down, side)
            area = skia.Rect.MakeXYWH(across - side / 2, down - side / 2, side, side)
            paint = skia.Paint(Alphaf=max(0.0, shine), BlendMode=skia.BlendMode.kScreen)
            canvas.drawImageRect(disc, area, _linear(), paint)

    return draw


def _sparkles(stage: Stage, far: bool) -> Draw:
    """Fine glints that come and go."""
    many, size, near = (44, 0.006, 0.7) if far else (26, 0.009, 1.25)
    glint = _disc(0.05, (255, 246, 224))

    def draw(canvas: Any, time: float, view: "View") -> None:
        import skia

        for x, y, own, phase in stage.scattered(f"sparkles {many}", many):
            across, down = stage.place(
                x + time * 0.004 + math.sin(time * 0.3 + phase) * 0.01, y - time * 0.008 * (0.4 + own), near, view
            )
            shine = max(0.0, math.sin(time * (0.7 + 0.5 * own) + phase)) ** 2
            side = stage.unit * size * (0.5 + own)
            left = 0.85 * shine * stage.shy(across, down, side)
            if left > 0.02:
                paint = skia.Paint(Alphaf=left, BlendMode=skia.BlendMode.kScreen)
                for share, strength in ((1.0, 1.0), (3.0, 0.16)):  # a glint and its glow
                    paint.setAlphaf(left * strength)
                    area = skia.Rect.MakeXYWH(
                        across - side * share / 2, down - side * share / 2, side * share, side * share
                    )
                    canvas.drawImageRect(glint, area, _linear(), paint)

    return draw


def _embers(stage: Stage) -> Draw:
    """Sparks that rise and die."""
    spark = _disc(0.1, (255, 170, 80))

    def draw(canvas: Any, time: float, view: "View") -> None:
        import skia

        for x, y, own, phase in stage.scattered("embers", 38):
            risen = (y + time * (0.05 + 0.06 * own)) % 1
            sway = math.sin(time * (1 + own) + phase) * 0.015
            across, down = stage.place(x + sway, 0.98 - risen, 0.8 + 0.7 * own, view)
            shine = math.sin(risen * math.pi) * (0.75 + 0.25 * math.sin(time * 2 + phase))
            side = stage.unit * (0.005 + 0.006 * own)
            paint = skia.Paint(Alphaf=0.9 * shine * stage.shy(across, down, side), BlendMode=skia.BlendMode.kScreen)
            area = skia.Rect.MakeXYWH(across - side / 2, down - side / 2, side, side)
            canvas.drawImageRect(spark, area, _linear(), paint)

    return draw


def _fireflies(stage: Stage) -> Draw:
    glow = _disc(0.08, (226, 255, 130))

    def draw(canvas: Any, time: float, view: "View") -> None:
        import skia

        for x, y, own, phase in stage.scattered("fireflies", 20):
            across, down = stage.place(
                x + math.sin(time * 0.5 + phase) * 0.03, 0.35 + 0.55 * y + math.sin(time * 0.8 + phase * 2) * 0.02,
                0.7 + 0.8 * own, view,
            )  # fmt: skip
            shine = max(0.0, math.sin(time * (0.8 + 0.6 * own) + phase))
            side = stage.unit * 0.022 * (0.6 + own)
            paint = skia.Paint(Alphaf=0.9 * shine * stage.shy(across, down, side), BlendMode=skia.BlendMode.kScreen)
            canvas.drawImageRect(
                glow, skia.Rect.MakeXYWH(across - side / 2, down - side / 2, side, side), _linear(), paint
            )

    return draw


def _stars(stage: Stage) -> Draw | None:
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
    star = _disc(0.2)

    def draw(canvas: Any, time: float, view: "View") -> None:
        import skia

        for x, y, own, phase in places:
            beside, scale = 0.4 - view.pivot, 1 / (1 - view.z * 0.4)
            across, down = (
                (x * stage.size.width - view.x * beside) * scale,
                (y * stage.size.height - view.y * beside) * scale,
            )
            side = max(1.6, stage.unit * (0.0026 + 0.003 * own * own))
            shine = (0.3 + 0.5 * own) * (0.75 + 0.25 * math.sin(time * (0.8 + own) + phase))
            paint = skia.Paint(Alphaf=shine, BlendMode=skia.BlendMode.kScreen)
            canvas.drawImageRect(
                star, skia.Rect.MakeXYWH(across - side / 2, down - side / 2, side, side), _linear(), paint
            )

    return draw


# What they are drawn with


def _colour(rgb: Colour, alpha: float = 255) -> int:
    import skia

    return int(skia.ColorSetARGB(int(max(0.0, min(255.0, alpha))), *rgb))


def _linear() -> Any:
    import skia

    return skia.SamplingOptions(skia.FilterMode.kLinear, skia.MipmapMode.kLinear)


def _light_image(alpha: "Floats", rgb: Colour, size: Size | None = None) -> Any:
    """A picture of one colour, as opaque as a map from 0 to 1 says; of its size, or another."""
    import numpy
    import skia
    from PIL import Image

    alpha = alpha.astype(numpy.float32)
    if size:
        enlarged = Image.fromarray(alpha).resize((size.width, size.height), Image.Resampling.BICUBIC)
        alpha = numpy.asarray(enlarged).clip(0, 1)
    shape = (*alpha.shape, 4)
    pixels = numpy.empty(shape, numpy.float32)
    pixels[..., :3], pixels[..., 3] = numpy.array(rgb, numpy.float32) / 255, 1
    pixels *= alpha[..., None]
    dither = numpy.random.default_rng(1).random((*alpha.shape, 1), dtype=numpy.float32)  # else its steps show
    pixels = (pixels * 255 + dither).clip(0, 255).astype(numpy.uint8)
    image = skia.Image.fromarray(pixels, colorType=skia.kRGBA_8888_ColorType, alphaType=skia.kPremul_AlphaType)
    return image if size else image.withDefaultMipmaps()


def _disc(flat: float, rgb: Colour = WHITE) -> Any:
    """A round spot: of one tone as far as `flat` from its middle, and soft from there on."""
    import numpy

    down, right = numpy.mgrid[-1:1:64j, -1:1:64j].astype(numpy.float32)
    away = numpy.hypot(down, right)
    soft = numpy.clip((1 - away) / (1 - flat), 0, 1)
    return _light_image(soft * soft * (3 - 2 * soft), rgb)


def _shine(canvas: Any, x: float, y: float, radius: float, rgb: Colour, alpha: float) -> None:
    """Add a light that has no edge anywhere, `alpha` of it in its middle."""
    import skia

    fall = [_colour(rgb, 255 * alpha * (1 - step * step / 36) ** 2) for step in range(7)]
    gradient = skia.GradientShader.MakeRadial((x, y), radius, fall)
    paint = skia.Paint(Shader=gradient, BlendMode=skia.BlendMode.kScreen, Dither=True)  # without, its steps show
    canvas.drawRect(skia.Rect.MakeXYWH(x - radius, y - radius, 2 * radius, 2 * radius), paint)


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
