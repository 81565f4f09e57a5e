"""The look of one scene: its take, its light, its measures.

Everything that draws gets a `Look`; what is random comes from its `random`, in a fixed order, so that the same request
gives the same picture.
"""

import random
from dataclasses import dataclass, replace
from functools import cached_property

import skia

from aigen.pipelines.storybook import artwork
from aigen.pipelines.storybook.drawing import scenery
from aigen.pipelines.storybook.drawing.colours import Colour, mix, scaled
from aigen.pipelines.storybook.drawing.scenery import Light, Setting
from aigen.pipelines.storybook.takes import Take, take_of
from aigen.pipelines.storybook.understanding.plan import Plan
from aigen.types.request import Size

# What a season does to the ground: a colour and how much of it.
SEASONS: dict[str, tuple[Colour, float]] = {
    "autumn": (((206, 146, 62)), 0.45),
    "winter": ((236, 242, 252), 0.8),
    "spring": ((140, 214, 110), 0.3),
}


@dataclass(frozen=True)
class Look:
    """Lengths are in pixels; `unit` is what sizes are measured by, `bars` the height of cinematic bars."""

    plan: Plan
    setting: Setting
    light: Light
    dark: bool
    style: str
    take: Take
    width: float
    height: float
    unit: float
    horizon: float
    bars: float
    weather_seed: int  # where flakes, drops and leaves are
    random: random.Random

    @property
    def mirrored(self) -> bool:
        return self.take.subject < 0.5

    @property
    def contrast(self) -> float:
        return scenery.GRADES[self.style][1]

    @property
    def middle(self) -> tuple[float, float]:
        return self.width / 2, self.height / 2

    @property
    def outside(self) -> bool:
        return self.setting.ground not in ("indoor", "deep", "space")

    @cached_property
    def disc(self) -> tuple[float, float, float] | None:
        """Where the sun or moon stands (x, y) and its radius; None when it is not to be seen."""
        asked = any(scenery.is_sky(self.plan, thing) for thing in self.plan.objects)
        others = scenery.MOONS | scenery.SUNS | {"crescent-moon"}
        if not asked and any(thing.name in others for thing in self.plan.objects):
            return None  # they are things of their own, such as two moons
        hidden = self.plan.weather in ("storm", "rain", "fog", "cloudy") or not self.outside
        if hidden and not asked:
            return None
        low = self.plan.time in ("sunrise", "sunset") and not self.dark
        horizon = self.horizon if self.horizon < self.height else self.height * 0.8
        height = horizon * (0.84 if low else 0.32 - max(0.0, self.take.rise)) + (0 if low else self.bars * 0.6)
        return self.width * self.take.sun, height, self.unit * (0.095 if asked else 0.088 if low else 0.066)

    @property
    def sun(self) -> tuple[float, float]:
        """Where light comes from, also when its source is not to be seen."""
        return self.disc[:2] if self.disc else (self.width * self.take.sun, self.height * 0.15)

    @cached_property
    def ground(self) -> Colour:
        """The colour of the near ground in this season and light."""
        rgb = self.setting.colour
        if self.plan.season in SEASONS and self.setting.ground == "land":
            rgb = mix(rgb, *SEASONS[self.plan.season])
        return self.lit(rgb)

    @property
    def has_footing(self) -> bool:
        return self.footing < self.height

    @cached_property
    def footing(self) -> float:
        """Where the bank, quay or floe begins that things stand on
        in a scene on the water; below the picture without.
        """
        if not scenery.needs_footing(self.plan):
            return self.height * 2
        return self.horizon + (self.height - self.horizon) * 0.42

    @property
    def on_table(self) -> bool:
        """Whether the things of a room are such as stand on a table: food, cups, books, candles."""
        groups = {artwork.index()[thing.name]["group"] for thing in self.plan.objects}
        small = groups <= {"food-drink", "objects"} and not {thing.name for thing in self.plan.objects} & scenery.LARGE
        return self.plan.setting == "room" and bool(groups) and small

    @property
    def shore(self) -> float:
        """Where water ends that is seen in front."""
        if self.setting.ground == "shore":
            return self.horizon + (self.height - self.horizon) * 0.3
        return self.footing

    def lit(self, rgb: Colour) -> Colour:
        """A colour as it looks in this light."""
        return scaled(rgb, *self.light.tint)

    def far(self, rgb: Colour, distance: float) -> Colour:
        """A colour as it looks in this light and from so far away (0 to 1)."""
        return mix(self.lit(rgb), self.light.sky[2], distance)


def make_look(plan: Plan, style: str, number: int, seed: int, size: Size) -> Look:
    """The look of an order's item: its number chooses the take, its seed the small differences."""
    setting = scenery.SETTINGS[plan.setting]
    unwanted = tuple(name.split("-")[0] for name in plan.absent)
    setting = replace(
        setting,
        scatter=tuple(name for name in setting.scatter if not name.startswith(unwanted)),
        rows=tuple(name for name in setting.rows if not name.startswith(unwanted)),
    )
    take = take_of(number)
    dark = style == "night" or plan.time == "night"
    portrait = size.height > size.width * 1.2
    horizon = setting.horizon if setting.horizon == 1 else setting.horizon + take.rise + (0.05 if portrait else 0.0)
    return Look(
        plan=plan,
        setting=setting,
        light=_toned(_under_weather(scenery.LIGHTS["night" if dark else plan.time], plan.weather), take, dark),
        dark=dark,
        style=style,
        take=take,
        width=float(size.width),
        height=float(size.height),
        unit=min(size.width * 1.1, size.height * 1.2),
        horizon=float(round(size.height * min(1.0, horizon))),
        bars=float(round(size.height * 0.09)) if style == "cinematic" else 0.0,
        weather_seed=random.Random(f"weather {seed} {number}").getrandbits(32),
        random=random.Random(f"{seed} {number}"),
    )


def _under_weather(light: Light, weather: str) -> Light:
    """The light under this weather: rain and storm take the colour out of the sky, and the shadows."""
    grey = {"storm": 0.72, "rain": 0.5, "fog": 0.45, "cloudy": 0.3, "snow": 0.2}.get(weather, 0.0)
    if not grey:
        return light
    dull = scaled((46, 52, 70) if weather == "storm" else (150, 160, 176), *light.tint)
    top, middle, low = (mix(part, dull, grey) for part in light.sky)
    red, green, blue = (part * (1 - grey * 0.3) for part in light.tint)
    return replace(
        light,
        sky=(top, middle, low),
        tint=(red, green, blue),
        cloud=mix(light.cloud, dull, grey),
        shadow=light.shadow * (1 - grey),
        rim=light.rim * (1 - grey),
    )


def _toned(light: Light, take: Take, dark: bool) -> Light:
    """The light with the take's own tone in it; by night only a breath of it."""
    strength = take.strength * (0.4 if dark else 1.0)
    top, middle, low = (
        mix(part, take.tone, strength * share) for part, share in zip(light.sky, (0.3, 0.6, 0.8), strict=True)
    )
    red, green, blue = (
        part * (1 + (tone / 255 - 0.78) * strength * 0.7) for part, tone in zip(light.tint, take.tone, strict=True)
    )
    return replace(
        light,
        sky=(top, middle, low),
        tint=(min(1, red), min(1, green), min(1, blue)),
        cloud=mix(light.cloud, take.tone, strength * 0.4),
    )


def grade(style: str) -> skia.ColorFilter | None:
    """What a style does to all colours: saturation and contrast; None where it does nothing."""
    saturation, contrast, lift = scenery.GRADES[style]
    if (saturation, contrast, lift) == (1.0, 1.0, 0.0):
        return None
    shares = [part * (1 - saturation) * contrast for part in (0.2126, 0.7152, 0.0722)]
    shift = 0.5 * (1 - contrast) + lift
    matrix = []
    for row in range(3):
        own = [share + (saturation * contrast if column == row else 0.0) for column, share in enumerate(shares)]
        matrix += [*own, 0.0, shift]
    return skia.ColorFilters.Matrix([*matrix, 0, 0, 0, 1, 0])
