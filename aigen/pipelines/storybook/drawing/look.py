"""The look of one scene: its light, its measures, and artwork drawn in that light.

Everything that draws gets a `Look`; what is random comes from its `random`, in a fixed order, so that the same request
gives the same picture.
"""

import math
import random
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import skia

from aigen.pipelines.storybook import artwork
from aigen.pipelines.storybook.drawing import scenery
from aigen.pipelines.storybook.drawing.scenery import Colour, Light, Setting
from aigen.pipelines.storybook.understanding.plan import Plan
from aigen.types import Size

MIPMAPS = skia.SamplingOptions(skia.FilterMode.kLinear, skia.MipmapMode.kLinear)
LINEAR = skia.SamplingOptions(skia.FilterMode.kLinear)
ARTWORK_PIXELS = 512
# Empty pixels around a bitmap of artwork, without which its edges show as steps when it leans.
EDGE = 2


def colour(rgb: Colour, alpha: float = 255) -> int:
    return int(skia.ColorSetARGB(int(alpha), *(max(0, min(255, int(part))) for part in rgb)))


def mix(first: Colour, second: Colour, share: float) -> Colour:
    red, green, blue = (int(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def scaled(rgb: Colour, *factors: float) -> Colour:
    red, green, blue = (part * factor for part, factor in zip(rgb, factors * (3 // len(factors)), strict=True))
    return int(red), int(green), int(blue)


def vertical(top: float, bottom: float, colours: list[int], stops: list[float] | None = None) -> skia.Paint:
    shader = skia.GradientShader.MakeLinear([(0, top), (0, bottom)], colours, stops)
    return skia.Paint(AntiAlias=True, Shader=shader)


def radial(x: float, y: float, radius: float, colours: list[int], stops: list[float] | None = None) -> skia.Paint:
    return skia.Paint(AntiAlias=True, Shader=skia.GradientShader.MakeRadial((x, y), radius, colours, stops))


@dataclass(frozen=True)
class Look:
    """`take` (0 to 4) chooses composition and camera; lengths are in pixels, `unit` is what sizes are measured by."""

    plan: Plan
    setting: Setting
    light: Light
    dark: bool
    style: str
    take: int
    width: float
    height: float
    unit: float
    horizon: float
    bars: float
    random: random.Random

    @property
    def mirrored(self) -> bool:
        return self.take % 2 == 1

    @property
    def contrast(self) -> float:
        return scenery.GRADES[self.style][1]

    @cached_property
    def disc(self) -> tuple[float, float, float] | None:
        """Where the sun or moon stands (x, y) and its radius; None when it is not to be seen."""
        asked = any(scenery.is_sky(self.plan, thing) for thing in self.plan.objects)
        others = scenery.MOONS | scenery.SUNS | {"crescent-moon"}
        if not asked and any(thing.name in others for thing in self.plan.objects):
            return None  # they are things of their own, such as two moons
        hidden = self.plan.weather in ("storm", "rain", "fog", "cloudy") or self.setting.ground in (
            "indoor",
            "deep",
            "space",
        )
        if hidden and not asked:
            return None
        side = (0.74, 0.27, 0.62, 0.36, 0.8)[self.take]
        low = self.plan.time in ("sunrise", "sunset") and not self.dark
        horizon = self.horizon if self.horizon < self.height else self.height * 0.8
        height = horizon * (0.86 if low else (0.3, 0.24, 0.36, 0.28, 0.22)[self.take]) + (0 if low else self.bars * 0.6)
        return self.width * side, height, self.unit * (0.075 if not asked else 0.095)

    def lit(self, rgb: Colour) -> Colour:
        """A colour as it looks in this light."""
        return scaled(rgb, *self.light.tint)


def make_look(plan: Plan, style: str, number: int, seed: int, size: Size) -> Look:
    """The look of an order's item: its number chooses the take, its seed the small differences."""
    setting = scenery.SETTINGS[plan.setting]
    unwanted = tuple(name.split("-")[0] for name in plan.absent)
    setting = replace(setting, scatter=tuple(name for name in setting.scatter if not name.startswith(unwanted)))
    take = (number - 1) % 5
    dark = style == "night" or plan.time == "night"
    return Look(
        plan=plan,
        setting=setting,
        light=_under_weather(scenery.LIGHTS["night" if dark else plan.time], plan.weather),
        dark=dark,
        style=style,
        take=take,
        width=float(size.width),
        height=float(size.height),
        unit=min(size.width, size.height * 1.2),
        horizon=size.height * min(1.0, setting.horizon + (0.0, 0.05, -0.05, 0.03, -0.03)[take]),
        bars=size.height * 0.09 if style == "cinematic" else 0.0,
        random=random.Random(f"{seed} {number}"),
    )


def _under_weather(light: Light, weather: str) -> Light:
    """The light under this weather: rain and storm take the colour out of the sky."""
    grey = {"storm": 0.72, "rain": 0.5, "fog": 0.45, "cloudy": 0.3, "snow": 0.2}.get(weather, 0.0)
    if not grey:
        return light
    dull = (46, 52, 70) if weather == "storm" else (150, 160, 176)
    dull = scaled(dull, *light.tint)
    shade = 1 - grey * 0.3
    top, middle, low = (mix(part, dull, grey) for part in light.sky)
    red, green, blue = light.tint
    cloud = mix(light.cloud, dull, grey)
    return Light(
        (top, middle, low),
        (red * shade, green * shade, blue * shade),
        light.disc,
        light.glow,
        cloud,
        light.vignette,
    )


def grade(style: str) -> skia.ColorFilter | None:
    """What a style does to all colours: saturation and contrast; None where it does nothing."""
    saturation, contrast = scenery.GRADES[style]
    if (saturation, contrast) == (1.0, 1.0):
        return None
    shares = [part * (1 - saturation) * contrast for part in (0.2126, 0.7152, 0.0722)]
    shift = 0.5 * (1 - contrast)
    matrix = []
    for row in range(3):
        own = [share + (saturation * contrast if column == row else 0.0) for column, share in enumerate(shares)]
        matrix += [*own, 0.0, shift]
    return skia.ColorFilters.Matrix([*matrix, 0, 0, 0, 1, 0])


@lru_cache(maxsize=64)  # a worker that lives long draws many things
def cut(name: str) -> skia.Image:
    """The artwork without the ground that some of it brings along."""
    picture = artwork.picture(name, ARTWORK_PIXELS)
    kept = scenery.KEPT.get(name, 1.0)
    return picture.makeSubset(skia.IRect(0, 0, picture.width(), int(picture.height() * kept)))


def tinted(look: Look, name: str, width: float, height: float, haze: float, color: str | None = None) -> skia.Image:
    """The artwork at its size in the scene (and EDGE around it), in the scene's light and, further away, its haze.

    With a colour of the plan it is dyed in it, unless it has that colour by nature.
    """
    surface = skia.Surface(max(1, round(width)) + 2 * EDGE, max(1, round(height)) + 2 * EDGE)
    red, green, blue = (part * (1 - haze) for part in look.light.tint)
    if look.setting.ground == "deep":
        red, green, blue = red * 0.78, green * 0.94, blue * 1.0
    add = [part / 255 * haze for part in look.light.sky[2]]
    matrix = [red, 0, 0, 0, add[0], 0, green, 0, 0, add[1], 0, 0, blue, 0, add[2], 0, 0, 0, 1, 0]
    light, style = skia.ColorFilters.Matrix(matrix), grade(look.style)
    light = style.makeComposed(light) if style else light
    dye = _dye(name, color) if color else None
    paint = skia.Paint(AntiAlias=True, ColorFilter=light.makeComposed(dye) if dye else light)
    target = skia.Rect.MakeWH(surface.width(), surface.height()).makeInset(EDGE, EDGE)
    surface.getCanvas().drawImageRect(cut(name), target, MIPMAPS, paint)
    return surface.makeImageSnapshot()


@lru_cache(maxsize=64)
def _dye(name: str, color: str) -> skia.ColorFilter | None:
    """What turns a picture's colours into shades of one; None where it has that colour already."""
    pixels = cut(name).toarray(colorType=skia.kRGBA_8888_ColorType).astype(float)
    seen = pixels[pixels[..., 3] > 128][::16, :3]
    names = list(scenery.COLOURS)
    distances = ((seen[:, None, :] - [scenery.COLOURS[other] for other in names]) ** 2).sum(axis=2)
    own = float((distances.argmin(axis=1) == names.index(color)).mean())
    if own > 0.5 or color in name.split("-"):
        return None
    shares = (0.2126, 0.7152, 0.0722)
    middle = min(0.9, max(0.1, float((seen @ shares).mean()) / 255))
    bend = math.log(0.5) / math.log(middle)  # the picture's own middle tone becomes the colour itself
    target = scenery.COLOURS[color]
    tables = []
    for part in target:
        dark, light = part * 0.22, part + (255 - part) * 0.85
        shades = [(place / 255) ** bend for place in range(256)]
        tables.append(
            [
                round(dark + (part - dark) * tone * 2 if tone < 0.5 else part + (light - part) * (tone - 0.5) * 2)
                for tone in shades
            ]
        )
    luma = skia.ColorFilters.Matrix([*([*shares, 0.0, 0.0] * 3), 0, 0, 0, 1, 0])
    return skia.TableColorFilter.MakeARGB(list(range(256)), *tables).makeComposed(luma)


def soft_disc(pixels: int, rgb: Colour) -> skia.Image:
    """A round bitmap that fades towards its edge: a flake, a shadow."""
    surface = skia.Surface(pixels, pixels)
    half = pixels / 2
    colours = [colour(rgb), colour(rgb, 200), colour(rgb, 0)]
    surface.getCanvas().drawCircle(half, half, half, radial(half, half, half, colours, [0, 0.45, 1]))
    return surface.makeImageSnapshot()
