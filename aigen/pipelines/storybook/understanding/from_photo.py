"""From what is seen in a photograph, and what is said of it, to a plan of a scene and where in it the things are.

Detectors have names of their own for things, most often the eighty of COCO; those are in a table here, and others are
read as a prompt would be. What the words say of a thing that is seen (its colour, who it is, what it does) is taken
over.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from aigen.pipelines.storybook import artwork
from aigen.pipelines.storybook.understanding.plan import Plan, Thing, make_plan, settings_named
from aigen.types.seen import ImageDescription, common_area

Box = tuple[float, float, float, float]

# Pictures of what detectors see, where the words alone would give another or none; an empty one is not drawn.
PICTURES = {
    "person": "person-standing", "traffic light": "vertical-traffic-light", "train": "locomotive",
    "cup": "teacup-without-handle", "bottle": "bottle-with-popping-cork", "knife": "kitchen-knife",
    "mouse": "computer-mouse", "keyboard": "keyboard", "clock": "one-oclock", "vase": "amphora",
    "sports ball": "soccer-ball", "cell phone": "mobile-phone", "orange": "tangerine", "bowl": "bowl-with-spoon",
    "fire hydrant": "", "parking meter": "", "tie": "", "snowboard": "", "surfboard": "", "baseball bat": "",
    "baseball glove": "", "remote": "", "microwave": "", "oven": "", "toaster": "", "sink": "", "refrigerator": "",
    "hair drier": "", "dining table": "",
}  # fmt: skip
# Several people are not all the same, and birds in the air have their wings out.
PEOPLE = ("person-standing", "woman-standing", "man-standing")
IN_FLIGHT, HIGH = "dove", 0.66
# Two that are one picture: who is on what.
RIDING = {
    ("person", "bicycle"): "person-biking", ("person", "horse"): "horse-racing", ("person", "skis"): "skier",
    ("person", "snowboard"): "snowboarder", ("person", "surfboard"): "person-surfing",
}  # fmt: skip
# Where things are mostly photographed; of several settings that with the most of the picture, but water before all.
SETTINGS = {
    "open sea": "boat", "beach": "surfboard", "snow": "skis snowboard", "forest": "bear",
    "city street": "car bus truck motorcycle bicycle traffic_light fire_hydrant stop_sign parking_meter train",
    "kitchen table": "bottle wine_glass cup fork knife spoon bowl banana apple sandwich orange broccoli carrot hot_dog "
    "pizza donut "
    "cake dining_table",
    "room": "couch chair bed tv laptop mouse remote keyboard cell_phone microwave oven toaster sink refrigerator "
    "toilet book clock "
    "vase scissors teddy_bear hair_drier toothbrush",
    "meadow": "horse sheep cow elephant zebra giraffe frisbee kite sports_ball baseball_bat baseball_glove "
    "tennis_racket bench",
}  # fmt: skip
_SETTING_OF = {name.replace("_", " "): setting for setting, names in SETTINGS.items() for name in names.split()}
AIRBORNE = frozenset(["airplane", "bird", "kite"])
# Pictures that are of one kind, so that "a taxi" is the car that is seen.
_KINDS = {
    "car": "automobile oncoming-automobile taxi oncoming-taxi police-car oncoming-police-car racing-car "
    "sport-utility-vehicle pickup-truck",
    "bus": "bus oncoming-bus minibus trolleybus",
    "train": "locomotive train bullet-train high-speed-train tram tram-car railway-car light-rail metro monorail",
    "truck": "delivery-truck articulated-lorry fire-engine ambulance pickup-truck",
    "dog": "dog dog-face guide-dog service-dog poodle",
    "cat": "cat cat-face black-cat", "cow": "cow cow-face ox water-buffalo bison", "horse": "horse horse-face unicorn",
    "sheep": "ewe ram",
    "bear": "bear polar-bear panda", "ball": "soccer-ball basketball baseball softball volleyball tennis",
    "bottle": "bottle-with-popping-cork jar baby-bottle lotion-bottle",
    "clock": "one-oclock mantelpiece-clock alarm-clock watch",
    "cake": "birthday-cake shortcake cupcake pie", "apple": "red-apple green-apple",
    "book": "closed-book books open-book",
    "bowl": "bowl-with-spoon steaming-bowl green-salad pot-of-food", "knife": "kitchen-knife fork-and-knife",
}  # fmt: skip
_KIND_OF = {name: kind for kind, names in _KINDS.items() for name in names.split()}
# Who is in this much of a thing's box or more, and small beside it, is on or in it.
INSIDE, SMALL = 0.75, 0.4
# Boxes are cut at a border of the photograph that is as near as this share of it.
NEAR_BORDER = 0.012


@dataclass(frozen=True)
class Place:
    """Where a thing of a plan is seen: left, top, right and bottom in shares of the photograph."""

    thing: int
    box: Box


@dataclass(frozen=True)
class PhotoPlan:
    """A plan of what is seen. The plan's things that have no places are those that only the words name.

    `shape` is how much wider than high the photograph is, `missing` what is seen in it and has no picture, `unplaced`
    the words of the user's that mean nothing here.
    """

    plan: Plan
    places: tuple[Place, ...]
    shape: float
    missing: tuple[str, ...]
    unplaced: tuple[str, ...]


@dataclass(frozen=True)
class _Found:
    """A thing that is seen, with its picture."""

    word: str
    name: str
    box: Box
    color: str | None = None
    action: str | None = None

    @property
    def area(self) -> float:
        left, top, right, bottom = self.box
        return (right - left) * (bottom - top)


def plan_of(prompt: str, seen: ImageDescription) -> PhotoPlan:
    """The scene of what is seen in a photograph, and of what a prompt adds to it."""
    words = tuple(dict.fromkeys(each.name for each in seen.objects))
    said = _said(prompt, seen)
    found = [_Found(each.name, picture_of(each.name), _shares(each.box, seen)) for each in seen.objects]
    missing = tuple(word for word in words if not picture_of(word))
    found = _together(found)
    missing = tuple(
        word for word in missing if not any(each.name and word in each.word.split(" on ") for each in found)
    )
    unwanted = {kind_of(name) for name in said.absent}
    found = [each for each in found if each.name and kind_of(each.name) not in unwanted]
    found, added = _as_said(_varied(found), said.objects, words)
    setting = _setting(prompt, said, words, found, added, seen)
    things, places = _things(found)
    if "dining table" in missing and setting == "kitchen table":  # which is there, as what the others stand on
        missing = tuple(word for word in missing if word != "dining table")
    known = set(make_plan(seen.caption).unmatched) | {part for word in words for part in word.split()}
    return PhotoPlan(
        plan=replace(said, setting=setting, objects=(*things, *added)),
        places=tuple(places),
        shape=seen.width / seen.height,
        missing=missing,
        unplaced=tuple(word for word in said.unmatched if word not in known) if prompt != seen.prompt else (),
    )


def picture_of(word: str) -> str:
    """The picture of what a detector calls so; empty where there is none."""
    if word in PICTURES:
        return PICTURES[word]
    objects = make_plan(f"a {word}").objects
    return objects[0].name if objects else ""


def kind_of(name: str) -> str:
    """What a picture is of, roughly: a person, whoever it is; a bird, whichever."""
    entry = artwork.index()[name]
    if entry["group"] == "people-body" or (entry["group"] is None and name.split("-")[0] in ("person", "man", "woman")):
        return "person"
    by_subgroup = {"animal-bird": "bird", "transport-water": "boat", "drink": "cup"}
    return _KIND_OF.get(name) or by_subgroup.get(entry["subgroup"] or "") or name


def _said(prompt: str, seen: ImageDescription) -> Plan:
    """The plan of the words; those that only say that nothing was recognised say nothing."""
    if prompt.strip() == seen.prompt and not seen.caption:
        return replace(make_plan(""), language="en")
    return make_plan(prompt)


def _shares(box: tuple[int, int, int, int], seen: ImageDescription) -> Box:
    left, right = sorted((box[0] / seen.width, box[2] / seen.width))
    top, bottom = sorted((box[1] / seen.height, box[3] / seen.height))
    return max(0.0, left), max(0.0, top), min(1.0, right), min(1.0, bottom)


def _together(found: list[_Found]) -> list[_Found]:
    """Who rides what is one picture in both their boxes."""
    riders: list[_Found] = []
    rest = list(found)
    for thing in found:
        pair = next((pair for pair in RIDING if pair[1] == thing.word), None)
        if not pair or thing not in rest:
            continue
        near = [each for each in rest if each.word == pair[0] and _rides(each.box, thing.box, thing.word)]
        if near:
            rider = max(near, key=lambda each: common_area(each.box, thing.box))
            rest = [each for each in rest if each is not rider and each is not thing]
            parts = list(zip(rider.box, thing.box, strict=True))
            box = (min(parts[0]), min(parts[1]), max(parts[2]), max(parts[3]))
            riders.append(_Found(" on ".join(pair), RIDING[pair], box))
    return [*rest, *riders]


def _rides(rider: Box, mount: Box, word: str) -> bool:
    if word in ("bicycle", "horse"):  # feet off the ground, and in the middle
        middle = (rider[0] + rider[2]) / 2
        wide = mount[2] - mount[0]
        inside = mount[0] + 0.1 * wide < middle < mount[2] - 0.1 * wide
        return inside and rider[1] < mount[1] and mount[1] < rider[3] < mount[3] + 0.02 * (mount[3] - mount[1])
    return common_area(rider, (mount[0] - 0.01, mount[1] - 0.01, mount[2] + 0.01, mount[3] + 0.01)) > 0


def _as_said(
    found: list[_Found], said: Sequence[Thing], words: Sequence[str]
) -> tuple[list[_Found], tuple[Thing, ...]]:
    """What is seen, as the words say what it is like; and what only the words name."""
    usual = {thing.name for word in words for thing in make_plan(f"a {word}").objects} | {each.name for each in found}
    kinds = {kind_of(name) for name in usual} | {kind_of(part) for each in found for part in _parts(each)}
    found = sorted(found, key=lambda each: -each.area)
    done: set[int] = set()
    for thing in said:
        alike = [at for at, each in enumerate(found) if at not in done and kind_of(each.name) == kind_of(thing.name)]
        for at in alike[: thing.count]:
            name = found[at].name if thing.name in usual else thing.name
            found[at] = replace(found[at], name=name, color=thing.color, action=thing.action)
            done.add(at)
    added = tuple(thing for thing in said if thing.name not in usual and kind_of(thing.name) not in kinds)
    return found, added


def _varied(found: list[_Found]) -> list[_Found]:
    """Of several people not all the same one, from left to right; and birds that fly."""
    people = sorted((each for each in found if each.name == PEOPLE[0]), key=lambda each: each.box)
    names = {id(each): PEOPLE[at % len(PEOPLE)] for at, each in enumerate(people)}
    names |= {id(each): IN_FLIGHT for each in found if each.word == "bird" and each.area < 0.1 and each.box[3] < HIGH}
    return [replace(each, name=names.get(id(each), each.name)) for each in found]


def _parts(each: _Found) -> list[str]:
    """The pictures of both that are one."""
    return [name for word in each.word.split(" on ") if (name := picture_of(word))]


def _things(found: list[_Found]) -> tuple[list[Thing], list[Place]]:
    """The plan's things, alike ones together, and where each is; what is on another says so."""
    holders = [_holder(each, found) for each in found]
    keys: list[Thing] = []
    places = []
    for each, holder in zip(found, holders, strict=True):
        relation = {"kind": "on", "to": holder.name} if holder else None
        key = Thing(each.name, 1, each.color, "normal", relation, each.action)
        if key not in keys:
            keys.append(key)
        places.append(Place(keys.index(key), each.box))
    counts = [sum(place.thing == at for place in places) for at in range(len(keys))]
    return [replace(key, count=count) for key, count in zip(keys, counts, strict=True)], places


def _holder(each: _Found, found: list[_Found]) -> _Found | None:
    """On or in what a thing is: a boat or a bed with who is in it, who carries a bag."""
    living = artwork.index()[each.name]["group"] in ("people-body", "animals-nature")
    around = [
        other
        for other in found
        if other is not each
        and each.area < SMALL * other.area
        and common_area(each.box, other.box) > INSIDE * each.area
        and (not living or kind_of(other.name) in ("boat", "bed", "couch-and-lamp"))
    ]
    return min(around, key=lambda other: other.area, default=None)


def _setting(
    prompt: str, said: Plan, words: Sequence[str], found: list[_Found], added: tuple[Thing, ...], seen: ImageDescription
) -> str:
    """Where it is: as the words say, else where such things are mostly seen, else as its colours tell."""
    usual = {setting for word in words for setting in settings_named(f"a {word}")}
    own = [setting for setting in settings_named(prompt) if setting not in usual]
    if own or not found:
        return own[0] if own else said.setting
    weights: dict[str, float] = {}
    for each in seen.objects:
        left, top, right, bottom = _shares(each.box, seen)
        if setting := _SETTING_OF.get(each.name) or _unusual_setting(each.name):
            weights[setting] = weights.get(setting, 0.0) + (right - left) * (bottom - top) + 0.01
    if "open sea" in weights:
        return "open sea"
    people = sum(each.area for each in found if kind_of(each.name) == "person")
    if weights:
        best = max(weights, key=lambda setting: weights[setting])
        return "room" if best == "kitchen table" and people > 0.2 else best
    if all(each.word in AIRBORNE for each in found) and max(each.box[3] for each in found) < 0.97:
        return "sky"
    outside = {"green", "blue", "turquoise"} & set(seen.colours[:3])
    grazing = any(each.word in AIRBORNE for each in found)
    return "meadow" if outside or grazing else "studio" if people else "room"


def _unusual_setting(word: str) -> str | None:
    """Where a thing is seen that the table does not have."""
    known = word in PICTURES or word in AIRBORNE or word in ("cat", "dog", "person", "backpack", "umbrella", "handbag")
    return None if known or not picture_of(word) or word == "suitcase" else make_plan(f"a {word}").setting
