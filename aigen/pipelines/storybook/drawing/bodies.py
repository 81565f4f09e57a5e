"""Bodies for artwork that is only a head or a bust, so that a fox or a firefighter stands on feet of its own.

They are drawn with the artwork's own colours and soft shades, the head large and the body small.
"""

from collections.abc import Callable

import skia

from aigen.pipelines.storybook import artwork
from aigen.pipelines.storybook.drawing.colours import Colour, colour, mix, scaled

# Animals of which the artwork shows the face only: fur, belly, paws and what kind of tail.
FACES: dict[str, tuple[Colour, Colour, Colour, str]] = {
    "fox": ((240, 116, 40), (255, 236, 220), (92, 44, 40), "brush"),
    "panda": ((240, 238, 250), (252, 252, 255), (62, 56, 78), "stub"),
    "bear": ((146, 84, 62), (214, 160, 124), (112, 60, 48), "stub"),
    "polar-bear": ((236, 236, 242), (255, 255, 255), (214, 214, 226), "stub"),
    "koala": ((160, 158, 170), (226, 222, 232), (126, 122, 138), "none"),
    "lion": ((246, 178, 74), (255, 224, 164), (226, 146, 60), "tuft"),
    "wolf": ((140, 138, 152), (226, 224, 234), (104, 102, 118), "brush"),
    "raccoon": ((150, 148, 160), (222, 220, 230), (78, 74, 92), "rings"),
    "hamster": ((250, 176, 120), (255, 236, 220), (255, 172, 160), "none"),
    "frog": ((58, 204, 138), (252, 226, 130), (40, 170, 118), "none"),
    "tiger-face": ((250, 132, 44), (255, 240, 224), (226, 100, 30), "long"),
    "cat-face": ((252, 196, 44), (255, 226, 140), (240, 150, 60), "long"),
    "dog-face": ((214, 160, 104), (250, 232, 210), (150, 92, 62), "long"),
    "cow-face": ((240, 238, 246), (255, 206, 200), (70, 64, 84), "tuft"),
    "pig-face": ((255, 152, 178), (255, 196, 208), (240, 110, 150), "none"),
    "mouse-face": ((214, 214, 226), (244, 242, 250), (255, 160, 160), "thin"),
    "rabbit-face": ((240, 238, 246), (255, 255, 255), (222, 218, 232), "stub"),
    "monkey-face": ((122, 76, 66), (240, 180, 156), (102, 58, 54), "thin"),
}  # fmt: skip
ROBOTS = {"robot": (198, 192, 222), "alien": (104, 218, 92), "ogre": (200, 40, 80), "goblin": (236, 44, 60)}
HEADS = frozenset(
    """
    baby boy child girl man man-bald man-beard man-blonde-hair man-curly-hair man-red-hair man-white-hair mrs-claus
    mx-claus old-man old-woman older-person person person-bald person-beard person-blonde-hair person-curly-hair
    person-red-hair person-white-hair santa-claus woman woman-bald woman-beard woman-blonde-hair woman-curly-hair
    woman-red-hair woman-white-hair clown-face man-wearing-turban person-wearing-turban woman-wearing-turban
    """.split()
)
# What people wear whose artwork ends at the chin.
CLOTHES: dict[str, Colour] = {
    "santa-claus": (214, 38, 48),
    "mrs-claus": (214, 38, 48),
    "mx-claus": (214, 38, 48),
    "clown-face": (60, 130, 236),
}
SHIRTS: tuple[Colour, ...] = (
    (64, 128, 230),
    (236, 92, 88),
    (86, 178, 110),
    (150, 100, 214),
    (250, 166, 60),
    (46, 176, 190),
)
# Roles that are drawn with more than shoulders; those that end at the waist get legs.
_NO_BUSTS = frozenset(
    "pregnant-man pregnant-person pregnant-woman breast-feeding man-feeding-baby "
    "woman-feeding-baby person-feeding-baby".split()
)
BUSTS_OF_FANTASY = frozenset(
    f"{who}-{what}"
    for who in ("man", "woman", "person")
    for what in ("elf", "genie", "mage", "superhero", "supervillain", "vampire", "zombie", "juggling")
) | {"troll"}


def has_body(name: str) -> bool:
    """Whether a body is drawn for this picture."""
    return name in FACES or name in ROBOTS or name in HEADS or _is_bust(name)


def _is_bust(name: str) -> bool:
    role = artwork.index()[name]["subgroup"] == "person-role" and name not in HEADS | _NO_BUSTS
    return role or name in BUSTS_OF_FANTASY


def with_body(name: str, head: skia.Image) -> skia.Image:
    """The head or bust upon a body."""
    wide, tall = float(head.width()), float(head.height())
    below = tall * (0.56 if name in FACES else 0.66 if name in ROBOTS or name in HEADS else 0.4)
    surface = skia.Surface(int(wide), int(tall + below))
    canvas = surface.getCanvas()
    if name in FACES:
        _draw_animal(canvas, wide, tall, below, *FACES[name])
    elif name in ROBOTS:
        _draw_robot(canvas, wide, tall, below, ROBOTS[name], panel=name == "robot")
    elif name in HEADS:
        _draw_person(canvas, wide, tall, below, name, head)
    else:
        _draw_legs_of_bust(canvas, wide, tall, below, head)
    canvas.drawImage(head, 0, 0)
    return surface.makeImageSnapshot()


def _soft(rgb: Colour, left: float, top: float, right: float, bottom: float) -> skia.Paint:
    """Light from the upper left, as the artwork has it."""
    shades = [colour(mix(rgb, (255, 255, 255), 0.22)), colour(rgb), colour(scaled(rgb, 0.74, 0.68, 0.82))]
    shader = skia.GradientShader.MakeLinear([(left, top), (right, bottom)], shades, [0, 0.45, 1])
    return skia.Paint(AntiAlias=True, Shader=shader)


def _oval(canvas: skia.Canvas, rgb: Colour, x: float, y: float, wide: float, tall: float) -> None:
    box = skia.Rect.MakeXYWH(x - wide / 2, y - tall / 2, wide, tall)
    canvas.drawOval(box, _soft(rgb, box.left(), box.top(), box.right(), box.bottom()))


def _rounded(canvas: skia.Canvas, rgb: Colour, x: float, top: float, wide: float, tall: float, radius: float) -> None:
    box = skia.Rect.MakeXYWH(x - wide / 2, top, wide, tall)
    canvas.drawRoundRect(box, radius, radius, _soft(rgb, box.left(), box.top(), box.right(), box.bottom()))


def _limb(canvas: skia.Canvas, rgb: Colour, points: list[tuple[float, float]], thick: float) -> None:
    path = skia.Path()
    path.moveTo(*points[0])
    if len(points) == 3:
        path.quadTo(*points[1], *points[2])
    else:
        path.lineTo(*points[1])
    left, right = min(x for x, _ in points) - thick, max(x for x, _ in points) + thick
    top, bottom = min(y for _, y in points) - thick, max(y for _, y in points) + thick
    paint = _soft(rgb, left, top, right, bottom)
    paint.setStyle(skia.Paint.kStroke_Style)
    paint.setStrokeWidth(thick)
    paint.setStrokeCap(skia.Paint.kRound_Cap)
    canvas.drawPath(path, paint)


def _shade_below_head(canvas: skia.Canvas, x: float, y: float, wide: float) -> None:
    blur = skia.MaskFilter.MakeBlur(skia.kNormal_BlurStyle, wide * 0.05)
    paint = skia.Paint(AntiAlias=True, MaskFilter=blur, Color=colour((40, 16, 60), 110))
    canvas.drawOval(skia.Rect.MakeXYWH(x - wide / 2, y - wide * 0.1, wide, wide * 0.2), paint)


def _draw_animal(
    canvas: skia.Canvas, wide: float, tall: float, below: float, fur: Colour, belly: Colour, paws: Colour, tail: str
) -> None:
    middle, bottom = wide / 2, tall + below
    _TAILS[tail](canvas, fur, belly, paws, wide, bottom)
    for side in (-1, 1):  # haunches and hind feet
        _oval(canvas, scaled(fur, 0.93), middle + side * wide * 0.2, bottom - wide * 0.17, wide * 0.27, wide * 0.3)
        _oval(canvas, paws, middle + side * wide * 0.25, bottom - wide * 0.05, wide * 0.2, wide * 0.1)
    _rounded(canvas, fur, middle, tall * 0.72, wide * 0.5, bottom - tall * 0.72 - wide * 0.04, wide * 0.2)
    _oval(canvas, belly, middle, tall + below * 0.34, wide * 0.3, below * 0.72)
    _shade_below_head(canvas, middle, tall * 0.97, wide * 0.5)
    for side in (-1, 1):  # front legs
        x = middle + side * wide * 0.105
        _rounded(canvas, mix(fur, paws, 0.35), x, tall + below * 0.3, wide * 0.135, below * 0.7, wide * 0.06)
        _oval(canvas, paws, x, bottom - wide * 0.045, wide * 0.16, wide * 0.09)


def _tail(
    canvas: skia.Canvas, rgb: Colour, wide: float, bottom: float, thick: float, *points: tuple[float, float]
) -> None:
    """A tail of three points, in shares of the width from the left and from the ground."""
    _limb(canvas, rgb, [(wide * x, bottom - wide * y) for x, y in points], wide * thick)


def _brush(canvas: skia.Canvas, fur: Colour, belly: Colour, paws: Colour, wide: float, bottom: float) -> None:
    _tail(canvas, fur, wide, bottom, 0.17, (0.62, 0.1), (0.96, 0.04), (0.88, 0.38))
    _oval(canvas, belly, wide * 0.885, bottom - wide * 0.41, wide * 0.15, wide * 0.17)


def _long(canvas: skia.Canvas, fur: Colour, belly: Colour, paws: Colour, wide: float, bottom: float) -> None:
    _tail(canvas, fur, wide, bottom, 0.085, (0.62, 0.08), (0.98, 0.02), (0.9, 0.4))


def _tuft(canvas: skia.Canvas, fur: Colour, belly: Colour, paws: Colour, wide: float, bottom: float) -> None:
    _tail(canvas, fur, wide, bottom, 0.055, (0.62, 0.08), (0.98, 0.04), (0.88, 0.36))
    _oval(canvas, scaled(paws, 0.7), wide * 0.88, bottom - wide * 0.38, wide * 0.13, wide * 0.16)


def _thin(canvas: skia.Canvas, fur: Colour, belly: Colour, paws: Colour, wide: float, bottom: float) -> None:
    _tail(canvas, paws, wide, bottom, 0.045, (0.62, 0.07), (1.0, 0.02), (0.9, 0.34))


def _rings(canvas: skia.Canvas, fur: Colour, belly: Colour, paws: Colour, wide: float, bottom: float) -> None:
    _brush(canvas, fur, paws, paws, wide, bottom)
    for x, y in ((0.8, 0.1), (0.89, 0.2), (0.905, 0.31)):
        _oval(canvas, paws, wide * x, bottom - wide * y, wide * 0.15, wide * 0.055)


def _stub(canvas: skia.Canvas, fur: Colour, belly: Colour, paws: Colour, wide: float, bottom: float) -> None:
    _oval(canvas, mix(fur, paws, 0.3), wide * 0.79, bottom - wide * 0.16, wide * 0.13, wide * 0.13)


_TAILS: dict[str, Callable[..., None]] = {
    "brush": _brush, "long": _long, "tuft": _tuft, "thin": _thin, "rings": _rings, "stub": _stub,
    "none": lambda *_: None,
}  # fmt: skip


def _draw_person(canvas: skia.Canvas, wide: float, tall: float, below: float, name: str, head: skia.Image) -> None:
    middle, bottom = wide / 2, tall + below
    red, green, blue, _ = (
        int(part) for part in head.toarray(colorType=skia.kRGBA_8888_ColorType)[int(tall * 0.72), int(middle)]
    )
    skin = (red, green, blue)
    shirt = CLOTHES.get(name) or SHIRTS[sum(map(ord, name)) % len(SHIRTS)]
    trousers = scaled(shirt, 0.6) if name in CLOTHES else (74, 82, 124)
    _draw_legs(canvas, middle, tall + below * 0.5, bottom, wide * 0.17, trousers, (70, 50, 60))
    for side in (-1, 1):
        hand = middle + side * wide * 0.33, tall + below * 0.56
        _limb(canvas, scaled(shirt, 0.9), [(middle + side * wide * 0.18, tall + below * 0.12), hand], wide * 0.13)
        _oval(canvas, skin, hand[0] + side * wide * 0.02, hand[1] + wide * 0.04, wide * 0.12, wide * 0.12)
    _rounded(canvas, shirt, middle, tall * 0.9, wide * 0.44, tall * 0.1 + below * 0.66, wide * 0.14)
    _shade_below_head(canvas, middle, tall * 0.98, wide * 0.4)


def _draw_legs(
    canvas: skia.Canvas, middle: float, top: float, bottom: float, thick: float, trousers: Colour, shoes: Colour
) -> None:
    for side in (-1, 1):
        x = middle + side * thick * 0.62
        _rounded(canvas, trousers, x, top, thick, bottom - top - thick * 0.2, thick * 0.3)
        _oval(canvas, shoes, x + side * thick * 0.08, bottom - thick * 0.26, thick * 1.22, thick * 0.52)


def _draw_legs_of_bust(canvas: skia.Canvas, wide: float, tall: float, below: float, head: skia.Image) -> None:
    """Legs under the hem that the artwork's lower edge becomes."""
    import numpy

    pixels = head.toarray(colorType=skia.kRGBA_8888_ColorType)[int(tall * 0.93)].astype(float)
    seen = numpy.flatnonzero(pixels[:, 3] > 200)
    left, right = (float(seen.min()), float(seen.max())) if len(seen) else (wide * 0.2, wide * 0.8)
    core = seen[(seen > left + (right - left) * 0.3) & (seen < right - (right - left) * 0.3)]
    red, green, blue = (int(part) for part in numpy.median(pixels[core if len(core) else seen][:, :3], axis=0))
    middle, across = (left + right) / 2, right - left
    trousers = scaled(mix((red, green, blue), (56, 60, 96), 0.72), 0.9)
    bottom = tall + below
    _rounded(canvas, trousers, middle, tall - across * 0.1, across * 0.6, below * 0.55 + across * 0.1, across * 0.16)
    _draw_legs(canvas, middle, tall, bottom, across * 0.27, trousers, (58, 46, 58))
    _shade_below_head(canvas, middle, tall + across * 0.01, across * 0.7)


def _draw_robot(canvas: skia.Canvas, wide: float, tall: float, below: float, metal: Colour, panel: bool) -> None:
    middle, bottom = wide / 2, tall + below
    _draw_legs(canvas, middle, tall + below * 0.5, bottom, wide * 0.16, scaled(metal, 0.72), scaled(metal, 0.5))
    for side in (-1, 1):
        hand = middle + side * wide * 0.34, tall + below * 0.5
        _limb(canvas, scaled(metal, 0.8), [(middle + side * wide * 0.2, tall + below * 0.14), hand], wide * 0.1)
        _oval(canvas, scaled(metal, 0.62), *hand, wide * 0.13, wide * 0.13)
    _rounded(canvas, metal, middle, tall * 0.9, wide * 0.46, tall * 0.1 + below * 0.66, wide * 0.09)
    _shade_below_head(canvas, middle, tall * 0.98, wide * 0.4)
    if not panel:
        return
    _rounded(canvas, scaled(metal, 0.5), middle, tall + below * 0.16, wide * 0.26, below * 0.3, wide * 0.04)
    for place, light in enumerate(((90, 220, 255), (255, 196, 70), (255, 90, 110))):
        _oval(canvas, light, middle + (place - 1) * wide * 0.075, tall + below * 0.31, wide * 0.05, wide * 0.05)
