"""Rigs: how each kind of thing moves, as a whole and within itself.

A rig is a `pose` (where the whole thing is at a moment, how it leans and stretches) and may have a `bend` (how the
points of its picture shift against each other). A new one is two small functions, its entry in RIGS, and its place in
`casting`. Pictures look to the left; u runs from head to tail (0 to 1), v from top to foot.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy  # noqa: TID253 (this module is only loaded where something is drawn)

Shares = numpy.ndarray[Any, numpy.dtype[numpy.float64]]
Bend = Callable[["Moment", Shares, Shares], tuple[Shares, Shares]]


@dataclass(frozen=True)
class Moment:
    """A time in seconds, how long that is after the middle of the take,
    and the phase that keeps two from moving in step.
    """

    time: float
    passed: float
    phase: float

    def wave(self, speed: float, ahead: float = 0.0) -> float:
        """A swing between -1 and 1, `speed` in radians a second."""
        return math.sin(self.time * speed + self.phase + ahead)


@dataclass(frozen=True)
class Pose:
    """Offsets in shares of the thing's height (y down), `turn` in degrees,
    stretched by `wide` and `tall`, and its alpha.
    """

    x: float = 0.0
    y: float = 0.0
    turn: float = 0.0
    wide: float = 1.0
    tall: float = 1.0
    alpha: float = 1.0


@dataclass(frozen=True)
class Rig:
    """`speed` is how far it travels the way it looks, in shares of the scene's unit a second.

    `turns_at` is the height (0: foot, 1: top) of the point around which it leans.
    """

    pose: Callable[[Moment], Pose]
    bend: Bend | None = None
    speed: float = 0.0
    turns_at: float = 0.0


def _stand(moment: Moment) -> Pose:
    breath = moment.wave(2.3)
    return Pose(wide=1 - 0.006 * breath, tall=1 + 0.013 * breath)


def _look_around(moment: Moment, u: Shares, v: Shares) -> tuple[Shares, Shares]:
    """The upper half leans to and fro, as somebody does who looks around."""
    up = (1 - v) ** 1.5
    return 0.035 * moment.wave(1.25) * up, 0.012 * moment.wave(2.5) * up * (u - 0.5)


def _walk(moment: Moment) -> Pose:
    return Pose(y=-0.016 * abs(moment.wave(5.2)), turn=0.9 * moment.wave(5.2))


def _step(moment: Moment, u: Shares, v: Shares) -> tuple[Shares, Shares]:
    """Fore and hind legs swing against each other, the tail follows."""
    return _stepped(moment, u, v, 5.2, 0.075)


def _stepped(moment: Moment, u: Shares, v: Shares, speed: float, far: float) -> tuple[Shares, Shares]:
    leg = numpy.clip((v - 0.62) / 0.38, 0, 1)
    side = numpy.tanh((u - 0.5) * 9)
    swing = moment.wave(speed)
    lift = numpy.clip(math.cos(moment.time * speed + moment.phase) * side, 0, 1)
    tail = numpy.clip((u - 0.8) / 0.2, 0, 1) * numpy.clip((0.6 - v) / 0.6, 0, 1)
    return far * leg * swing * side, -0.6 * far * leg * lift + 0.04 * tail * moment.wave(speed * 0.7)


def _run(moment: Moment) -> Pose:
    stride = abs(moment.wave(6.5))
    return Pose(y=-0.07 * stride, turn=3.4 * moment.wave(6.5, 0.8), tall=1 + 0.03 * stride)


def _gallop(moment: Moment, u: Shares, v: Shares) -> tuple[Shares, Shares]:
    return _stepped(moment, u, v, 6.5, 0.14)


def _jump(moment: Moment) -> Pose:
    """Up in an arc, and a squeeze where it comes down."""
    share = (moment.time * 1.05 + moment.phase / math.tau) % 1
    air = min(1.0, max(0.0, (share - 0.14) / 0.72))
    squeeze = (
        0.1 * math.cos(math.pi * (share if share < 0.5 else share - 1) / 0.28) if min(share, 1 - share) < 0.14 else 0.0
    )
    return Pose(y=-0.26 * 4 * air * (1 - air), wide=1 + squeeze, tall=1 - squeeze)


def _dance(moment: Moment) -> Pose:
    return Pose(x=0.03 * moment.wave(3.4), y=-0.05 * abs(moment.wave(3.4)), turn=6 * moment.wave(3.4))


def _twist(moment: Moment, u: Shares, v: Shares) -> tuple[Shares, Shares]:
    return 0.05 * moment.wave(3.4, 1.2) * (1 - v), 0.03 * moment.wave(6.8) * (u - 0.5)


def _sleep(moment: Moment) -> Pose:
    breath = moment.wave(1.5)
    return Pose(wide=1 - 0.01 * breath, tall=1 + 0.028 * breath)


def _nod(moment: Moment, u: Shares, v: Shares) -> tuple[Shares, Shares]:
    """Only the head goes down and up: eating, drinking, reading."""
    head = (1 - v) * (1 - u)
    return 0.02 * moment.wave(2.6) * head, 0.07 * (1 + moment.wave(2.6)) * head


def _swim(moment: Moment) -> Pose:
    return Pose(y=0.035 * moment.wave(1.5), turn=2.6 * moment.wave(1.5, 1.0))


def _tail_beat(moment: Moment, u: Shares, v: Shares) -> tuple[Shares, Shares]:
    """A wave that runs down the body and grows towards the tail."""
    wave = numpy.sin(moment.time * 4.6 + moment.phase - u * 3.4)
    return 0.012 * wave * u, 0.075 * wave * u**1.6


def _pulse(moment: Moment) -> Pose:
    beat = moment.wave(2.4)
    return Pose(y=0.06 * moment.wave(2.4, -1.2), wide=1 + 0.045 * beat, tall=1 - 0.045 * beat)


def _arms_wave(moment: Moment, u: Shares, v: Shares) -> tuple[Shares, Shares]:
    arms = numpy.clip((v - 0.5) / 0.5, 0, 1) ** 1.4
    return 0.06 * arms * numpy.sin(moment.time * 2.8 + moment.phase + u * 7 - v * 3), 0.03 * arms * numpy.sin(
        moment.time * 2.8 + u * 9
    )


def _float(moment: Moment) -> Pose:
    return Pose(x=0.02 * moment.wave(0.7), y=0.014 * moment.wave(1.6), turn=2.4 * moment.wave(1.15))


def _drift(moment: Moment) -> Pose:
    return Pose(x=0.06 * moment.wave(0.8), y=0.06 * moment.wave(1.1, 0.6), turn=3.2 * moment.wave(0.95, 1.0))


def _hang(moment: Moment, u: Shares, v: Shares) -> tuple[Shares, Shares]:
    """What hangs down (a string, a basket) swings after."""
    low = numpy.clip((v - 0.45) / 0.55, 0, 1) ** 1.5
    return 0.09 * low * numpy.sin(moment.time * 1.9 + moment.phase - v * 2.2), 0.0 * u


def _hover(moment: Moment) -> Pose:
    return Pose(x=0.03 * moment.wave(0.9), y=0.03 * moment.wave(1.7), turn=1.8 * moment.wave(1.2))


def _fly(moment: Moment) -> Pose:
    """Lifted by each stroke of the wings (see `wing_angle`)."""
    return Pose(y=0.05 * moment.wave(FLAPS, -0.9) + 0.03 * moment.wave(1.1), turn=2.5 * moment.wave(1.1, 0.8))


def _beat(moment: Moment, u: Shares, v: Shares) -> tuple[Shares, Shares]:
    """Wings that are part of the picture: its upper and outer parts beat, the body stays."""
    outer = numpy.clip((0.62 - v) / 0.62, 0, 1) * numpy.clip((u - 0.25) / 0.75, 0, 1) ** 0.8
    beat = moment.wave(FLAPS)
    return 0.03 * outer * beat, 0.24 * outer * (beat - 0.2)


def _flutter(moment: Moment) -> Pose:
    return Pose(
        x=0.1 * moment.wave(1.7), y=0.14 * moment.wave(2.9) + 0.05 * moment.wave(8.0), turn=7 * moment.wave(1.9, 0.5)
    )


def _fold(moment: Moment, u: Shares, v: Shares) -> tuple[Shares, Shares]:
    """Both wings fold towards the body in the middle."""
    shut = 0.36 * (1 + moment.wave(8.0))
    return (0.5 - u) * shut, 0.0 * v


def _buzz(moment: Moment) -> Pose:
    return Pose(
        x=0.1 * moment.wave(1.6), y=0.08 * moment.wave(2.7) + 0.012 * moment.wave(13.0), turn=4 * moment.wave(1.8)
    )


def _whirr(moment: Moment, u: Shares, v: Shares) -> tuple[Shares, Shares]:
    top = numpy.clip((0.34 - v) / 0.34, 0, 1)
    return 0.0 * u, 0.07 * top * (1 + moment.wave(13.0))


def _launch(moment: Moment) -> Pose:
    """Up the way its nose points, faster and faster, shaking a little."""
    way = moment.passed * (0.13 + 0.02 * moment.passed)
    return Pose(x=way, y=0.004 * math.sin(moment.time * 17) - way, turn=0.5 * math.sin(moment.time * 13))


def _drive(moment: Moment) -> Pose:
    return Pose(y=-0.005 * abs(moment.wave(8.3)), turn=0.45 * moment.wave(6.1))


def _sway(moment: Moment, u: Shares, v: Shares) -> tuple[Shares, Shares]:
    up = (1 - v) ** 1.7
    return 0.045 * up * moment.wave(1.4) + 0.014 * up * moment.wave(3.7, 0.7), 0.006 * up * moment.wave(2.9) + 0.0 * u


def _still(moment: Moment) -> Pose:
    return Pose()


def _flicker(moment: Moment) -> Pose:
    return Pose(tall=1 + 0.05 * moment.wave(8.3) + 0.025 * moment.wave(12.7), wide=1 - 0.02 * moment.wave(7.1))


def _lick(moment: Moment, u: Shares, v: Shares) -> tuple[Shares, Shares]:
    up = (1 - v) ** 1.3
    return 0.07 * up * numpy.sin(moment.time * 6.5 + moment.phase + v * 7), 0.03 * up * numpy.sin(
        moment.time * 9 + u * 8
    )


def _wave_cloth(moment: Moment, u: Shares, v: Shares) -> tuple[Shares, Shares]:
    return 0.0 * v, 0.05 * u * numpy.sin(moment.time * 4.2 + moment.phase - u * 5)


def _twinkle(moment: Moment) -> Pose:
    size = 1 + 0.05 * moment.wave(2.6)
    return Pose(y=0.03 * moment.wave(0.9), turn=5 * moment.wave(1.1), wide=size, tall=size)


def _spin(moment: Moment) -> Pose:
    return Pose(turn=-moment.passed * 80)


def _roll(moment: Moment) -> Pose:
    """About as far as a ball turns on its way."""
    return Pose(turn=-moment.passed * 46)


def _swing(moment: Moment) -> Pose:
    return Pose(turn=7 * moment.wave(2.2))


def _tremble(moment: Moment) -> Pose:
    return Pose(turn=2.2 * moment.wave(4.4), y=-0.012 * abs(moment.wave(4.4)))


def _fall(moment: Moment) -> Pose:
    return Pose(x=0.08 * moment.wave(2.0), y=moment.passed * 0.16, turn=12 * moment.wave(2.0, 1.2))


def _climb(moment: Moment) -> Pose:
    return Pose(y=-moment.passed * 0.03 - 0.012 * abs(moment.wave(2.6)), turn=1.4 * moment.wave(2.6))


RIGS = {
    "stand": Rig(_stand, _look_around), "walk": Rig(_walk, _step, 0.03), "run": Rig(_run, _gallop, 0.085),
    "jump": Rig(_jump), "dance": Rig(_dance, _twist), "sleep": Rig(_sleep), "eat": Rig(_stand, _nod),
    "swim": Rig(_swim, _tail_beat, 0.03), "pulse": Rig(_pulse, _arms_wave), "float": Rig(_float),
    "sail": Rig(_float, speed=0.03), "drift": Rig(_drift, _hang), "hover": Rig(_hover, speed=0.015, turns_at=0.5),
    "fly": Rig(_fly, speed=0.045, turns_at=0.5), "beat": Rig(_fly, _beat, 0.045, 0.5),
    "flutter": Rig(_flutter, _fold, 0.02, 0.5), "buzz": Rig(_buzz, _whirr, 0.02, 0.5),
    "launch": Rig(_launch, turns_at=0.5), "drive": Rig(_drive, speed=0.035), "race": Rig(_drive, speed=0.09),
    "plant": Rig(_still, _sway), "flame": Rig(_flicker, _lick), "flag": Rig(_still, _wave_cloth),
    "twinkle": Rig(_twinkle, turns_at=0.5), "spin": Rig(_spin, turns_at=0.5),
    "roll": Rig(_roll, speed=0.05, turns_at=0.5), "swing": Rig(_swing, turns_at=1.0), "tremble": Rig(_tremble),
    "fall": Rig(_fall, turns_at=0.5), "climb": Rig(_climb, turns_at=0.5), "still": Rig(_still),
}  # fmt: skip
# Strokes of wings, in radians a second.
FLAPS = 7.5


def wing_angle(kind: str, moment: Moment) -> float:
    """Degrees that a wing is raised above (negative) or sunk below where its picture has it."""
    lag = 0.35 if kind == "far wing" else 0.0
    return -18 + 34 * moment.wave(FLAPS, lag) - (8 if kind == "far wing" else 0)


def burst_at(moment: Moment, place: float) -> tuple[float, float]:
    """The size (0 to 1) and alpha of a firework that opens fast, hangs, fades, and comes again."""
    share = (moment.time / 2.6 + 0.42 + place * 0.62) % 1
    size = 0.2 + 0.8 * (1 - (1 - share) ** 3)
    return size, min(1.0, share / 0.1) * (1 - max(0.0, (share - 0.5) / 0.5) ** 1.5)
