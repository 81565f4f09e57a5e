"""Where the things of a plan stand, how large they are, and how they move.

Things that a relation ties together are arranged as one group first, in measures of their own; groups and single things
are then given their places in the scene, and drawn nearer or further away until each can be seen.
"""

import math
from dataclasses import dataclass, field, replace

import skia

from aigen.pipelines.storybook import artwork, scenery
from aigen.pipelines.storybook.look import Look, cut, tinted
from aigen.pipelines.storybook.plan import Thing

# More things than these would only be a crowd of dots.
CROWD = 48
# Share of a thing that must be seen, else everything is drawn smaller.
SEEN = 0.5
ATTEMPTS = 5
# Where a caption begins, as a share of the height: things stand above it.
CAPTIONED = 0.8


@dataclass(frozen=True)
class Actor:
    """A thing of the plan, standing on (`x`, `base`). `thing` is its place among the plan's objects."""

    thing: int
    image: skia.Image
    x: float
    base: float
    width: float
    height: float
    depth: float
    motion: str
    phase: float
    flip: bool
    shadow: float

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom in pixels."""
        return self.x - self.width / 2, self.base - self.height, self.x + self.width / 2, self.base


@dataclass
class Member:
    """A thing within a group: `x` and `base` (0 is the ground, less is higher) in the group's own measure."""

    thing: int
    name: str
    color: str | None
    x: float
    base: float
    width: float
    height: float
    order: float
    flying: bool
    held: bool = False

    @property
    def top(self) -> float:
        return self.base - self.height


@dataclass
class Group:
    """Things that stand together; one alone in most cases."""

    members: list[Member] = field(default_factory=list)
    flying: bool = False

    def bounds(self) -> tuple[float, float, float, float]:
        return (
            min(member.x - member.width / 2 for member in self.members),
            min(member.top for member in self.members),
            max(member.x + member.width / 2 for member in self.members),
            max(member.base for member in self.members),
        )


def place_actors(look: Look) -> list[Actor]:
    """The things of the plan in their places, those further away first."""
    groups = _make_groups(look)
    state = look.random.getstate()
    actors: list[Actor] = []
    for attempt in range(ATTEMPTS):
        look.random.setstate(state)  # so that only the size differs
        actors = _place_groups(look, groups, 0.86**attempt)
        if all(share >= SEEN for share in shares_seen(actors, look)):
            break
    return actors


def shares_seen(actors: list[Actor], look: Look) -> list[float]:
    """How much of each actor is seen, 0 to 1: not behind those drawn later, inside the picture and between its bars."""
    import numpy

    scale = 128 / max(look.width, look.height)
    margin = 64
    side = (round(look.width * scale) + 2 * margin, round(look.height * scale) + 2 * margin)
    bar = round(look.bars * scale)
    owner = numpy.full((side[1], side[0]), -1)
    sizes = []
    for place, actor in enumerate(actors):
        pixels = numpy.zeros((side[1], side[0], 4), numpy.uint8)
        canvas = skia.Surface(pixels).getCanvas()
        left, top, right, bottom = (part * scale + margin for part in actor.box)
        area = skia.Rect.MakeLTRB(left, top, max(right, left + 1), max(bottom, top + 1))
        if actor.flip:
            canvas.translate(left + right, 0)
            canvas.scale(-1, 1)
        canvas.drawImageRect(actor.image, area, skia.SamplingOptions(skia.FilterMode.kLinear))
        mask = pixels[..., 3] > 100
        sizes.append(max(1, int(mask.sum())))
        owner[mask] = place
    inside = owner[margin + bar : side[1] - margin - bar, margin : side[0] - margin]
    return [float((inside == place).sum()) / sizes[place] for place in range(len(actors))]


# Groups


def _make_groups(look: Look) -> list[Group]:
    objects = look.plan.objects
    drawn = [place for place, thing in enumerate(objects) if not scenery.is_sky(look.plan, thing)]
    target = {}
    for place in drawn:
        relation = objects[place].relation
        named = [other for other in drawn if relation and other != place and objects[other].name == relation["to"]]
        if named:
            target[place] = named[0]
    target = {place: to for place, to in target.items() if not _circles(place, target)}
    groups: list[Group] = []
    for place in drawn:
        if place in target:
            continue
        thing = objects[place]
        count = _allotted(look, thing)
        if place in target.values():
            group = Group([_member(look, place, thing) for _ in range(count)], _flies(look, thing))
            _side_by_side(group.members, 0.0)
            _attach(look, group, place, target)
            groups.append(group)
        else:
            groups += [Group([_member(look, place, thing)], _flies(look, thing)) for _ in range(count)]
    return groups


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
    picture = cut(thing.name)
    entry = artwork.index()[thing.name]
    scale = scenery.SCALES.get(thing.name) or scenery.SCALES.get(entry["subgroup"], 1.0)
    side = scale * scenery.SIZES[thing.size]
    longest = max(picture.width(), picture.height())
    return Member(
        thing=place,
        name=thing.name,
        color=thing.color,
        x=0.0,
        base=0.0,
        width=picture.width() * side / longest,
        height=picture.height() * side / longest,
        order=0.0,
        flying=_flies(look, thing),
    )


def _span(members: list[Member], gap: float = 1.08) -> float:
    """How much room things take side by side."""
    return sum(member.width for member in members) * gap


def _side_by_side(members: list[Member], middle: float, gap: float = 1.08) -> None:
    x = middle - _span(members, gap) / 2
    for member in members:
        member.x = x + member.width * gap / 2
        x += member.width * gap


def _attach(look: Look, group: Group, place: int, target: dict[int, int]) -> None:
    """Add to a group what has a relation to one of its things, and what has one to those."""
    anchors = [member for member in group.members if member.thing == place]
    others = [other for other, to in target.items() if to == place]
    by_kind: dict[str, list[Member]] = {}
    for other in others if anchors else []:
        thing = look.plan.objects[other]
        assert thing.relation
        members = [_member(look, other, thing) for _ in range(_allotted(look, thing))]
        if thing.relation["kind"] == "next to":  # on both sides, the first on the one that the take says
            sides = ("left of", "right of") if look.mirrored else ("right of", "left of")
            for side, half in zip(sides, (members[::2], members[1::2]), strict=True):
                by_kind.setdefault(side, []).extend(half)
        else:
            by_kind.setdefault(thing.relation["kind"], []).extend(members)
    for kind in _ARRANGE:  # first what makes its anchor larger, last what stands beside
        if some := by_kind.get(kind):
            _ARRANGE[kind](anchors, some, group)
            group.members += some
    for other in others:
        _attach(look, group, other, target)


def _extent(members: list[Member]) -> tuple[float, float, float, float]:
    return Group(members).bounds()


def _shrink(members: list[Member], limit_width: float, limit_height: float) -> None:
    """Make things no larger than they may be where they stand."""
    for member in members:
        factor = min(1.0, limit_width / member.width, limit_height / member.height)
        member.width, member.height = member.width * factor, member.height * factor


def _grow(members: list[Member], least: float) -> None:
    """Make things large enough to hold or shelter others."""
    for member in members:
        factor = max(1.0, least / max(member.width, member.height))
        member.width, member.height = member.width * factor, member.height * factor
    if len(members) > 1:
        left, _, right, _ = _extent(members)
        _side_by_side(members, (left + right) / 2)


def _left_of(anchors: list[Member], members: list[Member], group: Group) -> None:
    left, *_ = _extent(group.members)
    _side_by_side(members, left - 0.1 - _span(members) / 2)
    _level(anchors, members)


def _right_of(anchors: list[Member], members: list[Member], group: Group) -> None:
    _, _, right, _ = _extent(group.members)
    _side_by_side(members, right + 0.1 + _span(members) / 2)
    _level(anchors, members)


def _level(anchors: list[Member], members: list[Member]) -> None:
    """On the same ground, or at the same height in the air."""
    _, top, _, base = _extent(anchors)
    for member in members:
        member.base = base if not (member.flying and anchors[0].flying) else (top + base) / 2 + member.height / 2
        member.order = anchors[0].order + 0.01


def _on(anchors: list[Member], members: list[Member], group: Group) -> None:
    left, top, right, base = _extent(anchors)
    seat = scenery.SEATS.get(anchors[0].name, 0.14)
    total = sum(member.width for member in members)
    if total > 1.25 * (right - left):  # a larger seat first, and if that is not enough smaller sitters
        _grow(anchors, min(1.8, total / (right - left)) * max(anchors[0].width, anchors[0].height) * 0.8)
        left, top, right, base = _extent(anchors)
        _shrink(members, 1.25 * (right - left) / len(members), (base - top) * 1.8)
    _side_by_side(members, (left + right) / 2, 1.0)
    for member in members:
        member.base = top + (base - top) * seat
        member.order, member.held, member.flying = anchors[0].order + 0.1, True, False


def _above(anchors: list[Member], members: list[Member], group: Group) -> None:
    left, top, right, _ = _extent(anchors)
    _side_by_side(members, (left + right) / 2, 1.15)
    for member in members:
        member.base = top - 0.18
        member.order, member.flying = anchors[0].order + 0.05, True


def _under(anchors: list[Member], members: list[Member], group: Group) -> None:
    left, top, right, base = _extent(anchors)
    rooted = artwork.index()[anchors[0].name]["subgroup"] in (
        "plant-other",
        "place-building",
        "place-geographic",
        "place-other",
    )
    if rooted and not anchors[0].flying:  # before the trunk
        _grow(anchors, 2.1 * max(member.height for member in members))
        left, top, right, base = _extent(anchors)
        _shrink(members, 9.0, (base - top) * 0.46)
        _side_by_side(members, (left + right) / 2 + (right - left) * 0.12)
        for member in members:
            member.base, member.order = base + 0.05, anchors[0].order + 0.1
        return
    tallest = max(member.height for member in members)
    for member in group.members:  # what is above is lifted
        member.base -= tallest + 0.1
        if member in anchors:
            member.flying = True
    _side_by_side(members, (left + right) / 2)
    for member in members:
        member.order = anchors[0].order - 0.01


def _behind(anchors: list[Member], members: list[Member], group: Group) -> None:
    left, top, right, base = _extent(anchors)
    _grow(members, 0.9 * (base - top))
    side = 1 if len(group.members) % 2 else -1
    span = sum(member.width for member in members) if len(members) == 1 else 0.0
    _side_by_side(members, (left + right) / 2 + side * ((right - left) * 0.4 + span * 0.24))
    for place, member in enumerate(members):
        member.base, member.order = base - 0.16 - 0.02 * place, anchors[0].order - 0.1


def _in_front_of(anchors: list[Member], members: list[Member], group: Group) -> None:
    _grow(anchors, 1.35 * max(member.height for member in members))
    left, _, right, base = _extent(anchors)
    side = 1 if len(group.members) % 2 else -1
    span = sum(member.width for member in members) if len(members) == 1 else 0.0
    _side_by_side(members, (left + right) / 2 + side * ((right - left) * 0.22 + span * 0.34))
    for member in members:
        member.base, member.order = base + 0.12, anchors[0].order + 0.1
        member.flying = False


def _inside(anchors: list[Member], members: list[Member], group: Group) -> None:
    _grow(anchors, 1.9 * max(max(member.width, member.height) for member in members) * math.sqrt(len(members)) * 0.8)
    left, top, right, base = _extent(anchors)
    columns = math.ceil(math.sqrt(len(members) * 1.5))
    rows = math.ceil(len(members) / columns)
    _shrink(members, (right - left) * 0.8 / columns, (base - top) * 0.72 / rows)
    for place, member in enumerate(members):
        row, column = divmod(place, columns)
        here = min(columns, len(members) - row * columns)
        member.x = (left + right) / 2 + (column - (here - 1) / 2) * (right - left) * 0.8 / columns
        member.base = top + (base - top) * (0.16 + 0.72 * (row + 1) / rows)
        member.order, member.held, member.flying = anchors[0].order + 0.1 + 0.001 * row, True, False


_ARRANGE = {
    "inside": _inside,
    "on": _on,
    "under": _under,
    "in front of": _in_front_of,
    "behind": _behind,
    "above": _above,
    "left of": _left_of,
    "right of": _right_of,
}


# Places


def _place_groups(look: Look, groups: list[Group], scale: float) -> list[Actor]:
    standing = [group for group in groups if not group.flying]
    flying = [group for group in groups if group.flying]
    actors: list[tuple[float, float, Actor]] = []
    for some, airborne in ((standing, False), (flying, True)):
        count = len(some)
        order = list(range(count))
        if look.mirrored:
            order.reverse()
        for place, position in enumerate(order):
            group = some[position]
            x, base, depth, reach = _spot(look, place, count, airborne)
            if standing and flying:  # beside each other, not one before the other
                x += (0.17 if airborne != look.mirrored else -0.17) * look.width / count
                reach *= 0.85
            placed = _place_group(look, group, x, base, depth, reach * scale, count, airborne, place)
            level = max(actor.base for actor in placed)
            for member, actor in zip(group.members, placed, strict=True):
                actors.append((-1.0 if airborne else level, member.order, actor))
    return [actor for _, _, actor in sorted(actors, key=lambda entry: entry[:2])]


def _place_group(
    look: Look, group: Group, x: float, base: float, depth: float, reach: float, count: int, airborne: bool, place: int
) -> list[Actor]:
    """The actors of a group whose ground is at `base`; as large as `reach` says, and as there is room for."""
    left, top, right, bottom = group.bounds()
    wide, tall = right - left, bottom - top
    alone = len(group.members) == 1
    lost = 0.965 - CAPTIONED if look.plan.caption else 0.0
    room = look.height * ((0.62 if alone else 0.74) - lost), look.width * (0.7 if alone else 0.92 / min(count, 3))
    measure = min(look.unit * reach * (1.0 if alone else 1.15), room[0] / tall, room[1] / wide)
    if airborne:
        base = max(base, tall * measure + look.height * 0.07 + look.bars)
    elif not alone:
        base = max(base, tall * measure + look.height * 0.05 + look.bars)
    floor = CAPTIONED if look.plan.caption else 0.965
    base = min(base, look.height * floor - look.bars)
    x = min(max(x, wide * measure * 0.5 + look.width * 0.01), look.width * 0.99 - wide * measure * 0.5)
    held = any(member.held for member in group.members)
    phase = look.random.uniform(0, math.tau) + place
    actors = []
    for member in group.members:
        actor = _actor(
            look,
            member,
            x + (member.x - (left + right) / 2) * measure,
            base + (member.base - bottom) * measure,
            member.width * measure,
            member.height * measure,
            depth,
            airborne or member.flying,
            phase if held else look.random.uniform(0, math.tau) + place,
            place,
        )
        if held:  # they move as one, or what is held would leave its place
            actor = replace(actor, motion="drift" if airborne else "still", shadow=0.0 if member.held else actor.shadow)
        actors.append(actor)
    return actors


def _flies(look: Look, thing: Thing) -> bool:
    name = thing.name
    floating = look.setting.ground in ("air", "space", "deep") and look.plan.setting != "planet surface"
    subgroup = artwork.index()[name]["subgroup"]
    if look.setting.ground == "deep":
        return subgroup == "animal-marine" and name not in ("coral", "crab", "spiral-shell", "oyster", "lobster")
    if (
        thing.action in ("fly", "float", "hover", "soar", "glide", "drift", "levitate")
        and look.setting.ground != "water"
    ):
        return True
    if thing.relation and thing.relation["kind"] == "above":
        return True
    if name in scenery.MOONS | scenery.SUNS:
        return True
    if thing.relation and thing.relation["kind"] in ("on", "inside", "under"):
        return floating
    return floating or (name in scenery.FLYING and look.setting.ground != "indoor") or name in ("fireworks", "rainbow")


def _spot(look: Look, place: int, count: int, airborne: bool) -> tuple[float, float, float, float]:
    """Where the n-th of `count` things is: x, base, depth and size before its own scale."""
    jitter = look.random.uniform
    rows = 1 if count <= 4 else 2 if count <= 10 else 3
    in_row = math.ceil(count / rows)
    row, column = divmod(place, in_row)
    here = min(in_row, count - row * in_row)
    lean = (0.0, -0.1, 0.1, -0.05, 0.06)[look.take] if count == 1 else 0.0
    share = (column + 0.5) / here + lean
    x = look.width * (0.1 + 0.8 * share) + jitter(-0.02, 0.02) * look.width
    reach = {1: 0.5, 2: 0.38, 3: 0.29, 4: 0.23}.get(count, 0.62 / max(3.2, in_row * 0.9))
    nearness = 1.0 if rows == 1 else (row + 1) / rows
    reach *= jitter(0.94, 1.08) * (0.72 + 0.28 * nearness) * (1.0, 0.9, 1.12, 0.96, 1.04)[look.take]
    if airborne:
        top, bottom = 0.22, (0.52 if look.setting.ground not in ("air", "space", "deep") else 0.72)
        level = jitter(top, bottom) if count > 1 else (top + bottom) / 2 + (0.0, -0.05, 0.04, -0.03, 0.02)[look.take]
        if rows > 1:  # rows in the air too, or a swarm would hide itself
            level = top + (bottom + 0.2 - top) * (row + 0.5) / rows + jitter(-0.02, 0.02)
        return x, look.height * level + look.unit * reach * 0.5, 0.6 + 0.3 * nearness, reach
    ground = look.horizon + (look.height - look.horizon) * (0.3 + 0.42 * nearness)
    if count in (2, 3):
        ground += (look.height - look.horizon) * (0.16 if (column + look.take) % 2 else -0.04)
    return x, min(ground, look.height * 0.93 - look.bars), 0.85 + 0.1 * nearness, reach


def _turned(look: Look, group: str | None, x: float, place: int) -> bool:
    """Whether a picture is drawn mirrored: animals (drawn looking left) look into the scene, other things vary."""
    if group == "animals-nature" and abs(x - look.width / 2) > look.width * 0.1:
        return x < look.width / 2
    return (look.mirrored + place) % 2 == 1


def _actor(
    look: Look,
    member: Member,
    x: float,
    base: float,
    width: float,
    height: float,
    depth: float,
    airborne: bool,
    phase: float,
    place: int,
) -> Actor:
    entry = artwork.index()[member.name]
    afloat = look.setting.ground == "water" and (entry["subgroup"] in scenery.IN_WATER or member.name in scenery.AFLOAT)
    if look.setting.ground == "deep":
        motion = "swim" if airborne else "still"
    elif airborne:
        motion = "drift"
    elif afloat:
        motion = "float"
    else:
        motion = {"animals-nature": "hop", "travel-places": "still", "people-body": "hop"}.get(entry["group"], "still")
        motion = "sway" if entry["subgroup"] in ("plant-other", "plant-flower") else motion
    return Actor(
        thing=member.thing,
        image=tinted(look, member.name, width, height, 0.0, member.color),
        x=x,
        base=base,
        width=width,
        height=height,
        depth=depth,
        motion=motion,
        phase=phase,
        flip=_turned(look, entry["group"], x, place),
        shadow=0.0 if airborne or afloat else 0.5 if not look.dark else 0.7,
    )
