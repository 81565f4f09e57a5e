"""Colours and the paints made of them."""

import skia

MIPMAPS = skia.SamplingOptions(skia.FilterMode.kLinear, skia.MipmapMode.kLinear)
LINEAR = skia.SamplingOptions(skia.FilterMode.kLinear)
CUBIC = skia.SamplingOptions(skia.CubicResampler.Mitchell())

Colour = tuple[int, int, int]
# The colours that can be asked for: what their middle tones become.
COLOURS: dict[str, Colour] = {
    "white": (236, 240, 246), "grey": (140, 146, 156), "black": (52, 52, 62), "red": (222, 40, 48),
    "orange": (246, 132, 28), "yellow": (250, 206, 40), "green": (62, 172, 70), "turquoise": (36, 196, 188),
    "blue": (44, 108, 232), "purple": (140, 70, 206), "pink": (250, 132, 184), "brown": (142, 92, 54),
    "gold": (226, 176, 46), "silver": (188, 196, 208),
}  # fmt: skip


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


def soft_disc(pixels: int, rgb: Colour) -> skia.Image:
    """A round bitmap that fades towards its edge: a flake, a glow."""
    surface = skia.Surface(pixels, pixels)
    half = pixels / 2
    colours = [colour(rgb), colour(rgb, 200), colour(rgb, 0)]
    surface.getCanvas().drawCircle(half, half, half, radial(half, half, half, colours, [0, 0.45, 1]))
    return surface.makeImageSnapshot()
