"""What was seen in words: a caption that can be a prompt, and sentences for people.

They say what boxes, scores and colours prove, and no more: no actions, no places, no numbers that were not counted.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from aigen.types.seen import Detection, area, common_area
from aigen.vision.classification import Subject

NUMBERS = ("no", "one", "two", "three", "four", "five")
MANY = 12
PLURALS = MappingProxyType(
    {
        "person": "people", "sheep": "sheep", "knife": "knives", "mouse": "mice", "scissors": "pairs of scissors",
        "skis": "pairs of skis", "broccoli": "heads of broccoli", "cup of coffee": "cups of coffee", "wolf": "wolves",
        "fish": "fish", "bison": "bison",
    }
)  # fmt: skip
# What goes by another word than the detectors', and what has no article.
WORDS = MappingProxyType(
    {"tv": "screen", "skis": "pair of skis", "scissors": "pair of scissors", "broccoli": "head of broccoli"}
)
UNCOUNTABLE = frozenset({"mountains", "coral reef"})
# What a classifier says more exactly than a detector does.
REFINES = MappingProxyType({"cup of coffee": "cup"})
SURE, FAIRLY_SURE = 0.75, 0.55
SUBJECT_BESIDE_OBJECTS = 0.85
# Who can be said to be in front of what: these stand on the ground, and nobody wears them, sits on them or holds them.
FRONT = frozenset(
    "person bicycle car motorcycle bus truck dog cat horse sheep cow elephant bear zebra giraffe".split()
)  # fmt: skip
BEHIND = frozenset({"car", "bus", "train", "truck", "airplane"})


@dataclass(frozen=True)
class Sentences:
    """A caption, empty where nothing was recognised, and a description that never is."""

    caption: str
    description: str


@dataclass(frozen=True)
class _Group:
    """All things of a name: how they are called together, and how sure it is that these words are true."""

    name: str
    words: str
    sure: float
    boxes: tuple[tuple[int, int, int, int], ...] = ()

    @property
    def alone(self) -> str:
        """How they are called when they are spoken of again."""
        return _plural(self.name) if len(self.boxes) > 1 else WORDS.get(self.name, self.name)


def compose(
    objects: Sequence[Detection],
    size: tuple[int, int],
    subject: Subject | None = None,
    colours: Sequence[str] = (),
    uncounted: Collection[str] = (),
) -> Sentences:
    """The words for what was seen in a picture of this size. Of names that are `uncounted` there may be more."""
    groups = _group(objects, subject, frozenset(uncounted))
    mostly = f"mostly {listed(colours)}" if colours else ""
    if not groups:
        nothing = "Nothing in it was recognised"
        return Sentences("", f"{nothing}; it is {mostly}." if mostly else f"{nothing}.")
    caption = _relate(groups, size)
    what = caption if len(groups) <= 3 else listed([group.words for group in groups])
    first = f"{what[0].upper()}{what[1:]}" + (f"; the picture is {mostly}." if mostly else ".")
    return Sentences(caption, f"{first} {_sureness(groups)}")


def listed(words: Sequence[str]) -> str:
    """Words as a list in a sentence: "a, b and c"."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def counted(name: str, count: int, uncounted: bool = False) -> str:
    """So many things of a name: "a cat", "two people", or "people" where there may be more."""
    if count == 1:
        word = WORDS.get(name, name)
        return word if name in UNCOUNTABLE else f"{'an' if word[0] in 'aeiou' else 'a'} {word}"
    if count > MANY:
        return f"many {_plural(name)}"
    if uncounted:
        return _plural(name)
    return f"{NUMBERS[count] if count < len(NUMBERS) else 'several'} {_plural(name)}"


def _plural(name: str) -> str:
    if name in PLURALS:
        return PLURALS[name]
    word = WORDS.get(name, name)
    if word in UNCOUNTABLE:
        return word
    if word.endswith("y") and word[-2] not in "aeiou":
        return f"{word[:-1]}ies"
    return f"{word}es" if word.endswith(("s", "sh", "ch", "x")) else f"{word}s"


def _group(objects: Sequence[Detection], subject: Subject | None, uncounted: frozenset[str]) -> list[_Group]:
    """What was seen by name, the largest first; the subject refines one of them, or comes last, or is all there is."""
    by_name: dict[str, list[Detection]] = {}
    for each in objects:
        by_name.setdefault(each.name, []).append(each)
    groups = []
    for name, found in by_name.items():
        said = subject.name if subject and len(found) == 1 and REFINES.get(subject.name) == name else name
        words = counted(said, len(found), name in uncounted)
        scores = sorted((each.score for each in found), reverse=True)
        sure = scores[:2][-1] if name in uncounted else scores[-1]  # "people" are at least two
        groups.append(_Group(said, words, sure, tuple(each.box for each in found)))
    groups.sort(key=lambda group: (-sum(map(area, group.boxes)), group.name))
    known = set(by_name) | {group.name for group in groups}
    if (
        subject
        and not known & {subject.name, REFINES.get(subject.name, subject.name)}
        and (not groups or subject.probability >= SUBJECT_BESIDE_OBJECTS)
    ):
        groups.append(_Group(subject.name, counted(subject.name, 1), subject.probability))
    return groups


def _relate(groups: Sequence[_Group], size: tuple[int, int]) -> str:
    """The most prominent of them in a phrase, with how two stand to each other where their boxes prove it."""
    if len(groups) == 2:
        for front, behind in (groups, groups[::-1]):
            if front.name in FRONT and behind.name in BEHIND and _in_front(front, behind, size):
                return f"{front.words} in front of {behind.words}"
        if _beside(*groups):
            return f"{groups[0].words} beside {groups[1].words}"
    return listed([group.words for group in groups[:3]])


def _in_front(front: _Group, behind: _Group, size: tuple[int, int]) -> bool:
    """Whether all of a group cover a part of one thing and clearly stand lower, so nearer, than that."""
    if len(behind.boxes) != 1 or not front.boxes:
        return False
    whole = behind.boxes[0]
    for box in front.boxes:
        common = common_area(box, whole)
        if common < 0.3 * area(box) or box[3] < whole[3] + 0.03 * size[1] or area(box) > area(whole):
            return False
    return True


def _beside(one: _Group, other: _Group) -> bool:
    """Whether two single things stand on the same level, near and clear of each other."""
    if len(one.boxes) != 1 or len(other.boxes) != 1:
        return False
    (first, second) = sorted((one.boxes[0], other.boxes[0]))
    gap = second[0] - first[2]
    narrow = min(box[2] - box[0] for box in (first, second))
    high = min(box[3] - box[1] for box in (first, second))
    return 0 <= gap <= narrow and abs(first[3] - second[3]) <= 0.15 * high


def _sureness(groups: Sequence[_Group]) -> str:
    """How sure all of it is, in plain words."""
    words = {
        name: [group for group in groups if _how_sure(group.sure) == name]
        for name in ("sure", "fairly sure", "not quite sure")
    }
    said = {name: found for name, found in words.items() if found}
    if len(said) == 1:
        return f"{next(iter(said)).capitalize()} of that."
    phrase = listed_sureness({name: [f"the {group.alone}" for group in found] for name, found in said.items()})
    return f"{phrase[0].upper()}{phrase[1:]}."


def listed_sureness(said: Mapping[str, Sequence[str]]) -> str:
    """How sure of what: "sure of the bus, fairly sure of the people"."""
    return ", ".join(f"{name} of {listed(things)}" for name, things in said.items())


def _how_sure(score: float) -> str:
    return "sure" if score >= SURE else "fairly sure" if score >= FAIRLY_SURE else "not quite sure"
