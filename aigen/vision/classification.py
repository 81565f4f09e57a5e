"""EfficientNet-Lite0: what a picture, or a part of it, shows as a whole.

It knows the thousand classes of ImageNet, many of them breeds that nobody could check at a glance. Each has a kind in
plain words in `weights/labels.txt` (or none, where it is often wrong), and the probabilities of classes of the same
kind add up.
"""

from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from aigen.vision import networks

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from PIL.Image import Image

ANIMALS = 398  # so many of the classes, the first
SIDE = 224
MARGIN = 16  # around it, which is cut off


@dataclass(frozen=True)
class Subject:
    """What a picture shows as a whole, in plain words, with its probability."""

    name: str
    probability: float


def classify(picture: "Image", least: float) -> dict[str, float]:
    """The probability of every kind of thing that is likely enough,
    as far as the picture and its mirror image agree on it.
    """
    import numpy
    from PIL import Image, ImageOps

    whole = SIDE + 2 * MARGIN
    fitted = ImageOps.fit(picture, (whole, whole), Image.Resampling.BICUBIC)
    pixels = numpy.asarray(fitted.crop((MARGIN, MARGIN, whole - MARGIN, whole - MARGIN)))
    seen = _look(pixels)
    if max(_by_kind(seen).values()) < least:
        return {}
    found = _by_kind(numpy.minimum(seen, _look(numpy.ascontiguousarray(pixels[:, ::-1]))))
    return {kind: probability for kind, probability in found.items() if probability >= least}


def network() -> "InferenceSession":
    return networks.load("efficientnet-lite0")


def _look(pixels: Any) -> Any:
    return network().run(None, {"image": pixels[None]})[0][0]


def _by_kind(probabilities: Any) -> dict[str, float]:
    found: defaultdict[str, float] = defaultdict(float)
    for kind, probability in zip(_kinds(), probabilities, strict=True):
        if kind:
            found[kind] += float(probability)
    return found


@cache
def animals() -> frozenset[str]:
    """The kinds that are animals."""
    return frozenset(_kinds()[:ANIMALS]) - {""}


@cache
def _kinds() -> tuple[str, ...]:
    """The kind of every class, by its number; empty where it has none."""
    lines = (networks.WEIGHTS / "labels.txt").read_text(encoding="utf-8").splitlines()
    return tuple(line.partition("\t")[2] for line in lines)
