"""Where the groups of a scene stand, and how large they are: nearer or further away until each thing can be seen."""

import math
from dataclasses import dataclass, replace

import skia

from aigen.pipelines.storybook import artwork
from aigen.pipelines.storybook.composing.groups import Group, Member, make_groups
from aigen.pipelines.storybook.drawing import scenery
from aigen.pipelines.storybook.drawing.look import Look, tinted

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
