"""The camera's moves. Each is a function of how much of the take has passed (0 to 1), eased at both ends.

A move of its own is one function and its name in MOVES; `takes` says which take uses which.
"""

from collections.abc import Callable

from aigen.pipelines.storybook.drawing.layers import View


def _eased(progress: float) -> float:
    """From -1 to 1, slow at first and at last, but never quite standing."""
    smooth = progress * progress * (3 - 2 * progress)
    return (0.65 * smooth + 0.35 * progress) * 2 - 1


def _pan(progress: float, width: float, height: float) -> View:
    return View(x=0.055 * width * _eased(progress))


def _crane(progress: float, width: float, height: float) -> View:
    return View(y=-0.06 * height * _eased(progress))


def _orbit(progress: float, width: float, height: float) -> View:
    """Around the things: they stay, what is behind them moves with the camera, what is before them against it."""
    return View(x=-0.09 * width * _eased(progress), pivot=0.85)


def _push(progress: float, width: float, height: float) -> View:
    return View(zoom=1.05 + 0.05 * _eased(progress))


def _pull(progress: float, width: float, height: float) -> View:
    return View(zoom=1.05 - 0.05 * _eased(progress))


MOVES: dict[str, Callable[[float, float, float], View]] = {
    "pan": _pan, "crane": _crane, "orbit": _orbit, "push": _push, "pull": _pull,
}  # fmt: skip


def view_at(move: str, progress: float, width: float, height: float) -> View:
    """What the camera of a take sees when this share of it has passed."""
    return MOVES[move](progress, width, height)
