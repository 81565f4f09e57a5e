"""The main colours of a picture by name: few, and only those of which there is much."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE = 64
SHARE_LEAST = 0.12
MOST = 3


def names(picture: "Image") -> tuple[str, ...]:
    """The names of the main colours of a picture, the most of it first; a black-and-white one has only greys."""
    import numpy
    from PIL import Image

    small = picture.resize((SIDE, SIDE), Image.Resampling.BOX, reducing_gap=1.0)
    pixels = numpy.asarray(small.convert("RGB"), numpy.float32).reshape(-1, 3) / 255
    found, counts = numpy.unique(_named(pixels), return_counts=True)
    ranked = sorted(zip((-counts).tolist(), found.tolist(), strict=True))
    return tuple(str(name) for count, name in ranked[:MOST] if -count >= SHARE_LEAST * len(pixels))


def _named(pixels: Any) -> Any:
    """The name of the colour of every pixel, by its hue in degrees, how colourful and how light it is."""
    import numpy

    red, green, blue = pixels.T
    light, dark = pixels.max(1), pixels.min(1)
    strength = light - dark
    spread = numpy.maximum(strength, 1e-6)
    hue = numpy.select(
        [light == red, light == green],
        [(green - blue) / spread % 6, (blue - red) / spread + 2],
        (red - green) / spread + 4,
    )
    hue *= 60
    saturation = strength / numpy.maximum(light, 1e-6)
    warm = (hue >= 12) & (hue < 66)
    return numpy.select(
        [
            light < 0.18,
            (strength < 0.09) & (light > 0.86),
            (strength < 0.09) | (saturation < 0.1),
            warm & (saturation < 0.45) & (light > 0.65),
            ((hue < 12) | (hue >= 345)) & (light < 0.35),
            ((hue < 12) | (hue >= 345)) & (saturation < 0.5) & (light > 0.6),
            (hue < 12) | (hue >= 345),
            (hue < 50) & (light < 0.65),
            hue < 40,
            (hue < 66) & (light > 0.5),
            hue < 160,
            hue < 192,
            hue < 255,
            (hue < 290) | (light < 0.5),
        ],
        [
            "black", "white", "grey", "beige", "brown", "pink", "red", "brown", "orange", "yellow", "green",
            "turquoise", "blue",
            "purple",
        ],
        "pink",
    )  # fmt: skip
