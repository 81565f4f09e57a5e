"""NanoDet: finds things of the 80 kinds of COCO in a picture, with boxes."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from aigen.types.seen import area, common_area
from aigen.vision import networks

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from PIL.Image import Image

NAMES = (
    "person,bicycle,car,motorcycle,airplane,bus,train,truck,boat,traffic light,fire hydrant,stop sign,parking meter,"
    "bench,bird,cat,dog,horse,sheep,cow,elephant,bear,zebra,giraffe,backpack,umbrella,handbag,tie,suitcase,frisbee,"
    "skis,snowboard,sports ball,kite,baseball bat,baseball glove,skateboard,surfboard,tennis racket,bottle,"
    "wine glass,cup,fork,knife,spoon,bowl,banana,apple,sandwich,orange,broccoli,carrot,hot dog,pizza,donut,cake,"
    "chair,couch,potted plant,bed,dining table,toilet,tv,laptop,mouse,remote,keyboard,cell phone,microwave,oven,"
    "toaster,sink,refrigerator,book,clock,vase,scissors,teddy bear,hair drier,toothbrush"
).split(",")
SIDE = 416
STRIDES = (8, 16, 32)
DISTANCES = 11  # how far a box reaches is told as a distribution over so many distances
OUTPUTS = ("Identity", "Identity_1", "Identity_2", "Identity_3", "Identity_4", "Identity_5")
MEAN = (103.53, 116.28, 123.675)  # of blue, green and red
DEVIATION = (57.375, 57.12, 58.395)
OVERLAP_SAME, OVERLAP_ANY, OVERLAP_MIRRORED = 0.5, 0.6, 0.4
LEAST, LEAST_MIRRORED = 0.25, 0.15

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Candidate:
    """What may be a thing, with its box in shares of the picture's sides."""

    name: str
    score: float
    box: Box


def candidates(picture: "Image", least: float) -> list[Candidate]:
    """Everything in a picture that scores at least so much, the surest first, the same thing once."""
    import numpy
    from PIL import Image

    scale = SIDE / max(picture.size)
    width, height = (max(1, round(side * scale)) for side in picture.size)
    # The network takes sides that its coarsest level divides; a whole square would cost a third more.
    sheet = Image.new("RGB", (-(-width // STRIDES[-1]) * STRIDES[-1], -(-height // STRIDES[-1]) * STRIDES[-1]))
    sheet.paste(picture.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=2.0), (0, 0))
    pixels: Any = numpy.asarray(sheet, numpy.float32)[:, :, ::-1]
    pixels = (pixels - numpy.array(MEAN, numpy.float32)) / numpy.array(DEVIATION, numpy.float32)
    told = network().run(OUTPUTS, {"input_1": numpy.ascontiguousarray(pixels.transpose(2, 0, 1)[None])})
    scores, boxes, kinds = [], [], []
    for stride, of_level, distances in zip(STRIDES, told[:3], told[3:], strict=True):
        places, found = numpy.nonzero(of_level[0] >= least)
        spread = numpy.exp(distances[0].reshape(-1, 4, DISTANCES)[places])
        reach = (spread / spread.sum(2, keepdims=True)) @ numpy.arange(DISTANCES) * stride
        cells = sheet.width // stride
        x, y = (places % cells + 0.5) * stride, (places // cells + 0.5) * stride
        boxes.append(numpy.stack([x - reach[:, 0], y - reach[:, 1], x + reach[:, 2], y + reach[:, 3]], 1))
        scores.append(of_level[0][places, found])
        kinds.append(found)
    whole = numpy.array([width, height, width, height])
    shares = numpy.clip(numpy.concatenate(boxes) / whole, 0, 1)
    kept: list[Candidate] = []
    score, kind = numpy.concatenate(scores), numpy.concatenate(kinds)
    for at in numpy.argsort(-score, kind="stable"):
        left, top, right, bottom = (float(value) for value in shares[at])
        here = Candidate(NAMES[kind[at]], float(score[at]), (left, top, right, bottom))
        if all(
            overlap(here.box, other.box) <= (OVERLAP_SAME if other.name == here.name else OVERLAP_ANY) for other in kept
        ):
            kept.append(here)
    return kept


def network() -> "InferenceSession":
    """The network itself, on one core: it looks at two pictures at a time."""
    return networks.load("nanodet", threads=1)


def find(picture: "Image") -> list[Candidate]:
    """What both a picture and its mirror image show, with the mean of the two scores, the surest first."""
    from PIL import Image

    pictures = picture, picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    # Side by side, each on one core, which takes two thirds of the time that both cores take for one after the other.
    with ThreadPoolExecutor(max_workers=2) as looks:
        seen, mirrored = looks.map(candidates, pictures, (LEAST, LEAST_MIRRORED))
    found = []
    for each in seen:
        left, top, right, bottom = each.box
        there = [
            other.score
            for other in mirrored
            if other.name == each.name and overlap((1 - right, top, 1 - left, bottom), other.box) > OVERLAP_MIRRORED
        ]
        if there:
            found.append(replace(each, score=(each.score + max(there)) / 2))
    return sorted(found, key=lambda candidate: -candidate.score)


def in_pixels(box: Box, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """A box in whole pixels of a picture of this size, at least one a side."""
    width, height = size
    left, top = min(width - 1, int(box[0] * width)), min(height - 1, int(box[1] * height))
    right, bottom = max(left + 1, min(width, round(box[2] * width))), max(top + 1, min(height, round(box[3] * height)))
    return left, top, right, bottom


def overlap(one: Box, other: Box) -> float:
    """The share that two boxes have in common of all that they cover together."""
    both = common_area(one, other)
    together = area(one) + area(other) - both
    return both / together if together else 0.0
