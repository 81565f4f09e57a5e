"""Where the groups of a scene stand, and how large they are: nearer or further away until each thing can be seen."""

import math
from dataclasses import dataclass, replace

import skia

from aigen.pipelines.storybook import artwork
from aigen.pipelines.storybook.composing.arrangements import Group, Member
from aigen.pipelines.storybook.composing.groups import make_groups
from aigen.pipelines.storybook.drawing import scenery
from aigen.pipelines.storybook.drawing.colours import LINEAR
from aigen.pipelines.storybook.drawing.figures import Figure, make_figure
from aigen.pipelines.storybook.drawing.look import Look

# Share of a thing that must be seen, else everything is drawn smaller.
SEEN = 0.5
ATTEMPTS = 5
CHASES = frozenset(["chase", "follow", "pursue", "hunt", "catch"])
# Where a caption begins, as a share of the height: things stand above it.
CAPTIONED = 0.8


@dataclass(frozen=True)
class Actor:
    """A thing of the plan, standing on (`x`, `base`). `thing` is its place among the plan's objects.

    It moves as its `mover` does by its `action`, which is itself or what carries it: around that one's foot (`pivot`),
    in measures of that one's height. `doing` is its own action.
    """

    thing: int
    name: str
    figure: Figure
    x: float
    base: float
    depth: float
    where: str
    mover: str
    action: str | None
    doing: str | None
    phase: float
    flip: bool
    pivot: tuple[float, float]
    measure: float
    carried: bool
    free: bool = True

    @property
    def width(self) -> float:
        return self.figure.width

    @property
    def height(self) -> float:
        return self.figure.height

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom in pixels."""
        return self.x - self.width / 2, self.base - self.height, self.x + self.width / 2, self.base


def place_actors(look: Look) -> list[Actor]:
    """The things of the plan in their places, those further away first."""
    groups = make_groups(look)
    state = look.random.getstate()
    actors: list[Actor] = []
    for attempt in range(ATTEMPTS):
        look.random.setstate(state)  # so that only the size differs
        actors = _place_groups(look, groups, 0.86**attempt)
        if all(share >= SEEN for share in shares_seen(actors, look)):
            break
    return _facing_what_they_chase(look, actors)


def _facing_what_they_chase(look: Look, actors: list[Actor]) -> list[Actor]:
    """Who chases looks at what is chased, and that looks ahead."""
    chasing = [place for place, thing in enumerate(look.plan.objects) if thing.action in CHASES]
    if not chasing or any(actor.carried for actor in actors):
        return actors
    chasers = [actor for actor in actors if actor.thing in chasing]
    chased = [actor for actor in actors if actor.thing not in chasing]
    if not chasers or not chased:
        return actors
    to_the_right = sum(actor.x for actor in chased) / len(chased) > sum(actor.x for actor in chasers) / len(chasers)
    return [replace(actor, flip=to_the_right) for actor in actors]


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
        canvas.drawImageRect(actor.figure.image, area, LINEAR)
        mask = pixels[..., 3] > 100
        sizes.append(max(1, int(mask.sum())))
        owner[mask] = place
    inside = owner[margin + bar : side[1] - margin - bar, margin : side[0] - margin]
    return [float((inside == place).sum()) / sizes[place] for place in range(len(actors))]


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
        base = max(base, tall * measure + look.height * 0.1 + look.bars)
        if alone and group.members[0].name == "fireworks":
            base = tall * measure + look.height * 0.03 + look.bars
    elif not alone:
        base = max(base, tall * measure + look.height * 0.05 + look.bars)
    floor = CAPTIONED if look.plan.caption else 0.965
    base = min(base, look.height * floor - look.bars)
    # A camera that comes nearer must not push things out of the picture.
    edge = look.width * (0.05 if look.take.camera in ("push", "pull") else 0.015)
    x = min(max(x, wide * measure * 0.5 + edge), look.width - edge - wide * measure * 0.5)
    pinned = alone and group.members[0].name in scenery.PINNED
    if pinned:  # as a part of the scene's edge, cut off where the picture is
        measure = min(look.height * 0.9 / tall, look.width * 0.6 / wide)
        x = wide * measure * 0.5 - look.width * 0.09
        base = look.height * 1.12
    roots = {member: _root(member) for member in group.members}
    flips = {
        member: member.x < member.faces.x
        if member.faces
        else not pinned and turned(look, member.name, x + (member.x - (left + right) / 2) * measure, place)
        for member in group.members
    }
    phases = {member: look.random.uniform(0, math.tau) + place for member in group.members}
    actors = []
    for member in group.members:
        root = roots[member]
        flip = flips[root]
        aside = member.x - root.x if not flip else root.x - member.x
        middle = x - (left + right) / 2 * measure
        foot = base - bottom * measure
        pivot = middle + root.x * measure, foot + root.base * measure
        where = _where(look, root, airborne)
        actors.append(
            Actor(
                thing=member.thing,
                name=member.name,
                figure=_figure(look, member, measure, where if member is root else ""),
                x=pivot[0] + aside * measure,
                base=foot + member.base * measure,
                depth=depth,
                where=where,
                mover=root.name,
                action=look.plan.objects[root.thing].action,
                doing=look.plan.objects[member.thing].action,
                phase=phases[root],
                flip=flip,
                pivot=pivot,
                measure=root.height * measure,
                carried=member is not root,
                free=alone,
            )
        )
    return actors


def _root(member: Member) -> Member:
    """Who carries it in the end; itself where nobody does."""
    return _root(member.holder) if member.holder else member


def _where(look: Look, member: Member, airborne: bool) -> str:
    """Where a thing is: in the "air", the "deep", on "water", on the "ground" or above it on a "deck"."""
    subgroup = artwork.index()[member.name]["subgroup"]
    if look.setting.ground == "deep":
        return "deep" if airborne or member.flying else "ground"
    if airborne or member.flying:
        return "air"
    if member.raised:
        return "deck"
    floats = subgroup in scenery.IN_WATER or member.name in scenery.AFLOAT
    return "water" if look.setting.ground == "water" and floats else "ground"


def _figure(look: Look, member: Member, measure: float, where: str) -> Figure:
    width, height = max(1.0, member.width * measure), max(1.0, member.height * measure)
    action = look.plan.objects[member.thing].action
    return make_figure(
        look, member.name, width, height, member.color, wings=where == "air", action=action, shown=member.shown
    )


def _spot(look: Look, place: int, count: int, airborne: bool) -> tuple[float, float, float, float]:
    """Where the n-th of `count` things is: x, base, depth and size before its own scale."""
    jitter = look.random.uniform
    rows = 1 if count <= 4 else 2 if count <= 10 else 3
    in_row = math.ceil(count / rows)
    row, column = divmod(place, in_row)
    here = min(in_row, count - row * in_row)
    share = (column + 0.5) / here
    x = look.width * (0.1 + 0.8 * share) + jitter(-0.02, 0.02) * look.width
    if count == 1:
        x = look.width * (look.take.subject + jitter(-0.02, 0.02))
    elif count == 2:  # one of two is nearer to the middle
        x += (0.06 if look.mirrored else -0.06) * look.width
    reach = {1: 0.5, 2: 0.38, 3: 0.29, 4: 0.23}.get(count, 0.62 / max(3.2, in_row * 0.9))
    nearness = 1.0 if rows == 1 else (row + 1) / rows
    reach *= jitter(0.95, 1.06) * (0.72 + 0.28 * nearness) * look.take.reach
    if airborne:
        top, bottom = 0.22, (0.52 if look.setting.ground not in ("air", "space", "deep") else 0.72)
        level = jitter(top, bottom) if count > 1 else (top + bottom) / 2 + look.take.rise * 0.4
        if rows > 1:  # rows in the air too, or a swarm would hide itself
            level = top + (bottom + 0.2 - top) * (row + 0.5) / rows + jitter(-0.02, 0.02)
        elif count > 1:  # high and low by turns
            level = top + (bottom - top) * (0.25 + 0.5 * ((column + look.mirrored) % 2)) + jitter(-0.03, 0.03)
        return x, look.height * level + look.unit * reach * 0.5, 0.6 + 0.3 * nearness, reach
    ground = look.horizon + (look.height - look.horizon) * (0.34 + 0.42 * nearness)
    if look.setting.ground == "shore" or look.has_footing:
        ground = max(ground, look.horizon + (look.height - look.horizon) * (0.5 + 0.3 * nearness))
    if count in (2, 3):
        near = (column + look.mirrored) % 2
        ground += (look.height - look.horizon) * (0.16 if near else -0.08)
        reach *= 1.06 if near else 0.88
    return x, min(ground, look.height * 0.93 - look.bars), 0.85 + 0.1 * nearness, reach


def turned(look: Look, name: str, x: float, place: int) -> bool:
    """Whether a picture, which looks to the left, is drawn mirrored: things at the left side look into the scene."""
    entry = artwork.index()[name]
    if (entry["subgroup"] or "").startswith("transport"):
        return look.mirrored  # all the same way, or they would meet
    if (
        entry["group"] in ("animals-nature", "travel-places", "people-body")
        and abs(x - look.width / 2) > look.width * 0.06
    ):
        return x < look.width / 2
    return (look.mirrored + place) % 2 == 1
