"""The light of a photograph in a scene: its hues in the scene's sky,
walls and ground, as bright as those are themselves.
"""

from dataclasses import dataclass, replace

from PIL import Image  # noqa: TID253 (this module is only loaded where something is drawn)

from aigen.pipelines.storybook.drawing.colours import Colour, mix, scaled
from aigen.pipelines.storybook.drawing.look import Look

# How much of the scene's own colours the photograph's replace.
SKY, GROUND = 0.42, 0.34


@dataclass(frozen=True)
class Tones:
    """The mean colours of a photograph: above, in the middle and below."""

    top: Colour
    middle: Colour
    bottom: Colour


def tones_of(picture: Image.Image) -> Tones:
    """What colours a photograph has above, in the middle and below,
    as far as its borders tell: things are in the middle.
    """
    small = picture.convert("RGB").resize((8, 12), Image.Resampling.BOX)
    top, middle, bottom = (_mean(small.crop((0, high, 8, low))) for high, low in ((0, 3), (4, 7), (9, 12)))
    return Tones(top, middle, bottom)


def _mean(image: Image.Image) -> Colour:
    red, green, blue = image.resize((1, 1), Image.Resampling.BOX).tobytes()
    return red, green, blue


def tinted(look: Look, tones: Tones) -> Look:
    """The look in a photograph's colours."""
    strength = 0.4 if look.dark or look.plan.time in ("sunrise", "sunset") else 1.0
    high, middle, low = look.light.sky
    share = SKY * strength
    sky = _hued(high, tones.top, share), _hued(middle, tones.top, share), _hued(low, tones.middle, share)
    light = replace(look.light, sky=sky, cloud=_hued(look.light.cloud, tones.top, 0.25 * strength))
    setting = replace(
        look.setting,
        colour=_hued(look.setting.colour, tones.bottom, GROUND * strength),
        wall=_hued(look.setting.wall, tones.top, SKY * strength),
    )
    return replace(look, light=light, setting=setting)


def _hued(own: Colour, tone: Colour, share: float) -> Colour:
    """A colour with some of another's hue and as bright as before."""
    factor = max(1, _brightness(own)) / max(24, _brightness(tone))
    red, green, blue = (min(255, part) for part in scaled(tone, factor))
    return mix(own, (red, green, blue), share)


def _brightness(rgb: Colour) -> int:
    return (rgb[0] * 3 + rgb[1] * 6 + rgb[2]) // 10
