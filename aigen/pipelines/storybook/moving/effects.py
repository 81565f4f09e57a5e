"""Smoke, steam, flames and other things that leave a thing in puffs: a table by picture, and how puffs move."""

import math
from dataclasses import dataclass
from functools import lru_cache

import skia

from aigen.pipelines.storybook.drawing.colours import LINEAR, Colour, colour, soft_disc, vertical
from aigen.pipelines.storybook.drawing.pictures import cut, dyed


@dataclass(frozen=True)
class Puffs:
    """Where they leave a picture (x and y in shares), how they go and grow (shares
    of its height), their colour and number.
    """

    x: float
    y: float
    across: float
    up: float
    size: float
    rgb: Colour
    alpha: float = 0.7
    many: int = 6
    speed: float = 0.5


_STEAM, _SMOKE = (255, 255, 255), (214, 212, 220)
PUFFS: dict[str, Puffs] = {
    "hot-beverage": Puffs(0.45, 0.05, 0.05, 0.55, 0.2, _STEAM, 0.5),
    "teacup-without-handle": Puffs(0.5, 0.1, 0.05, 0.5, 0.2, _STEAM, 0.45),
    "steaming-bowl": Puffs(0.5, 0.1, 0.05, 0.5, 0.24, _STEAM, 0.5),
    "pot-of-food": Puffs(0.5, 0.05, 0.05, 0.5, 0.24, _STEAM, 0.5),
    "teapot": Puffs(0.1, 0.3, -0.15, 0.45, 0.18, _STEAM, 0.5),
    "locomotive": Puffs(0.23, 0.0, 0.5, 0.6, 0.34, _SMOKE, 0.8, 8, 0.6),
    "factory": Puffs(0.18, 0.02, 0.3, 0.5, 0.26, _SMOKE, 0.7),
    "volcano": Puffs(0.5, 0.1, 0.2, 0.55, 0.34, (150, 140, 150), 0.8, 8, 0.4),
    "fire": Puffs(0.5, 0.1, 0.08, 0.7, 0.2, (120, 112, 120), 0.4),
    "house": Puffs(0.76, 0.1, 0.14, 0.4, 0.16, _SMOKE, 0.55, 6, 0.35),
    "tractor": Puffs(0.25, 0.28, 0.2, 0.45, 0.16, (170, 168, 176), 0.6),
    "ship": Puffs(0.72, 0.05, 0.3, 0.4, 0.2, _SMOKE, 0.6),
    "rocket": Puffs(0.1, 0.9, -0.55, -0.55, 0.36, (255, 196, 120), 0.9, 10, 1.4),
    "spouting-whale": Puffs(0.42, 0.12, 0.0, 0.3, 0.14, (210, 240, 255), 0.6),
    "automobile": Puffs(1.0, 0.86, 0.3, 0.08, 0.12, _SMOKE, 0.4),
    "motorcycle": Puffs(1.0, 0.8, 0.3, 0.08, 0.12, _SMOKE, 0.45),
    "racing-car": Puffs(1.0, 0.7, 0.35, 0.1, 0.22, _SMOKE, 0.5),
    "dragon": Puffs(0.02, 0.24, -0.4, 0.05, 0.2, (255, 150, 60), 0.7, 7, 0.8),
    "candle": Puffs(0.5, 0.0, 0.03, 0.3, 0.06, (200, 196, 204), 0.3),
    "cigarette": Puffs(0.1, 0.4, 0.0, 0.5, 0.14, _SMOKE, 0.4),
    "comet": Puffs(0.75, 0.25, 0.5, 0.45, 0.2, (150, 226, 255), 0.6, 8, 0.8),
}  # fmt: skip


@lru_cache(maxsize=16)
def _disc(rgb: Colour) -> skia.Image:
    return soft_disc(64, rgb)


# What rises from those who do something: artwork.
SIGNS: dict[str, tuple[str, ...]] = {
    "sleep": ("zzz",), "sing": ("musical-note", "musical-notes"), "play": ("musical-note",), "love": ("red-heart",),
    "kiss": ("red-heart",), "dream": ("zzz",), "nap": ("zzz",), "snooze": ("zzz",), "hug": ("red-heart",),
}  # fmt: skip


@lru_cache(maxsize=16)
def _sign(name: str) -> skia.Image:
    return dyed(name, "yellow", 96) if name.startswith("musical") else cut(name, 96)


def draw_signs(canvas: skia.Canvas, action: str, width: float, height: float, time: float, flip: bool) -> None:
    """What a thing's action lets rise from its head: Zs of a sleeper, notes of a singer."""
    for place, name in enumerate(SIGNS.get(action, ())):
        for turn in range(2):
            age = (time * 0.28 + turn / 2 + place * 0.27 + 0.2) % 1
            side = height * (0.1 + 0.08 * age)
            x = -width * (0.3 + 0.12 * math.sin(age * 4 + place * 3)) - side / 2
            y = -height * (0.86 + 0.42 * age)
            paint = skia.Paint(Alphaf=min(1.0, age / 0.15) * min(1.0, (1 - age) / 0.4))
            canvas.save()
            canvas.translate(x, y)
            if flip:  # letters and notes are never seen from behind
                canvas.translate(side, 0)
                canvas.scale(-1, 1)
            canvas.drawImageRect(_sign(name), skia.Rect.MakeWH(side, side), LINEAR, paint)
            canvas.restore()


def draw_beam(canvas: skia.Canvas, width: float, height: float, down: float, time: float) -> None:
    """The light that a saucer casts to the ground, so far below its foot."""
    low = max(height * 0.4, down)
    beam = skia.Path()
    beam.moveTo(-width * 0.16, -height * 0.3)
    beam.lineTo(width * 0.16, -height * 0.3)
    beam.lineTo(width * 0.42, low)
    beam.lineTo(-width * 0.42, low)
    beam.close()
    alpha = 120 + 24 * math.sin(time * 3)
    paint = vertical(-height * 0.3, low, [colour((255, 240, 140), alpha), colour((255, 246, 170), alpha * 0.35)])
    paint.setBlendMode(skia.BlendMode.kPlus)
    canvas.drawPath(beam, paint)


def draw_puffs(canvas: skia.Canvas, name: str, width: float, height: float, time: float, phase: float) -> None:
    """The puffs of a thing; the canvas' origin is the middle of its foot, and it looks to the left."""
    puffs = PUFFS.get(name)
    if puffs is None:
        return
    for place in range(puffs.many):
        age = (time * puffs.speed + place / puffs.many + phase) % 1
        grown = puffs.size * height * (0.3 + 0.7 * age)
        drift = math.sin(age * 5 + place * 2.1 + phase) * 0.04 * height * age
        x = (puffs.x - 0.5) * width + puffs.across * height * age + drift
        y = (puffs.y - 1) * height - puffs.up * height * age
        alpha = puffs.alpha * min(1.0, age / 0.12) * (1 - age) ** 1.2
        paint = skia.Paint(Alphaf=min(1.0, alpha))
        canvas.drawImageRect(
            _disc(puffs.rgb), skia.Rect.MakeXYWH(x - grown / 2, y - grown / 2, grown, grown), LINEAR, paint
        )
