"""The built-in eyes: NanoDet finds things, EfficientNet-Lite0 looks at each again, and what both see is said.

NanoDet alone sees kites in logos and aeroplanes in mountains, with scores as high as of real ones. So a thing is said
where the picture and its mirror image show it and a look at just this part by the other network agrees, or, of kinds
that it hardly ever errs in, where NanoDet is sure by itself. The bounds come from a few hundred pictures, most of them
without any such thing.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from aigen.types.seen import Detection, ImageDescription, area, common_area
from aigen.vision import classification, colours, detection, sentences
from aigen.vision.classification import Subject
from aigen.vision.detection import Candidate

if TYPE_CHECKING:
    from PIL.Image import Image

# How sure NanoDet must be to be believed by itself.
ALONE = MappingProxyType(
    {
        "person": 0.74, "bicycle": 0.7, "car": 0.75, "motorcycle": 0.75, "bus": 0.8, "train": 0.8, "boat": 0.75,
        "cat": 0.65,
        "dog": 0.62, "horse": 0.58, "sheep": 0.65, "cow": 0.65, "elephant": 0.65, "zebra": 0.65, "giraffe": 0.65,
        "bear": 0.65,
        "bird": 0.68,
    }
)  # fmt: skip
# How much its score and the other network's must be together; less of what lives or drives, which both know well.
TOGETHER = 0.95
TOGETHER_WELL_KNOWN = 0.77
TOGETHER_OFTEN_WRONG = 1.35  # what is round or flat looks to both like these
OFTEN_WRONG = frozenset({"tv", "truck", "toilet", "sports ball", "clock", "bowl", "apple", "frisbee"})
LEAST = 0.3
LOOKS = 6  # parts of a picture that are looked at again, at most
SECOND = 0.45  # of a kind that is there for sure, another one needs less
DOUBTFUL = 0.25  # and may be there from here on
WITHIN = 0.35
COUNTED = 3  # more of a kind than it counts reliably
SIDE_LEAST = 0.03  # what is smaller, as a share of the picture's longer side, is but a few pixels to the network
SUBJECT_LEAST = 0.7  # so sure of what the whole shows; where that is an animal, another one is a mistake
# What the classifier is believed in by itself, beside animals.
SUBJECTS = frozenset(
    """
    castle church palace mosque volcano lake mountains beach fountain lighthouse guitar piano violin tripod pineapple
    """.split()
) | {"cup of coffee", "coral reef"}


@dataclass(frozen=True)
class NanoDet:
    """Sees with the networks that are part of the program."""

    label: str = "built-in networks (NanoDet, EfficientNet-Lite0)"
    side: int = detection.SIDE

    def see(self, picture: "Image") -> ImageDescription:
        size = picture.size
        picture = _small(picture)
        for each in (
            detection,
            classification,
        ):  # here, since libraries do not bear to be imported by two threads at once
            each.network()
        with ThreadPoolExecutor(max_workers=1) as aside:  # beside the other, which leaves a core idle now and then
            classified = aside.submit(classification.classify, picture, SUBJECT_LEAST)
            candidates = detection.find(picture)
            likely = classified.result()
        whole = next((Subject(kind, probability) for kind, probability in likely.items()), None)  # no two are so likely
        found, uncounted = recognise(picture, candidates, whole)
        objects = tuple(
            Detection(each.name, round(each.score, 3), detection.in_pixels(each.box, size)) for each in found
        )
        subject = whole if whole and whole.name in classification.animals() | SUBJECTS else None
        mostly = colours.names(picture)
        said = sentences.compose(objects, size, subject, mostly, uncounted)
        width, height = size
        return ImageDescription(
            width=width,
            height=height,
            objects=objects,
            caption=said.caption,
            colours=mostly,
            description=said.description,
        )


def recognise(
    picture: "Image", candidates: Sequence[Candidate], whole: Subject | None
) -> tuple[list[Candidate], frozenset[str]]:
    """What of the candidates is there for sure, the surest first, and the names of which there may be more.

    `whole` is what the picture surely shows as a whole: an animal there leaves no room for another.
    """
    candidates = [each for each in candidates if _side(each, picture) >= SIDE_LEAST and not _denied(each.name, whole)]
    known = {each: each.score for each in candidates if each.score >= ALONE.get(each.name, 1.0)}
    for each in [each for each in candidates if each not in known and each.score >= LEAST][:LOOKS]:
        first = each.name not in {other.name for other in known}  # the whole speaks for one of them
        if score := _together(each, picture, whole if first else None):
            known[each] = score
    kinds = {each.name for each in known}
    sure: list[Candidate] = []
    uncounted = set()
    for each in [each for each in candidates if each.name in kinds and each.score >= DOUBTFUL]:
        if (each in known or each.score >= SECOND) and not any(_within(each, other) for other in sure):
            sure.append(each)
        else:
            uncounted.add(each.name)
    uncounted |= {name for name in kinds if sum(each.name == name for each in sure) > COUNTED}
    found = [replace(each, score=known.get(each, each.score)) for each in sure]
    return sorted(found, key=lambda candidate: -candidate.score), frozenset(uncounted)


def _together(candidate: Candidate, picture: "Image", whole: Subject | None) -> float | None:
    """How sure both networks are together of a candidate, or None where that is not enough."""
    if candidate.name in OFTEN_WRONG:
        needed = TOGETHER_OFTEN_WRONG
    else:
        needed = TOGETHER_WELL_KNOWN if candidate.name in ALONE else TOGETHER
    least = needed - candidate.score
    if whole and sentences.REFINES.get(whole.name, whole.name) == candidate.name and whole.probability >= least:
        return 1 - (1 - candidate.score) * (1 - whole.probability)
    left, top, right, bottom = candidate.box
    wider, higher = 0.1 * (right - left), 0.1 * (bottom - top)
    around = (max(0.0, left - wider), max(0.0, top - higher), min(1.0, right + wider), min(1.0, bottom + higher))
    part = picture.crop(detection.in_pixels(around, picture.size))
    kinds = classification.classify(part, least)
    agreed = sum(
        probability for kind, probability in kinds.items() if sentences.REFINES.get(kind, kind) == candidate.name
    )
    return 1 - (1 - candidate.score) * (1 - agreed) if agreed else None


def _denied(name: str, whole: Subject | None) -> bool:
    return whole is not None and name != whole.name and {name, whole.name} <= classification.animals()


def _side(candidate: Candidate, picture: "Image") -> float:
    """The shorter side of a candidate, as a share of the picture's longer one."""
    left, top, right, bottom = candidate.box
    return min((right - left) * picture.width, (bottom - top) * picture.height) / max(picture.size)


def _within(one: Candidate, other: Candidate) -> bool:
    """Whether much of one lies in another of its name, or the other way round: it may be a part of that."""
    smaller = min(area(one.box), area(other.box))
    return one.name == other.name and common_area(one.box, other.box) >= WITHIN * smaller


def _small(picture: "Image") -> "Image":
    """The picture, or a copy that is quicker to look at and large enough for both networks."""
    longer = max(picture.size)
    if longer <= 2 * detection.SIDE:
        return picture
    from PIL import Image

    width, height = (max(1, round(side * 2 * detection.SIDE / longer)) for side in picture.size)
    return picture.resize((width, height), Image.Resampling.BOX, reducing_gap=1.0)
