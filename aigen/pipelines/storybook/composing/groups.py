"""Things that belong together: what a relation ties together is arranged as one group."""

from aigen.pipelines.storybook import artwork
from aigen.pipelines.storybook.composing.arrangements import ARRANGE, Group, Member, side_by_side
from aigen.pipelines.storybook.drawing import scenery
from aigen.pipelines.storybook.drawing.bodies import has_body
from aigen.pipelines.storybook.drawing.figures import asleep
from aigen.pipelines.storybook.drawing.look import Look
from aigen.pipelines.storybook.drawing.pictures import cut
from aigen.pipelines.storybook.understanding.plan import Thing

# Of the height of an animal on its legs, how much is seen when it lies; of one that swims at sea, above the water.
LYING, SUNK = 0.74, 0.8
# More things than these would only be a crowd of dots.
CROWD = 48


def make_groups(look: Look) -> list[Group]:
    objects = look.plan.objects
    drawn = [place for place, thing in enumerate(objects) if not scenery.is_sky(look.plan, thing)]
    target = {}
    for place in drawn:
        relation = objects[place].relation
        named = [other for other in drawn if relation and other != place and objects[other].name == relation["to"]]
        if named:
            target[place] = named[0]
    target |= {place: player for place, player in _played(look, drawn).items() if place not in target}
    target = {place: to for place, to in target.items() if not _circles(place, target)}
    groups: list[Group] = []
    for place in drawn:
        if place in target:
            continue
        thing = objects[place]
        count = _allotted(look, thing)
        if place in target.values():
            group = Group([_member(look, place, thing) for _ in range(count)], _flies(look, thing))
            side_by_side(group.members, 0.0)
            _attach(look, group, place, target)
            groups.append(group)
        else:
            groups += [Group([_member(look, place, thing)], _flies(look, thing)) for _ in range(count)]
    return groups


def _played(look: Look, drawn: list[int]) -> dict[int, int]:
    """Which instruments are in the hands of whom: of who plays."""
    objects = look.plan.objects
    players = [place for place in drawn if objects[place].action in ("play", "strum", "perform")]
    return {
        place: players[0]
        for place in drawn
        if players
        and objects[place].relation is None
        and place not in players
        and artwork.index()[objects[place].name]["subgroup"] == "musical-instrument"
    }


def _shown(look: Look, thing: Thing) -> float:
    """Of a picture's height, how much from the top is seen."""
    subgroup = artwork.index()[thing.name]["subgroup"]
    if (asleep(thing.action) or thing.action in ("lie", "rest")) and subgroup == "animal-mammal":
        return 1.0 if has_body(thing.name) else LYING
    held = thing.relation and thing.relation["kind"] in ("on", "inside", "above")
    swims = subgroup == "animal-marine" and look.setting.ground == "water" and not look.has_footing and not held
    return SUNK if swims else 1.0


def _allotted(look: Look, thing: Thing) -> int:
    """How many of a thing are drawn: all, or in a crowd its share."""
    total = sum(other.count for other in look.plan.objects)
    return thing.count if total <= CROWD else max(1, thing.count * CROWD // total)


def _circles(place: int, target: dict[int, int]) -> bool:
    """Whether relations lead from a thing back to itself."""
    seen, at = {place}, place
    while at in target:
        at = target[at]
        if at == place:
            return True
        if at in seen:
            return False
        seen.add(at)
    return False


def _member(look: Look, place: int, thing: Thing) -> Member:
    picture = cut(thing.name, 96)
    flying = _flies(look, thing)
    shown = 1.0 if flying else _shown(look, thing)
    entry = artwork.index()[thing.name]
    hearth = 1.8 if thing.name == "fire" and look.setting.ground == "indoor" else 1.0
    scale = hearth * (scenery.SCALES.get(thing.name) or scenery.SCALES.get(entry["subgroup"], 1.0))
    side = scale * scenery.SIZES[thing.size]
    longest = max(picture.width(), picture.height())
    return Member(
        thing=place,
        name=thing.name,
        color=thing.color,
        x=0.0,
        base=0.0,
        width=picture.width() * side / longest,
        height=picture.height() * side / longest * shown,
        order=0.0,
        flying=flying,
        shown=shown,
    )


def _attach(look: Look, group: Group, place: int, target: dict[int, int]) -> None:
    """Add to a group what has a relation to one of its things, and what has one to those."""
    anchors = [member for member in group.members if member.thing == place]
    others = [other for other, to in target.items() if to == place]
    by_kind: dict[str, list[Member]] = {}
    for other in others:
        thing = look.plan.objects[other]
        kind = thing.relation["kind"] if thing.relation else "held by"
        members = [_member(look, other, thing) for _ in range(_allotted(look, thing))]
        if kind == "next to":  # on both sides, the first on the one that the take says
            sides = ("left of", "right of") if look.mirrored else ("right of", "left of")
            for side, half in zip(sides, (members[::2], members[1::2]), strict=True):
                by_kind.setdefault(side, []).extend(half)
        else:
            by_kind.setdefault(kind, []).extend(members)
    for kind in ARRANGE:  # first what makes its anchor larger, last what stands beside
        if some := by_kind.get(kind):
            ARRANGE[kind](anchors, some, group)
            group.members += some
    for other in others:
        _attach(look, group, other, target)


def _flies(look: Look, thing: Thing) -> bool:
    name = thing.name
    floating = look.setting.ground in ("air", "space", "deep") and look.plan.setting != "planet surface"
    subgroup = artwork.index()[name]["subgroup"]
    if look.setting.ground == "deep":
        return subgroup == "animal-marine" and name not in ("coral", "crab", "spiral-shell", "oyster", "lobster")
    if thing.action in scenery.FLYING_ACTIONS and look.setting.ground != "water":
        return True
    if thing.relation and thing.relation["kind"] == "above":
        return True
    if name in scenery.MOONS | scenery.SUNS:
        return True
    if thing.relation and thing.relation["kind"] in ("on", "inside", "under"):
        return floating
    return floating or (name in scenery.FLYING and look.setting.ground != "indoor") or name in ("fireworks", "rainbow")
