"""The five takes: five ways to see and to film one scene, so that no two items of an order are alike.

An item's number chooses its take. A take of its own is one entry more here.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Take:
    """Lengths are shares of the picture's width or height.

    `subject` is where a single thing stands, `rise` how far the horizon moves down (a camera that looks up), `reach`
    how near the things are. `sun` is where sun, moon or lamp stand, `tone` (with `strength`) what colours the light.
    `camera` is one of `moving.camera`'s moves, `front` whether something grows right before it.
    """

    subject: float
    rise: float
    reach: float
    sun: float
    camera: str
    tone: tuple[int, int, int]
    strength: float
    front: bool = True


TAKES = (
    Take(0.6, 0.0, 1.0, 0.24, "pan", (120, 190, 255), 0.0),
    Take(0.42, 0.07, 1.2, 0.74, "push", (255, 200, 110), 0.34, front=False),
    Take(0.64, -0.1, 0.86, 0.3, "crane", (110, 236, 220), 0.22),
    Take(0.36, 0.03, 1.06, 0.8, "pull", (255, 150, 180), 0.3),
    Take(0.5, -0.04, 1.12, 0.18, "orbit", (120, 110, 255), 0.28),
)


def take_of(number: int) -> Take:
    """The take of an order's n-th item (1, 2, …); from the sixth on they come again, with other seeds."""
    return TAKES[(number - 1) % len(TAKES)]
